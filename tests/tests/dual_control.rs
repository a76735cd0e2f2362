//! What one administrator alone cannot do: destroy a domain, or make, revoke and promote administrators.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::time::{Duration, Instant};

use admin_api::{
    AdminClient, Approvals, DomainChange, DomainState, Effect, ErrorCode, ProtectedAct, Request, RequestState, Signer,
};
use kmip::ProtocolVersion;
use kmip::payload::{GetRequest, LocateRequest};
use quorum::Approval;
use serde_json::Value;
use system_tests::asking;
use system_tests::node::{Node, Tenant};
use xtask::stage::StageOptions;

const V: ProtocolVersion = ProtocolVersion::V1_4;

fn destroy(tenant: &Tenant) -> ProtectedAct {
    ProtectedAct::DestroyDomain { domain: tenant.name.clone() }
}

fn ask(node: &Node, act: &ProtectedAct) -> Request {
    node.admin("operator").unwrap().request_ask(act, Effect::Real).unwrap()
}

fn signer(node: &Node, name: &str) -> Signer {
    Signer::from_pem(&std::fs::read(node.stage.pki().join(format!("admin/{name}.key"))).unwrap()).unwrap()
}

fn sign(node: &Node, names: &[&str], text: &str) -> Approvals {
    Approvals { approvals: names.iter().map(|name| signer(node, name).approve(text).unwrap()).collect() }
}

fn none() -> Approvals {
    Approvals { approvals: Vec::new() }
}

fn approve(node: &Node, request: &Request, name: &str) -> Request {
    let approvals = sign(node, &[name], &request.signed.request);
    node.admin(name).unwrap().request_approve(request.id, &approvals).unwrap()
}

fn execute(node: &Node, request: &Request) -> Result<Request, ErrorCode> {
    let executed = node.admin("operator").unwrap().request_execute(request.id, &none(), Effect::Real);
    executed.map_err(|error| error.code().unwrap())
}

fn state(admin: &AdminClient, domain: &str) -> DomainState {
    admin.domain_show(domain).unwrap().state
}

