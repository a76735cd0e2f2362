//! The host with real images, without a key server: keys are made up here.

use ring::rand::SystemRandom;

use super::rewrite::Unwatched;
use super::*;

struct World {
    folder: tempfile::TempDir,
    plain: Vec<u8>,
}

const KEK: [u8; 32] = [5; 32];

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plain: Vec<u8> = (0..4096_u32).flat_map(u32::to_le_bytes).collect();
        fs::write(folder.path().join("web.raw"), &plain).unwrap();
        Self { folder, plain }
    }

    fn boot(&self) -> Host {
        Host::boot(&self.folder.path().join("host"), "esx-1", None).unwrap()
    }

    fn disk(&self) -> PathBuf {
        self.folder.path().join("web.raw")
    }

    fn encrypted(&self) -> Host {
        let host = self.boot();
        let vm = host.register(name(), &[self.disk()], None).unwrap();
        vm.begin().unwrap().encrypt(&key("1"), &kek(), &SystemRandom::new(), &Unwatched).unwrap();
        host
    }
}

fn name() -> VmId {
    "vm-web".parse().unwrap()
}

fn key(id: &str) -> CryptoKeyId {
    CryptoKeyId::new(id, "clavis".parse().unwrap()).unwrap()
}

fn kek() -> Secret {
    Secret::copy_from(&KEK)
}

#[test]
fn a_reboot_locks_and_the_key_unlocks() {
    let world = World::new();
    let host = world.encrypted();
    let len = world.plain.len() as u64;
    assert!(*host.vm(&name()).unwrap().read_disk(0, 0, len).unwrap() == world.plain);
    assert!(!world.disk().exists(), "the clear image is still there");
    drop(host);

    let host = world.boot();
    let vm = host.vm(&name()).unwrap();
    assert_eq!((host.cached_keys(), vm.status().state), (0, "locked"));
    let refused = vm.read_disk(0, 0, 1).unwrap_err().to_string();
    assert_eq!(refused, "The operation is not allowed in the current state. Key 1/clavis not found on the host");
    vm.begin().unwrap().unlock(&kek()).unwrap();
    assert!(*vm.read_disk(0, 0, len).unwrap() == world.plain);
    assert_eq!(vm.status().state, "unlocked");
}

#[test]
fn another_key_does_not_unlock() {
    let world = World::new();
    drop(world.encrypted());
    let host = world.boot();
    let vm = host.vm(&name()).unwrap();
    for wrong in [Secret::new(vec![6; 32]), Secret::new(vec![5; 16])] {
        let refused = vm.begin().unwrap().unlock(&wrong).unwrap_err();
        assert!(matches!(refused, HostError::Locked { reason: LockReason::KeyDoesNotOpen, .. }), "{refused}");
    }
    assert_eq!(vm.status().locked, Some(LockReason::KeyDoesNotOpen));
}

#[test]
fn a_missing_key_is_named_as_vsphere_names_it() {
    let world = World::new();
    drop(world.encrypted());
    let host = world.boot();
    let vm = host.vm(&name()).unwrap();
    vm.note_lock(LockReason::KeyMissingOnKms);
    let message = vm.status().message.unwrap();
    assert_eq!(message, "The operation is not allowed in the current state. Key 1/clavis not found");
}

#[test]
fn shallow_rekey_keeps_the_disk_and_deep_rekey_rewrites_it() {
    let world = World::new();
    let host = world.encrypted();
    let vm = host.vm(&name()).unwrap();
    let file = |vm: &Vm| vm.status().disks[0].file.clone();
    let (first, before) = (file(&vm), fs::read(file(&vm)).unwrap());
    let (second_kek, third_kek) = (Secret::new(vec![7; 32]), Secret::new(vec![8; 32]));
    let random = SystemRandom::new();

    vm.begin().unwrap().rekey(Rekey::Shallow, &kek(), &key("2"), &second_kek, &random, &Unwatched).unwrap();
    assert!(file(&vm) == first && fs::read(&first).unwrap() == before);
    assert_eq!(vm.key(), Some(key("2")));

    vm.begin().unwrap().rekey(Rekey::Deep, &second_kek, &key("3"), &third_kek, &random, &Unwatched).unwrap();
    assert!(!first.exists());
    assert!(fs::read(file(&vm)).unwrap().chunks(512).zip(before.chunks(512)).all(|(new, old)| new != old));
    drop((vm, host));

    let host = world.boot();
    let vm = host.vm(&name()).unwrap();
    assert!(vm.begin().unwrap().unlock(&second_kek).is_err(), "the old key still opens");
    vm.begin().unwrap().unlock(&third_kek).unwrap();
    assert!(*vm.read_disk(0, 0, world.plain.len() as u64).unwrap() == world.plain);
}

