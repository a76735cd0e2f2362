//! Where the bytes of created keys come from, and what the attribute Random Number Generator says of it.
//!
//! Under `anssi` they are what the HSM's generator gives, whose construction PKCS#11 does not tell and the operator may
//! state. The cases of the KMIP 1.4 profiles know one answer only, ANSI X9.31 with AES-256; so a `legacy` domain really
//! uses it, with key, seed and date vector drawn from the HSM for each key. Its known weakness, a key that stays in use,
//! cannot arise. Key pairs that the HSM makes itself do not come this way under either policy.

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use kmip::attribute::RngParameters;
use kmip::registry::{CryptographicAlgorithm, RngAlgorithm};
use policy::algorithm::AlgorithmPolicy;
use secret::Secret;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::node::Node;
use crate::offer::generator;

/// Bytes of an AES block: seed, date vector and each output of X9.31.
const BLOCK: usize = 16;
/// Bytes of an AES-256 key.
const KEY: usize = 32;

/// Random bytes for a key of a domain under `policy`, and the generator that made them.
pub(super) async fn key_bytes(
    node: &Node,
    policy: AlgorithmPolicy,
    len: usize,
) -> Result<(Secret, RngParameters), Failure> {
    match policy {
        AlgorithmPolicy::Anssi => Ok((node.hsm.random(len).await?, node.offer.generator())),
        AlgorithmPolicy::Legacy => {
            let (mut generator, parameters) = x931(&node.hsm).await?;
            let bytes = Secret::filled_by(len, |bytes| {
                generator.fill(bytes);
                Ok::<(), Failure>(())
            })?;
            Ok((bytes, parameters))
        }
    }
}

/// The generator of a `legacy` domain, fresh from the HSM, for one key.
async fn x931(hsm: &hsm::Group) -> Result<(X931<Aes256>, RngParameters), Failure> {
    let seed = hsm.random(KEY + 2 * BLOCK).await?;
    let short = || Failure::Internal("the HSM gave too few random bytes");
    let (key, rest) = seed.expose().split_first_chunk::<KEY>().ok_or_else(short)?;
    let (v, rest) = rest.split_first_chunk::<BLOCK>().ok_or_else(short)?;
    let (dt, _) = rest.split_first_chunk::<BLOCK>().ok_or_else(short)?;
    let parameters = RngParameters {
        cryptographic_algorithm: Some(CryptographicAlgorithm::Aes),
        cryptographic_length: Some(256),
        ..generator(RngAlgorithm::AnsiX9_31)
    };
    Ok((X931::new(Aes256::new(key.into()), *v, *dt), parameters))
}

/// The generator of ANSI X9.31 appendix A.2.4 over a block cipher with blocks of 16 bytes.
struct X931<C> {
    cipher: C,
    v: Zeroizing<[u8; BLOCK]>,
    dt: Zeroizing<[u8; BLOCK]>,
}

impl<C: BlockCipherEncrypt<BlockSize = aes::cipher::consts::U16>> X931<C> {
    fn new(cipher: C, v: [u8; BLOCK], dt: [u8; BLOCK]) -> Self {
        Self { cipher, v: Zeroizing::new(v), dt: Zeroizing::new(dt) }
    }

    /// Fills `bytes` with the next output.
    fn fill(&mut self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(BLOCK) {
            let block = self.next();
            for (to, from) in part.iter_mut().zip(block.iter()) {
                *to = *from;
            }
        }
    }

    fn next(&mut self) -> Zeroizing<[u8; BLOCK]> {
        let intermediate = self.encrypted(&self.dt);
        let result = self.encrypted(&xor(&intermediate, &self.v));
        self.v = self.encrypted(&xor(&result, &intermediate));
        // The date vector has to move on with every block.
        *self.dt = u128::from_be_bytes(*self.dt).wrapping_add(1).to_be_bytes();
        result
    }

    fn encrypted(&self, block: &[u8; BLOCK]) -> Zeroizing<[u8; BLOCK]> {
        let mut block = Zeroizing::new(*block);
        self.cipher.encrypt_block((&mut *block).into());
        block
    }
}

fn xor(a: &[u8; BLOCK], b: &[u8; BLOCK]) -> Zeroizing<[u8; BLOCK]> {
    Zeroizing::new((u128::from_be_bytes(*a) ^ u128::from_be_bytes(*b)).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use aes::Aes128;

    use super::*;

    fn hex16(text: &str) -> [u8; 16] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    /// NIST's vectors for X9.31 with AES-128 (ANSI931_AES128VST), the first of them.
    #[test]
    fn x931_gives_the_published_block() {
        let key = hex16("f3b1666d13607242ed061cabb8d46202");
        let dt = hex16("e6b3be782a23fa62d71d4afbb0e922f9");
        let v = hex16("80000000000000000000000000000000");
        let mut out = [0; 16];
        X931::new(Aes128::new(&key.into()), v, dt).fill(&mut out);
        assert_eq!(hex::encode(out), "59531ed13bb0c05584796685c12f7641");
    }

    #[test]
    fn blocks_differ_and_a_short_end_is_filled() {
        let mut out = [0; 40];
        X931::new(Aes256::new(&[1; 32].into()), [2; 16], [3; 16]).fill(&mut out);
        let blocks: std::collections::BTreeSet<&[u8]> = out.chunks(8).collect();
        assert_eq!(blocks.len(), 5);
    }
}
