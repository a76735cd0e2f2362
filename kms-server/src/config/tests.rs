//! What the configuration accepts, and how it names what it does not.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use certs::Authority;

use super::*;
use crate::limits::SETTINGS;
use crate::quorums::ActKind;

const EXAMPLE: &str = include_str!("../../kms-server.example.toml");

/// The example with every commented setting switched on.
fn example_in_full() -> String {
    let is_setting = |line: &str| line.starts_with('#') && line[1..].starts_with(|c: char| c.is_ascii_lowercase());
    EXAMPLE
        .lines()
        .map(|line| if is_setting(line) { format!("{}\n", &line[1..]) } else { format!("{line}\n") })
        .collect()
}

fn parse(text: &str) -> Result<Config, Vec<Fault>> {
    Config::parse(text, Path::new("/etc/clavis"), &Overrides::default())
}

/// The example as a configuration.
pub(super) fn example() -> Config {
    parse(EXAMPLE).unwrap()
}

/// The faults of the example after `change`, as lines of text.
fn faults_after(change: impl FnOnce(String) -> String) -> Vec<String> {
    let text = change(example_in_full());
    parse(&text).map(drop).unwrap_err().iter().map(ToString::to_string).collect()
}

/// The line of the example in full that reads `wanted`, from 1.
fn line_of(text: &str, wanted: &str) -> usize {
    1 + text.lines().position(|line| line == wanted).unwrap()
}

const COLLECTOR: &str = "\n[[collectors]]\nname = \"siem\"\naddress = \"siem.example:6514\"\nca = \"siem.pem\"\n";

#[test]
fn collectors_and_witnesses_are_read_and_their_faults_named() {
    let key = audit::witness::WitnessKey::new("zone1", [7; 32]).unwrap();
    let witness = format!(
        "\n[[witnesses]]\naddress = \"[2001:db8::1]:6797\"\nkey = \"{}\"\nca = \"ca.pem\"\n",
        key.verifier_key()
    );
    let config = parse(&format!("{EXAMPLE}{COLLECTOR}{witness}")).unwrap();
    let [collector] = &config.collectors[..] else { panic!("{:?}", config.collectors) };
    assert_eq!((collector.server_name.as_str(), collector.name.as_str()), ("siem.example", "siem"));
    assert_eq!(collector.ca.as_deref(), Some(Path::new("/etc/clavis/siem.pem")));
    let [read] = &config.witnesses[..] else { panic!("{:?}", config.witnesses) };
    assert_eq!((&read.key, read.server_name.as_str()), (&key, "2001:db8::1"));

    let faults = |more: &str| {
        let faults = parse(&format!("{EXAMPLE}{more}")).map(drop).unwrap_err();
        faults.iter().map(|fault| fault.key.clone()).collect::<Vec<_>>()
    };
    assert_eq!(faults(&COLLECTOR.replace(":6514", "")), ["collectors[0].address"]);
    assert_eq!(faults(&COLLECTOR.replace("ca = \"siem.pem\"\n", "")), ["collectors[0].ca"]);
    assert_eq!(faults(&format!("{COLLECTOR}transport = \"tcp\"\n")), ["collectors[0].ca"]);
    assert_eq!(faults(&format!("{COLLECTOR}{COLLECTOR}")), ["collectors[1].name"]);
    assert_eq!(faults(&witness.replace("zone1", "zone2")), ["witnesses[0].key"]);
    assert_eq!(faults(&format!("{witness}{witness}")), ["witnesses[1].key"]);
    let alias = audit::witness::WitnessKey::new("alias", [7; 32]).unwrap().verifier_key();
    let alias = witness.replace(&key.verifier_key(), &alias);
    assert_eq!(faults(&format!("{witness}{alias}")), ["witnesses[1].key"], "one key is one witness");
}

#[test]
fn two_officers_are_needed_for_every_act_unless_the_file_says_otherwise() {
    let needed = |text: &str| {
        let config = parse(&EXAMPLE.replace("[dual_control]\n", &format!("[dual_control]\n{text}"))).unwrap();
        ActKind::ALL.map(|act| config.dual_control.needed(act))
    };
    assert_eq!(needed(""), [2; 5]);
    assert_eq!(parse(&EXAMPLE.replace("[dual_control]\n", "")).unwrap().dual_control, Quorums::default());
    assert_eq!(needed("quorum = 1\n"), [1; 5]);
    assert_eq!(needed("quorum = 3\nchange_role = 2\n"), [3, 3, 3, 3, 2]);
    for (wrong, key) in
        [("quorum = 0", "quorum"), ("destroy_domain = 17", "destroy_domain"), ("lifetime_s = 0", "lifetime_s")]
    {
        let text = EXAMPLE.replace("[dual_control]\n", &format!("[dual_control]\n{wrong}\n"));
        let faults = parse(&text).map(drop).unwrap_err();
        assert_eq!(faults.iter().map(|fault| fault.key.as_str()).collect::<Vec<_>>(), [format!("dual_control.{key}")]);
    }
}

