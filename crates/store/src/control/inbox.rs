//! What a runtime sends of a run, kept until the run has ended: whichever process reads it, and however often, the result is the same.
//!
//! A batch that is kept here is acknowledged, and the runtime forgets it. So it stays, applied or not, until the run has ended: a process
//! that reads the inbox may be lost, and what it knew of the run with it; the next one begins with the first batch.

use super::audit::{Actor, Audit, AuditEvent, AuditTarget, AuditVia, append};
use super::claim::Lease;
use super::fence::{Fence, Standing};
use super::ids::RuntimeId;
use super::text::checked_json;
use crate::db::{Connection, Row, query, query_scalar};
use crate::{Result, Store, StoreError};

/// Bytes of a question, of an answer, or of the last word: lists of names, bounded by who makes them.
const TEXT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The number of the last batch of a run.
const LAST_BATCH: &str = "SELECT coalesce(max(sequence), 0) FROM inbox_batch WHERE run = $1 AND fence = $2";
/// Questions of one run that are kept: a runtime asks one after the other, from few places at once.
const QUESTIONS_MAX: i64 = 1_000;

/// A batch as it came.
#[derive(Clone, PartialEq, Eq)]
pub struct InboxBatch {
    /// Its place, from 1.
    pub sequence: i64,
    /// The digest of what is compressed.
    pub digest: [u8; 32],
    /// The compressed bytes.
    pub content: Vec<u8>,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is kept.
    Stored,
    /// It was kept before.
    Again,
    /// Another one is kept under its number.
    Differs,
    /// The one before it is not here.
    OutOfOrder {
        /// The last one that is here, or 0.
        last: i64,
    },
}

/// The last word of a runtime on a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxEnd {
    /// The number of the last batch, or 0.
    pub batches: i64,
    /// How it ended, JSON.
    pub ending: String,
}

/// A question of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxQuestion {
    /// Its number.
    pub number: i64,
    /// The batches up to here come before the answer.
    pub after: i64,
    /// What is asked, JSON.
    pub question: String,
}

