//! `[offer]`, `[[hsm.generators]]` and `[[hsm.validations]]`: what an operator switches off, announces and states.
//!
//! Names of the standard are written as the standard writes them, such as "ANSI X9.31" or "NIST CMVP".

use std::fmt::Display;

use kmip::attribute::RngParameters;
use kmip::payload::{ProfileInformation, ValidationInformation};
use kmip::registry::{
    CryptographicAlgorithm, DrbgAlgorithm, Fips186Variation, HashingAlgorithm, ProfileName, RecommendedCurve,
    RngAlgorithm, ValidationAuthorityType, ValidationType,
};

use super::reading::Section;
use crate::limits::{MAX_LEASE_S, MAX_SEED_BYTES, MAX_STATEMENT_LEN, MAX_STATEMENTS, PKCS11_NAME_LEN};
use crate::offer::{LEGACY_PROFILES, Offer, PROFILES, Unspecified, has_profile};

impl Unspecified {
    const WORDS: [(&'static str, Self); 4] = [
        ("unwrap_mode", Self::UnwrapMode),
        ("destroy_action", Self::DestroyAction),
        ("shredding_algorithm", Self::ShreddingAlgorithm),
        ("rng_mode", Self::RngMode),
    ];
}

impl Offer {
    /// Reads `[offer]`; what is stated of the HSM stands in the HSM's section and is read there.
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let mut offer = Self {
            streaming: section.flag("streaming").unwrap_or(true),
            asynchronous: section.flag("asynchronous").unwrap_or(true),
            batch_undo: section.flag("batch_undo").unwrap_or(true),
            batch_continue: section.flag("batch_continue").unwrap_or(true),
            lease_s: section
                .number("lease_seconds", 0..=MAX_LEASE_S)
                .and_then(|seconds| u32::try_from(seconds).ok())
                .unwrap_or(Self::default().lease_s),
            seed_bytes: seed_bytes(&mut section),
            ..Self::default()
        };
        if let Some(name) = pkcs11_name(&mut section, "pkcs11_manufacturer") {
            offer.pkcs11_manufacturer = name;
        }
        if let Some(name) = pkcs11_name(&mut section, "pkcs11_library") {
            offer.pkcs11_library = name;
        }
        for text in section.texts("unspecified") {
            match Unspecified::WORDS.iter().find(|(word, _)| *word == text) {
                Some((_, capability)) => {
                    offer.unspecified.insert(*capability);
                }
                None => {
                    let known = listed(Unspecified::WORDS.iter().map(|(word, _)| *word));
                    section.refuse("unspecified", format!("{text:?} is none of: {known}"));
                }
            }
        }
        let mut profiles = Vec::new();
        for section in section.sections("profiles") {
            profiles.extend(profile(section));
        }
        within_limit(&section, "profiles", profiles.len());
        offer.profiles = (!profiles.is_empty()).then_some(profiles);
        section.finish();
        offer
    }
}

fn pkcs11_name(section: &mut Section<'_>, key: &'static str) -> Option<String> {
    let name = section.text(key)?;
    if !(1..=PKCS11_NAME_LEN).contains(&name.len()) || !name.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
    {
        section.refuse(key, format!("1 to {PKCS11_NAME_LEN} printable characters of ASCII are wanted"));
    }
    Some(name)
}

fn seed_bytes(section: &mut Section<'_>) -> usize {
    let most = u64::try_from(MAX_SEED_BYTES).unwrap_or(u64::MAX);
    section.number("seed_bytes", 0..=most).and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(MAX_SEED_BYTES)
}

fn profile(mut section: Section<'_>) -> Option<ProfileInformation> {
    let name = registered(&mut section, "name", ProfileName::ALL, PROFILES.iter().chain(LEGACY_PROFILES));
    if let Some(name) = name.filter(|name| !has_profile(*name)) {
        section.refuse("name", format!("the server does not have the profile {:?}", name.text()));
    }
    if name.is_none() && !section.has("name") {
        section.missing("name", "the name of a profile");
    }
    let profile = ProfileInformation {
        profile_name: name.unwrap_or(ProfileName::TapeLibraryServer),
        profile_version: None,
        server_uri: statement(&mut section, "uri"),
        server_port: number(&mut section, "port", 1..=65_535),
    };
    section.finish();
    name.map(|_| profile)
}

