//! What seals under a Domain Key, and what does not open.

use super::*;

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
        // A sealed object key does not pass for a payload: the header, which names the algorithm, is bound.
        let long = group.seal(&one, FACTS, &Secret::new(vec![7; 3000])).await.unwrap();
        let sealed_key = &long.ciphertext_and_tag()[..48];
        let posing = Sealed::assemble(Algorithm::AesGcmInHsm, one.domain, one.version, long.iv(), sealed_key).unwrap();
        assert_eq!(group.open_sealed(&one, FACTS, &posing).await.unwrap_err().class(), ErrorClass::Data);
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
                    group.forget_version(domain(1), 1).await;
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
fn a_closed_domain_is_refused_everywhere_until_it_is_opened_again() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let other = group.create_domain_key(domain(2), 1).await.unwrap();
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
        // Whoever is on the way while it is closed succeeds or finds it closed, and leaves no key behind.
        let openers = (0..16).map(|_| {
            let (group, dk, sealed) = (group.clone(), dk.clone(), sealed.clone());
            tokio::spawn(async move { group.open_sealed(&dk, FACTS, &sealed).await })
        });
        let openers: Vec<_> = openers.collect();
        group.close_domain(domain(1)).await;
        for opener in openers {
            assert!(matches!(opener.await.unwrap(), Ok(_) | Err(HsmError::Closed)));
        }
        let held = |group: &Group| group.status().iter().map(|member| member.domain_keys_held).collect::<Vec<_>>();
        assert_eq!(held(&group), [1, 1, 0]);
        assert!(matches!(group.open_sealed(&dk, FACTS, &sealed).await, Err(HsmError::Closed)));
        assert!(matches!(group.seal(&dk, FACTS, &kek()).await, Err(HsmError::Closed)));
        group.seal(&other, FACTS, &kek()).await.unwrap();
        assert!(group.status().iter().all(|member| member.up), "nobody is blamed for it");
        group.reopen_domain(&domain(1));
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        group.close().await;
    });
}

#[test]
fn a_forgotten_version_is_gone_from_every_member_until_it_is_asked_for() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let other = group.create_domain_key(domain(2), 1).await.unwrap();
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
        let held = |group: &Group| group.status().iter().map(|member| member.domain_keys_held).collect::<Vec<_>>();
        // Made on the first member, proved on the second.
        assert_eq!(held(&group), [2, 2, 0]);
        group.forget_version(domain(1), 1).await;
        assert_eq!(held(&group), [1, 1, 0]);
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        assert_eq!(held(&group), [2, 1, 0]);
        group.forget_version(other.domain, 1).await;
        group.forget_version(dk.domain, 1).await;
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
