//! A deterministic simulation of leases: seeds drive workers with clocks of their own and schedulers through everything that can
//! happen to them, and a model of some lines says after each step what may be true.

use std::collections::{BTreeMap, BTreeSet};

use model::{Outcome, RunId};
use store::{
    Cancellation, Connection, Fate, Heartbeat, JobEnd, Lease, RunRef, RunState, RunWriter, RunsOn, Schedule, Slot, Store,
    StoreError, WorkflowId, WorkflowSpec,
};

use crate::control::system;
use crate::fresh::{Fresh, batch, connection, end, table};
use crate::simulation_random::Random;
use crate::work::spec;

const SEEDS: u64 = 200;
const STEPS: usize = 50;
const LEASE: i64 = 30_000;
/// How far the clocks of workers are off.
const SKEW: i64 = 5_000;
/// Every schedule's period.
const PERIOD: i64 = 40_000;

/// A worker, with what it believes to have.
struct Worker {
    name: String,
    skew_ms: i64,
    lease: Option<(Lease, Option<RunWriter>)>,
}

/// What the model knows of a run.
#[derive(Debug, Default)]
struct Known {
    /// The fence of whoever has the lease, as told by the catalog's answers.
    holder: Option<i64>,
    fence: i64,
    ended: Option<Outcome>,
    cancel_requested: bool,
}

struct World<'s> {
    store: &'s Store,
    random: Random,
    now_ms: i64,
    connections: Vec<Connection>,
    workflows: Vec<WorkflowId>,
    workers: Vec<Worker>,
    runs: BTreeMap<RunId, Known>,
    slots: BTreeSet<(WorkflowId, i64)>,
    /// Numbers for what is written.
    tables: u64,
}

pub(crate) async fn leases_keep_their_promises_whatever_happens(fresh: Fresh) {
    let store = fresh.open().await;
    let first = std::env::var("SEED").ok().map(|seed| seed.parse::<u64>().unwrap());
    let seeds = first.map_or(0..SEEDS, |seed| seed..seed + 1);
    for seed in seeds {
        let told = Told(seed);
        let mut world = World::new(&store, seed).await;
        for _ in 0..STEPS {
            world.step().await;
            world.check().await;
        }
        world.settle().await;
        std::mem::forget(told);
    }
}

/// Names the seed of a simulation that fails.
struct Told(u64);

impl Drop for Told {
    fn drop(&mut self) {
        eprintln!("the simulation failed with SEED={}", self.0);
    }
}

impl<'s> World<'s> {
    async fn new(store: &'s Store, seed: u64) -> Self {
        let mut random = Random::new(seed);
        // Every simulation begins long after the one before, so that nothing of it is left waiting.
        let now_ms = i64::try_from(seed + 1).unwrap() * 1_000_000_000;
        let connections = vec![connection(store, 1).await, connection(store, 2).await];
        let mut workflows = Vec::new();
        for number in 0..3 {
            let schedule = Some(Schedule { cron: "* * * * *".to_owned(), time_zone: "UTC".to_owned() });
            let retries_max = random.below(3);
            let spec = WorkflowSpec { schedule, next_run_ms: Some(now_ms), retries_max, ..spec(&format!("{seed}-{number}")) };
            let connection = &connections[number % 2];
            workflows.push(store.create_workflow(connection.id, &spec, &system(), now_ms).await.unwrap());
        }
        let workers = (0..3).map(|number| {
            let skew_ms = i64::from(random.below(2 * u32::try_from(SKEW).unwrap())) - SKEW;
            Worker { name: format!("worker {number}"), skew_ms, lease: None }
        });
        let workers = workers.collect();
        Self {
            store,
            random,
            now_ms,
            connections,
            workflows,
            workers,
            runs: BTreeMap::new(),
            slots: BTreeSet::new(),
            tables: seed * 1000,
        }
    }

    async fn step(&mut self) {
        self.now_ms += i64::from(self.random.below(4000));
        let worker = self.random.index(self.workers.len());
        match self.random.below(24) {
            0..=2 => self.schedule().await,
            3 => self.enqueue().await,
            4..=8 => self.claim(worker).await,
            9..=12 => self.write(worker).await,
            13..=14 => self.heartbeat(worker).await,
            15 => self.finish(worker).await,
            16 => self.hand_back(worker).await,
            17 => self.retry(worker).await,
            // A crash: what it had is forgotten by it alone.
            18 => self.workers[worker].lease = None,
            19 => self.cancel().await,
            // A pause longer than any lease, of everybody at once.
            20 => self.now_ms += LEASE + 2 * SKEW,
            _ => self.expire().await,
        }
    }

