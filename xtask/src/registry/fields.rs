//! Which fields each structure and payload has in which versions, as lines of text: what a test of the encoder goes by.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::VERSIONS;

/// By container and field, the versions that list the field there. The field without a name says that they list the
/// container.
type Fields = BTreeMap<(String, String), BTreeSet<usize>>;

/// The text of the file.
///
/// # Errors
/// Where a table is not as the others are.
pub(super) fn text(sources: &[Value]) -> Result<String, String> {
    let mut fields = Fields::new();
    for (version, source) in sources.iter().enumerate() {
        let section = |name: &str| source[name].as_object().ok_or_else(|| format!("no {name}"));
        for (operation, payloads) in section("operations")? {
            for side in ["request", "response"] {
                // The tables say nothing of a payload that an operation does not have.
                if let Some(rows) = payloads[side].as_array() {
                    add(&mut fields, &[format!("{operation} {side}")], rows, version);
                }
            }
        }
        for (name, rows) in section("message")? {
            let rows = rows.as_array().ok_or_else(|| format!("{name} is no table"))?;
            add(&mut fields, std::slice::from_ref(name), rows.get(1..).unwrap_or_default(), version);
        }
        for table in ["attributes", "structures"] {
            for rows in section(table)?.values().filter_map(Value::as_array) {
                // The first row names the structure, or several of the same form.
                let Some((first, rows)) = rows.split_first().filter(|(_, rows)| !rows.is_empty()) else { continue };
                let names: Vec<String> = item(first).split(", ").map(plain).collect();
                add(&mut fields, &names, rows, version);
            }
        }
    }
    let mut text =
        "# Container | field | versions that list it. Written by `cargo run -p xtask -- registry`.\n".to_owned();
    for ((container, field), versions) in fields {
        let versions: Vec<String> = versions.into_iter().map(dotted).collect();
        text += &format!("{container} | {field} | {}\n", versions.join(" "));
    }
    Ok(text)
}

fn add(fields: &mut Fields, containers: &[String], rows: &[Value], version: usize) {
    for container in containers {
        fields.entry((container.clone(), String::new())).or_default().insert(version);
        for name in rows.iter().map(item).flat_map(|item| item.split(" | ")).map(plain) {
            fields.entry((container.clone(), name)).or_default().insert(version);
        }
    }
}

fn item(row: &Value) -> &str {
    row["item"].as_str().unwrap_or_default()
}

/// The name without what the standard says beside it.
fn plain(item: &str) -> String {
    let end = [", see", " (see", ", MAY"].iter().filter_map(|said| item.find(said)).min().unwrap_or(item.len());
    item[..end].trim_end_matches(',').trim().to_owned()
}

/// `1.4`.
fn dotted(version: usize) -> String {
    VERSIONS[version].0.replace('_', ".")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_is_listed_with_the_versions_that_have_it() {
        let version = |fields: &[&str]| {
            let request: Vec<Value> = fields.iter().map(|field| json!({ "item": field })).collect();
            json!({
                "operations": { "Locate": { "request": request } },
                "message": { "Request Header": [{ "item": "Request Header" }, { "item": "Batch Count" }] },
                "attributes": { "State": [{ "item": "State" }] },
                "structures": { "Two Structures": [{ "item": "One, Other" }, { "item": "Credential, MAY be repeated" }] },
            })
        };
        let text = text(&[version(&["Maximum Items, see 1.2"]), version(&["Maximum Items", "Offset Items"])]).unwrap();
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "Locate request |  | 1.0 1.1",
                "Locate request | Maximum Items | 1.0 1.1",
                "Locate request | Offset Items | 1.1",
                "One |  | 1.0 1.1",
                "One | Credential | 1.0 1.1",
                "Other |  | 1.0 1.1",
                "Other | Credential | 1.0 1.1",
                "Request Header |  | 1.0 1.1",
                "Request Header | Batch Count | 1.0 1.1",
            ]
        );
    }
}
