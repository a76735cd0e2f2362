//! `kmsctl hsm`.

use admin_api::{AdminClient, Breaker, GroupState, HsmStatus};

use crate::cli::Hsm;
use crate::exit::Failure;
use crate::output::{Out, Sheet, Table};

pub(crate) fn run(verb: &Hsm, client: &AdminClient, out: &Out) -> Result<(), Failure> {
    match verb {
        Hsm::Status => {
            let status = client.hsm_status()?;
            out.write(&status, || table(&status))
        }
    }
}

fn table(status: &HsmStatus) -> String {
    let mut sheet = Sheet::new();
    let state = match status.state {
        GroupState::Up => "up",
        GroupState::Degraded => "degraded",
        GroupState::Down => "down",
    };
    sheet.line("group", state).line("root of trust", status.root_of_trust.to_string());
    let header =
        ["MEMBER", "STATE", "BREAKER", "LAST PROBE", "OPENED", "SEALED", "SIGNED", "FAILED", "DOMAIN KEYS", "REASON"];
    let mut table = Table::new(&header);
    for member in &status.members {
        let breaker = match member.breaker {
            Breaker::Closed => "closed",
            Breaker::Open => "open",
            Breaker::HalfOpen => "half-open",
            Breaker::Stopped => "stopped",
        };
        let probe = member
            .last_probe_age_ms
            .map_or("never".to_owned(), |age| format!("{}.{} s ago", age / 1000, age % 1000 / 100));
        table.row([
            member.label.clone(),
            if member.up { "up" } else { "down" }.to_owned(),
            breaker.to_owned(),
            probe,
            member.opened.to_string(),
            member.sealed.to_string(),
            member.signed.to_string(),
            member.failed.to_string(),
            member.domain_keys_held.to_string(),
            member.reason.clone().unwrap_or_default(),
        ]);
    }
    sheet.render() + "\n" + &table.render()
}
