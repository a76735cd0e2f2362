//! Known answers over KMIP: a known key is registered, used, and what comes back is what the standard says, for every
//! combination of algorithm and mode that the server offers and under both policies. What `anssi` refuses of them it
//! refuses with its reason.
//!
//! That the library computes rightly is for the vectors of `crypto`; here it is parameters, keys and answers that have to
//! find their way through the protocol.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod asymmetric;
mod codes;
mod symmetric;

use admin_api::Permission;
use kmip::ProtocolVersion;
use kmip::attribute::{AttributeValue, CryptographicParameters};
use kmip::payload::{
    CreateRequest, Data, DecryptRequest, EncryptRequest, GetRequest, RegisterRequest, RequestPayload, ResponsePayload,
};
use kmip::registry::{BlockCipherMode, CryptographicAlgorithm, ResultReason, UsageMask, ValidityIndicator};
use kmip::ttlv::DateTime;
use secret::Secret;
use system_tests::asking;
use system_tests::node::{Connection, Node};

const V2_1: ProtocolVersion = ProtocolVersion::V2_1;

/// What `anssi` has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anssi {
    Takes,
    /// Registering the key or using it is refused, with this in the message.
    Refuses(&'static str),
}

type Asking = Box<dyn Fn(&[String]) -> RequestPayload>;
type AskingAgain = Box<dyn Fn(&[String], &ResponsePayload) -> RequestPayload>;

/// One use of known keys and its answer.
pub(crate) struct Row {
    what: String,
    /// The keys to be registered; their identifiers are what is asked with.
    keys: Vec<RegisterRequest>,
    ask: Asking,
    /// For what is random: what the answer is used for, and then has to come back.
    then: Option<AskingAgain>,
    answer: Vec<u8>,
    anssi: Anssi,
}

impl Row {
    pub(crate) fn new(
        what: impl Into<String>,
        keys: Vec<RegisterRequest>,
        ask: impl Fn(&[String]) -> RequestPayload + 'static,
        answer: impl Into<Vec<u8>>,
        anssi: Anssi,
    ) -> Self {
        Self { what: what.into(), keys, ask: Box::new(ask), then: None, answer: answer.into(), anssi }
    }

    pub(crate) fn then(mut self, again: impl Fn(&[String], &ResponsePayload) -> RequestPayload + 'static) -> Self {
        self.then = Some(Box::new(again));
        self
    }

    /// Registers, asks, and gives what came back, or the words of the refusal.
    fn run(self, client: &mut Connection) -> Result<Vec<u8>, String> {
        let mut refused = None;
        let mut ids = Vec::with_capacity(self.keys.len());
        for key in self.keys {
            match client.request(V2_1, key) {
                Ok(made) => ids.push(made.unique_identifier),
                Err(error) => refused = Some(error),
            }
        }
        let answer = match refused {
            Some(error) => Err(error),
            None => client.operation(V2_1, (self.ask)(&ids)).and_then(|first| match &self.then {
                Some(again) => client.operation(V2_1, again(&ids, &first)),
                None => Ok(first),
            }),
        };
        match answer {
            Ok(answer) => Ok(told(client, &answer)),
            Err(kmip_client::Error::Failed { message, .. }) => Err(message),
            Err(other) => panic!("{}: {other}", self.what),
        }
    }
}

/// The bytes that an answer is about.
fn told(client: &mut Connection, answer: &ResponsePayload) -> Vec<u8> {
    match answer {
        ResponsePayload::Encrypt(sealed) => {
            let tag = sealed.authenticated_encryption_tag.clone().unwrap_or_default();
            [sealed.data.clone().unwrap_or_default(), tag].concat()
        }
        ResponsePayload::Decrypt(opened) => opened.data.as_ref().map(|data| data.expose().to_vec()).unwrap_or_default(),
        ResponsePayload::Mac(code) => code.mac_data.clone().unwrap_or_default(),
        ResponsePayload::MacVerify(judged) => validity(judged.validity_indicator.unwrap()),
        ResponsePayload::Hash(hashed) => hashed.data.clone().unwrap_or_default(),
        ResponsePayload::Sign(signed) => signed.signature_data.clone().unwrap_or_default(),
        ResponsePayload::SignatureVerify(judged) => validity(judged.validity_indicator.unwrap()),
        ResponsePayload::DeriveKey(derived) => {
            let got = client.request(V2_1, GetRequest::of(&derived.unique_identifier)).unwrap();
            asking::bytes(&got).unwrap().to_vec()
        }
        other => panic!("no answer that is looked at: {other:?}"),
    }
}

