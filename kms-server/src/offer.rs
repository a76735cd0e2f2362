//! What is the operator's to say of a node: which features it has switched off, which of its profiles it announces, and
//! what the maker of the HSM states of it. Query tells all of that, and the node keeps to it.

use std::collections::BTreeSet;

use kmip::ProtocolVersion;
use kmip::attribute::RngParameters;
use kmip::payload::{ProfileInformation, ValidationInformation};
use kmip::registry::{ProfileName, RngAlgorithm};
use kmip::ttlv::Wire;
use policy::algorithm::AlgorithmPolicy;

use crate::limits::MAX_SEED_BYTES;

/// What the node offers and states beside what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Whether cryptographic operations may be done in parts.
    pub streaming: bool,
    /// Whether answers may come later.
    pub asynchronous: bool,
    /// Whether a batch may be taken back as a whole.
    pub batch_undo: bool,
    /// Whether a batch may go on after an item that failed.
    pub batch_continue: bool,
    /// How long a client may go on with what it knows of an object before it asks again, in seconds.
    pub lease_s: u32,
    /// Bytes of a client's seed that stir the HSM's generator; what is beyond them is ignored.
    pub seed_bytes: usize,
    /// Capabilities of which Query says no more than that they are not specified.
    pub unspecified: BTreeSet<Unspecified>,
    /// The profiles that are announced, in this order; `None` for all that the node has.
    pub profiles: Option<Vec<ProfileInformation>>,
    /// The HSM's random number generators, as its maker states them.
    pub generators: Vec<RngParameters>,
    /// Validations of the HSM or of the node.
    pub validations: Vec<ValidationInformation>,
    /// Whom C_GetInfo names as the maker of the PKCS#11 library that the server is to its clients. At most
    /// [`crate::limits::PKCS11_NAME_LEN`] bytes of printable ASCII.
    pub pkcs11_manufacturer: String,
    /// What C_GetInfo calls the library; likewise.
    pub pkcs11_library: String,
}

impl Default for Offer {
    /// Everything is offered and told, and nothing stated.
    fn default() -> Self {
        Self {
            streaming: true,
            asynchronous: true,
            batch_undo: true,
            batch_continue: true,
            lease_s: 3_600,
            seed_bytes: MAX_SEED_BYTES,
            unspecified: BTreeSet::new(),
            profiles: None,
            generators: Vec::new(),
            validations: Vec::new(),
            pkcs11_manufacturer: "Clavis".to_owned(),
            pkcs11_library: "Clavis KMIP server".to_owned(),
        }
    }
}

/// A capability that an operator may keep to himself. KMIP 1.4 §2.1.21: each of them has the value Unspecified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unspecified {
    /// Unwrap Mode.
    UnwrapMode,
    /// Destroy Action.
    DestroyAction,
    /// Shredding Algorithm.
    ShreddingAlgorithm,
    /// RNG Mode.
    RngMode,
}

/// Profiles that every domain conforms to: those whose cases pass whatever the domain's policy.
pub const PROFILES: &[ProfileName] = {
    use ProfileName as P;
    &[
        P::TapeLibraryServerKmipV1_0,
        P::TapeLibraryServerKmipV1_1,
        P::TapeLibraryServerKmipV1_2,
        P::TapeLibraryServerKmipV1_3,
        P::TapeLibraryServerKmipV1_4,
        P::TapeLibraryServer,
        P::OpaqueManagedObjectStoreServerKmipV1_0,
        P::OpaqueManagedObjectStoreServerKmipV1_1,
        P::OpaqueManagedObjectStoreServerKmipV1_2,
        P::OpaqueManagedObjectStoreServerKmipV1_3,
        P::OpaqueManagedObjectStoreServerKmipV1_4,
        P::OpaqueManagedObjectStoreServer,
        P::StorageArrayWithSelfEncryptingDriveServerKmipV1_0,
        P::StorageArrayWithSelfEncryptingDriveServerKmipV1_1,
        P::StorageArrayWithSelfEncryptingDriveServerKmipV1_2,
        P::StorageArrayWithSelfEncryptingDriveServerKmipV1_3,
        P::StorageArrayWithSelfEncryptingDriveServerKmipV1_4,
        P::StorageArrayWithSelfEncryptingDriveServer,
        P::HttpsServerKmipV1_0,
        P::HttpsServerKmipV1_1,
        P::HttpsServerKmipV1_2,
        P::HttpsServerKmipV1_3,
        P::HttpsServerKmipV1_4,
        P::HttpsServer,
        P::JsonServerKmipV1_0,
        P::JsonServerKmipV1_1,
        P::JsonServerKmipV1_2,
        P::JsonServerKmipV1_3,
        P::JsonServerKmipV1_4,
        P::JsonServer,
        P::XmlServerKmipV1_0,
        P::XmlServerKmipV1_1,
        P::XmlServerKmipV1_2,
        P::XmlServerKmipV1_3,
        P::XmlServerKmipV1_4,
        P::XmlServer,
    ]
};

