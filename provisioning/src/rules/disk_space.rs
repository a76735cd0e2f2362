//! The flow: each datastore can hold the encrypted copies of the VM's disks beside the originals.

use std::collections::BTreeMap;

use crate::ids::DatastoreId;
use crate::rule::{Case, Evidence, Kind, Number, Rule, Shortage};
use crate::units::Bytes;

/// See the module.
pub static RULE: Rule = Rule {
    id: "datastore-holds-encrypted-copies",
    number: Number::Flow,
    kind: Kind::Reject,
    source: "",
    why: "Each disk is copied into an encrypted file, and the original stays until the copy is complete.",
    check: |case, findings| {
        let Case::Encrypt(encryption) = case else { return };
        let mut needed: BTreeMap<&DatastoreId, Bytes> = BTreeMap::new();
        for disk in &encryption.vm.disks {
            // Every sector of an encrypted disk is written, so the copy of a thin disk is as large as its capacity.
            let sum = needed.entry(&disk.datastore).or_default();
            *sum = *sum + disk.capacity;
        }
        let free = |id| encryption.inventory.datastore(id).map_or(Bytes(0), |datastore| datastore.free);
        let shortages: Vec<Shortage> = needed
            .into_iter()
            .map(|(id, needed)| Shortage { datastore: id.clone(), needed, free: free(id) })
            .filter(|shortage| shortage.needed > shortage.free)
            .collect();
        if !shortages.is_empty() {
            findings.push(&RULE, Evidence::NoSpace { shortages });
        }
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::DATASTORE;
    use crate::rules::testing::{expect_clean, expect_only};
    use crate::units::Gib;

    #[test]
    fn one_byte_less_than_both_disks_need_is_refused() {
        let (needed, free) = (Gib(30).bytes(), Bytes(Gib(30).bytes().0 - 1));
        let shortages = vec![Shortage { datastore: DATASTORE.into(), needed, free }];
        expect_only(&RULE, Evidence::NoSpace { shortages }, |world| world.datastore.free = free);
    }

    #[test]
    fn exactly_enough_is_enough() {
        expect_clean(|world| world.datastore.free = Gib(30).bytes());
    }

    #[test]
    fn absurd_sizes_do_not_wrap_round() {
        let needed = Bytes(u64::MAX);
        let shortages = vec![Shortage { datastore: DATASTORE.into(), needed, free: Gib(100).bytes() }];
        expect_only(&RULE, Evidence::NoSpace { shortages }, |world| {
            world.vm.disks.iter_mut().for_each(|disk| disk.capacity = Bytes(u64::MAX));
        });
    }
}
