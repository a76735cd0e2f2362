//! The console on a stage: its configuration beside the node's, an inventory with a VM for every refusal, two people, and
//! the running process.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};

use provisioning::model::vm::{PowerState, Snapshot, SppMode, Vm};
use provisioning::units::Gib;
use provisioning::{Document, Inventory, example};
use rustix::process::{Pid, Signal, kill_process};

use super::{Addresses, Programs, Stage, StageError, children, finish};

/// Who can do everything in the demo's tenant.
pub const OWNER: &str = "anna";
/// Who can only look.
pub const READER: &str = "rita";
/// The password of both. The demo listens on loopback addresses and holds nothing of anybody's.
pub const PASSWORD: &str = "clavis-demo";

/// A running console. Dropped, it is killed.
#[derive(Debug)]
pub struct Console {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where the operator's page is.
    pub operator: SocketAddr,
}

/// Where a console is to listen; port 0 for one that the system chooses.
#[derive(Clone, Copy, Debug)]
pub struct Listens {
    /// For tenants.
    pub tenants: SocketAddr,
    /// For the operator's page.
    pub operator: SocketAddr,
}

impl Listens {
    /// On ports of the loopback address that the system chooses.
    #[must_use]
    pub fn anywhere() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { tenants: any, operator: any }
    }
}

/// The example with VMs beside its own: two that can be encrypted, and one for each thing that keeps one from it.
#[must_use]
pub fn inventory() -> Document {
    let mut document = example::document();
    let machine = |id: &str, lun: &str| {
        let disks = vec![example::disk("disk-0", lun, Gib(20))];
        Vm { disks, ..example::machine(id, lun) }
    };
    let snapshot = || Snapshot { id: "before-update".into(), size: Gib(1).bytes(), key: None };
    document.vms.extend([
        machine("vm-shop", example::DATASTORE),
        machine("vm-mail", example::DATASTORE),
        Vm { snapshots: vec![snapshot()], ..machine("vm-snap", example::DATASTORE) },
        Vm { spp_mode: SppMode::Test, ..machine("vm-drill", example::DATASTORE) },
        machine("vm-mirrored", example::MIRRORED_DATASTORE),
        Vm {
            spp_mode: SppMode::Test,
            snapshots: vec![snapshot()],
            power: PowerState::Suspended,
            ..machine("vm-all", example::MIRRORED_DATASTORE)
        },
    ]);
    document
}

impl Stage {
    /// Writes the console's configuration, and puts inventory and people in where they are missing.
    ///
    /// # Errors
    /// [`StageError`].
    pub fn furnish_console(&self, programs: &Programs, node: &Addresses, listen: Listens) -> Result<(), StageError> {
        self.furnish_console_with(programs, node, listen, inventory())
    }

    /// The same with another inventory, in which the tenant, vStack and domain of the example are.
    ///
    /// # Errors
    /// [`StageError`].
    pub fn furnish_console_with(
        &self,
        programs: &Programs,
        node: &Addresses,
        listen: Listens,
        document: Document,
    ) -> Result<(), StageError> {
        let config = self.dir.join("console.toml");
        std::fs::write(&config, self.console_configuration(node, listen)).map_err(StageError::file(&config))?;
        let failed = |what: String| StageError::Program { program: "console".to_owned(), what };
        let file = self.dir.join("console-inventory.json");
        let made = Inventory::build(document).map_err(|faults| failed(faults.to_string()))?;
        let text = serde_json::to_string_pretty(&made).map_err(|error| failed(error.to_string()))?;
        std::fs::write(&file, text).map_err(StageError::file(&file))?;
        let command = || self.console_command(programs);
        let imported = finish(command().arg("import").arg(&file))?;
        if !imported.status.success() {
            return Err(failed(imported.stderr));
        }
        for (login, tenant) in [
            (OWNER, example::TENANT.to_owned()),
            (READER, format!("{}:compute_iaas_vmware_read,activity_read", example::TENANT)),
        ] {
            let mut adding = command();
            adding.args(["user", login, "--name", login, "--tenant", &tenant]);
            let mut child = children::spawn(adding.stdin(Stdio::piped())).map_err(|error| failed(error.to_string()))?;
            if let Some(mut stdin) = child.stdin.take() {
                writeln!(stdin, "{PASSWORD}").map_err(|error| failed(error.to_string()))?;
            }
            if !child.wait().is_ok_and(|status| status.success()) {
                return Err(failed(format!("cannot add {login}")));
            }
        }
        Ok(())
    }

