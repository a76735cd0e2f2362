//! Commands on datastores and mirrors, and on what was agreed: orders, subscriptions, service requests.

use super::{Change, Command, Names};
use crate::ids::ServiceRequestId;
use crate::inventory::Inventory;
use crate::model::backup::{BackupPolicy, CIPHER, PolicyState};
use crate::model::contract::RequestState;
use crate::model::storage::{Datastore, Mirror, MirrorState};
use crate::reference::Ref;
use crate::units::Bytes;

pub(super) fn names<'a>(command: &'a Command, see: &mut Names<'_, 'a>) {
    match command {
        Command::OrderDatastore { datastore, zone, class, cpools, .. } => {
            see.fresh(Ref::Datastore(datastore));
            see.platforms(Ref::Zone(zone));
            see.platforms(Ref::StorageClass(class));
            cpools.iter().for_each(|cpool| see.own(Ref::Cpool(cpool)));
        }
        Command::ResizeDatastore { datastore, .. } | Command::DeleteDatastore { datastore } => {
            see.own(Ref::Datastore(datastore));
        }
        Command::AttachDatastore { datastore, cpool } | Command::DetachDatastore { datastore, cpool } => {
            see.own(Ref::Datastore(datastore));
            see.customers(Ref::Cpool(cpool));
        }
        Command::CreateMirror { mirror, primary, secondary, standby, .. } => {
            see.fresh(Ref::Mirror(mirror));
            see.own(Ref::Datastore(primary));
            see.own(Ref::Datastore(secondary));
            see.own(Ref::Cpool(&standby.cpool));
        }
        Command::RemoveMirror { mirror }
        | Command::PresentMirror { mirror, .. }
        | Command::ActivateMirror { mirror, .. } => see.own(Ref::Mirror(mirror)),
        Command::FileServiceRequest { request } => {
            use crate::model::contract::Wish;
            see.fresh(Ref::ServiceRequest(&request.id));
            match &request.wish {
                Wish::BackupPolicy { policy, .. } => see.fresh(Ref::BackupPolicy(policy)),
                Wish::PresentMirror { mirror } => see.own(Ref::Mirror(mirror)),
                Wish::KeyProvider { vstack } => see.own(Ref::VStack(vstack)),
                Wish::ExportEncrypted { vm } => see.own(Ref::Vm(vm)),
            }
        }
        Command::CreateBackupPolicy { policy, zone, .. } => {
            see.fresh(Ref::BackupPolicy(policy));
            see.platforms(Ref::Zone(zone));
        }
        _ => {}
    }
}

pub(super) fn apply(after: &mut Inventory, change: &Change<'_>) -> Option<()> {
    let tenant = change.request.actor.tenant();
    match &change.request.command {
        Command::OrderDatastore { datastore, zone, class, capacity, cpools } => {
            let mut made = Datastore {
                id: datastore.clone(),
                tenant: tenant?.clone(),
                zone: zone.clone(),
                class: class.clone(),
                capacity: *capacity,
                iops_limit: None,
                cpools: cpools.clone(),
                cluster: None,
                other_files: Bytes(0),
                maintenance: false,
            };
            made.iops_limit = after.iops_limit(&made);
            after.datastores.insert(datastore.clone(), made);
        }
        Command::ResizeDatastore { datastore, capacity } => {
            let mut resized = after.datastores.get(datastore)?.clone();
            resized.capacity = *capacity;
            resized.iops_limit = after.iops_limit(&resized);
            after.datastores.insert(datastore.clone(), resized);
        }
        Command::DeleteDatastore { datastore } => {
            after.datastores.remove(datastore)?;
        }
        Command::AttachDatastore { datastore, cpool } => {
            let cpools = &mut after.datastores.get_mut(datastore)?.cpools;
            if !cpools.contains(cpool) {
                cpools.push(cpool.clone());
            }
        }
        Command::DetachDatastore { datastore, cpool } => {
            after.datastores.get_mut(datastore)?.cpools.retain(|one| one != cpool);
        }
        Command::CreateMirror { mirror, kind, primary, secondary, standby } => {
            let made = Mirror {
                id: mirror.clone(),
                kind: *kind,
                primary: primary.clone(),
                secondary: secondary.clone(),
                state: MirrorState::InitialCopy,
                standby: standby.clone(),
                presented_under: None,
            };
            after.mirrors.insert(mirror.clone(), made);
        }
        Command::RemoveMirror { mirror } => {
            after.mirrors.remove(mirror)?;
        }
        Command::PresentMirror { mirror, under } => {
            let mirror = after.mirrors.get_mut(mirror)?;
            mirror.presented_under = Some(under.clone());
            let (secondary, cpool) = (mirror.secondary.clone(), mirror.standby.cpool.clone());
            let cpools = &mut after.datastores.get_mut(&secondary)?.cpools;
            if !cpools.contains(&cpool) {
                cpools.push(cpool);
            }
            fulfil(after, under)?;
        }
        Command::ActivateMirror { mirror, state } => after.mirrors.get_mut(mirror)?.state = *state,
        Command::OrderBackupStorage { quota } => after.tenants.get_mut(tenant?)?.backup_quota = *quota,
        Command::Subscribe { sku } => {
            after.tenants.get_mut(tenant?)?.subscriptions.insert(sku.clone());
        }
        Command::Unsubscribe { sku } => {
            after.tenants.get_mut(tenant?)?.subscriptions.remove(sku);
        }
        Command::FileServiceRequest { request } => {
            after.service_requests.insert(request.id.clone(), request.clone());
        }
        Command::CreateBackupPolicy { policy, zone, retention, under } => {
            let made = BackupPolicy {
                id: policy.clone(),
                tenant: after.service_requests.get(under)?.tenant.clone(),
                zone: zone.clone(),
                retention: retention.clone(),
                cipher: CIPHER.to_owned(),
                state: PolicyState::Active,
                made_under: under.clone(),
            };
            after.policies.insert(policy.clone(), made);
            fulfil(after, under)?;
        }
        _ => return None,
    }
    Some(())
}

/// Notes that a service request was fulfilled.
pub(super) fn fulfil(after: &mut Inventory, request: &ServiceRequestId) -> Option<()> {
    after.service_requests.get_mut(request)?.state = RequestState::Done;
    Some(())
}
