//! The world around a session: a network that loses, doubles and delays, clocks that jump, and a process that is killed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use wire::{LeaseId, Sequence, TaskId};

use super::disk::{Disk, End, Folder};
use super::server::{Message, Server};
use crate::session::{Action, Event, Exit, Now, Outcome, Patience, Reply, Request, RequestId, Rest, Session, Settings, Why};

/// What may go wrong.
#[derive(Clone, Copy, Debug)]
pub(super) enum Faults {
    Nothing,
    Network,
    Everything,
}

/// Faults stop here, milliseconds.
const FAULTS_END: i64 = 3_600_000 + 900_000;
/// Every run has ended by then, or never does.
const END: i64 = FAULTS_END + 2 * 3_600_000;
const STEPS_MAX: usize = 200_000;
/// How long a request waits for its answer, milliseconds.
const TIMEOUT: i64 = 40_000;

/// How many batches the crawl under a lease has.
pub(super) fn batches_of(lease: &LeaseId) -> u64 {
    lease.0.bytes().map(u64::from).sum::<u64>() % 23
}

#[derive(Debug)]
enum Due {
    Arrive { token: u64, boot: u64, id: Option<RequestId>, message: Message, wait_ms: i64 },
    Reply { boot: u64, id: RequestId, outcome: Outcome },
    Wake { number: u64 },
    Crawl { boot: u64, lease: LeaseId },
    TaskDone { boot: u64, task: TaskId },
    Start,
    ServerRestart,
    ServerUp,
    WallJump,
    SteadyJump,
    Drain { boot: u64 },
    NewTask,
}

#[derive(Debug, Default)]
struct Crawl {
    next: u64,
    asked: u64,
    waits_for: Option<u64>,
}

#[derive(Debug)]
struct Process {
    session: Session,
    token: u64,
    crawls: BTreeMap<LeaseId, Crawl>,
    questions: BTreeMap<(LeaseId, u64), Sequence>,
}

pub(super) struct World {
    faults: Faults,
    random: fastrand::Rng,
    now: i64,
    order: u64,
    due: BinaryHeap<Reverse<(i64, u64)>>,
    events: BTreeMap<u64, Due>,
    server: Server,
    is_server_up: bool,
    disk: Disk,
    process: Option<Process>,
    boot: u64,
    wakes: u64,
    wall_offset: i64,
    steady_offset: i64,
    uploads_after_a_crash: usize,
}