#[test]
fn the_example_is_a_configuration() {
    let config = parse(EXAMPLE).unwrap();
    assert_eq!(config.kmip.listen.to_string(), "127.0.0.1:5696");
    assert_eq!(
        config.hsm.members.iter().map(|member| member.label.as_str()).collect::<Vec<_>>(),
        ["PAR7S", "TH3S", "AZ07"]
    );
    assert_eq!(config.store.path, Path::new("/etc/clavis/kms.sqlite"));
    assert_eq!(config.hsm.library, Path::new("/usr/lib/softhsm/libsofthsm2.so"));
    assert_eq!(config.ceremony.threshold, 2);
}

#[test]
fn the_defaults_that_the_example_shows_are_the_defaults() {
    assert_eq!(parse(&example_in_full()).unwrap(), parse(EXAMPLE).unwrap());
}

#[test]
fn the_example_shows_every_limit() {
    for setting in SETTINGS {
        assert!(EXAMPLE.contains(&format!("\n#{} = {}\n", setting.name, setting.default)), "{}", setting.name);
    }
}

#[test]
fn every_setting_has_its_effect() {
    let changed = example_in_full()
        .replace("listen = \"127.0.0.1:5696\"", "listen = \"[::1]:1\"")
        .replace("synchronous = \"full\"", "synchronous = \"extra\"")
        .replace("call_deadline_ms = 2000", "call_deadline_ms = 0x10")
        .replace("vendor = \"softhsm\"", "vendor = \"network\"")
        .replace("threshold = 2", "threshold = 3")
        .replace("format = \"json\"", "format = \"text\"")
        .replace("level = \"info\"", "level = \"trace\"")
        .replace("idle_deadline_ms = 300000", "idle_deadline_ms = 1_000");
    let config = parse(&changed).unwrap();
    assert_eq!(config.kmip.listen.to_string(), "[::1]:1");
    assert_eq!(config.store.synchronous, Synchronous::Extra);
    assert_eq!(config.hsm.call_deadline, Duration::from_millis(16));
    assert_eq!(config.hsm.members[0].vendor, Vendor::Network);
    assert_eq!(config.ceremony.threshold, 3);
    assert_eq!(config.log, LogConfig { format: LogFormat::Text, level: tracing::Level::TRACE });
    assert_eq!(config.limits.idle_deadline, Duration::from_secs(1));
}

#[test]
fn all_faults_are_named_at_once_in_the_order_of_lines() {
    let text = example_in_full()
        .replace("listen = \"127.0.0.1:5696\"", "listen = \"localhost\"\ncolour = \"blue\"")
        .replace("synchronous = \"full\"", "synchronous = \"off\"")
        .replace("call_deadline_ms = 2000", "call_deadline_ms = \"2 s\"")
        .replace("label = \"TH3S\"", "label = \"PAR7S\"")
        .replace("role = \"auditor\"", "role = \"root\"")
        .replace("connections = 16384", "connections = 0");
    let faults = parse(&text).unwrap_err();
    let expected = [
        ("listen = \"localhost\"", "kmip.listen", "an address and port is wanted, as in 127.0.0.1:5696"),
        ("colour = \"blue\"", "kmip.colour", "unknown key; known here: listen, certificate, key"),
        ("synchronous = \"off\"", "store.synchronous", "below full, a power cut loses keys that were acknowledged"),
        (
            "call_deadline_ms = \"2 s\"",
            "hsm.call_deadline_ms",
            "a whole number is wanted here, not a value of type string",
        ),
        ("role = \"root\"", "administrators[1].role", "\"root\" is none of: operator, officer, auditor"),
        ("connections = 0", "limits.connections", "0 is outside 1 to 1000000"),
    ];
    for (line, key, what) in expected {
        let fault = Fault { line: line_of(&text, line), key: key.to_owned(), text: what.to_owned() };
        assert!(faults.contains(&fault), "{fault}\nnot among\n{faults:#?}");
    }
    let second =
        1 + text.match_indices("label = \"PAR7S\"").nth(1).map(|(at, _)| text[..at].matches('\n').count()).unwrap();
    let duplicate = faults.iter().find(|fault| fault.key == "hsm.members[1].label").unwrap();
    assert_eq!((duplicate.line, duplicate.text.as_str()), (second, "\"PAR7S\" is already a member"));
    assert_eq!(faults.len(), expected.len() + 1, "{faults:#?}");
    assert!(faults.is_sorted_by_key(|fault| fault.line));
}

