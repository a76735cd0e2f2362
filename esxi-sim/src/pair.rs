//! The two halves at work together: vCenter gets keys and brings them to the host, the host does the rest.
//!
//! The order of what is sent is that of a first encryption as seen on the wire: the VM's key is made; its tagging runs
//! beside everything that follows; a host without a host key gets one; the VM's key is fetched; the host encrypts; the
//! key is tagged with the VM. A failure at any point leaves the VM as it was, and a key that nobody uses at the key
//! server, as with vCenter.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ring::rand::SystemRandom;
use secret::Secret;
use thiserror::Error;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::task::JoinHandle;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::disk::{Interrupted, Pace};
use crate::host::dek::WrapError;
use crate::host::rewrite::{Step, Watch};
use crate::host::{CryptoState, Host, HostError, LockReason, Rekey, Vm};
use crate::key::{CryptoKeyId, ProviderId, VmId};
use crate::limits::MAX_CHANGES;
use crate::vcenter::{Attempt, Component, KmsError, Provider, VCenter};

/// Why the pair did not do what it was asked.
#[derive(Debug, Error)]
pub enum PairError {
    /// The host.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A key provider.
    #[error(transparent)]
    Kms(#[from] KmsError),
    /// A thread did not come back. The state on disk is as the rules of rewriting leave it.
    #[error("the work was cut off")]
    CutOff,
}

/// A vCenter and the host it manages.
pub struct Pair {
    vcenter: VCenter,
    host: Host,
    random: SystemRandom,
    stop: Stop,
    /// Held while the host gets its key, so that VMs encrypted side by side do not each bring one.
    preparing: Mutex<()>,
    changes: Semaphore,
}

/// Lets copies go on until the process is to end.
#[derive(Debug, Default)]
struct Stop(AtomicBool);

impl Pace for Stop {
    fn copied(&self, _: u64) -> Result<(), Interrupted> {
        if self.0.load(Ordering::Acquire) { Err(Interrupted) } else { Ok(()) }
    }
}

impl Watch for Stop {
    /// Steps are not where to stop: between two chunks is soon enough.
    fn reached(&self, _: Step) -> Result<(), Interrupted> {
        Ok(())
    }
}

impl Pair {
    /// Starts both halves on the state in `folder`: a host boots, a vCenter reads its providers.
    ///
    /// # Errors
    /// [`PairError`] for state that cannot be read.
    pub fn start(folder: &Path, host_name: &str, host_uuid: Option<Uuid>) -> Result<Self, PairError> {
        let host = Host::boot(&folder.join("host"), host_name, host_uuid)?;
        let vcenter = VCenter::open(&folder.join("vcenter"))?;
        let (preparing, changes) = (Mutex::new(()), Semaphore::new(MAX_CHANGES));
        Ok(Self { vcenter, host, random: SystemRandom::new(), stop: Stop::default(), preparing, changes })
    }

    /// The vCenter half.
    #[must_use]
    pub fn vcenter(&self) -> &VCenter {
        &self.vcenter
    }

    /// The ESXi half.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Lets copies under way stop at their next chunk and leave their VMs as they were.
    pub fn stop(&self) {
        self.stop.0.store(true, Ordering::Release);
    }

    /// Registers a VM; see [`Host::register`].
    ///
    /// # Errors
    /// [`PairError::Host`].
    pub async fn register(
        self: &Arc<Self>,
        id: VmId,
        disks: Vec<PathBuf>,
        uuid: Option<Uuid>,
    ) -> Result<Arc<Vm>, PairError> {
        self.blocking(move |pair| pair.host.register(id, &disks, uuid)).await
    }

