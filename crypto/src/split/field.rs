//! The fields of 2^8 and 2^16 elements. No tables and no branches on secret values: time tells nothing.

/// A field of which an element is a byte or two.
pub(super) trait Field {
    /// An element.
    type Element: Copy + PartialEq;
    /// Bytes of an element.
    const LEN: usize;
    /// Zero.
    const ZERO: Self::Element;
    /// One.
    const ONE: Self::Element;

    /// The x coordinate of a part, which fits in a byte.
    fn from_identifier(identifier: usize) -> Self::Element;
    /// Reads [`Field::LEN`] bytes.
    fn read(bytes: &[u8]) -> Self::Element;
    /// Writes [`Field::LEN`] bytes.
    fn write(element: Self::Element, bytes: &mut [u8]);
    /// The sum; also the difference.
    fn add(a: Self::Element, b: Self::Element) -> Self::Element;
    /// The product.
    fn mul(a: Self::Element, b: Self::Element) -> Self::Element;
    /// The inverse; of zero, zero.
    fn invert(a: Self::Element) -> Self::Element;
}

/// GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1. The specification does not name a polynomial; the OASIS cases use this one.
pub(super) struct Gf256;

/// GF(2^16) as KMIP 1.4 §2.2.5 builds it: pairs over the field of AES, modulo y^2 + y + m.
pub(super) struct Gf65536;

/// The low bits of the polynomials.
const CASES_POLYNOMIAL: u8 = 0x1d;
const AES_POLYNOMIAL: u8 = 0x1b;
/// m = x^5 + x^4 + x^3 + x.
const M: u8 = 0x3a;

/// Multiplies in GF(2^8) modulo the polynomial of degree 8 with these low bits.
const fn mul_bytes(mut a: u8, mut b: u8, polynomial: u8) -> u8 {
    let mut product = 0;
    let mut step = 0;
    while step < 8 {
        product ^= a & (b & 1).wrapping_neg();
        let carry = (a >> 7).wrapping_neg();
        a = (a << 1) ^ (carry & polynomial);
        b >>= 1;
        step += 1;
    }
    product
}

/// a^254, which is the inverse.
const fn invert_byte(a: u8, polynomial: u8) -> u8 {
    let mut result = 1;
    let mut power = a;
    let mut bit = 1;
    while bit < 8 {
        power = mul_bytes(power, power, polynomial);
        result = mul_bytes(result, power, polynomial);
        bit += 1;
    }
    result
}

fn byte_of(identifier: usize) -> u8 {
    // Identifiers were checked against the number of parts, which is 255 at most.
    u8::try_from(identifier).unwrap_or(0)
}

impl Field for Gf256 {
    type Element = u8;
    const LEN: usize = 1;
    const ZERO: u8 = 0;
    const ONE: u8 = 1;

    fn from_identifier(identifier: usize) -> u8 {
        byte_of(identifier)
    }

    fn read(bytes: &[u8]) -> u8 {
        bytes.first().copied().unwrap_or(0)
    }

    fn write(element: u8, bytes: &mut [u8]) {
        if let [byte] = bytes {
            *byte = element;
        }
    }

    fn add(a: u8, b: u8) -> u8 {
        a ^ b
    }

    fn mul(a: u8, b: u8) -> u8 {
        mul_bytes(a, b, CASES_POLYNOMIAL)
    }

    fn invert(a: u8) -> u8 {
        invert_byte(a, CASES_POLYNOMIAL)
    }
}

impl Field for Gf65536 {
    /// (u, v) stands for uy + v.
    type Element = (u8, u8);
    const LEN: usize = 2;
    const ZERO: (u8, u8) = (0, 0);
    const ONE: (u8, u8) = (0, 1);

    fn from_identifier(identifier: usize) -> (u8, u8) {
        (0, byte_of(identifier))
    }

    fn read(bytes: &[u8]) -> (u8, u8) {
        if let [u, v] = bytes { (*u, *v) } else { Self::ZERO }
    }

    fn write((u, v): (u8, u8), bytes: &mut [u8]) {
        if let [first, second] = bytes {
            (*first, *second) = (u, v);
        }
    }

    fn add(a: (u8, u8), b: (u8, u8)) -> (u8, u8) {
        (a.0 ^ b.0, a.1 ^ b.1)
    }

    fn mul((r, s): (u8, u8), (u, v): (u8, u8)) -> (u8, u8) {
        let mul = |a, b| mul_bytes(a, b, AES_POLYNOMIAL);
        let sv = mul(s, v);
        (mul(r ^ s, u ^ v) ^ sv, mul(mul(r, u), M) ^ sv)
    }

    fn invert((u, v): (u8, u8)) -> (u8, u8) {
        let mul = |a, b| mul_bytes(a, b, AES_POLYNOMIAL);
        let d = mul(u ^ v, v) ^ mul(M, mul(u, u));
        let d_inverse = invert_byte(d, AES_POLYNOMIAL);
        (mul(u, d_inverse), mul(u ^ v, d_inverse))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_fips_197() {
        // FIPS 197 §4.2 and §4.2.1.
        assert_eq!(mul_bytes(0x57, 0x83, AES_POLYNOMIAL), 0xc1);
        assert_eq!(mul_bytes(0x57, 0x13, AES_POLYNOMIAL), 0xfe);
    }

    #[test]
    fn every_element_but_zero_has_an_inverse() {
        for a in 1..=255 {
            assert_eq!(Gf256::mul(a, Gf256::invert(a)), 1);
        }
        for u in (0..=255).step_by(5) {
            for v in (0..=255).filter(|v| (u, *v) != (0, 0)) {
                assert_eq!(Gf65536::mul((u, v), Gf65536::invert((u, v))), Gf65536::ONE, "{u} {v}");
            }
        }
    }

    #[test]
    fn the_large_field_obeys_the_laws() {
        let elements = [(0, 1), (1, 0), (0x3a, 0x57), (0xff, 0x83), (0x12, 0x34)];
        for a in elements {
            for b in elements {
                assert_eq!(Gf65536::mul(a, b), Gf65536::mul(b, a));
                for c in elements {
                    let left = Gf65536::mul(a, Gf65536::add(b, c));
                    assert_eq!(left, Gf65536::add(Gf65536::mul(a, b), Gf65536::mul(a, c)));
                    assert_eq!(Gf65536::mul(Gf65536::mul(a, b), c), Gf65536::mul(a, Gf65536::mul(b, c)));
                }
            }
        }
        // y^2 = y + m, the rule that makes the field.
        assert_eq!(Gf65536::mul((1, 0), (1, 0)), (1, M));
    }
}
