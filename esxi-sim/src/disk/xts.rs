//! XTS-AES-256 over sectors of 512 bytes, numbered from the start of the disk (IEEE 1619-2018; NIST SP 800-38E).
//!
//! The tweak is the sector number as a little-endian 128-bit integer, which Linux calls `plain64`. XTS has no
//! authentication and keeps every sector's place: whoever can write the file can damage sectors, not read them.

use std::fmt;

use aes::Aes256;
use aes::cipher::KeyInit;
use ring::rand::SecureRandom;
use secret::Secret;
use subtle::ConstantTimeEq;
use thiserror::Error;
use xts_mode::{Xts128, get_tweak_default};

use crate::limits::SECTOR;

/// Bytes of a key: one AES-256 key for the data, one for the tweak.
const KEY_LEN: usize = 64;
const HALF: usize = KEY_LEN / 2;

/// Why bytes are not a key for a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Not 64 bytes.
    #[error("an XTS-AES-256 key has 64 bytes, not {0}")]
    Length(usize),
    /// Both halves are the same, which FIPS 140 forbids: the tweak would no longer hide anything.
    #[error("both halves of the XTS key are equal")]
    EqualHalves,
    /// The system gave no randomness.
    #[error("no randomness")]
    Random,
}

/// The DEK of one disk: 64 bytes, in clear in the host's memory only.
pub struct DiskKey {
    bytes: Secret,
    /// Key schedules of the two halves, made where the length is checked, so that nothing can stand in for a half. They
    /// are wiped when they are dropped.
    data: Aes256,
    tweak: Aes256,
}

impl DiskKey {
    /// A new key from the system's randomness.
    ///
    /// # Errors
    /// [`KeyError::Random`].
    pub fn generate(random: &dyn SecureRandom) -> Result<Self, KeyError> {
        Self::from_secret(Secret::filled_by(KEY_LEN, |bytes| random.fill(bytes).map_err(|_| KeyError::Random))?)
    }

    /// A key that was unwrapped.
    ///
    /// # Errors
    /// [`KeyError`] for another length or equal halves.
    pub fn from_secret(bytes: Secret) -> Result<Self, KeyError> {
        let Some((data, tweak)) = halves(&bytes) else { return Err(KeyError::Length(bytes.len())) };
        if data.ct_eq(tweak).into() {
            return Err(KeyError::EqualHalves);
        }
        let (data, tweak) = (Aes256::new(data.into()), Aes256::new(tweak.into()));
        Ok(Self { bytes, data, tweak })
    }

    /// The bytes in clear, to be wrapped.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.bytes
    }

    /// The cipher under this key. Its key schedule is wiped when it is dropped.
    #[must_use]
    pub fn cipher(&self) -> DiskCipher {
        DiskCipher(Xts128::new(self.data.clone(), self.tweak.clone()))
    }
}

impl fmt::Debug for DiskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DiskKey").field(&self.bytes).finish()
    }
}

fn halves(key: &Secret) -> Option<(&[u8; HALF], &[u8; HALF])> {
    let (data, rest) = key.expose().split_first_chunk::<HALF>()?;
    Some((data, rest.try_into().ok()?))
}

/// Encrypts and decrypts the sectors of one disk.
pub struct DiskCipher(Xts128<Aes256>);

impl DiskCipher {
    /// Encrypts whole sectors in place, the first of which is number `first` of the disk.
    ///
    /// A last part shorter than a sector is left as it is; callers pass whole sectors.
    pub fn encrypt(&self, first: u64, sectors: &mut [u8]) {
        for (number, sector) in (u128::from(first)..).zip(sectors.chunks_exact_mut(SECTOR)) {
            self.0.encrypt_sector(sector, get_tweak_default(number));
        }
    }

