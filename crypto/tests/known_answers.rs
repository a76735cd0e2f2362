//! Known answers of the standards for the symmetric ciphers and modes that Wycheproof has no vectors for, at once and in
//! pieces.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use crypto::cipher::CipherSpec;
use kmip::attribute::CryptographicParameters;
use kmip::registry::{BlockCipherMode as Mode, CryptographicAlgorithm as Algorithm, PaddingMethod};
use secret::Secret;

struct Vector {
    /// Where it stands.
    source: &'static str,
    algorithm: Algorithm,
    mode: Option<Mode>,
    key: &'static str,
    iv: &'static str,
    plain: &'static str,
    cipher: &'static str,
}

const AES_KEY: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const AES_PLAIN: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                         30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
const AES_IV: &str = "000102030405060708090a0b0c0d0e0f";
const TDES_KEY: &str = "0123456789abcdef23456789abcdef01456789abcdef0123";
const TDES_PLAIN: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51";
const EIGHT: &str = "0123456789abcdeffedcba9876543210";

const VECTORS: &[Vector] = &[
    Vector {
        source: "SP 800-38A §F.1.1",
        algorithm: Algorithm::Aes,
        mode: Some(Mode::Ecb),
        key: AES_KEY,
        iv: "",
        plain: AES_PLAIN,
        cipher: "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf\
                 43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4",
    },
    Vector {
        source: "SP 800-38A §F.2.1",
        algorithm: Algorithm::Aes,
        mode: Some(Mode::Cbc),
        key: AES_KEY,
        iv: AES_IV,
        plain: AES_PLAIN,
        cipher: "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2\
                 73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
    },
    Vector {
        source: "SP 800-38A §F.3.13",
        algorithm: Algorithm::Aes,
        mode: Some(Mode::Cfb),
        key: AES_KEY,
        iv: AES_IV,
        plain: AES_PLAIN,
        cipher: "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b\
                 26751f67a3cbb140b1808cf187a4f4dfc04b05357c5d1c0eeac4c66f9ff7f2e6",
    },
    Vector {
        source: "SP 800-38A §F.4.1",
        algorithm: Algorithm::Aes,
        mode: Some(Mode::Ofb),
        key: AES_KEY,
        iv: AES_IV,
        plain: AES_PLAIN,
        cipher: "3b3fd92eb72dad20333449f8e83cfb4a7789508d16918f03f53c52dac54ed825\
                 9740051e9c5fecf64344f7a82260edcc304c6528f659c77866a510d9c1d6ae5e",
    },
    Vector {
        source: "SP 800-38A §F.5.1",
        algorithm: Algorithm::Aes,
        mode: Some(Mode::Ctr),
        key: AES_KEY,
        iv: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
        plain: AES_PLAIN,
        cipher: "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff\
                 5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
    },
    Vector {
        source: "RFC 3686 §6, test vector 1: the counter block is nonce, IV and a counter from 1",
        algorithm: Algorithm::Aes,
        mode: Some(Mode::Ctr),
        key: "ae6852f8121067cc4bf7a5765577f39e",
        iv: "000000300000000000000000",
        plain: "53696e676c6520626c6f636b206d7367",
        cipher: "e4095d4fb7a7b3792d6175a3261311b8",
    },
    Vector {
        source: "NIST's example values for Triple DES, ECB",
        algorithm: Algorithm::TripleDes,
        mode: Some(Mode::Ecb),
        key: TDES_KEY,
        iv: "",
        plain: TDES_PLAIN,
        cipher: "714772f339841d34267fcc4bd2949cc3ee11c22a576a303876183f99c0b6de87",
    },
    Vector {
        source: "NIST's example values for Triple DES, CBC",
        algorithm: Algorithm::TripleDes,
        mode: Some(Mode::Cbc),
        key: TDES_KEY,
        iv: "f69f2445df4f9b17",
        plain: TDES_PLAIN,
        cipher: "2079c3d53aa763e193b79e2569ab5262516570481f25b50f73c0bda85c8e0da7",
    },
    Vector {
        source: "NIST's example values for Triple DES, CFB",
        algorithm: Algorithm::TripleDes,
        mode: Some(Mode::Cfb),
        key: TDES_KEY,
        iv: "f69f2445df4f9b17",
        plain: TDES_PLAIN,
        cipher: "078bb74e59ce7ed67666de9cf95eaf3fe9ed6bb460f451528a5f9fe4ed710918",
    },
    Vector {
        source: "NIST's example values for Triple DES, OFB",
        algorithm: Algorithm::TripleDes,
        mode: Some(Mode::Ofb),
        key: TDES_KEY,
        iv: "f69f2445df4f9b17",
        plain: TDES_PLAIN,
        cipher: "078bb74e59ce7ed6267e120692667da1a58662d7e04cbc642144d55c03db5aee",
    },
    Vector {
        source: "RFC 3713 appendix A",
        algorithm: Algorithm::Camellia,
        mode: Some(Mode::Ecb),
        key: EIGHT,
        iv: "",
        plain: EIGHT,
        cipher: "67673138549669730857065648eabe43",
    },
    Vector {
        source: "RFC 5794 appendix A.1",
        algorithm: Algorithm::Aria,
        mode: Some(Mode::Ecb),
        key: "000102030405060708090a0b0c0d0e0f",
        iv: "",
        plain: "00112233445566778899aabbccddeeff",
        cipher: "d718fbd6ab644c739da95f3be6451778",
    },
    Vector {
        source: "draft-ribose-cfrg-sm4 §A.1",
        algorithm: Algorithm::Sm4,
        mode: Some(Mode::Ecb),
        key: EIGHT,
        iv: "",
        plain: EIGHT,
        cipher: "681edf34d206965e86b3e94f536e4246",
    },
    Vector {
        source: "RFC 4269 appendix B.1",
        algorithm: Algorithm::Seed,
        mode: Some(Mode::Ecb),
        key: "00000000000000000000000000000000",
        iv: "",
        plain: "000102030405060708090a0b0c0d0e0f",
        cipher: "5ebac6e0054e166819aff1cc6d346cdb",
    },
    Vector {
        source: "the worked example of DES textbooks",
        algorithm: Algorithm::Des,
        mode: Some(Mode::Ecb),
        key: "133457799bbcdff1",
        iv: "",
        plain: "0123456789abcdef",
        cipher: "85e813540f0ab405",
    },
    Vector {
        source: "Schneier's vectors for Blowfish",
        algorithm: Algorithm::Blowfish,
        mode: Some(Mode::Ecb),
        key: "0123456789abcdef",
        iv: "",
        plain: "1111111111111111",
        cipher: "61f9c3802281b096",
    },
    Vector {
        source: "RFC 2144 appendix B.1",
        algorithm: Algorithm::Cast5,
        mode: Some(Mode::Ecb),
        key: "0123456712345678234567893456789a",
        iv: "",
        plain: "0123456789abcdef",
        cipher: "238b4fe5847e44b2",
    },
    Vector {
        source: "RFC 2268 §5",
        algorithm: Algorithm::Rc2,
        mode: Some(Mode::Ecb),
        key: "88bca90e90875a7f0f79c384627bafb2",
        iv: "",
        plain: "0000000000000000",
        cipher: "2269552ab0f85ca6",
    },
    Vector {
        source: "RFC 6229 §2",
        algorithm: Algorithm::Rc4,
        mode: None,
        key: "0102030405",
        iv: "",
        plain: "00000000000000000000000000000000",
        cipher: "b2396305f03dc027ccc3524a0a1118a8",
    },
    Vector {
        source: "draft-strombergson-chacha-test-vectors, TC1 with 256 bits: nonce of 64 bits, counter from 0",
        algorithm: Algorithm::ChaCha20,
        mode: None,
        key: "0000000000000000000000000000000000000000000000000000000000000000",
        iv: "0000000000000000",
        plain: "0000000000000000000000000000000000000000000000000000000000000000",
        cipher: "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7",
    },
];

