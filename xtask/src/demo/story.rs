//! What the demo prints: chapters, steps, and claims that are only printed once they were found true.

use std::fmt;
use std::io::{self, Write};

use xtask::stage::children;

/// Why the demo ends early.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// With a sentence.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            text.push_str(": ");
            text.push_str(&inner.to_string());
            cause = inner.source();
        }
        Self(text)
    }
}

/// The story so far.
#[derive(Default)]
pub struct Story {
    claims: usize,
    chapters: usize,
}

impl Story {
    /// Begins a chapter.
    pub fn chapter(&mut self, title: &str) {
        self.chapters += 1;
        self.line(&format!("\n{}. {title}", self.chapters));
    }

    /// Something that happens; long steps say so before they begin.
    pub fn step(&self, text: &str) {
        self.line(&format!("   · {text}"));
    }

    /// A quotation: what a program or a rule said.
    pub fn quote(&self, text: &str) {
        for line in text.lines() {
            self.line(&format!("       {line}"));
        }
    }

    /// A claim. It is printed as true only if `holds`.
    pub fn claim(&mut self, text: impl fmt::Display, holds: bool) -> Result<(), Failure> {
        // What was seen since the signal was seen of processes that were killed.
        if children::interrupted() {
            return Err(Failure::new("interrupted"));
        }
        if !holds {
            return Err(Failure::new(format!("this is not true: {text}")));
        }
        self.claims += 1;
        self.line(&format!("   ✔ {text}"));
        Ok(())
    }

    /// Claims checked so far.
    pub fn claims(&self) -> usize {
        self.claims
    }

    fn line(&self, text: &str) {
        let mut out = io::stdout().lock();
        // A reader who went away does not change what is true.
        let _ = writeln!(out, "{text}");
        let _ = out.flush();
    }
}
