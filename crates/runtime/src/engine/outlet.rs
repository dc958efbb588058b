//! Where a crawl's results go and what it asks: the spool and the session.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use connector::port::{AssetSink, SinkError};
use model::AssetBatch;
use serde_json::Value;
use tokio::sync::oneshot;
use wire::{Answer, LONG_POLL_SECONDS_MAX, LeaseId, LogLevel, PreflightReport, Question, QuestionRequest, Sequence};

use super::Shared;
use super::logs::Logs;
use crate::clock;
use crate::session::{Event, Patience};
use crate::spool::{Folder, SpoolError};
use crate::work::Outlet;
use crate::work::delivery::cut_aside;
use crate::work::questions::Ask;

/// The outlet of one run.
#[derive(Clone)]
pub(super) struct RunOutlet {
    pub(super) shared: Arc<Shared>,
    pub(super) lease: LeaseId,
    pub(super) folder: Folder,
    pub(super) logs: Arc<Logs>,
    pub(super) questions: Arc<Questions>,
}

/// Questions that a crawl waits for.
#[derive(Debug, Default)]
pub(super) struct Questions {
    last: AtomicU64,
    pending: Mutex<BTreeMap<u64, Pending>>,
}

#[derive(Debug)]
struct Pending {
    request: QuestionRequest,
    answer: oneshot::Sender<Option<Answer>>,
}

impl Questions {
    fn add(&self, request: QuestionRequest) -> (u64, oneshot::Receiver<Option<Answer>>) {
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let (answer, answered) = oneshot::channel();
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).insert(number, Pending { request, answer });
        (number, answered)
    }

    pub(super) fn request(&self, number: u64) -> Option<QuestionRequest> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).get(&number).map(|pending| pending.request.clone())
    }

    pub(super) fn answer(&self, number: u64, answer: Option<Answer>) {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        if let Some(pending) = pending {
            // Whoever asked may have been stopped.
            let _ = pending.answer.send(answer);
        }
    }
}

fn failed(error: SpoolError) -> SinkError {
    SinkError { message: error.to_string(), source: Some(Box::new(error)) }
}

impl AssetSink for RunOutlet {
    async fn deliver(&self, batch: AssetBatch) -> Result<(), SinkError> {
        for batch in cut_aside(batch).await? {
            let sequence = self.folder.append(batch).await.map_err(failed)?;
            self.shared.tell(Event::Spooled { lease: self.lease.clone(), sequence }).await;
        }
        Ok(())
    }
}

impl Outlet for RunOutlet {
    async fn checked(&self, checks: Vec<Value>, failure: Option<wire::Failure>) -> Result<(), SinkError> {
        let report = PreflightReport { lease: self.lease.clone(), checks, failure };
        self.folder.write_checks(&report).await.map_err(failed)?;
        self.shared.tell(Event::Checked { lease: self.lease.clone() }).await;
        Ok(())
    }

    fn say(&self, level: LogLevel, message: String) {
        self.logs.push(clock::wall_ms(), level, message);
        // A session that is too busy to hear it hears the next one.
        let _ = self.shared.events.try_send(Event::Said { lease: self.lease.clone() });
    }
}

impl Ask for RunOutlet {
    async fn ask(&self, question: Question, patience: Patience) -> Result<Option<Answer>, SinkError> {
        // What is stored from earlier runs does not depend on what this one has sent.
        let after = match patience {
            Patience::WhileReachable => Sequence(0),
            Patience::UntilAnswered => self.folder.last(),
        };
        let lease = self.lease.clone();
        let request = QuestionRequest { lease: lease.clone(), after, wait_seconds: LONG_POLL_SECONDS_MAX, question };
        let (number, answered) = self.questions.add(request);
        self.shared.tell(Event::Asked { lease, number, after, patience }).await;
        answered.await.map_err(|_dropped| SinkError { message: "the run is over".to_owned(), source: None })
    }
}
