//! `docs/operations.md`, typed line by line on a machine as an operator has it: what the page shows is what comes.

mod scenes;

use std::process::Command;

use scenes::Scenes;
use system_tests::node::{folder, repository};
use system_tests::transcript::{self, Page, Shell, Values, matching};

/// The programs of Clavis: none of their command lines stands on the page without being executed.
const PROGRAMS: [&str; 3] = ["kmsctl", "kms-server", "witness"];
/// The stories that the page has to tell, by their titles.
const CHAPTERS: [&str; 7] =
    ["First day", "A new tenant", "Rotation", "A damaged domain", "A lost HSM", "A lost node", "The end of a contract"];

#[test]
fn every_command_of_the_operations_page_does_what_the_page_shows() {
    let path = repository().join("docs/operations.md");
    let mut page = Page::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let text = page.text();
    for chapter in CHAPTERS {
        assert!(text.contains(&format!("\n## {chapter}\n")), "{chapter}");
    }
    assert_eq!(page.unplayed(&PROGRAMS), Vec::<String>::new(), "commands on the page that are not executed");

    let place = folder().unwrap();
    let scenes = Scenes::set(&place.path().join("node")).unwrap();
    let mut values = Values::default();
    scenes.bind(&mut values);
    let mut shell = Shell::start(&mut scenes.shell()).unwrap();
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let outcome = transcript::play(
        &mut page,
        &mut values,
        &mut shell,
        &mut |words, values, shell| scenes.play(words, values, shell),
        update.then_some(path.as_path()),
    );
    let played = match outcome {
        Ok(played) => played,
        Err(error) => {
            // What the node said before it went with its folder.
            let log = std::fs::read_to_string(scenes.dir().join("node.log")).unwrap_or_default();
            let last: Vec<&str> = log.lines().rev().take(12).collect();
            for line in last.iter().rev() {
                eprintln!("{line}");
            }
            panic!("{error}\nUPDATE_GOLDEN=1 rewrites what the page shows");
        }
    };
    assert_eq!(played.len(), page.commands().count());

    // The control: with any line altered, one taken away, one more, or another exit code, each command is refused.
    for one in &played {
        let fits = |command: &transcript::Command| matching::hold(command, &one.ended, &mut one.values.clone()).is_ok();
        if !update {
            assert!(fits(&one.command), "line {}", one.command.line);
        }
        for at in (0..one.command.shown.len()).filter(|at| one.command.shown[*at] != "...") {
            let mut altered = one.command.clone();
            altered.shown[at].push_str(" altered");
            assert!(!fits(&altered), "line {}, output {at}", one.command.line);
        }
        let mut longer = one.command.clone();
        longer.shown.push("one more".to_owned());
        let mut otherwise = one.command.clone();
        otherwise.code = otherwise.code.wrapping_add(1);
        assert!(!fits(&longer) && !fits(&otherwise), "line {}", one.command.line);
    }
}

#[test]
fn a_page_whose_output_is_not_what_comes_is_refused() {
    let play = |text: &str| {
        let mut page = Page::parse(text).unwrap();
        let mut shell = Shell::start(&mut Command::new("bash")).unwrap();
        transcript::play(&mut page, &mut Values::default(), &mut shell, &mut |_, _, _| Ok(()), None)
    };
    let told = |output: &str, code: &str| format!("```console\n$ echo one; echo two; (exit 3)\n{output}{code}```\n");
    assert_eq!(play(&told("one\ntwo\n", "[exit 3]\n")).unwrap().len(), 1);
    for (output, code) in
        [("one\ntwo\n", ""), ("one\n", "[exit 3]\n"), ("one\nthree\n", "[exit 3]\n"), ("", "[exit 3]\n")]
    {
        assert!(play(&told(output, code)).is_err(), "{output}{code}");
    }
    assert!(play("```console\n$ echo <nobody>\n<nobody>\n```\n").is_err(), "a placeholder out of nowhere");
}
