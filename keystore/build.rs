//! Refuses to build a store that keeps no records, unless the benchmark asks for it.

fn main() {
    println!("cargo::rerun-if-env-changed=CLAVIS_BENCH");
    println!("cargo::rerun-if-changed=migrations");
    let unaudited = std::env::var_os("CARGO_FEATURE_UNAUDITED_BENCH").is_some();
    if unaudited && std::env::var("CLAVIS_BENCH").as_deref() != Ok("unaudited") {
        println!(
            "cargo::error=the feature `unaudited-bench` makes a server without an audit log; only `make bench` builds it"
        );
    }
}
