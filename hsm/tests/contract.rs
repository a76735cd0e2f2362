//! What every HSM group must do, shown on real tokens.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

mod support;

use std::fs;
use std::time::Duration;

use hsm::ceremony::{self, CeremonyError, SealedShare, TokenState};
use hsm::fault::Mode;
use hsm::{BreakerState, DomainKey, ErrorClass, Group, GroupConfig, HsmError, MemberStatus, Vendor};
use ring::digest::{SHA256, digest};
use secret::{Algorithm, Sealed, Secret};
use support::{LABELS, PIN, Rig, custodians, passphrase};
use uuid::Uuid;

const FACTS: &[u8] = b"domain 1, object 1, AES, 256";

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test)
}

fn domain(number: u8) -> [u8; 16] {
    [number; 16]
}

fn kek() -> Secret {
    Secret::copy_from(&[0x4b; 32])
}

fn member<'a>(status: &'a [MemberStatus], label: &str) -> &'a MemberStatus {
    status.iter().find(|member| member.label == label).unwrap()
}

fn is_up(label: &'static str) -> impl Fn(&[MemberStatus]) -> bool {
    move |status| member(status, label).up
}

fn is_down(label: &'static str) -> impl Fn(&[MemberStatus]) -> bool {
    move |status| !member(status, label).up
}

fn assert_all_well(group: &Group) {
    for member in group.status() {
        assert!(member.up && member.failed == 0, "{member:?}");
    }
}

fn flipped(sealed: &Sealed, at: usize) -> Option<Sealed> {
    let mut bytes = sealed.as_bytes().to_vec();
    bytes[at] ^= 1;
    Sealed::from_bytes(bytes).ok()
}

// ── ceremony ────────────────────────────────────────────────────────────────────────────────────────────────────────

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
            .args(["--exact", "interrupted_child", "--nocapture"])
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
    let chosen = |names: &[&str]| -> Vec<(SealedShare, Secret)> {
        let share = |name: &&str| escrow.shares.iter().find(|share| share.custodian == **name).unwrap().clone();
        names.iter().map(|name| (share(name), passphrase(name))).collect()
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
        wrong[1].1 = passphrase("nobody");
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

// ── seal and open ───────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn what_one_member_sealed_opens_on_every_member() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let dk = DomainKey::from_bytes(&dk.to_bytes()).unwrap();
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        for label in LABELS {
            let alone = Group::open(rig.config_of(&[label], "2"), Some(&protocol.trust_anchor)).await.unwrap();
            assert_eq!(alone.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek(), "{label}");
            assert_eq!(member(&alone.status(), label).opened, 1);
            alone.close().await;
        }
        let status = group.status();
        assert_eq!((status[0].created, status[0].sealed, status[0].opened), (1, 1, 1));
        assert_eq!((status[1].created, status[1].sealed, status[1].opened), (0, 0, 0));
        assert_all_well(&group);
        group.close().await;
    });
}

#[test]
fn payloads_of_every_size_come_back_and_never_stand_in_clear() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        for len in [0, 1, 16, 32, 1024, 1025, 5000, 1 << 20] {
            let plain = Secret::new((0..=250).cycle().take(len).collect());
            let sealed = group.seal(&dk, FACTS, &plain).await.unwrap();
            let expected = if len <= 1024 { Algorithm::AesGcmInHsm } else { Algorithm::AesGcmUnderObjectKey };
            assert_eq!(sealed.algorithm(), expected);
            if len >= 16 {
                assert!(!sealed.as_bytes().windows(16).any(|window| window == &plain.expose()[..16]));
            }
            assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), plain, "{len} bytes");
        }
        let twice = [group.seal(&dk, FACTS, &kek()).await.unwrap(), group.seal(&dk, FACTS, &kek()).await.unwrap()];
        assert_ne!(twice[0].iv(), twice[1].iv());
        let too_long = Secret::new(vec![0; (1 << 20) + 2049]);
        assert_eq!(group.seal(&dk, FACTS, &too_long).await.unwrap_err().class(), ErrorClass::Usage);
        assert_eq!(group.seal(&dk, b"", &kek()).await.unwrap_err().class(), ErrorClass::Usage);
        group.close().await;
    });
}

