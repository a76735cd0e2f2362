//! Key pairs from the HSM: what comes back, what is refused, what a slow, failing or lying member costs.

use hsm::{EcCurve, GeneratedKeyPair};
use p256::elliptic_curve::{PublicKey, SecretKey};
use pkcs8::der::{Decode, Encode};
use pkcs8::{DecodePrivateKey, DecodePublicKey, PrivateKeyInfoRef, SubjectPublicKeyInfoRef};
use ring::rand::SystemRandom;
use ring::signature::{
    self, ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1,
    ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
    UnparsedPublicKey,
};

use super::*;

const MESSAGE: &[u8] = b"what the private half signs the public half verifies";

/// The bits of a SubjectPublicKeyInfo and the name of its algorithm.
fn public_bits(pair: &GeneratedKeyPair) -> (String, Vec<u8>) {
    let info = SubjectPublicKeyInfoRef::from_der(&pair.public_key).unwrap();
    (info.algorithm.oid.to_string(), info.subject_public_key.as_bytes().unwrap().to_vec())
}

fn verified(algorithm: &'static dyn signature::VerificationAlgorithm, pair: &GeneratedKeyPair, signature: &[u8]) {
    UnparsedPublicKey::new(algorithm, public_bits(pair).1).verify(MESSAGE, signature).unwrap();
}

/// Signs with the private half, in another library than the one that checks pairs, and verifies.
fn rsa_works(pair: &GeneratedKeyPair, bits: usize) {
    let key = RsaKeyPair::from_pkcs8(pair.private_key.expose()).unwrap();
    assert_eq!(key.public().modulus_len() * 8, bits);
    assert_eq!(public_bits(pair), ("1.2.840.113549.1.1.1".into(), key.public_key().as_ref().to_vec()));
    let mut signed = vec![0; bits / 8];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), MESSAGE, &mut signed).unwrap();
    verified(&RSA_PKCS1_2048_8192_SHA256, pair, &signed);
}

async fn free(group: &Group) {
    let group = group.clone();
    tokio::task::spawn_blocking(move || group.faults().wait_for_held_pairs(1)).await.unwrap();
}

#[test]
fn rsa_pairs_of_every_length_sign_and_verify() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        for bits in [2048, 3072, 4096] {
            let pair = group.generate_rsa_key_pair(bits, 65_537).await.unwrap();
            assert_eq!(pair.member, "PAR7S");
            rsa_works(&pair, bits.try_into().unwrap());
        }
        // Lengths and exponents that only few use, and that ring does not sign with.
        for (bits, exponent) in [(1024, 65_537), (1040, 65_537), (1024, 65_539), (1024, u32::MAX)] {
            let pair = group.generate_rsa_key_pair(bits, exponent).await.unwrap();
            let info = PrivateKeyInfoRef::from_der(pair.private_key.expose()).unwrap();
            let key = pkcs1::RsaPrivateKeyRef::from_der(info.private_key.as_bytes()).unwrap();
            let public = key.public_key();
            assert_eq!(public.modulus.as_bytes().len() * 8, usize::try_from(bits).unwrap());
            assert_eq!(public_bits(&pair).1, public.to_der().unwrap());
            let given = public.public_exponent.as_bytes().iter().fold(0, |sum, byte| (sum << 8) | u32::from(*byte));
            assert_eq!(given, exponent);
        }
        assert_eq!(member(&group.status(), "PAR7S").key_pairs, 7);
        assert_all_well(&group);
        group.close().await;
    });
}

