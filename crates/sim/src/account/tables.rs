//! The tables of one database, in name order: generated ones that exist only as numbers, overlaid by documents.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::iter::Peekable;
use std::ops::Bound;

use serde_json::Value;

use super::{BulkTables, Visibility, text};

#[derive(Clone, Debug)]
pub(crate) struct TableEntry {
    pub(crate) document: Value,
    pub(crate) visibility: Visibility,
}

/// Generated tables, less `removed`, plus `listed`. A generated table that changes becomes a listed one.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableSet {
    generated: Option<BulkTables>,
    removed: BTreeSet<u64>,
    listed: BTreeMap<String, TableEntry>,
}

/// One table of a set.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'t> {
    Generated(&'t BulkTables, u64),
    Listed(&'t str, &'t TableEntry),
}

impl<'t> Found<'t> {
    pub(crate) fn name(&self) -> Cow<'t, str> {
        match self {
            Self::Generated(bulk, index) => Cow::Owned(bulk.name(*index)),
            Self::Listed(name, _) => Cow::Borrowed(name),
        }
    }

    pub(crate) fn is_visible(&self) -> bool {
        match self {
            Self::Generated(..) => true,
            Self::Listed(_, entry) => entry.visibility == Visibility::Visible,
        }
    }

    pub(crate) fn document(&self) -> Value {
        match self {
            Self::Generated(bulk, index) => serde_json::from_slice(&bulk.render(*index)).unwrap_or_default(),
            Self::Listed(_, entry) => entry.document.clone(),
        }
    }

    /// The `TableType` without building the document.
    pub(crate) fn table_type(&self) -> &'t str {
        match self {
            Self::Generated(..) => BulkTables::TABLE_TYPE,
            Self::Listed(_, entry) => text(&entry.document, "TableType"),
        }
    }
}

impl TableSet {
    pub(crate) fn generated(tables: BulkTables) -> Self {
        Self { generated: Some(tables), ..Self::default() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<Found<'_>> {
        if let Some((name, entry)) = self.listed.get_key_value(name) {
            return Some(Found::Listed(name, entry));
        }
        let bulk = self.generated.as_ref()?;
        let index = bulk.index_of(name)?;
        (!self.removed.contains(&index)).then_some(Found::Generated(bulk, index))
    }

    pub(crate) fn put(&mut self, name: &str, entry: TableEntry) {
        self.remove(name);
        self.listed.insert(name.to_owned(), entry);
    }

    /// Whether there was such a table.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        if let Some(index) = self.generated.as_ref().and_then(|bulk| bulk.index_of(name)) {
            return self.removed.insert(index) | self.listed.remove(name).is_some();
        }
        self.listed.remove(name).is_some()
    }

    /// The entry to change; a generated table becomes a listed one by this.
    pub(crate) fn entry_mut(&mut self, name: &str) -> Option<&mut TableEntry> {
        if !self.listed.contains_key(name) {
            let document = self.get(name)?.document();
            self.put(name, TableEntry { document, visibility: Visibility::Visible });
        }
        self.listed.get_mut(name)
    }

    pub(crate) fn last_name(&self) -> Option<String> {
        let listed = self.listed.keys().next_back().cloned();
        let generated = self
            .generated
            .as_ref()
            .and_then(|bulk| (0..bulk.count()).rev().find(|index| !self.removed.contains(index)).map(|index| bulk.name(index)));
        listed.max(generated)
    }

    /// All tables whose name sorts after `name`, ascending.
    pub(crate) fn after(&self, name: Option<&str>) -> Merged<'_> {
        let bound = name.map_or(Bound::Unbounded, Bound::Excluded);
        let start = |bulk: &BulkTables| name.map_or(0, |name| bulk.first_after(name));
        Merged {
            set: self,
            next_index: self.generated.as_ref().map_or(0, start),
            listed: self.listed.range::<str, _>((bound, Bound::Unbounded)).peekable(),
        }
    }
}

/// Two ascending sequences merged into one.
#[derive(Debug)]
pub(crate) struct Merged<'t> {
    set: &'t TableSet,
    next_index: u64,
    listed: Peekable<btree_map::Range<'t, String, TableEntry>>,
}

impl<'t> Merged<'t> {
    fn generated_next(&mut self) -> Option<(&'t BulkTables, u64)> {
        let bulk = self.set.generated.as_ref()?;
        while !self.set.removed.is_empty() && self.set.removed.contains(&self.next_index) {
            self.next_index += 1;
        }
        (self.next_index < bulk.count()).then_some((bulk, self.next_index))
    }
}

impl<'t> Iterator for Merged<'t> {
    type Item = Found<'t>;

    fn next(&mut self) -> Option<Found<'t>> {
        let generated = self.generated_next();
        let Some((name, _)) = self.listed.peek() else {
            let (bulk, index) = generated?;
            self.next_index += 1;
            return Some(Found::Generated(bulk, index));
        };
        if let Some((bulk, index)) = generated
            && bulk.name(index).as_str() < name.as_str()
        {
            self.next_index += 1;
            return Some(Found::Generated(bulk, index));
        }
        self.listed.next().map(|(name, entry)| Found::Listed(name, entry))
    }
}

#[cfg(test)]
mod tests {
    use super::super::bulk::Shape;
    use super::*;

    fn set(count: u64) -> TableSet {
        TableSet::generated(BulkTables::new(&Shape::new(3), "1", "db", count))
    }

    fn names(set: &TableSet, after: Option<&str>) -> Vec<String> {
        set.after(after).map(|found| found.name().into_owned()).collect()
    }

    #[test]
    fn changed_dropped_and_added_tables_keep_the_order() {
        let mut set = set(120);
        let before = names(&set, None);
        assert!(set.remove(&before[5]) && !set.remove(&before[5]));
        set.entry_mut(&before[7]).expect("generated table").visibility = Visibility::Hidden;
        set.put("mmm", TableEntry { document: Value::Null, visibility: Visibility::Visible });
        let now = names(&set, None);
        assert_eq!(now.len(), 120);
        assert!(now.is_sorted() && now.contains(&"mmm".to_owned()) && !now.contains(&before[5]));
        assert!(!set.get(&before[7]).expect("still there").is_visible());
        assert!(set.get(&before[5]).is_none());
    }

    #[test]
    fn resuming_after_any_name_misses_nothing() {
        let mut set = set(90);
        set.remove(&names(&set, None)[40]);
        let all = names(&set, None);
        for (at, name) in all.iter().enumerate() {
            assert_eq!(names(&set, Some(name)), all[at + 1..]);
        }
        assert_eq!(set.last_name().as_ref(), all.last());
    }
}
