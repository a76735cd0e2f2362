//! The ceremony: one Root of Trust on all members, its escrow, each member's signing key, and proof that the keys are
//! guarded.
//!
//! ```text
//!  first member                         every member                         custodians
//!  RoT born, extractable, in a session
//!   ├── RSA-OAEP under a transport key ──► RoT, token object, never extractable
//!   └── AES-KW under E ──► escrow blob         (E: HSM randomness, m of n shares) ──► sealed shares
//!  the born object and E destroyed
//!                                       fingerprints compared
//!                                       signing key made
//!                                       attacks tried, all refused
//!                        protocol delivered (durable)
//!                                       mark of completion
//! ```
//! Only the mark makes a Root of Trust usable: [`crate::Group`] opens no member without it. So an interruption at any
//! moment leaves either session objects, which are gone, or unmarked token objects, under which nothing was ever
//! sealed; the next ceremony removes those and starts anew. Where one member is marked, the protocol had been
//! delivered, and the next ceremony only completes the marks. A member that is blank beside marked ones is never given
//! a new Root of Trust: it gets the old one from escrow, by [`add_member`].

mod attack;
mod desk;
mod error;
mod escrow;
mod initialize;
mod protocol;
mod share;

use std::io;

use secret::Secret;

use crate::config::{GroupConfig, MemberConfig};
use crate::error::Doing;
use crate::raw::Locked;
use crate::trust::{CheckpointKey, TrustAnchor};
use desk::{Desk, Standing};
use error::OnMember;

pub use attack::{Attempt, Target};
pub use error::CeremonyError;
pub use escrow::EscrowBlob;
pub use initialize::{TokenState, init_token};
pub use protocol::{Escrow, MemberProtocol, Protocol};
pub use share::{Custodian, Lock, Opener, SealedShare, SealedTo};

/// Holds the ceremony on all members of `config`, or verifies the one that was held. Blocks: call it outside of the
/// async runtime, while no group has these modules open.
///
/// `deliver` gets the protocol with its escrow once everything is made and proved, and must have it on disk when it
/// returns ([`Protocol::write_to`] does that); only then is the Root of Trust marked as complete. It is not called where
/// a complete Root of Trust is kept, and then `custodians` are not looked at.
///
/// # Errors
/// [`CeremonyError`]. What was made until then is removed, or recognised and removed by the next ceremony.
pub fn hold(
    config: &GroupConfig,
    custodians: &[Custodian],
    threshold: usize,
    deliver: &mut dyn FnMut(&Protocol) -> io::Result<()>,
) -> Result<Protocol, CeremonyError> {
    config.check()?;
    let desks: Vec<Desk> = config.members.iter().map(Desk::open).collect::<Result<_, _>>()?;
    let standings: Vec<Standing> = desks.iter().map(Desk::standing).collect::<Result<_, _>>()?;
    let Some(fingerprint) = standings.iter().find_map(Standing::complete) else {
        let threshold = escrow::check_custodians(custodians, threshold)?;
        return make(&desks, custodians, threshold, deliver).inspect_err(|_| {
            for desk in &desks {
                if let Err(error) = desk.clear() {
                    tracing::warn!(member = desk.label, %error, "the next ceremony will have to clear this member");
                }
            }
        });
    };
    keep(&desks, &standings, fingerprint)
}

/// Verifies the ceremony that was held: one Root of Trust on all members, and every attack on it refused. Blocks, as
/// [`hold`] does.
///
/// # Errors
/// [`CeremonyError`].
pub fn verify(config: &GroupConfig) -> Result<Protocol, CeremonyError> {
    config.check()?;
    let desks: Vec<Desk> = config.members.iter().map(Desk::open).collect::<Result<_, _>>()?;
    let standings: Vec<Standing> = desks.iter().map(Desk::standing).collect::<Result<_, _>>()?;
    let Some(fingerprint) = standings.iter().find_map(Standing::complete) else {
        return Err(CeremonyError::Standing("no member holds the Root of Trust of a completed ceremony".into()));
    };
    keep(&desks, &standings, fingerprint)
}

