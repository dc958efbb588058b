INSERT INTO runtime_enrolment VALUES (x'07', 'vpc', 1, 2, 1);
INSERT INTO runtime_token VALUES (x'08', 1, 2);
INSERT INTO runtime_assertion VALUES (1, 'j', 2);
INSERT INTO runtime_task (queue, task, created_ms, deadline_ms) VALUES ('runtime:vpc', '{}', 1, 2);
INSERT INTO inbox_batch VALUES (1, 1, 1, x'09', x'0a');
INSERT INTO inbox_question VALUES (1, 1, 1, 1, '{}', NULL);
INSERT INTO inbox_end VALUES (1, 1, 1, '{}');
INSERT INTO inbox_reader VALUES (1, 1, 'a server', 2);
