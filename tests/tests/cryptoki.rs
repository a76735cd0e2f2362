//! The server as a Cryptoki library: what a client of the operation PKCS#11 can do with it, and what he cannot. KMIP 2.1
//! §6.1.37.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use admin_api::{Access, ClientAccess};
use kmip::ProtocolVersion;
use kmip::payload::{Pkcs11Call, Pkcs11Request, Pkcs11Response};
use kmip::registry::{Pkcs11Function as F, Pkcs11ReturnCode as Code, ResultReason};
use ring::digest;
use secret::Secret;
use system_tests::node::{Connection, Node};

const V2_1: ProtocolVersion = ProtocolVersion::V2_1;
/// The one slot.
const SLOT: u64 = 0;
/// `CKF_SERIAL_SESSION`, `CKF_RW_SESSION`.
const SERIAL: u64 = 4;
const READ_WRITE: u64 = 2;
/// `CKM_SHA256`, `CKM_SHA_1`, `CKM_AES_CBC`.
const SHA_256: u64 = 0x250;
const SHA_1: u64 = 0x220;
const AES_CBC: u64 = 0x1082;

/// A library that one client has initialised.
struct Library<'c> {
    client: &'c mut Connection,
    correlation: Vec<u8>,
}

fn call(
    client: &mut Connection,
    function: F,
    correlation: Option<&[u8]>,
    input: Vec<u8>,
) -> Result<Pkcs11Response, kmip_client::Error> {
    let request = Pkcs11Request {
        interface: None,
        function: Pkcs11Call::Standard(function),
        correlation_value: correlation.map(<[u8]>::to_vec),
        input_parameters: (!input.is_empty()).then(|| Secret::new(input)),
    };
    client.request(V2_1, request)
}

impl<'c> Library<'c> {
    fn initialize(client: &'c mut Connection) -> Self {
        let begun = call(client, F::Initialize, None, vec![1]).unwrap();
        assert_eq!(begun.return_code, Code::Ok);
        Self { client, correlation: begun.correlation_value.unwrap() }
    }

    fn call(&mut self, function: F, input: Vec<u8>) -> (Code, Vec<u8>) {
        let answer = call(self.client, function, Some(&self.correlation), input).unwrap();
        let output = answer.output_parameters.map(|output| output.expose().to_vec()).unwrap_or_default();
        (answer.return_code, output)
    }

    fn code(&mut self, function: F, input: Vec<u8>) -> Code {
        self.call(function, input).0
    }

    fn open(&mut self, flags: u64) -> u64 {
        let (code, handle) = self.call(F::OpenSession, [ulong(SLOT), ulong(flags)].concat());
        assert_eq!(code, Code::Ok);
        u64::from_be_bytes(handle.try_into().unwrap())
    }
}

