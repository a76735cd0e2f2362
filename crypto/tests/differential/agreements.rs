//! Secrets that two keys share, against RustCrypto's curves and ring's Curve25519.

use crypto::derive::agree;
use crypto::key::{KeyKind, PrivateKey, PublicKey};
use kmip::object::{EcPrivateKey, KeyMaterial, SecretInteger};
use kmip::registry::RecommendedCurve;
use p256::elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point};
use p256::elliptic_curve::{AffinePoint, CurveArithmetic, FieldBytesSize, PublicKey as Point, SecretKey};
use ring::agreement as other;
use ring::rand::SystemRandom;
use secret::Secret;

use crate::{Random, Tally, inputs};

#[test]
fn ecdh() {
    compare::<p256::NistP256>("ECDH on P-256", RecommendedCurve::P256, 32);
    compare::<p384::NistP384>("ECDH on P-384", RecommendedCurve::P384, 48);
    compare::<p521::NistP521>("ECDH on P-521", RecommendedCurve::P521, 66);
    compare::<k256::Secp256k1>("ECDH on secp256k1", RecommendedCurve::Secp256k1, 32);
}

fn compare<C>(name: &'static str, curve: RecommendedCurve, len: usize)
where
    C: CurveArithmetic,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
{
    let mut random = Random::announced();
    let mut tally = Tally::of(name);
    // A number below the order, for both sides.
    let key = |random: &mut Random| loop {
        let mut bytes = random.bytes(len);
        if curve == RecommendedCurve::P521 {
            bytes[0] &= 1;
        }
        if let Ok(key) = SecretKey::<C>::from_slice(&bytes) {
            break (bytes, key);
        }
    };
    for _ in 0..inputs() {
        let ((bytes, mine), (_, peer)) = (key(&mut random), key(&mut random));
        let numbers = EcPrivateKey { recommended_curve: curve, d: SecretInteger::from_unsigned(&bytes) };
        let private = PrivateKey::from_numbers(&KeyMaterial::TransparentEcPrivate(Box::new(numbers))).unwrap();
        let point = peer.public_key().to_sec1_point(false).as_bytes().to_vec();
        let shared = |point: &[u8]| {
            let public = PublicKey::from_point(curve, point).ok()?;
            agree(&private, &public, len).ok().map(|shared| shared.expose().to_vec())
        };
        let of_other = |point: &[u8]| {
            let public = Point::<C>::from_sec1_bytes(point).ok()?;
            let product = public.to_projective() * *mine.to_nonzero_scalar();
            let product = Point::<C>::from_affine(product.into()).ok()?;
            let x = product.to_sec1_point(false).as_bytes()[1..=len].to_vec();
            Some(x)
        };
        let ours = shared(&point);
        assert!(ours.is_some(), "{name}: a genuine point");
        tally.same(&ours, &of_other(&point), &(&bytes, &point));
        // What is no point of the curve is no key: all but one in 2^256 altered ones.
        let forged = match random.below(2) {
            0 => [&point[..1], &random.flipped(&point[1..])].concat(),
            _ => random.cut(&point),
        };
        tally.refused(shared(&forged).is_some(), of_other(&forged).is_some(), &(&bytes, &forged));
    }
    tally.check(inputs(), true);
}

#[test]
fn x25519() {
    let mut random = Random::announced();
    let mut tally = Tally::of("X25519");
    let rng = SystemRandom::new();
    for _ in 0..inputs() {
        let private = PrivateKey::from_raw(KeyKind::X25519, &Secret::new(random.bytes(32))).unwrap();
        // The last bytes of a SubjectPublicKeyInfo are the key.
        let encoded = private.public_key().unwrap().to_encoded(kmip::registry::KeyFormatType::X509).unwrap();
        let point = encoded[encoded.len() - 32..].to_vec();
        let peer = other::EphemeralPrivateKey::generate(&other::X25519, &rng).unwrap();
        let of_peer = peer.compute_public_key().unwrap().as_ref().to_vec();
        let public = PublicKey::from_raw(KeyKind::X25519, &of_peer).unwrap();
        let ours = agree(&private, &public, 32).unwrap().expose().to_vec();
        let mine = other::UnparsedPublicKey::new(&other::X25519, &point);
        let theirs = other::agree_ephemeral(peer, &mine, <[u8]>::to_vec).unwrap();
        tally.same(&ours, &theirs, &(&point, &of_peer));
        // A key cut short is none; the point of order one lets nobody agree (RFC 7748 §6.1).
        let forged = if random.below(2) == 0 { random.cut(&of_peer) } else { vec![0; 32] };
        let taken = PublicKey::from_raw(KeyKind::X25519, &forged).and_then(|public| agree(&private, &public, 32));
        let peer = other::EphemeralPrivateKey::generate(&other::X25519, &rng).unwrap();
        let by_other =
            other::agree_ephemeral(peer, &other::UnparsedPublicKey::new(&other::X25519, &forged), |_| ()).is_ok();
        tally.refused(taken.is_ok(), by_other, &forged);
    }
    tally.check(inputs(), true);
}
