//! Hashes, at once and as a stream. KMIP 1.4 §4.37, 2.1 §6.1.23.

use std::sync::LazyLock;

use kmip::registry::HashingAlgorithm;
use openssl::md::{Md, MdRef};
use openssl::md_ctx::MdCtx;

use crate::CryptoError;
use crate::library::{Checked, with_legacy};
use crate::limits::MAX_INPUT_LEN;

/// Every hash that the library has, fetched once: a fetch by name on each call would cost more than a short hash.
static FETCHED: LazyLock<Vec<(HashingAlgorithm, Md)>> = LazyLock::new(|| {
    with_legacy();
    HashingAlgorithm::ALL
        .iter()
        .filter_map(|&algorithm| Some((algorithm, Md::fetch(None, library_name(algorithm)?, None).ok()?)))
        .collect()
});

/// OpenSSL's name; `None` for what it does not have.
const fn library_name(algorithm: HashingAlgorithm) -> Option<&'static str> {
    Some(match algorithm {
        HashingAlgorithm::Md4 => "MD4",
        HashingAlgorithm::Md5 => "MD5",
        HashingAlgorithm::Sha1 => "SHA1",
        HashingAlgorithm::Sha224 => "SHA2-224",
        HashingAlgorithm::Sha256 => "SHA2-256",
        HashingAlgorithm::Sha384 => "SHA2-384",
        HashingAlgorithm::Sha512 => "SHA2-512",
        HashingAlgorithm::Ripemd160 => "RIPEMD-160",
        HashingAlgorithm::Whirlpool => "WHIRLPOOL",
        HashingAlgorithm::Sha512_224 => "SHA2-512/224",
        HashingAlgorithm::Sha512_256 => "SHA2-512/256",
        HashingAlgorithm::Sha3_224 => "SHA3-224",
        HashingAlgorithm::Sha3_256 => "SHA3-256",
        HashingAlgorithm::Sha3_384 => "SHA3-384",
        HashingAlgorithm::Sha3_512 => "SHA3-512",
        HashingAlgorithm::Md2 | HashingAlgorithm::Tiger => return None,
    })
}

/// The library's hash.
pub(crate) fn message_digest(algorithm: HashingAlgorithm) -> Result<&'static MdRef, CryptoError> {
    FETCHED
        .iter()
        .find_map(|(of, md)| (*of == algorithm).then_some(&**md))
        .ok_or(CryptoError::Unsupported(algorithm.text()))
}

/// Whether this system can compute `algorithm`.
#[must_use]
pub fn is_supported(algorithm: HashingAlgorithm) -> bool {
    message_digest(algorithm).is_ok()
}

/// Length of a hash value in bytes.
///
/// # Errors
/// [`CryptoError::Unsupported`].
pub fn hash_len(algorithm: HashingAlgorithm) -> Result<usize, CryptoError> {
    Ok(message_digest(algorithm)?.size())
}

/// The hash of `data`.
///
/// # Errors
/// [`CryptoError::Unsupported`], [`CryptoError::TooLong`].
pub fn hash(algorithm: HashingAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut stream = HashStream::new(algorithm)?;
    stream.update(data)?;
    stream.finish()
}

/// A hash over data that comes in pieces.
pub struct HashStream {
    context: MdCtx,
    len: usize,
}

impl HashStream {
    /// A hash over nothing yet.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`].
    pub fn new(algorithm: HashingAlgorithm) -> Result<Self, CryptoError> {
        let md = message_digest(algorithm)?;
        let mut context = MdCtx::new().or_library("hash")?;
        context.digest_init(md).or_library("hash")?;
        Ok(Self { context, len: md.size() })
    }

    /// Adds a piece.
    ///
    /// # Errors
    /// [`CryptoError::TooLong`] for a piece over [`MAX_INPUT_LEN`].
    pub fn update(&mut self, data: &[u8]) -> Result<(), CryptoError> {
        if data.len() > MAX_INPUT_LEN {
            return Err(CryptoError::TooLong("data"));
        }
        self.context.digest_update(data).or_library("hash")
    }

    /// The hash of all pieces.
    ///
    /// # Errors
    /// [`CryptoError::Library`].
    pub fn finish(mut self) -> Result<Vec<u8>, CryptoError> {
        let mut value = vec![0; self.len];
        self.context.digest_final(&mut value).or_library("hash")?;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hashes of "abc": FIPS 180-4 and FIPS 202 examples, RFC 1320, RFC 1321, the RIPEMD-160 and ISO Whirlpool pages.
    const OF_ABC: &[(HashingAlgorithm, &str)] = &[
        (HashingAlgorithm::Md4, "a448017aaf21d8525fc10ae87aa6729d"),
        (HashingAlgorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
        (HashingAlgorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (HashingAlgorithm::Sha224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
        (HashingAlgorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            HashingAlgorithm::Sha384,
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
        ),
        (
            HashingAlgorithm::Sha512,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd\
             454d4423643ce80e2a9ac94fa54ca49f",
        ),
        (HashingAlgorithm::Ripemd160, "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
        (
            HashingAlgorithm::Whirlpool,
            "4e2448a4c6f486bb16b6562c73b4020bf3043e3a731bce721ae1b303d97e6d4c7181eebdb6c57e277d0e34957114cbd6\
             c797fc9d95d8b582d225292076d4eef5",
        ),
        (HashingAlgorithm::Sha512_224, "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa"),
        (HashingAlgorithm::Sha512_256, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
        (HashingAlgorithm::Sha3_224, "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"),
        (HashingAlgorithm::Sha3_256, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
        (
            HashingAlgorithm::Sha3_384,
            "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
        ),
        (
            HashingAlgorithm::Sha3_512,
            "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e39340\
             57340b4cf408d5a56592f8274eec53f0",
        ),
    ];

    #[test]
    fn hashes_of_abc_are_those_of_the_standards() {
        for (algorithm, value) in OF_ABC {
            assert_eq!(hex::encode(hash(*algorithm, b"abc").unwrap()), *value, "{}", algorithm.text());
            assert_eq!(hash_len(*algorithm).unwrap() * 2, value.len());
        }
    }

    #[test]
    fn pieces_make_the_same_hash_as_the_whole() {
        for (algorithm, value) in OF_ABC {
            let mut stream = HashStream::new(*algorithm).unwrap();
            for piece in [&b"a"[..], b"", b"bc"] {
                stream.update(piece).unwrap();
            }
            assert_eq!(hex::encode(stream.finish().unwrap()), *value);
        }
    }

    #[test]
    fn what_nobody_computes_any_more_is_refused_by_name() {
        assert_eq!(hash(HashingAlgorithm::Md2, b"abc"), Err(CryptoError::Unsupported("MD2")));
        assert_eq!(hash(HashingAlgorithm::Tiger, b"abc"), Err(CryptoError::Unsupported("Tiger")));
    }
}
