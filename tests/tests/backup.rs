//! Backups prove themselves, and the shred check tries for real: what was destroyed does not open in the store, and does
//! in a backup from before; everything else opens in both.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::{Path, PathBuf};

use admin_api::{Backup, BackupState, DomainChange, Effect, ErrorCode, IssueClient, NewBackup};
use audit::TrustedKeys;
use audit::backup::{Manifest, Report};
use audit::destruction::Certificate;
use audit::paper::Paper;
use kmip::ProtocolVersion;
use kmip::attribute::AttributeValue;
use kmip::object::{ManagedObject, OpaqueObject};
use kmip::payload::{DestroyRequest, RegisterRequest};
use kmip::registry::OpaqueDataType;
use secret::Secret;
use serde_json::Value;
use system_tests::node::{Node, Tenant};
use system_tests::{approving, asking};
use xtask::stage::finish;

const V: ProtocolVersion = ProtocolVersion::V1_4;

fn keys_file(node: &Node) -> PathBuf {
    node.dir().join("ceremony/checkpoint-keys.txt")
}

fn trusted(node: &Node) -> TrustedKeys {
    TrustedKeys::parse(&std::fs::read_to_string(keys_file(node)).unwrap()).unwrap()
}

/// Registers so many keys; a long one among them is sealed under an object key.
fn register(node: &Node, tenant: &Tenant, count: u8) -> Vec<String> {
    let mut client = node.connect(&tenant.identity).unwrap();
    let long = OpaqueObject { opaque_data_type: OpaqueDataType(0x8000_0001), value: Secret::copy_from(&[9; 3000]) };
    let mut long = Some(RegisterRequest::new(ManagedObject::OpaqueObject(long), Vec::<AttributeValue>::new()));
    let mut one = |number: u8| {
        let request = long.take().unwrap_or_else(|| asking::known_aes(&[number; 32], Vec::new()));
        client.request(V, request).unwrap().unique_identifier
    };
    (0..count).map(&mut one).collect()
}

fn take(node: &Node, domain: Option<&Tenant>) -> Backup {
    let new = NewBackup { domain: domain.map(|tenant| tenant.name.clone()), days: 30 };
    node.admin("operator").unwrap().backup_create(&new).unwrap()
}

/// Runs the check; its exit code and what it found.
fn shred_check(node: &Node, domain: &str, file: Option<&Path>) -> (i32, Value) {
    let mut command = node.stage.command(&node.programs.path("kms-server"));
    command.arg("--config").arg(node.stage.config()).args(["shred-check", domain, "--json"]);
    if let Some(file) = file {
        command.arg("--backup").arg(file);
    }
    let finished = finish(&mut command).unwrap();
    let found = serde_json::from_str(&finished.stdout);
    assert!(found.is_ok(), "{finished:?}");
    (finished.status.code().unwrap(), found.unwrap())
}

fn numbers(found: &Value) -> [u64; 5] {
    ["domain_keys", "imported", "sealed", "opened", "unreadable"].map(|name| found[name].as_u64().unwrap())
}

/// Every other domain opens fully.
fn others_are_whole(found: &Value, count: usize) {
    let others = found["others"].as_array().unwrap();
    assert_eq!(others.len(), count, "{found:#}");
    for other in others {
        let [keys, imported, sealed, opened, unreadable] = numbers(other);
        assert!(keys > 0 && keys == imported && sealed > 0 && sealed == opened && unreadable == 0, "{found:#}");
    }
}

