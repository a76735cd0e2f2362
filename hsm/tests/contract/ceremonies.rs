//! What a ceremony leaves behind, whatever interrupts it, and what escrow restores.

use super::*;

#[test]
fn a_ceremony_puts_one_guarded_root_of_trust_on_three_members() {
    let rig = Rig::new();
    let folder = rig.path().join("protocol");
    let protocol = ceremony::hold(&rig.config(), &custodians(), 2, &mut |p| p.write_to(&folder)).unwrap();
    assert!(!protocol.kept);
    assert_eq!(protocol.members.iter().map(|member| member.label.as_str()).collect::<Vec<_>>(), LABELS);
    for member in &protocol.members {
        assert_eq!(member.fingerprint, protocol.trust_anchor.rot_fingerprint);
        assert_eq!(protocol.trust_anchor.checkpoint_key(&member.label), Some(&member.checkpoint_key));
        assert!(member.attempts.len() > 60, "only {} attempts", member.attempts.len());
        for attempt in &member.attempts {
            assert!(attempt.refused && attempt.answer.starts_with("CKR_"), "{}: {attempt:?}", member.label);
        }
    }
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    for name in ["protocol.json", "escrow-blob.json", "share-ada.json", "share-blaise.json", "share-carl.json"] {
        assert!(names.iter().any(|found| found == name), "{name} is missing");
    }
    // What is written of the protocol does not hold the escrow.
    let written = fs::read_to_string(folder.join("protocol.json")).unwrap();
    let blob = &protocol.escrow.as_ref().unwrap().blob;
    assert!(!written.contains(&hex::encode(blob.wrapped)));
}

#[test]
fn what_section_four_wants_refused_is_refused_with_the_right_error() {
    let (_rig, protocol) = Rig::after_ceremony();
    use ceremony::Target::{DomainKey, RootOfTrust};
    // The answers that were measured on SoftHSM 2.6.1.
    let expected = [
        (RootOfTrust, "C_UnwrapKey of a Domain Key with CKA_SENSITIVE=false", "CKR_TEMPLATE_INCONSISTENT"),
        (RootOfTrust, "C_UnwrapKey of a Domain Key with CKA_EXTRACTABLE=true", "CKR_TEMPLATE_INCONSISTENT"),
        (RootOfTrust, "C_UnwrapKey of a Domain Key with CKA_PRIVATE=false", "CKR_TEMPLATE_INCONSISTENT"),
        (RootOfTrust, "C_UnwrapKey of a Domain Key with CKA_KEY_TYPE=CKK_GENERIC_SECRET", "CKR_TEMPLATE_INCONSISTENT"),
        (RootOfTrust, "C_WrapKey under the attacker's key", "CKR_KEY_UNEXTRACTABLE"),
        (DomainKey, "C_WrapKey under the attacker's key", "CKR_KEY_UNEXTRACTABLE"),
        (DomainKey, "C_WrapKey under the Root of Trust", "CKR_KEY_UNEXTRACTABLE"),
        (DomainKey, "C_Decrypt with CKM_AES_ECB", "CKR_MECHANISM_INVALID"),
        (DomainKey, "C_Decrypt with CKM_AES_CBC", "CKR_MECHANISM_INVALID"),
        (DomainKey, "C_Sign with CKM_AES_CMAC", "CKR_MECHANISM_INVALID"),
        (RootOfTrust, "C_GetAttributeValue of CKA_VALUE", "CKR_ATTRIBUTE_SENSITIVE"),
        (DomainKey, "C_GetAttributeValue of CKA_VALUE", "CKR_ATTRIBUTE_SENSITIVE"),
        (RootOfTrust, "C_SetAttributeValue CKA_DECRYPT=true", "CKR_ACTION_PROHIBITED"),
        (RootOfTrust, "C_CopyObject as it is", "CKR_ACTION_PROHIBITED"),
        (DomainKey, "C_SetAttributeValue CKA_EXTRACTABLE=true", "CKR_ACTION_PROHIBITED"),
        (DomainKey, "C_CopyObject as it is", "CKR_ACTION_PROHIBITED"),
    ];
    for member in &protocol.members {
        for (target, what, answer) in expected {
            let found = member.attempts.iter().find(|attempt| attempt.target == target && attempt.attempt == what);
            assert_eq!(found.expect(what).answer, answer, "{}: {what}", member.label);
        }
    }
}

#[test]
fn a_second_ceremony_keeps_the_root_of_trust_and_asks_no_custodian() {
    let (rig, first) = Rig::after_ceremony();
    let mut delivered = false;
    let second = ceremony::hold(&rig.config(), &[], 0, &mut |_| {
        delivered = true;
        Ok(())
    })
    .unwrap();
    assert!(second.kept && second.escrow.is_none() && !delivered);
    assert_eq!(second.trust_anchor, first.trust_anchor);
}

#[test]
fn a_ceremony_whose_protocol_is_not_kept_was_not_held() {
    let rig = Rig::new();
    let refuse = ceremony::hold(&rig.config(), &custodians(), 2, &mut |_| Err(std::io::Error::other("disk full")));
    assert!(matches!(refuse, Err(CeremonyError::Deliver(_))));
    let opened = run(Group::open(rig.config(), None));
    assert!(opened.is_err(), "a group opened on members without a ceremony");
    assert!(!rig.hold().unwrap().kept);
}

