-- Runtimes that crawl in other networks. Whether one is online follows from when it was last heard of. Numbers are never given twice.
CREATE TABLE runtime (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    version TEXT,
    created_ms INTEGER NOT NULL,
    last_seen_ms INTEGER,
    revoked_ms INTEGER
);

-- `archive` or `purge` while the assets of a connection are archived or purged: what is interrupted half way goes on later.
ALTER TABLE connection ADD COLUMN removal TEXT;
