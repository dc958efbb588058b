//! One run under a lease: heartbeats, uploads in order, questions, and its end once everything before it is kept.

use std::collections::BTreeMap;

use wire::{Lease, LeaseId, Sequence};

use super::line::Line;
use super::{Action, Alarm, Asker, Now, Patience, Recovered, Request, Rest, Session, Step, Why};

/// Questions of one run that are under way at the same time.
const QUESTIONS_MAX: usize = 8;
/// How long an asker who can do without an answer waits for one, milliseconds.
const PATIENCE_MS: i64 = 10_000;
/// Requests with log lines of one run are at least so far apart, milliseconds.
const LOGS_PAUSE_MS: i64 = 1_000;

/// A run that is crawled or uploaded.
#[derive(Debug)]
pub(super) struct Run {
    lease: Lease,
    phase: Phase,
    spooled: Sequence,
    acknowledged: Sequence,
    /// Whether the batch after the acknowledged ones may be kept by the control plane: it was sent, and the answer is not known.
    is_unsure: bool,
    pub(super) heartbeat: Line,
    pub(super) upload: Line,
    pub(super) finish: Line,
    pub(super) refused_finishes: u32,
    checks: Option<Line>,
    is_saying: bool,
    logs: Line,
    questions: BTreeMap<u64, Question>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It is crawled.
    Crawling,
    /// It has been told to stop, and how it ended is not on the disk yet.
    Stopping,
    /// How it ended is on the disk.
    Ended(Rest),
}

#[derive(Debug)]
struct Question {
    after: Sequence,
    patience: Patience,
    /// Set when it is first looked at.
    asked_ms: Option<i64>,
    line: Line,
}

impl Run {
    pub(super) fn begun(lease: Lease) -> Self {
        Self {
            lease,
            phase: Phase::Crawling,
            spooled: Sequence(0),
            acknowledged: Sequence(0),
            is_unsure: false,
            heartbeat: Line::default(),
            upload: Line::default(),
            finish: Line::default(),
            refused_finishes: 0,
            checks: None,
            is_saying: false,
            logs: Line::default(),
            questions: BTreeMap::new(),
        }
    }

    pub(super) fn recovered(recovered: Recovered) -> Self {
        let Recovered { lease, acknowledged, spooled, rest, has_checks } = recovered;
        let checks = has_checks.then(Line::default);
        let is_unsure = spooled > acknowledged;
        Self { phase: Phase::Ended(rest), spooled, acknowledged, is_unsure, checks, ..Self::begun(lease) }
    }

    /// Whether it takes one of the places for crawls.
    pub(super) fn is_crawling(&self) -> bool {
        self.phase != Phase::Ended(Rest::Upload) && self.phase != Phase::Ended(Rest::Discard)
    }

    pub(super) fn spooled(&mut self, sequence: Sequence) {
        self.spooled = self.spooled.max(sequence);
    }

    pub(super) fn checked(&mut self) {
        self.checks = Some(Line::default());
    }

    pub(super) const fn said(&mut self) {
        self.is_saying = true;
    }

    pub(super) fn asked(&mut self, number: u64, after: Sequence, patience: Patience) {
        self.questions.insert(number, Question { after, patience, asked_ms: None, line: Line::default() });
    }

    pub(super) fn ended(&mut self, rest: Rest) {
        self.phase = Phase::Ended(rest);
        self.questions.clear();
    }

    /// Stops a crawl; whether there is one to stop.
    pub(super) fn stop(&mut self) -> bool {
        let is_crawling = self.phase == Phase::Crawling;
        if is_crawling {
            self.phase = Phase::Stopping;
        }
        is_crawling
    }

    /// Gives the run another end; whether it is not too late.
    pub(super) fn end_otherwise(&mut self) -> bool {
        let can_change = match self.phase {
            Phase::Crawling | Phase::Ended(Rest::Upload) => !self.finish.is_busy(),
            Phase::Ended(Rest::Discard) | Phase::Stopping => false,
        };
        if can_change {
            self.phase = Phase::Stopping;
        }
        can_change
    }

    /// Its end was refused: whatever the end is, another one is written.
    pub(super) const fn end_again(&mut self) {
        self.phase = Phase::Stopping;
    }

    /// What was sent last is not kept, for it was refused or cannot be read.
    pub(super) const fn settle(&mut self) {
        self.is_unsure = false;
    }

