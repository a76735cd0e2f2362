//! The throw-away PKI of tests and demos: a folder that is complete after every call, whatever it held before.
//!
//! ```text
//! <dir>/ca.pem, ca.key                    the authority
//! <dir>/server.pem, server.key            localhost and 127.0.0.1
//! <dir>/<tenant>/client.pem, client.key   one KMIP client per tenant
//! <dir>/admin/<name>.pem, <name>.key      operator, officer1 to officer3, auditor
//! ```
//! Every folder has mode 0700, every key file 0600. A certificate that is valid is kept; a missing, foreign, broken or
//! expiring one is made again *for the key that lies beside it*, so that a registered identity survives its renewal.
//! Only where the key itself is lost is a new one made. Each file appears whole or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, PublicKeyData};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::authority::Authority;
use crate::error::CertError;
use crate::facts::{CertificateFacts, certificate_der, sha256, signed_by};
use crate::key::WipedKey;
use crate::limits::{MAX_CERTIFICATE_LEN, MAX_TENANT_NAME, RENEW_BEFORE};
use crate::profile;

/// Common name of the authority.
const AUTHORITY_NAME: &str = "Clavis throw-away CA";

/// What the KMIP and the admin listener are called on a developer's machine.
pub const SERVER_NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// The administrators of a demo: one operator, three security officers of whom two make a quorum, one auditor.
pub const ADMINS: [&str; 5] = ["operator", "officer1", "officer2", "officer3", "auditor"];

/// The folder of the administrators, which no tenant can be called.
const ADMIN_FOLDER: &str = "admin";

/// What a call to [`write_demo_pki`] did, as paths relative to the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Files made now.
    pub made: Vec<PathBuf>,
    /// Files that were good already.
    pub kept: Vec<PathBuf>,
}

/// Makes `dir` a complete PKI for `tenants`, or repairs it. Two processes may call it for one folder at a time; the
/// second waits.
///
/// # Errors
/// [`CertError::Tenant`], [`CertError::Io`], [`CertError::Issue`].
pub fn write_demo_pki(dir: &Path, tenants: &[&str]) -> Result<Written, CertError> {
    write_demo_pki_at(dir, tenants, OffsetDateTime::now_utc())
}

/// As [`write_demo_pki`], at the time `now`.
///
/// # Errors
/// See [`write_demo_pki`].
pub fn write_demo_pki_at(dir: &Path, tenants: &[&str], now: OffsetDateTime) -> Result<Written, CertError> {
    for tenant in tenants {
        check_tenant(tenant)?;
    }
    private_folder(dir)?;
    let lock = File::open(dir).map_err(at(dir))?;
    // Released when `lock` is dropped, also by the kernel when the process dies.
    lock.lock().map_err(at(dir))?;

    let mut folder = Folder { dir, now, written: Written::default() };
    let authority = folder.authority()?;
    folder.leaf(&authority, Path::new("server"), profile::server(&SERVER_NAMES, now)?)?;
    for tenant in tenants {
        private_folder(&dir.join(tenant))?;
        folder.leaf(&authority, &Path::new(tenant).join("client"), profile::client(tenant, now)?)?;
    }
    private_folder(&dir.join(ADMIN_FOLDER))?;
    for admin in ADMINS {
        folder.leaf(&authority, &Path::new(ADMIN_FOLDER).join(admin), profile::client(admin, now)?)?;
    }
    Ok(folder.written)
}

struct Folder<'a> {
    dir: &'a Path,
    now: OffsetDateTime,
    written: Written,
}

