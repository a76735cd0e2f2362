//! The OpenAPI document: the same as the one that was looked at, and served to everybody.

use console::api::openapi;

use crate::support::World;

#[test]
fn the_document_is_the_one_that_was_looked_at() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/openapi.json");
    let made = format!("{}\n", serde_json::to_string_pretty(openapi::document()).unwrap());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    assert!(made == golden, "the document has changed; look at it and run with UPDATE_GOLDEN=1");
}

#[test]
fn the_document_is_served() {
    let world = World::new();
    let served = world.send("GET", "/openapi.json", &[], None);
    assert_eq!((served.status, &served.json()), (200, openapi::document()));
}
