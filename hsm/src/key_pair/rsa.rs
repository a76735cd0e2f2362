//! Whether the halves of an RSA key pair belong together, and their standard forms.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, ConcatenatingMul, NonZero, Resize};
use pkcs1::{RsaPrivateKeyRef, RsaPublicKeyRef, UintRef};
use pkcs8::der::asn1::{BitStringRef, OctetStringRef};
use pkcs8::der::{Decode, Encode};
use pkcs8::{PrivateKeyInfoRef, SubjectPublicKeyInfoRef};
use secret::Secret;
use zeroize::Zeroizing;

/// A number that is wiped.
type Hidden = Zeroizing<BoxedUint>;

/// The halves in their standard forms, private half first.
///
/// `private` is what the module wrapped out, PKCS #8; `modulus` and `exponent` are the attributes of the public half,
/// big endian; the pair was asked for with `bits` and `wanted_exponent`.
///
/// # Errors
/// What does not fit, in words that contain nothing of the key.
pub(super) fn checked(
    private: &Secret,
    modulus: &[u8],
    exponent: &[u8],
    bits: u32,
    wanted_exponent: u32,
) -> Result<(Secret, Vec<u8>), &'static str> {
    let info = PrivateKeyInfoRef::from_der(private.expose()).map_err(|_| "the private half is not PKCS #8")?;
    if info.algorithm.oid != pkcs1::ALGORITHM_OID {
        return Err("the private half is not for RSA");
    }
    let key = RsaPrivateKeyRef::from_der(info.private_key.as_bytes()).map_err(|_| "the private half is not PKCS #1")?;
    let public = RsaPublicKeyRef {
        modulus: UintRef::new(modulus).map_err(|_| "the modulus is no number")?,
        public_exponent: UintRef::new(exponent).map_err(|_| "the public exponent is no number")?,
    };
    if key.public_key() != public {
        return Err("the public halves differ");
    }
    let wanted_exponent = wanted_exponent.to_be_bytes();
    if public.public_exponent != UintRef::new(&wanted_exponent).map_err(|_| "the public exponent is no number")? {
        return Err("the public exponent is another one");
    }
    if key.other_prime_infos.is_some() {
        return Err("there are more than two primes");
    }
    consistent(&key, bits)?;

    // The inner encoding was read strictly, so it can stay as it is; the outer one loses whatever the module added.
    let inner = OctetStringRef::new(info.private_key.as_bytes()).map_err(|_| UNWRITABLE)?;
    let private_key = written(&PrivateKeyInfoRef::new(pkcs1::ALGORITHM_ID, inner))?;
    let public = public.to_der().map_err(|_| UNWRITABLE)?;
    let public_key = SubjectPublicKeyInfoRef {
        algorithm: pkcs1::ALGORITHM_ID,
        subject_public_key: BitStringRef::from_bytes(&public).map_err(|_| UNWRITABLE)?,
    };
    Ok((private_key, public_key.to_der().map_err(|_| UNWRITABLE)?))
}

/// A fault of ours.
pub(super) const UNWRITABLE: &str = "it cannot be written in its standard form";