#[test]
fn pairs_on_every_curve_fit_their_standard_forms() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let random = SystemRandom::new();
        for curve in EcCurve::ALL {
            for _ in 0..8 {
                let pair = group.generate_ec_key_pair(curve).await.unwrap();
                let (private, public) = (pair.private_key.expose(), &pair.public_key);
                match curve {
                    EcCurve::P256 => {
                        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, private, &random).unwrap();
                        verified(&ECDSA_P256_SHA256_ASN1, &pair, key.sign(&random, MESSAGE).unwrap().as_ref());
                    }
                    EcCurve::P384 => {
                        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, private, &random).unwrap();
                        verified(&ECDSA_P384_SHA384_ASN1, &pair, key.sign(&random, MESSAGE).unwrap().as_ref());
                    }
                    EcCurve::P521 => assert_eq!(
                        SecretKey::<p521::NistP521>::from_pkcs8_der(private).unwrap().public_key(),
                        PublicKey::<p521::NistP521>::from_public_key_der(public).unwrap()
                    ),
                    EcCurve::Secp256k1 => assert_eq!(
                        SecretKey::<k256::Secp256k1>::from_pkcs8_der(private).unwrap().public_key(),
                        PublicKey::<k256::Secp256k1>::from_public_key_der(public).unwrap()
                    ),
                }
                assert_eq!(public_bits(&pair).0, "1.2.840.10045.2.1");
            }
        }
        assert_all_well(&group);
        group.close().await;
    });
}

#[test]
fn no_two_pairs_are_the_same() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..20 {
            let pairs = [
                group.generate_rsa_key_pair(1024, 65_537).await.unwrap(),
                group.generate_ec_key_pair(EcCurve::P256).await.unwrap(),
            ];
            for pair in pairs {
                assert!(seen.insert(pair.private_key.expose().to_vec()) && seen.insert(pair.public_key));
            }
        }
        group.close().await;
    });
}

#[test]
fn a_pair_leaves_no_trace_on_the_token() {
    let (rig, protocol) = Rig::after_ceremony();
    let files = || -> Vec<_> {
        let mut files: Vec<_> =
            fs::read_dir(rig.token_folder("PAR7S")).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|file| (fs::read(&file).unwrap(), file)).collect()
    };
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let before = files();
        group.generate_rsa_key_pair(2048, 65_537).await.unwrap();
        group.generate_ec_key_pair(EcCurve::P384).await.unwrap();
        assert!(files() == before);
        group.close().await;
    });
}

#[test]
fn lengths_and_exponents_that_cannot_be_are_refused_before_any_member_is_asked() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        for (bits, exponent) in
            [(0, 65_537), (1008, 65_537), (2047, 65_537), (4112, 65_537), (u32::MAX, 65_537), (2048, 3), (2048, 65_538)]
        {
            let refused = group.generate_rsa_key_pair(bits, exponent).await.unwrap_err();
            assert_eq!(refused.class(), ErrorClass::Usage, "{bits} bits, exponent {exponent}");
        }
        assert_eq!(member(&group.status(), "PAR7S").key_pairs, 0);
        group.close().await;
    });
}

#[test]
fn sealing_goes_on_while_a_pair_is_made() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = Group::open(rig.config_of(&["PAR7S"], "1"), Some(&protocol.trust_anchor)).await.unwrap();
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        group.faults().set("PAR7S", Mode::HangPairs);
        let rsa = tokio::spawn({
            let group = group.clone();
            async move { group.generate_rsa_key_pair(2048, 65_537).await }
        });
        free(&group).await;
        // The only member is at work on a pair; all this is done before it gets any further.
        for _ in 0..100 {
            let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
            assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        }
        assert_eq!(group.random(32).await.unwrap().len(), 32);
        group.create_domain_key(domain(2), 1).await.unwrap();
        assert!(!rsa.is_finished());
        assert_eq!(member(&group.status(), "PAR7S").key_pairs, 0);
        group.faults().set("PAR7S", Mode::None);
        rsa_works(&rsa.await.unwrap().unwrap(), 2048);
        assert_all_well(&group);
        group.close().await;
    });
}

#[test]
fn sealing_goes_on_while_real_pairs_are_made() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let mut pairs = tokio::task::JoinSet::new();
        for number in 0..24 {
            let group = group.clone();
            pairs.spawn(async move {
                match number % 2 {
                    0 => group.generate_rsa_key_pair(2048, 65_537).await.unwrap(),
                    _ => group.generate_ec_key_pair(EcCurve::P521).await.unwrap(),
                }
            });
        }
        let mut made = 0;
        while made < 24 {
            let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
            assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
            while let Some(pair) = pairs.try_join_next() {
                pair.unwrap();
                made += 1;
            }
        }
        let status = group.status();
        assert_eq!(status.iter().map(|member| member.key_pairs).sum::<u64>(), 24);
        assert_all_well(&group);
        group.close().await;
    });
}

