//! The characters of type strings: which bytes make a word, how primitives are read and spelled, and how
//! quoted text ends. Every delimiter is ASCII, so a slice between two of them is always valid UTF-8.

use std::borrow::Cow;

use super::{TypeError, TypeErrorKind};

/// What a byte means outside quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Part of a word, lower case or caseless.
    Word,
    /// Part of a word, upper case.
    Upper,
    Space,
    /// Brackets, comma, colon, quotes and whatever no type holds.
    Other,
}

const CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut table = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'$' | b'-' | b'[' | b']' | 0x80..=0xff => Class::Word,
            b'A'..=b'Z' => Class::Upper,
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => Class::Space,
            _ => Class::Other,
        };
        byte += 1;
    }
    table
}

#[inline]
pub(super) fn class(byte: u8) -> Class {
    CLASSES[usize::from(byte)]
}

/// Whether the bytes are a primitive type in the spelling that is kept: `bigint`, `decimal(10,2)`.
#[inline]
pub(super) fn is_plain_primitive(bytes: &[u8]) -> bool {
    let name = bytes.iter().take_while(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')).count();
    if name == bytes.len() {
        return name != 0 && bytes != b"null";
    }
    name != 0 && is_digit_arguments(&bytes[name..])
}

/// `(10)` or `(10,2)` and nothing after it.
fn is_digit_arguments(bytes: &[u8]) -> bool {
    let [b'(', inner @ .., b')'] = bytes else { return false };
    let digits = |part: &[u8]| part.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let first = digits(inner);
    if first == 0 || first == inner.len() {
        return first != 0;
    }
    let second = &inner[first + 1..];
    inner[first] == b',' && !second.is_empty() && digits(second) == second.len()
}

/// The word a text starts with, in lower case.
pub(super) fn leading_word(text: &str) -> Cow<'_, str> {
    let end = text.bytes().position(|byte| matches!(class(byte), Class::Other | Class::Space));
    lower(text.get(..end.unwrap_or(text.len())).unwrap_or_default())
}

pub(super) fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Owned(text.to_ascii_lowercase());
    }
    Cow::Borrowed(text)
}

