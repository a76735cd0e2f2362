//! Locate: the identifiers of the objects that have all the given attributes, the newest first. KMIP 1.4 §4.9,
//! 2.1 §6.1.28.
//!
//! The index only finds candidates; every candidate's row is verified by the store and compared here, in the state that
//! dates put it in today.

use std::collections::VecDeque;

use keystore::{Among, IndexTerm, ObjectId, ObjectRow};
use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeKind, AttributeValue};
use kmip::payload::{LocateRequest, LocateResponse};
use kmip::registry::{ObjectGroupMember, State, StorageStatusMask};
use kmip::ttlv::DateTime;
use tokio::time::timeout;

use crate::attributes::{self, View};
use crate::failure::Failure;
use crate::lifecycle;
use crate::node::sealing::{identifier_text, parse_identifier};
use crate::operation::making::stock;
use crate::scope::Scope;

/// Rows read from the store at a time.
const PAGE: usize = 256;
/// Objects that a search looks at before it takes its turn with the other long ones: a hundredth of a second's work or
/// some more. What reads on and on would otherwise leave the processors to nobody else.
const LONG_SEARCH: usize = 4_096;
/// Attributes one Locate may ask for.
const MAX_FILTERS: usize = 64;

/// A date that stands for "not set" in a Locate request.
const UNDEFINED_DATE: i64 = i64::MAX;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &LocateRequest,
) -> Result<LocateResponse, Failure> {
    let wanted = bound(request.maximum_items, "maximum items")?.unwrap_or(usize::MAX);
    let offset = bound(request.offset_items, "offset items")?.unwrap_or(0);
    let filters = Filters::new(request, scope.version)?;
    let answerable = scope.node.limits.located_items.min(wanted);

    // Located Items came with 1.3, for whoever walks through with Offset Items; the profiles' cases do not have it
    // otherwise. Who does not count is content with what was asked for.
    let counts = request.offset_items.is_some() && scope.version >= ProtocolVersion::V1_3;
    let mut found: Vec<ObjectId> = Vec::new();
    let mut matched = 0_usize;
    let mut note = |id: ObjectId| {
        matched += 1;
        if matched > offset && found.len() < answerable {
            found.push(id);
        }
        // One more than fit in tells that there are more.
        counts || found.len() < wanted && matched <= offset.saturating_add(answerable)
    };
    if filters.default_member {
        if let Some(id) = default_member(scope, &filters).await? {
            note(id);
        }
    } else if filters.fresh_member && (!scope.version.is_2_x() || filters.asks_for_group(stock::GROUP)) {
        // A group of fresh objects is a store to be used up in the order in which it was filled. 2.1 orders every answer
        // by the newest first, older versions leave it open.
        let mut members = members(scope, &filters).await?;
        if members.is_empty() && filters.asks_for_group(stock::GROUP) {
            let is_wanted = |scope: &Scope<'_>, row: &ObjectRow| filters.matches(row, scope.view(), scope.now_s);
            stock::refill(scope, is_wanted).await?;
            members = self::members(scope, &filters).await?;
        }
        if !scope.version.is_2_x() {
            members.reverse();
        }
        let _heard_enough = members.into_iter().all(note);
    } else if !filters.nothing_can_match {
        search(scope, &filters, &mut |row| note(row.id)).await?;
    }

    scope.placeholder = match found.as_slice() {
        [only] if matched == 1 || wanted == 1 => Some(*only),
        _ => None,
    };
    scope.object = scope.placeholder;
    Ok(LocateResponse {
        located_items: counts.then(|| i32::try_from(matched).unwrap_or(i32::MAX)),
        unique_identifiers: found.into_iter().map(identifier_text).collect(),
    })
}

/// All that match, the newest first.
async fn members(scope: &Scope<'_>, filters: &Filters) -> Result<Vec<ObjectId>, Failure> {
    let mut members = Vec::new();
    if !filters.nothing_can_match {
        search(scope, filters, &mut |row| {
            members.push(row.id);
            true
        })
        .await?;
    }
    Ok(members)
}

fn bound(value: Option<i32>, what: &'static str) -> Result<Option<usize>, Failure> {
    value.map(|value| usize::try_from(value).map_err(|_| Failure::InvalidField(what))).transpose()
}

