//! The help of every command, as text to review: `tests/golden/help.txt`. `UPDATE_GOLDEN=1` writes it anew.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use std::path::Path;

use support::Kmsctl;

const COMMANDS: [&str; 68] = [
    "",
    "health",
    "hsm",
    "hsm status",
    "administrator",
    "administrator list",
    "administrator add",
    "administrator revoke",
    "administrator role",
    "request",
    "request list",
    "request show",
    "request approve",
    "request execute",
    "request withdraw",
    "domain",
    "domain create",
    "domain list",
    "domain show",
    "domain freeze",
    "domain thaw",
    "domain rotate-key",
    "domain destroy",
    "domain certificate",
    "domain orphans",
    "domain verify",
    "client",
    "client register",
    "client issue",
    "client list",
    "client credential",
    "client credential add",
    "client credential remove",
    "client credential list",
    "client access",
    "client revoke",
    "object",
    "object list",
    "object show",
    "object revoke",
    "object certificate",
    "object destroy",
    "backup",
    "backup create",
    "backup list",
    "backup restore",
    "backup verify",
    "audit",
    "audit retention",
    "audit hold",
    "audit hold set",
    "audit hold lift",
    "audit hold list",
    "audit export",
    "audit show",
    "audit stats",
    "audit tail",
    "audit prove",
    "audit tiles",
    "audit checkpoint",
    "audit keys",
    "verify",
    "verify certificate",
    "verify report",
    "verify ceremony",
    "verify checkpoint",
    "verify bundle",
    "verify proof",
];

#[test]
fn the_help_is_the_one_that_was_reviewed() {
    let mut text = String::new();
    for command in COMMANDS {
        let run = Kmsctl::new().args(command.split_whitespace()).arg("--help").run();
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{command}");
        text += &format!("$ kmsctl {command} --help\n{}\n", run.stdout).replace("kmsctl  --help", "kmsctl --help");
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/help.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &text).unwrap();
    }
    let reviewed = std::fs::read_to_string(&golden).unwrap_or_default();
    assert!(text == reviewed, "the help changed; UPDATE_GOLDEN=1 writes {}:\n{text}", golden.display());
}

/// Last words of commands that destroy, refuse, take away or loosen something: each can be rehearsed.
const REHEARSED: &[&str] = &[
    "access",
    "destroy",
    "execute",
    "freeze",
    "lift",
    "remove",
    "restore",
    "retention",
    "revoke",
    "role",
    "rotate-key",
    "thaw",
    "withdraw",
];

/// Last words of commands that show, make or add something, and take nothing from anybody.
const HARMLESS: &[&str] = &[
    "add",
    "approve",
    "bundle",
    "ceremony",
    "certificate",
    "checkpoint",
    "create",
    "export",
    "health",
    "issue",
    "keys",
    "list",
    "orphans",
    "proof",
    "prove",
    "register",
    "report",
    "set",
    "show",
    "stats",
    "status",
    "tail",
    "tiles",
    "verify",
];

#[test]
fn every_command_that_takes_something_away_can_be_rehearsed() {
    for command in COMMANDS {
        let help = Kmsctl::new().args(command.split_whitespace()).arg("--help").run().stdout;
        if help.contains("\nCommands:\n") {
            continue;
        }
        let word = command.split_whitespace().last().unwrap();
        assert!(
            REHEARSED.contains(&word) != HARMLESS.contains(&word),
            "{command}: say here whether it takes something away"
        );
        assert!(!REHEARSED.contains(&word) || help.contains("      --dry-run "), "{command} has no --dry-run");
    }
}

#[test]
fn every_command_shows_an_example_of_itself() {
    for command in COMMANDS {
        let run = Kmsctl::new().args(command.split_whitespace()).arg("--help").run();
        let lists_commands = run.stdout.contains("\nCommands:\n");
        let example = run.stdout.lines().any(|line| line.starts_with("  kmsctl ") && line.contains(command));
        assert!(lists_commands || example, "{command} has no example");
        for listed in run.stdout.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|l| !l.is_empty()) {
            let name = listed.split_whitespace().next().unwrap();
            let full = format!("{command} {name}");
            assert!(COMMANDS.contains(&full.trim()), "{full} is not in this test");
        }
    }
}
