-- Runtimes have keys, and several may work on the queue of one name. One without a key was never enrolled and cannot sign in.
CREATE TABLE runtime_with_key (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    public_key BLOB UNIQUE,
    version TEXT,
    capacity INTEGER,
    draining INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL,
    last_seen_ms INTEGER,
    revoked_ms INTEGER
);
INSERT INTO runtime_with_key (id, name, version, created_ms, last_seen_ms, revoked_ms)
    SELECT id, name, version, created_ms, last_seen_ms, revoked_ms FROM runtime;
DROP TABLE runtime;
ALTER TABLE runtime_with_key RENAME TO runtime;
CREATE INDEX runtime_by_name ON runtime (name);

-- One-time tokens that runtimes are enrolled with.
CREATE TABLE runtime_enrolment (
    hash BLOB PRIMARY KEY,
    name TEXT,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    runtime INTEGER
) WITHOUT ROWID;

-- Access tokens of runtimes, and the assertions that they were asked for with: each is good once.
CREATE TABLE runtime_token (
    hash BLOB PRIMARY KEY,
    runtime INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE runtime_assertion (
    runtime INTEGER NOT NULL,
    jti TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (runtime, jti)
) WITHOUT ROWID;

-- Questions to a source that somebody waits for, asked through a runtime.
CREATE TABLE runtime_task (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    task TEXT NOT NULL,
    runtime INTEGER,
    result TEXT,
    created_ms INTEGER NOT NULL,
    deadline_ms INTEGER NOT NULL
);
CREATE INDEX runtime_task_by_queue ON runtime_task (queue, id) WHERE runtime IS NULL;

-- What a runtime has sent of a run, until the run has ended: batches as they came, what it asks, and its last word.
CREATE TABLE inbox_batch (
    run INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    digest BLOB NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (run, fence, sequence)
) WITHOUT ROWID;
CREATE TABLE inbox_question (
    run INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    number INTEGER NOT NULL,
    after INTEGER NOT NULL,
    question TEXT NOT NULL,
    answer TEXT,
    PRIMARY KEY (run, fence, number)
) WITHOUT ROWID;
CREATE TABLE inbox_end (
    run INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    batches INTEGER NOT NULL,
    ending TEXT NOT NULL,
    PRIMARY KEY (run, fence)
) WITHOUT ROWID;

-- Which process reads the inbox of a run. Two would do no harm, only the same work.
CREATE TABLE inbox_reader (
    run INTEGER PRIMARY KEY,
    fence INTEGER NOT NULL,
    holder TEXT NOT NULL,
    until_ms INTEGER NOT NULL
);
