//! What can be bought: blades (R11), storage classes (R17), services and templates (R50), read from `data/` when the
//! crate is compiled and checked once when it is first asked.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ids::{BladeId, ClassId, RegionId, TemplateId};
use crate::sku::Sku;
use crate::units::{Gb, Gib, IopsPerTib};

/// What stands in a SKU of the catalogue where an order has its region.
const REGION: &str = "(region)";

/// A unit in which something is charged each month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// One blade.
    Blade,
    /// One GiB.
    Gib,
    /// One TiB.
    Tib,
    /// One virtual machine.
    Vm,
}

/// The one converged connection of a blade, for networks and storage alike (R9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Ports.
    pub count: u32,
    /// Speed of each port in Gbit/s.
    pub gbit_per_s: u32,
}

/// The graphics cards of a blade (R10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gpu {
    /// Cards.
    pub count: u32,
    /// Model of each.
    pub model: String,
    /// Memory of each.
    #[serde(rename = "memory_gb")]
    pub memory: Gb,
}

/// A kind of blade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blade {
    /// Identifier, as inside its SKU.
    pub id: BladeId,
    /// Name in the catalogue.
    pub name: String,
    /// Hardware models it may be.
    pub models: Vec<String>,
    /// Physical RAM.
    #[serde(rename = "ram_gb")]
    pub ram: Gb,
    /// CPU model, or its equivalent.
    pub cpu: String,
    /// Least base frequency in MHz.
    pub base_mhz: u32,
    /// Least turbo frequency in MHz.
    pub turbo_mhz: u32,
    /// Cores of all sockets.
    pub cores: u32,
    /// Threads of all cores.
    pub threads: u32,
    /// Its connection.
    pub link: Link,
    /// Its graphics cards, if any.
    #[serde(default)]
    pub gpu: Option<Gpu>,
    sku: String,
}

/// A class of block storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageClass {
    /// Identifier, as inside its SKU.
    pub id: ClassId,
    /// Name in the catalogue.
    pub name: String,
    /// What a TiB of it performs; `None` where nothing is promised and nothing limited (R22).
    #[serde(default)]
    pub iops_per_tib: Option<IopsPerTib>,
    /// What it is charged by.
    pub unit: Unit,
    /// Whether Global Mirror can replicate a LUN of it (R40).
    pub global_mirror: bool,
    sku: String,
}

/// The services that rules and metering ask for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// Storage of backups (R31).
    BackupStorage,
    /// Replication of LUNs by the SAN (R41).
    GlobalMirror,
    /// Replication of VMs by the hypervisor (R53).
    VmReplication,
    /// Backup of VMs (R60).
    VmBackup,
    /// Encryption of VMs under keys that an HSM guards (R73).
    VmEncryption,
}

/// How a service is sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// The service.
    #[serde(rename = "id")]
    pub service: Service,
    /// Name in the catalogue.
    pub name: String,
    /// What it is charged by.
    pub unit: Unit,
    sku: String,
}

/// A template of the platform, from which every tenant may deploy VMs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Identifier.
    pub id: TemplateId,
    /// What it holds.
    pub name: String,
    /// Virtual CPUs of a VM made from it.
    pub cpus: u32,
    /// Memory of a VM made from it.
    pub memory: Gib,
    /// Its disk.
    pub disk: Gib,
}

/// Everything that can be bought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    blades: Vec<Blade>,
    classes: Vec<StorageClass>,
    offers: Vec<Offer>,
    templates: Vec<Template>,
}

/// Why the data of the catalogue are no catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CatalogueError {
    /// A file is not what it should be.
    #[error("data/{file}: {fault}")]
    File {
        /// The file.
        file: &'static str,
        /// What is wrong, and where.
        fault: String,
    },
    /// Two entries have the same name or SKU.
    #[error("\"{0}\" stands in the catalogue twice")]
    Twice(String),
    /// A number contradicts another or is nothing.
    #[error("\"{0}\" promises nothing, or more threads than two per core")]
    Absurd(String),
    /// A SKU names a fixed region, or none.
    #[error("the SKU \"{0}\" has no place for the region")]
    NoRegion(String),
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::read().unwrap_or_default());

