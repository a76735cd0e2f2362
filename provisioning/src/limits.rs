//! Every bound of the model that is not a promise to a customer: those stand in the rules.

use crate::units::{Gib, Tib};

/// Bytes of an identifier.
pub const ID_BYTES: usize = 128;
/// Bytes of an inventory file. 5 000 VMs take about 5 MB; ten times that is room enough.
pub const FILE_BYTES: usize = 64 << 20;
/// Things of one kind in an inventory.
pub const THINGS: usize = 100_000;
/// Disks, snapshots or networks of one VM.
pub const PARTS: usize = 256;
/// SCSI controllers of a VM times the disks on each.
pub const DISKS_PER_VM: usize = 4 * 15;
/// A datastore's size: what the hypervisor's file system can hold.
pub const DATASTORE_SIZE: Gib = Tib(64).gib();
/// A disk's size: what the hypervisor can present.
pub const DISK_SIZE: Gib = Tib(62).gib();
/// Memory and CPUs of a VM: what the hypervisor can give.
pub const VM_MEMORY: Gib = Tib(24).gib();
/// See [`VM_MEMORY`].
pub const VM_CPUS: u32 = 768;
/// Faults that a refused inventory names; a file that is wrong throughout is wrong in the same way throughout.
pub const FAULTS: usize = 100;
