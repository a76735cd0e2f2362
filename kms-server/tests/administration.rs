//! The admin API of a real node on a database that somebody edits: what is told, what is noticed, and that nothing is
//! made anew in silence.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod rig;

use std::fs;

use admin_api::{AdminClient, ClientError, ErrorCode, IssueClient, IssuedClient, NewBackup, NewDomain, RegisterClient};
use audit::{Identity, Outcome, Record, TrustedKeys, bundle};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kmip::ProtocolVersion;
use kmip::attribute::AttributeValue;
use kmip::payload::{ActivateRequest, CreateRequest};
use kmip::registry::{CryptographicAlgorithm, UsageMask};
use rig::{Rig, Running};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};

/// The whole log, unverified.
fn exported(admin: &AdminClient, log: &str) -> Vec<u8> {
    let mut bundle = Vec::new();
    admin.audit_export(log, &mut bundle).unwrap();
    bundle
}

fn records(admin: &AdminClient, log: &str) -> Vec<Record> {
    let mut records = Vec::new();
    for line in exported(admin, log).split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let line: serde_json::Value = serde_json::from_slice(line).unwrap();
        if let Some(record) = line["record"].as_str() {
            records.push(Record::decode(&STANDARD.decode(record).unwrap()).unwrap());
        }
    }
    records
}

fn told(admin: &AdminClient, log: &str, operation: &str) -> Vec<Record> {
    records(admin, log).into_iter().filter(|record| record.operation == operation).collect()
}

fn new(name: &str) -> IssueClient {
    IssueClient { name: name.to_owned(), csr: None, credential: None }
}

fn refused<T>(result: Result<T, ClientError>) -> ErrorCode {
    match result {
        Err(ClientError::Refused { detail, .. }) => detail.code,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("not refused"),
    }
}

async fn database(rig: &Rig) -> SqliteConnection {
    SqliteConnectOptions::new().filename(rig.path("kms.sqlite")).foreign_keys(false).connect().await.unwrap()
}

async fn run(database: &mut SqliteConnection, sql: &str) -> u64 {
    sqlx::query(AssertSqlSafe(sql.to_owned())).execute(database).await.unwrap().rows_affected()
}

/// A node with the tenant `acme`.
fn with_acme() -> (Rig, Running, AdminClient) {
    let rig = Rig::new();
    rig.init();
    let running = rig.start();
    let operator = rig.admin(&running, "operator");
    operator.domain_create(&NewDomain { name: "acme".to_owned(), policy: None, allow: Vec::new() }).unwrap();
    (rig, running, operator)
}

