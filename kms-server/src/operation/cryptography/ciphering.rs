//! Encrypt and Decrypt: one way and back. KMIP 1.4 §4.29, §4.30; 2.1 §6.1.11, §6.1.17.

use std::sync::Arc;

use crypto::cipher::{CipherSpec, CipherStream};
use crypto::rsa_encryption::RsaEncryption;
use kmip::registry::CryptographicAlgorithm;
use policy::mechanism::Purpose;
use secret::Secret;
use zeroize::Zeroizing;

use super::asked::{Asked, Part};
use super::in_use::{self, Key, Use, aside};
use super::parts;
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::node::streams::{Produced, Taken, Work};
use crate::scope::Scope;

/// What only ciphers are given.
pub(super) struct Given<'r> {
    pub iv: Option<&'r [u8]>,
    pub additional_data: Option<&'r [u8]>,
    pub tag: Option<&'r [u8]>,
}

/// Encrypts or decrypts; gives the identifier of the key and what came out.
///
/// # Errors
/// Why not.
pub(super) async fn run(
    scope: &mut Scope<'_>,
    usage: Use,
    asked: &Asked<'_>,
    given: &Given<'_>,
) -> Result<(String, Arc<Produced>), Failure> {
    let mut key = in_use::find(scope, usage, asked.unique_identifier, asked.parameters).await?;
    let unique_identifier = identifier_text(key.row.id);
    let purpose = match usage {
        Use::Encrypt => Purpose::Encrypt { client_iv: given.iv.is_some() },
        _ => Purpose::Decrypt,
    };
    let produced = match asked.part {
        Part::Whole => {
            key.decide(scope, purpose)?;
            let bytes = asked.data(scope)?.len();
            key.count(scope, bytes, true)?;
            Arc::new(whole(scope, &key, asked, given).await?)
        }
        Part::First => {
            key.decide(scope, purpose)?;
            let bytes = asked.data(scope)?.len();
            key.count(scope, bytes, true)?;
            match scope.draft.streams.begun() {
                Some(produced) => produced,
                None => first(scope, key, asked, given).await?,
            }
        }
        Part::Next { id, last } => {
            if given.iv.is_some() || given.additional_data.is_some() || given.tag.is_some() {
                return Err(Failure::Contradiction("IV, additional data and tag come with the first part"));
            }
            let taken = parts::resume(scope, &id, Some(key.row.id), asked.parameters)?;
            key.may_go_on(scope)?;
            let bytes = asked.data(scope)?.len();
            key.count(scope, bytes, false)?;
            let mut stream = match taken {
                Taken::Done(produced) => return Ok((unique_identifier, produced)),
                Taken::Open(stream) => *stream,
            };
            let Work::Cipher(mut cipher) = stream.work else { return Err(Failure::NoStream) };
            let data = cipher.update(asked.data(scope)?)?;
            if last {
                let finished = cipher.finish()?;
                let data = shown(joined(&data, &finished.data));
                scope.draft.streams.keep(Some(id), id, None, Produced { data, tag: finished.tag, ..Default::default() })
            } else {
                stream.work = Work::Cipher(cipher);
                let produced = Produced { data: shown(data), ..Default::default() };
                scope.draft.streams.keep(Some(id), id, Some(stream), produced)
            }
        }
    };
    Ok((unique_identifier, produced))
}

async fn whole(scope: &Scope<'_>, key: &Key, asked: &Asked<'_>, given: &Given<'_>) -> Result<Produced, Failure> {
    if key.algorithm == CryptographicAlgorithm::Rsa {
        return rsa(scope, key, asked, given).await;
    }
    let spec = CipherSpec::resolve(key.algorithm, &key.parameters)?;
    let aad = given.additional_data.unwrap_or_default();
    let data = asked.data(scope)?;
    if key.usage == Use::Decrypt {
        let opened = key.open(scope).await?;
        let plain = spec.decrypt(opened.symmetric()?, given.iv, aad, given.tag, data)?;
        return Ok(Produced { data: Some(plain), ..Default::default() });
    }
    let random = random(scope, spec.random_len(given.iv.is_some())).await?;
    let opened = key.open(scope).await?;
    let sealed = spec.encrypt(opened.symmetric()?, given.iv, aad, data, random.expose())?;
    Ok(Produced { data: Some(Secret::new(sealed.data)), iv: sealed.iv, tag: sealed.tag, ..Default::default() })
}

async fn rsa(scope: &Scope<'_>, key: &Key, asked: &Asked<'_>, given: &Given<'_>) -> Result<Produced, Failure> {
    if given.additional_data.is_some() || given.tag.is_some() {
        return Err(Failure::BadParameters("RSA does not authenticate"));
    }
    let scheme = RsaEncryption::resolve(&key.parameters)?;
    let data = Secret::copy_from(asked.data(scope)?);
    let opened = key.open(scope).await?;
    let out = match key.usage {
        Use::Decrypt => aside(move || scheme.decrypt(&opened.private()?, data.expose())).await?,
        _ => aside(move || scheme.encrypt(&opened.public()?, data.expose()).map(Secret::new)).await?,
    };
    Ok(Produced { data: Some(out), ..Default::default() })
}

async fn first(
    scope: &mut Scope<'_>,
    key: Key,
    asked: &Asked<'_>,
    given: &Given<'_>,
) -> Result<Arc<Produced>, Failure> {
    if key.algorithm == CryptographicAlgorithm::Rsa {
        return Err(Failure::UnsupportedParameters("RSA takes data as a whole"));
    }
    let spec = CipherSpec::resolve(key.algorithm, &key.parameters)?;
    if !spec.streams() {
        return Err(Failure::UnsupportedParameters("the mode takes data as a whole"));
    }
    let aad = given.additional_data.unwrap_or_default();
    let encrypts = key.usage == Use::Encrypt;
    let random = random(scope, if encrypts { spec.random_len(given.iv.is_some()) } else { 0 }).await?;
    let opened = key.open(scope).await?;
    let secret = opened.symmetric()?;
    let (mut cipher, iv): (CipherStream, _) = if encrypts {
        spec.encrypt_stream(secret, given.iv, aad, random.expose())?
    } else {
        (spec.decrypt_stream(secret, given.iv, aad, given.tag)?, None)
    };
    drop(opened);
    let data = shown(cipher.update(asked.data(scope)?)?);
    let produced = Produced { data, iv, ..Default::default() };
    parts::begin(scope, Some(key.row.id), key.parameters, Work::Cipher(cipher), produced).await
}

async fn random(scope: &Scope<'_>, len: usize) -> Result<Secret, Failure> {
    if len == 0 { Ok(Secret::copy_from(&[])) } else { Ok(scope.node.hsm.random(len).await?) }
}

/// A part of a stream that yields nothing has no Data in its answer.
fn shown(data: Secret) -> Option<Secret> {
    (!data.is_empty()).then_some(data)
}

fn joined(one: &Secret, other: &Secret) -> Secret {
    let mut both = Zeroizing::new(Vec::with_capacity(one.len() + other.len()));
    both.extend_from_slice(one.expose());
    both.extend_from_slice(other.expose());
    Secret::from(both)
}
