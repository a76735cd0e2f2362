//! A rig of real tokens: SoftHSM in a folder of its own, a copy of the library per member, PINs in files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hsm::ceremony::{self, CeremonyError, Custodian, Escrow, Lock, Protocol};
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
        Self::empty().with_tokens()
    }

    fn with_tokens(self) -> Self {
        for label in LABELS {
            self.blank_member(label);
        }
        self
    }

    fn empty() -> Self {
        let alone = ONE_RIG.lock().unwrap_or_else(PoisonError::into_inner);
        // A key generation rewrites its file dozens of times: in memory where that exists.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
        fs::create_dir(folder.path().join("tokens")).unwrap();
        let conf = folder.path().join("softhsm2.conf");
        let tokens = folder.path().join("tokens");
        fs::write(&conf, format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display())).unwrap();
        set_conf(&conf);
        Self { folder, _alone: alone }
    }

    /// A rig whose ceremony was held. It is held once for each build of the tests, and every test gets a copy: a
    /// ceremony takes seconds, and most tests are about what comes after it.
    pub fn after_ceremony() -> (Self, Protocol) {
        let rig = Self::empty();
        let Some(scratch) = option_env!("CARGO_TARGET_TMPDIR").map(Path::new) else {
            let rig = rig.with_tokens();
            let protocol = rig.hold().unwrap();
            return (rig, protocol);
        };
        let lock = fs::File::create(scratch.join("hsm-rig.lock")).unwrap();
        lock.lock().unwrap();
        let kept = scratch.join(format!("hsm-rig-{}", this_build()));
        let rig = if kept.join("tokens").exists() {
            copy_folder(&kept, rig.path());
            rig
        } else {
            let rig = rig.with_tokens();
            let protocol = rig.hold().unwrap();
            protocol.write_to(&rig.path().join("protocol")).unwrap();
            for old in fs::read_dir(scratch).unwrap().map(|entry| entry.unwrap().path()) {
                if old.is_dir() && old.file_name().unwrap().to_string_lossy().starts_with("hsm-rig-") {
                    fs::remove_dir_all(old).unwrap();
                }
            }
            let beside = scratch.join("hsm-rig-new");
            for part in ["tokens", "protocol"] {
                copy_folder(&rig.path().join(part), &beside.join(part));
            }
            for label in LABELS {
                fs::copy(rig.member(label, "1").pin_file, beside.join(format!("{label}.pin"))).unwrap();
            }
            fs::rename(beside, kept).unwrap();
            rig
        };
        let protocol = read_protocol(&rig.path().join("protocol"));
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
        .map(|name| Custodian { name: name.into(), lock: Lock::Passphrase(passphrase(name)) })
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

/// Changes with every build of the test, so that what an older one made is not taken for the work of this one.
fn this_build() -> String {
    let about = fs::metadata(std::env::current_exe().unwrap()).unwrap();
    let built = about.modified().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{}-{}", about.len(), built.as_nanos())
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A protocol from the files that `Protocol::write_to` has written.
fn read_protocol(folder: &Path) -> Protocol {
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let mut protocol: Protocol = serde_json::from_slice(&read("protocol.json")).unwrap();
    let share =
        |custodian: Custodian| serde_json::from_slice(&read(&format!("share-{}.json", custodian.name))).unwrap();
    protocol.escrow = Some(Escrow {
        blob: serde_json::from_slice(&read("escrow-blob.json")).unwrap(),
        shares: custodians().into_iter().map(share).collect(),
        memory_locked: false,
    });
    protocol
}

fn softhsm() -> PathBuf {
    let known = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    ];
    let found = known.iter().map(PathBuf::from).find(|path| path.exists());
    found.expect("SoftHSM is not installed: run scripts/setup-softhsm")
}
