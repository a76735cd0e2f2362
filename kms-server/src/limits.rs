//! Every limit and deadline of the node: its setting's name, its default, its allowed range and the reason for it.
//!
//! One table makes the struct, the defaults and the names that the `[limits]` section of the configuration takes, so a
//! limit cannot exist without a name an operator can set.

use std::time::Duration;

/// What a setting counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things or bytes.
    Count,
    /// Milliseconds.
    Milliseconds,
}

/// One row of [`SETTINGS`].
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The key in the `[limits]` section; a duration's name ends in `_ms`.
    pub name: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// The value when the configuration does not say.
    pub default: u64,
    /// Smallest value that is accepted.
    pub least: u64,
    /// Largest value that is accepted.
    pub most: u64,
}

macro_rules! limits {
    ($( $(#[$doc:meta])* $unit:ident $field:ident = $name:literal: $default:literal, $least:literal ..= $most:literal; )*) => {
        /// Limits and deadlines in force; [`Limits::default`] is what an empty `[limits]` section means.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits {
            $( $(#[$doc])* pub $field: limits!(@type $unit), )*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $( $field: limits!(@from $unit, $default), )* }
            }
        }

        /// Every setting of the `[limits]` section, in the order of the documentation.
        pub const SETTINGS: &[Setting] = &[
            $( Setting { name: $name, unit: Unit::$unit, default: $default, least: $least, most: $most }, )*
        ];

        impl Limits {
            /// Sets the limit called `name`; `false` if there is none of that name or the value does not fit this
            /// machine's word. The range is the caller's to check, with [`SETTINGS`].
            pub fn set(&mut self, name: &str, value: u64) -> bool {
                match name {
                    $( $name => limits!(@set $unit, self.$field, value), )*
                    _ => return false,
                }
                true
            }

            /// The value of the limit called `name`, in the unit of its setting.
            #[must_use]
            pub fn get(&self, name: &str) -> Option<u64> {
                match name {
                    $( $name => limits!(@get $unit, self.$field), )*
                    _ => None,
                }
            }
        }
    };
    (@type Count) => { usize };
    (@type Milliseconds) => { Duration };
    (@from Count, $value:literal) => { $value };
    (@from Milliseconds, $value:literal) => { Duration::from_millis($value) };
    (@set Count, $place:expr, $value:expr) => { match usize::try_from($value) { Ok(fits) => $place = fits, Err(_) => return false } };
    (@set Milliseconds, $place:expr, $value:expr) => { $place = Duration::from_millis($value) };
    (@get Count, $place:expr) => { u64::try_from($place).ok() };
    (@get Milliseconds, $place:expr) => { u64::try_from($place.as_millis()).ok() };
}

limits! {
    // -- connections --
    /// KMIP connections at one time. An idle one costs about 12 KiB, so the default stays under 256 MiB.
    Count connections = "connections": 16_384, 1 ..= 1_000_000;
    /// KMIP connections of one identity at one time: one tenant's leak must not take the node from the others.
    Count connections_per_identity = "connections_per_identity": 12_000, 1 ..= 1_000_000;
    /// Connections from one address (an IPv6 /64) at one time, authenticated or not. Several clients may stand behind
    /// one address, so it is not much below the whole.
    Count connections_per_address = "connections_per_address": 16_000, 1 ..= 1_000_000;
    /// Handshakes in progress at one time. Strangers can only hold these places, never those of the authenticated.
    Count handshakes = "handshakes": 4_096, 1 ..= 1_000_000;
    /// Handshakes in progress from one address (an IPv6 /64).
    Count handshakes_per_address = "handshakes_per_address": 2_048, 1 ..= 1_000_000;

    // -- phases of a connection --
    /// From accept to the end of the TLS handshake. Silent sockets and half a ClientHello end here.
    Milliseconds handshake_deadline = "handshake_deadline_ms": 5_000, 10 ..= 600_000;
    /// From the first byte of a message to its eighth.
    Milliseconds header_deadline = "header_deadline_ms": 5_000, 10 ..= 600_000;
    /// From the header to the last byte of the message: the largest message at 128 KiB/s.
    Milliseconds body_deadline = "body_deadline_ms": 8_000, 10 ..= 600_000;
    /// Without a message. Long, because some clients keep one connection open for hours between bursts and a new
    /// handshake costs more than an idle socket.
    Milliseconds idle_deadline = "idle_deadline_ms": 300_000, 10 ..= 86_400_000;
    /// For the peer to take one answer.
    Milliseconds write_deadline = "write_deadline_ms": 10_000, 10 ..= 600_000;
    /// For the peer to read the last answer and close, after which the socket is dropped.
    Milliseconds linger_deadline = "linger_deadline_ms": 1_000, 1 ..= 60_000;
    /// From the stop signal until connections that still work are dropped.
    Milliseconds drain_deadline = "drain_deadline_ms": 15_000, 10 ..= 600_000;

    // -- messages --
    /// Bytes of a request with its header. KMIP gives no number; keys and certificates need a few KiB.
    Count request_bytes = "request_bytes": 1_048_576, 1_024 ..= 16_777_216;
    /// Bytes of a request in XML or JSON, which take about three times the room of TTLV.
    Count document_bytes = "document_bytes": 4_194_304, 1_024 ..= 67_108_864;
    /// Bytes of an answer, whatever larger Maximum Response Size the client allows.
    Count response_bytes = "response_bytes": 4_194_304, 1_024 ..= 67_108_864;
    /// Batch items of one request.
    Count batch_items = "batch_items": 256, 1 ..= 256;
    /// Attributes of one object, its names among them.
    Count object_attributes = "object_attributes": 256, 1 ..= 1_000;
    /// How long, in seconds, an object that the server rotates by itself lives at least, whatever its Rotate Interval:
    /// each rotation leaves an object behind.
    Count rotate_interval_s = "rotate_interval_s": 3_600, 1 ..= 86_400;
    /// Share of its time, in percent, that the rotation of a Domain Key takes while others use the HSM too.
    Count reseal_share_percent = "reseal_share_percent": 25, 1 ..= 100;
    /// Between two looks for objects whose Rotate Interval has passed.
    Milliseconds rotation_round = "rotation_round_ms": 60_000, 100 ..= 3_600_000;
    /// Between two looks for objects whose date of activation or deactivation has come. Where nothing is due, a look is
    /// one query over two indexes.
    Milliseconds dates_round = "dates_round_ms": 1_000, 100 ..= 3_600_000;
    /// Share of its time, in percent, that storing such changes of state takes while there are more of them.
    Count dates_share_percent = "dates_share_percent": 50, 1 ..= 100;
    /// Identifiers in one answer to Locate when the client names no Maximum Items, and at most when it does.
    Count located_items = "located_items": 1_000, 1 ..= 100_000;
    /// Objects that one Locate reads and verifies before it gives up looking for more. Destroyed ones count where they
    /// are asked for.
    Count locate_examined = "locate_examined": 1_000_000, 1 ..= 10_000_000;
    /// Searches over thousands of objects that are made at one time; the others wait their turn.
    Count long_searches = "long_searches": 2, 1 ..= 1_000;
    /// How long such a search waits for its turn.
    Milliseconds long_search_patience = "long_search_patience_ms": 10_000, 10 ..= 600_000;

    // -- work --
    /// Requests in work at one time over all connections; more wait their turn.
    Count requests_in_work = "requests_in_work": 512, 1 ..= 100_000;

    // -- cryptographic operations --
    /// Operations in parts (streams) that may be open on the node. One may hold 1 MiB of what waits for its tag.
    Count streams = "streams": 512, 1 ..= 100_000;
    /// Those of one domain: one tenant's forgotten streams must not take the node from the others.
    Count streams_per_domain = "streams_per_domain": 64, 1 ..= 100_000;
    /// Between two parts of a stream, after which it ends.
    Milliseconds stream_idle_deadline = "stream_idle_deadline_ms": 300_000, 1_000 ..= 86_400_000;
    /// Bytes of one answer to RNG Retrieve: 64 KiB is 2000 keys, and the HSM's generator serves everybody.
    Count random_bytes = "random_bytes": 65_536, 32 ..= 1_048_576;

    // -- admin API --
    /// Admin connections at one time.
    Count admin_connections = "admin_connections": 256, 1 ..= 100_000;
    /// Bytes of an admin request's body.
    Count admin_body_bytes = "admin_body_bytes": 262_144, 1_024 ..= 16_777_216;
    /// From the first byte of an admin request to the end of its answer, exports excepted.
    Milliseconds admin_deadline = "admin_deadline_ms": 30_000, 10 ..= 600_000;

    // -- witnesses --
    /// For a witness to answer one question, connecting included. One that takes longer delays nothing while enough of
    /// the others answer.
    Milliseconds witness_deadline = "witness_deadline_ms": 3_000, 100 ..= 600_000;
    /// Without co-signatures of more than half of the witnesses for this long, changes are refused: what nobody else has
    /// seen can be taken back by whoever holds the database.
    Milliseconds witness_patience = "witness_patience_ms": 60_000, 100 ..= 3_600_000;
}

/// Bytes of a TTLV header: tag 3, type 1, length 4 (KMIP 1.4 §9.1.1).
pub const FRAME_HEADER_BYTES: usize = 8;

/// First allocation for the body of a message. Most requests fit; an announced length alone never buys more.
pub const FIRST_BUFFER_BYTES: usize = 4_096;

/// Messages of all domains that are answered later, waiting or with answers that wait. With the two limits below, what
/// they hold in memory stays below 128 MiB.
pub const JOBS: usize = 256;

/// Those of one domain, so that none takes the places of all.
pub const JOBS_PER_DOMAIN: usize = 64;

/// Bytes of a message that may be answered later. Where such an answer is only allowed, a longer one is answered at once.
pub const JOB_REQUEST_BYTES: usize = 256 * 1_024;

/// Bytes of the answer to it, whatever longer ones are allowed.
pub const JOB_ANSWER_BYTES: usize = 256 * 1_024;

/// Jobs worked on at one time. Clients that wait for their answers come first.
pub const JOB_WORKERS: usize = 2;

/// How long an answer waits to be fetched, in seconds: the time that an operator needs to restart a client, and more.
pub const JOB_ANSWER_LIFETIME_S: i64 = 900;

/// How long a Poll waits for an answer that may be about to come. Shorter than any client's patience.
pub const POLL_PATIENCE: Duration = Duration::from_secs(2);

/// How long a Poll waits after a Process, which says that it shall.
pub const PROCESS_PATIENCE: Duration = Duration::from_secs(30);

/// Polls that wait at one time. More are answered at once, so that those who wait do not take the places of those who
/// work.
pub const PATIENT_POLLS: usize = 64;

/// Tickets in force in all domains; each takes some hundred bytes, and up to [`kmip::limits::MAX_RIGHTS`] rights.
pub const TICKETS: usize = 4_096;

/// Those of one domain.
pub const TICKETS_PER_DOMAIN: usize = 256;

/// How long a ticket is good at most, and where its client does not say, in seconds: a working day.
pub const TICKET_LIFETIME_S: i64 = 8 * 3_600;

/// Bytes of a ticket's value: nobody guesses it.
pub const TICKET_BYTES: usize = 32;

/// Longest lease, in seconds: a year of 365 days.
pub const MAX_LEASE_S: u64 = 31_536_000;

/// Bytes of a seed that are used at most; what the HSM group takes.
pub const MAX_SEED_BYTES: usize = 4_096;

/// Sessions of PKCS#11 that one initialised library may have open; libraries are counted as streams.
pub const PKCS11_SESSIONS: usize = 16;

/// Bytes of a name in CK_INFO of PKCS#11.
pub const PKCS11_NAME_LEN: usize = 32;

/// Generators, validations or profiles that an operator states, each: Query tells them all in every answer.
pub const MAX_STATEMENTS: usize = 32;

/// Bytes of a text in them: a name or an address.
pub const MAX_STATEMENT_LEN: usize = 512;

/// Pause after a failed accept: long enough not to spin while descriptors are short, short against any client's
/// patience.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

// What these settings allow, the layers below have to take.
const _: () = assert!(256 <= kmip::limits::MAX_BATCH_ITEMS);
// Each item may tell of two transitions that fell due, beside its own record.
const _: () = assert!(3 * 256 <= keystore::limits::MAX_STEPS);
const _: () = assert!(1_000 <= keystore::limits::MAX_ATTRIBUTES);

const _: () = {
    let mut at = 0;
    while at < SETTINGS.len() {
        let row = &SETTINGS[at];
        assert!(row.least <= row.default && row.default <= row.most, "a default outside its own range");
        at += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_what_the_table_says() {
        let limits = Limits::default();
        for setting in SETTINGS {
            assert_eq!(limits.get(setting.name), Some(setting.default), "{}", setting.name);
        }
    }

    #[test]
    fn every_setting_can_be_set_by_its_name() {
        let mut limits = Limits::default();
        for setting in SETTINGS {
            assert!(limits.set(setting.name, setting.most), "{}", setting.name);
            assert_eq!(limits.get(setting.name), Some(setting.most), "{}", setting.name);
        }
        assert!(!limits.set("no_such_limit", 1));
    }

    #[test]
    fn a_duration_names_its_unit() {
        for setting in SETTINGS {
            assert_eq!(setting.name.ends_with("_ms"), setting.unit == Unit::Milliseconds, "{}", setting.name);
        }
    }

    #[test]
    fn slow_senders_are_gone_within_ten_seconds() {
        let limits = Limits::default();
        for deadline in [limits.handshake_deadline, limits.header_deadline, limits.body_deadline] {
            assert!(deadline + limits.linger_deadline <= Duration::from_secs(10));
        }
    }
}
