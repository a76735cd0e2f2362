//! What decoding costs in memory: in proportion to what is there, never to what is announced.
//!
//! One test, because the allocator counts for the whole process.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

#[path = "support/generate/mod.rs"]
#[expect(unused_imports, reason = "whole messages are enough here")]
mod generate;

use kmip::ProtocolVersion;
use kmip::Tag;
use kmip::attribute::AttributeKind;
use kmip::limits::{MAX_ATTRIBUTES, MAX_BATCH_ITEMS, MAX_REPETITIONS, MAX_RIGHTS};
use kmip::message::{ItemPayload, RequestMessage, ResponseMessage};
use kmip::ttlv::Writer;
use peak_alloc::PeakAlloc;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What one request may cost beyond four times its length (bar P3).
const ALLOWANCE: usize = 64 << 10;

/// Bytes that `work` holds at its peak.
fn peak<T>(work: impl FnOnce() -> T) -> usize {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let kept = work();
    let peak = ALLOCATOR.peak_usage();
    drop(kept);
    peak.saturating_sub(before)
}

fn request(version: ProtocolVersion, batch_count: i32, items: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut w = Writer::new(version);
    w.structure(Tag::REQUEST_MESSAGE, |w| {
        w.structure(Tag::REQUEST_HEADER, |w| {
            w.structure(Tag::PROTOCOL_VERSION, |w| {
                w.integer(Tag::PROTOCOL_VERSION_MAJOR, version.major);
                w.integer(Tag::PROTOCOL_VERSION_MINOR, version.minor);
            });
            w.integer(Tag::BATCH_COUNT, batch_count);
        });
        items(w);
    });
    w.finish().to_vec()
}

fn item(w: &mut Writer, operation: u32, payload: impl FnOnce(&mut Writer)) {
    w.structure(Tag::BATCH_ITEM, |w| {
        w.enumeration(Tag::OPERATION, operation);
        w.structure(Tag::REQUEST_PAYLOAD, payload);
    });
}

/// The smallest attribute there is.
fn small_attribute(w: &mut Writer) {
    w.structure(Tag::ATTRIBUTE, |w| {
        w.text(Tag::ATTRIBUTE_NAME, "x-");
        w.text(Tag::ATTRIBUTE_VALUE, "");
    });
}

/// What 2.x sends in few bytes, in as many batch items as allowed.
fn of_2_x() -> Vec<(&'static str, Vec<u8>)> {
    let v = ProtocolVersion::V2_1;
    let many = i32::try_from(MAX_BATCH_ITEMS).unwrap();
    let batch = |operation: u32, payload: &dyn Fn(&mut Writer)| {
        request(v, many, |w| (0..MAX_BATCH_ITEMS).for_each(|_| item(w, operation, payload)))
    };
    let create = |attributes: &dyn Fn(&mut Writer)| {
        batch(0x01, &|w| {
            w.enumeration(Tag::OBJECT_TYPE, 2);
            w.structure(Tag::ATTRIBUTES, attributes);
        })
    };
    let references = |w: &mut Writer| {
        for kind in AttributeKind::ALL.iter().filter(|kind| **kind != AttributeKind::Custom) {
            w.enumeration(Tag::ATTRIBUTE_REFERENCE, kind.tag().0);
        }
    };
    let vendor = |w: &mut Writer| {
        w.structure(Tag::ATTRIBUTE, |w| {
            w.text(Tag::VENDOR_IDENTIFICATION, "x");
            w.text(Tag::ATTRIBUTE_NAME, "");
            w.text(Tag::ATTRIBUTE_VALUE, "");
        });
    };
    let several = |times: usize, write: fn(&mut Writer)| move |w: &mut Writer| (0..times).for_each(|_| write(w));
    vec![
        ("an empty structure in each item", create(&|w| w.structure(Tag::CRYPTOGRAPHIC_PARAMETERS, |_| {}))),
        ("an empty text in each item", create(&|w| w.text(Tag::COMMENT, ""))),
        ("two empty structures in each item", create(&several(2, |w| w.structure(Tag::USAGE_LIMITS, |_| {})))),
        ("small attributes", create(&several(100, |w| w.boolean(Tag::SENSITIVE, true)))),
        (
            "small structures",
            create(&several(100, |w| {
                w.structure(Tag::CRYPTOGRAPHIC_PARAMETERS, |w| w.boolean(Tag::RANDOM_IV, true));
            })),
        ),
        (
            "small digests",
            create(&several(100, |w| {
                w.structure(Tag::DIGEST, |w| w.enumeration(Tag::HASHING_ALGORITHM, 6));
            })),
        ),
        ("vendors' attributes", create(&|w| (0..100).for_each(|_| vendor(w)))),
        ("parameters of nothing", batch(0x1F, &|w| w.structure(Tag::CRYPTOGRAPHIC_PARAMETERS, |_| {}))),
        (
            "parameters of a little",
            batch(0x1F, &|w| {
                w.structure(Tag::CRYPTOGRAPHIC_PARAMETERS, |w| w.enumeration(Tag::BLOCK_CIPHER_MODE, 1));
            }),
        ),
        ("the largest payload, empty", batch(0x1D, &|_| {})),
        ("all attributes by reference", batch(0x0B, &references)),
        (
            "a hundred empty structures",
            request(v, 1, |w| {
                item(w, 0x08, |w| {
                    w.structure(Tag::ATTRIBUTES, |w| {
                        (0..100).for_each(|_| w.structure(Tag::CRYPTOGRAPHIC_PARAMETERS, |_| {}));
                    });
                });
            }),
        ),
        (
            "a million attributes in one structure",
            request(v, 1, |w| {
                item(w, 0x08, |w| {
                    w.structure(Tag::ATTRIBUTES, |w| (0..1_000_000).for_each(|_| w.boolean(Tag::FRESH, true)));
                });
            }),
        ),
    ]
}

