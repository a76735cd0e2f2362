//! `kmsctl verify`: nothing but public keys and files.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use audit::bundle::{self, BundleError, Fault, Verified, verify_bundle_with};
use audit::witness::{WitnessKey, cosigners, how_many};
use audit::{Claim, Record, SignedCheckpoint, TrustedKeys, verify_proof};
use serde::Serialize;

use super::{backup, ceremony, certificate};
use crate::cli::Verify;
use crate::exit::Failure;
use crate::files;
use crate::output::{Out, Sheet};

pub(crate) fn run(verb: &Verify, out: &Out) -> Result<(), Failure> {
    match verb {
        Verify::Bundle { file, keys, checkpoint, witness } => {
            for one in checkpoint {
                witnessed(&files::read_text(one)?, witness)?;
            }
            verify(file, keys, checkpoint, out)
        }
        Verify::Checkpoint { file, keys, witness } => head(file, keys, witness, out),
        Verify::Proof { file, keys, checkpoint } => proof(file, keys, checkpoint, out),
        Verify::Ceremony { file, trust_anchor, protocol, custodian } => {
            ceremony::verify(file, trust_anchor.as_deref(), protocol.as_deref(), custodian, out)
        }
        Verify::Certificate { file, keys } => {
            let (trusted, _) = trust(keys, &[])?;
            certificate::verify(file, &trusted, out)
        }
        Verify::Report { file, keys } => {
            let (trusted, _) = trust(keys, &[])?;
            backup::verify(file, &trusted, out)
        }
    }
}

/// The trusted keys, and the checkpoints kept from earlier.
fn trust(keys: &Path, checkpoints: &[PathBuf]) -> Result<(TrustedKeys, Vec<SignedCheckpoint>), Failure> {
    let invalid = |path: &Path, fault: &dyn std::fmt::Display| {
        Failure::file(path, std::io::Error::new(std::io::ErrorKind::InvalidData, fault.to_string()))
    };
    let trusted = TrustedKeys::parse(&files::read_text(keys)?).map_err(|fault| invalid(keys, &fault))?;
    let kept = checkpoints
        .iter()
        .map(|path| SignedCheckpoint::parse(&files::read_text(path)?).map_err(|fault| invalid(path, &fault)))
        .collect::<Result<Vec<_>, Failure>>()?;
    Ok((trusted, kept))
}

/// Who co-signed a note: more than half of these witnesses.
fn witnessed<'k>(note: &str, keys: &'k [WitnessKey]) -> Result<Vec<(&'k WitnessKey, u64)>, Failure> {
    let (found, all) = (cosigners(note, keys), how_many(keys));
    if found.len() * 2 > all || all == 0 {
        return Ok(found);
    }
    let found = found.len();
    Err(Failure::NotVerified(format!("{found} of {all} witnesses co-signed; more than half have to")))
}

#[derive(Serialize)]
struct Witnessed {
    name: String,
    time: String,
}

#[derive(Serialize)]
struct SignedHead {
    verified: bool,
    kms: String,
    log: String,
    size: u64,
    root: String,
    signers: Vec<String>,
    witnesses: Vec<Witnessed>,
}

fn head(file: &Path, keys: &Path, witnesses: &[WitnessKey], out: &Out) -> Result<(), Failure> {
    let (trusted, _) = trust(keys, &[])?;
    let text = files::read_text(file)?;
    let note = SignedCheckpoint::parse(&text).map_err(|error| Failure::NotVerified(error.to_string()))?;
    let signers = note.verify(&trusted).map_err(|error| Failure::NotVerified(error.to_string()))?;
    let log = note.checkpoint.log(trusted.kms()).ok_or_else(|| Failure::NotVerified("of no log".to_owned()))?;
    let time = |seconds: u64| bundle::utc(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000));
    let found = witnessed(&text, witnesses)?;
    let shown = SignedHead {
        verified: true,
        kms: trusted.kms().to_owned(),
        log: log.to_string(),
        size: note.checkpoint.size,
        root: hex::encode(note.checkpoint.root),
        signers: signers.iter().map(|key| hex::encode(key.fingerprint())).collect(),
        witnesses: found.iter().map(|(key, at)| Witnessed { name: key.name().to_owned(), time: time(*at) }).collect(),
    };
    out.write(&shown, || {
        let mut sheet = Sheet::new();
        sheet
            .line("verified", "yes")
            .line("kms", &shown.kms)
            .line("log", &shown.log)
            .line("log size", shown.size.to_string())
            .line("root", &shown.root);
        for signer in &shown.signers {
            sheet.line("signed by", signer);
        }
        for one in &shown.witnesses {
            sheet.line("co-signed by", format!("{} at {}", one.name, one.time));
        }
        sheet.render()
    })
}

#[derive(Serialize)]
struct Proved {
    verified: bool,
    kms: String,
    log: String,
    size: u64,
    root: String,
    shows: String,
    record: Option<serde_json::Value>,
    checkpoints_given: usize,
    checkpoints_compared: usize,
}

fn proof(file: &Path, keys: &Path, checkpoints: &[PathBuf], out: &Out) -> Result<(), Failure> {
    let (trusted, kept) = trust(keys, checkpoints)?;
    let shown = match verify_proof(&files::read_text(file)?, &trusted, &kept) {
        Ok(shown) => shown,
        Err(error) => {
            if out.is_json() {
                out.write(&Bad { verified: false, record: None, fault: error.to_string() }, String::new)?;
            }
            return Err(Failure::NotVerified(error.to_string()));
        }
    };
    let (shows, record) = match &shown.claim {
        Claim::Inclusion { index, record, .. } => {
            let line = bundle::record_line(*index, record, &Record::leaf_hash(record));
            (format!("record {index} is in the log"), serde_json::from_str(&line).ok())
        }
        Claim::Consistency { from, to, .. } => {
            (format!("the log of {from} records only grew to the one of {to}"), None)
        }
    };
    let proved = Proved {
        verified: true,
        kms: trusted.kms().to_owned(),
        log: shown.log.to_string(),
        size: shown.size,
        root: hex::encode(shown.root),
        shows,
        record,
        checkpoints_given: kept.len(),
        checkpoints_compared: shown.compared,
    };
    out.write(&proved, || {
        let mut sheet = Sheet::new();
        sheet
            .line("verified", "yes")
            .line("shows", &proved.shows)
            .line("kms", &proved.kms)
            .line("log", &proved.log)
            .line("log size", proved.size.to_string())
            .line("root", &proved.root);
        if let Some(record) = &shown.record {
            sheet
                .line("time", bundle::utc(record.time_us))
                .line("operation", &record.operation)
                .maybe("object", record.object.clone())
                .maybe("reason", record.reason.clone());
        }
        if !kept.is_empty() {
            sheet.line("kept checkpoints", format!("{} of {} compared and contained", shown.compared, kept.len()));
        }
        sheet.render()
    })
}

fn verify(file: &Path, keys: &Path, checkpoints: &[PathBuf], out: &Out) -> Result<(), Failure> {
    let (trusted, kept) = trust(keys, checkpoints)?;
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
    /// Records that retention dropped, and how many of these the bundle does not tell of.
    dropped: u64,
    untold: u64,
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
            dropped: verified.dropped,
            untold: verified.untold,
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
        if self.dropped > 0 {
            let told = self.dropped - self.untold;
            let text =
                format!("{} records, {told} of them told of in this bundle; leaf hashes are whole", self.dropped);
            sheet.line("dropped by retention", text);
        }
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
