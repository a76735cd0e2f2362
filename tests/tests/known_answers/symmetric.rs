//! Ciphers: each vector is encrypted, decrypted, and encrypted with the server's own IV and decrypted again.

use kmip::attribute::CryptographicParameters;
use kmip::object::{KeyBlock, ManagedObject, SymmetricKey};
use kmip::payload::{DecryptRequest, EncryptRequest, RegisterRequest, ResponsePayload};
use kmip::registry::{BlockCipherMode as Mode, CryptographicAlgorithm as A, PaddingMethod, UsageMask};
use secret::Secret;

use crate::{Anssi, Row, active, data, parameters};

/// A cipher's vector; numbers in hexadecimal.
struct Vector {
    what: &'static str,
    algorithm: A,
    mode: Option<Mode>,
    key: &'static str,
    iv: &'static str,
    aad: &'static str,
    plain: &'static str,
    /// Ciphertext and tag.
    sealed: &'static str,
    /// Bytes of the tag at its end.
    tag: usize,
    /// What `anssi` says of encryption with this IV, and of the rest.
    anssi: (Anssi, Anssi),
}

const TAKES: Anssi = Anssi::Takes;
/// The server chooses the IV.
const NO_IV: (Anssi, Anssi) = (Anssi::Refuses("leaves the IV to the server"), TAKES);
const BOTH: (Anssi, Anssi) = (TAKES, TAKES);
const NO_ECB: (Anssi, Anssi) = (Anssi::Refuses("excludes ECB"), Anssi::Refuses("excludes ECB"));
const NO_TDES: (Anssi, Anssi) = (Anssi::Refuses("excludes 3DES"), Anssi::Refuses("excludes 3DES"));
const SHORT_TAG: (Anssi, Anssi) = (Anssi::Refuses("tags of 16 bytes"), Anssi::Refuses("tags of 16 bytes"));

const KEY: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51";
const IV: &str = "000102030405060708090a0b0c0d0e0f";
const TDES_KEY: &str = "0123456789abcdef23456789abcdef01456789abcdef0123";

