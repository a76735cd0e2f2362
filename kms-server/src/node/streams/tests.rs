use keystore::{DomainRow, DomainState, Permissions};
use kmip::registry::HashingAlgorithm;
use secret::{Algorithm, Sealed};

use super::*;

fn domain(id: u8) -> Arc<Domain> {
    let domain = [id; 16];
    let row = DomainRow {
        id: domain,
        name: format!("domain {id}"),
        state: DomainState::Active,
        revision: 1,
        created_us: 0,
        domain_key: Vec::new(),
        secret: Sealed::assemble(Algorithm::AesGcmInHsm, domain, 1, &[1; 12], &[1; 48]).unwrap(),
        policy: "anssi".to_owned(),
        system: false,
        authority: None,
        permissions: Permissions::default(),
        defaults: None,
        constraints: None,
        requests: None,
        retention: keystore::retention::Retention::default(),
        backups: None,
    };
    let key =
        hsm::DomainKey { domain, version: 1, wrapped: vec![0; 40], rot_fingerprint: [0; 32], canary: vec![0; 44] };
    Arc::new(Domain { row, key: crate::node::domain_keys::DomainKeys::one(key) })
}

fn owner(domain: &Arc<Domain>) -> Owner {
    Owner { domain: Arc::clone(domain), client: [1; 32], operation: Operation::Hash, object: Some([2; 16]) }
}

fn limits() -> Limits {
    Limits { streams: 3, streams_per_domain: 2, ..Limits::default() }
}

fn hash() -> Work {
    Work::Hash(HashStream::new(HashingAlgorithm::Sha256).unwrap())
}

const ID: StreamId = [9; STREAM_ID_LEN];

impl Streams {
    fn begin(&self, now_s: i64, owner: Owner) -> Result<Stream, Failure> {
        self.open(&limits(), now_s, owner, CryptographicParameters::default(), hash())
    }

    /// A stream that came to rest with a message that was committed.
    fn rest(&self, now_s: i64, owner: Owner) {
        let mut hand = Hand::default();
        hand.keep(None, ID, Some(self.begin(now_s, owner).unwrap()), Produced::default());
        hand.keep_item();
        self.put_back(hand, now_s);
    }

    fn has(&self, now_s: i64, owner: &Owner) -> bool {
        Hand::default().take(self, &limits(), now_s, &ID, owner).is_ok()
    }
}

/// Goes on with the stream: one byte of data, so that the hash tells how often.
fn go_on(hand: &mut Hand, streams: &Streams, owner: &Owner) -> Result<(), Failure> {
    let Taken::Open(stream) = hand.take(streams, &limits(), 0, &ID, owner)? else { return Ok(()) };
    let mut stream = *stream;
    if let Work::Hash(hash) = &mut stream.work {
        hash.update(b"x")?;
    }
    hand.keep(Some(ID), ID, Some(stream), Produced::default());
    Ok(())
}

fn hash_of(streams: &Streams, owner: &Owner) -> Vec<u8> {
    let Ok(Taken::Open(stream)) = Hand::default().take(streams, &limits(), 0, &ID, owner) else { panic!("no stream") };
    let Work::Hash(hash) = stream.work else { panic!("no hash") };
    hash.finish().unwrap()
}

fn sha256(data: &[u8]) -> Vec<u8> {
    crypto::hash::hash(HashingAlgorithm::Sha256, data).unwrap()
}

#[test]
fn a_stream_is_its_owners_alone() {
    let acme = domain(1);
    let others = [
        Owner { domain: domain(2), ..owner(&acme) },
        // The same domain after a change.
        Owner { domain: domain(1), ..owner(&acme) },
        Owner { client: [3; 32], ..owner(&acme) },
        Owner { operation: Operation::Encrypt, ..owner(&acme) },
        Owner { object: Some([4; 16]), ..owner(&acme) },
        Owner { object: None, ..owner(&acme) },
    ];
    let streams = Streams::default();
    streams.rest(0, owner(&acme));
    for other in &others {
        assert!(!streams.has(0, other));
    }
    assert!(streams.has(0, &owner(&acme)), "nobody's attempt ended it");
}

