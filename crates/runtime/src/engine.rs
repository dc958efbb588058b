//! The shell around the session: carries out what it decides, and tells it what happened.

mod logs;
mod outlet;
mod requests;
mod run;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::Secret;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use wire::assertion::SigningKey;
use wire::{LeaseId, TaskId, TaskJob, TaskResult};

use crate::clock::Clock;
use crate::control_plane::ControlPlane;
use crate::health::{Health, HealthFile, RunHealth, State};
use crate::identity::Identity;
use crate::session::{Action, Event, Exit, Note, Recovered, Session, Settings};
use crate::spool::{End, Found, Spool, SpoolError};
use crate::work::{Workshop, task};
use run::LiveRun;

/// Events that wait for the session.
const EVENTS_MAX: usize = 1_024;
/// How long the removal of folders may hold the exit; what is left is removed by the next process.
const REMOVAL_TIME: Duration = Duration::from_secs(2);
/// How often the state is written down for probes.
const HEALTH_EVERY: Duration = Duration::from_secs(5);

/// What a runtime is made of.
pub(crate) struct Parts {
    pub(crate) clock: Clock,
    pub(crate) plane: ControlPlane,
    pub(crate) identity: Identity,
    pub(crate) key: SigningKey,
    pub(crate) workshop: Workshop,
    pub(crate) spool: Spool,
    pub(crate) health: HealthFile,
}

/// What those who do the work share.
struct Shared {
    clock: Clock,
    plane: ControlPlane,
    identity: Identity,
    key: SigningKey,
    workshop: Workshop,
    spool: Spool,
    token: Mutex<Option<Secret>>,
    events: mpsc::Sender<Event>,
}

struct LiveTask {
    result: Arc<Mutex<Option<TaskResult>>>,
    worker: JoinHandle<()>,
}

/// See the module.
pub(crate) struct Engine {
    shared: Arc<Shared>,
    session: Session,
    inbox: mpsc::Receiver<Event>,
    runs: BTreeMap<LeaseId, LiveRun>,
    tasks: BTreeMap<TaskId, LiveTask>,
    /// Folders of runs that are over, on their way out.
    removals: JoinSet<()>,
    health: HealthFile,
    exit: Option<Exit>,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Finish what runs, take no more.
    Drain,
    /// Leave at once.
    Now,
}

impl Engine {
    /// Takes over what an earlier process left in the spool. What was interrupted is to be handed back.
    ///
    /// # Errors
    /// When that cannot be written down.
    pub(crate) async fn start(parts: Parts, found: Vec<Found>) -> Result<Self, SpoolError> {
        let Parts { clock, plane, identity, key, workshop, spool, health } = parts;
        let (events, inbox) = mpsc::channel(EVENTS_MAX);
        let configuration = &workshop.configuration;
        let settings =
            Settings { capacity: configuration.crawls, drain_ms: i64::from(configuration.drain_seconds).saturating_mul(1000) };
        let (mut runs, mut recovered) = (BTreeMap::new(), Vec::new());
        for found in found {
            recovered.push(recover(&found).await?);
            runs.insert(found.lease.id.clone(), LiveRun::recovered(found));
        }
        let session = Session::new(settings, recovered, fastrand::Rng::new());
        let token = Mutex::new(None);
        let shared = Arc::new(Shared { clock, plane, identity, key, workshop, spool, token, events });
        Ok(Self { shared, session, inbox, runs, tasks: BTreeMap::new(), removals: JoinSet::new(), health, exit: None })
    }

    /// Works until there is a reason to leave.
    pub(crate) async fn run(mut self, mut stops: mpsc::Receiver<Stop>) -> Exit {
        let mut health = tokio::time::interval(HEALTH_EVERY);
        self.tell(Event::Woken);
        loop {
            if let Some(exit) = self.exit {
                self.leave(exit);
                let _ = tokio::time::timeout(REMOVAL_TIME, self.removals.join_all()).await;
                return exit;
            }
            let event = tokio::select! {
                Some(event) = self.inbox.recv() => event,
                Some(stop) = stops.recv() => stop_event(stop),
                () = until(self.shared.clock, self.session.next_wake()) => Event::Woken,
                _ = health.tick() => {
                    self.write_health(self.state());
                    continue;
                }
            };
            self.tell(event);
        }
    }

