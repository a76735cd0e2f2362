//! A test case as it lies on the disk, and the groups that share one tenant.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kmip::xml::{Element, XmlError};
use thiserror::Error;

/// Cases that continue each other on one server, in order; every other case stands alone.
const CONTINUED: [&str; 2] = ["SASED-M-", "TL-M-"];

/// A case that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFile {
    /// Its path below the folder of all cases, without ending: `v1.1/mandatory/SKLC-M-3-11`.
    pub id: String,
    /// The first folder: `v1.1`.
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

/// All cases below a folder, in the order of their paths; of a continued profile, in the order of their numbers.
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
        let version = below.iter().next()?.to_str()?.to_owned();
        Some(Self { id, version, path })
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

    /// The profile it belongs to, `TC` for those of the Test Cases documents: `SKLC`.
    #[must_use]
    pub fn profile(&self) -> &str {
        let name = self.name();
        if name.starts_with("TC_") || name.starts_with("TC-") {
            return "TC";
        }
        name.find("-M-").or_else(|| name.find("-O-")).map_or(name, |end| &name[..end])
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`CaseError`].
    pub fn read(&self) -> Result<Case, CaseError> {
        Case::parse(&self.id, &fs::read_to_string(&self.path)?)
    }

    /// What all cases have in common that must be played in order as one tenant.
    fn group(&self) -> String {
        let stem = self.stem();
        let continued = CONTINUED.iter().find(|prefix| stem.starts_with(**prefix));
        continued.map_or_else(|| self.id.clone(), |prefix| format!("{}/{prefix}", self.version))
    }
}

/// Sorts cases into groups, each to be played in order as a tenant of its own.
#[must_use]
pub fn groups(cases: Vec<CaseFile>) -> Vec<Vec<CaseFile>> {
    let mut groups: Vec<(String, Vec<CaseFile>)> = Vec::new();
    for case in cases {
        let group = case.group();
        match groups.iter_mut().find(|(name, _)| *name == group) {
            Some((_, members)) => members.push(case),
            None => groups.push((group, vec![case])),
        }
    }
    groups.into_iter().map(|(_, members)| members).collect()
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

    /// The first username with its password that a request brings: the tenant's client is to have them.
    #[must_use]
    pub fn credential(&self) -> Option<(&str, &str)> {
        self.steps.iter().find_map(|step| {
            let authentication = step.request.child("RequestHeader")?.child("Authentication")?;
            let value = authentication.child("Credential")?.child("CredentialValue")?;
            Some((value.child("Username")?.value.as_deref()?, value.child("Password")?.value.as_deref()?))
        })
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
    fn continued_cases_share_a_tenant_within_a_version_in_order() {
        let cases = ["v1.0/m/SASED-M-1-10", "v1.0/m/SASED-M-2-10", "v1.0/m/SKLC-M-1-10", "v1.1/m/SASED-M-1-11"];
        let groups = groups(cases.map(file).to_vec());
        let names: Vec<Vec<&str>> = groups.iter().map(|group| group.iter().map(CaseFile::stem).collect()).collect();
        assert_eq!(names, [vec!["SASED-M-1-10", "SASED-M-2-10"], vec!["SKLC-M-1-10"], vec!["SASED-M-1-11"]]);
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
