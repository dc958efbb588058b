//! SQL without its literals. [`mask_literals`] makes text for people, [`neutralise`] makes text for the parser.

use super::SqlDialect;
use super::scanner::{Kind, Reading, Scanner, Token};

/// Tokens of one nested type in a cast.
const TYPE_TOKENS_MAX: usize = 2_000;

/// Replaces every string and number by `?` and removes comments. Works on any text, also on what is no SQL; where the text
/// can be read in two ways, what is a literal in either is hidden, and what is not closed hides the rest. Booleans and
/// `NULL` stay. Masking twice changes nothing.
pub(crate) fn mask_literals(sql: &str, dialect: SqlDialect) -> String {
    let tokens: Vec<Token> = Scanner::new(sql, dialect, Reading::Documented).collect();
    let doubtful = doubtful_ranges(sql, dialect, &tokens);
    let mut doubtful = doubtful.iter().copied().peekable();
    let mut masked = Masked { text: String::with_capacity(sql.len()), hidden: false };
    for (index, token) in tokens.iter().enumerate() {
        while doubtful.next_if(|range| range.1 <= token.start).is_some() {}
        if doubtful.peek().is_some_and(|range| range.0 < token.end) {
            masked.hide();
        } else if !is_literal_prefix(sql, &tokens, index) {
            masked.add(sql, *token);
        }
    }
    masked.text
}

struct Masked {
    text: String,
    /// The text ends in a `?` that stands for doubtful tokens.
    hidden: bool,
}

impl Masked {
    fn add(&mut self, sql: &str, token: Token) {
        self.hidden = false;
        match token.kind {
            Kind::Text | Kind::Number => self.text.push('?'),
            Kind::Name if !token.closed => self.text.push('?'),
            Kind::Comment => self.separate(),
            Kind::Space | Kind::Name | Kind::Word | Kind::Symbol => self.text.push_str(slice(sql, token)),
        }
    }

    /// One `?` for any number of doubtful tokens in a row.
    fn hide(&mut self) {
        if !self.hidden {
            self.text.push('?');
            self.hidden = true;
        }
    }

    fn separate(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(char::is_whitespace) {
            self.text.push(' ');
        }
    }
}

/// What is a literal or comment only when backslashes are read the other way: sorted, disjoint ranges. A reading that leaves
/// a quote open is wrong where the documented one does not, since engines store only what they have parsed.
fn doubtful_ranges(sql: &str, dialect: SqlDialect, documented: &[Token]) -> Vec<(usize, usize)> {
    if !sql.contains('\\') {
        return Vec::new();
    }
    let other: Vec<Token> = Scanner::new(sql, dialect, Reading::Opposite).collect();
    if other == documented {
        return Vec::new();
    }
    let closed = |tokens: &[Token]| tokens.iter().all(|token| token.closed);
    if closed(documented) && !closed(&other) {
        return Vec::new();
    }
    let hides = |token: &&Token| matches!(token.kind, Kind::Text | Kind::Comment | Kind::Number) || !token.closed;
    other.iter().filter(hides).map(|token| (token.start, token.end)).collect()
}

/// Whether a word belongs to the string literal right behind it, as in `X'1F'`.
fn is_literal_prefix(sql: &str, tokens: &[Token], index: usize) -> bool {
    const PREFIXES: [&str; 8] = ["x", "b", "n", "e", "r", "br", "rb", "_utf8"];
    let (Some(word), Some(next)) = (tokens.get(index), tokens.get(index + 1)) else { return false };
    word.kind == Kind::Word
        && next.kind == Kind::Text
        && PREFIXES.iter().any(|prefix| prefix.eq_ignore_ascii_case(slice(sql, *word)))
}

/// The same SQL with empty strings and the number 1 for literals, so that neither the parser nor its messages see any.
/// `None` when a quote or comment is not closed.
pub(super) fn neutralise(sql: &str, dialect: SqlDialect) -> Option<String> {
    let tokens: Vec<Token> = Scanner::new(sql, dialect, Reading::Documented).collect();
    if tokens.iter().any(|token| !token.closed) {
        return None;
    }
    let mut text = String::with_capacity(sql.len());
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        if !is_literal_prefix(sql, &tokens, index) {
            push_neutral(&mut text, *token, slice(sql, *token), dialect);
        }
        index += 1;
        if let Some(end) = nested_type_end(sql, &tokens, index - 1, dialect) {
            text.push_str(" varchar");
            index = end;
        }
    }
    Some(text)
}

fn push_neutral(text: &mut String, token: Token, raw: &str, dialect: SqlDialect) {
    match token.kind {
        Kind::Text => text.push_str("''"),
        Kind::Number if dialect == SqlDialect::Hive && is_digit_name(raw) => text.push_str(raw),
        Kind::Number => text.push_str(if raw.starts_with('.') { ".1" } else { "1" }),
        Kind::Comment => text.push(' '),
        Kind::Space | Kind::Name | Kind::Word | Kind::Symbol => text.push_str(raw),
    }
}

/// The token behind a type such as `array(row(a bigint))` after the `AS` at `index`. The parser knows no nested types in
/// round brackets, and lineage needs no types.
fn nested_type_end(sql: &str, tokens: &[Token], index: usize, dialect: SqlDialect) -> Option<usize> {
    let is = |token: &Token, words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(slice(sql, *token)));
    if dialect == SqlDialect::Hive || !is(tokens.get(index)?, &["as"]) {
        return None;
    }
    let mut rest =
        tokens.iter().enumerate().skip(index + 1).filter(|(_, token)| !matches!(token.kind, Kind::Space | Kind::Comment));
    if !is(rest.next()?.1, &["array", "map", "row"]) {
        return None;
    }
    let mut open: usize = 0;
    for (place, token) in rest.take(TYPE_TOKENS_MAX) {
        match slice(sql, *token) {
            "(" => open += 1,
            ")" if open == 1 => return Some(place + 1),
            ")" => open = open.checked_sub(1)?,
            _ if open == 0 => return None,
            _ => {}
        }
    }
    None
}

/// Hive's identifiers may start with a digit: `2020_sales`, also behind a dot, but not `1e5`, `10L` or `0x1f`.
fn is_digit_name(raw: &str) -> bool {
    let name = raw.strip_prefix('.').unwrap_or(raw);
    let hexadecimal = name.strip_prefix("0x").or_else(|| name.strip_prefix("0X"));
    let digits = name.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let numeric = digits.chars().all(|character| character.is_ascii_digit() || "._+-eE".contains(character));
    let number = numeric && !digits.ends_with('_') && name.len() - digits.len() <= 2;
    hexadecimal.is_none() && !number && !name.contains(['+', '-'])
}

fn slice(sql: &str, token: Token) -> &str {
    sql.get(token.start..token.end).unwrap_or_default()
}
