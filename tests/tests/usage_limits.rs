//! Usage limits are exact: many clients ask at once until there is no more, by every operation that takes units, and get
//! what there is and nothing above it, though the server is killed meanwhile. KMIP 1.4 §3.21, §4.22.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::sync::Barrier;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use kmip::ProtocolVersion;
use kmip::attribute::{AttributeValue, CryptographicParameters, UsageLimits};
use kmip::payload::{
    ActivateRequest, CheckRequest, CreateRequest, Data, EncryptRequest, GetAttributesRequest,
    GetUsageAllocationRequest, MacRequest,
};
use kmip::registry::{BlockCipherMode, CryptographicAlgorithm, ResultReason, UsageLimitsUnit, UsageMask};
use kmip_client::Error;
use secret::Secret;
use system_tests::asking;
use system_tests::node::{Connection, Node, Tenant};

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;
const CLIENTS: i64 = 16;
/// Units that one request takes: bytes of what it protects, or one object.
const BYTES: i64 = 16;
/// Requests that a key allows.
const ALLOWED: i64 = 320;

const fn units_of(unit: UsageLimitsUnit) -> i64 {
    match unit {
        UsageLimitsUnit::Byte => BYTES,
        UsageLimitsUnit::Object => 1,
    }
}

/// A key that allows so many requests.
fn key(client: &mut Connection, unit: UsageLimitsUnit) -> String {
    let limits = UsageLimits { total: Some(ALLOWED * units_of(unit)), count: None, unit: Some(unit) };
    let mut create: CreateRequest = asking::aes(vec![AttributeValue::UsageLimits(Box::new(limits))]);
    for attribute in &mut create.template_attribute.attributes {
        if let AttributeValue::CryptographicUsageMask(mask) = &mut attribute.value {
            *mask = mask.union(UsageMask::MAC_GENERATE);
        }
    }
    let id = client.request(V1_4, create).unwrap().unique_identifier;
    client.request(V1_4, ActivateRequest { unique_identifier: Some(id.as_str().into()) }).unwrap();
    id
}

/// Units that are left.
fn left(client: &mut Connection, id: &str) -> i64 {
    let attributes = client.request(V1_4, GetAttributesRequest::of(id, &["Usage Limits"])).unwrap().attributes;
    let count = attributes.into_iter().find_map(|attribute| match attribute.value {
        AttributeValue::UsageLimits(limits) => limits.count,
        _ => None,
    });
    count.unwrap()
}

/// One request of the kind that this client makes.
fn ask(client: &mut Connection, id: &str, kind: i64, units: i64) -> Result<(), Error> {
    let unique_identifier = Some(id.into());
    let data = Some(Data::from(Secret::new(vec![7; usize::try_from(BYTES).unwrap()])));
    match kind % 3 {
        // For later.
        0 => {
            let request = GetUsageAllocationRequest { unique_identifier, usage_limits_count: units };
            client.request(V1_4, request).map(drop)
        }
        // At once.
        1 => {
            let parameters = CryptographicParameters {
                block_cipher_mode: Some(BlockCipherMode::Gcm),
                random_iv: Some(true),
                ..Default::default()
            };
            let cryptographic_parameters = Some(Box::new(parameters));
            let request = EncryptRequest { unique_identifier, cryptographic_parameters, data, ..Default::default() };
            client.request(V1_4, request).map(drop)
        }
        _ => {
            let algorithm = Some(CryptographicAlgorithm::HmacSha256);
            let parameters = CryptographicParameters { cryptographic_algorithm: algorithm, ..Default::default() };
            let cryptographic_parameters = Some(Box::new(parameters));
            let request = MacRequest { unique_identifier, cryptographic_parameters, data, ..Default::default() };
            client.request(V1_4, request).map(drop)
        }
    }
}

/// Lets all clients ask until the key is spent or the server is gone. Returns how many requests were granted, and runs
/// `meanwhile` with that number as it grows.
fn all_ask(connections: Vec<Connection>, id: &str, unit: UsageLimitsUnit, meanwhile: impl FnOnce(&AtomicI64)) -> i64 {
    let (granted, start) = (AtomicI64::new(0), Barrier::new(connections.len()));
    thread::scope(|threads| {
        for (kind, mut client) in (0..).zip(connections) {
            let (granted, start) = (&granted, &start);
            threads.spawn(move || {
                start.wait();
                loop {
                    match ask(&mut client, id, kind, units_of(unit)) {
                        Ok(()) => granted.fetch_add(1, Ordering::SeqCst),
                        Err(error) => match error.reason() {
                            Some(ResultReason::PermissionDenied) | None => return,
                            // Too many at once: the server asks to come again.
                            Some(ResultReason::GeneralFailure) => continue,
                            Some(_) => panic!("{error}"),
                        },
                    };
                }
            });
        }
        meanwhile(&granted);
    });
    granted.into_inner()
}

fn connections(node: &Node, tenant: &Tenant) -> Vec<Connection> {
    (0..CLIENTS).map(|_| node.connect(&tenant.identity).unwrap()).collect()
}

#[test]
fn sixteen_clients_get_what_there_is_and_not_a_unit_more() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("acme", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    for unit in [UsageLimitsUnit::Byte, UsageLimitsUnit::Object] {
        let id = key(&mut client, unit);
        assert_eq!(all_ask(connections(&node, &tenant), &id, unit, |_| ()), ALLOWED, "{unit}");
        assert_eq!(left(&mut client, &id), 0, "{unit}");
        for kind in 0..3 {
            let refused = ask(&mut client, &id, kind, units_of(unit)).unwrap_err();
            assert_eq!(refused.reason(), Some(ResultReason::PermissionDenied), "{unit}, {kind}");
        }
        let check = CheckRequest {
            unique_identifier: Some(id.as_str().into()),
            usage_limits_count: Some(1),
            ..CheckRequest::default()
        };
        client.request(V1_4, check).unwrap_err();
    }
}

#[test]
fn no_unit_is_granted_twice_by_a_server_that_is_killed_while_it_grants_them() {
    let mut node = Node::start().unwrap();
    let tenant = node.tenant("acme", "anssi").unwrap();
    for unit in [UsageLimitsUnit::Byte, UsageLimitsUnit::Object] {
        let id = key(&mut node.connect(&tenant.identity).unwrap(), unit);
        let clients = connections(&node, &tenant);
        let before = all_ask(clients, &id, unit, |granted| {
            while granted.load(Ordering::SeqCst) < ALLOWED / 3 {
                thread::yield_now();
            }
            node.kill();
        });
        assert!((ALLOWED / 3..ALLOWED).contains(&before), "killed meanwhile: {before}");
        node.serve().unwrap();
        let spent = ALLOWED - left(&mut node.connect(&tenant.identity).unwrap(), &id) / units_of(unit);
        // What was on its way when the server died was taken, and nobody heard of it.
        assert!((before..=before + CLIENTS).contains(&spent), "{before} granted, {spent} spent");
        let after = all_ask(connections(&node, &tenant), &id, unit, |_| ());
        assert_eq!(spent + after, ALLOWED);
        assert_eq!(left(&mut node.connect(&tenant.identity).unwrap(), &id), 0);
    }
}
