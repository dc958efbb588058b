INSERT INTO word_segment VALUES (0, 1, 0, 1, 2, 1);
INSERT INTO word_page VALUES (0, 1, '^norders', x'000873616c6573');
INSERT INTO word_tombstone VALUES (0, 2, 2, 1);
