//! The admin API of a running node: who may do what, what an act does to the tenants, and that each act is told of.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;

use admin_api::{
    Access, AdminClient, ClientAccess, ClientError, Effect, ErrorCode, Fingerprint, IssueClient, NewCredential,
    NewDomain, NewHold, NewRetention, ProtectedAct, RegisterClient, RevocationReason, RevokeObject, SecretText,
};
use kmip::ProtocolVersion;
use kmip::payload::{ActivateRequest, GetAttributesRequest, GetRequest};
use kmip::registry::ResultReason;
use system_tests::asking::aes;
use system_tests::exported::records;
use system_tests::node::{Node, Tenant};
use uuid::Uuid;

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;
const NOBODY: &str = "01890000-0000-7000-8000-000000000000";

/// Every call of the admin API, on a tenant of its own with one active key.
struct Calls {
    tenant: Tenant,
    key: Uuid,
}

/// Name, who may (operator, officer, auditor), and the call.
type Call<'a> = (&'static str, [bool; 3], Box<dyn Fn(&AdminClient) -> Result<(), ClientError> + 'a>);

impl Calls {
    fn on(node: &Node) -> Self {
        let tenant = node.tenant("admin", "anssi").unwrap();
        let key = active_key(node, &tenant);
        Self { tenant, key }
    }

    /// The table. An act that is allowed is done; so the acts are in an order in which each can be.
    fn all(&self) -> Vec<Call<'_>> {
        let domain = self.tenant.name.as_str();
        let new_name = format!("{domain}-new");
        let certificate = certs::self_signed_vcenter_client().unwrap();
        let fingerprint = Fingerprint(certs::spki_fingerprint(&certificate.cert_der).unwrap());
        let register = RegisterClient { certificate: certificate.cert_pem, name: None, credential: None };
        let issue = IssueClient { name: "issued".to_owned(), csr: None, credential: None };
        let revoke = RevokeObject { reason: RevocationReason::Superseded, message: None, compromise_occurrence: None };
        let everybody = [true; 3];
        let operator = [true, false, false];
        let (of_objects, of_audit) = ([true, true, false], [true, false, true]);
        vec![
            ("health", everybody, Box::new(|admin| admin.health().map(drop))),
            ("hsm_status", everybody, Box::new(|admin| admin.hsm_status().map(drop))),
            ("trust_anchor", everybody, Box::new(|admin| admin.trust_anchor().map(drop))),
            ("domain_list", everybody, Box::new(|admin| admin.domain_list().map(drop))),
            ("domain_show", everybody, Box::new(move |admin| admin.domain_show(domain).map(drop))),
            ("client_list", everybody, Box::new(move |admin| admin.client_list(domain).map(drop))),
            ("object_list", everybody, Box::new(move |admin| admin.object_list(domain, None, None).map(drop))),
            ("object_show", everybody, Box::new(move |admin| admin.object_show(domain, self.key).map(drop))),
            ("administrator_list", everybody, Box::new(|admin| admin.administrator_list().map(drop))),
            ("request_list", everybody, Box::new(|admin| admin.request_list().map(drop))),
            (
                "request_ask",
                of_objects,
                Box::new(move |admin| {
                    let act = ProtectedAct::DestroyDomain { domain: domain.to_owned() };
                    admin.request_ask(&act, Effect::DryRun).map(drop)
                }),
            ),
            (
                "domain_create",
                operator,
                Box::new(move |admin| {
                    admin
                        .domain_create(&NewDomain { name: new_name.clone(), policy: None, allow: Vec::new() })
                        .map(drop)
                }),
            ),
            ("client_register", operator, Box::new(move |admin| admin.client_register(domain, &register).map(drop))),
            ("client_issue", operator, Box::new(move |admin| admin.client_issue(domain, &issue).map(drop))),
            (
                "client_revoke",
                operator,
                Box::new(move |admin| admin.client_revoke(domain, fingerprint, Effect::Real).map(drop)),
            ),
            (
                "object_revoke",
                of_objects,
                Box::new(move |admin| admin.object_revoke(domain, self.key, &revoke, Effect::Real).map(drop)),
            ),
            (
                "object_destroy",
                of_objects,
                Box::new(move |admin| admin.object_destroy(domain, self.key, Effect::Real).map(drop)),
            ),
            ("audit_export", of_audit, Box::new(move |admin| admin.audit_export(domain, &mut Vec::new()).map(drop))),
            ("audit_checkpoint", of_audit, Box::new(move |admin| admin.audit_checkpoint(domain).map(drop))),
        ]
    }
}

