//! Who the customer is and what was agreed: organisations, tenants, subscriptions, service requests.

use std::collections::BTreeSet;

use super::{entities, states};
use crate::ids::{OrganisationId, PolicyId, ServiceRequestId, TenantId};
use crate::sku::Sku;
use crate::units::Tib;

entities! {
    /// A customer. Nothing physical is shared between two of them (R1).
    pub struct Organisation {
        /// Identifier.
        pub id: OrganisationId,
        /// What people call it.
        pub name: String,
        /// Number of the contract.
        pub contract: String,
        /// Who speaks for it; at least one.
        pub owners: Vec<String>,
    }

    /// A customer's environment with its own users, rights and orders.
    pub struct Tenant {
        /// Identifier.
        pub id: TenantId,
        /// What people call it.
        pub name: String,
        /// Whose it is.
        pub organisation: OrganisationId,
        /// Who has every permission in it; at least one.
        pub owners: Vec<String>,
        /// Addresses, in CIDR notation, from which the Console may be used; empty allows all.
        #[serde(default)]
        pub allowed_addresses: Vec<String>,
        /// The licences and services it has subscribed to. Blades and storage are charged by what exists.
        #[serde(default)]
        pub subscriptions: BTreeSet<Sku>,
        /// The backup storage it has ordered (R31).
        #[serde(default)]
        pub backup_quota: Tib,
    }

    /// A wish that only the operator can fulfil.
    pub struct ServiceRequest {
        /// Identifier.
        pub id: ServiceRequestId,
        /// Whose wish it is.
        pub tenant: TenantId,
        /// Who can be asked about it.
        pub contact: Contact,
        /// What is wished for.
        pub wish: Wish,
        /// How far it is.
        pub state: RequestState,
    }

    /// A person to call back.
    pub struct Contact {
        /// Name.
        pub name: String,
        /// E-mail address.
        pub mail: String,
        /// Telephone number.
        pub phone: String,
    }

    /// How long backups are kept. There is no upper limit but the quota (R58).
    #[derive(Default)]
    pub struct Retention {
        /// Daily backups kept for so many days.
        #[serde(default)]
        pub days: u32,
        /// Weekly ones for so many weeks.
        #[serde(default)]
        pub weeks: u32,
        /// Monthly ones for so many months.
        #[serde(default)]
        pub months: u32,
    }
}

/// What a service request asks for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Wish {
    /// A new backup policy (R61).
    BackupPolicy {
        /// Its name.
        policy: PolicyId,
        /// How long its backups are kept.
        retention: Retention,
    },
    /// A mirrored LUN is to be presented to the hosts of its standby site (R36, R37).
    PresentMirror {
        /// The mirror.
        mirror: crate::ids::MirrorId,
    },
    /// A key provider is to be configured on a vStack (R68a).
    KeyProvider {
        /// The vStack.
        vstack: crate::ids::VStackId,
    },
    /// An encrypted VM is to be exported: a copy is decrypted under quorum (R71).
    ExportEncrypted {
        /// The VM.
        vm: crate::ids::VmId,
    },
}

states! {
    /// How far a service request is.
    RequestState {
        /// Filed, and the operator may act upon it.
        Open = "open",
        /// Fulfilled.
        Done = "done",
        /// Not going to be fulfilled.
        Declined = "declined",
    }
}

impl Wish {
    /// What is wished for, in few words.
    #[must_use]
    pub const fn text(&self) -> &'static str {
        match self {
            Self::BackupPolicy { .. } => "a new backup policy",
            Self::PresentMirror { .. } => "the presentation of a mirrored LUN",
            Self::KeyProvider { .. } => "a key provider on a vStack",
            Self::ExportEncrypted { .. } => "the export of an encrypted VM",
        }
    }
}
