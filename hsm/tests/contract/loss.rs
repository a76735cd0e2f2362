//! Members that are lost, wrong, slow or lying, and what the callers notice of it.

use super::*;

#[test]
fn a_token_that_vanishes_is_noticed_replaced_and_taken_back() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();

        let folder = rig.token_folder("PAR7S");
        let aside = rig.path().join("aside");
        fs::rename(&folder, &aside).unwrap();
        group.wait_until(is_down("PAR7S")).await;
        let status = group.status();
        assert!(matches!(member(&status, "PAR7S").breaker, BreakerState::Open | BreakerState::HalfOpen));
        assert_eq!(member(&status, "PAR7S").domain_keys_held, 0);
        assert!(member(&status, "PAR7S").reason.is_some());
        assert!(member(&status, "TH3S").up && member(&status, "AZ07").up);

        // Old keys open, new ones are made, and the counters say who served.
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        let newer = group.create_domain_key(domain(2), 1).await.unwrap();
        let newly_sealed = group.seal(&newer, FACTS, &kek()).await.unwrap();
        let status = group.status();
        assert_eq!(member(&status, "PAR7S").opened, 0);
        assert_eq!((member(&status, "TH3S").opened, member(&status, "TH3S").created), (1, 1));

        // Without failover the very same calls fail, although the imported key would still work in the lost module.
        group.faults().set_failover(false);
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap_err().class(), ErrorClass::Unavailable);
        assert_eq!(group.create_domain_key(domain(3), 1).await.unwrap_err().class(), ErrorClass::Unavailable);
        group.faults().set_failover(true);

        fs::rename(&aside, &folder).unwrap();
        group.wait_until(is_up("PAR7S")).await;
        assert_eq!(member(&group.status(), "PAR7S").epochs, 2);
        group.faults().set_failover(false);
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        assert_eq!(group.open_sealed(&newer, FACTS, &newly_sealed).await.unwrap(), kek());
        assert_eq!(member(&group.status(), "PAR7S").opened, 2);
        group.close().await;
    });
}

#[test]
fn without_the_probe_an_imported_key_outlives_its_token() {
    // The control of the test above: it is the probe that takes the member out, not the call that fails.
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let mut config = rig.config();
        config.probe_interval = Duration::from_secs(3600);
        let group = Group::open(config, Some(&protocol.trust_anchor)).await.unwrap();
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
        fs::rename(rig.token_folder("PAR7S"), rig.path().join("aside")).unwrap();
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        assert_eq!(member(&group.status(), "PAR7S").opened, 1);
        group.close().await;
    });
}

#[test]
fn a_call_that_meets_the_loss_itself_fails_over_within_the_call() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let mut config = rig.config();
        config.probe_interval = Duration::from_secs(3600);
        let group = Group::open(config, Some(&protocol.trust_anchor)).await.unwrap();
        fs::rename(rig.token_folder("PAR7S"), rig.path().join("aside")).unwrap();
        // Needs the Root of Trust, so it notices.
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let status = group.status();
        assert_eq!(member(&status, "PAR7S").failed, 1);
        assert!(!member(&status, "PAR7S").up);
        assert_eq!(member(&status, "TH3S").created, 1);
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        group.close().await;
    });
}

#[test]
fn with_every_token_gone_the_group_says_so_and_comes_back() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
        let moved: Vec<_> = LABELS.map(|label| (rig.token_folder(label), rig.path().join(label))).into();
        for (folder, aside) in &moved {
            fs::rename(folder, aside).unwrap();
        }
        group.wait_until(|status| status.iter().all(|member| !member.up)).await;
        let refused = group.open_sealed(&dk, FACTS, &sealed).await.unwrap_err();
        assert!(matches!(&refused, HsmError::Unavailable { reasons } if reasons.len() == 3), "{refused}");
        for (folder, aside) in &moved {
            fs::rename(aside, folder).unwrap();
        }
        group.wait_until(|status| status.iter().all(|member| member.up)).await;
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        group.close().await;
    });
}

#[test]
fn a_group_opens_while_a_member_is_lost_and_takes_it_in_later() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let folder = rig.token_folder("TH3S");
        let aside = rig.path().join("aside");
        fs::rename(&folder, &aside).unwrap();
        let group = rig.open(&protocol.trust_anchor).await;
        assert!(is_down("TH3S")(&group.status()) && is_up("PAR7S")(&group.status()));
        fs::rename(&aside, &folder).unwrap();
        group.wait_until(is_up("TH3S")).await;
        assert_eq!(group.trust_anchor(), &protocol.trust_anchor);
        group.close().await;
    });
}

