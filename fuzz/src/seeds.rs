//! What the fuzzer starts from.
//!
//! `seeds unpack <vectors> <seeds> <corpora>` writes the vectors of other implementations and the committed seeds as one
//! file each. `seeds pack <seeds> <corpora>` keeps the smaller inputs of a merged corpus as lines of hexadecimal.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use kmip::encoding::Encoding;
use serde_json::Value;

/// The targets that read messages.
const OF_MESSAGES: [&str; 3] = ["ttlv_reader", "request_message", "response_message"];

/// Longer inputs are not worth a line in the repository.
const MAX_PACKED_LEN: usize = 400;

/// Inputs kept of one target: enough for an ordinary test to walk most of the code.
const MAX_PACKED: usize = 300;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    match arguments.as_slice() {
        [mode, vectors, seeds, corpora] if mode.as_os_str() == "unpack" => unpack(vectors, seeds, corpora),
        [mode, seeds, corpora] if mode.as_os_str() == "pack" => pack(seeds, corpora),
        _ => Err("usage: seeds unpack <vectors> <seeds> <corpora> | seeds pack <seeds> <corpora>".into()),
    }
}

fn unpack(vectors: &Path, seeds: &Path, corpora: &Path) -> Result<(), Box<dyn Error>> {
    for (file, list, fields) in [
        ("vectors.json", "vectors", &["request_hex", "response_hex"][..]),
        ("fragments.json", "fragments", &["hex"]),
        ("malformed.json", "malformed", &["hex"]),
    ] {
        let parsed: Value = serde_json::from_str(&fs::read_to_string(vectors.join(file))?)?;
        for (at, entry) in parsed[list].as_array().ok_or("not a list")?.iter().enumerate() {
            for field in fields {
                let Some(digits) = entry[field].as_str() else { continue };
                let bytes = hex::decode(digits)?;
                let name = format!("{list}-{at:03}-{field}");
                for target in OF_MESSAGES {
                    write(corpora, target, &name, &bytes)?;
                }
                for (target, encoding) in [("xml_document", Encoding::Xml), ("json_document", Encoding::Json)] {
                    if let Ok(document) = encoding.from_ttlv(&bytes) {
                        write(corpora, target, &name, &document)?;
                    }
                }
            }
        }
    }
    for file in seeds.read_dir()? {
        let path = file?.path();
        let Some(target) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        if path.extension().is_none_or(|extension| extension != "hex") {
            continue;
        }
        for line in fs::read_to_string(&path)?.lines() {
            let (name, digits) = line.split_once(' ').ok_or("a line without a name")?;
            write(corpora, target, name, &hex::decode(digits)?)?;
        }
    }
    Ok(())
}

fn write(corpora: &Path, target: &str, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let folder = corpora.join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes)
}

fn pack(seeds: &Path, corpora: &Path) -> Result<(), Box<dyn Error>> {
    for folder in corpora.read_dir()? {
        let folder = folder?.path();
        let Some(target) = folder.file_name().and_then(|name| name.to_str()) else { continue };
        let mut inputs = Vec::new();
        for file in folder.read_dir()? {
            let path = file?.path();
            let bytes = fs::read(&path)?;
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            // The vectors are in the repository already.
            if bytes.len() <= MAX_PACKED_LEN && !name.ends_with("hex") {
                inputs.push((bytes, name));
            }
        }
        // Former findings all, of the others some of every length.
        let (found, mut others): (Vec<_>, Vec<_>) =
            inputs.into_iter().partition(|(_, name)| name.starts_with("found-"));
        others.sort_by_key(|(bytes, name)| (bytes.len(), name.clone()));
        let step = others.len().div_ceil(MAX_PACKED).max(1);
        let lines: String = found
            .iter()
            .chain(others.iter().step_by(step))
            .map(|(bytes, name)| format!("{name} {}\n", hex::encode(bytes)))
            .collect();
        fs::write(seeds.join(format!("{target}.hex")), lines)?;
    }
    Ok(())
}
