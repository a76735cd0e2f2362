//! Tokens: what they may, how long, and that nothing of them can be read in the store.

use console::api::throttle::Throttle;
use console::identity::{self, IdentityError};
use console::store::Membership;
use provisioning::{Inventory, example};
use serde_json::json;

use crate::support::{PASSWORD, VMS, World, document};

#[test]
fn a_personal_token_gets_an_access_token_and_nothing_else() {
    let world = World::new();
    let anna = world.token("anna");
    let made = world.post(&anna, "/iam/v1/personal_access_tokens", &json!({ "name": "terraform", "days": 30 }));
    assert_eq!(made.status, 201, "{}", made.text);
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    assert_eq!(world.get(&secret, VMS).status, 401, "a personal token reads");
    let got = world.post(&secret, "/iam/v1/access_tokens", &json!({}));
    assert_eq!((got.status, &got.json()["expires_in"]), (201, &json!(300)));
    let access = got.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(world.get(&access, VMS).status, 200);
    assert_eq!(world.post(&access, "/iam/v1/access_tokens", &json!({})).status, 401, "an access token gets another");
    let listed = world.get(&access, "/iam/v1/personal_access_tokens");
    assert!(!listed.text.contains(&secret) && listed.text.contains("terraform"));
    // Forgotten, it takes what was got with it along.
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let gone = world.order("DELETE", &anna, &format!("/iam/v1/personal_access_tokens/{id}"), &[], &json!({}));
    assert_eq!(gone.status, 204);
    assert_eq!(world.get(&access, VMS).status, 401);
}

#[test]
fn a_token_may_no_more_than_its_owner_may_now() {
    let world = World::new();
    let rita = world.token("rita");
    let more = json!({ "name": "x", "days": 1, "permissions": ["order_write"] });
    assert_eq!(world.post(&rita, "/iam/v1/personal_access_tokens", &more).status, 403);
    assert_eq!(world.get(&rita, VMS).status, 200);
    let nothing = Membership { tenant: example::TENANT.into(), permissions: [].into() };
    world.runtime.block_on(world.platform.store.put_membership("rita", &nothing)).unwrap();
    assert_eq!(world.get(&rita, VMS).status, 401);
}

#[test]
fn a_token_ends_and_is_twelve_months_long_at_most() {
    let world = World::new();
    let anna = world.token("anna");
    for days in [0, 367, u64::MAX] {
        let body = json!({ "name": "x", "days": days });
        assert_eq!(world.post(&anna, "/iam/v1/personal_access_tokens", &body).status, 400, "{days}");
    }
    let expired = world.runtime.block_on(async {
        let who = identity::in_tenant(&world.platform.store, "anna", None).await.unwrap();
        let wanted = identity::Wanted { life_s: 0, ..identity::Wanted::access("p".to_owned()) };
        identity::issue(&world.platform.store, &who, &wanted).await.unwrap().secret.to_string()
    });
    assert_eq!(world.get(&expired, VMS).status, 401);
}

#[test]
fn neither_passwords_nor_secrets_are_in_the_store() {
    let world = World::new();
    let secret = world.token("anna");
    let bare = secret.trim_start_matches("clavis_").as_bytes().to_vec();
    let mut found_login = false;
    for file in std::fs::read_dir(world.folder.path()).unwrap() {
        let Ok(bytes) = std::fs::read(file.unwrap().path()) else { continue };
        let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        assert!(!has(&bare) && !has(PASSWORD.as_bytes()));
        found_login |= has(b"anna");
    }
    // The control: what is kept is found this way.
    assert!(found_login);
}

#[test]
fn a_wrong_password_and_an_unknown_login_are_told_alike() {
    let world = World::new();
    let check = |login: &str, password: &str| {
        world.runtime.block_on(identity::check_password(&world.platform.store, login, password))
    };
    assert!(check("anna", PASSWORD).is_ok());
    for (login, password) in [("anna", "wrong"), ("nobody", PASSWORD), ("nobody", "wrong")] {
        assert!(matches!(check(login, password), Err(IdentityError::Wrong)), "{login}");
    }
}

#[test]
fn who_asks_too_often_is_told_to_wait() {
    let world = World::with(Inventory::build(document()).unwrap(), Throttle::of(1));
    let token = world.token("anna");
    let answers: Vec<_> = (0..50).map(|_| world.get(&token, VMS)).collect();
    let refused = answers.iter().find(|answer| answer.status == 429).expect("50 requests at once are let through");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(answers[0].status, 200);
}

#[test]
fn a_tenant_is_entered_from_its_own_addresses_only() {
    let mut document = document();
    let tenant = document.tenants.iter_mut().find(|tenant| tenant.id.as_str() == example::TENANT).unwrap();
    tenant.allowed_addresses = vec!["192.0.2.0/24".to_owned()];
    let world = World::with(Inventory::build(document).unwrap(), Throttle::new(true));
    assert_eq!(world.get(&world.token("anna"), VMS).status, 403);
    assert_eq!(world.get(&world.token("boris"), VMS).status, 200);
}
