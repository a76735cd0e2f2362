//! A destruction that can be proved: its certificate verifies with public keys alone, and no other file does; what was
//! destroyed does not open, and an older copy does, until the Root of Trust is changed.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use admin_api::{Approvals, Effect, ErrorCode, ProtectedAct, Signer};
use audit::TrustedKeys;
use audit::destruction::{Certificate, Destroyed};
use kmip::ProtocolVersion;
use kmip::payload::DestroyRequest;
use system_tests::asking;
use system_tests::node::{Node, Tenant};

const V: ProtocolVersion = ProtocolVersion::V1_4;

fn trusted(node: &Node) -> TrustedKeys {
    TrustedKeys::parse(&std::fs::read_to_string(node.dir().join("ceremony/checkpoint-keys.txt")).unwrap()).unwrap()
}

fn destroy(node: &Node, tenant: &Tenant) {
    let operator = node.admin("operator").unwrap();
    let act = ProtectedAct::DestroyDomain { domain: tenant.name.clone() };
    let request = operator.request_ask(&act, Effect::Real).unwrap();
    let sign = |name: &str| {
        let key = std::fs::read(node.stage.pki().join(format!("admin/{name}.key"))).unwrap();
        Signer::from_pem(&key).unwrap().approve(&request.signed.request).unwrap()
    };
    let approvals = Approvals { approvals: vec![sign("officer1"), sign("officer2")] };
    operator.request_execute(request.id, &approvals, Effect::Real).unwrap();
}

fn key(node: &Node, tenant: &Tenant) -> String {
    let mut client = node.connect(&tenant.identity).unwrap();
    client.request(V, asking::known_aes(&[7; 32], Vec::new())).unwrap().unique_identifier
}

#[test]
fn the_certificate_of_a_domain_verifies_offline_and_not_with_any_byte_changed() {
    let mut node = Node::start().unwrap();
    let tenant = node.tenant("certified", "anssi").unwrap();
    key(&node, &tenant);
    let auditor = node.admin("auditor").unwrap();
    let early = auditor.domain_certificate(&tenant.name).unwrap_err();
    assert_eq!(early.code(), Some(ErrorCode::WrongState), "it is not destroyed yet");
    destroy(&node, &tenant);
    let made = auditor.domain_certificate(&tenant.name).unwrap();
    let keys = trusted(&node);
    let certificate = Certificate::verify(&made.document, &keys).unwrap();
    assert_eq!((certificate.what, certificate.name.as_str()), (Destroyed::Domain, tenant.name.as_str()));
    assert_eq!(
        (certificate.by.as_str(), &certificate.approved_by[..]),
        ("operator", &["officer1".into(), "officer2".into()][..])
    );
    let members: Vec<_> = certificate.hsm.iter().map(|one| one.member.as_str()).collect();
    assert_eq!(members, ["PAR7S", "TH3S", "AZ07"]);
    assert!(certificate.hsm.iter().all(|one| one.answer == "no key of it is imported any more"), "{certificate:?}");
    assert_eq!((certificate.complete, certificate.backups.len()), (None, 0));
    for at in 0..made.document.len() {
        let mut bytes = made.document.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        assert!(Certificate::verify(&changed, &keys).is_err(), "byte {at}");
    }
    // Nor with the keys of another installation, nor cut off or with something behind it.
    let other = std::fs::read_to_string(node.dir().join("ceremony/checkpoint-keys.txt")).unwrap();
    let other = other.replace("clavis-demo", "clavis-other");
    assert!(TrustedKeys::parse(&other).map_or(true, |keys| Certificate::verify(&made.document, &keys).is_err()));
    assert!(Certificate::verify(&format!("{}\n", made.document), &keys).is_err());
    assert!(Certificate::verify(made.document.trim_end(), &keys).is_err());

    // It can be had again, after a restart too, and by the program that asks nobody.
    node.restart().unwrap();
    let file = node.dir().join("domain.certificate");
    let file = file.to_str().unwrap();
    let run = |args: &[&str]| node.kmsctl("auditor", args).unwrap();
    assert!(run(&["domain", "certificate", &tenant.name, "--out", file]).status.success());
    let keys = node.dir().join("ceremony/checkpoint-keys.txt");
    let verify = ["verify", "certificate", file, "--keys", keys.to_str().unwrap()];
    let verified = run(&verify);
    assert!(verified.status.success() && verified.stdout.contains("officer1, officer2"), "{verified:?}");
    let text = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, text.replace("officer1", "officer3")).unwrap();
    assert_eq!(run(&verify).status.code(), Some(6));
}

#[test]
fn a_client_who_destroyed_a_key_gets_a_certificate_too() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("certified", "anssi").unwrap();
    let (gone, kept) = (key(&node, &tenant), key(&node, &tenant));
    let mut client = node.connect(&tenant.identity).unwrap();
    client.request(V, DestroyRequest { unique_identifier: Some(gone.as_str().into()) }).unwrap();
    let auditor = node.admin("auditor").unwrap();
    let made = auditor.object_certificate(&tenant.name, gone.parse().unwrap()).unwrap();
    let certificate = Certificate::verify(&made.document, &trusted(&node)).unwrap();
    assert_eq!((certificate.what, certificate.id.as_str()), (Destroyed::Object, gone.as_str()));
    assert_eq!(certificate.by, tenant.client.to_string());
    let none = auditor.object_certificate(&tenant.name, kept.parse().unwrap()).unwrap_err();
    assert_eq!(none.code(), Some(ErrorCode::NotFound));
}
