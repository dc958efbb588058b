//! A statement with its values, and where it runs.

use std::borrow::Cow;
use std::marker::PhantomData;

use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Decode, Postgres, Sqlite, Type};

use super::connection::{Connection, Handle, Readers};
use super::row::Row;
use super::value::{List, Value};
use crate::dialect;

/// A statement that is being given its values.
pub(crate) struct Query {
    text: Cow<'static, str>,
    values: Vec<Value>,
}

/// A statement whose rows have one value.
pub(crate) struct ScalarQuery<T> {
    query: Query,
    scalar: PhantomData<fn() -> T>,
}

/// A statement. Its text is ours and never holds what somebody typed: values are bound.
pub(crate) fn query(text: impl Into<Cow<'static, str>>) -> Query {
    Query { text: text.into(), values: Vec::new() }
}

/// A statement whose rows have one value.
pub(crate) fn query_scalar<T>(text: impl Into<Cow<'static, str>>) -> ScalarQuery<T> {
    ScalarQuery { query: query(text), scalar: PhantomData }
}

/// Where a statement runs: on whichever reader is free, or on one connection.
pub(crate) enum On<'e, 'c> {
    Readers(&'e Readers),
    Connection(&'e mut Connection<'c>),
}

impl<'e> From<&'e Readers> for On<'e, '_> {
    fn from(readers: &'e Readers) -> Self {
        Self::Readers(readers)
    }
}

impl<'e, 'c> From<&'e mut Connection<'c>> for On<'e, 'c> {
    fn from(connection: &'e mut Connection<'c>) -> Self {
        Self::Connection(connection)
    }
}

type SqliteQuery = sqlx::query::Query<'static, Sqlite, SqliteArguments>;
type PostgresQuery = sqlx::query::Query<'static, Postgres, PgArguments>;

impl Query {
    /// Gives the next value.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// All rows. Statements bound what they return by `LIMIT`, or by what they are asked for.
    pub(crate) async fn fetch_all<'e, 'c: 'e>(self, on: impl Into<On<'e, 'c>>) -> Result<Vec<Row>, sqlx::Error> {
        match on.into() {
            On::Readers(Readers::Sqlite(pool)) => sqlite_rows(self.sqlite().fetch_all(pool).await?),
            On::Readers(Readers::Postgres(pool)) => postgres_rows(self.postgres().fetch_all(pool).await?),
            On::Connection(connection) => match &mut connection.handle {
                Handle::Sqlite(inner) => sqlite_rows(self.sqlite().fetch_all(&mut **inner).await?),
                Handle::Postgres(inner) => postgres_rows(self.postgres().fetch_all(&mut **inner).await?),
            },
        }
    }

    /// The first row, if there is one.
    pub(crate) async fn fetch_optional<'e, 'c: 'e>(self, on: impl Into<On<'e, 'c>>) -> Result<Option<Row>, sqlx::Error> {
        Ok(match on.into() {
            On::Readers(Readers::Sqlite(pool)) => self.sqlite().fetch_optional(pool).await?.map(Row::Sqlite),
            On::Readers(Readers::Postgres(pool)) => self.postgres().fetch_optional(pool).await?.map(Row::Postgres),
            On::Connection(connection) => match &mut connection.handle {
                Handle::Sqlite(inner) => self.sqlite().fetch_optional(&mut **inner).await?.map(Row::Sqlite),
                Handle::Postgres(inner) => self.postgres().fetch_optional(&mut **inner).await?.map(Row::Postgres),
            },
        })
    }

    /// The first row, which has to be there.
    pub(crate) async fn fetch_one<'e, 'c: 'e>(self, on: impl Into<On<'e, 'c>>) -> Result<Row, sqlx::Error> {
        self.fetch_optional(on).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Runs the statement; how many rows it has written.
    pub(crate) async fn execute(self, connection: &mut Connection<'_>) -> Result<u64, sqlx::Error> {
        let rows = match &mut connection.handle {
            Handle::Sqlite(inner) => self.sqlite().execute(&mut **inner).await?.rows_affected(),
            Handle::Postgres(inner) => self.postgres().execute(&mut **inner).await?.rows_affected(),
        };
        connection.note_written(rows);
        Ok(rows)
    }

    fn sqlite(self) -> SqliteQuery {
        let query = match self.text {
            Cow::Borrowed(text) => sqlx::query(dialect::sqlite_text(text)),
            Cow::Owned(text) => sqlx::query(AssertSqlSafe(dialect::sqlite_text(&text).to_owned())),
        };
        self.values.into_iter().fold(query, bind_sqlite)
    }

    fn postgres(self) -> PostgresQuery {
        let query = sqlx::query(AssertSqlSafe(dialect::postgres_text(&self.text)));
        self.values.into_iter().fold(query, bind_postgres)
    }
}

