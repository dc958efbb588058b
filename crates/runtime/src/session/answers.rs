//! What follows from an answer, a refusal or silence.

use wire::{Answer, Code, Command, LeaseId, Sequence, Work};

use super::line::PAUSE_MAX_MS;
use super::{Action, Asker, Exit, Note, Now, Outcome, POLL_PAUSE_MS, Reply, RequestId, Session, Step, Why};

/// Uploads of one batch that arrive as something else before the run is given up.
const DIGEST_MISMATCHES_MAX: u32 = 10;
/// Questions are asked again so much later at most, milliseconds: a crawl waits for the answer.
const QUESTION_PAUSE_MAX_MS: i64 = 10_000;
/// A question that was answered with "later" is asked again after so long, milliseconds.
const QUESTION_AGAIN_MS: i64 = 200;

impl Session {
    pub(super) fn replied(&mut self, now: Now, request: RequestId, outcome: Outcome, step: &mut Step) {
        let Some(asker) = self.askers.remove(&request) else { return };
        self.note_contact(now, &outcome, step);
        match outcome {
            Outcome::Answered(reply) => self.answered(now, asker, reply, step),
            Outcome::Refused { code, detail, retry_after_ms } => self.refused(now, asker, code, (detail, retry_after_ms), step),
            Outcome::TokenRefused { detail, server_seconds } => {
                let note = self.sign_in_refused(now, detail, server_seconds);
                step.actions.push(Action::Note(note));
            }
            Outcome::Unreachable { retry_after_ms, .. } => self.failed(now, &asker, retry_after_ms),
            Outcome::Unreadable { detail } => self.unreadable(now, asker, detail, step),
        }
    }

    fn note_contact(&mut self, now: Now, outcome: &Outcome, step: &mut Step) {
        match outcome {
            Outcome::Unreadable { .. } => {}
            Outcome::Unreachable { detail, .. } => {
                if !self.is_away {
                    self.is_away = true;
                    step.actions.push(Action::Note(Note::Away(detail.clone())));
                }
            }
            Outcome::Answered(_) | Outcome::Refused { .. } | Outcome::TokenRefused { .. } => {
                self.last_contact_ms = Some(now.wall_ms);
                if self.is_away {
                    self.is_away = false;
                    step.actions.push(Action::Note(Note::Back));
                    self.hurry();
                }
            }
        }
    }

    fn hurry(&mut self) {
        self.sign_in.hurry();
        self.poll.hurry();
        self.runs.values_mut().for_each(super::Run::hurry);
        self.tasks.values_mut().for_each(super::Task::hurry);
    }

    fn answered(&mut self, now: Now, asker: Asker, reply: Reply, step: &mut Step) {
        match (asker, reply) {
            (Asker::Token, Reply::Token { lasts_ms }) => {
                let note = self.signed_in(now, lasts_ms);
                step.actions.extend(note.map(Action::Note));
            }
            (Asker::Poll { asked_ms }, Reply::Lease(answer)) => self.worked_out(now, asked_ms, answer.work, step),
            (Asker::Heartbeat(lease), Reply::Heartbeat(command)) => self.commanded(now, lease, command, step),
            (Asker::Upload(lease), Reply::Stored(stored)) => self.stored(&lease, stored, step),
            (Asker::Question(lease, number), Reply::Answer(answer)) => self.question(now, lease, number, answer, step),
            (Asker::Checks(lease), Reply::Accepted) => self.checks_told(lease, step),
            (Asker::Logs(lease), Reply::Accepted) => self.with_run(&lease, |run| run.logs_done(now.steady_ms)),
            (Asker::Finish(lease), Reply::Accepted) => self.forget_run(lease, step),
            (Asker::Task(task), Reply::Accepted) => self.end_task(task, step),
            // An answer to another question is none.
            (asker, _) => self.failed(now, &asker, 0),
        }
    }

    fn worked_out(&mut self, now: Now, asked_ms: i64, work: Option<Work>, step: &mut Step) {
        let pause_until = asked_ms.saturating_add(POLL_PAUSE_MS);
        match work {
            None => self.poll.succeeded_until(pause_until),
            Some(Work::Crawl { lease, .. }) if self.runs.contains_key(&lease.id) => {
                self.poll.succeeded_until(pause_until);
                self.with_run(&lease.id.clone(), |run| run.adopt(lease));
            }
            Some(Work::Crawl { lease, job }) => {
                self.poll.succeeded();
                self.take_lease(lease, job, step);
            }
            Some(Work::Task(job)) => {
                self.poll.succeeded();
                self.take_task(now, job, step);
            }
        }
    }

    fn commanded(&mut self, now: Now, lease: LeaseId, command: Command, step: &mut Step) {
        self.with_run(&lease, |run| run.heartbeat.succeeded_until(now.steady_ms.saturating_add(run.heartbeat_ms())));
        match command {
            Command::Continue => {}
            Command::Cancel => self.end_otherwise(&lease, Why::Cancelled, step),
            Command::Abandon => {
                let said = "the control plane says so".to_owned();
                step.actions.push(Action::Note(Note::LeaseLost(lease.clone(), said)));
                self.abandon(lease, step);
            }
        }
    }

