//! Lists, single things, commands, and what is said when they are refused.

use serde_json::json;

use crate::support::{VMS, World};

#[test]
fn a_list_comes_in_pages_that_join_up() {
    let world = World::new();
    let token = world.token("anna");
    let whole: Vec<String> = ids(&world.get(&token, VMS).json());
    assert!(whole.len() >= 3);
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = world.get(&token, &format!("{VMS}?limit=1&after={after}")).json();
        seen.extend(ids(&page));
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, whole);
    for bad in ["limit=0", "limit=501", "limit=x", "colour=red"] {
        assert_eq!(world.get(&token, &format!("{VMS}?{bad}")).status, 400, "{bad}");
    }
}

fn ids(page: &serde_json::Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_list_is_filtered_by_fields_and_searched_by_name() {
    let world = World::new();
    let token = world.token("anna");
    let off = ids(&world.get(&token, &format!("{VMS}?power=off")).json());
    assert!(off.contains(&"vm-web".to_owned()) && !off.contains(&"vm-db".to_owned()));
    assert_eq!(ids(&world.get(&token, &format!("{VMS}?q=WEB")).json()), ["vm-web"]);
}

#[test]
fn an_entity_tag_saves_a_read_and_guards_a_write() {
    let world = World::new();
    let token = world.token("anna");
    let path = format!("{VMS}/vm-web");
    let read = world.get(&token, &path);
    let tag = read.header("etag").to_owned();
    let bearer = format!("Bearer {token}");
    let again = world.send("GET", &path, &[("authorization", &bearer), ("if-none-match", &tag)], None);
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    let resize = json!({ "cpus": 4, "memory_gib": 8 });
    assert_eq!(world.order("PATCH", &token, &path, &[("if-match", "\"other\"")], &resize).status, 412);
    assert_eq!(world.order("PATCH", &token, &path, &[("if-match", &tag)], &resize).status, 201);
    // The tag was that of what is no more.
    assert_eq!(world.order("PATCH", &token, &path, &[("if-match", &tag)], &resize).status, 412);
    assert_eq!(world.get(&token, &path).json()["cpus"], 4);
}

#[test]
fn a_change_answers_with_its_activity() {
    let world = World::new();
    let token = world.token("anna");
    let resized = world.order("PATCH", &token, &format!("{VMS}/vm-web"), &[], &json!({ "cpus": 8, "memory_gib": 8 }));
    assert_eq!(resized.status, 201, "{}", resized.text);
    let activity = world.get(&token, resized.header("location"));
    assert_eq!((&activity.json()["state"], &activity.json()["percent"]), (&json!("completed"), &json!(100)));
    let list = world.get(&token, "/activity/v1/activities?vm=vm-web").json();
    assert_eq!(list["items"][0], activity.json());
}

#[test]
fn a_client_token_changes_once() {
    let world = World::new();
    let token = world.token("anna");
    let order = |name: &str, body: &serde_json::Value| {
        world.order("PATCH", &token, &format!("{VMS}/vm-web"), &[("client-token", name)], body)
    };
    let small = json!({ "cpus": 2, "memory_gib": 4 });
    let (first, again) = (order("t-1", &small), order("t-1", &small));
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.json()["id"], again.json()["id"]);
    assert_eq!(order("t-1", &json!({ "cpus": 6, "memory_gib": 4 })).status, 409);
    assert_ne!(order("t-2", &small).json()["id"], first.json()["id"]);
    let list = world.get(&token, "/activity/v1/activities?vm=vm-web").json();
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
}

#[test]
fn a_refusal_names_every_rule_with_its_number() {
    let world = World::new();
    let token = world.token("anna");
    // Running, and without a subscription: two rules at once.
    assert_eq!(
        world
            .send(
                "DELETE",
                "/order/v1/subscriptions/csp:fr1:iaas:vmware:encryption:hsm:v1",
                &[("authorization", &format!("Bearer {token}"))],
                None
            )
            .status,
        201
    );
    let refused = world.post(&token, &format!("{VMS}/vm-db/encrypt"), &json!({}));
    assert_eq!((refused.status, refused.header("content-type")), (422, "application/problem+json"));
    assert_eq!(refused.rules(), ["vm-encryption-subscribed", "vm-powered-off"]);
    let problem = refused.json();
    assert_eq!(problem["findings"][0]["number"], "R68e");
    assert_eq!(problem["findings"][1]["evidence"]["power"], "powered on");
    assert!(world.get(&token, "/activity/v1/activities?vm=vm-db").json()["items"].as_array().unwrap().is_empty());
}

