//! A console that serves, and a client of it.

use std::net::SocketAddr;
use std::sync::Arc;

use console::api::App;
use console::api::throttle::Throttle;
use console::hypervisor::Hypervisors;
use console::identity;
use console::platform::{Platform, Principal};
use console::store::{Membership, Store, TokenKind};
use provisioning::permission::{Permission, Permissions};
use provisioning::{Document, Inventory, example};
use rustls_pki_types::CertificateDer;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

pub const PASSWORD: &str = "correct horse battery staple";

pub struct World {
    pub folder: tempfile::TempDir,
    pub runtime: Runtime,
    pub platform: Arc<Platform>,
    pub address: SocketAddr,
    agent: ureq::Agent,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The rules that are found broken, by name.
    pub fn rules(&self) -> Vec<String> {
        let findings = self.json()["findings"].as_array().cloned().unwrap_or_default();
        findings.iter().map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
    }
}

impl World {
    pub fn new() -> Self {
        Self::with(Inventory::build(document()).unwrap(), Throttle::new(true))
    }

    pub fn with(inventory: Inventory, throttle: Throttle) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let authority = certs::Authority::new("console test").unwrap();
        let server = authority.issue_server(&["localhost", "127.0.0.1"]).unwrap();
        let (certificate, key) = (folder.path().join("server.pem"), folder.path().join("server.key"));
        std::fs::write(&certificate, &server.cert_pem).unwrap();
        std::fs::write(&key, &*server.key_pem).unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.cert_pem()).unwrap();
        let path = folder.path().join("console.sqlite");
        let (platform, address) = runtime.block_on(async {
            let store = Store::open(&path).await.unwrap();
            let hypervisors = Hypervisors::new(folder.path().join("vstacks"), 1 << 20, [].into());
            let platform = Platform::open(store, hypervisors).await.unwrap();
            platform.import(inventory, false).await.unwrap();
            for (login, tenant, permissions) in people() {
                let membership = Membership { tenant: tenant.into(), permissions };
                identity::enrol(&platform.store, login, login, PASSWORD, &[membership]).await.unwrap();
            }
            let app = App { platform: Arc::clone(&platform), throttle: Arc::new(throttle), key_service: None };
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let tls = console::serve::tls(&certificate, &key).unwrap();
            let router = console::web::router(app);
            tokio::spawn(console::serve::serve(listener, tls, router, std::future::pending()));
            (platform, address)
        });
        let root = CertificateDer::from(authority.cert_der().to_vec());
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::new_with_certs(&[Certificate::from_der(&root).to_owned()]))
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .max_redirects_will_error(false)
            .build()
            .new_agent();
        Self { folder, runtime, platform, address, agent }
    }

    /// An access token of a person, as a personal one gets it.
    pub fn token(&self, login: &str) -> String {
        self.runtime.block_on(async {
            let who = identity::in_tenant(&self.platform.store, login, None).await.unwrap();
            let wanted = identity::Wanted { kind: TokenKind::Access, name: "test", life_s: 3600, parent: None };
            identity::issue(&self.platform.store, &who, &wanted).await.unwrap().secret.to_string()
        })
    }

    pub fn who(&self, login: &str) -> Principal {
        self.runtime.block_on(identity::in_tenant(&self.platform.store, login, None)).unwrap()
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Answer {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("https://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = match body {
            Some(body) => self.agent.run(request.body(body.to_owned()).unwrap()).unwrap(),
            None => self.agent.run(request.body(()).unwrap()).unwrap(),
        };
        let text = response.body_mut().read_to_string().unwrap();
        Answer { status: response.status().as_u16(), headers: response.headers().clone(), text }
    }

    pub fn get(&self, token: &str, path: &str) -> Answer {
        self.send("GET", path, &[("authorization", &format!("Bearer {token}"))], None)
    }

    pub fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.order("POST", token, path, &[], body)
    }

    pub fn order(&self, method: &str, token: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let mut all = vec![("authorization", &bearer[..]), ("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.send(method, path, &all, Some(&body.to_string()))
    }
}

/// The example, with VMs that lack what encryption wants.
pub fn document() -> Document {
    example::document()
}

pub const VMS: &str = "/compute/v1/vcenters/virtual_machines";

fn people() -> [(&'static str, &'static str, Permissions); 4] {
    let all: Permissions = Permission::ALL.iter().copied().collect();
    [
        ("anna", example::TENANT, all.clone()),
        ("rita", example::TENANT, [Permission::ComputeRead, Permission::ActivityRead].into()),
        ("boris", example::FOREIGN_TENANT, all.clone()),
        ("lena", "acme-lab", all),
    ]
}