#[test]
fn what_is_missing_is_named_where_it_belongs() {
    let text = "[node]\n\n[kmip]\nkey = \"k\"\n[admin]\ncertificate = \"c\"\nkey = \"k\"\n";
    let faults = parse(text).unwrap_err();
    let at = |key: &str| faults.iter().find(|fault| fault.key == key).map(|fault| fault.line);
    assert_eq!(at("node.name"), Some(1));
    assert_eq!(at("kmip.certificate"), Some(3));
    assert_eq!(at("admin.certificate"), None);
    for key in ["store.path", "hsm.library", "hsm.members", "ceremony.custodians"] {
        assert_eq!(at(key), Some(1), "{key}");
    }
    let text = example_in_full().replace("label = \"TH3S\"\n", "");
    let faults = parse(&text).unwrap_err();
    let second =
        1 + text.match_indices("[[hsm.members]]").nth(1).map(|(at, _)| text[..at].matches('\n').count()).unwrap();
    assert_eq!((faults.len(), faults[0].key.as_str(), faults[0].line), (1, "hsm.members[1].label", second));
}

#[test]
fn text_that_is_no_toml_is_named_by_line_and_the_rest_is_still_read() {
    let faults = faults_after(|text| text.replace("path = \"kms.sqlite\"", "path = kms.sqlite\nsynchronous = 7"));
    assert!(faults.iter().any(|fault| fault.contains("not TOML")), "{faults:#?}");
    let faults = faults_after(|text| {
        text.replace("name = \"clavis\"", "name = \"clavis\"\nname = \"twice\"")
            .replace("connections = 16384", "connections = 0")
    });
    assert!(faults.iter().any(|fault| fault.starts_with("line 13: not TOML: duplicate key")), "{faults:#?}");
    assert!(faults.iter().any(|fault| fault.contains("limits.connections")), "{faults:#?}");
    assert_eq!(faults.len(), 2, "{faults:#?}");
}

#[test]
fn values_that_contradict_each_other_are_faults() {
    let cases: [(&str, &str, &str); 8] = [
        ("listen = \"127.0.0.1:9443\"", "listen = \"0.0.0.0:5696\"", "0.0.0.0:5696 is taken by kmip.listen"),
        ("module = \"hsm/TH3S.so\"", "module = \"hsm/PAR7S.so\"", "another member loads this file"),
        ("threshold = 2", "threshold = 4", "4 shares of 3 can never come together"),
        ("name = \"custodian2\"", "name = \"custodian1\"", "\"custodian1\" is already a custodian"),
        (
            "share = \"custodians/custodian2.share\"",
            "share = \"custodians/custodian1.share\"",
            "another custodian's share goes there",
        ),
        ("name = \"auditor\"", "name = \"operator\"", "\"operator\" is already an administrator"),
        ("connections_per_identity = 12000", "connections_per_identity = 20001", "more than limits.connections in all"),
        ("name = \"clavis\"", "name = \"two words\"", "at most 64 letters"),
    ];
    for (from, to, expected) in cases {
        let faults = faults_after(|text| text.replacen(from, to, 1));
        assert_eq!(faults.len(), 1, "{to}: {faults:#?}");
        assert!(faults[0].contains(expected), "{to}: {faults:#?}");
    }
}

#[test]
fn wrong_shapes_are_named_and_not_followed_by_others() {
    for (from, to) in [("[node]\n", "[[node]]\n"), ("[log]\n", "[[log]]\n")] {
        let faults = faults_after(|text| text.replacen(from, to, 1));
        assert!(
            faults.iter().any(|fault| fault.contains("a table is wanted here, not a value of type array")),
            "{faults:#?}"
        );
    }
    let faults = faults_after(|text| {
        text.replace("[[administrators]]", "[administrators2]").replace("name = \"clavis\"", "name = 3")
    });
    assert!(
        faults.iter().any(|fault| fault.contains("a string is wanted here, not a value of type integer")),
        "{faults:#?}"
    );
}