#[test]
fn two_officers_destroy_a_domain_and_it_stays_destroyed() {
    let mut node = Node::start().unwrap();
    let (tenant, neighbour) = (node.tenant("doomed", "anssi").unwrap(), node.tenant("other", "anssi").unwrap());
    let key = |tenant: &Tenant| {
        let mut client = node.connect(&tenant.identity).unwrap();
        client.request(V, asking::known_aes(&[7; 32], Vec::new())).unwrap().unique_identifier
    };
    let (_, kept) = (key(&tenant), key(&neighbour));
    let mut client = node.connect(&tenant.identity).unwrap();
    let operator = node.admin("operator").unwrap();
    let dry = operator.request_ask(&destroy(&tenant), Effect::DryRun).unwrap();
    assert_eq!((dry.state, dry.needed), (RequestState::Open, 2));
    assert_eq!(operator.request_list().unwrap(), []);

    let request = ask(&node, &destroy(&tenant));
    assert!(request.signed.request.contains(&format!("with name {}\n", tenant.name)));
    assert_eq!(approve(&node, &request, "officer1").state, RequestState::Open);
    assert_eq!(execute(&node, &request), Err(ErrorCode::WrongState), "one is not enough");
    // A request and its approvals outlive the process.
    node.restart().unwrap();
    let operator = node.admin("operator").unwrap();
    let approved = approve(&node, &request, "officer3");
    assert_eq!(
        (approved.state, approved.approved_by),
        (RequestState::Approved, vec!["officer1".into(), "officer3".into()])
    );
    let dry = operator.request_execute(request.id, &none(), Effect::DryRun).unwrap();
    assert_eq!((dry.state, state(&operator, &tenant.name)), (RequestState::Approved, DomainState::Active));
    let known_key = domain_key(&node, &tenant.name);
    assert_eq!(execute(&node, &request).unwrap().state, RequestState::Executed);

    assert_eq!(state(&operator, &tenant.name), DomainState::Destroyed);
    assert!(client.request(V, LocateRequest::default()).is_err());
    assert_eq!(execute(&node, &request), Err(ErrorCode::WrongState), "once");
    let again = operator.request_ask(&destroy(&tenant), Effect::Real).unwrap_err();
    assert_eq!(again.code(), Some(ErrorCode::WrongState));
    for change in DomainChange::ALL {
        let refused = operator.domain_change(&tenant.name, change, Effect::Real).unwrap_err();
        assert_eq!(refused.code(), Some(ErrorCode::WrongState), "{change:?}");
    }
    // The key blob is in no file of the store any more; the control: it was, and the neighbour's is.
    let files = |needle: &[u8]| -> usize {
        std::fs::read_dir(node.stage.store().parent().unwrap())
            .unwrap()
            .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .filter(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
            .count()
    };
    assert_eq!(files(&known_key), 0);
    assert!(files(&domain_key(&node, &neighbour.name)) > 0);

    node.restart().unwrap();
    let operator = node.admin("operator").unwrap();
    assert_eq!(state(&operator, &tenant.name), DomainState::Destroyed);
    assert!(node.connect(&tenant.identity).and_then(|mut one| Ok(one.request(V, LocateRequest::default())?)).is_err());
    let mut other = node.connect(&neighbour.identity).unwrap();
    let got = other.request(V, GetRequest::of(kept.as_str())).unwrap();
    assert_eq!(asking::bytes(&got), Some([7; 32].as_slice()));
    let log = String::from_utf8(node.export("system").unwrap()).unwrap();
    for told in ["Ask Approval", "Approve Request", "Destroy Domain"] {
        assert!(log.contains(told), "{told}");
    }
    assert!(log.contains("officer1") && log.contains("officer3"));
}

/// The wrapped Domain Key as the database has it: the part that only the HSM can make.
fn domain_key(node: &Node, name: &str) -> Vec<u8> {
    let script = format!(
        "import sqlite3,sys; c=sqlite3.connect('file:{}?mode=ro',uri=True); \
         sys.stdout.write(c.execute('select domain_key from domain where name=?',('{name}',)).fetchone()[0].hex())",
        node.stage.store().display()
    );
    let output = std::process::Command::new("python3").args(["-c", &script]).output().unwrap();
    let row = hex::decode(String::from_utf8(output.stdout).unwrap()).unwrap();
    row[53..93].to_vec()
}

#[test]
fn one_person_alone_gets_nowhere() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("kept", "anssi").unwrap();
    let operator = node.admin("operator").unwrap();
    let request = ask(&node, &destroy(&tenant));
    let text = request.signed.request.clone();
    let refused = |approvals: &Approvals| {
        operator.request_execute(request.id, approvals, Effect::Real).unwrap_err().code().unwrap()
    };
    let all_refused = |approvals: Approvals, why: &str| assert_eq!(refused(&approvals), ErrorCode::WrongState, "{why}");
    all_refused(none(), "nobody");
    all_refused(sign(&node, &["officer1"], &text), "one officer");
    all_refused(sign(&node, &["officer1", "officer1"], &text), "the same twice");
    all_refused(sign(&node, &["officer1", "operator"], &text), "an operator's approval");
    all_refused(sign(&node, &["officer1", "auditor"], &text), "an auditor's approval");
    let other = text.replace(&tenant.name, "another");
    all_refused(sign(&node, &["officer1", "officer2"], &other), "another text");
    let mut altered = sign(&node, &["officer1", "officer2"], &text);
    altered.approvals[1].signature[7] ^= 1;
    all_refused(altered, "an altered signature");
    let mut lent = sign(&node, &["officer1", "officer1"], &text);
    lent.approvals[1].fingerprint = sign(&node, &["officer2"], &text).approvals[0].fingerprint;
    all_refused(lent, "a signature under another's name");
    let stranger = certs::self_signed_vcenter_client().unwrap();
    let strange: Approval = Signer::from_pem(stranger.key_pem.as_bytes())
        .or_else(|_| {
            Signer::from_pem(certs::Authority::new("x").unwrap().issue_client("x").unwrap().key_pem.as_bytes())
        })
        .unwrap()
        .approve(&text)
        .unwrap();
    let officer = sign(&node, &["officer1"], &text).approvals.remove(0);
    all_refused(Approvals { approvals: vec![officer, strange] }, "a stranger's approval");
    // Approvals of one request are none for the next one of the same act.
    let second = ask(&node, &destroy(&tenant));
    let of_first = sign(&node, &["officer1", "officer2"], &text);
    let replayed = operator.request_execute(second.id, &of_first, Effect::Real).unwrap_err();
    assert_eq!(replayed.code(), Some(ErrorCode::WrongState));
    // Who asks may be an operator or an officer, nobody else, and there is no other way to destroy.
    let auditor = node.admin("auditor").unwrap();
    assert_eq!(auditor.request_ask(&destroy(&tenant), Effect::Real).unwrap_err().code(), Some(ErrorCode::Forbidden));
    let handed = auditor.request_execute(request.id, &sign(&node, &["officer1", "officer2"], &text), Effect::Real);
    assert_eq!(handed.unwrap_err().code(), Some(ErrorCode::Forbidden));
    // A request that was withdrawn is gone.
    operator.request_withdraw(second.id, Effect::Real).unwrap();
    assert_eq!(operator.request_show(second.id).unwrap_err().code(), Some(ErrorCode::NotFound));
    assert_eq!(state(&operator, &tenant.name), DomainState::Active);
    // The control: the same request with two officers' approvals is executed.
    operator.request_execute(request.id, &sign(&node, &["officer1", "officer2"], &text), Effect::Real).unwrap();
    assert_eq!(state(&operator, &tenant.name), DomainState::Destroyed);
}

