//! A scanner that cuts any text into SQL tokens. It never fails: text that is no SQL still gets tokens, and a quote or
//! comment that is not closed reaches to the end.

use super::SqlDialect;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Space,
    Comment,
    /// A string literal of any quoting style.
    Text,
    /// A number, or a word that starts with a digit.
    Number,
    /// A quoted identifier.
    Name,
    Word,
    /// One character of punctuation.
    Symbol,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether the closing quote or comment end was found.
    pub(super) closed: bool,
}

/// What a backslash in a string literal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Backslash {
    Escapes,
    Plain,
}

impl Backslash {
    fn other(self) -> Self {
        match self {
            Self::Escapes => Self::Plain,
            Self::Plain => Self::Escapes,
        }
    }
}

/// Which of the two readings of backslashes the scanner takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// What the dialect says: Hive and `E'…'` escape, Trino and `R'…'` do not.
    Documented,
    /// The opposite, for text whose dialect is not what it seems.
    Opposite,
}

pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    dialect: SqlDialect,
    reading: Reading,
    /// Set by a word right before a quote.
    prefix: Option<Backslash>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(sql: &'a str, dialect: SqlDialect, reading: Reading) -> Self {
        Self { bytes: sql.as_bytes(), at: 0, dialect, reading, prefix: None }
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    /// Moves over bytes that satisfy a condition.
    fn skip(&mut self, condition: impl Fn(u8) -> bool) {
        while self.byte(0).is_some_and(&condition) {
            self.at += 1;
        }
    }

    /// Reads the token that starts with `first`, and says whether it is closed.
    fn scan(&mut self, first: u8) -> (Kind, bool) {
        match (first, self.byte(1)) {
            (byte, _) if byte.is_ascii_whitespace() || byte == 0x0b => {
                self.skip(|byte| byte.is_ascii_whitespace() || byte == 0x0b);
                (Kind::Space, true)
            }
            (b'-', Some(b'-')) | (b'/', Some(b'/')) | (b'#', _) => {
                self.skip(|byte| byte != b'\n' && byte != b'\r');
                (Kind::Comment, true)
            }
            (b'/', Some(b'*')) => (Kind::Comment, self.block_comment()),
            (b'\'', _) => (Kind::Text, self.text(b'\'')),
            (b'"', _) if self.dialect == SqlDialect::Hive => (Kind::Text, self.text(b'"')),
            (b'"' | b'`', _) => (Kind::Name, self.quoted(first, Backslash::Plain)),
            (b'$', _) => self.dollar(),
            (b'.', Some(next)) if next.is_ascii_digit() => (Kind::Number, self.number()),
            (byte, _) if byte.is_ascii_digit() => (Kind::Number, self.number()),
            (byte, _) if is_word(byte) => (Kind::Word, self.word()),
            _ => {
                self.at += 1;
                (Kind::Symbol, true)
            }
        }
    }

    /// Comments nest in Spark and not in Trino; nesting hides more.
    fn block_comment(&mut self) -> bool {
        let mut open: usize = 0;
        while let Some(byte) = self.byte(0) {
            match (byte, self.byte(1)) {
                (b'/', Some(b'*')) => {
                    open += 1;
                    self.at += 2;
                }
                (b'*', Some(b'/')) => {
                    open -= 1;
                    self.at += 2;
                    if open == 0 {
                        return true;
                    }
                }
                _ => self.at += 1,
            }
        }
        false
    }

    fn text(&mut self, quote: u8) -> bool {
        let documented = self.prefix.unwrap_or(match self.dialect {
            SqlDialect::Trino => Backslash::Plain,
            SqlDialect::Hive => Backslash::Escapes,
        });
        let backslash = match self.reading {
            Reading::Documented => documented,
            Reading::Opposite => documented.other(),
        };
        self.quoted(quote, backslash)
    }

    fn quoted(&mut self, quote: u8, backslash: Backslash) -> bool {
        self.at += 1;
        while let Some(byte) = self.byte(0) {
            if byte == b'\\' && backslash == Backslash::Escapes {
                self.at += 2;
            } else if byte != quote {
                self.at += 1;
            } else if self.byte(1) == Some(quote) {
                self.at += 2;
            } else {
                self.at += 1;
                return true;
            }
        }
        self.at = self.bytes.len();
        false
    }

    /// `$$…$$` and `$tag$…$tag$`; any other dollar is punctuation.
    fn dollar(&mut self) -> (Kind, bool) {
        let start = self.at;
        self.at += 1;
        self.skip(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if self.byte(0) != Some(b'$') {
            self.at = start + 1;
            return (Kind::Symbol, true);
        }
        self.at += 1;
        let tag = self.bytes.get(start..self.at).unwrap_or_default();
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(end) = find(rest, tag) else {
            self.at = self.bytes.len();
            return (Kind::Text, false);
        };
        self.at += end + tag.len();
        (Kind::Text, true)
    }

    /// Everything that can be part of a number in any dialect, and then some: what starts with a digit is hidden.
    fn number(&mut self) -> bool {
        let mut previous = 0;
        while let Some(byte) = self.byte(0) {
            let exponent = matches!(previous, b'e' | b'E') && matches!(byte, b'+' | b'-');
            let signed = exponent && self.byte(1).is_some_and(|next| next.is_ascii_digit());
            if !(signed || byte == b'.' || byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80) {
                break;
            }
            previous = byte;
            self.at += 1;
        }
        true
    }

    fn word(&mut self) -> bool {
        let start = self.at;
        self.skip(|byte| is_word(byte) || byte.is_ascii_digit() || byte == b'$');
        let word = self.bytes.get(start..self.at).unwrap_or_default();
        let quote_follows = matches!(self.byte(0), Some(b'\'' | b'"'));
        self.prefix = match word {
            b"r" | b"R" | b"rb" | b"RB" | b"br" | b"BR" if quote_follows => Some(Backslash::Plain),
            b"e" | b"E" if quote_follows => Some(Backslash::Escapes),
            _ => None,
        };
        true
    }
}

impl Iterator for Scanner<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let start = self.at;
        let first = self.byte(0)?;
        let (kind, closed) = self.scan(first);
        if kind != Kind::Word {
            self.prefix = None;
        }
        Some(Token { kind, start, end: self.at.min(self.bytes.len()), closed })
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b'@' || byte >= 0x80
}

/// First place of `tag`, which starts and ends with a dollar sign, in linear time for tags without inner dollars.
fn find(text: &[u8], tag: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let dollar = from + text.get(from..)?.iter().position(|byte| *byte == b'$')?;
        if text.get(dollar..)?.starts_with(tag) {
            return Some(dollar);
        }
        from = dollar + 1;
    }
}
