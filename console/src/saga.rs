//! Activities that take time, carried out step by step: each step is done, then written down; what is cut off between
//! the two is done again.
//!
//! A step that fails [`ATTEMPTS`] times before the commit turns the activity round: what was done is undone, last first,
//! until the VM is let go and is what it was. After the commit there is only forward. Undoing and what follows the
//! commit is tried until it succeeds, with growing pauses: meanwhile the VM stays held, and so between two states for
//! nobody.

use std::sync::Arc;

use provisioning::command::{Command, Depth};
use provisioning::saga::{Next, Step};
use thiserror::Error;

use crate::fault::{self, Moment};
use crate::hypervisor::{HypervisorError, Place};
use crate::limits::{ATTEMPTS, RETRY};
use crate::platform::{Platform, Refusal};
use crate::store::{Activity, StoreError};

#[derive(Debug, Error)]
enum StepError {
    #[error(transparent)]
    Hypervisor(#[from] HypervisorError),
    #[error(transparent)]
    Store(StoreError),
    #[error("{0}")]
    Refused(Refusal),
    #[error("the virtual machine or its key provider is gone")]
    Gone,
    #[error("this hypervisor has no such step")]
    NoSuchStep,
}

impl StepError {
    /// Whether it would be the same the next time. What the rules forbid they forbid then, too.
    const fn is_for_good(&self) -> bool {
        match self {
            Self::Hypervisor(error) => error.is_for_good(),
            Self::Refused(_) | Self::NoSuchStep => true,
            Self::Store(_) | Self::Gone => false,
        }
    }
}

impl From<Refusal> for StepError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Store(error) => Self::Store(error),
            other => Self::Refused(other),
        }
    }
}

impl Platform {
    /// Goes on with every activity that was cut off; how many there are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn resume(self: &Arc<Self>) -> Result<usize, StoreError> {
        let unfinished = self.store.unfinished().await?;
        let count = unfinished.len();
        unfinished.into_iter().for_each(|activity| self.drive(activity));
        Ok(count)
    }

    /// Lets an activity go on by itself, to its end.
    pub(crate) fn drive(self: &Arc<Self>, activity: Activity) {
        let platform = Arc::clone(self);
        tokio::spawn(async move {
            let Ok(_turn) = platform.working.acquire().await else { return };
            let id = activity.id.clone();
            if let Err(error) = platform.to_its_end(activity).await {
                // What is on the disk is whole; the next start goes on from there.
                tracing::error!(activity = %id, error = &error as &dyn std::error::Error, "stands still until the next start");
            }
        });
    }

    async fn to_its_end(&self, mut activity: Activity) -> Result<(), StoreError> {
        let mut attempts = 0;
        while !activity.state.is_final() {
            let next = activity.progress.next();
            match self.step(next, &mut activity).await {
                Ok(()) => attempts = 0,
                Err(StepError::Store(error)) => return Err(error),
                Err(error) => {
                    attempts += 1;
                    self.failed(&mut activity, next, &error, attempts).await?;
                }
            }
        }
        tracing::info!(activity = %activity.id, state = activity.state.text(), reason = activity.reason, "ended");
        Ok(())
    }

    async fn step(&self, next: Next, activity: &mut Activity) -> Result<(), StepError> {
        fault::reached(activity, next, Moment::Before);
        match next {
            Next::Do(step) => self.do_step(step, activity).await?,
            Next::Undo(step) => self.undo_step(step, activity).await?,
            Next::Completed | Next::Undone => {}
        }
        fault::reached(activity, next, Moment::Done);
        self.advance(activity).await?;
        fault::reached(activity, next, Moment::Written);
        Ok(())
    }

    /// A step has failed. Before the commit the activity goes back after some attempts; otherwise it is tried again.
    async fn failed(
        &self,
        activity: &mut Activity,
        next: Next,
        error: &StepError,
        attempts: u32,
    ) -> Result<(), StoreError> {
        tracing::warn!(activity = %activity.id, ?next, attempts, %error, "a step failed");
        let may_go_back = matches!(next, Next::Do(step) if step.is_before_commit() || step == Step::Commit);
        let for_good = attempts >= ATTEMPTS || error.is_for_good();
        if may_go_back && for_good {
            activity.reason = Some(error.to_string());
            activity.progress = activity.progress.clone().failed();
            return self.note(activity).await;
        }
        let pause = RETRY.0.saturating_mul(1_u32.checked_shl(attempts.min(16)).unwrap_or(u32::MAX)).min(RETRY.1);
        tokio::time::sleep(pause).await;
        Ok(())
    }

    async fn do_step(&self, step: Step, activity: &mut Activity) -> Result<(), StepError> {
        match step {
            // These are changes of the inventory, which are written with the progress.
            Step::HoldVm | Step::Commit | Step::LetGo => Ok(()),
            Step::MakeKey => {
                activity.key = Some(self.hypervisors.make_key(&self.place(activity)?).await?);
                Ok(())
            }
            Step::GiveKeyToHost => {
                let key = activity.key.as_ref().or(activity.key_before.as_ref()).ok_or(StepError::Gone)?;
                Ok(self.hypervisors.give_key(&self.place(activity)?, key).await?)
            }
            Step::WriteCopies | Step::WrapDiskKeys => {
                let place = self.place(activity)?;
                Ok(self.hypervisors.bring_under(&place, activity.key.as_ref(), depth(activity)).await?)
            }
            // The host has removed the old files with its own switch; one that was cut off in it removes them at its boot.
            Step::DeleteOld => {
                let is = self.hypervisors.key_of(&self.place(activity)?).await?;
                if is == activity.key { Ok(()) } else { Err(StepError::Gone) }
            }
            _ => Err(StepError::NoSuchStep),
        }
    }

    async fn undo_step(&self, step: Step, activity: &Activity) -> Result<(), StepError> {
        match step {
            Step::WriteCopies | Step::WrapDiskKeys => {
                // What a deep re-key has written is brought under the key of before; that it has other disk keys now
                // makes it no less what it was.
                let (place, before) = (self.place(activity)?, activity.key_before.as_ref());
                Ok(self.hypervisors.bring_under(&place, before, Depth::Shallow).await?)
            }
            // A key that nothing uses harms nobody.
            _ => Ok(()),
        }
    }

    fn place(&self, activity: &Activity) -> Result<Place, StepError> {
        let vm = activity.request.command.vm().ok_or(StepError::Gone)?;
        Place::of(&self.current().inventory, vm).ok_or(StepError::Gone)
    }

    /// How far an activity is, in per cent: whole steps, and within the one that writes disks the bytes.
    pub async fn percent(&self, activity: &Activity) -> u64 {
        let whole = activity.progress.percent();
        if activity.state.is_final() || activity.progress.next() != Next::Do(Step::WriteCopies) {
            return whole;
        }
        let after = activity.progress.clone().succeeded().percent();
        let Ok(place) = self.place(activity) else { return whole };
        let Some((done, total)) = self.hypervisors.progress(&place).await else { return whole };
        whole + (after.saturating_sub(whole)).saturating_mul(done).checked_div(total).unwrap_or(0)
    }
}

const fn depth(activity: &Activity) -> Depth {
    match activity.request.command {
        Command::Rekey { depth, .. } => depth,
        _ => Depth::Deep,
    }
}
