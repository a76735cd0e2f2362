//! Key pairs coming into being: where they are made, and the two objects that belong together.
//!
//! The HSM makes what it can make, RSA and four curves, as session objects that leave it wrapped under a one-time key.
//! Curves that no HSM has come of random bytes that go through the generator of the domain's policy, see
//! [`generator`](super::generator).

use crypto::key::{KeyKind, PrivateKey, random_len};
use hsm::{EcCurve, GeneratedKeyPair};
use keystore::ObjectId;
use kmip::attribute::RngParameters;
use kmip::object::{self, KeyBlock, KeyMaterial, ManagedObject};
use kmip::registry::{CryptographicAlgorithm, KeyFormatType, LinkType, RecommendedCurve};
use policy::creation::PairRecipe;
use secret::Secret;

use super::birth::Birth;
use super::{generator, links};
use crate::change::policy_of;
use crate::failure::Failure;
use crate::scope::Scope;

/// The public exponent of every RSA key made here, F4.
const RSA_EXPONENT: u32 = 65_537;

/// Makes the pair that both births describe, and drafts both objects with links to each other. The private key is the
/// one that the ID Placeholder names afterwards. Gives their identifiers, the private key's first.
pub(super) async fn bear(
    scope: &mut Scope<'_>,
    mut private: Birth,
    mut public: Birth,
) -> Result<(ObjectId, ObjectId), Failure> {
    let (algorithm, recipe) = private.decide_pair(&public, scope)?;
    let (key, generator) = make(scope, recipe).await?;
    let (private_block, public_block) = blocks(&key, algorithm, recipe)?;
    for birth in [&mut private, &mut public] {
        birth.is_half_of(algorithm, recipe);
        birth.made_by_server(generator.clone());
    }
    private.give(links::to(LinkType::PublicKeyLink, public.id()));
    public.give(links::to(LinkType::PrivateKeyLink, private.id()));
    let public_key = ManagedObject::PublicKey(object::PublicKey { key_block: public_block });
    let private_key = ManagedObject::PrivateKey(object::PrivateKey { key_block: private_block });
    let public_id = public.complete(scope, Some(&public_key)).await?;
    let private_id = private.complete(scope, Some(&private_key)).await?;
    Ok((private_id, public_id))
}

/// The pair, and the generator that made it.
async fn make(scope: &Scope<'_>, recipe: PairRecipe) -> Result<(PrivateKey, RngParameters), Failure> {
    let hsm = &scope.node.hsm;
    let (kind, curve) = match recipe {
        PairRecipe::Rsa(bits) => {
            let bits = u32::try_from(bits).map_err(|_| Failure::InvalidField("length of the modulus"))?;
            return of_hsm(scope, &hsm.generate_rsa_key_pair(bits, RSA_EXPONENT).await?);
        }
        PairRecipe::Curve(curve) => match curve_of_hsm(curve) {
            Some(curve) => return of_hsm(scope, &hsm.generate_ec_key_pair(curve).await?),
            None => (KeyKind::Ec, Some(curve)),
        },
        PairRecipe::Ed25519 => (KeyKind::Ed25519, None),
        PairRecipe::Ed448 => (KeyKind::Ed448, None),
        PairRecipe::X25519 => (KeyKind::X25519, None),
        PairRecipe::X448 => (KeyKind::X448, None),
    };
    let policy = policy_of(&scope.domain.row.policy);
    let (random, parameters) = generator::key_bytes(scope.node, policy, random_len(kind, curve)?).await?;
    Ok((PrivateKey::generate(kind, curve, &random)?, parameters))
}

/// What the HSM made, and the generator that its operator states for it.
fn of_hsm(scope: &Scope<'_>, pair: &GeneratedKeyPair) -> Result<(PrivateKey, RngParameters), Failure> {
    Ok((PrivateKey::from_encoded(KeyFormatType::Pkcs8, &pair.private_key)?, scope.node.offer.generator()))
}

/// The curves on which the HSM makes pairs.
fn curve_of_hsm(curve: RecommendedCurve) -> Option<EcCurve> {
    match curve {
        RecommendedCurve::P256 => Some(EcCurve::P256),
        RecommendedCurve::P384 => Some(EcCurve::P384),
        RecommendedCurve::P521 => Some(EcCurve::P521),
        RecommendedCurve::Secp256k1 => Some(EcCurve::Secp256k1),
        _ => None,
    }
}

/// The key blocks of both halves, the private one first, in the formats that the specification makes the default of
/// their algorithm or, where that is a structure of numbers, in the one that every library reads.
fn blocks(
    key: &PrivateKey,
    algorithm: CryptographicAlgorithm,
    recipe: PairRecipe,
) -> Result<(KeyBlock, KeyBlock), Failure> {
    let (of_private, of_public) = match recipe {
        PairRecipe::Rsa(_) => (KeyFormatType::Pkcs1, KeyFormatType::Pkcs1),
        PairRecipe::Curve(_) => (KeyFormatType::EcPrivateKey, KeyFormatType::X509),
        PairRecipe::Ed25519 | PairRecipe::Ed448 | PairRecipe::X25519 | PairRecipe::X448 => {
            (KeyFormatType::Pkcs8, KeyFormatType::X509)
        }
    };
    let block =
        |format, bytes| KeyBlock::new(format, KeyMaterial::Bytes(bytes), Some(algorithm), Some(recipe.length()));
    let public = key.public_key()?.to_encoded(of_public)?;
    Ok((block(of_private, key.to_encoded(of_private)?), block(of_public, Secret::new(public))))
}
