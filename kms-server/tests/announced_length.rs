//! An announced length buys no memory. The only test of its file, because it counts every allocation of the process.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

#[expect(dead_code, reason = "shared with the tests of connections, which use all of it")]
#[path = "connections/bench.rs"]
mod bench;

use std::time::Duration;

use bench::{BOTH, Bench, REFUSAL, answer, generous, request};
use kms_server::limits::Limits;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const ALLOWED: usize = 64 * 1024;

/// Client and server run in this process, so the figures are of both, TLS buffers included.
#[tokio::test]
async fn memory_follows_what_arrives_not_what_is_announced() {
    let bench = Bench::start(Limits { body_deadline: Duration::from_millis(500), ..generous() }).await;
    let identity = bench.client("acme");
    let limit = u32::try_from(Limits::default().request_bytes).unwrap() - 8;
    for version in BOTH {
        // The control: what a buffer of the announced size would have shown.
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        drop(std::hint::black_box(vec![1_u8; usize::try_from(limit).unwrap()]));
        assert!(MEMORY.peak_usage() - before > ALLOWED);

        // 4 GiB are over the limit; the largest message allowed is believed, but not paid for in advance.
        for announced in [0xFFFF_FFF8, limit] {
            let mut client = bench.connect(version, &identity).await;
            client.call(1).await.unwrap();
            let header = [&[0x42, 0x00, 0x78, 0x01][..], &u32::to_be_bytes(announced)].concat();
            MEMORY.reset_peak_usage();
            let before = MEMORY.current_usage();
            client.send(&header).await.unwrap();
            assert_eq!(client.receive().await.unwrap(), REFUSAL);
            client.closed().await;
            let taken = MEMORY.peak_usage().saturating_sub(before);
            assert!(taken < ALLOWED, "{announced} bytes announced: {taken} allocated");
        }

        // A whole message costs the server at most four times its size, beside the three copies of this test.
        let mut client = bench.connect(version, &identity).await;
        client.call(1).await.unwrap();
        let message = request(1, limit);
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        client.send(&message).await.unwrap();
        let received = client.receive().await.unwrap();
        let taken = MEMORY.peak_usage().saturating_sub(before);
        assert_eq!(received, answer(&message));
        assert!(taken <= 4 * message.len() + ALLOWED, "{taken} for {}", message.len());
    }
    bench.end().await;
}