fn active_key(node: &Node, tenant: &Tenant) -> Uuid {
    let mut connection = node.connect(&tenant.identity).unwrap();
    let id = connection.request(V1_4, aes(Vec::new())).unwrap().unique_identifier;
    connection.request(V1_4, ActivateRequest::of(&id)).unwrap();
    id.parse().unwrap()
}

#[test]
fn each_role_may_do_what_the_table_says_and_nothing_else() {
    let node = Node::start().unwrap();
    for (column, name) in ["operator", "officer1", "auditor"].into_iter().enumerate() {
        let admin = node.admin(name).unwrap();
        let calls = Calls::on(&node);
        for (call, allowed, perform) in calls.all() {
            match perform(&admin) {
                Ok(()) => assert!(allowed[column], "{name} may not {call}"),
                Err(error) if allowed[column] => panic!("{name} may {call}: {error}"),
                Err(error) => assert_eq!(error.code(), Some(ErrorCode::Forbidden), "{name}, {call}: {error}"),
            }
        }
    }
}

#[test]
fn who_is_no_administrator_gets_nothing() {
    let node = Node::start().unwrap();
    let calls = Calls::on(&node);
    let url = format!("https://{}", node.addresses().unwrap().admin);
    let authority = std::fs::read(node.stage.pki().join("ca.pem")).unwrap();
    let stranger = certs::self_signed_vcenter_client().unwrap();
    let colleague = certs::Authority::new("CA").unwrap().issue_client("operator").unwrap();
    // A stranger, somebody with an administrator's name, and a tenant's own KMIP client.
    for identity in [&stranger, &colleague, &calls.tenant.identity] {
        let admin =
            AdminClient::new(&url, &authority, identity.cert_pem.as_bytes(), identity.key_pem.as_bytes()).unwrap();
        for (call, _, perform) in calls.all() {
            let error = perform(&admin).unwrap_err();
            let code = error.code();
            assert!(code.is_none() || code == Some(ErrorCode::Unauthenticated), "{call}: {error}");
        }
    }
}

#[test]
fn a_dry_run_says_what_would_be_and_changes_nothing() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("admin", "anssi").unwrap();
    let key = active_key(&node, &tenant);
    let admin = node.admin("officer1").unwrap();
    let before = admin.object_show(&tenant.name, key).unwrap();
    let revoke = RevokeObject { reason: RevocationReason::KeyCompromise, message: None, compromise_occurrence: None };
    let would_be = admin.object_revoke(&tenant.name, key, &revoke, Effect::DryRun).unwrap();
    assert_eq!(would_be.state, "Compromised");
    // What would be refused is refused: an active key is not destroyed.
    let refused = admin.object_destroy(&tenant.name, key, Effect::DryRun).unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::WrongState));
    let fingerprint = Fingerprint(certs::spki_fingerprint(&tenant.identity.cert_der).unwrap());
    let client = node.admin("operator").unwrap().client_revoke(&tenant.name, fingerprint, Effect::DryRun).unwrap();
    assert!(client.revoked, "as it would be");
    assert_eq!(admin.object_show(&tenant.name, key).unwrap(), before);
    node.connect(&tenant.identity).unwrap().request(V1_4, GetRequest::of(key.to_string())).unwrap();
}

