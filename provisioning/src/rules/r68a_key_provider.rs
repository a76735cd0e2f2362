//! R68a: a key provider is configured and enabled on the VM's vStack.

use crate::rule::{Case, Evidence, Kind, Number, Rule};

/// See the module.
pub static RULE: Rule = Rule {
    id: "vstack-has-key-provider",
    number: Number::Promise(68, Some('a')),
    kind: Kind::Reject,
    source: "Konfigurierter Schlüsselanbieter",
    why: "The vStack asks its key provider for the VM's key; support configures and enables one.",
    check: |case, findings| {
        let Case::Encrypt(encryption) = case else { return };
        let vstack = encryption.vstack.id.clone();
        match &encryption.vstack.key_provider {
            None => findings.push(&RULE, Evidence::NoKeyProvider { vstack }),
            Some(provider) if !provider.enabled => {
                findings.push(&RULE, Evidence::KeyProviderDisabled { vstack, provider: provider.id.clone() });
            }
            Some(_) => {}
        }
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::VSTACK;
    use crate::rules::testing::expect_only;

    #[test]
    fn a_vstack_without_provider_is_refused() {
        let evidence = Evidence::NoKeyProvider { vstack: VSTACK.into() };
        expect_only(&RULE, evidence, |world| world.vstack.key_provider = None);
    }

    #[test]
    fn a_configured_provider_that_is_not_enabled_is_refused() {
        let evidence = Evidence::KeyProviderDisabled { vstack: VSTACK.into(), provider: "clavis".into() };
        expect_only(&RULE, evidence, |world| {
            world.vstack.key_provider.iter_mut().for_each(|provider| provider.enabled = false);
        });
    }
}