/// `[[hsm.generators]]`, in its section.
pub(super) fn generators(hsm: &mut Section<'_>) -> Vec<RngParameters> {
    let read: Vec<RngParameters> = hsm.sections("generators").into_iter().filter_map(generator).collect();
    within_limit(hsm, "generators", read.len());
    read
}

fn generator(mut section: Section<'_>) -> Option<RngParameters> {
    let family = registered(&mut section, "algorithm", RngAlgorithm::ALL, RngAlgorithm::ALL);
    if !section.has("algorithm") {
        section.missing("algorithm", "the family of the generator, as in \"DRBG\",");
    }
    let of = |section: &mut Section<'_>, key, wanted: RngAlgorithm| {
        if section.has(key) && family.is_some_and(|family| family != wanted) {
            section.refuse(key, format!("only a generator of {:?} has one", wanted.text()));
        }
    };
    of(&mut section, "drbg_algorithm", RngAlgorithm::Drbg);
    of(&mut section, "fips186_variation", RngAlgorithm::Fips186_2);
    if section.has("cryptographic_length") && !section.has("cryptographic_algorithm") {
        section.refuse("cryptographic_length", "the length of the key of what? cryptographic_algorithm is missing");
    }
    let read = RngParameters {
        rng_algorithm: family.unwrap_or(RngAlgorithm::Unspecified),
        cryptographic_algorithm: registered(
            &mut section,
            "cryptographic_algorithm",
            CryptographicAlgorithm::ALL,
            CryptographicAlgorithm::ALL,
        ),
        cryptographic_length: number(&mut section, "cryptographic_length", 1..=65_536),
        hashing_algorithm: registered(&mut section, "hashing_algorithm", HashingAlgorithm::ALL, HashingAlgorithm::ALL),
        drbg_algorithm: registered(&mut section, "drbg_algorithm", DrbgAlgorithm::ALL, DrbgAlgorithm::ALL),
        recommended_curve: registered(&mut section, "recommended_curve", RecommendedCurve::ALL, RecommendedCurve::ALL),
        fips186_variation: registered(&mut section, "fips186_variation", Fips186Variation::ALL, Fips186Variation::ALL),
        prediction_resistance: section.flag("prediction_resistance"),
    };
    section.finish();
    family.map(|_| read)
}

/// `[[hsm.validations]]`, in its section.
pub(super) fn validations(hsm: &mut Section<'_>) -> Vec<ValidationInformation> {
    let read: Vec<ValidationInformation> = hsm.sections("validations").into_iter().map(validation).collect();
    within_limit(hsm, "validations", read.len());
    read
}

fn validation(mut section: Section<'_>) -> ValidationInformation {
    // These four identify a validation (KMIP 1.4 §2.1.20).
    for key in ["authority", "version_major", "type", "level"] {
        if !section.has(key) {
            section.missing(key, "what identifies a validation");
        }
    }
    let country = statement(&mut section, "country");
    if country.as_ref().is_some_and(|code| code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_uppercase())) {
        section.refuse("country", "two capital letters of ISO 3166 are wanted");
    }
    let profiles = section.texts("profiles");
    within_limit(&section, "profiles", profiles.len());
    if profiles.iter().any(|text| !is_statement(text)) {
        section.refuse("profiles", format!("texts of 1 to {MAX_STATEMENT_LEN} bytes are wanted"));
    }
    let read = ValidationInformation {
        validation_authority_type: registered(
            &mut section,
            "authority",
            ValidationAuthorityType::ALL,
            ValidationAuthorityType::ALL,
        )
        .unwrap_or(ValidationAuthorityType::Unspecified),
        validation_authority_country: country,
        validation_authority_uri: statement(&mut section, "authority_uri"),
        validation_version_major: number(&mut section, "version_major", 0..=10_000).unwrap_or_default(),
        validation_version_minor: number(&mut section, "version_minor", 0..=10_000),
        validation_type: registered(&mut section, "type", ValidationType::ALL, ValidationType::ALL)
            .unwrap_or(ValidationType::Unspecified),
        validation_level: number(&mut section, "level", 0..=100).unwrap_or_default(),
        validation_certificate_identifier: statement(&mut section, "certificate"),
        validation_certificate_uri: statement(&mut section, "certificate_uri"),
        validation_vendor_uri: statement(&mut section, "vendor_uri"),
        validation_profile: profiles,
    };
    section.finish();
    read
}

