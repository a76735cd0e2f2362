//! One VM: what it is, whether it is encrypted, and the padlock.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use provisioning::command::Depth;
use provisioning::ids::VmId;
use provisioning::model::vm::{PowerState, Vm};
use provisioning::permission::Permission;
use provisioning::{Command, Finding, Inventory};

use super::machines::of;
use super::{chip, power};
use crate::api::App;
use crate::platform::{Conditions, Refusal};
use crate::web::layout::{self, Place};
use crate::web::refusal;
use crate::web::session::{Sent, Visitor};
use crate::web::text::{Language, Text};

/// What can be ordered from the page, and what it is called.
fn ordered(name: &str, vm: VmId) -> Option<(Command, Text)> {
    Some(match name {
        "encrypt" => (Command::Encrypt { vm }, Text::Encrypt),
        "decrypt" => (Command::Decrypt { vm }, Text::Decrypt),
        "rekey-shallow" => (Command::Rekey { vm, depth: Depth::Shallow }, Text::RekeyShallow),
        "rekey-deep" => (Command::Rekey { vm, depth: Depth::Deep }, Text::RekeyDeep),
        "power-on" => (Command::PowerOn { vm }, Text::PowerOn),
        "power-off" => (Command::PowerOff { vm }, Text::PowerOff),
        _ => return None,
    })
}

#[expect(clippy::result_large_err, reason = "what is refused is a page, made once and returned")]
fn find<'a>(inventory: &'a Inventory, visitor: &'a Visitor, id: &str) -> Result<&'a Vm, Response> {
    if !visitor.who.permissions.contains(&Permission::ComputeRead) {
        return Err(layout::failure(403, Text::Forbidden, visitor.language));
    }
    let found = of(inventory, &visitor.who.tenant).find(|vm| vm.id.as_str() == id);
    found.ok_or_else(|| layout::failure(404, Text::NotFound, visitor.language))
}

pub async fn show(State(app): State<App>, visitor: Visitor, Path(id): Path<String>) -> Response {
    let current = app.platform.current();
    match find(&current.inventory, &visitor, &id) {
        Ok(vm) => page(&app, &visitor, vm, &[]).into_response(),
        Err(response) => response,
    }
}

/// The question of the padlock as a page of its own, for browsers without the script.
pub async fn ask(State(app): State<App>, visitor: Visitor, Path((id, name)): Path<(String, String)>) -> Response {
    if name != "encrypt" {
        return layout::failure(404, Text::NotFound, visitor.language);
    }
    let current = app.platform.current();
    match find(&current.inventory, &visitor, &id) {
        Ok(vm) => {
            let title = Text::EncryptVm.in_language(visitor.language);
            layout::page(&visitor, Some(Place::Machines), title, &question(&visitor, vm)).into_response()
        }
        Err(response) => response,
    }
}

pub async fn order(State(app): State<App>, Path((id, name)): Path<(String, String)>, sent: Sent) -> Response {
    let visitor = sent.visitor;
    let current = app.platform.current();
    let vm = match find(&current.inventory, &visitor, &id) {
        Ok(vm) => vm,
        Err(response) => return response,
    };
    let Some((command, _)) = ordered(&name, vm.id.clone()) else {
        return layout::failure(404, Text::NotFound, visitor.language);
    };
    match app.platform.begin(&visitor.who, command, &Conditions::default()).await {
        // What is done at once is seen on the page of the VM.
        Ok(activity) if activity.state.is_final() => Redirect::to(&format!("/vms/{id}")).into_response(),
        Ok(activity) => Redirect::to(&format!("/activities/{}", activity.id)).into_response(),
        Err(Refusal::Findings(findings)) => {
            (StatusCode::UNPROCESSABLE_ENTITY, page(&app, &visitor, vm, &findings)).into_response()
        }
        Err(error) => {
            tracing::warn!(%error, "an order from the page of a VM");
            layout::failure(500, Text::TryAgain, visitor.language)
        }
    }
}

fn page(app: &App, visitor: &Visitor, vm: &Vm, refused: &[Finding]) -> Markup {
    let language = visitor.language;
    let text = |text: Text| text.in_language(language);
    let against = against(app, visitor, vm);
    let content = html! {
        p.crumbs { a href="/vms" { (text(Text::Machines)) } }
        @if !refused.is_empty() {
            section.panel.refused role="alert" {
                h2 { (text(Text::Refused)) }
                (refusal::list(refused, language))
            }
        }
        @if let Some(activity) = &vm.held_by {
            p.notice { a href={ "/activities/" (activity) } { (text(Text::UnderWay)) } }
        }
        (actions(visitor, vm, against.is_empty()))
        (general(vm, language))
        @if vm.encryption.is_none() && !against.is_empty() && refused.is_empty() {
            section.panel.waiting #not-yet {
                h2 { (text(Text::NotYet)) }
                p { (text(Text::NotYetIntro)) }
                (refusal::list(&against, language))
            }
        }
        (disks(vm, language))
        dialog #padlock aria-labelledby="padlock-title" {
            h2 #padlock-title { (text(Text::EncryptVm)) " " (vm.name) }
            (question(visitor, vm))
        }
    };
    layout::page(visitor, Some(Place::Machines), &vm.name, &content)
}

