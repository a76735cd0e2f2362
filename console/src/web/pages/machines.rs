//! The inventory of VMs, with search.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use maud::html;
use provisioning::Inventory;
use provisioning::ids::TenantId;
use provisioning::model::vm::Vm;
use provisioning::permission::Permission;

use super::{chip, power};
use crate::api::App;
use crate::limits::PAGE;
use crate::web::layout::{self, Place};
use crate::web::session::Visitor;
use crate::web::text::Text;

/// A tenant's VMs, in the order of their ids.
pub(super) fn of<'a>(inventory: &'a Inventory, tenant: &'a TenantId) -> impl Iterator<Item = &'a Vm> {
    inventory.vms().filter(move |vm| {
        let vstack = inventory.cpool(&vm.cpool).and_then(|cpool| inventory.vstack(&cpool.vstack));
        vstack.is_some_and(|vstack| vstack.tenant == *tenant)
    })
}

pub async fn show(State(app): State<App>, visitor: Visitor, Query(query): Query<BTreeMap<String, String>>) -> Response {
    let language = visitor.language;
    if !visitor.who.permissions.contains(&Permission::ComputeRead) {
        return layout::failure(403, Text::Forbidden, language);
    }
    let text = |text: Text| text.in_language(language);
    let given = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let (searched, after) = (given("q").to_lowercase(), given("after"));
    let current = app.platform.current();
    let fits =
        |vm: &&Vm| vm.name.to_lowercase().contains(&searched) || vm.id.as_str().to_lowercase().contains(&searched);
    let mut found: Vec<&Vm> = of(&current.inventory, &visitor.who.tenant)
        .filter(fits)
        .filter(|vm| vm.id.as_str() > after)
        .take(PAGE + 1)
        .collect();
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let content = html! {
        form.search method="get" action="/vms" role="search" {
            label.hidden for="q" { (text(Text::SearchHint)) }
            input #q name="q" type="search" value=(given("q")) placeholder=(text(Text::SearchHint));
            button type="submit" { (text(Text::Search)) }
        }
        @if found.is_empty() {
            p.empty { (text(Text::NoMachines)) }
        } @else {
            div.scroll {
                table {
                    thead { tr {
                        th scope="col" { (text(Text::Name)) }
                        th scope="col" { (text(Text::Power)) }
                        th scope="col" { (text(Text::Encryption)) }
                        th scope="col" { (text(Text::Cpool)) }
                        th.number scope="col" { (text(Text::Cpus)) }
                        th.number scope="col" { (text(Text::Memory)) }
                    } }
                    tbody {
                        @for vm in &found {
                            tr {
                                th scope="row" { a href={ "/vms/" (vm.id) } { (vm.name) } }
                                td { (text(power(vm.power))) }
                                td { (chip(vm, language)) }
                                td { (vm.cpool) }
                                td.number { (vm.cpus) }
                                td.number { (vm.memory) }
                            }
                        }
                    }
                }
            }
        }
        nav.pages {
            @if !after.is_empty() { a href={ "/vms?q=" (encoded(given("q"))) } { (text(Text::First)) } }
            @if let Some(last) = found.last().filter(|_| more) {
                a href={ "/vms?q=" (encoded(given("q"))) "&after=" (encoded(last.id.as_str())) } { (text(Text::Next)) }
            }
        }
    };
    layout::page(&visitor, Some(Place::Machines), text(Text::Machines), &content).into_response()
}

/// A text as part of a query.
fn encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(one).collect()
}
