//! The processes of a chore: a signal to the chore reaches them, and none outlives it.
//!
//! A chore calls [`guard`] once, before it starts anything. From then on [`command`] puts the launcher `xtask under`
//! before every program: it asks the kernel to kill the program when the chore is gone, however the chore ended, and
//! becomes the program. Without [`guard`], as in tests, programs are started as they are: there the kernel would take
//! the end of a test's thread for the end of its parent.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getppid, pidfd_open, pidfd_send_signal,
    set_parent_process_death_signal, waitid,
};
use tokio::signal::unix::{SignalKind, signal};

use super::StageError;

/// What the chore knows of its children.
struct Children {
    /// The program to put before every other, once there is a guard.
    launcher: Option<PathBuf>,
    /// Those that were not yet waited for; a descriptor, unlike a number, never comes to mean another process.
    running: Vec<OwnedFd>,
    /// What was passed on last: whoever is started after that gets it, too.
    passed_on: Option<Signal>,
}

static CHILDREN: Mutex<Children> = Mutex::new(Children { launcher: None, running: Vec::new(), passed_on: None });

fn children() -> MutexGuard<'static, Children> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Catches SIGINT, SIGTERM and SIGHUP from here on: the first is passed on as `first` to every child, any later one as
/// SIGKILL. The chore itself goes on and finds its children ended; see [`interrupted`].
///
/// # Errors
/// [`StageError::Program`] if the system does not let signals be caught.
pub fn guard(first: Signal) -> Result<(), StageError> {
    let failed = |error: io::Error| StageError::Program { program: "xtask".to_owned(), what: error.to_string() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let caught = runtime.block_on(async {
        let catch = |kind| signal(kind);
        io::Result::Ok((catch(SignalKind::interrupt())?, catch(SignalKind::terminate())?, catch(SignalKind::hangup())?))
    });
    let (mut interrupt, mut terminate, mut hangup) = caught.map_err(failed)?;
    children().launcher = Some(std::env::current_exe().map_err(failed)?);
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                let mut next = first;
                loop {
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                        _ = hangup.recv() => {}
                    }
                    pass_on(next);
                    next = Signal::KILL;
                }
            });
        })
        .map_err(failed)?;
    Ok(())
}

/// Whether a signal came. What failed since then failed because of it.
#[must_use]
pub fn interrupted() -> bool {
    children().passed_on.is_some()
}

fn pass_on(signal: Signal) {
    let mut children = children();
    children.passed_on = Some(signal);
    for child in &children.running {
        // It may have ended already, which is what the signal is for.
        let _ = pidfd_send_signal(child, signal);
    }
}

/// A command that runs `program`, which ends with the chore if there is a guard.
#[must_use]
pub fn command(program: &Path) -> Command {
    match &children().launcher {
        None => Command::new(program),
        Some(launcher) => {
            let mut command = Command::new(launcher);
            command.arg("under").arg(std::process::id().to_string()).arg("--").arg(program);
            command
        }
    }
}

/// Starts a command, and remembers it for the signal that may come.
///
/// # Errors
/// As [`Command::spawn`].
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    let mut child = command.spawn()?;
    let mut children = children();
    if children.launcher.is_none() {
        return Ok(child);
    }
    children.running.retain(|one| {
        let state =
            waitid(WaitId::PidFd(one.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG);
        // "No child" is one that was waited for.
        state.is_ok()
    });
    let remembered = i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
        .and_then(|pid| Ok(pidfd_open(pid, PidfdFlags::empty())?));
    match remembered {
        Ok(descriptor) => {
            if let Some(signal) = children.passed_on {
                let _ = pidfd_send_signal(&descriptor, signal);
            }
            children.running.push(descriptor);
            Ok(child)
        }
        Err(error) => {
            let _ = child.kill();
            let _ = child.wait();
            Err(error)
        }
    }
}

/// Becomes `program`, which the kernel kills when the process `parent`, which started this one, is gone. Returns only
/// if that fails.
#[must_use]
pub fn under(parent: u32, program: &[OsString]) -> io::Error {
    let Some((program, arguments)) = program.split_first() else {
        return io::Error::new(io::ErrorKind::InvalidInput, "no program is named");
    };
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return error.into();
    }
    // Had it gone before the kernel was asked, nobody would tell.
    if getppid().map(|pid| pid.as_raw_nonzero().get()) != i32::try_from(parent).ok() {
        return io::Error::other("the process that started this one is gone");
    }
    let error = Command::new(program).args(arguments).exec();
    io::Error::new(error.kind(), format!("{}: {error}", program.to_string_lossy()))
}