fn validity(indicator: ValidityIndicator) -> Vec<u8> {
    format!("{indicator:?}").into_bytes()
}

pub(crate) const VALID: &[u8] = b"Valid";
pub(crate) const INVALID: &[u8] = b"Invalid";

pub(crate) fn active(mask: UsageMask) -> Vec<AttributeValue> {
    vec![AttributeValue::CryptographicUsageMask(mask), AttributeValue::ActivationDate(DateTime(1))]
}

pub(crate) fn data(bytes: &[u8]) -> Option<Data> {
    Some(Data::from(Secret::copy_from(bytes)))
}

pub(crate) fn parameters(of: &CryptographicParameters) -> Option<Box<CryptographicParameters>> {
    Some(Box::new(of.clone()))
}

fn rows() -> Vec<Row> {
    [symmetric::rows(), codes::rows(), asymmetric::rows()].into_iter().flatten().collect()
}

#[test]
fn each_algorithm_and_mode_gives_the_known_answer_or_under_anssi_its_refusal() {
    let node = Node::start().unwrap();
    let tenant = |policy| node.tenant_allowed(policy, policy, Permission::ALL.to_vec(), None).unwrap();
    let (strict, loose) = (tenant("anssi"), tenant("legacy"));
    let mut strict = node.connect(&strict.identity).unwrap();
    let mut loose = node.connect(&loose.identity).unwrap();
    let mut faults = Vec::new();
    for (of_strict, of_loose) in rows().into_iter().zip(rows()) {
        let (what, wanted, anssi) = (of_loose.what.clone(), of_loose.answer.clone(), of_loose.anssi);
        let under_legacy = of_loose.run(&mut loose);
        if under_legacy.as_ref() != Ok(&wanted) {
            faults.push(format!("{what} under legacy: {under_legacy:02x?} and not {wanted:02x?}"));
        }
        match (of_strict.run(&mut strict), anssi) {
            (Ok(answer), Anssi::Takes) if answer == wanted => {}
            (Err(message), Anssi::Refuses(reason)) if message.contains(reason) => {}
            (other, _) => faults.push(format!("{what} under anssi: {other:02x?}, where it {anssi:?}")),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_key_of_xts_aes_256_is_made_here_and_fits_no_other_mode() {
    let node = Node::start().unwrap();
    for policy in ["anssi", "legacy"] {
        let tenant = node.tenant(policy, policy).unwrap();
        let mut client = node.connect(&tenant.identity).unwrap();
        let mut attributes = active(UsageMask::ENCRYPT.union(UsageMask::DECRYPT));
        attributes.push(AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Aes));
        attributes.push(AttributeValue::CryptographicLength(512));
        let key = client.request(V2_1, CreateRequest::symmetric_key(attributes)).unwrap().unique_identifier;
        let place = vec![3; 16];
        let encrypt = |mode, iv: Option<Vec<u8>>| EncryptRequest {
            unique_identifier: Some(key.as_str().into()),
            cryptographic_parameters: parameters(&CryptographicParameters {
                block_cipher_mode: Some(mode),
                random_iv: iv.is_none().then_some(true),
                ..Default::default()
            }),
            data: data(&[0x5a; 32]),
            iv_counter_nonce: iv,
            ..Default::default()
        };
        let sealed = client.request(V2_1, encrypt(BlockCipherMode::Xts, Some(place.clone()))).unwrap().data.unwrap();
        let decrypt = DecryptRequest {
            unique_identifier: Some(key.as_str().into()),
            cryptographic_parameters: parameters(&CryptographicParameters {
                block_cipher_mode: Some(BlockCipherMode::Xts),
                ..Default::default()
            }),
            data: data(&sealed),
            iv_counter_nonce: Some(place),
            ..Default::default()
        };
        assert_eq!(client.request(V2_1, decrypt).unwrap().data.unwrap().expose(), [0x5a; 32], "{policy}");
        for mode in [BlockCipherMode::Cbc, BlockCipherMode::Ctr, BlockCipherMode::Gcm, BlockCipherMode::NistKeyWrap] {
            let reason = client.request(V2_1, encrypt(mode, None)).unwrap_err().reason();
            assert_eq!(reason, Some(ResultReason::CryptographicFailure), "{policy}, {mode:?}");
        }
    }
}
