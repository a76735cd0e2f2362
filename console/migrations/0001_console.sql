-- What happened to the inventory, one row for each version; the inventory is the newest snapshot and the events after it.
CREATE TABLE event (
    version INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

-- The whole inventory as it was at a version.
CREATE TABLE snapshot (
    version INTEGER PRIMARY KEY,
    document TEXT NOT NULL
) STRICT;

-- Changes under way and done. `version` goes up with every write and is compared before one.
CREATE TABLE activity (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    vm TEXT,
    state TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX activity_of_tenant ON activity (tenant, id);
CREATE INDEX activity_unfinished ON activity (state) WHERE state IN ('waiting', 'running');

-- What a client called its request, so that asking twice changes once.
CREATE TABLE client_token (
    tenant TEXT NOT NULL,
    account TEXT NOT NULL,
    token TEXT NOT NULL,
    request BLOB NOT NULL,
    activity TEXT NOT NULL REFERENCES activity (id),
    PRIMARY KEY (tenant, account, token)
) STRICT, WITHOUT ROWID;

-- People. The password is a PHC string.
CREATE TABLE account (
    login TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    password TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What they may do in which tenant: a JSON list of permissions.
CREATE TABLE membership (
    login TEXT NOT NULL REFERENCES account (login),
    tenant TEXT NOT NULL,
    permissions TEXT NOT NULL,
    PRIMARY KEY (login, tenant)
) STRICT, WITHOUT ROWID;

-- Tokens, by the SHA-256 of their secret. The kinds are personal, access and session.
CREATE TABLE token (
    hash BLOB PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    login TEXT NOT NULL REFERENCES account (login),
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    permissions TEXT NOT NULL,
    parent TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX token_of_login ON token (login, tenant, kind);
CREATE INDEX token_expiry ON token (expires_at);
