//! How the node and its HSM group are, in the words of the admin API.

use admin_api as api;
use audit::{PublicKey, TrustedKeys};
use uuid::Uuid;

use crate::node::Node;

pub(super) fn hsm_status(node: &Node) -> api::HsmStatus {
    let now_us = node.clock.now_us();
    let members: Vec<api::HsmMember> = node
        .hsm
        .status()
        .into_iter()
        .map(|member| api::HsmMember {
            label: member.label,
            up: member.up,
            reason: member.reason,
            last_probe_age_ms: member
                .last_probe_us
                .map(|at| u64::try_from(now_us.saturating_sub(at) / 1000).unwrap_or(0)),
            opened: member.opened,
            sealed: member.sealed,
            signed: member.signed,
            failed: member.failed,
            domain_keys_held: u64::try_from(member.domain_keys_held).unwrap_or(u64::MAX),
            breaker: match member.breaker {
                hsm::BreakerState::Closed => api::Breaker::Closed,
                hsm::BreakerState::Open => api::Breaker::Open,
                hsm::BreakerState::Stopped => api::Breaker::Stopped,
                hsm::BreakerState::HalfOpen => api::Breaker::HalfOpen,
            },
        })
        .collect();
    let up = members.iter().filter(|member| member.up).count();
    let state = match up {
        0 => api::GroupState::Down,
        up if up == members.len() => api::GroupState::Up,
        _ => api::GroupState::Degraded,
    };
    api::HsmStatus { state, root_of_trust: api::Fingerprint(node.hsm.trust_anchor().rot_fingerprint), members }
}

pub(super) fn trust_anchor(node: &Node) -> Option<api::TrustAnchor> {
    let anchor = node.hsm.trust_anchor();
    let mut checkpoint_keys = Vec::new();
    for key in &anchor.checkpoint_keys {
        let point = PublicKey::from_sec1(&key.public_key).ok()?;
        let trusted = TrustedKeys::new(&node.kms, vec![point]).ok()?;
        let verifier_key = trusted.to_text().trim_end().to_owned();
        checkpoint_keys.push(api::CheckpointKey { member: key.member.clone(), verifier_key });
    }
    Some(api::TrustAnchor { root_of_trust: api::Fingerprint(anchor.rot_fingerprint), checkpoint_keys })
}

pub(super) fn health(node: &Node, started: i64) -> api::Health {
    let hsm = hsm_status(node);
    let down: Vec<&str> = hsm.members.iter().filter(|member| !member.up).map(|member| member.label.as_str()).collect();
    let hsm_state = match hsm.state {
        api::GroupState::Up => api::HealthState::Ok,
        api::GroupState::Degraded => api::HealthState::Degraded,
        api::GroupState::Down => api::HealthState::Down,
    };
    let detail = (!down.is_empty()).then(|| format!("down: {}", down.join(", ")));
    api::Health {
        state: hsm_state,
        node: Uuid::from_bytes(node.auditor.node()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started,
        checks: vec![
            api::HealthCheck { name: "hsm".to_owned(), state: hsm_state, detail },
            // A store that has failed ends the process, so a node that answers has one.
            api::HealthCheck { name: "store".to_owned(), state: api::HealthState::Ok, detail: None },
        ],
    }
}
