//! The program against a TLS server: what it prints, as a table and as JSON, what it writes, and how it ends.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "../../admin-api/tests/support/mod.rs"]
mod server;
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use certs::{Authority, Issued};
use serde_json::Value;
use server::{Request, Server, json, refusal};
use support::{Kmsctl, Run};
use tempfile::TempDir;

const ID: &str = "0197f9a0-7c1e-7b7a-9d2e-5c1f00000001";
const NEXT: &str = "0197f9a0-7c1e-7b7a-9d2e-5c1f00000002";

/// A demo PKI on disk and a server with its certificate.
struct World {
    folder: TempDir,
    server: Server,
}

impl World {
    fn serve(answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pki = folder.path().join("pki");
        certs::write_demo_pki(&pki, &["acme"]).unwrap();
        let read = |name: &str| fs::read_to_string(pki.join(name)).unwrap();
        let authority = Authority::from_pem(&read("ca.pem"), &read("ca.key")).unwrap();
        let cert_pem = read("server.pem");
        let certificate = Issued {
            cert_der: certs::certificate_der(cert_pem.as_bytes()).unwrap(),
            cert_pem,
            key_pem: read("server.key").into(),
        };
        Self { server: Server::start(&certificate, &authority, answer), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn kmsctl(&self, line: &str) -> Kmsctl {
        Kmsctl::new().args(["--server", &self.server.url, "--pki"]).arg(self.path("pki")).args(line.split_whitespace())
    }

    fn run(&self, line: &str) -> Run {
        self.kmsctl(line).run()
    }

    /// Runs with `--output json` and reads what comes.
    fn json(&self, line: &str) -> Value {
        let run = self.run(&format!("{line} --output json"));
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{line}");
        serde_json::from_str(&run.stdout).unwrap()
    }

    fn last(&self) -> Request {
        self.server.seen().last().unwrap().clone()
    }
}

fn domain(name: &str) -> String {
    format!(
        r#"{{"id":"{ID}","name":"{name}","state":"active","created":1795347000,"policy":"anssi","key_version":2,
            "objects":12,"clients":3}}"#
    )
}

fn client() -> String {
    format!(
        r#"{{"fingerprint":"{}","name":"vc-paris","subject":"CN=kmipClient20261122113000","not_after":1826883000,
            "access":{{"own":false}},"credential_demanded":false,"credentials":[{{"name":"fred","has_password":true,
            "access":{{"own":true,"operations":["Get"]}}}}],"revoked":false,"created":1795347000}}"#,
        "ab".repeat(32)
    )
}

fn object(id: &str, state: &str) -> String {
    format!(
        r#"{{"id":"{id}","object_type":"Symmetric Key","state":"{state}","algorithm":"AES","length":256,
            "usage":["Encrypt","Decrypt"],"names":["kek-1"],"dates":{{"initial":1795347000,"activation":1795347001,
            "last_change":1795347002}},"revocation":{{"code":"Superseded","message":null}},
            "attributes":[{{"name":"x-Vendor","value":"a\u001bb"}}],"owner":"{}","revision":4}}"#,
        "cd".repeat(32)
    )
}

#[test]
fn hsm_status_shows_who_is_up_and_who_served() {
    let world = World::serve(|_| {
        json(
            200,
            &format!(
                r#"{{"state":"degraded","root_of_trust":"{}","members":[
                {{"label":"PAR7S","up":false,"reason":"token is gone","last_probe_age_ms":1260,"opened":7,"sealed":3,
                  "signed":1,"failed":2,"domain_keys_held":0,"breaker":"open"}},
                {{"label":"TH3S","up":true,"reason":null,"last_probe_age_ms":null,"opened":41,"sealed":12,"signed":0,
                  "failed":0,"domain_keys_held":5,"breaker":"closed"}},
                {{"label":"AZ07","up":false,"reason":"wrong PIN","last_probe_age_ms":40,"opened":0,"sealed":0,"signed":0,
                  "failed":1,"domain_keys_held":0,"breaker":"stopped"}}]}}"#,
                "0f".repeat(32)
            ),
        )
    });
    let run = world.run("hsm status");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let expected = format!(
        "\
group          degraded
root of trust  {}

MEMBER  STATE  BREAKER  LAST PROBE  OPENED  SEALED  SIGNED  FAILED  DOMAIN KEYS  REASON
PAR7S   down   open     1.2 s ago   7       3       1       2       0            token is gone
TH3S    up     closed   never       41      12      0       0       5
AZ07    down   stopped  0.0 s ago   0       0       0       1       0            wrong PIN
",
        "0f".repeat(32)
    );
    assert_eq!(run.stdout, expected);
    assert_eq!(world.json("hsm status")["members"][1]["opened"], 41);
    assert_eq!(world.json("hsm status")["members"][2]["breaker"], "stopped");
}

