//! Runs the program as a script would: nothing in its environment but what the test says.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

/// A run to be.
pub struct Kmsctl(Command);

/// What a run left behind.
#[derive(Debug)]
pub struct Run {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Kmsctl {
    pub fn new() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kmsctl"));
        command.env_clear().stdin(Stdio::null());
        // The width of the help must not depend on where the tests run.
        Self(command).envs([("COLUMNS", "100".into())])
    }

    pub fn arg(self, arg: impl AsRef<OsStr>) -> Self {
        self.args([arg])
    }

    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.0.args(args);
        self
    }

    pub fn envs(mut self, pairs: impl IntoIterator<Item = (&'static str, std::ffi::OsString)>) -> Self {
        self.0.envs(pairs);
        self
    }

    pub fn run(mut self) -> Run {
        let output = self.0.output().unwrap();
        Run {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