fn ulong(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

fn array(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

/// Room for so many elements, or the question how many there are.
fn room(count: Option<u32>) -> Vec<u8> {
    [&[u8::from(count.is_some())][..], &count.unwrap_or(0).to_be_bytes()].concat()
}

fn digest_init(session: u64, mechanism: u64) -> Vec<u8> {
    [ulong(session), ulong(mechanism), vec![0]].concat()
}

fn whole(session: u64, data: &[u8], count: Option<u32>) -> Vec<u8> {
    [ulong(session), array(data), room(count)].concat()
}

#[test]
fn slots_mechanisms_and_sessions_are_told_as_the_profile_encodes_them() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("library", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let mut library = Library::initialize(&mut client);
    let any = vec![0];
    assert_eq!(
        library.call(F::GetSlotList, [any.clone(), room(None)].concat()),
        (Code::Ok, vec![0, 0, 0, 0, 1]),
        "how many there are"
    );
    let (code, slots) = library.call(F::GetSlotList, [any.clone(), room(Some(4))].concat());
    assert_eq!((code, slots), (Code::Ok, [&[1, 0, 0, 0, 1][..], &ulong(SLOT)].concat()));
    assert_eq!(library.code(F::GetSlotList, [any, room(Some(0))].concat()), Code::BufferTooSmall);
    let (code, slot) = library.call(F::GetSlotInfo, ulong(SLOT));
    assert_eq!((code, slot.len()), (Code::Ok, 64 + 32 + 8 + 4));
    assert!(slot.starts_with(tenant.name.as_bytes()), "the domain is the token");
    assert_eq!(library.code(F::GetSlotInfo, ulong(7)), Code::SlotIdInvalid);

    let (code, mechanisms) = library.call(F::GetMechanismList, [ulong(SLOT), room(Some(64))].concat());
    assert_eq!(code, Code::Ok);
    let (header, numbers) = mechanisms.split_at(5);
    assert_eq!(numbers.len(), 8 * usize::from(header[4]));
    let has = |mechanism: u64| numbers.chunks(8).any(|one| one == mechanism.to_be_bytes());
    assert!(has(SHA_256) && !has(SHA_1), "SHA-1 is none of this policy's");
    let info = library.call(F::GetMechanismInfo, [ulong(SLOT), ulong(SHA_256)].concat());
    assert_eq!(info, (Code::Ok, [ulong(0), ulong(0), ulong(0x400)].concat()));
    assert_eq!(library.code(F::GetMechanismInfo, [ulong(SLOT), ulong(AES_CBC)].concat()), Code::MechanismInvalid);

    assert_eq!(library.code(F::OpenSession, [ulong(SLOT), ulong(0)].concat()), Code::SessionParallelNotSupported);
    let session = library.open(SERIAL | READ_WRITE);
    let told = library.call(F::GetSessionInfo, ulong(session));
    assert_eq!(told, (Code::Ok, [ulong(SLOT), ulong(3), ulong(SERIAL | READ_WRITE), ulong(0)].concat()));
    assert_eq!(library.code(F::CloseSession, ulong(session)), Code::Ok);
    assert_eq!(library.code(F::CloseSession, ulong(session)), Code::SessionHandleInvalid);
    let opened: Vec<u64> = (0..16).map(|_| library.open(SERIAL)).collect();
    assert_eq!(library.code(F::OpenSession, [ulong(SLOT), ulong(SERIAL)].concat()), Code::SessionCount);
    assert_eq!(library.code(F::CloseAllSessions, ulong(SLOT)), Code::Ok);
    assert_eq!(library.code(F::GetSessionInfo, ulong(opened[0])), Code::SessionHandleInvalid);
    assert_eq!(library.code(F::WrapKey, Vec::new()), Code::FunctionNotSupported);
}

#[test]
fn digests_are_those_of_the_hash_whole_and_in_parts() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("digests", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let mut library = Library::initialize(&mut client);
    let session = library.open(SERIAL);
    let expected = digest::digest(&digest::SHA256, b"attack at dawn").as_ref().to_vec();
    assert_eq!(library.code(F::Digest, whole(session, b"x", Some(32))), Code::OperationNotInitialized);
    assert_eq!(library.code(F::DigestInit, digest_init(session, SHA_256)), Code::Ok);
    assert_eq!(library.code(F::DigestInit, digest_init(session, SHA_256)), Code::OperationActive);
    // How much room it takes, then too little, then enough: what has no room is not lost.
    assert_eq!(library.call(F::Digest, whole(session, b"attack at dawn", None)), (Code::Ok, vec![0, 0, 0, 0, 32]));
    assert_eq!(library.code(F::Digest, whole(session, b"attack at dawn", Some(31))), Code::BufferTooSmall);
    let (code, value) = library.call(F::Digest, whole(session, b"attack at dawn", Some(32)));
    assert_eq!((code, &value[5..]), (Code::Ok, expected.as_slice()));
    assert_eq!(library.code(F::Digest, whole(session, b"x", Some(32))), Code::OperationNotInitialized);

    assert_eq!(library.code(F::DigestInit, digest_init(session, SHA_256)), Code::Ok);
    for part in [&b"attack"[..], b" at ", b"", b"dawn"] {
        assert_eq!(library.code(F::DigestUpdate, [ulong(session), array(part)].concat()), Code::Ok);
    }
    assert_eq!(library.code(F::Digest, whole(session, b"x", Some(32))), Code::OperationActive);
    let (code, value) = library.call(F::DigestFinal, [ulong(session), room(Some(64))].concat());
    assert_eq!((code, &value[5..]), (Code::Ok, expected.as_slice()));

    // The policy is the one of Hash.
    assert_eq!(library.code(F::DigestInit, digest_init(session, SHA_1)), Code::MechanismInvalid);
    let with_parameter = [ulong(session), ulong(SHA_256), vec![1, 0, 0, 0, 0]].concat();
    assert_eq!(library.code(F::DigestInit, with_parameter), Code::MechanismParamInvalid);
    let loose = node.tenant("loose", "legacy").unwrap();
    let mut client = node.connect(&loose.identity).unwrap();
    let mut library = Library::initialize(&mut client);
    let session = library.open(SERIAL);
    assert_eq!(library.code(F::DigestInit, digest_init(session, SHA_1)), Code::Ok);
    let (code, value) = library.call(F::Digest, whole(session, b"abc", Some(20)));
    assert_eq!((code, hex::encode(&value[5..])), (Code::Ok, "a9993e364706816aba3e25717850c26c9cd0d89d".to_owned()));
}

#[test]
fn random_bytes_and_seeds_are_those_of_their_operations() {
    let node = Node::start().unwrap();
    for (policy, seeded) in [("anssi", Code::RandomSeedNotSupported), ("legacy", Code::Ok)] {
        let tenant = node.tenant("random", policy).unwrap();
        let mut client = node.connect(&tenant.identity).unwrap();
        let mut library = Library::initialize(&mut client);
        let session = library.open(SERIAL);
        let asked = |len: u32| [ulong(session), len.to_be_bytes().to_vec()].concat();
        let mut draw = || library.call(F::GenerateRandom, asked(40));
        let ((code, one), (_, other)) = (draw(), draw());
        assert_eq!((code, one.len(), &one[..4]), (Code::Ok, 44, &[0, 0, 0, 40][..]));
        assert_ne!(one, other);
        for wrong in [0, u32::MAX] {
            assert_eq!(library.code(F::GenerateRandom, asked(wrong)), Code::ArgumentsBad);
        }
        assert_eq!(library.code(F::SeedRandom, [ulong(session), array(&[7; 16])].concat()), seeded, "{policy}");
    }
}

#[test]
fn a_library_is_one_clients_and_ends_with_finalize() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("mine", "anssi").unwrap();
    let other = node.tenant("other", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let mut stranger = node.connect(&other.identity).unwrap();
    let mut library = Library::initialize(&mut client);
    let session = library.open(SERIAL);
    let correlation = library.correlation.clone();
    let theirs = call(&mut stranger, F::GetSessionInfo, Some(&correlation), ulong(session)).unwrap();
    assert_eq!((theirs.return_code, theirs.output_parameters), (Code::CryptokiNotInitialized, None));
    // What cannot be read is refused before the library is touched.
    for broken in [vec![], vec![0; 7], vec![0; 9]] {
        let refused = call(library.client, F::CloseSession, Some(&correlation), broken).unwrap_err();
        assert_eq!(refused.reason(), Some(ResultReason::Pkcs11CodecError));
    }
    assert_eq!(library.code(F::GetSessionInfo, ulong(session)), Code::Ok);
    assert_eq!(library.code(F::Finalize, Vec::new()), Code::Ok);
    for function in [F::GetInfo, F::Finalize] {
        assert_eq!(library.code(function, Vec::new()), Code::CryptokiNotInitialized);
    }
}

#[test]
fn what_a_login_may_not_ask_for_itself_it_gets_by_no_function() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("narrow", "legacy").unwrap();
    let access = ClientAccess {
        access: Access { own: false, operations: Some(vec!["PKCS#11".to_owned(), "Hash".to_owned()]) },
        credential_demanded: false,
    };
    node.admin("operator")
        .unwrap()
        .client_access(&tenant.name, tenant.client, &access, admin_api::Effect::Real)
        .unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let mut library = Library::initialize(&mut client);
    let session = library.open(SERIAL);
    assert_eq!(library.code(F::DigestInit, digest_init(session, SHA_256)), Code::Ok);
    let asked = [ulong(session), vec![0, 0, 0, 16]].concat();
    assert_eq!(library.code(F::GenerateRandom, asked), Code::FunctionRejected);
    assert_eq!(library.code(F::SeedRandom, [ulong(session), array(&[7; 16])].concat()), Code::FunctionRejected);
}
