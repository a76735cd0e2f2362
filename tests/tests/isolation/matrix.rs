//! The matrix: every operation × {own, foreign, absent}, by every way that leads to an object.

use std::collections::BTreeSet;

use audit::{Identity, Outcome};
use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue, Name};
use kmip::message::{Outcome as Answer, RequestMessage, SUPPORTED_VERSIONS};
use kmip::payload::{ActivateRequest, LocateRequest, RequestPayload, TYPED_OPERATIONS};
use kmip::registry::{BatchErrorContinuationOption, Operation};
use system_tests::node::{Node, Tenant};
use system_tests::{asking, exported};
use uuid::Uuid;

use crate::kinds::{Kind, nowhere, prepare};
use crate::requests::{every_request, usable_aes, wants_active};
use crate::rows::{Aim, BY_VALUE, Row, aimed};
use crate::{TAG, ask, is_not_found, locates_nothing, outcomes};

/// Three ways to get at an object: by its identifier; through the placeholder that a Locate by its name leaves; through
/// the placeholder that a Create with a template of the domain leaves.
const WAYS: [&str; 3] = ["by its identifier", "after Locate", "after Create"];

/// The ways that an operation can take in a version.
fn ways(operation: Operation, version: ProtocolVersion) -> &'static [&'static str] {
    match operation {
        // The ID Placeholder does not stand in for what they name.
        Operation::DeriveKey | Operation::JoinSplitKey => &WAYS[..1],
        // What a Create makes is a symmetric key, which these are not about.
        _ if Kind::of(operation) != Kind::Key => &WAYS[..2],
        // A Create that names no template leaves a placeholder of its own, which is nobody else's object.
        _ if version.is_2_x() => &WAYS[..2],
        _ => &WAYS,
    }
}

fn message(version: ProtocolVersion, way: &str, payload: RequestPayload, aim: &Aim) -> (RequestMessage, Row) {
    let unnamed = Aim { ids: Vec::new(), ..aim.clone() };
    let named = if way == WAYS[0] { aim } else { &unnamed };
    let (first, (payload, row)) = match way {
        "after Locate" => {
            let name = vec![Attribute::new(asking::name(&aim.name))];
            (Some(LocateRequest { attributes: name, ..Default::default() }.into()), aimed(payload, &unnamed, version))
        }
        "after Create" => {
            let mut create = usable_aes(vec![AttributeValue::custom_text(TAG, "value").unwrap()]);
            if !version.is_2_x() {
                create.template_attribute.names = vec![Name::text(aim.template.as_str())];
            }
            (Some(create.into()), aimed(payload, &unnamed, version))
        }
        _ => (None, aimed(payload, aim, version)),
    };
    let activate =
        wants_active(payload.operation()).then(|| aimed(ActivateRequest::default().into(), named, version).0);
    let mut message = RequestMessage::batch(version, first.into_iter().chain(activate).chain([payload]));
    message.header.batch_error_continuation = Some(BatchErrorContinuationOption::Continue);
    (message, row)
}

