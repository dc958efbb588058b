//! Values of statements, owned: what is bound must live as long as the statement.

use std::sync::Arc;

/// A value of a statement. Numbers are 64 bits wide in both databases.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Number(Option<i64>),
    Text(Option<Text>),
    Bytes(Option<Vec<u8>>),
    List(List),
}

/// A text, whoever owns it.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    Shared(Arc<str>),
    Owned(String),
    Fixed(&'static str),
}

/// The values of `IN (SELECT value FROM json_each($n))`: JSON for SQLite, an array for PostgreSQL.
#[derive(Clone, Debug)]
pub(crate) enum List {
    Numbers(Arc<[i64]>),
    Texts(Arc<[String]>),
}

impl Text {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Shared(text) => text,
            Self::Owned(text) => text,
            Self::Fixed(text) => text,
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Number(Some(i64::from(truth)))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(Text::Owned(text)))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text.map(Text::Owned))
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Self {
        Self::Text(Some(Text::Shared(text)))
    }
}

impl From<Option<Arc<str>>> for Value {
    fn from(text: Option<Arc<str>>) -> Self {
        Self::Text(text.map(Text::Shared))
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Some(Text::Fixed(text)))
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Some(bytes))
    }
}

impl From<Option<Vec<u8>>> for Value {
    fn from(bytes: Option<Vec<u8>>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<List> for Value {
    fn from(list: List) -> Self {
        Self::List(list)
    }
}
