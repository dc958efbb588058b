//! The runtime's side of the protocol as a state machine without IO: it takes the time and what happened, and says what to do.
//!
//! No clock, no chance but the generator that it is given, no files. Whatever must survive a kill is in the spool; what the session
//! knows is rebuilt from there ([`Recovered`]). The tests drive it through thousands of simulated outages and kills.

mod answers;
mod drain;
mod line;
mod run;
mod sign_in;
#[cfg(test)]
mod simulation;
mod task;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use wire::{Answer, Code, Command, CrawlJob, Lease, LeaseAnswer, LeaseId, RuntimeMode, Sequence, TaskId, TaskJob};

use drain::Drain;
use line::Line;
use run::Run;
use sign_in::SignIn;
use task::Task;

/// Tasks that are worked on at the same time.
const TASKS_MAX: usize = 4;
/// Runs that are held at the same time, those that are only uploaded included.
const RUNS_MAX: usize = 64;
/// How long the control plane may hold a request for work back.
const POLL_SECONDS: u64 = wire::LONG_POLL_SECONDS_MAX;
/// The same while all places for crawls are taken: one may become free meanwhile.
const POLL_SECONDS_WHILE_FULL: u64 = 5;
/// Requests for work that are answered with nothing are at least so far apart, whatever the control plane does.
const POLL_PAUSE_MS: i64 = 1_000;

/// The time, twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Now {
    /// Milliseconds of a clock that is never set: what pauses and deadlines are measured with.
    pub(crate) steady_ms: i64,
    /// Milliseconds since 1970 UTC, as this machine believes.
    pub(crate) wall_ms: i64,
}

/// Tells requests apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RequestId(pub(crate) u64);

/// What is fixed for the life of the process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Crawls at the same time.
    pub(crate) capacity: u32,
    /// How long running crawls may go on when the runtime stops, milliseconds.
    pub(crate) drain_ms: i64,
}

/// What the spool had of a lease when the process started. All of them have an ending: the shell hands back what was interrupted.
#[derive(Clone, Debug)]
pub(crate) struct Recovered {
    pub(crate) lease: Lease,
    pub(crate) acknowledged: Sequence,
    pub(crate) spooled: Sequence,
    pub(crate) rest: Rest,
    pub(crate) has_checks: bool,
}

/// What becomes of batches that are not acknowledged when a run has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Rest {
    /// They belong to the run: the end is told after them.
    Upload,
    /// Nobody wants them: the run was cancelled or starts over.
    Discard,
}

/// Whether the asker of a question can do without the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// No: it waits until there is one.
    UntilAnswered,
    /// Yes: while the control plane is away, "not known" is an answer.
    WhileReachable,
}

/// Why a crawl stops before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Somebody asked for it.
    Cancelled,
    /// Another runtime, or this one later, starts it over.
    HandedBack(String),
    /// The control plane does not take what it gives.
    Failed(String),
    /// The run is somebody else's: nothing more is said.
    Abandoned,
}

/// A request to the control plane. The shell has what it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Sign in, at this time by the control plane's clock.
    Token { at_seconds: i64 },
    /// Ask for work.
    Lease { crawl_slots: u32, mode: RuntimeMode, holding: Vec<LeaseId>, wait_seconds: u64 },
    /// Say that a run is alive.
    Heartbeat { lease: LeaseId },
    /// Send a batch.
    Upload { lease: LeaseId, run: i64, sequence: Sequence },
    /// Ask the catalog.
    Question { lease: LeaseId, run: i64, number: u64 },
    /// Tell what was checked.
    Checks { lease: LeaseId },
    /// Tell what happened.
    Logs { lease: LeaseId },
    /// Say how it ended.
    Finish { lease: LeaseId, batches: Sequence },
    /// Answer a task.
    TaskResult { task: TaskId },
}

/// What came of a request.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It was answered as it should be.
    Answered(Reply),
    /// The control plane says no.
    Refused { code: Code, detail: String, retry_after_ms: i64 },
    /// It says no to signing in; `server_seconds` is what its clock says.
    TokenRefused { detail: String, server_seconds: Option<i64> },
    /// There is no answer, or none of the control plane.
    Unreachable { detail: String, retry_after_ms: i64 },
    /// What was to be sent cannot be read from the spool.
    Unreadable { detail: String },
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// The shell keeps the token; it lasts so long.
    Token { lasts_ms: i64 },
    /// Work, or none.
    Lease(Box<LeaseAnswer>),
    /// What to do with a run.
    Heartbeat(Command),
    /// Up to where batches are kept.
    Stored(Sequence),
    /// The answer, or "ask again".
    Answer(Option<Answer>),
    /// Taken.
    Accepted,
}