    /// The control plane keeps every batch up to this one; those that are forgotten for it.
    pub(super) fn stored(&mut self, stored: Sequence) -> impl Iterator<Item = Sequence> + use<> {
        self.is_unsure = false;
        let first = self.acknowledged.0 + 1;
        let last = stored.min(self.spooled);
        self.acknowledged = self.acknowledged.max(last);
        (first..=last.0).map(Sequence)
    }

    /// The checks are kept, or not wanted.
    pub(super) const fn checks_told(&mut self) {
        self.checks = None;
    }

    pub(super) const fn checks_line(&mut self) -> Option<&mut Line> {
        self.checks.as_mut()
    }

    pub(super) fn question_line(&mut self, number: u64) -> Option<&mut Line> {
        self.questions.get_mut(&number).map(|question| &mut question.line)
    }

    /// Nobody asks it any more.
    pub(super) fn forget_question(&mut self, number: u64) {
        self.questions.remove(&number);
    }

    /// A question is answered; whether anybody still asks it.
    pub(super) fn question_answered(&mut self, number: u64) -> bool {
        self.questions.remove(&number).is_some()
    }

    /// Lines were told or dropped.
    pub(super) const fn logs_done(&mut self, steady_ms: i64) {
        self.logs.succeeded_until(steady_ms.saturating_add(LOGS_PAUSE_MS));
    }

    pub(super) fn heartbeat_ms(&self) -> i64 {
        i64::try_from(self.lease.heartbeat_seconds).unwrap_or(i64::MAX).clamp(1, 3600).saturating_mul(1000)
    }

    pub(super) fn adopt(&mut self, lease: Lease) {
        self.lease = lease;
        self.hurry();
    }

    /// The control plane answers again.
    pub(super) fn hurry(&mut self) {
        for line in [&mut self.heartbeat, &mut self.upload, &mut self.finish] {
            line.hurry();
        }
        self.checks.iter_mut().for_each(Line::hurry);
        self.questions.values_mut().for_each(|question| question.line.hurry());
    }

    /// Questions whose askers no longer wait.
    fn given_up(&mut self, now: Now, is_away: bool, alarm: &mut Alarm) -> Vec<u64> {
        let mut given_up = Vec::new();
        for (number, question) in &mut self.questions {
            let until = question.asked_ms.get_or_insert(now.steady_ms).saturating_add(PATIENCE_MS);
            match question.patience {
                Patience::UntilAnswered => {}
                Patience::WhileReachable if is_away || now.steady_ms >= until => given_up.push(*number),
                Patience::WhileReachable => alarm.set(until),
            }
        }
        self.questions.retain(|number, _| !given_up.contains(number));
        given_up
    }

    /// The request that can be made now, until there is none.
    fn next(&mut self, now: Now, alarm: &mut Alarm) -> Option<(Asker, Request)> {
        self.next_heartbeat(now, alarm)
            .or_else(|| self.next_upload(now, alarm))
            .or_else(|| self.next_question(now, alarm))
            .or_else(|| self.next_checks(now, alarm))
            .or_else(|| self.next_logs(now, alarm))
            .or_else(|| self.next_finish(now, alarm))
    }

    fn id(&self) -> LeaseId {
        self.lease.id.clone()
    }

    fn next_heartbeat(&mut self, now: Now, alarm: &mut Alarm) -> Option<(Asker, Request)> {
        if !self.heartbeat.is_free(now.steady_ms, alarm) {
            return None;
        }
        self.heartbeat.sent();
        Some((Asker::Heartbeat(self.id()), Request::Heartbeat { lease: self.id() }))
    }

    fn next_upload(&mut self, now: Now, alarm: &mut Alarm) -> Option<(Asker, Request)> {
        let is_wanted = match self.phase {
            Phase::Crawling | Phase::Ended(Rest::Upload) => true,
            // The end names the last batch: both sides have to agree on which one that is.
            Phase::Ended(Rest::Discard) => self.is_unsure,
            Phase::Stopping => false,
        };
        if !is_wanted || self.acknowledged >= self.spooled || !self.upload.is_free(now.steady_ms, alarm) {
            return None;
        }
        self.upload.sent();
        self.is_unsure = true;
        let sequence = Sequence(self.acknowledged.0 + 1);
        let request = Request::Upload { lease: self.id(), run: self.lease.run, sequence };
        Some((Asker::Upload(self.id()), request))
    }

