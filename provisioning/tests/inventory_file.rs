//! docs/inventory.md describes the file that is really read.

use std::fs;
use std::path::Path;

use provisioning::{Inventory, example};

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/inventory.md")).unwrap_or_default()
}

#[test]
fn the_example_of_the_page_is_an_inventory() {
    let page = page();
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or_default();
    let inventory = Inventory::from_toml(example).unwrap();
    assert_eq!((inventory.zones().count(), inventory.tenants().count()), (1, 1));
}

#[test]
fn the_page_names_every_field_of_the_file() {
    let page = page();
    let example = serde_json::to_value(example::document()).unwrap();
    for (list, things) in example.as_object().unwrap() {
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| {list} |")) || line.starts_with(&format!("| *{list}* |")));
        let row = row.unwrap_or_else(|| panic!("the page has no row for {list}"));
        let first = things.as_array().and_then(|things| things.first()).unwrap_or(things);
        for field in first.as_object().unwrap().keys() {
            let named = row.split(|one: char| !one.is_alphanumeric() && one != '_').any(|word| word == field);
            assert!(named, "{list}: the page does not name {field}");
        }
    }
}

#[test]
fn a_field_that_the_page_does_not_name_is_refused() {
    let fault =
        Inventory::from_toml("[[zones]]\nid = \"z\"\nregion = \"r\"\nsite = \"s\"\ncolour = \"red\"\n").unwrap_err();
    assert!(fault.to_string().contains("unknown field `colour`"), "{fault}");
}
