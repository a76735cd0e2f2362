//! A tenant never sees another's: every route, asked by everybody, for everything.

use std::collections::BTreeMap;

use console::api::commands::{COMMANDS, Method};
use console::api::kinds::KINDS;
use provisioning::example;
use serde_json::json;

use crate::support::World;

/// What each person sees of each kind.
fn seen(world: &World, login: &str) -> BTreeMap<&'static str, Vec<String>> {
    let token = world.token(login);
    let list = |path: &'static str| {
        let page = world.get(&token, &format!("{path}?limit=500"));
        let items = page.json()["items"].as_array().unwrap().clone();
        (path, items.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect())
    };
    KINDS.iter().map(|kind| list(kind.path)).collect()
}

/// What belongs to no tenant.
const PLATFORM: [&str; 3] = ["/compute/v1/regions", "/compute/v1/availability_zones", "/compute/v1/key_nodes"];

#[test]
fn nobody_sees_anything_of_another_customer() {
    let world = World::new();
    let (anna, boris) = (seen(&world, "anna"), seen(&world, "boris"));
    let boris_token = world.token("boris");
    let mut compared = 0;
    for kind in KINDS.iter().filter(|kind| !PLATFORM.contains(&kind.path)) {
        let (hers, his) = (&anna[kind.path], &boris[kind.path]);
        assert!(hers.iter().all(|id| !his.contains(id)), "{}", kind.path);
        for id in hers {
            let theirs = world.get(&boris_token, &format!("{}/{id}", kind.path));
            let nobodys = world.get(&boris_token, &format!("{}/nobody", kind.path));
            assert_eq!((theirs.status, theirs.text), (404, nobodys.text.replace("nobody", id)), "{} {id}", kind.path);
            compared += 1;
        }
    }
    assert!(compared > 20, "{compared}");
    // The control: what is hers she sees.
    let token = world.token("anna");
    assert_eq!(world.get(&token, "/compute/v1/vcenters/virtual_machines/vm-web").status, 200);
}

#[test]
fn nobody_can_give_a_command_about_anything_of_another_customer() {
    let world = World::new();
    let (anna, boris) = (world.token("anna"), world.token("boris"));
    let ids = BTreeMap::from([
        ("vm", example::VM),
        ("disk", "disk-0"),
        ("snapshot", "s"),
        ("network", "net-web"),
        ("policy", "daily"),
        ("backup", "b-1"),
        ("domain", "dom-acme"),
        ("key", "k-b1"),
        ("vstack", example::VSTACK),
        ("datastore", example::DATASTORE),
        ("cpool", example::CPOOL),
        ("mirror", "gm-1"),
        ("host", "host-1"),
        ("rule", "rule-1"),
        ("tenant", "acme-lab"),
        ("sku", "csp:fr1:iaas:vmware:encryption:hsm:v1"),
        ("template", "debian-12"),
    ]);
    let whole = |token: &str| {
        KINDS.iter().map(|kind| world.get(token, &format!("{}?limit=500", kind.path)).text).collect::<Vec<_>>()
    };
    let before = whole(&anna);
    let mut refused = 0;
    for given in COMMANDS.iter().filter(|given| given.parameters().any(|name| !["sku", "template"].contains(&name))) {
        let path = ids.iter().fold(given.path.to_owned(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id));
        let method = match given.method {
            Method::Post => "POST",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        };
        let answer = world.order(method, &boris, &path, &[], &json!({}));
        // A body that lacks something is told so before anything is looked up; either way nothing is said of it.
        assert!(matches!(answer.status, 400 | 404), "{path}: {} {}", answer.status, answer.text);
        refused += usize::from(answer.status == 404);
    }
    assert!(refused > 20, "{refused}");
    assert_eq!(whole(&anna), before);
}

#[test]
fn activities_are_their_tenants() {
    let world = World::new();
    let (anna, boris, lena) = (world.token("anna"), world.token("boris"), world.token("lena"));
    let path = "/compute/v1/vcenters/virtual_machines/vm-web";
    let begun = world.order("PATCH", &anna, path, &[], &json!({ "cpus": 4, "memory_gib": 8 }));
    for other in [&boris, &lena] {
        assert_eq!(world.get(other, begun.header("location")).status, 404);
        assert_eq!(world.get(other, &format!("{}/events", begun.header("location"))).status, 404);
        assert!(world.get(other, "/activity/v1/activities").json()["items"].as_array().unwrap().is_empty());
    }
    assert_eq!(world.get(&anna, begun.header("location")).status, 200);
}

#[test]
fn without_a_token_there_is_nothing_at_any_address() {
    let world = World::new();
    let paths = KINDS.iter().flat_map(|kind| [kind.path.to_owned(), format!("{}/x", kind.path)]);
    for path in paths.chain(["/activity/v1/activities".to_owned(), "/iam/v1/personal_access_tokens".to_owned()]) {
        let personal_looking = format!("Bearer clavis_{}", "0".repeat(64));
        for headers in [vec![], vec![("authorization", "Bearer x")], vec![("authorization", &personal_looking[..])]] {
            let answer = world.send("GET", &path, &headers, None);
            assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer"), "{path}");
        }
    }
    for given in COMMANDS {
        assert_eq!(world.send("POST", given.path, &[("content-type", "application/json")], Some("{}")).status / 100, 4);
    }
}