/// Every rule against encrypting it now.
fn against(app: &App, visitor: &Visitor, vm: &Vm) -> Vec<Finding> {
    match app.platform.try_out(&visitor.who, &Command::Encrypt { vm: vm.id.clone() }) {
        Err(Refusal::Findings(findings)) => findings,
        _ => Vec::new(),
    }
}

fn question(visitor: &Visitor, vm: &Vm) -> Markup {
    let text = |text: Text| text.in_language(visitor.language);
    html! {
        p { (text(Text::EncryptQuestion)) " " strong { (vm.name) } "?" }
        p.explained { (text(Text::EncryptExplained)) }
        form.buttons method="post" action={ "/vms/" (vm.id) "/encrypt" } {
            input type="hidden" name="proof" value=(visitor.proof);
            a.button href={ "/vms/" (vm.id) } data-close { (text(Text::Cancel)) }
            button.primary #encrypt type="submit" { (text(Text::Encrypt)) }
        }
    }
}

fn button(visitor: &Visitor, vm: &Vm, name: &str) -> Markup {
    let label = ordered(name, vm.id.clone()).map(|(_, label)| label.in_language(visitor.language)).unwrap_or_default();
    html! {
        form method="post" action={ "/vms/" (vm.id) "/" (name) } {
            input type="hidden" name="proof" value=(visitor.proof);
            button id=(name) type="submit" { (label) }
        }
    }
}

fn actions(visitor: &Visitor, vm: &Vm, may_encrypt: bool) -> Markup {
    let text = |text: Text| text.in_language(visitor.language);
    html! {
        div.actions {
            @match vm.power {
                PowerState::Off => (button(visitor, vm, "power-on")),
                PowerState::On | PowerState::Suspended => (button(visitor, vm, "power-off")),
                _ => {},
            }
            @if vm.encryption.is_none() {
                @if may_encrypt {
                    a.button.primary.padlock #open-padlock href={ "/vms/" (vm.id) "/encrypt" } data-dialog="padlock" {
                        span.lock aria-hidden="true" {} (text(Text::EncryptVm))
                    }
                } @else {
                    button.padlock #open-padlock type="button" disabled aria-describedby="not-yet" {
                        span.lock aria-hidden="true" {} (text(Text::EncryptVm))
                    }
                }
            } @else {
                (button(visitor, vm, "rekey-shallow"))
                (button(visitor, vm, "rekey-deep"))
                (button(visitor, vm, "decrypt"))
            }
        }
    }
}

fn general(vm: &Vm, language: Language) -> Markup {
    let text = |text: Text| text.in_language(language);
    let listed = |items: Vec<&str>| if items.is_empty() { text(Text::None).to_owned() } else { items.join(", ") };
    html! {
        section.panel {
            h2 { (text(Text::General)) }
            dl {
                div { dt { (text(Text::Encryption)) } dd #encryption { (chip(vm, language)) } }
                @if let Some(encryption) = &vm.encryption {
                    div { dt { (text(Text::Key)) } dd { code { (encryption.key) } } }
                    div { dt { (text(Text::Provider)) } dd { (encryption.provider) } }
                }
                div { dt { (text(Text::Power)) } dd { (text(power(vm.power))) } }
                div { dt { (text(Text::Cpus)) } dd { (vm.cpus) } }
                div { dt { (text(Text::Memory)) } dd { (vm.memory) } }
                div { dt { (text(Text::Cpool)) } dd { (vm.cpool) } }
                @if let Some(host) = &vm.host { div { dt { (text(Text::Host)) } dd { (host) } } }
                div {
                    dt { (text(Text::Snapshots)) }
                    dd { (listed(vm.snapshots.iter().map(|one| one.id.as_str()).collect())) }
                }
                div {
                    dt { (text(Text::Policies)) }
                    dd { (listed(vm.policies.iter().map(|one| one.as_str()).collect())) }
                }
            }
        }
    }
}

fn disks(vm: &Vm, language: Language) -> Markup {
    let text = |text: Text| text.in_language(language);
    html! {
        section.panel {
            h2 { (text(Text::Disks)) }
            div.scroll {
                table {
                    thead { tr {
                        th scope="col" { (text(Text::Name)) }
                        th scope="col" { (text(Text::Datastore)) }
                        th.number scope="col" { (text(Text::Capacity)) }
                        th scope="col" { (text(Text::Key)) }
                    } }
                    tbody {
                        @for disk in &vm.disks {
                            tr {
                                th scope="row" { (disk.id) }
                                td { (disk.datastore) }
                                td.number { (disk.capacity) }
                                td { @if let Some(key) = &disk.key { code { (key) } } @else { "–" } }
                            }
                        }
                    }
                }
            }
        }
    }
}
