//! Who is told of the end of a run: each delivery is kept until it has arrived or is given up, so that none is lost with a process.

use std::fmt;

use model::RunId;

use super::PRUNED_ROWS_MAX;
use crate::db::{Row, query, query_scalar};
use crate::{Result, Store};

/// The number of a delivery; none is given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertDeliveryId(pub i64);

/// Something to be told to one receiver.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAlert {
    /// The receiver. Its path may be a secret.
    pub url: String,
    /// What the message is signed with, as the server sealed it.
    pub secret: String,
    /// The message's id: repetitions have the same.
    pub message_id: String,
    /// The message.
    pub body: String,
}

/// A delivery that somebody works on for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertDelivery {
    /// The number.
    pub id: AlertDeliveryId,
    /// The run that is told of.
    pub run: RunId,
    /// What is told to whom.
    pub alert: NewAlert,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    claimed_until_ms: i64,
}

/// How an attempt to deliver ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertEnd {
    /// It has arrived.
    Delivered,
    /// It is tried again.
    Again {
        /// Not before this time, milliseconds since 1970 UTC.
        next_ms: i64,
    },
    /// It is given up.
    GivenUp,
}

impl fmt::Debug for NewAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAlert").field("message_id", &self.message_id).finish_non_exhaustive()
    }
}

impl Store {
    /// Runs of workflows that have ended and of whose end nobody was told yet, the oldest first. A run's report is kept just after
    /// its end: one without is among them from `without_report_ms` on.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn unalerted_runs(&self, without_report_ms: i64, limit: usize) -> Result<Vec<RunId>> {
        let text = "SELECT id FROM run WHERE state = 'ended' AND alerted = 0 AND workflow IS NOT NULL
            AND (report IS NOT NULL OR finished_ms <= $1) ORDER BY finished_ms, id LIMIT $2";
        let query = query_scalar(text).bind(without_report_ms).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let runs: Vec<i64> = query.fetch_all(self.readers()).await?;
        Ok(runs.into_iter().map(RunId).collect())
    }

    /// Keeps who is to be told of the end of a run, once: whether this was it.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn add_alerts(&self, run: RunId, alerts: &[NewAlert], now_ms: i64) -> Result<bool> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        let text = "UPDATE run SET alerted = 1 WHERE id = $1 AND state = 'ended' AND alerted = 0";
        if query(text).bind(run.0).execute(&mut *on).await? == 0 {
            return Ok(false);
        }
        for alert in alerts {
            let text = "INSERT INTO alert_delivery (run, url, secret, message_id, body, state, attempts, next_ms, created_ms)
                VALUES ($1, $2, $3, $4, $5, 'waiting', 0, $6, $6)";
            query(text)
                .bind(run.0)
                .bind(alert.url.clone())
                .bind(alert.secret.clone())
                .bind(alert.message_id.clone())
                .bind(alert.body.clone())
                .bind(now_ms)
                .execute(&mut *on)
                .await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Takes the delivery that has waited longest, if one is due, for `claim_ms`: one that was taken before and never reported is
    /// due again after that.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn claim_alert(&self, claim_ms: i64, now_ms: i64) -> Result<Option<AlertDelivery>> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        let text = "SELECT id, run, url, secret, message_id, body, attempts FROM alert_delivery
            WHERE state = 'waiting' AND next_ms <= $1 AND (claimed_until_ms IS NULL OR claimed_until_ms < $1)
            ORDER BY next_ms, id LIMIT 1 FOR UPDATE SKIP LOCKED";
        let Some(row) = query(text).bind(now_ms).fetch_optional(&mut *on).await? else { return Ok(None) };
        let delivery = read(&row, now_ms.saturating_add(claim_ms))?;
        let text = "UPDATE alert_delivery SET attempts = $1, claimed_until_ms = $2 WHERE id = $3";
        query(text).bind(i64::from(delivery.attempt)).bind(delivery.claimed_until_ms).bind(delivery.id.0).execute(on).await?;
        transaction.commit().await?;
        Ok(Some(delivery))
    }

    /// Says how an attempt ended; whether it was still this one's to say.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn finish_alert(&self, delivery: &AlertDelivery, end: AlertEnd, now_ms: i64) -> Result<bool> {
        let (state, next_ms, finished_ms) = match end {
            AlertEnd::Delivered => ("delivered", now_ms, Some(now_ms)),
            AlertEnd::Again { next_ms } => ("waiting", next_ms, None),
            AlertEnd::GivenUp => ("given-up", now_ms, Some(now_ms)),
        };
        let text = "UPDATE alert_delivery SET state = $1, next_ms = $2, finished_ms = $3, claimed_until_ms = NULL
            WHERE id = $4 AND state = 'waiting' AND claimed_until_ms = $5 AND attempts = $6";
        let query = query(text).bind(state).bind(next_ms).bind(finished_ms).bind(delivery.id.0);
        let query = query.bind(delivery.claimed_until_ms).bind(i64::from(delivery.attempt));
        let mut writer = self.writer().await?;
        Ok(query.execute(&mut writer.connection()).await? > 0)
    }

    /// The secrets of deliveries that wait, as [`NewAlert::secret`] has them, after the delivery of a number; with the number of the last.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn waiting_alert_secrets(&self, after: i64, limit: usize) -> Result<(Vec<String>, Option<i64>)> {
        let text = "SELECT id, secret FROM alert_delivery WHERE state = 'waiting' AND id > $1 ORDER BY id LIMIT $2";
        let query = query(text).bind(after).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = query.fetch_all(self.readers()).await?;
        let last = rows.last().map(|row| row.try_get(0)).transpose()?;
        let secrets = rows.iter().map(|row| row.try_get(1)).collect::<Result<_, _>>()?;
        Ok((secrets, last))
    }

    /// Deletes deliveries that arrived or were given up before a time, at most 10,000; how many.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn prune_alerts(&self, before_ms: i64) -> Result<u64> {
        let text = "DELETE FROM alert_delivery WHERE id IN
            (SELECT id FROM alert_delivery WHERE state <> 'waiting' AND finished_ms < $1 ORDER BY finished_ms, id LIMIT $2)";
        let mut writer = self.writer().await?;
        Ok(query(text).bind(before_ms).bind(PRUNED_ROWS_MAX).execute(&mut writer.connection()).await?)
    }
}

fn read(row: &Row, claimed_until_ms: i64) -> Result<AlertDelivery> {
    let attempts: i64 = row.try_get(6)?;
    Ok(AlertDelivery {
        id: AlertDeliveryId(row.try_get(0)?),
        run: RunId(row.try_get(1)?),
        alert: NewAlert { url: row.try_get(2)?, secret: row.try_get(3)?, message_id: row.try_get(4)?, body: row.try_get(5)? },
        attempt: u32::try_from(attempts.saturating_add(1)).unwrap_or(u32::MAX),
        claimed_until_ms,
    })
}
