//! R61: what the operator does when a service request asks for it.

use crate::command::Command;
use crate::model::contract::{Contact, RequestState, Retention, Wish};
use crate::rule::{Number, Rule, facts, promise, rule};

rule! {
    /// New policies are made by support.
    R61 = promise(61), "backup-policy-is-made-on-request", ServiceRequest;
    source: "Die Erstellung einer neuen Backup-Politik erfolgt über eine Serviceanfrage, die folgende Angaben enthält: Der Name \
        Ihrer Organisation, Der Name eines Kontakts mit seiner E-Mail-Adresse und Telefonnummer […], Der Name des Tenants, Der \
        Name der Backup-Politik, Die Merkmale (x Tage, y Wochen, z Monate, ...)";
    why: "A new backup policy is asked for by service request with contact (name, mail, telephone), policy name and how many \
        days, weeks and months; organisation and tenant are known.";
    says: "for the backup policy \"{policy}\": {fault}";
    Asked: |asked, found| match asked.command() {
        Command::CreateBackupPolicy { policy, .. } if !asked.by_operator() => {
            found.add(facts! { policy: policy, fault: "ask for it by service request" });
        }
        Command::FileServiceRequest { request } => {
            let Wish::BackupPolicy { policy, retention } = &request.wish else { return };
            let missing = missing(&request.contact, retention);
            if !missing.is_empty() {
                found.add(facts! { policy: policy, fault: format!("the service request lacks {}", missing.join(", ")) });
            }
        }
        _ => {}
    }
}

rule! {
    /// What is made has what was wished.
    WISHED = Number::Flow, "service-request-covers-the-act", Reject;
    source: "";
    why: "What the operator does upon a service request is what was asked for, once.";
    says: "service request \"{request}\" does not cover \"{command}\": {fault}";
    Asked: |asked, found| {
        let Some(request) = asked.command().under().and_then(|id| asked.inventory.service_request(id)) else { return };
        let covers = match (asked.command(), &request.wish) {
            (Command::PresentMirror { mirror, .. }, Wish::PresentMirror { mirror: wished }) => mirror == wished,
            (Command::ConfigureKeyProvider { vstack, .. }, Wish::KeyProvider { vstack: wished }) => vstack == wished,
            (
                Command::CreateBackupPolicy { policy, retention, .. },
                Wish::BackupPolicy { policy: wished, retention: wished_retention },
            ) => policy == wished && retention == wished_retention,
            (Command::ExportEncrypted { vm, .. }, Wish::ExportEncrypted { vm: wished }) => vm == wished,
            _ => false,
        };
        let fault = if request.state != RequestState::Open {
            format!("it is {}", request.state)
        } else if !covers {
            format!("it asks for {}", request.wish.text())
        } else {
            return;
        };
        found.add(facts! { request: &request.id, command: asked.command().name(), fault: fault });
    }
}

fn missing(contact: &Contact, retention: &Retention) -> Vec<&'static str> {
    let fields = [
        (contact.name.trim().is_empty(), "the contact's name"),
        (!contact.mail.contains('@'), "the contact's e-mail address"),
        (!contact.phone.chars().any(|one| one.is_ascii_digit()), "the contact's telephone number"),
        (*retention == Retention::default(), "days, weeks or months"),
    ];
    fields.into_iter().filter(|(is_missing, _)| *is_missing).map(|(_, field)| field).collect()
}

/// The rules of this file.
pub static RULES: [&Rule; 2] = [&R61, &WISHED];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Actor;
    use crate::example;
    use crate::inventory::Document;
    use crate::model::contract::ServiceRequest;
    use crate::rules::testing::{expect_allowed, expect_refused, expect_refused_of};

    fn wish(days: u32) -> Wish {
        Wish::BackupPolicy { policy: "monthly".into(), retention: Retention { days, weeks: 4, months: 0 } }
    }

    fn owner() -> Actor {
        Actor::owner(&example::TENANT.into())
    }

    fn request(id: &str, wish: Wish) -> ServiceRequest {
        let contact =
            Contact { name: "A. Durand".to_owned(), mail: "a@acme.example".to_owned(), phone: "+33 1".to_owned() };
        ServiceRequest { id: id.into(), tenant: example::TENANT.into(), contact, wish, state: RequestState::Open }
    }

    #[test]
    fn a_tenant_asks_for_a_policy_and_says_all_that_is_needed() {
        let create = || Command::CreateBackupPolicy {
            policy: "monthly".into(),
            zone: "TH3S".into(),
            retention: Retention { days: 7, weeks: 4, months: 0 },
            under: "sr-9".into(),
        };
        let filed = |document: &mut Document| document.service_requests.push(request("sr-9", wish(7)));
        let said = "for the backup policy \"monthly\": ask for it by service request";
        expect_refused(&R61, said, create(), filed);
        expect_allowed(Actor::Operator, create(), filed);

        let file = |request| Command::FileServiceRequest { request };
        expect_allowed(owner(), file(request("sr-9", wish(7))), |_| {});
        let mut nobody = request("sr-9", Wish::BackupPolicy { policy: "m".into(), retention: Retention::default() });
        nobody.contact = Contact { name: " ".to_owned(), mail: "a".to_owned(), phone: "-".to_owned() };
        let said = "for the backup policy \"m\": the service request lacks the contact's name, the contact's e-mail \
            address, the contact's telephone number, days, weeks or months";
        expect_refused(&R61, said, file(nobody), |_| {});
    }

    #[test]
    fn the_operator_makes_what_was_asked_for_and_once() {
        let create = |days| Command::CreateBackupPolicy {
            policy: "monthly".into(),
            zone: "TH3S".into(),
            retention: Retention { days, weeks: 4, months: 0 },
            under: "sr-9".into(),
        };
        let filed = |document: &mut Document| document.service_requests.push(request("sr-9", wish(7)));
        let said = "service request \"sr-9\" does not cover \"create-backup-policy\": it asks for a new backup policy";
        expect_refused_of(&WISHED, said, Actor::Operator, create(8), filed);
        let said = "service request \"sr-9\" does not cover \"create-backup-policy\": it is done";
        expect_refused_of(&WISHED, said, Actor::Operator, create(7), |document| {
            filed(document);
            document.service_requests.iter_mut().for_each(|request| request.state = RequestState::Done);
        });
    }
}
