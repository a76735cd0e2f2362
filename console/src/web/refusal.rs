//! Refusals in the reader's language: what is so, and what to do about it.
//!
//! The rules that stand before the padlock are told in three languages; what any other rule says is told in the
//! model's own words, marked as English.

use maud::{Markup, html};
use provisioning::Finding;

use super::text::{Language, Text};

struct Told {
    rule: &'static str,
    says: [&'static str; 3],
    advice: [&'static str; 3],
}

const TOLD: &[Told] = &[
    Told {
        rule: "vm-encryption-subscribed",
        says: [
            "Your tenant has not subscribed to VM encryption.",
            "Votre tenant n’a pas souscrit au chiffrement des machines virtuelles.",
            "Ihr Mandant hat die VM-Verschlüsselung nicht abonniert.",
        ],
        advice: [
            "Subscribe to {sku}; it is charged per encrypted machine.",
            "Souscrivez à {sku} ; il est facturé par machine chiffrée.",
            "Abonnieren Sie {sku}; berechnet wird je verschlüsselter Maschine.",
        ],
    },
    Told {
        rule: "requester-has-permission",
        says: [
            "You lack a permission: {permissions}.",
            "Il vous manque une permission : {permissions}.",
            "Ihnen fehlt eine Berechtigung: {permissions}.",
        ],
        advice: [
            "Ask an owner of your tenant for it.",
            "Demandez-la à un propriétaire de votre tenant.",
            "Bitten Sie einen Eigentümer Ihres Mandanten darum.",
        ],
    },
    Told {
        rule: "vstack-has-key-provider",
        says: [
            "The vStack {vstack} has no key provider that is enabled.",
            "La vStack {vstack} n’a pas de fournisseur de clés activé.",
            "Die vStack {vstack} hat keinen aktivierten Schlüsselanbieter.",
        ],
        advice: [
            "Open a service request: support configures and enables one.",
            "Ouvrez une demande de service : le support en configure un et l’active.",
            "Stellen Sie eine Serviceanfrage: Der Support richtet einen ein und aktiviert ihn.",
        ],
    },
    Told {
        rule: "vm-not-encrypted-yet",
        says: ["It is encrypted already.", "Elle est déjà chiffrée.", "Sie ist bereits verschlüsselt."],
        advice: ["There is nothing to do.", "Il n’y a rien à faire.", "Es ist nichts zu tun."],
    },
    Told {
        rule: "vm-not-in-test-mode",
        says: [
            "It is a restore test of a backup.",
            "C’est un test de restauration d’une sauvegarde.",
            "Sie ist ein Wiederherstellungstest einer Sicherung.",
        ],
        advice: [
            "Make it productive or a clone first.",
            "Passez-la d’abord en production ou en clone.",
            "Machen Sie sie zuerst produktiv oder zu einem Klon.",
        ],
    },
    Told {
        rule: "vm-powered-off",
        says: ["It is not powered off.", "Elle n’est pas éteinte.", "Sie ist nicht ausgeschaltet."],
        advice: [
            "Power it off: nothing may write to its disks while they are rewritten.",
            "Éteignez-la : rien ne doit écrire sur ses disques pendant leur réécriture.",
            "Schalten Sie sie aus: Solange ihre Festplatten neu geschrieben werden, darf nichts auf sie schreiben.",
        ],
    },
    Told {
        rule: "vm-has-no-snapshot",
        says: [
            "It has snapshots: {snapshots}.",
            "Elle a des snapshots : {snapshots}.",
            "Sie hat Schnappschüsse: {snapshots}.",
        ],
        advice: [
            "Delete them: they would keep its data in clear.",
            "Supprimez-les : ils garderaient ses données en clair.",
            "Löschen Sie sie: Sie würden ihre Daten unverschlüsselt behalten.",
        ],
    },
    Told {
        rule: "vm-not-replicated",
        says: ["It is replicated: {how}.", "Elle est répliquée : {how}.", "Sie wird repliziert: {how}."],
        advice: [
            "End the replication, or move it to a datastore without a mirror.",
            "Arrêtez la réplication, ou déplacez-la vers un datastore sans miroir.",
            "Beenden Sie die Replikation, oder verschieben Sie sie auf einen Datastore ohne Spiegel.",
        ],
    },
    Told {
        rule: "datastore-holds-encrypted-copies",
        says: [
            "There is not enough free space for the new copies: {shortages}.",
            "Il n’y a pas assez d’espace libre pour les nouvelles copies : {shortages}.",
            "Für die neuen Kopien fehlt freier Platz: {shortages}.",
        ],
        advice: [
            "Enlarge the datastore, or move a disk to another.",
            "Agrandissez le datastore, ou déplacez un disque vers un autre.",
            "Vergrößern Sie den Datastore, oder verschieben Sie eine Festplatte auf einen anderen.",
        ],
    },
    Told {
        rule: "vm-is-not-held",
        says: ["Another activity has it.", "Une autre activité l’occupe.", "Ein anderer Vorgang hat sie."],
        advice: ["Wait until that has ended.", "Attendez la fin de celle-ci.", "Warten Sie, bis dieser zu Ende ist."],
    },
];

fn filled(template: &str, finding: &Finding) -> String {
    let fill = |text: String, (name, value): &(&str, provisioning::rule::Value)| {
        text.replace(&format!("{{{name}}}"), &value.to_string())
    };
    finding.facts.iter().fold(template.to_owned(), fill)
}

/// A list of all findings, each with what to do.
pub fn list(findings: &[Finding], language: Language) -> Markup {
    html! {
        ul.findings {
            @for finding in findings {
                li data-rule=(finding.rule.id) {
                    @match TOLD.iter().find(|told| told.rule == finding.rule.id) {
                        Some(told) => {
                            p.says { (filled(language.pick(told.says), finding)) }
                            p.advice {
                                span.hidden { (Text::WhatToDo.in_language(language)) ": " }
                                (filled(language.pick(told.advice), finding))
                            }
                        }
                        None => {
                            p.says lang="en" { (finding.message()) }
                            p.advice lang="en" { (finding.rule.why) }
                        }
                    }
                    span.number { (finding.rule.number.to_string()) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_the_padlock_is_told_in_three_languages() {
        let padlock = provisioning::rules::padlock::IN_ORDER.iter().map(|rule| rule.id);
        for rule in padlock.chain(["requester-has-permission", "vm-is-not-held"]) {
            let told = TOLD.iter().find(|told| told.rule == rule);
            assert!(told.is_some_and(|told| told.says[0] != told.says[1] && told.says[1] != told.says[2]), "{rule}");
        }
        for told in TOLD {
            assert!(provisioning::rules::all().iter().any(|rule| rule.id == told.rule), "{}", told.rule);
        }
    }
}
