//! Chapter: a VM is encrypted through KMIP under keys that the HSM guards.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use esxi_sim::host::config::VmConfig;
use esxi_sim::host::dek::{self, Purpose};
use secret::Secret;
use serde_json::json;

use super::original::Original;
use super::story::{Failure, Story};
use super::world::{PROVIDER, World};
use super::{disks, provision, tenant};

/// The VM that the later chapters go on with.
pub const VM: &str = "web";
/// A second one, whose key is destroyed on purpose.
pub const DOOMED_VM: &str = "scratch";

/// Encrypts two VMs and looks at the first from every side; returns its disk as it was before.
pub fn show(story: &mut Story, world: &mut World) -> Result<Original, Failure> {
    story.chapter("A VM is encrypted");
    connect_vcenter(story, world)?;

    story.step("making a 64 MiB disk with an ext4 file system and files …");
    let disk = world.path("disks/web.img");
    fs::create_dir_all(world.path("disks"))?;
    let files = disks::make(&disk, &world.path("tree"))?;
    let original = Original { image: world.path("disks/web.original.img"), files };
    fs::copy(&disk, &original.image)?;
    let spare = world.path("disks/scratch.img");
    fs::copy(&disk, &spare)?;

    for (vm, disk) in [(VM, &disk), (DOOMED_VM, &spare)] {
        world.host_post("/vms", &json!({ "id": vm, "disks": [disk] }))?;
        let document = provision::document(world, vm)?;
        story.step(&format!("if no rule is against it, vCenter makes a key and the host encrypts {vm} …"));
        let planned = provision::encrypt(world, document, vm)?;
        story.claim(format!("the provisioning core has a plan for {vm} as the host describes it"), planned.is_ok())?;
    }
    let status = world.host_get(&format!("/vms/{VM}"))?;
    let key = status["key"]["keyId"].as_str().unwrap_or_default().to_owned();
    story.claim(format!("{VM} is encrypted under the key {key}"), status["state"] == "unlocked" && !key.is_empty())?;
    let shown = world.kmsctl_json("operator", &["object", "show", "acme", &key])?;
    story.claim(
        "the key is an Active AES-256 key of acme's domain",
        shown["state"] == "Active" && shown["length"] == 256,
    )?;
    let tagged =
        |name: &str| shown["attributes"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == name));
    story.claim(
        "vCenter has tagged it with the VM's identity",
        ["x-Identifier", "x-Component", "x-Name"].iter().all(|tag| tagged(tag)),
    )?;

    let encrypted = PathBuf::from(status["disks"][0]["file"].as_str().unwrap_or_default());
    let (differs, sectors) = disks::every_sector_differs(&original.image, &encrypted)?;
    story.claim(
        format!("the encrypted image differs from the clear one in each of its {sectors} sectors"),
        differs && sectors > 0,
    )?;
    original.is_read_back(story, world, "read-back")?;
    look_for_keys(story, world, &status, &key)?;
    Ok(original)
}

fn connect_vcenter(story: &mut Story, world: &mut World) -> Result<(), Failure> {
    world.boot_host()?;
    let address = world.server()?.addresses.kmip;
    let registered = world.host_post(
        "/providers",
        &json!({
            "id": PROVIDER,
            "servers": [{ "name": "node-1", "address": address.to_string(), "serverName": "localhost" }],
            "roots": world.pki("ca.pem"),
            "identity": "selfSigned",
        }),
    )?;
    let untrusted = registered["status"]["healthy"] != true;
    story
        .claim("vCenter's own certificate, self-signed and without EKU, is refused while nobody knows it", untrusted)?;
    let certificate = world.path("vcenter.pem");
    fs::write(&certificate, registered["certificate"].as_str().unwrap_or_default())?;
    let certificate = certificate.display().to_string();
    world.kmsctl("operator", &["client", "register", "acme", &certificate, "--name", "vcenter"])?;
    let trusted = world.host_post(&format!("/providers/{PROVIDER}/trust"), &json!({}))?;
    story.claim("registered by fingerprint in acme's domain, it is trusted", trusted["healthy"] == true)
}

/// Looks for key bytes where none may be: the database, its log, the VM's configuration.
fn look_for_keys(story: &mut Story, world: &World, status: &serde_json::Value, key: &str) -> Result<(), Failure> {
    let kek = tenant::key_bytes(world, "acme", key)?;
    let store = contents(world.stage.store().parent().unwrap_or(Path::new(".")))?;
    let identifier = uuid::Uuid::parse_str(key)?.into_bytes();
    // The control: a search that finds nothing at all would prove nothing.
    story.claim("a search of the database finds the key's identifier", holds(&store, &identifier))?;
    story.claim(
        "and nowhere the KEK itself: not raw, not in hexadecimal, not in base64",
        !holds_in_any_form(&store, &kek),
    )?;

    let path = PathBuf::from(status["configuration"].as_str().unwrap_or_default());
    let config = VmConfig::load(&path)?;
    let bundle = config.bundle()?.ok_or_else(|| Failure::new("the configuration has no bundle"))?;
    let purpose = Purpose { vm: config.uuid, disk: 0, key: &bundle.key };
    let wrapped = bundle.wrapped.first().ok_or_else(|| Failure::new("the bundle has no DEK"))?;
    let dek = dek::unwrap(wrapped, &Secret::new(kek.clone()), purpose)?;
    story.claim(
        "the bundle in the VM's configuration opens under the KEK and holds the DEK",
        dek.secret().len() == 64,
    )?;
    let text = fs::read(&path)?;
    story.claim(
        "outside that bundle the configuration holds neither DEK nor KEK",
        !holds_in_any_form(&text, dek.secret().expose()) && !holds_in_any_form(&text, &kek),
    )
}

/// Everything in the files of a folder, one after the other.
pub fn contents(dir: &Path) -> Result<Vec<u8>, Failure> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_file() {
            all.extend(fs::read(path)?);
        }
    }
    Ok(all)
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn holds_in_any_form(bytes: &[u8], secret: &[u8]) -> bool {
    let base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(secret);
    holds(bytes, secret)
        || holds(bytes, hex::encode(secret).as_bytes())
        || holds(bytes, hex::encode_upper(secret).as_bytes())
        // The last character depends on what follows.
        || holds(bytes, &base64.as_bytes()[..base64.len() - 1])
}
