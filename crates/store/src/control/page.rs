//! Lists are read page by page, by a key that only grows: what is written meanwhile leaves no gap and shows nothing twice.

use crate::Result;
use crate::db::Row;

/// Rows of one page at most.
const PAGE_ROWS_MAX: usize = 200;

/// Which page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// [`Page::next`] of the page before; the first page without.
    pub after: Option<i64>,
    /// Items at most, between 1 and 200: what is outside is taken for the nearer of them.
    pub limit: usize,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page goes on, if there is one.
    pub next: Option<i64>,
}

impl PageRequest {
    /// The first page.
    #[must_use]
    pub fn first(limit: usize) -> Self {
        Self { after: None, limit }
    }

    /// The number that all of a list in rising order are above.
    pub(super) fn above(&self) -> i64 {
        self.after.unwrap_or(0)
    }

    /// The number that all of a list in falling order are below.
    pub(super) fn below(&self) -> i64 {
        self.after.unwrap_or(i64::MAX)
    }

    fn rows(&self) -> usize {
        self.limit.clamp(1, PAGE_ROWS_MAX)
    }

    /// How many rows to ask for: one more than are shown says whether there are more.
    pub(super) fn asked(&self) -> i64 {
        i64::try_from(self.rows()).unwrap_or(i64::MAX).saturating_add(1)
    }

    /// The page of the rows that were asked for.
    pub(super) fn page<T>(&self, rows: &[Row], read: impl Fn(&Row) -> Result<T>, key: impl Fn(&T) -> i64) -> Result<Page<T>> {
        let items = rows.iter().take(self.rows()).map(read).collect::<Result<Vec<_>>>()?;
        let next = if rows.len() > self.rows() { items.last().map(key) } else { None };
        Ok(Page { items, next })
    }
}
