//! Questions to a source that somebody waits for, asked through a runtime: they are kept for as long as somebody waits.

use super::ids::{RunsOn, RuntimeId, TaskId};
use super::text::checked_json;
use crate::db::{query, query_scalar};
use crate::{Result, Store, StoreError};

/// Questions of one queue that nobody has taken yet.
const WAITING_MAX: i64 = 100;
/// Bytes of a question.
const TASK_BYTES_MAX: usize = 256 * 1024;
/// Bytes of an answer: the names of many databases.
const RESULT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// What is answered or given up is deleted so long after its time, milliseconds.
const KEPT_MS: i64 = 60_000;

/// A question that a runtime has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its number.
    pub id: TaskId,
    /// What is asked, JSON.
    pub task: String,
    /// Until when somebody waits, milliseconds since 1970 UTC.
    pub deadline_ms: i64,
}

/// How far a question is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// Nobody has taken it.
    Waiting,
    /// A runtime has it.
    Taken,
    /// It is answered, JSON.
    Answered(String),
}

impl Store {
    /// Asks something.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a hundred questions wait in the queue.
    pub async fn ask_runtime(&self, queue: &RunsOn, task: &str, deadline_ms: i64, now_ms: i64) -> Result<TaskId> {
        let task = checked_json("the question", task, TASK_BYTES_MAX)?;
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        let text = "DELETE FROM runtime_task WHERE deadline_ms < $1";
        query(text).bind(now_ms.saturating_sub(KEPT_MS)).execute(&mut *on).await?;
        let text = "SELECT count(*) FROM runtime_task WHERE queue = $1 AND runtime IS NULL";
        let waiting: i64 = query_scalar(text).bind(queue.queue()).fetch_one(&mut *on).await?;
        if waiting >= WAITING_MAX {
            return Err(StoreError::Conflict { message: format!("{waiting} questions wait for this runtime already: try again") });
        }
        let text = "INSERT INTO runtime_task (queue, task, created_ms, deadline_ms) VALUES ($1, $2, $3, $4) RETURNING id";
        let insert = query_scalar(text).bind(queue.queue()).bind(task).bind(now_ms).bind(deadline_ms);
        let id = TaskId(insert.fetch_one(&mut *on).await?);
        transaction.commit().await?;
        Ok(id)
    }

    /// Takes the oldest question of a queue that somebody still waits for.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn take_task(&self, queue: &RunsOn, runtime: RuntimeId, now_ms: i64) -> Result<Option<Task>> {
        let text = "SELECT count(*) FROM runtime_task WHERE queue = $1 AND runtime IS NULL AND deadline_ms > $2";
        // Runtimes ask all the time: looking takes nobody's turn to write.
        let waiting: i64 = query_scalar(text).bind(queue.queue()).bind(now_ms).fetch_one(self.readers()).await?;
        if waiting == 0 {
            return Ok(None);
        }
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        let text = "SELECT id, task, deadline_ms FROM runtime_task WHERE queue = $1 AND runtime IS NULL AND deadline_ms > $2
            ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED";
        let Some(row) = query(text).bind(queue.queue()).bind(now_ms).fetch_optional(&mut *on).await? else { return Ok(None) };
        let task = Task { id: TaskId(row.try_get(0)?), task: row.try_get(1)?, deadline_ms: row.try_get(2)? };
        let text = "UPDATE runtime_task SET runtime = $1 WHERE id = $2";
        query(text).bind(runtime.0).bind(task.id.0).execute(&mut *on).await?;
        transaction.commit().await?;
        Ok(Some(task))
    }

    /// Answers a question; the first answer counts.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the runtime has no such question, or nobody waits any more.
    pub async fn answer_task(&self, id: TaskId, runtime: RuntimeId, result: &str) -> Result<()> {
        let result = checked_json("the answer", result, RESULT_BYTES_MAX)?;
        let mut writer = self.writer().await?;
        let text = "UPDATE runtime_task SET result = coalesce(result, $1) WHERE id = $2 AND runtime = $3";
        let update = query(text).bind(result).bind(id.0).bind(runtime.0);
        if update.execute(&mut writer.connection()).await? == 0 {
            return Err(StoreError::NotFound { message: format!("nobody waits for the answer to question {id} any more") });
        }
        Ok(())
    }

    /// How far a question is.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of this number.
    pub async fn task_state(&self, id: TaskId) -> Result<TaskState> {
        let query = query("SELECT runtime, result FROM runtime_task WHERE id = $1").bind(id.0);
        let missing = || StoreError::NotFound { message: format!("there is no question {id}") };
        let row = query.fetch_optional(self.readers()).await?.ok_or_else(missing)?;
        let (runtime, result): (Option<i64>, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
        Ok(match (runtime, result) {
            (_, Some(result)) => TaskState::Answered(result),
            (Some(_), None) => TaskState::Taken,
            (None, None) => TaskState::Waiting,
        })
    }

    /// Forgets a question that nobody waits for any more.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn drop_task(&self, id: TaskId) -> Result<()> {
        let mut writer = self.writer().await?;
        query("DELETE FROM runtime_task WHERE id = $1").bind(id.0).execute(&mut writer.connection()).await?;
        Ok(())
    }
}
