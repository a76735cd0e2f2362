//! `kmsctl object`.

use admin_api::limits::MAX_PAGE;
use admin_api::{AdminClient, Object, ObjectPage, RevokeObject};
use uuid::Uuid;

use super::{certificate, effect, headline};
use crate::cli;
use crate::exit::Failure;
use crate::output::{Out, Sheet, Table, utc};

pub(crate) fn run(verb: &cli::Object, client: &AdminClient, out: &Out) -> Result<(), Failure> {
    match verb {
        cli::Object::List { domain, limit, after } => {
            let page = collect(client, domain, *limit, *after)?;
            out.write(&page, || list(&page))
        }
        cli::Object::Show { domain, id } => {
            let object = client.object_show(domain, *id)?;
            out.write(&object, || sheet(&object))
        }
        cli::Object::Revoke { domain, id, reason, message, occurred, dry_run } => {
            let revoke =
                RevokeObject { reason: (*reason).into(), message: message.clone(), compromise_occurrence: *occurred };
            revoke.check().map_err(|fault| Failure::Usage(fault.to_owned()))?;
            let object = client.object_revoke(domain, *id, &revoke, effect(*dry_run))?;
            out.write(&object, || headline(*dry_run, "Revoked.", "The object would become:") + &sheet(&object))
        }
        cli::Object::Certificate { domain, id, out: file } => {
            certificate::write(&client.object_certificate(domain, *id)?, file, out)
        }
        cli::Object::Destroy { domain, id, dry_run } => {
            let object = client.object_destroy(domain, *id, effect(*dry_run))?;
            out.write(&object, || headline(*dry_run, "Destroyed.", "The object would become:") + &sheet(&object))
        }
    }
}

/// Pages put together, up to `limit` objects.
pub(super) fn collect(
    client: &AdminClient,
    domain: &str,
    limit: Option<u64>,
    after: Option<Uuid>,
) -> Result<ObjectPage, Failure> {
    let mut all = ObjectPage { objects: Vec::new(), next: after };
    loop {
        let wanted = limit.map_or(u64::MAX, |limit| limit.saturating_sub(all.objects.len() as u64));
        let size = u32::try_from(wanted).unwrap_or(MAX_PAGE).min(MAX_PAGE);
        let page = client.object_list(domain, all.next, Some(size))?;
        // A server that does not move on must not keep the client asking for ever.
        let stuck = page.next.is_some() && page.next == all.next;
        all.objects.extend(page.objects);
        all.next = page.next;
        let full = limit.is_some_and(|limit| all.objects.len() as u64 >= limit);
        if full || stuck || all.next.is_none() {
            return Ok(all);
        }
    }
}

fn list(page: &ObjectPage) -> String {
    let mut table = Table::new(&["ID", "TYPE", "STATE", "ALGORITHM", "LENGTH", "CREATED", "NAMES"]);
    for object in &page.objects {
        table.row([
            object.id.to_string(),
            object.object_type.clone(),
            object.state.clone(),
            object.algorithm.clone().unwrap_or_default(),
            object.length.map(|length| length.to_string()).unwrap_or_default(),
            utc(object.dates.initial),
            object.names.join(", "),
        ]);
    }
    let more = page.next.map(|next| format!("There are more: --after {next}\n")).unwrap_or_default();
    table.render() + &more
}

fn sheet(object: &Object) -> String {
    let dates = &object.dates;
    let mut sheet = Sheet::new();
    sheet
        .line("id", object.id.to_string())
        .line("type", &object.object_type)
        .line("state", &object.state)
        .maybe("algorithm", object.algorithm.clone())
        .maybe("length", object.length.map(|length| format!("{length} bits")))
        .line("usage", object.usage.join(", "))
        .line("owner", object.owner.to_string())
        .line("revision", object.revision.to_string());
    for name in &object.names {
        sheet.line("name", name);
    }
    sheet.line("initial date", utc(dates.initial));
    for (name, date) in [
        ("activation date", dates.activation),
        ("process start date", dates.process_start),
        ("protect stop date", dates.protect_stop),
        ("deactivation date", dates.deactivation),
        ("compromise occurrence date", dates.compromise_occurrence),
        ("compromise date", dates.compromise),
        ("destroy date", dates.destroy),
        ("archive date", dates.archive),
        ("last change date", Some(dates.last_change)),
    ] {
        sheet.maybe(name, date.map(utc));
    }
    if let Some(revocation) = &object.revocation {
        sheet.line("revocation reason", &revocation.code).maybe("revocation message", revocation.message.clone());
    }
    for attribute in &object.attributes {
        sheet.line(&attribute.name, &attribute.value);
    }
    sheet.render()
}