    fn next_question(&mut self, now: Now, alarm: &mut Alarm) -> Option<(Asker, Request)> {
        let under_way = self.questions.values().filter(|question| question.line.is_busy()).count();
        if under_way >= QUESTIONS_MAX {
            return None;
        }
        let acknowledged = self.acknowledged;
        let mut ready = self.questions.iter_mut().filter(|(_, question)| question.after <= acknowledged);
        let (number, question) = ready.find(|(_, question)| question.line.is_free(now.steady_ms, alarm))?;
        let number = *number;
        question.line.sent();
        let request = Request::Question { lease: self.id(), run: self.lease.run, number };
        Some((Asker::Question(self.id(), number), request))
    }

    fn next_checks(&mut self, now: Now, alarm: &mut Alarm) -> Option<(Asker, Request)> {
        let line = self.checks.as_mut().filter(|line| line.is_free(now.steady_ms, alarm))?;
        line.sent();
        Some((Asker::Checks(self.id()), Request::Checks { lease: self.id() }))
    }

    fn next_logs(&mut self, now: Now, alarm: &mut Alarm) -> Option<(Asker, Request)> {
        if !self.is_saying || !self.logs.is_free(now.steady_ms, alarm) {
            return None;
        }
        self.is_saying = false;
        self.logs.sent();
        Some((Asker::Logs(self.id()), Request::Logs { lease: self.id() }))
    }

    /// The last word comes after everything else.
    fn next_finish(&mut self, now: Now, alarm: &mut Alarm) -> Option<(Asker, Request)> {
        let is_all_sent = match self.phase {
            Phase::Ended(Rest::Upload) => self.acknowledged == self.spooled,
            Phase::Ended(Rest::Discard) => !self.is_unsure,
            Phase::Crawling | Phase::Stopping => false,
        };
        let is_quiet = !self.upload.is_busy() && self.checks.is_none() && !self.is_saying && !self.logs.is_busy();
        if !is_all_sent || !is_quiet || !self.finish.is_free(now.steady_ms, alarm) {
            return None;
        }
        self.finish.sent();
        Some((Asker::Finish(self.id()), Request::Finish { lease: self.id(), batches: self.acknowledged }))
    }
}

impl Session {
    /// A run that is given: a new one, or one that is held already and went back to the queue for a while.
    pub(super) fn take_lease(&mut self, lease: Lease, job: Box<wire::CrawlJob>, step: &mut Step) {
        if let Some(run) = self.runs.get_mut(&lease.id) {
            return run.adopt(lease);
        }
        let id = lease.id.clone();
        let mut run = Run::begun(lease.clone());
        step.actions.push(Action::StartCrawl { lease, job });
        if self.drain.is_some() && run.stop() {
            step.actions.push(Action::StopCrawl { lease: id.clone(), why: Why::HandedBack("the runtime stops".to_owned()) });
        }
        self.runs.insert(id, run);
    }

    pub(super) fn advance_run(&mut self, now: Now, lease: &LeaseId, may_send: bool, step: &mut Step) {
        let is_away = self.is_away;
        let Some(run) = self.runs.get_mut(lease) else { return };
        for number in run.given_up(now, is_away, &mut step.alarm) {
            step.actions.push(Action::Answer { lease: lease.clone(), number, answer: None });
        }
        if !may_send {
            return;
        }
        loop {
            let next = self.runs.get_mut(lease).and_then(|run| run.next(now, &mut step.alarm));
            let Some((asker, request)) = next else { return };
            self.send(asker, request, step);
        }
    }

    /// The run is over here, whoever ended it.
    pub(super) fn forget_run(&mut self, lease: LeaseId, step: &mut Step) {
        if self.runs.remove(&lease).is_some() {
            step.actions.push(Action::Forget { lease });
        }
    }

    /// The run is somebody else's.
    pub(super) fn abandon(&mut self, lease: LeaseId, step: &mut Step) {
        if self.runs.contains_key(&lease) {
            step.actions.push(Action::StopCrawl { lease: lease.clone(), why: Why::Abandoned });
        }
        self.forget_run(lease, step);
    }

    /// The run ends in another way than it would have.
    pub(super) fn end_otherwise(&mut self, lease: &LeaseId, why: Why, step: &mut Step) {
        if self.runs.get_mut(lease).is_some_and(Run::end_otherwise) {
            step.actions.push(Action::StopCrawl { lease: lease.clone(), why });
        }
    }
}
