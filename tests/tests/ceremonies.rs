//! Custodians at a node: what was done is signed, lost HSMs are replaced from escrow, and too few can do nothing.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};

use kmip::ProtocolVersion;
use kmip::payload::GetRequest;
use rcgen::PublicKeyData;
use serde_json::Value;
use system_tests::asking::{aes, bytes};
use system_tests::node::{Node, Tenant, folder};
use xtask::stage::{Finished, Programs, Stage, StageOptions, finish};

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;

/// `kms-server ceremony` with these words.
fn ceremony(stage: &Stage, programs: &Programs, words: &[&str]) -> Finished {
    let mut command = stage.command(&programs.path("kms-server"));
    command.arg("--config").arg(stage.config()).arg("ceremony").args(words).current_dir(&stage.dir);
    finish(&mut command).unwrap()
}

/// A custodian's share and passphrase, as options.
fn custodians<'a>(numbers: &[u8], names: &'a [[String; 2]]) -> Vec<&'a str> {
    let options = |number: &u8| {
        let [share, opener] = &names[usize::from(*number) - 1];
        ["--share", share.as_str(), "--opener", opener.as_str()]
    };
    numbers.iter().flat_map(options).collect()
}

fn names() -> Vec<[String; 2]> {
    let files = |number| ["share", "pass"].map(|kind| format!("custodians/custodian{number}.{kind}"));
    (1..=3).map(files).collect()
}

/// The folder of the token with this label.
fn token(dir: &Path, label: &str) -> PathBuf {
    let tokens = fs::read_dir(dir.join("tokens")).unwrap().map(|entry| entry.unwrap().path());
    let labelled = |dir: &PathBuf| {
        let object = fs::read(dir.join("token.object")).unwrap_or_default();
        object.windows(label.len()).any(|window| window == label.as_bytes())
    };
    tokens.into_iter().find(labelled).unwrap_or_else(|| panic!("no token has the label {label}"))
}

