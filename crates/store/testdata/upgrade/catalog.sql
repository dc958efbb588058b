-- A database and a table in it. Whatever the catalog numbers itself is numbered by it here too, from 1.
INSERT INTO connection (connector, name, number, region, account, created_ms)
    VALUES ('glue', 'prod', 1, 'eu-west-1', '111122223333', 1000);
INSERT INTO run (connection, started_ms, finished_ms, outcome, settings) VALUES (1, 5000, 6000, 'complete', '{}');
INSERT INTO scope (connection, name) VALUES (1, 's');
INSERT INTO place (connection, path) VALUES (1, 'default/glue/1/AwsDataCatalog/'), (1, 'default/glue/1/AwsDataCatalog/sales/');
INSERT INTO asset VALUES (1, 'sales', 3, 1, 1, 0, 0, NULL, 1, 0, 0, 0, 0), (2, 'orders', 4, 2, 1, 0, 0, 7, 1, 1, 0, 0, 0);
INSERT INTO content VALUES (1, 1, 'sales', 3, 1, 1, NULL, '{}', NULL),
    (2, 2, 'orders', 4, 1, 1, NULL, '{"rowCount":5}', '[["id",0,"int",0,1]]');
INSERT INTO location VALUES ('s3://lake/orders/', 2, 1);
INSERT INTO edge VALUES ('default/glue/1/AwsDataCatalog/sales/orders', 0, 2, 9);
INSERT INTO history VALUES (1, 2, 1, 'orders', '{}', NULL);
INSERT INTO word VALUES ('orders');
INSERT INTO asset_words (rowid, words) VALUES (2, '^norders orders');
