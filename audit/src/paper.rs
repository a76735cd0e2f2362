//! A signed paper: a line of JSON that is written in exactly one way, and a line with the signature over its bytes.
//!
//! What the papers say is theirs; here is how they are written, signed and believed. The first field of the first line
//! names the kind of paper and its version, so that none can be taken for another, nor for a checkpoint.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use thiserror::Error;

use crate::{
    key::{PublicKey, TrustedKeys},
    limits::MAX_CERTIFICATE_LEN,
};

/// Why a paper is not to be believed, or cannot be made.
#[derive(Debug, Error)]
pub enum PaperError {
    /// Not of the form that is written.
    #[error("{0}")]
    Form(&'static str),
    /// The trusted keys are of another KMS.
    #[error("the trusted keys are of another KMS")]
    OtherKms,
    /// No trusted key signed it.
    #[error("no trusted key has signed it")]
    Signature,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureLine {
    key: String,
    signature: String,
}

/// A kind of paper: the content of the first line.
pub trait Paper: Serialize + DeserializeOwned {
    /// Name and version of the format, the value of the first field.
    const FORMAT: &'static str;

    /// What the first field says.
    fn format(&self) -> &str;

    /// The installation that it is of.
    fn kms(&self) -> &str;

    /// The first line: what is signed.
    ///
    /// # Errors
    /// [`PaperError::Form`].
    fn body(&self) -> Result<String, PaperError> {
        line(self)
    }

    /// The whole paper, with the signature `r‖s` that `key` made over the SHA-256 of the body.
    ///
    /// # Errors
    /// [`PaperError::Form`]; [`PaperError::Signature`] where it is no such signature.
    fn signed(&self, key: &PublicKey, r_s: &[u8; 64]) -> Result<String, PaperError> {
        let body = self.body()?;
        if !key.verifies(body.as_bytes(), r_s) {
            return Err(PaperError::Signature);
        }
        let signature = SignatureLine { key: hex::encode(key.key_id()), signature: STANDARD.encode(r_s) };
        Ok(body + &line(&signature)?)
    }

    /// Reads a paper and checks that a trusted key signed it.
    ///
    /// # Errors
    /// [`PaperError`].
    fn believed(paper: &str, trusted: &TrustedKeys) -> Result<Self, PaperError> {
        if paper.len() > MAX_CERTIFICATE_LEN {
            return Err(PaperError::Form("too long"));
        }
        let (body, signature) = paper.split_once('\n').ok_or(PaperError::Form("no second line"))?;
        let read: Self = serde_json::from_str(body).map_err(|_| PaperError::Form("the first line"))?;
        let signature: SignatureLine =
            serde_json::from_str(signature).map_err(|_| PaperError::Form("the second line"))?;
        if read.format() != Self::FORMAT {
            return Err(PaperError::Form("another version"));
        }
        let message = line(&read)?;
        if message.clone() + &line(&signature)? != paper {
            return Err(PaperError::Form("not as it is written"));
        }
        if read.kms() != trusted.kms() {
            return Err(PaperError::OtherKms);
        }
        let r_s = STANDARD.decode(&signature.signature).map_err(|_| PaperError::Signature)?;
        let r_s = <[u8; 64]>::try_from(r_s).map_err(|_| PaperError::Signature)?;
        let by_it = |key: &&PublicKey| hex::encode(key.key_id()) == signature.key;
        if trusted.keys().iter().filter(by_it).any(|key| key.verifies(message.as_bytes(), &r_s)) {
            Ok(read)
        } else {
            Err(PaperError::Signature)
        }
    }
}

/// One line of JSON.
fn line(value: &impl Serialize) -> Result<String, PaperError> {
    let mut text = serde_json::to_string(value).map_err(|_| PaperError::Form("it has no JSON form"))?;
    text.push('\n');
    Ok(text)
}