/// What happened.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The time that was asked for has come.
    Woken,
    /// A request has ended, one way or another.
    Replied { request: RequestId, outcome: Outcome },
    /// A batch is on the disk.
    Spooled { lease: LeaseId, sequence: Sequence },
    /// What was checked before a crawl is on the disk.
    Checked { lease: LeaseId },
    /// There is something to tell of a run.
    Said { lease: LeaseId },
    /// A crawl asks the catalog, about what it has sent up to `after`.
    Asked { lease: LeaseId, number: u64, after: Sequence, patience: Patience },
    /// How a run ended is on the disk.
    Ended { lease: LeaseId, rest: Rest },
    /// There is no place for a run on the disk: its lease runs out, and somebody else takes it.
    Broken { lease: LeaseId },
    /// A task has its result.
    TaskDone { task: TaskId },
    /// Take no more work, and leave when what runs has ended.
    Drain,
    /// Leave now.
    Leave,
}

/// What to do.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Send a request, and tell what came of it.
    Send { id: RequestId, request: Request },
    /// Make room for a lease and start its crawl.
    StartCrawl { lease: Lease, job: Box<CrawlJob> },
    /// Stop a crawl, write how it ended (unless it is abandoned) and tell [`Event::Ended`]. The crawl may have ended already.
    StopCrawl { lease: LeaseId, why: Why },
    /// A batch is kept by the control plane.
    ForgetBatch { lease: LeaseId, sequence: Sequence },
    /// What was checked is kept by the control plane.
    ForgetChecks { lease: LeaseId },
    /// Nothing of a lease is needed any more.
    Forget { lease: LeaseId },
    /// Answer a question of a crawl; `None` is "not known".
    Answer { lease: LeaseId, number: u64, answer: Option<Answer> },
    /// Work on a task.
    StartTask { job: Box<TaskJob> },
    /// Nobody waits for a task any more.
    StopTask { task: TaskId },
    /// Tell whoever watches the runtime.
    Note(Note),
    /// The end.
    Exit(Exit),
}

/// Something that an operator wants to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    SignedIn,
    SignInRefused(String),
    /// The clocks differ by so many seconds; it is corrected for.
    ClockDiffers(i64),
    Away(String),
    Back,
    Refused {
        what: &'static str,
        detail: String,
    },
    LeaseLost(LeaseId, String),
    Unreadable(LeaseId, String),
}

/// Why the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It was asked to, and nothing was left to do.
    Drained,
    /// It was asked to, and what is left waits in the spool for the next start.
    Left,
    /// The control plane has revoked the runtime.
    Revoked,
}

/// The earliest time at which there is something to do.
#[derive(Clone, Copy, Debug, Default)]
struct Alarm(Option<i64>);

impl Alarm {
    fn set(&mut self, at: i64) {
        self.0 = Some(self.0.map_or(at, |set| set.min(at)));
    }

    const fn get(&self) -> Option<i64> {
        self.0
    }
}

/// Whom a reply is for.
#[derive(Clone, Debug)]
enum Asker {
    Token,
    Poll { asked_ms: i64 },
    Heartbeat(LeaseId),
    Upload(LeaseId),
    Question(LeaseId, u64),
    Checks(LeaseId),
    Logs(LeaseId),
    Finish(LeaseId),
    Task(TaskId),
}

/// What the session decides in one step.
#[derive(Debug, Default)]
struct Step {
    actions: Vec<Action>,
    alarm: Alarm,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Session {
    settings: Settings,
    random: fastrand::Rng,
    next_request: u64,
    askers: BTreeMap<RequestId, Asker>,
    sign_in: SignIn,
    poll: Line,
    runs: BTreeMap<LeaseId, Run>,
    tasks: BTreeMap<TaskId, Task>,
    drain: Option<Drain>,
    is_away: bool,
    exit: Option<Exit>,
    alarm: Alarm,
    last_contact_ms: Option<i64>,
}

impl Session {
    /// A session that goes on with what the spool has.
    pub(crate) fn new(settings: Settings, recovered: Vec<Recovered>, random: fastrand::Rng) -> Self {
        let runs = recovered.into_iter().map(|recovered| (recovered.lease.id.clone(), Run::recovered(recovered))).collect();
        Self {
            settings,
            random,
            next_request: 0,
            askers: BTreeMap::new(),
            sign_in: SignIn::default(),
            poll: Line::default(),
            runs,
            tasks: BTreeMap::new(),
            drain: None,
            is_away: false,
            exit: None,
            alarm: Alarm::default(),
            last_contact_ms: None,
        }
    }

