-- The search index: the words of assets in pages of segments (word_index says how), in place of one that the database makes.
-- subject 0: what sources tell of active assets; 1: what people say of assets.
CREATE TABLE word_segment (
    subject BIGINT NOT NULL,
    id BIGINT NOT NULL,
    level BIGINT NOT NULL,
    newest BIGINT NOT NULL,
    first_asset BIGINT NOT NULL,
    assets BIGINT NOT NULL,
    PRIMARY KEY (subject, id)
);
CREATE TABLE word_page (
    subject BIGINT NOT NULL,
    segment BIGINT NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    entries BYTEA NOT NULL,
    PRIMARY KEY (subject, segment, key)
);
-- A page stays in its row: it is half as large as what a row may be.
ALTER TABLE word_page ALTER COLUMN entries SET STORAGE PLAIN;
-- From which write on the words of an asset count, and how often they were taken out.
CREATE TABLE word_tombstone (
    subject BIGINT NOT NULL,
    asset BIGINT NOT NULL,
    since BIGINT NOT NULL,
    times BIGINT NOT NULL,
    PRIMARY KEY (subject, asset)
);
DROP TABLE asset_words;
DROP TABLE enrichment_words;