/// The catalogue. A test makes sure that its data are fit; were they not, nothing could be bought.
#[must_use]
pub fn catalogue() -> &'static Catalogue {
    &CATALOGUE
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Blades {
    blade: Vec<Blade>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Classes {
    class: Vec<StorageClass>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Offers {
    service: Vec<Offer>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Templates {
    template: Vec<Template>,
}

fn parse<T: for<'de> Deserialize<'de>>(file: &'static str, text: &str) -> Result<T, CatalogueError> {
    toml::from_str(text).map_err(|fault| CatalogueError::File { file, fault: fault.to_string() })
}

impl Catalogue {
    fn read() -> Result<Self, CatalogueError> {
        let catalogue = Self {
            blades: parse::<Blades>("blades.toml", include_str!("../data/blades.toml"))?.blade,
            classes: parse::<Classes>("storage.toml", include_str!("../data/storage.toml"))?.class,
            offers: parse::<Offers>("services.toml", include_str!("../data/services.toml"))?.service,
            templates: parse::<Templates>("templates.toml", include_str!("../data/templates.toml"))?.template,
        };
        catalogue.validated()
    }

    fn validated(self) -> Result<Self, CatalogueError> {
        let mut seen = BTreeSet::new();
        for sku in self.sku_texts() {
            if sku.matches(REGION).count() != 1 {
                return Err(CatalogueError::NoRegion(sku.to_owned()));
            }
        }
        let blades = self.blades.iter().map(|blade| blade.id.as_str());
        let classes = self.classes.iter().map(|class| class.id.as_str());
        let templates = self.templates.iter().map(|template| template.id.as_str());
        for name in blades.chain(classes).chain(templates).chain(self.sku_texts()) {
            if !seen.insert(name) {
                return Err(CatalogueError::Twice(name.to_owned()));
            }
        }
        for blade in &self.blades {
            if blade.ram == Gb(0) || blade.cores == 0 || blade.threads > blade.cores.saturating_mul(2) {
                return Err(CatalogueError::Absurd(blade.id.to_string()));
            }
        }
        for class in &self.classes {
            if class.iops_per_tib == Some(IopsPerTib(0)) {
                return Err(CatalogueError::Absurd(class.id.to_string()));
            }
        }
        Ok(self)
    }

    fn sku_texts(&self) -> impl Iterator<Item = &str> {
        let blades = self.blades.iter().map(|blade| blade.sku.as_str());
        let classes = self.classes.iter().map(|class| class.sku.as_str());
        blades.chain(classes).chain(self.offers.iter().map(|offer| offer.sku.as_str()))
    }

    /// All kinds of blade, in the order of the catalogue.
    pub fn blades(&self) -> impl Iterator<Item = &Blade> {
        self.blades.iter()
    }

    /// The kind of blade of that id.
    #[must_use]
    pub fn blade(&self, id: &BladeId) -> Option<&Blade> {
        self.blades.iter().find(|blade| blade.id == *id)
    }

    /// All storage classes, in the order of the catalogue.
    pub fn classes(&self) -> impl Iterator<Item = &StorageClass> {
        self.classes.iter()
    }

    /// The storage class of that id.
    #[must_use]
    pub fn class(&self, id: &ClassId) -> Option<&StorageClass> {
        self.classes.iter().find(|class| class.id == *id)
    }

    /// How a service is sold.
    #[must_use]
    pub fn offer(&self, service: Service) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.service == service)
    }

    /// All templates of the platform, in the order of the catalogue.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.templates.iter()
    }

    /// The template of that id.
    #[must_use]
    pub fn template(&self, id: &TemplateId) -> Option<&Template> {
        self.templates.iter().find(|template| template.id == *id)
    }

    /// Every SKU of a region with the unit it is charged by.
    pub fn skus(&self, region: &RegionId) -> impl Iterator<Item = (Sku, Unit)> {
        let blades = self.blades.iter().map(|blade| (&blade.sku, Unit::Blade));
        let classes = self.classes.iter().map(|class| (&class.sku, class.unit));
        let offers = self.offers.iter().map(|offer| (&offer.sku, offer.unit));
        blades.chain(classes).chain(offers).map(move |(sku, unit)| (in_region(sku, region), unit))
    }
}

impl Blade {
    /// Its SKU in a region.
    #[must_use]
    pub fn sku(&self, region: &RegionId) -> Sku {
        in_region(&self.sku, region)
    }
}

impl StorageClass {
    /// Its SKU in a region.
    #[must_use]
    pub fn sku(&self, region: &RegionId) -> Sku {
        in_region(&self.sku, region)
    }
}

impl Service {
    /// Every service.
    pub const ALL: [Self; 5] =
        [Self::BackupStorage, Self::GlobalMirror, Self::VmReplication, Self::VmBackup, Self::VmEncryption];

    /// Its SKU in a region.
    #[must_use]
    pub fn sku(self, region: &RegionId) -> Sku {
        // Every service has an offer; the test below holds the data to it.
        catalogue().offer(self).map_or_else(|| Sku::new(""), |offer| in_region(&offer.sku, region))
    }
}

fn in_region(sku: &str, region: &RegionId) -> Sku {
    Sku::new(sku.replace(REGION, region.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_are_a_catalogue() {
        let catalogue = Catalogue::read().unwrap();
        assert_eq!((catalogue.blades.len(), catalogue.classes.len(), catalogue.offers.len()), (7, 6, 5));
        assert!(Service::ALL.iter().all(|service| catalogue.offer(*service).is_some()));
    }

    #[test]
    fn a_name_that_stands_twice_is_refused() {
        let mut catalogue = Catalogue::read().unwrap();
        catalogue.blades.push(catalogue.blades[0].clone());
        assert_eq!(catalogue.validated(), Err(CatalogueError::Twice("eco".to_owned())));
    }

    #[test]
    fn absurd_numbers_are_refused() {
        let mut catalogue = Catalogue::read().unwrap();
        catalogue.blades[1].threads = 65;
        assert_eq!(catalogue.validated(), Err(CatalogueError::Absurd("standard".to_owned())));
        let mut catalogue = Catalogue::read().unwrap();
        catalogue.classes[0].iops_per_tib = Some(IopsPerTib(0));
        assert_eq!(catalogue.validated(), Err(CatalogueError::Absurd("live".to_owned())));
    }

    #[test]
    fn a_sku_without_place_for_the_region_is_refused() {
        let mut catalogue = Catalogue::read().unwrap();
        catalogue.offers[0].sku = "csp:fr1:x".to_owned();
        assert_eq!(catalogue.validated(), Err(CatalogueError::NoRegion("csp:fr1:x".to_owned())));
    }

    #[test]
    fn a_broken_file_is_refused_with_its_line() {
        let fault = parse::<Classes>("storage.toml", "[[class]]\nid = 3\n").unwrap_err().to_string();
        assert!(fault.starts_with("data/storage.toml: ") && fault.contains("line 2"), "{fault}");
    }
}
