//! Schemathesis, a tool that we did not write, makes requests of every kind from the OpenAPI document, good and bad ones:
//! no server error, no status or type that the document does not describe, nothing without a token.
//!
//! `CLAVIS_DESCRIBED` says how many random requests are made of each operation, beside those that cover its limits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use console::api::kinds::KINDS;
use console::api::openapi;
use serde_json::{Value, json};

use crate::support::World;

/// What is not compared. A request that fits the document may be refused by rules, and mostly is, so the first would find
/// the rules. The others find that the document names some values of enumerations otherwise than answers do, and that
/// some limits of headers are wider than it says.
const NOT_COMPARED: &str = "positive_data_acceptance,response_schema_conformance,negative_data_rejection";

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn count() -> String {
    std::env::var("CLAVIS_DESCRIBED").unwrap_or_else(|_| "2".to_owned())
}

/// Which names each parameter of a path really has, so that half of the requests are about something.
fn names(world: &World, token: &str) -> String {
    let mut known: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for kind in KINDS {
        let page = world.get(token, kind.path).json();
        let one = kind.path_of_one();
        let name = one.rsplit('/').next().unwrap().trim_matches(['{', '}']);
        let ids = page["items"].as_array().unwrap().iter().map(|thing| thing["id"].clone());
        known.entry(name.to_owned()).or_default().extend(ids);
    }
    known.retain(|_, ids| !ids.is_empty());
    let dictionary = |(name, ids): (&String, &Vec<Value>)| format!("{name} = {{ values = {} }}\n", json!(ids));
    let parameter = |name: &String| format!("\"path.{name}\" = {{ dictionary = \"{name}\", probability = 0.5 }}\n");
    let dictionaries: String = known.iter().map(dictionary).collect();
    let parameters: String = known.keys().map(parameter).collect();
    format!("[parameters]\n{parameters}\n[dictionaries]\n{dictionaries}")
}

/// Runs the tool over the document, with an access token; what it found.
fn run(world: &World, token: &str) -> Output {
    let python: PathBuf = repository().join(".venv/bin/python");
    assert!(python.exists(), "{} is missing: run scripts/setup", python.display());
    let config = world.folder.path().join("schemathesis.toml");
    std::fs::write(&config, names(world, token)).unwrap();
    Command::new(python)
        .current_dir(world.folder.path())
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(&config)
        .args([
            "run",
            &format!("https://{}/openapi.json", world.address),
            "--header",
            &format!("Authorization: Bearer {token}"),
            "--tls-verify",
        ])
        .arg(world.folder.path().join("ca.pem"))
        .args(["--checks", "all", "--exclude-checks", NOT_COMPARED, "--phases", "coverage,fuzzing"])
        .args(["--max-examples", &count(), "--seed", "1", "--continue-on-failure"])
        .args(["--generation-database", "none", "--no-color", "--warnings", "off"])
        .output()
        .unwrap()
}

#[test]
fn schemathesis_finds_no_server_error_and_no_answer_that_is_not_described() {
    let world = World::new();
    let token = world.token("anna");
    let found = run(&world, &token);
    let told = format!("{}{}", String::from_utf8_lossy(&found.stdout), String::from_utf8_lossy(&found.stderr));
    assert!(found.status.success(), "{told}");
    let operations = openapi::document()["paths"].as_object().unwrap().values();
    let operations: usize = operations.map(|methods| methods.as_object().unwrap().len()).sum();
    assert!(told.contains(&format!("Tested: {operations}\n")), "{told}");
}
