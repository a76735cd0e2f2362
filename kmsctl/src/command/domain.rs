//! `kmsctl domain`.

use admin_api::{AdminClient, Domain, DomainChange, NewDomain, ProtectedAct, Verification};

use super::{certificate, effect, orphans, request};
use crate::cli;
use crate::exit::Failure;
use crate::output::{Out, Sheet, Table, utc};

pub(crate) fn run(verb: &cli::Domain, client: &AdminClient, out: &Out) -> Result<(), Failure> {
    match verb {
        cli::Domain::Create { name, policy, allow } => {
            let allow = allow.iter().map(|permission| permission.permission()).collect();
            let new = NewDomain { name: name.clone(), policy: Some(policy.text().to_owned()), allow };
            new.check().map_err(|fault| Failure::Usage(fault.to_owned()))?;
            let domain = client.domain_create(&new)?;
            out.write(&domain, || sheet(&domain))
        }
        cli::Domain::List => {
            let domains = client.domain_list()?;
            out.write(&domains, || list(&domains))
        }
        cli::Domain::Show { domain } => {
            let domain = client.domain_show(domain)?;
            out.write(&domain, || sheet(&domain))
        }
        cli::Domain::Freeze { domain, dry_run } => change(client, out, domain, DomainChange::Freeze, *dry_run),
        cli::Domain::Thaw { domain, dry_run } => change(client, out, domain, DomainChange::Thaw, *dry_run),
        cli::Domain::RotateKey { domain, dry_run } => change(client, out, domain, DomainChange::RotateKey, *dry_run),
        cli::Domain::Destroy { domain, dry_run } => {
            request::ask(client, &ProtectedAct::DestroyDomain { domain: domain.clone() }, *dry_run, out)
        }
        cli::Domain::Orphans { domain, inventory } => orphans::run(client, domain, inventory, out),
        cli::Domain::Certificate { domain, out: file } => {
            certificate::write(&client.domain_certificate(domain)?, file, out)
        }
        cli::Domain::Verify { domain } => {
            let verification = client.domain_verify(domain)?;
            out.write(&verification, || findings(&verification))?;
            match verification.found {
                0 => Ok(()),
                found => {
                    Err(Failure::NotVerified(format!("{found} findings: the database is not what the node wrote")))
                }
            }
        }
    }
}

fn change(client: &AdminClient, out: &Out, domain: &str, change: DomainChange, dry_run: bool) -> Result<(), Failure> {
    let domain = client.domain_change(domain, change, effect(dry_run))?;
    out.write(&domain, || sheet(&domain))
}

fn findings(verification: &Verification) -> String {
    let mut sheet = Sheet::new();
    sheet
        .line("objects", verification.objects.to_string())
        .line("records", verification.records.to_string())
        .line("findings", verification.found.to_string());
    if verification.findings.is_empty() {
        return sheet.render();
    }
    let mut table = Table::new(&["TABLE", "ROW", "FINDING"]);
    for finding in &verification.findings {
        table.row([finding.table.clone(), finding.row.clone(), finding.what.clone()]);
    }
    sheet.render() + "\n" + &table.render()
}

fn list(domains: &[Domain]) -> String {
    let mut table = Table::new(&["NAME", "STATE", "POLICY", "KEY", "OBJECTS", "CLIENTS", "CREATED", "ID"]);
    for domain in domains {
        table.row([
            domain.name.clone(),
            domain.state.text().to_owned(),
            domain.policy.clone(),
            versions(domain),
            count(domain.objects),
            domain.clients.to_string(),
            utc(domain.created),
            domain.id.to_string(),
        ]);
    }
    table.render()
}

fn sheet(domain: &Domain) -> String {
    let mut sheet = Sheet::new();
    sheet
        .line("name", &domain.name)
        .line("id", domain.id.to_string())
        .line("state", domain.state.text())
        .line("policy", &domain.policy)
        .line("allowed", allowed(domain))
        .line("key version", versions(domain))
        .line("objects", count(domain.objects))
        .line("clients", domain.clients.to_string())
        .line("created", utc(domain.created));
    sheet.render()
}

/// The version that seals, and the one that is being rotated away.
fn versions(domain: &Domain) -> String {
    match domain.former_key_version {
        Some(former) => format!("v{} (from v{former})", domain.key_version),
        None => format!("v{}", domain.key_version),
    }
}

fn count(objects: Option<u64>) -> String {
    objects.map_or_else(|| "-".to_owned(), |objects| objects.to_string())
}

fn allowed(domain: &Domain) -> String {
    let words: Vec<&str> = domain.allow.iter().map(|permission| permission.text()).collect();
    if words.is_empty() { "nothing beyond Register and Get".to_owned() } else { words.join(", ") }
}