#[test]
fn a_wrong_pin_stops_the_member_for_good() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let pin_file = rig.member("PAR7S", "1").pin_file;
        fs::write(&pin_file, "0000-0000").unwrap();
        let group = rig.open(&protocol.trust_anchor).await;
        let status = group.status();
        assert_eq!(member(&status, "PAR7S").breaker, BreakerState::Stopped);
        assert!(member(&status, "PAR7S").reason.as_ref().unwrap().contains("CKR_PIN_INCORRECT"));
        // The right PIN changes nothing now. Another member is lost and comes back meanwhile: the keepers are at work.
        fs::write(&pin_file, PIN).unwrap();
        let folder = rig.token_folder("AZ07");
        let aside = rig.path().join("aside");
        fs::rename(&folder, &aside).unwrap();
        group.wait_until(is_down("AZ07")).await;
        fs::rename(&aside, &folder).unwrap();
        group.wait_until(is_up("AZ07")).await;
        assert_eq!(member(&group.status(), "PAR7S").breaker, BreakerState::Stopped);
        assert_eq!(member(&group.status(), "PAR7S").epochs, 0);
        group.create_domain_key(domain(1), 1).await.unwrap();
        group.close().await;
    });
}

#[test]
fn with_every_pin_wrong_an_operator_is_called() {
    let (rig, protocol) = Rig::after_ceremony();
    for label in LABELS {
        fs::write(rig.member(label, "1").pin_file, "0000-0000").unwrap();
    }
    let refused = run(Group::open(rig.config(), Some(&protocol.trust_anchor))).err().unwrap();
    assert_eq!(refused.class(), ErrorClass::Operator);
}

#[test]
fn a_member_with_another_root_of_trust_is_stopped() {
    let (rig, protocol) = Rig::after_ceremony();
    rig.blank_member("LYS2");
    let alien = ceremony::hold(&rig.config_of(&["LYS2"], "1"), &custodians(), 2, &mut |_| Ok(())).unwrap();
    assert_ne!(alien.trust_anchor.rot_fingerprint, protocol.trust_anchor.rot_fingerprint);
    run(async {
        let mut config = rig.config();
        config.members.insert(0, rig.member("LYS2", "1"));
        let group = Group::open(config.clone(), Some(&protocol.trust_anchor)).await.unwrap();
        let status = group.status();
        assert_eq!(member(&status, "LYS2").breaker, BreakerState::Stopped);
        assert!(member(&status, "LYS2").reason.as_ref().unwrap().contains("not the pinned one"));
        assert!(is_up("PAR7S")(&status));
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        assert_eq!(dk.rot_fingerprint, protocol.trust_anchor.rot_fingerprint);
        group.close().await;
        // And with the ceremony: two complete members with different roots are not brought together.
        let refused = ceremony::hold(&config, &custodians(), 2, &mut |_| Ok(()));
        assert!(matches!(refused, Err(CeremonyError::Fingerprint { .. })), "{refused:?}");
    });
}

#[test]
fn without_a_pinned_root_of_trust_the_first_member_decides() {
    let (rig, protocol) = Rig::after_ceremony();
    rig.blank_member("LYS2");
    let alien = ceremony::hold(&rig.config_of(&["LYS2"], "1"), &custodians(), 2, &mut |_| Ok(())).unwrap();
    run(async {
        let group = Group::open(rig.config(), None).await.unwrap();
        assert_eq!(group.trust_anchor(), &protocol.trust_anchor);
        group.close().await;
        for (order, up, anchor) in [
            (["LYS2", "PAR7S"], "LYS2", alien.trust_anchor.rot_fingerprint),
            (["PAR7S", "LYS2"], "PAR7S", protocol.trust_anchor.rot_fingerprint),
        ] {
            let group = Group::open(rig.config_of(&order, "1"), None).await.unwrap();
            assert_eq!(group.trust_anchor().rot_fingerprint, anchor);
            for member in group.status() {
                assert_eq!(member.up, member.label == up, "{member:?}");
            }
            group.close().await;
        }
    });
}

