//! The process as others use it: started, asked over HTTP, killed, started again. A kill is a host reboot.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::key_server::{KeyServer, Pki, write_image};
use serde_json::{Value, json};

struct Node {
    child: Child,
    base: String,
}

impl Node {
    fn start(state: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_esxi-sim"))
            .args(["serve", "--listen", "127.0.0.1:0", "--allow-decrypted-copies", "--state"])
            .arg(state)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(address.ends_with('\n'), "it did not start");
        Self { child, base: format!("http://{}", address.trim()) }
    }

    /// The host loses power: no signal handler runs.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn get(&self, path: &str) -> (u16, Value) {
        answer(agent().get(format!("{}{path}", self.base)).call())
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(agent().post(format!("{}{path}", self.base)).send_json(body))
    }

    fn register_provider(&self, pki: &Pki, server: &KeyServer) {
        let (status, answer) = self.post(
            "/providers",
            &json!({
                "id": "clavis",
                "servers": [{ "name": "kms-1", "address": server.address.to_string() }],
                "roots": pki.path("ca.pem"),
                "identity": { "uploaded": { "certificate": pki.path("client.pem"), "key": pki.path("client.key") } },
            }),
        );
        assert_eq!((status, &answer["status"]["healthy"]), (201, &json!(true)), "{answer}");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, Value) {
    let mut response = response.unwrap();
    (response.status().as_u16(), response.body_mut().read_json().unwrap())
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["code"].as_str().unwrap_or("none"))
}

/// e2fsprogs lie where an ordinary user's path does not lead.
fn tool(name: &str) -> Command {
    let found = ["/usr/sbin", "/sbin", "/usr/bin"].map(|folder| Path::new(folder).join(name));
    Command::new(found.iter().find(|path| path.exists()).unwrap_or(&PathBuf::from(name)))
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// An image of 64 MiB with an ext4 file system, and the folder whose files it holds.
fn ext4(folder: &Path) -> (PathBuf, PathBuf) {
    let (image, files) = (folder.join("web.raw"), folder.join("files"));
    fs::create_dir_all(files.join("etc")).unwrap();
    fs::write(files.join("etc/motd"), "welcome\n").unwrap();
    fs::write(files.join("empty"), "").unwrap();
    let large: Vec<u8> = (0..700_000_u64).flat_map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_le_bytes()).collect();
    fs::write(files.join("large.bin"), large).unwrap();
    succeed(tool("mkfs.ext4").arg("-q").arg("-d").arg(&files).arg(&image).arg("64M"));
    assert_eq!(fs::metadata(&image).unwrap().len(), 64 << 20);
    (image, files)
}

fn assert_same_files(expected: &Path, found: &Path) {
    for entry in fs::read_dir(expected).unwrap() {
        let entry = entry.unwrap();
        let other = found.join(entry.file_name());
        if entry.path().is_dir() {
            assert_same_files(&entry.path(), &other);
        } else {
            assert!(fs::read(entry.path()).unwrap() == fs::read(&other).unwrap(), "{other:?}");
        }
    }
}

