//! Inventory files: made by size, and checked against the promises.

use std::fs;
use std::path::Path;

use provisioning::{Inventory, Kind, findings, metering};

/// A realistic inventory of that size as JSON; the same seed makes the same one.
pub fn generate(seed: u64, tenants: usize, vms: usize) -> Result<String, String> {
    serde_json::to_string_pretty(&Inventory::generate(seed, tenants, vms)).map_err(|error| error.to_string())
}

/// What a file tells of: how much of everything, what is consumed, and which promises are broken.
///
/// # Errors
/// Every fault of the file with its place, or every finding where one is more than a warning.
pub fn check(path: &Path) -> Result<String, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let is_toml = path.extension().is_some_and(|extension| extension == "toml");
    let read = if is_toml { Inventory::from_toml(&text) } else { Inventory::from_json(&text) };
    report(&read.map_err(|faults| faults.to_string())?)
}

fn report(inventory: &Inventory) -> Result<String, String> {
    let mut lines = vec![format!(
        "{} tenants, {} vStacks, {} Cpools, {} hosts, {} datastores, {} VMs",
        inventory.tenants().count(),
        inventory.vstacks().count(),
        inventory.cpools().count(),
        inventory.hosts().count(),
        inventory.datastores().count(),
        inventory.vms().count(),
    )];
    let levels = metering::levels(inventory);
    lines.extend(levels.iter().map(|((tenant, sku), level)| format!("{tenant} {sku} {level}")));
    let found = findings(inventory);
    lines.extend(found.iter().map(|finding| format!("{}: {finding}", finding.rule.kind.text())));
    let broken = found.iter().filter(|finding| finding.rule.kind != Kind::Warn).count();
    lines.push(format!("{broken} promises broken, {} warnings", found.len() - broken));
    if broken == 0 { Ok(lines.join("\n")) } else { Err(lines.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_generated_is_read_back_and_keeps_its_promises() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inventory.json");
        fs::write(&path, generate(1, 2, 20).unwrap()).unwrap();
        let report = check(&path).unwrap();
        assert!(report.starts_with("2 tenants, 2 vStacks, ") && report.ends_with("0 promises broken, 0 warnings"));
    }

    #[test]
    fn a_broken_promise_is_told_and_a_broken_file_by_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inventory.json");
        let text = generate(1, 1, 5).unwrap();
        fs::write(&path, text.replacen("\"country\": \"FR\"", "\"country\": \"DE\"", 1)).unwrap();
        assert!(check(&path).unwrap_err().contains("reject: R75 keys-stay-in-france"));
        fs::write(&path, text.replacen("\"region\": \"fr1\"", "\"region\": \"fr9\"", 1)).unwrap();
        assert_eq!(check(&path).unwrap_err(), "zones[\"AZ07\"].region: there is no region \"fr9\"");
    }
}
