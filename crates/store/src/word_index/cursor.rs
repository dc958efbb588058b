//! Finding the assets of one segment that meet a condition, from the lowest id up. Nothing here waits: what has to be read first is
//! told, and the search goes on where it was when it is there.

use std::collections::VecDeque;
use std::sync::Arc;

use super::condition::Condition;
use super::page::{Damaged, Entries, first_id, unpack};

/// A condition whose words are numbers of a list.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Word(usize),
    All(Vec<Node>),
    Any(Vec<Node>),
    /// One of these, in ascending order.
    Among(Arc<[i64]>),
}

impl Node {
    /// A condition as a node; its distinct words are added to a list.
    pub(super) fn of(condition: &Condition, words: &mut Vec<String>) -> Self {
        match condition {
            Condition::Word(word) => Self::Word(words.iter().position(|known| known == word).unwrap_or_else(|| {
                words.push(word.clone());
                words.len() - 1
            })),
            Condition::All(conditions) => Self::All(conditions.iter().map(|condition| Self::of(condition, words)).collect()),
            Condition::Any(conditions) => Self::Any(conditions.iter().map(|condition| Self::of(condition, words)).collect()),
        }
    }

    /// The first id from `target` on. Targets of one search ascend.
    fn seek(&self, cursors: &mut [Cursor], target: i64) -> Result<Option<i64>, Stop> {
        match self {
            Self::Word(number) => cursors[*number].seek(target).map_err(|stop| stop.of(*number)),
            Self::Among(ids) => Ok(ids.get(ids.partition_point(|id| *id < target)).copied()),
            Self::Any(nodes) => {
                let mut first: Option<i64> = None;
                for node in nodes {
                    if let Some(id) = node.seek(cursors, target)? {
                        first = Some(first.map_or(id, |first| first.min(id)));
                    }
                }
                Ok(first)
            }
            Self::All(nodes) => Self::seek_all(nodes, cursors, target),
        }
    }

    /// Goes from the highest of the ids to the next one until all are the same.
    fn seek_all(nodes: &[Self], cursors: &mut [Cursor], target: i64) -> Result<Option<i64>, Stop> {
        let (mut target, mut agreed) = (target, 0);
        for node in nodes.iter().cycle() {
            let Some(id) = node.seek(cursors, target)? else { return Ok(None) };
            agreed = if id == target { agreed + 1 } else { 1 };
            target = id;
            if agreed == nodes.len() {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

/// Why a search cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// More of the list of a word has to be read, from the page on that has an id.
    Missing {
        word: usize,
        from: i64,
    },
    Damaged,
}

impl Stop {
    fn of(self, number: usize) -> Self {
        match self {
            Self::Missing { from, .. } => Self::Missing { word: number, from },
            Self::Damaged => Self::Damaged,
        }
    }
}

impl From<Damaged> for Stop {
    fn from(_: Damaged) -> Self {
        Self::Damaged
    }
}

/// The posting list of a word in a segment, as far as it was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Cursor {
    /// Parts of the list that are next, packed.
    parts: VecDeque<Vec<u8>>,
    /// The part that is being looked at.
    ids: Vec<i64>,
    at: usize,
    /// Whether there are more parts than those.
    has_more: bool,
    /// How many pages were read the last time.
    pub(super) pages_read: i64,
}

impl Cursor {
    /// Takes the beginning of the list; `may_go_on` says whether pages may follow.
    pub(super) fn begin(&mut self, packed: Vec<u8>, may_go_on: bool) {
        self.parts.push_back(packed);
        self.has_more = may_go_on;
    }

    /// Takes pages that begin with the word, in order; `has_more` says whether more of them may follow.
    pub(super) fn extend(&mut self, pages: Vec<Vec<u8>>, has_more: bool) -> Result<(), Damaged> {
        self.has_more = has_more;
        for page in pages {
            let mut entries = Entries::of(page);
            if !entries.advance()? {
                return Err(Damaged);
            }
            self.has_more &= entries.is_last();
            self.parts.push_back(entries.packed().to_vec());
        }
        Ok(())
    }

    /// The first id from `target` on.
    fn seek(&mut self, target: i64) -> Result<Option<i64>, Stop> {
        loop {
            if let Some(id) = self.seek_in_part(target) {
                return Ok(Some(id));
            }
            // A part that begins before the target, with one after it that does so too, cannot have it.
            while self.parts.len() > 1 && first_id(&self.parts[1])? <= target {
                self.parts.pop_front();
            }
            self.ids.clear();
            self.at = 0;
            match self.parts.pop_front() {
                Some(part) => unpack(&part, &mut self.ids)?,
                None if self.has_more => return Err(Stop::Missing { word: 0, from: target }),
                None => return Ok(None),
            }
        }
    }

    /// The first id from `target` on in the part that is being looked at: close by mostly, so steps double.
    fn seek_in_part(&mut self, target: i64) -> Option<i64> {
        let mut step = 1;
        while self.ids.get(self.at + step).is_some_and(|id| *id < target) {
            self.at += step;
            step *= 2;
        }
        let end = (self.at + step + 1).min(self.ids.len());
        self.at += self.ids[self.at.min(end)..end].partition_point(|id| *id < target);
        self.ids.get(self.at).copied()
    }
}

/// A search through one segment.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) cursors: Vec<Cursor>,
    target: i64,
}

impl Search {
    /// A search from the lowest id on.
    pub(super) fn new(words: usize) -> Self {
        Self { cursors: vec![Cursor::default(); words], target: 0 }
    }

