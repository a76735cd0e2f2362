//! Every decision as a table of text, to be reviewed like prose. `UPDATE_GOLDEN=1` writes the tables anew.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::{fmt::Write as _, fs, path::Path};

use kmip::{
    ProtocolVersion,
    attribute::{AttributeKind, AttributeValue},
    registry::{CryptographicAlgorithm, ObjectType, Operation, State, UsageMask},
    ttlv::DateTime,
};
use policy::{
    access::{self, Actor, Denied, Ownership},
    algorithm::{self, AlgorithmPolicy, AlgorithmRefusal},
    attributes::{self, AttributeRefusal, Subject},
    lifecycle::{self, Dates, Event},
    usage::{self, Usable, UsageRefusal},
};

/// Compares `table` with the golden file, line by line so that the first difference is named.
fn check(name: &str, table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    // Columns are padded for reading; blanks at the ends of lines are nobody's friend.
    let table: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &table).unwrap();
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    for (number, (golden, now)) in (1..).zip(golden.lines().zip(table.lines())) {
        assert_eq!(golden, now, "{name}, line {number}");
    }
    assert_eq!(golden.lines().count(), table.lines().count(), "{name}: number of lines");
}

#[test]
fn lifecycle() {
    let mut table = format!("{:<22}", "state");
    for event in Event::ALL {
        write!(table, "{:<22}", event.name()).unwrap();
    }
    for state in State::ALL {
        write!(table, "\n{:<22}", state.text()).unwrap();
        for event in Event::ALL {
            let after = lifecycle::after(*state, &event).map_or("-", State::text);
            write!(table, "{after:<22}").unwrap();
        }
    }
    check("lifecycle.txt", &table);
}

#[test]
fn lifecycle_by_dates() {
    let mut table = format!("{:<22}{:<14}{:<14}{:<22}due\n", "stored", "activation", "deactivation", "effective");
    let now = 100;
    let name = |date: Option<i64>| match date {
        None => "none",
        Some(date) if date <= now => "reached",
        Some(_) => "to come",
    };
    for state in State::ALL {
        for activation in [None, Some(now), Some(now + 1)] {
            for deactivation in [None, Some(now), Some(now + 1)] {
                let dates = Dates { activation, deactivation, ..Dates::default() };
                let effective = lifecycle::effective(*state, &dates, now);
                let due: Vec<_> = effective.due.iter().map(|due| due.event.name()).collect();
                writeln!(
                    table,
                    "{:<22}{:<14}{:<14}{:<22}{}",
                    state.text(),
                    name(activation),
                    name(deactivation),
                    effective.state.text(),
                    due.join(", ")
                )
                .unwrap();
            }
        }
    }
    check("lifecycle-by-dates.txt", &table);
}

#[test]
fn usage() {
    let now = 100;
    let mut table =
        String::from("The key has Encrypt and Decrypt; it is asked to protect with need, to process with need.\n\n");
    writeln!(
        table,
        "{:<22}{:<15}{:<14}{:<14}{:<7}{:<22}{:<22}",
        "state", "process start", "protect stop", "need", "get", "protect", "process"
    )
    .unwrap();
    let say = |decision: Result<(), UsageRefusal>| match decision {
        Ok(()) => "yes".to_owned(),
        Err(UsageRefusal::State(_)) => "no: state".to_owned(),
        Err(UsageRefusal::BeforeProcessStart) => "no: not started".to_owned(),
        Err(UsageRefusal::AfterProtectStop) => "no: stopped".to_owned(),
        Err(UsageRefusal::Mask(_)) => "no: mask".to_owned(),
    };
    let needs =
        [("crypt", UsageMask::ENCRYPT, UsageMask::DECRYPT), ("wrap", UsageMask::WRAP_KEY, UsageMask::UNWRAP_KEY)];
    for state in State::ALL {
        for (start_name, process_start) in [("none", None), ("now", Some(now)), ("to come", Some(now + 1))] {
            for (stop_name, protect_stop) in [("none", None), ("now", Some(now)), ("over", Some(now - 1))] {
                for (need, protecting, processing) in needs {
                    let dates = Dates { process_start, protect_stop, ..Dates::default() };
                    let mask = UsageMask::ENCRYPT.union(UsageMask::DECRYPT);
                    let key = Usable { state: *state, dates: &dates, mask };
                    writeln!(
                        table,
                        "{:<22}{start_name:<15}{stop_name:<14}{need:<14}{:<7}{:<22}{:<22}",
                        state.text(),
                        if usage::may_get(*state).is_ok() { "yes" } else { "no" },
                        say(usage::may_protect(&key, protecting, now)),
                        say(usage::may_process(&key, processing, now)),
                    )
                    .unwrap();
                }
            }
        }
    }
    check("usage.txt", &table);
}

