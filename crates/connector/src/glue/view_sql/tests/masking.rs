//! What masked text may still say.

use super::super::SqlDialect::{self, Hive, Trino};
use super::super::mask::neutralise;
use super::super::mask_literals;

/// Stands in literals and comments, in any spelling; never in an identifier.
const SECRET: &str = "s3cr3t";

fn check(cases: &[(SqlDialect, &str, &str)]) {
    for (dialect, sql, expected) in cases {
        let masked = mask_literals(sql, *dialect);
        assert_eq!(masked, *expected, "{sql}");
        assert_eq!(mask_literals(&masked, *dialect), masked, "twice: {sql}");
        assert!(!masked.to_lowercase().contains(SECRET), "{sql}");
    }
}

#[test]
fn literals_become_question_marks_and_names_stay() {
    check(&[
        (Trino, "SELECT a, 's3cr3t' AS b FROM t WHERE c = 42", "SELECT a, ? AS b FROM t WHERE c = ?"),
        (Trino, "SELECT \"a b\", \"x\"\"y\" FROM \"c\".\"s\".\"t\"", "SELECT \"a b\", \"x\"\"y\" FROM \"c\".\"s\".\"t\""),
        (Hive, "SELECT `a`, \"s3cr3t\" FROM `d`.`t`", "SELECT `a`, ? FROM `d`.`t`"),
        (Trino, "WHERE d > DATE '2020-01-01' AND x IN (1,2.5,-3)", "WHERE d > DATE ? AND x IN (?,?,-?)"),
        (Trino, "INTERVAL '1' DAY + interval 3 days", "INTERVAL ? DAY + interval ? days"),
        (Trino, "X'1Fs3cr3t' || x'AB' || 0xDEADBEEF || U&'s3cr3t'", "? || ? || ? || U&?"),
        (Trino, "1e10 1.5E-3 .5 1_000 10L 1.5BD 0x1F", "? ? ? ? ? ? ?"),
        (Trino, "'it''s s3cr3t' , a", "? , a"),
        (Trino, "TRUE AND x IS NOT NULL OR false", "TRUE AND x IS NOT NULL OR false"),
        (Trino, "col1 + t2.c3 + _x9", "col1 + t2.c3 + _x9"),
        (Trino, "CAST(a AS decimal(10,2))", "CAST(a AS decimal(?,?))"),
        (Hive, "date'2020-s3cr3t'", "date?"),
        (Trino, "$$s3cr3t ' $$ , $tag$ s3cr3t $$ $tag$ , b$c", "? , ? , b$c"),
        (Hive, "TBLPROPERTIES('password'='s3cr3t')", "TBLPROPERTIES(?=?)"),
        (Hive, "'\u{e9}s3cr3t' \u{e9}t\u{e9}", "? \u{e9}t\u{e9}"),
        (Trino, "a? b", "a? b"),
        (Trino, "", ""),
    ]);
}

#[test]
fn comments_disappear() {
    check(&[
        (Trino, "SELECT a -- s3cr3t 'x\nFROM t", "SELECT a \nFROM t"),
        (Trino, "SELECT/* s3cr3t */a", "SELECT a"),
        (Trino, "/* s3cr3t */ SELECT a", " SELECT a"),
        (Hive, "SELECT /*+ BROADCAST(s3cr3t) */ a", "SELECT  a"),
        (Hive, "a /* x /* s3cr3t */ s3cr3t */ b", "a  b"),
        (Hive, "a # s3cr3t\nb // s3cr3t\r\nc", "a \nb \r\nc"),
        (Trino, "a /* s3cr3t", "a "),
        (Trino, "'--' || 's3cr3t' -- x", "? || ? "),
        (Trino, "-/**/- s3cr3", "- - s3cr3"),
        (Trino, "/* Presto View: czNjcjN0 */", ""),
    ]);
}