    /// Encrypts a VM: under a new key of `provider`, or of the only provider there is.
    ///
    /// # Errors
    /// [`PairError`]; the VM is as it was.
    pub async fn encrypt(self: &Arc<Self>, id: &VmId, provider: Option<&ProviderId>) -> Result<CryptoKeyId, PairError> {
        let vm = self.host.vm(id)?;
        let change = vm.begin()?;
        let _turn = self.turn().await?;
        // Before a key is made that nobody would use.
        let change = self.blocking(move |_| change.check_encrypt().map(|()| change)).await?;
        let provider = self.provider(provider)?;
        let (key, secret) = self.new_key(&provider).await?;
        let named = key.clone();
        self.blocking(move |pair| change.encrypt(&named, &secret, &pair.random, &pair.stop)).await?;
        let tagged = provider.tag_owner(&key, vm.uuid(), Component::VirtualMachine, id.as_str()).await;
        self.note_tagging(tagged);
        tracing::info!(vm = %id, key = %key, "encrypted");
        Ok(key)
    }

    /// Brings an encrypted VM's key to the host, from the cache or the key server, and with it its DEKs.
    ///
    /// # Errors
    /// [`HostError::Locked`] with the reason; [`HostError::NotEncrypted`].
    pub async fn unlock(self: &Arc<Self>, id: &VmId) -> Result<CryptoKeyId, PairError> {
        let vm = self.host.vm(id)?;
        let change = vm.begin()?;
        let key = vm.key().ok_or_else(|| HostError::NotEncrypted(id.clone()))?;
        let secret = match self.bring(&key).await {
            Ok(secret) => secret,
            Err(reason) => {
                vm.note_lock(reason.clone());
                return Err(HostError::Locked { key, reason }.into());
            }
        };
        let unlocked = self.blocking(move |_| change.unlock(&secret)).await;
        self.drop_useless(&key, unlocked)?;
        self.restore_host_key().await;
        tracing::info!(vm = %id, key = %key, "unlocked");
        Ok(key)
    }

    /// Puts an encrypted VM under a new key. The old key stays at the key server.
    ///
    /// # Errors
    /// [`PairError`]; the VM is as it was.
    pub async fn rekey(
        self: &Arc<Self>,
        id: &VmId,
        how: Rekey,
        provider: Option<&ProviderId>,
    ) -> Result<CryptoKeyId, PairError> {
        let vm = self.host.vm(id)?;
        let change = vm.begin()?;
        let _turn = self.turn().await?;
        let old = vm.key().ok_or_else(|| HostError::NotEncrypted(id.clone()))?;
        let old_secret = self.bring(&old).await.map_err(|reason| HostError::Locked { key: old.clone(), reason })?;
        let provider = self.provider(provider.or(Some(&old.provider_id)))?;
        let (key, secret) = self.new_key(&provider).await?;
        let named = key.clone();
        let rekey = move |pair: &Self| change.rekey(how, &old_secret, &named, &secret, &pair.random, &pair.stop);
        let rekeyed = self.blocking(rekey).await;
        self.drop_useless(&old, rekeyed)?;
        let tagged = provider.tag_owner(&key, vm.uuid(), Component::VirtualMachine, id.as_str()).await;
        self.note_tagging(tagged);
        tracing::info!(vm = %id, old = %old, new = %key, ?how, "under a new key");
        Ok(key)
    }

    /// Writes an encrypted VM in clear again. Its key stays at the key server.
    ///
    /// # Errors
    /// [`PairError`]; the VM is as it was.
    pub async fn decrypt(self: &Arc<Self>, id: &VmId) -> Result<(), PairError> {
        let vm = self.host.vm(id)?;
        let change = vm.begin()?;
        let _turn = self.turn().await?;
        let key = vm.key().ok_or_else(|| HostError::NotEncrypted(id.clone()))?;
        let secret = self.bring(&key).await.map_err(|reason| HostError::Locked { key: key.clone(), reason })?;
        let decrypted = self.blocking(move |pair| change.decrypt(&secret, &pair.stop)).await;
        self.drop_useless(&key, decrypted)?;
        tracing::info!(vm = %id, key = %key, "in clear");
        Ok(())
    }