    /// The console's program with its configuration.
    #[must_use]
    pub fn console_command(&self, programs: &Programs) -> std::process::Command {
        let mut command = children::command(&programs.path("console"));
        command.arg("--config").arg(self.dir.join("console.toml")).env_remove("CLAVIS_CONSOLE_DIE_AT");
        command
    }

    /// Starts the console that was furnished.
    ///
    /// # Errors
    /// [`StageError`], where it ended instead.
    pub fn console(&self, programs: &Programs, environment: &[(&str, &str)]) -> Result<Console, StageError> {
        let log = self.dir.join("console.log");
        let log_file = OpenOptions::new().create(true).append(true).open(&log).map_err(StageError::file(&log))?;
        let mut serving = self.console_command(programs);
        serving.arg("serve").envs(environment.iter().copied());
        Console::start(serving, log_file, &log)
    }

    fn console_configuration(&self, node: &Addresses, listen: Listens) -> String {
        let tenant = example::TENANT;
        let Listens { tenants: listen, operator } = listen;
        format!(
            "# Written by the set-up; your changes here are overwritten at the next start.\n\
             listen = \"{listen}\"\noperator_listen = \"{operator}\"\ncertificate = \"pki/server.pem\"\nkey = \"pki/server.key\"\n\
             store = \"console/console.sqlite\"\nhypervisors = \"console/vstacks\"\nimage_mib = 8\n\
             unlimited_requests = true\n\n\
             [[key_providers]]\nvstack = \"{}\"\nprovider = \"{}\"\nroots = \"pki/ca.pem\"\n\
             certificate = \"pki/{tenant}/client.pem\"\nkey = \"pki/{tenant}/client.key\"\n\
             servers = [{{ name = \"kms-1\", address = \"{}\" }}]\n\n\
             [key_service]\nurl = \"https://{}\"\nroots = \"pki/ca.pem\"\ncertificate = \"pki/admin/auditor.pem\"\n\
             key = \"pki/admin/auditor.key\"\ndomains = {{ dom-acme = \"{tenant}\" }}\n",
            example::VSTACK,
            example::PROVIDER,
            node.kmip,
            node.admin,
        )
    }
}

impl Console {
    fn start(mut command: std::process::Command, log_file: std::fs::File, log: &Path) -> Result<Self, StageError> {
        let failed = |what: String| StageError::Program { program: "console serve".to_owned(), what };
        let mut child = children::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log_file))
            .map_err(|error| failed(error.to_string()))?;
        let mut lines = [String::new(), String::new()];
        if let Some(stdout) = child.stdout.take() {
            let mut stdout = BufReader::new(stdout);
            for line in &mut lines {
                stdout.read_line(line).map_err(|error| failed(error.to_string()))?;
            }
        }
        let [tenants, operator] = &lines;
        let operator = operator.strip_prefix("operator ").and_then(|address| address.trim().parse().ok());
        match (tenants.trim().parse().ok(), operator) {
            (Some(address), Some(operator)) => Ok(Self { child, address, operator }),
            _ => {
                let _ = child.wait();
                Err(failed(format!("did not start; {} says why", log.display())))
            }
        }
    }

    /// Waits for its end without asking for it.
    pub fn wait(mut self) {
        let _ = self.child.wait();
    }

    /// Kills it, as a crash would.
    pub fn kill(self) {
        drop(self);
    }

    /// Asks it to stop and waits for its end.
    pub fn stop(mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