#[test]
fn nothing_of_a_destroyed_domain_opens_in_the_store_and_everything_does_in_a_copy_from_before() {
    let mut node = Node::start().unwrap();
    let (doomed, other) = (node.tenant("doomed", "anssi").unwrap(), node.tenant("other", "anssi").unwrap());
    register(&node, &doomed, 5);
    register(&node, &other, 3);
    // An authority is sealed as well, in another table.
    let issue = IssueClient { name: "host".to_owned(), csr: None, credential: None };
    node.admin("operator").unwrap().client_issue(&doomed.name, &issue).unwrap();
    let backup = PathBuf::from(take(&node, None).file);
    node.stop().unwrap();
    let copy = node.dir().join("copy.sqlite");
    std::fs::copy(node.stage.store(), &copy).unwrap();
    node.serve().unwrap();

    // 5 keys, the MAC secret, the authority. The administrators' domain is one of the others.
    let whole = [1, 1, 7, 7, 0];
    let (code, found) = shred_check(&node, &doomed.name, None);
    assert_eq!((code, numbers(&found["domain"])), (4, whole), "it is not destroyed yet: {found:#}");
    let id = node.admin("operator").unwrap().domain_show(&doomed.name).unwrap().id.to_string();
    // Frozen is a state; the check does not look at states.
    node.admin("operator").unwrap().domain_change(&doomed.name, DomainChange::Freeze, Effect::Real).unwrap();
    assert_eq!(shred_check(&node, &id, None).0, 4);

    approving::destroy(&node, &doomed.name).unwrap();
    for running in [true, false] {
        if !running {
            node.stop().unwrap();
        }
        let (code, found) = shred_check(&node, &doomed.name, None);
        assert_eq!(code, 0, "{found:#}");
        assert_eq!(numbers(&found["domain"]), [0, 0, 7, 0, 0], "its Domain Key lies nowhere in the file: {found:#}");
        others_are_whole(&found, 2);
    }
    for older in [&backup, &copy] {
        let (code, found) = shred_check(&node, &id, Some(older));
        assert_eq!((code, numbers(&found["domain"])), (4, whole), "{found:#}");
        others_are_whole(&found, 2);
    }
    // Put back into the row of the live store, the old key is found and opens everything again: the check looks for real.
    let stolen = node.dir().join("stolen.sqlite");
    std::fs::copy(node.stage.store(), &stolen).unwrap();
    let bytes = std::fs::read(&copy).unwrap();
    let start = [&[1], uuid::Uuid::parse_str(&id).unwrap().as_bytes().as_slice()].concat();
    let at = bytes.windows(17).position(|window| window == start).unwrap();
    let mut loose = std::fs::OpenOptions::new().append(true).open(&stolen).unwrap();
    std::io::Write::write_all(&mut loose, &[vec![0; 4096], bytes[at..at + 137].to_vec()].concat()).unwrap();
    let (code, found) = shred_check(&node, &id, Some(&stolen));
    assert_eq!((code, numbers(&found["domain"])), (4, whole), "a key in no row is a key: {found:#}");
}

#[test]
fn a_backup_proves_itself_when_it_is_taken_and_whenever_somebody_asks() {
    let node = Node::start().unwrap();
    let (one, two) = (node.tenant("one", "anssi").unwrap(), node.tenant("two", "anssi").unwrap());
    let keys = register(&node, &one, 6);
    register(&node, &two, 2);
    let mut client = node.connect(&one.identity).unwrap();
    client.request(V, DestroyRequest { unique_identifier: Some(keys[5].as_str().into()) }).unwrap();

    let (all, alone) = (take(&node, None), take(&node, Some(&one)));
    assert_eq!((all.objects, alone.objects, all.state), (Some(7), Some(5), BackupState::Made));
    let manifest = |backup: &Backup| {
        let bytes = std::fs::read(&backup.file).unwrap();
        let len = u32::from_be_bytes(bytes[bytes.len() - 4..].try_into().unwrap()) as usize;
        let text = String::from_utf8(bytes[bytes.len() - 4 - len..bytes.len() - 4].to_vec()).unwrap();
        Manifest::believed(&text, &trusted(&node)).unwrap()
    };
    let of_all = manifest(&all);
    let proved = |name: &str| of_all.domains.iter().find(|domain| domain.name == name).unwrap().proof.clone();
    let proof = proved(&one.name);
    assert_eq!((proof.objects, proof.sealed, proof.opened, proof.compared), (6, 5, 5, 5), "{of_all:#?}");
    assert!(proof.digest.is_some() && proof.faults.is_empty());
    let of_one = manifest(&alone);
    assert_eq!(of_one.domains.len(), 1, "no other tenant is in it: {of_one:#?}");
    assert_ne!(of_one.domains[0].proof.digest, proof.digest, "each backup has a key of its own for its digests");
    let (_, found) = shred_check(&node, &one.name, Some(Path::new(&alone.file)));
    assert_eq!((numbers(&found["domain"]), found["others"].as_array().unwrap().len()), ([1, 1, 6, 6, 0], 0));

    // Nothing of the store stands in the file as it is: neither names nor records nor sealed bytes.
    let bytes = std::fs::read(&all.file).unwrap();
    let content = &bytes[..bytes.len() - 4 - 4096.min(bytes.len() / 2)];
    for needle in [b"SQLite format".as_slice(), one.name.as_bytes(), b"CREATE TABLE"] {
        assert!(!content.windows(needle.len()).any(|window| window == needle));
    }

    // Later: one key is rotated away, one domain frozen; what opens is what opened.
    let officer = node.admin("officer1").unwrap();
    officer.domain_change(&one.name, DomainChange::RotateKey, Effect::Real).unwrap();
    officer.domain_change(&two.name, DomainChange::Freeze, Effect::Real).unwrap();
    let report = node.dir().join("backup.report");
    let report = report.to_str().unwrap();
    let run = |args: &[&str]| node.kmsctl("auditor", args).unwrap();
    let verified = run(&["backup", "verify", &all.id.to_string(), "--out", report]);
    assert!(verified.status.success() && verified.stdout.contains("sound"), "{verified:?}");
    let keys = keys_file(&node);
    let offline = ["verify", "report", report, "--keys", keys.to_str().unwrap()];
    assert!(run(&offline).status.success());
    let text = std::fs::read_to_string(report).unwrap();
    let told = Report::believed(&text, &trusted(&node)).unwrap();
    let of = |name: &str| told.domains.iter().find(|domain| domain.name == name).unwrap().proof.clone();
    assert_eq!((of(&one.name).opened, of(&one.name).digest), (5, proof.digest));
    assert!(of(&two.name).skipped.is_some() && of(&two.name).opened == 0, "a frozen domain is not opened");
    std::fs::write(report, text.replace("\"opened\":5", "\"opened\":6")).unwrap();
    assert_eq!(run(&offline).status.code(), Some(6));

    let listed = node.admin("officer2").unwrap().backup_list().unwrap();
    assert_eq!(listed.iter().map(|one| one.id).collect::<Vec<_>>(), [all.id, alone.id]);
    let log = String::from_utf8(node.export(&one.name).unwrap()).unwrap();
    assert!(log.contains("Create Backup") && log.contains(&all.id.to_string()), "a tenant reads of it in its own log");
}

