//! What an operator sees: whether the node works, which HSM members answer in which zone, the domains and what is done
//! with their keys, and which requests wait for officers.

use admin_api::{Breaker, Domain, GroupState, Health, HealthState, HsmMember, HsmStatus, Request, RequestState};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::door::Official;
use crate::api::App;
use crate::limits::PAGE_MOST;
use crate::web::key_service::Standing;
use crate::web::layout;
use crate::web::pages::moment;
use crate::web::text::{Language, Text};

pub async fn show(State(app): State<App>, official: Official) -> Response {
    let Official { administrator, language } = official;
    let Some(service) = app.key_service.clone() else { return layout::failure(503, Text::NoKeyService, language) };
    let standing = tokio::task::spawn_blocking(move || service.standing()).await;
    let content = match standing {
        Ok(Ok(standing)) => content(&standing, language),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the key service");
            return layout::failure(503, Text::NoKeyService, language);
        }
        Err(_) => return layout::failure(503, Text::NoKeyService, language),
    };
    layout::official(&administrator, language, Text::KeyService.in_language(language), &content).into_response()
}

fn content(standing: &Standing, language: Language) -> Markup {
    let Standing { health, hsm, domains, requests } = standing;
    html! {
        (checks(health, language))
        (members(hsm, language))
        (keys(domains, language))
        (waiting(requests, language))
    }
}

/// A word with the colour of how bad it is.
fn state(class: &'static str, word: &str) -> Markup {
    html! { span class={ "state " (class) } lang="en" { (word) } }
}

fn health_state(one: HealthState) -> Markup {
    match one {
        HealthState::Ok => state("completed", "ok"),
        HealthState::Degraded => state("running", "degraded"),
        HealthState::Down => state("failed", "down"),
    }
}

