//! The control plane as the simulation has it. It asserts what may never happen.

use std::collections::{BTreeMap, BTreeSet};

use model::MissingAsset;
use wire::{
    Answer, Code, Command, CrawlJob, CredentialReference, Gate, KeyType, Lease, LeaseAnswer, LeaseId, RuntimeMode, Sequence,
    SourceJob, TaskAction, TaskId, TaskJob, Work,
};

use super::disk::End;
use crate::session::{Outcome, Reply};

pub(super) const LEASE_SECONDS: u64 = 60;
const TOKEN_MS: i64 = 900_000;
const CLOCK_SKEW_SECONDS: u64 = 60;

/// What arrives, with what it carries.
#[derive(Clone, Debug)]
pub(super) enum Message {
    Token { at_seconds: i64 },
    Poll { crawl_slots: u32, mode: RuntimeMode, holding: Vec<LeaseId> },
    Heartbeat(LeaseId),
    Upload { lease: LeaseId, run: i64, sequence: Sequence, content: String },
    Question { lease: LeaseId, after: Sequence },
    Checks(LeaseId),
    Logs(LeaseId),
    Finish { lease: LeaseId, batches: Sequence, end: End },
    TaskResult(TaskId),
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Queued,
    Leased(LeaseId),
    Done(End),
}

#[derive(Debug)]
struct Run {
    state: State,
    attempt: u32,
    is_cancel_wanted: bool,
}

#[derive(Debug)]
pub(super) struct Leased {
    run: i64,
    stored: Vec<String>,
    expires_at: i64,
    is_lost: bool,
    ended: Option<(Sequence, End)>,
    checks: bool,
}

#[derive(Debug)]
pub(super) struct Server {
    runs: BTreeMap<i64, Run>,
    leases: BTreeMap<LeaseId, Leased>,
    /// Kept in memory only.
    tokens: BTreeMap<u64, i64>,
    next_token: u64,
    tasks: BTreeSet<TaskId>,
    pub(super) answered_tasks: BTreeSet<TaskId>,
    next_task: u64,
    /// Whether a lease that expired is given again to the runtime that still holds it.
    revives: bool,
}

impl Server {
    pub(super) fn new(random: &mut fastrand::Rng) -> Self {
        let run = |random: &mut fastrand::Rng| Run { state: State::Queued, attempt: 0, is_cancel_wanted: random.u8(..) < 20 };
        Self {
            runs: (1..=random.i64(1..=4)).map(|number| (number, run(random))).collect(),
            leases: BTreeMap::new(),
            tokens: BTreeMap::new(),
            next_token: 1,
            tasks: BTreeSet::new(),
            answered_tasks: BTreeSet::new(),
            next_task: 1,
            revives: random.bool(),
        }
    }

    pub(super) fn restart(&mut self) {
        self.tokens.clear();
    }

    pub(super) fn add_task(&mut self) {
        self.tasks.insert(TaskId(self.next_task.to_string()));
        self.next_task += 1;
    }

    pub(super) fn is_done(&self) -> bool {
        self.runs.values().all(|run| matches!(run.state, State::Done(_)))
    }

    pub(super) fn attempts(&self) -> u32 {
        self.runs.values().map(|run| run.attempt).max().unwrap_or(0)
    }

    /// Whether the lease is neither ended nor lost at this time.
    pub(super) fn is_alive(&self, lease: &LeaseId) -> bool {
        self.leases.get(lease).is_some_and(|leased| !leased.is_lost && leased.ended.is_none())
    }

    pub(super) fn stored(&self, lease: &LeaseId) -> usize {
        self.leases.get(lease).map_or(0, |leased| leased.stored.len())
    }

    pub(super) fn newest_token(&self) -> u64 {
        self.next_token - 1
    }

    /// Leases without heartbeats go back to the queue.
    pub(super) fn expire(&mut self, now: i64) {
        for (id, leased) in &mut self.leases {
            let run = self.runs.get_mut(&leased.run).unwrap();
            if leased.expires_at <= now && run.state == State::Leased(id.clone()) {
                run.state = State::Queued;
                leased.is_lost = !self.revives;
            }
        }
    }

