//! Certificates and requests: what is issued here OpenSSL reads and verifies, and what others made is read here.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use crypto::CryptoError;
use crypto::key::{KeyKind, PrivateKey, random_len};
use crypto::signature::Message;
use crypto::x509::{
    CertificateProfile, Chain, NamePart, issue, issue_with, parse_certificate, parse_request, verify_chain,
};
use kmip::registry::{
    CertificateRequestType, CryptographicAlgorithm, DigitalSignatureAlgorithm, KeyFormatType, RecommendedCurve,
    UsageMask,
};
use openssl::pkey::PKey;
use openssl::x509::X509;
use secret::Secret;

/// A request for CN=Client, O=ACME, C=US with two alternative names, made by `openssl req`.
const PKCS10: &str = "3082011a3081c1020100302d310b3009060355040613025553310d300b060355040a0c0441434d45310f300d06035504030c06436c\
    69656e743059301306072a8648ce3d020106082a8648ce3d03010703420004e37fd231aa2923b84b8e54d3fd4f5eb16088d85018e3ca3d52\
    ec8fc6eb7b8e5af87c140ce8be6b3095cbc85a043b758e6b01f98e0ce791d1cfc3afeb7fc4e0c1a032303006092a864886f70d01090e3123\
    3021301f0603551d1104183016820e636c69656e742e6578616d706c6587047f000001300a06082a8648ce3d040302034800304502203d0e\
    a7e354fc4d64851905c07ce643a18d5042c1c4a211565b7d6eb4d879bf8b022100a5f8dd57b13453a53a37cd56fcf7716d1a2bd4abe21936\
    d5d65ca22c1b6d6cfd";

/// The same client's request as CertReqMessages, taken from what `openssl cmp` sends.
const CRMF: &str = "3082010f3082010b3081af0201003081a9a52f302d310b3009060355040613025553310d300b060355040a0c0441434d45310f300d06\
    035504030c06436c69656e74a659301306072a8648ce3d020106082a8648ce3d03010703420004e37fd231aa2923b84b8e54d3fd4f5eb160\
    88d85018e3ca3d52ec8fc6eb7b8e5af87c140ce8be6b3095cbc85a043b758e6b01f98e0ce791d1cfc3afeb7fc4e0c1a91b30190603551d11\
    04123010820e636c69656e742e6578616d706c65a157300a06082a8648ce3d0403020349003046022100ddd218006c4b60fddbce396bc322\
    0d947ed10497916c8f80c3d7d717e11945c302210083e832e4ebfef17dd684ed5fcf2296a56b94171a8987a82c814a72e7a1ae0b35";

/// CN=test, CN=middle, CN=root.
const LEAF: &str = "300f310d300b06035504030c0474657374";
const MIDDLE: &str = "3011310f300d06035504030c066d6964646c65";
const ROOT: &str = "300f310d300b06035504030c04726f6f74";

const NOW: i64 = 1_750_000_000;

fn key(kind: KeyKind, curve: Option<RecommendedCurve>, fill: u8) -> PrivateKey {
    let random = Secret::new(vec![fill; random_len(kind, curve).unwrap()]);
    PrivateKey::generate(kind, curve, &random).unwrap()
}

fn p256(fill: u8) -> PrivateKey {
    key(KeyKind::Ec, Some(RecommendedCurve::P256), fill)
}

fn profile(subject: &str, of: &PrivateKey, is_ca: bool) -> CertificateProfile {
    CertificateProfile {
        subject: hex::decode(subject).unwrap(),
        public_key: of.public_key().unwrap().to_encoded(KeyFormatType::X509).unwrap(),
        serial: vec![0x80, 1, 2, 3, 4, 5, 6, 7, 8],
        not_before: NOW - 3600,
        not_after: NOW + 3600,
        subject_alternative_names: vec![b"\x82\x04test".to_vec()],
        usage: Some(if is_ca { UsageMask::CERTIFICATE_SIGN } else { UsageMask::SIGN }),
        is_ca,
    }
}

