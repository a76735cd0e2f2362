//! What a command is: its name, on whose side it belongs, what it changes, and what it takes.

use super::Command;
use crate::ids::{ServiceRequestId, VmId};
use crate::permission::Permission;

/// On whose side a command belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plane {
    /// A tenant does it, through Console or API.
    Tenant,
    /// The operator does it, when a tenant has asked by service request.
    OnRequest,
    /// The operator does it, and tenants have no part in it (R3).
    Operator,
}

impl Command {
    /// Its name, as in a file or a request.
    #[must_use]
    pub fn name(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        value["command"].as_str().unwrap_or_default().to_owned()
    }

    /// On whose side it belongs.
    #[must_use]
    pub const fn plane(&self) -> Plane {
        match self {
            Self::PresentMirror { .. }
            | Self::ActivateMirror { .. }
            | Self::ConfigureKeyProvider { .. }
            | Self::ExportEncrypted { .. }
            | Self::CreateBackupPolicy { .. } => Plane::OnRequest,
            Self::OpenVCenter { .. }
            | Self::UpdateFirmware { .. }
            | Self::EnableHostCrypto { .. }
            | Self::DisableHostCrypto { .. }
            | Self::ReportKey { .. }
            | Self::HostRebooted { .. }
            | Self::HostFailed { .. } => Plane::Operator,
            _ => Plane::Tenant,
        }
    }

    /// The service request that it is done under, if it is one of those.
    #[must_use]
    pub const fn under(&self) -> Option<&ServiceRequestId> {
        match self {
            Self::PresentMirror { under, .. }
            | Self::ConfigureKeyProvider { under, .. }
            | Self::ExportEncrypted { under, .. }
            | Self::CreateBackupPolicy { under, .. } => Some(under),
            _ => None,
        }
    }

    /// The VM that it changes, if it changes one: no two activities have a VM at the same time.
    #[must_use]
    pub const fn vm(&self) -> Option<&VmId> {
        match self {
            Self::DeleteVm { vm }
            | Self::PowerOn { vm }
            | Self::PowerOff { vm }
            | Self::Suspend { vm }
            | Self::ResizeVm { vm, .. }
            | Self::MoveVm { vm, .. }
            | Self::MigrateVm { vm, .. }
            | Self::MoveHome { vm, .. }
            | Self::CloneVm { vm, .. }
            | Self::AddDisk { vm, .. }
            | Self::ResizeDisk { vm, .. }
            | Self::MoveDisk { vm, .. }
            | Self::RemoveDisk { vm, .. }
            | Self::ConnectVm { vm, .. }
            | Self::TakeSnapshot { vm, .. }
            | Self::DeleteSnapshot { vm, .. }
            | Self::ExportOvf { vm }
            | Self::AssignPolicy { vm, .. }
            | Self::RemovePolicy { vm, .. }
            | Self::ExcludeDisk { vm, .. }
            | Self::BackUp { vm, .. }
            | Self::Replicate { vm, .. }
            | Self::PauseReplication { vm, .. }
            | Self::StopReplication { vm }
            | Self::FailOverVm { vm }
            | Self::Encrypt { vm }
            | Self::Rekey { vm, .. }
            | Self::Decrypt { vm }
            | Self::ExportEncrypted { vm, .. }
            | Self::ReportKey { vm, .. } => Some(vm),
            _ => None,
        }
    }

    /// The permissions that it takes, all of them. An operator's command takes none: no permission gives it.
    #[must_use]
    pub const fn permissions(&self) -> &'static [Permission] {
        use Permission as P;
        match self {
            Self::PowerOn { .. } | Self::PowerOff { .. } | Self::Suspend { .. } => {
                &[P::ComputeRead, P::VirtualMachinePower]
            }
            Self::CreateVm { .. }
            | Self::DeployTemplate { .. }
            | Self::DeleteVm { .. }
            | Self::ResizeVm { .. }
            | Self::MoveVm { .. }
            | Self::MigrateVm { .. }
            | Self::MoveHome { .. }
            | Self::CloneVm { .. }
            | Self::AddDisk { .. }
            | Self::ResizeDisk { .. }
            | Self::MoveDisk { .. }
            | Self::RemoveDisk { .. }
            | Self::ConnectVm { .. }
            | Self::TakeSnapshot { .. }
            | Self::DeleteSnapshot { .. }
            | Self::ExportOvf { .. }
            | Self::Replicate { .. }
            | Self::PauseReplication { .. }
            | Self::StopReplication { .. }
            | Self::FailOverVm { .. }
            | Self::Encrypt { .. }
            | Self::Rekey { .. }
            | Self::Decrypt { .. }
            | Self::DestroyKey { .. }
            | Self::CreateAffinityRule { .. }
            | Self::SetAffinityRule { .. }
            | Self::DeleteAffinityRule { .. } => &[P::ComputeRead, P::ComputeManagement],
            Self::AssignPolicy { .. }
            | Self::RemovePolicy { .. }
            | Self::ExcludeDisk { .. }
            | Self::BackUp { .. }
            | Self::DeleteBackup { .. }
            | Self::Restore { .. } => &[P::BackupRead, P::BackupWrite],
            Self::ResizeDatastore { .. }
            | Self::AttachDatastore { .. }
            | Self::DetachDatastore { .. }
            | Self::RemoveMirror { .. }
            | Self::EnableRam { .. }
            | Self::SetHighAvailability { .. }
            | Self::SetMaintenance { .. }
            | Self::UpdateHypervisor { .. } => &[P::InfrastructureRead, P::InfrastructureWrite],
            Self::OrderDatastore { .. }
            | Self::DeleteDatastore { .. }
            | Self::CreateMirror { .. }
            | Self::CreateCpool { .. }
            | Self::DeleteCpool { .. }
            | Self::AddHost { .. }
            | Self::RemoveHost { .. }
            | Self::OrderBackupStorage { .. }
            | Self::OrderInternetAccess { .. }
            | Self::Subscribe { .. }
            | Self::Unsubscribe { .. } => &[P::OrderRead, P::OrderWrite],
            Self::CreateNetwork { .. }
            | Self::PropagateNetwork { .. }
            | Self::ShareNetwork { .. }
            | Self::DeleteNetwork { .. } => &[P::NetworkRead, P::NetworkWrite],
            Self::FileServiceRequest { .. }
            | Self::PresentMirror { .. }
            | Self::ActivateMirror { .. }
            | Self::ConfigureKeyProvider { .. }
            | Self::CreateBackupPolicy { .. }
            | Self::ExportEncrypted { .. }
            | Self::EnableHostCrypto { .. }
            | Self::DisableHostCrypto { .. }
            | Self::ReportKey { .. }
            | Self::HostRebooted { .. }
            | Self::HostFailed { .. }
            | Self::OpenVCenter { .. }
            | Self::UpdateFirmware { .. } => &[],
        }
    }

    /// The keys that the key service has to make while it is carried out.
    #[must_use]
    pub const fn needs_key(&self) -> bool {
        matches!(self, Self::Encrypt { .. } | Self::Rekey { .. } | Self::EnableHostCrypto { .. } | Self::BackUp { .. })
    }
}
