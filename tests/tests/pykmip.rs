//! A client that we did not write: PyKMIP, over mutual TLS, in each version of KMIP 1.x.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::fs;
use std::process::Command;

use system_tests::node::{Node, Tenant, folder, repository};

/// Runs the suite as a tenant's client. The certificate is vCenter's kind: self-signed, without extended key usage.
fn suite(node: &Node, tenant: &Tenant, version: &str) {
    let python = repository().join(".venv/bin/python");
    assert!(python.exists(), "PyKMIP is not installed: scripts/setup-python installs it");
    let files = folder().unwrap();
    let (cert, key) = (files.path().join("client.pem"), files.path().join("client.key"));
    fs::write(&cert, &tenant.identity.cert_pem).unwrap();
    fs::write(&key, tenant.identity.key_pem.as_bytes()).unwrap();
    let address = node.addresses().unwrap().kmip;
    let output = Command::new(python)
        .arg(repository().join("tests/pykmip/suite.py"))
        .args([address.ip().to_string(), address.port().to_string()])
        .args([&cert, &key, &node.stage.pki().join("ca.pem")])
        .arg(version)
        // PyKMIP looks for a configuration in the home folder.
        .env("HOME", files.path())
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let checks = out.trim().strip_prefix("ok ").and_then(|rest| rest.strip_suffix(" checks")?.parse::<u32>().ok());
    assert!(output.status.success(), "{version}: {err}");
    match checks {
        Some(checks) => assert!(checks >= 40, "{version}: only {checks} checks ran"),
        None => panic!("{version}: ended well, but said {out:?}"),
    }
}

#[test]
fn pykmip_leads_keys_through_their_lives_in_every_version() {
    let node = Node::start().unwrap();
    for version in ["1.0", "1.1", "1.2", "1.3", "1.4"] {
        let tenant = node.tenant("pykmip", "anssi").unwrap();
        suite(&node, &tenant, version);
        // Twice: what the first run left behind must not disturb.
        suite(&node, &tenant, version);
    }
}

#[test]
fn the_suite_notices_a_server_that_is_wrong() {
    // Another tenant's identity is revoked under its feet: every version of the suite has to end badly.
    let node = Node::start().unwrap();
    let tenant = node.tenant("pykmip", "anssi").unwrap();
    let fingerprint = admin_api::Fingerprint(certs::spki_fingerprint(&tenant.identity.cert_der).unwrap());
    node.revoke(&tenant.name, fingerprint).unwrap();
    let result = std::panic::catch_unwind(|| suite(&node, &tenant, "1.2"));
    assert!(result.is_err());
}
