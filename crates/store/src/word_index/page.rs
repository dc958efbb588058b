//! Pages: the words of a segment in order, each with a part of its posting list.
//!
//! A page is a sequence of entries. An entry is: how many bytes of the word are those of the entry before it, how many follow, these
//! bytes, how many bytes the ids take, and the ids: the first one, then the distance to each next one. Numbers are LEB128
//! (7 bits a byte, least first). The key of a page is the word that it begins with; where an earlier page has the beginning of that
//! word's list, a space and the first id follow, as 16 hexadecimal digits. No word has a character below `$`, so the keys of a segment
//! ascend as its entries do.

/// Bytes of entries in a page. Two pages fit into one of a database's 8 KiB pages.
const PAGE_BYTES: usize = 3_900;
/// Bytes that must be free for ids, or else a word begins on the next page.
const IDS_BYTES_MIN: usize = 16;
/// Bytes that the four numbers of an entry take at most: words and pages are short.
const HEAD_BYTES_MAX: usize = 8;
/// Bytes of an id at most.
const ID_BYTES_MAX: usize = 10;

/// A page as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) key: String,
    pub(super) entries: Vec<u8>,
}

/// The key of a page that begins inside the list of a word; also what to look for to find an id in that list.
pub(super) fn key_within(word: &str, id: i64) -> String {
    format!("{word} {id:016x}")
}

/// A text that comes after all keys of a word's list, and before those of any word after it.
pub(super) fn key_after(word: &str) -> String {
    format!("{word}!")
}

/// Packs words into pages.
#[derive(Default)]
pub(super) struct PageBuilder {
    full: Vec<Page>,
    key: String,
    entries: Vec<u8>,
    /// The word of the last entry.
    last: Vec<u8>,
}

impl PageBuilder {
    /// Adds a word that comes after all that were added, with the ascending ids of the assets that have it.
    pub(super) fn push(&mut self, word: &str, ids: &[i64]) {
        let mut rest = ids;
        while let Some(first) = rest.first() {
            let shared = shared_length(&self.last, word.as_bytes());
            let needed = HEAD_BYTES_MAX + word.len() - shared + IDS_BYTES_MIN;
            if !self.entries.is_empty() && self.entries.len() + needed > PAGE_BYTES {
                self.end_page();
                continue;
            }
            if self.entries.is_empty() {
                self.key = if rest.len() == ids.len() { word.to_owned() } else { key_within(word, *first) };
            }
            let taken = self.write_entry(word, shared, rest);
            rest = &rest[taken..];
        }
    }

    /// Writes an entry with as many ids as the page has place for, at least one; how many.
    fn write_entry(&mut self, word: &str, shared: usize, ids: &[i64]) -> usize {
        let suffix = &word.as_bytes()[shared..];
        let room = PAGE_BYTES.saturating_sub(self.entries.len() + HEAD_BYTES_MAX + suffix.len()).max(ID_BYTES_MAX);
        let (taken, bytes) = fitting(ids, room);
        write_number(shared as u64, &mut self.entries);
        write_number(suffix.len() as u64, &mut self.entries);
        self.entries.extend_from_slice(suffix);
        write_number(bytes as u64, &mut self.entries);
        write_ids(&ids[..taken], &mut self.entries);
        self.last.truncate(shared);
        self.last.extend_from_slice(suffix);
        taken
    }

    fn end_page(&mut self) {
        let key = std::mem::take(&mut self.key);
        self.full.push(Page { key, entries: std::mem::replace(&mut self.entries, Vec::with_capacity(PAGE_BYTES)) });
        self.last.clear();
    }

    /// How many pages are full.
    pub(super) fn full(&self) -> usize {
        self.full.len()
    }

    /// Takes the full pages.
    pub(super) fn take_full(&mut self) -> Vec<Page> {
        std::mem::take(&mut self.full)
    }

    /// The pages that were not taken yet.
    pub(super) fn finish(mut self) -> Vec<Page> {
        if !self.entries.is_empty() {
            self.end_page();
        }
        self.full
    }
}

fn shared_length(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// How many of the ids fit into some bytes, and how many bytes they take.
fn fitting(ids: &[i64], room: usize) -> (usize, usize) {
    let (mut bytes, mut last) = (0, 0);
    for (index, id) in ids.iter().enumerate() {
        let length = number_length(distance(last, *id));
        if bytes + length > room {
            return (index, bytes);
        }
        bytes += length;
        last = *id;
    }
    (ids.len(), bytes)
}

fn write_ids(ids: &[i64], out: &mut Vec<u8>) {
    let mut last = 0;
    for id in ids {
        write_number(distance(last, *id), out);
        last = *id;
    }
}

/// Ids ascend and begin above 0.
fn distance(last: i64, id: i64) -> u64 {
    id.wrapping_sub(last).cast_unsigned()
}

fn number_length(number: u64) -> usize {
    let bits = u64::BITS - (number | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

fn write_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A page is not as this program writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a page of the search index is damaged")]
pub(super) struct Damaged;

/// Reads the entries of a page.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries {
    bytes: Vec<u8>,
    at: usize,
    word: Vec<u8>,
    /// Where the ids of the entry are.
    ids: std::ops::Range<usize>,
}

impl Entries {
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Self { bytes, ..Self::default() }
    }

    /// Goes to the next entry; whether there is one.
    pub(super) fn advance(&mut self) -> Result<bool, Damaged> {
        if self.at == self.bytes.len() {
            return Ok(false);
        }
        let (shared, suffix) = (self.number()?, self.number()?);
        if shared > self.word.len() {
            return Err(Damaged);
        }
        let suffix = self.take(suffix)?;
        self.word.truncate(shared);
        self.word.extend_from_slice(&self.bytes[suffix]);
        let length = self.number()?;
        self.ids = self.take(length)?;
        Ok(true)
    }

    /// The word of the entry.
    pub(super) fn word(&self) -> &[u8] {
        &self.word
    }

    /// Whether the entry is the last one.
    pub(super) fn is_last(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// The ids of the entry, packed.
    pub(super) fn packed(&self) -> &[u8] {
        &self.bytes[self.ids.clone()]
    }

    fn number(&mut self) -> Result<usize, Damaged> {
        let number = read_number(&self.bytes, &mut self.at).ok_or(Damaged)?;
        usize::try_from(number).map_err(|_| Damaged)
    }

    fn take(&mut self, length: usize) -> Result<std::ops::Range<usize>, Damaged> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len()).ok_or(Damaged)?;
        let range = self.at..end;
        self.at = end;
        Ok(range)
    }
}

