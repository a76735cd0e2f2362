//! A node and a console on a stage of their own.

use std::sync::Arc;

use admin_api::{AdminClient, NewDomain, RegisterClient};
use provisioning::Document;
use serde_json::Value;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider};
use xtask::stage::console::{Console, Listens, OWNER, inventory};
use xtask::stage::{Addresses, Programs, Server, Stage, StageOptions};

pub struct World {
    pub stage: Stage,
    pub programs: Programs,
    /// The node, unless it was killed.
    server: Option<Server>,
    agent: ureq::Agent,
    _folder: tempfile::TempDir,
}

impl World {
    pub fn new() -> Self {
        Self::with(inventory())
    }

    /// With another inventory than the demo's.
    pub fn with(document: Document) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let programs = Programs::beside_this_one().unwrap();
        let stage = Stage::prepare(&folder.path().join("stage"), &StageOptions::default()).unwrap();
        stage.init(&programs).unwrap();
        let server = stage.serve(&programs, &[]).unwrap();
        let pki = stage.pki();
        let bytes = |name: &str| std::fs::read(pki.join(name)).unwrap();
        let url = format!("https://{}", server.addresses.admin);
        let admin =
            AdminClient::new(&url, &bytes("ca.pem"), &bytes("admin/operator.pem"), &bytes("admin/operator.key"));
        let admin = admin.unwrap();
        let domain = NewDomain { name: "acme".to_owned(), policy: Some("anssi".to_owned()), allow: Vec::new() };
        admin.domain_create(&domain).unwrap();
        let certificate = String::from_utf8(bytes("acme/client.pem")).unwrap();
        admin
            .client_register(
                "acme",
                &RegisterClient { certificate, name: Some("vcenter".to_owned()), credential: None },
            )
            .unwrap();
        let roots: Vec<Certificate<'static>> = ureq::tls::parse_pem(&bytes("ca.pem"))
            .filter_map(|item| match item.unwrap() {
                PemItem::Certificate(certificate) => Some(certificate),
                _ => None,
            })
            .collect();
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::new_with_certs(&roots))
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .build()
            .new_agent();
        stage.furnish_console_with(&programs, &server.addresses, Listens::anywhere(), document).unwrap();
        Self { stage, programs, server: Some(server), agent, _folder: folder }
    }

    /// Where the node listens.
    pub fn addresses(&self) -> Addresses {
        self.server.as_ref().unwrap().addresses.clone()
    }

    /// Kills the node, as a crash would; where it was.
    pub fn kill_node(&mut self) -> Addresses {
        let server = self.server.take().unwrap();
        let addresses = server.addresses.clone();
        server.kill();
        addresses
    }

    /// Starts it again where it was.
    pub fn start_node(&mut self, at: &Addresses) {
        let (kmip, admin) = (at.kmip.to_string(), at.admin.to_string());
        let environment = [("KMIP_ADDR", &kmip[..]), ("ADMIN_ADDR", &admin[..])];
        self.server = Some(self.stage.serve(&self.programs, &environment).unwrap());
    }

    /// Starts the console, which dies at that point if one is named.
    pub fn console(&self, dies_at: Option<&str>) -> Console {
        let environment: Vec<(&str, &str)> =
            dies_at.map(|point| ("CLAVIS_CONSOLE_DIE_AT", point)).into_iter().collect();
        self.stage.console(&self.programs, &environment).unwrap()
    }

    /// A personal access token of the demo's owner, while no console runs.
    pub fn personal_token(&self) -> String {
        let made = self.stage.console_command(&self.programs).args(["token", OWNER]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    }

    /// An access token for it.
    pub fn access(&self, console: &Console, personal: &str) -> String {
        let (status, body) = self.ask(console, "POST", "/iam/v1/access_tokens", Some(personal), None).unwrap();
        assert_eq!(status, 201, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// Asks a console; `None` where it died before it answered.
    pub fn ask(
        &self,
        console: &Console,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&str>,
    ) -> Option<(u16, Value)> {
        self.ask_with(console, method, path, token, &[], body)
    }

    /// The same with further headers.
    pub fn ask_with(
        &self,
        console: &Console,
        method: &str,
        path: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Option<(u16, Value)> {
        let uri = format!("https://{}{path}", console.address);
        let mut request = ureq::http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.header("content-type", "application/json").body(body.unwrap_or_default().to_owned());
        let mut response = self.agent.run(request.unwrap()).ok()?;
        let text = response.body_mut().read_to_string().ok()?;
        Some((response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }
}