/// Whether `word` may come after the first word of a primitive, as in `timestamp with local time zone`.
fn continues_primitive(word: &str) -> bool {
    const CONTINUATIONS: [&str; 24] = [
        "with",
        "without",
        "local",
        "time",
        "zone",
        "precision",
        "varying",
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "second",
        "to",
        "unsigned",
        "signed",
        "zerofill",
        "character",
        "char",
        "varchar",
        "raw",
        "large",
        "object",
        "int",
    ];
    CONTINUATIONS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// A position in a type string.
pub(super) struct Cursor<'a> {
    text: &'a str,
    bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0 }
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub(super) fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| class(byte) == Class::Space) {
            self.at += 1;
        }
    }

    #[inline]
    pub(super) fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    pub(super) fn fault(&self, kind: TypeErrorKind) -> TypeError {
        self.fault_at(self.at, kind)
    }

    /// An error at a position; at the end of the text the end is what is wrong.
    pub(super) fn fault_at(&self, position: usize, kind: TypeErrorKind) -> TypeError {
        let ended = position >= self.bytes.len();
        TypeError { position, kind: if ended { TypeErrorKind::UnexpectedEnd } else { kind } }
    }

    /// Reads a word and says whether it holds upper-case letters.
    #[inline]
    pub(super) fn word(&mut self) -> (&'a str, bool) {
        let start = self.at;
        let mut upper = false;
        while let Some(byte) = self.peek() {
            match class(byte) {
                Class::Word => {}
                Class::Upper => upper = true,
                Class::Space | Class::Other => break,
            }
            self.at += 1;
        }
        (self.slice(start, self.at), upper)
    }

    /// The first byte from the cursor on that ends a field name, without moving. Inside angle brackets a
    /// round bracket is part of the name.
    #[inline]
    pub(super) fn name_end(&self, closer: u8) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let round = closer == b')';
        let stop = rest.iter().position(|byte| match byte {
            b':' | b',' | b'<' | b'>' => true,
            b'(' | b')' => round,
            _ => false,
        });
        stop.map_or(self.bytes.len(), |length| self.at + length)
    }

    pub(super) fn byte_at(&self, position: usize) -> Option<u8> {
        self.bytes.get(position).copied()
    }

    /// Reads a quoted text whose opening quote is under the cursor. The quote is escaped by doubling it,
    /// and by a backslash where `backslash` says so.
    pub(super) fn quoted(&mut self, backslash: Backslash) -> Result<Cow<'a, str>, TypeError> {
        let open = self.at;
        let Some(quote) = self.peek() else { return Err(self.fault(TypeErrorKind::UnclosedQuote)) };
        let mut doubled = false;
        self.at += 1;
        while let Some(byte) = self.peek() {
            if byte == b'\\' && backslash == Backslash::Escapes {
                self.at += 2;
            } else if byte != quote {
                self.at += 1;
            } else if self.byte_at(self.at + 1) == Some(quote) {
                doubled = true;
                self.at += 2;
            } else {
                self.at += 1;
                return Ok(unquote(self.slice(open + 1, self.at - 1), quote, doubled));
            }
        }
        Err(TypeError { position: open, kind: TypeErrorKind::UnclosedQuote })
    }

    /// Reads the rest of a primitive whose first word started at `start`: further words, arguments in
    /// brackets. Leaves the cursor behind the last part of it.
    pub(super) fn primitive_tail(&mut self, start: usize) -> Result<Cow<'a, str>, TypeError> {
        loop {
            let end = self.at;
            self.skip_space();
            match self.peek() {
                Some(b'(') => self.arguments()?,
                Some(byte) if matches!(class(byte), Class::Word | Class::Upper) => {
                    if !continues_primitive(self.word().0) {
                        self.at = end;
                        break;
                    }
                }
                _ => {
                    self.at = end;
                    break;
                }
            }
        }
        Ok(normalise(self.slice(start, self.at)))
    }

    /// Skips from an opening round bracket to behind its closing one.
    fn arguments(&mut self) -> Result<(), TypeError> {
        let mut open: usize = 0;
        while let Some(byte) = self.peek() {
            match byte {
                b'\'' | b'"' | b'`' => {
                    self.quoted(Backslash::Plain)?;
                    continue;
                }
                b'(' => open += 1,
                b')' => open -= 1,
                b'<' | b'>' | b':' => return Err(self.fault(TypeErrorKind::CommaOrCloseExpected)),
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return Ok(());
            }
        }
        Err(self.fault(TypeErrorKind::UnexpectedEnd))
    }

    /// Skips `not null` and `comment '…'` behind a type.
    pub(super) fn skip_suffixes(&mut self) -> Result<(), TypeError> {
        loop {
            self.skip_space();
            let start = self.at;
            let (word, _) = self.word();
            if word.is_empty() {
                return Ok(());
            }
            self.skip_space();
            if word.eq_ignore_ascii_case("not") {
                if !self.word().0.eq_ignore_ascii_case("null") {
                    return Err(self.fault_at(start, TypeErrorKind::TrailingText));
                }
            } else if word.eq_ignore_ascii_case("comment") && matches!(self.peek(), Some(b'\'' | b'"')) {
                self.quoted(Backslash::Escapes)?;
            } else {
                return Err(self.fault_at(start, TypeErrorKind::TrailingText));
            }
        }
    }
}

/// Whether a backslash inside quotes takes the next character with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Backslash {
    Escapes,
    Plain,
}

fn unquote(inner: &str, quote: u8, doubled: bool) -> Cow<'_, str> {
    if !doubled {
        return Cow::Borrowed(inner);
    }
    let quote = char::from(quote);
    let mut name = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        name.push(character);
        if character == quote {
            characters.next();
        }
    }
    Cow::Owned(name)
}

/// The kept spelling of a primitive: lower case, one space between words, none around brackets and commas.
fn normalise(raw: &str) -> Cow<'_, str> {
    let plain = |byte: u8| !byte.is_ascii_uppercase() && class(byte) != Class::Space;
    if raw.bytes().all(plain) {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut quote = None;
    let mut space = false;
    for character in raw.chars() {
        if quote.is_some() {
            text.push(character);
            if quote == Some(character) {
                quote = None;
            }
            continue;
        }
        if character.is_ascii() && class(character as u8) == Class::Space {
            space = true;
            continue;
        }
        let tight = matches!(character, '(' | ')' | ',') || text.ends_with(['(', ',']);
        if space && !tight && !text.is_empty() {
            text.push(' ');
        }
        space = false;
        text.push(character.to_ascii_lowercase());
        quote = matches!(character, '\'' | '"' | '`').then_some(character);
    }
    if text == raw { Cow::Borrowed(raw) } else { Cow::Owned(text) }
}
