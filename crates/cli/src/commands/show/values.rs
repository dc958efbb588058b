//! Values of attributes as people read them: what is nested gets a line for each entry, and no line is endless.

use model::{Attribute, Value};

/// Lines of one value; `show --json` has the rest.
const LINES_MAX: usize = 40;
/// Characters of one entry of a nested value.
const ENTRY_CHARACTERS_MAX: usize = 400;

/// An attribute by name with its value, in as many lines as it needs.
pub(super) fn fact(attribute: Attribute, value: &Value) -> (String, String) {
    let name = attribute.name();
    let time = value.as_integer().filter(|_| name.ends_with("At") || name.ends_with("Date"));
    (name.to_owned(), time.map_or_else(|| readable(value), crate::clock::readable))
}

/// At most `max` lines, and how many were left out.
pub(super) fn bounded(lines: impl ExactSizeIterator<Item = String>, max: usize) -> String {
    let more = lines.len().saturating_sub(max);
    let mut shown: Vec<String> = lines.take(max).collect();
    if more > 0 {
        shown.push(format!("… and {more} more"));
    }
    shown.join("\n")
}

fn readable(value: &Value) -> String {
    if let Value::List(items) = value
        && items.iter().any(is_nested)
    {
        return bounded(items.iter().map(|item| entry(&inside(item))), LINES_MAX);
    }
    if let Value::Map(entries) = value
        && entries.iter().any(|(_, value)| is_nested(value))
    {
        return bounded(entries.iter().map(|(key, value)| entry(&format!("{key}: {}", inside(value)))), LINES_MAX);
    }
    inside(value)
}

fn is_nested(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Map(_))
}

/// One entry in one line.
fn entry(text: &str) -> String {
    let line = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(ENTRY_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// A value without brackets of its own.
fn inside(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::List(items) => items.iter().map(bracketed).collect::<Vec<_>>().join(", "),
        Value::Map(entries) => {
            entries.iter().map(|(key, value)| format!("{key}={}", bracketed(value))).collect::<Vec<_>>().join(", ")
        }
        Value::References(references) => {
            references.iter().map(|reference| reference.qualified_name.to_string()).collect::<Vec<_>>().join(", ")
        }
    }
}

fn bracketed(value: &Value) -> String {
    match value {
        Value::List(_) => format!("[{}]", inside(value)),
        Value::Map(_) => format!("{{{}}}", inside(value)),
        Value::Text(_) | Value::Integer(_) | Value::Number(_) | Value::Boolean(_) | Value::References(_) => inside(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nested_gets_a_line_an_entry() {
        let field = |name: &str, value: Value| Value::Map(vec![("name".into(), name.into()), ("value".into(), value)]);
        let forms = Value::List(vec![field("Owner", "Retail\nteam".into()), field("Tags", Value::texts(["a", "b"]))]);
        assert_eq!(readable(&forms), "name=Owner, value=Retail team\nname=Tags, value=[a, b]");
        let nested = Value::Map(vec![("nodes".into(), Value::List(vec![field("x", 1.into())])), ("kind".into(), "dag".into())]);
        assert_eq!(readable(&nested), "nodes: {name=x, value=1}\nkind: dag");
        assert_eq!(readable(&Value::texts(["a", "b"])), "a, b");
        assert_eq!(readable(&Value::Map(vec![("a".into(), 1.into()), ("b".into(), true.into())])), "a=1, b=true");
    }

    #[test]
    fn long_values_are_cut_and_say_so() {
        let many = Value::List((0..50).map(|number| Value::Map(vec![("n".into(), number.into())])).collect());
        let lines: Vec<String> = readable(&many).lines().map(str::to_owned).collect();
        assert_eq!((lines.len(), lines[LINES_MAX].as_str()), (LINES_MAX + 1, "… and 10 more"));
        let wide = Value::List(vec![Value::Map(vec![("n".into(), "ü".repeat(1000).into())])]);
        assert_eq!(readable(&wide).chars().count(), ENTRY_CHARACTERS_MAX + 1);
    }
}