#[test]
fn a_rekey_with_the_wrong_old_key_changes_nothing() {
    let world = World::new();
    let host = world.encrypted();
    let vm = host.vm(&name()).unwrap();
    let wrong = Secret::new(vec![9; 32]);
    for how in [Rekey::Shallow, Rekey::Deep] {
        assert!(vm.begin().unwrap().rekey(how, &wrong, &key("2"), &kek(), &SystemRandom::new(), &Unwatched).is_err());
    }
    assert_eq!(vm.key(), Some(key("1")));
    assert!(*vm.read_disk(0, 0, world.plain.len() as u64).unwrap() == world.plain);
}

#[test]
fn a_vm_is_encrypted_once_and_by_one_at_a_time() {
    let world = World::new();
    let host = world.encrypted();
    let vm = host.vm(&name()).unwrap();
    let change = vm.begin().unwrap();
    assert!(matches!(vm.begin(), Err(HostError::Busy(_))));
    let again = change.encrypt(&key("2"), &kek(), &SystemRandom::new(), &Unwatched);
    assert!(matches!(again, Err(HostError::AlreadyEncrypted(_))));
}

#[test]
fn a_disk_has_one_owner() {
    let world = World::new();
    let host = world.boot();
    let link = world.folder.path().join("link.raw");
    std::os::unix::fs::symlink(world.disk(), &link).unwrap();
    let twice = host.register(name(), &[world.disk(), link.clone()], None);
    assert!(matches!(twice, Err(HostError::DiskInUse { .. })));
    host.register(name(), &[world.disk()], None).unwrap();
    let other = "vm-db".parse().unwrap();
    assert!(matches!(host.register(other, &[link], None), Err(HostError::DiskInUse { .. })));
    assert!(matches!(host.register(name(), &[world.disk()], None), Err(HostError::VmExists(_))));
    assert!(matches!(host.register("x".parse().unwrap(), &[], None), Err(HostError::DiskCount(0))));
}

#[test]
fn a_vm_that_cannot_be_read_does_not_keep_the_others_from_starting() {
    let world = World::new();
    let host = world.boot();
    host.register(name(), &[world.disk()], None).unwrap();
    drop(host);
    let broken = world.folder.path().join("host/vms/broken");
    fs::create_dir(&broken).unwrap();
    fs::write(broken.join("vm.json"), "{").unwrap();
    fs::create_dir(world.folder.path().join("host/vms/half-registered")).unwrap();
    let host = world.boot();
    assert_eq!(host.vms().len(), 1);
    assert_eq!(host.unreadable().keys().map(VmId::as_str).collect::<Vec<_>>(), ["broken"]);
}

#[test]
fn the_host_remembers_who_it_is_and_not_its_keys() {
    let world = World::new();
    let host = world.boot();
    assert_eq!(host.crypto_state(), CryptoState::Incapable);
    let uuid = host.uuid();
    host.enable(key("host"), Arc::new(kek())).unwrap();
    assert_eq!(host.crypto_state(), CryptoState::Safe);
    drop(host);
    let host = world.boot();
    assert_eq!((host.uuid(), host.name(), host.host_key()), (uuid, "esx-1".to_owned(), Some(key("host"))));
    assert_eq!(host.crypto_state(), CryptoState::Prepared);
}

#[test]
fn two_hosts_cannot_share_a_folder() {
    let world = World::new();
    let _host = world.boot();
    let second = Host::boot(&world.folder.path().join("host"), "esx-2", None);
    assert!(matches!(second, Err(HostError::FolderInUse(_))));
}

#[test]
fn neither_kek_nor_dek_is_in_any_file() {
    let world = World::new();
    let host = world.encrypted();
    host.add_key(key("1"), Arc::new(kek()));
    let config = fs::read(host.vm(&name()).unwrap().status().configuration).unwrap();
    let text = String::from_utf8(config).unwrap();
    assert!(text.contains("AES-256-GCM") && !text.contains(&hex::encode(KEK)));
    let mut folders = vec![world.folder.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert!(!fs::read(&path).unwrap().windows(32).any(|part| part == KEK), "{path:?}");
            }
        }
    }
}

#[test]
fn a_decrypted_vm_lies_in_clear_as_before() {
    let world = World::new();
    let host = world.encrypted();
    let vm = host.vm(&name()).unwrap();
    let change = vm.begin().unwrap();
    assert!(change.decrypt(&Secret::copy_from(&[6; 32]), &Unwatched).is_err(), "another key decrypts");
    assert_eq!(vm.status().state, "unlocked");
    change.decrypt(&kek(), &Unwatched).unwrap();
    assert_eq!((vm.status().state, vm.key()), ("clear", None));
    let file = vm.status().disks[0].file.clone();
    assert!(fs::read(&file).unwrap() == world.plain);
    drop((change, vm, host));
    // The boot finds it in clear, too, and nothing else beside it.
    let host = world.boot();
    assert_eq!(host.vm(&name()).unwrap().status().state, "clear");
    let images = fs::read_dir(world.folder.path()).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_file());
    assert_eq!(images.count(), 1);
}