#[test]
fn ciphers_give_the_answers_of_their_standards() {
    for vector in VECTORS {
        let at = vector.source;
        let spec = spec(vector.algorithm, vector.mode, PaddingMethod::None);
        let (key, iv) = (Secret::new(bytes(vector.key)), bytes(vector.iv));
        let (plain, cipher) = (bytes(vector.plain), bytes(vector.cipher));
        let iv = (!iv.is_empty()).then_some(&iv[..]);
        assert_eq!(hex::encode(spec.encrypt(&key, iv, &[], &plain, &[]).unwrap().data), vector.cipher, "{at}");
        assert_eq!(spec.decrypt(&key, iv, &[], None, &cipher).unwrap().expose(), plain, "{at}");
        let (mut sealing, _) = spec.encrypt_stream(&key, iv, &[], &[]).unwrap();
        let mut opening = spec.decrypt_stream(&key, iv, &[], None).unwrap();
        let (mut sealed, mut opened) = (Vec::new(), Vec::new());
        for (plain, cipher) in plain.chunks(5).zip(cipher.chunks(5)) {
            sealed.extend_from_slice(sealing.update(plain).unwrap().expose());
            opened.extend_from_slice(opening.update(cipher).unwrap().expose());
        }
        sealed.extend_from_slice(sealing.finish().unwrap().data.expose());
        opened.extend_from_slice(opening.finish().unwrap().data.expose());
        assert_eq!((sealed, opened), (cipher, plain), "{at}");
    }
}

