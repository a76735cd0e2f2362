//! The recorded requests of a real vCenter 7.0.3, replayed with identifiers rebound over as many connections as it used.
//!
//! The expected answers are data, `tests/vcenter/session-a.xml`, compared by the rules of the OASIS cases. Only the
//! requests are the recorded ones: the server that answered them refuses every Add Attribute.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::fs;

use kmip::ProtocolVersion;
use kmip::attribute::AttributeValue;
use kmip::payload::GetAttributesRequest;
use kmip::xml::Element;
use serde::Deserialize;
use system_tests::node::{Connection, Node, Tenant, repository};
use system_tests::oasis::{Case, Exchange, Outcome, Step, Values, play};

/// What the names of the session's messages begin with in the vectors.
const SESSION: &str = "vCenter 7.0.3 + PyKMIP session A conn ";
const EXPECTED: &str = include_str!("../vcenter/session-a.xml");

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    request_hex: Option<String>,
}

/// A recorded request.
struct Recorded {
    connection: String,
    request: Vec<u8>,
}

fn session() -> Vec<Recorded> {
    let path = repository().join("tests/vectors/kmip/vectors.json");
    let vectors: Vectors = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let of_session = vectors.vectors.into_iter().filter_map(|vector| {
        let connection = vector.name.strip_prefix(SESSION)?.split(' ').next()?.to_owned();
        Some(Recorded { connection, request: hex::decode(vector.request_hex?).ok()? })
    });
    of_session.collect()
}

/// Requests on the connections they were recorded on. Each connection begins with Discover Versions, as every one of
/// vCenter's does.
struct Replay<'a> {
    node: &'a Node,
    tenant: &'a Tenant,
    greeting: Vec<u8>,
    /// Connections of the requests to come, the next one last.
    order: Vec<String>,
    open: BTreeMap<String, Connection>,
}

impl Exchange for Replay<'_> {
    fn exchange(&mut self, request: &[u8]) -> Result<Vec<u8>, String> {
        let name = self.order.pop().ok_or("more requests than were recorded")?;
        if !self.open.contains_key(&name) {
            let mut connection = self.node.connect(&self.tenant.identity).map_err(|error| error.to_string())?;
            if request != self.greeting {
                connection.raw(&self.greeting).map_err(|error| error.to_string())?;
            }
            self.open.insert(name.clone(), connection);
        }
        self.open.get_mut(&name).ok_or("no connection")?.exchange(request)
    }
}

fn case(recorded: &[Recorded]) -> Case {
    let answers = Element::parse(EXPECTED).unwrap().children;
    assert_eq!(recorded.len(), 27);
    assert_eq!(answers.len(), recorded.len(), "one answer for each request");
    let steps = recorded.iter().zip(answers).map(|(recorded, response)| {
        let request = Element::from_ttlv(&recorded.request).unwrap();
        assert_eq!(request.to_ttlv().unwrap().as_slice(), recorded.request, "a request is sent as it was recorded");
        Step { request, response }
    });
    Case { id: "vCenter session A".to_owned(), steps: steps.collect() }
}

fn replay<'a>(node: &'a Node, tenant: &'a Tenant, recorded: &[Recorded]) -> Replay<'a> {
    Replay {
        node,
        tenant,
        greeting: recorded[0].request.clone(),
        order: recorded.iter().rev().map(|recorded| recorded.connection.clone()).collect(),
        open: BTreeMap::new(),
    }
}

#[test]
fn a_recorded_vcenter_is_served() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("vcenter", "anssi").unwrap();
    let recorded = session();
    let mut replay = replay(&node, &tenant, &recorded);
    let outcome = play(&case(&recorded), &mut replay, &mut Values::new());
    assert_eq!(outcome, Outcome::Passed);
    assert_eq!(replay.open.len(), 10, "connections");

    // What it left behind: two active keys with their six tags.
    let page = node.admin("operator").unwrap().object_list(&tenant.name, None, None).unwrap();
    assert_eq!(page.objects.iter().map(|object| object.state.as_str()).collect::<Vec<_>>(), ["Active", "Active"]);
    let mut connection = node.connect(&tenant.identity).unwrap();
    let mut names = Vec::new();
    for object in &page.objects {
        let request = GetAttributesRequest {
            unique_identifier: Some(object.id.to_string().into()),
            attribute_names: ["x-Product_Version", "x-Vendor", "x-Product", "x-Identifier", "x-Component", "x-Name"]
                .map(str::to_owned)
                .to_vec(),
        };
        let answer = connection.request(ProtocolVersion::V1_1, request).unwrap();
        assert_eq!(answer.attributes.len(), 6);
        names.extend(answer.attributes.into_iter().map(|one| one.value).filter(|value| value.name() == "x-Name"));
    }
    for name in ["test01", "172.16.220.132"] {
        assert!(names.contains(&AttributeValue::custom_text("x-Name", name).unwrap()), "{name} in {names:?}");
    }
}

#[test]
fn a_wrong_answer_to_vcenter_is_noticed() {
    let node = Node::start().unwrap();
    let recorded = session();
    // The state of a fetched key, and a tag that is echoed.
    for (step, from, to) in [(10, "PreActive", "Active"), (8, "VMware, Inc.", "nobody")] {
        let tenant = node.tenant("vcenter", "anssi").unwrap();
        let mut case = case(&recorded);
        assert!(replace(&mut case.steps[step].response, from, to), "{from} is in answer {step}");
        match play(&case, &mut replay(&node, &tenant, &recorded), &mut Values::new()) {
            Outcome::Failed { step: failed, .. } => assert_eq!(failed, step + 1),
            Outcome::Passed => panic!("{from} instead of {to} went unnoticed"),
        }
    }
}

fn replace(element: &mut Element, from: &str, to: &str) -> bool {
    if element.value.as_deref() == Some(from) {
        element.value = Some(to.to_owned());
        return true;
    }
    element.children.iter_mut().any(|child| replace(child, from, to))
}