impl World {
    pub(super) fn new(seed: u64, faults: Faults) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let server = Server::new(&mut random);
        let mut world = Self {
            faults,
            random,
            now: 0,
            order: 0,
            due: BinaryHeap::new(),
            events: BTreeMap::new(),
            server,
            is_server_up: true,
            disk: Disk::default(),
            process: None,
            boot: 0,
            wakes: 0,
            wall_offset: 0,
            steady_offset: 0,
            uploads_after_a_crash: 0,
        };
        world.at(0, Due::Start);
        for _ in 0..world.random.usize(0..4) {
            let at = world.random.i64(0..FAULTS_END);
            world.at(at, Due::NewTask);
        }
        if matches!(faults, Faults::Everything) {
            world.plan_faults();
        }
        world
    }

    fn plan_faults(&mut self) {
        for _ in 0..self.random.usize(0..4) {
            let (at, down) = (self.random.i64(0..FAULTS_END), self.random.i64(1_000..60_000));
            self.at(at, Due::ServerRestart);
            self.at((at + down).min(FAULTS_END), Due::ServerUp);
        }
        if self.random.bool() {
            let at = self.random.i64(0..600_000);
            self.at(at, Due::ServerRestart);
            self.at(at + 3_600_000, Due::ServerUp);
        }
        for _ in 0..self.random.usize(0..4) {
            let at = self.random.i64(0..FAULTS_END);
            self.at(at, Due::WallJump);
            if self.random.bool() {
                self.at(at, Due::SteadyJump);
            }
        }
    }

    pub(super) fn uploads_after_a_crash(&self) -> usize {
        self.uploads_after_a_crash
    }

    pub(super) fn run(&mut self) {
        for _ in 0..STEPS_MAX {
            let is_calm = self.now >= FAULTS_END || matches!(self.faults, Faults::Nothing);
            if is_calm && self.server.is_done() && self.disk.0.is_empty() {
                return self.check_end();
            }
            let Some(Reverse((at, order))) = self.due.pop() else { panic!("nothing happens any more") };
            assert!(at <= END, "a run has not ended: {:?}", self.server);
            self.now = at;
            let due = self.events.remove(&order).unwrap();
            self.happen(due);
        }
        panic!("too many steps: {:?}", self.server);
    }

    fn check_end(&self) {
        if matches!(self.faults, Faults::Nothing) {
            assert_eq!(self.server.attempts(), 1, "a run was tried twice for no reason");
        }
    }

    fn at(&mut self, at: i64, due: Due) {
        self.order += 1;
        self.due.push(Reverse((at, self.order)));
        self.events.insert(self.order, due);
    }

    fn is_faulty(&mut self, in_a_thousand: u32) -> bool {
        self.now < FAULTS_END && self.random.u32(0..1000) < in_a_thousand
    }

    fn loses(&mut self) -> bool {
        match self.faults {
            Faults::Nothing => false,
            Faults::Network => self.is_faulty(500),
            Faults::Everything => self.is_faulty(60),
        }
    }

    fn crashes(&mut self) -> bool {
        matches!(self.faults, Faults::Everything) && self.is_faulty(5)
    }

    fn clock(&self) -> Now {
        Now { steady_ms: self.now + self.steady_offset, wall_ms: self.now + self.wall_offset }
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Start => self.start(),
            // Only the last alarm that was set counts.
            Due::Wake { number } if number == self.wakes => self.tell(Event::Woken),
            Due::Reply { boot, id, outcome } if boot == self.boot => self.reply(id, outcome),
            Due::Arrive { token, boot, id, message, wait_ms } => self.arrive(token, (boot, id), message, wait_ms),
            Due::Crawl { boot, lease } if boot == self.boot => self.crawl_on(&lease),
            Due::TaskDone { boot, task } if boot == self.boot => self.tell(Event::TaskDone { task }),
            Due::ServerRestart => self.is_server_up = false,
            Due::ServerUp => {
                self.server.restart();
                self.is_server_up = true;
            }
            Due::WallJump => self.wall_offset = self.random.i64(-86_400_000..86_400_000),
            Due::SteadyJump => {
                self.steady_offset += self.random.i64(0..3_600_000);
                self.tell(Event::Woken);
            }
            Due::Drain { boot } if boot == self.boot => self.tell(Event::Drain),
            Due::NewTask => self.server.add_task(),
            Due::Wake { .. } | Due::Reply { .. } | Due::Crawl { .. } | Due::TaskDone { .. } | Due::Drain { .. } => {}
        }
    }

    fn start(&mut self) {
        self.boot += 1;
        let recovered = self.disk.recover();
        self.uploads_after_a_crash +=
            recovered.iter().filter(|run| run.rest == Rest::Upload && run.spooled > run.acknowledged).count();
        let settings = Settings { capacity: 2, drain_ms: 25_000 };
        let random = fastrand::Rng::with_seed(self.random.u64(..));
        let session = Session::new(settings, recovered, random);
        self.process = Some(Process { session, token: 0, crawls: BTreeMap::new(), questions: BTreeMap::new() });
        if matches!(self.faults, Faults::Everything) && self.is_faulty(300) {
            let at = self.now + self.random.i64(0..600_000);
            self.at(at, Due::Drain { boot: self.boot });
        }
        self.tell(Event::Woken);
    }

    fn stop_process(&mut self) {
        self.process = None;
        self.wakes += 1;
        self.boot += 1;
        let at = self.now + self.random.i64(0..120_000);
        self.at(at, Due::Start);
    }

    fn tell(&mut self, event: Event) {
        if self.process.is_some() && self.crashes() {
            return self.stop_process();
        }
        let now = self.clock();
        let Some(process) = &mut self.process else { return };
        let actions = process.session.handle(now, event);
        for action in actions {
            if self.crashes() {
                return self.stop_process();
            }
            self.act(action);
            if self.process.is_none() {
                return;
            }
        }
        if let Some(at) = self.process.as_ref().and_then(|process| process.session.next_wake()) {
            let at = at - self.steady_offset;
            assert!(at > self.now, "woken for nothing");
            self.wakes += 1;
            let number = self.wakes;
            self.at(at, Due::Wake { number });
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Send { id, request } => self.send(id, request),
            Action::StartCrawl { lease, .. } => {
                let id = lease.id.clone();
                let folder = Folder { lease, batches: BTreeMap::new(), has_checks: false, finish: None };
                assert!(self.disk.0.insert(id.clone(), folder).is_none(), "{id} was there already");
                self.process.as_mut().unwrap().crawls.insert(id.clone(), Crawl::default());
                self.crawl_later(id);
            }
            Action::StopCrawl { lease, why } => self.stop_crawl(&lease, &why),
            Action::ForgetBatch { lease, sequence } => {
                assert!(self.server.stored(&lease) as u64 >= sequence.0, "batch {sequence} of {lease} is lost");
                self.disk.0.get_mut(&lease).unwrap().batches.remove(&sequence).unwrap();
            }
            Action::ForgetChecks { lease } => self.disk.0.get_mut(&lease).unwrap().has_checks = false,
            Action::Forget { lease } => {
                self.server.expire(self.now);
                assert!(!self.server.is_alive(&lease), "{lease} is forgotten while it lives");
                self.disk.0.remove(&lease).unwrap();
                self.process.as_mut().unwrap().crawls.remove(&lease);
            }
            Action::Answer { lease, number, answer } => self.answer(lease, number, answer.is_some()),
            Action::StartTask { job } => {
                let (boot, at) = (self.boot, self.now + self.random.i64(0..40_000));
                self.at(at, Due::TaskDone { boot, task: job.id });
            }
            Action::StopTask { .. } | Action::Note(_) => {}
            Action::Exit(Exit::Drained | Exit::Left) => self.stop_process(),
            Action::Exit(Exit::Revoked) => panic!("nobody revoked anything"),
        }
    }

    fn answer(&mut self, lease: LeaseId, number: u64, is_known: bool) {
        let Some(crawl) = self.process.as_mut().unwrap().crawls.get_mut(&lease) else { return };
        if crawl.waits_for == Some(number) {
            assert!(is_known || number.is_multiple_of(2), "a question that needs an answer has none");
            crawl.waits_for = None;
            self.crawl_later(lease);
        }
    }

    fn stop_crawl(&mut self, lease: &LeaseId, why: &Why) {
        self.process.as_mut().unwrap().crawls.remove(lease);
        let end = match why {
            Why::Abandoned => return,
            Why::Cancelled => End::Cancelled,
            Why::HandedBack(_) => End::HandedBack,
            Why::Failed(_) => End::Failed,
        };
        let folder = self.disk.0.get_mut(lease).unwrap();
        let last = folder.batches.keys().next_back().copied().unwrap_or(Sequence(0));
        let spooled = folder.finish.map_or(last, |finish| finish.0);
        folder.finish = Some((spooled, Rest::Discard, end));
        self.tell(Event::Ended { lease: lease.clone(), rest: Rest::Discard });
    }

    fn crawl_later(&mut self, lease: LeaseId) {
        let (boot, at) = (self.boot, self.now + self.random.i64(1..60_000));
        self.at(at, Due::Crawl { boot, lease });
    }

    /// A step of a crawl: checks first, then batches with a question here and there, then the end.
    fn crawl_on(&mut self, lease: &LeaseId) {
        let asks = self.random.u8(..) < 40;
        let Some(process) = &mut self.process else { return };
        let Some(crawl) = process.crawls.get_mut(lease) else { return };
        let folder = self.disk.0.get_mut(lease).unwrap();
        if crawl.next == 0 {
            crawl.next = 1;
            folder.has_checks = true;
            self.tell(Event::Checked { lease: lease.clone() });
            return self.crawl_later(lease.clone());
        }
        if asks {
            crawl.asked += 1;
            let (number, patience) =
                (crawl.asked, if crawl.asked.is_multiple_of(2) { Patience::WhileReachable } else { Patience::UntilAnswered });
            crawl.waits_for = Some(number);
            let after = Sequence(if patience == Patience::UntilAnswered { crawl.next - 1 } else { 0 });
            process.questions.insert((lease.clone(), number), after);
            return self.tell(Event::Asked { lease: lease.clone(), number, after, patience });
        }
        let sequence = Sequence(crawl.next);
        if sequence.0 > batches_of(lease) {
            process.crawls.remove(lease);
            folder.finish = Some((Sequence(batches_of(lease)), Rest::Upload, End::Crawled));
            return self.tell(Event::Ended { lease: lease.clone(), rest: Rest::Upload });
        }
        crawl.next += 1;
        folder.batches.insert(sequence, format!("{lease}/{sequence}"));
        self.tell(Event::Spooled { lease: lease.clone(), sequence });
        if self.random.bool() {
            self.tell(Event::Said { lease: lease.clone() });
        }
        self.crawl_later(lease.clone());
    }

    fn send(&mut self, id: RequestId, request: Request) {
        let mut wait_ms = 0;
        let process = self.process.as_ref().unwrap();
        let message = match request {
            Request::Token { at_seconds } => Message::Token { at_seconds },
            Request::Lease { crawl_slots, mode, holding, wait_seconds } => {
                wait_ms = i64::try_from(wait_seconds).unwrap() * 1000;
                Message::Poll { crawl_slots, mode, holding }
            }
            Request::Heartbeat { lease } => Message::Heartbeat(lease),
            Request::Upload { lease, run, sequence } => {
                let content = self.disk.0[&lease].batches[&sequence].clone();
                Message::Upload { lease, run, sequence, content }
            }
            Request::Question { lease, number, .. } => {
                let after = process.questions[&(lease.clone(), number)];
                Message::Question { lease, after }
            }
            Request::Checks { lease } => Message::Checks(lease),
            Request::Logs { lease } => Message::Logs(lease),
            Request::Finish { lease, batches } => {
                let end = self.disk.0[&lease].finish.unwrap().2;
                Message::Finish { lease, batches, end }
            }
            Request::TaskResult { task } => Message::TaskResult(task),
        };
        let (token, boot) = (process.token, self.boot);
        if self.loses() {
            let outcome = Outcome::Unreachable { detail: "lost".to_owned(), retry_after_ms: 0 };
            let at = self.now + self.random.i64(1..TIMEOUT);
            return self.at(at, Due::Reply { boot, id, outcome });
        }
        let at = self.now + self.random.i64(1..400);
        if self.loses() {
            let doubled_at = at + self.random.i64(1..90_000);
            self.at(doubled_at, Due::Arrive { token, boot, id: None, message: message.clone(), wait_ms: 0 });
        }
        self.at(at, Due::Arrive { token, boot, id: Some(id), message, wait_ms });
    }

    fn arrive(&mut self, token: u64, (boot, id): (u64, Option<RequestId>), message: Message, wait_ms: i64) {
        let outcome = if self.is_server_up {
            self.server.take(self.now, token, message)
        } else {
            Outcome::Unreachable { detail: "down".to_owned(), retry_after_ms: 0 }
        };
        let Some(id) = id else { return };
        let is_nothing = matches!(&outcome, Outcome::Answered(Reply::Lease(answer)) if answer.work.is_none());
        let mut at = self.now + self.random.i64(1..400) + if is_nothing { wait_ms } else { 0 };
        let outcome = if self.loses() {
            at = self.now + TIMEOUT;
            Outcome::Unreachable { detail: "the answer is lost".to_owned(), retry_after_ms: 0 }
        } else {
            outcome
        };
        self.at(at, Due::Reply { boot, id, outcome });
    }

    fn reply(&mut self, id: RequestId, outcome: Outcome) {
        if let (Outcome::Answered(Reply::Token { .. }), Some(process)) = (&outcome, &mut self.process) {
            process.token = self.server.newest_token();
        }
        self.tell(Event::Replied { request: id, outcome });
    }
}
