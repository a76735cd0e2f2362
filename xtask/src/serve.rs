//! `make serve`: a node under a folder, with demo tenants, until it is stopped. What was there is kept.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use admin_api::{AdminClient, ClientError, ErrorCode, NewDomain, RegisterClient};
use rustix::process::Signal;
use xtask::stage::console::{Console, Listens, OWNER, PASSWORD};
use xtask::stage::{Addresses, Programs, Stage, StageOptions, TENANTS, Witnesses, ZONES, children};

/// Where the listeners are unless the environment says otherwise.
const KMIP_ADDR: &str = "127.0.0.1:5696";
const ADMIN_ADDR: &str = "127.0.0.1:9443";
const CONSOLE_ADDR: &str = "127.0.0.1:8443";
const OPERATOR_ADDR: &str = "127.0.0.1:8444";
/// Where the node lives unless `RUN_DIR` says otherwise.
const RUN_DIR: &str = "run";

/// Sets up what is missing and serves.
pub fn run() -> Result<String, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    // The server finishes what it has begun; an interrupted ceremony is completed at the next start.
    children::guard(Signal::TERM).map_err(|error| text(&error))?;
    match serve() {
        Err(_) if children::interrupted() => Ok("stopped before it served".to_owned()),
        outcome => outcome,
    }
}

fn serve() -> Result<String, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let dir = PathBuf::from(setting("RUN_DIR", RUN_DIR));
    let options = StageOptions {
        kmip: address("KMIP_ADDR", KMIP_ADDR)?,
        admin: address("ADMIN_ADDR", ADMIN_ADDR)?,
        ..StageOptions::default()
    };
    let programs = Programs::beside_this_one().map_err(|error| text(&error))?;
    println!("· preparing {} (PKI, configuration) …", dir.display());
    let stage = Stage::prepare(&dir, &options).map_err(|error| text(&error))?;
    println!("· three tokens, the ceremony, the store; what is there is kept …");
    let told = stage.init(&programs).map_err(|error| text(&error))?.stdout;
    for line in told.lines().filter(|line| line.starts_with("ceremony") || line.starts_with("store")) {
        println!("    {line}");
    }
    println!("· three witnesses, one per zone …");
    let witnesses = Witnesses::start(&stage, &programs).map_err(|error| text(&error))?;
    let stage = Stage::prepare(&dir, &StageOptions { sections: witnesses.sections(), ..options })
        .map_err(|error| text(&error))?;
    println!("· starting the server …");
    let server = stage.serve(&programs, &[]).map_err(|error| text(&error))?;
    println!("· tenants and their clients …");
    let set_up = tenants(&stage, &server.addresses);
    // A signal that came meanwhile is on its way to the server; whatever failed, failed because of it.
    let mut console = None;
    if !children::interrupted() {
        set_up?;
        println!("· the console …");
        let listen = Listens {
            tenants: address("CONSOLE_ADDR", CONSOLE_ADDR)?,
            operator: address("OPERATOR_ADDR", OPERATOR_ADDR)?,
        };
        console = stage
            .furnish_console(&programs, &server.addresses, listen)
            .and_then(|()| stage.console(&programs, &[]))
            .map(Some)
            .or_else(|error| {
                // Stopped while it started is no failure.
                if children::interrupted() { Ok(None) } else { Err(text(&error)) }
            })?;
        tell(&stage, &server.addresses, &programs.dir, console.as_ref());
    }
    let ended = server.wait().map_err(|error| text(&error))?;
    if let Some(console) = console {
        console.stop();
    }
    match ended.success() {
        true => Ok("stopped".to_owned()),
        false => Err(format!("the server ended with {ended}")),
    }
}

fn setting(name: &str, default: &str) -> String {
    std::env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned())
}

fn address(name: &str, default: &str) -> Result<SocketAddr, String> {
    let text = setting(name, default);
    text.parse().map_err(|_| format!("{name}: {text:?} is not an address and port, as in {default}"))
}

/// The demo tenants and their clients, where they are missing.
fn tenants(stage: &Stage, addresses: &Addresses) -> Result<(), String> {
    let admin = operator(stage, addresses)?;
    for tenant in TENANTS {
        let policy = if tenant == "cobalt" { "legacy" } else { "anssi" };
        existing(admin.domain_create(&NewDomain {
            name: tenant.to_owned(),
            policy: Some(policy.to_owned()),
            allow: Vec::new(),
        }))?;
        let certificate = read(&stage.pki().join(tenant).join("client.pem"))?;
        let client = RegisterClient { certificate, name: Some(format!("{tenant}-client")), credential: None };
        existing(admin.client_register(tenant, &client))?;
    }
    Ok(())
}

/// What was made before is as good as made now.
fn existing<T>(result: Result<T, ClientError>) -> Result<(), String> {
    match result {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some(ErrorCode::Conflict) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn operator(stage: &Stage, addresses: &Addresses) -> Result<AdminClient, String> {
    let pki = stage.pki();
    let bytes = |name: &str| read(&pki.join(name)).map(String::into_bytes);
    AdminClient::new(
        &format!("https://{}", addresses.admin),
        &bytes("ca.pem")?,
        &bytes("admin/operator.pem")?,
        &bytes("admin/operator.key")?,
    )
    .map_err(|error| error.to_string())
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn tell(stage: &Stage, addresses: &Addresses, programs: &Path, console: Option<&Console>) {
    let (dir, kmsctl) = (stage.dir.display(), programs.join("kmsctl"));
    let kmsctl = format!("{} --server https://{} --pki {dir}/pki", kmsctl.display(), addresses.admin);
    println!(
        "\nserving KMIP on {} and the admin API on {}; tenants: {}\n\
         \nTry next:\n\
         \x20 {kmsctl} --as operator hsm status\n\
         \x20 {kmsctl} --as operator domain list\n\
         \x20 {kmsctl} --as auditor audit export acme --to acme.jsonl\n\
         \x20 {kmsctl} verify bundle acme.jsonl --keys {dir}/ceremony/checkpoint-keys.txt\n\
         \x20 {kmsctl} --as auditor audit checkpoint acme > acme.checkpoint\n\
         \x20 {kmsctl} verify checkpoint acme.checkpoint --keys {dir}/ceremony/checkpoint-keys.txt --witness \
         \"$(cat {dir}/witnesses/{}/witness.pub)\"\n\
         \nKMIP clients of acme: {dir}/pki/acme/client.pem and client.key, authority {dir}/pki/ca.pem\n\
         Log: {dir}/kms-server.log. Stop with Ctrl-C.\n",
        addresses.kmip,
        addresses.admin,
        TENANTS.join(", "),
        ZONES[0],
    );
    if let Some(console) = console {
        println!(
            "The web console: https://{}  (throw-away certificate: your browser asks once; or let it trust {dir}/pki/ca.pem)\n\
             \x20 log in as {OWNER} with the password {PASSWORD}; then Virtual machines > vm-web > Encrypt the virtual machine\n\
             \x20 vm-db, vm-snap, vm-drill, vm-mirrored and vm-all show what keeps a machine from being encrypted\n\
             \x20 REST API: https://{}/openapi.json\n\
             The operator's page: https://{}  (it asks for an administrator's certificate)\n\
             \x20 curl --cacert {dir}/pki/ca.pem --cert {dir}/pki/admin/operator.pem --key {dir}/pki/admin/operator.key https://{}/\n\
             \x20 for a browser: openssl pkcs12 -export -in {dir}/pki/admin/operator.pem -inkey {dir}/pki/admin/operator.key -out operator.p12\n",
            console.address, console.address, console.operator, console.operator,
        );
    }
}