impl Folder<'_> {
    fn authority(&mut self) -> Result<Authority, CertError> {
        let key = self.key(Path::new("ca.key"))?;
        let name = Path::new("ca.pem");
        let path = self.dir.join(name);
        if let Some(der) = read_certificate(&path)? {
            let facts = CertificateFacts::of(&der)?;
            let good = facts.is_ca
                && facts.common_name.as_deref() == Some(AUTHORITY_NAME)
                && self.belongs(&facts, &key)
                && self.lasts(&facts)
                && signed_by(&der, &der)?;
            if good {
                self.written.kept.push(name.to_owned());
                return Authority::from_der(&der, &key.to_der());
            }
        }
        let authority = Authority::with_key(AUTHORITY_NAME, key, self.now)?;
        write_whole(&path, authority.cert_pem().as_bytes(), 0o644)?;
        self.written.made.push(name.to_owned());
        Ok(authority)
    }

    /// `stem` names the pair `stem.pem`, `stem.key`; `wanted` is what the certificate must say.
    fn leaf(&mut self, authority: &Authority, stem: &Path, wanted: CertificateParams) -> Result<(), CertError> {
        let key = self.key(&stem.with_extension("key"))?;
        let name = stem.with_extension("pem");
        let path = self.dir.join(&name);
        let fresh = authority.sign(wanted, &key)?;
        if let Some(der) = read_certificate(&path)? {
            let (found, wanted) = (CertificateFacts::of(&der)?, CertificateFacts::of(&fresh.cert_der)?);
            let same = CertificateFacts { not_before: found.not_before, not_after: found.not_after, ..wanted } == found;
            if same && self.lasts(&found) && signed_by(&der, authority.cert_der())? {
                self.written.kept.push(name);
                return Ok(());
            }
        }
        write_whole(&path, fresh.cert_pem.as_bytes(), 0o644)?;
        self.written.made.push(name);
        Ok(())
    }

    fn key(&mut self, name: &Path) -> Result<WipedKey, CertError> {
        let path = self.dir.join(name);
        if let Some(bytes) = read_limited(&path)?
            && let Ok(text) = std::str::from_utf8(&bytes)
            && let Ok(key) = WipedKey::from_pem(text)
        {
            fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(at(&path))?;
            self.written.kept.push(name.to_owned());
            return Ok(key);
        }
        let key = WipedKey::generate()?;
        write_whole(&path, key.to_pem().as_bytes(), 0o600)?;
        self.written.made.push(name.to_owned());
        Ok(key)
    }

    fn belongs(&self, facts: &CertificateFacts, key: &WipedKey) -> bool {
        facts.fingerprint == sha256(&key.subject_public_key_info())
    }

    fn lasts(&self, facts: &CertificateFacts) -> bool {
        facts.valid_at(self.now) && facts.valid_at(self.now + RENEW_BEFORE)
    }
}

/// A tenant's name becomes a folder's: nothing that could leave the folder or hide in it.
fn check_tenant(name: &str) -> Result<(), CertError> {
    let acceptable = (1..=MAX_TENANT_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && name != ADMIN_FOLDER;
    if acceptable { Ok(()) } else { Err(CertError::Tenant(name.chars().take(MAX_TENANT_NAME).collect())) }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> CertError + use<> {
    let path = path.to_owned();
    move |source| CertError::Io { path, source }
}

fn private_folder(path: &Path) -> Result<(), CertError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(at(path))?;
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(at(path))
}

/// The DER of the certificate at `path`; nothing where there is no file, or something else in it.
fn read_certificate(path: &Path) -> Result<Option<Vec<u8>>, CertError> {
    Ok(read_limited(path)?.and_then(|bytes| certificate_der(&bytes).ok()))
}

fn read_limited(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, CertError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(path)(error)),
    };
    // Reserved at once, so that no reallocation leaves a copy of a key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_CERTIFICATE_LEN));
    file.take(MAX_CERTIFICATE_LEN as u64).read_to_end(&mut bytes).map_err(at(path))?;
    Ok(Some(bytes))
}

