//! A test case as it lies on the disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use admin_api::{Access, Device, NewCredential, SecretText};
use kmip::xml::{Element, XmlError};
use thiserror::Error;

/// What stands in the place of a profile for the cases of the Test Cases documents.
const TEST_CASES: &str = "TC";

/// How the names of cases tell their version.
const MINORS: [&str; 7] = ["10", "11", "12", "13", "14", "20", "21"];

/// Whether a folder is called like a version: `v1.4`.
fn is_version(folder: &str) -> bool {
    let numbers = folder.strip_prefix('v').and_then(|version| version.split_once('.'));
    numbers.is_some_and(|(major, minor)| major.parse::<u8>().is_ok() && minor.parse::<u8>().is_ok())
}

/// A case that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFile {
    /// Its path below the folder of all cases, without ending: `v1.1/mandatory/SKLC-M-3-11`.
    pub id: String,
    /// The innermost folder that is called like a version, such as `v1.1`, be it within the folder of all cases or above
    /// it; else the first folder.
    pub version: String,
    /// The file.
    pub path: PathBuf,
}

/// Request and expected response, in turn.
#[derive(Clone, Debug)]
pub struct Case {
    /// As [`CaseFile::id`].
    pub id: String,
    /// The messages.
    pub steps: Vec<Step>,
}

/// One request and what is to come back.
#[derive(Clone, Debug)]
pub struct Step {
    /// Sent after its placeholders were filled in.
    pub request: Element,
    /// Expected.
    pub response: Element,
}

/// Why a file is no case.
#[derive(Debug, Error)]
pub enum CaseError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    File(#[from] io::Error),
    /// It is not XML of KMIP messages.
    #[error("{0}")]
    Xml(#[from] XmlError),
    /// Requests and responses do not alternate.
    #[error("message {0} is a <{1}>, where requests and responses take turns")]
    Order(usize, String),
}

/// All cases below a folder, in the order of their paths.
///
/// # Errors
/// Of reading the folders.
pub fn find(dir: &Path) -> io::Result<Vec<CaseFile>> {
    let mut cases = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "xml") {
                cases.extend(CaseFile::at(dir, path));
            }
        }
    }
    cases.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(cases)
}

impl CaseFile {
    /// `None` for a path that is not text.
    fn at(dir: &Path, path: PathBuf) -> Option<Self> {
        let below = path.strip_prefix(dir).ok()?.with_extension("");
        let id = below.to_str()?.to_owned();
        let folders: Vec<&str> = path.parent()?.iter().filter_map(|folder| folder.to_str()).collect();
        let versions = folders.into_iter().rfind(|folder| is_version(folder));
        let version = versions.or(below.iter().next()?.to_str())?.to_owned();
        Some(Self { id, version, path })
    }

    /// The case that is called so, wherever it lies.
    #[must_use]
    pub fn called(id: &str) -> Self {
        let version = id.split('/').next().unwrap_or_default().to_owned();
        Self { id: id.to_owned(), version, path: id.into() }
    }

    /// The last part of the path: `SKLC-M-3-11`.
    #[must_use]
    pub fn stem(&self) -> &str {
        self.id.rsplit('/').next().unwrap_or(&self.id)
    }

    /// The stem without the version that mandatory and optional cases end with: `SKLC-M-3`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.stem().rsplit_once('-') {
            Some((name, version)) if version.len() == 2 && version.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => self.stem(),
        }
    }

    /// The stem without any version, by which a case is found again in other versions: `TC_134_Register_Key_Pair` of
    /// `TC_134_11_Register_Key_Pair`, and else as [`CaseFile::name`].
    #[must_use]
    pub fn family(&self) -> String {
        let mut words: Vec<&str> = self.name().split('_').collect();
        if let Some(at) = words.iter().rposition(|word| MINORS.contains(word)) {
            words.remove(at);
        }
        words.join("_")
    }

    /// The profile it belongs to, `TC` for those of the Test Cases documents: `SKLC`.
    #[must_use]
    pub fn profile(&self) -> &str {
        let name = self.name();
        if name.starts_with("TC_") || name.starts_with("TC-") {
            return TEST_CASES;
        }
        name.find("-M-").or_else(|| name.find("-O-")).map_or(name, |end| &name[..end])
    }

    /// Whether it is of the Test Cases documents, and not one of those that a profile demands or offers.
    #[must_use]
    pub fn is_test_case(&self) -> bool {
        self.profile() == TEST_CASES
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`CaseError`].
    pub fn read(&self) -> Result<Case, CaseError> {
        Case::parse(&self.id, &fs::read_to_string(&self.path)?)
    }
}

impl Case {
    /// Reads a document.
    ///
    /// # Errors
    /// [`CaseError`].
    pub fn parse(id: &str, xml: &str) -> Result<Self, CaseError> {
        let mut steps = Vec::new();
        let mut request = None;
        for (number, message) in Element::parse(xml)?.children.into_iter().enumerate() {
            match (message.name.as_str(), request.take()) {
                ("RequestMessage", None) => request = Some(message),
                ("ResponseMessage", Some(request)) => steps.push(Step { request, response: message }),
                _ => return Err(CaseError::Order(number + 1, message.name)),
            }
        }
        match request {
            Some(_) => Err(CaseError::Order(2 * steps.len() + 1, "RequestMessage".to_owned())),
            None if steps.is_empty() => Err(CaseError::Order(0, "KMIP".to_owned())),
            None => Ok(Self { id: id.to_owned(), steps }),
        }
    }

