INSERT INTO alert_delivery (run, url, secret, message_id, body, state, attempts, next_ms, created_ms)
    VALUES (1, 'https://hooks.example.com/x', 'sealed', 'run_1_1_1', '{}', 'waiting', 0, 1, 1);