impl Store {
    /// Keeps a batch, unless it is kept already. Being heard of extends nothing, but takes back a lease that has expired and that nobody
    /// else has taken since.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when somebody else has the job.
    pub async fn receive_batch(&self, lease: &Lease, batch: &InboxBatch, lease_ms: i64, now_ms: i64) -> Result<Received> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        Fence::of(lease).regain(on, lease_ms, now_ms).await?;
        let text = "SELECT digest FROM inbox_batch WHERE run = $1 AND fence = $2 AND sequence = $3";
        let known = query_scalar::<Vec<u8>>(text).bind(lease.run.0).bind(lease.fence).bind(batch.sequence);
        let received = match known.fetch_optional(&mut *on).await? {
            Some(digest) if digest == batch.digest => Received::Again,
            Some(_) => Received::Differs,
            None => insert(on, lease, batch).await?,
        };
        transaction.commit().await?;
        Ok(received)
    }

    /// Batches of a run above a number, in order, at most `limit`.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn inbox_batches(&self, lease: &Lease, above: i64, limit: i64) -> Result<Vec<InboxBatch>> {
        let text = "SELECT sequence, digest, content FROM inbox_batch WHERE run = $1 AND fence = $2 AND sequence > $3
            ORDER BY sequence LIMIT $4";
        let query = query(text).bind(lease.run.0).bind(lease.fence).bind(above).bind(limit);
        query.fetch_all(self.readers()).await?.iter().map(read_batch).collect()
    }

    /// The number of the last batch of a run that is here, or 0.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn last_inbox_batch(&self, lease: &Lease) -> Result<i64> {
        Ok(query_scalar(LAST_BATCH).bind(lease.run.0).bind(lease.fence).fetch_one(self.readers()).await?)
    }

    /// Keeps the last word on a run: from now on the control plane sees it through, and its lease does not expire. The first one counts.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when somebody else has the job, [`StoreError::Conflict`] when batches are missing.
    pub async fn receive_end(&self, lease: &Lease, end: &InboxEnd, lease_ms: i64, now_ms: i64) -> Result<()> {
        let ending = checked_json("the end of a run", &end.ending, TEXT_BYTES_MAX)?;
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        Fence::of(lease).regain(on, lease_ms, now_ms).await?;
        let last = last_batch(on, lease).await?;
        if last != end.batches {
            let message =
                format!("the run has {last} batches here, and {} where it was crawled: send what is missing", end.batches);
            return Err(StoreError::Conflict { message });
        }
        let text = "INSERT INTO inbox_end (run, fence, batches, ending) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        query(text).bind(lease.run.0).bind(lease.fence).bind(end.batches).bind(ending).execute(&mut *on).await?;
        transaction.commit().await
    }

    /// The last word on a run, once it was said.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn inbox_end(&self, lease: &Lease) -> Result<Option<InboxEnd>> {
        let text = "SELECT batches, ending FROM inbox_end WHERE run = $1 AND fence = $2";
        let row = query(text).bind(lease.run.0).bind(lease.fence).fetch_optional(self.readers()).await?;
        row.map(|row| Ok(InboxEnd { batches: row.try_get(0)?, ending: row.try_get(1)? })).transpose()
    }

    /// Keeps a question, unless it is kept already; the answer, once there is one.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when somebody else has the job, [`StoreError::Conflict`] when another question has the number or a
    /// thousand wait.
    pub async fn receive_question(
        &self,
        lease: &Lease,
        question: &InboxQuestion,
        lease_ms: i64,
        now_ms: i64,
    ) -> Result<Option<String>> {
        let text_of_question = checked_json("the question", &question.question, TEXT_BYTES_MAX)?;
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        Fence::of(lease).regain(on, lease_ms, now_ms).await?;
        let text = "SELECT question, answer FROM inbox_question WHERE run = $1 AND fence = $2 AND number = $3";
        let known = query(text).bind(lease.run.0).bind(lease.fence).bind(question.number).fetch_optional(&mut *on).await?;
        let answer = match known {
            Some(row) if row.try_get::<&str, _>(0)? == text_of_question => row.try_get(1)?,
            Some(_) => {
                let message =
                    format!("question {} was another one before: give each question a number of its own", question.number);
                return Err(StoreError::Conflict { message });
            }
            None => {
                refuse_more_questions(on, lease).await?;
                let text = "INSERT INTO inbox_question (run, fence, number, after, question) VALUES ($1, $2, $3, $4, $5)";
                query(text)
                    .bind(lease.run.0)
                    .bind(lease.fence)
                    .bind(question.number)
                    .bind(question.after)
                    .bind(text_of_question)
                    .execute(&mut *on)
                    .await?;
                None
            }
        };
        transaction.commit().await?;
        Ok(answer)
    }

    /// The answer to a question that was kept before.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn inbox_answer(&self, lease: &Lease, number: i64) -> Result<Option<String>> {
        let text = "SELECT answer FROM inbox_question WHERE run = $1 AND fence = $2 AND number = $3";
        let query = query_scalar::<Option<String>>(text).bind(lease.run.0).bind(lease.fence).bind(number);
        Ok(query.fetch_optional(self.readers()).await?.flatten())
    }

    /// Questions of a run that wait for an answer and for no batch above a number.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn inbox_questions(&self, lease: &Lease, applied: i64) -> Result<Vec<InboxQuestion>> {
        let text = "SELECT number, after, question FROM inbox_question
            WHERE run = $1 AND fence = $2 AND answer IS NULL AND after <= $3 ORDER BY number LIMIT 100";
        let query = query(text).bind(lease.run.0).bind(lease.fence).bind(applied);
        let read = |row: &Row| Ok(InboxQuestion { number: row.try_get(0)?, after: row.try_get(1)?, question: row.try_get(2)? });
        query.fetch_all(self.readers()).await?.iter().map(read).collect()
    }

    /// Answers a question.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn answer_question(&self, lease: &Lease, number: i64, answer: &str) -> Result<()> {
        let answer = checked_json("the answer", answer, TEXT_BYTES_MAX)?;
        let mut writer = self.writer().await?;
        let text = "UPDATE inbox_question SET answer = $1 WHERE run = $2 AND fence = $3 AND number = $4";
        let update = query(text).bind(answer).bind(lease.run.0).bind(lease.fence).bind(number);
        update.execute(&mut writer.connection()).await?;
        Ok(())
    }

    /// Says that a runtime was refused something that no sound one asks for.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn refuse_runtime(&self, name: &str, id: Option<RuntimeId>, detail: &serde_json::Value, now_ms: i64) -> Result<()> {
        let audit =
            Audit { actor: Actor::Runtime { name: name.to_owned() }, via: AuditVia::Runtime, address: None, request_id: None };
        let target = AuditTarget { kind: "runtime", id: id.map(|id| id.to_string()), name: Some(name.to_owned()) };
        let event = AuditEvent { action: "runtime.refused", target, detail: detail.clone() };
        let mut writer = self.writer().await?;
        append(&mut writer.connection(), &audit, &event, now_ms).await
    }
}