    fn tell(&mut self, event: Event) {
        let now = self.shared.clock.now();
        for action in self.session.handle(now, event) {
            self.act(action);
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Send { id, request } => self.send(id, request),
            Action::StartCrawl { lease, job } => {
                tracing::info!(run = lease.run, lease = %lease.id, attempt = lease.attempt, connection = job.source.connection, "a run begins");
                self.runs.insert(lease.id.clone(), LiveRun::start(&self.shared, lease, job));
            }
            Action::StopCrawl { lease, why } => {
                if let Some(run) = self.runs.get_mut(&lease) {
                    run.stop(&self.shared, why);
                }
            }
            Action::ForgetBatch { lease, sequence } => {
                if let Some(folder) = self.runs.get(&lease).and_then(LiveRun::folder) {
                    folder.forget(sequence);
                }
            }
            Action::ForgetChecks { lease } => {
                if let Some(folder) = self.runs.get(&lease).and_then(LiveRun::folder) {
                    folder.forget_checks();
                }
            }
            Action::Forget { lease } => {
                if let Some(run) = self.runs.remove(&lease) {
                    tracing::info!(run = run.number(), %lease, "a run is over here");
                    while self.removals.try_join_next().is_some() {}
                    self.removals.spawn(run.forget(Arc::clone(&self.shared)));
                }
            }
            Action::Answer { lease, number, answer } => {
                if let Some(run) = self.runs.get(&lease) {
                    run.answer(number, answer);
                }
            }
            Action::StartTask { job } => self.start_task(*job),
            Action::StopTask { task } => {
                if let Some(task) = self.tasks.remove(&task) {
                    task.worker.abort();
                }
            }
            Action::Note(note) => log(note),
            Action::Exit(exit) => self.exit = Some(exit),
        }
    }

    fn start_task(&mut self, job: TaskJob) {
        tracing::info!(task = %job.id, action = job.action.as_str(), connection = job.source.connection, "a task begins");
        let (id, result) = (job.id.clone(), Arc::new(Mutex::new(None)));
        let (shared, kept) = (Arc::clone(&self.shared), Arc::clone(&result));
        let worker = tokio::spawn(async move {
            let done = task::perform(&shared.workshop, &job).await;
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
            shared.tell(Event::TaskDone { task: job.id }).await;
        });
        self.tasks.insert(id, LiveTask { result, worker });
    }

    fn state(&self) -> State {
        if self.session.is_draining() { State::Draining } else { State::Running }
    }

    fn write_health(&self, state: State) {
        let runs = self.runs.values().map(|run| RunHealth { run: run.number(), lease: run.lease_id(), spooled: run.spooled() });
        self.health.write(Health {
            state,
            at_ms: crate::clock::wall_ms(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            control_plane: self.shared.plane.url().to_owned(),
            is_away: self.session.is_away(),
            last_contact_ms: self.session.last_contact_ms(),
            runs: runs.collect(),
            spool_bytes: self.shared.spool.used_bytes(),
            spool_bytes_max: self.shared.spool.limit_bytes(),
        });
    }

    fn leave(&self, exit: Exit) {
        for run in self.runs.values() {
            run.abort();
        }
        for task in self.tasks.values() {
            task.worker.abort();
        }
        let left = self.session.holding().len();
        match exit {
            Exit::Drained => tracing::info!("nothing is left to do: the runtime stops"),
            Exit::Left => {
                tracing::warn!(runs = left, "the runtime stops; what is left is in the spool and goes on with the next start")
            }
            Exit::Revoked => {
                tracing::error!(
                    "the control plane has revoked this runtime: everything stops; to come back, enrol anew with --replace"
                );
            }
        }
        self.write_health(if exit == Exit::Revoked { State::Revoked } else { State::Stopped });
    }
}

impl Shared {
    /// Tells the session. Without an engine there is nobody to tell.
    async fn tell(&self, event: Event) {
        let _ = self.events.send(event).await;
    }
}

const fn stop_event(stop: Stop) -> Event {
    match stop {
        Stop::Drain => Event::Drain,
        Stop::Now => Event::Leave,
    }
}

async fn until(clock: Clock, at_ms: Option<i64>) {
    let Some(at_ms) = at_ms else { return std::future::pending().await };
    let left_ms = at_ms.saturating_sub(clock.now().steady_ms);
    tokio::time::sleep(Duration::from_millis(u64::try_from(left_ms).unwrap_or(0))).await;
}

/// What a lease of an earlier process is to the session. One without an end gets one.
async fn recover(found: &Found) -> Result<Recovered, SpoolError> {
    let record = found.end.record();
    if matches!(found.end, End::Interrupted(_)) {
        tracing::warn!(run = found.lease.run, lease = %found.lease.id, "a run was interrupted: it is handed back");
        found.folder.write_finish(record).await?;
    }
    Ok(Recovered {
        lease: found.lease.clone(),
        acknowledged: found.acknowledged,
        spooled: record.spooled,
        rest: record.rest,
        has_checks: found.has_checks,
    })
}

fn log(note: Note) {
    match note {
        Note::SignedIn => tracing::info!("signed in to the control plane"),
        Note::SignInRefused(detail) => {
            tracing::error!(detail, "the control plane refuses to sign this runtime in; it is tried again")
        }
        Note::ClockDiffers(seconds) => {
            tracing::warn!(seconds, "this machine's clock differs from the control plane's; it is corrected for, but set it right");
        }
        Note::Away(detail) => tracing::warn!(detail, "the control plane is away; crawls go on, what they find waits in the spool"),
        Note::Back => tracing::info!("the control plane answers again"),
        Note::Refused { what, detail } => tracing::warn!(what, detail, "the control plane refuses"),
        Note::LeaseLost(lease, detail) => {
            tracing::warn!(%lease, detail, "the run is somebody else's now, or over: it is forgotten here")
        }
        Note::Unreadable(lease, detail) => tracing::error!(%lease, detail, "the spool of a run cannot be read"),
    }
}