#[test]
fn the_environment_takes_precedence_and_is_named_when_wrong() {
    let overrides = Overrides { kmip_addr: Some("0.0.0.0:0".into()), ..Overrides::default() };
    let config = Config::parse(EXAMPLE, Path::new(""), &overrides).unwrap();
    assert_eq!(config.kmip.listen.to_string(), "0.0.0.0:0");
    let overrides = Overrides { admin_addr: Some("nowhere".into()), ..Overrides::default() };
    let faults = Config::parse(EXAMPLE, Path::new(""), &overrides).unwrap_err();
    assert_eq!(
        faults[0].to_string(),
        "environment variable ADMIN_ADDR: an address and port is wanted, as in 127.0.0.1:5696"
    );
    // Two listeners with ports chosen by the system do not collide.
    let overrides = Overrides {
        kmip_addr: Some("127.0.0.1:0".into()),
        admin_addr: Some("127.0.0.1:0".into()),
        ..Overrides::default()
    };
    Config::parse(EXAMPLE, Path::new(""), &overrides).unwrap();
}

/// A folder in which the example is ready to serve.
struct Installed {
    folder: tempfile::TempDir,
}

impl Installed {
    fn new() -> Self {
        let installed = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["pki/admin", "hsm", "ceremony", "custodians"] {
            fs::create_dir_all(installed.path(folder)).unwrap();
        }
        let authority = Authority::new("test").unwrap();
        let server = authority.issue_server(&["localhost"]).unwrap();
        installed.write("pki/server.pem", &server.cert_pem, 0o644);
        installed.write("pki/server.key", &server.key_pem, 0o600);
        for role in ["operator", "auditor"] {
            installed.write(&format!("pki/admin/{role}.pem"), &authority.issue_client(role).unwrap().cert_pem, 0o644);
        }
        for label in ["PAR7S", "TH3S", "AZ07"] {
            installed.write(&format!("hsm/{label}.so"), "library", 0o755);
            installed.write(&format!("hsm/{label}.pin"), "1234", 0o600);
        }
        for custodian in 1..=3 {
            installed.write(&format!("custodians/custodian{custodian}.passphrase"), "correct horse", 0o600);
        }
        installed.write("ceremony/trust-anchor.json", "{}", 0o644);
        installed.write("library.so", "library", 0o755);
        let text = EXAMPLE.replace("/usr/lib/softhsm/libsofthsm2.so", "library.so");
        installed.write("kms-server.toml", &text, 0o644);
        installed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) {
        fs::write(self.path(name), text).unwrap();
        self.chmod(name, mode);
    }

