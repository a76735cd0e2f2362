//! axe-core, which we did not write, looks at every page, in each language, light and dark: nothing that would keep
//! somebody from using it.

use serde_json::Value;
use xtask::stage::console::{OWNER, PASSWORD};

use crate::browser::Browser;
use crate::world::World;

/// What axe-core finds on the page of what it calls serious or worse, each with the place where it is.
fn barriers(browser: &Browser, axe: &str) -> Vec<String> {
    let found = browser.answered(&format!(
        "const done = arguments[arguments.length - 1]; {axe}; \
         axe.run(document, {{ resultTypes: ['violations'] }}).then((found) => done({{ violations: found.violations, \
         passes: found.passes.length }}), (error) => done(String(error)));"
    ));
    assert!(found["passes"].as_u64().is_some_and(|passes| passes > 5), "axe-core has looked: {found}");
    let of = |rule: &Value| {
        let places: Vec<_> = rule["nodes"].as_array().unwrap().iter().map(|node| node["html"].to_string()).collect();
        let impact = rule["impact"].as_str().unwrap_or_default();
        ["serious", "critical"].contains(&impact).then(|| format!("{}: {}", rule["id"], places.join(", ")))
    };
    found["violations"].as_array().unwrap().iter().filter_map(of).collect()
}

#[test]
fn no_page_keeps_anybody_out() {
    let axe = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/axe-core-4.14.1/axe.min.js");
    let axe = std::fs::read_to_string(axe).expect("axe-core; scripts/setup-axe fetches it");
    let world = World::new();
    let personal = world.personal_token();
    let console = world.console(None);
    let base = format!("https://localhost:{}", console.address.port());
    let access = world.access(&console, &personal);
    let path = "/compute/v1/vcenters/virtual_machines/vm-web/encrypt";
    let (_, activity) = world.ask(&console, "POST", path, Some(&access), None).unwrap();
    let activity = format!("/activities/{}", activity["id"].as_str().unwrap());
    let mut looked = 0;
    let mut found = Vec::new();
    for (language, dark) in ["en", "fr", "de"].into_iter().flat_map(|code| [(code, false), (code, true)]) {
        let browser = Browser::new(language, dark);
        let mut look = |browser: &Browser, page: &str| {
            assert_eq!(browser.evaluate("document.documentElement.lang"), language, "{page}");
            assert_eq!(browser.evaluate("matchMedia('(prefers-color-scheme: dark)').matches"), dark, "{page}");
            found.extend(barriers(browser, &axe).into_iter().map(|one| format!("{page} ({language}, {dark}): {one}")));
            looked += 1;
        };
        browser.go(&format!("{base}/login"));
        look(&browser, "/login");
        browser.write("#login", OWNER);
        browser.write("#password", PASSWORD);
        browser.click("button.primary");
        browser.until("document.querySelector('.figures')");
        let pages = [
            "/",
            "/vms",
            "/vms/vm-web",
            "/vms/vm-all",
            "/vms/vm-shop/encrypt",
            "/activities",
            &activity,
            "/keys",
            "/tokens",
        ];
        for page in pages.into_iter().chain(["/vms/nobody", "/vms/vm-shop"]) {
            browser.go(&format!("{base}{page}"));
            browser.until("document.readyState === 'complete'");
            look(&browser, page);
        }
        browser.click("#open-padlock");
        browser.until("document.querySelector('dialog').open");
        look(&browser, "the padlock's question");

        // The look itself: a picture that says nothing to somebody who does not see it is found.
        browser.evaluate(
            "document.querySelector('dialog').appendChild(document.createElement('img')).src = '/assets/icon.svg'",
        );
        let spoiled = barriers(&browser, &axe);
        assert!(spoiled.iter().any(|one| one.starts_with("\"image-alt\"")), "{spoiled:?}");
    }
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(looked, 6 * 13);
    console.stop();
}
