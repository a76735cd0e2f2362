//! What an operator brings, and the program run on it.

#![expect(dead_code, reason = "each test file uses its own part")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use admin_api::AdminClient;
use certs::Authority;
use tempfile::TempDir;

const EXAMPLE: &str = include_str!("../../kms-server.example.toml");
pub const LABELS: [&str; 3] = ["PAR7S", "TH3S", "AZ07"];
const SOFTHSM: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
];

/// A folder with everything that an operator brings: configuration, certificates, passphrases.
pub struct Rig {
    folder: TempDir,
}

impl Rig {
    pub fn new() -> Self {
        // SoftHSM rewrites a key's file dozens of times: in memory where that exists.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
        let rig = Self { folder };
        for sub in ["pki/admin", "custodians", "tokens"] {
            fs::create_dir_all(rig.path(sub)).unwrap();
        }
        let authority = Authority::new("test").unwrap();
        let server = authority.issue_server(&["localhost"]).unwrap();
        rig.write("pki/ca.pem", authority.cert_pem(), 0o644);
        rig.write("pki/server.pem", &server.cert_pem, 0o644);
        rig.write("pki/server.key", &server.key_pem, 0o600);
        for role in ["operator", "auditor"] {
            let admin = authority.issue_client(role).unwrap();
            rig.write(&format!("pki/admin/{role}.pem"), &admin.cert_pem, 0o644);
            rig.write(&format!("pki/admin/{role}.key"), &admin.key_pem, 0o600);
        }
        for custodian in 1..=3 {
            rig.write(&format!("custodians/custodian{custodian}.passphrase"), "correct horse battery\n", 0o600);
        }
        let library = SOFTHSM.iter().find(|path| Path::new(path).exists());
        let library = library.unwrap_or_else(|| panic!("SoftHSM, of Debian's package softhsm2, is needed"));
        rig.write("kms-server.toml", &EXAMPLE.replace(SOFTHSM[0], library), 0o644);
        rig.use_tokens("tokens");
        rig
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str, mode: u32) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub fn use_tokens(&self, folder: &str) {
        fs::create_dir_all(self.path(folder)).unwrap();
        let text = format!("directories.tokendir = {}\nlog.level = ERROR\n", self.path(folder).display());
        self.write("softhsm2.conf", &text, 0o644);
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kms-server"));
        command.arg("--config").arg(self.path("kms-server.toml")).args(arguments);
        command.env("SOFTHSM2_CONF", self.path("softhsm2.conf")).env_remove("KMIP_ADDR").env_remove("ADMIN_ADDR");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub fn init(&self) -> String {
        let run = self.run(&["init"]);
        assert!(run.status.success(), "{}{}", text(&run.stdout), text(&run.stderr));
        text(&run.stdout)
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A node that serves; killed if the test ends before it does.
pub struct Serving(pub Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _already_ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// `serve` on ports of the system's choice.
pub fn serve(rig: &Rig) -> Command {
    let mut command = rig.command(&["serve"]);
    command.env("KMIP_ADDR", "127.0.0.1:0").env("ADMIN_ADDR", "127.0.0.1:0");
    command
}

/// A node that serves, and where.
pub struct Running {
    pub node: Serving,
    pub kmip: String,
    pub admin: String,
}

impl Rig {
    pub fn start(&self) -> Running {
        let log = fs::File::create(self.path("log")).unwrap();
        let mut node = Serving(serve(self).stdout(Stdio::piped()).stderr(log).spawn().unwrap());
        let mut said = String::new();
        BufReader::new(node.0.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let ports: serde_json::Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
        let [kmip, admin] = ["kmip", "admin"].map(|port| ports[port].as_str().unwrap().to_owned());
        Running { node, kmip, admin }
    }

    pub fn admin(&self, running: &Running, role: &str) -> AdminClient {
        let port = running.admin.rsplit(':').next().unwrap();
        let read = |name: &str| fs::read(self.path(name)).unwrap();
        let (cert, key) = (read(&format!("pki/admin/{role}.pem")), read(&format!("pki/admin/{role}.key")));
        AdminClient::new(&format!("https://localhost:{port}"), &read("pki/ca.pem"), &cert, &key).unwrap()
    }
}
