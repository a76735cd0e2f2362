//! `kmsctl domain orphans`: the keys of a domain held against an inventory of what refers to them.
//!
//! Clients make keys and do not destroy them. What no machine, snapshot, clone, backup or host refers to can go, and a
//! reference to a key that is gone is a machine that will not start: both are found by comparing the two lists.

use std::collections::BTreeMap;
use std::path::Path;

use admin_api::{AdminClient, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::object;
use crate::exit::Failure;
use crate::files;
use crate::output::{Out, Sheet, Table, utc};

/// Name and version of the inventory's format.
const FORMAT: &str = "clavis-inventory/1";

/// An export of an infrastructure: what refers to which keys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inventory {
    /// Name and version of the format.
    inventory: String,
    /// When it was exported, seconds since the epoch.
    exported: i64,
    references: Vec<Reference>,
}

/// Something that needs keys.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    kind: Kind,
    name: String,
    keys: Vec<Uuid>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Vm,
    Snapshot,
    Clone,
    Backup,
    Host,
}

impl Kind {
    const fn text(self) -> &'static str {
        match self {
            Self::Vm => "vm",
            Self::Snapshot => "snapshot",
            Self::Clone => "clone",
            Self::Backup => "backup",
            Self::Host => "host",
        }
    }
}

/// What the comparison came to.
#[derive(Debug, Serialize)]
struct Compared {
    /// Objects of the domain that are not destroyed.
    living: usize,
    /// Those that something refers to.
    referred: usize,
    /// Those that were made after the inventory was exported: it cannot know of them.
    newer: usize,
    /// Those that nothing refers to.
    orphans: Vec<Orphan>,
    /// References to what is not there.
    broken: Vec<Broken>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Orphan {
    id: Uuid,
    object_type: String,
    state: String,
    created: i64,
    names: Vec<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Broken {
    kind: Kind,
    name: String,
    key: Uuid,
    /// `absent`, or the state of what is left.
    found: String,
}

/// Reads the inventory, asks for every object of the domain, and says what does not fit.
pub(super) fn run(client: &AdminClient, domain: &str, inventory: &Path, out: &Out) -> Result<(), Failure> {
    let invalid = |fault: String| Failure::file(inventory, std::io::Error::new(std::io::ErrorKind::InvalidData, fault));
    let read: Inventory =
        serde_json::from_slice(&files::read(inventory)?).map_err(|error| invalid(error.to_string()))?;
    if read.inventory != FORMAT {
        return Err(invalid(format!("the inventory is not {FORMAT}")));
    }
    let compared = compare(&read, &object::collect(client, domain, None, None)?.objects);
    out.write(&compared, || text(&compared))?;
    match compared.broken.len() {
        0 => Ok(()),
        broken => Err(Failure::NotWell(format!("{broken} references to keys that are not there"))),
    }
}

fn is_destroyed(object: &Object) -> bool {
    object.state.starts_with("Destroyed")
}

fn compare(inventory: &Inventory, objects: &[Object]) -> Compared {
    let known: BTreeMap<Uuid, &Object> = objects.iter().map(|object| (object.id, object)).collect();
    let mut broken = Vec::new();
    let mut referred = std::collections::BTreeSet::new();
    for reference in &inventory.references {
        for key in &reference.keys {
            referred.insert(*key);
            let found = match known.get(key) {
                Some(object) if !is_destroyed(object) => continue,
                Some(object) => object.state.clone(),
                None => "absent".to_owned(),
            };
            broken.push(Broken { kind: reference.kind, name: reference.name.clone(), key: *key, found });
        }
    }
    let living: Vec<&Object> = objects.iter().filter(|object| !is_destroyed(object)).collect();
    let unreferred: Vec<&&Object> = living.iter().filter(|object| !referred.contains(&object.id)).collect();
    // One that was made within the second of the export may or may not be in it.
    let (newer, old): (Vec<&&Object>, Vec<&&Object>) =
        unreferred.iter().copied().partition(|object| object.dates.initial >= inventory.exported);
    let orphan = |object: &&Object| Orphan {
        id: object.id,
        object_type: object.object_type.clone(),
        state: object.state.clone(),
        created: object.dates.initial,
        names: object.names.clone(),
    };
    Compared {
        living: living.len(),
        referred: living.len() - unreferred.len(),
        newer: newer.len(),
        orphans: old.into_iter().map(orphan).collect(),
        broken,
    }
}

fn text(compared: &Compared) -> String {
    let mut sheet = Sheet::new();
    sheet
        .line("living", compared.living.to_string())
        .line("referred to", compared.referred.to_string())
        .line("made since", compared.newer.to_string())
        .line("orphans", compared.orphans.len().to_string())
        .line("broken", compared.broken.len().to_string());
    let mut text = sheet.render();
    if !compared.orphans.is_empty() {
        let mut table = Table::new(&["ORPHAN", "TYPE", "STATE", "CREATED", "NAMES"]);
        for one in &compared.orphans {
            let names = one.names.join(", ");
            table.row([one.id.to_string(), one.object_type.clone(), one.state.clone(), utc(one.created), names]);
        }
        text = text + "\n" + &table.render();
    }
    if !compared.broken.is_empty() {
        let mut table = Table::new(&["MISSING KEY", "FOUND", "KIND", "NAME"]);
        for one in &compared.broken {
            table.row([one.key.to_string(), one.found.clone(), one.kind.text().to_owned(), one.name.clone()]);
        }
        text = text + "\n" + &table.render();
    }
    text
}

#[cfg(test)]
mod tests {
    use admin_api::{Fingerprint, ObjectDates};

    use super::*;

    fn object(number: u128, state: &str, created: i64) -> Object {
        Object {
            id: Uuid::from_u128(number),
            object_type: "Symmetric Key".to_owned(),
            state: state.to_owned(),
            algorithm: None,
            length: None,
            usage: Vec::new(),
            names: Vec::new(),
            dates: ObjectDates { initial: created, ..ObjectDates::default() },
            revocation: None,
            attributes: Vec::new(),
            owner: Fingerprint([0; 32]),
            revision: 1,
        }
    }

    fn reference(kind: Kind, keys: &[u128]) -> Reference {
        Reference { kind, name: "one".to_owned(), keys: keys.iter().copied().map(Uuid::from_u128).collect() }
    }

    #[test]
    fn what_nothing_refers_to_is_an_orphan_unless_it_is_younger_than_the_inventory_or_gone() {
        let references = vec![reference(Kind::Vm, &[1, 2]), reference(Kind::Snapshot, &[1])];
        let inventory = Inventory { inventory: FORMAT.to_owned(), exported: 100, references };
        let objects = [
            object(1, "Active", 1),
            object(2, "Deactivated", 1),
            object(3, "Pre-Active", 99),
            object(4, "Active", 100),
            object(5, "Destroyed", 1),
            object(6, "Destroyed Compromised", 1),
        ];
        let compared = compare(&inventory, &objects);
        assert_eq!((compared.living, compared.referred, compared.newer), (4, 2, 1));
        // A key that was made and never used, because its client crashed, is one as well.
        let orphans: Vec<_> = compared.orphans.iter().map(|one| (one.id.as_u128(), one.state.as_str())).collect();
        assert_eq!(orphans, [(3, "Pre-Active")]);
        assert_eq!(compared.broken, []);
    }

    #[test]
    fn a_reference_to_what_is_gone_is_told_with_what_is_left_of_it() {
        let references = vec![reference(Kind::Backup, &[1, 7]), reference(Kind::Host, &[2])];
        let inventory = Inventory { inventory: FORMAT.to_owned(), exported: 100, references };
        let compared = compare(&inventory, &[object(1, "Destroyed", 1), object(2, "Compromised", 1)]);
        let broken: Vec<_> = compared.broken.iter().map(|one| (one.key.as_u128(), one.found.as_str())).collect();
        assert_eq!(broken, [(1, "Destroyed"), (7, "absent")]);
        assert_eq!((compared.referred, compared.orphans.len()), (1, 0));
    }
}