#[test]
fn what_loosens_or_takes_away_can_be_rehearsed() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("rehearsed", "anssi").unwrap();
    let (operator, officer) = (node.admin("operator").unwrap(), node.admin("officer1").unwrap());
    let domain = tenant.name.as_str();
    let user = NewCredential {
        username: Some("fred".to_owned()),
        device: None,
        password: Some(SecretText::new("a long password".to_owned())),
        access: Access::default(),
    };
    operator.credential_add(domain, tenant.client, &user).unwrap();
    officer.hold_set(domain, &NewHold { name: "case 7".to_owned(), reason: "a court".to_owned() }).unwrap();
    let request =
        operator.request_ask(&ProtectedAct::DestroyDomain { domain: domain.to_owned() }, Effect::Real).unwrap().id;
    let all = || {
        let clients = operator.client_list(domain).unwrap();
        (clients, officer.retention(domain).unwrap(), operator.request_list().unwrap())
    };
    let before = all();

    let left = operator.credential_remove(domain, tenant.client, "fred", Effect::DryRun).unwrap();
    assert!(left.credentials.is_empty(), "as it would be");
    let demanded = ClientAccess { credential_demanded: true, ..ClientAccess::default() };
    assert!(
        operator.client_access(domain, tenant.client, &demanded, Effect::DryRun).unwrap().alone.credential_demanded
    );
    let short = NewRetention { days: Some(30), reason: Some("a pilot".to_owned()) };
    assert_eq!(officer.retention_set(domain, &short, Effect::DryRun).unwrap().days, 30);
    assert!(officer.hold_lift(domain, "case 7", Effect::DryRun).unwrap().holds.is_empty());
    assert_eq!(operator.request_withdraw(request, Effect::DryRun).unwrap().id, request);
    assert_eq!(all(), before);

    // What would be refused is refused.
    let code = |refused: ClientError| refused.code().unwrap();
    let missing = operator.credential_remove(domain, tenant.client, "bea", Effect::DryRun).unwrap_err();
    assert_eq!(code(missing), ErrorCode::NotFound);
    assert_eq!(code(officer.hold_lift(domain, "case 8", Effect::DryRun).unwrap_err()), ErrorCode::NotFound);
    assert_eq!(code(operator.hold_lift(domain, "case 7", Effect::DryRun).unwrap_err()), ErrorCode::Forbidden);
    assert_eq!(code(operator.request_withdraw(Uuid::nil(), Effect::DryRun).unwrap_err()), ErrorCode::NotFound);
    // The log tells of each rehearsal, and that it was one.
    let told =
        |log: &str| String::from_utf8(node.export(log).unwrap()).unwrap().matches("dry run: nothing changed").count();
    assert_eq!((told(domain), told("system")), (4, 1));

    // The control: the same for real changes each of them.
    assert!(operator.credential_remove(domain, tenant.client, "fred", Effect::Real).unwrap().credentials.is_empty());
    operator.client_access(domain, tenant.client, &demanded, Effect::Real).unwrap();
    officer.retention_set(domain, &short, Effect::Real).unwrap();
    officer.hold_lift(domain, "case 7", Effect::Real).unwrap();
    operator.request_withdraw(request, Effect::Real).unwrap();
    let after = all();
    assert!(after.0 != before.0 && after.1 != before.1 && after.2 != before.2);
}

#[test]
fn what_an_administrator_does_to_a_key_its_tenant_sees() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("admin", "anssi").unwrap();
    let key = active_key(&node, &tenant);
    let id = key.to_string();
    let admin = node.admin("officer1").unwrap();
    let mut connection = node.connect(&tenant.identity).unwrap();
    let state = |connection: &mut system_tests::node::Connection| {
        let answer = connection.request(V1_4, GetAttributesRequest::of(&id, &["State"])).unwrap();
        format!("{:?}", answer.attributes[0].value)
    };
    let revoke = RevokeObject {
        reason: RevocationReason::CessationOfOperation,
        message: Some("the tenant asked for it".to_owned()),
        compromise_occurrence: None,
    };
    assert_eq!(admin.object_revoke(&tenant.name, key, &revoke, Effect::Real).unwrap().state, "Deactivated");
    assert_eq!(state(&mut connection), "State(Deactivated)");
    connection.request(V1_4, GetRequest::of(&id)).unwrap();
    assert_eq!(admin.object_destroy(&tenant.name, key, Effect::Real).unwrap().state, "Destroyed");
    let refused = connection.request(V1_4, GetRequest::of(&id)).unwrap_err();
    assert_eq!(refused.reason(), Some(ResultReason::ItemNotFound));
    assert_eq!(state(&mut connection), "State(Destroyed)");
}

