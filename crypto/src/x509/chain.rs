//! Whether a chain of certificates holds: Validate. KMIP 1.4 §4.24, RFC 5280 §6.

use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509StoreContext};

use super::certificate::{CertificateFacts, parse_certificate};
use crate::CryptoError;
use crate::library::Checked;
use crate::limits::MAX_CHAIN_LEN;

/// What is known of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// It leads from its first certificate to an anchor, and every certificate holds at the time.
    Valid,
    /// A signature, a date, a constraint or a usage does not hold.
    Invalid,
    /// No anchor: neither is one given, nor does the chain end with a certificate that signs itself.
    Unknown,
}

/// Checks the certificates `chain`, DER, in any order, at the time `at` (seconds since 1970). They must be one chain: one
/// certificate that none of the others was signed by, and its issuers. Anchors are `trusted`; where there are none, a
/// certificate of the chain that signs itself.
///
/// # Errors
/// [`CryptoError::InvalidInput`] for certificates that cannot be read, and for none at all; [`CryptoError::TooLong`].
pub fn verify_chain(chain: &[&[u8]], trusted: &[&[u8]], at: i64) -> Result<Chain, CryptoError> {
    if chain.len() > MAX_CHAIN_LEN || trusted.len() > MAX_CHAIN_LEN {
        return Err(CryptoError::TooLong("the chain"));
    }
    let facts = chain.iter().map(|der| parse_certificate(der)).collect::<Result<Vec<_>, _>>()?;
    let Some(leaf) = leaf_of(&facts) else {
        return if chain.is_empty() {
            Err(CryptoError::InvalidInput("no certificate to validate"))
        } else {
            Ok(Chain::Invalid)
        };
    };
    let read = |der: &[u8]| X509::from_der(der).or_refuse(super::BROKEN);
    let mut store = X509StoreBuilder::new().or_library("chain")?;
    let mut others = Stack::new().or_library("chain")?;
    let mut has_anchor = false;
    for der in trusted {
        store.add_cert(read(der)?).or_library("chain")?;
        has_anchor = true;
    }
    for (der, facts) in chain.iter().zip(&facts) {
        if trusted.is_empty() && facts.subject.der == facts.issuer.der {
            store.add_cert(read(der)?).or_library("chain")?;
            has_anchor = true;
        } else {
            others.push(read(der)?).or_library("chain")?;
        }
    }
    if !has_anchor {
        return Ok(Chain::Unknown);
    }
    let mut parameters = X509VerifyParam::new().or_library("chain")?;
    parameters.set_time(at);
    // Signatures of roots are nobody's proof, but a broken one is no certificate.
    parameters.set_flags(X509VerifyFlags::CHECK_SS_SIGNATURE).or_library("chain")?;
    parameters.set_depth(i32::try_from(MAX_CHAIN_LEN).unwrap_or(i32::MAX));
    // Anchors that are not roots are anchors all the same.
    if !trusted.is_empty() {
        parameters.set_flags(X509VerifyFlags::PARTIAL_CHAIN).or_library("chain")?;
    }
    store.set_param(&parameters).or_library("chain")?;
    let store = store.build();
    let leaf = read(chain.get(leaf).ok_or(super::BROKEN)?)?;
    let mut context = X509StoreContext::new().or_library("chain")?;
    let holds = context.init(&store, &leaf, &others, |context| {
        let holds = context.verify_cert()?;
        // Every certificate that was given is part of the chain, or it was not one chain.
        Ok((holds, context.chain().map_or(0, |built| built.len())))
    });
    match holds.or_library("chain")? {
        (true, built) if built >= chain.len() || !trusted.is_empty() => Ok(Chain::Valid),
        _ => Ok(Chain::Invalid),
    }
}

/// The position of the certificate whose subject is nobody else's issuer; `None` where there is not exactly one.
fn leaf_of(facts: &[CertificateFacts]) -> Option<usize> {
    let issues_another = |of: usize| {
        facts.iter().enumerate().any(|(position, other)| {
            position != of && facts.get(of).is_some_and(|facts| other.issuer.der == facts.subject.der)
        })
    };
    let mut leaves = (0..facts.len()).filter(|position| !issues_another(*position));
    match (leaves.next(), leaves.next()) {
        (Some(leaf), None) => Some(leaf),
        _ => None,
    }
}