#[test]
fn a_backup_that_was_changed_is_not_believed_and_one_that_is_gone_is_not_forgotten() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("one", "anssi").unwrap();
    register(&node, &tenant, 3);
    let backup = take(&node, None);
    let auditor = node.admin("auditor").unwrap();
    assert!(auditor.backup_verify(backup.id).unwrap().sound);
    let whole = std::fs::read(&backup.file).unwrap();
    // Header, key, chunks, manifest, its signature, its length.
    for at in [3, 20, 60, 200, 2000, whole.len() / 2, whole.len() - 600, whole.len() - 40, whole.len() - 2] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        std::fs::write(&backup.file, changed).unwrap();
        match auditor.backup_verify(backup.id) {
            Ok(report) => assert!(!report.sound, "byte {at} of {}", whole.len()),
            Err(error) => assert!(error.code().is_some(), "byte {at}: {error}"),
        }
    }
    // One backup under the name of another.
    let second = take(&node, None);
    std::fs::copy(&second.file, &backup.file).unwrap();
    assert!(!auditor.backup_verify(backup.id).unwrap().sound);
    std::fs::remove_file(&backup.file).unwrap();
    assert_eq!(auditor.backup_verify(backup.id).unwrap_err().code(), Some(ErrorCode::NotFound));
    let listed = auditor.backup_list().unwrap();
    assert_eq!((listed[0].id, listed[0].state), (backup.id, BackupState::Elsewhere));
    let left = std::fs::read_dir(node.dir().join("backups")).unwrap().count();
    assert_eq!(left, 1, "nothing that was restored is left");

    // Who may, and of what.
    let new = |domain: Option<&str>| NewBackup { domain: domain.map(str::to_owned), days: 1 };
    for who in ["officer1", "auditor"] {
        let refused = node.admin(who).unwrap().backup_create(&new(None)).unwrap_err();
        assert_eq!(refused.code(), Some(ErrorCode::Forbidden));
    }
    let operator = node.admin("operator").unwrap();
    assert_eq!(operator.backup_create(&new(Some("nobody"))).unwrap_err().code(), Some(ErrorCode::NotFound));
    operator.domain_change(&tenant.name, DomainChange::Freeze, Effect::Real).unwrap();
    assert_eq!(operator.backup_create(&new(Some(&tenant.name))).unwrap_err().code(), Some(ErrorCode::WrongState));
}

#[test]
fn a_certificate_of_destruction_names_the_backups_that_may_hold_copies() {
    let mut node = Node::start().unwrap();
    let operator = node.admin("operator").unwrap();
    let early = operator.backup_create(&NewBackup { domain: None, days: 7 }).unwrap();
    let (doomed, other) = (node.tenant("doomed", "anssi").unwrap(), node.tenant("other", "anssi").unwrap());
    register(&node, &doomed, 1);
    let (all, own, foreign) = (take(&node, None), take(&node, Some(&doomed)), take(&node, Some(&other)));
    approving::destroy(&node, &doomed.name).unwrap();
    let late = take(&node, None);
    node.restart().unwrap();
    let made = node.admin("auditor").unwrap().domain_certificate(&doomed.name).unwrap();
    let certificate = Certificate::verify(&made.document, &trusted(&node)).unwrap();
    let named: Vec<_> = certificate.backups.iter().map(|one| one.backup.clone()).collect();
    assert_eq!(named, [all.id.to_string(), own.id.to_string()]);
    assert!(certificate.backups.iter().all(|one| one.until.is_some()));
    for not in [early, foreign, late] {
        assert!(!named.contains(&not.id.to_string()));
    }
}