    pub(super) fn take(&mut self, now: i64, token: u64, message: Message) -> Outcome {
        self.expire(now);
        if let Message::Token { at_seconds } = message {
            return self.sign_in(now, at_seconds);
        }
        if self.tokens.get(&token).is_none_or(|expires_at| *expires_at <= now) {
            return refused(Code::Unauthenticated);
        }
        match message {
            Message::Token { .. } => unreachable!("answered above"),
            Message::Poll { crawl_slots, mode, holding } => self.poll(now, crawl_slots, mode, &holding),
            Message::Heartbeat(lease) => self.heartbeat(now, &lease),
            Message::Upload { lease, run, sequence, content } => self.upload(&lease, run, sequence, content),
            Message::Question { lease, after } => self.question(&lease, after),
            Message::Checks(lease) => match self.alive(&lease) {
                Some(leased) => {
                    leased.checks = true;
                    Outcome::Answered(Reply::Accepted)
                }
                None => self.not_alive(&lease),
            },
            Message::Logs(lease) => {
                if self.alive(&lease).is_some() {
                    Outcome::Answered(Reply::Accepted)
                } else {
                    self.not_alive(&lease)
                }
            }
            Message::Finish { lease, batches, end } => self.finish(&lease, batches, end),
            Message::TaskResult(task) => {
                self.answered_tasks.insert(task);
                Outcome::Answered(Reply::Accepted)
            }
        }
    }

    fn sign_in(&mut self, now: i64, at_seconds: i64) -> Outcome {
        let server_seconds = now.div_euclid(1000);
        if server_seconds.abs_diff(at_seconds) > CLOCK_SKEW_SECONDS {
            return Outcome::TokenRefused { detail: "the clock".to_owned(), server_seconds: Some(server_seconds) };
        }
        self.tokens.insert(self.next_token, now + TOKEN_MS);
        self.next_token += 1;
        Outcome::Answered(Reply::Token { lasts_ms: TOKEN_MS })
    }

    fn alive(&mut self, lease: &LeaseId) -> Option<&mut Leased> {
        let leased = self.leases.get_mut(lease)?;
        let holds = self.runs.get(&leased.run).unwrap().state == State::Leased(lease.clone());
        (holds && !leased.is_lost && leased.ended.is_none()).then_some(leased)
    }

    fn poll(&mut self, now: i64, crawl_slots: u32, mode: RuntimeMode, holding: &[LeaseId]) -> Outcome {
        let work = self.work(now, crawl_slots, mode, holding);
        Outcome::Answered(Reply::Lease(Box::new(LeaseAnswer { work })))
    }

    fn work(&mut self, now: i64, crawl_slots: u32, mode: RuntimeMode, holding: &[LeaseId]) -> Option<Work> {
        for lease in holding {
            let leased = self.leases.get_mut(lease).filter(|leased| leased.ended.is_none() && !leased.is_lost);
            let Some(leased) = leased else { continue };
            let run = self.runs.get_mut(&leased.run).unwrap();
            if run.state == State::Queued {
                run.state = State::Leased(lease.clone());
                leased.expires_at = now + LEASE_SECONDS as i64 * 1000;
                return Some(crawl(lease.clone(), leased.run, run.attempt));
            }
        }
        if mode == RuntimeMode::Draining {
            return None;
        }
        if let Some(task) = self.tasks.pop_first() {
            return Some(Work::Task(Box::new(TaskJob {
                id: task,
                within_seconds: 25,
                action: TaskAction::TestSignIn,
                source: source(),
            })));
        }
        let (number, run) = self.runs.iter_mut().find(|(_, run)| run.state == State::Queued).filter(|_| crawl_slots > 0)?;
        run.attempt += 1;
        let lease = LeaseId(format!("{number}.{}", run.attempt));
        run.state = State::Leased(lease.clone());
        for leased in self.leases.values_mut().filter(|leased| leased.run == *number) {
            leased.is_lost = true;
        }
        let expires_at = now + LEASE_SECONDS as i64 * 1000;
        let leased = Leased { run: *number, stored: Vec::new(), expires_at, is_lost: false, ended: None, checks: false };
        self.leases.insert(lease.clone(), leased);
        Some(crawl(lease, *number, run.attempt))
    }

    fn heartbeat(&mut self, now: i64, lease: &LeaseId) -> Outcome {
        let Some(leased) = self.alive(lease) else {
            // It may be given again to whoever holds it.
            let waits = self.leases.get(lease).is_some_and(|leased| {
                leased.ended.is_none() && !leased.is_lost && self.runs.get(&leased.run).unwrap().state == State::Queued
            });
            return if waits { Outcome::Answered(Reply::Heartbeat(Command::Continue)) } else { refused(Code::LeaseLost) };
        };
        leased.expires_at = now + LEASE_SECONDS as i64 * 1000;
        let run = leased.run;
        let is_cancel_wanted = self.runs.get(&run).unwrap().is_cancel_wanted;
        let command = if is_cancel_wanted { Command::Cancel } else { Command::Continue };
        Outcome::Answered(Reply::Heartbeat(command))
    }