#[test]
fn a_file_system_is_encrypted_forgotten_unlocked_and_read_back() {
    let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
    let server = KeyServer::start(&pki);
    let state = folder.path().join("state");
    let (image, files) = ext4(folder.path());
    let clear = fs::read(&image).unwrap();

    let node = Node::start(&state);
    node.register_provider(&pki, &server);
    assert_eq!(node.post("/vms", &json!({ "id": "web", "disks": [image] })).0, 201);
    let (status, vm) = node.post("/vms/web/encrypt", &json!({}));
    assert_eq!((status, &vm["state"], &vm["key"]["keyId"]), (200, &json!("unlocked"), &json!("1")), "{vm}");
    assert!(!image.exists(), "the clear image is still there");
    let encrypted_path = PathBuf::from(vm["disks"][0]["file"].as_str().unwrap());
    let encrypted = fs::read(&encrypted_path).unwrap();
    assert_eq!(encrypted.len(), clear.len());
    assert!(encrypted.chunks(512).zip(clear.chunks(512)).all(|(new, old)| new != old), "a sector is in clear");
    node.kill();

    let node = Node::start(&state);
    assert_eq!(node.get("/health").1["host"]["cryptoState"], "prepared");
    let refused = node.get("/vms/web/disks/0/read?offset=0&len=512");
    assert_eq!(code(&refused), (409, "locked"));
    assert!(refused.1["error"]["message"].as_str().unwrap().contains("Key 1/clavis not found"));
    let (status, vm) = node.post("/vms/web/unlock", &json!({}));
    assert_eq!((status, &vm["state"]), (200, &json!("unlocked")), "{vm}");
    assert_eq!(node.get("/health").1["host"]["cryptoState"], "safe");

    // Through the read path, at odd places: the magic number of ext4 is 56 bytes into its superblock.
    let url = format!("{}/vms/web/disks/0/read?offset=1080&len=2", node.base);
    assert_eq!(agent().get(url).call().unwrap().body_mut().read_to_vec().unwrap(), [0x53, 0xef]);

    let copy = folder.path().join("copy.raw");
    let (status, told) = node.post("/vms/web/disks/0/decrypted-copy", &json!({ "path": copy }));
    assert_eq!(status, 200, "{told}");
    assert!(fs::read(&copy).unwrap() == clear);
    succeed(tool("e2fsck").arg("-fn").arg(&copy));
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    succeed(tool("debugfs").arg("-R").arg(format!("rdump / {}", out.display())).arg(&copy));
    assert_same_files(&files, &out);
}

#[test]
fn killed_at_any_moment_a_vm_is_whole_and_nothing_lies_about() {
    let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
    let server = KeyServer::start(&pki);
    let state = folder.path().join("state");
    let disks = folder.path().join("disks");
    fs::create_dir(&disks).unwrap();
    write_image(&disks.join("web.raw"), 32 << 11);
    let clear = fs::read(disks.join("web.raw")).unwrap();
    let mut node = Node::start(&state);
    node.register_provider(&pki, &server);
    assert_eq!(node.post("/vms", &json!({ "id": "web", "disks": [disks.join("web.raw")] })).0, 201);

    let (mut old, mut new) = (0, 0);
    // Killed once a part of the copy is done; the last time only when it answered.
    for sixteenths in [0_u64, 1, 5, 9, 13, 15, 99] {
        let url = format!("{}/vms/web/encrypt", node.base);
        let asking = std::thread::spawn(move || agent().post(url).send_json(json!({})).is_ok());
        loop {
            let (_, vm) = node.get("/vms/web");
            let (done, total) = (vm["progress"]["done"].as_u64(), vm["progress"]["total"].as_u64());
            let far = matches!((done, total), (Some(done), Some(total)) if done * 16 >= sixteenths * total);
            if far || vm["state"] != "clear" {
                break;
            }
        }
        if sixteenths > 16 {
            assert!(asking.join().unwrap());
        }
        node.kill();

        node = Node::start(&state);
        let (_, vm) = node.get("/vms/web");
        let file = PathBuf::from(vm["disks"][0]["file"].as_str().unwrap());
        let lying: Vec<PathBuf> = fs::read_dir(&disks).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(lying, std::slice::from_ref(&file), "after a kill at {sixteenths}/16");
        let left: Vec<_> =
            fs::read_dir(state.join("host/vms/web")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["vm.json"]);
        if vm["state"] == "clear" {
            old += 1;
            assert!(fs::read(&file).unwrap() == clear);
        } else {
            new += 1;
            assert_eq!(node.post("/vms/web/unlock", &json!({})).0, 200);
            let copy = folder.path().join("copy.raw");
            assert_eq!(node.post("/vms/web/disks/0/decrypted-copy", &json!({ "path": copy })).0, 200);
            assert!(fs::read(&copy).unwrap() == clear);
            break;
        }
    }
    assert!(old > 0 && new == 1, "{old} kills left the old state, {new} the new one");
}