    /// Every user and device that a request names, with its password, each once: the tenant's client is to have them.
    #[must_use]
    pub fn credentials(&self) -> Vec<NewCredential> {
        let mut found: Vec<NewCredential> = Vec::new();
        let authentications =
            self.steps.iter().filter_map(|step| step.request.child("RequestHeader")?.child("Authentication"));
        for one in authentications.flat_map(|authentication| &authentication.children).filter_map(credential) {
            if !found.contains(&one) {
                found.push(one);
            }
        }
        found
    }

    /// The version of its first message, such as `1.2`; its folder may be that of a later one.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        let header = self.steps.first()?.request.child("RequestHeader")?;
        let version = header.child("ProtocolVersion")?;
        let part = |name| version.child(name)?.value.clone();
        Some(format!("{}.{}", part("ProtocolVersionMajor")?, part("ProtocolVersionMinor")?))
    }

    /// The operations that it asks for.
    pub fn operations(&self) -> impl Iterator<Item = &str> {
        self.steps
            .iter()
            .flat_map(|step| step.request.children.iter())
            .filter_map(|item| item.child("Operation")?.value.as_deref())
    }
}

/// The user or device of a credential; none where it names neither.
fn credential(credential: &Element) -> Option<NewCredential> {
    let value = credential.child("CredentialValue")?;
    let text = |name: &str| value.child(name).and_then(|child| child.value.clone());
    let device = Device {
        serial_number: text("DeviceSerialNumber"),
        device: text("DeviceIdentifier"),
        network: text("NetworkIdentifier"),
        machine: text("MachineIdentifier"),
        media: text("MediaIdentifier"),
    };
    let (username, password) = (text("Username"), text("Password").map(SecretText::new));
    let is_device = device.identifiers().iter().any(Option::is_some);
    (is_device || username.is_some() && password.is_some()).then(|| NewCredential {
        device: is_device.then_some(device),
        username,
        password,
        access: Access::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(id: &str) -> CaseFile {
        let version = id.split('/').next().unwrap().to_owned();
        CaseFile { id: id.to_owned(), version, path: PathBuf::new() }
    }

    #[test]
    fn names_and_profiles_are_read_off_the_path() {
        let case = file("v1.1/mandatory/SKLC-M-3-11");
        assert_eq!((case.name(), case.profile()), ("SKLC-M-3", "SKLC"));
        let case = file("v1.4/optional/OMOS-O-1-14");
        assert_eq!((case.name(), case.profile()), ("OMOS-O-1", "OMOS"));
        let case = file("v1.0/testcases/TC_41_10_Revoke_Scenario");
        assert_eq!((case.name(), case.profile()), ("TC_41_10_Revoke_Scenario", "TC"));
        let case = file("v1.0/mandatory/MSGENC-HTTPS-M-1-10");
        assert_eq!((case.name(), case.profile()), ("MSGENC-HTTPS-M-1", "MSGENC-HTTPS"));
    }

    #[test]
    fn a_case_is_found_again_in_other_versions() {
        for (one, other) in [
            ("v1.0/testcases/TC_134_10_Register_Key_Pair", "v1.3/testcases/TC_134_13_Register_Key_Pair"),
            ("v1.4/testcases/TC-NP-1-14", "v2.1/testcases/TC-NP-1-21"),
            ("v1.2/mandatory/CS-AC-M-3-12", "CS-AC-M-3-20"),
        ] {
            assert_eq!(file(one).family(), file(other).family());
        }
        assert_ne!(file("v1.0/TC_95_10_Lease").family(), file("v1.0/TC_96_10_Lease").family());
    }

    #[test]
    fn the_version_is_that_of_the_folder_whatever_is_played() {
        for (root, path) in [
            ("/cases", "/cases/v1.4/mandatory/BL-M-1-14.xml"),
            ("/cases/v1.4", "/cases/v1.4/mandatory/BL-M-1-14.xml"),
            ("/cases/v1.4/mandatory", "/cases/v1.4/mandatory/BL-M-1-14.xml"),
            ("/v1.0/cases", "/v1.0/cases/v1.4/BL-M-1-14.xml"),
        ] {
            assert_eq!(CaseFile::at(Path::new(root), path.into()).unwrap().version, "v1.4", "{root}");
        }
        assert_eq!(CaseFile::at(Path::new("/cases"), "/cases/mine/x.xml".into()).unwrap().version, "mine");
    }

    #[test]
    fn refuses_messages_out_of_turn() {
        for (xml, position) in [
            ("<KMIP><ResponseMessage/></KMIP>", 1),
            ("<KMIP><RequestMessage/><RequestMessage/></KMIP>", 2),
            ("<KMIP><RequestMessage/></KMIP>", 1),
            ("<KMIP/>", 0),
        ] {
            match Case::parse("x", xml) {
                Err(CaseError::Order(at, _)) => assert_eq!(at, position, "{xml}"),
                other => panic!("{xml}: {other:?}"),
            }
        }
    }
}