    /// Encrypts a VM under a key that a provider has made already.
    ///
    /// # Errors
    /// [`PairError`]; the VM is as it was.
    pub async fn encrypt_under(self: &Arc<Self>, id: &VmId, key: &CryptoKeyId) -> Result<(), PairError> {
        let change = self.host.vm(id)?.begin()?;
        let _turn = self.turn().await?;
        let secret = self.bring(key).await.map_err(|reason| HostError::Locked { key: key.clone(), reason })?;
        let named = key.clone();
        self.blocking(move |pair| change.encrypt(&named, &secret, &pair.random, &pair.stop)).await
    }

    /// Puts an encrypted VM under a key that a provider has made already.
    ///
    /// # Errors
    /// [`PairError`]; the VM is as it was.
    pub async fn rekey_under(self: &Arc<Self>, id: &VmId, how: Rekey, key: &CryptoKeyId) -> Result<(), PairError> {
        let vm = self.host.vm(id)?;
        let change = vm.begin()?;
        let _turn = self.turn().await?;
        let old = vm.key().ok_or_else(|| HostError::NotEncrypted(id.clone()))?;
        let locked = |key: &CryptoKeyId, reason| HostError::Locked { key: key.clone(), reason };
        let old_secret = self.bring(&old).await.map_err(|reason| locked(&old, reason))?;
        let secret = self.bring(key).await.map_err(|reason| locked(key, reason))?;
        let named = key.clone();
        let rekey = move |pair: &Self| change.rekey(how, &old_secret, &named, &secret, &pair.random, &pair.stop);
        let rekeyed = self.blocking(rekey).await;
        self.drop_useless(&old, rekeyed)
    }

    /// Reads from a VM's disk, decrypted; see [`Vm::read_disk`].
    ///
    /// # Errors
    /// [`PairError::Host`].
    pub async fn read_disk(
        self: &Arc<Self>,
        id: &VmId,
        disk: usize,
        offset: u64,
        len: u64,
    ) -> Result<Zeroizing<Vec<u8>>, PairError> {
        let vm = self.host.vm(id)?;
        self.blocking(move |_| vm.read_disk(disk, offset, len)).await
    }

    /// Copies a VM's disk in clear into the new file `target`; see [`Vm::decrypted_copy`].
    ///
    /// # Errors
    /// [`PairError::Host`].
    pub async fn decrypted_copy(self: &Arc<Self>, id: &VmId, disk: usize, target: PathBuf) -> Result<(), PairError> {
        let vm = self.host.vm(id)?;
        self.blocking(move |pair| vm.decrypted_copy(disk, &target, &pair.stop)).await
    }

    /// A new key in the host's memory; its tagging with the product runs meanwhile.
    async fn new_key(self: &Arc<Self>, provider: &Arc<Provider>) -> Result<(CryptoKeyId, Arc<Secret>), PairError> {
        let key = provider.generate().await?;
        let tagging = self.tag_product(provider, &key);
        let fetch = async {
            self.make_safe(provider).await?;
            Ok::<_, PairError>(provider.fetch(&key).await?.secret)
        };
        let fetched = fetch.await;
        // Waited for either way: nothing of this action runs on after its end.
        self.join_tagging(tagging).await;
        let secret = fetched?;
        self.host.add_key(key.clone(), Arc::clone(&secret));
        Ok((key, secret))
    }

    /// Sees to it that the host has a host key in memory, a new one if it never had one or the old one is gone.
    ///
    /// # Errors
    /// [`PairError`], where the key servers give none.
    pub async fn make_safe(self: &Arc<Self>, provider: &Arc<Provider>) -> Result<(), PairError> {
        let _preparing = self.preparing.lock().await;
        if self.host.crypto_state() == CryptoState::Safe {
            return Ok(());
        }
        if let Some(key) = self.host.host_key() {
            match self.bring(&key).await {
                Ok(_) => return Ok(()),
                Err(LockReason::KeyMissingOnKms) => {
                    tracing::warn!(key = %key, "the host key is gone from the key server; making a new one");
                }
                Err(reason) => return Err(HostError::Locked { key, reason }.into()),
            }
        }
        let key = provider.generate().await?;
        let tagging = self.tag_product(provider, &key);
        let fetched = provider.fetch(&key).await;
        self.join_tagging(tagging).await;
        let (named, secret) = (key.clone(), fetched?.secret);
        self.blocking(move |pair| pair.host.enable(named, secret)).await?;
        let tagged = provider.tag_owner(&key, self.host.uuid(), Component::Host, &self.host.name()).await;
        self.note_tagging(tagged);
        tracing::info!(key = %key, "host key");
        Ok(())
    }