#[test]
fn a_moved_blob_does_not_open() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let one = group.create_domain_key(domain(1), 1).await.unwrap();
        let other = group.create_domain_key(domain(2), 1).await.unwrap();
        let newer = group.create_domain_key(domain(1), 2).await.unwrap();
        for plain in [kek(), Secret::new(vec![7; 3000])] {
            let sealed = group.seal(&one, FACTS, &plain).await.unwrap();
            let class = async |dk: &DomainKey, facts: &[u8], sealed: &Sealed| {
                group.open_sealed(dk, facts, sealed).await.map(drop).unwrap_err().class()
            };
            assert_eq!(class(&one, b"other facts", &sealed).await, ErrorClass::Data);
            assert_eq!(class(&other, FACTS, &sealed).await, ErrorClass::Data);
            assert_eq!(class(&newer, FACTS, &sealed).await, ErrorClass::Data);
            // With a header that claims the other domain or version, the tag says no.
            for dk in [&other, &newer] {
                let body = sealed.ciphertext_and_tag();
                let moved = Sealed::assemble(sealed.algorithm(), dk.domain, dk.version, sealed.iv(), body).unwrap();
                assert_eq!(class(dk, FACTS, &moved).await, ErrorClass::Data);
            }
        }
        assert_all_well(&group);
        group.close().await;
    });
}

#[test]
fn an_altered_blob_is_a_data_error_and_no_member_is_blamed() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let short = group.seal(&dk, FACTS, &kek()).await.unwrap();
        for at in 0..short.as_bytes().len() {
            let Some(altered) = flipped(&short, at) else { continue };
            let refused = group.open_sealed(&dk, FACTS, &altered).await;
            assert_eq!(refused.unwrap_err().class(), ErrorClass::Data, "byte {at}");
        }
        let long = group.seal(&dk, FACTS, &Secret::new(vec![9; 2000])).await.unwrap();
        for at in (0..long.as_bytes().len()).step_by(41) {
            let Some(altered) = flipped(&long, at) else { continue };
            assert!(group.open_sealed(&dk, FACTS, &altered).await.is_err(), "byte {at}");
        }
        assert_eq!(group.open_sealed(&dk, FACTS, &short).await.unwrap(), kek());
        assert_all_well(&group);
        assert_eq!(group.status()[0].epochs, 1);
        group.close().await;
    });
}

#[test]
fn a_domain_key_that_is_not_genuine_is_a_data_error() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let one = group.create_domain_key(domain(1), 1).await.unwrap();
        let other = group.create_domain_key(domain(2), 1).await.unwrap();
        let sealed = group.seal(&one, FACTS, &kek()).await.unwrap();
        let spoilt: Vec<DomainKey> = vec![
            DomainKey { wrapped: other.wrapped.clone(), ..one.clone() },
            DomainKey { wrapped: other.wrapped.clone(), canary: other.canary.clone(), ..one.clone() },
            DomainKey { canary: other.canary.clone(), ..one.clone() },
            DomainKey { rot_fingerprint: [1; 32], wrapped: vec![3; 40], ..one.clone() },
            DomainKey { wrapped: one.wrapped[..39].to_vec(), ..one.clone() },
            DomainKey { canary: vec![], ..one.clone() },
            DomainKey { wrapped: one.wrapped.iter().map(|byte| byte ^ 1).collect(), ..one.clone() },
        ];
        for imported in [true, false] {
            for (number, dk) in spoilt.iter().enumerate() {
                if !imported {
                    group.forget_domain(domain(1)).await;
                }
                let refused = group.open_sealed(dk, FACTS, &sealed).await;
                assert_eq!(refused.unwrap_err().class(), ErrorClass::Data, "{number}, imported: {imported}");
                assert!(group.seal(dk, FACTS, &kek()).await.is_err());
            }
        }
        assert_eq!(group.open_sealed(&one, FACTS, &sealed).await.unwrap(), kek());
        assert_all_well(&group);
        group.close().await;
    });
}

#[test]
fn a_forgotten_domain_is_gone_from_every_member_until_it_is_asked_for() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let other = group.create_domain_key(domain(2), 1).await.unwrap();
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
        let held = |group: &Group| group.status().iter().map(|member| member.domain_keys_held).collect::<Vec<_>>();
        // Made on the first member, proved on the second.
        assert_eq!(held(&group), [2, 2, 0]);
        group.forget_domain(domain(1)).await;
        assert_eq!(held(&group), [1, 1, 0]);
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        assert_eq!(held(&group), [2, 1, 0]);
        group.forget_domain(other.domain).await;
        group.forget_domain(dk.domain).await;
        assert_eq!(held(&group), [0, 0, 0]);
        group.close().await;
    });
}

