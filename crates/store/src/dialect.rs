//! The fragments of SQL that differ between databases; everything else is one text for all.
//!
//! A list of values is one parameter, always written `IN (SELECT value FROM json_each($n))`: the one phrase that another
//! database spells otherwise (PostgreSQL: `= ANY($n)` with an array). The search index is the other difference.

use std::fmt::Write as _;

use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection};

/// Rows of one bulk statement. Measured: 25 rows a statement cost a third more processor time a table than 100.
pub(crate) const BULK_ROWS: usize = 100;

/// A statement of many rows: what stands before and after the rows, and how many values a row has.
#[derive(Clone, Copy)]
pub(crate) struct Bulk {
    /// `INSERT INTO t (a, b) VALUES`
    pub(crate) head: &'static str,
    /// `ON CONFLICT …`, or nothing.
    pub(crate) tail: &'static str,
    /// How many values a row has.
    pub(crate) width: usize,
}

/// A query that is being given its values.
pub(crate) type Bound = sqlx::query::Query<'static, Sqlite, sqlx::sqlite::SqliteArguments>;

impl Bulk {
    /// Writes all `rows`, [`BULK_ROWS`] a statement; `bind` gives the values of one row.
    pub(crate) async fn write<T>(
        &self,
        connection: &mut SqliteConnection,
        rows: &[T],
        bind: impl Fn(Bound, &T) -> Bound,
    ) -> Result<(), sqlx::Error> {
        let mut rest = rows;
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(chunk_size(rest.len()));
            let mut query = sqlx::query(AssertSqlSafe(self.text(chunk.len())));
            for row in chunk {
                query = bind(query, row);
            }
            query.execute(&mut *connection).await?;
            rest = after;
        }
        Ok(())
    }

    /// Values are `?` here, not `$1`: SQLite looks numbered names up in a list, which is quadratic for a thousand of them.
    fn text(&self, rows: usize) -> String {
        let mut text = String::with_capacity(self.head.len() + self.tail.len() + rows * (self.width * 2 + 3));
        text.push_str(self.head);
        for row in 0..rows {
            text.push_str(if row == 0 { " (" } else { ",(" });
            for value in 0..self.width {
                text.push_str(if value == 0 { "?" } else { ",?" });
            }
            text.push(')');
        }
        let _ = write!(text, " {}", self.tail);
        text
    }
}

/// A few sizes only, so that few statements are prepared and cached.
fn chunk_size(left: usize) -> usize {
    [BULK_ROWS, BULK_ROWS / 4, BULK_ROWS / 20].into_iter().find(|size| left >= *size).unwrap_or(1)
}

/// Numbers as the value of `IN (SELECT value FROM json_each($n))`; PostgreSQL takes an array and `= ANY($n)`.
pub(crate) fn number_list(numbers: impl IntoIterator<Item = i64>) -> String {
    let mut text = String::from("[");
    for (index, number) in numbers.into_iter().enumerate() {
        let _ = write!(text, "{}{number}", if index == 0 { "" } else { "," });
    }
    text.push(']');
    text
}

/// Texts as the value of `IN (SELECT value FROM json_each($n))`; PostgreSQL takes an array and `= ANY($n)`.
pub(crate) fn text_list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut list = vec![b'['];
    for (index, text) in texts.into_iter().enumerate() {
        if index > 0 {
            list.push(b',');
        }
        model::document::write_string(text, &mut list);
    }
    list.push(b']');
    String::from_utf8(list).unwrap_or_default()
}

/// Rows that this connection has written since it was opened, those inside the search index included.
pub(crate) const ROWS_WRITTEN: &str = "SELECT total_changes()";
