//! What can be read: every kind of thing, where it stands, who may see it, and whose each is.

use provisioning::Inventory;
use provisioning::ids::{CpoolId, TenantId, VStackId};
use provisioning::permission::Permission;
use serde::Serialize;
use serde_json::Value;
use utoipa::{PartialSchema, ToSchema};

/// A thing that has not been written out yet: most of those that are looked through are not shown.
pub trait Thing {
    /// As it is shown.
    fn value(&self) -> Value;
}

impl<T: Serialize> Thing for T {
    fn value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Things in the order of their ids.
pub type Things<'a> = Box<dyn Iterator<Item = (&'a str, &'a dyn Thing)> + 'a>;

/// The schema of a kind and of what it is made of.
pub type Schemas = Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>;

/// One kind of thing.
pub struct Kind {
    /// The path of its list; one of it stands below, by its id.
    pub path: &'static str,
    /// The name of its schema.
    pub schema: &'static str,
    /// What it takes to see it; `None` where everybody who is known may.
    pub permission: Option<Permission>,
    /// The fields by whose value a list can be filtered.
    pub filters: &'static [&'static str],
    /// Those that a tenant sees.
    pub of: for<'a> fn(&'a Inventory, &'a TenantId) -> Things<'a>,
    /// Its schema and those that it names.
    pub schemas: fn() -> Schemas,
}

impl Kind {
    /// The path of one of them, with the name that commands give the parameter.
    #[must_use]
    pub fn path_of_one(&self) -> String {
        let below = |given: &super::commands::Given| {
            let name = given.path.strip_prefix(self.path)?.strip_prefix("/{")?.split('}').next()?;
            Some(name.to_owned())
        };
        let name = super::commands::COMMANDS.iter().find_map(below).unwrap_or_else(|| "id".to_owned());
        format!("{}/{{{name}}}", self.path)
    }

    /// The thing of that id, if the tenant sees it.
    #[must_use]
    pub fn one(&self, inventory: &Inventory, tenant: &TenantId, id: &str) -> Option<Value> {
        (self.of)(inventory, tenant).find(|(one, _)| *one == id).map(|(_, thing)| thing.value())
    }
}

fn vstack_is(inventory: &Inventory, vstack: &VStackId, tenant: &TenantId) -> bool {
    inventory.vstack(vstack).is_some_and(|vstack| vstack.tenant == *tenant)
}

fn cpool_is(inventory: &Inventory, cpool: &CpoolId, tenant: &TenantId) -> bool {
    inventory.cpool(cpool).is_some_and(|cpool| vstack_is(inventory, &cpool.vstack, tenant))
}

fn schemas<T: ToSchema + PartialSchema>() -> Schemas {
    let mut all = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut all);
    all
}

/// One line for each kind.
macro_rules! kinds {
    ($($path:literal $many:ident $type:ident $permission:expr, $filters:expr, |$inventory:ident, $tenant:ident, $one:ident| $is:expr;)+) => {
        /// Every kind.
        pub static KINDS: &[Kind] = &[$(Kind {
            path: $path,
            schema: stringify!($type),
            permission: $permission,
            filters: $filters,
            of: |$inventory, $tenant| {
                let own = $inventory.$many().filter(move |$one| $is);
                Box::new(own.map(|one| (one.id.as_str(), one as &dyn Thing)))
            },
            schemas: schemas::<$type>,
        },)+];
    };
}

use Permission as P;
use provisioning::model::backup::{Backup, BackupPolicy};
use provisioning::model::compute::{AffinityRule, Cpool, Host, VStack};
use provisioning::model::contract::{Organisation, ServiceRequest, Tenant};
use provisioning::model::keys::{KeyDomain, KeyNode};
use provisioning::model::network::{InternetAccess, Network};
use provisioning::model::place::{Region, Zone};
use provisioning::model::storage::{Datastore, DatastoreCluster, Mirror};
use provisioning::model::vm::Vm;

kinds! {
    "/compute/v1/regions" regions Region None, &["country"], |_i, _t, _one| true;
    "/compute/v1/availability_zones" zones Zone None, &["region", "site"], |_i, _t, _one| true;
    "/iam/v1/organisations" organisations Organisation Some(P::IamRead), &["name"],
        |i, t, one| i.tenant(t).is_some_and(|tenant| tenant.organisation == one.id);
    "/iam/v1/tenants" tenants Tenant Some(P::IamRead), &["name", "organisation"], |_i, t, one| one.id == *t;
    "/order/v1/service_requests" service_requests ServiceRequest Some(P::OrderRead), &["state"], |_i, t, one| one.tenant == *t;
    "/compute/v1/key_nodes" key_nodes KeyNode Some(P::ComputeRead), &["zone"], |_i, _t, _one| true;
    "/compute/v1/key_domains" key_domains KeyDomain Some(P::ComputeRead), &[], |_i, t, one| one.tenant == *t;
    "/compute/v1/vcenters" vstacks VStack Some(P::ComputeRead), &[], |_i, t, one| one.tenant == *t;
    "/compute/v1/vcenters/host_clusters" cpools Cpool Some(P::InfrastructureRead), &["name", "vstack", "zone"],
        |i, t, one| vstack_is(i, &one.vstack, t);
    "/compute/v1/vcenters/hosts" hosts Host Some(P::InfrastructureRead), &["name", "cpool", "zone", "state", "blade"],
        |_i, t, one| one.tenant == *t;
    "/network/v1/networks" networks Network Some(P::NetworkRead), &["name"],
        |_i, t, one| one.tenant == *t || one.tenants.contains(t);
    "/network/v1/internet_accesses" internet_accesses InternetAccess Some(P::NetworkRead), &["zone", "network"],
        |_i, t, one| one.tenant == *t;
    "/compute/v1/vcenters/datastore_clusters" datastore_clusters DatastoreCluster Some(P::InfrastructureRead),
        &["vstack", "class"], |i, t, one| vstack_is(i, &one.vstack, t);
    "/compute/v1/vcenters/datastores" datastores Datastore Some(P::InfrastructureRead), &["zone", "class", "cluster"],
        |_i, t, one| one.tenant == *t;
    "/compute/v1/vcenters/mirrors" mirrors Mirror Some(P::InfrastructureRead), &["kind", "state", "primary", "secondary"],
        |i, t, one| i.datastore(&one.primary).is_some_and(|lun| lun.tenant == *t);
    "/backup/v1/policies" policies BackupPolicy Some(P::BackupRead), &["zone", "state"], |_i, t, one| one.tenant == *t;
    "/compute/v1/vcenters/virtual_machines" vms Vm Some(P::ComputeRead), &["name", "cpool", "host", "power", "home", "spp_mode"],
        |i, t, one| cpool_is(i, &one.cpool, t);
    "/compute/v1/vcenters/affinity_rules" affinity_rules AffinityRule Some(P::ComputeRead), &["name", "cpool", "kind"],
        |i, t, one| cpool_is(i, &one.cpool, t);
    "/backup/v1/backups" backups Backup Some(P::BackupRead), &["vm", "policy", "zone"], |_i, t, one| one.tenant == *t;
}
