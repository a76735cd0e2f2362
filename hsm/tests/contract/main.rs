//! What every HSM group must do, shown on real tokens.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

mod ceremonies;
mod key_pairs;
mod load;
mod loss;
mod sealing;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::time::Duration;

use hsm::ceremony::{self, CeremonyError, Opener, SealedShare, TokenState};
use hsm::fault::Mode;
use hsm::{BreakerState, DomainKey, ErrorClass, Group, GroupConfig, HsmError, MemberStatus, Vendor};
use ring::digest::{SHA256, digest};
use secret::{Algorithm, Sealed, Secret};
use support::{LABELS, PIN, Rig, custodians, passphrase};
use uuid::Uuid;

const FACTS: &[u8] = b"domain 1, object 1, AES, 256";

fn run<T>(test: impl Future<Output = T>) -> T {
    // Far beyond what any test needs: one that waits for what never comes fails instead of standing still.
    let patience = Duration::from_secs(300);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(patience, test).await }).expect("what was waited for never came")
}

fn domain(number: u8) -> [u8; 16] {
    [number; 16]
}

fn kek() -> Secret {
    Secret::copy_from(&[0x4b; 32])
}

fn member<'a>(status: &'a [MemberStatus], label: &str) -> &'a MemberStatus {
    status.iter().find(|member| member.label == label).unwrap()
}

fn is_up(label: &'static str) -> impl Fn(&[MemberStatus]) -> bool {
    move |status| member(status, label).up
}

fn is_down(label: &'static str) -> impl Fn(&[MemberStatus]) -> bool {
    move |status| !member(status, label).up
}

fn assert_all_well(group: &Group) {
    for member in group.status() {
        assert!(member.up && member.failed == 0, "{member:?}");
    }
}

fn flipped(sealed: &Sealed, at: usize) -> Option<Sealed> {
    let mut bytes = sealed.as_bytes().to_vec();
    bytes[at] ^= 1;
    Sealed::from_bytes(bytes).ok()
}
