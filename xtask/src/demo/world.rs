//! The world of the demo: a temporary folder, a node, a simulated host; and the ways to speak to them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rustix::fs::{FlockOperation, flock};
use serde_json::Value;
use tempfile::TempDir;
use xtask::stage::{Addresses, Programs, Server, Stage, StageOptions, TENANTS, Witnesses, children, finish};

use super::story::{Failure, Story};

/// Folders of demos begin so; those whose demo is gone are cleared away by the next one.
const PREFIX: &str = "clavis-demo-";
/// Held while the demo runs.
const LOCK: &str = "demo.lock";
/// The key provider's name in vCenter.
pub const PROVIDER: &str = "clavis";

/// The real processes and their folder.
pub struct World {
    /// The node's folder.
    pub stage: Stage,
    /// Where the programs are.
    pub programs: Programs,
    server: Option<Server>,
    host: Option<Host>,
    /// They remember what the node's logs were.
    pub witnesses: Witnesses,
    folder: TempDir,
    _lock: fs::File,
}

struct Host {
    child: Child,
    url: String,
}

impl Drop for Host {
    fn drop(&mut self) {
        // Killing the process is rebooting the host, which is what a demo may do to it at any time.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl World {
    /// Tokens, PKI, configuration, ceremony.
    pub fn prepare(story: &mut Story) -> Result<Self, Failure> {
        story.chapter("Three HSMs and a ceremony");
        clear_away_old_demos();
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        let lock = fs::File::create(folder.path().join(LOCK))?;
        flock(&lock, FlockOperation::LockExclusive)?;
        let programs = Programs::beside_this_one()?;
        story.step(&format!("a fresh node in {}", folder.path().display()));
        let stage = Stage::prepare(&folder.path().join("node"), &StageOptions::default())?;
        story.step("the ceremony: three tokens, one Root of Trust, every attack tried on every member …");
        stage.init(&programs)?;
        let witnesses = Witnesses::start(&stage, &programs)?;
        let stage = Stage::prepare(&stage.dir, &options(&witnesses, None))?;
        story.step("three witnesses, one per zone, each with a folder and a key of its own");
        Ok(Self { stage, programs, server: None, host: None, witnesses, folder, _lock: lock })
    }

    /// Starts the node and makes the tenants.
    pub fn open(&mut self, story: &mut Story) -> Result<(), Failure> {
        story.chapter("A node and its tenants");
        self.start_server(&[])?;
        // vCenter remembers where its key server is, so later starts have to be there, too.
        let addresses = self.server()?.addresses.clone();
        self.stage = Stage::prepare(&self.stage.dir, &options(&self.witnesses, Some(addresses)))?;
        story.step(&format!("kms-server serves KMIP on {}", self.server()?.addresses.kmip));
        for tenant in TENANTS {
            let policy = if tenant == "cobalt" { "legacy" } else { "anssi" };
            self.kmsctl("operator", &["domain", "create", tenant, "--policy", policy])?;
            let certificate = self.pki(&format!("{tenant}/client.pem"));
            self.kmsctl("operator", &["client", "register", tenant, &certificate])?;
        }
        let domains = self.kmsctl_json("operator", &["domain", "list"])?;
        let named = |name: &str| domains.as_array().is_some_and(|all| all.iter().any(|one| one["name"] == name));
        story.claim("the domains acme, boreal and cobalt exist", TENANTS.iter().all(|tenant| named(tenant)))?;
        let status = self.kmsctl_json("operator", &["hsm", "status"])?;
        story.claim("PAR7S, TH3S and AZ07 are up", self.members_up(&status) == ["PAR7S", "TH3S", "AZ07"])
    }

    /// Labels of the members that are up, by the node's own status.
    pub fn members_up(&self, status: &Value) -> Vec<String> {
        let members = status["members"].as_array().cloned().unwrap_or_default();
        let up = members.iter().filter(|member| member["up"] == true);
        up.filter_map(|member| member["label"].as_str().map(str::to_owned)).collect()
    }

    /// Starts the server, with faults in its environment if the chapter wants some.
    pub fn start_server(&mut self, environment: &[(&str, &str)]) -> Result<(), Failure> {
        self.server = Some(self.stage.serve(&self.programs, environment)?);
        Ok(())
    }

    /// Whether the server was built with its fault injector. Without it the demo's control would control nothing.
    pub fn can_inject_faults(&self) -> Result<bool, Failure> {
        let version = finish(children::command(&self.programs.path("kms-server")).arg("--version"))?;
        Ok(version.stdout.trim_end().ends_with("+fault"))
    }

    /// Stops the server in order.
    pub fn stop_server(&mut self) -> Result<(), Failure> {
        match self.server.take() {
            Some(server) => Ok(server.stop()?),
            None => Ok(()),
        }
    }

    /// The running server.
    pub fn server(&self) -> Result<&Server, Failure> {
        self.server.as_ref().ok_or_else(|| Failure::new("the server is not running"))
    }

    /// Runs `kmsctl`; anything but success is a failure with what it said.
    pub fn kmsctl(&self, admin: &str, args: &[&str]) -> Result<String, Failure> {
        let finished = self.stage.kmsctl(&self.programs, &self.server()?.addresses, admin, args)?;
        if finished.status.success() {
            Ok(finished.stdout)
        } else {
            Err(Failure::new(format!("kmsctl {}: {}", args.join(" "), finished.stderr.trim())))
        }
    }

    /// Runs `kmsctl --output json`.
    pub fn kmsctl_json(&self, admin: &str, args: &[&str]) -> Result<Value, Failure> {
        Ok(serde_json::from_str(&self.kmsctl(admin, &[args, &["--output", "json"]].concat())?)?)
    }

    /// Boots the simulated host, with the state of before if it ran before.
    pub fn boot_host(&mut self) -> Result<(), Failure> {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("esxi-sim.log"))?;
        let mut command = children::command(&self.programs.path("esxi-sim"));
        command
            .args(["serve", "--allow-decrypted-copies", "--health-interval", "0", "--state"])
            .arg(self.path("esxi"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        let mut child = children::spawn(&mut command)?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let host = Host { child, url: format!("http://{}", line.trim()) };
        if line.trim().is_empty() {
            return Err(Failure::new("esxi-sim did not start; see its log"));
        }
        self.host = Some(host);
        Ok(())
    }

    /// Kills the host, as a power cut would, and boots it again.
    pub fn reboot_host(&mut self) -> Result<(), Failure> {
        self.host = None;
        self.boot_host()
    }

    fn host_url(&self, path: &str) -> Result<String, Failure> {
        let host = self.host.as_ref().ok_or_else(|| Failure::new("the host is not running"))?;
        Ok(format!("{}{path}", host.url))
    }

    /// Asks the host.
    pub fn host_get(&self, path: &str) -> Result<Value, Failure> {
        answer(path, agent().get(self.host_url(path)?).call())
    }

    /// Tells the host to do something.
    pub fn host_post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        answer(path, agent().post(self.host_url(path)?).send_json(body))
    }

    /// Tells the host to do something and returns the status and the answer, whatever they are.
    pub fn host_try(&self, path: &str, body: &Value) -> Result<(u16, Value), Failure> {
        let mut response = agent().post(self.host_url(path)?).send_json(body)?;
        Ok((response.status().as_u16(), response.body_mut().read_json()?))
    }

    /// A path in the demo's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A path in the throw-away PKI, as text.
    pub fn pki(&self, name: &str) -> String {
        self.stage.pki().join(name).display().to_string()
    }

    /// Ends everything in order.
    pub fn close(mut self) -> Result<(), Failure> {
        self.host = None;
        self.stop_server()
    }
}

/// A stage with these witnesses, at the addresses it had before.
fn options(witnesses: &Witnesses, addresses: Option<Addresses>) -> StageOptions {
    let options = StageOptions { sections: witnesses.sections(), ..StageOptions::default() };
    match addresses {
        Some(Addresses { kmip, admin }) => StageOptions { kmip, admin, ..options },
        None => options,
    }
}

/// Any status is an answer; what it means is for the caller.
fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

fn answer(path: &str, response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, Failure> {
    let mut response = response?;
    let status = response.status();
    let body: Value = response.body_mut().read_json()?;
    if status.is_success() { Ok(body) } else { Err(Failure::new(format!("esxi-sim {path}: {status} {body}"))) }
}

/// Removes what interrupted demos left. One that still runs holds its lock.
fn clear_away_old_demos() {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.flatten() {
        let is_demo = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if is_demo && nobody_holds(&entry.path().join(LOCK)) {
            // Somebody else's folder cannot be removed, and need not be.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn nobody_holds(lock: &Path) -> bool {
    fs::File::open(lock).is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok())
}
