//! How a managed object comes into being: the same steps for every operation that makes one.

use keystore::{Dates, ObjectId, ObjectRow};
use kmip::attribute::{
    Attribute, AttributeKind, AttributeValue, CryptographicDomainParameters, Digest, ProtectionStorageMasks,
    RngParameters, TemplateAttribute,
};
use kmip::object::ManagedObject;
use kmip::registry::{
    CryptographicAlgorithm, HashingAlgorithm, LinkType, ObjectType, Operation, ProtectionStorageMask, State, UsageMask,
};
use kmip::ttlv::{DateTime, Interval, Wire};
use policy::algorithm::{AlgorithmPolicy, is_quantum_safe};
use policy::attributes::sets_implicitly;
use policy::creation::{Origin, PairRecipe, may_create_pair};
use ring::digest;
use secret::wiped_after;

use super::{links, renewal};
use crate::attributes::{self, Place, is_cryptographic};
use crate::change;
use crate::failure::Failure;
use crate::node::sealing;
use crate::operation::server::{constraints, defaults};
use crate::scope::Scope;

/// Templates one request may name.
const MAX_TEMPLATES: usize = 8;

/// What the attribute Protection Storage Mask says of every object: it is sealed, and what is sealed is in a file.
const STORAGE: ProtectionStorageMask = ProtectionStorageMask::SOFTWARE;

/// Everything that is true of the place where objects are.
const TRUE_OF_STORAGE: ProtectionStorageMask = ProtectionStorageMask(
    ProtectionStorageMask::SOFTWARE.0 | ProtectionStorageMask::ON_SYSTEM.0 | ProtectionStorageMask::SELF_MANAGED.0,
);

/// A managed object in the making.
pub(super) struct Birth {
    origin: Origin,
    /// The operation that makes it: the specification says which attributes it sets unasked.
    operation: Operation,
    row: ObjectRow,
    /// What the Key Block says, where there is one.
    block_algorithm: Option<CryptographicAlgorithm>,
    block_length: Option<i32>,
    /// The object that this one takes the place of.
    replaced: Option<ObjectId>,
}

/// May the object be kept where objects are kept here? Of the alternatives one has to hold. KMIP 2.1 §4.50.
///
/// # Errors
/// [`Failure::StorageUnavailable`].
pub(in crate::operation) fn may_be_kept(wanted: Option<&ProtectionStorageMasks>) -> Result<(), Failure> {
    let alternatives = wanted.map_or(&[][..], |wanted| &wanted.masks);
    if alternatives.is_empty() || alternatives.iter().any(|mask| TRUE_OF_STORAGE.contains(*mask)) {
        return Ok(());
    }
    Err(Failure::StorageUnavailable)
}

/// The attributes of both lists; of an attribute with one value that of `over`. KMIP 1.4 §4.2.
pub(super) fn merged(mut under: Vec<Attribute>, over: Vec<Attribute>) -> Vec<Attribute> {
    under.retain(|one| {
        one.rules().multiple_instances || !over.iter().any(|other| other.value.name() == one.value.name())
    });
    under.extend(over);
    under
}

/// The attributes of the named templates, and over them the ones given directly. KMIP 1.4 §2.1.8.
pub(super) async fn resolve_templates(
    scope: &mut Scope<'_>,
    request: &TemplateAttribute,
) -> Result<Vec<Attribute>, Failure> {
    if request.names.len() > MAX_TEMPLATES {
        return Err(Failure::OverLimit("too many templates"));
    }
    let mut inherited: Vec<Attribute> = Vec::new();
    for name in &request.names {
        let row = named(scope, &name.value)
            .await?
            .filter(|row| row.object_type == ObjectType::Template && scope.login.reaches(&row.owner))
            .ok_or(Failure::TemplateNotFound)?;
        let opened = sealing::open(&scope.node.hsm, &scope.domain.key, &row).await?;
        let ManagedObject::Template(template) = opened else { return Err(Failure::Internal("a template is none")) };
        // A Name in it is the template's own, where it was given in there.
        let given = template.attributes.into_iter();
        inherited.extend(given.filter(|one| one.known_in(scope.version) && change::is_inherited(one.value.kind())));
    }
    Ok(merged(inherited, request.attributes.clone()))
}

