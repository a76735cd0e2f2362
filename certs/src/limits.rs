//! Lengths and periods of everything this crate issues or reads.

use time::Duration;

/// Certificate of a throw-away or domain authority: longer than anything it signs will be needed.
pub(crate) const AUTHORITY_VALIDITY: Duration = Duration::days(3650);

/// Certificate of a server or client: 397 days is the longest that TLS clients of today put up with.
pub(crate) const LEAF_VALIDITY: Duration = Duration::days(397);

/// What a vCenter gives its own client certificate, about ten years.
pub(crate) const VCENTER_VALIDITY: Duration = Duration::days(3650);

/// A certificate is valid from a little before it was made, because the peer's clock may be behind.
pub(crate) const CLOCK_SKEW: Duration = Duration::minutes(5);

/// A certificate with less than this left is renewed, so that what a run starts with outlives the run.
pub(crate) const RENEW_BEFORE: Duration = Duration::days(30);

/// X.520 `ub-common-name`, in characters.
pub(crate) const MAX_COMMON_NAME: usize = 64;

/// A certificate or signing request, in bytes of PEM or DER. An RSA-8192 certificate with many names stays below.
pub(crate) const MAX_CERTIFICATE_LEN: usize = 64 * 1024;

/// The shortest RSA modulus that is signed for, in bits (NIST SP 800-131A).
pub(crate) const MIN_RSA_BITS: usize = 2048;

/// A tenant's name becomes the name of a folder; DNS labels have this limit too.
pub(crate) const MAX_TENANT_NAME: usize = 63;

const _: () = assert!(
    RENEW_BEFORE.whole_days() < LEAF_VALIDITY.whole_days(),
    "a certificate just made would already be due for renewal"
);
const _: () = assert!(LEAF_VALIDITY.whole_days() < AUTHORITY_VALIDITY.whole_days(), "a leaf outlives its authority");
