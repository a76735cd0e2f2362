//! A shell that stays: what a command sets, changes and starts is there for the next one.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::node::Result;

/// After this long without a line, a command hangs.
const PATIENCE: Duration = Duration::from_secs(180);
/// What the shell writes after each command, before its exit code; no program writes this byte.
const MARK: char = '\u{1e}';

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What it wrote to standard output and standard error.
    pub lines: Vec<String>,
    /// What it ended with.
    pub code: i32,
}

/// A shell. Dropped, it is killed with everything that it started.
pub struct Shell {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
}

impl Shell {
    /// Starts `bash` by way of a command that has its folder and environment already.
    ///
    /// # Errors
    /// Of the system.
    pub fn start(command: &mut Command) -> Result<Self> {
        // A group of its own, so that servers it started end with it.
        command.args(["--noprofile", "--norc"]).process_group(0);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (stdin, stdout) = stdin.zip(stdout).ok_or("the shell has no input or output")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(std::io::Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, stdin, lines })
    }

    /// Types a command and waits for its end. One that is put into the background, with `&` at its end, has said all when
    /// it wrote a line: servers say so where they listen.
    ///
    /// # Errors
    /// A shell that ended, a command that hangs.
    pub fn run(&mut self, typed: &str) -> Result<Ended> {
        let in_background = typed.ends_with('&');
        writeln!(self.stdin, "{{ {typed}\n}} 2>&1 < /dev/null; printf '\\n{MARK}%d\\n' $?")?;
        self.stdin.flush()?;
        let mut ended = Ended { lines: Vec::new(), code: 0 };
        let mut is_over = false;
        loop {
            let line = self.lines.recv_timeout(PATIENCE).map_err(|error| match error {
                RecvTimeoutError::Timeout => format!("$ {typed}\nhangs after {:?}", ended.lines),
                RecvTimeoutError::Disconnected => format!("$ {typed}\nended the shell after {:?}", ended.lines),
            })?;
            if let Some(code) = line.strip_prefix(MARK) {
                ended.code = code.parse()?;
                is_over = true;
                // The mark stands on a line of its own, whether or not the output ended with one.
                if ended.lines.last().is_some_and(String::is_empty) {
                    ended.lines.pop();
                }
            } else {
                ended.lines.push(line);
            }
            if is_over && (!in_background || ended.lines.iter().any(|line| !line.is_empty())) {
                ended.lines.retain(|line| !in_background || !line.is_empty());
                return Ok(ended);
            }
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // Gone already is as good.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell() -> Shell {
        Shell::start(&mut Command::new("bash")).unwrap()
    }

    #[test]
    fn keeps_what_a_command_set_and_tells_how_it_ended() {
        let mut shell = shell();
        assert_eq!(shell.run("here=there").unwrap(), Ended { lines: Vec::new(), code: 0 });
        let ended = shell.run("printf \"$here\\n\\nlast\"; ls /nowhere 2>/dev/null").unwrap();
        assert_eq!((ended.lines, ended.code), (vec!["there".into(), String::new(), "last".into()], 2));
        assert_eq!(shell.run("echo bad >&2; (exit 7)").unwrap(), Ended { lines: vec!["bad".into()], code: 7 });
        assert_eq!(shell.run("cat <<END\none\nEND").unwrap().lines, ["one"]);
    }

    #[test]
    fn waits_for_the_first_line_of_what_goes_on_in_the_background() {
        let mut shell = shell();
        assert_eq!(shell.run("(echo ready; exec tail -f /dev/null) &").unwrap().lines, ["ready"]);
        assert_eq!(shell.run("echo next").unwrap().lines, ["next"]);
        assert!(shell.run("exit 3").is_err());
    }
}