/// The live object of the domain with this Name, as the current item sees it: what the message has drafted counts.
async fn named(scope: &Scope<'_>, name: &str) -> Result<Option<ObjectRow>, Failure> {
    let drafted = scope.draft.rows();
    if let Some(row) = drafted.values().find(|row| row.dates.destroy.is_none() && row.names().any(|one| one == name)) {
        return Ok(Some((*row).clone()));
    }
    let stored = scope.node.store.object_named(scope.domain.row.id, name).await?;
    // A drafted object that has the name in the store no longer has it.
    Ok(stored.filter(|row| !drafted.contains_key(&row.id)))
}

/// Names are unique among the live objects of a domain. KMIP 1.4 §3.2.
///
/// # Errors
/// [`Failure::NameTaken`] for an object being made, [`Failure::NameTakenByOther`] for one being changed.
pub(in crate::operation) async fn refuse_taken_name(
    scope: &Scope<'_>,
    value: &AttributeValue,
    changed: Option<ObjectId>,
) -> Result<(), Failure> {
    let AttributeValue::Name(name) = value else { return Ok(()) };
    match (named(scope, &name.value).await?, changed) {
        (None, _) => Ok(()),
        (Some(row), Some(id)) if row.id == id => Ok(()),
        (Some(_), None) => Err(Failure::NameTaken),
        (Some(_), Some(_)) => Err(Failure::NameTakenByOther),
    }
}

impl Birth {
    /// An object of `object_type` with an identifier, and nothing else yet.
    pub(super) fn begin(scope: &Scope<'_>, origin: Origin, object_type: ObjectType) -> Self {
        Self {
            origin,
            operation: scope.operation,
            row: ObjectRow {
                id: uuid::Uuid::now_v7().into_bytes(),
                domain: scope.domain.row.id,
                revision: 0,
                object_type,
                state: State::PreActive,
                algorithm: None,
                length: None,
                usage_mask: UsageMask(0),
                dates: Dates { initial: scope.now_s, last_change: scope.now_s, ..Dates::default() },
                revocation: None,
                owner: scope.login.owner(),
                fresh: is_cryptographic(object_type),
                attributes: Vec::new(),
                seal_number: 1,
                sealed: None,
            },
            block_algorithm: None,
            block_length: None,
            replaced: None,
        }
    }

    /// The successor of `old`: what the tables of its operation carry over, dates moved by the offset, and over it the
    /// attributes that the client gives.
    pub(super) fn renew(
        scope: &Scope<'_>,
        old: &ObjectRow,
        offset: Option<Interval>,
        given: Vec<Attribute>,
    ) -> Result<Self, Failure> {
        let origin = if old.object_type == ObjectType::Certificate { Origin::Certified } else { Origin::Created };
        let fresh = Self::begin(scope, origin, old.object_type);
        let mut row = renewal::successor(old, scope.now_s);
        renewal::shift(&mut row, offset, &given)?;
        row.attributes.retain(|one| {
            one.rules().multiple_instances || !given.iter().any(|other| other.value.name() == one.value.name())
        });
        (row.id, row.owner) = (fresh.row.id, fresh.row.owner);
        let mut birth = Self { row, ..fresh };
        birth.set_attributes(scope, given)?;
        Ok(birth)
    }

    /// The identifier that the object has.
    pub(super) const fn id(&self) -> ObjectId {
        self.row.id
    }

    /// The object so far.
    pub(super) const fn row(&self) -> &ObjectRow {
        &self.row
    }

    /// An attribute that the server sets, if the operation is one that may set it unasked.
    pub(super) fn give(&mut self, value: AttributeValue) {
        if !sets_implicitly(self.operation, value.kind()) {
            return;
        }
        if let Place::List(value) = attributes::set_column(&mut self.row, value) {
            attributes::append(&mut self.row, value);
        }
    }

