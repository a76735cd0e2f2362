//! Signs papers in the HSM with the checkpoint key of whichever member is there.

use audit::PublicKey;
use audit::paper::Paper;
use ring::digest;

use crate::failure::Failure;
use crate::node::Node;

/// The whole paper, signed; it verifies with the keys of the trust file.
///
/// # Errors
/// [`Failure::Hsm`]; [`Failure::Internal`] for a paper that cannot be written.
pub async fn sign(node: &Node, paper: &impl Paper) -> Result<String, Failure> {
    let internal = |error| {
        tracing::error!(%error, "a paper cannot be signed");
        Failure::Internal("a paper cannot be signed")
    };
    let body = paper.body().map_err(internal)?;
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, body.as_bytes()).as_ref());
    let signature = node.hsm.sign(hash).await?;
    let point = node.hsm.trust_anchor().checkpoint_key(&signature.member);
    let key = point.and_then(|point| PublicKey::from_sec1(point).ok());
    let key = key.ok_or(Failure::Internal("a member without a checkpoint key"))?;
    paper.signed(&key, &signature.r_s).map_err(internal)
}
