//! The operator's page: who gets in and who does not, and that it shows what is.

use std::sync::Arc;

use admin_api::{AdminClient, Approvals, DomainChange, Effect, ProtectedAct, Signer};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, TlsProvider, parse_pem};
use xtask::stage::ZONES;
use xtask::stage::console::{Console, OWNER};

use crate::world::World;

/// Somebody who keeps a connection open.
struct Looker {
    agent: ureq::Agent,
    base: String,
}

impl Looker {
    /// With the certificate in `pki`, such as `admin/operator`, or with none.
    fn new(world: &World, console: &Console, certificate: Option<&str>) -> Self {
        let pki = world.stage.pki();
        let items = |name: &str| -> Vec<PemItem<'static>> {
            parse_pem(&std::fs::read(pki.join(name)).unwrap()).map(|item| item.unwrap()).collect()
        };
        let certificates = |name: &str| -> Vec<Certificate<'static>> {
            let of = |item| if let PemItem::Certificate(one) = item { Some(one) } else { None };
            items(name).into_iter().filter_map(of).collect()
        };
        let key = |name: &str| -> PrivateKey<'static> {
            let of = |item| if let PemItem::PrivateKey(one) = item { Some(one) } else { None };
            items(name).into_iter().find_map(of).unwrap()
        };
        let own = certificate
            .map(|name| ClientCert::new_with_certs(&certificates(&format!("{name}.pem")), key(&format!("{name}.key"))));
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::new_with_certs(&certificates("ca.pem")))
            .client_cert(own)
            .build();
        let config = ureq::Agent::config_builder().tls_config(tls).http_status_as_error(false).max_redirects(0);
        let agent = config.max_redirects_will_error(false).build().new_agent();
        Self { agent, base: format!("https://{}", console.operator) }
    }

    /// Status and text; `None` where there is no answer.
    fn get(&self, path: &str, headers: &[(&str, &str)]) -> Option<(u16, String)> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.call().ok()?;
        Some((response.status().as_u16(), response.body_mut().read_to_string().ok()?))
    }

    fn status(&self, path: &str) -> Option<u16> {
        self.get(path, &[]).map(|(status, _)| status)
    }
}

fn admin(world: &World, name: &str) -> AdminClient {
    let pki = world.stage.pki();
    let bytes = |name: &str| std::fs::read(pki.join(name)).unwrap();
    let (certificate, key) = (bytes(&format!("admin/{name}.pem")), bytes(&format!("admin/{name}.key")));
    AdminClient::new(&format!("https://{}", world.addresses().admin), &bytes("ca.pem"), &certificate, &key).unwrap()
}

#[test]
fn administrators_get_in_by_their_certificates_and_nobody_else_does() {
    let world = World::new();
    let personal = world.personal_token();
    let console = world.console(None);
    // A tenant's session and token open nothing here, and without a certificate there is not even an answer.
    let access = world.access(&console, &personal);
    let authorization = format!("Bearer {access}");
    assert_eq!(Looker::new(&world, &console, None).get("/", &[("authorization", &authorization)]), None);
    let client = Looker::new(&world, &console, Some("acme/client"));
    let (status, text) = client.get("/", &[("authorization", &authorization)]).unwrap();
    assert_eq!(status, 403);
    for told in ["PAR7S", "acme", OWNER] {
        assert!(!text.contains(told), "{told}: {text}");
    }
    // The control, and in the reader's language.
    let officer = Looker::new(&world, &console, Some("admin/officer3"));
    for name in ["admin/operator", "admin/auditor"] {
        assert_eq!(Looker::new(&world, &console, Some(name)).status("/"), Some(200), "{name}");
    }
    for (language, title) in [("en", "Key service"), ("fr", "Service de clés"), ("de-AT", "Schlüsseldienst")] {
        let (status, text) = officer.get("/", &[("accept-language", language)]).unwrap();
        assert!(status == 200 && text.contains(title) && text.contains("officer3"), "{language}: {text}");
    }
    // Nothing of the tenants' side is here, and nothing of this side there.
    for path in ["/vms", "/keys", "/login", "/openapi.json", "/compute/v1/vcenters/virtual_machines"] {
        assert_eq!(officer.status(path), Some(404), "{path}");
    }
    let (status, body) = world.ask(&console, "GET", "/", Some(&access), None).unwrap();
    assert!(status == 303 && !body.to_string().contains("PAR7S"), "{body}");

    // A revocation holds from the next request on, on an open connection, too.
    let revoke = ProtectedAct::RevokeAdministrator { administrator: "officer3".to_owned() };
    let operator = admin(&world, "operator");
    let request = operator.request_ask(&revoke, Effect::Real).unwrap();
    let (_, text) = officer.get("/", &[]).unwrap();
    assert!(text.contains("revoke-administrator") && text.contains(&request.id.to_string()), "{text}");
    let sign = |name: &str| {
        let key = std::fs::read(world.stage.pki().join(format!("admin/{name}.key"))).unwrap();
        Signer::from_pem(&key).unwrap().approve(&request.signed.request).unwrap()
    };
    let approvals = Approvals { approvals: vec![sign("officer1"), sign("officer2")] };
    operator.request_execute(request.id, &approvals, Effect::Real).unwrap();
    assert_eq!(officer.status("/"), Some(403));
    console.stop();
}

#[test]
fn it_shows_members_domains_and_health_as_they_are() {
    let mut world = World::new();
    let console = world.console(None);
    let operator = Looker::new(&world, &console, Some("admin/operator"));
    let (status, text) = operator.get("/", &[]).unwrap();
    assert_eq!(status, 200);
    for zone in ZONES {
        assert!(text.contains(zone), "{zone}: {text}");
    }
    assert!(text.contains(">acme<") && text.contains(">active<") && text.contains(">v1"), "{text}");
    for inline in [" style=", " onclick=", "<style", "javascript:", "http://", "https://"] {
        assert!(!text.contains(inline), "{inline}");
    }
    assert_eq!(operator.status("/assets/style.css"), Some(200));
    let administrator = admin(&world, "operator");
    administrator.domain_change("acme", DomainChange::RotateKey, Effect::Real).unwrap();
    administrator.domain_change("acme", DomainChange::Freeze, Effect::Real).unwrap();
    let (_, text) = operator.get("/", &[]).unwrap();
    assert!(text.contains(">frozen<") && text.contains(">v2"), "{text}");
    // Who may come is not to be said without the key service.
    let addresses = world.kill_node();
    assert_eq!(operator.status("/"), Some(503));
    world.start_node(&addresses);
    assert_eq!(operator.status("/"), Some(200));
    console.stop();
}
