//! `kmsctl health`.

use admin_api::{AdminClient, HealthState};

use crate::exit::Failure;
use crate::output::{Out, Sheet, Table, utc};

pub(crate) fn run(client: &AdminClient, out: &Out) -> Result<(), Failure> {
    let health = client.health()?;
    out.write(&health, || {
        let mut sheet = Sheet::new();
        sheet
            .line("state", text(health.state))
            .line("node", health.node.to_string())
            .line("version", &health.version)
            .line("started", utc(health.started));
        let mut table = Table::new(&["CHECK", "STATE", "DETAIL"]);
        for check in &health.checks {
            table.row([check.name.clone(), text(check.state).to_owned(), check.detail.clone().unwrap_or_default()]);
        }
        sheet.render() + "\n" + &table.render()
    })?;
    match health.state {
        HealthState::Ok => Ok(()),
        state => Err(Failure::NotWell(format!("the node is {}", text(state)))),
    }
}

fn text(state: HealthState) -> &'static str {
    match state {
        HealthState::Ok => "ok",
        HealthState::Degraded => "degraded",
        HealthState::Down => "down",
    }
}