#[test]
fn a_stop_in_order_leaves_the_vm_as_it_was_and_tidies_up_at_once() {
    let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
    let server = KeyServer::start(&pki);
    let disks = folder.path().join("disks");
    fs::create_dir(&disks).unwrap();
    let image = disks.join("web.raw");
    // Large enough that the copy is under way for many looks at it.
    write_image(&image, 256 << 11);
    let mut node = Node::start(&folder.path().join("state"));
    node.register_provider(&pki, &server);
    assert_eq!(node.post("/vms", &json!({ "id": "web", "disks": [image] })).0, 201);
    let url = format!("{}/vms/web/encrypt", node.base);
    let asking = std::thread::spawn(move || answer(agent().post(url).send_json(json!({}))));
    while node.get("/vms/web").1["progress"].is_null() {}
    rustix::process::kill_process(rustix::process::Pid::from_child(&node.child), rustix::process::Signal::TERM)
        .unwrap();
    assert_eq!(code(&asking.join().unwrap()), (503, "stopping"));
    assert!(node.child.wait().unwrap().success());
    let lying: Vec<PathBuf> = fs::read_dir(&disks).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(lying, [image]);
}

#[test]
fn an_encryption_goes_on_when_the_caller_goes_away() {
    let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
    let server = KeyServer::start(&pki);
    let image = folder.path().join("web.raw");
    write_image(&image, 32 << 11);
    let node = Node::start(&folder.path().join("state"));
    node.register_provider(&pki, &server);
    assert_eq!(node.post("/vms", &json!({ "id": "web", "disks": [image] })).0, 201);
    let host = node.base.strip_prefix("http://").unwrap();
    {
        use std::io::Write;
        let mut caller = std::net::TcpStream::connect(host).unwrap();
        write!(caller, "POST /vms/web/encrypt HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n").unwrap();
        while node.get("/vms/web").1["progress"].is_null() && node.get("/vms/web").1["state"] == "clear" {}
    }
    let mut vm = node.get("/vms/web").1;
    while vm["state"] == "clear" {
        assert!(!vm["progress"].is_null() || node.get("/vms/web").1["state"] == "unlocked", "it was given up");
        vm = node.get("/vms/web").1;
    }
    assert_eq!(vm["state"], "unlocked");
}

#[test]
fn refusals_have_codes_and_reach_only_loopback() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("state"));
    let image = folder.path().join("web.raw");
    write_image(&image, 8);
    assert_eq!(node.post("/vms", &json!({ "id": "web", "disks": [image] })).0, 201);
    let none = json!({});
    let refusals = [
        (node.get("/vms/none"), (404, "unknown-vm")),
        (node.get("/vms/..%2fweb"), (400, "bad-request")),
        (node.get("/nothing"), (404, "not-found")),
        (node.get("/vms/web/disks/1/read?offset=0&len=1"), (404, "unknown-disk")),
        (node.get("/vms/web/disks/0/read?offset=4095&len=2"), (416, "range")),
        (node.get("/vms/web/disks/0/read?offset=0&len=999999999999"), (400, "bad-request")),
        (node.get("/vms/web/disks/0/read?offset=-1&len=1"), (400, "bad-request")),
        (node.post("/vms/web/unlock", &none), (409, "not-encrypted")),
        (node.post("/vms/web/encrypt", &none), (400, "bad-request")),
        (node.post("/vms/web/encrypt", &json!({ "provider": "none" })), (404, "unknown-provider")),
        (node.post("/vms", &json!({ "id": "web", "disks": [image] })), (409, "vm-exists")),
        (node.post("/vms", &json!({ "id": "db", "disks": [image] })), (409, "disk-in-use")),
        (node.post("/vms", &json!({ "id": "db", "disks": [folder.path()] })), (400, "not-a-disk")),
        (node.post("/vms", &json!({ "id": "db" })), (422, "bad-request")),
    ];
    for (number, (answer, expected)) in refusals.iter().enumerate() {
        assert_eq!(code(answer), *expected, "refusal {number}: {answer:?}");
    }
    let elsewhere = answer(agent().get(format!("{}/health", node.base)).header("Host", "example.org").call());
    assert_eq!(code(&elsewhere), (403, "forbidden"));

    let public = Command::new(env!("CARGO_BIN_EXE_esxi-sim"))
        .args(["serve", "--listen", "0.0.0.0:0", "--state"])
        .arg(folder.path().join("other"))
        .output()
        .unwrap();
    assert!(!public.status.success());
}
