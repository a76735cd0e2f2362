//! The pages as a browser without a script gets them.

use serde_json::json;

use crate::support::{Answer, PASSWORD, VMS, World};

/// A browser that has logged in: its cookie and what its forms carry.
struct Browser<'w> {
    world: &'w World,
    cookie: String,
    proof: String,
}

fn submit(world: &World, path: &str, cookie: &str, site: &str, body: &str) -> Answer {
    let headers = [("cookie", cookie), ("sec-fetch-site", site), ("content-type", "application/x-www-form-urlencoded")];
    world.send("POST", path, &headers, Some(body))
}

impl<'w> Browser<'w> {
    fn enter(world: &'w World, login: &str) -> Self {
        let body = format!("login={login}&password={}", PASSWORD.replace(' ', "+"));
        let entered = submit(world, "/login", "", "same-origin", &body);
        assert_eq!((entered.status, entered.header("location")), (303, "/"), "{}", entered.text);
        let set = entered.header("set-cookie").to_owned();
        for part in ["__Host-clavis=", "; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
            assert!(set.contains(part), "{set}");
        }
        let cookie = set.split(';').next().unwrap().to_owned();
        let mut browser = Self { world, cookie, proof: String::new() };
        let page = browser.get("/vms").text;
        let (_, rest) = page.split_once("name=\"proof\" value=\"").unwrap();
        browser.proof = rest.split('"').next().unwrap().to_owned();
        browser
    }

    fn get(&self, path: &str) -> Answer {
        self.in_language(path, "en")
    }

    fn in_language(&self, path: &str, language: &str) -> Answer {
        self.world.send("GET", path, &[("cookie", &self.cookie), ("accept-language", language)], None)
    }

    fn post(&self, path: &str) -> Answer {
        self.fill_in(path, "")
    }

    /// Sends a form with these fields.
    fn fill_in(&self, path: &str, fields: &str) -> Answer {
        submit(self.world, path, &self.cookie, "same-origin", &format!("proof={}&{fields}", self.proof))
    }
}

#[test]
fn every_page_is_shown_under_a_strict_policy_and_has_nothing_inline() {
    let world = World::new();
    let browser = Browser::enter(&world, "anna");
    let pages =
        ["/", "/vms", "/vms/vm-web", "/vms/vm-web/encrypt", "/vms/vm-db", "/activities", "/keys", "/tokens", "/login"];
    for path in pages {
        let page = browser.get(path);
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none';") && !policy.contains("-inline") && !policy.contains("-eval"),
            "{policy}"
        );
        assert_eq!((page.header("cache-control"), page.header("x-content-type-options")), ("no-store", "nosniff"));
        for inline in [" style=", " onclick=", "<style", "javascript:", "http://", "https://"] {
            assert!(!page.text.contains(inline), "{path}: {inline}");
        }
        assert_eq!(page.text.matches("<script").count(), page.text.matches("<script src=\"/assets/").count());
        assert!(page.text.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{}", &page.text[..60]);
    }
    for asset in ["/assets/style.css", "/assets/console.js", "/assets/icon.svg"] {
        assert_eq!(browser.get(asset).status, 200, "{asset}");
    }
}

#[test]
fn nobody_gets_in_without_logging_in() {
    let world = World::new();
    for path in ["/", "/vms", "/vms/vm-web", "/activities", "/keys", "/keys/proofs", "/tokens"] {
        let sent = world.send("GET", path, &[], None);
        assert_eq!((sent.status, sent.header("location")), (303, "/login"), "{path}");
    }
    let wrong = submit(&world, "/login", "", "same-origin", "login=anna&password=wrong");
    assert_eq!(wrong.status, 401);
    assert!(wrong.text.contains("Login or password are not right.") && wrong.header("set-cookie").is_empty());
    // An access token is no session, nor a session an access token.
    let token = world.token("anna");
    let sent = world.send("GET", "/", &[("cookie", &format!("__Host-clavis={token}"))], None);
    assert_eq!(sent.header("location"), "/login");
    let browser = Browser::enter(&world, "anna");
    assert_eq!(world.get(browser.cookie.split_once('=').unwrap().1, VMS).status, 401);
    // After logging out the cookie opens nothing.
    assert_eq!(browser.post("/logout").header("location"), "/login");
    assert_eq!(browser.get("/vms").header("location"), "/login");
}

#[test]
fn a_form_that_is_not_ours_changes_nothing() {
    let world = World::new();
    let browser = Browser::enter(&world, "anna");
    let path = "/vms/vm-db/power-off";
    let proof = format!("proof={}", browser.proof);
    for (site, body) in
        [("cross-site", &proof[..]), ("same-origin", "proof=0000"), ("same-origin", ""), ("none", &proof)]
    {
        assert_eq!(submit(&world, path, &browser.cookie, site, body).status, 403, "{site} {body}");
    }
    assert_eq!(submit(&world, "/login", "", "cross-site", "login=anna&password=x").status, 403);
    let token = world.token("anna");
    assert_eq!(world.get(&token, &format!("{VMS}/vm-db")).json()["power"], "on");
    // The control: ours does.
    assert_eq!(browser.post(path).header("location"), "/vms/vm-db");
    assert_eq!(world.get(&token, &format!("{VMS}/vm-db")).json()["power"], "off");
}

