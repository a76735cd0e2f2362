//! The machine that is measured on, as far as it explains the numbers: processors, who else uses them, the disk.

use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

/// Writes of the disk's measurement; enough for a median.
const WRITES: usize = 101;
/// Bytes of each: a page of a database.
const PAGE: usize = 4_096;
/// Runnable others for each processor from which on the machine counts as busy.
const BUSY: f64 = 0.25;

/// What there was to know before the start.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Model of the first processor.
    pub processor: String,
    /// Processors that this process may use.
    pub processors: usize,
    /// Release of the kernel.
    pub kernel: String,
    /// Load average of the last minute, before anything was started.
    pub load_average: Option<f64>,
    /// Median of an fdatasync after writing one page over itself, in microseconds, on the disk of both servers. A few
    /// microseconds mean that the file system is in memory, and that nothing here is durable.
    pub fdatasync_us: Option<u64>,
}

impl Machine {
    pub(super) fn look(folder: &Path) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let model = read("/proc/cpuinfo");
        let model = model.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Self {
            processor: model.map_or("unknown", |(_, name)| name).to_owned(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load_average: read("/proc/loadavg").split(' ').next().and_then(|load| load.parse().ok()),
            fdatasync_us: fdatasync_us(folder).ok(),
        }
    }

    /// Whether somebody else was at work before the start.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let processors = u32::try_from(self.processors).map_or(1.0, f64::from);
        self.load_average.is_some_and(|load| load > processors * BUSY)
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {}, Linux {}", self.processors, self.processor, self.kernel)?;
        if let Some(micros) = self.fdatasync_us {
            write!(f, ", fdatasync {micros} µs")?;
        }
        if let Some(load) = self.load_average {
            write!(f, ", load average {load} before the start")?;
        }
        Ok(())
    }
}

fn fdatasync_us(folder: &Path) -> std::io::Result<u64> {
    let path = folder.join("fdatasync");
    let file = File::create(&path)?;
    let page = [0x5A; PAGE];
    file.write_all_at(&page, 0)?;
    file.sync_all()?;
    let mut times = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let begun = Instant::now();
        file.write_all_at(&page, 0)?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    fs::remove_file(&path)?;
    let median = times.get(WRITES / 2).copied().unwrap_or_default();
    Ok(u64::try_from(median.as_micros()).unwrap_or(u64::MAX))
}
