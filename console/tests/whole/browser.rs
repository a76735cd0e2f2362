//! A browser, driven by the WebDriver protocol: the few commands that the tests need.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use serde_json::{Value, json};

/// The key under which the protocol names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub struct Browser {
    driver: Child,
    session: String,
    agent: ureq::Agent,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Browser {
    pub fn new(language: &str, dark: bool) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver; scripts/setup-chromium installs it");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next().expect("chromedriver says its port").unwrap();
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        // What it says later has to be read, or it stops.
        std::thread::spawn(move || lines.for_each(drop));
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut arguments = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--window-size=1280,900".to_owned(),
            format!("--accept-lang={language}"),
        ];
        if dark {
            arguments.push("--blink-settings=preferredColorScheme=0".to_owned());
        }
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "acceptInsecureCerts": true,
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "goog:chromeOptions": { "args": arguments, "prefs": { "intl.accept_languages": language } },
        } } });
        let mut answer = agent.post(format!("http://127.0.0.1:{port}/session")).send_json(&wanted).unwrap();
        let answer: Value = answer.body_mut().read_json().unwrap();
        let id = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        Self { driver, session: format!("http://127.0.0.1:{port}/session/{id}"), agent }
    }

    fn call(&self, path: &str, body: &Value) -> Value {
        let mut answer = self.agent.post(format!("{}{path}", self.session)).send_json(body).unwrap();
        let mut answer: Value = answer.body_mut().read_json().unwrap();
        answer["value"].take()
    }

    pub fn go(&self, url: &str) {
        self.call("/url", &json!({ "url": url }));
    }

    /// What an expression is on the page.
    pub fn evaluate(&self, expression: &str) -> Value {
        self.call("/execute/sync", &json!({ "script": format!("return {expression}"), "args": [] }))
    }

    /// What a script on the page hands to its last argument.
    pub fn answered(&self, script: &str) -> Value {
        self.call_timeouts();
        self.call("/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Waits until an expression is true on the page, as a person waits who looks at it.
    pub fn until(&self, expression: &str) {
        let script = format!(
            "const done = arguments[arguments.length - 1]; const look = () => {{ try {{ if ({expression}) return done(true); }} \
             catch {{}} requestAnimationFrame(look); }}; look();"
        );
        self.call_timeouts();
        // A page that is left takes the look with it; the next page is looked at again.
        for _ in 0..200 {
            if self.call("/execute/async", &json!({ "script": script, "args": [] })) == true {
                return;
            }
        }
        panic!("never: {expression}\n{}", self.evaluate("document.body.innerText"));
    }

    fn call_timeouts(&self) {
        self.call("/timeouts", &json!({ "script": 30_000 }));
    }

    fn element(&self, selector: &str) -> String {
        let found = self.call("/element", &json!({ "using": "css selector", "value": selector }));
        found[ELEMENT].as_str().unwrap_or_else(|| panic!("no {selector}: {}", self.text())).to_owned()
    }

    pub fn click(&self, selector: &str) {
        let clicked = self.call(&format!("/element/{}/click", self.element(selector)), &json!({}));
        assert!(clicked.is_null(), "{selector}: {clicked}");
    }

    pub fn write(&self, selector: &str, text: &str) {
        self.call(&format!("/element/{}/value", self.element(selector)), &json!({ "text": text }));
    }

    pub fn text(&self) -> String {
        self.evaluate("document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Keeps a picture of the page among what the build has made.
    pub fn picture(&self, name: &str) {
        let mut answer = self.agent.get(format!("{}/screenshot", self.session)).call().unwrap();
        let answer: Value = answer.body_mut().with_config().limit(64 << 20).read_json().unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(answer["value"].as_str().unwrap()).unwrap();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/screenshots");
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(format!("{folder}/{name}.png"), bytes).unwrap();
    }

    /// What the browser has complained of since it was asked last.
    pub fn complaints(&self) -> Vec<String> {
        let entries = self.call("/se/log", &json!({ "type": "browser" }));
        let entries = entries.as_array().expect("a log").clone();
        entries.iter().map(ToString::to_string).collect()
    }

    /// The addresses that pages have asked for since it was asked last.
    pub fn requests(&self) -> Vec<String> {
        let entries = self.call("/se/log", &json!({ "type": "performance" }));
        let entries = entries.as_array().expect("a log").clone();
        let of = |entry: &Value| {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &message["message"];
            let sent = message["method"] == "Network.requestWillBeSent";
            sent.then(|| message["params"]["request"]["url"].as_str().map(str::to_owned))?
        };
        entries.iter().filter_map(of).collect()
    }
}