impl<T> ScalarQuery<T>
where
    T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>,
{
    /// Gives the next value.
    pub(crate) fn bind(self, value: impl Into<Value>) -> Self {
        Self { query: self.query.bind(value), scalar: PhantomData }
    }

    /// The values of all rows.
    pub(crate) async fn fetch_all<'e, 'c: 'e>(self, on: impl Into<On<'e, 'c>>) -> Result<Vec<T>, sqlx::Error> {
        self.query.fetch_all(on).await?.iter().map(|row| row.try_get(0)).collect()
    }

    /// The value of the first row, if there is one.
    pub(crate) async fn fetch_optional<'e, 'c: 'e>(self, on: impl Into<On<'e, 'c>>) -> Result<Option<T>, sqlx::Error> {
        self.query.fetch_optional(on).await?.map(|row| row.try_get(0)).transpose()
    }

    /// The value of the first row, which has to be there.
    pub(crate) async fn fetch_one<'e, 'c: 'e>(self, on: impl Into<On<'e, 'c>>) -> Result<T, sqlx::Error> {
        self.query.fetch_one(on).await?.try_get(0)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it ends branches that can fail")]
fn sqlite_rows(rows: Vec<sqlx::sqlite::SqliteRow>) -> Result<Vec<Row>, sqlx::Error> {
    Ok(rows.into_iter().map(Row::Sqlite).collect())
}

#[expect(clippy::unnecessary_wraps, reason = "it ends branches that can fail")]
fn postgres_rows(rows: Vec<sqlx::postgres::PgRow>) -> Result<Vec<Row>, sqlx::Error> {
    Ok(rows.into_iter().map(Row::Postgres).collect())
}

pub(super) fn bind_sqlite(query: SqliteQuery, value: Value) -> SqliteQuery {
    use super::value::Text;
    match value {
        Value::Number(number) => query.bind(number),
        Value::Text(None) => query.bind(None::<String>),
        Value::Text(Some(Text::Shared(text))) => query.bind(text),
        Value::Text(Some(Text::Owned(text))) => query.bind(text),
        Value::Text(Some(Text::Fixed(text))) => query.bind(text),
        Value::Bytes(bytes) => query.bind(bytes),
        Value::List(List::Numbers(numbers)) => query.bind(dialect::json_numbers(&numbers)),
        Value::List(List::Texts(texts)) => query.bind(dialect::json_texts(&texts)),
    }
}

fn bind_postgres(query: PostgresQuery, value: Value) -> PostgresQuery {
    match value {
        Value::Number(number) => query.bind(number),
        Value::Text(text) => query.bind(text.map(|text| dialect::postgres_string(text.as_str()).into_owned())),
        Value::Bytes(bytes) => query.bind(bytes),
        Value::List(List::Numbers(numbers)) => query.bind(numbers.to_vec()),
        Value::List(List::Texts(texts)) => {
            query.bind(texts.iter().map(|text| dialect::postgres_string(text).into_owned()).collect::<Vec<_>>())
        }
    }
}
