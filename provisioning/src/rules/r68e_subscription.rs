//! R68e: the tenant has subscribed to VM encryption in the VM's region.

use crate::rule::{Case, Evidence, Kind, Number, Rule};

/// See the module.
pub static RULE: Rule = Rule {
    id: "vm-encryption-subscribed",
    number: Number::Promise(68, Some('e')),
    kind: Kind::Reject,
    source: "Abonnement des Dienstes",
    why: "VM encryption is a service of its own, charged per encrypted VM.",
    check: |case, findings| {
        let Case::Encrypt(encryption) = case else { return };
        if !encryption.tenant.subscriptions.contains(&encryption.subscription) {
            findings.push(&RULE, Evidence::NotSubscribed { sku: encryption.subscription.clone() });
        }
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::expect_only;
    use crate::sku::Sku;

    #[test]
    fn a_tenant_without_the_subscription_is_refused() {
        let sku = Sku::new("csp:fr1:iaas:vmware:encryption:hsm:v1");
        expect_only(&RULE, Evidence::NotSubscribed { sku }, |world| world.tenant.subscriptions.clear());
    }

    #[test]
    fn a_subscription_of_another_region_does_not_count() {
        let sku = Sku::new("csp:fr1:iaas:vmware:encryption:hsm:v1");
        expect_only(&RULE, Evidence::NotSubscribed { sku }, |world| {
            world.tenant.subscriptions = [Sku::vm_encryption(&"fr2".into())].into();
        });
    }
}
