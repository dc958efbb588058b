//! Looking words up: in which page of a segment the list of each begins. Words that are neighbours lie in one page mostly, which is read
//! and gone through once for all of them.

use std::collections::HashMap;

use super::page::{Damaged, Entries};
use super::segment::Subject;
use crate::Result;
use crate::db::{Connection, query};
use crate::dialect::{self, number_list, text_list};

/// Words that are looked up, in order, each with a number of whoever asks.
#[derive(Clone, Debug, Default)]
pub(super) struct Words(Vec<(String, usize)>);

impl Words {
    /// Of a list, numbered from 0.
    pub(super) fn of(words: &[String]) -> Self {
        let mut numbered: Vec<(String, usize)> = words.iter().cloned().zip(0..).collect();
        numbered.sort_unstable();
        Self(numbered)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Pages of one segment, in order: for each word the last one whose key does not come after it.
#[derive(Debug, Default)]
pub(super) struct Pages(Vec<(String, Vec<u8>)>);

/// Where the list of a word begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    /// The number of the word.
    pub(super) number: usize,
    /// The first ids, packed.
    pub(super) packed: Vec<u8>,
    /// Whether the list may go on with the next page.
    pub(super) may_go_on: bool,
}

impl Pages {
    /// The words that the segment has.
    pub(super) fn beginnings(self, words: &Words) -> Result<Vec<Beginning>, Damaged> {
        let (mut found, mut rest) = (Vec::new(), words.0.as_slice());
        let mut pages = self.0.into_iter().peekable();
        while let Some((key, bytes)) = pages.next() {
            // What comes before the page's key is in an earlier page, or nowhere.
            rest = &rest[rest.partition_point(|(word, _)| *word < key)..];
            let end = pages.peek().map_or(rest.len(), |(next, _)| rest.partition_point(|(word, _)| word < next));
            let (here, after) = rest.split_at(end);
            take(bytes, here, &mut found)?;
            rest = after;
        }
        Ok(found)
    }
}

/// Goes through a page and takes the words that it has.
fn take(page: Vec<u8>, words: &[(String, usize)], found: &mut Vec<Beginning>) -> Result<(), Damaged> {
    let (mut entries, mut words) = (Entries::of(page), words.iter().peekable());
    while words.peek().is_some() && entries.advance()? {
        while words.next_if(|(word, _)| word.as_bytes() < entries.word()).is_some() {}
        if let Some((_, number)) = words.next_if(|(word, _)| word.as_bytes() == entries.word()) {
            found.push(Beginning { number: *number, packed: entries.packed().to_vec(), may_go_on: entries.is_last() });
        }
    }
    Ok(())
}

/// Reads for each segment the pages in which the lists of words begin.
pub(super) async fn pages(
    connection: &mut Connection<'_>,
    subject: Subject,
    segments: impl IntoIterator<Item = i64>,
    words: &Words,
) -> Result<HashMap<i64, Pages>> {
    let query = query(dialect::PAGES_OF_WORDS)
        .bind(number_list(segments))
        .bind(text_list(words.0.iter().map(|(word, _)| word.as_str())))
        .bind(subject.code());
    let mut pages: HashMap<i64, Pages> = HashMap::new();
    for row in query.fetch_all(connection).await? {
        pages.entry(row.try_get(0)?).or_default().0.push((row.try_get(1)?, row.try_get(2)?));
    }
    for Pages(of_segment) in pages.values_mut() {
        of_segment.sort_unstable();
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::word_index::page::{PageBuilder, unpack};

    #[test]
    fn each_word_is_found_where_its_list_begins_and_no_other_is() {
        let mut builder = PageBuilder::default();
        builder.push("a", &[1, 2]);
        builder.push("b", &(1..20_000).collect::<Vec<i64>>());
        builder.push("c", &[7]);
        builder.push("e", &[8, 9]);
        let pages: Vec<_> = builder.finish().into_iter().map(|page| (page.key, page.entries)).collect();
        assert!(pages.len() > 3);
        // The pages in the middle of the list of `b` are nobody's beginning.
        let read = Pages(vec![pages[0].clone(), pages[pages.len() - 1].clone()]);
        let words = ["e", "0", "d", "b", "a", "f"].map(str::to_owned);
        let found = read.beginnings(&Words::of(&words)).unwrap();
        let of = |number: usize| {
            let beginning = found.iter().find(|beginning| beginning.number == number)?;
            let mut ids = Vec::new();
            unpack(&beginning.packed, &mut ids).unwrap();
            Some((ids[..2].to_vec(), beginning.may_go_on))
        };
        assert_eq!((of(4), of(3), of(0)), (Some((vec![1, 2], false)), Some((vec![1, 2], true)), Some((vec![8, 9], true))));
        assert_eq!((found.len(), of(1), of(2), of(5)), (3, None, None, None));
    }

    #[test]
    fn a_damaged_page_is_told() {
        let pages = Pages(vec![("a".to_owned(), vec![3, 0, 0])]);
        assert_eq!(pages.beginnings(&Words::of(&["a".to_owned()])), Err(Damaged));
    }
}