    /// The next id.
    pub(super) fn next(&mut self, node: &Node) -> Result<Option<i64>, Stop> {
        let found = node.seek(&mut self.cursors, self.target)?;
        if let Some(id) = found {
            self.target = id + 1;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::word_index::page::PageBuilder;

    /// Every word's page, and a search that is given them.
    fn search(lists: &[(&str, Vec<i64>)], condition: &Condition) -> Vec<i64> {
        let mut words = Vec::new();
        let node = Node::of(condition, &mut words);
        let mut search = Search::new(words.len());
        for (word, cursor) in words.iter().zip(&mut search.cursors) {
            let mut builder = PageBuilder::default();
            if let Some((word, ids)) = lists.iter().find(|(known, _)| known == word) {
                builder.push(word, ids);
            }
            let mut pages = builder.finish().into_iter();
            if let Some(first) = pages.next() {
                begin(cursor, first.entries);
                cursor.extend(pages.map(|page| page.entries).collect(), false).unwrap();
            }
        }
        std::iter::from_fn(|| search.next(&node).unwrap()).collect()
    }

    /// Gives a cursor the only entry of a page.
    fn begin(cursor: &mut Cursor, page: Vec<u8>) {
        let mut entries = Entries::of(page);
        assert!(entries.advance().unwrap());
        cursor.begin(entries.packed().to_vec(), entries.is_last());
    }

    fn word(word: &str) -> Condition {
        Condition::word(word)
    }

    #[test]
    fn conditions_are_met_as_sets_say() {
        let lists = [("a", (1..9000).step_by(3).collect()), ("b", (1..9000).step_by(5).collect()), ("c", vec![2, 8_996])];
        let both: Vec<i64> = (1..9000).step_by(15).collect();
        assert_eq!(search(&lists, &Condition::All(vec![word("a"), word("b")])), both);
        let mut either: Vec<i64> = both.iter().copied().chain([2, 8_996]).collect();
        either.sort_unstable();
        either.dedup();
        let condition = Condition::Any(vec![word("c"), Condition::All(vec![word("b"), word("a")]), word("nowhere")]);
        assert_eq!(search(&lists, &condition), either);
        assert_eq!(search(&lists, &Condition::All(vec![word("a"), word("nowhere")])), [0; 0]);
        assert_eq!(search(&lists, &Condition::All(vec![])), [0; 0]);
        assert_eq!(search(&lists, &Condition::All(vec![word("c"), Condition::Any(vec![word("b"), word("a")])])), [8_996]);
    }

    #[test]
    fn what_is_not_read_yet_is_asked_for_and_the_search_goes_on() {
        let mut builder = PageBuilder::default();
        builder.push("a", &(1..20_000).collect::<Vec<i64>>());
        let mut pages = builder.finish().into_iter().map(|page| page.entries);
        let mut search = Search::new(1);
        begin(&mut search.cursors[0], pages.next().unwrap());
        let mut found = 0;
        loop {
            match search.next(&Node::Word(0)) {
                Ok(Some(id)) => assert_eq!(id, {
                    found += 1;
                    found
                }),
                Ok(None) => break,
                Err(stop) => {
                    assert_eq!(stop, Stop::Missing { word: 0, from: found + 1 });
                    let next: Vec<Vec<u8>> = pages.by_ref().take(2).collect();
                    search.cursors[0].extend(next, pages.len() > 0).unwrap();
                }
            }
        }
        assert_eq!(found, 19_999);
    }
}