    /// After a reboot, vCenter brings the host key too. A VM does not need it, so failing is only noted.
    async fn restore_host_key(&self) {
        if self.host.crypto_state() == CryptoState::Prepared
            && let Some(key) = self.host.host_key()
            && let Err(reason) = self.bring(&key).await
        {
            tracing::warn!(key = %key, %reason, "host key");
        }
    }

    /// Forgets a key that did not open what it should, so that the next attempt asks for it again.
    fn drop_useless(&self, key: &CryptoKeyId, outcome: Result<(), PairError>) -> Result<(), PairError> {
        let useless = matches!(
            outcome,
            Err(PairError::Host(
                HostError::Locked { reason: LockReason::KeyDoesNotOpen, .. } | HostError::Wrap(WrapError::DoesNotOpen)
            ))
        );
        if useless {
            self.host.remove_key(key);
        }
        outcome
    }

    /// A place among the changes that run at the same time.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, PairError> {
        self.changes.acquire().await.map_err(|_| PairError::CutOff)
    }

    /// A key that has a name already: from the host's memory, else from the key server into it.
    ///
    /// # Errors
    /// Why the VMs under it stay locked.
    pub async fn bring(&self, key: &CryptoKeyId) -> Result<Arc<Secret>, LockReason> {
        if let Some(secret) = self.host.cached(key) {
            return Ok(secret);
        }
        let fetched = match self.vcenter.provider(&key.provider_id) {
            Ok(provider) => provider.fetch(key).await,
            Err(error) => Err(error),
        };
        match fetched {
            Ok(fetched) => {
                self.host.add_key(key.clone(), Arc::clone(&fetched.secret));
                Ok(fetched.secret)
            }
            Err(KmsError::KeyMissing(_)) => Err(LockReason::KeyMissingOnKms),
            Err(KmsError::KeyNotActive { state, .. }) => Err(LockReason::KeyStateNotActiveOrEnabled { state }),
            Err(KmsError::AllFailed { attempts, .. }) => {
                let detail = attempts.iter().map(Attempt::to_string).collect::<Vec<_>>().join("; ");
                Err(LockReason::KmsClusterError { detail })
            }
            Err(other) => Err(LockReason::KmsClusterError { detail: other.to_string() }),
        }
    }

    fn provider(&self, id: Option<&ProviderId>) -> Result<Arc<Provider>, KmsError> {
        id.map_or_else(|| self.vcenter.default_provider(), |id| self.vcenter.provider(id))
    }

    fn tag_product(&self, provider: &Arc<Provider>, key: &CryptoKeyId) -> JoinHandle<Result<(), KmsError>> {
        let (provider, key) = (Arc::clone(provider), key.clone());
        tokio::spawn(async move { provider.tag_product(&key).await })
    }

    async fn join_tagging(&self, tagging: JoinHandle<Result<(), KmsError>>) {
        self.note_tagging(tagging.await.unwrap_or(Ok(())));
    }

    /// A key without tags is as good as one with them.
    fn note_tagging(&self, tagged: Result<(), KmsError>) {
        if let Err(error) = tagged {
            self.vcenter.counters().count("tagging.failures");
            tracing::warn!(%error, "the key stays without tags");
        }
    }

    /// Runs what blocks on a thread made for it, to its end even if nobody waits any more.
    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, HostError> + Send + 'static,
    ) -> Result<T, PairError> {
        let pair = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || work(&pair)).await;
        Ok(done.map_err(|_| PairError::CutOff)??)
    }
}
