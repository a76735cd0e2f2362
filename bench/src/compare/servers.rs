//! The two servers: started on ports that the system chooses, in one folder of one disk, under one PKI.

use std::fs::{self, DirBuilder, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use admin_api::{AdminClient, NewDomain, RegisterClient};
use kmip::ProtocolVersion;
use serde::Deserialize;
use xtask::stage::{Programs, Server, Stage, StageOptions};

use super::{CompareError, at};
use crate::load::{TargetOptions, Tls};
use crate::measurement::Processor;

/// The tenant that both servers know; one of the throw-away PKI's.
const TENANT: &str = "acme";
/// What both servers speak, and what PyKMIP speaks by default.
const VERSION: ProtocolVersion = ProtocolVersion::V1_2;

/// A folder that belongs to one benchmark at a time.
pub(super) struct Folder {
    path: PathBuf,
    // Released by the kernel when the benchmark ends, however it ends.
    _lock: File,
}

impl Folder {
    /// Makes the folder, or empties it of what an earlier benchmark left.
    pub(super) fn take(path: &Path) -> Result<Self, CompareError> {
        private_folder(path)?;
        let path = path.canonicalize().map_err(at(path))?;
        let lock = File::create(path.join("lock")).map_err(at(&path))?;
        lock.try_lock().map_err(|_| CompareError::Running(path.clone()))?;
        let folder = Self { path, _lock: lock };
        folder.empty()?;
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Empties the folder.
    pub(super) fn give_back(self) -> Result<(), CompareError> {
        self.empty()
    }

    fn empty(&self) -> Result<(), CompareError> {
        for name in ["ours", "pykmip", "unaudited"] {
            let path = self.path.join(name);
            if path.exists() {
                fs::remove_dir_all(&path).map_err(at(&path))?;
            }
        }
        Ok(())
    }
}

/// This repository's server, as `make serve` starts it, with one tenant. Dropped, it is killed.
pub struct Ours {
    server: Server,
    pki: PathBuf,
}

impl Ours {
    /// Tokens, ceremony, server, tenant; in `folder/ours`.
    ///
    /// # Errors
    /// [`CompareError::Stage`], [`CompareError::Tenant`].
    pub fn start(folder: &Path) -> Result<Self, CompareError> {
        Self::of(folder, "ours", &Programs::beside_this_one()?)
    }

    /// The same with a server from elsewhere, in `folder/name`.
    pub(super) fn of(folder: &Path, name: &str, programs: &Programs) -> Result<Self, CompareError> {
        let stage = Stage::prepare(&folder.join(name), &StageOptions::default())?;
        stage.init(programs)?;
        let server = stage.serve(programs, &[])?;
        let pki = stage.pki();
        let ours = Self { server, pki };
        ours.make_tenant()?;
        Ok(ours)
    }

    fn make_tenant(&self) -> Result<(), CompareError> {
        let read = |name: &str| {
            let path = self.pki.join(name);
            fs::read(&path).map_err(at(&path))
        };
        let admin = AdminClient::new(
            &format!("https://{}", self.server.addresses.admin),
            &read("ca.pem")?,
            &read("admin/operator.pem")?,
            &read("admin/operator.key")?,
        )?;
        admin.domain_create(&NewDomain { name: TENANT.to_owned(), policy: None, allow: Vec::new() })?;
        let certificate = String::from_utf8_lossy(&read(&format!("{TENANT}/client.pem"))?).into_owned();
        admin.client_register(TENANT, &RegisterClient { certificate, name: None, credential: None })?;
        Ok(())
    }

    pub(super) fn pki(&self) -> &Path {
        &self.pki
    }

    /// How the tenant reaches it.
    #[must_use]
    pub fn options(&self) -> TargetOptions {
        options(self.server.addresses.kmip.to_string(), &self.pki)
    }

    pub(super) fn processor(&self) -> Processor {
        Processor::of(self.server.id())
    }

    /// Stops it in order.
    ///
    /// # Errors
    /// [`CompareError::Stage`] if it did not end well.
    pub fn stop(self) -> Result<(), CompareError> {
        Ok(self.server.stop()?)
    }
}

/// PyKMIP's server. It ends when this is dropped, or when this process ends.
pub(super) struct PyKmip {
    child: Child,
    stdin: Option<ChildStdin>,
    address: String,
}

/// What the script says when the server listens.
#[derive(Deserialize)]
struct Listening {
    kmip: String,
}

impl PyKmip {
    /// A server with a database of its own.
    pub(super) fn start(folder: &Path, pki: &Path, python: &Path, script: &Path) -> Result<Self, CompareError> {
        let state = folder.join("pykmip");
        private_folder(&state)?;
        let log = state.join("stderr.log");
        let mut child = Command::new(python)
            .args(["-W", "ignore"])
            .args([script, pki, &state])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).map_err(at(&log))?)
            .spawn()
            .map_err(at(python))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(at(script))?;
        }
        let stdin = child.stdin.take();
        let mut server = Self { child, stdin, address: String::new() };
        match serde_json::from_str::<Listening>(&line) {
            Ok(listening) => {
                server.address = listening.kmip;
                Ok(server)
            }
            Err(_) => {
                drop(server);
                let said = fs::read_to_string(&log).unwrap_or_default();
                Err(CompareError::PyKmip(format!("does not listen; it said:\n{}", said.trim_end())))
            }
        }
    }

    pub(super) fn options(&self, pki: &Path) -> TargetOptions {
        options(self.address.clone(), pki)
    }

    pub(super) fn processor(&self) -> Processor {
        Processor::of(self.child.id())
    }
}

impl Drop for PyKmip {
    fn drop(&mut self) {
        // The end of its standard input ends it with its helper processes.
        self.stdin = None;
        let _ = self.child.wait();
    }
}

/// The same client, speaking the same versions, with either server.
fn options(address: String, pki: &Path) -> TargetOptions {
    TargetOptions {
        address,
        server_name: "localhost".to_owned(),
        ca: pki.join("ca.pem"),
        cert: pki.join(TENANT).join("client.pem"),
        key: pki.join(TENANT).join("client.key"),
        tls: Tls::V1_2,
        kmip: VERSION,
    }
}

fn private_folder(path: &Path) -> Result<(), CompareError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(at(path))
}
