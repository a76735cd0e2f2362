//! Limits of what is computed, each with its reason.

/// Bytes of one input: data, ciphertext, an update of a stream. A message of the server is far shorter; OpenSSL counts
/// in 31 bits.
pub const MAX_INPUT_LEN: usize = 1 << 26;

/// Bytes of a symmetric or MAC key. The longest that an algorithm asks for is 256 bytes (RC4); an HMAC key may be longer.
pub const MAX_KEY_LEN: usize = 1 << 16;

/// Bytes that a stream keeps back until its end: what an authenticated cipher has decrypted but not yet authenticated,
/// and what Ed25519 and Ed448 sign, which cannot be hashed beforehand. The size of the largest object of the protocol.
pub const MAX_HELD_LEN: usize = 1 << 20;

/// Bytes of a GCM nonce; OpenSSL's own limit.
pub const MAX_GCM_NONCE_LEN: usize = 128;

/// Bits of an RSA, DSA or DH modulus. A private operation with 8192 bits takes about 0.1 s.
pub const MAX_MODULUS_BITS: usize = 8192;

/// Bits of an RSA public exponent: FIPS 186-5 §A.1.1 allows less than 2^256. A longer one would make each
/// verification as dear as a private operation.
pub const MAX_PUBLIC_EXPONENT_BITS: usize = 256;

/// Bytes of an encoded key, certificate, request or PKCS#12 file.
pub const MAX_ENCODED_LEN: usize = 1 << 20;

/// Bytes that one derivation yields. HKDF cannot give more than 255 hashes.
pub const MAX_DERIVED_LEN: usize = 16_320;

/// Rounds of PBKDF2 times blocks of output: about one second of one core.
pub const MAX_PBKDF2_ROUNDS: u64 = 4_000_000;

/// Parts of a split key: an element of GF(2^8) can name no more.
pub const MAX_SPLIT_PARTS: usize = 255;

/// Bytes of a secret times parts times threshold: the multiplications that splitting takes, some tenths of a second.
pub const MAX_SPLIT_WORK: usize = 1 << 24;

/// Bits of the prime of a split key's field: a Mersenne prime above a secret of 4096 bits.
pub const MAX_SPLIT_PRIME_BITS: usize = 4_253;

/// Bits of such a prime that is not one of ours: whether it is prime has to be found out, in some tenths of a second.
pub const MAX_FOREIGN_PRIME_BITS: usize = 2_048;

/// Certificates given for the verification of one chain.
pub const MAX_CHAIN_LEN: usize = 32;

/// Rounds that a PKCS#12 file may ask for before it is believed: OpenSSL makes 2048, careful people some 100 000.
pub const MAX_PKCS12_ITERATIONS: u32 = 1_000_000;

const _: () = assert!(MAX_FOREIGN_PRIME_BITS < MAX_SPLIT_PRIME_BITS && MAX_HELD_LEN < MAX_INPUT_LEN);
