//! What a plan does, step by step: each step can be done again without harm, or undone, so that an activity that was cut
//! off finishes or goes back, and never stays between.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Depth};
use crate::ids::{ActivityId, VmId};
use crate::inventory::Inventory;

/// One step of an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Step {
    /// The VM is held, so that no other activity has it. Undone by letting it go.
    HoldVm,
    /// As many of the key service's custodians as its quorum wants have agreed.
    AskQuorum,
    /// A key is made in the tenant's domain. Not undone: a key that nothing uses harms nobody.
    MakeKey,
    /// The host that will write gets the key.
    GiveKeyToHost,
    /// New files are written beside the old ones. Undone by deleting the new ones.
    WriteCopies,
    /// A snapshot is taken, from which files can be read while the VM runs. Undone by deleting it.
    TakeSnapshot,
    /// Data go to the other site, or out of the platform. Undone by deleting them there.
    SendToOtherSite,
    /// The disk keys in the VM's configuration are wrapped under the new key, beside the old. Undone by dropping them.
    WrapDiskKeys,
    /// Hosts of the standby site get to see the LUN. Undone by taking it away.
    Present,
    /// VMs leave the host. Undone by nothing: they run elsewhere as well.
    EmptyHost,
    /// The new build is installed; done again where it was cut off.
    Install,
    /// From here on the change holds: the inventory has it. What comes after is only tidied up, never undone.
    Commit,
    /// What is needed no more is deleted: the files that new ones replace, or a copy that has left.
    DeleteOld,
    /// The snapshot is closed.
    CloseSnapshot,
    /// The VM is let go.
    LetGo,
}

impl Step {
    /// Whether an activity cut off in this step goes back, unless it has committed before.
    #[must_use]
    pub const fn is_before_commit(self) -> bool {
        !matches!(self, Self::Commit | Self::DeleteOld | Self::CloseSnapshot | Self::LetGo)
    }
}

/// The steps of a command. One that takes no time has one: it commits.
#[must_use]
pub fn steps(inventory: &Inventory, command: &Command) -> Vec<Step> {
    use Step as S;
    let is_encrypted = |vm| inventory.vm(vm).is_some_and(|vm| vm.encryption.is_some());
    let steps: &[Step] = match command {
        Command::Encrypt { .. } | Command::Rekey { depth: Depth::Deep, .. } => {
            &[S::HoldVm, S::MakeKey, S::GiveKeyToHost, S::WriteCopies, S::Commit, S::DeleteOld, S::LetGo]
        }
        Command::Rekey { depth: Depth::Shallow, .. } => {
            &[S::HoldVm, S::MakeKey, S::GiveKeyToHost, S::WrapDiskKeys, S::Commit, S::LetGo]
        }
        Command::Decrypt { .. } => &[S::HoldVm, S::GiveKeyToHost, S::WriteCopies, S::Commit, S::DeleteOld, S::LetGo],
        // The copy is in clear and leaves; then it is deleted, and nothing of it stays.
        Command::ExportEncrypted { .. } => &[
            S::HoldVm,
            S::AskQuorum,
            S::GiveKeyToHost,
            S::WriteCopies,
            S::SendToOtherSite,
            S::Commit,
            S::DeleteOld,
            S::LetGo,
        ],
        Command::CloneVm { vm, .. } if is_encrypted(vm) => {
            &[S::HoldVm, S::GiveKeyToHost, S::WriteCopies, S::Commit, S::LetGo]
        }
        Command::CloneVm { .. } => &[S::HoldVm, S::WriteCopies, S::Commit, S::LetGo],
        Command::MoveDisk { .. } | Command::MoveHome { .. } => {
            &[S::HoldVm, S::WriteCopies, S::Commit, S::DeleteOld, S::LetGo]
        }
        Command::MoveVm { vm, .. } | Command::MigrateVm { vm, .. } if is_encrypted(vm) => {
            &[S::HoldVm, S::GiveKeyToHost, S::Commit, S::LetGo]
        }
        Command::TakeSnapshot { .. } => &[S::HoldVm, S::TakeSnapshot, S::Commit, S::LetGo],
        Command::BackUp { .. } => {
            &[S::HoldVm, S::MakeKey, S::TakeSnapshot, S::SendToOtherSite, S::Commit, S::CloseSnapshot, S::LetGo]
        }
        Command::Replicate { .. } => {
            &[S::HoldVm, S::TakeSnapshot, S::SendToOtherSite, S::Commit, S::CloseSnapshot, S::LetGo]
        }
        Command::Restore { .. } | Command::DeployTemplate { .. } => &[S::WriteCopies, S::Commit],
        Command::PresentMirror { .. } => &[S::Present, S::Commit],
        Command::SetMaintenance { on: true, .. } => &[S::EmptyHost, S::Commit],
        Command::UpdateHypervisor { .. } => &[S::Install, S::Commit],
        Command::EnableHostCrypto { .. } => &[S::MakeKey, S::GiveKeyToHost, S::Commit],
        _ => &[S::Commit],
    };
    steps.to_vec()
}

