//! Purging a connection: everything that the catalog knows of it goes, in pages, the connection itself last.

use model::S3Location;

use crate::connections::ConnectionId;
use crate::control::ConnectionRemoval;
use crate::control::audit::Audit;
use crate::control::pages::{PAGE_ASSETS, stand_still};
use crate::db::{Connection, Hold, query, query_scalar};
use crate::dialect::{number_list, text_list};
use crate::ingest::{edges, twins};
use crate::word_index::{self, Subject};
use crate::{Result, Store, content};

/// Runs of one transaction: each may have 2,000 events.
const PAGE_RUNS: i64 = 20;

/// What goes at the end, when there are no assets and no runs any more.
const REST: [&str; 5] = [
    "DELETE FROM scope WHERE connection = $1",
    "DELETE FROM place WHERE connection = $1",
    "DELETE FROM workflow WHERE connection = $1",
    "DELETE FROM connection_administrator WHERE connection = $1",
    "DELETE FROM connection WHERE id = $1",
];

impl Store {
    /// Removes a connection with all that is known of it, what people said of its assets included; how many assets that was. Stopped
    /// half way, it can be called again.
    ///
    /// # Errors
    /// [`crate::StoreError::Busy`] while it is crawled, [`crate::StoreError::NotFound`] when there is no such connection.
    pub async fn purge_connection(&self, connection: ConnectionId, audit: &Audit, now_ms: i64) -> Result<u64> {
        let hold = self.hold_connection(connection).await?;
        {
            let mut writer = self.writer_of(&hold).await?;
            let mut transaction = writer.begin().await?;
            stand_still(&mut transaction.connection(), connection, ConnectionRemoval::Purge, audit, now_ms).await?;
            transaction.commit().await?;
        }
        let mut purged = 0;
        for place in self.asset_places(connection).await? {
            loop {
                let count = self.purge_assets(&hold, place).await?;
                purged += count.cast_unsigned();
                if count < PAGE_ASSETS {
                    break;
                }
            }
        }
        while self.purge_runs(&hold, connection).await? == PAGE_RUNS {}
        let mut writer = self.writer_of(&hold).await?;
        let mut transaction = writer.begin_alone().await?;
        for text in REST {
            query(text).bind(connection.0).execute(&mut transaction.connection()).await?;
        }
        transaction.commit().await?;
        Ok(purged)
    }

    async fn purge_assets(&self, hold: &Hold, place: i64) -> Result<i64> {
        let mut writer = self.writer_of(hold).await?;
        let mut transaction = writer.begin_alone().await?;
        let on = &mut transaction.connection();
        let text = "SELECT id FROM asset WHERE place = $1 ORDER BY part, kind LIMIT $2";
        let ids: Vec<i64> = query_scalar(text).bind(place).bind(PAGE_ASSETS).fetch_all(&mut *on).await?;
        if !ids.is_empty() {
            purge(on, &ids).await?;
        }
        transaction.commit().await?;
        Ok(i64::try_from(ids.len()).unwrap_or(i64::MAX))
    }

    async fn purge_runs(&self, hold: &Hold, connection: ConnectionId) -> Result<i64> {
        let mut writer = self.writer_of(hold).await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        let text = "SELECT id FROM run WHERE connection = $1 ORDER BY id LIMIT $2";
        let ids: Vec<i64> = query_scalar(text).bind(connection.0).bind(PAGE_RUNS).fetch_all(&mut *on).await?;
        let each = ["DELETE FROM run_event WHERE run", "DELETE FROM job WHERE run", "DELETE FROM run WHERE id"];
        for text in each {
            let text = format!("{text} IN (SELECT value FROM json_each($1))");
            query(text).bind(number_list(ids.iter().copied())).execute(&mut *on).await?;
        }
        transaction.commit().await?;
        Ok(i64::try_from(ids.len()).unwrap_or(i64::MAX))
    }
}

/// Removes assets and all that belongs to them.
async fn purge(connection: &mut Connection<'_>, ids: &[i64]) -> Result<()> {
    remove_locations(connection, ids).await?;
    word_index::remove(connection, Subject::Assets, ids).await?;
    word_index::remove(connection, Subject::Enrichment, ids).await?;
    edges::remove(connection, ids).await?;
    twins::remove(connection, ids).await?;
    let each = [
        "DELETE FROM history WHERE asset IN (SELECT value FROM json_each($1))",
        "DELETE FROM enrichment WHERE asset IN (SELECT value FROM json_each($1))",
        "DELETE FROM asset WHERE (place, part, kind) IN
            (SELECT place, part, kind FROM content WHERE id IN (SELECT value FROM json_each($1)))",
        "DELETE FROM content WHERE id IN (SELECT value FROM json_each($1))",
    ];
    for text in each {
        query(text).bind(number_list(ids.iter().copied())).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Locations are found by their texts, which the contents of their tables have.
async fn remove_locations(connection: &mut Connection<'_>, ids: &[i64]) -> Result<()> {
    let text = "SELECT a.id FROM content c JOIN asset a ON a.place = c.place AND a.part = c.part AND a.kind = c.kind
        WHERE c.id IN (SELECT value FROM json_each($1)) AND a.location > 0";
    let located: Vec<i64> = query_scalar(text).bind(number_list(ids.iter().copied())).fetch_all(&mut *connection).await?;
    if located.is_empty() {
        return Ok(());
    }
    let stored = content::read(&mut *connection, located.iter().copied()).await?;
    let mut locations: Vec<S3Location> = stored.values().filter_map(|stored| stored.asset.data_location()).collect();
    locations.sort_unstable();
    let text =
        "DELETE FROM location WHERE location IN (SELECT value FROM json_each($1)) AND asset IN (SELECT value FROM json_each($2))";
    let query = query(text).bind(text_list(locations.iter().map(S3Location::as_str))).bind(number_list(located));
    query.execute(connection).await?;
    Ok(())
}