fn checks(health: &Health, language: Language) -> Markup {
    let text = |text: Text| text.in_language(language);
    html! {
        section.panel #health {
            h2 { (text(Text::Health)) " " (health_state(health.state)) }
            dl {
                div { dt { (text(Text::Node)) } dd { code { (health.node) } } }
                div { dt { (text(Text::Version)) } dd { (health.version) } }
                div { dt { (text(Text::Started)) } dd { time { (seconds(health.started)) } } }
            }
            div.scroll {
                table {
                    thead { tr {
                        th scope="col" { (text(Text::Name)) }
                        th scope="col" { (text(Text::State)) }
                        th scope="col" { (text(Text::Reason)) }
                    } }
                    tbody lang="en" {
                        @for check in &health.checks {
                            tr {
                                th scope="row" { (check.name) }
                                td { (health_state(check.state)) }
                                td { (check.detail.as_deref().unwrap_or("–")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A member is called by its zone.
fn members(hsm: &HsmStatus, language: Language) -> Markup {
    let text = |text: Text| text.in_language(language);
    let group = match hsm.state {
        GroupState::Up => state("completed", "up"),
        GroupState::Degraded => state("running", "degraded"),
        GroupState::Down => state("failed", "down"),
    };
    html! {
        section.panel #hsm {
            h2 { (text(Text::HsmMembers)) " " (group) }
            p { (text(Text::RootOfTrust)) " " code { (hsm.root_of_trust) } }
            div.scroll {
                table {
                    thead { tr {
                        th scope="col" { (text(Text::Zone)) }
                        th scope="col" { (text(Text::State)) }
                        th.number scope="col" { (text(Text::Opened)) }
                        th.number scope="col" { (text(Text::Sealed)) }
                        th.number scope="col" { (text(Text::Failures)) }
                        th scope="col" { (text(Text::Reason)) }
                    } }
                    tbody {
                        @for member in &hsm.members { (row(member)) }
                    }
                }
            }
        }
    }
}

fn row(member: &HsmMember) -> Markup {
    let (class, word) = match (member.up, member.breaker) {
        (_, Breaker::Stopped) => ("failed", "stopped"),
        (true, _) => ("completed", "up"),
        (false, Breaker::HalfOpen) => ("running", "on trial"),
        (false, Breaker::Open | Breaker::Closed) => ("failed", "down"),
    };
    html! {
        tr {
            th scope="row" { (member.label) }
            td { (state(class, word)) }
            td.number { (member.opened) }
            td.number { (member.sealed) }
            td.number { (member.failed) }
            td lang="en" { (member.reason.as_deref().unwrap_or("–")) }
        }
    }
}

fn keys(domains: &[Domain], language: Language) -> Markup {
    let text = |text: Text| text.in_language(language);
    html! {
        section.panel #domains {
            h2 { (text(Text::KeyDomains)) }
            @if domains.len() > PAGE_MOST { p.notice { (PAGE_MOST) " " (text(Text::Of)) " " (domains.len()) } }
            div.scroll {
                table {
                    thead { tr {
                        th scope="col" { (text(Text::Name)) }
                        th scope="col" { (text(Text::State)) }
                        th scope="col" { (text(Text::Policy)) }
                        th.number scope="col" { (text(Text::Objects)) }
                        th.number scope="col" { (text(Text::Clients)) }
                        th scope="col" { (text(Text::DomainKey)) }
                    } }
                    tbody {
                        @for domain in domains.iter().take(PAGE_MOST) {
                            tr {
                                th scope="row" { (domain.name) }
                                td { (state(class_of(domain), domain.state.text())) }
                                td lang="en" { (domain.policy) }
                                td.number { @if let Some(objects) = domain.objects { (objects) } @else { "–" } }
                                td.number { (domain.clients) }
                                td { (key_of(domain, language)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

const fn class_of(domain: &Domain) -> &'static str {
    match domain.state {
        admin_api::DomainState::Active => "completed",
        admin_api::DomainState::Frozen => "running",
        admin_api::DomainState::Destroyed => "failed",
    }
}

fn key_of(domain: &Domain, language: Language) -> Markup {
    let text = |text: Text| text.in_language(language);
    html! {
        "v" (domain.key_version)
        @if let Some(former) = domain.former_key_version {
            " " span.state.running { (text(Text::Rotating)) " v" (former) }
        }
    }
}

/// Requests that somebody can still do something about.
fn waiting(requests: &[Request], language: Language) -> Markup {
    let text = |text: Text| text.in_language(language);
    let live: Vec<&Request> = requests
        .iter()
        .filter(|request| matches!(request.state, RequestState::Open | RequestState::Approved))
        .take(PAGE_MOST)
        .collect();
    html! {
        section.panel #requests {
            h2 { (text(Text::WaitingForOfficers)) }
            @if live.is_empty() {
                p.empty { (text(Text::NothingWaits)) }
            } @else {
                div.scroll {
                    table {
                        thead { tr {
                            th scope="col" { (text(Text::Operation)) }
                            th scope="col" { (text(Text::State)) }
                            th scope="col" { (text(Text::AskedBy)) }
                            th scope="col" { (text(Text::Approvals)) }
                            th scope="col" { (text(Text::Until)) }
                        } }
                        tbody lang="en" {
                            @for request in live {
                                tr {
                                    th scope="row" { (request.act) br; code { (request.id) } }
                                    td { (state("running", request.state.text())) }
                                    td { (request.asked_by) }
                                    td { (request.approved_by.len()) " / " (request.needed) }
                                    td { time { (seconds(request.expires)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn seconds(at: i64) -> String {
    moment(u64::try_from(at).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use admin_api::Fingerprint;

    use super::*;

    fn member(up: bool, breaker: Breaker) -> HsmMember {
        HsmMember {
            label: "PAR7S".to_owned(),
            up,
            reason: (!up).then(|| "<no answer>".to_owned()),
            last_probe_age_ms: None,
            opened: 1,
            sealed: 2,
            signed: 3,
            failed: 4,
            domain_keys_held: 0,
            breaker,
        }
    }

    #[test]
    fn a_member_is_shown_as_what_it_is_and_its_words_are_text() {
        for (up, breaker, word) in [
            (true, Breaker::Closed, ">up<"),
            (false, Breaker::Open, ">down<"),
            (false, Breaker::HalfOpen, ">on trial<"),
            (false, Breaker::Stopped, ">stopped<"),
        ] {
            let status = HsmStatus {
                state: GroupState::Degraded,
                root_of_trust: Fingerprint([7; 32]),
                members: vec![member(up, breaker)],
            };
            let shown = members(&status, Language::English).into_string();
            assert!(shown.contains(word) && shown.contains("PAR7S"), "{shown}");
            assert_eq!(shown.contains("&lt;no answer&gt;"), !up, "{shown}");
        }
    }
}
