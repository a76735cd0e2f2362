//! Locate against a naive oracle: objects in every state a client can bring them to, filters in every combination, and
//! for each request what a reader of the specification would answer. KMIP 1.4 §4.9, 2.1 §6.1.28.
//!
//! The oracle knows what was done to each object and nothing of index, pages or rows. A question that is answered wrongly
//! shrinks to the least that is: one filter of one object, mostly.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod dates;
mod large;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use dates::{DATES, at_of};
use kmip::ProtocolVersion;
use kmip::attribute::{
    AlternativeName, ApplicationSpecificInformation, Attribute, AttributeKind, AttributeValue, Link, RevocationReason,
    UsageLimits,
};
use kmip::message::SUPPORTED_VERSIONS;
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
use proptest::prelude::Strategy;
use proptest::prop_oneof;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use secret::Secret;
use system_tests::asking;
use system_tests::node::{Connection, Node};
use system_tests::random::{Random, count};
use xtask::stage::StageOptions;

/// Objects that are searched.
const OBJECTS: usize = 40;
const GROUPS: [&str; 3] = ["blue", "green", "nobody's"];
const TAGS: [&str; 2] = ["one", "two"];
const LENGTHS: [i32; 3] = [128, 192, 256];
const MASKS: [UsageMask; 3] = [UsageMask::ENCRYPT, UsageMask::ENCRYPT.union(UsageMask::DECRYPT), UsageMask::SIGN];
/// A day.
const FAR_S: i64 = 86_400;
/// So far the clock is moved on once all objects are there: beyond the dates of some of them, and not of all.
const MOVED_S: i64 = FAR_S + 150;
/// An object as the oracle knows it.
#[derive(Debug)]
struct Object {
    id: String,
    name: String,
    group: Option<&'static str>,
    tag: Option<&'static str>,
    length: i32,
    mask: UsageMask,
    link: Option<String>,
    state: State,
    fresh: bool,
    archived: bool,
    /// Its dates by their attributes' names, in seconds since 1970: those that were set, and those that the server told.
    dates: BTreeMap<&'static str, i64>,
    /// Every other attribute, as 1.4 and 2.1 tell them.
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
    DateAt(Date, i64),
    DateBetween(Date, i64, i64),
    NoDate(Date),
    /// Any attribute that some object has.
    Held(AttributeValue),
}

/// One of [`DATES`].
type Date = usize;

fn name_of(date: Date) -> &'static str {
    DATES[date].0.rules().name
}

impl Filter {
    fn attributes(&self) -> Vec<Attribute> {
        use AttributeValue as V;
        let date = |date: &Date, at: i64| DATES[*date].1(DateTime(at));
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
            Self::DateAt(which, at) => vec![date(which, *at)],
            Self::DateBetween(which, from, to) => vec![date(which, *to), date(which, *from)],
            Self::NoDate(which) => vec![date(which, i64::MAX)],
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
            Self::DateAt(date, at) => object.date(*date) == Some(*at),
            Self::DateBetween(date, from, to) => object.date(*date).is_some_and(|at| (*from..=*to).contains(&at)),
            Self::NoDate(date) => object.date(*date).is_none(),
            Self::Held(value) => object
                .held
                .iter()
                .any(|held| held.name() == value.name() && held.canonical_bytes() == value.canonical_bytes()),
        }
    }
}

impl Object {
    fn date(&self, date: Date) -> Option<i64> {
        self.dates.get(name_of(date)).copied()
    }