    /// Decrypts what [`DiskCipher::encrypt`] made.
    pub fn decrypt(&self, first: u64, sectors: &mut [u8]) {
        for (number, sector) in (u128::from(first)..).zip(sectors.chunks_exact_mut(SECTOR)) {
            self.0.decrypt_sector(sector, get_tweak_default(number));
        }
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;

    use super::*;

    /// IEEE 1619-2018, annex B: XTS-AES-256 with the digits of e and π as keys.
    const KEY: &str = "2718281828459045235360287471352662497757247093699959574966967627\
                       3141592653589793238462643383279502884197169399375105820974944592";

    /// Vector 10: sector number ff.
    const VECTOR_10: &str = "\
        1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b5d31e276f8fe4a8d66b317f9ac683f44\
        680a86ac35adfc3345befecb4bb188fd5776926c49a3095eb108fd1098baec70aaa66999a72a82f27d848b21d4a741b0\
        c5cd4d5fff9dac89aeba122961d03a757123e9870f8acf1000020887891429ca2a3e7a7d7df7b10355165c8b9a6d0a7d\
        e8b062c4500dc4cd120c0f7418dae3d0b5781c34803fa75421c790dfe1de1834f280d7667b327f6c8cd7557e12ac3a0f\
        93ec05c52e0493ef31a12d3d9260f79a289d6a379bc70c50841473d1a8cc81ec583e9645e07b8d9670655ba5bbcfecc6\
        dc3966380ad8fecb17b6ba02469a020a84e18e8f84252070c13e9f1f289be54fbc481457778f616015e1327a02b140f1\
        505eb309326d68378f8374595c849d84f4c333ec4423885143cb47bd71c5edae9be69a2ffeceb1bec9de244fbe15992b\
        11b77c040f12bd8f6a975a44a0f90c29a9abc3d4d893927284c58754cce294529f8614dcd2aba991925fedc4ae74ffac\
        6e333b93eb4aff0479da9a410e4450e0dd7ae4c6e2910900575da401fc07059f645e8b7e9bfdef33943054ff84011493\
        c27b3429eaedb4ed5376441a77ed43851ad77f16f541dfd269d50d6a5f14fb0aab1cbb4c1550be97f7ab4066193c4caa\
        773dad38014bd2092fa755c824bb5e54c4f36ffda9fcea70b9c6e693e148c151";

    /// Vector 14: sector number ffffffffff, beyond 32 bits.
    const VECTOR_14: &str = "\
        64497e5a831e4a932c09be3e5393376daa599548b816031d224bbf50a818ed2350eae7e96087c8a0db51ad290bd00c1a\
        c1620857635bf246c176ab463be30b808da548081ac847b158e1264be25bb0910bbc92647108089415d45fab1b3d2604\
        e8a8eff1ae4020cfa39936b66827b23f371b92200be90251e6d73c5f86de5fd4a950781933d79a28272b782a2ec313ef\
        dfcc0628f43d744c2dc2ff3dcb66999b50c7ca895b0c64791eeaa5f29499fb1c026f84ce5b5c72ba1083cddb5ce45434\
        631665c333b60b11593fb253c5179a2c8db813782a004856a1653011e93fb6d876c18366dd8683f53412c0c180f9c848\
        592d593f8609ca736317d356e13e2bff3a9f59cd9aeb19cd482593d8c46128bb32423b37a9adfb482b99453fbe25a41b\
        f6feb4aa0bef5ed24bf73c762978025482c13115e4015aac992e5613a3b5c2f685b84795cb6e9b2656d8c88157e52c42\
        f978d8634c43d06fea928f2822e465aa6576e9bf419384506cc3ce3c54ac1a6f67dc66f3b30191e698380bc999b05abc\
        e19dc0c6dcc2dd001ec535ba18deb2df1a101023108318c75dc98611a09dc48a0acdec676fabdf222f07e026f059b672\
        b56e5cbc8e1d21bbd867dd927212054681d70ea737134cdfce93b6f82ae22423274e58a0821cc5502e2d0ab4585e94de\
        6975be5e0b4efce51cd3e70c25a1fbbbd609d273ad5b0d59631c531f6a0a57b9";

    fn key() -> DiskKey {
        DiskKey::from_secret(Secret::new(hex::decode(KEY).unwrap())).unwrap()
    }

    fn counting() -> Vec<u8> {
        (0..=255).chain(0..=255).collect()
    }

    #[test]
    fn agrees_with_the_vectors_of_the_standard() {
        for (number, expected) in [(0xff, VECTOR_10), (0xff_ffff_ffff, VECTOR_14)] {
            let mut sector = counting();
            key().cipher().encrypt(number, &mut sector);
            assert_eq!(hex::encode(&sector), expected);
            key().cipher().decrypt(number, &mut sector);
            assert_eq!(sector, counting());
        }
    }

    #[test]
    fn each_sector_has_its_own_tweak() {
        let mut area = [counting(), counting()].concat();
        key().cipher().encrypt(0xfe, &mut area);
        assert_eq!(hex::encode(&area[SECTOR..]), VECTOR_10);
        assert_ne!(area[..SECTOR], area[SECTOR..]);
    }

    #[test]
    fn equal_halves_and_wrong_lengths_are_no_key() {
        assert_eq!(DiskKey::from_secret(Secret::new(vec![7; 64])).unwrap_err(), KeyError::EqualHalves);
        for len in [0, 32, 63, 65] {
            assert_eq!(DiskKey::from_secret(Secret::new(vec![7; len])).unwrap_err(), KeyError::Length(len));
        }
    }

    #[test]
    fn generated_keys_differ_and_are_not_printed() {
        let (one, other) =
            (DiskKey::generate(&SystemRandom::new()).unwrap(), DiskKey::generate(&SystemRandom::new()).unwrap());
        assert_ne!(one.secret(), other.secret());
        assert_eq!(format!("{one:?}"), "DiskKey(Secret(64 bytes))");
    }
}