    /// As [`Birth::give`], unless the attribute has a value already.
    pub(super) fn give_if_absent(&mut self, value: AttributeValue) {
        let kind = value.kind();
        let present = match kind {
            AttributeKind::CryptographicAlgorithm => self.row.algorithm.is_some(),
            AttributeKind::CryptographicLength => self.row.length.is_some(),
            AttributeKind::CryptographicUsageMask => !self.row.usage_mask.is_empty(),
            _ => self.row.attributes.iter().any(|one| one.kind() == kind),
        };
        if !present {
            self.give(value);
        }
    }

    /// The object takes the place of `old`.
    pub(super) const fn replaces(&mut self, old: ObjectId) {
        self.replaced = Some(old);
    }

    /// Sensitive and Extractable of what the object is made of: a protection that was never taken back there is not
    /// taken back by going through here.
    pub(super) fn is_as_protected_as(&mut self, source: &ObjectRow) {
        for one in &source.attributes {
            if matches!(one.value, AttributeValue::Sensitive(true) | AttributeValue::Extractable(false)) {
                let kind = one.kind();
                self.row.attributes.retain(|other| other.kind() != kind);
                attributes::append(&mut self.row, one.value.clone());
            }
        }
    }

    /// What the Key Block of a registered key says about itself; `len` is the number of key bytes in sight.
    pub(super) fn take_from_key_block(
        &mut self,
        algorithm: Option<CryptographicAlgorithm>,
        length: Option<i32>,
        len: Option<usize>,
    ) -> Result<(), Failure> {
        if len == Some(0) {
            return Err(Failure::MissingData("key material"));
        }
        self.block_algorithm = algorithm;
        self.block_length = length;
        self.row.algorithm = algorithm;
        self.row.length = length;
        Ok(())
    }

    /// May a template give these to the objects made from it?
    pub(super) fn may_give(&self, scope: &Scope<'_>, given: &[Attribute]) -> Result<(), Failure> {
        if given.len() > scope.node.limits.object_attributes {
            return Err(Failure::TooMany("attributes in the template"));
        }
        let values: Vec<&AttributeValue> = given.iter().map(|one| &one.value).collect();
        change::may_set_at_birth(self.origin, &self.row, &values, scope.version)
    }

    /// Takes the attributes that the client asked for.
    pub(super) fn set_attributes(&mut self, scope: &Scope<'_>, mut wanted: Vec<Attribute>) -> Result<(), Failure> {
        defaults::apply(scope, &self.row, &mut wanted)?;
        if wanted.len() > scope.node.limits.object_attributes {
            return Err(Failure::TooMany("attributes of the object"));
        }
        let values: Vec<&AttributeValue> = wanted.iter().map(|one| &one.value).collect();
        change::may_set_at_birth(self.origin, &self.row, &values, scope.version)?;
        for Attribute { mut value, .. } in wanted {
            if let AttributeValue::Link(link) = &mut value
                && link.linked_object_identifier.as_text().is_none()
            {
                let id = scope.identify(Some(&link.linked_object_identifier))?.ok_or(Failure::NotFound)?;
                link.linked_object_identifier = sealing::identifier_text(id).into();
            }
            if let Place::List(value) = attributes::set_column(&mut self.row, value) {
                attributes::append(&mut self.row, value);
            }
        }
        if self.block_algorithm.is_some_and(|of_block| self.row.algorithm != Some(of_block)) {
            return Err(Failure::InvalidField("cryptographic algorithm differs from the key block"));
        }
        if self.block_length.is_some_and(|of_block| self.row.length != Some(of_block)) {
            return Err(Failure::InvalidField("cryptographic length differs from the key block"));
        }
        Ok(())
    }