    fn stored(&mut self, lease: &LeaseId, stored: Sequence, step: &mut Step) {
        let Some(run) = self.runs.get_mut(lease) else { return };
        run.upload.succeeded();
        let forgotten = run.stored(stored).map(|sequence| Action::ForgetBatch { lease: lease.clone(), sequence });
        step.actions.extend(forgotten);
    }

    fn question(&mut self, now: Now, lease: LeaseId, number: u64, answer: Option<Answer>, step: &mut Step) {
        let Some(run) = self.runs.get_mut(&lease) else { return };
        match answer {
            Some(answer) if run.question_answered(number) => {
                step.actions.push(Action::Answer { lease, number, answer: Some(answer) });
            }
            Some(_) => {}
            None => {
                if let Some(line) = run.question_line(number) {
                    line.succeeded_until(now.steady_ms.saturating_add(QUESTION_AGAIN_MS));
                }
            }
        }
    }

    fn checks_told(&mut self, lease: LeaseId, step: &mut Step) {
        self.with_run(&lease, super::Run::checks_told);
        step.actions.push(Action::ForgetChecks { lease });
    }

    fn refused(&mut self, now: Now, asker: Asker, code: Code, (detail, retry_after_ms): (String, i64), step: &mut Step) {
        match (code, asker) {
            (Code::Revoked, _) => self.leave(Exit::Revoked, step),
            (Code::Unauthenticated, asker) => {
                self.sign_in.forget_token();
                self.failed(now, &asker, retry_after_ms);
            }
            (Code::LeaseLost, asker) => match lease_of(&asker) {
                Some(lease) => {
                    step.actions.push(Action::Note(Note::LeaseLost(lease.clone(), detail)));
                    self.abandon(lease.clone(), step);
                }
                None => self.failed(now, &asker, retry_after_ms),
            },
            (code, Asker::Upload(lease)) => self.upload_refused(now, &lease, code, (detail, retry_after_ms), step),
            (code, Asker::Finish(lease)) => self.finish_refused(now, lease, code, (detail, retry_after_ms), step),
            (Code::Malformed | Code::TooLarge, Asker::Checks(lease)) => {
                step.actions.push(Action::Note(Note::Refused { what: "what was checked", detail }));
                self.checks_told(lease, step);
            }
            (Code::Malformed | Code::TooLarge, Asker::Task(task)) => {
                step.actions.push(Action::Note(Note::Refused { what: "the result of a task", detail }));
                self.end_task(task, step);
            }
            (Code::Malformed | Code::TooLarge, Asker::Question(lease, number)) => {
                self.with_run(&lease, |run| run.forget_question(number));
                self.end_otherwise(
                    &lease,
                    Why::Failed(format!("the control plane refuses a question of the crawl: {detail}")),
                    step,
                );
            }
            (_, asker) => {
                step.actions.push(Action::Note(Note::Refused { what: what(&asker), detail }));
                self.failed(now, &asker, retry_after_ms);
            }
        }
    }

    fn upload_refused(&mut self, now: Now, lease: &LeaseId, code: Code, refusal: (String, i64), step: &mut Step) {
        let (detail, retry_after_ms) = refusal;
        let Some(run) = self.runs.get_mut(lease) else { return };
        run.upload.failed(now.steady_ms, PAUSE_MAX_MS, retry_after_ms, &mut self.random);
        if !matches!(code, Code::Busy | Code::Other) {
            run.settle();
        }
        let is_mangled = code == Code::DigestMismatch && run.upload.failures() >= DIGEST_MISMATCHES_MAX;
        step.actions.push(Action::Note(Note::Refused { what: "a batch", detail: detail.clone() }));
        match code {
            Code::BatchDiffers | Code::BatchOutOfOrder => {
                let reason = format!("the spool of the runtime does not continue what it sent before: {detail}");
                self.end_otherwise(lease, Why::HandedBack(reason), step);
            }
            Code::Malformed | Code::TooLarge => {
                self.end_otherwise(lease, Why::Failed(format!("the control plane refuses a batch: {detail}")), step);
            }
            Code::DigestMismatch if is_mangled => {
                let why =
                    format!("a batch arrives as something else again and again; look for a proxy that changes bodies: {detail}");
                self.end_otherwise(lease, Why::Failed(why), step);
            }
            Code::DigestMismatch
            | Code::Unauthenticated
            | Code::Revoked
            | Code::EnrolmentRefused
            | Code::LeaseLost
            | Code::UnsupportedProtocol
            | Code::Busy
            | Code::Other => {}
        }
    }