    fn upload(&mut self, lease: &LeaseId, run: i64, sequence: Sequence, content: String) -> Outcome {
        let Some(leased) = self.alive(lease) else { return self.not_alive(lease) };
        assert_eq!(leased.run, run, "{lease} is not of run {run}");
        let at = usize::try_from(sequence.0).unwrap() - 1;
        match leased.stored.get(at) {
            Some(stored) => assert_eq!(*stored, content, "batch {sequence} of {lease} was another one before"),
            None => {
                assert_eq!(leased.stored.len(), at, "a batch of {lease} before {sequence} is missing");
                assert_eq!(content, format!("{lease}/{sequence}"), "it is of another run");
                leased.stored.push(content);
            }
        }
        Outcome::Answered(Reply::Stored(sequence))
    }

    fn question(&mut self, lease: &LeaseId, after: Sequence) -> Outcome {
        let Some(leased) = self.alive(lease) else { return self.not_alive(lease) };
        assert!(leased.stored.len() as u64 >= after.0, "asked about what has not arrived");
        let none: Vec<MissingAsset> = Vec::new();
        let assets = none.iter().map(Into::into).collect();
        Outcome::Answered(Reply::Answer(Some(Answer::Missing { assets })))
    }

    fn finish(&mut self, lease: &LeaseId, batches: Sequence, end: End) -> Outcome {
        if self.leases.get(lease).is_some_and(|leased| leased.ended.is_some()) {
            return Outcome::Answered(Reply::Accepted);
        }
        let Some(leased) = self.alive(lease) else { return self.not_alive(lease) };
        assert!(leased.stored.len() as u64 >= batches.0, "the end of {lease} came before its batches");
        if end == End::Crawled {
            assert_eq!(leased.stored.len() as u64, batches.0, "{lease} has other batches than it says");
            assert_eq!(leased.stored.len() as u64, super::world::batches_of(lease), "{lease} is not whole");
            assert!(leased.checks, "the end of {lease} came before what was checked");
        }
        // A process that finds no batch of an interrupted run does not know how many there were.
        let is_known = end != End::HandedBack || batches.0 > 0;
        assert!(!is_known || leased.stored.len() as u64 == batches.0, "{lease} has other batches than it says");
        leased.ended = Some((batches, end));
        let number = leased.run;
        let run = self.runs.get_mut(&number).unwrap();
        run.state = if end == End::HandedBack { State::Queued } else { State::Done(end) };
        assert!(end != End::Cancelled || run.is_cancel_wanted, "nobody wanted {lease} to be cancelled");
        assert!(end != End::Failed, "nothing fails here");
        Outcome::Answered(Reply::Accepted)
    }

    /// Not held any more, but perhaps to be given again.
    fn not_alive(&self, lease: &LeaseId) -> Outcome {
        let waits = self.leases.get(lease).is_some_and(|leased| {
            leased.ended.is_none() && !leased.is_lost && self.runs.get(&leased.run).unwrap().state == State::Queued
        });
        if waits { refused(Code::Busy) } else { refused(Code::LeaseLost) }
    }
}

fn refused(code: Code) -> Outcome {
    Outcome::Refused { code, detail: code.as_str().to_owned(), retry_after_ms: 0 }
}

fn source() -> SourceJob {
    let credential = CredentialReference {
        auth_type: "ambient".to_owned(),
        secret_store: None,
        secret_path: None,
        key_type: KeyType::SingleKey,
        values: BTreeMap::new(),
    };
    SourceJob { connector: "glue".to_owned(), connection: "sales".to_owned(), region: None, credential }
}

fn crawl(id: LeaseId, run: i64, attempt: u32) -> Work {
    let lease = Lease { id, run, attempt, heartbeat_seconds: 10, lease_seconds: LEASE_SECONDS };
    let settings = serde_json::json!({});
    let job = CrawlJob { source: source(), connection_number: 7, account: None, settings, preflight: Gate::Soft, is_first: false };
    Work::Crawl { lease, job: Box::new(job) }
}
