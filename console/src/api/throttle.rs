//! How often one address may ask: a bucket for each address and product, which fills at a steady rate.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{App, Peer, problem::Problem};
use crate::limits::{ADDRESSES, LOGINS_PER_SECOND, REQUESTS_PER_SECOND};

struct Bucket {
    left: f64,
    seen: Instant,
}

/// The buckets.
#[derive(Default)]
pub struct Throttle {
    buckets: Mutex<HashMap<(IpAddr, String), Bucket>>,
    /// Asking is free, for benchmarks and for tests that are about something else.
    off: bool,
    /// Requests per second where another number than that of the limits is meant.
    most: Option<u32>,
}

impl Throttle {
    /// Asking is free where `off`.
    #[must_use]
    pub fn new(off: bool) -> Self {
        Self { off, ..Self::default() }
    }

    /// So many requests per second, of whatever product.
    #[must_use]
    pub fn of(per_second: u32) -> Self {
        Self { most: Some(per_second), ..Self::default() }
    }

    /// Whether this address may ask for this product once more at that moment.
    pub fn allows(&self, from: IpAddr, product: &str, per_second: u32, at: Instant) -> bool {
        if self.off {
            return true;
        }
        let rate = f64::from(self.most.unwrap_or(per_second));
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (from, product.to_owned());
        if buckets.len() >= ADDRESSES && !buckets.contains_key(&key) {
            let longest = buckets.iter().min_by_key(|(_, bucket)| bucket.seen).map(|(key, _)| key.clone());
            longest.and_then(|key| buckets.remove(&key));
        }
        let bucket = buckets.entry(key).or_insert(Bucket { left: rate, seen: at });
        let filled = at.saturating_duration_since(bucket.seen).as_secs_f64() * rate;
        bucket.left = (bucket.left + filled).min(rate);
        bucket.seen = at;
        if bucket.left < 1.0 {
            return false;
        }
        bucket.left -= 1.0;
        true
    }
}

/// The product is the first part of a path; only known ones have a bucket of their own.
fn product(path: &str) -> (&'static str, u32) {
    match path.split('/').nth(1) {
        Some("compute") => ("compute", REQUESTS_PER_SECOND),
        Some("backup") => ("backup", REQUESTS_PER_SECOND),
        Some("network") => ("network", REQUESTS_PER_SECOND),
        Some("order") => ("order", REQUESTS_PER_SECOND),
        Some("activity") => ("activity", REQUESTS_PER_SECOND),
        Some("iam") if path == "/iam/v1/access_tokens" => ("login", LOGINS_PER_SECOND),
        Some("iam") => ("iam", REQUESTS_PER_SECOND),
        _ => ("other", REQUESTS_PER_SECOND),
    }
}

/// Lets a request through, or says that there were too many.
pub async fn limit(State(app): State<App>, request: Request, next: Next) -> Response {
    let (product, rate) = product(request.uri().path());
    let from = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let allowed = from.is_none_or(|from| app.throttle.allows(from, product, rate, Instant::now()));
    if allowed {
        return next.run(request).await;
    }
    Problem::too_many(format!("more than {rate} requests a second for {product}")).into_response()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_fills_with_time_and_is_one_address_alone() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let ask = |from, at| throttle.allows(from, "compute", 5, at);
        assert_eq!((0..9).filter(|_| ask(one, start)).count(), 5);
        assert!(ask(other, start));
        assert!(throttle.allows(one, "network", 5, start));
        assert!(!ask(one, start + Duration::from_millis(100)));
        assert!(ask(one, start + Duration::from_millis(300)));
        assert_eq!((0..9).filter(|_| ask(one, start + Duration::from_secs(60))).count(), 5);
    }

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        for number in 0..u32::try_from(ADDRESSES).unwrap() + 50 {
            throttle.allows(IpAddr::from(number.to_be_bytes()), "compute", 5, start);
        }
        assert_eq!(throttle.buckets.lock().unwrap().len(), ADDRESSES);
    }
}