/// The reading of inboxes.
impl Store {
    /// Leases of runtimes whose inbox has something to be done and nobody who does it: the one who asks does from now on, until a time.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn adopt_inbox(&self, reader: &str, until_ms: i64, now_ms: i64) -> Result<Option<Lease>> {
        let text = "SELECT j.id, j.kind, j.run, j.connection, j.fence - 1, j.attempt - 1, j.attempts_max, j.lease_until_ms, j.fence
            FROM job j WHERE j.state = 'leased' AND j.queue <> 'direct'
                AND (EXISTS (SELECT 1 FROM inbox_batch b WHERE b.run = j.run AND b.fence = j.fence)
                    OR EXISTS (SELECT 1 FROM inbox_question q WHERE q.run = j.run AND q.fence = j.fence AND q.answer IS NULL)
                    OR EXISTS (SELECT 1 FROM inbox_end e WHERE e.run = j.run AND e.fence = j.fence))
                AND NOT EXISTS (SELECT 1 FROM inbox_reader r WHERE r.run = j.run AND r.fence = j.fence AND r.until_ms > $1)
            ORDER BY j.id LIMIT 1";
        // Most of the time there is none: looking takes nobody's turn to write.
        let Some(row) = query(text).bind(now_ms).fetch_optional(self.readers()).await? else { return Ok(None) };
        let lease = super::claim::read(&row, row.try_get::<Option<i64>, _>(7)?.unwrap_or(now_ms))?;
        let adopted = self.keep_inbox(&lease, reader, until_ms, now_ms).await?;
        Ok(adopted.then_some(lease))
    }

    /// Goes on reading an inbox until another time; whether it is ours.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn keep_inbox(&self, lease: &Lease, reader: &str, until_ms: i64, now_ms: i64) -> Result<bool> {
        let mut writer = self.writer().await?;
        let text = "INSERT INTO inbox_reader (run, fence, holder, until_ms) VALUES ($1, $2, $3, $4)
            ON CONFLICT (run) DO UPDATE SET fence = excluded.fence, holder = excluded.holder, until_ms = excluded.until_ms
            WHERE inbox_reader.holder = excluded.holder OR inbox_reader.until_ms <= $5 OR inbox_reader.fence < excluded.fence";
        let keep = query(text).bind(lease.run.0).bind(lease.fence).bind(reader.to_owned()).bind(until_ms).bind(now_ms);
        Ok(keep.execute(&mut writer.connection()).await? > 0)
    }

    /// Lets go of an inbox, so that somebody else may go on with it at once.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn leave_inbox(&self, lease: &Lease, reader: &str) -> Result<()> {
        let mut writer = self.writer().await?;
        let text = "DELETE FROM inbox_reader WHERE run = $1 AND fence = $2 AND holder = $3";
        let query = query(text).bind(lease.run.0).bind(lease.fence).bind(reader.to_owned());
        query.execute(&mut writer.connection()).await?;
        Ok(())
    }

    /// Empties inboxes that nobody will read any more: of runs that have ended, or are worked on under another lease. How many runs.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn prune_inboxes(&self) -> Result<usize> {
        let text = "SELECT DISTINCT i.run, i.fence FROM (SELECT run, fence FROM inbox_batch WHERE sequence = 1
                UNION SELECT run, fence FROM inbox_end UNION SELECT run, fence FROM inbox_question
                UNION SELECT run, fence FROM inbox_reader) i
            WHERE NOT EXISTS (SELECT 1 FROM job j WHERE j.run = i.run AND j.fence = i.fence AND j.state <> 'done')
            ORDER BY i.run, i.fence LIMIT 100";
        let rows = query(text).fetch_all(self.readers()).await?;
        for row in &rows {
            let (run, fence): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            let mut writer = self.writer().await?;
            for text in [
                "DELETE FROM inbox_question WHERE run = $1 AND fence = $2",
                "DELETE FROM inbox_end WHERE run = $1 AND fence = $2",
                "DELETE FROM inbox_reader WHERE run = $1 AND fence = $2",
                "DELETE FROM inbox_batch WHERE run = $1 AND fence = $2",
            ] {
                query(text).bind(run).bind(fence).execute(&mut writer.connection()).await?;
            }
        }
        Ok(rows.len())
    }

    /// The lease that a runtime names: where it stands, and the lease itself.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when it is not, or no longer, its own; [`StoreError::NotFound`] when there is no such job.
    pub async fn lease_of_runtime(&self, job: i64, fence: i64, runtime: RuntimeId) -> Result<(Lease, Standing)> {
        let text =
            "SELECT j.id, j.kind, j.run, j.connection, j.fence - 1, j.attempt - 1, j.attempts_max, j.lease_until_ms, j.fence,
                j.state, coalesce(j.holder, '')
            FROM job j WHERE j.id = $1";
        let missing = || StoreError::NotFound { message: "there is no such lease".to_owned() };
        let row = query(text).bind(job).fetch_optional(self.readers()).await?.ok_or_else(missing)?;
        let lease = super::claim::read(&row, row.try_get::<Option<i64>, _>(7)?.unwrap_or(0))?;
        let (state, holder): (&str, &str) = (row.try_get(9)?, row.try_get(10)?);
        if lease.fence != fence || holder != runtime.holder() {
            return Err(StoreError::Fenced { run: lease.run });
        }
        let standing = match state {
            "done" => Standing::Done,
            "queued" => Standing::Queued,
            _ => Standing::Leased,
        };
        Ok((lease, standing))
    }

    /// Leases the run of a connection that its runtime has lost and that nobody else has taken since, again to the same one.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when somebody else has the job.
    pub async fn regain_lease(&self, lease: &Lease, lease_ms: i64, now_ms: i64) -> Result<()> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        Fence::of(lease).regain(&mut transaction.connection(), lease_ms, now_ms).await?;
        transaction.commit().await
    }

    /// Whether a lease is still the one under which its job is worked on.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn is_current(&self, lease: &Lease) -> Result<bool> {
        let text = "SELECT id FROM job WHERE id = $1 AND fence = $2 AND state <> 'done'";
        let found = query_scalar::<i64>(text).bind(lease.job.0).bind(lease.fence).fetch_optional(self.readers()).await?;
        Ok(found.is_some())
    }
}

