//! Locate against a naive oracle: objects in every state a client can bring them to, filters in every combination, and
//! for each request what a reader of the specification would answer. KMIP 1.4 §4.9, 2.1 §6.1.28.
//!
//! The oracle knows what was done to each object and nothing of index, pages or rows. A question that is answered wrongly
//! shrinks to the least that is: one filter of one object, mostly.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::cell::{Cell, RefCell};
use std::time::{SystemTime, UNIX_EPOCH};

use kmip::ProtocolVersion;
use kmip::attribute::{
    AlternativeName, ApplicationSpecificInformation, Attribute, AttributeKind, AttributeValue, Link, RevocationReason,
    UsageLimits,
};
use kmip::object::{KeyBlock, ManagedObject, SecretData};
use kmip::payload::{
    ArchiveRequest, CreateRequest, DestroyRequest, GetAttributesRequest, GetRequest, LocateRequest, LocateResponse,
    RegisterRequest, RevokeRequest,
};
use kmip::registry::{
    AlternativeNameType, CryptographicAlgorithm, KeyFormatType, LinkType, ObjectGroupMember, RevocationReasonCode,
    SecretDataType, State, StorageStatusMask, UsageLimitsUnit, UsageMask,
};
use kmip::ttlv::DateTime;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{Just, Strategy};
use proptest::prop_oneof;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use secret::Secret;
use system_tests::asking;
use system_tests::node::{Connection, Node};
use system_tests::random::{Random, count};

/// Objects that are searched.
const OBJECTS: usize = 40;
const VERSIONS: [ProtocolVersion; 4] =
    [ProtocolVersion::V1_1, ProtocolVersion::V1_2, ProtocolVersion::V1_4, ProtocolVersion::V2_1];
const GROUPS: [&str; 3] = ["blue", "green", "nobody's"];
const TAGS: [&str; 2] = ["one", "two"];
const LENGTHS: [i32; 3] = [128, 192, 256];
const MASKS: [UsageMask; 3] = [UsageMask::ENCRYPT, UsageMask::ENCRYPT.union(UsageMask::DECRYPT), UsageMask::SIGN];
const STATES: [State; 4] = [State::PreActive, State::Active, State::Deactivated, State::Destroyed];
/// A day.
const FAR_S: i64 = 86_400;

/// An object as the oracle knows it.
#[derive(Debug)]
struct Object {
    id: String,
    name: String,
    group: Option<&'static str>,
    tag: Option<&'static str>,
    length: i32,
    mask: UsageMask,
    activation: Option<i64>,
    link: Option<String>,
    state: State,
    fresh: bool,
    archived: bool,
    /// Every attribute, as 1.4 and 2.1 tell them.
    held: Vec<AttributeValue>,
}

