//! A syslog collector that we did not write: rsyslog, over TLS, in a folder of its own.

use std::fs;
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use audit::LogId;
use audit::siem::position_in;
use certs::Authority;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::node::{Result, folder};

/// Debian's place for it.
const PROGRAM: &str = "/usr/sbin/rsyslogd";
/// A guard against hanging, not a promise.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at a file that another process writes.
const LOOK: Duration = Duration::from_millis(20);

/// rsyslog, running or not.
pub struct Collector {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Collector {
    /// Makes its certificate and starts it on a port that the system chooses.
    ///
    /// # Errors
    /// Where it is not installed or does not start.
    pub fn start() -> Result<Self> {
        if !Path::new(PROGRAM).exists() {
            return Err("rsyslog is not installed: scripts/setup-rsyslog installs it".into());
        }
        let folder = folder()?;
        let authority = Authority::new("collector")?;
        let server = authority.issue_server(&["localhost"])?;
        fs::write(folder.path().join("ca.pem"), authority.cert_pem())?;
        fs::write(folder.path().join("server.pem"), &server.cert_pem)?;
        fs::write(folder.path().join("server.key"), server.key_pem.as_bytes())?;
        let mut collector = Self { folder, port: 0, child: None };
        collector.resume()?;
        Ok(collector)
    }

    /// Starts it again, on the port that it had.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn resume(&mut self) -> Result<()> {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let _ = fs::remove_file(path("port"));
        let config = format!(
            "global(workDirectory=\"{}\" maxMessageSize=\"64k\" defaultNetstreamDriver=\"gtls\" \
             defaultNetstreamDriverCAFile=\"{}\" defaultNetstreamDriverCertFile=\"{}\" \
             defaultNetstreamDriverKeyFile=\"{}\")\n\
             module(load=\"imtcp\" streamDriver.name=\"gtls\" streamDriver.mode=\"1\" streamDriver.authMode=\"anon\")\n\
             input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{}\" listenPortFileName=\"{}\")\n\
             template(name=\"raw\" type=\"string\" string=\"%rawmsg%\\n\")\n\
             action(type=\"omfile\" file=\"{}\" template=\"raw\")\n",
            self.folder.path().display(),
            path("ca.pem"),
            path("server.pem"),
            path("server.key"),
            self.port,
            path("port"),
            path("received"),
        );
        fs::write(path("rsyslog.conf"), config)?;
        let child = Command::new(PROGRAM)
            .args(["-n", "-f", &path("rsyslog.conf"), "-i", &path("pid")])
            .stdin(Stdio::null())
            .stdout(fs::File::create(path("out"))?)
            .stderr(fs::File::create(path("err"))?)
            .spawn()?;
        self.child = Some(child);
        if self.port == 0 {
            let port = self.folder.path().join("port");
            self.port = until(|| Ok(fs::read_to_string(&port).ok().and_then(|text| text.trim().parse().ok())))?;
        }
        // On a port that it was told it writes no file.
        until(|| Ok(TcpStream::connect(("127.0.0.1", self.port)).ok().map(drop)))
    }

    /// Asks it to stop, and waits until it has.
    ///
    /// # Errors
    /// If it does not run.
    pub fn stop(&mut self) -> Result<()> {
        self.end(Signal::TERM)
    }

    /// Kills it.
    ///
    /// # Errors
    /// If it does not run.
    pub fn kill(&mut self) -> Result<()> {
        self.end(Signal::KILL)
    }

    /// Has it hang for so long, in which its kernel takes what comes and it reads nothing, and kills it then.
    ///
    /// # Errors
    /// If it does not run; of `meanwhile`, which is done once it hangs.
    pub fn hang_and_die(&mut self, time: Duration, meanwhile: impl FnOnce() -> Result<()>) -> Result<()> {
        let child = self.child.as_ref().ok_or("the collector does not run")?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or("no such process")?;
        kill_process(pid, Signal::STOP)?;
        let began = Instant::now();
        meanwhile()?;
        until(|| Ok((began.elapsed() >= time).then_some(())))?;
        self.kill()
    }

    fn end(&mut self, signal: Signal) -> Result<()> {
        let mut child = self.child.take().ok_or("the collector does not run")?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or("no such process")?;
        kill_process(pid, signal)?;
        let status = child.wait()?;
        if status.success() || status.signal().is_some() { Ok(()) } else { Err(format!("rsyslog: {status}").into()) }
    }

    /// The section of a node's configuration that names it.
    #[must_use]
    pub fn section(&self) -> String {
        format!(
            "\n[[collectors]]\nname = \"rsyslog\"\naddress = \"127.0.0.1:{}\"\nca = \"{}\"\nserver_name = \"localhost\"\n",
            self.port,
            self.folder.path().join("ca.pem").display()
        )
    }

    /// Every whole message that it wrote down, in order.
    #[must_use]
    pub fn received(&self) -> Vec<String> {
        let bytes = fs::read(self.received_path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).map(str::to_owned).collect()
    }

    fn received_path(&self) -> PathBuf {
        self.folder.path().join("received")
    }

    /// Positions of one log, in the order in which they were received.
    #[must_use]
    pub fn positions(&self, log: LogId) -> Vec<u64> {
        let positions = self.received();
        let positions = positions.iter().filter_map(|line| position_in(line));
        positions.filter(|(of, _)| *of == log).map(|(_, position)| position).collect()
    }

    /// Waits until the record at `position` of a log was received.
    ///
    /// # Errors
    /// If it is not, for a long time.
    pub fn wait_for(&self, log: LogId, position: u64) -> Result<()> {
        until(|| Ok(self.positions(log).contains(&position).then_some(())))
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Looks until there is something.
fn until<T>(mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if began.elapsed() > PATIENCE {
            return Err("waited for long enough".into());
        }
        thread::sleep(LOOK);
    }
}
