//! Key pairs coming into being: where they are made, and the two objects that belong together.
//!
//! Under `anssi` the HSM makes what it can make; under `legacy` the key comes of the generator that its attribute
//! names, see [`generator`](super::generator). Curves that no HSM has come of the HSM's random bytes.

use crypto::key::{KeyKind, PrivateKey, generate_rsa, random_len};
use hsm::EcCurve;
use keystore::ObjectId;
use kmip::attribute::RngParameters;
use kmip::object::{self, KeyBlock, KeyMaterial, ManagedObject};
use kmip::registry::{CryptographicAlgorithm, KeyFormatType, LinkType, RecommendedCurve};
use policy::algorithm::AlgorithmPolicy;
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
    let policy = policy_of(&scope.domain.row.policy);
    match (policy, recipe) {
        (AlgorithmPolicy::Anssi, PairRecipe::Rsa(bits)) => {
            let bits = u32::try_from(bits).map_err(|_| Failure::InvalidField("length of the modulus"))?;
            let pair = hsm.generate_rsa_key_pair(bits, RSA_EXPONENT).await?;
            Ok((PrivateKey::from_encoded(KeyFormatType::Pkcs8, &pair.private_key)?, scope.node.offer.generator()))
        }
        (AlgorithmPolicy::Legacy, PairRecipe::Rsa(bits)) => {
            let bits = usize::try_from(bits).map_err(|_| Failure::InvalidField("length of the modulus"))?;
            let (mut generator, parameters) = generator::x931(hsm).await?;
            // The search for primes takes a core for a while.
            let search = tokio::task::spawn_blocking(move || generate_rsa(bits, |bytes| generator.fill(bytes)));
            let key = search.await.map_err(|_| Failure::Internal("the search for primes ended early"))??;
            Ok((key, parameters))
        }
        (_, recipe) => {
            if let (AlgorithmPolicy::Anssi, PairRecipe::Curve(curve)) = (policy, recipe)
                && let Some(curve) = of_hsm(curve)
            {
                let pair = hsm.generate_ec_key_pair(curve).await?;
                return Ok((
                    PrivateKey::from_encoded(KeyFormatType::Pkcs8, &pair.private_key)?,
                    scope.node.offer.generator(),
                ));
            }
            let (kind, curve) = match recipe {
                PairRecipe::Curve(curve) => (KeyKind::Ec, Some(curve)),
                PairRecipe::Ed25519 => (KeyKind::Ed25519, None),
                PairRecipe::Ed448 => (KeyKind::Ed448, None),
                PairRecipe::X25519 => (KeyKind::X25519, None),
                PairRecipe::X448 => (KeyKind::X448, None),
                PairRecipe::Rsa(_) => (KeyKind::Rsa, None),
            };
            let (random, parameters) = generator::key_bytes(scope.node, policy, random_len(kind, curve)?).await?;
            Ok((PrivateKey::generate(kind, curve, &random)?, parameters))
        }
    }
}

/// The curves on which the HSM makes pairs.
fn of_hsm(curve: RecommendedCurve) -> Option<EcCurve> {
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
