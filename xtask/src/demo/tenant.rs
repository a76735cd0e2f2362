//! A KMIP client of a tenant, for the chapters that look at keys from outside.

use std::net::SocketAddr;

use kmip::ProtocolVersion;
use kmip::payload::{GetRequest, GetResponse};
use kmip_client::{Client, ClientIdentity, Error, roots_from_pem};

use super::story::Failure;
use super::world::World;

/// Gets an object as a client of `tenant`.
pub fn get(world: &World, tenant: &str, id: &str) -> Result<Result<GetResponse, Error>, Failure> {
    let read = |name: String| std::fs::read(world.pki(&name));
    let identity =
        ClientIdentity::from_pem(&read(format!("{tenant}/client.pem"))?, &read(format!("{tenant}/client.key"))?)?;
    let roots = roots_from_pem(&read("ca.pem".to_owned())?)?;
    let address: SocketAddr = world.server()?.addresses.kmip;
    let request = GetRequest { unique_identifier: Some(id.into()), ..GetRequest::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut client = Client::connect(address, "localhost", identity, roots).await?;
        Ok(client.request(ProtocolVersion::V1_4, request).await)
    })
}

/// The key bytes of an object as the tenant gets them.
pub fn key_bytes(world: &World, tenant: &str, id: &str) -> Result<Vec<u8>, Failure> {
    let response = get(world, tenant, id)??;
    let block = response.object.key_block().ok_or_else(|| Failure::new("the object has no key block"))?;
    let material = block.material().ok_or_else(|| Failure::new("the key has no value"))?;
    let bytes = material.secret().ok_or_else(|| Failure::new("the key is no string of bytes"))?;
    Ok(bytes.expose().to_vec())
}
