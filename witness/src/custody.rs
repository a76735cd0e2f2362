//! Dual control over what a witness remembers: officers whose keys it was given when it was made, and the request to
//! forget that enough of them have to sign. It judges alone, without the node.

use quorum::{Approver, Request, SignedRequest, Undecided};
use ring::digest::{SHA256, digest};
use rustls_pki_types::CertificateDer;
use thiserror::Error;
use uuid::Uuid;

/// The act of a request to forget.
const ACT: &str = "rebase-witness";
/// Seconds until a request expires: a week, as long as officers may need to meet.
const LIFETIME_S: i64 = 7 * 86_400;
/// Officers of one witness.
const MAX_OFFICERS: usize = quorum::limits::MAX_APPROVALS;

/// Who may let a witness forget, and how many of them it takes.
#[derive(Clone, Debug, Default)]
pub struct Officers {
    needed: usize,
    approvers: Vec<Approver>,
    /// As the folder keeps them.
    text: String,
}

/// Why a witness does not forget.
#[derive(Debug, Error)]
pub enum CustodyError {
    /// Names, keys or numbers that cannot be.
    #[error("{0}")]
    Officers(&'static str),
    /// It was made without officers.
    #[error("this witness was made without officers (`init --officer`); nobody can let it forget")]
    Nobody,
    /// The request cannot be made.
    #[error("the request: {0}")]
    Request(#[from] quorum::RequestError),
    /// Too few approved, or not in time.
    #[error("{0}")]
    Undecided(#[from] Undecided),
    /// It is a request for something else, for another witness, or for what this one does not remember any more.
    #[error("the request is not to forget what this witness remembers now")]
    Other,
}

impl Officers {
    /// `needed` of these, by name and certificate; at least two, so that nobody does it alone.
    ///
    /// # Errors
    /// [`CustodyError::Officers`].
    pub fn new(needed: usize, officers: &[(String, CertificateDer<'_>)]) -> Result<Self, CustodyError> {
        let mut text = format!("{needed}\n");
        for (name, certificate) in officers {
            let leaf = webpki::EndEntityCert::try_from(certificate);
            let leaf = leaf.map_err(|_| CustodyError::Officers("an officer's certificate cannot be read"))?;
            text += &format!("{} {name}\n", hex::encode(leaf.subject_public_key_info()));
        }
        Self::parse(&text)
    }

    /// Reads what [`Officers::text`] wrote.
    ///
    /// # Errors
    /// [`CustodyError::Officers`].
    pub fn parse(text: &str) -> Result<Self, CustodyError> {
        let wrong = |what| CustodyError::Officers(what);
        let mut lines = text.lines();
        let needed = lines.next().and_then(|line| line.parse().ok()).ok_or(wrong("how many officers it takes"))?;
        let mut approvers: Vec<Approver> = Vec::new();
        for line in lines {
            let (spki, name) = line.split_once(' ').ok_or(wrong("an officer has a key and a name"))?;
            let plain = !name.is_empty() && name.len() <= audit::limits::MAX_NAME_LEN;
            if !plain || name.chars().any(char::is_control) || approvers.iter().any(|other| other.name == name) {
                return Err(wrong("each officer has a name of one line that no other has"));
            }
            let spki = hex::decode(spki).map_err(|_| wrong("an officer's key is not in hex"))?;
            let approver = Approver::new(name, &spki);
            approvers.push(approver.map_err(|_| wrong("officers sign with keys on P-256, on P-384, or of Ed25519"))?);
        }
        if !(2..=approvers.len()).contains(&needed) || approvers.len() > MAX_OFFICERS {
            return Err(wrong("it takes at least two officers, and no more than there are; at most 16 are named"));
        }
        Ok(Self { needed, approvers, text: text.to_owned() })
    }

    /// As a file.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The request that the witness `name` of the installation `kms` forgets `state`, to be signed by officers.
    ///
    /// # Errors
    /// [`CustodyError`].
    pub fn request(
        &self,
        kms: &str,
        name: &str,
        state: &str,
        reason: &str,
        now_s: i64,
    ) -> Result<SignedRequest, CustodyError> {
        if self.approvers.is_empty() {
            return Err(CustodyError::Nobody);
        }
        let request = Request {
            kms: kms.to_owned(),
            id: random_id(state, now_s),
            act: ACT.to_owned(),
            parameters: parameters(name, state, reason),
            asked_by: sha256(name.as_bytes()),
            asked_name: name.to_owned(),
            made_s: now_s,
            expires_s: now_s.saturating_add(LIFETIME_S),
        };
        Ok(SignedRequest::new(&request)?)
    }

    /// Whether enough officers approved that the witness forgets `state`: the reason, and who they are.
    ///
    /// # Errors
    /// [`CustodyError`].
    pub fn decide(
        &self,
        signed: &SignedRequest,
        kms: &str,
        name: &str,
        state: &str,
        now_s: i64,
    ) -> Result<(String, Vec<String>), CustodyError> {
        if self.approvers.is_empty() {
            return Err(CustodyError::Nobody);
        }
        let (request, approved) = signed.decide(kms, &self.approvers, self.needed, now_s)?;
        let reason = request.parameter("reason").unwrap_or_default().to_owned();
        if request.act != ACT || request.parameters != parameters(name, state, &reason) {
            return Err(CustodyError::Other);
        }
        Ok((reason, approved.iter().map(|one| one.name.clone()).collect()))
    }
}

/// A request names what is to be forgotten, so that it serves once: what is remembered afterwards is something else.
fn parameters(name: &str, state: &str, reason: &str) -> Vec<(String, String)> {
    let remembered = hex::encode(sha256(state.as_bytes()));
    [("witness", name), ("remembers", &remembered), ("reason", reason)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec()
}

/// An identifier for people; that the request serves once rests on what it names.
fn random_id(state: &str, now_s: i64) -> Uuid {
    let mut id = [0; 16];
    let hash = sha256(format!("{now_s}\n{state}").as_bytes());
    id.iter_mut().zip(hash).for_each(|(byte, hashed)| *byte = hashed);
    uuid::Builder::from_custom_bytes(id).into_uuid()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

#[cfg(test)]
pub(crate) mod tests {
    use quorum::{Approval, KeyKind, public_key_info};
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    pub(crate) const NOW: i64 = 1_795_381_200;

    pub(crate) fn key(seed: u8) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
    }

    pub(crate) fn officers() -> Officers {
        let line = |seed: u8| {
            let spki = public_key_info(KeyKind::Ed25519, key(seed).public_key().as_ref());
            format!("{} officer{seed}\n", hex::encode(spki))
        };
        Officers::parse(&format!("2\n{}{}{}", line(1), line(2), line(3))).unwrap()
    }

    pub(crate) fn approve(signed: &mut SignedRequest, seed: u8) {
        let pair = key(seed);
        let spki = public_key_info(KeyKind::Ed25519, pair.public_key().as_ref());
        let signature = pair.sign(signed.request.as_bytes()).as_ref().to_vec();
        signed.add(Approval { fingerprint: sha256(&spki), signature }).unwrap();
    }

    #[test]
    fn two_officers_let_it_forget_what_it_remembers_and_nothing_else() {
        let officers = officers();
        let mut signed = officers.request("paris", "TH3S", "state 1", "a restore", NOW).unwrap();
        let decide =
            |signed: &SignedRequest, name: &str, state: &str, now| officers.decide(signed, "paris", name, state, now);
        approve(&mut signed, 1);
        approve(&mut signed, 9);
        let one = decide(&signed, "TH3S", "state 1", NOW);
        assert!(matches!(one, Err(CustodyError::Undecided(Undecided::TooFew { have: 1, needed: 2, .. }))), "{one:?}");
        approve(&mut signed, 3);
        let (reason, names) = decide(&signed, "TH3S", "state 1", NOW).unwrap();
        assert_eq!((reason.as_str(), names), ("a restore", vec!["officer1".to_owned(), "officer3".to_owned()]));
        assert!(matches!(decide(&signed, "TH3S", "state 2", NOW), Err(CustodyError::Other)), "it serves once");
        assert!(matches!(decide(&signed, "AZ07", "state 1", NOW), Err(CustodyError::Other)));
        assert!(decide(&signed, "TH3S", "state 1", NOW + LIFETIME_S + 1).is_err(), "it expires");
        assert!(officers.decide(&signed, "lyon", "TH3S", "state 1", NOW).is_err());
        signed.request = signed.request.replace("a restore", "a Restore");
        assert!(decide(&signed, "TH3S", "state 1", NOW).is_err(), "another text");
    }

    #[test]
    fn nobody_does_it_alone() {
        let text = officers().text().to_owned();
        for wrong in [text.replacen('2', "1", 1), text.replacen('2', "4", 1), text.replace("officer3", "officer1")] {
            assert!(Officers::parse(&wrong).is_err(), "{wrong}");
        }
        let none = Officers::default();
        assert!(matches!(none.request("paris", "TH3S", "s", "r", NOW), Err(CustodyError::Nobody)));
    }
}