#[test]
fn what_is_issued_is_read_by_us_and_by_openssl() {
    let rsa = openssl::rsa::Rsa::generate(2048).unwrap();
    let rsa = PrivateKey::from_encoded(KeyFormatType::Pkcs1, &Secret::new(rsa.private_key_to_der().unwrap())).unwrap();
    use DigitalSignatureAlgorithm as Algorithm;
    for (issuer, algorithm) in [
        (p256(1), Some(Algorithm::EcdsaWithSha256)),
        (key(KeyKind::Ec, Some(RecommendedCurve::P384), 1), Some(Algorithm::EcdsaWithSha384)),
        (key(KeyKind::Ec, Some(RecommendedCurve::P521), 1), Some(Algorithm::EcdsaWithSha512)),
        (key(KeyKind::Ed25519, None, 1), None),
        (rsa, Some(Algorithm::Sha256WithRsaEncryption)),
    ] {
        let root = issue(&profile(ROOT, &issuer, true), None, &issuer).unwrap();
        let subject = p256(9);
        let leaf = issue(&profile(LEAF, &subject, false), Some(&root), &issuer).unwrap();

        let facts = parse_certificate(&leaf).unwrap();
        assert_eq!((facts.subject.text.as_str(), facts.issuer.text.as_str()), ("CN=test", "CN=root"));
        assert_eq!(facts.subject.values(NamePart::CommonName).collect::<Vec<_>>(), ["test"]);
        assert_eq!(hex::encode(&facts.serial), "00800102030405060708");
        assert_eq!(hex::encode(&facts.serial_der), "020a00800102030405060708");
        assert_eq!((facts.not_before, facts.not_after), (NOW - 3600, NOW + 3600));
        assert_eq!(facts.subject_alternative_names, [b"\x82\x04test"]);
        assert_eq!(facts.signature_algorithm, algorithm);
        assert_eq!(facts.key.unwrap().algorithm, CryptographicAlgorithm::Ec);
        assert!(!facts.is_ca);
        let root_facts = parse_certificate(&root).unwrap();
        assert!(root_facts.is_ca);
        assert_eq!(root_facts.has_signed(&leaf), Ok(true));
        assert_eq!(facts.has_signed(&root), Ok(false));

        let read = X509::from_der(&leaf).unwrap();
        let signer = root_facts.public_key;
        assert!(read.verify(&PKey::public_key_from_der(&signer).unwrap()).unwrap());
        assert_eq!(read.subject_name().to_der().unwrap(), hex::decode(LEAF).unwrap());
        assert_eq!(read.to_der().unwrap(), leaf);
        assert_eq!(read.subject_alt_names().unwrap().get(0).unwrap().dnsname(), Some("test"));
        assert_eq!(
            read.authority_key_id().unwrap().as_slice(),
            X509::from_der(&root).unwrap().subject_key_id().unwrap().as_slice()
        );
        assert_eq!(verify_chain(&[&leaf, &root], &[], NOW), Ok(Chain::Valid));
    }
}

#[test]
fn a_key_that_is_not_the_issuers_issues_nothing() {
    let (issuer, other) = (p256(1), p256(2));
    let root = issue(&profile(ROOT, &issuer, true), None, &issuer).unwrap();
    let refused = issue(&profile(LEAF, &other, false), Some(&root), &other).unwrap_err();
    assert!(matches!(refused, CryptoError::InvalidKey(_)));
    // A signature from elsewhere is checked before it becomes a certificate.
    let signer = issuer.public_key().unwrap();
    let lying = issue_with(&profile(LEAF, &other, false), Some(&root), &signer, |scheme, tbs| {
        scheme.sign(&other, Message::Data(tbs))
    });
    assert!(matches!(lying, Err(CryptoError::InvalidKey(_))));
}

#[test]
fn profiles_that_are_no_certificates_are_refused() {
    let issuer = p256(1);
    let refused = |change: fn(&mut CertificateProfile)| {
        let mut profile = profile(ROOT, &issuer, false);
        change(&mut profile);
        issue(&profile, None, &issuer).is_err()
    };
    assert!(refused(|profile| profile.serial = Vec::new()));
    assert!(refused(|profile| profile.serial = vec![1; 21]));
    assert!(refused(|profile| profile.not_after = profile.not_before - 1));
    assert!(refused(|profile| profile.not_after = i64::MAX));
    assert!(refused(|profile| profile.subject = vec![0x30, 1]));
    assert!(refused(|profile| profile.public_key.truncate(20)));
}

struct Three {
    leaf: Vec<u8>,
    middle: Vec<u8>,
    root: Vec<u8>,
}

fn three() -> Three {
    let (leaf, middle, root) = (p256(1), p256(2), p256(3));
    let root_der = issue(&profile(ROOT, &root, true), None, &root).unwrap();
    let middle_der = issue(&profile(MIDDLE, &middle, true), Some(&root_der), &root).unwrap();
    let leaf_der = issue(&profile(LEAF, &leaf, false), Some(&middle_der), &middle).unwrap();
    Three { leaf: leaf_der, middle: middle_der, root: root_der }
}

#[test]
fn a_chain_holds_in_any_order_and_only_in_its_time() {
    let Three { leaf, middle, root } = &three();
    for chain in [[leaf, middle, root], [root, leaf, middle], [middle, root, leaf]] {
        let chain = chain.map(Vec::as_slice);
        assert_eq!(verify_chain(&chain, &[], NOW), Ok(Chain::Valid));
        for time in [NOW - 3601, NOW + 3601] {
            assert_eq!(verify_chain(&chain, &[], time), Ok(Chain::Invalid));
        }
    }
}

