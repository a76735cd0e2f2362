//! A rig of real tokens: SoftHSM in a folder of its own, a copy of the library per member, PINs in files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hsm::ceremony::{self, CeremonyError, Custodian, Protocol};
use hsm::{Group, GroupConfig, MemberConfig, TrustAnchor, Vendor};
use secret::Secret;
use tempfile::TempDir;

pub const LABELS: [&str; 3] = ["PAR7S", "TH3S", "AZ07"];
pub const PIN: &str = "2846-1793";
const SO_PIN: &str = "9351-6042";
const CONF: &str = "SOFTHSM2_CONF";

/// The library reads its configuration from the environment, which is the process's: one rig at a time where a runner
/// puts several tests in one process.
static ONE_RIG: Mutex<()> = Mutex::new(());

pub struct Rig {
    folder: TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Rig {
    /// Initialized tokens PAR7S, TH3S and AZ07, no ceremony held.
    pub fn new() -> Self {
        let alone = ONE_RIG.lock().unwrap_or_else(PoisonError::into_inner);
        // A key generation rewrites its file dozens of times: in memory where that exists.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
        fs::create_dir(folder.path().join("tokens")).unwrap();
        let conf = folder.path().join("softhsm2.conf");
        let tokens = folder.path().join("tokens");
        fs::write(&conf, format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display())).unwrap();
        set_conf(&conf);
        let rig = Self { folder, _alone: alone };
        for label in LABELS {
            rig.blank_member(label);
        }
        rig
    }

    /// A rig whose ceremony was held.
    pub fn after_ceremony() -> (Self, Protocol) {
        let rig = Self::new();
        let protocol = rig.hold().unwrap();
        (rig, protocol)
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// One more initialized token.
    pub fn blank_member(&self, label: &str) -> MemberConfig {
        let member = self.member(label, "1");
        fs::write(&member.pin_file, PIN).unwrap();
        let (so_pin, pin) = (Secret::copy_from(SO_PIN.as_bytes()), Secret::copy_from(PIN.as_bytes()));
        ceremony::init_token(&member.module, label, &so_pin, &pin).unwrap();
        member
    }

    /// A member with its own copy of the library; another `copy` is another loaded module over the same token.
    pub fn member(&self, label: &str, copy: &str) -> MemberConfig {
        let module = self.path().join(format!("{label}-{copy}.so"));
        if !module.exists() {
            fs::copy(softhsm(), &module).unwrap();
        }
        MemberConfig {
            label: label.into(),
            module,
            pin_file: self.path().join(format!("{label}.pin")),
            vendor: Vendor::SoftHsm,
        }
    }

    /// The three members. Deadlines are long, because the machine of a test may be slow; probes are frequent.
    pub fn config(&self) -> GroupConfig {
        self.config_of(&LABELS, "1")
    }

    pub fn config_of(&self, labels: &[&str], copy: &str) -> GroupConfig {
        let mut config = GroupConfig::new(labels.iter().map(|label| self.member(label, copy)).collect());
        config.call_deadline = Duration::from_secs(60);
        config.open_deadline = Duration::from_secs(60);
        config.probe_interval = Duration::from_millis(20);
        config
    }

    pub fn hold(&self) -> Result<Protocol, CeremonyError> {
        ceremony::hold(&self.config(), &custodians(), 2, &mut |_| Ok(()))
    }

    pub async fn open(&self, anchor: &TrustAnchor) -> Group {
        Group::open(self.config(), Some(anchor)).await.unwrap()
    }

    /// The folder in which SoftHSM keeps this token.
    pub fn token_folder(&self, label: &str) -> PathBuf {
        let padded = format!("{label:<32}").into_bytes();
        let holds_label = |folder: &PathBuf| {
            let about = fs::read(folder.join("token.object")).unwrap();
            about.windows(padded.len()).any(|window| window == padded)
        };
        let folders = fs::read_dir(self.path().join("tokens")).unwrap().map(|entry| entry.unwrap().path());
        folders.filter(|folder| folder.join("token.object").exists()).find(holds_label).unwrap()
    }
}

/// Three custodians, as every rig has them.
pub fn custodians() -> Vec<Custodian> {
    ["ada", "blaise", "carl"]
        .map(|name| Custodian { name: name.into(), passphrase: passphrase(name) })
        .into_iter()
        .collect()
}

pub fn passphrase(custodian: &str) -> Secret {
    Secret::new(format!("the long passphrase of {custodian}").into_bytes())
}

/// Points SoftHSM at a configuration.
pub fn set_conf(conf: &Path) {
    #[expect(unsafe_code, reason = "SoftHSM takes its configuration from the environment and from nowhere else")]
    // SAFETY: only the test's own thread runs here: no runtime was started and no module loaded yet, and a rig is
    // alone in its process or waits for the others.
    unsafe {
        std::env::set_var(CONF, conf);
    }
}

fn softhsm() -> PathBuf {
    let known = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib64/softhsm/libsofthsm.so",
    ];
    let found = known.iter().map(PathBuf::from).find(|path| path.exists());
    found.expect("SoftHSM is not installed: run scripts/setup-softhsm")
}
