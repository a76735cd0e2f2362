//! Whether the halves of a key pair on a curve belong together, and their standard forms.

use p256::elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point, ValidatePublicKey};
use p256::elliptic_curve::{AffinePoint, CurveArithmetic, FieldBytesSize, PublicKey, SecretKey};
use pkcs8::der::Decode;
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::{AssociatedOid, DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use secret::Secret;

use super::EcCurve;
use super::rsa::UNWRITABLE;

/// The halves in their standard forms, private half first. `private` is what the module wrapped out, PKCS #8; `point`
/// is `CKA_EC_POINT` of the public half.
///
/// # Errors
/// What does not fit, in words that contain nothing of the key.
pub(super) fn checked(curve: EcCurve, private: &Secret, point: &[u8]) -> Result<(Secret, Vec<u8>), &'static str> {
    match curve {
        EcCurve::P256 => checked_on::<p256::NistP256>(private, point),
        EcCurve::P384 => checked_on::<p384::NistP384>(private, point),
        EcCurve::P521 => checked_on::<p521::NistP521>(private, point),
        EcCurve::Secp256k1 => checked_on::<k256::Secp256k1>(private, point),
    }
}

fn checked_on<C>(private: &Secret, point: &[u8]) -> Result<(Secret, Vec<u8>), &'static str>
where
    C: AssociatedOid + CurveArithmetic + ValidatePublicKey,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
{
    let key = SecretKey::<C>::from_pkcs8_der(private.expose())
        .map_err(|_| "the private half is no PKCS #8 of a key on this curve")?;
    let public: PublicKey<C> = key.public_key();
    let expected = public.to_sec1_point(false);
    if bare_point(point, expected.len()) != Some(expected.as_bytes()) {
        return Err("the public half is that of another private key");
    }
    let private_key = key.to_pkcs8_der().map_err(|_| UNWRITABLE)?;
    let public_key = public.to_public_key_der().map_err(|_| UNWRITABLE)?;
    Ok((Secret::copy_from(private_key.as_bytes()), public_key.into_vec()))
}

/// The point in a `CKA_EC_POINT`, which is a DER OCTET STRING (PKCS#11 2.40 §2.3.3); some modules give the bare point
/// of `len` bytes.
pub(crate) fn bare_point(bytes: &[u8], len: usize) -> Option<&[u8]> {
    if bytes.len() == len {
        return Some(bytes);
    }
    <&OctetStringRef>::from_der(bytes).ok().map(OctetStringRef::as_bytes).filter(|point| point.len() == len)
}