#[test]
fn an_object_is_found_in_its_own_domain_only() {
    let node = Node::start().unwrap();
    let (one, other) = (node.tenant("admin", "anssi").unwrap(), node.tenant("admin", "anssi").unwrap());
    let key = active_key(&node, &one);
    let admin = node.admin("operator").unwrap();
    let revoke = RevokeObject { reason: RevocationReason::Superseded, message: None, compromise_occurrence: None };
    for id in [key, NOBODY.parse().unwrap()] {
        assert_eq!(admin.object_show(&other.name, id).unwrap_err().code(), Some(ErrorCode::NotFound));
        let refused = admin.object_revoke(&other.name, id, &revoke, Effect::Real).unwrap_err();
        assert_eq!(refused.code(), Some(ErrorCode::NotFound));
        let refused = admin.object_destroy(&other.name, id, Effect::Real).unwrap_err();
        assert_eq!(refused.code(), Some(ErrorCode::NotFound));
    }
    assert!(admin.object_list(&other.name, None, None).unwrap().objects.is_empty());
    assert_eq!(admin.object_show(&one.name, key).unwrap().state, "Active");
}

#[test]
fn names_and_certificates_are_given_once() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("admin", "anssi").unwrap();
    let other = node.tenant("admin", "anssi").unwrap();
    let admin = node.admin("operator").unwrap();
    let again = NewDomain { name: tenant.name.clone(), policy: Some("legacy".to_owned()), allow: Vec::new() };
    assert_eq!(admin.domain_create(&again).unwrap_err().code(), Some(ErrorCode::Conflict));
    assert_eq!(admin.domain_show(&tenant.name).unwrap().policy, "anssi", "and nothing is changed");
    // A key belongs to one domain: else a client could be taken for another tenant's.
    let certificate = tenant.identity.cert_pem.clone();
    let register = RegisterClient { certificate, name: None, credential: None };
    for domain in [&tenant.name, &other.name] {
        let refused = admin.client_register(domain, &register).unwrap_err();
        assert_eq!(refused.code(), Some(ErrorCode::Conflict), "{domain}");
    }
    for (name, policy) in [("", None), ("system", None), (NOBODY, None), ("ok", Some("none"))] {
        let domain = NewDomain { name: name.to_owned(), policy: policy.map(str::to_owned), allow: Vec::new() };
        assert!(admin.domain_create(&domain).is_err(), "{name:?} {policy:?}");
    }
}

#[test]
fn every_page_together_is_every_object_once() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("admin", "anssi").unwrap();
    let mut connection = node.connect(&tenant.identity).unwrap();
    let made: BTreeSet<String> =
        (0..23).map(|_| connection.request(V1_4, aes(Vec::new())).unwrap().unique_identifier).collect();
    let admin = node.admin("auditor").unwrap();
    let (mut after, mut found, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = admin.object_list(&tenant.name, after, Some(5)).unwrap();
        assert!(page.objects.len() <= 5);
        found.extend(page.objects.iter().map(|object| object.id.to_string()));
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(pages, 5);
    assert_eq!(found.len(), made.len());
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), made);
}

#[test]
fn every_act_and_every_refusal_is_in_the_log_with_who_it_was() {
    let node = Node::start().unwrap();
    let calls = Calls::on(&node);
    let (operator, auditor) = (node.admin("operator").unwrap(), node.admin("auditor").unwrap());
    let revoke = RevokeObject { reason: RevocationReason::Superseded, message: None, compromise_occurrence: None };
    auditor.object_revoke(&calls.tenant.name, calls.key, &revoke, Effect::Real).unwrap_err();
    operator.object_revoke(&calls.tenant.name, calls.key, &revoke, Effect::Real).unwrap();
    let told = |log: &str| -> Vec<(String, String, audit::Outcome)> {
        let records = records(&node, log).unwrap();
        let by_admin = records.into_iter().filter_map(|record| match record.identity {
            audit::Identity::Admin { name, .. } => Some((name, record.operation, record.outcome)),
            _ => None,
        });
        by_admin.collect()
    };
    let everything: Vec<_> = told(&calls.tenant.name).into_iter().chain(told("system")).collect();
    let told = |name: &str, operation: &str, outcome: audit::Outcome| {
        everything.iter().any(|(who, what, how)| who == name && what == operation && *how == outcome)
    };
    for operation in ["Create Domain", "Register Client", "Revoke"] {
        assert!(told("operator", operation, audit::Outcome::Success), "{operation}: {everything:?}");
    }
    let refused = everything.iter().filter(|(who, _, how)| who == "auditor" && *how == audit::Outcome::Failed).count();
    assert_eq!(refused, 1, "{everything:?}");
}
