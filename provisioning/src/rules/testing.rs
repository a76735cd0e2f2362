//! The ground of the rules' tests: the example inventory, opened up so that a test can break one thing in it.

use crate::example;
use crate::inventory::{Datastore, Inventory, Tenant, VStack, Vm};
use crate::plan::{EncryptRequest, plan_encryption};
use crate::rule::{Evidence, Finding, Rule};

/// The parts of the example that a test may break.
pub struct World {
    pub tenant: Tenant,
    pub vstack: VStack,
    pub datastore: Datastore,
    pub vm: Vm,
    pub request: EncryptRequest,
}

impl World {
    pub fn clean() -> Self {
        let inventory = example::inventory();
        Self {
            tenant: inventory.tenant(&example::TENANT.into()).unwrap().clone(),
            vstack: inventory.vstack(&example::VSTACK.into()).unwrap().clone(),
            datastore: inventory.datastore(&example::DATASTORE.into()).unwrap().clone(),
            vm: example::vm(),
            request: example::request(),
        }
    }

    pub fn inventory(&self) -> Inventory {
        let mut inventory = example::inventory();
        inventory.put_tenant(self.tenant.clone());
        inventory.put_vstack(self.vstack.clone()).unwrap();
        inventory.put_datastore(self.datastore.clone()).unwrap();
        inventory.put_vm(self.vm.clone()).unwrap();
        inventory
    }
}

/// Breaks the clean example by `spoil` and expects exactly one finding.
pub fn expect_only(rule: &'static Rule, evidence: Evidence, spoil: impl FnOnce(&mut World)) {
    let mut world = World::clean();
    spoil(&mut world);
    let found = plan_encryption(&world.inventory(), &world.request);
    assert_eq!(found, Err(vec![Finding { rule, evidence }]));
}

/// Changes the clean example by `change` and expects that it stays clean.
pub fn expect_clean(change: impl FnOnce(&mut World)) {
    let mut world = World::clean();
    change(&mut world);
    assert!(plan_encryption(&world.inventory(), &world.request).is_ok());
}
