-- Who is told of the end of a run. `alerted` says that the deliveries of a run were made, or that there are none; runs that ended
-- before this was kept are not told of. A delivery is waiting until it has arrived or is given up; `claimed_until_ms` keeps others off.
ALTER TABLE run ADD COLUMN alerted INTEGER NOT NULL DEFAULT 0;
UPDATE run SET alerted = 1 WHERE state = 'ended';
CREATE INDEX run_unalerted ON run (finished_ms) WHERE state = 'ended' AND alerted = 0 AND workflow IS NOT NULL;

CREATE TABLE alert_delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL,
    url TEXT NOT NULL,
    secret TEXT NOT NULL,
    message_id TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_ms INTEGER NOT NULL,
    claimed_until_ms INTEGER,
    created_ms INTEGER NOT NULL,
    finished_ms INTEGER
);
CREATE INDEX alert_delivery_waiting ON alert_delivery (next_ms) WHERE state = 'waiting';
CREATE INDEX alert_delivery_done ON alert_delivery (finished_ms) WHERE state <> 'waiting';
