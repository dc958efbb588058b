//! Connections: where assets are from, each with the number that stands in its qualified names.

use model::QualifiedName;

use crate::db::{self, Row, query, query_scalar};
use crate::{Result, Store, StoreError};

/// What a crawl knows about its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionSpec {
    /// The name that people gave it: with the connector, what it is found again by.
    pub name: String,
    /// The connector's short name in qualified names (`glue`, `aws-smus`).
    pub connector: &'static str,
    /// The number in qualified names; without one the stored number, or for a new connection the time in seconds since 1970 UTC.
    pub number: Option<u64>,
    /// The AWS region.
    pub region: Option<String>,
    /// The AWS account.
    pub account: Option<String>,
}

/// The store's own number for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub i64);

/// A stored connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The store's number.
    pub id: ConnectionId,
    /// The name that people gave it.
    pub name: String,
    /// The connector's short name.
    pub connector: String,
    /// The number in qualified names.
    pub number: u64,
    /// `default/<connector>/<number>`.
    pub qualified_name: QualifiedName,
    /// The AWS region.
    pub region: Option<String>,
    /// The AWS account.
    pub account: Option<String>,
    /// When it was first seen, milliseconds since 1970 UTC.
    pub created_ms: i64,
}

const COLUMNS: &str = "SELECT id, name, connector, number, region, account, created_ms FROM connection";

/// How many numbers in a row are tried for a new connection whose number is taken.
const NUMBERS_TRIED_MAX: u64 = 1000;

impl Store {
    /// The connection of this name, created if it is new. Region and account are brought up to date.
    ///
    /// # Errors
    /// When the given number contradicts the stored one, or belongs to another connection.
    pub async fn connection(&self, spec: &ConnectionSpec, now_ms: i64) -> Result<Connection> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin_alone().await?;
        let connection = &mut transaction.connection();
        let stored = query(format!("{COLUMNS} WHERE connector = $1 AND name = $2"))
            .bind(spec.connector)
            .bind(spec.name.clone())
            .fetch_optional(&mut *connection)
            .await?;
        let id = match stored.as_ref().map(read).transpose()? {
            Some(stored) => {
                refuse_other_number(spec, &stored)?;
                update(connection, spec, stored.id).await?;
                stored.id
            }
            None => insert(connection, spec, now_ms).await?,
        };
        let row = query(format!("{COLUMNS} WHERE id = $1")).bind(id.0).fetch_one(connection).await?;
        transaction.commit().await?;
        read(&row)
    }

    /// Keeps with a connection which account it leads to: a later run may not be told.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn remember_account(&self, id: ConnectionId, account: &str) -> Result<()> {
        let mut writer = self.writer().await?;
        let text = "UPDATE connection SET account = $1 WHERE id = $2 AND account IS DISTINCT FROM $1";
        query(text).bind(account.to_owned()).bind(id.0).execute(&mut writer.connection()).await?;
        Ok(())
    }

    /// All connections, by connector and name.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn connections(&self) -> Result<Vec<Connection>> {
        let query = query(format!("{COLUMNS} ORDER BY connector, name"));
        query.fetch_all(self.readers()).await?.iter().map(read).collect()
    }
}

fn refuse_other_number(spec: &ConnectionSpec, stored: &Connection) -> Result<()> {
    match spec.number {
        Some(number) if number != stored.number => Err(StoreError::Conflict {
            message: format!(
                "the connection `{}` has the number {} in this catalog, not {number}: leave the number out, or give the connection another name",
                spec.name, stored.number
            ),
        }),
        _ => Ok(()),
    }
}

async fn update(transaction: &mut db::Connection<'_>, spec: &ConnectionSpec, id: ConnectionId) -> Result<()> {
    let text = "UPDATE connection SET region = coalesce($1, region), account = coalesce($2, account) WHERE id = $3
        AND (region IS DISTINCT FROM coalesce($1, region) OR account IS DISTINCT FROM coalesce($2, account))";
    query(text).bind(spec.region.clone()).bind(spec.account.clone()).bind(id.0).execute(transaction).await?;
    Ok(())
}

/// Stores a new connection.
pub(crate) async fn insert(transaction: &mut db::Connection<'_>, spec: &ConnectionSpec, now_ms: i64) -> Result<ConnectionId> {
    let number = free_number(transaction, spec, now_ms).await?;
    let text = "INSERT INTO connection (name, connector, number, region, account, created_ms)
        VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";
    let id = query_scalar(text)
        .bind(spec.name.clone())
        .bind(spec.connector)
        .bind(number)
        .bind(spec.region.clone())
        .bind(spec.account.clone())
        .bind(now_ms)
        .fetch_one(transaction)
        .await?;
    Ok(ConnectionId(id))
}

/// The given number, which must be free, or the first free one from the present second on.
async fn free_number(transaction: &mut db::Connection<'_>, spec: &ConnectionSpec, now_ms: i64) -> Result<i64> {
    let first = spec.number.unwrap_or_else(|| u64::try_from(now_ms / 1000).unwrap_or(0));
    let tries = if spec.number.is_some() { 1 } else { NUMBERS_TRIED_MAX };
    for number in (first..first.saturating_add(tries)).filter_map(|number| i64::try_from(number).ok()) {
        let taken: Option<String> = query_scalar("SELECT name FROM connection WHERE connector = $1 AND number = $2")
            .bind(spec.connector)
            .bind(number)
            .fetch_optional(&mut *transaction)
            .await?;
        if taken.is_none() {
            return Ok(number);
        }
    }
    let message = format!("the number {first} belongs to another {} connection: choose another number", spec.connector);
    Err(StoreError::Conflict { message })
}

/// Reads a connection from a row that has its columns by name.
pub(crate) fn read(row: &Row) -> Result<Connection> {
    let connector: String = row.try_get("connector")?;
    let number = u64::try_from(row.try_get::<i64, _>("number")?).map_err(StoreError::corrupt)?;
    Ok(Connection {
        id: ConnectionId(row.try_get("id")?),
        name: row.try_get("name")?,
        qualified_name: QualifiedName::from_encoded(format!("default/{connector}/{number}")),
        connector,
        number,
        region: row.try_get("region")?,
        account: row.try_get("account")?,
        created_ms: row.try_get("created_ms")?,
    })
}
