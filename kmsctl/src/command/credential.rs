//! `kmsctl client credential`.

use admin_api::{Access, AdminClient, Client, Device, NewCredential};

use super::client::{read_password, sheet};
use super::{effect, headline};
use crate::cli::{self, AccessArgs};
use crate::exit::Failure;
use crate::output::{Out, Table, yes};

/// As [`super::client::run`].
pub(crate) fn run(
    verb: &cli::ClientCredential,
    client: impl FnOnce() -> Result<AdminClient, Failure>,
    out: &Out,
) -> Result<(), Failure> {
    match verb {
        cli::ClientCredential::Add {
            domain,
            fingerprint,
            username,
            password_file,
            serial_number,
            device_identifier,
            network_identifier,
            machine_identifier,
            media_identifier,
            access,
        } => {
            let device = Device {
                serial_number: serial_number.clone(),
                device: device_identifier.clone(),
                network: network_identifier.clone(),
                machine: machine_identifier.clone(),
                media: media_identifier.clone(),
            };
            let new = NewCredential {
                username: username.clone(),
                device: username.is_none().then_some(device),
                password: password_file.as_deref().map(read_password).transpose()?,
                access: self::access(access),
            };
            new.check().map_err(|fault| Failure::Usage(fault.to_owned()))?;
            let changed = client()?.credential_add(domain, *fingerprint, &new)?;
            out.write(&changed, || sheet(&changed))
        }
        cli::ClientCredential::Remove { domain, fingerprint, name, dry_run } => {
            let changed = client()?.credential_remove(domain, *fingerprint, name, effect(*dry_run))?;
            out.write(&changed, || headline(*dry_run, "Removed.", "This client would be left:") + &sheet(&changed))
        }
        cli::ClientCredential::List { domain, fingerprint } => {
            let clients = client()?.client_list(domain)?;
            let Some(found) = clients.iter().find(|one| one.fingerprint == *fingerprint) else {
                return Err(Failure::Usage("the domain has no client with this fingerprint".to_owned()));
            };
            out.write(&found.credentials, || list(found))
        }
    }
}

/// What the options say.
pub(super) fn access(args: &AccessArgs) -> Access {
    Access { own: args.own, operations: args.operations.clone() }
}

/// The same in words.
pub(super) fn reach(access: &Access) -> String {
    let objects = if access.own { "what it makes itself" } else { "the whole domain" };
    match &access.operations {
        None => objects.to_owned(),
        Some(operations) => format!("{objects}, by {}", operations.join(", ")),
    }
}

fn list(client: &Client) -> String {
    let mut table = Table::new(&["NAME", "KIND", "PASSWORD", "REACHES"]);
    for one in &client.credentials {
        let kind = if one.device.is_some() { "device" } else { "user" };
        table.row([one.name.clone(), kind.to_owned(), yes(one.has_password), reach(&one.access)]);
    }
    table.render()
}