#[test]
fn chacha20_counts_from_the_value_that_the_parameters_name() {
    // RFC 8439 §2.4.2.
    let parameters = CryptographicParameters { initial_counter_value: Some(1), ..CryptographicParameters::default() };
    let spec = CipherSpec::resolve(Algorithm::ChaCha20, &parameters).unwrap();
    let key = Secret::new((0..32).collect());
    let nonce = bytes("000000000000004a00000000");
    let sealed = spec.encrypt(&key, Some(&nonce), &[], b"Ladies and Gentl", &[]).unwrap();
    assert_eq!(hex::encode(sealed.data), "6e2e359a2568f98041ba0728dd0d6981");
}

#[test]
fn every_padding_comes_back_whole_and_in_pieces() {
    let random = vec![0x5a; 16];
    for (algorithm, key_len, block) in [(Algorithm::Aes, 32, 16), (Algorithm::TripleDes, 24, 8)] {
        let key = Secret::new((0..key_len).collect());
        let iv = vec![7; block];
        for mode in [Mode::Ecb, Mode::Cbc] {
            for padding in
                [PaddingMethod::Pkcs5, PaddingMethod::AnsiX9_23, PaddingMethod::Iso10126, PaddingMethod::Ssl3]
            {
                let spec = spec(algorithm, Some(mode), padding);
                for len in 0..3 * block {
                    let plain = vec![0x11; len];
                    let sealed = spec.encrypt(&key, Some(&iv), &[], &plain, &random).unwrap().data;
                    assert_eq!(sealed.len(), (len / block + 1) * block);
                    assert_eq!(spec.decrypt(&key, Some(&iv), &[], None, &sealed).unwrap().expose(), plain);
                    let mut opening = spec.decrypt_stream(&key, Some(&iv), &[], None).unwrap();
                    let mut opened = Vec::new();
                    for piece in sealed.chunks(3) {
                        opened.extend_from_slice(opening.update(piece).unwrap().expose());
                    }
                    opened.extend_from_slice(opening.finish().unwrap().data.expose());
                    assert_eq!(opened, plain, "{mode:?} {padding:?} {len}");
                }
            }
        }
    }
}

#[test]
fn ciphertext_that_is_not_whole_blocks_is_refused() {
    let key = Secret::new(vec![1; 16]);
    let spec = spec(Algorithm::Aes, Some(Mode::Cbc), PaddingMethod::Pkcs5);
    for len in [0, 1, 15, 17] {
        assert!(spec.decrypt(&key, Some(&[0; 16]), &[], None, &vec![0; len]).is_err(), "{len}");
    }
}

#[test]
fn key_wrap_takes_another_initial_value_and_checks_it() {
    let key = Secret::new(vec![1; 32]);
    for (mode, len) in [(Mode::NistKeyWrap, 8), (Mode::AesKeyWrapPadding, 4)] {
        let spec = spec(Algorithm::Aes, Some(mode), PaddingMethod::None);
        let (own, other) = (vec![0x5a; len], vec![0xa5; len]);
        let wrapped = spec.encrypt(&key, Some(&own), &[], &[9; 24], &[]).unwrap().data;
        assert_eq!(spec.decrypt(&key, Some(&own), &[], None, &wrapped).unwrap().expose(), [9; 24]);
        for iv in [None, Some(&other[..])] {
            assert!(spec.decrypt(&key, iv, &[], None, &wrapped).is_err());
        }
        assert!(spec.encrypt_stream(&key, None, &[], &[]).is_err());
    }
}

#[test]
fn the_one_time_pad_is_a_sum_with_as_much_of_the_key_as_there_is_data() {
    let spec = spec(Algorithm::OneTimePad, None, PaddingMethod::None);
    let pad = Secret::new(bytes("fc932e142ebd"));
    let sealed = spec.encrypt(&pad, None, &[], &bytes("010203"), &[]).unwrap().data;
    assert_eq!(hex::encode(&sealed), "fd912d");
    assert_eq!(spec.decrypt(&pad, None, &[], None, &sealed).unwrap().expose(), [1, 2, 3]);
    assert!(spec.encrypt(&pad, None, &[], &[0; 7], &[]).is_err());
}

fn spec(algorithm: Algorithm, mode: Option<Mode>, padding: PaddingMethod) -> CipherSpec {
    let parameters = CryptographicParameters {
        block_cipher_mode: mode,
        padding_method: Some(padding),
        ..CryptographicParameters::default()
    };
    CipherSpec::resolve(algorithm, &parameters).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap()
}