/// The member that a group gives by default, which the standard leaves to the server: the oldest that nobody has had
/// yet, and once all have been had, the oldest. So each Get of the default member moves it on to the next.
async fn default_member(scope: &Scope<'_>, filters: &Filters) -> Result<Option<ObjectId>, Failure> {
    let (mut oldest, mut oldest_fresh) = (None, None);
    if !filters.nothing_can_match {
        search(scope, filters, &mut |row: &ObjectRow| {
            oldest = Some(row.id);
            if row.fresh {
                oldest_fresh = Some(row.id);
            }
            true
        })
        .await?;
    }
    Ok(oldest_fresh.or(oldest))
}

/// Walks the candidates, the newest identifier first, until `note` has heard enough.
///
/// # Errors
/// [`Failure::Busy`] where other long searches leave it no turn. [`Failure::OverLimit`] where more objects would have to be looked at than one Locate may: part of an answer, taken
/// for the whole, would be worse than none.
async fn search(
    scope: &Scope<'_>,
    filters: &Filters,
    note: &mut impl FnMut(&ObjectRow) -> bool,
) -> Result<(), Failure> {
    let drafted = scope.draft.rows();
    let matches = |row: &ObjectRow| scope.login.reaches(&row.owner) && filters.matches(row, scope.view(), scope.now_s);
    // Drafted objects are reported in their place of the identifier order.
    let mut drafted_matches: VecDeque<&ObjectRow> =
        drafted.values().rev().copied().filter(|row| matches(row)).collect();
    let mut emit = |row: &ObjectRow, drafted: &mut VecDeque<&ObjectRow>| {
        while let Some(newer) = drafted.pop_front_if(|first| first.id > row.id) {
            if !note(newer) {
                return false;
            }
        }
        note(row)
    };
    let mut before = None;
    let mut examined = 0;
    let mut turn = None;
    loop {
        if examined >= LONG_SEARCH && turn.is_none() {
            let in_time = timeout(scope.node.limits.long_search_patience, scope.node.long_searches.acquire()).await;
            turn = Some(in_time.map_err(|_| Failure::Busy)?.map_err(|_| Failure::Busy)?);
        }
        let page = match filters.only {
            Some(only) => scope.node.store.object(scope.domain.row.id, only).await?.into_iter().collect(),
            None => scope.node.store.newest(scope.domain.row.id, filters.among(), before, PAGE).await?,
        };
        for row in &page {
            if !drafted.contains_key(&row.id) && matches(row) && !emit(row, &mut drafted_matches) {
                return Ok(());
            }
        }
        examined += page.len();
        match page.last() {
            Some(last) if page.len() == PAGE => before = Some(last.id),
            _ => break,
        }
        if examined >= scope.node.limits.locate_examined {
            return Err(Failure::OverLimit(
                "more objects than one Locate looks at; ask for a name or another attribute",
            ));
        }
    }
    for row in drafted_matches {
        if !note(row) {
            break;
        }
    }
    Ok(())
}

/// Where objects are that a Locate looks for. KMIP 1.4 §9.1.3.3.2, 2.1 §12.2.
#[derive(Clone, Copy)]
struct Storage {
    on_line: bool,
    archived: bool,
    destroyed: bool,
}

impl Storage {
    fn of(request: &LocateRequest, version: ProtocolVersion) -> Self {
        let mask = request.storage_status_mask.filter(|mask| !mask.is_empty());
        let has = |bit| mask.is_some_and(|mask: StorageStatusMask| mask.contains(bit));
        // 1.x has no bit for destroyed objects; who asks for their state finds them.
        let asks_for_destroyed = !version.is_2_x()
            && request.attributes.iter().any(|filter| {
                matches!(filter.value, AttributeValue::State(State::Destroyed | State::DestroyedCompromised))
            });
        Self {
            on_line: mask.is_none() || has(StorageStatusMask::ON_LINE_STORAGE),
            archived: has(StorageStatusMask::ARCHIVAL_STORAGE),
            destroyed: has(StorageStatusMask::DESTROYED_STORAGE) || asks_for_destroyed,
        }
    }

    fn has(self, row: &ObjectRow) -> bool {
        if row.dates.destroy.is_some() {
            self.destroyed
        } else if row.dates.archive.is_some() {
            self.archived
        } else {
            self.on_line
        }
    }
}

