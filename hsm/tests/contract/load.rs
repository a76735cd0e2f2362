//! Many callers at once.

use super::*;

#[test]
fn two_groups_and_many_callers_share_the_tokens() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let mut wide = rig.config_of(&LABELS, "2");
        for member in &mut wide.members {
            member.vendor = Vendor::Network;
        }
        let groups =
            [rig.open(&protocol.trust_anchor).await, Group::open(wide, Some(&protocol.trust_anchor)).await.unwrap()];
        let mut keys = Vec::new();
        for number in 1..=8 {
            keys.push(groups[0].create_domain_key(domain(number), 1).await.unwrap());
        }
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..64_usize {
            let (sealer, opener) = (groups[task % 2].clone(), groups[(task / 2) % 2].clone());
            let keys = keys.clone();
            tasks.spawn(async move {
                for round in 0..8 {
                    let dk = &keys[(task + round) % keys.len()];
                    let facts = format!("object {task}/{round}").into_bytes();
                    let plain = Secret::new(vec![u8::try_from(task).unwrap(); 32 + round]);
                    let sealed = sealer.seal(dk, &facts, &plain).await.unwrap();
                    if task == 7 {
                        // Keys are taken away while others use them.
                        sealer.forget_version(dk.domain, 1).await;
                        opener.forget_version(dk.domain, 1).await;
                    }
                    assert_eq!(opener.open_sealed(dk, &facts, &sealed).await.unwrap(), plain);
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        for group in groups {
            assert_all_well(&group);
            group.close().await;
        }
    });
}

#[test]
fn failover_under_load_loses_no_call() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..16 {
            let (group, dk, sealed) = (group.clone(), dk.clone(), sealed.clone());
            let folder = (task == 0).then(|| (rig.token_folder("PAR7S"), rig.path().join("aside")));
            tasks.spawn(async move {
                for round in 0..200 {
                    if let Some((folder, aside)) = folder.as_ref().filter(|_| round == 20) {
                        fs::rename(folder, aside).unwrap();
                        group.wait_until(is_down("PAR7S")).await;
                    }
                    if let Some((folder, aside)) = folder.as_ref().filter(|_| round == 100) {
                        fs::rename(aside, folder).unwrap();
                        group.wait_until(is_up("PAR7S")).await;
                    }
                    assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        let status = group.status();
        let opened: u64 = status.iter().map(|member| member.opened).sum();
        assert_eq!(opened, 16 * 200);
        assert!(member(&status, "TH3S").opened > 0);
        assert_eq!(member(&status, "PAR7S").epochs, 2);
        group.close().await;
    });
}

#[test]
fn a_closed_group_leaves_its_modules_to_the_next_one() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let mut dk = None;
        for round in 0..5 {
            let group = rig.open(&protocol.trust_anchor).await;
            let key = match dk.take() {
                Some(key) => key,
                None => group.create_domain_key(domain(1), 1).await.unwrap(),
            };
            let sealed = group.seal(&key, FACTS, &kek()).await.unwrap();
            assert_eq!(group.open_sealed(&key, FACTS, &sealed).await.unwrap(), kek(), "round {round}");
            assert_all_well(&group);
            dk = Some(key);
            // Dropped without closing in every other round: the next group waits for the end of the epochs.
            if round % 2 == 0 {
                group.close().await;
            }
        }
    });
}
