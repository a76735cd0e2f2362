//! What somebody did to a domain's rows is noticed, and undone from a backup: the rows come back, no destroyed key does, no revoked key
//! becomes usable, no log is shortened, and nobody does it alone.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use admin_api::{DomainChange, Effect, ErrorCode, NewBackup, ProtectedAct};
use kmip::ProtocolVersion;
use kmip::payload::{ActivateRequest, DestroyRequest, GetRequest};
use kmip::registry::ResultReason;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use system_tests::node::{Connection as Client, Node, Tenant};
use system_tests::{approving, asking};
use uuid::Uuid;
use xtask::stage::finish;

const V: ProtocolVersion = ProtocolVersion::V1_4;

/// Changes the database beside the node.
fn edit(node: &Node, statements: &[String]) {
    let path = node.stage.store();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut database = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(false)
            .connect()
            .await
            .unwrap();
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
    let ids: [String; 7] = ids.try_into().unwrap();
    let [gone, edited, destroyed, revoked, activated, late, untouched] = &ids;
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

/// Signs a request in a file with an officer's key, as on a computer that knows nothing of the node.
fn sign(node: &Node, officer: &str, request: &str) {
    let key = node.stage.pki().join(format!("admin/{officer}.key"));
    let mut command = std::process::Command::new(node.programs.path("kmsctl"));
    command.arg("--key").arg(key).args(["request", "approve", "--file", request]);
    let finished = finish(&mut command).unwrap();
    assert!(finished.status.success(), "{finished:?}");
}

#[test]
fn a_node_that_lost_its_store_gets_it_back_where_officers_approved_what_nobody_can_vouch_for() {
    let mut node = Node::start().unwrap();
    let tenant = node.tenant("kept", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let id = client.request(V, asking::known_aes(&[7; 32], Vec::new())).unwrap().unique_identifier;
    drop(client);
    let operator = node.admin("operator").unwrap();
    let alone = operator.backup_create(&NewBackup { domain: Some(tenant.name.clone()), days: 1 }).unwrap();
    let backup = operator.backup_create(&NewBackup { domain: None, days: 1 }).unwrap();
    node.stop().unwrap();
    let request = node.dir().join("request.json");
    let request = request.to_str().unwrap();
    let restore = |args: &[&str]| {
        let mut command = node.stage.command(&node.programs.path("kms-server"));
        finish(command.arg("--config").arg(node.stage.config()).arg("restore").args(args)).unwrap()
    };
    let there = restore(&[&backup.file, "--ask", request]);
    assert!(!there.status.success() && there.stderr.contains("a store already"), "{there:?}");

    let lost = node.dir().join("lost");
    std::fs::create_dir(&lost).unwrap();
    for suffix in ["", "-wal", "-shm", "-lock"] {
        let file = format!("{}{suffix}", node.stage.store().display());
        if std::path::Path::new(&file).exists() {
            std::fs::rename(&file, lost.join(format!("store{suffix}"))).unwrap();
        }
    }
    assert!(!restore(&[&alone.file, "--ask", request]).status.success(), "one domain is no store");
    let asked = restore(&[&backup.file, "--ask", request]);
    assert!(asked.status.success() && asked.stdout.contains(&id), "the key is named: {asked:?}");
    let unsigned = restore(&[&backup.file, "--request", request]);
    assert!(!unsigned.status.success() && unsigned.stderr.contains("not approved"), "{unsigned:?}");
    sign(&node, "officer1", request);
    assert!(!restore(&[&backup.file, "--request", request]).status.success(), "one officer is not two");
    assert!(!node.stage.store().exists());
    sign(&node, "officer2", request);
    let restored = restore(&[&backup.file, "--request", request]);
    assert!(restored.status.success() && restored.stdout.contains(&id), "{restored:?}");

    node.serve().unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    assert_eq!(get(&mut client, &id), Ok(vec![7; 32]));
    let log = String::from_utf8(node.export("system").unwrap()).unwrap();
    let told = log.lines().find(|line| line.contains("\"operation\":\"Restore Store\"")).unwrap();
    assert!(told.contains("officer1") && told.contains("officer2") && told.contains(&backup.id.to_string()), "{told}");
    assert_eq!(node.admin("auditor").unwrap().domain_verify(&tenant.name).unwrap().findings, []);
}

#[test]
fn a_row_put_back_or_taken_away_is_noticed_although_its_own_mac_is_right() {
    let mut node = Node::start().unwrap();
    let (tenant, doomed) = (node.tenant("edited", "anssi").unwrap(), node.tenant("doomed", "anssi").unwrap());
    let mut client = node.connect(&tenant.identity).unwrap();
    let id = client.request(V, asking::known_aes(&[7; 32], Vec::new())).unwrap().unique_identifier;
    drop(client);
    let second = certs::self_signed_vcenter_client().unwrap();
    let second = node.register(&tenant.name, &second, None).unwrap().fingerprint;
    node.stop().unwrap();
    let kept = format!("ATTACH '{}' AS kept", node.dir().join("kept.sqlite").display());
    let keep = |suffix: &str| -> Vec<String> {
        let copy = |table: &str| format!("CREATE TABLE kept.{table}{suffix} AS SELECT * FROM main.{table}");
        std::iter::once(kept.clone()).chain(["domain", "identity", "object"].map(copy)).collect()
    };
    edit(&node, &keep("_then"));
    node.serve().unwrap();
    for change in [DomainChange::Freeze, DomainChange::Thaw] {
        node.admin("officer1").unwrap().domain_change(&tenant.name, change, Effect::Real).unwrap();
    }
    node.revoke(&tenant.name, second).unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    client.request(V, ActivateRequest { unique_identifier: Some(id.as_str().into()) }).unwrap();
    drop(client);
    approving::destroy(&node, &doomed.name).unwrap();
    node.stop().unwrap();
    edit(&node, &keep("_now"));

    let of = |name: &str| format!("name = '{name}'");
    let revoked = format!("fingerprint = x'{second}'");
    let put_back = |table: &str, which: &str, when: &str| {
        vec![kept.clone(), format!("REPLACE INTO main.{table} SELECT * FROM kept.{table}_{when} WHERE {which}")]
    };
    let delete = |table: &str, which: &str| vec![format!("DELETE FROM {table} WHERE {which}")];
    // The row itself verifies: what does not fit is the digest of the set that the log told last.
    let cases = [
        ("domain", of(&tenant.name), true, "set of"),
        ("domain", of(&tenant.name), false, "the domain is not"),
        ("identity", revoked.clone(), true, "set of"),
        ("identity", revoked, false, "set of"),
        ("domain", of(&doomed.name), true, "its key is back"),
    ];
    for (table, which, back, expected) in cases {
        edit(&node, &if back { put_back(table, &which, "then") } else { delete(table, &which) });
        let refused = node.serve().unwrap_err().to_string();
        assert!(refused.contains(expected), "{table} {which} back: {back}: {refused}");
        edit(&node, &put_back(table, &which, "now"));
    }
    // The control: with every row as it was, and edited just as often, the node serves.
    node.serve().unwrap();
    assert_eq!(node.admin("auditor").unwrap().domain_verify(&tenant.name).unwrap().findings, []);
    node.stop().unwrap();
    let which = format!("id = {}", object(&id));
    for (back, what) in [(true, "is older than its last record"), (false, "is gone, but the log tells of it")] {
        edit(&node, &if back { put_back("object", &which, "then") } else { delete("object", &which) });
        node.serve().unwrap();
        // An object's row verifies by itself: the older one is answered until it is held against the log.
        let shown = node.admin("auditor").unwrap().object_show(&tenant.name, id.parse().unwrap());
        assert_eq!(shown.ok().map(|object| object.state), back.then(|| "Pre-Active".to_owned()));
        let found = node.admin("auditor").unwrap().domain_verify(&tenant.name).unwrap();
        let found: Vec<_> = found.findings.iter().filter(|one| one.table == "object").collect();
        assert!(found.len() == 1 && found[0].row == id && found[0].what == what, "{found:?}");
        node.stop().unwrap();
        edit(&node, &put_back("object", &which, "now"));
    }
}
