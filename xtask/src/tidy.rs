//! House rules that a machine can check: who may use whom, what must not be in the tree, what must not be said.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Which crates of ours each crate may use; `dev` dependencies are free. ARCHITECTURE.md has the table for people.
const MAY_USE: &[(&str, &[&str])] = &[
    ("secret", &[]),
    ("kmip", &["secret"]),
    ("kmip-client", &["kmip", "secret"]),
    ("admin-api", &[]),
    ("policy", &["kmip"]),
    ("hsm", &["secret"]),
    ("audit", &[]),
    ("keystore", &["secret", "kmip", "audit"]),
    ("provisioning", &[]),
    ("certs", &[]),
    ("kms-server", &["secret", "kmip", "policy", "hsm", "audit", "keystore", "admin-api", "certs"]),
    ("kmsctl", &["admin-api", "audit"]),
    ("esxi-sim", &["secret", "kmip", "kmip-client", "certs"]),
];
/// Packages that one crate alone may name.
const ONLY: &[(&str, &str)] = &[("cryptoki", "hsm"), ("sqlx", "keystore")];
/// Where unsafe code stands, each with its reason beside it.
const UNSAFE_IN: &[&str] = &["hsm/src/raw.rs", "hsm/tests/support/mod.rs"];
/// Lines of a file beyond which one looks for the second noun. Tables and generated files are as long as they are.
const LONG_FILE: usize = 600;
/// Long files, and why.
const LONG_FOR_A_REASON: &[&str] = &["kmip/src/registry/tables/"];

/// Checks the tree.
pub fn run() -> Result<String, String> {
    let mut faults = Vec::new();
    dependencies(&mut faults)?;
    let files = tracked_files()?;
    for file in &files {
        let Ok(text) = fs::read_to_string(file) else { continue };
        words(file, &text, &mut faults);
        if file.ends_with(".rs") {
            rust(file, &text, &mut faults);
        }
    }
    locked(&mut faults)?;
    if faults.is_empty() { Ok(format!("{} files, no fault", files.len())) } else { Err(faults.join("\n")) }
}

fn output(program: &str, args: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(args).output().map_err(|error| format!("{program}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{program} {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{program}: not UTF-8"))
}

fn tracked_files() -> Result<Vec<String>, String> {
    Ok(output("git", &["ls-files"])?.lines().map(str::to_owned).collect())
}

fn dependencies(faults: &mut Vec<String>) -> Result<(), String> {
    let text = output("cargo", &["metadata", "--format-version", "1", "--no-deps", "--locked"])?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let ours: Vec<&str> = list(&metadata, "packages").filter_map(|package| package["name"].as_str()).collect();
    for package in list(&metadata, "packages") {
        let name = package["name"].as_str().unwrap_or_default();
        for dependency in list(package, "dependencies").filter(|dependency| dependency["kind"].is_null()) {
            let used = dependency["name"].as_str().unwrap_or_default();
            if ours.contains(&used) && allowed.get(name).is_some_and(|may| !may.contains(&used)) {
                faults.push(format!("{name} may not use {used}; see the table in ARCHITECTURE.md"));
            }
            if ONLY.iter().any(|(package, owner)| *package == used && *owner != name) {
                faults.push(format!("{name} names {used}, which is another crate's"));
            }
        }
    }
    Ok(())
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

/// What cargo-deny bans, checked without it as well: the lock file must not hold it.
fn locked(faults: &mut Vec<String>) -> Result<(), String> {
    let lock = fs::read_to_string("Cargo.lock").map_err(|error| format!("Cargo.lock: {error}"))?;
    for banned in ["rsa", "pkcs11", "aws-lc-rs", "native-tls"] {
        if lock.contains(&format!("name = \"{banned}\"\n")) {
            faults.push(format!("Cargo.lock holds {banned}; deny.toml says why not"));
        }
    }
    Ok(())
}

fn words(file: &str, text: &str, faults: &mut Vec<String>) {
    // Assembled, so that this file does not accuse itself.
    let private_key = ["-----BEGIN ", "PRIVATE KEY-----"].concat();
    let home_made = ["/wo", "rk/"].concat();
    for (number, line) in text.lines().enumerate() {
        if line.contains(&private_key) && !file.contains("vectors/") {
            faults.push(format!("{file}:{}: a private key", number + 1));
        }
        if line.contains(&home_made) {
            faults.push(format!("{file}:{}: a path of somebody's machine", number + 1));
        }
    }
}

fn rust(file: &str, text: &str, faults: &mut Vec<String>) {
    let own = Path::new(file) == Path::new("xtask/src/tidy.rs");
    let ignored = ["#[ig", "nore"].concat();
    let unsafe_block = ["unsa", "fe {"].concat();
    let reason = ["Result", "Reason::"].concat();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        let at = |what: &str| format!("{file}:{}: {what}", number + 1);
        if code.contains(&ignored) {
            faults.push(at("a test that is ignored tests nothing"));
        }
        if code.contains(&unsafe_block) && !UNSAFE_IN.contains(&file) {
            faults.push(at("unsafe code outside its corner"));
        }
        let server = file.starts_with("kms-server/src/") && file != "kms-server/src/failure.rs";
        if server && code.contains(&reason) {
            faults.push(at("only failure.rs turns an error into a Result Reason"));
        }
    }
    if !own && text.lines().count() > LONG_FILE && !LONG_FOR_A_REASON.iter().any(|start| file.starts_with(start)) {
        faults.push(format!("{file}: {} lines; look for the second noun", text.lines().count()));
    }
}
