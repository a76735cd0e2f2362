//! `kmsctl verify`: nothing but public keys and files.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use audit::bundle::{self, BundleError, Fault, Verified, verify_bundle_with};
use audit::{SignedCheckpoint, TrustedKeys};
use serde::Serialize;

use crate::cli::Verify;
use crate::exit::Failure;
use crate::files;
use crate::output::{Out, Sheet};

pub(crate) fn run(verb: &Verify, out: &Out) -> Result<(), Failure> {
    match verb {
        Verify::Bundle { file, keys, checkpoint } => verify(file, keys, checkpoint, out),
    }
}

fn verify(file: &Path, keys: &Path, checkpoints: &[PathBuf], out: &Out) -> Result<(), Failure> {
    let invalid = |path: &Path, fault: &dyn std::fmt::Display| {
        Failure::file(path, std::io::Error::new(std::io::ErrorKind::InvalidData, fault.to_string()))
    };
    let trusted = TrustedKeys::parse(&files::read_text(keys)?).map_err(|fault| invalid(keys, &fault))?;
    let kept = checkpoints
        .iter()
        .map(|path| SignedCheckpoint::parse(&files::read_text(path)?).map_err(|fault| invalid(path, &fault)))
        .collect::<Result<Vec<_>, Failure>>()?;
    let input: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(file).map_err(|source| Failure::file(file, source))?))
    };
    match verify_bundle_with(input, &trusted, &kept) {
        Ok(verified) => {
            let report = Report::of(&verified, &trusted, kept.len());
            out.write(&report, || report.table())
        }
        Err(BundleError { fault: Fault::Io(source), .. }) => Err(Failure::file(file, source)),
        Err(error) => {
            let text = chain(&error);
            if out.is_json() {
                out.write(&Bad { verified: false, record: error.record, fault: text.clone() }, String::new)?;
            }
            Err(Failure::NotVerified(text))
        }
    }
}

/// The fault and its causes, each cause once.
fn chain(error: &BundleError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error.fault);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

#[derive(Serialize)]
struct Bad {
    verified: bool,
    /// Position of the first bad record, where one can be named.
    record: Option<u64>,
    fault: String,
}

#[derive(Serialize)]
struct Report {
    verified: bool,
    kms: String,
    log: String,
    first: u64,
    records: u64,
    size: u64,
    root: String,
    signers: Vec<String>,
    from: Option<String>,
    to: Option<String>,
    checkpoints_given: usize,
    checkpoints_compared: usize,
}

impl Report {
    fn of(verified: &Verified, trusted: &TrustedKeys, given: usize) -> Self {
        Self {
            verified: true,
            kms: trusted.kms().to_owned(),
            log: verified.log.to_string(),
            first: verified.first,
            records: verified.count,
            size: verified.size,
            root: hex::encode(verified.root),
            signers: verified.signers.iter().map(|key| hex::encode(key.fingerprint())).collect(),
            from: verified.period_us.map(|(first, _)| bundle::utc(first)),
            to: verified.period_us.map(|(_, last)| bundle::utc(last)),
            checkpoints_given: given,
            checkpoints_compared: verified.compared,
        }
    }

    fn table(&self) -> String {
        let mut sheet = Sheet::new();
        sheet
            .line("verified", "yes")
            .line("kms", &self.kms)
            .line("log", &self.log)
            .line("records", format!("{} from position {}", self.records, self.first))
            .line("log size", self.size.to_string())
            .line("root", &self.root)
            .maybe("from", self.from.clone())
            .maybe("to", self.to.clone());
        for signer in &self.signers {
            sheet.line("signed by", signer);
        }
        if self.checkpoints_given > 0 {
            let compared =
                format!("{} of {} compared and contained", self.checkpoints_compared, self.checkpoints_given);
            sheet.line("kept checkpoints", compared);
        }
        sheet.render()
    }
}
