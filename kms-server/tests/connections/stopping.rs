//! A stop finishes what was begun, closes what is idle, and does not wait for ever.

use std::time::Duration;

use kms_server::limits::Limits;
use tokio::net::TcpStream;

use crate::bench::{BOTH, Bench, HELD, answer, ended, generous, refused, request};

#[tokio::test]
async fn a_request_in_work_is_finished_and_idle_connections_are_closed() {
    for version in BOTH {
        let bench = Bench::start(generous()).await;
        let identity = bench.client("acme");
        let mut idle = bench.connect(version, &identity).await;
        idle.call(1).await.unwrap();
        let mut shaking = TcpStream::connect(bench.address).await.unwrap();
        let mut working = bench.connect(version, &identity).await;
        let message = request(HELD, 24);
        working.send(&message).await.unwrap();
        bench.service.entered.subscribe().wait_for(|entered| *entered == 2).await.unwrap();

        bench.stop.stop();
        idle.closed().await;
        ended(&mut shaking).await;
        refused(bench.address).await;
        drop(idle);
        assert!(!bench.server.is_finished(), "a request is in work");

        bench.service.let_go.add_permits(1);
        assert_eq!(working.receive().await.unwrap(), answer(&message));
        working.closed().await;
        drop(working);
        bench.server.await.unwrap();
    }
}

#[tokio::test]
async fn what_does_not_end_is_dropped_at_the_drain_deadline() {
    let bench = Bench::start(Limits { drain_deadline: Duration::from_millis(200), ..generous() }).await;
    let identity = bench.client("acme");
    let mut stuck = bench.connect(BOTH[1], &identity).await;
    stuck.send(&request(HELD, 24)).await.unwrap();
    bench.service.entered.subscribe().wait_for(|entered| *entered == 1).await.unwrap();
    bench.stop.stop();
    bench.server.await.unwrap();
    stuck.closed().await;
}
