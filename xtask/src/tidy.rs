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
    ("quorum", &[]),
    ("admin-api", &["quorum"]),
    ("policy", &["kmip"]),
    ("hsm", &["secret"]),
    ("audit", &[]),
    ("keystore", &["secret", "kmip", "audit"]),
    ("provisioning", &[]),
    ("certs", &[]),
    ("crypto", &["secret", "kmip"]),
    ("kms-server", &["secret", "kmip", "crypto", "policy", "hsm", "audit", "keystore", "admin-api", "certs", "quorum"]),
    ("kmsctl", &["admin-api", "audit", "quorum"]),
    ("witness", &["audit", "quorum"]),
    ("esxi-sim", &["secret", "kmip", "kmip-client", "certs"]),
    ("console", &["provisioning", "esxi-sim", "admin-api"]),
    ("bench", &["kmip", "kmip-client", "admin-api", "audit", "keystore", "xtask"]),
];
/// Crates that decide and describe: they open no file and no connection, and know no time and no chance.
const PURE: &[&str] = &["kmip", "policy", "audit", "provisioning", "quorum"];
/// What a pure crate does not name, but in its tests.
const IMPURE: &[&str] = &["std::fs", "std::net", "SystemTime", "Instant::now", "rand::", "SystemRandom", "tokio"];
/// Packages that a pure crate does not use.
const IMPURE_PACKAGES: &[&str] = &["tokio", "rand", "getrandom"];
/// Packages that only these crates may name.
const ONLY: &[(&str, &str)] = &[("cryptoki", "hsm"), ("sqlx", "keystore"), ("sqlx", "console"), ("openssl", "crypto")];
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
            if PURE.contains(&name) && IMPURE_PACKAGES.contains(&used) {
                faults.push(format!("{name} is pure and may not use {used}"));
            }
            let mut owners = ONLY.iter().filter(|(package, _)| *package == used).map(|(_, owner)| *owner).peekable();
            if owners.peek().is_some() && !owners.any(|owner| owner == name) {
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
    let server = file.starts_with("kms-server/src/") && file != "kms-server/src/failure.rs";
    let pure = is_pure(file);
    let mut in_tests = false;
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        let at = |what: &str| format!("{file}:{}: {what}", number + 1);
        // Unit tests stand at the end of a file.
        in_tests |= code.trim() == "#[cfg(test)]";
        if code.contains(&ignored) {
            faults.push(at("a test that is ignored tests nothing"));
        }
        if !own && !UNSAFE_IN.contains(&file) && words_of(code).any(|word| word == "unsafe") {
            faults.push(at("unsafe code outside its corner"));
        }
        // Whoever cannot import the type, under any name, cannot make a value of it.
        let imports_all = code.contains("registry::*") || code.contains("kmip::*");
        if server && (imports_all || words_of(code).any(|word| word == "ResultReason")) {
            faults.push(at("only failure.rs turns an error into a Result Reason"));
        }
        if pure && !in_tests {
            let named = IMPURE.iter().find(|name| code.contains(**name)).copied();
            let grouped = code.trim_start().starts_with("use std::{")
                && words_of(code).any(|word| matches!(word, "fs" | "net" | "SystemTime"));
            if let Some(name) = named.or(grouped.then_some("std::{…}")) {
                faults.push(at(&format!("{name} in a crate that is pure")));
            }
        }
    }
    if !own && text.lines().count() > LONG_FILE && !LONG_FOR_A_REASON.iter().any(|start| file.starts_with(start)) {
        faults.push(format!("{file}: {} lines; look for the second noun", text.lines().count()));
    }
}

/// Whether a file is source, not test, of a pure crate.
fn is_pure(file: &str) -> bool {
    let Some((folder, rest)) = file.split_once("/src/") else { return false };
    PURE.contains(&folder) && !rest.ends_with("tests.rs") && !rest.contains("tests/")
}

fn words_of(code: &str) -> impl Iterator<Item = &str> {
    code.split(|one: char| !one.is_alphanumeric() && one != '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(file: &str, line: &str) -> usize {
        let mut faults = Vec::new();
        rust(file, line, &mut faults);
        faults.len()
    }

    #[test]
    fn a_result_reason_is_named_in_one_file_under_no_other_name() {
        for line in [
            "use kmip::registry::ResultReason;",
            "use kmip::registry::{ResultReason as Why, Operation};",
            "let reason = kmip::registry::ResultReason::ItemNotFound;",
            "use kmip::registry::*;",
        ] {
            assert_eq!(faults_of("kms-server/src/dispatch.rs", line), 1, "{line}");
            assert_eq!(faults_of("kms-server/src/failure.rs", line), 0, "{line}");
        }
        assert_eq!(faults_of("kms-server/src/dispatch.rs", "// ResultReason is failure.rs's"), 0);
    }

    #[test]
    fn every_form_of_unsafe_code_is_seen() {
        for line in
            ["unsafe { go() }", "unsafe fn go()", "unsafe impl Send for X {}", "unsafe trait T {}", "unsafe extern {"]
        {
            assert_eq!(faults_of("keystore/src/lib.rs", line), 1, "{line}");
            assert_eq!(faults_of("hsm/src/raw.rs", line), 0, "{line}");
        }
        assert_eq!(faults_of("keystore/src/lib.rs", "#[expect(unsafe_code)]"), 0);
    }

    #[test]
    fn pure_crates_know_no_files_connections_time_or_chance_but_in_tests() {
        for line in [
            "use std::fs::File;",
            "use std::{fmt, fs};",
            "std::net::TcpStream::connect(peer)",
            "let now = SystemTime::now();",
            "let now = Instant::now();",
            "let byte = rand::random();",
            "tokio::spawn(work)",
        ] {
            assert_eq!(faults_of("policy/src/usage.rs", line), 1, "{line}");
            assert_eq!(faults_of("policy/src/usage.rs", &format!("#[cfg(test)]\n{line}")), 0, "{line}");
            assert_eq!(faults_of("policy/tests/golden.rs", line), 0, "{line}");
            assert_eq!(faults_of("keystore/src/lib.rs", line), 0, "{line}");
        }
    }
}
