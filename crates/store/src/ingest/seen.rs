//! What a run has seen: one bit an asset, whatever the size of the catalog.

/// A bitmap of asset ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    bits: Vec<u64>,
}

/// Ids above this are not kept in the bitmap: it would pass 128 MiB.
const ID_MAX: i64 = 1 << 30;

impl Seen {
    /// Marks an id; whether it was not marked before.
    pub(crate) fn mark(&mut self, id: i64) -> bool {
        let Some((word, bit)) = position(id) else { return false };
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        let fresh = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        fresh
    }

    /// Whether an id is marked. One that cannot be marked counts as seen: nothing is ever archived for want of a bit.
    pub(crate) fn contains(&self, id: i64) -> bool {
        position(id).is_none_or(|(word, bit)| self.bits.get(word).is_some_and(|bits| bits & bit != 0))
    }

    /// Whether nothing is marked.
    pub(crate) fn is_empty(&self) -> bool {
        self.bits.iter().all(|word| *word == 0)
    }

    /// The stored form: little-endian words.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.bits.iter().flat_map(|word| word.to_le_bytes()).collect()
    }
}

fn position(id: i64) -> Option<(usize, u64)> {
    let id = usize::try_from(id).ok().filter(|_| id <= ID_MAX)?;
    Some((id / 64, 1 << (id % 64)))
}

#[cfg(test)]
mod tests {
    use super::Seen;

    #[test]
    fn a_mark_is_fresh_once() {
        let mut seen = Seen::default();
        assert!(seen.is_empty());
        assert!(seen.mark(64) && !seen.mark(64) && seen.mark(0));
        assert!(seen.contains(64) && !seen.contains(63) && !seen.contains(100_000) && !seen.is_empty());
        assert_eq!(seen.to_bytes().len(), 16);
        assert!(seen.contains(i64::MAX) && seen.contains(-1));
    }
}
