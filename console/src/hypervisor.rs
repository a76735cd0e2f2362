//! The hypervisors under the vStacks: one simulated vCenter with its host for each, which speaks KMIP to the key servers
//! and really encrypts.
//!
//! Each disk of the inventory has a **stand-in image** of a size that the configuration says, because nobody has room
//! for the disks of a whole platform; what is done to it is what would be done to the disk. Everything here can be done
//! again after having been cut off: what a VM *is* stands in its host's configuration file, which is replaced as a whole.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use esxi_sim::host::Rekey;
use esxi_sim::key::{self, CryptoKeyId, ProviderId};
use esxi_sim::pair::{Pair, PairError};
use esxi_sim::vcenter::{Component, KmsError, Provider, Spec};
use provisioning::Inventory;
use provisioning::command::{Command, Depth};
use provisioning::ids::{KeyId, KeyProviderId, VStackId, VmId};
use provisioning::model::vm::Vm;
use provisioning::saga::{Step, steps};
use thiserror::Error;
use tokio::sync::Mutex;

/// Why a hypervisor did not do its part.
#[derive(Debug, Error)]
pub enum HypervisorError {
    /// The vStack has no vCenter that this console reaches.
    #[error("no vCenter of vStack \"{0}\" is configured")]
    NoVCenter(VStackId),
    /// A name that the hypervisor cannot have.
    #[error("the hypervisor cannot name it: {0}")]
    Name(#[from] key::NameError),
    /// The hypervisor or its key servers.
    #[error(transparent)]
    Pair(#[from] PairError),
    /// The key servers.
    #[error(transparent)]
    Kms(#[from] KmsError),
    /// The stand-in images.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The inventory and the hypervisor contradict each other.
    #[error("the hypervisor has the virtual machine {0}")]
    Differs(String),
}

impl HypervisorError {
    /// Whether it would be the same the next time: what is configured or kept contradicts what is asked.
    #[must_use]
    pub const fn is_for_good(&self) -> bool {
        matches!(self, Self::NoVCenter(_) | Self::Name(_) | Self::Differs(_))
    }
}

/// Where a VM is.
#[derive(Clone, Debug)]
pub struct Place {
    /// The vStack that manages it.
    pub vstack: VStackId,
    /// Its key provider.
    pub provider: KeyProviderId,
    /// The VM as the inventory has it.
    pub vm: Vm,
}

impl Place {
    /// Where a VM of the inventory is; `None` for one whose vStack has no key provider.
    #[must_use]
    pub fn of(inventory: &Inventory, vm: &VmId) -> Option<Self> {
        let vm = inventory.vm(vm)?;
        let vstack = inventory.vstack(&inventory.cpool(&vm.cpool)?.vstack)?;
        let provider = vstack.key_provider.as_ref()?.id.clone();
        Some(Self { vstack: vstack.id.clone(), provider, vm: vm.clone() })
    }
}

/// The vCenters that the console reaches.
pub struct Hypervisors {
    folder: PathBuf,
    image_bytes: u64,
    providers: BTreeMap<VStackId, Spec>,
    pairs: Mutex<BTreeMap<VStackId, Arc<Pair>>>,
}

impl Hypervisors {
    /// Their state lies in `folder`; each disk's stand-in has `image_bytes`, a multiple of 512.
    #[must_use]
    pub fn new(folder: PathBuf, image_bytes: u64, providers: BTreeMap<VStackId, Spec>) -> Self {
        Self { folder, image_bytes, providers, pairs: Mutex::new(BTreeMap::new()) }
    }

    /// Whether the hypervisors can do what the command takes. What changes only what is agreed, they need not do.
    #[must_use]
    pub fn carry_out(inventory: &Inventory, command: &Command) -> bool {
        match command {
            Command::Encrypt { .. } | Command::Rekey { .. } | Command::Decrypt { .. } => true,
            // A key is destroyed at the key service, and an export leaves the platform: neither is ours to do.
            Command::DestroyKey { .. } | Command::ExportOvf { .. } => false,
            other => steps(inventory, other)[..] == [Step::Commit],
        }
    }

    /// Has a key made in the tenant's domain.
    ///
    /// # Errors
    /// [`HypervisorError`], where no key server gives one.
    pub async fn make_key(&self, place: &Place) -> Result<KeyId, HypervisorError> {
        let pair = self.pair(&place.vstack).await?;
        let provider = provider(&pair, place)?;
        let key = provider.generate().await?;
        note(provider.tag_product(&key).await);
        Ok(KeyId::new(key.key_id))
    }

    /// Brings a key into the host's memory, and a host key if it has none.
    ///
    /// # Errors
    /// [`HypervisorError`], where the key cannot be fetched.
    pub async fn give_key(&self, place: &Place, key: &KeyId) -> Result<(), HypervisorError> {
        let pair = self.pair(&place.vstack).await?;
        let provider = provider(&pair, place)?;
        pair.make_safe(&provider).await?;
        let key = named(place, key)?;
        provider.fetch(&key).await.map(|fetched| pair.host().add_key(key, fetched.secret))?;
        Ok(())
    }

    /// Brings a VM under `key`, or in clear without one; nothing, where it is so already.
    ///
    /// # Errors
    /// [`HypervisorError`]; the VM is as it was.
    pub async fn bring_under(&self, place: &Place, key: Option<&KeyId>, depth: Depth) -> Result<(), HypervisorError> {
        let pair = self.pair(&place.vstack).await?;
        let id = self.settle(&pair, place).await?;
        let vm = pair.host().vm(&id).map_err(PairError::from)?;
        let wanted = key.map(|key| named(place, key)).transpose()?;
        match (vm.key(), wanted) {
            (is, wanted) if is == wanted => return Ok(()),
            (_, None) => pair.decrypt(&id).await?,
            (None, Some(key)) => pair.encrypt_under(&id, &key).await?,
            (Some(_), Some(key)) => pair.rekey_under(&id, how(depth), &key).await?,
        }
        if let (Some(key), Ok(provider)) = (vm.key(), provider(&pair, place)) {
            note(provider.tag_owner(&key, vm.uuid(), Component::VirtualMachine, id.as_str()).await);
        }
        Ok(())
    }

    /// The key that the host's configuration of a VM names; `None` for one in clear.
    ///
    /// # Errors
    /// [`HypervisorError`] for a VM that the host cannot have.
    pub async fn key_of(&self, place: &Place) -> Result<Option<KeyId>, HypervisorError> {
        let pair = self.pair(&place.vstack).await?;
        let id = self.settle(&pair, place).await?;
        Ok(pair.host().vm(&id).map_err(PairError::from)?.key().map(|key| KeyId::new(key.key_id)))
    }

    /// Reads from the start of a VM's first disk as its guest would, bringing the key where the host lacks it.
    ///
    /// # Errors
    /// [`HypervisorError`], where the disk cannot be read.
    pub async fn read(&self, place: &Place, len: u64) -> Result<Vec<u8>, HypervisorError> {
        let pair = self.pair(&place.vstack).await?;
        let id = self.settle(&pair, place).await?;
        if pair.host().vm(&id).map_err(PairError::from)?.status().state == "locked" {
            pair.unlock(&id).await?;
        }
        Ok(pair.read_disk(&id, 0, 0, len).await?.to_vec())
    }

    /// Bytes written of those to be written, while a VM's disks are being rewritten.
    pub async fn progress(&self, place: &Place) -> Option<(u64, u64)> {
        let pair = self.pairs.lock().await.get(&place.vstack).cloned()?;
        let vm = pair.host().vm(&place.vm.id.as_str().parse().ok()?).ok()?;
        vm.status().progress.map(|progress| (progress.done, progress.total))
    }

    /// Lets copies under way stop; their VMs stay as they were.
    pub async fn stop(&self) {
        self.pairs.lock().await.values().for_each(|pair| pair.stop());
    }

    async fn pair(&self, vstack: &VStackId) -> Result<Arc<Pair>, HypervisorError> {
        let mut pairs = self.pairs.lock().await;
        if let Some(pair) = pairs.get(vstack) {
            return Ok(Arc::clone(pair));
        }
        let spec = self.providers.get(vstack).cloned().ok_or_else(|| HypervisorError::NoVCenter(vstack.clone()))?;
        let (folder, host) = (self.folder.join(vstack.as_str()), format!("esx-{vstack}"));
        let started = tokio::task::spawn_blocking(move || {
            let pair = Pair::start(&folder, &host, None)?;
            if pair.vcenter().provider(&spec.id).is_err() {
                pair.vcenter().register(&spec)?;
            }
            Ok::<_, HypervisorError>(Arc::new(pair))
        });
        let pair = started.await.map_err(|_| PairError::CutOff)??;
        pairs.insert(vstack.clone(), Arc::clone(&pair));
        Ok(pair)
    }

    /// Registers a VM at its host with stand-in images, unless it is there.
    async fn settle(&self, pair: &Arc<Pair>, place: &Place) -> Result<key::VmId, HypervisorError> {
        let id: key::VmId = place.vm.id.as_str().parse()?;
        if pair.host().vm(&id).is_ok() {
            return Ok(id);
        }
        if place.vm.encryption.is_some() {
            return Err(HypervisorError::Differs("not, but the inventory has it encrypted".to_owned()));
        }
        let folder = self.folder.join(place.vstack.as_str()).join("disks").join(id.as_str());
        let names: Vec<String> = place.vm.disks.iter().map(|disk| disk.id.to_string()).collect();
        let (vm, bytes) = (place.vm.id.to_string(), self.image_bytes);
        let made = tokio::task::spawn_blocking(move || images(&folder, &vm, &names, bytes));
        let disks = made.await.map_err(|_| PairError::CutOff)??;
        pair.register(id.clone(), disks, None).await?;
        Ok(id)
    }
}

/// Stand-in images: what a guest might have written, so that one can see whether it can be read.
fn images(folder: &Path, vm: &str, disks: &[String], bytes: u64) -> Result<Vec<PathBuf>, HypervisorError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| HypervisorError::File { path, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let one = |disk: &String| {
        let path = folder.join(format!("{}.raw", disk.replace(':', "-")));
        let mut file = fs::File::create(&path).map_err(failed(&path))?;
        let line = format!("{:<511}\n", format!("virtual machine {vm}, {disk}: what the guest has written"));
        file.write_all(line.as_bytes()).and_then(|()| file.set_len(bytes)).map_err(failed(&path))?;
        file.sync_all().map_err(failed(&path))?;
        Ok(path)
    };
    disks.iter().map(one).collect()
}

fn named(place: &Place, key: &KeyId) -> Result<CryptoKeyId, HypervisorError> {
    Ok(CryptoKeyId::new(key.as_str(), provider_id(place)?)?)
}

fn provider_id(place: &Place) -> Result<ProviderId, HypervisorError> {
    Ok(place.provider.as_str().parse()?)
}

fn provider(pair: &Pair, place: &Place) -> Result<Arc<Provider>, HypervisorError> {
    Ok(pair.vcenter().provider(&provider_id(place)?)?)
}

const fn how(depth: Depth) -> Rekey {
    match depth {
        Depth::Shallow => Rekey::Shallow,
        Depth::Deep => Rekey::Deep,
    }
}

/// A key without tags is as good as one with them.
fn note(tagged: Result<(), KmsError>) {
    if let Err(error) = tagged {
        tracing::warn!(%error, "the key stays without tags");
    }
}
