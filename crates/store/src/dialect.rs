//! The fragments of SQL that differ between databases; everything else is one text for all.
//!
//! A list of values is one parameter, always written `IN (SELECT value FROM json_each($n))`: PostgreSQL spells it `= ANY($n)`
//! with an array. The search index is the other difference.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::db::{Condition, List};

/// How a list is written in a statement, up to the number of its parameter.
const LIST: &str = "IN (SELECT value FROM json_each(";

/// A statement as PostgreSQL wants it.
pub(crate) fn postgres_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(LIST) {
        let (parameter, after) = after.split_once("))").unwrap_or((after, ""));
        let _ = write!(out, "{before}= ANY({parameter})");
        rest = after;
    }
    out.push_str(rest);
    for index in INDEXES {
        out = out.replace(&format!("{index} MATCH $1"), "words @@ $1::tsquery");
    }
    out
}

/// The first assets whose words meet a condition ($1), at most $2, as SQLite asks; [`postgres_text`] knows it.
pub(crate) const MATCHING: &str = "SELECT rowid FROM asset_words WHERE asset_words MATCH $1 ORDER BY rowid LIMIT $2";
/// As [`MATCHING`], of the first $2 that match those of connections ($3), at most $4.
pub(crate) const MATCHING_OF_CONNECTIONS: &str =
    "SELECT s.id FROM (SELECT rowid AS id FROM asset_words WHERE asset_words MATCH $1 ORDER BY rowid LIMIT $2) s
    JOIN content c ON c.id = s.id JOIN place p ON p.id = c.place
    WHERE p.connection IN (SELECT value FROM json_each($3)) ORDER BY s.id LIMIT $4";
/// As [`MATCHING`], those among some assets ($3). The sign keeps SQLite from asking the index anew for each of them.
pub(crate) const MATCHING_AMONG: &str = "SELECT rowid FROM asset_words
    WHERE asset_words MATCH $1 AND +rowid IN (SELECT value FROM json_each($3)) ORDER BY rowid LIMIT $2";
/// How many assets meet a condition ($1), counted up to $2.
pub(crate) const COUNT_MATCHING: &str =
    "SELECT count(*) FROM (SELECT rowid FROM asset_words WHERE asset_words MATCH $1 ORDER BY rowid LIMIT $2) AS matching";
/// The first active assets of which people have said what meets a condition ($1), at most $2.
pub(crate) const MATCHING_ENRICHMENT: &str = "SELECT enrichment_words.rowid FROM enrichment_words
    JOIN content c ON c.id = enrichment_words.rowid JOIN asset a ON a.place = c.place AND a.part = c.part AND a.kind = c.kind
    WHERE enrichment_words MATCH $1 AND a.archived_run = 0 ORDER BY enrichment_words.rowid LIMIT $2";
/// The search indexes.
const INDEXES: [&str; 2] = ["asset_words", "enrichment_words"];

/// A condition in the query language of FTS5.
pub(crate) fn fts5(condition: &Condition) -> String {
    rendered(condition, '"', [" AND ", " OR "])
}

/// A condition as a `tsquery`.
pub(crate) fn tsquery(condition: &Condition) -> String {
    rendered(condition, '\'', [" & ", " | "])
}

fn rendered(condition: &Condition, quote: char, [and, or]: [&str; 2]) -> String {
    let join = |conditions: &[Condition], operator: &str| {
        let all: Vec<String> = conditions.iter().map(|condition| rendered(condition, quote, [and, or])).collect();
        format!("({})", all.join(operator))
    };
    match condition {
        Condition::Word(word) => format!("{quote}{word}{quote}"),
        Condition::All(conditions) => join(conditions, and),
        Condition::Any(conditions) => join(conditions, or),
    }
}

/// How a row is kept from others until the transaction ends, always at the end of a statement.
const LOCK: &str = " FOR UPDATE";

/// A statement as SQLite wants it: who writes there is alone, so that no row has to be locked.
pub(crate) fn sqlite_text(text: &str) -> &str {
    text.split_once(LOCK).map_or(text, |(before, _)| before)
}

/// A text as PostgreSQL takes it: it has no place for the character NUL.
pub(crate) fn postgres_string(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{FFFD}")) } else { Cow::Borrowed(text) }
}

/// Numbers as a list.
pub(crate) fn number_list(numbers: impl IntoIterator<Item = i64>) -> List {
    List::Numbers(numbers.into_iter().collect())
}

/// Texts as a list.
pub(crate) fn text_list<'a>(texts: impl IntoIterator<Item = &'a str>) -> List {
    List::Texts(texts.into_iter().map(str::to_owned).collect::<Arc<[String]>>())
}

/// Numbers as SQLite takes a list.
pub(crate) fn json_numbers(numbers: &[i64]) -> String {
    let mut text = String::from("[");
    for (index, number) in numbers.iter().enumerate() {
        let _ = write!(text, "{}{number}", if index == 0 { "" } else { "," });
    }
    text.push(']');
    text
}

/// Texts as SQLite takes a list.
pub(crate) fn json_texts(texts: &[String]) -> String {
    let mut list = vec![b'['];
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            list.push(b',');
        }
        model::document::write_string(text, &mut list);
    }
    list.push(b']');
    String::from_utf8(list).unwrap_or_default()
}

/// SQLite: rows that this connection has written since it was opened, those inside the search index included.
pub(crate) const ROWS_WRITTEN: &str = "SELECT total_changes()";

/// PostgreSQL: one transaction at a time writes assets (the first number is [`LOCK_CLASS`]).
pub(crate) const LOCK_WRITERS: &str = "SELECT pg_advisory_xact_lock(1232299884, 0)";

/// PostgreSQL: the commit of this transaction is waited for.
pub(crate) const DURABLE: &str = "SET LOCAL synchronous_commit = on";

/// PostgreSQL: statistics of what a crawl writes, without waiting for the server's own housekeeping.
pub(crate) const TIDY: &str =
    "SELECT gin_clean_pending_list('asset_words_by_word'); ANALYZE asset_words, asset, content, place, location, word";

/// PostgreSQL: the first number of our advisory locks, the letters `Isgl`.
pub(crate) const LOCK_CLASS: i32 = 0x4973_676C;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_locked_on_postgresql_only() {
        assert_eq!(sqlite_text("SELECT a FROM t LIMIT 1 FOR UPDATE SKIP LOCKED"), "SELECT a FROM t LIMIT 1");
        assert_eq!(sqlite_text("SELECT 1"), "SELECT 1");
    }

    #[test]
    fn lists_are_arrays_for_postgresql() {
        let text =
            "SELECT a FROM t WHERE b IN (SELECT value FROM json_each($1)) AND c IN (SELECT value FROM json_each($12)) LIMIT $2";
        assert_eq!(postgres_text(text), "SELECT a FROM t WHERE b = ANY($1) AND c = ANY($12) LIMIT $2");
        assert_eq!(postgres_text("SELECT 1"), "SELECT 1");
        assert_eq!(i64::from(LOCK_CLASS), 1_232_299_884);
    }
}
