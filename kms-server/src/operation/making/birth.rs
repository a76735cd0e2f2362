//! How a managed object comes into being: the same steps for Create and Register.

use keystore::{Dates, ObjectId, ObjectRow};
use kmip::attribute::{Attribute, AttributeValue, Digest, RngParameters, TemplateAttribute};
use kmip::object::ManagedObject;
use kmip::registry::{CryptographicAlgorithm, HashingAlgorithm, ObjectType, State, UsageMask};
use kmip::ttlv::DateTime;
use policy::creation::Origin;
use ring::digest;

use crate::attributes::{self, Place, is_cryptographic};
use crate::change;
use crate::failure::Failure;
use crate::node::sealing;
use crate::operation::server::{constraints, defaults};
use crate::scope::Scope;

/// Templates one request may name.
const MAX_TEMPLATES: usize = 8;

/// A managed object in the making.
pub(super) struct Birth {
    origin: Origin,
    row: ObjectRow,
    /// What the Key Block says, where there is one.
    block_algorithm: Option<CryptographicAlgorithm>,
    block_length: Option<i32>,
    /// Bytes of registered key material.
    material_len: usize,
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
        let template = named(scope, &name.value)
            .await?
            .filter(|row| row.object_type == ObjectType::Template)
            .ok_or(Failure::TemplateNotFound)?;
        // A template's own Name names the template and nothing made from it.
        let of_template = attributes::visible(&template, scope.version)
            .into_iter()
            .filter(|one| change::is_inherited(one.value.kind()));
        inherited.extend(of_template);
    }
    let given = &request.attributes;
    inherited.retain(|one| {
        one.rules().multiple_instances || !given.iter().any(|other| other.value.name() == one.value.name())
    });
    inherited.extend(given.iter().cloned());
    Ok(inherited)
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
                owner: scope.client,
                fresh: is_cryptographic(object_type),
                attributes: Vec::new(),
                seal_number: 1,
                sealed: None,
            },
            block_algorithm: None,
            block_length: None,
            material_len: 0,
        }
    }

    /// What the Key Block of a registered key says about itself; `len` is the number of key bytes.
    pub(super) fn take_from_key_block(
        &mut self,
        algorithm: Option<CryptographicAlgorithm>,
        length: Option<i32>,
        len: usize,
    ) -> Result<(), Failure> {
        if len == 0 {
            return Err(Failure::MissingData("key material"));
        }
        self.material_len = len;
        self.block_algorithm = algorithm;
        self.block_length = length;
        self.row.algorithm = algorithm;
        self.row.length = length;
        Ok(())
    }

    /// Takes the attributes that the client asked for.
    pub(super) fn set_attributes(&mut self, scope: &Scope<'_>, mut wanted: Vec<Attribute>) -> Result<(), Failure> {
        defaults::apply(scope, &self.row, &mut wanted)?;
        if wanted.len() > scope.node.limits.object_attributes {
            return Err(Failure::TooMany("attributes of the object"));
        }
        let values: Vec<&AttributeValue> = wanted.iter().map(|one| &one.value).collect();
        change::may_set_at_birth(self.origin, &self.row, &values, scope.version)?;
        for Attribute { value, .. } in wanted {
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

    /// The parameters of a key to be created: given, or the algorithm's default length; allowed by the domain's policy.
    pub(super) fn decide_key_parameters(
        &mut self,
        scope: &Scope<'_>,
    ) -> Result<(CryptographicAlgorithm, i32, usize), Failure> {
        let algorithm = self.row.algorithm.ok_or(Failure::InvalidField("cryptographic algorithm is missing"))?;
        if self.row.usage_mask.is_empty() {
            return Err(Failure::InvalidField("cryptographic usage mask is missing"));
        }
        let (length, bytes) = change::key_length(&self.row, algorithm, &scope.domain.row.policy)?;
        self.row.length = Some(length);
        Ok((algorithm, length, bytes))
    }

    /// A registered symmetric key says what it is, in its Key Block or its attributes.
    pub(super) fn require_key_parameters(&self, scope: &Scope<'_>) -> Result<(), Failure> {
        let algorithm = self.row.algorithm.ok_or(Failure::InvalidField("cryptographic algorithm is missing"))?;
        let length = self.row.length.ok_or(Failure::InvalidField("cryptographic length is missing"))?;
        change::may_register(&self.row, algorithm, length, self.material_len, &scope.domain.row.policy)
    }

    /// The object was generated here, not elsewhere, by this generator. KMIP 1.4 §3.43, §3.44.
    pub(super) fn made_by_server(&mut self, generator: RngParameters) {
        let now = DateTime(self.row.dates.initial);
        attributes::append(&mut self.row, AttributeValue::OriginalCreationDate(now));
        attributes::append(&mut self.row, AttributeValue::RandomNumberGenerator(Box::new(generator)));
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
        if let Some(digest) = object.and_then(digest_of) {
            attributes::append(&mut self.row, AttributeValue::Digest(digest));
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
            attributes::append(&mut self.row, AttributeValue::Sensitive(false));
        }
        attributes::append(&mut self.row, AttributeValue::AlwaysSensitive(sensitive.unwrap_or(false)));
        if extractable.is_none() {
            attributes::append(&mut self.row, AttributeValue::Extractable(true));
        }
        attributes::append(&mut self.row, AttributeValue::NeverExtractable(!extractable.unwrap_or(true)));
    }
}

/// SHA-256 over the Key Material as it came: its bytes, or, where it is a structure, its TTLV. KMIP 1.4 §3.17.
fn digest_of(object: &ManagedObject) -> Option<Digest> {
    let value = object.with_digest_input(|bytes| digest::digest(&digest::SHA256, bytes))?;
    Some(Digest {
        hashing_algorithm: HashingAlgorithm::Sha256,
        digest_value: Some(value.as_ref().to_vec()),
        key_format_type: object.format(),
    })
}