/// A value that the standard has a name for; `shown` are those that a fault lists.
fn registered<'a, T: Copy + Display + 'a>(
    section: &mut Section<'_>,
    key: &'static str,
    all: &[T],
    shown: impl IntoIterator<Item = &'a T>,
) -> Option<T> {
    let text = section.text(key)?;
    let found = all.iter().copied().find(|one| one.to_string() == text);
    if found.is_none() {
        section.refuse(key, format!("{text:?} is none of: {}", listed(shown)));
    }
    found
}

fn listed<T: Display>(words: impl IntoIterator<Item = T>) -> String {
    words.into_iter().map(|word| word.to_string()).collect::<Vec<_>>().join(", ")
}

fn statement(section: &mut Section<'_>, key: &'static str) -> Option<String> {
    let text = section.text(key)?;
    if !is_statement(&text) {
        section.refuse(key, format!("a text of 1 to {MAX_STATEMENT_LEN} bytes is wanted"));
    }
    Some(text)
}

fn is_statement(text: &str) -> bool {
    (1..=MAX_STATEMENT_LEN).contains(&text.len())
}

fn number(section: &mut Section<'_>, key: &'static str, range: std::ops::RangeInclusive<u64>) -> Option<i32> {
    section.number(key, range).and_then(|number| i32::try_from(number).ok())
}