    /// Takes an event and says what to do. Actions are to be carried out in order.
    pub(crate) fn handle(&mut self, now: Now, event: Event) -> Vec<Action> {
        let mut step = Step::default();
        if self.exit.is_none() {
            self.take(now, event, &mut step);
        }
        if self.exit.is_none() {
            self.advance(now, &mut step);
        }
        self.alarm = step.alarm;
        step.actions
    }

    /// When to send [`Event::Woken`], on the steady clock.
    pub(crate) const fn next_wake(&self) -> Option<i64> {
        self.alarm.get()
    }

    /// Leases that are held.
    pub(crate) fn holding(&self) -> BTreeSet<LeaseId> {
        self.runs.keys().cloned().collect()
    }

    /// Whether the runtime finishes what it has and takes no more.
    pub(crate) const fn is_draining(&self) -> bool {
        self.drain.is_some()
    }

    /// Whether the control plane does not answer.
    pub(crate) const fn is_away(&self) -> bool {
        self.is_away
    }

    /// When the control plane answered last, milliseconds since 1970 UTC by this machine.
    pub(crate) const fn last_contact_ms(&self) -> Option<i64> {
        self.last_contact_ms
    }

    fn take(&mut self, now: Now, event: Event, step: &mut Step) {
        match event {
            Event::Woken => {}
            Event::Replied { request, outcome } => self.replied(now, request, outcome, step),
            Event::Spooled { lease, sequence } => self.with_run(&lease, |run| run.spooled(sequence)),
            Event::Checked { lease } => self.with_run(&lease, Run::checked),
            Event::Said { lease } => self.with_run(&lease, Run::said),
            Event::Asked { lease, number, after, patience } => match self.runs.get_mut(&lease) {
                Some(run) => run.asked(number, after, patience),
                None => step.actions.push(Action::Answer { lease, number, answer: None }),
            },
            Event::Ended { lease, rest } => self.with_run(&lease, |run| run.ended(rest)),
            Event::Broken { lease } => self.abandon(lease, step),
            Event::TaskDone { task } => {
                if let Some(task) = self.tasks.get_mut(&task) {
                    task.done();
                }
            }
            Event::Drain => self.begin_drain(now),
            Event::Leave => self.leave(Exit::Left, step),
        }
    }

    fn with_run(&mut self, lease: &LeaseId, change: impl FnOnce(&mut Run)) {
        if let Some(run) = self.runs.get_mut(lease) {
            change(run);
        }
    }

    /// Does whatever can be done now, and sets the alarm for what cannot.
    fn advance(&mut self, now: Now, step: &mut Step) {
        self.advance_drain(now, step);
        if self.exit.is_some() {
            return;
        }
        self.advance_tasks(now, step);
        self.advance_sign_in(now, step);
        let may_send = self.sign_in.is_signed_in(now.steady_ms);
        if may_send {
            self.advance_poll(now, step);
        }
        let leases: Vec<LeaseId> = self.runs.keys().cloned().collect();
        for lease in leases {
            self.advance_run(now, &lease, may_send, step);
        }
    }

    fn send(&mut self, asker: Asker, request: Request, step: &mut Step) {
        let id = RequestId(self.next_request);
        self.next_request += 1;
        self.askers.insert(id, asker);
        step.actions.push(Action::Send { id, request });
    }

    fn advance_poll(&mut self, now: Now, step: &mut Step) {
        let crawl_slots = self.free_slots();
        let is_full = self.tasks.len() >= TASKS_MAX || self.runs.len() >= RUNS_MAX;
        if is_full || !self.poll.is_free(now.steady_ms, &mut step.alarm) {
            return;
        }
        let is_news = self.drain.as_mut().is_some_and(Drain::tell);
        let (mode, wait_seconds) = match (&self.drain, crawl_slots) {
            // Once, so that the control plane knows; there is nothing to wait for.
            (Some(_), _) if is_news => (RuntimeMode::Draining, 0),
            (Some(_), _) => return,
            (None, 0) => (RuntimeMode::Running, POLL_SECONDS_WHILE_FULL),
            (None, _) => (RuntimeMode::Running, POLL_SECONDS),
        };
        self.poll.sent();
        let holding = self.runs.keys().cloned().collect();
        let request = Request::Lease { crawl_slots, mode, holding, wait_seconds };
        self.send(Asker::Poll { asked_ms: now.steady_ms }, request, step);
    }

    fn free_slots(&self) -> u32 {
        if self.drain.is_some() {
            return 0;
        }
        let crawling = self.runs.values().filter(|run| run.is_crawling()).count();
        self.settings.capacity.saturating_sub(u32::try_from(crawling).unwrap_or(u32::MAX))
    }

    fn leave(&mut self, exit: Exit, step: &mut Step) {
        self.exit = Some(exit);
        step.actions.push(Action::Exit(exit));
    }
}