#[test]
fn decoding_costs_at_most_four_times_the_message_and_64_kib() {
    let v = ProtocolVersion::V1_4;
    let count = |count: usize| i32::try_from(count).unwrap();
    let mut messages = vec![
        (
            "as many items as allowed",
            request(v, count(MAX_BATCH_ITEMS), |w| {
                (0..MAX_BATCH_ITEMS).for_each(|_| item(w, 0x1E, |_| {}));
            }),
        ),
        (
            "as many empty attributes as allowed",
            request(v, 1, |w| {
                item(w, 0x08, |w| (0..MAX_ATTRIBUTES).for_each(|_| small_attribute(w)));
            }),
        ),
        (
            "as many empty names as allowed",
            request(v, 1, |w| {
                item(w, 0x0B, |w| (0..MAX_ATTRIBUTES).for_each(|_| w.text(Tag::ATTRIBUTE_NAME, "")));
            }),
        ),
        (
            "a million attributes",
            request(v, 1, |w| {
                item(w, 0x08, |w| (0..1_000_000).for_each(|_| small_attribute(w)));
            }),
        ),
        ("a hundred thousand items", request(v, 100_000, |w| (0..100_000).for_each(|_| item(w, 0x1E, |_| {})))),
        ("one large text", request(v, 1, |w| item(w, 0x0A, |w| w.text(Tag::UNIQUE_IDENTIFIER, &"a".repeat(1 << 20))))),
        (
            "many versions",
            request(v, 1, |w| {
                item(w, 0x1E, |w| {
                    (0..50_000).for_each(|_| {
                        w.structure(Tag::PROTOCOL_VERSION, |w| {
                            w.integer(Tag::PROTOCOL_VERSION_MAJOR, 1);
                            w.integer(Tag::PROTOCOL_VERSION_MINOR, 1);
                        });
                    })
                });
            }),
        ),
        (
            "many empty alternative names",
            request(v, 1, |w| {
                item(w, 0x0D, |w| {
                    w.structure(Tag::ATTRIBUTE, |w| {
                        w.text(Tag::ATTRIBUTE_NAME, "X.509 Certificate Subject");
                        w.structure(Tag::ATTRIBUTE_VALUE, |w| {
                            w.bytes(Tag::SUBJECT_DISTINGUISHED_NAME, &[]);
                            (0..MAX_REPETITIONS).for_each(|_| w.bytes(Tag::SUBJECT_ALTERNATIVE_NAME, &[]));
                        });
                    });
                });
            }),
        ),
        (
            "as many empty rights as allowed, in as many items",
            request(ProtocolVersion::V2_1, count(MAX_BATCH_ITEMS), |w| {
                (0..MAX_BATCH_ITEMS).for_each(|_| {
                    item(w, 0x2F, |w| {
                        w.structure(Tag::RIGHTS, |w| (0..MAX_RIGHTS).for_each(|_| w.structure(Tag::RIGHT, |_| {})));
                    });
                });
            }),
        ),
        (
            "as many empty constraints as allowed",
            request(ProtocolVersion::V2_1, 1, |w| {
                item(w, 0x37, |w| {
                    w.structure(Tag::CONSTRAINTS, |w| {
                        (0..MAX_REPETITIONS).for_each(|_| w.structure(Tag::CONSTRAINT, |_| {}));
                    });
                });
            }),
        ),
        (
            "as many constraints of nothing as allowed",
            request(ProtocolVersion::V2_1, 1, |w| {
                item(w, 0x37, |w| {
                    w.structure(Tag::CONSTRAINTS, |w| {
                        (0..MAX_REPETITIONS).for_each(|_| {
                            w.structure(Tag::CONSTRAINT, |w| {
                                w.structure(Tag::OBJECT_TYPES, |_| {});
                                w.structure(Tag::OBJECT_GROUPS, |_| {});
                                w.structure(Tag::ATTRIBUTES, |_| {});
                            });
                        });
                    });
                });
            }),
        ),
        (
            "one large custom attribute",
            request(v, 1, |w| {
                item(w, 0x0D, |w| {
                    w.structure(Tag::ATTRIBUTE, |w| {
                        w.text(Tag::ATTRIBUTE_NAME, "x-large");
                        w.bytes(Tag::ATTRIBUTE_VALUE, &vec![7; 1 << 20]);
                    })
                });
            }),
        ),
    ];
    messages.extend(of_2_x());
    let mut runner = TestRunner::deterministic();
    for version in [v, ProtocolVersion::V2_1] {
        let any_request = generate::request(version, version);
        for _ in 0..64 {
            let request = any_request.new_tree(&mut runner).unwrap().current();
            messages.push(("any", request.encode().unwrap().to_vec()));
        }
    }
    for (what, message) in &messages {
        let allowed = 4 * message.len() + ALLOWANCE;
        // What costs more is refused before it is decoded; the message itself lies in memory too.
        let used = message.len() + peak(|| RequestMessage::decode(message));
        assert!(used <= allowed, "{what}: {used} bytes for a message of {}", message.len());
    }

    // A client's memory is bounded in the same way.
    let any_response = select(vec![v, ProtocolVersion::V2_1]).prop_flat_map(|v| generate::response(v, v));
    for _ in 0..128 {
        let message = any_response.new_tree(&mut runner).unwrap().current().encode();
        let used = message.len() + peak(|| ResponseMessage::decode(&message));
        assert!(used <= 4 * message.len() + ALLOWANCE, "{used} bytes for a response of {}", message.len());
    }

    // An item whose length is a lie, wherever it stands, is believed by nobody.
    let honest = request(v, 1, |w| {
        item(w, 0x01, |w| {
            w.enumeration(Tag::OBJECT_TYPE, 2);
            w.structure(Tag::TEMPLATE_ATTRIBUTE, small_attribute);
        })
    });
    let mut lies = 0;
    for at in (0..honest.len()).step_by(8) {
        // Every header stands at a multiple of 8; its length is the second half.
        for announced in [u32::MAX, u32::MAX - 7, 0x7FFF_FFF8, 1 << 31] {
            let mut lying = honest.clone();
            lying[at + 4..at + 8].copy_from_slice(&announced.to_be_bytes());
            let used = peak(|| (RequestMessage::decode(&lying), ResponseMessage::decode(&lying)));
            assert!(used < ALLOWANCE, "{used} bytes for length {announced} at {at}");
            lies += usize::from(RequestMessage::decode(&lying).is_err_and(|error| error.offset <= lying.len()));
        }
    }
    assert!(lies > 30, "{lies}");

    // The control: what is announced and there does cost memory, so the allocator counts.
    let large = request(v, 1, |w| item(w, 0x0A, |w| w.text(Tag::UNIQUE_IDENTIFIER, &"a".repeat(1 << 20))));
    let read = || {
        RequestMessage::decode(&large)
            .inspect(|message| assert!(matches!(message.items[0].payload, ItemPayload::Typed(_))))
    };
    assert!(peak(read) >= 1 << 20);
}