#[test]
fn a_token_replaced_by_a_blank_one_gets_no_new_keys() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
        fs::rename(rig.token_folder("PAR7S"), rig.path().join("aside")).unwrap();
        let so_pin = Secret::copy_from(b"9351-6042");
        let made = ceremony::init_token(
            &rig.member("PAR7S", "other").module,
            "PAR7S",
            &so_pin,
            &Secret::copy_from(PIN.as_bytes()),
        );
        assert_eq!(made.unwrap(), TokenState::Made);
        group
            .wait_until(|status| {
                let reason = member(status, "PAR7S").reason.as_deref();
                reason.is_some_and(|reason| reason.contains("no Root of Trust"))
            })
            .await;
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        group.create_domain_key(domain(2), 1).await.unwrap();
        assert_eq!(member(&group.status(), "TH3S").created, 1);
        group.close().await;
    });
    // The ceremony sees the blank member, too, and gives it nothing.
    let refused = rig.hold();
    assert!(matches!(refused, Err(CeremonyError::Standing(_))), "{refused:?}");
}

#[test]
fn a_member_with_another_checkpoint_key_is_stopped() {
    let (rig, protocol) = Rig::after_ceremony();
    let mut anchor = protocol.trust_anchor.clone();
    anchor.checkpoint_keys[1].public_key = anchor.checkpoint_keys[0].public_key;
    run(async {
        let group = rig.open(&anchor).await;
        assert_eq!(member(&group.status(), "TH3S").breaker, BreakerState::Stopped);
        assert!(is_up("PAR7S")(&group.status()) && is_up("AZ07")(&group.status()));
        group.close().await;
    });
}

#[test]
fn a_hanging_member_costs_a_deadline_and_comes_back() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let mut config = rig.config();
        config.call_deadline = Duration::from_millis(500);
        config.probe_interval = Duration::from_secs(3600);
        let group = Group::open(config, Some(&protocol.trust_anchor)).await.unwrap();
        // On a slow machine a short deadline may pass for nothing; what is shown here is what happens after it.
        group.faults().set("PAR7S", Mode::Hang);
        let random = loop {
            if let Ok(random) = group.random(32).await {
                break random;
            }
        };
        assert_eq!(random.len(), 32);
        let status = group.status();
        assert!(member(&status, "PAR7S").reason.as_ref().unwrap().contains("no answer within 500 ms"), "{status:?}");
        assert_eq!(member(&status, "PAR7S").random, 0);
        group.faults().set("PAR7S", Mode::None);
        group.wait_until(is_up("PAR7S")).await;
        assert_eq!(member(&group.status(), "PAR7S").epochs, 2);
        group.close().await;
    });
}

#[test]
fn a_group_whose_only_member_hangs_answers_with_a_deadline() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let mut config = rig.config_of(&["PAR7S"], "1");
        config.call_deadline = Duration::from_millis(500);
        config.probe_interval = Duration::from_secs(3600);
        let group = Group::open(config, Some(&protocol.trust_anchor)).await.unwrap();
        group.faults().set("PAR7S", Mode::Hang);
        assert_eq!(group.random(32).await.unwrap_err().class(), ErrorClass::Deadline);
        group.faults().set("PAR7S", Mode::None);
        group.close().await;
    });
}

#[test]
fn a_failing_member_is_left_within_the_call() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        group.faults().set("PAR7S", Mode::Fail);
        group.faults().set("TH3S", Mode::Fail);
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        assert_eq!(member(&group.status(), "AZ07").opened, 1);
        group.close().await;
    });
}

#[test]
fn a_member_that_answers_garbage_is_found_out_by_the_canary() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let mut config = rig.config();
        config.probe_interval = Duration::from_secs(3600);
        let group = Group::open(config, Some(&protocol.trust_anchor)).await.unwrap();
        let dk = group.create_domain_key(domain(1), 1).await.unwrap();
        let sealed = group.seal(&dk, FACTS, &kek()).await.unwrap();
        group.faults().set("PAR7S", Mode::Garbage);
        // The module says "general error", as it does for altered data; the canary tells the difference.
        assert_eq!(group.open_sealed(&dk, FACTS, &sealed).await.unwrap(), kek());
        let status = group.status();
        assert!(!member(&status, "PAR7S").up && member(&status, "TH3S").opened == 1, "{status:?}");
        group.close().await;
    });
}

#[test]
fn a_root_of_trust_that_answers_otherwise_than_at_the_start_stops_the_member() {
    let (rig, protocol) = Rig::after_ceremony();
    run(async {
        let group = rig.open(&protocol.trust_anchor).await;
        group.faults().set("PAR7S", Mode::Garbage);
        group.wait_until(is_down("PAR7S")).await;
        assert_eq!(member(&group.status(), "PAR7S").breaker, BreakerState::Stopped);
        group.close().await;
    });
}
