//! Every `kmsctl` command line of README.md is one that the program understands.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::process::{Command, Stdio};

const README: &str = include_str!("../../README.md");

/// The lines of consoles and the code in running text that begin with the program.
fn command_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut prose = String::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            lines.extend(line.strip_prefix("$ ").map(str::to_owned));
        } else {
            prose = prose + line + " ";
        }
    }
    // Of the parts between backticks every second one is code.
    lines.extend(prose.split('`').skip(1).step_by(2).map(str::to_owned));
    let arguments = |line: &String| {
        let mut words = line.split_whitespace().take_while(|word| *word != "#");
        let program = words.next()?;
        let words: Vec<_> = words.collect();
        (program.rsplit('/').next() == Some("kmsctl") && !words.is_empty()).then(|| words.join(" "))
    };
    lines.iter().filter_map(arguments).collect()
}

/// Runs it where no file is. A command line that is understood ends at the first file that it names; one that is not
/// ends before.
fn is_understood(line: &str) -> bool {
    let nowhere = tempfile::tempdir().unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_kmsctl"))
        .env_clear()
        .env("CLAVIS_PKI", nowhere.path().join("missing"))
        .current_dir(nowhere.path())
        .args(line.split_whitespace())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(2), "{line}: {said}");
    said.contains("No such file or directory")
}

#[test]
fn the_readme_says_nothing_that_kmsctl_does_not_understand() {
    let lines = command_lines(README);
    assert!(lines.len() >= 9, "where did they go? {lines:#?}");
    for line in lines {
        assert!(is_understood(&line), "README.md: kmsctl {line}");
    }
}

#[test]
fn what_kmsctl_does_not_understand_is_noticed() {
    for line in [
        "client issue mytenant --name vcenter --csr vcenter.csr",
        "client issue mytenant vcenter --csr vcenter.csr",
        "object list",
        "hsm state",
        "verify bundle acme.jsonl",
    ] {
        assert!(!is_understood(line), "{line}");
    }
    let text = "See `kmsctl\nhealth`.\n```console\n$ target/release/kmsctl hsm status  # look\n$ make demo\n```\n";
    assert_eq!(command_lines(text), ["hsm status", "health"]);
}