/// A vector without additional data and tag.
const fn plain(
    what: &'static str,
    (algorithm, mode, key): (A, Mode, &'static str),
    iv: &'static str,
    (plain, sealed): (&'static str, &'static str),
    anssi: (Anssi, Anssi),
) -> Vector {
    Vector { what, algorithm, mode: Some(mode), key, iv, aad: "", plain, sealed, tag: 0, anssi }
}

const VECTORS: &[Vector] = &[
    plain(
        "AES ECB, SP 800-38A §F.1.1",
        (A::Aes, Mode::Ecb, KEY),
        "",
        (PLAIN, "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"),
        NO_ECB,
    ),
    plain(
        "AES CBC, SP 800-38A §F.2.1",
        (A::Aes, Mode::Cbc, KEY),
        IV,
        (PLAIN, "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"),
        NO_IV,
    ),
    plain(
        "AES CFB, SP 800-38A §F.3.13",
        (A::Aes, Mode::Cfb, KEY),
        IV,
        (PLAIN, "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b"),
        NO_IV,
    ),
    plain(
        "AES OFB, SP 800-38A §F.4.1",
        (A::Aes, Mode::Ofb, KEY),
        IV,
        (PLAIN, "3b3fd92eb72dad20333449f8e83cfb4a7789508d16918f03f53c52dac54ed825"),
        NO_IV,
    ),
    plain(
        "AES CTR, SP 800-38A §F.5.1",
        (A::Aes, Mode::Ctr, KEY),
        "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
        (PLAIN, "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"),
        NO_IV,
    ),
    Vector {
        what: "AES GCM, test case 4 of its submission to NIST",
        algorithm: A::Aes,
        mode: Some(Mode::Gcm),
        key: "feffe9928665731c6d6a8f9467308308",
        iv: "cafebabefacedbaddecaf888",
        aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        plain: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5\
                aa0de657ba637b39",
        sealed: "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b3\
                 96a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47",
        tag: 16,
        anssi: NO_IV,
    },
    Vector {
        what: "AES-256 CCM, Wycheproof test 168",
        algorithm: A::Aes,
        mode: Some(Mode::Ccm),
        key: "b907a45075513fe8a8019edee3f2591487b2a030b03c6e1d771c862571d2ea1e",
        iv: "118a6964c2d3e380071f5266",
        aad: "034585621af8d7ff",
        plain: "55a465644f5b650928cbee7c063214d6",
        sealed: "ab01f92db4f210bdb5edaf0a1bd19eba621630c505d24e3b29294977d8ffa4b4",
        tag: 16,
        anssi: NO_IV,
    },
    Vector {
        what: "AES CCM with a tag of 8 bytes, SP 800-38C example 3",
        algorithm: A::Aes,
        mode: Some(Mode::Ccm),
        key: "404142434445464748494a4b4c4d4e4f",
        iv: "101112131415161718191a1b",
        aad: "000102030405060708090a0b0c0d0e0f10111213",
        plain: "202122232425262728292a2b2c2d2e2f3031323334353637",
        sealed: "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5484392fbc1b09951",
        tag: 8,
        anssi: SHORT_TAG,
    },
    plain(
        "XTS-AES-128, IEEE 1619 vector 4",
        (A::Aes, Mode::Xts, "2718281828459045235360287471352631415926535897932384626433832795"),
        "00000000000000000000000000000000",
        (
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "27a7479befa1d476489f308cd4cfa6e2a96e4bbe3208ff25287dd3819616e89c",
        ),
        BOTH,
    ),
    plain(
        "XTS-AES-256, IEEE 1619 vector 10",
        (
            A::Aes,
            Mode::Xts,
            "2718281828459045235360287471352662497757247093699959574966967627\
             3141592653589793238462643383279502884197169399375105820974944592",
        ),
        "ff000000000000000000000000000000",
        (
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b",
        ),
        BOTH,
    ),
    plain(
        "AES key wrap, RFC 3394 §4.6",
        (A::Aes, Mode::NistKeyWrap, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
        "",
        (
            "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
            "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
        ),
        BOTH,
    ),
    plain(
        "AES key wrap with padding, RFC 5649 §6",
        (A::Aes, Mode::AesKeyWrapPadding, "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8"),
        "",
        (
            "c37b7e6492584340bed12207808941155068f738",
            "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
        ),
        BOTH,
    ),
    plain(
        "3DES ECB, NIST's example values",
        (A::TripleDes, Mode::Ecb, TDES_KEY),
        "",
        (PLAIN, "714772f339841d34267fcc4bd2949cc3ee11c22a576a303876183f99c0b6de87"),
        NO_TDES,
    ),
    plain(
        "3DES CBC, NIST's example values",
        (A::TripleDes, Mode::Cbc, TDES_KEY),
        "f69f2445df4f9b17",
        (PLAIN, "2079c3d53aa763e193b79e2569ab5262516570481f25b50f73c0bda85c8e0da7"),
        NO_TDES,
    ),
    Vector {
        what: "ChaCha20-Poly1305, RFC 8439 §2.8.2",
        algorithm: A::ChaCha20Poly1305,
        mode: None,
        key: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
        iv: "070000004041424344454647",
        aad: "50515253c0c1c2c3c4c5c6c7",
        plain: "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920636f756c64\
                206f6666657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73637265656e20776f\
                756c642062652069742e",
        sealed: "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0\
                 a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a\
                 9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691",
        tag: 16,
        anssi: NO_IV,
    },
];

fn bytes(digits: &str) -> Vec<u8> {
    hex::decode(digits).unwrap()
}

/// `None` where there are none.
fn given(digits: &str) -> Option<Vec<u8>> {
    (!digits.is_empty()).then(|| bytes(digits))
}

impl Vector {
    fn key(&self) -> Vec<RegisterRequest> {
        let material = bytes(self.key);
        // 3DES is counted without parity bits.
        let bits = if self.algorithm == A::TripleDes { 168 } else { i32::try_from(material.len() * 8).unwrap() };
        let key_block = KeyBlock::raw(Secret::new(material), self.algorithm, bits);
        let key = ManagedObject::SymmetricKey(SymmetricKey { key_block });
        vec![RegisterRequest::new(key, active(UsageMask::ENCRYPT.union(UsageMask::DECRYPT)))]
    }

    fn parameters(&self) -> CryptographicParameters {
        CryptographicParameters {
            block_cipher_mode: self.mode,
            padding_method: matches!(self.mode, Some(Mode::Ecb | Mode::Cbc)).then_some(PaddingMethod::None),
            tag_length: (self.tag > 0).then(|| i32::try_from(self.tag).unwrap()),
            ..Default::default()
        }
    }

    fn encrypt(&'static self, id: &str, iv: Option<Vec<u8>>) -> EncryptRequest {
        let random_iv = (iv.is_none() && !self.iv.is_empty()).then_some(true);
        EncryptRequest {
            unique_identifier: Some(id.into()),
            cryptographic_parameters: parameters(&CryptographicParameters { random_iv, ..self.parameters() }),
            data: data(&bytes(self.plain)),
            iv_counter_nonce: iv,
            authenticated_encryption_additional_data: given(self.aad),
            ..Default::default()
        }
    }

    fn decrypt(&'static self, id: &str, iv: Option<Vec<u8>>, sealed: &[u8], tag: Option<Vec<u8>>) -> DecryptRequest {
        DecryptRequest {
            unique_identifier: Some(id.into()),
            cryptographic_parameters: parameters(&self.parameters()),
            data: data(sealed),
            iv_counter_nonce: iv,
            authenticated_encryption_additional_data: given(self.aad),
            authenticated_encryption_tag: tag,
            ..Default::default()
        }
    }

    fn rows(&'static self) -> Vec<Row> {
        let (with_iv, rest) = self.anssi;
        let what = |doing: &str| format!("{doing}: {}", self.what);
        let sealed = bytes(self.sealed);
        let (body, tag) = sealed.split_at(sealed.len() - self.tag);
        let (body, tag) = (body.to_vec(), (self.tag > 0).then(|| tag.to_vec()));
        let mut rows = vec![
            Row::new(what("Encrypt"), self.key(), |ids| self.encrypt(&ids[0], given(self.iv)).into(), sealed, with_iv),
            Row::new(
                what("Decrypt"),
                self.key(),
                move |ids| self.decrypt(&ids[0], given(self.iv), &body, tag.clone()).into(),
                bytes(self.plain),
                rest,
            ),
        ];
        // A random tweak would not be a place; the other modes have no IV.
        if !self.iv.is_empty() && self.mode != Some(Mode::Xts) {
            let back = |ids: &[String], answer: &ResponsePayload| {
                let ResponsePayload::Encrypt(made) = answer else { panic!("{answer:?}") };
                let (data, tag) = (made.data.clone().unwrap(), made.authenticated_encryption_tag.clone());
                self.decrypt(&ids[0], made.iv_counter_nonce.clone(), &data, tag).into()
            };
            let there = |ids: &[String]| self.encrypt(&ids[0], None).into();
            rows.push(Row::new(what("with the server's IV"), self.key(), there, bytes(self.plain), rest).then(back));
        }
        rows
    }
}

/// Every cipher.
pub(crate) fn rows() -> Vec<Row> {
    VECTORS.iter().flat_map(Vector::rows).collect()
}