/// What a row has to have.
struct Filters {
    filters: Vec<Attribute>,
    terms: Vec<IndexTerm>,
    only: Option<ObjectId>,
    fresh_member: bool,
    default_member: bool,
    storage: Storage,
    nothing_can_match: bool,
}

impl Filters {
    fn new(request: &LocateRequest, version: ProtocolVersion) -> Result<Self, Failure> {
        let filters = request.attributes.clone();
        if filters.len() > MAX_FILTERS {
            return Err(Failure::OverLimit("too many attributes to locate by"));
        }
        let mut only = None;
        let mut nothing_can_match = false;
        for filter in &filters {
            if let AttributeValue::UniqueIdentifier(text) = &filter.value {
                only = parse_identifier(text);
                nothing_can_match |= only.is_none();
            }
        }
        let terms = filters.iter().filter_map(|filter| IndexTerm::of(&filter.value)).collect();
        let in_a_group = filters.iter().any(|filter| filter.kind() == AttributeKind::ObjectGroup);
        let (fresh_member, default_member) = match request.object_group_member {
            None => (false, false),
            Some(ObjectGroupMember::GroupMemberFresh) => (true, false),
            Some(ObjectGroupMember::GroupMemberDefault) => {
                // Without a group there is no member of it.
                nothing_can_match |= !in_a_group;
                (false, true)
            }
        };
        let storage = Storage::of(request, version);
        Ok(Self { filters, terms, only, fresh_member, default_member, storage, nothing_can_match })
    }

    /// Among which objects the ones that match are.
    fn among(&self) -> Among<'_> {
        if self.storage.destroyed { Among::All } else { Among::Living(&self.terms) }
    }

    fn asks_for_group(&self, group: &str) -> bool {
        self.filters.iter().any(|filter| matches!(&filter.value, AttributeValue::ObjectGroup(asked) if asked == group))
    }

    fn matches(&self, row: &ObjectRow, view: View, now_s: i64) -> bool {
        if !self.storage.has(row) {
            return false;
        }
        let mut today = row.clone();
        lifecycle::bring_up_to(&mut today, now_s);
        if self.fresh_member && !today.fresh {
            return false;
        }
        let has = attributes::visible(&today, view);
        self.filters.iter().all(|filter| self.is_met(filter, &has))
    }

    fn is_met(&self, filter: &Attribute, has: &[Attribute]) -> bool {
        let name = filter.value.name();
        let mut values = has.iter().filter(|one| one.value.name() == name).map(|one| &one.value);
        if let Some(at) = date_of(&filter.value) {
            let held = values.next().and_then(date_of);
            return self.date_is_met(name, at, held);
        }
        match &filter.value {
            AttributeValue::CryptographicUsageMask(mask) => values
                .any(|value| matches!(value, AttributeValue::CryptographicUsageMask(held) if held.contains(*mask))),
            AttributeValue::UsageLimits(wanted) => values.any(|value| match value {
                AttributeValue::UsageLimits(held) => held.total >= wanted.total && held.count >= wanted.count,
                _ => false,
            }),
            pattern => values.any(|value| pattern.matches(value)),
        }
    }

    /// One date is a date to be equal to, two of the same attribute are the ends of a range.
    fn date_is_met(&self, name: &str, at: i64, held: Option<i64>) -> bool {
        let given: Vec<i64> =
            self.filters.iter().filter(|one| one.value.name() == name).filter_map(|one| date_of(&one.value)).collect();
        match (given.as_slice(), held) {
            (_, None) => at == UNDEFINED_DATE,
            ([first, second], Some(held)) => (*first.min(second)..=*first.max(second)).contains(&held),
            (_, Some(held)) => held == at,
        }
    }
}

fn date_of(value: &AttributeValue) -> Option<i64> {
    use AttributeValue as V;
    match value {
        V::InitialDate(DateTime(at))
        | V::ActivationDate(DateTime(at))
        | V::ProcessStartDate(DateTime(at))
        | V::ProtectStopDate(DateTime(at))
        | V::DeactivationDate(DateTime(at))
        | V::DestroyDate(DateTime(at))
        | V::CompromiseOccurrenceDate(DateTime(at))
        | V::CompromiseDate(DateTime(at))
        | V::ArchiveDate(DateTime(at))
        | V::LastChangeDate(DateTime(at))
        | V::OriginalCreationDate(DateTime(at))
        | V::RotateDate(DateTime(at)) => Some(*at),
        _ => None,
    }
}