#[test]
fn an_officer_who_was_revoked_does_not_count_any_more_and_a_quorum_stays_possible() {
    let sections = "[dual_control]\nchange_role = 3\n".to_owned();
    let node = Node::start_with(&StageOptions { sections, ..StageOptions::default() }, &[]).unwrap();
    let tenant = node.tenant("late", "anssi").unwrap();
    let operator = node.admin("operator").unwrap();
    let request = ask(&node, &destroy(&tenant));
    for officer in ["officer1", "officer2"] {
        approve(&node, &request, officer);
    }
    // With three officers and an act that needs three, none can be revoked: a quorum would be impossible.
    let revoke = ProtectedAct::RevokeAdministrator { administrator: "officer2".to_owned() };
    assert_eq!(operator.request_ask(&revoke, Effect::Real).unwrap_err().code(), Some(ErrorCode::WrongState));
    let more = certs::Authority::new("CA").unwrap().issue_client("officer4").unwrap();
    let add = ProtectedAct::AddAdministrator {
        name: "officer4".to_owned(),
        role: "officer".to_owned(),
        certificate: more.cert_pem.clone(),
    };
    let done = |act: &ProtectedAct, officers: &[&str]| {
        let request = ask(&node, act);
        for officer in officers {
            approve(&node, &request, officer);
        }
        execute(&node, &request).unwrap();
    };
    done(&add, &["officer1", "officer3"]);
    done(&revoke, &["officer1", "officer3"]);
    let all = operator.administrator_list().unwrap();
    let of = |name: &str| all.iter().find(|one| one.name == name).unwrap();
    assert!(of("officer4").approves && of("officer2").revoked && !of("officer2").approves);
    assert_eq!(node.admin("officer2").unwrap().health().map(drop).unwrap_err().code(), None, "no way in any more");
    let shown = operator.request_show(request.id).unwrap();
    assert_eq!((shown.state, shown.approved_by), (RequestState::Open, vec!["officer1".to_owned()]));
    assert_eq!(execute(&node, &request), Err(ErrorCode::WrongState));
    // A role counts when the request is executed, too.
    let demote = ProtectedAct::ChangeRole { administrator: "officer1".to_owned(), role: "auditor".to_owned() };
    assert_eq!(operator.request_ask(&demote, Effect::Real).unwrap_err().code(), Some(ErrorCode::WrongState));
    let last = ProtectedAct::RevokeAdministrator { administrator: "operator".to_owned() };
    assert_eq!(operator.request_ask(&last, Effect::Real).unwrap_err().code(), Some(ErrorCode::WrongState));
    assert_eq!(state(&operator, &tenant.name), DomainState::Active);
}

