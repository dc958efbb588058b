//! What is asked of the index.

/// A condition on the words of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Word(String),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

impl Condition {
    pub(crate) fn word(word: &str) -> Self {
        Self::Word(word.to_owned())
    }
}
