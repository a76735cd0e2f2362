//! `kms-server ceremony`: what custodians do at a node – bring the Root of Trust to members from escrow, have every
//! attack on it tried again, sign what was done.
//!
//! The ceremony that makes the Root of Trust is a part of [`crate::init`]. Shares, passphrases and keys are files that
//! custodians bring and take away; PINs stand in the files that the configuration names. Nothing secret is an argument.
//! What may be interrupted can be repeated: a member that has the Root of Trust keeps it, a key that is pinned stays
//! pinned, and a record is written once all it tells of is done.

use std::fmt;
use std::path::{Path, PathBuf};

use hsm::TrustAnchor;
use hsm::ceremony::{self, EscrowBlob, MemberProtocol, Opener, Protocol, SealedShare};
use quorum::{Act, CeremonyFault, CeremonyMember, CeremonyRecord, SignedCeremony};
use ring::digest::{SHA256, digest};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use secret::Secret;
use time::OffsetDateTime;

use crate::config::Config;
use crate::durable;
use crate::init::papers::{MAX_PAPER_BYTES, read_anchor};
use crate::init::{InitError, MAX_KEY_FILE_BYTES, MAX_PASSPHRASE_BYTES, prepare_tokens, read_secret};
use crate::run::group_config;

/// Records of one installation: a ceremony is a rare day.
const MAX_RECORDS: usize = 10_000;
/// What a PEM file with a private key begins with.
const PEM_KEY: &[u8] = concat!("-----BEGIN ", "PRIVATE KEY-----").as_bytes();
/// Mode of a file that everybody may read.
const PUBLIC_FILE: u32 = 0o644;

/// A share and what opens it, as files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareFiles {
    /// The sealed share.
    pub share: PathBuf,
    /// The passphrase, or the private key in PEM (PKCS #8).
    pub opener: PathBuf,
}

impl ShareFiles {
    /// Reads both.
    ///
    /// # Errors
    /// [`InitError`].
    pub fn read(&self) -> Result<(SealedShare, Opener), InitError> {
        let missing = |path: &Path| InitError::content(path, "there is no such file");
        let share = read_share(&self.share)?.ok_or_else(|| missing(&self.share))?;
        let secret = read_secret(&self.opener, MAX_KEY_FILE_BYTES)?.ok_or_else(|| missing(&self.opener))?;
        if !secret.expose().starts_with(PEM_KEY) {
            if secret.len() > MAX_PASSPHRASE_BYTES {
                return Err(InitError::content(&self.opener, "too long for a passphrase, and no private key in PEM"));
            }
            return Ok((share, Opener::Passphrase(secret)));
        }
        let key = PrivatePkcs8KeyDer::from_pem_slice(secret.expose())
            .map_err(|_| InitError::content(&self.opener, "a private key in PEM (PKCS #8) is wanted"))?;
        Ok((share, Opener::PrivateKey(Secret::copy_from(key.secret_pkcs8_der()))))
    }
}

