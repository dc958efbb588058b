-- The search index: the words of assets in pages of segments (word_index says how), in place of one that the database makes.
-- subject 0: what sources tell of active assets; 1: what people say of assets.
CREATE TABLE word_segment (
    subject INTEGER NOT NULL,
    id INTEGER NOT NULL,
    level INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    first_asset INTEGER NOT NULL,
    assets INTEGER NOT NULL,
    PRIMARY KEY (subject, id)
) WITHOUT ROWID;
-- With a number for each row: without one, pages as large as these would spill over.
CREATE TABLE word_page (
    subject INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    key TEXT NOT NULL,
    entries BLOB NOT NULL,
    PRIMARY KEY (subject, segment, key)
);
-- From which write on the words of an asset count, and how often they were taken out.
CREATE TABLE word_tombstone (
    subject INTEGER NOT NULL,
    asset INTEGER NOT NULL,
    since INTEGER NOT NULL,
    times INTEGER NOT NULL,
    PRIMARY KEY (subject, asset)
) WITHOUT ROWID;
DROP TABLE asset_words;
DROP TABLE enrichment_words;
