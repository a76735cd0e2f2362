//! What a tenant has at a glance: machines, storage, memory, consumption, and what to look at.

use axum::extract::State;
use maud::{Markup, html};
use provisioning::capacity::View;
use provisioning::ids::TenantId;
use provisioning::model::vm::PowerState;
use provisioning::units::{Bytes, Gib, Tib};
use provisioning::{Inventory, metering};

use super::activities::{newest, table};
use super::machines::of;
use crate::api::App;
use crate::web::layout::{self, Place};
use crate::web::session::Visitor;
use crate::web::text::{Language, Text};

/// Activities that are shown.
const LATEST: usize = 5;

pub async fn show(State(app): State<App>, visitor: Visitor) -> Markup {
    let language = visitor.language;
    let text = |text: Text| text.in_language(language);
    let latest = newest(&app, &visitor, LATEST).await;
    let current = app.platform.current();
    let (inventory, tenant) = (&current.inventory, &visitor.who.tenant);
    let content = html! {
        (figures(inventory, tenant, language))
        div.columns {
            (capacity(inventory, tenant, language))
            (consumption(inventory, tenant, language))
        }
        section.panel { h2 { (text(Text::LatestActivities)) } (table(&latest, language)) }
    };
    layout::page(&visitor, Some(Place::Dashboard), text(Text::Dashboard), &content)
}

fn figures(inventory: &Inventory, tenant: &TenantId, language: Language) -> Markup {
    let count =
        |wanted: fn(&provisioning::model::vm::Vm) -> bool| of(inventory, tenant).filter(|vm| wanted(vm)).count();
    let figure = |name: Text, number: usize| {
        html! { div.figure { dt { (name.in_language(language)) } dd { (number) } } }
    };
    html! {
        dl.figures {
            (figure(Text::Machines, count(|_| true)))
            (figure(Text::Encrypted, count(|vm| vm.encryption.is_some())))
            (figure(Text::InClear, count(|vm| vm.encryption.is_none())))
            (figure(Text::Running, count(|vm| vm.power == PowerState::On)))
            (figure(Text::UnderWay, count(|vm| vm.held_by.is_some())))
        }
    }
}

/// A bar whose length a browser draws, and what it says for those who do not see it.
fn bar(name: &str, used: Bytes, whole: Bytes, language: Language) -> Markup {
    let percent = u128::from(used.0) * 100 / u128::from(whole.0.max(1));
    html! {
        li.bar {
            span.name { (name) }
            meter min="0" max=(whole.0) low=(whole.0 / 10 * 7) high=(whole.0 / 10 * 9) optimum="0" value=(used.0)
                aria-label=(name) { (percent) " %" }
            span.amount {
                (rounded(used)) " " (Text::Of.in_language(language)) " " (rounded(whole)) " · " (percent) " %"
            }
        }
    }
}

/// As one says it: in TiB where that is even, else in GiB, rounded down.
fn rounded(amount: Bytes) -> String {
    let (gib, tib) = (Gib(1).bytes().0, Tib(1).bytes().0);
    match amount.0 {
        0 => "0 GiB".to_owned(),
        bytes if bytes.is_multiple_of(tib) => format!("{} TiB", bytes / tib),
        bytes => format!("{} GiB", bytes / gib),
    }
}

/// What is charged: storage is counted in bytes, everything else in pieces.
fn charged(sku: &str, level: u64) -> String {
    if sku.contains(":storage:") { rounded(Bytes(level)) } else { level.to_string() }
}

fn capacity(inventory: &Inventory, tenant: &TenantId, language: Language) -> Markup {
    let view = View::of(inventory);
    let own = inventory.datastores().filter(|lun| lun.tenant == *tenant);
    let is_own = |vstack| inventory.vstack(vstack).is_some_and(|vstack| vstack.tenant == *tenant);
    html! {
        section.panel {
            h2 { (Text::Storage.in_language(language)) }
            ul.bars {
                @for lun in own {
                    (bar(lun.id.as_str(), view.space(&lun.id).taken(), lun.capacity.bytes(), language))
                }
            }
            h2 { (Text::MemoryOfCpools.in_language(language)) }
            ul.bars {
                @for cpool in inventory.cpools().filter(|cpool| is_own(&cpool.vstack)) {
                    @let memory = view.memory(&cpool.id);
                    (bar(&cpool.name, (memory.running + memory.standby).bytes(), cpool.ram_enabled.bytes(), language))
                }
            }
        }
    }
}

fn consumption(inventory: &Inventory, tenant: &TenantId, language: Language) -> Markup {
    let levels = metering::levels(inventory);
    let own = levels.iter().filter(|((whose, _), _)| whose == tenant);
    html! {
        section.panel {
            h2 { (Text::Consumption.in_language(language)) }
            div.scroll {
                table {
                    thead { tr {
                        th scope="col" { (Text::Sku.in_language(language)) }
                        th.number scope="col" { (Text::Amount.in_language(language)) }
                    } }
                    tbody {
                        @for ((_, sku), level) in own {
                            tr { th scope="row" { code { (sku.as_str()) } } td.number { (charged(sku.as_str(), *level)) } }
                        }
                    }
                }
            }
        }
    }
}