    /// An end that is not taken is replaced once by one that holds next to nothing; then the run is left to its lease.
    fn finish_refused(&mut self, now: Now, lease: LeaseId, code: Code, refusal: (String, i64), step: &mut Step) {
        let (detail, retry_after_ms) = refusal;
        let Some(run) = self.runs.get_mut(&lease) else { return };
        run.finish.failed(now.steady_ms, PAUSE_MAX_MS, retry_after_ms, &mut self.random);
        step.actions.push(Action::Note(Note::Refused { what: "the end of a run", detail: detail.clone() }));
        let is_final = matches!(code, Code::Malformed | Code::TooLarge | Code::BatchOutOfOrder | Code::BatchDiffers);
        if !is_final {
            return;
        }
        run.refused_finishes += 1;
        if run.refused_finishes > 1 {
            return self.abandon(lease, step);
        }
        run.end_again();
        let why = if code == Code::BatchOutOfOrder {
            Why::HandedBack(format!("the control plane misses batches that it kept: {detail}"))
        } else {
            Why::Failed(format!("the control plane refuses the end of the run: {detail}"))
        };
        step.actions.push(Action::StopCrawl { lease, why });
    }

    fn unreadable(&mut self, now: Now, asker: Asker, detail: String, step: &mut Step) {
        let lease = lease_of(&asker).cloned();
        self.failed(now, &asker, 0);
        let Some(lease) = lease else { return };
        step.actions.push(Action::Note(Note::Unreadable(lease.clone(), detail.clone())));
        self.with_run(&lease, super::Run::settle);
        match asker {
            Asker::Checks(lease) => self.checks_told(lease, step),
            Asker::Finish(lease) => match self.runs.get_mut(&lease) {
                Some(run) if run.refused_finishes == 0 => {
                    run.refused_finishes += 1;
                    run.end_again();
                    step.actions.push(Action::StopCrawl { lease, why: Why::HandedBack(detail) });
                }
                _ => self.abandon(lease, step),
            },
            Asker::Token
            | Asker::Poll { .. }
            | Asker::Heartbeat(_)
            | Asker::Upload(_)
            | Asker::Question(..)
            | Asker::Logs(_)
            | Asker::Task(_) => self.end_otherwise(&lease, Why::HandedBack(format!("the spool cannot be read: {detail}")), step),
        }
    }

    /// Nothing came of a request: it is made again later, except where nobody would want it then.
    fn failed(&mut self, now: Now, asker: &Asker, at_least_ms: i64) {
        let steady_ms = now.steady_ms;
        let random = &mut self.random;
        match asker {
            Asker::Token => self.sign_in_failed(now, at_least_ms),
            Asker::Poll { .. } => self.poll.failed(steady_ms, PAUSE_MAX_MS, at_least_ms, random),
            Asker::Task(task) => self.task_failed(now, task, at_least_ms),
            Asker::Heartbeat(lease) => {
                if let Some(run) = self.runs.get_mut(lease) {
                    let longest_ms = run.heartbeat_ms();
                    run.heartbeat.failed(steady_ms, longest_ms, at_least_ms, random);
                }
            }
            Asker::Upload(lease) => {
                if let Some(run) = self.runs.get_mut(lease) {
                    run.upload.failed(steady_ms, PAUSE_MAX_MS, at_least_ms, random);
                }
            }
            Asker::Question(lease, number) => {
                if let Some(line) = self.runs.get_mut(lease).and_then(|run| run.question_line(*number)) {
                    line.failed(steady_ms, QUESTION_PAUSE_MAX_MS, at_least_ms, random);
                }
            }
            Asker::Checks(lease) => {
                if let Some(line) = self.runs.get_mut(lease).and_then(super::Run::checks_line) {
                    line.failed(steady_ms, PAUSE_MAX_MS, at_least_ms, random);
                }
            }
            Asker::Logs(lease) => self.with_run(lease, |run| run.logs_done(steady_ms)),
            Asker::Finish(lease) => {
                if let Some(run) = self.runs.get_mut(lease) {
                    run.finish.failed(steady_ms, PAUSE_MAX_MS, at_least_ms, random);
                }
            }
        }
    }
}

const fn lease_of(asker: &Asker) -> Option<&LeaseId> {
    match asker {
        Asker::Token | Asker::Poll { .. } | Asker::Task(_) => None,
        Asker::Heartbeat(lease)
        | Asker::Upload(lease)
        | Asker::Question(lease, _)
        | Asker::Checks(lease)
        | Asker::Logs(lease)
        | Asker::Finish(lease) => Some(lease),
    }
}

const fn what(asker: &Asker) -> &'static str {
    match asker {
        Asker::Token => "to sign in",
        Asker::Poll { .. } => "to give work",
        Asker::Heartbeat(_) => "a heartbeat",
        Asker::Upload(_) => "a batch",
        Asker::Question(..) => "a question",
        Asker::Checks(_) => "what was checked",
        Asker::Logs(_) => "log lines",
        Asker::Finish(_) => "the end of a run",
        Asker::Task(_) => "the result of a task",
    }
}
