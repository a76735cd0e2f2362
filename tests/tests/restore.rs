//! What somebody did to a domain's rows is undone from a backup: the rows come back, no destroyed key does, no revoked key
//! becomes usable, no log is shortened, and nobody does it alone.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use admin_api::{Effect, ErrorCode, NewBackup, ProtectedAct};
use kmip::ProtocolVersion;
use kmip::payload::{ActivateRequest, DestroyRequest, GetRequest};
use kmip::registry::ResultReason;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use system_tests::node::{Connection as Client, Node, Tenant};
use system_tests::{approving, asking};
use uuid::Uuid;

const V: ProtocolVersion = ProtocolVersion::V1_4;

/// Changes the database beside the node.
fn edit(node: &Node, statements: &[String]) {
    let path = node.stage.store();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut database = SqliteConnectOptions::new().filename(path).foreign_keys(false).connect().await.unwrap();
        for sql in statements {
            sqlx::query(AssertSqlSafe(sql.clone())).execute(&mut database).await.unwrap();
        }
        database.close().await.unwrap();
    });
}

fn object(id: &str) -> String {
    format!("x'{}'", id.parse::<Uuid>().unwrap().simple())
}

fn get(client: &mut Client, id: &str) -> Result<Vec<u8>, Option<ResultReason>> {
    match client.request(V, GetRequest::of(id)) {
        Ok(got) => Ok(asking::bytes(&got).unwrap().to_vec()),
        Err(error) => Err(error.reason()),
    }
}

fn state(node: &Node, tenant: &Tenant, id: &str) -> String {
    node.admin("auditor").unwrap().object_show(&tenant.name, id.parse().unwrap()).unwrap().state
}

#[test]
fn what_was_damaged_comes_back_and_what_was_destroyed_or_revoked_does_not() {
    let mut node = Node::start().unwrap();
    let tenant = node.tenant("damaged", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let ids: Vec<String> = (0..7)
        .map(|number| client.request(V, asking::known_aes(&[number; 32], Vec::new())).unwrap().unique_identifier)
        .collect();
    let [gone, edited, destroyed, revoked, activated, late, untouched] = &ids[..] else { unreachable!() };
    for id in [revoked, untouched] {
        client.request(V, ActivateRequest { unique_identifier: Some(id.as_str().into()) }).unwrap();
    }
    let operator = node.admin("operator").unwrap();
    let backup = operator.backup_create(&NewBackup { domain: Some(tenant.name.clone()), days: 1 }).unwrap();
    let restore = ProtectedAct::RestoreDomain { backup: backup.id, domain: tenant.name.clone() };
    // The control: with nothing damaged there is nothing to be restored, and nobody is asked.
    assert_eq!(operator.request_ask(&restore, Effect::Real).unwrap_err().code(), Some(ErrorCode::Conflict));

    // After the backup: one is destroyed, one revoked, one activated; a new one is made.
    client.request(V, DestroyRequest { unique_identifier: Some(destroyed.as_str().into()) }).unwrap();
    client.request(V, asking::cessation(Some(revoked.clone()))).unwrap();
    client.request(V, ActivateRequest { unique_identifier: Some(activated.as_str().into()) }).unwrap();
    let newer = client.request(V, asking::known_aes(&[99; 32], Vec::new())).unwrap().unique_identifier;
    drop(client);
    node.stop().unwrap();

    // Somebody deletes rows, one with its index, edits one, and takes one that no backup has.
    let delete = |id: &str| format!("DELETE FROM object WHERE id = {}", object(id));
    let statements = [
        delete(gone),
        format!("DELETE FROM object_term WHERE object = {}", object(gone)),
        format!("UPDATE object SET usage_mask = 0 WHERE id = {}", object(edited)),
        delete(destroyed),
        delete(revoked),
        delete(activated),
        delete(&newer),
        format!("UPDATE object SET sealed = zeroblob(100) WHERE id = {}", object(late)),
    ];
    edit(&node, &statements);
    node.serve().unwrap();
    let auditor = node.admin("auditor").unwrap();
    let before = auditor.domain_verify(&tenant.name).unwrap();
    assert!(before.found >= 7, "{before:?}");
    let size = auditor.audit_checkpoint(&tenant.name).unwrap().size;

    // One person does not do it; what two approve is what is named.
    let operator = node.admin("operator").unwrap();
    let request = operator.request_ask(&restore, Effect::DryRun).unwrap();
    let text = &request.signed.request;
    assert!(text.contains("\nwith objects 5\n"), "{text}");
    let stale = text.lines().find_map(|line| line.strip_prefix("with stale ")).unwrap();
    let mut named: Vec<&str> = stale.split(',').collect();
    named.sort_unstable();
    let mut expected = [revoked.as_str(), activated.as_str()];
    expected.sort_unstable();
    assert_eq!(named, expected);
    let alone = operator.request_ask(&restore, Effect::Real).unwrap();
    let none = admin_api::Approvals { approvals: Vec::new() };
    let refused = operator.request_execute(alone.id, &none, Effect::Real).unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::WrongState));
    approving::execute(&node, &restore).unwrap().unwrap();
    // What was asked for before is not what there is to do now.
    assert!(operator.request_execute(alone.id, &none, Effect::Real).is_err());

    let mut client = node.connect(&tenant.identity).unwrap();
    for (number, id) in ids.iter().enumerate().filter(|(_, id)| *id != destroyed) {
        assert_eq!(get(&mut client, id), Ok(vec![u8::try_from(number).unwrap(); 32]), "{number}");
    }
    assert!(get(&mut client, destroyed).is_err(), "a destroyed key is back");
    assert!(get(&mut client, &newer).is_err(), "no backup has it");
    assert_eq!(state(&node, &tenant, gone), "Pre-Active");
    assert_eq!(state(&node, &tenant, revoked), "Compromised", "it was revoked, and nobody can say why");
    assert_eq!(state(&node, &tenant, activated), "Pre-Active", "an activation can be lost");
    assert_eq!(state(&node, &tenant, untouched), "Active");

    // The log went on, each return is told of, and what is left is what no backup could bring back.
    let auditor = node.admin("auditor").unwrap();
    assert!(auditor.audit_checkpoint(&tenant.name).unwrap().size > size);
    let log = String::from_utf8(node.export(&tenant.name).unwrap()).unwrap();
    let told =
        |operation: &str| log.lines().filter(|line| line.contains(&format!("\"operation\":\"{operation}\""))).count();
    assert_eq!((told("Restore Object"), told("Restore Domain")), (5, 1));
    let after = auditor.domain_verify(&tenant.name).unwrap();
    let mut left: Vec<_> =
        after.findings.iter().filter(|one| one.table == "object").map(|one| one.row.as_str()).collect();
    left.sort_unstable();
    let mut expected = [destroyed.as_str(), newer.as_str()];
    expected.sort_unstable();
    assert_eq!(left, expected, "{after:?}");
    node.restart().unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    assert_eq!(get(&mut client, gone), Ok(vec![0; 32]));
}
