//! Tasks: questions that somebody waits for, with a time after which nobody does.

use wire::{TaskId, TaskJob};

use super::line::{Line, PAUSE_MAX_MS};
use super::{Action, Asker, Now, Request, Session, Step};

/// A task that is worked on or answered.
#[derive(Debug)]
pub(super) struct Task {
    until: i64,
    is_done: bool,
    line: Line,
}

impl Task {
    pub(super) const fn done(&mut self) {
        self.is_done = true;
    }

    pub(super) const fn hurry(&mut self) {
        self.line.hurry();
    }
}

impl Session {
    pub(super) fn take_task(&mut self, now: Now, job: Box<TaskJob>, step: &mut Step) {
        if self.tasks.contains_key(&job.id) {
            return;
        }
        let lasts_ms = i64::try_from(job.within_seconds).unwrap_or(i64::MAX).saturating_mul(1000);
        let task = Task { until: now.steady_ms.saturating_add(lasts_ms), is_done: false, line: Line::default() };
        self.tasks.insert(job.id.clone(), task);
        step.actions.push(Action::StartTask { job });
    }

    pub(super) fn advance_tasks(&mut self, now: Now, step: &mut Step) {
        let may_send = self.sign_in.is_signed_in(now.steady_ms);
        let mut ready = Vec::new();
        self.tasks.retain(|id, task| {
            if now.steady_ms >= task.until {
                step.actions.push(Action::StopTask { task: id.clone() });
                return false;
            }
            step.alarm.set(task.until);
            if may_send && task.is_done && task.line.is_free(now.steady_ms, &mut step.alarm) {
                task.line.sent();
                ready.push(id.clone());
            }
            true
        });
        for task in ready {
            self.send(Asker::Task(task.clone()), Request::TaskResult { task }, step);
        }
    }

    /// The result has arrived, or nobody wants it.
    pub(super) fn end_task(&mut self, task: TaskId, step: &mut Step) {
        if self.tasks.remove(&task).is_some() {
            step.actions.push(Action::StopTask { task });
        }
    }

    pub(super) fn task_failed(&mut self, now: Now, task: &TaskId, at_least_ms: i64) {
        if let Some(task) = self.tasks.get_mut(task) {
            task.line.failed(now.steady_ms, PAUSE_MAX_MS, at_least_ms, &mut self.random);
        }
    }
}