/// A new Root of Trust on all members.
fn make(
    desks: &[Desk],
    custodians: &[Custodian],
    threshold: u8,
    deliver: &mut dyn FnMut(&Protocol) -> io::Result<()>,
) -> Result<Protocol, CeremonyError> {
    let [birth, ..] = desks else { return Err(CeremonyError::Standing("there is no member".into())) };
    for desk in desks {
        desk.clear()?;
    }
    forbid_core_dumps();
    let escrow_key = draw_escrow_key(birth)?;
    let newborn = birth.bear_root()?;
    for desk in desks {
        tracing::info!(member = desk.label, "the Root of Trust is carried to the member");
        birth.carry_root(newborn, desk)?;
        step();
    }
    let wrapped = birth.wrap_for_escrow(newborn, escrow_key.expose())?;
    birth.destroy(newborn)?;
    step();

    let fingerprint = birth.fingerprint()?;
    for desk in desks {
        if desk.fingerprint()? != fingerprint {
            return Err(CeremonyError::Fingerprint { member: desk.label.clone() });
        }
        desk.make_checkpoint_key()?;
        step();
    }
    let (shares, memory_locked) = escrow::split(&escrow_key, custodians, threshold, &fingerprint)?;
    drop(escrow_key);
    let blob = EscrowBlob { rot_fingerprint: fingerprint, wrapped, threshold };

    let members: Vec<MemberProtocol> = desks.iter().map(Desk::examine).collect::<Result<_, _>>()?;
    let protocol = Protocol {
        kept: false,
        trust_anchor: anchor(fingerprint, &members),
        members,
        escrow: Some(Escrow { blob, shares, memory_locked }),
    };
    deliver(&protocol)?;
    step();
    for desk in desks {
        desk.mark_complete(&fingerprint)?;
        step();
    }
    Ok(protocol)
}

/// The Root of Trust that is there, verified on all members.
fn keep(desks: &[Desk], standings: &[Standing], fingerprint: [u8; 32]) -> Result<Protocol, CeremonyError> {
    for (desk, standing) in desks.iter().zip(standings) {
        match standing {
            Standing::Complete(other) | Standing::Half(Some(other)) if *other != fingerprint => {
                return Err(CeremonyError::Fingerprint { member: desk.label.clone() });
            }
            Standing::Complete(_) => {}
            // The protocol was delivered before the first mark was set, so only the mark is missing here.
            Standing::Half(Some(_)) => desk.mark_complete(&fingerprint)?,
            Standing::Blank | Standing::Half(None) => {
                return Err(CeremonyError::Standing(format!(
                    "{} has no Root of Trust while another member has: add it from escrow",
                    desk.label
                )));
            }
        }
    }
    let members: Vec<MemberProtocol> = desks.iter().map(Desk::examine).collect::<Result<_, _>>()?;
    Ok(Protocol { kept: true, trust_anchor: anchor(fingerprint, &members), members, escrow: None })
}

/// Gives a blank member the Root of Trust from escrow, and a signing key of its own. Blocks, as [`hold`] does. A member
/// that has this Root of Trust already is verified and kept.
///
/// The caller pins the returned checkpoint key beside those in `expect`.
///
/// # Errors
/// [`CeremonyError`]; among others where the shares are too few or foreign, or the Root of Trust that comes out is not
/// that of `expect`.
pub fn add_member(
    member: &MemberConfig,
    blob: &EscrowBlob,
    shares: &[(SealedShare, Opener)],
    expect: &TrustAnchor,
) -> Result<MemberProtocol, CeremonyError> {
    let desk = Desk::open(member)?;
    let differs = || CeremonyError::Fingerprint { member: desk.label.clone() };
    match desk.standing()? {
        Standing::Complete(fingerprint) if fingerprint == expect.rot_fingerprint => return desk.examine(),
        Standing::Complete(_) => return Err(differs()),
        Standing::Blank | Standing::Half(_) => desk.clear()?,
    }
    if blob.rot_fingerprint != expect.rot_fingerprint {
        return Err(CeremonyError::Escrow("the escrow blob holds another Root of Trust".into()));
    }
    forbid_core_dumps();
    let escrow_key = escrow::join(blob, shares)?;
    let restore = || {
        desk.restore_root(&blob.wrapped, escrow_key.expose())?;
        if desk.fingerprint()? != expect.rot_fingerprint {
            return Err(differs());
        }
        desk.make_checkpoint_key()?;
        let protocol = desk.examine()?;
        desk.mark_complete(&expect.rot_fingerprint)?;
        Ok(protocol)
    };
    restore().inspect_err(|_| {
        if let Err(error) = desk.clear() {
            tracing::warn!(member = desk.label, %error, "the next attempt will have to clear this member");
        }
    })
}

/// From here on the escrow key is in this process: a crash must not write it to a file. It stays that way, because
/// what was in memory once may be anywhere in it.
fn forbid_core_dumps() {
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "core dumps of the ceremony could not be switched off");
    }
}

/// 256 bits of HSM randomness, straight into locked memory.
fn draw_escrow_key(birth: &Desk) -> Result<Locked, CeremonyError> {
    Secret::filled_by(escrow::ESCROW_KEY_LEN, |bytes| birth.session.generate_random_slice(bytes))
        .doing("draw the escrow key")
        .on(&birth.label)
        .map(Locked::new)
}

/// A moment at which the fault injector may end the process.
fn step() {
    #[cfg(feature = "fault")]
    crate::fault::ceremony_step();
}

fn anchor(rot_fingerprint: [u8; 32], members: &[MemberProtocol]) -> TrustAnchor {
    let checkpoint_keys = members
        .iter()
        .map(|member| CheckpointKey { member: member.label.clone(), public_key: member.checkpoint_key })
        .collect();
    TrustAnchor { rot_fingerprint, checkpoint_keys, retired_keys: Vec::new() }
}
