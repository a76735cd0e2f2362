//! The machine on which the operator types, and what happens to it: HSMs break, disks break, vCenters work.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use certs::Issued;
use kmip::ProtocolVersion;
use kmip::payload::{ActivateRequest, GetRequest, LocateRequest};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _};
use system_tests::asking;
use system_tests::node::{Dial, Result};
use system_tests::transcript::{Shell, Values};
use uuid::Uuid;
use xtask::stage::{Programs, Stage, StageOptions};

const V: ProtocolVersion = ProtocolVersion::V1_4;
/// Below the ports that the system gives to whoever asks for any.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// A machine with the programs, the PKI, the custodians' passphrases and a configuration, and nothing done yet.
pub struct Scenes {
    stage: Stage,
    programs: Programs,
    kmip: SocketAddr,
    admin: SocketAddr,
    witness: SocketAddr,
}

impl Scenes {
    /// Makes it in a folder.
    pub fn set(dir: &Path) -> Result<Self> {
        let [kmip, admin, witness] = addresses()?;
        let stage = Stage::prepare(dir, &StageOptions { kmip, admin, ..StageOptions::default() })?;
        Ok(Self { stage, programs: Programs::beside_this_one()?, kmip, admin, witness })
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.stage.dir
    }

    /// What the page calls its own: the addresses of the node and of the witness.
    pub fn bind(&self, values: &mut Values) {
        values.bind("kmip-address", self.kmip.to_string());
        values.bind("admin-address", self.admin.to_string());
        values.bind("witness-address", self.witness.to_string());
        values.bind("dir", self.dir().display().to_string());
    }

    /// A shell in the folder, with the programs.
    pub fn shell(&self) -> Command {
        let mut command = Command::new("bash");
        let path = format!("{}:{}", self.programs.dir.display(), std::env::var("PATH").unwrap_or_default());
        command.env_clear().env("PATH", path).env("LANG", "C.UTF-8").current_dir(self.dir());
        command.env("SOFTHSM2_CONF", self.dir().join("softhsm2.conf")).env("HOME", self.dir());
        command
    }

    /// Something happens.
    pub fn play(&self, words: &[&str], values: &mut Values, _: &mut Shell) -> Result<()> {
        match words {
            [vcenter, "makes", "a", "certificate"] => {
                let issued = certs::self_signed_vcenter_client()?;
                fs::write(self.file(vcenter, "pem"), &issued.cert_pem)?;
                self.keep_key(vcenter, &issued.key_pem)
            }
            [vcenter, "makes", "a", "signing", "request"] => {
                let pair = rcgen::KeyPair::generate()?;
                let mut wish = rcgen::CertificateParams::default();
                wish.distinguished_name.push(rcgen::DnType::CommonName, *vcenter);
                fs::write(self.file(vcenter, "csr"), wish.serialize_request(&pair)?.pem()?)?;
                self.keep_key(vcenter, &pair.serialize_pem())
            }
            [vcenter, "connects"] => {
                self.dial(vcenter)?.connect()?.request(V, LocateRequest::default())?;
                Ok(())
            }
            [vcenter, "encrypts", count, "machines"] => {
                let mut client = self.dial(vcenter)?.connect()?;
                for number in 1..=count.parse::<u32>()? {
                    let made = client.request(V, asking::aes(Vec::new()))?;
                    let id = made.unique_identifier.to_string();
                    client.request(V, ActivateRequest { unique_identifier: Some(id.as_str().into()) })?;
                    values.bind(&format!("{vcenter}-key-{number}"), id);
                }
                Ok(())
            }
            [vcenter, "gets", "every", "key"] => {
                let mut client = self.dial(vcenter)?.connect()?;
                for number in 1.. {
                    let Some(id) = values.get(&format!("{vcenter}-key-{number}")) else { break };
                    asking::bytes(&client.request(V, GetRequest::of(id))?).ok_or("no key came")?;
                }
                Ok(())
            }
            [vcenter, "gets", "nothing"] => {
                let id = values.get(&format!("{vcenter}-key-1")).ok_or("it has no key")?.to_owned();
                let got =
                    self.dial(vcenter)?.connect().map(|mut client| client.request(V, GetRequest::of(&id)).is_ok());
                if got.unwrap_or(false) { Err("a key came".into()) } else { Ok(()) }
            }
            ["the", "HSM", label, "breaks"] => {
                fs::remove_dir_all(self.token(label)?)?;
                for kind in ["pin", "so-pin"] {
                    fs::remove_file(self.dir().join(format!("hsm/{label}.{kind}")))?;
                }
                Ok(())
            }
            ["the", "disk", "breaks"] => Ok(fs::remove_dir_all(self.dir().join("store"))?),
            ["somebody", "deletes", key] => {
                let id = values.get(key).ok_or("no such key")?.parse::<Uuid>()?;
                self.edit(&format!("DELETE FROM object WHERE id = x'{}'", id.simple()))
            }
            _ => Err("nobody knows how to play it".into()),
        }
    }

    fn file(&self, stem: &str, suffix: &str) -> PathBuf {
        self.dir().join(format!("{stem}.{suffix}"))
    }

    /// A key that vCenter made stays with it.
    fn keep_key(&self, vcenter: &str, key_pem: &str) -> Result<()> {
        fs::create_dir_all(self.dir().join("vcenters"))?;
        Ok(fs::write(self.file(&format!("vcenters/{vcenter}"), "key"), key_pem)?)
    }

    fn dial(&self, client: &str) -> Result<Dial> {
        let cert_pem = fs::read_to_string(self.file(client, "pem"))?;
        let cert_der = certs::certificate_der(cert_pem.as_bytes())?;
        // Made by vCenter, or by the node and handed over.
        let key = fs::read_to_string(self.file(&format!("vcenters/{client}"), "key"));
        let key_pem = key.or_else(|_| fs::read_to_string(self.file(client, "key")))?.into();
        let identity = Issued { cert_pem, cert_der, key_pem };
        Dial::at(&self.stage.pki(), self.kmip, &identity, kmip_client::TlsVersions::Both)
    }

    /// The folder of the token with this label.
    fn token(&self, label: &str) -> Result<PathBuf> {
        for entry in fs::read_dir(self.dir().join("tokens"))? {
            let path = entry?.path();
            let object = fs::read(path.join("token.object")).unwrap_or_default();
            if object.windows(label.len()).any(|window| window == label.as_bytes()) {
                return Ok(path);
            }
        }
        Err(format!("no token has the label {label}").into())
    }

    /// Changes the database beside the node.
    fn edit(&self, sql: &str) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let options = SqliteConnectOptions::new().filename(self.stage.store()).foreign_keys(false);
            let mut database = options.connect().await?;
            sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut database).await?;
            Ok(database.close().await?)
        })
    }
}

/// Three addresses on which nobody listens.
fn addresses() -> Result<[SocketAddr; 3]> {
    let begin = u16::try_from(std::process::id() % u32::from(PORTS.end - PORTS.start))? + PORTS.start;
    let ports = (begin..PORTS.end).chain(PORTS.start..begin);
    let free = |port| {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        // Released at once: the programs of the page are told where to listen.
        TcpListener::bind(address).is_ok().then_some(address)
    };
    let found: Vec<SocketAddr> = ports.filter_map(free).take(3).collect();
    Ok(found.try_into().map_err(|_| "no port is free")?)
}
