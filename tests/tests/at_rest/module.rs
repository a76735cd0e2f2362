//! Whose copy it is that a pair on a curve leaves in memory: a process with nothing but the module in it has it, too.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use aes_kw::{KeyInit, KwpAes256};
use system_tests::memory;
use system_tests::needles::{Hit, Needles};
use system_tests::node::{Node, repository};
use system_tests::random::Random;
use xtask::stage::StageOptions;

use crate::objects;

/// A process that made and wrapped a pair, and the wrapped half in clear.
struct Bare {
    process: Child,
    half: Vec<u8>,
}

impl Bare {
    /// With a variable in its environment.
    fn start(node: &Node, random: &mut Random, variable: Option<(&str, &str)>) -> Self {
        let one_time = random.bytes(32);
        let mut command = node.stage.command(&repository().join(".venv/bin/python"));
        command
            .arg(repository().join("tests/clients/bare_pair.py"))
            .arg(node.dir().join("hsm/PAR7S.so"))
            .arg("PAR7S")
            .arg(node.dir().join("hsm/PAR7S.pin"))
            .arg(hex::encode(&one_time))
            .envs(variable)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let wrapped = hex::decode(line.trim()).unwrap();
        let mut room = vec![0; wrapped.len()];
        let opened = KwpAes256::new_from_slice(&one_time).unwrap().unwrap_key(&wrapped, &mut room).unwrap();
        let half = objects::numbers_of(opened).into_iter().find(|number| number.len() == 32).unwrap();
        Self { process, half }
    }

    /// What is left of the half.
    fn search(&self) -> Vec<Hit> {
        let mut needles = Needles::default();
        needles.add("a half", &self.half).unwrap();
        memory::find(&needles, self.process.id()).unwrap().1
    }

    fn end(mut self) {
        drop(self.process.stdin.take());
        assert!(self.process.wait().unwrap().success());
    }
}

#[test]
fn what_a_pair_leaves_in_memory_is_left_by_the_module_and_goes_where_freed_memory_is_written_over() {
    if !memory::may_look() {
        println!("not looked for: only root may look into another process");
        return;
    }
    let mut random = Random::announced("what_a_pair_leaves_in_memory");
    let node = Node::prepare(&StageOptions::default()).unwrap();
    for (variable, is_left) in [(None, true), (Some(memory::WIPED_BY_C), false)] {
        let bare = Bare::start(&node, &mut random, variable);
        assert_eq!(!bare.search().is_empty(), is_left, "{variable:?}");
        bare.end();
    }
}