/// Gives the members `only`, or all of the configuration where that is empty, the Root of Trust from the escrow blob by
/// the shares of custodians, and pins their checkpoint keys. Members that have it keep it. Blocks.
///
/// `records` are the signed records of earlier ceremonies, the oldest first; they are needed where no trust anchor is
/// left, and tell which Root of Trust to expect and whose checkpoints to believe.
///
/// # Errors
/// [`InitError`]. Members that were done until then stay done.
pub fn import(
    config: &Config,
    only: &[String],
    shares: &[ShareFiles],
    records: &[PathBuf],
    say: &mut dyn FnMut(fmt::Arguments<'_>),
) -> Result<PathBuf, InitError> {
    let anchor_path = &config.ceremony.trust_anchor;
    let mut anchor = match (read_anchor(anchor_path)?, anchor_of(records)?) {
        (Some(anchor), Some(told)) if anchor.rot_fingerprint != told.rot_fingerprint => {
            return Err(InitError::content(anchor_path, "it pins another Root of Trust than the records tell of"));
        }
        (Some(anchor), _) | (None, Some(anchor)) => anchor,
        (None, None) => {
            let text = "it is not here: bring it, or the signed records of the ceremonies that were held";
            return Err(InitError::content(anchor_path, text));
        }
    };
    let blob_path = &config.ceremony.escrow_blob;
    let blob_bytes = durable::read(blob_path, MAX_PAPER_BYTES)
        .map_err(InitError::file(blob_path))?
        .ok_or_else(|| InitError::content(blob_path, "the escrow blob is wanted here"))?;
    let blob: EscrowBlob =
        serde_json::from_slice(&blob_bytes).map_err(|error| InitError::content(blob_path, error.to_string()))?;
    let opened: Vec<(SealedShare, Opener)> = shares.iter().map(ShareFiles::read).collect::<Result<_, _>>()?;

    let group = group_config(config);
    if let Some(unknown) = only.iter().find(|label| !group.members.iter().any(|member| member.label == **label)) {
        return Err(InitError::content(Path::new(unknown), "no member of the configuration has this label"));
    }
    prepare_tokens(config, say)?;
    let mut members: Vec<MemberProtocol> = Vec::new();
    for member in group.members.iter().filter(|member| only.is_empty() || only.contains(&member.label)) {
        let done = ceremony::add_member(member, &blob, &opened, &anchor)?;
        say(format_args!("{}: holds the Root of Trust and refused all {} attacks", done.label, done.attempts.len()));
        anchor.pin(&done.label, done.checkpoint_key);
        // Before the next member: what a member signs from now on verifies.
        write_json(anchor_path, &anchor, 0o600)?;
        members.push(done);
    }
    let protocol = Protocol { kept: true, members, trust_anchor: anchor, escrow: None };
    let sealed: Vec<SealedShare> = opened.into_iter().map(|(share, _)| share).collect();
    let path = free_place(&config.ceremony.records)?;
    let protocol_path = path.with_extension("protocol.json");
    write_json(&protocol_path, &protocol, 0o600)?;
    write_record(config, Act::Imported, &path, &protocol_path, &protocol, &sealed)?;
    Ok(path)
}

/// The trust anchor that signed records tell of: the members of each one hold the keys that it names, until a later one
/// names others. At least as many custodians have to have signed each as rebuild the escrow key.
fn anchor_of(records: &[PathBuf]) -> Result<Option<TrustAnchor>, InitError> {
    let mut anchor: Option<TrustAnchor> = None;
    for path in records {
        let refuse = |text: String| InitError::content(path, text);
        let (record, signed, missing) = read_record(path)?.verify().map_err(|fault| refuse(fault.to_string()))?;
        if signed.is_empty() || signed.len() < usize::from(record.threshold) {
            return Err(refuse(format!("{} signed it, and not {}", signed.len(), missing.join(", "))));
        }
        let told = anchor.get_or_insert_with(|| TrustAnchor {
            rot_fingerprint: record.root_of_trust,
            checkpoint_keys: Vec::new(),
            retired_keys: Vec::new(),
        });
        if told.rot_fingerprint != record.root_of_trust {
            return Err(refuse("it is of another Root of Trust than the record before it".to_owned()));
        }
        for member in &record.members {
            told.pin(&member.label, member.checkpoint_key);
        }
    }
    Ok(anchor)
}

/// Tries every attack on every member again, and compares what they hold with the trust anchor. Blocks.
///
/// # Errors
/// [`InitError`], naming the member on which an attack went through, or which holds something else.
pub fn verify(config: &Config) -> Result<Protocol, InitError> {
    let anchor_path = &config.ceremony.trust_anchor;
    let anchor = read_anchor(anchor_path)?
        .ok_or_else(|| InitError::content(anchor_path, "without it nobody knows what the members should hold"))?;
    let protocol = ceremony::verify(&group_config(config))?;
    for member in &protocol.members {
        if member.fingerprint != anchor.rot_fingerprint {
            return Err(InitError::content(anchor_path, format!("{} holds another Root of Trust", member.label)));
        }
        if anchor.checkpoint_key(&member.label) != Some(&member.checkpoint_key) {
            return Err(InitError::content(anchor_path, format!("{} has another checkpoint key", member.label)));
        }
    }
    Ok(protocol)
}

/// Signs the record at `path` as the custodian of `files`, and returns its text.
///
/// # Errors
/// [`InitError`]; among others where the share does not open.
pub fn sign(path: &Path, files: &ShareFiles) -> Result<(String, String), InitError> {
    let mut signed = read_record(path)?;
    let (share, opener) = files.read()?;
    let signature = share.sign(&opener, signed.record.as_bytes())?;
    signed
        .add(&share.custodian, signature)
        .map_err(|error| InitError::content(path, format!("{} does not sign this record: {error}", share.custodian)))?;
    durable::write(path, signed.to_json().as_bytes(), PUBLIC_FILE).map_err(InitError::file(path))?;
    Ok((share.custodian, signed.record))
}

/// A record with its signatures, read from its file.
///
/// # Errors
/// [`InitError`].
pub fn read_record(path: &Path) -> Result<SignedCeremony, InitError> {
    let bytes = durable::read(path, quorum::limits::MAX_FILE_LEN)
        .map_err(InitError::file(path))?
        .ok_or_else(|| InitError::content(path, "there is no such file"))?;
    SignedCeremony::from_json(&bytes).map_err(|fault| InitError::content(path, fault.to_string()))
}

/// The record of the ceremony that made the Root of Trust: written once, from the filed papers, while the shares are
/// still here. A run after an interruption finds what is missing.
pub(crate) fn record_of_making(config: &Config, protocol: &Protocol) -> Result<Option<PathBuf>, InitError> {
    let path = record_place(&config.ceremony.records, 1);
    if path.exists() {
        return Ok(None);
    }
    let mut shares = Vec::new();
    for custodian in &config.ceremony.custodians {
        // A custodian who has gone with the share was asked to sign before.
        let Some(share) = read_share(&custodian.share)? else { return Ok(None) };
        shares.push(share);
    }
    if !config.ceremony.escrow_blob.exists() {
        return Ok(None);
    }
    write_record(config, Act::Made, &path, &config.ceremony.protocol, protocol, &shares)?;
    Ok(Some(path))
}

fn write_record(
    config: &Config,
    act: Act,
    path: &Path,
    protocol_path: &Path,
    protocol: &Protocol,
    shares: &[SealedShare],
) -> Result<(), InitError> {
    let member = |member: &MemberProtocol| CeremonyMember {
        label: member.label.clone(),
        checkpoint_key: member.checkpoint_key,
        refused: u32::try_from(member.attempts.iter().filter(|attempt| attempt.refused).count()).unwrap_or(u32::MAX),
    };
    let record = CeremonyRecord {
        kms: config.node.name.clone(),
        held_s: OffsetDateTime::now_utc().unix_timestamp(),
        act,
        root_of_trust: protocol.trust_anchor.rot_fingerprint,
        protocol: digest_of(protocol_path)?,
        escrow_blob: digest_of(&config.ceremony.escrow_blob)?,
        threshold: shares.first().map_or(0, |share| share.threshold),
        custodians: shares.iter().map(|share| (share.custodian.clone(), share.signing_key.clone())).collect(),
        members: protocol.members.iter().map(member).collect(),
    };
    let fault = |fault: CeremonyFault| InitError::content(path, fault.to_string());
    let signed = SignedCeremony::new(&record).map_err(fault)?;
    durable::write(path, signed.to_json().as_bytes(), PUBLIC_FILE).map_err(InitError::file(path))
}

fn digest_of(path: &Path) -> Result<[u8; 32], InitError> {
    let bytes = durable::read(path, MAX_PAPER_BYTES)
        .map_err(InitError::file(path))?
        .ok_or_else(|| InitError::content(path, "there is no such file"))?;
    let mut sum = [0; 32];
    sum.copy_from_slice(digest(&SHA256, &bytes).as_ref());
    Ok(sum)
}

fn read_share(path: &Path) -> Result<Option<SealedShare>, InitError> {
    let Some(bytes) = durable::read(path, MAX_PAPER_BYTES).map_err(InitError::file(path))? else { return Ok(None) };
    SealedShare::from_file(&bytes).map(Some).map_err(|error| InitError::content(path, error.to_string()))
}

fn write_json(path: &Path, value: &impl serde::Serialize, mode: u32) -> Result<(), InitError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| InitError::content(path, error.to_string()))?;
    text.push(b'\n');
    durable::write(path, &text, mode).map_err(InitError::file(path))
}

fn record_place(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("record-{number}.json"))
}

/// The first record that is not there yet.
fn free_place(folder: &Path) -> Result<PathBuf, InitError> {
    (1..=MAX_RECORDS)
        .map(|number| record_place(folder, number))
        .find(|path| !path.exists())
        .ok_or_else(|| InitError::content(folder, "there are too many records"))
}
