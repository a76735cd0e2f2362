//! Ctrl-C at any moment: `xtask serve` and `xtask demo` end in order, nothing outlives them, and they work again.
//!
//! Real processes, which `scripts/build-tested` builds. What a killed one leaves behind becomes a child of the test
//! (it is a subreaper), so that its end can be waited for and need not be polled.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, set_child_subreaper, waitpid};

/// A running chore whose output is read line by line.
struct Chore {
    child: Child,
    out: BufReader<ChildStdout>,
}

/// Processes that serve: the server, a witness per zone, the console.
const SERVING: usize = 5;

impl Chore {
    fn start(name: &str, folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .arg(name)
            .env("RUN_DIR", folder.join("run"))
            .env("TMPDIR", folder)
            .env("KMIP_ADDR", "127.0.0.1:0")
            .env("ADMIN_ADDR", "127.0.0.1:0")
            .env("CONSOLE_ADDR", "127.0.0.1:0")
            .env("OPERATOR_ADDR", "127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// Reads on to the line that holds `mark`; fails if the chore ends before it.
    fn until(&mut self, mark: &str) -> String {
        let mut line = String::new();
        while !line.contains(mark) {
            line.clear();
            assert_ne!(self.out.read_line(&mut line).unwrap(), 0, "the chore ended before it said {mark:?}");
        }
        line
    }

    fn signal(&self, signal: Signal) {
        kill_process(pid(self.child.id()), signal).unwrap();
    }

    fn end(mut self) -> ExitStatus {
        // It must not wait for somebody to read.
        std::io::copy(&mut self.out, &mut std::io::sink()).unwrap();
        self.child.wait().unwrap()
    }
}

fn pid(id: u32) -> Pid {
    Pid::from_raw(i32::try_from(id).unwrap()).unwrap()
}

/// The processes whose command line names a path in this folder.
fn processes_of(folder: &Path) -> Vec<Pid> {
    let name = folder.to_str().unwrap();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str().and_then(|id| id.parse::<u32>().ok()));
    ids.filter(|id| {
        fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains(name))
    })
    .map(pid)
    .collect()
}

fn demo_folders(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("clavis-demo-")).collect()
}

#[test]
fn serve_ends_in_order_when_it_is_told_and_serves_again() {
    let folder = tempfile::tempdir().unwrap();
    for signal in [Signal::INT, Signal::TERM] {
        let mut serve = Chore::start("serve", folder.path());
        serve.until("Stop with Ctrl-C");
        // The control: a search that finds nothing while the server runs would prove nothing.
        assert_eq!(processes_of(folder.path()).len(), SERVING);
        serve.signal(signal);
        assert!(serve.end().success());
        assert_eq!(processes_of(folder.path()), []);
    }
}

#[test]
fn serve_that_is_interrupted_while_it_sets_up_completes_it_the_next_time() {
    let folder = tempfile::tempdir().unwrap();
    for moment in ["three tokens", "starting the server", "tenants and their clients"] {
        let mut serve = Chore::start("serve", folder.path());
        serve.until(moment);
        serve.signal(Signal::INT);
        assert!(serve.end().success(), "interrupted at: {moment}");
        assert_eq!(processes_of(folder.path()), []);
    }
    let mut serve = Chore::start("serve", folder.path());
    serve.until("Stop with Ctrl-C");
    serve.signal(Signal::INT);
    assert!(serve.end().success());
}

#[test]
fn no_server_outlives_a_serve_that_was_killed() {
    set_child_subreaper(Some(pid(std::process::id()))).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut serve = Chore::start("serve", folder.path());
    serve.until("Stop with Ctrl-C");
    let servers = processes_of(folder.path());
    assert_eq!(servers.len(), SERVING);
    serve.signal(Signal::KILL);
    serve.end();
    for server in servers {
        let (_, status) = waitpid(Some(server), WaitOptions::empty()).unwrap().unwrap();
        assert_eq!(status.terminating_signal(), Some(Signal::KILL.as_raw()));
    }
    assert_eq!(processes_of(folder.path()), []);
}

#[test]
fn an_interrupted_demo_leaves_nothing() {
    for moment in ["the ceremony:", "making a 64 MiB disk", "the host encrypts"] {
        let folder = tempfile::tempdir().unwrap();
        let mut demo = Chore::start("demo", folder.path());
        demo.until(moment);
        assert_eq!(demo_folders(folder.path()).len(), 1);
        demo.signal(Signal::INT);
        assert!(!demo.end().success(), "what was not shown does not hold");
        assert_eq!(demo_folders(folder.path()), [""; 0].map(PathBuf::from));
        assert_eq!(processes_of(folder.path()), []);
    }
}

#[test]
fn the_next_demo_clears_away_what_a_killed_one_left() {
    set_child_subreaper(Some(pid(std::process::id()))).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Chore::start("demo", folder.path());
    demo.until("making a 64 MiB disk");
    let left = demo_folders(folder.path());
    let running = processes_of(folder.path());
    assert_eq!((left.len(), running.is_empty()), (1, false));
    demo.signal(Signal::KILL);
    demo.end();
    for process in running {
        let _ = waitpid(Some(process), WaitOptions::empty());
    }
    assert_eq!((demo_folders(folder.path()), processes_of(folder.path())), (left.clone(), vec![]));

    let mut next = Chore::start("demo", folder.path());
    next.until("a fresh node in");
    let now = demo_folders(folder.path());
    assert!(now.len() == 1 && now != left);
    next.signal(Signal::TERM);
    assert!(!next.end().success());
}
