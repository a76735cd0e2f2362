//! `kmsctl administrator` and `kmsctl request`: what several people have to approve.

use std::io::Write;
use std::path::Path;

use admin_api::{AdminClient, Administrator, Approvals, ClientError, ProtectedAct, Request};
use quorum::SignedRequest;

use super::{effect, headline};
use crate::cli;
use crate::connect::Connection;
use crate::exit::Failure;
use crate::files::{self, NewFile};
use crate::output::{Out, Sheet, Table, utc, yes};

pub(crate) fn administrator(
    verb: &cli::Administrator,
    client: impl FnOnce() -> Result<AdminClient, Failure>,
    out: &Out,
) -> Result<(), Failure> {
    let (act, dry_run) = match verb {
        cli::Administrator::List => {
            let all = client()?.administrator_list()?;
            return out.write(&all, || administrators(&all));
        }
        cli::Administrator::Add { name, role, certificate, dry_run } => {
            let certificate = files::read_text(certificate)?;
            (ProtectedAct::AddAdministrator { name: name.clone(), role: role.text().to_owned(), certificate }, *dry_run)
        }
        cli::Administrator::Revoke { administrator, dry_run } => {
            (ProtectedAct::RevokeAdministrator { administrator: administrator.clone() }, *dry_run)
        }
        cli::Administrator::Role { administrator, role, dry_run } => {
            let (administrator, role) = (administrator.clone(), role.text().to_owned());
            (ProtectedAct::ChangeRole { administrator, role }, *dry_run)
        }
    };
    ask(&client()?, &act, dry_run, out)
}

/// Asks for an act, and says how it goes on.
pub(super) fn ask(client: &AdminClient, act: &ProtectedAct, dry_run: bool, out: &Out) -> Result<(), Failure> {
    act.check().map_err(|fault| Failure::Usage(fault.to_owned()))?;
    let request = client.request_ask(act, effect(dry_run))?;
    out.write(&request, || {
        let next = if dry_run {
            String::new()
        } else {
            format!(
                "\n{} of the security officers approve it:  kmsctl --as OFFICER request approve {}\n\
                 then it is executed:  kmsctl request execute {}\n",
                request.needed, request.id, request.id
            )
        };
        headline(dry_run, "Asked.", "This would be asked:") + &sheet(&request) + &next
    })
}

pub(crate) fn run(verb: &cli::Request, connection: &Connection, out: &Out) -> Result<(), Failure> {
    match verb {
        cli::Request::List => {
            let all = connection.client()?.request_list()?;
            out.write(&all, || list(&all))
        }
        cli::Request::Show { which: cli::Which { file: Some(file), .. }, .. } => {
            let signed = read(file)?;
            out.write(&signed, || text(&signed))
        }
        cli::Request::Show { which, out: copy } => {
            let request = connection.client()?.request_show(id(which)?)?;
            if let Some(copy) = copy {
                let mut file = NewFile::begin(copy, 0o644, false)?;
                let written = file.writer().write_all(request.signed.to_json().as_bytes());
                written.map_err(|source| Failure::file(copy, source))?;
                file.keep()?;
            }
            out.write(&request, || sheet(&request))
        }
        cli::Request::Approve { which: cli::Which { file: Some(path), .. } } => {
            let mut signed = read(path)?;
            let approval = connection.signer()?.approve(&signed.request)?;
            signed.add(approval).map_err(|error| Failure::Usage(error.to_string()))?;
            let mut file = NewFile::begin(path, 0o644, true)?;
            let written = file.writer().write_all(signed.to_json().as_bytes());
            written.map_err(|source| Failure::file(path, source))?;
            file.keep()?;
            out.write(&signed, || format!("Signed, in {}.\n{}", path.display(), text(&signed)))
        }
        cli::Request::Approve { which } => {
            let (client, signer) = (connection.client()?, connection.signer()?);
            let shown = client.request_show(id(which)?)?;
            let asked = shown.signed.read().map_err(|error| Failure::from(ClientError::Answer(error.to_string())))?;
            if Some(asked.id) != which.id {
                return Err(ClientError::Answer("the server showed another request".to_owned()).into());
            }
            // Exactly the text that is shown below, whatever the server does with it.
            let approvals = Approvals { approvals: vec![signer.approve(&shown.signed.request)?] };
            let request = client.request_approve(asked.id, &approvals)?;
            out.write(&request, || format!("Approved.\n{}", sheet(&request)))
        }
        cli::Request::Execute { which, dry_run } => {
            let client = connection.client()?;
            let (id, approvals) = match &which.file {
                Some(file) => {
                    let signed = read(file)?;
                    let request = signed.read().map_err(|error| Failure::Usage(error.to_string()))?;
                    (request.id, signed.approvals)
                }
                None => (id(which)?, Vec::new()),
            };
            let request = client.request_execute(id, &Approvals { approvals }, effect(*dry_run))?;
            out.write(&request, || headline(*dry_run, "Executed.", "It would be executed:") + &sheet(&request))
        }
        cli::Request::Withdraw { id, dry_run } => {
            let request = connection.client()?.request_withdraw(*id, effect(*dry_run))?;
            out.write(&request, || headline(*dry_run, "Withdrawn.", "It would be withdrawn:") + &sheet(&request))
        }
    }
}

/// The parser demands an identifier or a file.
fn id(which: &cli::Which) -> Result<uuid::Uuid, Failure> {
    which.id.ok_or_else(|| Failure::Usage("an identifier or --file is missing".to_owned()))
}

fn read(path: &Path) -> Result<SignedRequest, Failure> {
    SignedRequest::from_json(&files::read(path)?)
        .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

/// The text that is signed, and how many signed it.
fn text(signed: &SignedRequest) -> String {
    format!("\n{}\napprovals  {}\n", signed.request, signed.approvals.len())
}

fn administrators(all: &[Administrator]) -> String {
    let mut table = Table::new(&["NAME", "ROLE", "APPROVES", "REVOKED", "NOT AFTER", "CREATED", "FINGERPRINT"]);
    for one in all {
        table.row([
            one.name.clone(),
            one.role.clone(),
            yes(one.approves),
            yes(one.revoked),
            utc(one.not_after),
            utc(one.created),
            one.fingerprint.to_string(),
        ]);
    }
    table.render()
}

fn list(all: &[Request]) -> String {
    let mut table = Table::new(&["ID", "ACT", "STATE", "APPROVED BY", "NEEDED", "ASKED BY", "EXPIRES"]);
    for request in all {
        table.row([
            request.id.to_string(),
            request.act.clone(),
            request.state.text().to_owned(),
            request.approved_by.join(", "),
            request.needed.to_string(),
            request.asked_by.clone(),
            utc(request.expires),
        ]);
    }
    table.render()
}

fn sheet(request: &Request) -> String {
    let mut sheet = Sheet::new();
    sheet
        .line("id", request.id.to_string())
        .line("state", request.state.text())
        .line("needed", request.needed.to_string())
        .line("approved by", request.approved_by.join(", "));
    format!("{}\n{}", sheet.render(), request.signed.request)
}