#[test]
fn more_domain_keys_than_a_member_holds_are_imported_again_when_needed() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = Group::open(rig.config_of(&["PAR7S"], "1"), Some(&protocol.trust_anchor)).await.unwrap();
        let mut first = None;
        for number in 0..1010_u32 {
            let dk = group.create_domain_key(Uuid::from_u128(number.into()).into_bytes(), 1).await.unwrap();
            if first.is_none() {
                let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
                first = Some((dk, sealed));
            }
        }
        assert_eq!(group.status()[0].domain_keys_held, 1000);
        let (dk, sealed) = first.unwrap();
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        assert_eq!(group.status()[0].domain_keys_held, 1000);
        assert_all_well(&group);
        group.close().await;
    });
}

#[test]
fn signatures_verify_under_the_pinned_key_of_their_member() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let message = b"clavis/acme\n17\nroot\n";
        let signature = group.sign(digest(&SHA256, message).as_ref().try_into().unwrap()).await.unwrap();
        assert_eq!(signature.member, "PAR7S");
        let verify = |label: &str, message: &[u8]| {
            let key = group.trust_anchor().checkpoint_key(label).unwrap();
            ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_FIXED, key)
                .verify(message, &signature.r_s)
        };
        verify("PAR7S", message).unwrap();
        assert!(verify("TH3S", message).is_err());
        assert!(verify("PAR7S", b"something else").is_err());
        group.close().await;
    });
}

#[test]
fn random_bytes_are_of_the_wanted_length_and_never_the_same() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let (one, two) = (group.random(32).await.unwrap(), group.random(32).await.unwrap());
        assert_eq!((one.len(), two.len()), (32, 32));
        assert_ne!(one, two);
        assert_eq!(group.random((1 << 20) + 1).await.unwrap_err().class(), ErrorClass::Usage);
        assert_eq!(group.status()[0].random, 2);
        group.close().await;
    });
}

// ── loss, failover, recovery ────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_token_that_vanishes_is_noticed_replaced_and_taken_back() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();

        let folder = rig.token_folder("PAR7S");
        let aside = rig.path().join("aside");
        fs::rename(&folder, &aside).unwrap();
        group.wait_until(is_down("PAR7S")).await;
        let status = group.status();
        assert!(matches!(member(&status, "PAR7S").breaker, BreakerState::Open | BreakerState::HalfOpen));
        assert_eq!(member(&status, "PAR7S").domain_keys_held, 0);
        assert!(member(&status, "PAR7S").reason.is_some());
        assert!(member(&status, "TH3S").up && member(&status, "AZ07").up);

        // Old keys open, new ones are made, and the counters say who served.
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        let newer = group.create_domain_key(domain(2), 1).await.unwrap();
        let newly_sealed = group.seal(&newer, FACTS, &kek()).await.unwrap();
        let status = group.status();
        assert_eq!(member(&status, "PAR7S").opened, 0);
        assert_eq!((member(&status, "TH3S").opened, member(&status, "TH3S").created), (1, 1));

        // Without failover the very same calls fail, although the imported key would still work in the lost module.
        group.faults().set_failover(false);
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap_err().class(), ErrorClass::Unavailable);
        assert_eq!(group.create_domain_key(domain(3), 1).await.unwrap_err().class(), ErrorClass::Unavailable);
        group.faults().set_failover(true);

        fs::rename(&aside, &folder).unwrap();
        group.wait_until(is_up("PAR7S")).await;
        assert_eq!(member(&group.status(), "PAR7S").epochs, 2);
        group.faults().set_failover(false);
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        assert_eq!(group.open_sealed(&newer, FACTS, &newly_sealed).await.unwrap(), kek());
        assert_eq!(member(&group.status(), "PAR7S").opened, 2);
        group.close().await;
    });
}

#[test]
fn without_the_probe_an_imported_key_outlives_its_token() {
    // The control of the test above: it is the probe that takes the member out, not the call that fails.
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let mut config = rig.config();
        config.probe_interval = Duration::from_secs(3600);
        let group = Group::open(config, Some(&protocol.trust_anchor)).await.unwrap();
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
        fs::rename(rig.token_folder("PAR7S"), rig.path().join("aside")).unwrap();
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        assert_eq!(member(&group.status(), "PAR7S").opened, 1);
        group.close().await;
    });
}