    /// Two schedulers look at the clock at once; the second does what it has decided late.
    async fn schedule(&mut self) {
        let mut decided = Vec::new();
        for _ in 0..2 {
            decided.extend(self.store.due(10, self.now_ms).await.unwrap());
        }
        self.random.shuffle(&mut decided);
        for workflow in decided.into_iter().filter(|workflow| self.workflows.contains(&workflow.id)) {
            let slot_ms = workflow.spec.next_run_ms.unwrap();
            let next = Some(self.now_ms - (self.now_ms % PERIOD) + PERIOD);
            match self.store.claim_slot(workflow.id, slot_ms, next, self.now_ms).await.unwrap() {
                Slot::Started(started) => {
                    assert!(self.slots.insert((workflow.id, slot_ms)), "a time was started twice");
                    assert!(self.runs.insert(started.run, Known::default()).is_none());
                }
                Slot::Skipped(run) => assert_eq!(self.runs[&run].ended, None),
                Slot::Taken => {}
            }
        }
    }

    async fn enqueue(&mut self) {
        let workflow = self.workflows[self.random.index(self.workflows.len())];
        match self.store.enqueue(workflow, &system(), self.now_ms).await {
            Ok(enqueued) => assert!(self.runs.insert(enqueued.run, Known::default()).is_none()),
            Err(StoreError::Exists { id, .. }) => assert_eq!(self.runs[&RunId(id)].ended, None),
            Err(error) => panic!("{error}"),
        }
    }

    async fn claim(&mut self, worker: usize) {
        if self.workers[worker].lease.is_some() {
            return;
        }
        let now_ms = self.now_ms + self.workers[worker].skew_ms;
        let lease = self.store.claim(&RunsOn::Direct, &self.workers[worker].name, LEASE, now_ms).await.unwrap();
        let Some(lease) = lease else { return };
        let known = self.runs.get_mut(&lease.run).expect("a run of an earlier simulation");
        assert_eq!((known.holder, known.ended, known.cancel_requested), (None, None, false), "it was not to be had");
        assert!(lease.fence > known.fence, "a fence did not grow");
        known.fence = lease.fence;
        known.holder = Some(lease.fence);
        self.workers[worker].lease = Some((lease, None));
    }

    /// Whether a worker has what it believes to have.
    fn holds(&self, lease: &Lease) -> bool {
        self.runs[&lease.run].holder == Some(lease.fence)
    }

    async fn write(&mut self, worker: usize) {
        let Some((lease, writer)) = self.workers[worker].lease.take() else { return };
        let holds = self.holds(&lease);
        let writer = match writer {
            Some(writer) => writer,
            None => {
                let connection = self.connections.iter().find(|connection| connection.id == lease.connection).unwrap();
                match self.store.begin_run_of(connection, &lease, self.now_ms).await {
                    Ok(writer) => writer,
                    Err(StoreError::Fenced { .. }) => return assert!(!holds, "whoever has the lease may begin"),
                    Err(error) => panic!("{error}"),
                }
            }
        };
        self.tables += 1;
        writer.apply(batch("s", [table(&format!("c/s/t{}", self.tables), &[])])).await.unwrap();
        match writer.flush().await {
            Ok(()) => assert!(holds, "a write arrived whose lease was lost"),
            Err(StoreError::Fenced { .. }) => return assert!(!holds, "a write did not arrive whose lease was not lost"),
            Err(error) => panic!("{error}"),
        }
        self.workers[worker].lease = Some((lease, Some(writer)));
    }

    async fn heartbeat(&mut self, worker: usize) {
        let Some((lease, writer)) = self.workers[worker].lease.take() else { return };
        let now_ms = self.now_ms + self.workers[worker].skew_ms;
        match self.store.heartbeat(&lease, LEASE, now_ms).await.unwrap() {
            Heartbeat::Lost => assert!(!self.holds(&lease)),
            Heartbeat::Extended { cancel_requested: true } => {
                assert!(self.holds(&lease) && self.runs[&lease.run].cancel_requested);
                let end = JobEnd { outcome: Outcome::Cancelled, failure: None };
                self.store.finish_job(&lease, &end, self.now_ms).await.unwrap();
                self.end(lease.run, Outcome::Cancelled);
            }
            Heartbeat::Extended { cancel_requested: false } => {
                assert!(self.holds(&lease) && !self.runs[&lease.run].cancel_requested);
                self.workers[worker].lease = Some((lease, writer));
            }
        }
    }

    async fn finish(&mut self, worker: usize) {
        let Some((lease, writer)) = self.workers[worker].lease.take() else { return };
        let finished = match writer {
            Some(writer) => writer.finish(end(Vec::new())).await.map(drop),
            None => {
                let end = JobEnd { outcome: Outcome::Complete, failure: None };
                self.store.finish_job(&lease, &end, self.now_ms).await
            }
        };
        match finished {
            Ok(()) => {
                assert!(self.holds(&lease));
                self.end(lease.run, Outcome::Complete);
            }
            Err(StoreError::Fenced { .. }) => assert!(!self.holds(&lease)),
            Err(error) => panic!("{error}"),
        }
    }

