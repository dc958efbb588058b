//! Text of a page: borrowed from the page's bytes where it can be.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

use super::{MaskedCounts, MaskedPlace, scrub};

/// A structural text (a name, a type, an id), borrowed from the page unless it has escapes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text<'a>(Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text)))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

/// Text that people wrote (a description, a comment): kept, but only through the secret scanner.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct FreeText<'a>(#[serde(borrow)] Text<'a>);

impl FreeText<'_> {
    /// The text with every secret in it replaced; what was replaced is counted.
    pub(crate) fn scrubbed(&self, masked: &MaskedCounts) -> Cow<'_, str> {
        let (text, count) = scrub(&self.0);
        masked.add(MaskedPlace::FreeText, count);
        text
    }
}

/// A sign that is compared with known words to tell what something is; the text itself is not kept.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Sign<'a>(#[serde(borrow)] Text<'a>);

impl Deref for Sign<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// The text of a view: read in memory to derive columns and lineage, kept only with its literals masked unless the settings
/// ask for it whole. Its `Debug` form leaves the text out.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct ViewSql<'a>(#[serde(borrow)] Text<'a>);

impl Deref for ViewSql<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ViewSql<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes of view text", self.0.len())
    }
}
