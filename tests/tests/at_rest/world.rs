//! A client of a running node, the objects that it made, and the search for their bytes in everything but its own answers.

use std::collections::BTreeSet;

use kmip::ProtocolVersion;
use kmip::attribute::CryptographicParameters;
use kmip::message::{Outcome, RequestMessage, ResponseMessage};
use kmip::object::{KeyBlock, KeyMaterial, ManagedObject};
use kmip::payload::{
    CreateKeyPairRequest, Data, EncryptRequest, GetRequest, LoginRequest, QueryRequest, RegisterRequest,
    RequestPayload, ResponsePayload,
};
use kmip::registry::{KeyFormatType, Operation, QueryFunction};
use secret::Secret;
use system_tests::memory;
use system_tests::needles::{Hit, Needles};
use system_tests::node::{Connection, Node, Tenant};
use system_tests::random::Random;

use crate::objects;

/// Looks at the server's memory until the buffers of a connection that was closed have to be gone.
const LOOKS: usize = 10;

pub(crate) struct World<'a> {
    node: &'a Node,
    pub(crate) tenant: Tenant,
    client: Connection,
    pub(crate) version: ProtocolVersion,
    pub(crate) offered: BTreeSet<Operation>,
    random: &'a mut Random,
    needles: Needles,
    /// What each marked object is, and its identifier.
    objects: Vec<(&'static str, String)>,
    hits: Vec<Hit>,
    /// Markers so far, and bytes that were searched: what a search means.
    pub(crate) markers: usize,
    pub(crate) searched: usize,
}

impl<'a> World<'a> {
    pub(crate) fn new(node: &'a Node, version: ProtocolVersion, random: &'a mut Random) -> Self {
        let tenant = node.tenant("marked", "legacy").unwrap();
        let mut client = node.connect(&tenant.identity).unwrap();
        let query = QueryRequest::of(vec![QueryFunction::QueryOperations]);
        let offered = client.request(version, query).unwrap().operations.into_iter().collect();
        let mut world = Self {
            node,
            tenant,
            client,
            version,
            offered,
            random,
            needles: Needles::default(),
            objects: Vec::new(),
            hits: Vec::new(),
            markers: 0,
            searched: 0,
        };
        world.renew();
        world
    }

    /// The marked object of this kind.
    pub(crate) fn of(&self, kind: &str) -> &str {
        &self.objects.iter().find(|(name, _)| *name == kind).unwrap().1
    }

    pub(crate) fn identifiers(&self) -> Vec<String> {
        self.objects.iter().map(|(_, id)| id.clone()).collect()
    }

    /// Bytes that are to be found nowhere from now on.
    pub(crate) fn marker(&mut self, name: &str) -> Vec<u8> {
        let bytes = self.random.bytes(32);
        self.look_for(name, &bytes);
        bytes
    }

    fn look_for(&mut self, name: &str, bytes: &[u8]) {
        self.needles.add(&format!("{name} in {}", self.version), bytes).unwrap();
        self.markers += 1;
    }

    fn look_for_secrets_of(&mut self, name: &str, object: &ManagedObject) {
        for bytes in objects::secrets_of(object) {
            self.look_for(&format!("{name} ({})", object.object_type().text()), &bytes);
        }
    }

    /// Registrations of new marked objects of every kind.
    pub(crate) fn new_objects(&mut self) -> Vec<RequestPayload> {
        objects::of_every_kind(self.random, self.version).into_iter().map(|(_, request)| request.into()).collect()
    }

    /// New marked objects of every kind, for what uses them up.
    pub(crate) fn fresh(&mut self) -> Vec<String> {
        self.new_objects().into_iter().map(|request| self.make(request)).collect()
    }