    async fn hand_back(&mut self, worker: usize) {
        let Some((lease, _)) = self.workers[worker].lease.take() else { return };
        let fate = self.store.give_back(&lease, self.now_ms).await;
        self.hear(&lease, fate);
    }

    async fn retry(&mut self, worker: usize) {
        let Some((lease, _)) = self.workers[worker].lease.take() else { return };
        let fate = self.store.retry(&lease, self.now_ms + 3000, "{}", self.now_ms).await;
        self.hear(&lease, fate);
    }

    fn hear(&mut self, lease: &Lease, fate: Result<Fate, StoreError>) {
        match fate {
            Ok(fate) => {
                assert!(self.holds(lease));
                self.accept(lease.run, fate);
            }
            Err(StoreError::Fenced { .. }) => assert!(!self.holds(lease)),
            Err(error) => panic!("{error}"),
        }
    }

    fn accept(&mut self, run: RunId, fate: Fate) {
        let cancelled = self.runs[&run].cancel_requested;
        match fate {
            Fate::Requeued { .. } => {
                assert!(!cancelled, "what was cancelled goes on");
                self.runs.get_mut(&run).unwrap().holder = None;
            }
            Fate::Ended(outcome) => {
                assert_eq!(outcome == Outcome::Cancelled, cancelled);
                self.end(run, outcome);
            }
        }
    }

    fn end(&mut self, run: RunId, outcome: Outcome) {
        let known = self.runs.get_mut(&run).unwrap();
        assert_eq!(known.ended, None, "a run ended twice");
        known.ended = Some(outcome);
        known.holder = None;
    }

    async fn cancel(&mut self) {
        let open: Vec<RunId> = self.runs.iter().filter(|(_, known)| known.ended.is_none()).map(|(run, _)| *run).collect();
        if open.is_empty() {
            return;
        }
        let run = open[self.random.index(open.len())];
        match self.store.request_cancel(run, &system(), self.now_ms).await.unwrap() {
            Cancellation::Ended => {
                assert_eq!(self.runs[&run].holder, None);
                self.end(run, Outcome::Cancelled);
            }
            Cancellation::Requested => {
                let known = self.runs.get_mut(&run).unwrap();
                assert!(known.holder.is_some());
                known.cancel_requested = true;
            }
            Cancellation::AlreadyEnded => panic!("run {run} has not ended"),
        }
    }

    async fn expire(&mut self) {
        // The scheduler's clock is off, too.
        let now_ms = self.now_ms + i64::from(self.random.below(u32::try_from(SKEW).unwrap()));
        for expired in self.store.expire(1000, now_ms).await.unwrap() {
            assert!(self.runs[&expired.run].holder.is_some(), "what nobody had has expired");
            self.accept(expired.run, expired.fate);
        }
    }

    /// What the catalog says is what the model says.
    async fn check(&self) {
        let mut leased: BTreeMap<i64, u32> = BTreeMap::new();
        let last = self.runs.keys().next_back();
        for (run, known) in self.runs.iter().filter(|(run, known)| known.ended.is_none() || Some(*run) == last) {
            let stored = self.store.run(RunRef::Id(*run)).await.unwrap();
            let expected = match (known.ended, known.holder) {
                (Some(outcome), _) => RunState::Ended(outcome),
                (None, Some(_)) => RunState::Running,
                (None, None) => RunState::Queued,
            };
            assert_eq!(stored.state, expected, "run {run}");
            if known.holder.is_some() {
                *leased.entry(stored.connection.0).or_default() += 1;
            }
        }
        assert!(leased.values().all(|count| *count == 1), "two jobs of one connection are leased");
    }

    /// Every run has stayed what it ended as.
    async fn check_outcomes(&self) {
        for (run, known) in &self.runs {
            let stored = self.store.run(RunRef::Id(*run)).await.unwrap();
            assert_eq!(Some(stored.state), known.ended.map(RunState::Ended), "run {run}");
        }
    }

    /// Everybody crashes; a healthy worker brings everything to its end, and every run has ended exactly once.
    async fn settle(&mut self) {
        self.workers.iter_mut().for_each(|worker| worker.lease = None);
        for workflow in &self.workflows {
            self.store.pause_workflow(*workflow, &system(), self.now_ms).await.unwrap();
        }
        for _ in 0..100 {
            self.now_ms += LEASE + 2 * SKEW;
            self.expire().await;
            self.claim(0).await;
            self.finish(0).await;
            if self.runs.values().all(|known| known.ended.is_some()) {
                return self.check_outcomes().await;
            }
        }
        panic!("some runs never end: {:?}", self.runs);
    }
}