/// One thing that is asked for.
#[derive(Clone, Debug)]
enum Filter {
    Name(String),
    Group(&'static str),
    Tag(&'static str),
    Length(i32),
    Mask(UsageMask),
    State(State),
    Fresh(bool),
    Link(String),
    Id(String),
    ActivationAt(i64),
    ActivationBetween(i64, i64),
    NoActivation,
    /// Any attribute that some object has.
    Held(AttributeValue),
}

impl Filter {
    fn attributes(&self) -> Vec<Attribute> {
        use AttributeValue as V;
        let date = |at| V::ActivationDate(DateTime(at));
        let values = match self {
            Self::Name(name) => vec![asking::name(name)],
            Self::Group(group) => vec![V::ObjectGroup((*group).to_owned())],
            Self::Tag(tag) => vec![V::custom_text("x-tag", tag).unwrap()],
            Self::Length(length) => vec![V::CryptographicLength(*length)],
            Self::Mask(mask) => vec![V::CryptographicUsageMask(*mask)],
            Self::State(state) => vec![V::State(*state)],
            Self::Fresh(fresh) => vec![V::Fresh(*fresh)],
            Self::Link(id) => vec![link_to(id)],
            Self::Id(id) => vec![V::UniqueIdentifier(id.clone())],
            Self::ActivationAt(at) => vec![date(*at)],
            Self::ActivationBetween(from, to) => vec![date(*to), date(*from)],
            Self::NoActivation => vec![date(i64::MAX)],
            Self::Held(value) => vec![value.clone()],
        };
        values.into_iter().map(Attribute::new).collect()
    }

    fn is_met_by(&self, object: &Object) -> bool {
        match self {
            Self::Name(name) => object.name == *name,
            Self::Group(group) => object.group == Some(*group),
            Self::Tag(tag) => object.tag == Some(*tag),
            Self::Length(length) => object.length == *length,
            Self::Mask(mask) => object.mask.contains(*mask),
            Self::State(state) => object.state == *state,
            Self::Fresh(fresh) => object.fresh == *fresh,
            Self::Link(id) => object.link.as_ref() == Some(id),
            Self::Id(id) => object.id == *id,
            Self::ActivationAt(at) => object.activation == Some(*at),
            Self::ActivationBetween(from, to) => object.activation.is_some_and(|at| (*from..=*to).contains(&at)),
            Self::NoActivation => object.activation.is_none(),
            Self::Held(value) => object
                .held
                .iter()
                .any(|held| held.name() == value.name() && held.canonical_bytes() == value.canonical_bytes()),
        }
    }
}

fn link_to(id: &str) -> AttributeValue {
    AttributeValue::Link(Link { link_type: LinkType::DerivationBaseObjectLink, linked_object_identifier: id.into() })
}

/// A filter before it is known what objects there are: which of them it is about, and what of it.
#[derive(Clone, Debug)]
enum Wish {
    Name(Index),
    Group(&'static str),
    Tag(&'static str),
    Length(i32),
    Mask(UsageMask),
    State(State),
    Fresh(bool),
    Link(Index),
    Id(Index),
    ActivationAt(Index),
    ActivationNear(Index),
    NoActivation,
    Held(Index, Index),
}

fn wish() -> impl Strategy<Value = Wish> {
    let index = proptest::arbitrary::any::<Index>;
    prop_oneof![
        2 => select(GROUPS.to_vec()).prop_map(Wish::Group),
        2 => select(STATES.to_vec()).prop_map(Wish::State),
        6 => (index(), index()).prop_map(|(object, attribute)| Wish::Held(object, attribute)),
        1 => select(TAGS.to_vec()).prop_map(Wish::Tag),
        1 => select(LENGTHS.to_vec()).prop_map(Wish::Length),
        1 => select(MASKS.to_vec()).prop_map(Wish::Mask),
        1 => proptest::bool::ANY.prop_map(Wish::Fresh),
        1 => index().prop_map(Wish::Name),
        1 => index().prop_map(Wish::Link),
        1 => index().prop_map(Wish::Id),
        1 => index().prop_map(Wish::ActivationAt),
        1 => index().prop_map(Wish::ActivationNear),
        1 => Just(Wish::NoActivation),
    ]
}

/// What a wish is about these objects; `None` where a client of the version has no words for it.
fn granted(wish: &Wish, objects: &[Object], version: ProtocolVersion, now_s: i64) -> Option<Filter> {
    let date = |object: &Index| object.get(objects).activation.unwrap_or(now_s);
    Some(match wish {
        Wish::Name(object) => Filter::Name(object.get(objects).name.clone()),
        Wish::Group(group) => Filter::Group(group),
        Wish::Tag(tag) => Filter::Tag(tag),
        Wish::Length(length) => Filter::Length(*length),
        Wish::Mask(mask) => Filter::Mask(*mask),
        Wish::State(state) => Filter::State(*state),
        Wish::Fresh(fresh) => Filter::Fresh(*fresh),
        Wish::Link(object) => {
            let known = object.get(objects);
            Filter::Link(known.link.clone().unwrap_or_else(|| known.id.clone()))
        }
        Wish::Id(object) => Filter::Id(object.get(objects).id.clone()),
        Wish::ActivationAt(object) => Filter::ActivationAt(date(object)),
        Wish::ActivationNear(object) => Filter::ActivationBetween(date(object) - 100, date(object) + 100),
        Wish::NoActivation => Filter::NoActivation,
        Wish::Held(object, attribute) => {
            let held: Vec<&AttributeValue> =
                object.get(objects).held.iter().filter(|value| value.known_in(version)).collect();
            if held.is_empty() {
                return None;
            }
            Filter::Held((*attribute.get(&held)).clone())
        }
    })
}

/// A request, and what it asks for in the oracle's words.
#[derive(Clone, Debug)]
struct Question {
    version: ProtocolVersion,
    filters: Vec<Filter>,
    storage: Option<StorageStatusMask>,
    member: Option<ObjectGroupMember>,
    offset: Option<i32>,
    maximum: Option<i32>,
}

/// Version, filters, storage, member of a group, offset, maximum: as they shrink.
type Asked = (ProtocolVersion, Vec<Wish>, Option<u8>, Option<ObjectGroupMember>, Option<i32>, Option<i32>);

fn asked() -> impl Strategy<Value = Asked> {
    let members = select(vec![ObjectGroupMember::GroupMemberFresh, ObjectGroupMember::GroupMemberDefault]);
    (select(VERSIONS.to_vec()), vec(wish(), 0..4), of(0_u8..8), of(members), of(0..6), of(1..7))
}

impl Question {
    fn of((version, wishes, storage, member, offset, maximum): Asked, objects: &[Object], now_s: i64) -> Self {
        let filters = wishes.iter().filter_map(|wish| granted(wish, objects, version, now_s)).collect();
        let mut bits = vec![StorageStatusMask::ON_LINE_STORAGE, StorageStatusMask::ARCHIVAL_STORAGE];
        if version.is_2_x() {
            bits.push(StorageStatusMask::DESTROYED_STORAGE);
        }
        let chosen = |set: u8| {
            let bits = bits.iter().enumerate().filter(|(at, _)| set & (1 << at) != 0).map(|(_, bit)| *bit);
            bits.reduce(StorageStatusMask::union)
        };
        Self {
            version,
            filters: one_date_question(filters),
            storage: storage.and_then(chosen),
            // A group's members are told apart since 1.1.
            member,
            offset: offset.filter(|_| version >= ProtocolVersion::V1_3),
            maximum,
        }
    }

    fn request(&self) -> LocateRequest {
        LocateRequest {
            maximum_items: self.maximum,
            offset_items: self.offset,
            storage_status_mask: self.storage,
            object_group_member: self.member,
            attributes: self.filters.iter().flat_map(Filter::attributes).collect(),
        }
    }

    /// What a reader of the specification would answer. `objects` are in the order of their making.
    fn answer(&self, objects: &[Object]) -> LocateResponse {
        let bits = self.storage.unwrap_or(StorageStatusMask::ON_LINE_STORAGE);
        let asks_for_destroyed =
            !self.version.is_2_x() && self.filters.iter().any(|one| matches!(one, Filter::State(State::Destroyed)));
        let stored = |object: &&Object| match (object.state, object.archived) {
            (State::Destroyed, _) => asks_for_destroyed || bits.contains(StorageStatusMask::DESTROYED_STORAGE),
            (_, true) => bits.contains(StorageStatusMask::ARCHIVAL_STORAGE),
            (_, false) => bits.contains(StorageStatusMask::ON_LINE_STORAGE),
        };
        let mut found: Vec<&Object> = objects
            .iter()
            .filter(stored)
            .filter(|object| self.filters.iter().all(|filter| filter.is_met_by(object)))
            .collect();
        match self.member {
            None => found.reverse(),
            Some(ObjectGroupMember::GroupMemberFresh) => {
                found.retain(|object| object.fresh);
                // 2.1 wants the newest first; before, a group is used up in the order in which it was filled.
                if self.version.is_2_x() {
                    found.reverse();
                }
            }
            Some(ObjectGroupMember::GroupMemberDefault) => {
                let in_group = self.filters.iter().any(|one| matches!(one, Filter::Group(_)));
                let first = found.iter().find(|object| object.fresh).or(found.first()).copied();
                found = first.filter(|_| in_group).into_iter().collect();
            }
        }
        let counts = self.offset.is_some() && self.version >= ProtocolVersion::V1_3;
        let located_items = counts.then(|| i32::try_from(found.len()).unwrap());
        let skipped = found.into_iter().skip(usize::try_from(self.offset.unwrap_or(0)).unwrap());
        let taken = skipped.take(self.maximum.map_or(usize::MAX, |maximum| usize::try_from(maximum).unwrap()));
        LocateResponse { located_items, unique_identifiers: taken.map(|object| object.id.clone()).collect() }
    }
}

/// Two questions about one date make a range of both, which is a filter of its own.
fn one_date_question(filters: Vec<Filter>) -> Vec<Filter> {
    let mut has_date = false;
    let is_date =
        |one: &Filter| matches!(one, Filter::ActivationAt(_) | Filter::ActivationBetween(..) | Filter::NoActivation);
    filters.into_iter().filter(|one| !is_date(one) || !std::mem::replace(&mut has_date, true)).collect()
}

/// Attributes that say something about an object, each on some.
fn details(random: &mut Random) -> Vec<AttributeValue> {
    let one_of_two = random.below(2);
    let text = |what: &str| format!("{what} {one_of_two}");
    let all = [
        AttributeValue::ContactInformation(text("contact")),
        AttributeValue::Description(text("description")),
        AttributeValue::Comment(text("comment")),
        AttributeValue::AlternativeName(AlternativeName {
            value: text("alternative"),
            name_type: AlternativeNameType::UninterpretedTextString,
        }),
        AttributeValue::ApplicationSpecificInformation(Box::new(ApplicationSpecificInformation {
            application_namespace: text("namespace"),
            application_data: Some(text("data")),
        })),
        AttributeValue::UsageLimits(Box::new(UsageLimits {
            total: Some(100),
            count: None,
            unit: Some(UsageLimitsUnit::Byte),
        })),
    ];
    all.into_iter().filter(|_| random.below(3) == 0).collect()
}

/// What an object is told to have, apart from what the oracle knows by itself: dates, state, uses, groups and whether it
/// is fresh have rules of their own in a Locate.
fn held(client: &mut Connection, id: &str) -> Vec<AttributeValue> {
    let mut held: Vec<AttributeValue> = Vec::new();
    for version in [ProtocolVersion::V1_4, ProtocolVersion::V2_1] {
        for one in client.request(version, GetAttributesRequest::of(id, &[])).unwrap().attributes {
            use AttributeKind as K;
            let has_rules = matches!(
                one.value.kind(),
                K::State | K::CryptographicUsageMask | K::Fresh | K::RevocationReason | K::ObjectGroup
            ) || one.value.name().ends_with(" Date");
            if !has_rules && !held.contains(&one.value) {
                held.push(one.value);
            }
        }
    }
    held
}

/// Makes an object and brings it somewhere.
fn make(client: &mut Connection, random: &mut Random, number: usize, before: &[Object], now_s: i64) -> Object {
    let version = ProtocolVersion::V1_4;
    let name = format!("object {number}");
    let group = random.one_of(&[None, Some(GROUPS[0]), Some(GROUPS[1])]).copied().flatten();
    let tag = random.one_of(&[None, Some(TAGS[0]), Some(TAGS[1])]).copied().flatten();
    let (length, mask) = (*random.one_of(&LENGTHS).unwrap(), *random.one_of(&MASKS).unwrap());
    let spread = i64::try_from(random.below(300)).unwrap();
    let activation = *random.one_of(&[None, Some(now_s - FAR_S - spread), Some(now_s + FAR_S + spread)]).unwrap();
    let link = before.get(random.below(2 * before.len() + 1)).map(|other| other.id.clone());
    let mut attributes = vec![
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Aes),
        AttributeValue::CryptographicLength(length),
        AttributeValue::CryptographicUsageMask(mask),
        asking::name(&name),
    ];
    attributes.extend(group.map(|group| AttributeValue::ObjectGroup(group.to_owned())));
    attributes.extend(tag.map(|tag| AttributeValue::custom_text("x-tag", tag).unwrap()));
    attributes.extend(activation.map(|at| AttributeValue::ActivationDate(DateTime(at))));
    attributes.extend(link.as_deref().map(link_to));
    attributes.extend(details(random));
    // Secret Data has neither algorithm nor length of its own, nor limits of its use.
    let is_secret = random.below(5) == 0;
    let length = if is_secret { 0 } else { length };
    let id = if is_secret {
        attributes.drain(..2);
        attributes.retain(|one| one.kind() != AttributeKind::UsageLimits);
        let key_block = KeyBlock::without_algorithm(KeyFormatType::Raw, Secret::new(random.bytes(16)));
        let object = ManagedObject::SecretData(SecretData { secret_data_type: SecretDataType::Password, key_block });
        client.request(version, RegisterRequest::new(object, attributes)).unwrap().unique_identifier
    } else {
        client.request(version, CreateRequest::symmetric_key(attributes)).unwrap().unique_identifier
    };
    let is_active = activation.is_some_and(|at| at <= now_s);
    let state = if is_active { State::Active } else { State::PreActive };
    let mut object = Object {
        id,
        name,
        group,
        tag,
        length,
        mask,
        activation,
        link,
        state,
        fresh: true,
        archived: false,
        held: Vec::new(),
    };
    if random.below(2) == 0 {
        client.request(version, GetRequest::of(object.id.as_str())).unwrap();
        object.fresh = false;
    }
    if object.state == State::Active && random.below(2) == 0 {
        let revocation_reason = RevocationReason { code: RevocationReasonCode::Superseded, message: None };
        let unique_identifier = Some(object.id.as_str().into());
        let revoke = RevokeRequest { unique_identifier, revocation_reason, compromise_occurrence_date: None };
        client.request(version, revoke).unwrap();
        object.state = State::Deactivated;
    }
    if object.state != State::Active && random.below(4) == 0 {
        client.request(version, DestroyRequest::of(object.id.as_str())).unwrap();
        object.state = State::Destroyed;
    } else if random.below(4) == 0 {
        client.request(version, ArchiveRequest { unique_identifier: Some(object.id.as_str().into()) }).unwrap();
        object.archived = true;
    }
    object
}

#[test]
fn every_combination_of_filters_finds_what_a_naive_reader_finds() {
    let mut random = Random::announced();
    let node = Node::start().unwrap();
    let tenant = node.tenant("searched", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let now_s = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let mut objects = Vec::new();
    for number in 0..OBJECTS {
        let object = make(&mut client, &mut random, number, &objects, now_s);
        objects.push(object);
    }
    for object in &mut objects {
        object.held = held(&mut client, &object.id);
    }
    let kinds: std::collections::BTreeSet<AttributeKind> =
        objects.iter().flat_map(|object| object.held.iter().map(AttributeValue::kind)).collect();
    assert!(kinds.len() > 15, "{kinds:?}");

    let seed: Vec<u8> = random.bytes(32);
    let config = Config {
        cases: u32::try_from(count("CLAVIS_LOCATES", 500)).unwrap(),
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let (client, not_empty) = (RefCell::new(client), Cell::new(0));
    let outcome = runner.run(&asked(), |asked| {
        let question = Question::of(asked, &objects, now_s);
        let answer = client.borrow_mut().request(question.version, question.request());
        let answer = answer.map_err(|error| TestCaseError::fail(format!("{error} to {question:?}")))?;
        let expected = question.answer(&objects);
        not_empty.set(not_empty.get() + u32::from(!answer.unique_identifiers.is_empty()));
        if answer == expected {
            return Ok(());
        }
        Err(TestCaseError::fail(format!("{answer:?} to {question:?}, expected {expected:?}")))
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(not_empty.get() > 50, "only {} questions had an answer", not_empty.get());
}