#[test]
fn the_padlock_opens_when_every_precondition_is_met() {
    let world = World::new();
    let browser = Browser::enter(&world, "anna");
    let open = browser.get("/vms/vm-web").text;
    assert!(
        open.contains("data-dialog=\"padlock\"") && open.contains("Do you really want to encrypt the virtual machine")
    );
    let closed = browser.get("/vms/vm-db").text;
    assert!(closed.contains("type=\"button\" disabled") && closed.contains("data-rule=\"vm-powered-off\""));
    // Who asks all the same is told why, in their language.
    let refused = world.send(
        "POST",
        "/vms/vm-db/encrypt",
        &[("cookie", &browser.cookie), ("sec-fetch-site", "same-origin"), ("accept-language", "fr")],
        Some(&format!("proof={}", browser.proof)),
    );
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Elle n’est pas éteinte.") && refused.text.contains("R68b"));
    // What is asked in earnest becomes an activity, whose page one is led to.
    let begun = browser.post("/vms/vm-web/encrypt");
    assert_eq!(begun.status, 303);
    assert_eq!(browser.get(begun.header("location")).status, 200);
}

#[test]
fn pages_speak_three_languages() {
    let world = World::new();
    let browser = Browser::enter(&world, "anna");
    for (language, word) in [("en", "Dashboard"), ("fr", "Tableau de bord"), ("de", "Übersicht")] {
        let page = browser.in_language("/", language).text;
        assert!(page.contains(&format!("<html lang=\"{language}\">")) && page.contains(word), "{language}");
    }
    let chosen = submit(&world, "/language", "", "same-origin", "language=de");
    assert!(chosen.header("set-cookie").starts_with("__Host-clavis-language=de;"));
    assert_eq!(chosen.header("location"), "/");
}

#[test]
fn pages_too_show_nothing_of_another_tenant() {
    let world = World::new();
    let anna = Browser::enter(&world, "anna");
    let boris = Browser::enter(&world, "boris");
    let activity = anna.post("/vms/vm-web/encrypt").header("location").to_owned();
    for path in
        ["/vms/vm-web".to_owned(), "/vms/vm-web/encrypt".to_owned(), activity.clone(), format!("{activity}/events")]
    {
        assert_eq!(boris.get(&path).status, 404, "{path}");
    }
    assert_eq!(boris.post("/vms/vm-web/power-on").status, 404);
    for path in ["/", "/vms", "/activities", "/keys", "/tokens"] {
        let page = boris.get(path).text;
        for hers in ["vm-web", "vm-db", "lun-acme", "clu-par", "acme"] {
            assert!(!page.contains(hers), "{path}: {hers}");
        }
    }
    assert!(anna.get("/vms").text.contains("vm-web"));
}

#[test]
fn what_somebody_wrote_is_shown_as_text() {
    let world = World::new();
    let token = world.token("anna");
    let vm = json!({ "vm": {
        "id": "vm-x", "name": "<script>alert(1)</script>\"'&", "cpool": "clu-par", "home": "lun-acme-1", "cpus": 1,
        "memory_gib": 1,
    } });
    assert_eq!(world.post(&token, VMS, &vm).status, 201);
    let browser = Browser::enter(&world, "anna");
    for path in ["/vms", "/vms/vm-x", "/vms?q=%3Cscript%3E"] {
        let page = browser.get(path).text;
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"), "{path}");
    }
}

/// The secret on the page that is shown once after a token was made.
fn secret_of(page: &Answer) -> String {
    assert_eq!(page.status, 201, "{}", page.text);
    let (_, rest) = page.text.split_once("<code id=\"secret\">").unwrap();
    rest.split('<').next().unwrap().to_owned()
}

#[test]
fn a_person_makes_a_token_sees_it_once_and_forgets_it() {
    let world = World::new();
    let browser = Browser::enter(&world, "anna");
    assert!(browser.get("/tokens").text.contains("You have no token."));
    for (fields, why) in [
        ("name=&days=7&reach=all", "a name of 1 to 256 characters"),
        ("name=ci&days=0&reach=all", "from 1 to 366 days"),
        ("name=ci&days=367&reach=all", "from 1 to 366 days"),
        ("name=ci&days=x&reach=all", "from 1 to 366 days"),
    ] {
        let refused = browser.fill_in("/tokens", fields);
        assert!(refused.status == 422 && refused.text.contains(why), "{fields}: {}", refused.text);
    }
    assert_eq!(submit(&world, "/tokens", &browser.cookie, "cross-site", "name=ci&days=7").status, 403);
    let access = |secret: &str| {
        let got = world.post(secret, "/iam/v1/access_tokens", &json!({}));
        got.json()["access_token"].as_str().map(str::to_owned)
    };
    let off = format!("{VMS}/vm-db/power_off");
    // One that may do everything, and one that may only look.
    let secret = secret_of(&browser.fill_in("/tokens", "name=Terraform&days=7&reach=all"));
    let looking = secret_of(&browser.fill_in("/tokens", "name=Grafana&days=7&reach=read"));
    let (whole, reader) = (access(&secret).unwrap(), access(&looking).unwrap());
    assert_eq!((world.get(&whole, VMS).status, world.get(&reader, VMS).status), (200, 200));
    assert_eq!(world.post(&reader, &off, &json!({})).status, 403);
    assert_eq!(world.post(&whole, &off, &json!({})).status, 201);
    let page = browser.get("/tokens").text;
    assert!(page.contains("Terraform") && page.contains("Grafana"));
    assert!(!page.contains(&secret) && !page.contains(&looking), "shown twice");
    // A token is its owner's: somebody else neither sees nor forgets it.
    let (_, rest) = page.split_once("action=\"/tokens/").unwrap();
    let path = format!("/tokens/{}", rest.split('"').next().unwrap());
    let other = Browser::enter(&world, "rita");
    assert!(!other.get("/tokens").text.contains("Terraform"));
    assert_eq!(other.post(&path).status, 404);
    assert!(access(&secret).is_some() && access(&looking).is_some());
    assert_eq!(browser.post(&path).header("location"), "/tokens");
    assert_eq!([access(&secret), access(&looking)].iter().flatten().count(), 1);
    assert_eq!(browser.post(&path).status, 404);
}