#[test]
fn a_pair_goes_to_the_member_with_the_fewest_in_hand() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        group.faults().set("PAR7S", Mode::HangPairs);
        let rsa = tokio::spawn({
            let group = group.clone();
            async move { group.generate_rsa_key_pair(1024, 65_537).await }
        });
        free(&group).await;
        assert_eq!(group.generate_rsa_key_pair(1024, 65_537).await.unwrap().member, "TH3S");
        // And pairs on curves do not wait for RSA pairs: the member is held up with one of each.
        let curve = tokio::spawn({
            let group = group.clone();
            async move { group.generate_ec_key_pair(EcCurve::P256).await }
        });
        let waiting = group.clone();
        tokio::task::spawn_blocking(move || waiting.faults().wait_for_held_pairs(2)).await.unwrap();
        group.faults().set("PAR7S", Mode::None);
        assert_eq!(rsa.await.unwrap().unwrap().member, "PAR7S");
        assert_eq!(curve.await.unwrap().unwrap().member, "PAR7S");
        group.close().await;
    });
}

#[test]
fn over_the_bound_a_pair_is_refused_as_busy() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = Group::open(rig.config_of(&["PAR7S", "TH3S"], "1"), Some(&protocol.trust_anchor)).await.unwrap();
        for label in ["PAR7S", "TH3S"] {
            group.faults().set(label, Mode::HangPairs);
        }
        // Each future is asked once, which puts its pair into a queue; 16 fit into each.
        let mut waiting = Vec::new();
        for number in 0..32 {
            let mut pair = Box::pin(group.generate_rsa_key_pair(1024, 65_537));
            assert!(now(&mut pair).await.is_none(), "pair {number} did not wait");
            waiting.push(pair);
        }
        let refused = now(&mut Box::pin(group.generate_rsa_key_pair(1024, 65_537))).await.unwrap().unwrap_err();
        assert_eq!(refused.class(), ErrorClass::Busy);
        assert!(matches!(refused, HsmError::Busy { .. }), "{refused}");
        // One that nobody waits for any more makes no room before a worker has come to it, and costs nothing then.
        drop(waiting.pop());
        for label in ["PAR7S", "TH3S"] {
            group.faults().set(label, Mode::None);
        }
        for pair in waiting {
            pair.await.unwrap();
        }
        group.generate_rsa_key_pair(1024, 65_537).await.unwrap();
        assert_eq!(group.status().iter().map(|member| member.key_pairs).sum::<u64>(), 32);
        assert_all_well(&group);
        group.close().await;
    });
}

/// What the future says when it is asked once.
async fn now<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| match std::pin::Pin::new(&mut *future).poll(context) {
        std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}

#[test]
fn a_pair_that_never_gets_ready_costs_its_deadline_and_no_member() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let mut config = rig.config();
        config.pair_deadline = Duration::from_millis(500);
        let group = Group::open(config, Some(&protocol.trust_anchor)).await.unwrap();
        group.faults().set_failover(false);
        group.faults().set("PAR7S", Mode::HangPairs);
        let late = group.generate_ec_key_pair(EcCurve::P256).await.unwrap_err();
        assert_eq!(late.class(), ErrorClass::Deadline);
        let status = group.status();
        assert!(member(&status, "PAR7S").up && member(&status, "PAR7S").epochs == 1, "{status:?}");
        assert_eq!(member(&status, "PAR7S").failed, 1);
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        assert_eq!(group.seal(&dk, FACTS, &kek()).await.unwrap().domain(), domain(1));
        // The other members are tried once they may be. A slow machine may let their deadlines pass, too.
        group.faults().set_failover(true);
        let pair = loop {
            if let Ok(pair) = group.generate_ec_key_pair(EcCurve::P256).await {
                break pair;
            }
        };
        assert_ne!(pair.member, "PAR7S");
        group.faults().set("PAR7S", Mode::None);
        group.close().await;
    });
}

