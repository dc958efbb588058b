-- Where assets are from. `number` stands in qualified names.
CREATE TABLE connection (
    id INTEGER PRIMARY KEY,
    connector TEXT NOT NULL,
    name TEXT NOT NULL,
    number INTEGER NOT NULL,
    region TEXT,
    account TEXT,
    created_ms INTEGER NOT NULL,
    UNIQUE (connector, name),
    UNIQUE (connector, number)
);

-- One crawl. `outcome` is absent while it runs; `seen` is a bitmap of asset ids, kept for the latest run of a connection only.
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    connection INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    finished_ms INTEGER,
    outcome TEXT,
    settings TEXT NOT NULL,
    report TEXT,
    changes TEXT,
    scopes TEXT,
    first_created INTEGER,
    last_created INTEGER,
    seen BLOB
);
CREATE INDEX run_by_connection ON run (connection, id);

CREATE TABLE scope (
    id INTEGER PRIMARY KEY,
    connection INTEGER NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (connection, name)
);

-- What qualified names have in common: everything up to and including the last slash.
CREATE TABLE place (
    id INTEGER PRIMARY KEY,
    connection INTEGER NOT NULL,
    path TEXT NOT NULL,
    UNIQUE (path, connection)
);

-- Identity and state: small and clustered by name, so that a crawl of unchanged assets touches nothing else.
-- `owner` is the asset that a derived one lives and dies with, or 0; `archived_run` is 0 while the asset is active;
-- `location` is 0 without an S3 location, 1 with one, 2 for the table that stands for the S3 object.
CREATE TABLE asset (
    place INTEGER NOT NULL,
    part TEXT NOT NULL,
    kind INTEGER NOT NULL,
    id INTEGER NOT NULL,
    scope INTEGER NOT NULL,
    owner INTEGER NOT NULL,
    archived_run INTEGER NOT NULL,
    source_hash INTEGER,
    content_hash INTEGER NOT NULL,
    columns INTEGER NOT NULL,
    processes INTEGER NOT NULL,
    column_processes INTEGER NOT NULL,
    location INTEGER NOT NULL,
    PRIMARY KEY (place, part, kind)
) WITHOUT ROWID;
CREATE INDEX asset_by_owner ON asset (owner) WHERE owner > 0;

-- What is in an asset, by id. `name` is absent where it follows from the last part of the qualified name.
CREATE TABLE content (
    id INTEGER PRIMARY KEY,
    place INTEGER NOT NULL,
    part TEXT NOT NULL,
    kind INTEGER NOT NULL,
    first_run INTEGER NOT NULL,
    changed_run INTEGER NOT NULL,
    name TEXT,
    attributes TEXT NOT NULL,
    columns TEXT
);

-- Active tables by the S3 location of their data.
CREATE TABLE location (
    location TEXT NOT NULL,
    asset INTEGER NOT NULL,
    connection INTEGER NOT NULL,
    PRIMARY KEY (location, asset)
) WITHOUT ROWID;

-- Which active processes read (side 0) or write (side 1) the asset of a qualified name.
CREATE TABLE edge (
    node TEXT NOT NULL,
    side INTEGER NOT NULL,
    process INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    PRIMARY KEY (node, side, process)
) WITHOUT ROWID;
CREATE INDEX edge_by_process ON edge (process);

-- What an asset was before a run changed it. A creation needs no row: content.first_run says it.
CREATE TABLE history (
    run INTEGER NOT NULL,
    asset INTEGER NOT NULL,
    change INTEGER NOT NULL,
    name TEXT,
    attributes TEXT,
    columns TEXT,
    PRIMARY KEY (run, asset)
) WITHOUT ROWID;
CREATE INDEX history_by_asset ON history (asset, run);

-- The words of active assets (search_text makes them) and the distinct words themselves, for completing prefixes.
CREATE VIRTUAL TABLE asset_words USING fts5 (
    words, content = '', contentless_delete = 1, detail = none, tokenize = "ascii tokenchars '_^$'"
);
INSERT INTO asset_words (asset_words, rank) VALUES ('automerge', 0);
INSERT INTO asset_words (asset_words, rank) VALUES ('crisismerge', 16);
INSERT INTO asset_words (asset_words, rank) VALUES ('hashsize', 4194304);
CREATE TABLE word (word TEXT PRIMARY KEY) WITHOUT ROWID;
