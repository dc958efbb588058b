//! A bound on how deep a syntax tree can get. The parser bounds its own recursion, but it builds chains such as
//! `a + b + c` or a row of `UNION`s in a loop, as a tree that leans left, and dropping that tree recurses once for each
//! link. So chains are counted before parsing.

use super::scanner::{Kind, Reading, Scanner};
use super::{SqlDialect, ViewSqlError};

/// Links of chains on one path through the tree.
const CHAIN_LINKS_MAX: usize = 3_000;
/// Brackets open at once. The parser tries some of them twice at each level, so this also bounds its time.
const BRACKETS_MAX: usize = 200;

/// Words that continue an expression or a query that is already complete; symbols do so too.
const LINKS: [&str; 33] = [
    "and",
    "or",
    "xor",
    "not",
    "is",
    "in",
    "like",
    "ilike",
    "rlike",
    "regexp",
    "between",
    "similar",
    "match",
    "glob",
    "member",
    "overlaps",
    "operator",
    "div",
    "mod",
    "collate",
    "at",
    "isnull",
    "notnull",
    "union",
    "except",
    "intersect",
    "minus",
    "pivot",
    "unpivot",
    "match_recognize",
    "join",
    "over",
    "within",
];
const SET_OPERATIONS: [&str; 4] = ["union", "except", "intersect", "minus"];

/// What is counted inside one pair of brackets.
#[derive(Default)]
struct Level {
    /// Links since the last comma, and the deepest bracket since then.
    links: usize,
    inner: usize,
    /// Deepest part between two commas so far.
    deepest: usize,
    /// Set operations, whose chain commas do not end.
    set_operations: usize,
}

impl Level {
    fn comma(&mut self) {
        self.deepest = self.deepest.max(self.links + self.inner);
        (self.links, self.inner) = (0, 0);
    }

    fn depth(&mut self) -> usize {
        self.comma();
        self.deepest + self.set_operations + 1
    }
}

/// Refuses SQL whose tree could be deeper than the stack allows. `sql` has no literals and comments left.
pub(super) fn check(sql: &str, dialect: SqlDialect) -> Result<(), ViewSqlError> {
    let mut outer: Vec<Level> = Vec::new();
    let mut level = Level::default();
    for token in Scanner::new(sql, dialect, Reading::Documented) {
        let text = sql.get(token.start..token.end).unwrap_or_default();
        match (token.kind, text) {
            (Kind::Symbol, "(" | "[" | "{") => {
                level.links += 1;
                outer.push(std::mem::take(&mut level));
                if outer.len() > BRACKETS_MAX {
                    return Err(ViewSqlError::TooComplex);
                }
            }
            (Kind::Symbol, ")" | "]" | "}") => {
                let depth = level.depth();
                level = outer.pop().unwrap_or_default();
                level.inner = level.inner.max(depth);
            }
            (Kind::Symbol, ",") => level.comma(),
            (Kind::Symbol, "." | ";") | (Kind::Space | Kind::Comment | Kind::Text | Kind::Number | Kind::Name, _) => {}
            (Kind::Symbol, _) => level.links += 1,
            (Kind::Word, word) => count_word(&mut level, word),
        }
        if level.links + level.inner + level.set_operations > CHAIN_LINKS_MAX {
            return Err(ViewSqlError::TooComplex);
        }
    }
    Ok(())
}

fn count_word(level: &mut Level, word: &str) {
    let is = |known: &&str| known.eq_ignore_ascii_case(word);
    if SET_OPERATIONS.iter().any(is) {
        level.set_operations += 1;
    }
    if LINKS.iter().any(is) {
        level.links += 1;
    }
}
