//! Limits of attribute values, with their reasons. Sizes of whole messages are limited before policy sees them.

/// Bytes of a Name or Alternative Name: each is an index entry, and the longest that profiles use has 255.
pub const MAX_NAME_LEN: usize = 1024;
/// Bytes of any other text of an attribute: descriptions and comments are sentences, not files.
pub const MAX_TEXT_LEN: usize = 8192;
/// Bytes of a custom attribute's name; profiles use up to 255.
pub const MAX_CUSTOM_NAME_LEN: usize = 512;
/// Bytes of a custom attribute's value, TTLV included.
pub const MAX_CUSTOM_VALUE_LEN: usize = 16 * 1024;
/// 0001-01-01T00:00:00Z, the first second that ISO 8601 and the XML form can write, in seconds since 1970.
pub const MIN_DATE: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z, the last one.
pub const MAX_DATE: i64 = 253_402_300_799;
