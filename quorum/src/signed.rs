//! A request with its approvals, the file that goes from hand to hand, and the decision.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::approval::{Approval, Approver};
use crate::limits::{CLOCK_SKEW_S, MAX_APPROVALS, MAX_FILE_LEN};
use crate::request::{Request, RequestError};

/// A request and who signed it. As JSON it is the file that goes from hand to hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedRequest {
    /// The canonical text, exactly as it was signed.
    pub request: String,
    /// At most [`MAX_APPROVALS`], in the order in which they came.
    #[serde(default)]
    pub approvals: Vec<Approval>,
}

/// Why a request is not approved.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Undecided {
    /// It is no file with a request.
    #[error("this is no request with its approvals")]
    File,
    /// The text is no request.
    #[error("the request cannot be read: {0}")]
    Text(#[from] RequestError),
    /// It is for another installation.
    #[error("the request is for the installation {0}")]
    OtherKms(String),
    /// By the judge's clock it was made later than now.
    #[error("the request was made in the future")]
    NotYet,
    /// Its last second is over.
    #[error("the request has expired")]
    Expired,
    /// More approvals than a request can have.
    #[error("more than {MAX_APPROVALS} approvals")]
    TooMany,
    /// An approval of somebody who may approve does not fit the text.
    #[error("the signature of {0} is not over this request")]
    Signature(String),
    /// Too few different people approved who may.
    #[error("{have} of {needed} approvals: {missing} more of those who may approve")]
    TooFew {
        /// Different people so far.
        have: usize,
        /// Different people wanted.
        needed: usize,
        /// The difference.
        missing: usize,
    },
}

