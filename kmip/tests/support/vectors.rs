//! The vectors of other implementations.

use std::path::PathBuf;

use serde_json::Value;

/// The parsed file of that name among the vectors.
pub fn file(file: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/kmip").join(file);
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap()
}

/// A fragment whose suite reads any number as a Boolean; the standard has 0 and 1 (KMIP 1.4 §9.1.1.4).
pub const BOOLEAN_OF_TWO: &str = "42000006000000080000000000000002";

/// Every vector and fragment that is said to be well formed, by name.
pub fn well_formed() -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for vector in file("vectors.json")["vectors"].as_array().unwrap() {
        if vector["wellformed"] == false {
            continue;
        }
        for side in ["request_hex", "response_hex"] {
            if let Some(digits) = vector[side].as_str() {
                all.push((format!("{} {side}", vector["name"]), hex::decode(digits).unwrap()));
            }
        }
    }
    for fragment in file("fragments.json")["fragments"].as_array().unwrap() {
        if fragment["hex"] == BOOLEAN_OF_TWO {
            continue;
        }
        all.push((fragment["name"].to_string(), hex::decode(fragment["hex"].as_str().unwrap()).unwrap()));
    }
    all
}