    fn chmod(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn load(&self, purpose: Purpose) -> Result<Config, ConfigError> {
        Config::load(&self.path("kms-server.toml"), &Overrides::default(), purpose)
    }

    /// The one fault there is: its key and text.
    fn fault(&self, purpose: Purpose) -> (String, String) {
        match self.load(purpose) {
            Err(ConfigError::Faulty { faults, .. }) if faults.len() == 1 => {
                (faults[0].key.clone(), faults[0].text.clone())
            }
            other => panic!("one fault is expected: {other:?}"),
        }
    }
}

#[test]
fn an_installation_that_is_complete_has_no_fault() {
    let installed = Installed::new();
    installed.load(Purpose::Serve).unwrap();
    installed.load(Purpose::Init).unwrap();
}

#[test]
fn a_secret_that_others_can_read_is_a_fault() {
    for (file, key, purpose) in [
        ("hsm/TH3S.pin", "hsm.members[1].pin_file", Purpose::Serve),
        ("hsm/TH3S.pin", "hsm.members[1].pin_file", Purpose::Init),
        ("custodians/custodian2.passphrase", "ceremony.custodians[1].passphrase_file", Purpose::Init),
    ] {
        for mode in [0o640, 0o604, 0o601, 0o620] {
            let installed = Installed::new();
            installed.chmod(file, mode);
            let (at, text) = installed.fault(purpose);
            assert_eq!(at, key);
            assert!(text.ends_with(&format!("has mode {mode:04o}; 0600 is wanted")), "{text}");
        }
    }
}

#[test]
fn an_open_key_file_is_a_fault_at_both_listeners_that_use_it() {
    let installed = Installed::new();
    installed.chmod("pki/server.key", 0o644);
    let Err(ConfigError::Faulty { faults, .. }) = installed.load(Purpose::Serve) else { panic!("faults") };
    assert_eq!(faults.iter().map(|fault| fault.key.as_str()).collect::<Vec<_>>(), ["kmip.key", "admin.key"]);
    assert!(faults.iter().all(|fault| fault.line > 0));
}

#[test]
fn files_that_serve_reads_must_be_there_and_init_makes_them() {
    for (file, key) in [
        ("hsm/AZ07.so", "hsm.members[2].module"),
        ("hsm/AZ07.pin", "hsm.members[2].pin_file"),
        ("ceremony/trust-anchor.json", "ceremony.trust_anchor"),
    ] {
        let installed = Installed::new();
        fs::remove_file(installed.path(file)).unwrap();
        let (at, text) = installed.fault(Purpose::Serve);
        assert_eq!(at, key);
        assert!(text.ends_with("does not exist"), "{text}");
        installed.load(Purpose::Init).unwrap();
    }
}

#[test]
fn files_that_init_reads_must_be_there_and_serve_does_without() {
    for (file, key) in [
        ("library.so", "hsm.library"),
        ("custodians/custodian3.passphrase", "ceremony.custodians[2].passphrase_file"),
        ("pki/admin/auditor.pem", "administrators[1].certificate"),
    ] {
        let installed = Installed::new();
        fs::remove_file(installed.path(file)).unwrap();
        installed.load(Purpose::Serve).unwrap();
        fs::remove_file(installed.path("ceremony/trust-anchor.json")).unwrap();
        assert_eq!(installed.fault(Purpose::Init).0, key);
    }
}

#[test]
fn passphrases_may_be_gone_after_the_ceremony() {
    let installed = Installed::new();
    fs::remove_file(installed.path("custodians/custodian3.passphrase")).unwrap();
    installed.load(Purpose::Init).unwrap();
}

#[test]
fn a_share_is_sealed_to_a_key_or_to_a_passphrase() {
    let installed = Installed::new();
    let passphrase = "passphrase_file = \"custodians/custodian3.passphrase\"";
    let key = "public_key = \"custodians/custodian3.pub\"";
    let text = fs::read_to_string(installed.path("kms-server.toml")).unwrap();
    assert!(text.contains(passphrase));
    installed.write("kms-server.toml", &text.replace(passphrase, key), 0o644);
    // After the ceremony nobody needs the key; before it, the node does.
    installed.load(Purpose::Init).unwrap();
    fs::remove_file(installed.path("ceremony/trust-anchor.json")).unwrap();
    assert_eq!(installed.fault(Purpose::Init).0, "ceremony.custodians[2].public_key");
    installed.load(Purpose::Ceremony).unwrap();
    installed.write("custodians/custodian3.pub", "a key", 0o644);
    installed.load(Purpose::Init).unwrap();
    installed.write("kms-server.toml", &text.replace(passphrase, &format!("{passphrase}\n{key}")), 0o644);
    assert_eq!(installed.fault(Purpose::Init).0, "ceremony.custodians[2].public_key");
}

#[test]
fn a_certificate_that_does_not_fit_its_key_is_a_fault_before_the_node_starts() {
    let installed = Installed::new();
    let other = Authority::new("other").unwrap().issue_server(&["localhost"]).unwrap();
    installed.write("pki/server.key", &other.key_pem, 0o600);
    let Err(ConfigError::Faulty { faults, .. }) = installed.load(Purpose::Serve) else { panic!("faults") };
    assert_eq!(faults.len(), 2, "{faults:#?}");
    assert!(
        faults.iter().all(|fault| fault.key.ends_with(".key") && fault.text.contains("does not serve")),
        "{faults:#?}"
    );
}

#[test]
fn a_listing_names_file_and_lines() {
    let installed = Installed::new();
    installed.chmod("hsm/PAR7S.pin", 0o644);
    let listing = installed.load(Purpose::Serve).unwrap_err().to_string();
    let line = line_of(EXAMPLE, "pin_file = \"hsm/PAR7S.pin\"");
    assert!(listing.contains("kms-server.toml: 1 fault\n"), "{listing}");
    assert!(listing.contains(&format!("\n  line {line}: hsm.members[0].pin_file: ")), "{listing}");
    let absent = Config::load(Path::new("/nowhere/kms-server.toml"), &Overrides::default(), Purpose::Serve);
    assert!(matches!(absent, Err(ConfigError::Unreadable { .. })));
}
