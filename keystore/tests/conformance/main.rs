//! What every back end of the store must do: one suite over the trait, run on each.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;

use keystore::KeyStore;

/// A back end under test, with the domains ACME and BOREAL.
type Store = Arc<dyn KeyStore>;

/// Runs each claim on each back end.
macro_rules! claims {
    (@ $back_end:ident $open:ident $($claim:ident)*) => {
        mod $back_end {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $claim() {
                    let (_folder, store) = crate::support::$open().await;
                    let store: crate::Store = std::sync::Arc::new(store);
                    super::$claim(std::sync::Arc::clone(&store)).await;
                    for domain in [crate::support::ACME, crate::support::BOREAL] {
                        if let Ok(verification) = store.verify(domain, keystore::Pace::full()).await {
                            assert_eq!(verification.findings, [], "what the claim left behind");
                        }
                    }
                    store.close().await;
                }
            )*
        }
    };
    ($($claim:ident)*) => {
        claims!(@ sqlite with_domains $($claim)*);
        claims!(@ sqlite_with_nothing_in_memory with_domains_on_disk $($claim)*);
    };
}

mod domains;
mod logs;
mod names;
mod objects;
mod searches;
