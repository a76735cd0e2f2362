//! A client that we did not write: PyKMIP over mutual TLS, in each version it speaks: a life of our own telling, and the
//! integration suite that its authors wrote.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::thread;

use kmip::ProtocolVersion;
use kmip::payload::DiscoverVersionsRequest;
use system_tests::clients::{Expectations, Step, Visitor, pykmip_source};
use system_tests::node::{Node, Result, Tenant, repository};

/// The versions that it speaks.
const VERSIONS: [&str; 6] = ["1.0", "1.1", "1.2", "1.3", "1.4", "2.0"];
/// How many tests its integration suite has. Fewer would be a suite that was not found or not played to its end.
const SUITE_LEN: usize = 37;
/// The name of the suite in the table of expectations.
const SUITE: &str = "pykmip-suite";

/// Plays the life as a tenant's client.
fn life(node: &Node, tenant: &Tenant, version: &str) {
    let visitor = Visitor::of(node, tenant).unwrap();
    let steps = visitor.story("pykmip_life.py", &[version]).unwrap();
    let [step] = steps.as_slice() else { panic!("{version}: {steps:?}") };
    assert_eq!(step.failure, None, "{version}");
    let checks = step.name.strip_suffix(" checks").and_then(|count| count.parse::<u32>().ok());
    assert!(checks.is_some_and(|checks| checks >= 40), "{version}: only {checks:?} checks ran");
}

#[test]
fn pykmip_leads_keys_through_their_lives_in_every_1_x() {
    let node = Node::start().unwrap();
    thread::scope(|scope| {
        for version in ["1.0", "1.1", "1.2", "1.3", "1.4"] {
            let node = &node;
            scope.spawn(move || {
                let tenant = node.tenant("pykmip", "anssi").unwrap();
                life(node, &tenant, version);
                // Twice: what the first run left behind must not disturb.
                life(node, &tenant, version);
            });
        }
    });
}

#[test]
fn the_life_notices_a_server_that_is_wrong() {
    // The identity is revoked under its feet: the story has to end badly.
    let node = Node::start().unwrap();
    let tenant = node.tenant("pykmip", "anssi").unwrap();
    let fingerprint = admin_api::Fingerprint(certs::spki_fingerprint(&tenant.identity.cert_der).unwrap());
    node.revoke(&tenant.name, fingerprint).unwrap();
    let result = std::panic::catch_unwind(|| life(&node, &tenant, "1.2"));
    assert!(result.is_err());
}

/// The integration suite of PyKMIP's authors, as a new tenant's client: it counts what Locate finds.
///
/// The policy is `legacy`, since the suite makes IDEA keys.
fn suite(node: &Node, version: &str) -> Result<Vec<Step>> {
    let tenant = node.tenant("pykmip-suite", "legacy")?;
    let visitor = Visitor::of(node, &tenant)?;
    let configuration = visitor.home().join(".pykmip");
    fs::create_dir(&configuration)?;
    fs::write(configuration.join("pykmip.conf"), visitor.pykmip_section("client"))?;
    let source = pykmip_source();
    let path = std::env::join_paths([&source, &repository().join("tests/clients")])?;
    visitor.python(|command: &mut Command| {
        command
            // A test that fails is told as a step; pytest's own verdict is not asked for.
            .args(["-c", "import sys, pytest; sys.exit(pytest.main(sys.argv[1:]) not in (0, 1))"])
            .args(["-q", "-p", "pykmip_suite", "-p", "no:cacheprovider", "--tb=short", "--config", "client"])
            .args(["services/test_integration.py", "services/test_proxykmipclient.py"])
            .env("PYTHONPATH", path)
            .env("CLAVIS_KMIP_VERSION", version)
            .current_dir(source.join("kmip/tests/integration"));
    })
}

#[test]
fn the_integration_suite_of_pykmip_passes_but_for_misses_that_are_explained() {
    let node = Node::start().unwrap();
    let expectations = Expectations::of_this_tree().unwrap();
    let tenant = node.tenant("asking", "anssi").unwrap();
    let mut connection = node.connect(&tenant.identity).unwrap();
    let served =
        connection.request(ProtocolVersion::V1_4, DiscoverVersionsRequest::default()).unwrap().protocol_versions;
    let played: Vec<&str> = VERSIONS
        .into_iter()
        .filter(|version| expectations.plays(version, served.iter().any(|one| one.to_string() == *version)).unwrap())
        .collect();
    // Most of the time the suite waits: for dates to differ, and for the other side.
    let results: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = played.iter().map(|version| (*version, scope.spawn(|| suite(&node, version)))).collect();
        threads.into_iter().map(|(version, thread)| (version, thread.join().unwrap())).collect()
    });
    // What goes wrong in many versions is said once.
    let mut complaints: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (version, result) in results {
        match result {
            Err(error) => complaints.entry(error.to_string()).or_default().push(version),
            Ok(steps) => {
                let passed = steps.iter().filter(|step| step.failure.is_none()).count();
                println!("PyKMIP's integration suite in {version}: {passed} of {} passed", steps.len());
                assert_eq!(steps.len(), SUITE_LEN, "{version}");
                for complaint in expectations.complaints(SUITE, Some(version), &steps) {
                    complaints.entry(complaint).or_default().push(version);
                }
            }
        }
    }
    let each: Vec<String> =
        complaints.into_iter().map(|(complaint, versions)| format!("{}: {complaint}", versions.join(", "))).collect();
    assert!(each.is_empty(), "{}", each.join("\n"));
}