#[test]
fn a_call_that_meets_the_loss_itself_fails_over_within_the_call() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let mut config = rig.config();
        config.probe_interval = Duration::from_secs(3600);
        let group = Group::open(config, Some(&protocol.trust_anchor)).await.unwrap();
        fs::rename(rig.token_folder("PAR7S"), rig.path().join("aside")).unwrap();
        // Needs the Root of Trust, so it notices.
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let status = group.status();
        assert_eq!(member(&status, "PAR7S").failed, 1);
        assert!(!member(&status, "PAR7S").up);
        assert_eq!(member(&status, "TH3S").created, 1);
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        group.close().await;
    });
}

#[test]
fn with_every_token_gone_the_group_says_so_and_comes_back() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
        let moved: Vec<_> = LABELS.map(|label| (rig.token_folder(label), rig.path().join(label))).into();
        for (folder, aside) in &moved {
            fs::rename(folder, aside).unwrap();
        }
        group.wait_until(|status| status.iter().all(|member| !member.up)).await;
        let refused = group.open_sealed(&dk, FACTS, &sealed).await.unwrap_err();
        assert!(matches!(&refused, HsmError::Unavailable { reasons } if reasons.len() == 3), "{refused}");
        for (folder, aside) in &moved {
            fs::rename(aside, folder).unwrap();
        }
        group.wait_until(|status| status.iter().all(|member| member.up)).await;
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        group.close().await;
    });
}

#[test]
fn a_group_opens_while_a_member_is_lost_and_takes_it_in_later() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let folder = rig.token_folder("TH3S");
        let aside = rig.path().join("aside");
        fs::rename(&folder, &aside).unwrap();
        let group = rig.open(&protocol.trust_anchor).await;
        assert!(is_down("TH3S")(&group.status()) && is_up("PAR7S")(&group.status()));
        fs::rename(&aside, &folder).unwrap();
        group.wait_until(is_up("TH3S")).await;
        assert_eq!(group.trust_anchor(), &protocol.trust_anchor);
        group.close().await;
    });
}

#[test]
fn a_wrong_pin_stops_the_member_for_good() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let pin_file = rig.member("PAR7S", "1").pin_file;
        fs::write(&pin_file, "0000-0000").unwrap();
        let group = rig.open(&protocol.trust_anchor).await;
        let status = group.status();
        assert_eq!(member(&status, "PAR7S").breaker, BreakerState::Stopped);
        assert!(member(&status, "PAR7S").reason.as_ref().unwrap().contains("CKR_PIN_INCORRECT"));
        // The right PIN changes nothing now. Another member is lost and comes back meanwhile: the keepers are at work.
        fs::write(&pin_file, PIN).unwrap();
        let folder = rig.token_folder("AZ07");
        let aside = rig.path().join("aside");
        fs::rename(&folder, &aside).unwrap();
        group.wait_until(is_down("AZ07")).await;
        fs::rename(&aside, &folder).unwrap();
        group.wait_until(is_up("AZ07")).await;
        assert_eq!(member(&group.status(), "PAR7S").breaker, BreakerState::Stopped);
        assert_eq!(member(&group.status(), "PAR7S").epochs, 0);
        group.create_domain_key(domain(1), 1).await.unwrap();
        group.close().await;
    });
}

#[test]
fn with_every_pin_wrong_an_operator_is_called() {
    let (rig, protocol) = Rig::after_ceremony();
    for label in LABELS {
        fs::write(rig.member(label, "1").pin_file, "0000-0000").unwrap();
    }
    let refused = run(Group::open(rig.config(), Some(&protocol.trust_anchor))).err().unwrap();
    assert_eq!(refused.class(), ErrorClass::Operator);
}

#[test]
fn a_member_with_another_root_of_trust_is_stopped() {
    let (rig, protocol) = Rig::after_ceremony();
    rig.blank_member("LYS2");
    let alien = ceremony::hold(&rig.config_of(&["LYS2"], "1"), &custodians(), 2, &mut |_| Ok(())).unwrap();
    assert_ne!(alien.trust_anchor.rot_fingerprint, protocol.trust_anchor.rot_fingerprint);
    run(async {
        let mut config = rig.config();
        config.members.insert(0, rig.member("LYS2", "1"));
        let group = Group::open(config.clone(), Some(&protocol.trust_anchor)).await.unwrap();
        let status = group.status();
        assert_eq!(member(&status, "LYS2").breaker, BreakerState::Stopped);
        assert!(member(&status, "LYS2").reason.as_ref().unwrap().contains("not the pinned one"));
        assert!(is_up("PAR7S")(&status));
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        assert_eq!(dk.rot_fingerprint, protocol.trust_anchor.rot_fingerprint);
        group.close().await;
        // And with the ceremony: two complete members with different roots are not brought together.
        let refused = ceremony::hold(&config, &custodians(), 2, &mut |_| Ok(()));
        assert!(matches!(refused, Err(CeremonyError::Fingerprint { .. })), "{refused:?}");
    });
}

