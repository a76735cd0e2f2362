-- Everything a node must not forget. docs/formats.md says what the MACs cover.

-- A tenant, or the administrators.
CREATE TABLE domain (
    id          BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name        TEXT NOT NULL UNIQUE,
    state       INTEGER NOT NULL,
    revision    INTEGER NOT NULL,
    created_us  INTEGER NOT NULL,
    domain_key  BLOB NOT NULL,
    secret      BLOB NOT NULL,
    policy      TEXT NOT NULL,
    system      INTEGER NOT NULL,
    authority   BLOB,
    permissions INTEGER NOT NULL,
    defaults    BLOB,
    constraints BLOB,
    requests    BLOB, retention   TEXT,
    backups     BLOB,
    mac         BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- A registered certificate; its key belongs to one domain only.
CREATE TABLE identity (
    fingerprint BLOB NOT NULL PRIMARY KEY CHECK (length(fingerprint) = 32),
    domain      BLOB NOT NULL REFERENCES domain (id),
    name        TEXT NOT NULL,
    kind        INTEGER NOT NULL,
    role        TEXT,
    certificate BLOB NOT NULL,
    rights      TEXT NOT NULL,
    created_us  INTEGER NOT NULL,
    revoked     INTEGER NOT NULL,
    revision    INTEGER NOT NULL,
    mac         BLOB NOT NULL
) STRICT;

CREATE INDEX identity_of_domain ON identity (domain);

-- A managed object. Rows are long, so that they lie in the order in which they came, and a slim index leads to them: a
-- tree of the rows themselves would hold whole rows in its inner pages, four to a page. Identifiers are time-ordered, so
-- that entries of a domain are added at its end.
CREATE TABLE object (
    domain                     BLOB NOT NULL REFERENCES domain (id),
    id                         BLOB NOT NULL CHECK (length(id) = 16),
    revision                   INTEGER NOT NULL,
    object_type                INTEGER NOT NULL,
    state                      INTEGER NOT NULL,
    algorithm                  INTEGER,
    length                     INTEGER,
    usage_mask                 INTEGER NOT NULL,
    initial_date               INTEGER NOT NULL,
    activation_date            INTEGER,
    process_start_date         INTEGER,
    protect_stop_date          INTEGER,
    deactivation_date          INTEGER,
    destroy_date               INTEGER,
    compromise_occurrence_date INTEGER,
    compromise_date            INTEGER,
    archive_date               INTEGER,
    last_change_date           INTEGER NOT NULL,
    revocation_code            INTEGER,
    revocation_message         TEXT,
    owner                      BLOB NOT NULL,
    fresh                      INTEGER NOT NULL,
    attributes                 BLOB NOT NULL,
    seal_number                INTEGER NOT NULL,
    sealed                     BLOB,
    mac                        BLOB NOT NULL,
    PRIMARY KEY (domain, id)
) STRICT;

-- Objects that wait for a date to change their state: Pre-Active (1) ones with an Activation Date, Active (2) ones with a
-- Deactivation Date. Templates (6) and opaque objects (8) have no life-cycle.
CREATE INDEX object_to_activate ON object (domain, activation_date, id)
    WHERE state = 1 AND object_type NOT IN (6, 8) AND activation_date IS NOT NULL;
CREATE INDEX object_to_deactivate ON object (domain, deactivation_date, id)
    WHERE state = 2 AND object_type NOT IN (6, 8) AND deactivation_date IS NOT NULL;

-- Those that are not destroyed: nearly every search is among them, however many are gone.
CREATE INDEX object_living ON object (domain, id) WHERE destroy_date IS NULL;

-- What a living object can be looked up by: the first 16 bytes of SHA-256 of an attribute. Derived from the object's row.
CREATE TABLE object_term (
    domain BLOB NOT NULL,
    term   BLOB NOT NULL,
    object BLOB NOT NULL,
    PRIMARY KEY (domain, term, object)
) STRICT, WITHOUT ROWID;

-- The names of living objects, hashed like terms; each belongs to one object of its domain.
CREATE TABLE object_name (
    domain BLOB NOT NULL,
    name   BLOB NOT NULL,
    object BLOB NOT NULL,
    PRIMARY KEY (domain, name)
) STRICT, WITHOUT ROWID;

-- Objects whose key bytes are gone, and the position of the record that says so in the domain's log.
CREATE TABLE tombstone (
    domain BLOB NOT NULL REFERENCES domain (id),
    object BLOB NOT NULL,
    leaf   INTEGER NOT NULL,
    mac    BLOB NOT NULL,
    PRIMARY KEY (domain, object)
) STRICT, WITHOUT ROWID;

-- The audit logs; the system's has no domain.
CREATE TABLE log (
    id     INTEGER PRIMARY KEY,
    domain BLOB UNIQUE
) STRICT;

INSERT INTO log (id, domain) VALUES (1, NULL);

-- Audit records in the order in which they were appended, whatever log they belong to: rows clustered by log would
-- dirty a page per domain and commit. A record that retention dropped leaves its leaf, and the position of the record
-- that tells of it.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    log     INTEGER NOT NULL REFERENCES log (id),
    seq     INTEGER NOT NULL,
    leaf    BLOB NOT NULL,
    record  BLOB,
    dropped INTEGER CHECK ((record IS NULL) = (dropped IS NOT NULL)),
    UNIQUE (log, seq)
) STRICT;

-- Roots of perfect subtrees of 256^level leaves, so that neither a start nor a proof reads every leaf.
CREATE TABLE subtree (
    log   INTEGER NOT NULL REFERENCES log (id),
    level INTEGER NOT NULL,
    place INTEGER NOT NULL,
    root  BLOB NOT NULL,
    PRIMARY KEY (log, level, place)
) STRICT, WITHOUT ROWID;

-- Signed tree heads.
CREATE TABLE checkpoint (
    log  INTEGER NOT NULL REFERENCES log (id),
    size INTEGER NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (log, size)
) STRICT, WITHOUT ROWID;

-- Small named values. They carry no MAC.
CREATE TABLE setting (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