impl SignedRequest {
    /// A request that nobody has signed yet.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn new(request: &Request) -> Result<Self, RequestError> {
        Ok(Self { request: request.text()?, approvals: Vec::new() })
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`Undecided::File`], [`Undecided::Text`], [`Undecided::TooMany`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, Undecided> {
        if bytes.len() > MAX_FILE_LEN {
            return Err(Undecided::File);
        }
        let read: Self = serde_json::from_slice(bytes).map_err(|_| Undecided::File)?;
        Request::parse(&read.request)?;
        if read.approvals.len() > MAX_APPROVALS { Err(Undecided::TooMany) } else { Ok(read) }
    }

    /// Writes the file.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts and lists of texts always have a JSON form.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The request that the text is.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn read(&self) -> Result<Request, RequestError> {
        Request::parse(&self.request)
    }

    /// Takes in an approval; of one key the last one counts.
    ///
    /// # Errors
    /// [`Undecided::TooMany`].
    pub fn add(&mut self, approval: Approval) -> Result<(), Undecided> {
        self.approvals.retain(|known| known.fingerprint != approval.fingerprint);
        if self.approvals.len() >= MAX_APPROVALS {
            return Err(Undecided::TooMany);
        }
        self.approvals.push(approval);
        Ok(())
    }

    /// Who approved, by name and each person once, among those who may: approvals of anybody else do not count.
    ///
    /// # Errors
    /// [`Undecided::Signature`] where one of those who may signed something else; [`Undecided::TooMany`].
    pub fn approved_by<'a>(&self, approvers: &'a [Approver]) -> Result<Vec<&'a Approver>, Undecided> {
        if self.approvals.len() > MAX_APPROVALS {
            return Err(Undecided::TooMany);
        }
        let mut people: BTreeMap<&str, &Approver> = BTreeMap::new();
        for approval in &self.approvals {
            let Some(approver) = approvers.iter().find(|one| *one.fingerprint() == approval.fingerprint) else {
                continue;
            };
            if !approver.made(approval, &self.request) {
                return Err(Undecided::Signature(approver.name.clone()));
            }
            people.insert(&approver.name, approver);
        }
        Ok(people.into_values().collect())
    }

    /// The decision: the request, and who approved it, where it is for the installation `kms`, in force at `now_s`
    /// (seconds since the epoch), and approved by at least `needed` different people of `approvers`. That it was not
    /// executed before is for the caller to know.
    ///
    /// # Errors
    /// [`Undecided`].
    pub fn decide<'a>(
        &self,
        kms: &str,
        approvers: &'a [Approver],
        needed: usize,
        now_s: i64,
    ) -> Result<(Request, Vec<&'a Approver>), Undecided> {
        let request = self.read()?;
        if request.kms != kms {
            return Err(Undecided::OtherKms(request.kms));
        }
        if now_s > request.expires_s {
            return Err(Undecided::Expired);
        }
        if now_s.saturating_add(CLOCK_SKEW_S) < request.made_s {
            return Err(Undecided::NotYet);
        }
        let by = self.approved_by(approvers)?;
        match needed.checked_sub(by.len()) {
            // Nobody's approval is never enough, whatever a configuration says.
            _ if by.is_empty() => Err(Undecided::TooFew { have: 0, needed: needed.max(1), missing: needed.max(1) }),
            None | Some(0) => Ok((request, by)),
            Some(missing) => Err(Undecided::TooFew { have: by.len(), needed, missing }),
        }
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    };

    use super::*;
    use crate::approval::{KeyKind, public_key_info};
    use crate::request::tests::example;

    enum Pair {
        Ecdsa(KeyKind, EcdsaKeyPair),
        Ed25519(Ed25519KeyPair),
    }

    impl Pair {
        fn new(kind: KeyKind) -> Self {
            let random = SystemRandom::new();
            let algorithm = match kind {
                KeyKind::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
                KeyKind::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
                KeyKind::Ed25519 => {
                    let der = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
                    return Self::Ed25519(Ed25519KeyPair::from_pkcs8(der.as_ref()).unwrap());
                }
            };
            let der = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
            Self::Ecdsa(kind, EcdsaKeyPair::from_pkcs8(algorithm, der.as_ref(), &random).unwrap())
        }

        fn approver(&self, name: &str) -> Approver {
            let spki = match self {
                Self::Ecdsa(kind, pair) => public_key_info(*kind, pair.public_key().as_ref()),
                Self::Ed25519(pair) => public_key_info(KeyKind::Ed25519, pair.public_key().as_ref()),
            };
            Approver::new(name, &spki).unwrap()
        }

        fn sign(&self, text: &str) -> Approval {
            let signature = match self {
                Self::Ecdsa(_, pair) => pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap().as_ref().to_vec(),
                Self::Ed25519(pair) => pair.sign(text.as_bytes()).as_ref().to_vec(),
            };
            Approval { fingerprint: *self.approver("x").fingerprint(), signature }
        }
    }

    const NOW: i64 = 1_795_381_300;

    /// Three officers with a key of each kind, and an approved request of two of them.
    fn world() -> (Vec<Pair>, Vec<Approver>, SignedRequest) {
        let pairs: Vec<Pair> = KeyKind::ALL.map(Pair::new).into();
        let names = ["officer1", "officer2", "officer3"];
        let approvers = pairs.iter().zip(names).map(|(pair, name)| pair.approver(name)).collect();
        let mut signed = SignedRequest::new(&example()).unwrap();
        for pair in &pairs[..2] {
            signed.add(pair.sign(&signed.request)).unwrap();
        }
        (pairs, approvers, signed)
    }

    fn too_few(have: usize, needed: usize) -> Undecided {
        Undecided::TooFew { have, needed, missing: needed - have }
    }

    #[test]
    fn two_of_three_different_people_are_enough_with_any_kind_of_key() {
        let (pairs, approvers, mut signed) = world();
        let (request, by) = signed.decide("clavis-demo", &approvers, 2, NOW).unwrap();
        assert_eq!(request, example());
        assert_eq!(by.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["officer1", "officer2"]);
        assert_eq!(signed.decide("clavis-demo", &approvers, 3, NOW).unwrap_err(), too_few(2, 3));
        signed.add(pairs[2].sign(&signed.request)).unwrap();
        signed.decide("clavis-demo", &approvers, 3, NOW).unwrap();
        assert_eq!(SignedRequest::from_json(signed.to_json().as_bytes()), Ok(signed));
    }

    #[test]
    fn one_person_is_one_however_often_and_with_however_many_keys() {
        let (pairs, approvers, signed) = world();
        let mut twice = SignedRequest { approvals: vec![signed.approvals[0].clone(); 2], ..signed.clone() };
        assert_eq!(twice.decide("clavis-demo", &approvers, 2, NOW).unwrap_err(), too_few(1, 2));
        twice.add(pairs[0].sign(&signed.request)).unwrap();
        assert_eq!(twice.approvals.len(), 1);
        let same_name = [pairs[0].approver("officer1"), pairs[1].approver("officer1")];
        assert_eq!(signed.decide("clavis-demo", &same_name, 2, NOW).unwrap_err(), too_few(1, 2));
    }

    #[test]
    fn who_may_not_approve_does_not_count() {
        let (_, approvers, signed) = world();
        assert_eq!(signed.decide("clavis-demo", &approvers[..1], 2, NOW).unwrap_err(), too_few(1, 2));
        assert_eq!(signed.decide("clavis-demo", &[], 0, NOW).unwrap_err(), too_few(0, 1), "nobody is never enough");
    }

    #[test]
    fn any_other_request_and_any_changed_byte_of_a_signature_is_refused() {
        let (_, approvers, signed) = world();
        let decide = |signed: &SignedRequest| signed.decide("clavis-demo", &approvers, 2, NOW);
        let mut other = signed.clone();
        other.request = other.request.replace("name acme", "name acmf");
        assert_eq!(decide(&other).unwrap_err(), Undecided::Signature("officer1".to_owned()));
        for approval in 0..2 {
            for at in 0..signed.approvals[approval].signature.len() {
                let mut changed = signed.clone();
                changed.approvals[approval].signature[at] ^= 1;
                assert!(decide(&changed).is_err(), "byte {at} of approval {approval}");
            }
        }
        for at in 0..signed.request.len() {
            let mut bytes = signed.request.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(request) = String::from_utf8(bytes) else { continue };
            assert!(decide(&SignedRequest { request, ..signed.clone() }).is_err(), "byte {at} of the text");
        }
        decide(&signed).unwrap();
    }

    #[test]
    fn it_counts_only_here_and_only_while_it_lives() {
        let (_, approvers, signed) = world();
        let at = |now_s| signed.decide("clavis-demo", &approvers, 2, now_s);
        let (made, expires) = (example().made_s, example().expires_s);
        at(expires).unwrap();
        assert_eq!(at(expires + 1).unwrap_err(), Undecided::Expired);
        at(made - CLOCK_SKEW_S).unwrap();
        assert_eq!(at(made - CLOCK_SKEW_S - 1).unwrap_err(), Undecided::NotYet);
        let elsewhere = signed.decide("clavis-other", &approvers, 2, NOW).unwrap_err();
        assert_eq!(elsewhere, Undecided::OtherKms("clavis-demo".to_owned()));
    }

    #[test]
    fn other_keys_are_refused_when_they_are_registered() {
        let spki = [&[0x30, 0x59][..], &[0; 89]].concat();
        assert!(Approver::new("x", &spki).is_err());
        let cut = public_key_info(KeyKind::P256, &[4; 64]);
        assert!(Approver::new("x", &cut).is_err());
    }

    #[test]
    fn a_file_that_is_no_request_is_refused() {
        let (_, _, signed) = world();
        let json = signed.to_json();
        for (file, why) in [
            (String::new(), "nothing"),
            (json.replace("\"approvals\"", "\"approval\""), "an unknown field"),
            (json.replace("request 1", "request 2"), "another version"),
            (format!("{json}{}", " ".repeat(MAX_FILE_LEN)), "too long"),
        ] {
            assert!(SignedRequest::from_json(file.as_bytes()).is_err(), "{why}");
        }
    }
}