/// Writes beside the file, forces it to disk and renames: a crash leaves the old file or the new one.
fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> Result<(), CertError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&beside).map_err(at(&beside))?;
    // The mode above counts only for a file made now, not for one that a crash left behind.
    file.set_permissions(Permissions::from_mode(mode)).map_err(at(&beside))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(at(&beside))?;
    fs::rename(&beside, path).map_err(at(path))?;
    if let Some(parent) = path.parent() {
        File::open(parent).and_then(|folder| folder.sync_all()).map_err(at(parent))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::spki_fingerprint;

    const TENANTS: [&str; 2] = ["acme", "boreal"];

    fn now() -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn fingerprint(path: &Path) -> [u8; 32] {
        spki_fingerprint(&certificate_der(&fs::read(path).unwrap()).unwrap()).unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_second_run_keeps_everything() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("pki");
        let first = write_demo_pki(&dir, &TENANTS).unwrap();
        // Authority, server, two tenants, five administrators; a key and a certificate each.
        assert_eq!((first.made.len(), first.kept.len()), (18, 0));
        let second = write_demo_pki(&dir, &TENANTS).unwrap();
        assert_eq!((second.made, second.kept), (vec![], first.made));
    }

    #[test]
    fn folders_and_keys_are_private_even_if_they_were_not() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("pki");
        let written = write_demo_pki(&dir, &TENANTS).unwrap();
        fs::set_permissions(dir.join("acme"), Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(dir.join("acme/client.key"), Permissions::from_mode(0o644)).unwrap();
        write_demo_pki(&dir, &TENANTS).unwrap();
        for folder in [dir.clone(), dir.join("acme"), dir.join("admin")] {
            assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        }
        for name in written.made.iter().filter(|name| name.extension().unwrap() == "key") {
            assert_eq!(mode(&dir.join(name)), 0o600, "{}", name.display());
        }
    }

    #[test]
    fn any_file_that_is_missing_or_broken_is_repaired_and_the_keys_stay() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("pki");
        let all = write_demo_pki(&dir, &TENANTS).unwrap().made;
        for name in &all {
            for content in [None, Some(&b""[..]), Some(b"-----BEGIN CERTIFICATE-----\nMIIB"), Some(b"\xff\xfe")] {
                let path = dir.join(name);
                let certificate = dir.join("acme/client.pem");
                let before = fingerprint(&certificate);
                match content {
                    None => fs::remove_file(&path).unwrap(),
                    Some(bytes) => fs::write(&path, bytes).unwrap(),
                }
                let repaired = write_demo_pki(&dir, &TENANTS).unwrap();
                assert!(repaired.made.contains(name), "{} was not repaired", name.display());
                assert_eq!(write_demo_pki(&dir, &TENANTS).unwrap().made, Vec::<PathBuf>::new());
                let lost_key = name == Path::new("acme/client.key");
                assert_eq!(fingerprint(&certificate) == before, !lost_key, "after {}", name.display());
            }
        }
    }

    #[test]
    fn a_certificate_moved_to_another_place_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("pki");
        write_demo_pki(&dir, &TENANTS).unwrap();
        for file in ["client.pem", "client.key"] {
            fs::copy(dir.join("boreal").join(file), dir.join("acme").join(file)).unwrap();
        }
        assert_eq!(write_demo_pki(&dir, &TENANTS).unwrap().made, [Path::new("acme/client.pem")]);
        fs::copy(dir.join("acme/client.pem"), dir.join("server.pem")).unwrap();
        assert_eq!(write_demo_pki(&dir, &TENANTS).unwrap().made, [Path::new("server.pem")]);
    }

    #[test]
    fn what_expires_within_a_month_is_renewed_for_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("pki");
        write_demo_pki_at(&dir, &TENANTS, now() - time::Duration::days(397 - 29)).unwrap();
        let before = fingerprint(&dir.join("acme/client.pem"));
        let renewed = write_demo_pki_at(&dir, &TENANTS, now()).unwrap();
        assert!(renewed.kept.contains(&PathBuf::from("ca.pem")));
        assert_eq!(renewed.made.len(), 8, "{:?}", renewed.made);
        assert!(renewed.made.iter().all(|name| name.extension().unwrap() == "pem"));
        assert_eq!(fingerprint(&dir.join("acme/client.pem")), before);
        // An authority that runs out takes everything it signed with it, and no key.
        let renewed = write_demo_pki_at(&dir, &TENANTS, now() + time::Duration::days(3651)).unwrap();
        assert_eq!(renewed.made.len(), 9, "{:?}", renewed.made);
        assert_eq!(fingerprint(&dir.join("acme/client.pem")), before);
    }

    #[test]
    fn leftovers_of_a_crash_do_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("pki");
        private_folder(&dir).unwrap();
        fs::write(dir.join("ca.key.new"), b"half a k").unwrap();
        write_demo_pki(&dir, &TENANTS).unwrap();
        assert!(!dir.join("ca.key.new").exists());
        assert_eq!(mode(&dir.join("ca.key")), 0o600);
    }

    #[test]
    fn tenants_that_are_no_folder_names_are_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("pki");
        for bad in ["", "..", "a/b", "Acme", "admin", ".hidden", &"x".repeat(64)] {
            assert!(matches!(write_demo_pki(&dir, &["acme", bad]), Err(CertError::Tenant(_))), "{bad:?}");
        }
        assert!(!dir.exists());
    }
}
