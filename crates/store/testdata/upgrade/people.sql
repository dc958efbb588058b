INSERT INTO person (name, name_folded, role, created_ms, version) VALUES ('Ada', 'ada', 'administrator', 1, 1);
INSERT INTO session VALUES (x'01', 1, 1, 1, 9, NULL, NULL);
INSERT INTO api_token (person, name, hash, scopes, created_ms) VALUES (1, 'ci', x'02', '[]', 1);
INSERT INTO setup_link VALUES (x'03', 1, 2, NULL);
INSERT INTO credential (name, auth_type, public_part, sealed, key_id, secret_version, version, created_ms, updated_ms)
    VALUES ('prod', 'iam', '{}', x'04', '0123456789abcdef', 1, 1, 1, 1);
INSERT INTO audit (at_ms, actor_kind, via, action, target_kind) VALUES (1, 'system', 'internal', 'user.create', 'user');
INSERT INTO idempotency VALUES ('1', 'k', 'POST', '/users', x'05', 201, x'06', 1);