async fn insert(connection: &mut Connection<'_>, lease: &Lease, batch: &InboxBatch) -> Result<Received> {
    let last = last_batch(connection, lease).await?;
    if batch.sequence != last + 1 {
        return Ok(Received::OutOfOrder { last });
    }
    let text = "INSERT INTO inbox_batch (run, fence, sequence, digest, content) VALUES ($1, $2, $3, $4, $5)";
    query(text)
        .bind(lease.run.0)
        .bind(lease.fence)
        .bind(batch.sequence)
        .bind(batch.digest.to_vec())
        .bind(batch.content.clone())
        .execute(connection)
        .await?;
    Ok(Received::Stored)
}

async fn last_batch(connection: &mut Connection<'_>, lease: &Lease) -> Result<i64> {
    Ok(query_scalar(LAST_BATCH).bind(lease.run.0).bind(lease.fence).fetch_one(connection).await?)
}

async fn refuse_more_questions(connection: &mut Connection<'_>, lease: &Lease) -> Result<()> {
    let text = "SELECT count(*) FROM inbox_question WHERE run = $1 AND fence = $2 AND answer IS NULL";
    let waiting: i64 = query_scalar(text).bind(lease.run.0).bind(lease.fence).fetch_one(connection).await?;
    if waiting < QUESTIONS_MAX {
        return Ok(());
    }
    Err(StoreError::Conflict { message: format!("{waiting} questions of this run wait for an answer already") })
}

fn read_batch(row: &Row) -> Result<InboxBatch> {
    let digest: Vec<u8> = row.try_get(1)?;
    let digest = digest.try_into().map_err(|_length| StoreError::corrupt("the digest of a batch is not 32 bytes long"))?;
    Ok(InboxBatch { sequence: row.try_get(0)?, digest, content: row.try_get(2)? })
}