#[test]
fn a_request_that_expired_is_not_executed_however_many_approve_it() {
    let sections = "[dual_control]\nlifetime_s = 1\n".to_owned();
    let node = Node::start_with(&StageOptions { sections, ..StageOptions::default() }, &[]).unwrap();
    let tenant = node.tenant("late", "anssi").unwrap();
    let operator = node.admin("operator").unwrap();
    let request = ask(&node, &destroy(&tenant));
    let began = Instant::now();
    while operator.request_show(request.id).unwrap().state != RequestState::Expired {
        assert!(began.elapsed() < Duration::from_secs(60), "it does not expire");
    }
    let approvals = sign(&node, &["officer1", "officer2", "officer3"], &request.signed.request);
    let late = operator.request_execute(request.id, &approvals, Effect::Real).unwrap_err();
    assert_eq!(late.code(), Some(ErrorCode::WrongState), "{late}");
    assert_eq!(state(&operator, &tenant.name), DomainState::Active);
    // The next change clears it away.
    let next = ask(&node, &destroy(&tenant));
    let kept: Vec<_> = operator.request_list().unwrap().iter().map(|one| one.id).collect();
    assert_eq!(kept, [next.id]);
}

#[test]
fn a_request_goes_from_hand_to_hand_in_a_file() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("offline", "anssi").unwrap();
    node.admin("operator").unwrap().domain_change(&tenant.name, DomainChange::Freeze, Effect::Real).unwrap();
    let file = node.dir().join("request.json");
    let file = file.to_str().unwrap();
    let run = |who: &str, args: &[&str]| {
        let run = node.kmsctl(who, args).unwrap();
        (run.status.code(), run.stdout, run.stderr)
    };
    let (code, asked, told) = run("operator", &["domain", "destroy", &tenant.name, "--output", "json"]);
    assert_eq!((code, told.as_str()), (Some(0), ""));
    let asked: Value = serde_json::from_str(&asked).unwrap();
    let id = asked["id"].as_str().unwrap();
    assert_eq!(run("operator", &["request", "show", id, "--out", file]).0, Some(0));
    let (code, shown, _) = run("operator", &["request", "show", "--file", file]);
    assert_eq!(code, Some(0));
    assert!(shown.contains("act destroy-domain") && shown.contains(&format!("with name {}", tenant.name)), "{shown}");
    for officer in ["officer2", "officer3"] {
        assert_eq!(run("operator", &["request", "execute", "--file", file]).0, Some(7), "before {officer}");
        assert_eq!(run(officer, &["request", "approve", "--file", file]).0, Some(0));
    }
    let (code, would, _) = run("operator", &["request", "execute", "--file", file, "--dry-run"]);
    assert_eq!(code, Some(0));
    assert!(would.starts_with("Nothing was changed."), "{would}");
    let (code, done, told) = run("operator", &["request", "execute", "--file", file]);
    assert_eq!((code, told.as_str()), (Some(0), ""));
    assert!(done.starts_with("Executed."), "{done}");
    assert_eq!(run("operator", &["request", "execute", "--file", file]).0, Some(7), "replayed");
    assert_eq!(state(&node.admin("operator").unwrap(), &tenant.name), DomainState::Destroyed);
    assert_eq!(run("auditor", &["administrator", "list"]).0, Some(0));
}

#[test]
fn a_laboratory_of_one_officer_says_so_in_its_configuration() {
    let sections = "[dual_control]\nquorum = 1\n".to_owned();
    let node = Node::start_with(&StageOptions { sections, ..StageOptions::default() }, &[]).unwrap();
    let tenant = node.tenant("lab", "anssi").unwrap();
    let request = ask(&node, &destroy(&tenant));
    assert_eq!(execute(&node, &request), Err(ErrorCode::WrongState), "not without any");
    assert_eq!(approve(&node, &request, "officer1").state, RequestState::Approved);
    execute(&node, &request).unwrap();
    let log = String::from_utf8(node.export("system").unwrap()).unwrap();
    assert!(log.contains("destroy-domain 1"), "an auditor sees it");
}
