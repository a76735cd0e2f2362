//! Locate against a naive oracle: objects in every state a client can bring them to, filters in every combination, and
//! for each request what a reader of the specification would answer. KMIP 1.4 §4.9, 2.1 §6.1.28.
//!
//! The oracle knows what was done to each object and nothing of index, pages or rows.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::time::{SystemTime, UNIX_EPOCH};

use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue, Link, RevocationReason};
use kmip::payload::{
    ArchiveRequest, CreateRequest, DestroyRequest, GetRequest, LocateRequest, LocateResponse, RevokeRequest,
};
use kmip::registry::{
    CryptographicAlgorithm, LinkType, ObjectGroupMember, RevocationReasonCode, State, StorageStatusMask, UsageMask,
};
use kmip::ttlv::DateTime;
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
        }
    }
}

fn link_to(id: &str) -> AttributeValue {
    AttributeValue::Link(Link { link_type: LinkType::DerivationBaseObjectLink, linked_object_identifier: id.into() })
}

/// A request, and what it asks for in the oracle's words.
#[derive(Debug)]
struct Question {
    version: ProtocolVersion,
    filters: Vec<Filter>,
    storage: Option<StorageStatusMask>,
    member: Option<ObjectGroupMember>,
    offset: Option<i32>,
    maximum: Option<i32>,
}

impl Question {
    fn any(random: &mut Random, objects: &[Object], now_s: i64) -> Self {
        let version = *random.one_of(&VERSIONS).unwrap();
        let filters = (0..random.below(4)).map(|_| filter(random, objects, now_s)).collect();
        let mut bits = vec![StorageStatusMask::ON_LINE_STORAGE, StorageStatusMask::ARCHIVAL_STORAGE];
        if version.is_2_x() {
            bits.push(StorageStatusMask::DESTROYED_STORAGE);
        }
        let chosen = bits.into_iter().filter(|_| random.below(2) == 0).reduce(StorageStatusMask::union);
        let members =
            [None, None, Some(ObjectGroupMember::GroupMemberFresh), Some(ObjectGroupMember::GroupMemberDefault)];
        let small = |random: &mut Random| i32::try_from(random.below(6)).unwrap();
        Self {
            version,
            filters: one_date_question(filters),
            storage: chosen.filter(|_| random.below(2) == 0),
            member: *random.one_of(&members).unwrap(),
            offset: (version >= ProtocolVersion::V1_3 && random.below(2) == 0).then(|| small(random)),
            maximum: (random.below(2) == 0).then(|| small(random) + 1),
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

fn filter(random: &mut Random, objects: &[Object], now_s: i64) -> Filter {
    let known = &objects[random.below(objects.len())];
    let date = known.activation.unwrap_or(now_s);
    match random.below(14) {
        0 => Filter::Name(known.name.clone()),
        1..3 => Filter::Group(random.one_of(&GROUPS).unwrap()),
        3 => Filter::Tag(random.one_of(&TAGS).unwrap()),
        4 => Filter::Length(*random.one_of(&LENGTHS).unwrap()),
        5 => Filter::Mask(*random.one_of(&MASKS).unwrap()),
        6..8 => Filter::State(*random.one_of(&STATES).unwrap()),
        8 => Filter::Fresh(random.below(2) == 0),
        9 => Filter::Link(known.link.clone().unwrap_or_else(|| known.id.clone())),
        10 => Filter::Id(known.id.clone()),
        11 => Filter::ActivationAt(date),
        12 => Filter::ActivationBetween(date - 100, date + 100),
        _ => Filter::NoActivation,
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
    let id = client.request(version, CreateRequest::symmetric_key(attributes)).unwrap().unique_identifier;
    let is_active = activation.is_some_and(|at| at <= now_s);
    let state = if is_active { State::Active } else { State::PreActive };
    let mut object =
        Object { id, name, group, tag, length, mask, activation, link, state, fresh: true, archived: false };
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
    let mut not_empty = 0;
    for _ in 0..count("CLAVIS_LOCATES", 500) {
        let question = Question::any(&mut random, &objects, now_s);
        let answer = client.request(question.version, question.request()).unwrap();
        assert_eq!(answer, question.answer(&objects), "{question:?}");
        not_empty += u32::from(!answer.unique_identifiers.is_empty());
    }
    assert!(not_empty > 0, "no question ever had an answer");
}
