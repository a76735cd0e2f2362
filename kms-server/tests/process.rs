//! `kms-server` as a process, on SoftHSM tokens of its own: what `init` makes, that a second run keeps it, that a run
//! that was killed is made good by the next, and that what it made serves and stops.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod rig;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;

use rig::{LABELS, Rig, Serving, serve, text};
use rustix::process::{Pid, Signal, kill_process};

impl Rig {
    /// Runs `init` until it has said `lines` lines, then kills it; `false` if it came to its end before.
    fn init_killed_after(&self, lines: usize) -> bool {
        let mut child = self.command(&["init"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines().take(lines).count();
        child.kill().unwrap();
        child.wait().unwrap();
        said == lines
    }

    /// Every file that must never change once it is made, with its content.
    fn kept(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut kept = BTreeMap::new();
        for sub in ["hsm", "ceremony", "escrow", "custodians"] {
            for entry in fs::read_dir(self.path(sub)).unwrap() {
                let path = entry.unwrap().path();
                kept.insert(path.clone(), fs::read(&path).unwrap());
            }
        }
        kept
    }

    /// Whether a node could serve from what `init` left.
    fn ready(&self) -> bool {
        self.run(&["check-config"]).status.success()
    }
}

#[test]
fn init_makes_what_serve_needs_and_a_second_run_keeps_it() {
    let rig = Rig::new();
    let before = rig.run(&["check-config"]);
    assert_eq!(before.status.code(), Some(3));
    assert!(text(&before.stderr).contains("hsm.members[0].module"), "{}", text(&before.stderr));
    assert!(rig.run(&["check-config", "--before", "init"]).status.success());

    let said = rig.init();
    assert!(rig.ready());
    for name in ["ceremony/protocol.json", "ceremony/trust-anchor.json", "escrow/escrow.blob"]
        .map(str::to_owned)
        .into_iter()
        .chain((1..=3).map(|custodian| format!("custodians/custodian{custodian}.share")))
        .chain(LABELS.iter().flat_map(|label| [format!("hsm/{label}.pin"), format!("hsm/{label}.so-pin")]))
    {
        let mode = fs::metadata(rig.path(&name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
    for label in LABELS {
        for file in [format!("hsm/{label}.pin"), format!("hsm/{label}.so-pin")] {
            let pin = fs::read_to_string(rig.path(&file)).unwrap();
            assert!(!said.contains(&pin), "a PIN was shown");
        }
    }

    // The second run needs neither passphrases nor the officers' PINs, and finds everything as it was.
    for custodian in 1..=3 {
        fs::remove_file(rig.path(&format!("custodians/custodian{custodian}.passphrase"))).unwrap();
    }
    fs::remove_file(rig.path("hsm/PAR7S.so-pin")).unwrap();
    let kept = rig.kept();
    let said = rig.init();
    assert!(said.contains("verified on 3 members"), "{said}");
    assert_eq!(rig.kept(), kept);
    assert!(rig.ready());
}

#[test]
fn a_run_that_was_killed_is_made_good_by_the_next() {
    // Between PINs and token, between two members, in the ceremony, behind it.
    for lines in [2, 7, 13, 14] {
        let rig = Rig::new();
        assert!(rig.init_killed_after(lines), "init ended before it had said {lines} lines");
        rig.init();
        assert!(rig.ready(), "after a kill at line {lines}");
        assert!(rig.kept().keys().all(|path| !path.to_string_lossy().contains(".pending")));
    }
}

#[test]
fn blank_tokens_do_not_cost_the_papers_of_the_true_ones() {
    let rig = Rig::new();
    rig.init();
    let kept = rig.kept();
    rig.use_tokens("other-tokens");
    let refused = rig.run(&["init"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(!refused.stderr.is_empty());
    assert_eq!(rig.kept(), kept);
    rig.use_tokens("tokens");
    assert!(rig.init().contains("verified on 3 members"));
}

#[test]
fn a_missing_passphrase_is_a_fault_of_the_configuration_before_anything_is_made() {
    let rig = Rig::new();
    fs::remove_file(rig.path("custodians/custodian2.passphrase")).unwrap();
    let refused = rig.run(&["init"]);
    assert_eq!(refused.status.code(), Some(3));
    let said = text(&refused.stderr);
    assert!(said.contains("ceremony.custodians[1].passphrase_file") && said.contains("does not exist"), "{said}");
    assert!(!rig.path("hsm").exists());
}

#[test]
fn what_init_made_serves_and_a_signal_ends_it_in_order() {
    let rig = Rig::new();
    rig.init();
    for (round, signal) in [Signal::TERM, Signal::INT].into_iter().enumerate() {
        let log = fs::File::create(rig.path("log")).unwrap();
        let mut node = Serving(serve(&rig).stdout(Stdio::piped()).stderr(log).spawn().unwrap());
        let mut said = String::new();
        BufReader::new(node.0.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let ports: serde_json::Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("round {round}: {said}"));
        for port in ["kmip", "admin"] {
            std::net::TcpStream::connect(ports[port].as_str().unwrap()).unwrap();
        }
        let limits = fs::read_to_string(format!("/proc/{}/limits", node.0.id())).unwrap();
        let core: Vec<&str> =
            limits.lines().find(|line| line.starts_with("Max core file size")).unwrap().split_whitespace().collect();
        assert_eq!(core[4..6], ["0", "0"]);
        assert_eq!(fs::metadata(rig.path("kms.sqlite")).unwrap().permissions().mode() & 0o777, 0o600);

        // A second node would have to share the store.
        let second = serve(&rig).output().unwrap();
        assert_eq!(second.status.code(), Some(1), "{}", text(&second.stderr));

        let pid = Pid::from_child(&node.0);
        kill_process(pid, signal).unwrap();
        assert!(node.0.wait().unwrap().success());
        for line in fs::read_to_string(rig.path("log")).unwrap().lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        }
    }
}
