//! What a tenant does in the browser: logs in, clicks the padlock, sees progress, sees what is refused and why, reads
//! the audit log, changes the language. No page complains, and none asks anybody else for anything.

use serde_json::json;
use xtask::stage::console::{OWNER, PASSWORD};

use crate::browser::Browser;
use crate::world::World;

fn log_in(browser: &Browser, base: &str, password: &str) {
    browser.go(&format!("{base}/login"));
    browser.write("#login", OWNER);
    browser.write("#password", password);
    browser.click("button.primary");
}

#[test]
fn a_tenant_encrypts_a_vm_with_one_click_and_sees_it() {
    let world = World::new();
    let console = world.console(None);
    let base = format!("https://localhost:{}", console.address.port());
    let browser = Browser::new("en", false);
    log_in(&browser, &base, "wrong");
    browser.until("document.querySelector('[role=alert]')");
    // The refusal is a 401, which the browser notes; from here on it has nothing to note.
    assert!(browser.complaints().iter().all(|one| one.contains("401")));
    browser.picture("login");
    log_in(&browser, &base, PASSWORD);
    browser.until("document.querySelector('.figures')");
    browser.picture("dashboard");

    browser.click("a[href='/vms']");
    browser.until("document.querySelector('#q')");
    browser.picture("machines");
    browser.write("#q", "shop");
    browser.click(".search button");
    browser.until("document.querySelectorAll('tbody tr').length === 1");
    browser.click("a[href='/vms/vm-shop']");
    browser.until("document.querySelector('#open-padlock')");
    assert!(browser.text().contains("Off"));
    browser.click("#open-padlock");
    browser.until("document.querySelector('dialog').open");
    browser.picture("padlock");
    browser.click("[data-close]");
    browser.until("!document.querySelector('dialog').open");
    browser.click("#open-padlock");
    browser.click("dialog #encrypt");
    browser.until("document.querySelector('#activity')");
    browser.picture("activity");
    browser.until("document.querySelector('#activity').dataset.state === 'completed'");
    assert_eq!(browser.evaluate("document.querySelector('progress').value"), json!(100));
    browser.click("a[href='/vms/vm-shop'].button");
    browser.until("document.querySelector('#encryption .chip.on')");
    browser.picture("encrypted");

    for (vm, rules) in [
        ("vm-db", &["vm-powered-off"][..]),
        ("vm-snap", &["vm-has-no-snapshot"]),
        ("vm-drill", &["vm-not-in-test-mode"]),
        ("vm-mirrored", &["vm-not-replicated"]),
        ("vm-all", &["vm-not-in-test-mode", "vm-powered-off", "vm-has-no-snapshot", "vm-not-replicated"]),
    ] {
        browser.go(&format!("{base}/vms/{vm}"));
        browser.until("document.querySelector('#open-padlock').disabled");
        let shown =
            browser.evaluate("[...document.querySelectorAll('#not-yet [data-rule]')].map((one) => one.dataset.rule)");
        assert_eq!(shown, json!(rules), "{vm}");
    }
    browser.picture("refused");

    browser.go(&format!("{base}/keys"));
    browser.until("document.querySelector('.audit tbody tr')");
    let page = browser.text();
    for word in ["vm-shop", "Create", "Activate", "Active"] {
        assert!(page.contains(word), "{word}: {page}");
    }
    browser.picture("keys");

    for (code, word) in [("fr", "Clés et audit"), ("de", "Schlüssel und Protokoll")] {
        browser.click(&format!("#language option[value={code}]"));
        browser.until(&format!("document.documentElement.lang === '{code}'"));
        assert!(browser.text().contains(word));
        browser.go(&format!("{base}/vms/vm-all"));
        browser.until("document.querySelector('#not-yet')");
        browser.picture(&format!("refused-{code}"));
        browser.go(&format!("{base}/keys"));
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
    let requests = browser.requests();
    assert!(requests.len() > 30, "{}", requests.len());
    for request in requests {
        assert!(request.starts_with(&base) || request.starts_with("data:"), "{request}");
    }
    let dark = Browser::new("de", true);
    log_in(&dark, &base, PASSWORD);
    dark.until("document.querySelector('.figures')");
    dark.picture("dashboard-dark");
    assert_eq!(dark.complaints(), Vec::<String>::new());
    console.stop();
}