    /// Puts new marked objects in the place of those that there are.
    pub(crate) fn renew(&mut self) {
        let kinds: Vec<(&'static str, RegisterRequest)> = objects::of_every_kind(self.random, self.version);
        self.objects = kinds.into_iter().map(|(kind, request)| (kind, self.make(request))).collect();
    }

    /// Makes one object.
    pub(crate) fn make(&mut self, request: impl Into<RequestPayload>) -> String {
        let outcome = self.perform(request.into());
        let Outcome::Success(payload) = outcome else { panic!("{outcome:?}") };
        made_by(&payload).swap_remove(0)
    }

    /// Makes a pair: its private and its public half.
    pub(crate) fn pair(&mut self, request: CreateKeyPairRequest) -> [String; 2] {
        let outcome = self.perform(request.into());
        let Outcome::Success(ResponsePayload::CreateKeyPair(made)) = outcome else { panic!("{outcome:?}") };
        [made.private_key_unique_identifier, made.public_key_unique_identifier]
    }

    /// A private key as PKCS#8, as the client gets it.
    pub(crate) fn pkcs8_of(&mut self, id: &str) -> Vec<u8> {
        let request = GetRequest { key_format_type: Some(KeyFormatType::Pkcs8), ..GetRequest::of(id) };
        let object = self.client.request(self.version, request).unwrap().object;
        object.key_block().and_then(KeyBlock::material).and_then(KeyMaterial::secret).unwrap().expose().to_vec()
    }

    /// The parts of a split.
    pub(crate) fn split(&mut self, request: RequestPayload) -> Vec<String> {
        let outcome = self.perform(request);
        let Outcome::Success(payload) = outcome else { panic!("{outcome:?}") };
        made_by(&payload)
    }

    pub(crate) fn encrypted(
        &mut self,
        key: &str,
        plain: &[u8],
        cryptographic_parameters: Option<Box<CryptographicParameters>>,
    ) -> (Vec<u8>, Vec<u8>) {
        let request = EncryptRequest {
            unique_identifier: Some(key.into()),
            cryptographic_parameters,
            data: Some(Data::from(Secret::copy_from(plain))),
            ..Default::default()
        };
        let answer = self.client.request(self.version, request).unwrap();
        (answer.data.unwrap(), answer.iv_counter_nonce.unwrap())
    }

    /// Encrypts in two parts. Between them the server has the key, which is why it is asked to finish.
    pub(crate) fn stream(&mut self, key: &str, plain: &[u8], parameters: Option<Box<CryptographicParameters>>) {
        let part = |init_indicator, final_indicator, correlation_value| EncryptRequest {
            unique_identifier: Some(key.into()),
            cryptographic_parameters: parameters.clone(),
            data: Some(Data::from(Secret::copy_from(plain))),
            init_indicator,
            final_indicator,
            correlation_value,
            ..Default::default()
        };
        let begun = self.client.request(self.version, part(Some(true), None, None)).unwrap();
        assert!(begun.correlation_value.is_some());
        self.client.request(self.version, part(None, Some(true), begun.correlation_value)).unwrap();
    }

    /// The value of a ticket that is good.
    pub(crate) fn ticket(&mut self) -> Vec<u8> {
        let outcome = self.perform(LoginRequest::default().into());
        let Outcome::Success(ResponsePayload::Login(login)) = outcome else { panic!("{outcome:?}") };
        login.ticket.ticket_value.expose().to_vec()
    }

    /// Asks, looks at the answer, and finds out what there is to look for from now on.
    pub(crate) fn perform(&mut self, payload: RequestPayload) -> Outcome {
        let operation = payload.operation();
        match &payload {
            RequestPayload::Register(request) => self.look_for_secrets_of("registered", &request.object),
            RequestPayload::Import(request) => self.look_for_secrets_of("imported", &request.object),
            _ => {}
        }
        let mut outcomes = self.outcomes(&RequestMessage::single(self.version, payload));
        assert_eq!(outcomes.len(), 1, "{operation}");
        let outcome = outcomes.remove(0);
        if let Outcome::Success(answer) = &outcome {
            match answer {
                ResponsePayload::RngRetrieve(random) => self.look_for("random bytes", random.data.expose()),
                ResponsePayload::Login(login) => self.look_for("a ticket", login.ticket.ticket_value.expose()),
                ResponsePayload::DelegatedLogin(login) => {
                    self.look_for("a delegated ticket", login.ticket.ticket_value.expose());
                }
                _ => {}
            }
            for id in made_by(answer) {
                self.learn(operation, &id);
            }
        }
        outcome
    }

    /// Looks for the secrets of an object from now on, if it is handed out at all.
    fn learn(&mut self, operation: Operation, id: &str) {
        if let Ok(got) = self.client.request(self.version, GetRequest::of(id)) {
            self.look_for_secrets_of(&format!("made by {operation}"), &got.object);
        }
    }

    /// Sends a message. Only what hands out keys, plaintext, random bytes or tickets may have any in its answer.
    pub(crate) fn outcomes(&mut self, message: &RequestMessage) -> Vec<Outcome> {
        let answer = self.client.raw(&message.encode().unwrap()).unwrap();
        let items = ResponseMessage::decode(&answer).unwrap().items;
        let hands_out = |outcome: &Outcome| {
            use ResponsePayload as P;
            let Outcome::Success(payload) = outcome else { return false };
            matches!(
                payload,
                P::Get(_) | P::Export(_) | P::Decrypt(_) | P::RngRetrieve(_) | P::Login(_) | P::DelegatedLogin(_)
            )
        };
        if !items.iter().any(|item| hands_out(&item.outcome)) {
            self.searched += answer.len();
            self.hits.extend(self.needles.find("an answer", &answer));
        }
        items.into_iter().map(|item| item.outcome).collect()
    }

    /// Searches the node's folder (database, write-ahead log, server's log, tokens), the domain's audit log and the
    /// server's memory. Gives what was found since the last search.
    pub(crate) fn search(&mut self) -> Vec<Hit> {
        let (files, hits) = self.needles.find_in_folder(self.node.dir()).unwrap();
        assert!(files > 20, "{files} files");
        self.hits.extend(hits);
        let exported = self.node.export(&self.tenant.name).unwrap();
        self.searched += exported.len();
        self.hits.extend(self.needles.find("the audit log", &exported));
        if memory::may_look() {
            let hits = self.search_memory();
            self.hits.extend(hits);
        }
        std::mem::take(&mut self.hits)
    }

    /// Searches the server's memory. What the last message left in the buffers of a connection goes with the connection,
    /// so this one is replaced; the server may notice a little later that it is gone.
    fn search_memory(&mut self) -> Vec<Hit> {
        self.client = self.node.connect(&self.tenant.identity).unwrap();
        let id = self.node.server().unwrap().id();
        let mut hits = Vec::new();
        for _ in 0..LOOKS {
            let (bytes, found) = memory::find(&self.needles, id).unwrap();
            self.searched += bytes;
            // Certificates are sealed at rest like everything else; whoever sees the memory may know them.
            hits = found.into_iter().filter(|hit| !hit.secret.contains("(Certificate")).collect();
            if hits.is_empty() {
                break;
            }
            // Whatever it was for is answered when this is.
            let query = QueryRequest::of(vec![QueryFunction::QueryOperations]);
            self.client.request(self.version, query).unwrap();
        }
        hits
    }

    /// Every marked object is still what was registered.
    pub(crate) fn all_are_what_they_were(&mut self) {
        for (kind, id) in self.objects.clone() {
            let got = self.client.request(self.version, GetRequest::of(id.as_str())).unwrap();
            for bytes in objects::secrets_of(&got.object) {
                assert!(!self.needles.find("what was got", &bytes).is_empty(), "{kind} {id} is another one");
            }
        }
    }
}

/// The objects that an operation made: of a pair the private half.
fn made_by(answer: &ResponsePayload) -> Vec<String> {
    use ResponsePayload as P;
    match answer {
        P::Create(made) => vec![made.unique_identifier.clone()],
        P::CreateKeyPair(made) => vec![made.private_key_unique_identifier.clone()],
        P::Register(made) => vec![made.unique_identifier.clone()],
        P::Import(made) => vec![made.unique_identifier.clone()],
        P::ReKey(made) => vec![made.unique_identifier.clone()],
        P::ReKeyKeyPair(made) => vec![made.private_key_unique_identifier.clone()],
        P::DeriveKey(made) => vec![made.unique_identifier.clone()],
        P::Certify(made) => vec![made.unique_identifier.clone()],
        P::ReCertify(made) => vec![made.unique_identifier.clone()],
        P::JoinSplitKey(made) => vec![made.unique_identifier.clone()],
        P::CreateSplitKey(made) => made.unique_identifiers.clone(),
        _ => Vec::new(),
    }
}