#[test]
fn foreign_and_absent_objects_are_the_same_to_every_operation_in_every_version() {
    let node = Node::start().unwrap();
    // Domains that allow everything, Export and Import too.
    let (owner, asker) = (node.tenant("owner", "legacy").unwrap(), node.tenant("asker", "legacy").unwrap());
    let mut owners = node.connect(&owner.identity).unwrap();
    let mut askers = node.connect(&asker.identity).unwrap();
    let admin = node.admin("operator").unwrap();
    let (mut cells, mut attempts) = (0, 0);
    for version in SUPPORTED_VERSIONS {
        let foreigners = Kind::ALL.map(|kind| (kind, prepare(&mut owners, version, kind)));
        let shown = || {
            let ids = foreigners.iter().flat_map(|(_, aim)| &aim.ids).map(|id| id.parse::<Uuid>().unwrap());
            ids.map(|id| admin.object_show(&owner.name, id).unwrap()).collect::<Vec<_>>()
        };
        let before = shown();
        for (request, way) in (0..every_request().len()).flat_map(|request| WAYS.map(|way| (request, way))) {
            let request = || every_request().swap_remove(request);
            if !request().operation().is_known_to(version) || !ways(request().operation(), version).contains(&way) {
                continue;
            }
            let cell = format!("{} {way}, version {version}", request().operation());
            let kind = Kind::of(request().operation());
            let (_, foreign) = foreigners.iter().find(|(of, _)| *of == kind).unwrap();

            // Own: it works, so that what follows means something.
            let (own, row) = message(version, way, request(), &prepare(&mut askers, version, kind));
            let worked = outcomes(&ask(&mut askers, &own));
            let works = |outcome: &Answer| matches!(outcome, Answer::Success(_));
            assert!(worked.iter().all(works), "{cell}: {worked:?}");

            if row == Row::Makes {
                cells += 3;
                continue;
            }

            // Foreign.
            let to_foreign = ask(&mut askers, &message(version, way, request(), foreign).0);
            let last = outcomes(&to_foreign).pop().unwrap();
            match row {
                Row::Names if way == WAYS[0] => {
                    assert!(is_not_found(&last), "{cell}: {last:?}");
                    attempts += 1 + usize::from(wants_active(request().operation()));
                }
                // A search that found nothing and an item that failed leave no placeholder.
                Row::Names => {
                    assert!(matches!(last, Answer::Failure { .. }), "{cell}: {last:?}");
                }
                Row::NamesTemplate => assert!(is_not_found(&last), "{cell}: {last:?}"),
                Row::Searches => assert!(locates_nothing(&last), "{cell}: {last:?}"),
                Row::ByValue | Row::Makes => panic!("{cell}: no request asks for it"),
                Row::Apart => assert!(matches!(last, Answer::Success(_)), "{cell}: {last:?}"),
            }
            for told in foreign.ids.iter().chain([&foreign.name, &foreign.template]) {
                assert!(!to_foreign.windows(told.len()).any(|window| window == told.as_bytes()), "{cell} tells {told}");
            }

            // Absent: the same bytes.
            for absent in nowhere(kind) {
                let to_absent = ask(&mut askers, &message(version, way, request(), &absent).0);
                assert_eq!(to_absent, to_foreign, "{cell}: {:?} and a foreign object can be told apart", absent.ids);
            }
            cells += 3;
        }
        assert_eq!(shown(), before, "in version {version}");
    }
    println!("{cells} cells");
    let in_matrix = |one: &&Operation| !BY_VALUE.contains(one);
    let known = |version: ProtocolVersion| -> usize {
        let operations = TYPED_OPERATIONS.iter().filter(in_matrix).filter(|one| one.is_known_to(version));
        operations.map(|one| ways(*one, version).len()).sum()
    };
    assert_eq!(cells, 3 * SUPPORTED_VERSIONS.into_iter().map(known).sum::<usize>());
    logs_tell_only_their_own(&node, &owner, &asker, attempts);
}

/// The owner's log holds nothing of the asker; the asker's has each attempt as what it was.
fn logs_tell_only_their_own(node: &Node, owner: &Tenant, asker: &Tenant, attempts: usize) {
    let [of_owner, of_asker] = [owner, asker].map(|tenant| {
        let fingerprint = certs::spki_fingerprint(&tenant.identity.cert_der).unwrap();
        (Identity::Client { fingerprint }, exported::records(node, &tenant.name).unwrap())
    });
    let objects = |records: &[audit::Record]| -> BTreeSet<String> {
        records
            .iter()
            .filter(|record| record.outcome == Outcome::Success)
            .filter_map(|record| record.object.clone())
            .collect()
    };
    let (owned, asked) = (objects(&of_owner.1), objects(&of_asker.1));
    assert!(!owned.is_empty() && owned.is_disjoint(&asked));
    assert!(of_owner.1.iter().all(|record| record.identity != of_asker.0), "the owner's log names the asker");
    let told = of_asker.1.iter().filter(|record| {
        record.identity == of_asker.0
            && record.outcome == Outcome::Failed
            && matches!(record.reason.as_deref(), Some("Item Not Found" | "Object Not Found"))
            && record.object.as_ref().is_some_and(|object| owned.contains(object))
    });
    // Once for each operation that named a foreign identifier; the other ways never had one to tell.
    assert_eq!(told.count(), attempts);
    assert!(attempts > 0);
}
