//! `GetTables.Expression`: which names it matches, and from where on a match can start.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use regex::Regex;
use regex_syntax::hir::Look;
use regex_syntax::hir::literal::{ExtractKind, Extractor};

use super::GlueError;
use crate::account::ExpressionMatch;

const EXPRESSION_CHARACTERS_MAX: usize = 2_048;
/// A class at the start of an expression is looked into up to this size.
const CLASS_CHARACTERS_MAX: usize = 128;
const COMPILED_MAX: usize = 1_024;

/// A compiled expression with the range that every matching name lies in, so that a listing need not look at the rest.
#[derive(Debug)]
pub(crate) struct Expression {
    regex: Regex,
    range: Option<Range<String>>,
}

impl Expression {
    pub(crate) fn compile(text: &str, rule: ExpressionMatch) -> Result<Self, GlueError> {
        if text.chars().count() > EXPRESSION_CHARACTERS_MAX {
            return Err(GlueError::validation("expression", "Expression", "have length less than or equal to 2048"));
        }
        let pattern = match rule {
            ExpressionMatch::Whole => format!("^(?:{text})$"),
            ExpressionMatch::Anywhere => text.to_owned(),
            ExpressionMatch::Glob => format!("^(?:{})$", unglob(text)),
        };
        let regex =
            Regex::new(&pattern).map_err(|_| GlueError::invalid_input(format!("Expression {text} is not a valid pattern.")))?;
        Ok(Self { regex, range: range(&pattern) })
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        self.regex.is_match(name)
    }

    /// No name before `start` matches, and none from `end` on.
    pub(crate) fn range(&self) -> Option<&Range<String>> {
        self.range.as_ref()
    }
}

// A star is a wildcard, except in `.*` at the end, which is left as it is.
fn unglob(text: &str) -> String {
    let (stem, end) = if text.ends_with(".*") { text.split_at(text.len() - 2) } else { (text, "") };
    stem.replace('*', ".*") + end
}

fn range(pattern: &str) -> Option<Range<String>> {
    let parsed = regex_syntax::parse(pattern).ok()?;
    if !parsed.properties().look_set_prefix().contains(Look::Start) {
        return None;
    }
    let mut extractor = Extractor::new();
    extractor.kind(ExtractKind::Prefix).limit_class(CLASS_CHARACTERS_MAX);
    let beginnings = extractor.extract(&parsed);
    let beginnings: Option<Vec<&str>> =
        beginnings.literals()?.iter().map(|literal| std::str::from_utf8(literal.as_bytes()).ok()).collect();
    let beginnings = beginnings?;
    let start = beginnings.iter().min()?;
    let ends: Option<Vec<String>> = beginnings.iter().map(|beginning| successor(beginning)).collect();
    Some((*start).to_owned()..ends?.into_iter().max()?)
}

// The first string after all that begin like this one.
fn successor(beginning: &str) -> Option<String> {
    let last = beginning.chars().next_back()?;
    let following = char::from_u32(u32::from(last) + 1)?;
    let mut successor = beginning[..beginning.len() - last.len_utf8()].to_owned();
    successor.push(following);
    Some(successor)
}

/// Compiled expressions, since every page of a listing brings the same one.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    compiled: Mutex<HashMap<(String, ExpressionMatch), Arc<Expression>>>,
}

impl Cache {
    pub(crate) fn get(&self, text: &str, rule: ExpressionMatch) -> Result<Arc<Expression>, GlueError> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (text.to_owned(), rule);
        if let Some(expression) = compiled.get(&key) {
            return Ok(Arc::clone(expression));
        }
        let expression = Arc::new(Expression::compile(text, rule)?);
        if compiled.len() >= COMPILED_MAX {
            compiled.clear();
        }
        compiled.insert(key, Arc::clone(&expression));
        Ok(expression)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_readings_differ_where_they_should() {
        for (text, rule, name, expected) in [
            ("orders", ExpressionMatch::Whole, "orders", true),
            ("orders", ExpressionMatch::Whole, "orders_2024", false),
            ("orders", ExpressionMatch::Anywhere, "my_orders_2024", true),
            ("^o[a-r].*", ExpressionMatch::Whole, "orders", true),
            ("o*s", ExpressionMatch::Glob, "orders", true),
            ("o*s", ExpressionMatch::Whole, "orders", false),
            ("ord.*", ExpressionMatch::Glob, "ord", true),
        ] {
            assert_eq!(Expression::compile(text, rule).expect(text).matches(name), expected, "{text} {rule:?} {name}");
        }
        assert!(Expression::compile("o(", ExpressionMatch::Whole).is_err());
    }

    #[test]
    fn range_holds_every_match_and_is_given_only_where_it_is_certain() {
        for (text, expected) in [
            ("cust.*", Some("cust".."cusu")),
            ("custx?y", Some("custxy".."custz")),
            ("[v-x].*", Some("v".."y")),
            ("ab.*|a.*", Some("a".."b")),
            ("b|(?:ad).*", Some("ad".."c")),
            (".*x", None),
            ("[^a-m].*", None),
        ] {
            let found = Expression::compile(text, ExpressionMatch::Whole).expect(text).range;
            let found = found.as_ref().map(|range| range.start.as_str()..range.end.as_str());
            assert_eq!(found, expected, "{text}");
        }
        assert!(Expression::compile("cust", ExpressionMatch::Anywhere).expect("pattern").range.is_none());
        assert!(Expression::compile("^cust", ExpressionMatch::Anywhere).expect("pattern").range.is_some());
    }
}