/// The child of the next test: a ceremony that the fault injector ends like a kill.
#[test]
fn interrupted_child() {
    let Some(folder) = std::env::var_os("HSM_TEST_RIG") else { return };
    let folder = std::path::PathBuf::from(folder);
    support::set_conf(&folder.join("softhsm2.conf"));
    let config: GroupConfig = serde_json::from_slice(&fs::read(folder.join("group.json")).unwrap()).unwrap();
    ceremony::hold(&config, &custodians(), 2, &mut |p| p.write_to(&folder.join("protocol"))).unwrap();
}

#[test]
fn a_ceremony_killed_at_any_step_is_completed_or_begun_anew() {
    let rig = Rig::new();
    fs::write(rig.path().join("group.json"), serde_json::to_vec(&rig.config()).unwrap()).unwrap();
    let mut kills = 0;
    for step in 1.. {
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "ceremonies::interrupted_child", "--nocapture"])
            .env("HSM_TEST_RIG", rig.path())
            .env(hsm::fault::VARIABLE, format!("ceremony-abort={step}"))
            .output()
            .unwrap();
        if child.status.success() {
            break;
        }
        kills += 1;
        assert!(kills < 40, "the ceremony never completes: {}", String::from_utf8_lossy(&child.stderr));
        // Nothing that was left behind is ever used: a member is up only if its ceremony was completed.
        run(async {
            if let Ok(group) = Group::open(rig.config(), None).await {
                for member in group.status() {
                    assert!(member.up || member.reason.unwrap().contains("mark of a completed ceremony"));
                }
                group.close().await;
            }
        });
    }
    assert!(kills >= 8, "only {kills} steps were tried");
    let kept = rig.hold().unwrap();
    assert!(kept.kept);
    let written: ceremony::EscrowBlob =
        serde_json::from_slice(&fs::read(rig.path().join("protocol/escrow-blob.json")).unwrap()).unwrap();
    assert_eq!(written.rot_fingerprint, kept.trust_anchor.rot_fingerprint, "the escrow is not that of the root");
    run(async {
        let group = rig.open(&kept.trust_anchor).await;
        assert_all_well(&group);
        group.close().await;
    });
}

#[test]
fn any_two_shares_restore_the_root_of_trust_on_a_blank_member_and_one_does_not() {
    let (rig, protocol) = Rig::after_ceremony();
    let escrow = protocol.escrow.clone().unwrap();
    let chosen = |names: &[&str]| -> Vec<(SealedShare, Opener)> {
        let share = |name: &&str| escrow.shares.iter().find(|share| share.custodian == **name).unwrap().clone();
        names.iter().map(|name| (share(name), Opener::Passphrase(passphrase(name)))).collect()
    };
    let (dk, sealed) = run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
        group.close().await;
        (dk, sealed)
    });
    for (label, pair) in [("LYS2", ["ada", "blaise"]), ("LIL4", ["carl", "ada"]), ("BOD9", ["blaise", "carl"])] {
        let blank = rig.blank_member(label);
        let anchor = &protocol.trust_anchor;
        for too_few in [&chosen(&pair[..1])[..], &chosen(&[pair[0], pair[0]])[..], &[][..]] {
            let refused = ceremony::add_member(&blank, &escrow.blob, too_few, anchor);
            assert!(matches!(refused, Err(CeremonyError::Escrow(_))), "{refused:?}");
        }
        let mut wrong = chosen(&pair);
        wrong[1].1 = Opener::Passphrase(passphrase("nobody"));
        assert!(ceremony::add_member(&blank, &escrow.blob, &wrong, anchor).is_err());

        let added = ceremony::add_member(&blank, &escrow.blob, &chosen(&pair), anchor).unwrap();
        assert_eq!(added.fingerprint, anchor.rot_fingerprint);
        assert!(added.attempts.iter().all(|attempt| attempt.refused));
        // Once more changes nothing, not even with too few shares.
        assert_eq!(
            ceremony::add_member(&blank, &escrow.blob, &[], anchor).unwrap().checkpoint_key,
            added.checkpoint_key
        );
        run(async {
            let group = Group::open(rig.config_of(&[label], "1"), Some(anchor)).await.unwrap();
            assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
            group.close().await;
        });
    }
}

#[test]
fn a_blank_member_beside_complete_ones_gets_no_new_root_of_trust() {
    let (rig, _) = Rig::after_ceremony();
    rig.blank_member("LYS2");
    let mut config = rig.config();
    config.members.push(rig.member("LYS2", "1"));
    let refused = ceremony::hold(&config, &custodians(), 2, &mut |_| Ok(()));
    assert!(matches!(refused, Err(CeremonyError::Standing(_))), "{refused:?}");
}

#[test]
fn a_token_is_initialized_once_and_its_pin_never_replaced() {
    let rig = Rig::new();
    let so_pin = Secret::copy_from(b"9351-6042");
    let other = rig.member("LYS2", "1");
    let init = |pin: &str| ceremony::init_token(&other.module, "LYS2", &so_pin, &Secret::copy_from(pin.as_bytes()));
    assert_eq!(init(PIN).unwrap(), TokenState::Made);
    assert_eq!(init(PIN).unwrap(), TokenState::Kept);
    let refused = init("1111-2222").unwrap_err().to_string();
    assert!(refused.contains("CKR_PIN_INCORRECT"), "{refused}");
    assert_eq!(init(PIN).unwrap(), TokenState::Kept);
}
