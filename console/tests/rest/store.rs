//! The store: what was written is there after a restart, and nothing is lost to a write that came late.

use console::hypervisor::Hypervisors;
use console::platform::{Conditions, Platform, Refusal};
use console::store::{Store, StoreError};
use provisioning::Command;
use provisioning::units::Gib;
use serde_json::json;

use crate::support::{VMS, World};

#[test]
fn the_inventory_is_the_same_after_a_restart() {
    let world = World::new();
    let token = world.token("anna");
    // More than one snapshot's worth.
    for cpus in (1..=70).map(|number| number % 4 + 1) {
        let resized =
            world.order("PATCH", &token, &format!("{VMS}/vm-web"), &[], &json!({ "cpus": cpus, "memory_gib": 4 }));
        assert_eq!(resized.status, 201, "{}", resized.text);
    }
    let before = world.platform.current();
    assert_eq!(before.version, 71);
    let World { runtime, platform, folder, .. } = world;
    drop(platform);
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(&folder.path().join("console.sqlite")).await.unwrap();
        let (version, inventory) = store.inventory().await.unwrap();
        assert_eq!((version, &inventory), (before.version, &before.inventory));
    });
}

#[test]
fn one_process_has_the_store() {
    let world = World::new();
    let second = world.runtime.block_on(Store::open(&world.folder.path().join("console.sqlite")));
    assert!(matches!(second, Err(StoreError::Locked(_))));
}

#[test]
fn a_write_that_comes_late_is_refused_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(&folder.path().join("s.sqlite")).await.unwrap();
        let example = provisioning::example::inventory();
        assert_eq!(store.import(0, &example).await.unwrap(), 1);
        assert!(matches!(store.import(0, &Default::default()).await, Err(StoreError::Overtaken)));
        assert_eq!(store.inventory().await.unwrap(), (1, example));
    });
}

#[test]
fn changes_that_come_at_once_all_hold() {
    let world = World::new();
    let who = world.who("anna");
    let platform = &world.platform;
    world.runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..20_u64 {
            let (platform, who) = (std::sync::Arc::clone(platform), who.clone());
            tasks.spawn(async move {
                let command = Command::CreateNetwork {
                    network: format!("net-{number}").as_str().into(),
                    name: format!("n{number}"),
                    vlan: u16::try_from(200 + number).unwrap(),
                };
                platform.begin(&who, command, &Conditions::default()).await.map(|activity| activity.state)
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap().unwrap();
        }
    });
    let current = platform.current();
    assert_eq!(current.inventory.networks().filter(|one| one.id.as_str().starts_with("net-1")).count(), 11);
    assert_eq!(current.version, 21);
    let command = Command::ResizeVm { vm: "vm-web".into(), cpus: 0, memory: Gib(1) };
    let refused = world.runtime.block_on(platform.begin(&who, command, &Conditions::default()));
    assert!(refused.is_ok() || matches!(refused, Err(Refusal::Findings(_))));
}

#[test]
fn a_store_changed_by_hand_into_what_cannot_be_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.sqlite");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(&path).await.unwrap();
        store.import(0, &provisioning::example::inventory()).await.unwrap();
        drop(store);
        let spoil = |statement: &'static str| {
            let path = path.clone();
            async move {
                use sqlx::{ConnectOptions, Connection};
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
                let mut connection = options.connect().await.unwrap();
                sqlx::query(statement).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
        };
        let hypervisors = || Hypervisors::new(folder.path().join("v"), 512, [].into());
        let open = async || Platform::open(Store::open(&path).await.unwrap(), hypervisors()).await.map(|_| ());
        open().await.unwrap();
        spoil("INSERT INTO event VALUES (3, 0, '{\"event\":\"let-go\",\"vm\":\"vm-web\",\"activity\":\"a\"}')").await;
        assert!(open().await.unwrap_err().to_string().contains("event 3: the one before it is missing"));
        spoil("UPDATE event SET version = 2").await;
        assert!(open().await.unwrap_err().to_string().contains("event 2: the rules forbid it"));
        spoil("DELETE FROM event").await;
        spoil("UPDATE snapshot SET document = replace(document, 'lun-acme-1', 'nowhere') WHERE version = 1").await;
        open().await.map(|()| "a renaming throughout is another inventory, and whole").unwrap();
        spoil("UPDATE snapshot SET document = replace(document, '\"home\":\"nowhere\"', '\"home\":\"lost\"')").await;
        assert!(open().await.unwrap_err().to_string().starts_with("snapshot 1: "));
    });
}