#[test]
fn a_failing_member_is_left_and_the_next_one_makes_the_pair() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let mut config = rig.config();
        config.probe_interval = Duration::from_secs(3600);
        let group = Group::open(config, Some(&protocol.trust_anchor)).await.unwrap();
        group.faults().set("PAR7S", Mode::Fail);
        group.faults().set("TH3S", Mode::Fail);
        assert_eq!(group.generate_ec_key_pair(EcCurve::P384).await.unwrap().member, "AZ07");
        let status = group.status();
        assert_eq!((member(&status, "PAR7S").failed, member(&status, "AZ07").key_pairs), (1, 1));
        group.faults().set("AZ07", Mode::Fail);
        let refused = group.generate_rsa_key_pair(2048, 65_537).await.unwrap_err();
        assert_eq!(refused.class(), ErrorClass::Unavailable);
        group.close().await;
    });
}

#[test]
fn a_member_whose_halves_do_not_fit_is_found_out_by_the_check() {
    let (rig, protocol) = Rig::after_ceremony();
    for kind in 0..2 {
        run(async {
            let mut config = rig.config();
            config.probe_interval = Duration::from_secs(3600);
            let group = Group::open(config, Some(&protocol.trust_anchor)).await.unwrap();
            group.faults().set("PAR7S", Mode::Garbage);
            let pair = match kind {
                0 => group.generate_rsa_key_pair(2048, 65_537).await,
                _ => group.generate_ec_key_pair(EcCurve::Secp256k1).await,
            };
            assert_eq!(pair.unwrap().member, "TH3S");
            let status = group.status();
            // It may have come back already: it answers its probe well.
            assert_eq!((member(&status, "PAR7S").failed, member(&status, "PAR7S").key_pairs), (1, 0), "{status:?}");
            group.faults().set("PAR7S", Mode::None);
            group.close().await;
        });
    }
}

#[test]
fn a_member_that_is_lost_over_a_pair_comes_back_after_it() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        group.faults().set("PAR7S", Mode::HangPairs);
        let rsa = tokio::spawn({
            let group = group.clone();
            async move { group.generate_rsa_key_pair(2048, 65_537).await }
        });
        free(&group).await;
        let (folder, aside) = (rig.token_folder("PAR7S"), rig.path().join("aside"));
        fs::rename(&folder, &aside).unwrap();
        group.wait_until(is_down("PAR7S")).await;
        fs::rename(&aside, &folder).unwrap();
        group.faults().set("PAR7S", Mode::None);
        rsa_works(&rsa.await.unwrap().unwrap(), 2048);
        group.wait_until(is_up("PAR7S")).await;
        rsa_works(&group.generate_rsa_key_pair(2048, 65_537).await.unwrap(), 2048);
        group.close().await;
    });
}

#[test]
fn a_seed_stirs_every_member_and_replaces_nothing() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let mut config = rig.config();
        config.probe_interval = Duration::from_secs(3600);
        let group = Group::open(config, Some(&protocol.trust_anchor)).await.unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..4 {
            group.seed_random(b"the same seed each time").await.unwrap();
            assert!(seen.insert(group.random(32).await.unwrap().expose().to_vec()));
        }
        for seed in [vec![], vec![0; 4097]] {
            assert_eq!(group.seed_random(&seed).await.unwrap_err().class(), ErrorClass::Usage);
        }
        assert_all_well(&group);
        // One member that takes it is enough; the others were asked, too.
        group.faults().set("PAR7S", Mode::Fail);
        group.seed_random(b"seed").await.unwrap();
        assert_eq!(member(&group.status(), "PAR7S").failed, 1);
        group.faults().set("TH3S", Mode::Fail);
        group.faults().set("AZ07", Mode::Fail);
        assert_eq!(group.seed_random(b"seed").await.unwrap_err().class(), ErrorClass::Unavailable);
        group.close().await;
    });
}

#[test]
fn randomness_fails_over_within_the_call() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        group.faults().set("PAR7S", Mode::Fail);
        assert_eq!(group.random(1 << 20).await.unwrap().len(), 1 << 20);
        assert_eq!(group.random(0).await.unwrap().len(), 0);
        assert_eq!(member(&group.status(), "TH3S").random, 2);
        group.close().await;
    });
}