/// Somebody drops the HSM: token and PINs are gone.
fn lose(stage: &Stage, label: &str) {
    fs::remove_dir_all(token(&stage.dir, label)).unwrap();
    for kind in ["pin", "so-pin"] {
        fs::remove_file(stage.dir.join(format!("hsm/{label}.{kind}"))).unwrap();
    }
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

struct Known {
    tenant: Tenant,
    id: String,
    key: Vec<u8>,
}

impl Known {
    fn made_on(node: &Node) -> Self {
        let tenant = node.tenant("ceremonies", "anssi").unwrap();
        let mut connection = node.connect(&tenant.identity).unwrap();
        let id = connection.request(V1_4, aes(Vec::new())).unwrap().unique_identifier;
        let key = bytes(&connection.request(V1_4, GetRequest::of(&id)).unwrap()).unwrap().to_vec();
        Self { tenant, id, key }
    }

    fn assert_opens_on(&self, node: &Node) {
        let got = node.connect(&self.tenant.identity).unwrap().request(V1_4, GetRequest::of(&self.id)).unwrap();
        assert_eq!(bytes(&got), Some(self.key.as_slice()));
    }
}

/// Leaves the node this one member.
fn only(stage: &Stage, label: &str) {
    let text = fs::read_to_string(stage.config()).unwrap();
    let (before, rest) = text.split_once("\n[[hsm.members]]\n").unwrap();
    let (members, after) = rest.split_once("\n[ceremony]\n").unwrap();
    let one = members.split("\n[[hsm.members]]\n").find(|member| member.contains(&format!("\"{label}\""))).unwrap();
    fs::write(stage.config(), format!("{before}\n[[hsm.members]]\n{one}\n[ceremony]\n{after}")).unwrap();
}

#[test]
fn a_lost_hsm_is_replaced_by_two_custodians_and_opens_what_the_others_sealed() {
    let mut node = Node::start_with(&StageOptions::default(), &[]).unwrap();
    let known = Known::made_on(&node);
    node.stop().unwrap();
    let (stage, programs, names) = (node.stage.clone(), node.programs.clone(), names());
    let anchor_before = fs::read(stage.trust_anchor()).unwrap();
    lose(&stage, "AZ07");
    let import = |numbers: &[u8]| {
        let words = [vec!["import", "--member", "AZ07"], custodians(numbers, &names)].concat();
        ceremony(&stage, &programs, &words)
    };
    // Fewer than two shares make nothing, nor does one twice, nor one with somebody else's passphrase.
    for numbers in [&[1][..], &[2, 2]] {
        let refused = import(numbers);
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    }
    let mixed = ["import", "--share", &names[0][0], "--opener", &names[0][1], "--share", &names[1][0], "--opener"];
    let refused = ceremony(&stage, &programs, &[&mixed[..], &[&names[2][1]]].concat());
    assert!(refused.stderr.contains("custodian2"), "{refused:?}");
    // Nor a share or a blob with a byte altered, wherever it is.
    for file in [&names[0][0], &"escrow/escrow.blob".to_owned()] {
        let path = stage.dir.join(file);
        let genuine = fs::read(&path).unwrap();
        for at in [genuine.len() / 5, genuine.len() / 2, genuine.len() - 40] {
            let mut altered = genuine.clone();
            altered[at] = if altered[at] == b'1' { b'2' } else { b'1' };
            fs::write(&path, &altered).unwrap();
            let refused = import(&[1, 2]);
            assert_eq!(refused.status.code(), Some(1), "byte {at} of {file}: {refused:?}");
        }
        fs::write(&path, genuine).unwrap();
    }
    let verified = ceremony(&stage, &programs, &["verify"]);
    assert!(verified.stderr.contains("AZ07"), "a blank member is told of: {verified:?}");
    assert_eq!(fs::read(stage.trust_anchor()).unwrap(), anchor_before);

    let imported = import(&[3, 1]);
    assert!(imported.status.success() && imported.stdout.contains("AZ07: holds the Root of Trust"), "{imported:?}");
    let anchor = json(&stage.trust_anchor());
    assert_eq!(anchor["checkpoint_keys"].as_array().unwrap().len(), 3);
    assert_eq!(anchor["retired_keys"].as_array().unwrap().len(), 1);
    let verified = ceremony(&stage, &programs, &["verify"]);
    assert!(verified.status.success() && verified.stdout.matches("refused all").count() == 3, "{verified:?}");

    // Alone it serves what was sealed before, with the log that the lost one signed.
    only(&stage, "AZ07");
    node.serve().unwrap();
    known.assert_opens_on(&node);
}

#[test]
fn everything_is_rebuilt_on_new_hsms_from_the_blob_and_two_shares() {
    let mut node = Node::start().unwrap();
    let known = Known::made_on(&node);
    node.stop().unwrap();
    let (stage, programs, names) = (node.stage.clone(), node.programs.clone(), names());
    let root = json(&stage.trust_anchor())["rot_fingerprint"].clone();
    let sign = |number: u8| {
        let words = [&["sign", "ceremony/record-1.json"][..], &custodians(&[number], &names)].concat();
        assert!(ceremony(&stage, &programs, &words).status.success());
    };
    sign(1);
    for label in ["PAR7S", "TH3S", "AZ07"] {
        lose(&stage, label);
    }
    fs::remove_file(stage.trust_anchor()).unwrap();
    let shares = custodians(&[2, 3], &names);
    // Without its anchor the node believes nobody, nor a record that too few signed, nor one that was altered.
    let refused = ceremony(&stage, &programs, &[&["import"][..], &shares].concat());
    assert!(refused.stderr.contains("signed records"), "{refused:?}");
    let with_record = [&["import", "--record", "ceremony/record-1.json"][..], &shares].concat();
    let refused = ceremony(&stage, &programs, &with_record);
    assert!(refused.stderr.contains("not custodian2, custodian3"), "{refused:?}");
    sign(2);
    let record = stage.dir.join("ceremony/record-1.json");
    let genuine = fs::read_to_string(&record).unwrap();
    fs::write(&record, genuine.replacen("threshold 2", "threshold 1", 1)).unwrap();
    assert_eq!(ceremony(&stage, &programs, &with_record).status.code(), Some(1));
    fs::write(&record, genuine).unwrap();
    assert!(!stage.trust_anchor().exists());
    let rebuilt = ceremony(&stage, &programs, &with_record);
    assert!(rebuilt.status.success() && rebuilt.stdout.contains("act imported"), "{rebuilt:?}");
    assert_eq!(json(&stage.trust_anchor())["rot_fingerprint"], root);
    // The checkpoints that the lost members signed verify by the keys of the first record.
    node.serve().unwrap();
    known.assert_opens_on(&node);
}

#[test]
fn every_custodian_signs_the_record_and_anybody_can_check_it() {
    let (programs, place) = (Programs::beside_this_one().unwrap(), folder().unwrap());
    let stage = Stage::prepare(&place.path().join("stage"), &StageOptions::default()).unwrap();
    // The second custodian has a key, whose private half is not here during the ceremony.
    let pair = rcgen::KeyPair::generate().unwrap();
    fs::write(stage.dir.join("custodians/custodian2.pub"), pair.public_key_pem()).unwrap();
    fs::remove_file(stage.dir.join("custodians/custodian2.pass")).unwrap();
    let text = fs::read_to_string(stage.config()).unwrap();
    let passphrase = "passphrase_file = \"custodians/custodian2.pass\"";
    assert!(text.contains(passphrase));
    let text = text.replace(passphrase, "public_key = \"custodians/custodian2.pub\"");
    fs::write(stage.config(), text).unwrap();
    let held = ceremony(&stage, &programs, &["hold"]);
    assert!(held.status.success() && held.stdout.contains("ceremony/record-1.json"), "{held:?}");

    let mut names = names();
    names[1][1] = "custodians/custodian2.key".to_owned();
    fs::write(stage.dir.join(&names[1][1]), pair.serialize_pem()).unwrap();
    let record = stage.dir.join("ceremony/record-1.json");
    let (anchor, protocol) = (stage.trust_anchor(), stage.dir.join("ceremony/protocol.json"));
    let verify = |more: &[&str]| {
        let mut command = stage.command(&programs.path("kmsctl"));
        command.args(["verify", "ceremony", record.to_str().unwrap()]).args(more);
        finish(&mut command).unwrap()
    };
    let full = ["--trust-anchor", anchor.to_str().unwrap(), "--protocol", protocol.to_str().unwrap()];
    for number in [1, 2, 3] {
        let unfinished = verify(&full);
        assert_eq!(unfinished.status.code(), Some(6), "{unfinished:?}");
        let sign = [&["sign", "ceremony/record-1.json"][..], &custodians(&[number], &names)].concat();
        // With another custodian's secret nobody signs.
        let mut wrong = sign.clone();
        let other = &names[usize::from(number) % 3][1];
        *wrong.last_mut().unwrap() = other;
        assert_eq!(ceremony(&stage, &programs, &wrong).status.code(), Some(1));
        let signed = ceremony(&stage, &programs, &sign);
        assert!(signed.stdout.contains(&format!("signed by custodian{number}")), "{signed:?}");
        assert!(signed.stdout.contains("act made"), "{signed:?}");
    }
    let verified = verify(&full);
    assert!(verified.status.success() && verified.stdout.contains("custodian2"), "{verified:?}");
    let der = ring::digest::digest(&ring::digest::SHA256, &pair.subject_public_key_info());
    assert!(verify(&["--custodian", &hex::encode(der)]).status.success());
    assert_eq!(verify(&["--custodian", &"5".repeat(64)]).status.code(), Some(6));

    // Another anchor, another protocol, a byte of the record: not verified.
    let kept = fs::read_to_string(&anchor).unwrap();
    fs::write(&anchor, kept.replacen("\"04", "\"05", 1)).unwrap();
    assert_eq!(verify(&full).status.code(), Some(6));
    fs::write(&anchor, kept).unwrap();
    let kept = fs::read_to_string(&protocol).unwrap();
    fs::write(&protocol, kept.replacen("CKR_KEY_UNEXTRACTABLE", "CKR_OK", 1)).unwrap();
    assert_eq!(verify(&full).status.code(), Some(6));
    fs::write(&protocol, kept).unwrap();
    let kept = fs::read_to_string(&record).unwrap();
    for (from, to) in
        [("threshold 2", "threshold 3"), ("act made", "act imported"), ("signature\": \"", "signature\": \"A")]
    {
        fs::write(&record, kept.replacen(from, to, 1)).unwrap();
        assert_eq!(verify(&full).status.code(), Some(6), "{from}");
    }
    fs::write(&record, kept).unwrap();
    assert!(verify(&full).status.success());

    // Nothing that a custodian brought stands in what is left on the node.
    let secrets = [fs::read(stage.dir.join(&names[0][1])).unwrap(), fs::read(stage.dir.join(&names[2][1])).unwrap()];
    for file in ["ceremony/record-1.json", "ceremony/protocol.json", "ceremony/trust-anchor.json"] {
        let text = fs::read(stage.dir.join(file)).unwrap();
        for secret in &secrets {
            assert!(!text.windows(secret.len()).any(|window| window == secret), "{file}");
        }
    }
}
