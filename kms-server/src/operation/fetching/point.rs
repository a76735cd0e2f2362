//! The octets of a point on an elliptic curve over a prime field: uncompressed, compressed, hybrid. SEC 1 §2.3.3.

use kmip::registry::KeyCompressionType as Compression;

const UNCOMPRESSED: u8 = 4;
const COMPRESSED: u8 = 2;
const HYBRID: u8 = 6;

/// The uncompressed point `octets` written as `wanted`; `None` for what is not such a point, and for ways that the
/// curve does not have.
pub(super) fn written_as(octets: &[u8], wanted: Compression, is_prime_curve: bool) -> Option<Vec<u8>> {
    let (first, coordinates) = octets.split_first()?;
    if *first != UNCOMPRESSED || coordinates.is_empty() || coordinates.len() % 2 != 0 {
        return None;
    }
    // On a prime curve the second coordinate is one of two, and its parity says which.
    let parity = || is_prime_curve.then(|| coordinates.last().map(|last| last & 1)).flatten();
    match wanted {
        Compression::EcPublicKeyTypeUncompressed => Some(octets.to_vec()),
        Compression::EcPublicKeyTypeX9_62CompressedPrime => {
            let (x, _) = coordinates.split_at_checked(coordinates.len() / 2)?;
            Some([&[COMPRESSED | parity()?], x].concat())
        }
        Compression::EcPublicKeyTypeX9_62Hybrid => Some([&[HYBRID | parity()?], coordinates].concat()),
        // Needs arithmetic in the binary field, and no key of such a curve is made or used here.
        Compression::EcPublicKeyTypeX9_62CompressedChar2 => None,
    }
}