/// Profiles whose cases pass under the policy `legacy` only, or were played under no other: they demand 3DES, for instance.
pub const LEGACY_PROFILES: &[ProfileName] = {
    use ProfileName as P;
    &[
        P::SymmetricKeyLifecycleServerKmipV1_0,
        P::SymmetricKeyLifecycleServerKmipV1_1,
        P::SymmetricKeyLifecycleServerKmipV1_2,
        P::SymmetricKeyLifecycleServerKmipV1_3,
        P::SymmetricKeyLifecycleServerKmipV1_4,
        P::SymmetricKeyLifecycleServer,
        P::SymmetricKeyFoundryServerKmipV1_0,
        P::SymmetricKeyFoundryServerKmipV1_1,
        P::SymmetricKeyFoundryServerKmipV1_2,
        P::SymmetricKeyFoundryServerKmipV1_3,
        P::SymmetricKeyFoundryServerKmipV1_4,
        P::SymmetricKeyFoundryServer,
        P::AsymmetricKeyLifecycleServerKmipV1_0,
        P::AsymmetricKeyLifecycleServerKmipV1_1,
        P::AsymmetricKeyLifecycleServerKmipV1_2,
        P::AsymmetricKeyLifecycleServerKmipV1_3,
        P::BasicCryptographicServerKmipV1_2,
        P::BasicCryptographicServerKmipV1_3,
        P::BasicCryptographicServerKmipV1_4,
        P::BasicCryptographicServer,
        P::AdvancedCryptographicServerKmipV1_2,
        P::AdvancedCryptographicServerKmipV1_3,
        P::AdvancedCryptographicServerKmipV1_4,
        P::AdvancedCryptographicServer,
        P::RngCryptographicServerKmipV1_2,
        P::RngCryptographicServerKmipV1_3,
        P::RngCryptographicServerKmipV1_4,
        P::RngCryptographicServer,
        P::AesXtsServer,
        P::QuantumSafeServer,
        P::Pkcs11Server,
    ]
};

/// Whether a profile is one of those that this server has under some policy.
#[must_use]
pub fn has_profile(profile: ProfileName) -> bool {
    PROFILES.contains(&profile) || LEGACY_PROFILES.contains(&profile)
}

impl Offer {
    /// The profiles told to a client of `version` in a domain under `policy`: those announced that it conforms to.
    #[must_use]
    pub fn profiles(&self, version: ProtocolVersion, policy: AlgorithmPolicy) -> Vec<ProfileInformation> {
        let conforms = |profile: ProfileName| {
            PROFILES.contains(&profile) || policy == AlgorithmPolicy::Legacy && LEGACY_PROFILES.contains(&profile)
        };
        let all = || PROFILES.iter().chain(LEGACY_PROFILES).copied().map(plain).collect();
        let announced: Vec<ProfileInformation> = self.profiles.clone().unwrap_or_else(all);
        announced
            .into_iter()
            .filter(|profile| profile.profile_name.is_known_to(version) && conforms(profile.profile_name))
            .collect()
    }

    /// The generators of the HSM that a client of `version` has words for; one without particulars where nothing is
    /// stated, because PKCS#11 does not tell how a generator is built.
    #[must_use]
    pub fn generators(&self, version: ProtocolVersion) -> Vec<RngParameters> {
        let stated: Vec<RngParameters> =
            self.generators.iter().filter(|generator| generator.known_in(version)).cloned().collect();
        if stated.is_empty() { vec![generator(RngAlgorithm::Unspecified)] } else { stated }
    }

    /// The generator that made what the HSM made. Where there are several, PKCS#11 does not tell which of them it was.
    #[must_use]
    pub fn generator(&self) -> RngParameters {
        match self.generators.as_slice() {
            [only] => only.clone(),
            _ => generator(RngAlgorithm::Unspecified),
        }
    }
}

/// A profile served where everything is served.
#[must_use]
pub const fn plain(profile_name: ProfileName) -> ProfileInformation {
    ProfileInformation { profile_name, profile_version: None, server_uri: None, server_port: None }
}

/// A generator of which no more is known than its family.
#[must_use]
pub const fn generator(rng_algorithm: RngAlgorithm) -> RngParameters {
    RngParameters {
        rng_algorithm,
        cryptographic_algorithm: None,
        cryptographic_length: None,
        hashing_algorithm: None,
        drbg_algorithm: None,
        recommended_curve: None,
        fips186_variation: None,
        prediction_resistance: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_announced_is_also_conformed_to() {
        let announced = [ProfileName::SymmetricKeyFoundryServerKmipV1_1, ProfileName::TapeLibraryServerKmipV1_4];
        let offer = Offer { profiles: Some(announced.map(plain).to_vec()), ..Offer::default() };
        let told = |version, policy| -> Vec<ProfileName> {
            offer.profiles(version, policy).iter().map(|profile| profile.profile_name).collect()
        };
        assert_eq!(told(ProtocolVersion::V1_4, AlgorithmPolicy::Legacy), announced);
        assert_eq!(told(ProtocolVersion::V1_4, AlgorithmPolicy::Anssi), [announced[1]]);
        assert_eq!(told(ProtocolVersion::V1_3, AlgorithmPolicy::Legacy), [announced[0]]);
    }

    #[test]
    fn one_of_several_generators_made_a_key_and_nobody_knows_which() {
        let unknown = generator(RngAlgorithm::Unspecified);
        let (one, other) = (generator(RngAlgorithm::Nrbg), generator(RngAlgorithm::AnsiX9_62));
        let offer = |generators: &[&RngParameters]| Offer {
            generators: generators.iter().map(|generator| (*generator).clone()).collect(),
            ..Offer::default()
        };
        assert_eq!(offer(&[]).generator(), unknown);
        assert_eq!(offer(&[]).generators(ProtocolVersion::V1_4), std::slice::from_ref(&unknown));
        assert_eq!(offer(&[&one]).generator(), one);
        assert_eq!(offer(&[&one, &other]).generator(), unknown);
        assert_eq!(offer(&[&one, &other]).generators(ProtocolVersion::V1_4), [one, other]);
    }
}
