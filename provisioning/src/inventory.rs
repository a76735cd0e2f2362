//! Everything that exists, by id, checked as a whole when it is built.
//!
//! An [`Inventory`] never holds a dangling reference, two things of one id, or a kind that the catalogue does not know.
//! Rules may therefore walk from a VM to its region without inventing an answer for a gap. Whether the inventory keeps
//! the *promises* is another question, which the rules answer: a file may tell of a platform that breaks them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::*;
use crate::limits;
use crate::model::backup::{Backup, BackupPolicy};
use crate::model::compute::{AffinityRule, Cpool, Host, VStack};
use crate::model::contract::{Organisation, ServiceRequest, Tenant};
use crate::model::keys::{KeyDomain, KeyNode};
use crate::model::network::{InternetAccess, Network};
use crate::model::place::{Region, Zone};
use crate::model::settings::Settings;
use crate::model::storage::{Datastore, DatastoreCluster, Mirror};
use crate::model::vm::Vm;
use crate::reference::{Ref, References};

/// One line for each kind of thing gives the inventory its table, the document its list, a reference its variant.
macro_rules! tables {
    ($($(#[$doc:meta])* $many:ident $one:ident $kind:ident $id:ident;)+) => {
        /// The inventory as written in a file: lists, in the order in which they refer to each other. Anybody may
        /// build one; [`Inventory::build`] takes it in or says what is wrong.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Document {
            /// Where the platform follows newer documents.
            #[serde(default)]
            pub settings: Settings,
            $($(#[$doc])* #[serde(default, skip_serializing_if = "Vec::is_empty")] pub $many: Vec<$kind>,)+
        }

        /// Everything that exists, by id.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "Document", into = "Document")]
        pub struct Inventory {
            pub(crate) settings: Settings,
            $(pub(crate) $many: BTreeMap<$id, $kind>,)+
        }

        impl Inventory {
            $(
                $(#[$doc])*
                /// This is the one of that id.
                #[must_use]
                pub fn $one(&self, id: &$id) -> Option<&$kind> {
                    self.$many.get(id)
                }

                $(#[$doc])*
                /// These are all, in the order of their ids.
                pub fn $many(&self) -> impl Iterator<Item = &$kind> {
                    self.$many.values()
                }
            )+

            /// Whether the thing exists.
            #[must_use]
            pub fn has(&self, reference: Ref<'_>) -> bool {
                match reference {
                    $(Ref::$kind(id) => self.$many.contains_key(id),)+
                    Ref::Disk(vm, disk) => self.vms.get(vm).is_some_and(|vm| vm.disk(disk).is_some()),
                    Ref::Snapshot(vm, id) => {
                        self.vms.get(vm).is_some_and(|vm| vm.snapshots.iter().any(|one| one.id == *id))
                    }
                    Ref::CatalogueBlade(id) => crate::catalogue::catalogue().blade(id).is_some(),
                    Ref::StorageClass(id) => crate::catalogue::catalogue().class(id).is_some(),
                    Ref::Template(id) => crate::catalogue::catalogue().template(id).is_some(),
                }
            }

            fn collect(document: Document, faults: &mut Faults) -> Self {
                let mut inventory = Self { settings: document.settings, ..Self::default() };
                $(
                    if document.$many.len() > limits::THINGS {
                        faults.add(stringify!($many), format!("more than {} of them", limits::THINGS));
                    }
                    for (index, thing) in document.$many.into_iter().take(limits::THINGS).enumerate() {
                        let place = || format!("{}[{index}]", stringify!($many));
                        if let Some(fault) = unfit(thing.id.as_str()) {
                            faults.add(place(), fault);
                        }
                        if let Some(first) = inventory.$many.insert(thing.id.clone(), thing) {
                            faults.add(place(), format!("there is another \"{}\" before it", first.id));
                        }
                    }
                )+
                inventory
            }

            fn check(&self, faults: &mut Faults) {
                $(
                    for thing in self.$many.values() {
                        let place = |field: &str| format!("{}[\"{}\"].{field}", stringify!($many), thing.id);
                        thing.refers_to(&mut |field, reference| {
                            if !self.has(reference) {
                                faults.add(place(field), format!("there is no {reference}"));
                            }
                        });
                        thing.faults(&mut |field, fault| faults.add(place(field), fault));
                    }
                )+
            }
        }

        impl From<Inventory> for Document {
            fn from(inventory: Inventory) -> Self {
                Self { settings: inventory.settings, $($many: inventory.$many.into_values().collect(),)+ }
            }
        }
    };
}

tables! {
    /// Regions.
    regions region Region RegionId;
    /// Availability zones.
    zones zone Zone ZoneId;
    /// Customers.
    organisations organisation Organisation OrganisationId;
    /// Their tenants.
    tenants tenant Tenant TenantId;
    /// What they have asked of the operator.
    service_requests service_request ServiceRequest ServiceRequestId;
    /// Nodes of the key service.
    key_nodes key_node KeyNode KeyNodeId;
    /// Customers' domains in the key service.
    key_domains key_domain KeyDomain KeyDomainId;
    /// vStacks.
    vstacks vstack VStack VStackId;
    /// Clusters of hypervisors.
    cpools cpool Cpool CpoolId;
    /// Blades.
    hosts host Host HostId;
    /// Private networks.
    networks network Network NetworkId;
    /// Accesses to the internet.
    internet_accesses internet_access InternetAccess InternetAccessId;
    /// Clusters of datastores.
    datastore_clusters datastore_cluster DatastoreCluster DatastoreClusterId;
    /// Datastores, which are LUNs.
    datastores datastore Datastore DatastoreId;
    /// Mirrors between LUNs.
    mirrors mirror Mirror MirrorId;
    /// Backup policies.
    policies policy BackupPolicy PolicyId;
    /// Virtual machines.
    vms vm Vm VmId;
    /// Affinity rules between VMs.
    affinity_rules affinity_rule AffinityRule AffinityRuleId;
    /// Backups.
    backups backup Backup BackupId;
}

/// What is wrong in a document, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The place, such as `vms["web"].disks[1].datastore`.
    pub place: String,
    /// What is wrong there.
    pub fault: String,
}

/// Why a document is no inventory: every fault, up to [`limits::FAULTS`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, place: impl Into<String>, fault: impl Into<String>) {
        if self.0.len() < limits::FAULTS {
            self.0.push(Fault { place: place.into(), fault: fault.into() });
        }
    }

    /// The faults in the order of the document.
    #[must_use]
    pub fn as_slice(&self) -> &[Fault] {
        &self.0
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(|fault| format!("{}: {}", fault.place, fault.fault)).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Faults {}

impl Inventory {
    /// Takes in a document as a whole.
    ///
    /// # Errors
    /// Every fault with its place: identifiers that are unfit or stand twice, references to what does not exist.
    pub fn build(document: Document) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let inventory = Self::collect(document, &mut faults);
        inventory.check(&mut faults);
        if faults.0.is_empty() { Ok(inventory) } else { Err(faults) }
    }

    /// Reads an inventory written as JSON.
    ///
    /// # Errors
    /// The path of the first thing that is not what it should be, or every fault of [`Inventory::build`].
    pub fn from_json(text: &str) -> Result<Self, Faults> {
        within_limit(text)?;
        let mut reader = serde_json::Deserializer::from_str(text);
        let document = serde_path_to_error::deserialize(&mut reader).map_err(not_readable)?;
        reader.end().map_err(|fault| Faults(vec![Fault { place: "end".to_owned(), fault: fault.to_string() }]))?;
        Self::build(document)
    }

    /// Reads an inventory written as TOML.
    ///
    /// # Errors
    /// As [`Inventory::from_json`].
    pub fn from_toml(text: &str) -> Result<Self, Faults> {
        within_limit(text)?;
        let reader = toml::Deserializer::parse(text)
            .map_err(|fault| Faults(vec![Fault { place: "file".to_owned(), fault: fault.to_string() }]))?;
        let document = serde_path_to_error::deserialize(reader).map_err(not_readable)?;
        Self::build(document)
    }

    /// Where the platform follows newer documents.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }
}

impl TryFrom<Document> for Inventory {
    type Error = Faults;

    fn try_from(document: Document) -> Result<Self, Faults> {
        Self::build(document)
    }
}

fn within_limit(text: &str) -> Result<(), Faults> {
    if text.len() <= limits::FILE_BYTES {
        return Ok(());
    }
    Err(Faults(vec![Fault { place: "file".to_owned(), fault: format!("more than {} bytes", limits::FILE_BYTES) }]))
}

fn not_readable<E: fmt::Display>(error: serde_path_to_error::Error<E>) -> Faults {
    Faults(vec![Fault { place: error.path().to_string(), fault: error.into_inner().to_string() }])
}

/// Why a text cannot be an identifier: it stands in addresses, logs and SKUs.
pub(crate) fn unfit(id: &str) -> Option<&'static str> {
    let fit = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.' | ':');
    if id.is_empty() {
        Some("an identifier is not empty")
    } else if id.len() > limits::ID_BYTES {
        Some("an identifier has at most 128 bytes")
    } else if !id.chars().all(fit) {
        Some("an identifier has letters, digits, and - _ . : only")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    fn faults_of(spoil: impl FnOnce(&mut Document)) -> String {
        let mut document = example::document();
        spoil(&mut document);
        Inventory::build(document).unwrap_err().to_string()
    }

    #[test]
    fn a_dangling_reference_is_refused_with_its_place() {
        let fault = faults_of(|document| document.vms[1].disks[1].datastore = "nowhere".into());
        assert_eq!(fault, "vms[\"vm-web\"].disks[1].datastore: there is no datastore \"nowhere\"");
    }

    #[test]
    fn all_faults_come_at_once() {
        let faults = faults_of(|document| {
            document.hosts[0].blade = "abacus".into();
            document.zones[0].region = "mars".into();
            document.tenants[0].subscriptions.insert(crate::sku::Sku::new("csp:fr1:free:beer"));
        });
        let expected = "zones[\"PAR7S\"].region: there is no region \"mars\"\n\
            tenants[\"acme\"].subscriptions: no catalogue sells \"csp:fr1:free:beer\"\n\
            hosts[\"host-1\"].blade: there is no kind of blade \"abacus\"";
        assert_eq!(faults, expected);
    }

    #[test]
    fn two_things_of_one_id_are_refused() {
        let fault = faults_of(|document| document.vms.push(document.vms[1].clone()));
        assert_eq!(fault, "vms[3]: there is another \"vm-web\" before it");
        let fault = faults_of(|document| document.vms[1].disks[1].id = "disk-0".into());
        assert_eq!(fault, "vms[\"vm-web\"].disks[1].id: there is another \"disk-0\" before it");
    }

    #[test]
    fn an_unfit_identifier_is_refused() {
        for (id, why) in [("", "not empty"), ("a b", "letters"), ("a\n", "letters"), (&"x".repeat(129), "128 bytes")] {
            let fault = faults_of(|document| {
                document.affinity_rules[0].id = id.into();
            });
            assert!(fault.starts_with("affinity_rules[0]: ") && fault.contains(why), "{fault}");
        }
    }

    #[test]
    fn a_file_wrong_throughout_names_a_bounded_number_of_faults() {
        let mut document = Document::default();
        for number in 0..1000 {
            let id = ZoneId::new(format!("z{number}"));
            document.zones.push(Zone { id, region: "none".into(), site: "none".into() });
        }
        assert_eq!(Inventory::build(document).unwrap_err().as_slice().len(), limits::FAULTS);
    }

    #[test]
    fn reads_back_what_it_writes_in_both_formats() {
        let json = serde_json::to_string(&example::inventory()).unwrap();
        assert_eq!(Inventory::from_json(&json).unwrap(), example::inventory());
        let toml = toml::to_string(&example::inventory()).unwrap();
        assert_eq!(Inventory::from_toml(&toml).unwrap(), example::inventory());
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_path() {
        let json = serde_json::to_string(&example::inventory()).unwrap();
        let broken = json.replacen("\"cpus\":2", "\"cpus\":\"two\"", 1);
        assert!(Inventory::from_json(&broken).unwrap_err().to_string().starts_with("vms[0].cpus: invalid"));
        let unknown = json.replacen("\"vlan\":", "\"vlam\":", 1);
        assert!(Inventory::from_json(&unknown).unwrap_err().to_string().contains("unknown field `vlam`"));
        let trailing = format!("{json} x");
        assert!(Inventory::from_json(&trailing).unwrap_err().to_string().starts_with("end: "));
        let toml = Inventory::from_toml("[[vms]]\nid = 7\n").unwrap_err().to_string();
        assert!(toml.starts_with("vms[0].id: "), "{toml}");
        assert!(Inventory::from_toml("[[vms\n").unwrap_err().to_string().contains("line 1"));
    }
}
