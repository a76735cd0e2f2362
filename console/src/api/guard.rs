//! Who asks: the access token of a request, and what its holder may do in its tenant.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use provisioning::Inventory;
use provisioning::ids::TenantId;
use provisioning::permission::Permission;

use super::problem::Problem;
use super::{App, Peer};
use crate::identity::holder;
use crate::platform::Principal;
use crate::store::TokenKind;

/// Somebody with an access token.
pub struct Known(pub Principal);

impl Known {
    /// Goes on if they have the permission.
    ///
    /// # Errors
    /// [`Problem`], with the permission that is missing.
    pub fn must_have(&self, permission: Option<Permission>) -> Result<(), Problem> {
        match permission {
            Some(needed) if !self.0.permissions.contains(&needed) => {
                Err(Problem::forbidden(format!("missing permission: {needed}")))
            }
            _ => Ok(()),
        }
    }
}

impl FromRequestParts<App> for Known {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let token = bearer(parts).ok_or_else(Problem::unauthorized)?;
        let token = holder(&app.platform.store, TokenKind::Access, token).await?;
        let from = parts.extensions.get::<Peer>().map(|peer| peer.0.ip());
        if !may_come(&app.platform.current().inventory, &token.tenant, from) {
            return Err(Problem::forbidden("the tenant does not allow this address"));
        }
        Ok(Self(token.principal()))
    }
}

/// The secret in the header.
#[must_use]
pub fn bearer(parts: &Parts) -> Option<&str> {
    parts.headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// Whether a tenant allows the console from there. An empty list allows all.
#[must_use]
pub fn may_come(inventory: &Inventory, tenant: &TenantId, from: Option<IpAddr>) -> bool {
    let Some(tenant) = inventory.tenant(tenant) else { return false };
    let allowed = &tenant.allowed_addresses;
    allowed.is_empty() || from.is_some_and(|from| allowed.iter().any(|network| contains(network, from)))
}

/// Whether a network in CIDR notation has the address. What is no network has none.
fn contains(network: &str, address: IpAddr) -> bool {
    let (base, bits) = network.split_once('/').map_or((network, None), |(base, bits)| (base, Some(bits)));
    let Ok(base) = base.parse::<IpAddr>() else { return false };
    let wide = |address: IpAddr| match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32_u32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    };
    let ((base_bits, length), (own_bits, own_length)) = (wide(base), wide(address));
    let bits = match bits.map(str::parse::<u32>) {
        None => length,
        Some(Ok(bits)) if bits <= length => bits,
        Some(_) => return false,
    };
    let shift = length - bits;
    let prefix = |bits: u128| bits.checked_shr(shift).unwrap_or(0);
    length == own_length && prefix(base_bits) == prefix(own_bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_its_addresses_and_no_others() {
        let has = |network: &str, address: &str| contains(network, address.parse().unwrap());
        assert!(has("192.0.2.0/24", "192.0.2.77") && has("192.0.2.7", "192.0.2.7") && has("0.0.0.0/0", "8.8.8.8"));
        assert!(has("2001:db8::/32", "2001:db8:1::1") && has("::/0", "::1"));
        assert!(!has("192.0.2.0/24", "192.0.3.1") && !has("192.0.2.0/33", "192.0.2.1") && !has("here", "192.0.2.1"));
        assert!(!has("0.0.0.0/0", "::1") && !has("::/0", "1.2.3.4"));
    }
}