    /// The state that its dates put it in at `now_s`, and when that changed it. KMIP 1.4 §3.22.
    fn live_until(&mut self, now_s: i64) {
        let passed = |date: &str| self.dates.get(date).copied().filter(|at| *at <= now_s);
        let (begins, ends) = (passed("Activation Date"), passed("Deactivation Date"));
        if self.state == State::PreActive
            && let Some(at) = begins
        {
            self.state = State::Active;
            self.dates.insert("Last Change Date", at);
        }
        if self.state == State::Active
            && let Some(at) = ends
        {
            self.state = State::Deactivated;
            self.dates.insert("Last Change Date", at);
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
    DateAt(Date, Index),
    DateNear(Date, Index),
    NoDate(Date),
    Held(Index, Index),
}

fn wish() -> impl Strategy<Value = Wish> {
    let index = proptest::arbitrary::any::<Index>;
    prop_oneof![
        2 => select(GROUPS.to_vec()).prop_map(Wish::Group),
        2 => select(State::ALL.to_vec()).prop_map(Wish::State),
        6 => (index(), index()).prop_map(|(object, attribute)| Wish::Held(object, attribute)),
        1 => select(TAGS.to_vec()).prop_map(Wish::Tag),
        1 => select(LENGTHS.to_vec()).prop_map(Wish::Length),
        1 => select(MASKS.to_vec()).prop_map(Wish::Mask),
        1 => proptest::bool::ANY.prop_map(Wish::Fresh),
        1 => index().prop_map(Wish::Name),
        1 => index().prop_map(Wish::Link),
        1 => index().prop_map(Wish::Id),
        2 => (0..DATES.len(), index()).prop_map(|(date, object)| Wish::DateAt(date, object)),
        2 => (0..DATES.len(), index()).prop_map(|(date, object)| Wish::DateNear(date, object)),
        1 => (0..DATES.len()).prop_map(Wish::NoDate),
    ]
}

/// What a wish is about these objects; `None` where a client of the version has no words for it.
fn granted(wish: &Wish, objects: &[Object], version: ProtocolVersion, now_s: i64) -> Option<Filter> {
    let date = |date: &Date, object: &Index| object.get(objects).date(*date).unwrap_or(now_s);
    if let Wish::DateAt(date, _) | Wish::DateNear(date, _) | Wish::NoDate(date) = wish
        && !DATES[*date].0.is_known_to(version)
    {
        return None;
    }
    Some(match wish {
        Wish::Fresh(_) if version == ProtocolVersion::V1_0 => return None,
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
        Wish::DateAt(which, object) => Filter::DateAt(*which, date(which, object)),
        Wish::DateNear(which, object) => {
            Filter::DateBetween(*which, date(which, object) - 100, date(which, object) + 100)
        }
        Wish::NoDate(date) => Filter::NoDate(*date),
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
    (select(SUPPORTED_VERSIONS.to_vec()), vec(wish(), 0..4), of(0_u8..8), of(members), of(0..6), of(1..7))
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
            member: member.filter(|_| version >= ProtocolVersion::V1_1),
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
        let is_destroyed = |state| matches!(state, State::Destroyed | State::DestroyedCompromised);
        let asks_for_destroyed = !self.version.is_2_x()
            && self.filters.iter().any(|one| matches!(one, Filter::State(state) if is_destroyed(*state)));
        let stored = |object: &&Object| match (is_destroyed(object.state), object.archived) {
            (true, _) => asks_for_destroyed || bits.contains(StorageStatusMask::DESTROYED_STORAGE),
            (false, true) => bits.contains(StorageStatusMask::ARCHIVAL_STORAGE),
            (false, false) => bits.contains(StorageStatusMask::ON_LINE_STORAGE),
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
    let mut asked = BTreeSet::new();
    let first_of_its_date = |one: &Filter| match one {
        Filter::DateAt(date, _) | Filter::DateBetween(date, ..) | Filter::NoDate(date) => asked.insert(*date),
        _ => true,
    };
    filters.into_iter().filter(first_of_its_date).collect()
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

/// Learns what an object is told to have, apart from what the oracle knows by itself: state, uses, groups and whether it
/// is fresh have rules of their own in a Locate, and so have dates, of which the server sets some.
fn learn(client: &mut Connection, object: &mut Object) {
    let set = object.dates.clone();
    for version in [ProtocolVersion::V1_4, ProtocolVersion::V2_1] {
        let request = GetAttributesRequest::of(object.id.as_str(), &[]);
        for one in client.request(version, request).unwrap().attributes {
            use AttributeKind as K;
            let date = (0..DATES.len()).find(|date| DATES[*date].0 == one.value.kind());
            if let Some(date) = date {
                object.dates.insert(name_of(date), at_of(&one.value));
                continue;
            }
            let has_rules = matches!(
                one.value.kind(),
                K::State | K::CryptographicUsageMask | K::Fresh | K::RevocationReason | K::ObjectGroup
            );
            if !has_rules && !object.held.contains(&one.value) {
                object.held.push(one.value);
            }
        }
    }
    // What was set is what is told.
    assert!(set.iter().all(|(date, at)| object.dates.get(date) == Some(at)), "{set:?} in {:?}", object.dates);
}

/// What becomes of an object for certain, so that no state is left to chance.
enum Fate {
    Compromised,
    CompromisedAndDestroyed,
    /// By its date, after the clock was moved.
    Activated,
    Any,
}

fn fate_of(number: usize) -> Fate {
    match number {
        0 => Fate::Compromised,
        1 => Fate::CompromisedAndDestroyed,
        2..=5 => Fate::Activated,
        _ => Fate::Any,
    }
}

/// Makes an object and brings it somewhere.
fn make(client: &mut Connection, random: &mut Random, number: usize, before: &[Object], now_s: i64) -> Object {
    let version = ProtocolVersion::V1_4;
    let name = format!("object {number}");
    let group = random.one_of(&[None, Some(GROUPS[0]), Some(GROUPS[1])]).copied().flatten();
    let tag = random.one_of(&[None, Some(TAGS[0]), Some(TAGS[1])]).copied().flatten();
    let (length, mask) = (*random.one_of(&LENGTHS).unwrap(), *random.one_of(&MASKS).unwrap());
    let spread = i64::try_from(random.below(300)).unwrap();
    let activation = match fate_of(number) {
        Fate::Compromised | Fate::CompromisedAndDestroyed => Some(now_s - FAR_S - spread),
        Fate::Activated => Some(now_s + FAR_S + 10),
        Fate::Any => *random.one_of(&[None, Some(now_s - FAR_S - spread), Some(now_s + FAR_S + spread)]).unwrap(),
    };
    // Secret Data has neither algorithm nor length of its own, nor limits of its use.
    let is_secret = random.below(5) == 0;
    let mut sometimes = |value: i64| (random.below(3) == 0).then_some(value);
    let deactivation = sometimes((now_s + FAR_S + 300 - spread).max(activation.unwrap_or(now_s)));
    let start = sometimes(activation.unwrap_or(now_s - FAR_S) + 10).filter(|_| !is_secret);
    let stop = sometimes(deactivation.unwrap_or(now_s + FAR_S) - 10).filter(|_| !is_secret);
    let link = before.get(random.below(2 * before.len() + 1)).map(|other| other.id.clone());
    let mut attributes = vec![
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Aes),
        AttributeValue::CryptographicLength(length),
        AttributeValue::CryptographicUsageMask(mask),
        asking::name(&name),
    ];
    attributes.extend(group.map(|group| AttributeValue::ObjectGroup(group.to_owned())));
    attributes.extend(tag.map(|tag| AttributeValue::custom_text("x-tag", tag).unwrap()));
    let mut dates = BTreeMap::new();
    for (name, date) in [
        ("Activation Date", activation),
        ("Deactivation Date", deactivation),
        ("Process Start Date", start),
        ("Protect Stop Date", stop),
    ] {
        let which = (0..DATES.len()).find(|which| name_of(*which) == name).unwrap();
        attributes.extend(date.map(|at| DATES[which].1(DateTime(at))));
        dates.extend(date.map(|at| (name, at)));
    }
    attributes.extend(link.as_deref().map(link_to));
    attributes.extend(details(random));
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
        link,
        state,
        fresh: true,
        archived: false,
        dates,
        held: Vec::new(),
    };
    if random.below(2) == 0 {
        client.request(version, GetRequest::of(object.id.as_str())).unwrap();
        object.fresh = false;
    }
    let fate = fate_of(number);
    let must_be_compromised = matches!(fate, Fate::Compromised | Fate::CompromisedAndDestroyed);
    if object.state == State::Active && (must_be_compromised || random.below(2) == 0) {
        let is_compromised = must_be_compromised || random.below(3) == 0;
        let code = if is_compromised { RevocationReasonCode::KeyCompromise } else { RevocationReasonCode::Superseded };
        let revocation_reason = RevocationReason { code, message: None };
        let unique_identifier = Some(object.id.as_str().into());
        let compromise_occurrence_date = is_compromised.then_some(DateTime(now_s - FAR_S));
        let revoke = RevokeRequest { unique_identifier, revocation_reason, compromise_occurrence_date };
        client.request(version, revoke).unwrap();
        if is_compromised {
            object.state = State::Compromised;
            object.dates.insert("Compromise Occurrence Date", now_s - FAR_S);
        } else {
            object.state = State::Deactivated;
            // A revocation ends what a date would have ended later.
            object.dates.remove("Deactivation Date");
        }
    }
    let is_destroyed = match fate {
        Fate::CompromisedAndDestroyed => true,
        Fate::Compromised | Fate::Activated => false,
        Fate::Any => object.state != State::Active && random.below(4) == 0,
    };
    if is_destroyed {
        client.request(version, DestroyRequest::of(object.id.as_str())).unwrap();
        let compromised = object.state == State::Compromised;
        object.state = if compromised { State::DestroyedCompromised } else { State::Destroyed };
    } else if random.below(4) == 0 {
        client.request(version, ArchiveRequest { unique_identifier: Some(object.id.as_str().into()) }).unwrap();
        object.archived = true;
    }
    object
}

#[test]
fn every_combination_of_filters_finds_what_a_naive_reader_finds() {
    let mut random = Random::announced("every_combination_of_filters_finds_what_a_naive_reader_finds");
    // The node stores nothing by itself that a date changed: Locate is to find it all the same.
    let limits = vec![("dates_round_ms".to_owned(), 3_600_000)];
    let mut node = Node::prepare(&StageOptions { limits, ..StageOptions::default() }).unwrap();
    let clock = node.dir().join("clock");
    node.set_environment(&[("CLAVIS_CLOCK_FILE", clock.to_str().unwrap())]);
    node.serve().unwrap();
    let tenant = node.tenant("searched", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let now_s = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let mut objects = Vec::new();
    for number in 0..OBJECTS {
        let object = make(&mut client, &mut random, number, &objects, now_s);
        objects.push(object);
    }
    for object in &mut objects {
        learn(&mut client, object);
    }
    std::fs::write(&clock, MOVED_S.to_string()).unwrap();
    let before: Vec<State> = objects.iter().map(|object| object.state).collect();
    for object in &mut objects {
        object.live_until(now_s + MOVED_S);
    }
    let changed = objects.iter().zip(&before).filter(|(object, before)| object.state != **before).count();
    assert!(changed > 3, "{changed} objects are in another state by their dates");
    let states: BTreeSet<State> = objects.iter().map(|object| object.state).collect();
    assert_eq!(states.len(), State::ALL.len(), "{states:?}");
    let kinds: BTreeSet<AttributeKind> =
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
