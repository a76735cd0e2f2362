//! The platform as it is now, and the only way in which it changes: one change at a time, written before it is seen.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use provisioning::command::Outcome;
use provisioning::ids::{ActivityId, TenantId};
use provisioning::permission::Permissions;
use provisioning::saga::{Next, Progress, Step};
use provisioning::{Actor, ApplyError, Command, Finding, Inventory, Plan, Request, apply, plan};
use thiserror::Error;
use tokio::sync::{Mutex, Semaphore};
use uuid::Uuid;

use crate::hypervisor::Hypervisors;
use crate::limits::{UNFINISHED, WORKING};
use crate::store::{Activity, ActivityState, Event, Given, Store, StoreError, TokenUse};

/// Somebody who is known, in the tenant they work in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// What they log in with.
    pub login: String,
    /// The tenant; what belongs to another does not exist for them.
    pub tenant: TenantId,
    /// What they may do in it now.
    pub permissions: Permissions,
}

impl Principal {
    /// The one who asks, as the rules see them.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::Tenant { tenant: self.tenant.clone(), permissions: self.permissions.clone() }
    }
}

/// Why nothing was begun.
#[derive(Debug, Error)]
pub enum Refusal {
    /// Every rule against it.
    #[error("{} rules refuse it", .0.len())]
    Findings(Vec<Finding>),
    /// The rules allow it, and the hypervisors of this console cannot do it.
    #[error("the hypervisors that this console reaches cannot carry out \"{0}\"")]
    NotCarriedOut(String),
    /// The client's token was used for another request.
    #[error("the client token was used for another request")]
    TokenUsed,
    /// The thing is not what the caller has seen any more.
    #[error("it was changed meanwhile")]
    Changed,
    /// More activities than a tenant may have waiting.
    #[error("too many activities of this tenant are not finished")]
    TooMany,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An inventory and its version.
#[derive(Debug)]
pub struct Current {
    /// Goes up with every change.
    pub version: u64,
    /// What exists.
    pub inventory: Inventory,
}

/// How a request is to be taken.
#[derive(Default)]
pub struct Conditions<'a> {
    /// What the client calls it.
    pub given: Option<Given<'a>>,
    /// Whether the inventory is still what the client saw.
    pub unchanged: Option<&'a (dyn Fn(&Inventory) -> bool + Send + Sync)>,
}

/// The platform.
pub struct Platform {
    /// What is kept.
    pub store: Store,
    /// Who carries things out.
    pub hypervisors: Hypervisors,
    current: RwLock<Arc<Current>>,
    writing: Mutex<()>,
    pub(crate) working: Semaphore,
}

/// Seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl Platform {
    /// The platform as the store has it. Activities that were cut off go on with [`Platform::resume`].
    ///
    /// # Errors
    /// [`StoreError`], where the inventory cannot be read.
    pub async fn open(store: Store, hypervisors: Hypervisors) -> Result<Arc<Self>, StoreError> {
        let (version, inventory) = store.inventory().await?;
        Ok(Arc::new(Self {
            store,
            hypervisors,
            current: RwLock::new(Arc::new(Current { version, inventory })),
            writing: Mutex::new(()),
            working: Semaphore::new(WORKING),
        }))
    }

    /// What exists now. It does not change under the reader.
    #[must_use]
    pub fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a whole inventory in, where there is none yet or `replace` says so; whether it did.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn import(&self, inventory: Inventory, replace: bool) -> Result<bool, StoreError> {
        let _writing = self.writing.lock().await;
        let before = self.current();
        if before.version > 0 && !replace {
            return Ok(false);
        }
        let version = self.store.import(before.version, &inventory).await?;
        self.swap(version, inventory);
        Ok(true)
    }

    /// What would be done, without doing it.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn try_out(&self, who: &Principal, command: &Command) -> Result<Plan, Refusal> {
        let current = self.current();
        let request = Request { actor: who.actor(), command: command.clone() };
        let planned = plan(&current.inventory, &request).map_err(Refusal::Findings)?;
        if !Hypervisors::carry_out(&current.inventory, command) {
            return Err(Refusal::NotCarriedOut(command.name()));
        }
        Ok(planned)
    }

    /// Begins what is asked, if every rule allows it. What takes no time is done when this returns; for the rest the VM
    /// is held, and the activity goes on by itself.
    ///
    /// # Errors
    /// [`Refusal`]; nothing has changed then.
    pub async fn begin(
        self: &Arc<Self>,
        who: &Principal,
        command: Command,
        conditions: &Conditions<'_>,
    ) -> Result<Activity, Refusal> {
        let _writing = self.writing.lock().await;
        if let Some(given) = &conditions.given {
            match self.store.token_use(&who.tenant, &who.login, given).await? {
                TokenUse::New => {}
                TokenUse::Other => return Err(Refusal::TokenUsed),
                TokenUse::Same(id) => {
                    let before = self.store.activity(&who.tenant, &id).await?;
                    return before.ok_or(Refusal::TokenUsed);
                }
            }
        }
        let current = self.current();
        if conditions.unchanged.is_some_and(|unchanged| !unchanged(&current.inventory)) {
            return Err(Refusal::Changed);
        }
        let planned = self.try_out(who, &command)?;
        if self.store.unfinished_of(&who.tenant).await? >= UNFINISHED {
            return Err(Refusal::TooMany);
        }
        let mut activity = new_activity(who, &current.inventory, planned);
        let event = match activity.progress.next() {
            Next::Do(Step::HoldVm) => self.held(&activity),
            // Nothing takes time: it holds with the answer.
            _ => Some(Event::Applied { request: activity.request.clone(), outcome: Outcome::default() }),
        };
        let after = match &event {
            Some(Event::Applied { request, outcome }) => applied(&current.inventory, request, outcome)?,
            Some(event) => event.after(&current.inventory).ok_or(Refusal::Changed)?,
            None => return Err(Refusal::Changed),
        };
        activity.progress = activity.progress.succeeded();
        settle_state(&mut activity);
        let change = event.as_ref().map(|event| (event, &after));
        let version = self.store.commit(current.version, change, &mut activity, conditions.given.as_ref()).await?;
        self.swap(version, after);
        if !activity.state.is_final() {
            self.drive(activity.clone());
        }
        Ok(activity)
    }

    fn held(&self, activity: &Activity) -> Option<Event> {
        let vm = activity.request.command.vm()?.clone();
        Some(Event::Held { vm, activity: activity.id.clone() })
    }

    /// The step that was next is done: written down together with what it changes in the inventory.
    pub(crate) async fn advance(&self, activity: &mut Activity) -> Result<(), Refusal> {
        let _writing = self.writing.lock().await;
        let current = self.current();
        let vm = activity.request.command.vm().cloned();
        let id = activity.id.clone();
        let event = match (activity.progress.next(), vm) {
            (Next::Do(Step::Commit), _) => {
                let outcome = Outcome { key: activity.key.clone(), activity: Some(id) };
                Some(Event::Applied { request: activity.request.clone(), outcome })
            }
            (Next::Do(Step::HoldVm), Some(vm)) => Some(Event::Held { vm, activity: id }),
            (Next::Do(Step::LetGo) | Next::Undo(Step::HoldVm), Some(vm)) => Some(Event::LetGo { vm, activity: id }),
            _ => None,
        };
        let after = match &event {
            None => None,
            Some(Event::Applied { request, outcome }) => Some(applied(&current.inventory, request, outcome)?),
            Some(event) => Some(event.after(&current.inventory).ok_or(Refusal::Changed)?),
        };
        let mut next = activity.clone();
        next.progress = next.progress.succeeded();
        next.updated_at = now();
        settle_state(&mut next);
        let change = event.as_ref().zip(after.as_ref());
        let version = self.store.commit(current.version, change, &mut next, None).await?;
        if let Some(after) = after {
            self.swap(version, after);
        }
        *activity = next;
        Ok(())
    }

    /// Something about an activity has changed that is no step.
    pub(crate) async fn note(&self, activity: &mut Activity) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        activity.updated_at = now();
        self.store.commit(self.current().version, None, activity, None).await?;
        Ok(())
    }

    fn swap(&self, version: u64, inventory: Inventory) {
        let next = Arc::new(Current { version, inventory });
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
    }
}

fn applied(inventory: &Inventory, request: &Request, outcome: &Outcome) -> Result<Inventory, Refusal> {
    let plan = Plan { request: request.clone(), warnings: Vec::new(), steps: Vec::new() };
    apply(inventory, &plan, outcome).map_err(|error| match error {
        ApplyError::Refused(findings) => Refusal::Findings(findings),
        ApplyError::KeyMissing | ApplyError::KeyNotNew(_) => Refusal::NotCarriedOut(request.command.name()),
    })
}

fn settle_state(activity: &mut Activity) {
    activity.state = match activity.progress.next() {
        Next::Completed => ActivityState::Completed,
        Next::Undone => ActivityState::Failed,
        Next::Do(_) | Next::Undo(_) => ActivityState::Running,
    };
}

fn new_activity(who: &Principal, inventory: &Inventory, planned: Plan) -> Activity {
    let vm = planned.request.command.vm().and_then(|vm| inventory.vm(vm));
    let key_before = vm.and_then(|vm| vm.encryption.as_ref()).map(|encryption| encryption.key.clone());
    let at = now();
    Activity {
        id: ActivityId::new(Uuid::now_v7().to_string()),
        tenant: who.tenant.clone(),
        login: who.login.clone(),
        request: planned.request,
        progress: Progress::of(planned.steps),
        state: ActivityState::Waiting,
        key: None,
        key_before,
        reason: None,
        created_at: at,
        updated_at: at,
        version: 0,
    }
}
