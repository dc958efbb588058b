//! Turning assets with words into words with assets.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

use super::page::{Page, PageBuilder};

/// Where a chain of postings ends.
const NONE: u32 = u32::MAX;

/// Hashes words.
#[derive(Clone, Copy, Default)]
struct WordHash;

#[derive(Default)]
struct WordHasher(u64);

impl BuildHasher for WordHash {
    type Hasher = WordHasher;

    fn build_hasher(&self) -> WordHasher {
        WordHasher::default()
    }
}

impl Hasher for WordHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxhash_rust::xxh3::xxh3_64_with_seed(bytes, self.0);
    }

    /// What ends a text in the hash of a pair: words are hashed alone.
    fn write_u8(&mut self, _end: u8) {}
}

/// The words of some assets, in order, on their way into the index.
pub(crate) struct WordPages {
    pub(super) pages: Vec<Page>,
    pub(super) first_asset: i64,
    pub(super) assets: i64,
}

impl WordPages {
    /// Of assets in ascending order of their ids, each with its distinct words and a space after each.
    pub(crate) fn of(assets: &[(i64, &str)]) -> Self {
        Self {
            pages: pages(assets),
            first_asset: assets.first().map_or(0, |(id, _)| *id),
            assets: i64::try_from(assets.len()).unwrap_or(i64::MAX),
        }
    }
}

fn pages(assets: &[(i64, &str)]) -> Vec<Page> {
    // A chain for each word, its last posting first: a list for each would cost an allocation a word.
    let mut heads: HashMap<&str, u32, WordHash> = HashMap::default();
    let mut postings: Vec<(i64, u32)> = Vec::with_capacity(assets.len() * 128);
    for (id, words) in assets {
        for word in words.split_ascii_whitespace() {
            let at = u32::try_from(postings.len()).unwrap_or(NONE);
            let before = heads.insert(word, at).unwrap_or(NONE);
            postings.push((*id, before));
        }
    }
    let mut words: Vec<(&str, u32)> = heads.into_iter().collect();
    words.sort_unstable_by_key(|(word, _)| *word);
    let (mut builder, mut ids) = (PageBuilder::default(), Vec::new());
    for (word, head) in words {
        ids.clear();
        let mut at = head;
        while let Some((id, before)) = postings.get(at as usize) {
            ids.push(*id);
            at = *before;
        }
        ids.reverse();
        builder.push(word, &ids);
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::word_index::page::{Entries, unpack};

    #[test]
    fn words_come_in_order_each_with_the_assets_that_have_it() {
        let pages = pages(&[(3, "b a "), (5, "c a "), (9, "a ")]);
        let mut found = Vec::new();
        let mut entries = Entries::of(pages[0].entries.clone());
        while entries.advance().unwrap() {
            let mut ids = Vec::new();
            unpack(entries.packed(), &mut ids).unwrap();
            found.push((String::from_utf8(entries.word().to_vec()).unwrap(), ids));
        }
        let wanted = [("a", vec![3, 5, 9]), ("b", vec![3]), ("c", vec![5])].map(|(word, ids)| (word.to_owned(), ids));
        assert_eq!((pages.len(), found), (1, wanted.to_vec()));
    }
}
