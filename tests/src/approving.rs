//! What several security officers approve, done in one go.

use admin_api::{AdminClient, Approvals, ClientError, Effect, ProtectedAct, Request, Signer};

use crate::node::{Node, Result};

/// Asks for an act, has two officers sign it, and executes it.
///
/// # Errors
/// Of asking and signing; what executing it came to is the inner result.
pub fn execute(node: &Node, act: &ProtectedAct) -> Result<std::result::Result<Request, ClientError>> {
    let operator: AdminClient = node.admin("operator")?;
    let request = operator.request_ask(act, Effect::Real)?;
    let sign = |name: &str| -> Result<_> {
        let key = std::fs::read(node.stage.pki().join(format!("admin/{name}.key")))?;
        Ok(Signer::from_pem(&key)?.approve(&request.signed.request)?)
    };
    let approvals = Approvals { approvals: vec![sign("officer1")?, sign("officer2")?] };
    Ok(operator.request_execute(request.id, &approvals, Effect::Real))
}

/// Destroys a domain.
///
/// # Errors
/// Where that does not work.
pub fn destroy(node: &Node, domain: &str) -> Result<Request> {
    Ok(execute(node, &ProtectedAct::DestroyDomain { domain: domain.to_owned() })??)
}
