//! The real processes on a stage: started, heard, stopped, killed.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use super::{Stage, StageError, children};

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    /// Folder of `kms-server`, `kmsctl` and `esxi-sim`.
    pub dir: PathBuf,
}

/// Where a server listens.
#[derive(Clone, Debug, Deserialize)]
pub struct Addresses {
    /// KMIP.
    pub kmip: SocketAddr,
    /// Admin API.
    pub admin: SocketAddr,
}

/// A program that ran to its end.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to its standard output.
    pub stdout: String,
    /// What it wrote to its standard error.
    pub stderr: String,
}

/// A running `kms-server`. Dropped, it is killed.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub addresses: Addresses,
    /// What it logs to.
    pub log: PathBuf,
}

impl Programs {
    /// The programs that were built beside the running one.
    ///
    /// # Errors
    /// [`StageError::Program`] if the running program does not know where it is.
    pub fn beside_this_one() -> Result<Self, StageError> {
        let failed = |what: &str| StageError::Program { program: "this program".to_owned(), what: what.to_owned() };
        let own = std::env::current_exe().map_err(|error| failed(&error.to_string()))?;
        let mut dir = own.parent().ok_or_else(|| failed("has no folder"))?;
        // Tests lie in target/<profile>/deps.
        if dir.ends_with("deps") {
            dir = dir.parent().ok_or_else(|| failed("has no folder"))?;
        }
        Ok(Self { dir: dir.to_owned() })
    }

    /// Path of one of them.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// Runs a command to its end.
///
/// # Errors
/// [`StageError::Program`] if it cannot be started; a bad end is for the caller to judge.
pub fn finish(command: &mut Command) -> Result<Finished, StageError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = children::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))
        .and_then(Child::wait_with_output)
        .map_err(|error| StageError::Program { program, what: error.to_string() })?;
    Ok(Finished {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

impl Stage {
    /// A command in this stage's environment.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let mut command = children::command(program);
        command.env("SOFTHSM2_CONF", self.dir.join("softhsm2.conf")).env_remove("KMIP_ADDR").env_remove("ADMIN_ADDR");
        command
    }

    /// Holds the ceremony and makes the store, or completes what an earlier run began.
    ///
    /// # Errors
    /// [`StageError`].
    pub fn init(&self, programs: &Programs) -> Result<Finished, StageError> {
        let program = programs.path("kms-server");
        let finished = finish(self.command(&program).arg("--config").arg(self.config()).arg("init"))?;
        if finished.status.success() {
            Ok(finished)
        } else {
            Err(StageError::Program { program: "kms-server init".to_owned(), what: finished.stderr })
        }
    }

    /// Starts the server and waits until it says where it listens.
    ///
    /// # Errors
    /// [`StageError`], with the end of its log if it ended instead.
    pub fn serve(&self, programs: &Programs, environment: &[(&str, &str)]) -> Result<Server, StageError> {
        let log = self.dir.join("kms-server.log");
        let file = OpenOptions::new().create(true).append(true).open(&log).map_err(StageError::file(&log))?;
        let mut command = self.command(&programs.path("kms-server"));
        command.arg("--config").arg(self.config()).arg("serve").envs(environment.iter().copied());
        Server::start(command, file, log)
    }

    /// Runs `kmsctl` as the named administrator.
    ///
    /// # Errors
    /// [`StageError`] if it cannot be started.
    pub fn kmsctl(
        &self,
        programs: &Programs,
        server: &Addresses,
        admin: &str,
        args: &[&str],
    ) -> Result<Finished, StageError> {
        let mut command = children::command(&programs.path("kmsctl"));
        command
            .env("CLAVIS_ADMIN_URL", format!("https://{}", server.admin))
            .env("CLAVIS_PKI", self.pki())
            .env("CLAVIS_AS", admin)
            .args(args);
        finish(&mut command)
    }
}

impl Server {
    /// Starts `command`, whose first line on standard output says where it listens.
    ///
    /// # Errors
    /// [`StageError`].
    pub fn start(mut command: Command, log_file: File, log: PathBuf) -> Result<Self, StageError> {
        let failed = |what: String| StageError::Program { program: "kms-server serve".to_owned(), what };
        let mut child = children::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log_file))
            .map_err(|error| failed(error.to_string()))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            // Blocks until the server is ready, or until it ends and its standard output closes.
            BufReader::new(stdout).read_line(&mut line).map_err(|error| failed(error.to_string()))?;
        }
        match serde_json::from_str(&line) {
            Ok(addresses) => Ok(Self { child, addresses, log }),
            Err(_) => {
                let status = child.wait().map_err(|error| failed(error.to_string()))?;
                Err(failed(format!("ended with {status}:\n{}", end_of(&log))))
            }
        }
    }

    /// Process identifier.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop and waits for its end.
    ///
    /// # Errors
    /// [`StageError::Program`] if it did not end well.
    pub fn stop(mut self) -> Result<(), StageError> {
        let failed = |what: String| StageError::Program { program: "kms-server serve".to_owned(), what };
        self.signal(Signal::TERM);
        let status = self.child.wait().map_err(|error| failed(error.to_string()))?;
        if status.success() { Ok(()) } else { Err(failed(format!("ended with {status}:\n{}", end_of(&self.log)))) }
    }

    /// Kills it, as a crash would.
    pub fn kill(mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It may be gone already, which is what the signal is for.
            let _ = kill_process(pid, signal);
        }
    }

    /// Waits for its end without asking for it.
    ///
    /// # Errors
    /// [`StageError::Program`].
    pub fn wait(mut self) -> Result<ExitStatus, StageError> {
        self.child
            .wait()
            .map_err(|error| StageError::Program { program: "kms-server serve".to_owned(), what: error.to_string() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// The last lines of a log, for an error message.
fn end_of(path: &Path) -> String {
    let mut text = String::new();
    let _ = File::open(path).and_then(|mut file| file.read_to_string(&mut text));
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
