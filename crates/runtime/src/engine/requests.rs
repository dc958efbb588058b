//! What requests carry: fetched when they are sent, so that nothing but the spool holds it meanwhile.

use std::sync::{Arc, PoisonError};

use wire::{Finish, Heartbeat, LeaseRequest, LogLines, PROTOCOL};

use super::logs::Logs;
use super::run::LiveRun;
use super::{Engine, Shared};
use crate::control_plane::Exchange;
use crate::identity;
use crate::session::{Event, Outcome, Request, RequestId};
use crate::spool::SpoolError;

impl Engine {
    /// Sends a request; what comes of it is told to the session.
    pub(super) fn send(&self, id: RequestId, request: Request) {
        let shared = Arc::clone(&self.shared);
        let said = self.said_more(&request);
        let prepared = self.prepare(request);
        tokio::spawn(async move {
            let outcome = match prepared.read().await {
                Ok(exchange) => exchange.perform(&shared.plane, &shared.token).await,
                Err(error) => Outcome::Unreadable { detail: error },
            };
            shared.tell(Event::Replied { request: id, outcome }).await;
            if let Some(said) = said.and_then(|(lease, logs)| (!logs.is_empty()).then_some(Event::Said { lease })) {
                shared.tell(said).await;
            }
        });
    }

    /// Lines beyond those of one request wait for the next one.
    fn said_more(&self, request: &Request) -> Option<(wire::LeaseId, Arc<Logs>)> {
        let Request::Logs { lease } = request else { return None };
        self.runs.get(lease).map(|run| (lease.clone(), Arc::clone(&run.logs)))
    }

    fn prepare(&self, request: Request) -> Prepared {
        match request {
            Request::Token { at_seconds } => self.shared.token_exchange(at_seconds),
            Request::Lease { crawl_slots, mode, holding, wait_seconds } => Prepared::Ready(Exchange::Lease(LeaseRequest {
                protocol: PROTOCOL,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                crawl_slots,
                capacity: self.shared.workshop.configuration.crawls,
                mode,
                holding,
                wait_seconds,
            })),
            Request::Heartbeat { lease } => self.of_run(&lease, |run| {
                let heartbeat = Heartbeat { lease: run.lease_id(), progress: Some(run.vitals.progress()), spooled: run.spooled() };
                Prepared::Ready(Exchange::Heartbeat(heartbeat))
            }),
            Request::Upload { lease, run: number, sequence } => self.of_run(&lease, |run| match run.folder() {
                Some(folder) => Prepared::Upload { folder: folder.clone(), lease: run.lease_id(), run: number, sequence },
                None => Prepared::Nothing,
            }),
            Request::Question { lease, run: number, number: question } => {
                self.of_run(&lease, |run| match run.questions.request(question) {
                    Some(request) => Prepared::Ready(Exchange::Question { run: number, number: question, request }),
                    None => Prepared::Nothing,
                })
            }
            Request::Checks { lease } => {
                self.of_run(&lease, |run| prepared(run.folder().map(crate::spool::Folder::read_checks), Exchange::Checks))
            }
            Request::Logs { lease } => self
                .of_run(&lease, |run| Prepared::Ready(Exchange::Logs(LogLines { lease: run.lease_id(), lines: run.logs.take() }))),
            Request::Finish { lease, batches } => self.of_run(&lease, |run| {
                let finish = |ending| Exchange::Finish(Box::new(Finish { lease: run.lease_id(), batches, ending }));
                prepared(run.folder().map(crate::spool::Folder::read_finish), |record| finish(record.ending))
            }),
            Request::TaskResult { task } => {
                let result =
                    self.tasks.get(&task).and_then(|live| live.result.lock().unwrap_or_else(PoisonError::into_inner).clone());
                match result {
                    Some(result) => Prepared::Ready(Exchange::Task { task, result: Box::new(result) }),
                    None => Prepared::Nothing,
                }
            }
        }
    }

    fn of_run(&self, lease: &wire::LeaseId, prepare: impl FnOnce(&LiveRun) -> Prepared) -> Prepared {
        self.runs.get(lease).map_or(Prepared::Nothing, prepare)
    }
}

impl Shared {
    fn token_exchange(&self, at_seconds: i64) -> Prepared {
        match identity::assertion(&self.key, &self.identity, at_seconds) {
            Ok(assertion) => Prepared::Ready(Exchange::Token { assertion }),
            Err(error) => Prepared::Failed(error.to_string()),
        }
    }
}

/// A request that may still have to be read from the disk.
enum Prepared {
    Ready(Exchange),
    Upload { folder: crate::spool::Folder, lease: wire::LeaseId, run: i64, sequence: wire::Sequence },
    Nothing,
    Failed(String),
}

impl Prepared {
    async fn read(self) -> Result<Exchange, String> {
        match self {
            Self::Ready(exchange) => Ok(exchange),
            Self::Upload { folder, lease, run, sequence } => match folder.read(sequence).await {
                Ok(batch) => Ok(Exchange::Upload { lease, run, sequence, batch }),
                Err(error) => Err(error.to_string()),
            },
            Self::Nothing => Err("there is nothing to send".to_owned()),
            Self::Failed(error) => Err(error),
        }
    }
}

fn prepared<T>(read: Option<Result<Option<T>, SpoolError>>, exchange: impl FnOnce(T) -> Exchange) -> Prepared {
    match read {
        Some(Ok(Some(value))) => Prepared::Ready(exchange(value)),
        Some(Err(error)) => Prepared::Failed(error.to_string()),
        Some(Ok(None)) | None => Prepared::Nothing,
    }
}
