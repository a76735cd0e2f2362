//! How long a log is kept, and what keeps it longer.

use admin_api::{AdminClient, NewHold, NewRetention, Retention};

use crate::cli::Hold;
use crate::exit::Failure;
use crate::output::{Out, Sheet, Table, utc};

/// Shows the retention, or changes it first.
pub(super) fn keep(
    client: &AdminClient,
    domain: &str,
    days: Option<u32>,
    reason: Option<&str>,
    default: bool,
    out: &Out,
) -> Result<(), Failure> {
    let retention = if days.is_some() || default {
        let new = NewRetention { days, reason: reason.map(str::to_owned) };
        new.check().map_err(|fault| Failure::Usage(fault.to_owned()))?;
        client.retention_set(domain, &new)?
    } else {
        client.retention(domain)?
    };
    out.write(&retention, || sheet(&retention))
}

/// Sets, lifts or lists legal holds.
pub(super) fn hold(client: &AdminClient, verb: &Hold, out: &Out) -> Result<(), Failure> {
    let retention = match verb {
        Hold::Set { domain, name, reason } => {
            let hold = NewHold { name: name.clone(), reason: reason.clone() };
            hold.check().map_err(|fault| Failure::Usage(fault.to_owned()))?;
            client.hold_set(domain, &hold)?
        }
        Hold::Lift { domain, name } => client.hold_lift(domain, name)?,
        Hold::List { domain } => client.retention(domain)?,
    };
    out.write(&retention.holds, || holds(&retention))
}

fn sheet(retention: &Retention) -> String {
    let mut sheet = Sheet::new();
    sheet.line("records are kept", format!("{} days", retention.days));
    if let Some(reason) = &retention.reason {
        sheet.line("less than six months", reason);
    }
    sheet.line("legal holds", retention.holds.len().to_string());
    if retention.holds.is_empty() { sheet.render() } else { sheet.render() + "\n" + &holds(retention) }
}

fn holds(retention: &Retention) -> String {
    let mut table = Table::new(&["NAME", "SINCE", "BY", "REASON"]);
    for hold in &retention.holds {
        table.row([hold.name.clone(), utc(hold.since), hold.by.clone(), hold.reason.clone()]);
    }
    table.render()
}
