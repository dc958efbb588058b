-- People, how they sign in, and what is secret. `version` grows with every change that an editor has to know of. Numbers are never
-- given twice: what is left of somebody who was deleted must not be taken for somebody new.

-- Whoever changes something that a rule over several rows depends on changes the row of the rule first, and so waits for whoever
-- does the same.
CREATE TABLE guard (
    noun TEXT PRIMARY KEY,
    changes INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO guard (noun, changes) VALUES ('person', 0), ('credential', 0);

-- `user` is a word of SQL.
CREATE TABLE person (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL UNIQUE,
    display_name TEXT,
    email TEXT,
    role TEXT NOT NULL,
    password_hash TEXT,
    oidc_issuer TEXT,
    oidc_subject TEXT,
    disabled_ms INTEGER,
    created_ms INTEGER NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE (oidc_issuer, oidc_subject)
);

CREATE TABLE session (
    hash BLOB PRIMARY KEY,
    person INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    last_seen_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    address TEXT,
    user_agent TEXT
) WITHOUT ROWID;
CREATE INDEX session_by_person ON session (person, created_ms);
CREATE INDEX session_by_expiry ON session (expires_ms);

-- A token that was revoked keeps its row for a while, but not its name.
CREATE TABLE api_token (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    person INTEGER NOT NULL,
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER,
    last_used_ms INTEGER,
    revoked_ms INTEGER
);
CREATE UNIQUE INDEX api_token_by_name ON api_token (person, name) WHERE revoked_ms IS NULL;
CREATE INDEX api_token_by_person ON api_token (person, id);

CREATE TABLE setup_link (
    hash BLOB PRIMARY KEY,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_ms INTEGER
) WITHOUT ROWID;

-- `secret_version` is what `sealed` was sealed for: it grows when the secret is replaced, not when it is wrapped anew.
CREATE TABLE credential (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    auth_type TEXT NOT NULL,
    public_part TEXT NOT NULL,
    sealed BLOB,
    key_id TEXT,
    secret_version INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_by INTEGER,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
);
CREATE INDEX credential_by_key ON credential (key_id, id);

-- Who did what. Names are as they were then.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id INTEGER,
    actor_name TEXT,
    via TEXT NOT NULL,
    action TEXT NOT NULL,
    target_kind TEXT NOT NULL,
    target_id TEXT,
    target_name TEXT,
    detail TEXT,
    address TEXT,
    request_id TEXT
);
CREATE INDEX audit_by_time ON audit (at_ms);
CREATE INDEX audit_by_actor ON audit (actor_id, id);
CREATE INDEX audit_by_action ON audit (action, id);
CREATE INDEX audit_by_target ON audit (target_kind, target_id, id);

-- What was answered to a request that may come again. Without `status` it is still being worked on.
CREATE TABLE idempotency (
    principal TEXT NOT NULL,
    given_key TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    request_hash BLOB NOT NULL,
    status INTEGER,
    body BLOB,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (principal, given_key, method, path)
) WITHOUT ROWID;
CREATE INDEX idempotency_by_time ON idempotency (created_ms);
