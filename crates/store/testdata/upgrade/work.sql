INSERT INTO connection_administrator VALUES (1, 1);
INSERT INTO workflow (connection, name, settings, preflight, retries_max, removal_share_percent, alerts, version, created_ms)
    VALUES (1, 'nightly', '{}', 'soft', 2, 20, '[]', 1, 1);
INSERT INTO job (kind, run, connection, queue, state, run_after_ms, attempt, attempts_max, fence, cancel_requested, created_ms)
    VALUES ('crawl', 1, 1, 'direct', 'done', 1, 1, 3, 1, 0, 1);
INSERT INTO run_event VALUES (1, 1, 5500, 'progress', '{}');
INSERT INTO enrichment VALUES (2, '', 'all orders', '[]', '["gold"]', NULL, 1, 1, 1);
INSERT INTO enrichment_words (rowid, words) VALUES (2, 'orders gold');