#[test]
fn without_a_pinned_root_of_trust_the_first_member_decides() {
    let (rig, protocol) = Rig::after_ceremony();
    rig.blank_member("LYS2");
    let alien = ceremony::hold(&rig.config_of(&["LYS2"], "1"), &custodians(), 2, &mut |_| Ok(())).unwrap();
    run(async {
        let group = Group::open(rig.config(), None).await.unwrap();
        assert_eq!(group.trust_anchor(), &protocol.trust_anchor);
        group.close().await;
        for (order, up, anchor) in [
            (["LYS2", "PAR7S"], "LYS2", alien.trust_anchor.rot_fingerprint),
            (["PAR7S", "LYS2"], "PAR7S", protocol.trust_anchor.rot_fingerprint),
        ] {
            let group = Group::open(rig.config_of(&order, "1"), None).await.unwrap();
            assert_eq!(group.trust_anchor().rot_fingerprint, anchor);
            for member in group.status() {
                assert_eq!(member.up, member.label == up, "{member:?}");
            }
            group.close().await;
        }
    });
}

#[test]
fn a_token_replaced_by_a_blank_one_gets_no_new_keys() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
        fs::rename(rig.token_folder("PAR7S"), rig.path().join("aside")).unwrap();
        let so_pin = Secret::copy_from(b"9351-6042");
        let made = ceremony::init_token(
            &rig.member("PAR7S", "other").module,
            "PAR7S",
            &so_pin,
            &Secret::copy_from(PIN.as_bytes()),
        );
        assert_eq!(made.unwrap(), TokenState::Made);
        group
            .wait_until(|status| {
                let reason = member(status, "PAR7S").reason.as_deref();
                reason.is_some_and(|reason| reason.contains("no Root of Trust"))
            })
            .await;
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        group.create_domain_key(domain(2), 1).await.unwrap();
        assert_eq!(member(&group.status(), "TH3S").created, 1);
        group.close().await;
    });
    // The ceremony sees the blank member, too, and gives it nothing.
    let refused = rig.hold();
    assert!(matches!(refused, Err(CeremonyError::Standing(_))), "{refused:?}");
}

#[test]
fn a_member_with_another_checkpoint_key_is_stopped() {
    let (rig, protocol) = Rig::after_ceremony();
    let mut anchor = protocol.trust_anchor.clone();
    anchor.checkpoint_keys[1].public_key = anchor.checkpoint_keys[0].public_key;
    run(async {
        let group = rig.open(&anchor).await;
        assert_eq!(member(&group.status(), "TH3S").breaker, BreakerState::Stopped);
        assert!(is_up("PAR7S")(&group.status()) && is_up("AZ07")(&group.status()));
        group.close().await;
    });
}

#[test]
fn a_hanging_member_costs_a_deadline_and_comes_back() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let mut config = rig.config();
        config.call_deadline = Duration::from_millis(500);
        config.probe_interval = Duration::from_secs(3600);
        let group = Group::open(config, Some(&protocol.trust_anchor)).await.unwrap();
        // On a slow machine a short deadline may pass for nothing; what is shown here is what happens after it.
        group.faults().set("PAR7S", Mode::Hang);
        let random = loop {
            if let Ok(random) = group.random(32).await {
                break random;
            }
        };
        assert_eq!(random.len(), 32);
        let status = group.status();
        assert!(member(&status, "PAR7S").reason.as_ref().unwrap().contains("no answer within 500 ms"), "{status:?}");
        assert_eq!(member(&status, "PAR7S").random, 0);
        group.faults().set("PAR7S", Mode::None);
        group.wait_until(is_up("PAR7S")).await;
        assert_eq!(member(&group.status(), "PAR7S").epochs, 2);
        group.close().await;
    });
}

#[test]
fn a_group_whose_only_member_hangs_answers_with_a_deadline() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let mut config = rig.config_of(&["PAR7S"], "1");
        config.call_deadline = Duration::from_millis(500);
        config.probe_interval = Duration::from_secs(3600);
        let group = Group::open(config, Some(&protocol.trust_anchor)).await.unwrap();
        group.faults().set("PAR7S", Mode::Hang);
        assert_eq!(group.random(32).await.unwrap_err().class(), ErrorClass::Deadline);
        group.faults().set("PAR7S", Mode::None);
        group.close().await;
    });
}

