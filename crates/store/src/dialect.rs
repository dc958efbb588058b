//! The fragments of SQL that differ between databases; everything else is one text for all.
//!
//! A list of values is one parameter, always written `IN (SELECT value FROM json_each($n))`: PostgreSQL spells it `= ANY($n)`
//! with an array.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::db::List;

/// How a list is written in a statement, up to the number of its parameter.
const LIST: &str = "IN (SELECT value FROM json_each(";

/// A statement as PostgreSQL wants it.
pub(crate) fn postgres_text(text: &str) -> String {
    if let Some((_, own)) = OWN_TEXTS.iter().find(|(common, _)| *common == text) {
        return (*own).to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(LIST) {
        let (parameter, after) = after.split_once("))").unwrap_or((after, ""));
        let _ = write!(out, "{before}= ANY({parameter})");
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Statements that PostgreSQL has its own text of.
const OWN_TEXTS: &[(&str, &str)] = &[(PAGES_OF_WORDS, PAGES_OF_WORDS_POSTGRES), (ASSETS_OF_A_PLACE, ASSETS_OF_A_PLACE_POSTGRES)];

/// What is stored of assets of a place ($1) by the last parts of their names ($2).
pub(crate) const ASSETS_OF_A_PLACE: &str =
    "SELECT part, kind, id, scope, owner, archived_run, source_hash, content_hash, processes,
        column_processes, location
    FROM asset WHERE place = $1 AND part IN (SELECT value FROM json_each($2))";
/// As PostgreSQL asks. With a list to compare with, it goes through all of the place and through the list for each.
const ASSETS_OF_A_PLACE_POSTGRES: &str = "SELECT a.part, a.kind, a.id, a.scope, a.owner, a.archived_run, a.source_hash,
        a.content_hash, a.processes, a.column_processes, a.location
    FROM unnest($2) v(value) JOIN asset a ON a.place = $1 AND a.part = v.value";

/// For each segment ($1) of a search index ($3) the pages that have the beginnings of the lists of words ($2), if the segment has the words,
/// as SQLite asks; [`postgres_text`] knows it. A cross join is carried out as it is written: left to itself, SQLite goes through all
/// pages.
pub(crate) const PAGES_OF_WORDS: &str = "SELECT s.value, p.key, p.entries FROM json_each($1) s
    CROSS JOIN word_page p ON p.subject = $3 AND p.segment = s.value AND p.key IN (SELECT (SELECT q.key FROM word_page q
        WHERE q.subject = $3 AND q.segment = s.value AND q.key <= w.value ORDER BY q.key DESC LIMIT 1) FROM json_each($2) w)";
/// As PostgreSQL asks.
const PAGES_OF_WORDS_POSTGRES: &str = "SELECT s.value, p.key, p.entries FROM unnest($1::BIGINT[]) s(value)
    CROSS JOIN LATERAL (SELECT DISTINCT q.key FROM unnest($2::TEXT[]) w(value) CROSS JOIN LATERAL (SELECT key FROM word_page
        WHERE subject = $3 AND segment = s.value AND key <= w.value ORDER BY key DESC LIMIT 1) q) k
    JOIN word_page p ON p.subject = $3 AND p.segment = s.value AND p.key = k.key";

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

/// PostgreSQL: one transaction at a time writes the words of what people say (writers of assets have a lock already).
pub(crate) const LOCK_ENRICHMENT_WORDS: &str = "SELECT pg_advisory_xact_lock(1232299884, -2)";

/// PostgreSQL: begins a transaction that sees the database as it is at its first statement.
pub(crate) const BEGIN_SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// PostgreSQL: the commit of this transaction is waited for.
pub(crate) const DURABLE: &str = "SET LOCAL synchronous_commit = on";

/// PostgreSQL: statistics of what a crawl writes, without waiting for the server's own housekeeping, from a small sample and without
/// the large values: what is asked for is reached by key, so sizes matter and details do not.
pub(crate) const TIDY: &str = "SET default_statistics_target = 10;
    ANALYZE asset, content (id, place, part, kind, first_run, changed_run, name), place, location, word,
        word_page (subject, segment, key), word_segment, word_tombstone;
    RESET default_statistics_target";

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