    /// The algorithm of a key pair and what exactly is to be made: of both halves' attributes, which have to agree.
    pub(super) fn decide_pair(
        &self,
        other: &Self,
        scope: &Scope<'_>,
    ) -> Result<(CryptographicAlgorithm, PairRecipe), Failure> {
        fn agreed<T: PartialEq>(one: Option<T>, other: Option<T>, why: &'static str) -> Result<Option<T>, Failure> {
            match (one, other) {
                (Some(one), Some(other)) if one != other => Err(Failure::InvalidField(why)),
                (one, other) => Ok(one.or(other)),
            }
        }
        let domain_parameters = |birth: &Self| {
            birth.row.attributes.iter().find_map(|one| match &one.value {
                AttributeValue::CryptographicDomainParameters(parameters) => Some(parameters.clone()),
                _ => None,
            })
        };
        let algorithm = agreed(self.row.algorithm, other.row.algorithm, "two algorithms for one key pair")?
            .ok_or(Failure::InvalidField("cryptographic algorithm is missing"))?;
        let length = agreed(self.row.length, other.row.length, "two lengths for one key pair")?;
        let parameters = agreed(domain_parameters(self), domain_parameters(other), "two curves for one key pair")?
            .unwrap_or_default();
        let is_on_curve = algorithm != CryptographicAlgorithm::Rsa;
        let length = length.or_else(|| parameters.qlength.filter(|_| is_on_curve));
        let policy = change::policy_of(&scope.domain.row.policy);
        for birth in [self, other] {
            policy::creation::check_uses(policy, birth.row.usage_mask)?;
        }
        let recipe = may_create_pair(policy, algorithm, length, parameters.recommended_curve)?;
        if is_on_curve && parameters.qlength.is_some_and(|qlength| qlength != recipe.length()) {
            return Err(Failure::InvalidField("Qlength is not that of the curve"));
        }
        Ok((algorithm, recipe))
    }

    /// The object is one half of such a pair.
    pub(super) fn is_half_of(&mut self, algorithm: CryptographicAlgorithm, recipe: PairRecipe) {
        self.row.algorithm = Some(algorithm);
        self.row.length = Some(recipe.length());
        if let Some(curve) = recipe.curve() {
            self.give_if_absent(AttributeValue::CryptographicDomainParameters(CryptographicDomainParameters {
                qlength: Some(recipe.length()),
                recommended_curve: Some(curve),
            }));
        }
    }

    /// The parameters of a key to be created: given, or the algorithm's default length; allowed by the domain's policy.
    pub(super) fn decide_key_parameters(
        &mut self,
        scope: &Scope<'_>,
    ) -> Result<(CryptographicAlgorithm, i32, usize), Failure> {
        let algorithm = self.row.algorithm.ok_or(Failure::InvalidField("cryptographic algorithm is missing"))?;
        // Old clients and one of the standard's own cases leave it out, though the standard demands it.
        if self.row.usage_mask.is_empty()
            && change::policy_of(&scope.domain.row.policy) == AlgorithmPolicy::Anssi
            && self.replaced.is_none()
        {
            return Err(Failure::InvalidField("cryptographic usage mask is missing"));
        }
        let (length, bytes) = change::key_length(&self.row, algorithm, &scope.domain.row.policy)?;
        self.row.length = Some(length);
        Ok((algorithm, length, bytes))
    }

    /// The object was generated here, not elsewhere, by this generator. KMIP 1.4 §3.43, §3.44.
    pub(super) fn made_by_server(&mut self, generator: RngParameters) {
        let now = DateTime(self.row.dates.initial);
        self.give(AttributeValue::OriginalCreationDate(now));
        self.give(AttributeValue::RandomNumberGenerator(Box::new(generator)));
    }

    /// Digest, state, seal: the finished object goes into the draft and into the ID Placeholder.
    pub(super) async fn complete(
        mut self,
        scope: &mut Scope<'_>,
        object: Option<&ManagedObject>,
    ) -> Result<ObjectId, Failure> {
        for one in &self.row.attributes {
            refuse_taken_name(scope, &one.value, None).await?;
        }
        if let Some(old) = self.replaced {
            self.give(links::to(LinkType::ReplacedObjectLink, old));
        }
        self.refuse_false_promise()?;
        if let Some(format) = object.and_then(ManagedObject::format).filter(|_| is_cryptographic(self.row.object_type))
        {
            self.give(AttributeValue::KeyFormatType(format));
        }
        if object.is_some() && self.row.object_type != ObjectType::Template {
            self.give(AttributeValue::ProtectionStorageMask(STORAGE));
        }
        if let Some(digest) = object.and_then(digest_of) {
            self.give(AttributeValue::Digest(digest));
        }
        self.set_protection_attributes();
        change::finish(&mut self.row, scope.now_s)?;
        constraints::check(scope, &self.row)?;
        if let Some(object) = object {
            self.row.sealed = Some(sealing::seal(&scope.node.hsm, &scope.domain.key, &self.row, object).await?);
        }
        let id = self.row.id;
        scope.placeholder = Some(id);
        scope.object = Some(id);
        scope.draft.create(self.row);
        Ok(id)
    }

