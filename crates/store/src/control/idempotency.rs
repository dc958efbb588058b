//! Requests that may come twice: the first one claims its key, and what was answered is said again.

use super::PRUNED_ROWS_MAX;
use crate::db::{Query, query, query_scalar};
use crate::{Result, Store, StoreError};

/// How long an answer is kept, milliseconds.
const KEPT_MS: i64 = 24 * 60 * 60 * 1000;
/// After this, who claimed a key without answering is taken for dead, milliseconds: longer than any request lasts.
const CLAIM_MS: i64 = 5 * 60 * 1000;
/// Bytes of an answer that are kept.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Bytes of each part of a key.
const KEY_BYTES_MAX: usize = 1024;

/// What a request is known by when it comes again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// Who asks: nobody gets the answer to somebody else.
    pub principal: String,
    /// The key that they gave.
    pub key: String,
    /// The method of the request.
    pub method: String,
    /// The path of the request.
    pub path: String,
}

/// A hash of all that a request says: one key stands for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestHash(pub [u8; 32]);

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// The body, or whatever the server keeps of the answer; absent when it was longer than 64 KiB.
    pub body: Option<Vec<u8>>,
}

/// What to do with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is new: work on it, then say what was answered.
    New,
    /// The same request is being worked on.
    InProgress,
    /// The same request was answered.
    Finished(Answer),
    /// The key stands for another request.
    Different,
}

impl Store {
    /// Claims a key. Of several that do at once, one gets [`Claim::New`]. A key is free again 24 hours after it was claimed, and for
    /// the same request five minutes after, if nothing was answered.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a key that cannot be stored.
    pub async fn begin_request(&self, key: &IdempotencyKey, request: RequestHash, now_ms: i64) -> Result<Claim> {
        check(key)?;
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        let text =
            "INSERT INTO idempotency (principal, given_key, method, path, request_hash, created_ms) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (principal, given_key, method, path) DO UPDATE
                SET request_hash = excluded.request_hash, created_ms = excluded.created_ms, status = NULL, body = NULL
                WHERE idempotency.created_ms <= $7 OR (idempotency.created_ms <= $8 AND idempotency.status IS NULL
                    AND idempotency.request_hash = excluded.request_hash)
            RETURNING created_ms";
        let claimed: Option<i64> = query_scalar(text)
            .bind(key.principal.clone())
            .bind(key.key.clone())
            .bind(key.method.clone())
            .bind(key.path.clone())
            .bind(request.0.to_vec())
            .bind(now_ms)
            .bind(now_ms - KEPT_MS)
            .bind(now_ms - CLAIM_MS)
            .fetch_optional(&mut *connection)
            .await?;
        transaction.commit().await?;
        drop(writer);
        if claimed.is_some() { Ok(Claim::New) } else { self.claimed(key, request).await }
    }

    /// Keeps what was answered to a request that was claimed at `claimed_ms`, the `now_ms` of [`Store::begin_request`]. An answer with
    /// a secret in it is not for keeping: keep its status alone. Nothing happens when another one has claimed the key meanwhile.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn finish_request(&self, key: &IdempotencyKey, claimed_ms: i64, answer: &Answer) -> Result<()> {
        let body = answer.body.clone().filter(|body| body.len() <= BODY_BYTES_MAX);
        let text = "UPDATE idempotency SET status = $6, body = $7
            WHERE principal = $1 AND given_key = $2 AND method = $3 AND path = $4 AND created_ms = $5 AND status IS NULL";
        let query = bind_key(query(text), key).bind(claimed_ms).bind(i64::from(answer.status)).bind(body);
        query.execute(&mut self.writer().await?.connection()).await?;
        Ok(())
    }

    /// Gives a claim up: the request changed nothing and may come again at once.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn abandon_request(&self, key: &IdempotencyKey, claimed_ms: i64) -> Result<()> {
        let text = "DELETE FROM idempotency
            WHERE principal = $1 AND given_key = $2 AND method = $3 AND path = $4 AND created_ms = $5 AND status IS NULL";
        let query = bind_key(query(text), key).bind(claimed_ms);
        query.execute(&mut self.writer().await?.connection()).await?;
        Ok(())
    }

    /// Forgets what is older than 24 hours, at most 10,000 requests; how many.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn prune_requests(&self, now_ms: i64) -> Result<u64> {
        // Keys have four columns, and rows come in and go by time.
        let text = "DELETE FROM idempotency WHERE created_ms <= (SELECT coalesce(max(created_ms), $1) FROM
            (SELECT created_ms FROM idempotency WHERE created_ms <= $1 ORDER BY created_ms LIMIT $2) AS oldest)";
        let query = query(text).bind(now_ms - KEPT_MS).bind(PRUNED_ROWS_MAX);
        Ok(query.execute(&mut self.writer().await?.connection()).await?)
    }

    /// What is known of a key that somebody else has.
    async fn claimed(&self, key: &IdempotencyKey, request: RequestHash) -> Result<Claim> {
        let text = "SELECT request_hash, status, body FROM idempotency
            WHERE principal = $1 AND given_key = $2 AND method = $3 AND path = $4";
        // Whoever had it may just have given it up: coming again finds it free.
        let Some(row) = bind_key(query(text), key).fetch_optional(self.readers()).await? else { return Ok(Claim::InProgress) };
        if row.try_get::<Vec<u8>, _>(0)? != request.0 {
            return Ok(Claim::Different);
        }
        match row.try_get::<Option<i64>, _>(1)? {
            None => Ok(Claim::InProgress),
            Some(status) => {
                let status = u16::try_from(status).map_err(StoreError::corrupt)?;
                Ok(Claim::Finished(Answer { status, body: row.try_get(2)? }))
            }
        }
    }
}

fn bind_key(query: Query, key: &IdempotencyKey) -> Query {
    query.bind(key.principal.clone()).bind(key.key.clone()).bind(key.method.clone()).bind(key.path.clone())
}

/// A key is never cut or changed: it would be another one.
fn check(key: &IdempotencyKey) -> Result<()> {
    for part in [&key.principal, &key.key, &key.method, &key.path] {
        if part.is_empty() || part.len() > KEY_BYTES_MAX || part.chars().any(char::is_control) {
            let message = "the idempotency key or the path is empty, longer than 1024 bytes or has a character that cannot be shown: \
                give another key";
            return Err(StoreError::Invalid { message: message.to_owned() });
        }
    }
    Ok(())
}
