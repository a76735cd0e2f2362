//! Three witnesses, each a process with a folder and a key of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use audit::witness::WitnessKey;
use xtask::stage::finish;

use crate::node::{Node, Result};

/// Witnesses of a node.
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
    /// Makes and starts three witnesses of a node that does not serve yet, and names them in its configuration.
    ///
    /// # Errors
    /// Of the processes and files.
    pub fn of(node: &Node) -> Result<Self> {
        let mut each = Vec::new();
        let mut sections = String::new();
        for number in 1..=3 {
            let mut witness = Witness::create(node, &format!("witness{number}"))?;
            witness.start()?;
            sections += &format!(
                "\n[[witnesses]]\naddress = \"{}\"\nkey = \"{}\"\nca = \"pki/ca.pem\"\nserver_name = \"localhost\"\n",
                witness.address,
                witness.key.verifier_key()
            );
            each.push(witness);
        }
        let config = fs::read_to_string(node.stage.config())?;
        fs::write(node.stage.config(), config + &sections)?;
        Ok(Self { each })
    }

    /// One of them, counted from 0.
    pub fn get(&mut self, number: usize) -> &mut Witness {
        &mut self.each[number]
    }

    /// All of them.
    pub fn all(&mut self) -> impl Iterator<Item = &mut Witness> {
        self.each.iter_mut()
    }
}

impl Witness {
    fn create(node: &Node, name: &str) -> Result<Self> {
        let program = node.programs.path("witness");
        let dir = node.dir().join(name);
        let made = finish(Command::new(&program).args(["init", "--name", name, "--dir"]).arg(&dir))?;
        let key = WitnessKey::parse(made.stdout.trim_end()).map_err(|error| format!("{error}: {}", made.stderr))?;
        Ok(Self {
            program,
            dir,
            pki: node.stage.pki(),
            trusted: node.dir().join("ceremony/checkpoint-keys.txt"),
            key,
            address: "127.0.0.1:0".to_owned(),
            child: None,
        })
    }

    /// Starts it, on the port that it had before.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn start(&mut self) -> Result<()> {
        let mut child = Command::new(&self.program)
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
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        let out = child.stdout.take();
        self.child = Some(child);
        BufReader::new(out.ok_or("no output")?).read_line(&mut line)?;
        self.address = line.trim().to_owned();
        if self.address.is_empty() { Err("the witness did not start".into()) } else { Ok(()) }
    }

    /// Ends it. What it remembers is on the disk at every moment.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Tells it to forget what it remembers, which its holder does.
    ///
    /// # Errors
    /// Where the command fails.
    pub fn rebase(&self, reason: &str) -> Result<()> {
        let command = finish(Command::new(&self.program).args(["rebase", "--reason", reason, "--dir"]).arg(&self.dir))?;
        if command.status.success() { Ok(()) } else { Err(command.stderr.into()) }
    }

    /// What it wrote down of refusals and rebases.
    #[must_use]
    pub fn journal(&self) -> String {
        fs::read_to_string(self.dir.join("journal.jsonl")).unwrap_or_default()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.kill();
    }
}
