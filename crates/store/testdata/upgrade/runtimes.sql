INSERT INTO runtime (name, created_ms) VALUES ('vpc', 1);