#[test]
fn a_failing_member_is_left_within_the_call() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        group.faults().set("PAR7S", Mode::Fail);
        group.faults().set("TH3S", Mode::Fail);
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        assert_eq!(member(&group.status(), "AZ07").opened, 1);
        group.close().await;
    });
}

#[test]
fn a_member_that_answers_garbage_is_found_out_by_the_canary() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let mut config = rig.config();
        config.probe_interval = Duration::from_secs(3600);
        let group = Group::open(config, Some(&protocol.trust_anchor)).await.unwrap();
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
        group.faults().set("PAR7S", Mode::Garbage);
        // The module says "general error", as it does for altered data; the canary tells the difference.
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        let status = group.status();
        assert!(!member(&status, "PAR7S").up && member(&status, "TH3S").opened == 1, "{status:?}");
        group.close().await;
    });
}

#[test]
fn a_root_of_trust_that_answers_otherwise_than_at_the_start_stops_the_member() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        group.faults().set("PAR7S", Mode::Garbage);
        group.wait_until(is_down("PAR7S")).await;
        assert_eq!(member(&group.status(), "PAR7S").breaker, BreakerState::Stopped);
        group.close().await;
    });
}

// ── concurrency ─────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn two_groups_and_many_callers_share_the_tokens() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let mut wide = rig.config_of(&LABELS, "2");
        for member in &mut wide.members {
            member.vendor = Vendor::Network;
        }
        let groups =
            [rig.open(&protocol.trust_anchor).await, Group::open(wide, Some(&protocol.trust_anchor)).await.unwrap()];
        let mut keys = Vec::new();
        for number in 1..=8 {
            keys.push(groups[0].create_domain_key(domain(number), 1).await.unwrap());
        }
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..64_usize {
            let (sealer, opener) = (groups[task % 2].clone(), groups[(task / 2) % 2].clone());
            let keys = keys.clone();
            tasks.spawn(async move {
                for round in 0..8 {
                    let dk = &keys[(task + round) % keys.len()];
                    let facts = format!("object {task}/{round}").into_bytes();
                    let plain = Secret::new(vec![u8::try_from(task).unwrap(); 32 + round]);
                    let sealed = sealer.seal(dk, &facts, &plain).await.unwrap();
                    if task == 7 {
                        // Keys are taken away while others use them.
                        sealer.forget_domain(dk.domain).await;
                        opener.forget_domain(dk.domain).await;
                    }
                    assert_eq!(opener.open_sealed(dk, &facts, &sealed).await.unwrap(), plain);
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        for group in groups {
            assert_all_well(&group);
            group.close().await;
        }
    });
}

#[test]
fn failover_under_load_loses_no_call() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..16 {
            let (group, dk, sealed) = (group.clone(), dk.clone(), sealed.clone());
            let folder = (task == 0).then(|| (rig.token_folder("PAR7S"), rig.path().join("aside")));
            tasks.spawn(async move {
                for round in 0..200 {
                    if let Some((folder, aside)) = folder.as_ref().filter(|_| round == 20) {
                        fs::rename(folder, aside).unwrap();
                        group.wait_until(is_down("PAR7S")).await;
                    }
                    if let Some((folder, aside)) = folder.as_ref().filter(|_| round == 100) {
                        fs::rename(aside, folder).unwrap();
                        group.wait_until(is_up("PAR7S")).await;
                    }
                    assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        let status = group.status();
        let opened: u64 = status.iter().map(|member| member.opened).sum();
        assert_eq!(opened, 16 * 200);
        assert!(member(&status, "TH3S").opened > 0);
        assert_eq!(member(&status, "PAR7S").epochs, 2);
        group.close().await;
    });
}

#[test]
fn a_closed_group_leaves_its_modules_to_the_next_one() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let mut dk = None;
        for round in 0..5 {
            let group = rig.open(&protocol.trust_anchor).await;
            let key = match dk.take() {
                Some(key) => key,
                None => group.create_domain_key(domain(1), 1).await.unwrap(),
            };
            let sealed = group.seal(&key, FACTS, &kek()).await.unwrap();
            assert_eq!(group.open_sealed(&key, FACTS, &sealed).await.unwrap(), kek(), "round {round}");
            assert_all_well(&group);
            dk = Some(key);
            // Dropped without closing in every other round: the next group waits for the end of the epochs.
            if round % 2 == 0 {
                group.close().await;
            }
        }
    });
}
