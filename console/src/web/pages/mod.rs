//! One file for each page.

pub mod activities;
pub mod dashboard;
pub mod keys;
pub mod login;
pub mod machine;
pub mod machines;
pub mod tokens;

use maud::{Markup, html};
use provisioning::model::vm::{PowerState, Vm};
use time::OffsetDateTime;
use time::macros::format_description;

use super::text::{Language, Text};

/// A moment, as everybody reads it.
pub(crate) fn moment(seconds: u64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).unwrap_or(0));
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    at.ok().and_then(|at| at.format(format).ok()).unwrap_or_default()
}

const fn power(state: PowerState) -> Text {
    match state {
        PowerState::On => Text::PoweredOn,
        PowerState::Off => Text::PoweredOff,
        PowerState::Suspended => Text::Suspended,
        PowerState::Processing => Text::Processing,
        PowerState::HostDisconnected => Text::HostDisconnected,
        PowerState::Invalid => Text::Invalid,
    }
}

/// The chip that says whether a VM is encrypted.
fn chip(vm: &Vm, language: Language) -> Markup {
    let (class, text) = if vm.encryption.is_some() { ("chip on", Text::On) } else { ("chip off", Text::Off) };
    html! {
        span class=(class) {
            span.hidden { (Text::Encryption.in_language(language)) ": " }
            (text.in_language(language))
        }
    }
}