#[test]
fn a_domain_and_the_node_have_so_many_streams_and_get_their_places_back() {
    let (acme, boreal) = (domain(1), domain(2));
    let streams = Streams::default();
    let held: Vec<_> = (0..2).map(|_| streams.begin(0, owner(&acme)).unwrap()).collect();
    assert!(matches!(streams.begin(0, owner(&acme)), Err(Failure::OverLimit(_))), "the domain's third");
    let third = streams.begin(0, owner(&boreal)).unwrap();
    assert!(matches!(streams.begin(0, owner(&boreal)), Err(Failure::OverLimit(_))), "the node's fourth");
    drop(third);
    assert!(streams.begin(0, owner(&boreal)).is_ok());
    drop(held);
    assert_eq!(streams.count(), 0);
}

#[test]
fn a_stream_that_nobody_goes_on_with_ends() {
    let acme = domain(1);
    let idle = i64::try_from(limits().stream_idle_deadline.as_secs()).unwrap();
    let streams = Streams::default();
    streams.rest(100, owner(&acme));
    assert!(!streams.has(100 + idle + 1, &owner(&acme)), "even before it is swept");
    streams.sweep(&limits(), 100 + idle);
    assert_eq!(streams.count(), 1);
    streams.sweep(&limits(), 100 + idle + 1);
    assert_eq!(streams.count(), 0);
    // A clock that was set back ends nothing.
    streams.rest(100, owner(&acme));
    streams.sweep(&limits(), i64::MIN);
    assert_eq!(streams.count(), 1);
}

#[test]
fn what_is_not_put_back_has_ended() {
    let acme = domain(1);
    let streams = Streams::default();
    streams.rest(0, owner(&acme));
    let mut hand = Hand::default();
    go_on(&mut hand, &streams, &owner(&acme)).unwrap();
    hand.keep_item();
    drop(hand);
    assert!(!streams.has(0, &owner(&acme)));
    assert_eq!(streams.count(), 0);
}

#[test]
fn an_item_that_fails_ends_its_streams_and_no_other() {
    let acme = domain(1);
    let streams = Streams::default();
    streams.rest(0, owner(&acme));
    let mut hand = Hand::default();
    go_on(&mut hand, &streams, &owner(&acme)).unwrap();
    hand.keep_item();
    go_on(&mut hand, &streams, &owner(&acme)).unwrap();
    hand.drop_item();
    assert!(matches!(go_on(&mut hand, &streams, &owner(&acme)), Err(Failure::NoStream)));
    streams.put_back(hand, 0);
    assert_eq!(streams.count(), 0);
}

#[test]
fn a_batch_that_is_taken_back_ends_its_streams() {
    let acme = domain(1);
    let streams = Streams::default();
    streams.rest(0, owner(&acme));
    let mut hand = Hand::default();
    go_on(&mut hand, &streams, &owner(&acme)).unwrap();
    hand.keep_item();
    hand.drop_all();
    streams.put_back(hand, 0);
    assert_eq!(streams.count(), 0);
}

#[test]
fn a_message_that_is_worked_out_again_goes_on_once() {
    let acme = domain(1);
    let streams = Streams::default();
    streams.rest(0, owner(&acme));
    let mut hand = Hand::default();
    for _ in 0..3 {
        hand = hand.again();
        for _ in 0..2 {
            go_on(&mut hand, &streams, &owner(&acme)).unwrap();
            hand.keep_item();
        }
    }
    streams.put_back(hand, 0);
    assert_eq!(hash_of(&streams, &owner(&acme)), sha256(b"xx"));
}

#[test]
fn a_stream_begun_in_a_message_that_is_worked_out_again_is_one() {
    let acme = domain(1);
    let streams = Streams::default();
    let mut hand = Hand::default();
    for round in 0..3 {
        hand = hand.again();
        let produced = match hand.begun() {
            Some(produced) => produced,
            None => {
                assert_eq!(round, 0);
                hand.keep(None, ID, Some(streams.begin(0, owner(&acme)).unwrap()), Produced::default())
            }
        };
        assert_eq!(produced.stream, Some(ID));
        hand.keep_item();
    }
    streams.put_back(hand, 0);
    assert_eq!(streams.count(), 1);
    assert_eq!(hash_of(&streams, &owner(&acme)), sha256(b""));
}

#[test]
fn an_item_that_fails_in_a_later_round_ends_what_it_had_gone_on_with() {
    let acme = domain(1);
    let streams = Streams::default();
    streams.rest(0, owner(&acme));
    let mut hand = Hand::default();
    go_on(&mut hand, &streams, &owner(&acme)).unwrap();
    hand.keep_item();
    hand = hand.again();
    go_on(&mut hand, &streams, &owner(&acme)).unwrap();
    hand.drop_item();
    streams.put_back(hand, 0);
    assert_eq!(streams.count(), 0);
}
