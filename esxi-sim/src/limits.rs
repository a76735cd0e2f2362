//! Every limit of the simulator: value and reason.

use std::time::Duration;

/// Bytes of a sector, the unit that XTS encrypts and numbers. The sector size of every virtual disk of vSphere.
pub const SECTOR: usize = 512;

/// Bytes copied between two looks at whether to stop. Large enough for the disk, small enough for a quick stop.
pub const COPY_CHUNK: usize = 1 << 20;

/// The largest virtual disk: 62 TiB, the limit of VMFS. Keeps sector numbers and sums far from overflow.
pub const MAX_DISK: u64 = 62 << 40;

/// Disks of one VM: four SCSI controllers with 15 disks each.
pub const MAX_DISKS: usize = 60;

/// Bytes of one read through the API. A caller that wants a whole disk asks for a decrypted copy.
pub const MAX_READ: u64 = 4 << 20;

/// Bytes of a VM's configuration or of a provider's: sixty disks with their wrapped keys take less than 64 KiB.
pub const MAX_CONFIG: u64 = 1 << 20;

/// Characters of a name that becomes a folder or stands in a message: VM, provider, server.
pub const MAX_NAME: usize = 80;

/// Characters of a key's identifier, which the key server chose. A UUID has 36.
pub const MAX_KEY_ID: usize = 256;

/// VMs of one host. vSphere allows 1024 per host.
pub const MAX_VMS: usize = 1024;

/// Providers of one vCenter: a vStack of one tenant has one or two.
pub const MAX_PROVIDERS: usize = 64;

/// Servers of one provider; three zones have one each.
pub const MAX_SERVERS: usize = 16;

/// Between two health checks of a server, as measured on vCenter 7.0.3.
pub const HEALTH_INTERVAL: Duration = Duration::from_secs(300);

/// Bytes of a request to the API: paths and names only.
pub const MAX_REQUEST: usize = 64 << 10;

/// Bytes of a PEM or password file.
pub const MAX_PEM: u64 = 1 << 20;

/// Encryptions and rekeys at the same time; further ones wait. Each keeps a thread and a disk busy.
pub const MAX_CHANGES: usize = 8;

/// For the headers of a request to the API: a local caller sends them at once.
pub const HEADER_DEADLINE: Duration = Duration::from_secs(10);

/// Connections to the API at the same time; further ones wait.
pub const MAX_CONNECTIONS: usize = 256;

const _: () = assert!(COPY_CHUNK.is_multiple_of(SECTOR), "a chunk is whole sectors");
const _: () = assert!(MAX_DISK.is_multiple_of(SECTOR as u64), "a disk is whole sectors");