#[test]
fn access() {
    let mut table = format!("{:<30}", "operation");
    for actor in Actor::ALL {
        write!(table, "{:<36}", actor.name()).unwrap();
    }
    write!(table, "\n{:<30}", "").unwrap();
    for _ in Actor::ALL {
        for ownership in Ownership::ALL {
            write!(table, "{:<12}", ownership.name()).unwrap();
        }
    }
    for operation in Operation::ALL {
        write!(table, "\n{:<30}", operation.text()).unwrap();
        for actor in Actor::ALL {
            for ownership in Ownership::ALL {
                let cell = match access::decide(actor, *operation, ownership) {
                    Ok(()) => "yes",
                    Err(Denied::NotFound) => "not found",
                    Err(Denied::NotPermitted) => "never",
                };
                write!(table, "{cell:<12}").unwrap();
            }
        }
    }
    check("access.txt", &table);
}

fn refusal(decision: Result<(), AttributeRefusal>) -> &'static str {
    match decision {
        Ok(()) => "yes",
        Err(AttributeRefusal::Unknown) => "unknown",
        Err(AttributeRefusal::ReadOnly(_)) => "read-only",
        Err(AttributeRefusal::Required(_)) => "required",
        Err(AttributeRefusal::WrongState { .. }) => "state",
        Err(AttributeRefusal::Reached(_)) => "reached",
        Err(AttributeRefusal::UsageAllocated) => "allocated",
        Err(AttributeRefusal::SingleValued(_)) => "has one",
        Err(AttributeRefusal::NotSet(_)) => "not set",
        Err(AttributeRefusal::NotApplicable { .. }) => "n/a",
        Err(AttributeRefusal::OneWay(_)) => "one way",
        Err(AttributeRefusal::InvalidValue { .. }) => "invalid",
        Err(AttributeRefusal::Unsupported(_)) => "unsupported",
    }
}

/// A valid value of each attribute that a client may ever set; the others need none to be refused.
fn value_of(kind: AttributeKind) -> Option<AttributeValue> {
    use AttributeKind as K;
    use AttributeValue as V;
    use kmip::attribute as a;
    use kmip::registry as r;
    Some(match kind {
        K::UniqueIdentifier => V::UniqueIdentifier("1".into()),
        K::Name => V::Name(a::Name::text("n")),
        K::ObjectType => V::ObjectType(ObjectType::SymmetricKey),
        K::CryptographicAlgorithm => V::CryptographicAlgorithm(CryptographicAlgorithm::Aes),
        K::CryptographicLength => V::CryptographicLength(256),
        K::CryptographicParameters => V::CryptographicParameters(Box::default()),
        K::CertificateType => V::CertificateType(r::CertificateType::X509),
        K::CertificateLength => V::CertificateLength(1000),
        K::OperationPolicyName => V::OperationPolicyName("default".into()),
        K::CryptographicUsageMask => V::CryptographicUsageMask(UsageMask::ENCRYPT),
        K::UsageLimits => V::UsageLimits(Box::new(a::UsageLimits { total: Some(1), count: None, unit: None })),
        K::State => V::State(State::Active),
        K::InitialDate => V::InitialDate(DateTime(0)),
        K::ActivationDate => V::ActivationDate(DateTime(200)),
        K::ProcessStartDate => V::ProcessStartDate(DateTime(200)),
        K::ProtectStopDate => V::ProtectStopDate(DateTime(200)),
        K::DeactivationDate => V::DeactivationDate(DateTime(200)),
        K::DestroyDate => V::DestroyDate(DateTime(0)),
        K::CompromiseOccurrenceDate => V::CompromiseOccurrenceDate(DateTime(0)),
        K::CompromiseDate => V::CompromiseDate(DateTime(0)),
        K::ArchiveDate => V::ArchiveDate(DateTime(0)),
        K::ObjectGroup => V::ObjectGroup("g".into()),
        K::Fresh => V::Fresh(true),
        K::Link => V::Link(a::Link { link_type: r::LinkType::ParentLink, linked_object_identifier: "1".into() }),
        K::ApplicationSpecificInformation => {
            V::ApplicationSpecificInformation(Box::new(a::ApplicationSpecificInformation {
                application_namespace: "ns".into(),
                application_data: Some("d".into()),
            }))
        }
        K::ContactInformation => V::ContactInformation("c".into()),
        K::LastChangeDate => V::LastChangeDate(DateTime(0)),
        K::AlternativeName => V::AlternativeName(a::AlternativeName {
            value: "n".into(),
            name_type: r::AlternativeNameType::UninterpretedTextString,
        }),
        K::KeyValuePresent => V::KeyValuePresent(true),
        K::OriginalCreationDate => V::OriginalCreationDate(DateTime(0)),
        K::Pkcs12FriendlyName => V::Pkcs12FriendlyName("f".into()),
        K::Description => V::Description("d".into()),
        K::Comment => V::Comment("c".into()),
        K::Sensitive => V::Sensitive(true),
        K::AlwaysSensitive => V::AlwaysSensitive(true),
        K::Extractable => V::Extractable(false),
        K::NeverExtractable => V::NeverExtractable(true),
        K::Custom => return V::custom_text("x-c", "1"),
        K::LeaseTime => V::LeaseTime(kmip::ttlv::Interval(1)),
        _ => return None,
    })
}

