-- Connections as people manage them. `runs_on` is the queue of their jobs: `direct`, or `runtime:` and a runtime's name.
ALTER TABLE connection ADD COLUMN description TEXT;
ALTER TABLE connection ADD COLUMN runs_on TEXT NOT NULL DEFAULT 'direct';
ALTER TABLE connection ADD COLUMN credential INTEGER;
ALTER TABLE connection ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE connection ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE connection ADD COLUMN archived_ms INTEGER;

CREATE TABLE connection_administrator (
    connection INTEGER NOT NULL,
    person INTEGER NOT NULL,
    PRIMARY KEY (connection, person)
) WITHOUT ROWID;

-- What is crawled of a connection, and when. `next_run_ms` is absent without a schedule. Numbers are never given twice.
CREATE TABLE workflow (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    connection INTEGER NOT NULL,
    name TEXT NOT NULL UNIQUE,
    settings TEXT NOT NULL,
    cron TEXT,
    time_zone TEXT,
    next_run_ms INTEGER,
    paused_ms INTEGER,
    preflight TEXT NOT NULL,
    retries_max INTEGER NOT NULL,
    removal_share_percent INTEGER NOT NULL,
    alerts TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_by INTEGER,
    created_ms INTEGER NOT NULL
);
CREATE INDEX workflow_by_connection ON workflow (connection, id);
CREATE INDEX workflow_by_next_run ON workflow (next_run_ms) WHERE next_run_ms IS NOT NULL AND paused_ms IS NULL;

-- `state` is queued, running or ended. What was started on a command line has no job. A run that changed assets is never deleted,
-- since its time stands for theirs: it is emptied and `pruned` says so. `last_event` numbers the events, also after some are gone.
ALTER TABLE run ADD COLUMN workflow INTEGER;
ALTER TABLE run ADD COLUMN trigger_kind TEXT NOT NULL DEFAULT 'command-line';
ALTER TABLE run ADD COLUMN state TEXT NOT NULL DEFAULT 'running';
ALTER TABLE run ADD COLUMN slot_ms INTEGER;
ALTER TABLE run ADD COLUMN queued_ms INTEGER;
ALTER TABLE run ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
ALTER TABLE run ADD COLUMN requested_by INTEGER;
ALTER TABLE run ADD COLUMN removal_share_percent INTEGER;
ALTER TABLE run ADD COLUMN removals_confirmed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN preflight TEXT;
ALTER TABLE run ADD COLUMN failure TEXT;
ALTER TABLE run ADD COLUMN last_event INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0;
UPDATE run SET state = 'ended' WHERE outcome IS NOT NULL;
CREATE UNIQUE INDEX run_by_slot ON run (workflow, slot_ms) WHERE slot_ms IS NOT NULL;
CREATE UNIQUE INDEX run_open_of_workflow ON run (workflow) WHERE workflow IS NOT NULL AND state <> 'ended';
CREATE INDEX run_by_workflow ON run (workflow, id) WHERE workflow IS NOT NULL;
CREATE INDEX run_by_end ON run (finished_ms) WHERE state = 'ended' AND pruned = 0;

-- The queue. Numbers are never given twice: a lease that was forgotten must not fit a later job. `fence` grows with every claim.
CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    run INTEGER,
    connection INTEGER NOT NULL,
    queue TEXT NOT NULL,
    state TEXT NOT NULL,
    run_after_ms INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    attempts_max INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    lease_until_ms INTEGER,
    holder TEXT,
    cancel_requested INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    finished_ms INTEGER
);
CREATE UNIQUE INDEX job_by_run ON job (run);
CREATE INDEX job_queued ON job (queue, id) WHERE state = 'queued';
CREATE INDEX job_open ON job (connection, run) WHERE state <> 'done';
CREATE UNIQUE INDEX job_leased ON job (connection) WHERE state = 'leased' AND kind = 'crawl';
CREATE INDEX job_done ON job (finished_ms) WHERE state = 'done';

CREATE TABLE run_event (
    run INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (run, sequence)
) WITHOUT ROWID;

-- What people say of an asset, or of one of its columns (`path`, else empty). No crawl touches it.
CREATE TABLE enrichment (
    asset INTEGER NOT NULL,
    path TEXT NOT NULL,
    description TEXT,
    owners TEXT NOT NULL,
    tags TEXT NOT NULL,
    certificate TEXT,
    updated_by INTEGER,
    updated_ms INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (asset, path)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE enrichment_words USING fts5 (
    words, content = '', contentless_delete = 1, detail = none, tokenize = "ascii tokenchars '_^$'"
);
