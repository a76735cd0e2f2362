//! Builds request paths: every part that comes from a person is percent-encoded, so that it stays one part.

use std::fmt::Write as _;

/// `/v1` followed by `parts`, each one segment, whatever characters it holds.
pub(crate) fn path(parts: &[&str]) -> String {
    let mut path = String::from("/v1");
    for part in parts {
        path.push('/');
        for byte in part.bytes() {
            // RFC 3986 §2.3, without the dot: a segment of dots would be taken for a step up by something in between.
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') {
                path.push(char::from(byte));
            } else {
                let _ = write!(path, "%{byte:02X}");
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_cannot_leave_its_place() {
        assert_eq!(path(&["domains", "acme"]), "/v1/domains/acme");
        assert_eq!(path(&["domains", "../x?y#z", "é"]), "/v1/domains/%2E%2E%2Fx%3Fy%23z/%C3%A9");
    }
}
