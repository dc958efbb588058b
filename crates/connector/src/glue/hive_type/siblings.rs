//! Fields of one struct that share a name once case is folded. Such names are legal in Glue and collide in
//! qualified names, so the later one is marked. The check stays linear for structs of any width.

use std::collections::HashSet;

use super::Field;

/// How many earlier fields a suspected duplicate is compared with before the check is put off.
const COMPARED_MAX: usize = 64;

/// What is known after one field was looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Unique,
    Duplicate,
    /// Too many fields to compare one by one: run [`mark_all`] at the end.
    Unknown,
}

/// A 64-bit filter over the names of one struct; a clear bit proves that a name is new.
#[derive(Clone, Copy)]
pub(super) struct NameFilter(u64);

impl NameFilter {
    pub(super) const EMPTY: Self = Self(0);

    /// Adds a name, and says whether an earlier one may be equal to it.
    #[inline]
    pub(super) fn insert(&mut self, name: &str) -> bool {
        let bit = 1_u64 << (bucket(name) & 63);
        let seen = self.0 & bit != 0;
        self.0 |= bit;
        seen
    }
}

/// The same number for names that are equal when case is folded. Folding may change the bytes and the
/// length of a name outside ASCII, so all of those share a number.
#[inline]
fn bucket(name: &str) -> u32 {
    if !name.is_ascii() {
        return 0;
    }
    let fold = |byte: Option<&u8>| byte.map_or(0, |byte| u32::from(byte.to_ascii_lowercase()));
    let bytes = name.as_bytes();
    let (first, middle, last) = (bytes.first(), bytes.get(bytes.len() / 2), bytes.last());
    (fold(first) * 31 + fold(middle)) * 31 + fold(last) * 7 + u32::from(bytes.len() as u8)
}

/// Compares the field at `index` with its earlier siblings, nearest first.
pub(super) fn compare(fields: &[Field<'_>], index: usize) -> Verdict {
    let Some(field) = fields.get(index) else { return Verdict::Unique };
    if field.order == 1 {
        return Verdict::Unique;
    }
    for other in fields[..index].iter().rev().take(COMPARED_MAX) {
        if other.parent != field.parent {
            continue;
        }
        if same_name(&other.name, &field.name) {
            return Verdict::Duplicate;
        }
        if other.order == 1 {
            return Verdict::Unique;
        }
    }
    Verdict::Unknown
}

fn same_name(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right) || (!left.is_ascii() && left.to_lowercase() == right.to_lowercase())
}

/// Marks every duplicate by hashing all names once, and says whether there is one.
pub(super) fn mark_all(fields: &mut [Field<'_>]) -> bool {
    let mut seen = HashSet::with_capacity(fields.len());
    let mut any = false;
    for field in fields {
        field.duplicate = !seen.insert((field.parent, field.name.to_lowercase()));
        any |= field.duplicate;
    }
    any
}
