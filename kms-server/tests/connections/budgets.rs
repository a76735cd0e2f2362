//! Caps: of an identity, of an address, in all.

use kms_server::limits::Limits;
use kms_server::shell::service::StrangerKind;
use tokio::net::TcpStream;

use crate::bench::{BOTH, Bench, ended, generous};

#[tokio::test]
async fn an_identity_at_its_cap_leaves_the_others_alone_and_gets_its_places_back() {
    let bench = Bench::start(Limits { connections_per_identity: 2, ..generous() }).await;
    let (greedy, other) = (bench.client("greedy"), bench.client("other"));
    for version in BOTH {
        let mut held = [bench.connect(version, &greedy).await, bench.connect(version, &greedy).await];
        for client in &mut held {
            client.call(1).await.unwrap();
        }
        let noted = bench.service.strangers(0).await.len();
        let mut third = bench.connect(version, &greedy).await;
        third.closed().await;
        assert_eq!(bench.service.strangers(noted + 1).await.last(), Some(&StrangerKind::OverBudget));
        bench.connect(version, &other).await.call(2).await.unwrap();
        for client in &mut held {
            client.call(3).await.unwrap();
        }
        drop(held);
        // The places are free once the server has seen the ends.
        loop {
            let mut again = bench.connect(version, &greedy).await;
            if again.call(4).await.is_ok() {
                break;
            }
        }
    }
    bench.end().await;
}

#[tokio::test]
async fn handshakes_over_the_cap_are_turned_away_and_clients_inside_go_on() {
    let bench = Bench::start(Limits { handshakes: 3, handshakes_per_address: 3, ..generous() }).await;
    let identity = bench.client("acme");
    let mut inside = bench.connect(BOTH[0], &identity).await;
    inside.call(1).await.unwrap();
    let mut silent = Vec::new();
    while bench.service.strangers(0).await.is_empty() {
        silent.push(TcpStream::connect(bench.address).await.unwrap());
        inside.call(2).await.unwrap();
    }
    assert_eq!(bench.service.strangers(1).await, [StrangerKind::OverBudget]);
    let mut turned_away = silent.pop().unwrap();
    assert_eq!(silent.len(), 3);
    ended(&mut turned_away).await;
    // One silent socket goes; its place is free again.
    silent.pop();
    loop {
        if let Ok(mut client) = bench.connect_with(bench.config(BOTH[1], crate::bench::certified(&identity))).await
            && client.call(3).await.is_ok()
        {
            break;
        }
    }
    drop((silent, inside));
    bench.end().await;
}

#[tokio::test]
async fn connections_over_the_cap_of_all_are_turned_away() {
    for limits in [Limits { connections: 2, ..generous() }, Limits { connections_per_address: 2, ..generous() }] {
        let bench = Bench::start(limits).await;
        let identity = bench.client("acme");
        let mut held = [bench.connect(BOTH[0], &identity).await, bench.connect(BOTH[1], &identity).await];
        for client in &mut held {
            client.call(1).await.unwrap();
        }
        let mut third = TcpStream::connect(bench.address).await.unwrap();
        ended(&mut third).await;
        assert_eq!(bench.service.strangers(1).await, [StrangerKind::OverBudget]);
        for client in &mut held {
            client.call(2).await.unwrap();
        }
        drop(held);
        bench.end().await;
    }
}