fn within_limit(section: &Section<'_>, key: &'static str, count: usize) {
    if count > MAX_STATEMENTS {
        section.refuse(key, format!("{count} of them; at most {MAX_STATEMENTS} are told"));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use kmip::registry::ProfileName;

    use super::super::{Config, Overrides};
    use super::*;

    const EXAMPLE: &str = include_str!("../../kms-server.example.toml");

    /// The example with `text` at its end.
    fn read(text: &str) -> Result<Config, Vec<String>> {
        let text = format!("{}\n{text}", EXAMPLE.replace("\n[offer]\n", "\n"));
        Config::parse(&text, Path::new("/etc/clavis"), &Overrides::default())
            .map_err(|faults| faults.iter().map(|fault| format!("{}: {}", fault.key, fault.text)).collect())
    }

    #[test]
    fn without_a_word_everything_is_offered_and_nothing_is_stated() {
        assert_eq!(read("").unwrap().offer, Offer::default());
    }

    #[test]
    fn what_is_said_is_read() {
        let text = r#"
            [offer]
            streaming = false
            asynchronous = false
            batch_undo = false
            batch_continue = false
            seed_bytes = 16
            lease_seconds = 0
            pkcs11_manufacturer = "Example SA"
            unspecified = ["rng_mode", "destroy_action"]
            [[offer.profiles]]
            name = "HTTPS Server KMIP v1.4"
            uri = "https://kms.example.com:5696/kmip"
            port = 5696
            [[hsm.generators]]
            algorithm = "DRBG"
            cryptographic_algorithm = "AES"
            cryptographic_length = 256
            drbg_algorithm = "CTR"
            prediction_resistance = true
            [[hsm.validations]]
            authority = "Common Criteria"
            country = "FR"
            version_major = 3
            version_minor = 1
            type = "Hardware"
            level = 4
            certificate = "2023/01"
            profiles = ["EN 419221-5"]
        "#;
        let offer = read(text).unwrap().offer;
        assert!(!offer.streaming && !offer.asynchronous && !offer.batch_undo && !offer.batch_continue);
        assert_eq!((offer.seed_bytes, offer.lease_s), (16, 0));
        assert_eq!(offer.pkcs11_manufacturer, "Example SA");
        assert_eq!(Vec::from_iter(offer.unspecified), [Unspecified::DestroyAction, Unspecified::RngMode]);
        let profile = &offer.profiles.unwrap()[0];
        assert_eq!((profile.profile_name, profile.server_port), (ProfileName::HttpsServerKmipV1_4, Some(5696)));
        assert_eq!(offer.generators[0].drbg_algorithm, Some(DrbgAlgorithm::Ctr));
        assert_eq!(offer.generators[0].cryptographic_length, Some(256));
        assert_eq!(offer.validations[0].validation_profile, ["EN 419221-5"]);
        assert_eq!(offer.validations[0].validation_authority_country.as_deref(), Some("FR"));
    }

    #[test]
    fn what_is_no_fact_is_refused_by_name() {
        let long = "x".repeat(MAX_STATEMENT_LEN + 1);
        for (text, fault) in [
            ("[offer]\nstreaming = 1", "offer.streaming: true or false is wanted here"),
            (&format!("[offer]\npkcs11_library = \"{long}\""), "offer.pkcs11_library: 1 to 32 printable characters"),
            ("[offer]\nseed_bytes = 4097", "offer.seed_bytes: 4097 is outside 0 to 4096"),
            ("[offer]\nunspecified = [\"batch_undo\"]", "offer.unspecified: \"batch_undo\" is none of: unwrap_mode"),
            ("[offer]\nunspecified = [1]", "offer.unspecified: a list of strings is wanted here"),
            ("[[offer.profiles]]\nname = \"Quantum Server\"", "offer.profiles[0].name: \"Quantum Server\" is none of"),
            (
                "[[offer.profiles]]\nname = \"Complete Server\"",
                "offer.profiles[0].name: the server does not have the profile \"Complete Server\"",
            ),
            ("[[offer.profiles]]\nport = 0", "offer.profiles[0].name: missing"),
            ("[[offer.profiles]]\nname = \"XML Server\"\nport = 0", "offer.profiles[0].port: 0 is outside 1 to 65535"),
            ("[[hsm.generators]]\nalgorithm = \"dice\"", "hsm.generators[0].algorithm: \"dice\" is none of: Unspec"),
            ("[[hsm.generators]]\nprediction_resistance = true", "hsm.generators[0].algorithm: missing"),
            (
                "[[hsm.generators]]\nalgorithm = \"NRBG\"\ndrbg_algorithm = \"CTR\"",
                "hsm.generators[0].drbg_algorithm: only a generator of \"DRBG\" has one",
            ),
            (
                "[[hsm.generators]]\nalgorithm = \"DRBG\"\nfips186_variation = \"k-Original\"",
                "hsm.generators[0].fips186_variation: only a generator of \"FIPS 186-2\" has one",
            ),
            (
                "[[hsm.generators]]\nalgorithm = \"DRBG\"\ncryptographic_length = 256",
                "hsm.generators[0].cryptographic_length: the length of the key of what?",
            ),
            ("[[hsm.validations]]\nlevel = 3", "hsm.validations[0].authority: missing"),
            ("[[hsm.validations]]\ncountry = \"France\"", "hsm.validations[0].country: two capital letters"),
            (&format!("[[hsm.validations]]\ncertificate = \"{long}\""), "hsm.validations[0].certificate: a text of 1"),
            (&format!("[[hsm.validations]]\nprofiles = [\"{long}\"]"), "hsm.validations[0].profiles: texts of 1"),
        ] {
            let faults = read(text).unwrap_err();
            assert!(faults.iter().any(|one| one.starts_with(fault)), "{fault}\nnot among\n{faults:#?}");
        }
        let many = "[[hsm.generators]]\nalgorithm = \"NRBG\"\n".repeat(MAX_STATEMENTS + 1);
        assert!(read(&many).unwrap_err()[0].starts_with("hsm.generators: 33 of them"));
    }
}
