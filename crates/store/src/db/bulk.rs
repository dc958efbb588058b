//! Statements of many rows: 100 rows of `VALUES` on SQLite, an array for each column on PostgreSQL. Why arrays and not `COPY`:
//! `docs/decisions/014-arrays-not-copy.md`.

use std::fmt::Write as _;

use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Postgres, Sqlite};

use super::connection::{Connection, Handle};
use super::query::bind_sqlite;
use super::value::Value;
use crate::dialect;

/// Rows of one statement on SQLite. Measured: 25 rows a statement cost a third more processor time a table than 100.
const SQLITE_ROWS: usize = 100;
/// Rows of one statement on PostgreSQL.
const POSTGRES_ROWS: usize = 2000;

/// A statement of many rows.
#[derive(Clone, Copy)]
pub(crate) struct Bulk {
    /// The table.
    pub(crate) table: &'static str,
    /// Its columns, as SQL lists them.
    pub(crate) columns: &'static str,
    /// `ON CONFLICT …`, or nothing.
    pub(crate) tail: &'static str,
    /// How many values a row has.
    pub(crate) width: usize,
}

/// A row that is being given its values.
pub(crate) enum Bound {
    Sqlite(sqlx::query::Query<'static, Sqlite, SqliteArguments>),
    Postgres(Vec<Value>),
}

impl Bound {
    /// Gives the next value.
    pub(crate) fn bind(self, value: impl Into<Value>) -> Self {
        match self {
            Self::Sqlite(query) => Self::Sqlite(bind_sqlite(query, value.into())),
            Self::Postgres(mut values) => {
                values.push(value.into());
                Self::Postgres(values)
            }
        }
    }
}

impl Bulk {
    /// Writes all `rows`; `bind` gives the values of one.
    pub(crate) async fn write<T>(
        &self,
        connection: &mut Connection<'_>,
        rows: &[T],
        bind: impl Fn(Bound, &T) -> Bound,
    ) -> Result<(), sqlx::Error> {
        match &connection.handle {
            Handle::Sqlite(_) => self.write_sqlite(connection, rows, bind).await,
            Handle::Postgres(_) => {
                for chunk in rows.chunks(POSTGRES_ROWS) {
                    self.write_arrays(connection, values_of(chunk, &bind)).await?;
                }
                Ok(())
            }
        }
    }

    /// Writes rows that are surely not there yet: nothing looks for conflicts.
    pub(crate) async fn write_new<T>(
        &self,
        connection: &mut Connection<'_>,
        rows: &[T],
        bind: impl Fn(Bound, &T) -> Bound,
    ) -> Result<(), sqlx::Error> {
        Self { tail: "", ..*self }.write(connection, rows, bind).await
    }

    async fn write_sqlite<T>(
        &self,
        connection: &mut Connection<'_>,
        rows: &[T],
        bind: impl Fn(Bound, &T) -> Bound,
    ) -> Result<(), sqlx::Error> {
        let mut rest = rows;
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(chunk_size(rest.len()));
            let mut bound = Bound::Sqlite(sqlx::query(AssertSqlSafe(self.values_text(chunk.len()))));
            for row in chunk {
                bound = bind(bound, row);
            }
            if let (Bound::Sqlite(query), Handle::Sqlite(inner)) = (bound, &mut connection.handle) {
                query.execute(&mut **inner).await?;
            }
            rest = after;
        }
        Ok(())
    }

    /// Values are `?` here, not `$1`: SQLite looks numbered names up in a list, which is quadratic for a thousand of them.
    fn values_text(&self, rows: usize) -> String {
        let mut text = format!("INSERT INTO {} ({}) VALUES", self.table, self.columns);
        text.reserve(self.tail.len() + rows * (self.width * 2 + 3));
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

    async fn write_arrays(&self, connection: &mut Connection<'_>, rows: Vec<Vec<Value>>) -> Result<(), sqlx::Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let arrays = (1..=self.width).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ");
        let text = format!("INSERT INTO {} ({}) SELECT * FROM unnest({arrays}) {}", self.table, self.columns, self.tail);
        let mut query = sqlx::query(AssertSqlSafe(text));
        let mut columns: Vec<Vec<Value>> = (0..self.width).map(|_| Vec::with_capacity(rows.len())).collect();
        for row in rows {
            columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
        for column in columns {
            query = bind_array(query, column);
        }
        let Handle::Postgres(inner) = &mut connection.handle else { return Ok(()) };
        let written = query.execute(&mut **inner).await?.rows_affected();
        connection.note_written(written);
        Ok(())
    }
}

fn row_values(bound: Bound) -> Vec<Value> {
    match bound {
        Bound::Postgres(values) => values,
        Bound::Sqlite(_) => Vec::new(),
    }
}

fn values_of<T>(rows: &[T], bind: &impl Fn(Bound, &T) -> Bound) -> Vec<Vec<Value>> {
    rows.iter().map(|row| row_values(bind(Bound::Postgres(Vec::new()), row))).collect()
}

/// All values of a column have one type, whether they are there or not.
fn bind_array(
    query: sqlx::query::Query<'static, Postgres, PgArguments>,
    column: Vec<Value>,
) -> sqlx::query::Query<'static, Postgres, PgArguments> {
    match column.first() {
        Some(Value::Text(_)) => {
            let text = |value: Value| match value {
                Value::Text(text) => text.map(|text| dialect::postgres_string(text.as_str()).into_owned()),
                Value::Number(_) | Value::Bytes(_) | Value::List(_) => None,
            };
            query.bind(column.into_iter().map(text).collect::<Vec<_>>())
        }
        Some(Value::Bytes(_)) => {
            let bytes = |value: Value| if let Value::Bytes(bytes) = value { bytes } else { None };
            query.bind(column.into_iter().map(bytes).collect::<Vec<_>>())
        }
        Some(Value::Number(_) | Value::List(_)) | None => {
            let number = |value: Value| if let Value::Number(number) = value { number } else { None };
            query.bind(column.into_iter().map(number).collect::<Vec<_>>())
        }
    }
}

/// A few sizes only, so that few statements are prepared and cached.
fn chunk_size(left: usize) -> usize {
    [SQLITE_ROWS, SQLITE_ROWS / 4, SQLITE_ROWS / 20].into_iter().find(|size| left >= *size).unwrap_or(1)
}