#[test]
fn a_chain_without_an_anchor_is_unknown_and_with_a_hole_invalid() {
    let Three { leaf, middle, root } = &three();
    assert_eq!(verify_chain(&[leaf, middle], &[], NOW), Ok(Chain::Unknown));
    assert_eq!(verify_chain(&[leaf, middle], &[root], NOW), Ok(Chain::Valid));
    assert_eq!(verify_chain(&[leaf], &[middle], NOW), Ok(Chain::Valid));
    assert_eq!(verify_chain(&[leaf, root], &[], NOW), Ok(Chain::Invalid));
    assert_eq!(verify_chain(&[leaf], &[root], NOW), Ok(Chain::Invalid));
    assert_eq!(verify_chain(&[root], &[], NOW), Ok(Chain::Valid));
    assert!(verify_chain(&[], &[root], NOW).is_err());
}

#[test]
fn a_changed_certificate_breaks_its_chain() {
    let Three { leaf, middle, root } = &three();
    let last = middle.len() - 1;
    for at in [last, last - 40] {
        let mut changed = middle.clone();
        changed[at] ^= 1;
        assert_ne!(verify_chain(&[leaf, &changed, root], &[], NOW), Ok(Chain::Valid), "{at}");
    }
    let mut changed = root.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert_ne!(verify_chain(&[leaf, middle, &changed], &[], NOW), Ok(Chain::Valid));
}

#[test]
fn who_may_not_sign_certificates_makes_no_chain() {
    let (leaf, middle, root) = (p256(1), p256(2), p256(3));
    let root_der = issue(&profile(ROOT, &root, true), None, &root).unwrap();
    let middle_der = issue(&profile(MIDDLE, &middle, false), Some(&root_der), &root).unwrap();
    let leaf_der = issue(&profile(LEAF, &leaf, false), Some(&middle_der), &middle).unwrap();
    assert_eq!(verify_chain(&[&leaf_der, &middle_der, &root_der], &[], NOW), Ok(Chain::Invalid));
}

#[test]
fn requests_of_others_are_read_and_their_proof_is_checked() {
    let pkcs10 = hex::decode(PKCS10).unwrap();
    let request = parse_request(CertificateRequestType::Pkcs10, &pkcs10).unwrap();
    assert_eq!(request.subject.text, "CN=Client,O=ACME,C=US");
    assert_eq!(request.subject_alternative_names, [&b"\x82\x0eclient.example"[..], &[0x87, 4, 127, 0, 0, 1]]);
    let crmf = parse_request(CertificateRequestType::Crmf, &hex::decode(CRMF).unwrap()).unwrap();
    assert_eq!((&crmf.subject, &crmf.public_key), (&request.subject, &request.public_key));
    assert_eq!(crmf.subject_alternative_names, [b"\x82\x0eclient.example"]);

    let pem = openssl::x509::X509Req::from_der(&pkcs10).unwrap().to_pem().unwrap();
    assert_eq!(parse_request(CertificateRequestType::Pem, &pem).unwrap(), request);
    assert!(parse_request(CertificateRequestType::Pem, &pkcs10).is_err());
    assert!(parse_request(CertificateRequestType::Crmf, &pkcs10).is_err());
    assert!(matches!(parse_request(CertificateRequestType::Pgp, &pkcs10), Err(CryptoError::Unsupported(_))));
}

#[test]
fn a_request_without_its_key_is_refused() {
    for (kind, hex) in [(CertificateRequestType::Pkcs10, PKCS10), (CertificateRequestType::Crmf, CRMF)] {
        let whole = hex::decode(hex).unwrap();
        let name = whole.windows(6).position(|window| window == b"Client").unwrap();
        let mut changed = whole.clone();
        changed[name] = b'X';
        assert_eq!(parse_request(kind, &changed), Err(CryptoError::Authentication));
    }
}

#[test]
fn no_cut_and_no_changed_byte_of_a_request_or_certificate_is_trouble() {
    let certificate = three().leaf;
    for (kind, hex) in [(CertificateRequestType::Pkcs10, PKCS10), (CertificateRequestType::Crmf, CRMF)] {
        let whole = hex::decode(hex).unwrap();
        for len in 0..whole.len() {
            assert!(parse_request(kind, &whole[..len]).is_err());
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x55;
            assert!(parse_request(kind, &changed).is_err(), "{kind:?} {at}");
        }
    }
    for at in 0..certificate.len() {
        assert!(parse_certificate(&certificate[..at]).is_err());
        let mut changed = certificate.clone();
        changed[at] ^= 0x55;
        // It may still be a certificate; that nothing stops is what matters.
        let _ = parse_certificate(&changed).map(|facts| facts.has_signed(&changed));
    }
}
