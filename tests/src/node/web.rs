//! KMIP over HTTPS for tests: one client's messages in the bodies of `POST /kmip`, in any encoding.

use std::sync::Arc;

use certs::Issued;
use kmip::encoding::Encoding;
use ureq::Agent;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};

use super::{Node, Result};
use crate::oasis::Exchange;

/// A client that speaks HTTP.
pub struct Web {
    agent: Agent,
    url: String,
    encoding: Encoding,
}

/// An answer by HTTP.
#[derive(Debug)]
pub struct WebAnswer {
    /// The status, such as 200.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Web {
    /// To the KMIP address of this node, as this client, in this encoding.
    ///
    /// # Errors
    /// Of the certificates.
    pub fn open(node: &Node, identity: &Issued, encoding: Encoding) -> Result<Self> {
        let authority = std::fs::read(node.stage.pki().join("ca.pem"))?;
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::new_with_certs(&[Certificate::from_pem(&authority)?]))
            .client_cert(Some(ClientCert::new_with_certs(
                &[Certificate::from_pem(identity.cert_pem.as_bytes())?],
                PrivateKey::from_pem(identity.key_pem.as_bytes())?,
            )))
            .build();
        let config = Agent::config_builder().tls_config(tls).http_status_as_error(false).proxy(None).build();
        let url = format!("https://localhost:{}/kmip", node.addresses()?.kmip.port());
        Ok(Self { agent: config.into(), url, encoding })
    }

    /// Sends `body` as it is.
    ///
    /// # Errors
    /// Of HTTP.
    pub fn post(&self, content_type: &str, body: &[u8]) -> Result<WebAnswer> {
        self.post_to(&self.url, content_type, body)
    }

    /// Sends `body` to another path of the same server.
    ///
    /// # Errors
    /// Of HTTP.
    pub fn post_to_path(&self, path: &str, content_type: &str, body: &[u8]) -> Result<WebAnswer> {
        self.post_to(&self.url.replace("/kmip", path), content_type, body)
    }

    fn post_to(&self, url: &str, content_type: &str, body: &[u8]) -> Result<WebAnswer> {
        let mut response = self.agent.post(url).header("content-type", content_type).send(body)?;
        let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        Ok(WebAnswer {
            status: response.status().as_u16(),
            content_type: content_type.map(str::to_owned),
            body: response.body_mut().read_to_vec()?,
        })
    }
}

impl Exchange for Web {
    fn exchange(&mut self, request: &[u8]) -> std::result::Result<Vec<u8>, String> {
        let document = self.encoding.from_ttlv(request).map_err(|error| error.to_string())?;
        let answer = self.post(self.encoding.content_type(), &document).map_err(|error| error.to_string())?;
        if answer.status != 200 || answer.content_type.as_deref() != Some(self.encoding.content_type()) {
            return Err(format!("HTTP {} with {:?}", answer.status, answer.content_type));
        }
        self.encoding.to_ttlv(&answer.body).map(|ttlv| ttlv.to_vec()).map_err(|error| error.to_string())
    }
}
