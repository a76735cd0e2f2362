//! A new token: initialized and given its PINs through the library, so that no PIN is ever on a command line.

use std::path::Path;

use cryptoki::context::Pkcs11;
use cryptoki::session::UserType;
use cryptoki::slot::Slot;
use secret::Secret;

use super::error::{CeremonyError, OnMember};
use crate::error::{Doing, Fault, Kind};
use crate::limits::{EPOCH_PATIENCE, MAX_LABEL_LEN};
use crate::module::Module;
use crate::token;

/// What [`init_token`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    /// A token with this label, and the PIN opens it.
    Kept,
    /// A token with this label and no user PIN: an earlier run was interrupted. The PIN is set now.
    Completed,
    /// No such token: one was initialized in a free slot.
    Made,
}

/// Makes sure that `module` has a token with this label which `pin` opens. Blocks; run it before the group is opened.
///
/// # Errors
/// [`CeremonyError::Member`], among others where the token exists and another PIN is set: that PIN is never replaced.
pub fn init_token(module: &Path, label: &str, so_pin: &Secret, pin: &Secret) -> Result<TokenState, CeremonyError> {
    try_init(module, label, so_pin, pin).on(label)
}

fn try_init(module: &Path, label: &str, so_pin: &Secret, pin: &Secret) -> Result<TokenState, Fault> {
    const DOING: &str = "initialize the token";
    if label.is_empty() || label.len() > MAX_LABEL_LEN {
        return Err(Fault::new(Kind::Operator, DOING, "a label has 1 to 32 bytes"));
    }
    let so_pin = token::pin_of(so_pin)?;
    let pin = token::pin_of(pin)?;
    let epoch = Module::load(module)?.begin(EPOCH_PATIENCE)?;
    let library = epoch.library();
    let (slot, state) = match token::slots_labelled(library, label).doing(DOING)?.as_slice() {
        [slot] if library.get_token_info(*slot).doing(DOING)?.user_pin_initialized() => {
            let session = library.open_ro_session_no_drop(*slot).doing(DOING)?;
            session.login(UserType::User, Some(&pin)).doing("log in")?;
            return Ok(TokenState::Kept);
        }
        [slot] => (*slot, TokenState::Completed),
        [] => {
            let slot = free_slot(library)?;
            library.init_token(slot, &so_pin, label).doing(DOING)?;
            (slot, TokenState::Made)
        }
        _ => return Err(Fault::new(Kind::Operator, DOING, "two tokens have this label")),
    };
    let session = library.open_rw_session_no_drop(slot).doing(DOING)?;
    session.login(UserType::So, Some(&so_pin)).doing("log in as security officer")?;
    session.init_pin(&pin).doing("set the user PIN")?;
    Ok(state)
}

/// A slot whose token is not initialized. SoftHSM always offers one.
fn free_slot(library: &Pkcs11) -> Result<Slot, Fault> {
    const DOING: &str = "find a free slot";
    for slot in library.get_slots_with_token().doing(DOING)? {
        if !library.get_token_info(slot).doing(DOING)?.token_initialized() {
            return Ok(slot);
        }
    }
    Err(Fault::new(Kind::Operator, DOING, "every slot has an initialized token"))
}