/// Adds packed ids to a list.
pub(super) fn unpack(packed: &[u8], ids: &mut Vec<i64>) -> Result<(), Damaged> {
    let (mut at, mut last) = (0, 0_i64);
    while at < packed.len() {
        let distance = read_number(packed, &mut at).ok_or(Damaged)?;
        last = last.checked_add_unsigned(distance).ok_or(Damaged)?;
        ids.push(last);
    }
    Ok(())
}

/// The first of packed ids.
pub(super) fn first_id(packed: &[u8]) -> Result<i64, Damaged> {
    read_number(packed, &mut 0).map(u64::cast_signed).ok_or(Damaged)
}

fn read_number(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pages: &[Page]) -> Vec<(String, Vec<i64>)> {
        let mut words: Vec<(String, Vec<i64>)> = Vec::new();
        for page in pages {
            let mut entries = Entries::of(page.entries.clone());
            let mut is_first = true;
            while entries.advance().unwrap() {
                let word = str::from_utf8(entries.word()).unwrap().to_owned();
                let continues = words.last().is_some_and(|(last, _)| *last == word);
                if is_first {
                    let first = first_id(entries.packed()).unwrap();
                    assert_eq!(page.key, if continues { key_within(&word, first) } else { word.clone() });
                }
                is_first = false;
                if !continues {
                    words.push((word, Vec::new()));
                }
                unpack(entries.packed(), &mut words.last_mut().unwrap().1).unwrap();
            }
            assert!(entries.is_last());
        }
        words
    }

    #[test]
    fn what_is_packed_is_read_back_over_many_pages_whose_keys_ascend() {
        let mut words: Vec<(String, Vec<i64>)> =
            (0..3000).map(|number| (format!("w{number:05}"), vec![number, i64::MAX])).collect();
        words.push(("a".to_owned(), (1..20_000).collect()));
        words.push(("a$".to_owned(), (1..20_000).step_by(300).collect()));
        words.push(("größe".to_owned(), vec![1]));
        words.sort();
        let mut builder = PageBuilder::default();
        words.iter().for_each(|(word, ids)| builder.push(word, ids));
        let mut pages = builder.take_full();
        pages.extend(builder.finish());
        assert!(pages.len() > 10 && pages.iter().all(|page| page.entries.len() <= PAGE_BYTES));
        assert!(pages.windows(2).all(|pair| pair[0].key < pair[1].key));
        assert_eq!(read(&pages), words);
    }

    #[test]
    fn the_keys_of_a_list_come_between_its_word_and_any_other_word() {
        let (word, after) = ("order", key_after("order"));
        let within = [key_within(word, 1), key_within(word, 255), key_within(word, i64::MAX)];
        assert!(within.is_sorted() && word < within[0].as_str() && within[2] < after);
        for other in ["order$", "order0", "order_", "orders", "orderß", "orders 00"] {
            assert!(after.as_str() < other, "{other}");
        }
    }

    #[test]
    fn damage_is_told_whatever_it_is() {
        let mut builder = PageBuilder::default();
        (0..50).for_each(|number| builder.push(&format!("word{number:02}"), &[1, 200, 40_000]));
        let [page] = <[Page; 1]>::try_from(builder.finish()).unwrap();
        let read = |bytes: Vec<u8>| -> Result<usize, Damaged> {
            let (mut entries, mut ids) = (Entries::of(bytes), Vec::new());
            while entries.advance()? {
                unpack(entries.packed(), &mut ids)?;
            }
            Ok(ids.len())
        };
        assert_eq!(read(page.entries.clone()), Ok(150));
        for end in 1..page.entries.len() {
            assert!(read(page.entries[..end].to_vec()).is_err() || read(page.entries[..end].to_vec()).unwrap() < 150);
        }
        for at in 0..page.entries.len() {
            let mut bytes = page.entries.clone();
            bytes[at] = 0xff;
            // It may be read as something else, but it ends.
            let _ = read(bytes);
        }
        assert_eq!(read(vec![0xff; 40]), Err(Damaged));
        assert_eq!(read(vec![3, 0, 0]), Err(Damaged));
    }
}
