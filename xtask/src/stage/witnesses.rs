//! Three witnesses beside a stage, one per zone, each a process with a folder and a key of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use audit::witness::WitnessKey;
use rustix::process::{Pid, Signal, kill_process};

use super::{Programs, Stage, StageError, children, finish};

/// The zones, which are those of the HSM members.
pub const ZONES: [&str; 3] = ["PAR7S", "TH3S", "AZ07"];
/// The security officers, two of whom let a witness forget.
const OFFICERS: [&str; 3] = ["officer1", "officer2", "officer3"];
/// Where a witness listens that did not listen before: any port.
const ANY_PORT: &str = "127.0.0.1:0";

/// Witnesses of a node. Dropped, they are killed; what they remember is on the disk at every moment.
pub struct Witnesses {
    each: Vec<Witness>,
}

/// One witness, running or not.
pub struct Witness {
    program: PathBuf,
    dir: PathBuf,
    pki: PathBuf,
    trusted: PathBuf,
    /// Its public key.
    pub key: WitnessKey,
    address: String,
    child: Option<Child>,
}

impl Witnesses {
    /// Starts the witnesses of a stage whose ceremony was held; those that are not there yet are made first, and let the
    /// stage's node in by the certificate of its admin listener.
    ///
    /// # Errors
    /// [`StageError`].
    pub fn start(stage: &Stage, programs: &Programs) -> Result<Self, StageError> {
        let mut each = Vec::new();
        for zone in ZONES {
            let mut witness = Witness::of(stage, programs, zone)?;
            witness.start()?;
            each.push(witness);
        }
        Ok(Self { each })
    }

    /// The sections of the node's configuration that name them.
    #[must_use]
    pub fn sections(&self) -> String {
        let section = |witness: &Witness| {
            format!(
                "\n[[witnesses]]\naddress = \"{}\"\nkey = \"{}\"\nca = \"pki/ca.pem\"\nserver_name = \"localhost\"\n",
                witness.address,
                witness.key.verifier_key()
            )
        };
        self.each.iter().map(section).collect()
    }

    /// One of them, counted from 0 in the order of [`ZONES`].
    pub fn get(&mut self, number: usize) -> Option<&mut Witness> {
        self.each.get_mut(number)
    }

    /// All of them.
    pub fn all(&mut self) -> impl Iterator<Item = &mut Witness> {
        self.each.iter_mut()
    }

    /// The public keys.
    #[must_use]
    pub fn keys(&self) -> Vec<WitnessKey> {
        self.each.iter().map(|witness| witness.key.clone()).collect()
    }
}

impl Witness {
    fn of(stage: &Stage, programs: &Programs, zone: &str) -> Result<Self, StageError> {
        let program = programs.path("witness");
        let parent = stage.dir.join("witnesses");
        fs::create_dir_all(&parent).map_err(StageError::file(&parent))?;
        let dir = parent.join(zone);
        if !dir.exists() {
            let mut command = children::command(&program);
            command.args(["init", "--name", zone, "--dir"]).arg(&dir).arg("--node").arg(stage.pki().join("server.pem"));
            for officer in OFFICERS {
                let certificate = stage.pki().join(format!("admin/{officer}.pem"));
                command.arg("--officer").arg(format!("{officer}={}", certificate.display()));
            }
            demand(finish(&mut command)?)?;
        }
        let path = dir.join("witness.pub");
        let text = fs::read_to_string(&path).map_err(StageError::file(&path))?;
        let key = WitnessKey::parse(text.trim_end()).map_err(|error| failed(&error.to_string()))?;
        let trusted = stage.dir.join("ceremony/checkpoint-keys.txt");
        Ok(Self { program, dir, pki: stage.pki(), trusted, key, address: ANY_PORT.to_owned(), child: None })
    }

    /// Starts it, on the port that it had before.
    ///
    /// # Errors
    /// [`StageError`].
    pub fn start(&mut self) -> Result<(), StageError> {
        let log = self.dir.with_extension("log");
        let log_file = fs::OpenOptions::new().create(true).append(true).open(&log).map_err(StageError::file(&log))?;
        let mut command = children::command(&self.program);
        command
            .args(["serve", "--listen", &self.address, "--dir"])
            .arg(&self.dir)
            .arg("--keys")
            .arg(&self.trusted)
            .arg("--certificate")
            .arg(self.pki.join("server.pem"))
            .arg("--key")
            .arg(self.pki.join("server.key"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log_file);
        let mut child = children::spawn(&mut command).map_err(|error| failed(&error.to_string()))?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line).map_err(|error| failed(&error.to_string()))?;
        }
        self.child = Some(child);
        if line.trim().is_empty() {
            return Err(failed(&format!("did not start; see {}", log.display())));
        }
        self.address = line.trim().to_owned();
        Ok(())
    }

    /// Ends it. What it remembers is on the disk at every moment.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends it a signal: one that stops it makes it hang with its connections open.
    pub fn signal(&self, signal: Signal) {
        let pid = self.child.as_ref().and_then(|child| i32::try_from(child.id()).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It may be gone already.
            let _ = kill_process(pid, signal);
        }
    }

    /// Has it forget what it remembers: its holder makes the request, these officers sign it on their own computers, and
    /// it judges.
    ///
    /// # Errors
    /// [`StageError`], also where the witness refuses.
    pub fn rebase(&self, reason: &str, officers: &[&str]) -> Result<(), StageError> {
        let file = self.dir.with_extension("request.json");
        let _ = fs::remove_file(&file);
        let mut command = children::command(&self.program);
        command.args(["request", "--reason", reason, "--dir"]).arg(&self.dir);
        demand(finish(command.arg("--keys").arg(&self.trusted).arg("--out").arg(&file))?)?;
        for officer in officers {
            let mut command = children::command(&self.program.with_file_name("kmsctl"));
            command.arg("--key").arg(self.pki.join(format!("admin/{officer}.key")));
            demand(finish(command.args(["request", "approve", "--file"]).arg(&file))?)?;
        }
        let mut command = children::command(&self.program);
        command.args(["rebase", "--dir"]).arg(&self.dir).arg("--keys").arg(&self.trusted);
        demand(finish(command.arg("--request").arg(&file))?)
    }

    /// What it wrote down of refusals, rebases and nodes that were let in.
    #[must_use]
    pub fn journal(&self) -> String {
        fs::read_to_string(self.dir.join("journal.jsonl")).unwrap_or_default()
    }

    /// Its folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.kill();
    }
}

fn demand(finished: super::Finished) -> Result<(), StageError> {
    if finished.status.success() { Ok(()) } else { Err(failed(&finished.stderr)) }
}

fn failed(what: &str) -> StageError {
    StageError::Program { program: "witness".to_owned(), what: what.to_owned() }
}