fn name_of(kind: AttributeKind) -> &'static str {
    if kind == AttributeKind::Custom { "x-c" } else { kind.text() }
}

#[test]
fn attributes_of_a_symmetric_key() {
    let now = 100;
    let mut table =
        String::from("A symmetric key without dates, KMIP 1.4. add: the first value; again: a second one.\n\n");
    write!(table, "{:<35}", "attribute").unwrap();
    for state in State::ALL {
        write!(table, "{:<48}", state.text()).unwrap();
    }
    write!(table, "\n{:<35}", "").unwrap();
    for _ in State::ALL {
        for verb in ["add", "again", "modify", "delete"] {
            write!(table, "{verb:<12}").unwrap();
        }
    }
    let dates = Dates::default();
    for kind in AttributeKind::ALL {
        write!(table, "\n{:<35}", name_of(*kind)).unwrap();
        for state in State::ALL {
            let subject = Subject {
                object_type: ObjectType::SymmetricKey,
                state: *state,
                dates: &dates,
                usage_allocated: false,
                version: ProtocolVersion::V1_4,
                now,
            };
            let delete = refusal(attributes::may_delete(&subject, name_of(*kind)));
            let cells = match value_of(*kind) {
                None => ["", "", "", delete],
                Some(value) => [
                    refusal(attributes::may_add(&subject, 0, &value)),
                    refusal(attributes::may_add(&subject, 1, &value)),
                    refusal(attributes::may_modify(&subject, Some(&value), &value)),
                    delete,
                ],
            };
            for cell in cells {
                write!(table, "{cell:<12}").unwrap();
            }
        }
    }
    check("attributes.txt", &table);
}

#[test]
fn attributes_of_new_objects() {
    use policy::creation::{Origin, may_set};
    let mut table = String::from(
        "What a client may give: Create, and Register by object type; in 1.4, and in 2.1 where that differs.\n\n",
    );
    let cases: Vec<(Origin, ObjectType)> = std::iter::once((Origin::Created, ObjectType::SymmetricKey))
        .chain(ObjectType::ALL.iter().map(|object_type| (Origin::Registered, *object_type)))
        .collect();
    write!(table, "{:<35}", "attribute").unwrap();
    for (origin, object_type) in &cases {
        let head = if *origin == Origin::Created { "Create" } else { object_type.text() };
        write!(table, "{head:<24}").unwrap();
    }
    for kind in AttributeKind::ALL {
        let Some(value) = value_of(*kind) else { continue };
        write!(table, "\n{:<35}", name_of(*kind)).unwrap();
        for (origin, object_type) in &cases {
            let [old, new] = [ProtocolVersion::V1_4, ProtocolVersion::V2_1]
                .map(|version| refusal(may_set(*origin, *object_type, version, &value)));
            let cell = if old == new { old.to_owned() } else { format!("{old}, 2.1: {new}") };
            write!(table, "{cell:<24}").unwrap();
        }
    }
    check("attributes-of-new-objects.txt", &table);
}

#[test]
fn algorithms() {
    let mut table = String::from(
        "Symmetric keys that are made here (bits; the default first), and the shortest key that may be registered.\n\n",
    );
    write!(table, "{:<22}", "algorithm").unwrap();
    for policy in AlgorithmPolicy::ALL {
        write!(table, "{:<42}{:<18}", format!("{}: create", policy.name()), format!("{}: register", policy.name()))
            .unwrap();
    }
    for algorithm in CryptographicAlgorithm::ALL {
        write!(table, "\n{:<22}", algorithm.text()).unwrap();
        for policy in AlgorithmPolicy::ALL {
            let made = match algorithm::may_create_symmetric(policy, *algorithm, None) {
                Err(AlgorithmRefusal::NotSymmetric(_)) => "-".to_owned(),
                Err(_) => "excluded".to_owned(),
                Ok(default) => {
                    let lengths: Vec<i32> = (1..=algorithm::MAX_SYMMETRIC_BITS + 8)
                        .filter(|length| algorithm::may_create_symmetric(policy, *algorithm, Some(*length)).is_ok())
                        .collect();
                    format!("{default} of {}", spans(&lengths))
                }
            };
            let shortest = (1..=algorithm::MAX_SYMMETRIC_BITS)
                .find(|length| algorithm::may_register(policy, *algorithm, *length).is_ok());
            let shortest = shortest.map_or("excluded".to_owned(), |length| length.to_string());
            write!(table, "{made:<42}{shortest:<18}").unwrap();
        }
    }
    check("algorithms.txt", &table);
}

/// Lengths as a list, or as a span where they follow each other in steps of 8.
fn spans(lengths: &[i32]) -> String {
    match lengths {
        [first, .., last]
            if lengths.len() > 4 && lengths.windows(2).all(|pair| matches!(pair, [a, b] if b - a == 8)) =>
        {
            format!("{first} to {last} step 8")
        }
        _ => lengths.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}