/// A private key in DER, written in place.
fn written(info: &PrivateKeyInfoRef<'_>) -> Result<Secret, &'static str> {
    let len = info.encoded_len().ok().and_then(|len| usize::try_from(len).ok()).ok_or(UNWRITABLE)?;
    Secret::filled_by(len, |bytes| info.encode_to_slice(bytes).map(drop).map_err(|_| UNWRITABLE))
}

/// Whether the private half is one, for a modulus of exactly `bits` bits (NIST SP 800-56B §6.4.1.3.2 without the
/// primality of both factors, for which a power that comes back stands).
fn consistent(key: &RsaPrivateKeyRef<'_>, bits: u32) -> Result<(), &'static str> {
    let short = "a part of the private half is too long";
    let hidden = |number: UintRef<'_>, bits| {
        BoxedUint::from_be_slice(number.as_bytes(), bits).map(Zeroizing::new).map_err(|_| short)
    };
    let half = bits / 2;
    let n = hidden(key.modulus, bits)?;
    let e = hidden(key.public_exponent, u32::BITS)?;
    let d = hidden(key.private_exponent, bits)?;
    let (p, q) = (hidden(key.prime1, half)?, hidden(key.prime2, half)?);
    let (d_p, d_q) = (hidden(key.exponent1, half)?, hidden(key.exponent2, half)?);
    let q_inverse = hidden(key.coefficient, half)?;

    if n.bits() != bits || p.bits() != half || q.bits() != half || *p == *q {
        return Err("the modulus or a prime has another length");
    }
    if *Hidden::new(p.concatenating_mul(&*q)) != *n {
        return Err("the primes do not make the modulus");
    }
    for (prime, exponent) in [(&p, &d_p), (&q, &d_q)] {
        let order = less_one(prime).ok_or("a prime is none")?;
        if *Hidden::new(d.rem(&order)) != **exponent || !is_one_modulo(&e, exponent, &order) {
            return Err("the exponents do not belong together");
        }
    }
    let p = Option::from(p.to_nz()).map(Zeroizing::new).ok_or("a prime is none")?;
    if !is_one_modulo(&q, &q_inverse, &p) {
        return Err("the coefficient is another one");
    }

    let modulus = Option::from(n.to_odd()).ok_or("the modulus is even")?;
    let ring = BoxedMontyParams::new(modulus);
    let message = BoxedUint::from(2_u64).resize(bits);
    let power = BoxedMontyForm::new(message.clone(), &ring).pow(&e).pow(&d);
    if power.retrieve() == message { Ok(()) } else { Err("what one half does the other does not undo") }
}

fn less_one(prime: &Hidden) -> Option<Zeroizing<NonZero<BoxedUint>>> {
    let order = Hidden::new(prime.wrapping_sub(BoxedUint::one_with_precision(prime.bits_precision())));
    Option::from(order.to_nz()).map(Zeroizing::new)
}

fn is_one_modulo(a: &Hidden, b: &Hidden, modulus: &NonZero<BoxedUint>) -> bool {
    let product = Hidden::new(a.concatenating_mul(&**b));
    Hidden::new(product.rem(modulus)).is_one().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// p and q of a pair of 1024 bits, made for this test; everything else follows from them.
    const P: &str = concat!(
        "e7da10392c90fc99c5950b47cc7a4192579ed721660db3b3778648bbaf69ef4b",
        "3f564e631a177f54bd6ef16a2ad6620354eb94f656d52b6600490abf444474a7"
    );
    const Q: &str = concat!(
        "e996598f9530ba74d1bbdf37e3e63d73fcd28d5cd7588bb2c3abe77ecb2ee624",
        "d40847d26c9beb143463e0edd7b4714d0962a1831a9ebaded827ea13cc65b639"
    );

    fn number(text: &str) -> BoxedUint {
        BoxedUint::from_be_hex(text, 512).unwrap()
    }

    /// The numbers of a pair with these factors, in the order of PKCS #1.
    fn numbers_of(p: &BoxedUint, q: &BoxedUint) -> [Vec<u8>; 8] {
        let one = BoxedUint::one_with_precision(512);
        let (p_1, q_1) = (p.wrapping_sub(&one), q.wrapping_sub(&one));
        let order = p_1.concatenating_mul(&q_1).to_nz().unwrap();
        let e = BoxedUint::from(65_537_u64).resize(1024);
        let d = e.invert_mod(&order).unwrap();
        let (d_p, d_q) = (d.rem(&p_1.to_nz().unwrap()), d.rem(&q_1.to_nz().unwrap()));
        let q_inverse = q.invert_mod(&p.to_nz().unwrap()).unwrap();
        [&p.concatenating_mul(q), &e, &d, p, q, &d_p, &d_q, &q_inverse]
            .map(|number| number.to_be_bytes_trimmed_vartime().to_vec())
    }

    fn numbers() -> [Vec<u8>; 8] {
        numbers_of(&number(P), &number(Q))
    }

    fn check(numbers: &[Vec<u8>; 8]) -> Result<(), &'static str> {
        let [modulus, public_exponent, private_exponent, prime1, prime2, exponent1, exponent2, coefficient] =
            numbers.each_ref().map(|bytes| UintRef::new(bytes).unwrap());
        let key = RsaPrivateKeyRef {
            modulus,
            public_exponent,
            private_exponent,
            prime1,
            prime2,
            exponent1,
            exponent2,
            coefficient,
            other_prime_infos: None,
        };
        consistent(&key, 1024)
    }

    #[test]
    fn a_genuine_pair_is_consistent() {
        assert_eq!(check(&numbers()), Ok(()));
    }

    #[test]
    fn every_single_wrong_part_is_noticed() {
        for part in 0..8 {
            for (at, bit) in [(0, 1), (0, 0x80), (usize::MAX, 1), (usize::MAX, 2), (1, 4)] {
                let mut altered = numbers();
                let at = at.min(altered[part].len() - 1);
                altered[part][at] ^= bit;
                assert!(check(&altered).is_err(), "part {part}, byte {at}");
            }
            let mut nothing = numbers();
            nothing[part] = vec![0];
            assert!(check(&nothing).is_err(), "part {part}");
        }
    }

    #[test]
    fn exchanged_or_equal_primes_are_noticed() {
        let mut exchanged = numbers();
        exchanged.swap(3, 4);
        assert!(check(&exchanged).is_err());
        let mut equal = numbers();
        equal[4] = equal[3].clone();
        assert!(check(&equal).is_err());
    }

    #[test]
    fn a_factor_that_is_no_prime_is_noticed() {
        // Every congruence holds; only the power does not come back.
        let composite = number(P).wrapping_add(BoxedUint::from(2_u64).resize(512));
        assert_eq!(check(&numbers_of(&composite, &number(Q))), Err("what one half does the other does not undo"));
    }
}