    /// Who asks for an object that withstands a quantum computer gets none that does not. KMIP 2.1 §4.51.
    fn refuse_false_promise(&self) -> Result<(), Failure> {
        let promised = self.row.attributes.iter().any(|one| one.value == AttributeValue::QuantumSafe(true));
        match (promised, self.row.algorithm) {
            (true, Some(algorithm)) if !is_quantum_safe(algorithm, self.row.length.unwrap_or(0)) => {
                Err(Failure::NotQuantumSafe)
            }
            _ => Ok(()),
        }
    }

    /// Sensitive, Extractable and their memories always have a value. KMIP 1.4 §3.48 to §3.51.
    fn set_protection_attributes(&mut self) {
        if !is_cryptographic(self.row.object_type) {
            return;
        }
        let (mut sensitive, mut extractable) = (None, None);
        for one in &self.row.attributes {
            match one.value {
                AttributeValue::Sensitive(value) => sensitive = Some(value),
                AttributeValue::Extractable(value) => extractable = Some(value),
                _ => {}
            }
        }
        if sensitive.is_none() {
            self.give(AttributeValue::Sensitive(false));
        }
        self.give(AttributeValue::AlwaysSensitive(sensitive.unwrap_or(false)));
        if extractable.is_none() {
            self.give(AttributeValue::Extractable(true));
        }
        self.give(AttributeValue::NeverExtractable(!extractable.unwrap_or(true)));
    }
}

/// What every object has that is kept here, on one that was imported: where the attributes that it brought leave something
/// out, and where they cannot know better than this server what it holds.
pub(in crate::operation) fn complete_imported(row: &mut ObjectRow, object: &ManagedObject) {
    let may_set = |kind| sets_implicitly(Operation::Import, kind);
    let lacks = |row: &ObjectRow, kind| may_set(kind) && !row.attributes.iter().any(|one| one.kind() == kind);
    let is = |row: &ObjectRow, value: AttributeValue| row.attributes.iter().any(|one| one.value == value);
    if is_cryptographic(row.object_type) {
        let sensitive = is(row, AttributeValue::Sensitive(true));
        let extractable = !is(row, AttributeValue::Extractable(false));
        let protections = [
            AttributeValue::Sensitive(sensitive),
            AttributeValue::AlwaysSensitive(sensitive),
            AttributeValue::Extractable(extractable),
            AttributeValue::NeverExtractable(!extractable),
        ];
        for value in protections {
            if lacks(row, value.kind()) {
                attributes::append(row, value);
            }
        }
        if let Some(format) = object.format() {
            row.attributes.retain(|one| one.kind() != AttributeKind::KeyFormatType);
            attributes::append(row, AttributeValue::KeyFormatType(format));
        }
    }
    row.attributes.retain(|one| one.kind() != AttributeKind::ProtectionStorageMask);
    attributes::append(row, AttributeValue::ProtectionStorageMask(STORAGE));
    if let Some(digest) = digest_of(object) {
        let hash = digest.hashing_algorithm;
        let is_other =
            |one: &Attribute| !matches!(&one.value, AttributeValue::Digest(given) if given.hashing_algorithm == hash);
        row.attributes.retain(is_other);
        attributes::append(row, AttributeValue::Digest(digest));
    }
}

/// SHA-256 over the Key Material as it came: its bytes, or, where it is a structure, its TTLV. KMIP 1.4 §3.17.
pub(in crate::operation) fn digest_of(object: &ManagedObject) -> Option<Digest> {
    let value = wiped_after(|| object.with_digest_input(|bytes| digest::digest(&digest::SHA256, bytes)))?;
    Some(Digest {
        hashing_algorithm: HashingAlgorithm::Sha256,
        digest_value: Some(value.as_ref().to_vec()),
        key_format_type: object.format(),
    })
}