impl Inventory {
    /// The inventory in which this activity holds the VM; `None` where another has it, or there is none.
    #[must_use]
    pub fn hold(&self, vm: &VmId, activity: &ActivityId) -> Option<Self> {
        self.vm(vm).filter(|vm| vm.held_by.as_ref().is_none_or(|holder| holder == activity))?;
        let mut held = self.clone();
        held.vms.get_mut(vm)?.held_by = Some(activity.clone());
        Some(held)
    }

    /// The inventory in which this activity holds the VM no more; `None` where it did not.
    #[must_use]
    pub fn let_go(&self, vm: &VmId, activity: &ActivityId) -> Option<Self> {
        self.vm(vm).filter(|vm| vm.held_by.as_ref() == Some(activity))?;
        let mut free = self.clone();
        free.vms.get_mut(vm)?.held_by = None;
        Some(free)
    }
}

/// How far an activity is: the number of steps that are done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    steps: Vec<Step>,
    done: usize,
    going_back: bool,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// This step, perhaps again.
    Do(Step),
    /// Undo this step, perhaps again.
    Undo(Step),
    /// Nothing: the change holds.
    Completed,
    /// Nothing: everything is as it was.
    Undone,
}

impl Progress {
    /// Nothing is done yet.
    #[must_use]
    pub const fn of(steps: Vec<Step>) -> Self {
        Self { steps, done: 0, going_back: false }
    }

    /// What is to be done next. After being cut off the same is asked again.
    #[must_use]
    pub fn next(&self) -> Next {
        if self.going_back {
            // A step that failed may have begun: it is undone too.
            return self.steps.get(self.done).map_or(Next::Undone, |step| Next::Undo(*step));
        }
        self.steps.get(self.done).map_or(Next::Completed, |step| Next::Do(*step))
    }

    /// The step that was next has succeeded, forward or back.
    #[must_use]
    pub fn succeeded(mut self) -> Self {
        if !self.going_back {
            self.done = (self.done + 1).min(self.steps.len());
        } else if self.done == 0 {
            // Past the first step, backwards, there is nothing left.
            self.steps.clear();
        } else {
            self.done -= 1;
        }
        self
    }

    /// The step that was next has failed for good. Before the commit the activity goes back; from then on it can only
    /// go forward, and the step is tried again.
    #[must_use]
    pub fn failed(mut self) -> Self {
        let has_committed = self.steps.iter().take(self.done).any(|step| *step == Step::Commit);
        if !has_committed {
            self.going_back = true;
        }
        self
    }

