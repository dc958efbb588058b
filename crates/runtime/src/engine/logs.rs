//! What is told of a run to whoever watches it: bounded, and dropped where nobody takes it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use wire::{LOG_LINES_MAX, LOG_TEXT_BYTES_MAX, LogLevel, LogLine};

/// Lines that wait; what comes then pushes the oldest out.
const WAITING_MAX: usize = 1_000;

/// Lines of one run.
#[derive(Debug, Default)]
pub(super) struct Logs(Mutex<VecDeque<LogLine>>);

impl Logs {
    pub(super) fn push(&self, at_ms: i64, level: LogLevel, mut message: String) {
        let mut end = LOG_TEXT_BYTES_MAX.min(message.len());
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        message.truncate(end);
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= WAITING_MAX {
            lines.pop_front();
        }
        lines.push_back(LogLine { at_ms, level, message });
    }

    /// Lines for one request.
    pub(super) fn take(&self) -> Vec<LogLine> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = lines.len().min(LOG_LINES_MAX);
        lines.drain(..count).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded_in_number_and_length() {
        let logs = Logs::default();
        for number in 0..WAITING_MAX + 5 {
            logs.push(i64::try_from(number).unwrap(), LogLevel::Info, "é".repeat(LOG_TEXT_BYTES_MAX));
        }
        let first = logs.take();
        assert_eq!((first.len(), first[0].at_ms, first[0].message.len()), (LOG_LINES_MAX, 5, LOG_TEXT_BYTES_MAX));
        while !logs.is_empty() {
            assert!(!logs.take().is_empty());
        }
    }
}