#[tokio::test]
async fn a_domain_has_one_authority_and_a_lost_one_is_a_fault() {
    let (rig, _running, operator) = with_acme();
    let issued: Vec<IssuedClient> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|number| {
                let operator = &operator;
                scope.spawn(move || operator.client_issue("acme", &new(&format!("host{number}"))).unwrap())
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let authority = &issued[0].authority;
    assert!(issued.iter().all(|one| one.authority == *authority), "two authorities");
    assert_eq!(told(&operator, "acme", "Create Authority").len(), 1);
    assert_eq!(told(&operator, "acme", "Issue Client").len(), issued.len());

    let mut database = database(&rig).await;
    run(&mut database, "CREATE TEMP TABLE kept AS SELECT * FROM setting WHERE name LIKE 'domain-ca/%'").await;
    assert_eq!(run(&mut database, "DELETE FROM setting WHERE name LIKE 'domain-ca/%'").await, 1);
    assert_eq!(refused(operator.client_issue("acme", &new("late"))), ErrorCode::Internal);
    let again = run(&mut database, "DELETE FROM setting WHERE name LIKE 'domain-ca/%'").await;
    assert_eq!(again, 0, "made anew");
    // The control: what was refused is the loss, nothing else.
    run(&mut database, "INSERT INTO setting SELECT * FROM kept").await;
    assert_eq!(operator.client_issue("acme", &new("late")).unwrap().authority, *authority);
    let failed = told(&operator, "acme", "Issue Client").into_iter().filter(|one| one.outcome == Outcome::Failed);
    assert_eq!(failed.count(), 1);
    database.close().await.unwrap();
}

#[test]
fn what_never_became_an_act_is_told_as_well() {
    let (rig, running, operator) = with_acme();
    // No such name can be, no such object is, and the last is refused by the act itself.
    let wrong = NewDomain { name: "a b".to_owned(), policy: None, allow: Vec::new() };
    assert_eq!(refused(operator.domain_create(&wrong)), ErrorCode::BadRequest);
    assert_eq!(refused(operator.object_list("acme", None, Some(0))), ErrorCode::BadRequest);
    assert_eq!(refused(operator.domain_show("nobody")), ErrorCode::NotFound);
    let auditor = rig.admin(&running, "auditor");
    let told = told(&auditor, "system", "Admin Request");
    let shown: Vec<_> =
        told.iter().map(|one| (one.detail.as_deref().unwrap(), one.reason.as_deref().unwrap())).collect();
    assert_eq!(shown, [("POST /v1/domains", "bad request"), ("GET /v1/domains/acme/objects", "bad request")]);
    let by_operator = |one: &Record| matches!(&one.identity, Identity::Admin { name, .. } if name == "operator");
    assert!(told.iter().all(|one| one.outcome == Outcome::Failed && by_operator(one)), "{told:?}");
    assert!(told.iter().all(|one| one.source.starts_with("127.0.0.1:")));
}

#[test]
fn every_act_is_told_where_an_auditor_can_export_it() {
    let (rig, running, operator) = with_acme();
    let auditor = rig.admin(&running, "auditor");
    auditor.health().unwrap();
    auditor.hsm_status().unwrap();
    auditor.trust_anchor().unwrap();
    auditor.audit_checkpoint("system").unwrap();
    assert_eq!(auditor.domain_verify("system").unwrap().found, 0);
    let unreadable = RegisterClient { certificate: "no certificate".to_owned(), name: None, credential: None };
    assert_eq!(refused(operator.client_register("acme", &unreadable)), ErrorCode::BadRequest);
    assert_eq!(refused(rig.admin(&running, "auditor").client_register("acme", &unreadable)), ErrorCode::Forbidden);

    let of_system: Vec<String> = records(&auditor, "system").into_iter().map(|record| record.operation).collect();
    assert_eq!(of_system.iter().filter(|operation| *operation == "Register Administrator").count(), 2);
    for operation in ["Show Health", "Show HSM Status", "Show Trust Anchor", "Checkpoint", "Create Domain"] {
        assert!(of_system.iter().any(|one| one == operation), "{operation} is not among {of_system:?}");
    }
    let refusals = told(&auditor, "acme", "Register Client");
    assert_eq!(refusals.iter().map(|record| record.outcome).collect::<Vec<_>>(), [Outcome::Failed]);
}

#[tokio::test]
async fn a_row_put_back_and_a_record_changed_are_found_and_named() {
    let (rig, running, operator) = with_acme();
    let auditor = rig.admin(&running, "auditor");
    let issued = operator.client_issue("acme", &new("host")).unwrap();
    let key = issued.private_key.unwrap();
    let identity =
        kmip_client::ClientIdentity::from_pem(issued.certificate.as_bytes(), key.expose().as_bytes()).unwrap();
    let roots = kmip_client::roots_from_pem(&fs::read(rig.path("pki/ca.pem")).unwrap()).unwrap();
    let mut client = kmip_client::Client::connect(running.kmip.as_str(), "localhost", identity, roots).await.unwrap();
    let create = CreateRequest::symmetric_key(vec![
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Aes),
        AttributeValue::CryptographicLength(256),
        AttributeValue::CryptographicUsageMask(UsageMask::ENCRYPT),
    ]);
    let id = client.request(ProtocolVersion::V1_4, create).await.unwrap().unique_identifier;
    assert_eq!(auditor.domain_verify("acme").unwrap().findings, []);

    let mut database = database(&rig).await;
    run(&mut database, "CREATE TEMP TABLE kept AS SELECT * FROM object").await;
    let activate = ActivateRequest { unique_identifier: Some(id.clone().into()) };
    client.request(ProtocolVersion::V1_4, activate).await.unwrap();
    assert_eq!(run(&mut database, "REPLACE INTO object SELECT * FROM kept").await, 1);
    // The older row is honest by itself: it is answered.
    let uuid = id.parse().unwrap();
    assert_eq!(operator.object_show("acme", uuid).unwrap().state, "Pre-Active");
    let verification = auditor.domain_verify("acme").unwrap();
    assert_eq!(verification.found, 1, "{verification:?}");
    let finding = &verification.findings[0];
    assert_eq!((finding.table.as_str(), &finding.row), ("object", &id));
    assert_eq!(finding.what, "is older than its last record");
    // Nor does a backup of it prove itself, and none is left.
    assert_eq!(refused(operator.backup_create(&NewBackup { domain: None, days: 1 })), ErrorCode::WrongState);
    assert_eq!(operator.backup_list().unwrap(), []);
    assert_eq!(fs::read_dir(rig.path("backups")).unwrap().count(), 0);
    let failed: Vec<Record> = told(&auditor, "acme", "Verify Domain");
    let failed: Vec<_> = failed.iter().filter(|record| record.outcome == Outcome::Failed).collect();
    assert_eq!(failed.iter().map(|record| record.object.as_deref()).collect::<Vec<_>>(), [Some(id.as_str()), None]);
    assert!(fs::read_to_string(rig.path("log")).unwrap().contains("\"alarm\":\"tampered\""));

    // The export is whole, whatever lies in the log, and the verifier names the place.
    let keys = fs::read_to_string(rig.path("ceremony/checkpoint-keys.txt")).unwrap();
    let keys = TrustedKeys::parse(&keys).unwrap();
    let verify = |bundle: &[u8]| bundle::verify_bundle(bundle, &keys);
    verify(&exported(&auditor, "acme")).unwrap();
    let acme =
        format!("log = (SELECT id FROM log WHERE domain = x'{}')", operator.domain_show("acme").unwrap().id.simple());
    for (position, change) in [(2, "UPDATE audit SET record = zeroblob(100000)"), (1, "DELETE FROM audit")] {
        assert_eq!(run(&mut database, &format!("{change} WHERE seq = {position} AND {acme}")).await, 1);
        let error = verify(&exported(&auditor, "acme")).unwrap_err();
        assert_eq!(error.record, Some(position), "{error}");
    }
    database.close().await.unwrap();
}
