//! What a comparison found, for people.

use std::fmt::{self, Write as _};

use super::{Report, Row, Side};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.machine)?;
        writeln!(
            f,
            "{} keys beforehand; {} rounds of {} s by turns; TLS 1.2, KMIP 1.2 (vsphere: 1.1)\n",
            self.keys, self.rounds, self.seconds
        )?;
        writeln!(f, "{:21}{:>42}   {:>42}", "", "Clavis", "PyKMIP")?;
        let side = format!("{:>10}{:>10}{:>10}{:>12}", "req/s", "p50 ms", "p99 ms", "CPU ms/req");
        writeln!(f, "{:16}{:>5}{side}   {side}{:>9}", "operation", "conn", "ratio")?;
        for row in &self.rows {
            writeln!(f, "{row}")?;
        }
        f.write_str("\n")?;
        for note in self.notes() {
            writeln!(f, "{note}")?;
        }
        Ok(())
    }
}

impl Report {
    /// What the numbers alone would hide.
    fn notes(&self) -> Vec<String> {
        let mut notes = vec![
            "Clavis opens every Get in the HSM and writes an audit record of every answer to disk before it is sent; \
             PyKMIP does neither. Both write a Create to disk before the answer."
                .to_owned(),
        ];
        if self.rows.iter().any(|row| row.pykmip.refused > 0) {
            notes.push(
                "vsphere: PyKMIP refuses the x- attributes. A refusal counts as an answer, since vCenter goes on; \
                 PyKMIP does that much less work."
                    .to_owned(),
            );
        }
        if self.machine.is_busy() {
            notes.push(
                "The machine was busy with something else before the start: trust the ratios, if anything.".to_owned(),
            );
        }
        for row in &self.rows {
            for (server, side) in [("Clavis", &row.ours), ("PyKMIP", &row.pykmip)] {
                for (error, count) in &side.errors {
                    notes.push(format!(
                        "FAILED: {server}, {}, {} connections: {count} × {error}",
                        row.operation, row.connections
                    ));
                }
            }
            if row.ours.refused > 0 {
                notes.push(format!(
                    "FAILED: Clavis, {}, {} connections: {} requests refused",
                    row.operation, row.connections, row.ours.refused
                ));
            }
        }
        notes
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:16}{:>5}{}   {}", self.operation, self.connections, self.ours, self.pykmip)?;
        match self.ratio {
            Some(ratio) if ratio < 10.0 => write!(f, "{ratio:>8.1}×"),
            Some(ratio) => write!(f, "{ratio:>8.0}×"),
            None => write!(f, "{:>9}", "–"),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = if self.rate < 100.0 { format!("{:>10.1}", self.rate) } else { format!("{:>10.0}", self.rate) };
        for micros in [self.p50_us, self.p99_us] {
            write!(text, "{:>10}", milliseconds(f64::from(u32::try_from(micros).unwrap_or(u32::MAX))))?;
        }
        let processor = self.processor_us.map_or_else(|| "–".to_owned(), milliseconds);
        write!(text, "{processor:>12}")?;
        f.write_str(&text)
    }
}

/// Microseconds as milliseconds, in about three digits.
fn milliseconds(micros: f64) -> String {
    let millis = micros / 1e3;
    // The bounds are those of rounding, so that 99.97 does not become 100.0.
    if millis < 9.995 {
        format!("{millis:.2}")
    } else if millis < 99.95 {
        format!("{millis:.1}")
    } else {
        format!("{millis:.0}")
    }
}