#[test]
fn what_is_not_closed_hides_the_rest() {
    check(&[
        (Trino, "SELECT 's3cr3t, a FROM t", "SELECT ?"),
        (Hive, "SELECT \"s3cr3t, a FROM t", "SELECT ?"),
        (Trino, "SELECT \"s3cr3t, a FROM t", "SELECT ?"),
        (Hive, "SELECT `s3cr3t, a FROM t", "SELECT ?"),
        (Trino, "SELECT $$s3cr3t, a FROM t", "SELECT ?"),
    ]);
}

#[test]
fn backslashes_hide_what_either_reading_hides() {
    check(&[
        // Only one reading closes all quotes: it is the right one.
        (Hive, r"SELECT 'it\'s s3cr3t', a", "SELECT ?, a"),
        (Trino, r"SELECT 'C:\', a", "SELECT ?, a"),
        (Hive, r"SELECT 'a\\', b, 'c\nd'", "SELECT ?, b, ?"),
        (Hive, r"SELECT r'C:\', a", "SELECT ?, a"),
        (Trino, r"SELECT E'it\'s s3cr3t', a", "SELECT ?, a"),
        // Both do, so what lies between may be inside a string.
        (Hive, r"SELECT a, 'x\' , s3cr3t , \'y' FROM t", "SELECT a, ? FROM t"),
        (Trino, r"SELECT a, 'x\' , s3cr3t , \'y' FROM t", "SELECT a, ? FROM t"),
        // The documented one does not.
        (Hive, r"SELECT a, '\' || s3cr3t || '\' FROM t", "SELECT a, ?"),
    ]);
}

#[test]
fn planted_secrets_do_not_survive_any_cut() {
    let sql = concat!(
        "WITH x AS (SELECT 's3cr3t' a /* s3cr3t */ FROM t) -- s3cr3t\n",
        "SELECT \"q\", X's3cr3t', $$s3cr3t$$, 'a''s3cr3t', ('(s3cr3t)'), 0xs3cr3t, 7s3cr3t FROM x WHERE y = 's3cr3t'"
    );
    for end in (0..=sql.len()).filter(|end| sql.is_char_boundary(*end)) {
        for dialect in [Trino, Hive] {
            let masked = mask_literals(&sql[..end], dialect);
            assert!(!masked.contains(SECRET), "{masked}");
            assert_eq!(mask_literals(&masked, dialect), masked);
            assert!(!neutralise(&sql[..end], Trino).is_some_and(|neutral| neutral.contains(SECRET)));
        }
    }
}

#[test]
fn masking_any_text_ends_and_is_idempotent() {
    let pieces =
        ["'", "\"", "`", "\\", "$", "$a$", "--", "/*", "*/", "#", "\n", " ", "1", ".", "e", "x", "r", "\u{e9}", "a", "?", "-", "/"];
    let mut state: u64 = 1;
    for _ in 0..30_000 {
        let mut sql = String::new();
        for _ in 0..12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            sql.push_str(pieces[(state >> 33) as usize % pieces.len()]);
        }
        for dialect in [Trino, Hive] {
            let masked = mask_literals(&sql, dialect);
            assert_eq!(mask_literals(&masked, dialect), masked, "{sql:?} as {dialect:?}");
        }
    }
}

#[test]
fn neutral_text_keeps_the_shape_for_the_parser() {
    let neutral = |sql: &str, dialect| neutralise(sql, dialect).unwrap_or_default();
    let names = "SELECT 'x', 1.5, t.2020_c FROM db.2020_sales -- c";
    assert_eq!(neutral(names, Hive), "SELECT '', 1, t.2020_c FROM db.2020_sales  ");
    assert_eq!(neutral("CAST(a AS decimal(10,2)) + 0x1F + 10L + 1e5", Hive), "CAST(a AS decimal(1,1)) + 1 + 1 + 1");
    assert_eq!(neutral("SELECT X'1F', \"s\"", Trino), "SELECT '', \"s\"");
    assert_eq!(neutralise("SELECT 'x", Trino), None);
}