#[test]
fn a_dry_run_plans_and_changes_nothing() {
    let world = World::new();
    let token = world.token("anna");
    let planned = world.post(&token, &format!("{VMS}/vm-web/encrypt?dryRun=true"), &json!({}));
    assert_eq!(planned.status, 200, "{}", planned.text);
    assert_eq!(planned.json()["steps"][1], "make-key");
    assert_eq!(world.post(&token, &format!("{VMS}/vm-db/encrypt?dryRun=true"), &json!({})).status, 422);
    assert!(world.get(&token, "/activity/v1/activities").json()["items"].as_array().unwrap().is_empty());
}

#[test]
fn a_permission_that_is_missing_is_named() {
    let world = World::new();
    let rita = world.token("rita");
    let refused = world.post(&rita, &format!("{VMS}/vm-web/encrypt"), &json!({}));
    assert_eq!(refused.status, 403);
    assert!(refused.json()["detail"].as_str().unwrap().contains("compute_iaas_vmware_management"));
    assert_eq!(world.get(&rita, VMS).status, 200);
    let hosts = world.get(&rita, "/compute/v1/vcenters/hosts");
    assert_eq!(hosts.status, 403);
    assert!(hosts.json()["detail"].as_str().unwrap().contains("compute_iaas_vmware_infrastructure_read"));
}

#[test]
fn what_cannot_be_read_is_said_as_a_problem() {
    let world = World::new();
    let token = world.token("anna");
    let bearer = format!("Bearer {token}");
    let json = ("content-type", "application/json");
    let path = format!("{VMS}/vm-web/encrypt");
    let send = |body: &str| world.send("POST", &path, &[("authorization", &bearer), json], Some(body));
    for body in ["{", "[]", "{\"key\":\"k\"}", "{\"vm\":\"vm-db\"}", "null"] {
        let answer = send(body);
        assert_eq!((answer.status, answer.header("content-type")), (400, "application/problem+json"), "{body}");
    }
    let long = format!("{{\"x\":\"{}\"}}", "x".repeat(100_000));
    assert!(matches!(send(&long).status, 400 | 413));
    assert_eq!(world.get(&token, "/nowhere").status, 404);
    assert_eq!(world.order("PUT", &token, &path, &[], &json!({})).status, 405);
    assert_eq!(world.post(&token, &format!("{path}?dryRun=perhaps"), &json!({})).status, 400);
}

#[test]
fn an_activity_that_fails_leaves_the_vm_free_and_as_it_was() {
    // No vCenter is configured here, so the key cannot be made.
    let world = World::new();
    let token = world.token("anna");
    let before = world.get(&token, &format!("{VMS}/vm-web")).json();
    let begun = world.post(&token, &format!("{VMS}/vm-web/encrypt"), &json!({}));
    assert_eq!((begun.status, &begun.json()["state"]), (201, &json!("running")));
    // Held until it has failed, which it does soon: nothing else can have it before.
    let second = world.post(&token, &format!("{VMS}/vm-web/encrypt"), &json!({}));
    let last_begun = match second.status {
        201 => {
            assert_eq!(world.get(&token, begun.header("location")).json()["state"], "failed");
            &second
        }
        status => {
            assert_eq!((status, second.rules()), (409, vec!["vm-is-not-held".to_owned()]));
            &begun
        }
    };
    // The events end when the activity does.
    let events = world.get(&token, &format!("{}/events", last_begun.header("location")));
    assert_eq!(events.header("content-type"), "text/event-stream");
    let last = events.text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back().unwrap();
    let last: serde_json::Value = serde_json::from_str(last).unwrap();
    assert_eq!(last["state"], "failed");
    assert_eq!(last["reason"], "no vCenter of vStack \"vc-acme\" is configured");
    assert_eq!(world.get(&token, &format!("{VMS}/vm-web")).json(), before);
}