    /// Per cent of the steps that are done.
    #[must_use]
    pub fn percent(&self) -> u64 {
        let whole = u64::try_from(self.steps.len()).unwrap_or(u64::MAX);
        (u64::try_from(self.done).unwrap_or(0) * 100).checked_div(whole).unwrap_or(100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    fn encrypt() -> Vec<Step> {
        steps(&example::inventory(), &Command::Encrypt { vm: example::VM.into() })
    }

    /// Carries an activity through, failing at one step for good; what was done and not undone, and how it ended.
    fn run(steps: Vec<Step>, fail_at: Option<Step>) -> (Vec<Step>, Next) {
        let mut progress = Progress::of(steps);
        let (mut done, mut failures) = (Vec::new(), 0);
        loop {
            // Cut off before every step: what was written down is all that is known.
            let text = serde_json::to_string(&progress).unwrap();
            progress = serde_json::from_str(&text).unwrap();
            progress = match progress.next() {
                // After the commit a step that fails is tried again, and at last succeeds.
                Next::Do(step) if Some(step) == fail_at && failures < 3 => {
                    failures += 1;
                    progress.failed()
                }
                Next::Do(step) => {
                    done.push(step);
                    progress.succeeded()
                }
                Next::Undo(step) => {
                    done.retain(|one| *one != step);
                    progress.succeeded()
                }
                end => return (done, end),
            };
        }
    }

    #[test]
    fn an_activity_that_fails_at_any_step_is_completed_or_undone() {
        for step in encrypt() {
            let (done, end) = run(encrypt(), Some(step));
            if step.is_before_commit() || step == Step::Commit {
                assert_eq!((done, end), (vec![], Next::Undone), "{step:?}");
            } else {
                assert_eq!((done, end), (encrypt(), Next::Completed), "{step:?}");
            }
        }
        assert_eq!(run(encrypt(), None), (encrypt(), Next::Completed));
    }

    #[test]
    fn every_saga_commits_once_and_lets_go_of_what_it_holds() {
        let vm = || example::VM.into();
        let commands = [
            Command::Encrypt { vm: vm() },
            Command::Rekey { vm: vm(), depth: Depth::Deep },
            Command::Rekey { vm: vm(), depth: Depth::Shallow },
            Command::Decrypt { vm: vm() },
            Command::TakeSnapshot { vm: vm(), snapshot: "s".into() },
            Command::CloneVm { vm: vm(), clone: "c".into(), name: "c".to_owned() },
            Command::PowerOn { vm: vm() },
        ];
        for command in commands {
            let steps = steps(&example::inventory(), &command);
            let count = |step| steps.iter().filter(|one| **one == step).count();
            assert_eq!(count(Step::Commit), 1, "{command:?}");
            assert_eq!(count(Step::HoldVm), count(Step::LetGo), "{command:?}");
            let commit = steps.iter().position(|step| *step == Step::Commit).unwrap();
            for (index, step) in steps.iter().enumerate() {
                assert_eq!(step.is_before_commit(), index < commit, "{command:?} {step:?}");
            }
        }
    }

    #[test]
    fn a_vm_is_held_by_one_activity_which_alone_changes_it() {
        use crate::command::{Actor, Outcome, Request};
        let (vm, one, other) = (VmId::from(example::VM), ActivityId::from("a-1"), ActivityId::from("a-2"));
        let free = example::inventory();
        let command = Command::Encrypt { vm: vm.clone() };
        let request = Request { actor: Actor::owner(&example::TENANT.into()), command };
        let planned = crate::plan::plan(&free, &request).unwrap();
        let held = free.hold(&vm, &one).unwrap();
        assert_eq!(held.hold(&vm, &other), None);
        assert_eq!(held.hold(&vm, &one), Some(held.clone()));
        assert_eq!(held.let_go(&vm, &other), None);
        let apply = |activity: &ActivityId| {
            crate::plan::apply(&held, &planned, &Outcome::key("17".into()).of(activity.clone()))
        };
        assert!(apply(&other).is_err());
        let encrypted = apply(&one).unwrap();
        assert_eq!(encrypted.vm(&vm).unwrap().held_by, Some(one.clone()));
        assert!(encrypted.vm(&vm).unwrap().encryption.is_some());
        assert_eq!(encrypted.let_go(&vm, &one).unwrap().vm(&vm).unwrap().held_by, None);
    }

    #[test]
    fn progress_is_told_in_per_cent() {
        let progress = Progress::of(encrypt()).succeeded().succeeded();
        assert_eq!((progress.percent(), progress.next()), (28, Next::Do(Step::GiveKeyToHost)));
        assert_eq!(Progress::of(vec![]).percent(), 100);
    }
}
