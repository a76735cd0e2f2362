//! Keys that nobody uses are found by an inventory, one that a client lost after its Create among them.

use kmip::ProtocolVersion;
use kmip::payload::{ActivateRequest, DestroyRequest};
use serde_json::{Value, json};
use system_tests::asking;
use system_tests::node::Node;

const V: ProtocolVersion = ProtocolVersion::V1_4;
/// Later than any test: nothing is too young to be an orphan.
const LATER: i64 = 4_102_444_800;

#[test]
fn what_no_machine_refers_to_is_listed_and_what_refers_to_a_destroyed_key_is_an_alarm() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("full", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let ids: Vec<String> =
        (0..4).map(|_| client.request(V, asking::aes(Vec::new())).unwrap().unique_identifier).collect();
    let ids: [String; 4] = ids.try_into().unwrap();
    let [used, lost, idle, gone] = &ids;
    for id in [used, idle] {
        client.request(V, ActivateRequest { unique_identifier: Some(id.as_str().into()) }).unwrap();
    }
    client.request(V, DestroyRequest { unique_identifier: Some(gone.as_str().into()) }).unwrap();

    let file = node.dir().join("inventory.json");
    let path = file.to_str().unwrap();
    let orphans = |exported: i64, references: Value| {
        let inventory = json!({"inventory": "clavis-inventory/1", "exported": exported, "references": references});
        std::fs::write(&file, inventory.to_string()).unwrap();
        let args = ["domain", "orphans", &tenant.name, "--inventory", path, "--output", "json"];
        let run = node.kmsctl("auditor", &args).unwrap();
        let found: Value = serde_json::from_str(&run.stdout).unwrap_or_default();
        (run.status.code(), found)
    };
    let vm = json!({"kind": "vm", "name": "web-1", "keys": [used]});
    let (code, found) = orphans(LATER, json!([vm]));
    let mut listed: Vec<_> =
        found["orphans"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    listed.sort_unstable();
    let mut expected = [lost.as_str(), idle.as_str()];
    expected.sort_unstable();
    assert_eq!((code, listed, &found["living"]), (Some(0), expected.to_vec(), &json!(3)), "{found:#}");
    // A snapshot refers to one more; an inventory from before knows of none of them and accuses none.
    let snapshot = json!({"kind": "snapshot", "name": "web-1-monday", "keys": [idle]});
    assert_eq!(orphans(LATER, json!([vm, snapshot])).1["orphans"][0]["id"], json!(lost));
    assert_eq!(orphans(1, json!([vm])).1["orphans"], json!([]));
    let backup = json!({"kind": "backup", "name": "web-1-weekly", "keys": [gone]});
    let (code, found) = orphans(LATER, json!([vm, backup]));
    assert_eq!((code, &found["broken"][0]["found"]), (Some(8), &json!("Destroyed")), "{found:#}");
    let (code, _) = orphans(LATER, json!([{"kind": "cat", "name": "c", "keys": []}]));
    assert_eq!(code, Some(2), "what nobody understands is not passed over");
}