#[test]
fn domains_are_made_listed_and_shown() {
    let world = World::serve(|request| match (request.method.as_str(), request.target.as_str()) {
        ("GET", "/v1/domains") => json(200, &format!("[{},{}]", domain("acme"), domain("boreal"))),
        ("POST", _) => json(201, &domain("acme")),
        _ => json(200, &domain("acme")),
    });
    let expected = format!(
        "\
NAME    STATE   POLICY  KEY  OBJECTS  CLIENTS  CREATED               ID
acme    active  anssi   v2   12       3        2026-11-22T11:30:00Z  {ID}
boreal  active  anssi   v2   12       3        2026-11-22T11:30:00Z  {ID}
"
    );
    assert_eq!(world.run("domain list").stdout, expected);
    let made = world.run("domain create acme --policy legacy");
    assert_eq!(made.code, 0);
    assert_eq!(world.last().body, br#"{"name":"acme","policy":"legacy"}"#);
    assert_eq!(world.last().header("content-type"), Some("application/json"));
    assert!(made.stdout.starts_with("name         acme\nid           "), "{}", made.stdout);
    assert_eq!(world.json("domain show acme")["key_version"], 2);
    assert_eq!(world.last().target, "/v1/domains/acme");
}

#[test]
fn a_verification_that_found_something_ends_with_six_and_shows_what() {
    let whole = World::serve(|_| json(200, r#"{"objects":12,"records":40,"found":0,"findings":[]}"#));
    let run = whole.run("domain verify acme");
    assert_eq!((run.code, run.stdout.as_str()), (0, "objects   12\nrecords   40\nfindings  0\n"));
    assert_eq!(whole.last().target, "/v1/domains/acme/verify");
    let edited = World::serve(|_| {
        let finding = format!(r#"{{"table":"object","row":"{ID}","what":"is older than its last record"}}"#);
        json(200, &format!(r#"{{"objects":12,"records":40,"found":2,"findings":[{finding},{finding}]}}"#))
    });
    let run = edited.run("domain verify system");
    let told = "kmsctl: not verified: 2 findings: the database is not what the node wrote\n";
    assert_eq!((run.code, run.stderr.as_str()), (6, told));
    assert!(run.stdout.ends_with(&format!("object  {ID}  is older than its last record\n")), "{}", run.stdout);
    let run = edited.run("domain verify system --output json");
    assert_eq!((run.code, serde_json::from_str::<Value>(&run.stdout).unwrap()["found"].as_u64()), (6, Some(2)));
}

#[test]
fn a_client_is_registered_with_its_credential_and_the_password_is_not_printed() {
    let world = World::serve(|_| json(201, &client()));
    fs::write(world.path("password"), "correct horse\nsecond line\n").unwrap();
    let certificate = world.path("pki/acme/client.pem");
    let run = world
        .kmsctl("client register acme --name vc-paris --username vc --password-file")
        .arg(world.path("password"))
        .arg(&certificate)
        .run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(!run.stdout.contains("horse"));
    let sent: Value = serde_json::from_slice(&world.last().body).unwrap();
    assert_eq!(sent["credential"]["password"], "correct horse");
    assert_eq!(sent["certificate"], fs::read_to_string(certificate).unwrap());
    assert_eq!(sent["name"], "vc-paris");

    let list = World::serve(|_| json(200, &format!("[{}]", client()))).run("client list acme").stdout;
    let expected = format!(
        "\
NAME      REVOKED  CREDENTIALS  NOT AFTER             CREATED               FINGERPRINT{0}  SUBJECT
vc-paris  no       1            2027-11-22T11:30:00Z  2026-11-22T11:30:00Z  {1}  CN=kmipClient20261122113000
",
        " ".repeat(64 - 11),
        "ab".repeat(32)
    );
    assert_eq!(list, expected);
}

#[test]
fn a_user_or_device_is_added_shown_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    fs::write(&password, "correct horse\n").unwrap();
    let world = World::serve(|request| match request.method.as_str() {
        "GET" => json(200, &format!("[{}]", client())),
        _ => json(200, &client()),
    });
    let fingerprint = "ab".repeat(32);
    let path = format!("/v1/domains/acme/clients/{fingerprint}");
    let add = format!("client credential add acme {fingerprint}");
    let run = world
        .run(&format!("{add} --username fred --password-file {} --own --operations Get,Locate", password.display()));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let sent: Value = serde_json::from_slice(&world.last().body).unwrap();
    assert_eq!(
        sent,
        serde_json::json!({"username": "fred", "password": "correct horse",
                           "access": {"own": true, "operations": ["Get", "Locate"]}})
    );
    assert_eq!(world.last().target, format!("{path}/credentials"));
    assert_eq!(world.run(&format!("{add} --serial-number s1 --media-identifier m1")).code, 0);
    let sent: Value = serde_json::from_slice(&world.last().body).unwrap();
    assert_eq!(sent["device"], serde_json::json!({"serial_number": "s1", "media": "m1"}));
    for wrong in ["", "--username fred", "--username fred --serial-number s1"] {
        assert_eq!(world.run(&format!("{add} {wrong}")).code, 2, "{wrong}");
    }
    let list = world.run(&format!("client credential list acme {fingerprint}")).stdout;
    assert_eq!(list, "NAME  KIND  PASSWORD  REACHES\nfred  user  yes       what it makes itself, by Get\n");
    assert_eq!(world.run(&format!("client credential remove acme {fingerprint} fred")).code, 0);
    assert_eq!((world.last().method, world.last().target), ("DELETE".to_owned(), format!("{path}/credentials/fred")));
    assert_eq!(world.run(&format!("client access acme {fingerprint} --credential-demanded")).code, 0);
    let sent: Value = serde_json::from_slice(&world.last().body).unwrap();
    assert_eq!(sent, serde_json::json!({"access": {"own": false}, "credential_demanded": true}));
}

#[test]
fn an_issued_key_is_in_a_private_file_and_nowhere_else() {
    let answer = |key: &str| format!(r#"{{"client":{},"certificate":"CERT\n"{key},"authority":"CA\n"}}"#, client());
    let with_key = answer(r#","private_key":"THE KEY\n""#);
    let world = World::serve(move |request| {
        let by_request = String::from_utf8_lossy(&request.body).contains("csr");
        json(201, if by_request { "null" } else { &with_key })
    });
    let run = world.kmsctl("client issue acme backup --output json --out").arg(world.path("backup.v1")).run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(!run.stdout.contains("THE KEY"));
    let key = world.path("backup.v1.key");
    assert_eq!(fs::read_to_string(&key).unwrap(), "THE KEY\n");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(world.path("backup.v1.pem")).unwrap(), "CERT\n");
    assert_eq!(fs::read_to_string(world.path("backup.v1.ca.pem")).unwrap(), "CA\n");
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(told["private_key"], key.to_str().unwrap());

    // What exists is not written over, and the server is not asked for a key that nobody could keep.
    let asked = world.server.seen().len();
    let again = world.kmsctl("client issue acme backup --out").arg(world.path("backup.v1")).run();
    assert_eq!((again.code, world.server.seen().len()), (2, asked));

    let world = World::serve(move |_| json(201, &answer("")));
    fs::write(world.path("host.csr"), "CSR").unwrap();
    let run = world
        .kmsctl("client issue acme host --csr")
        .arg(world.path("host.csr"))
        .arg("--out")
        .arg(world.path("host"))
        .run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(world.path("host.pem").exists() && !world.path("host.key").exists());
    assert!(
        fs::read_dir(world.folder.path())
            .unwrap()
            .all(|entry| { !entry.unwrap().file_name().to_string_lossy().ends_with(".part") })
    );
}

#[test]
fn objects_are_collected_over_pages() {
    let world = World::serve(|request| match request.target.contains(&format!("after={ID}")) {
        false => json(200, &format!(r#"{{"objects":[{}],"next":"{ID}"}}"#, object(ID, "Active"))),
        true => json(200, &format!(r#"{{"objects":[{}],"next":null}}"#, object(NEXT, "Destroyed"))),
    });
    let expected = format!(
        "\
ID                                    TYPE           STATE      ALGORITHM  LENGTH  CREATED               NAMES
{ID}  Symmetric Key  Active     AES        256     2026-11-22T11:30:00Z  kek-1
{NEXT}  Symmetric Key  Destroyed  AES        256     2026-11-22T11:30:00Z  kek-1
"
    );
    assert_eq!(world.run("object list acme").stdout, expected);
    let first = world.run("object list acme --limit 1").stdout;
    assert!(first.ends_with(&format!("There are more: --after {ID}\n")), "{first}");
    assert_eq!(world.last().target, "/v1/domains/acme/objects?limit=1");
    assert_eq!(world.json(&format!("object list acme --after {ID}"))["objects"][0]["id"], NEXT);
}

#[test]
fn an_object_is_shown_whole_and_cannot_move_the_cursor() {
    let world = World::serve(|_| json(200, &object(ID, "Deactivated")));
    let expected = format!(
        "\
id                 {ID}
type               Symmetric Key
state              Deactivated
algorithm          AES
length             256 bits
usage              Encrypt, Decrypt
owner              {}
revision           4
name               kek-1
initial date       2026-11-22T11:30:00Z
activation date    2026-11-22T11:30:01Z
last change date   2026-11-22T11:30:02Z
revocation reason  Superseded
x-Vendor           a b
",
        "cd".repeat(32)
    );
    assert_eq!(world.run(&format!("object show acme {ID}")).stdout, expected);
}

#[test]
fn a_dry_run_says_so_to_the_server_and_to_the_reader() {
    let world = World::serve(|request| match request.target.contains("/clients/") {
        true => json(200, &client()),
        false => json(200, &object(ID, "Destroyed")),
    });
    let object = format!("/v1/domains/acme/objects/{ID}");
    let fingerprint = "ab".repeat(32);
    let lines = [
        (format!("object destroy acme {ID}"), format!("DELETE {object}")),
        (format!("object revoke acme {ID} --reason superseded"), format!("POST {object}/revoke")),
        (format!("client revoke acme {fingerprint}"), format!("DELETE /v1/domains/acme/clients/{fingerprint}")),
    ];
    for (line, target) in lines {
        let run = world.run(&line);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(!run.stdout.contains("Nothing was changed"), "{}", run.stdout);
        let sent = |world: &World| format!("{} {}", world.last().method, world.last().target);
        assert_eq!(sent(&world), target);
        let run = world.run(&format!("{line} --dry-run"));
        assert!(run.stdout.starts_with("Nothing was changed. "), "{}", run.stdout);
        assert_eq!(sent(&world), target + "?dry_run=true");
    }
}

#[test]
fn a_revocation_carries_reason_message_and_date() {
    let world = World::serve(|_| json(200, &object(ID, "Compromised")));
    let line = format!("object revoke acme {ID} --reason key-compromise --occurred 2026-11-22T12:30:00+01:00");
    assert_eq!(world.kmsctl(&line).args(["--message", "laptop stolen"]).run().code, 0);
    let sent: Value = serde_json::from_slice(&world.last().body).unwrap();
    assert_eq!(sent["reason"], "key_compromise");
    assert_eq!((&sent["message"], &sent["compromise_occurrence"]), (&"laptop stolen".into(), &1_795_347_000.into()));
    let asked = world.server.seen().len();
    let wrong = world.run(&format!("object revoke acme {ID} --reason superseded --occurred 2026-11-22T12:30:00Z"));
    assert_eq!((wrong.code, world.server.seen().len()), (2, asked));
}

#[test]
fn an_export_appears_only_when_it_is_whole() {
    let world = World::serve(|request| match request.target.as_str() {
        "/v1/domains/acme/audit" => {
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nline\n\r\n0\r\n\r\n".to_vec()
        }
        _ => b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nline\n\r\n".to_vec(),
    });
    let file = world.path("acme.jsonl");
    let run = world.kmsctl("audit export acme --output json --to").arg(&file).run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(fs::read_to_string(&file).unwrap(), "line\n");
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap()["bytes"], 5);
    assert_eq!(world.run("audit export acme").stdout, "line\n");
    let broken = world.kmsctl("audit export boreal --to").arg(world.path("boreal.jsonl")).run();
    assert_eq!(broken.code, 5, "{}", broken.stderr);
    assert!(!world.path("boreal.jsonl").exists());
    // A whole export from before is not lost to a broken one.
    let broken = world.kmsctl("audit export boreal --to").arg(&file).run();
    assert_eq!((broken.code, fs::read_to_string(&file).unwrap().as_str()), (5, "line\n"));
}

#[test]
fn checkpoints_and_keys_are_printed_as_the_verifier_reads_them() {
    let world = World::serve(|request| match request.target.as_str() {
        "/v1/trust-anchor" => json(
            200,
            &format!(
                r#"{{"root_of_trust":"{}","checkpoint_keys":[{{"member":"PAR7S","verifier_key":"clavis/k+00+A="}}]}}"#,
                "0f".repeat(32)
            ),
        ),
        _ => json(200, r#"{"log":"system","size":3,"note":"origin\n3\nroot\n\n— sig\n"}"#),
    });
    assert_eq!(world.run("audit checkpoint system").stdout, "origin\n3\nroot\n\n— sig\n");
    let keys = world.run("audit keys").stdout;
    assert!(keys.lines().all(|line| line.starts_with('#') || line == "clavis/k+00+A="), "{keys}");
    assert!(keys.contains("\n# PAR7S\nclavis/k+00+A=\n"), "{keys}");
}

#[test]
fn health_that_is_not_well_ends_with_eight_and_still_shows_why() {
    let health = |state: &str| {
        json(
            200,
            &format!(
                r#"{{"state":"{state}","node":"{ID}","version":"0.1.0","started":1795347000,"checks":[
                   {{"name":"hsm","state":"{state}","detail":"PAR7S is down"}}]}}"#
            ),
        )
    };
    let well = World::serve(move |_| health("ok"));
    assert_eq!(well.run("health").code, 0);
    let ill = World::serve(move |_| health("degraded"));
    let run = ill.run("health");
    assert_eq!((run.code, run.stderr.as_str()), (8, "kmsctl: the node is degraded\n"));
    assert!(run.stdout.ends_with("CHECK  STATE     DETAIL\nhsm    degraded  PAR7S is down\n"), "{}", run.stdout);
    assert_eq!(ill.run("health --output json").code, 8);
}

#[test]
fn each_kind_of_failure_has_its_exit_code_and_one_line() {
    let world = World::serve(|request| match request.target.rsplit('/').next().unwrap() {
        "absent" => refusal(404, "not_found", "no such domain"),
        "forbidden" => refusal(403, "forbidden", "an auditor may not"),
        "stranger" => refusal(401, "unauthenticated", "not an administrator"),
        "taken" => refusal(409, "conflict", "the name is taken"),
        "state" => refusal(409, "wrong_state", "it is Active"),
        "busy" => refusal(503, "unavailable", "no HSM"),
        "bad" => refusal(400, "bad_request", "two\\nlines"),
        "broken" => refusal(500, "internal", "internal error"),
        _ => json(200, "17"),
    });
    for (name, code, text) in [
        ("absent", 3, "no such domain (not_found)"),
        ("forbidden", 4, "an auditor may not (forbidden)"),
        ("stranger", 4, "not an administrator (unauthenticated)"),
        ("taken", 7, "the name is taken (conflict)"),
        ("state", 7, "it is Active (wrong_state)"),
        ("busy", 5, "no HSM (unavailable)"),
        ("bad", 2, "twolines (bad_request)"),
        ("broken", 1, "internal error (internal)"),
        ("number", 1, "unexpected answer: its JSON does not fit"),
    ] {
        let run = world.run(&format!("domain show {name}"));
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{name}: {}", run.stderr);
        assert!(run.stderr.starts_with(&format!("kmsctl: {text}")), "{}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    }
}

#[test]
fn wrong_use_ends_with_two_in_one_line() {
    let world = World::serve(|_| json(200, "[]"));
    let lines = [
        "",
        "domain",
        "domain create",
        "domain create a/b",
        "domain create system",
        "domain list --output xml",
        "domain list extra",
        "object show acme not-an-id",
        "object list acme --limit 0",
        "object destroy acme",
        "client revoke acme 00",
        "client register acme absent.pem",
        "client register acme absent.pem --username u",
        "domain list --as nobody",
        "domain list --as ../operator",
        "domain list --timeout 0",
        "domain list --server http://127.0.0.1:1",
        "verify bundle absent.jsonl --keys absent.keys",
    ];
    for line in lines {
        let run = world.run(line);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{line}: {}", run.stderr);
        assert!(run.stderr.starts_with("kmsctl: ") && run.stderr.lines().count() == 1, "{line}: {}", run.stderr);
    }
    assert!(world.server.seen().is_empty());
    let bare = Kmsctl::new().args(["domain", "list"]).run();
    assert!(bare.code == 2 && bare.stderr.contains("--pki"), "{}", bare.stderr);
}

#[test]
fn the_environment_stands_in_for_flags_and_flags_win() {
    let world = World::serve(|_| json(200, "[]"));
    let from_environment = || {
        Kmsctl::new()
            .envs([
                ("CLAVIS_ADMIN_URL", world.server.url.clone().into()),
                ("CLAVIS_PKI", world.path("pki").into()),
                ("CLAVIS_AS", "auditor".into()),
            ])
            .args(["domain", "list"])
    };
    let certificate = |name: &str| certs::certificate_der(&fs::read(world.path(name)).unwrap()).unwrap();
    assert_eq!(from_environment().run().code, 0);
    assert_eq!(world.last().client, certificate("pki/admin/auditor.pem"));
    assert_eq!(from_environment().args(["--as", "officer1"]).run().code, 0);
    assert_eq!(world.last().client, certificate("pki/admin/officer1.pem"));
    let run = Kmsctl::new()
        .args(["domain", "list", "--server", &world.server.url, "--ca"])
        .arg(world.path("pki/ca.pem"))
        .arg("--cert")
        .arg(world.path("pki/acme/client.pem"))
        .arg("--key")
        .arg(world.path("pki/acme/client.key"))
        .run();
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(world.last().client, certificate("pki/acme/client.pem"));
}

#[test]
fn nobody_there_ends_with_five() {
    let world = World::serve(|_| json(200, "[]"));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let run = Kmsctl::new()
        .args(["domain", "list", "--server", &format!("https://127.0.0.1:{port}"), "--pki"])
        .arg(world.path("pki"))
        .run();
    assert_eq!(run.code, 5, "{}", run.stderr);
    let other = tempfile::tempdir().unwrap();
    certs::write_demo_pki(other.path(), &[]).unwrap();
    let run = Kmsctl::new().args(["domain", "list", "--server", &world.server.url, "--pki"]).arg(other.path()).run();
    assert_eq!(run.code, 5, "an impostor is not the server: {}", run.stderr);
    let run = Kmsctl::new()
        .args(["domain", "list", "--server", &world.server.url, "--ca"])
        .arg(world.path("pki/ca.pem"))
        .arg("--pki")
        .arg(other.path())
        .run();
    assert_eq!(run.code, 4, "a stranger is refused: {}", run.stderr);
}
