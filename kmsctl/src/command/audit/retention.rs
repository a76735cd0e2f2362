//! How long a log is kept, and what keeps it longer.

use admin_api::{AdminClient, NewHold, NewRetention, Retention};

use crate::cli::Hold;
use crate::command::{effect, headline};
use crate::exit::Failure;
use crate::output::{Out, Sheet, Table, utc};

/// Shows the retention, or changes it first.
pub(super) fn keep(
    client: &AdminClient,
    domain: &str,
    days: Option<u32>,
    reason: Option<&str>,
    default: bool,
    dry_run: bool,
    out: &Out,
) -> Result<(), Failure> {
    let changes = days.is_some() || default;
    let retention = if changes {
        let new = NewRetention { days, reason: reason.map(str::to_owned) };
        new.check().map_err(|fault| Failure::Usage(fault.to_owned()))?;
        client.retention_set(domain, &new, effect(dry_run))?
    } else {
        client.retention(domain)?
    };
    let said = if changes { headline(dry_run, "Changed.", "It would be:") } else { String::new() };
    out.write(&retention, || said + &sheet(&retention))
}

/// Sets, lifts or lists legal holds.
pub(super) fn hold(client: &AdminClient, verb: &Hold, out: &Out) -> Result<(), Failure> {
    let retention = match verb {
        Hold::Set { domain, name, reason } => {
            let hold = NewHold { name: name.clone(), reason: reason.clone() };
            hold.check().map_err(|fault| Failure::Usage(fault.to_owned()))?;
            client.hold_set(domain, &hold)?
        }
        Hold::Lift { domain, name, dry_run } => client.hold_lift(domain, name, effect(*dry_run))?,
        Hold::List { domain } => client.retention(domain)?,
    };
    let said = match verb {
        Hold::Lift { dry_run, .. } => headline(*dry_run, "Lifted. There are left:", "There would be left:"),
        Hold::Set { .. } | Hold::List { .. } => String::new(),
    };
    out.write(&retention.holds, || said + &holds(&retention))
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
