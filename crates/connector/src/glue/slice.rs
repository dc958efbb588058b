//! Cuts a page of tables into the bytes of each table, so that what did not change need not be parsed again.
//!
//! A scanner of JSON's structure only (RFC 8259): it finds where values end and trusts that the service sends JSON. What it
//! cuts is either parsed in full, which proves the trust right or wrong, or equal to bytes that were parsed before.

use std::ops::Range;

use memchr::memchr2;

/// A page of `GetTables` in parts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sliced {
    /// Where the bytes of each table are.
    pub(crate) tables: Vec<Range<usize>>,
    /// Where the token of the next page is, as JSON (with quotes and escapes), unless it is null.
    pub(crate) next_token: Option<Range<usize>>,
}

/// Cuts a page; `None` when it is not a JSON object of the expected form.
pub(crate) fn tables(body: &[u8]) -> Option<Sliced> {
    let mut sliced = Sliced { tables: Vec::new(), next_token: None };
    let mut members = Members::of(body)?;
    for (key, value) in members.by_ref() {
        match &body[key] {
            b"TableList" => sliced.tables = elements(body, value)?,
            b"NextToken" if body[value.clone()].starts_with(b"\"") => sliced.next_token = Some(value),
            _ => {}
        }
    }
    // A page that was cut off must not read as one without a token.
    (body.get(skip_space(body, members.at)) == Some(&b'}')).then_some(sliced)
}

/// The `Name` of one table's bytes; `None` if it has escapes (the full parser reads those) or is not there.
pub(crate) fn table_name(table: &[u8]) -> Option<&str> {
    let (_, value) = Members::of(table)?.find(|(key, _)| &table[key.clone()] == b"Name")?;
    let quoted = table[value].strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    std::str::from_utf8(quoted).ok().filter(|name| !name.contains('\\'))
}

/// The members of an object: ranges of the key (without quotes) and of the value.
struct Members<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Members<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let at = skip_space(bytes, 0);
        (bytes.get(at) == Some(&b'{')).then_some(Self { bytes, at: at + 1 })
    }
}

impl Iterator for Members<'_> {
    type Item = (Range<usize>, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let mut at = skip_space(self.bytes, self.at);
        if self.bytes.get(at) == Some(&b',') {
            at = skip_space(self.bytes, at + 1);
        }
        if self.bytes.get(at) != Some(&b'"') {
            return None;
        }
        let key_end = end_of_string(self.bytes, at)?;
        let colon = skip_space(self.bytes, key_end);
        if self.bytes.get(colon) != Some(&b':') {
            return None;
        }
        let value = skip_space(self.bytes, colon + 1);
        let value_end = end_of_value(self.bytes, value)?;
        self.at = value_end;
        Some((at + 1..key_end - 1, value..value_end))
    }
}

fn elements(body: &[u8], list: Range<usize>) -> Option<Vec<Range<usize>>> {
    if body.get(list.start) != Some(&b'[') {
        return (body.get(list) == Some(b"null")).then(Vec::new);
    }
    let mut elements = Vec::new();
    let mut at = skip_space(body, list.start + 1);
    while *body.get(at)? != b']' {
        let end = end_of_value(body, at)?;
        elements.push(at..end);
        at = skip_space(body, end);
        if body.get(at) == Some(&b',') {
            at = skip_space(body, at + 1);
        }
    }
    Some(elements)
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// The index after the closing quote of the string that opens at `at`.
fn end_of_string(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// The index after the value that begins at `at`. Depth is counted, not recursed into.
fn end_of_value(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => end_of_string(bytes, at),
        b'{' | b'[' => end_of_container(bytes, at),
        _ => {
            let length = bytes[at..].iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t'));
            Some(at + length.unwrap_or(bytes.len() - at))
        }
    }
}

fn end_of_container(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = end_of_string(bytes, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<'a>(body: &'a [u8], sliced: &Sliced) -> Vec<&'a str> {
        sliced.tables.iter().map(|table| std::str::from_utf8(&body[table.clone()]).unwrap()).collect()
    }

    #[test]
    fn a_page_is_cut_into_its_tables_and_its_token() {
        let body =
            br#" {"X":{"TableList":[1]}, "TableList" : [ {"Name":"a","P":{"k":"]}\"{"}} ,{"Name":"b"}], "NextToken":"t\"1"}"#;
        let sliced = tables(body).unwrap();
        assert_eq!(texts(body, &sliced), [r#"{"Name":"a","P":{"k":"]}\"{"}}"#, r#"{"Name":"b"}"#]);
        assert_eq!(&body[sliced.next_token.clone().unwrap()], br#""t\"1""#);
        assert_eq!(sliced.tables.iter().map(|table| table_name(&body[table.clone()]).unwrap()).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn null_and_missing_members_are_no_tables_and_no_token() {
        for body in [r#"{"TableList":[],"NextToken":null}"#, r#"{"TableList":null}"#, "{}"] {
            assert_eq!(tables(body.as_bytes()), Some(Sliced { tables: vec![], next_token: None }), "{body}");
        }
    }

    #[test]
    fn what_is_cut_off_or_no_object_gives_nothing_or_less_but_never_panics() {
        let body = br#"{"TableList":[{"Name":"a\"b","Columns":[[1,2],{"x":"y"}]}],"NextToken":"t"}"#;
        for end in 0..body.len() {
            assert_eq!(tables(&body[..end]), None);
            assert_eq!(table_name(&body[..end]), None);
        }
        assert_eq!(tables(b"[1]"), None);
        assert_eq!(tables(b"<html>"), None);
    }

    #[test]
    fn the_name_is_found_wherever_it_stands_and_escapes_are_left_to_the_full_parser() {
        assert_eq!(table_name(br#"{"Columns":[{"Name":"x"}],"Name":"t"}"#), Some("t"));
        assert_eq!(table_name(br#"{"Name":"t\u00e9"}"#), None);
    }
}
