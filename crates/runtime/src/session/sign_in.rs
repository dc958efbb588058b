//! Signing in: a token is fetched before the last one expires, and a clock that is wrong is corrected for.

use super::line::{Line, PAUSE_MAX_MS};
use super::{Asker, Note, Now, Request, Session, Step};

/// A difference of clocks that is worth a correction, milliseconds: less than what the control plane allows for.
const CLOCK_DIFFERENCE_MS: i64 = 5_000;

/// Where signing in stands.
#[derive(Debug, Default)]
pub(super) struct SignIn {
    line: Line,
    token: Option<Token>,
    /// What to add to this machine's clock to have the control plane's.
    offset_ms: i64,
    /// A correction was made, and whether it helped is not known yet.
    is_corrected: bool,
}

#[derive(Clone, Copy, Debug)]
struct Token {
    refresh_at: i64,
    expires_at: i64,
}

impl SignIn {
    pub(super) fn is_signed_in(&self, steady_ms: i64) -> bool {
        self.token.is_some_and(|token| steady_ms < token.expires_at)
    }

    /// The control plane does not know the token.
    pub(super) const fn forget_token(&mut self) {
        self.token = None;
    }

    pub(super) const fn hurry(&mut self) {
        self.line.hurry();
    }
}

impl Session {
    pub(super) fn advance_sign_in(&mut self, now: Now, step: &mut Step) {
        if let Some(token) = self.sign_in.token.filter(|token| now.steady_ms < token.refresh_at) {
            step.alarm.set(token.refresh_at);
            return;
        }
        if !self.sign_in.line.is_free(now.steady_ms, &mut step.alarm) {
            return;
        }
        self.sign_in.line.sent();
        let at_seconds = now.wall_ms.saturating_add(self.sign_in.offset_ms).div_euclid(1000);
        self.send(Asker::Token, Request::Token { at_seconds }, step);
    }

    /// A token is used to two thirds of its life.
    pub(super) fn signed_in(&mut self, now: Now, lasts_ms: i64) -> Option<Note> {
        let is_first = self.sign_in.token.is_none();
        let lasts_ms = lasts_ms.max(1);
        self.sign_in.line.succeeded();
        self.sign_in.is_corrected = false;
        self.sign_in.token = Some(Token {
            refresh_at: now.steady_ms.saturating_add((lasts_ms / 3).saturating_mul(2).max(1)),
            expires_at: now.steady_ms.saturating_add(lasts_ms),
        });
        is_first.then_some(Note::SignedIn)
    }

    pub(super) fn sign_in_refused(&mut self, now: Now, detail: String, server_seconds: Option<i64>) -> Note {
        let offset_ms = server_seconds.map(|server| server.saturating_mul(1000).saturating_sub(now.wall_ms));
        let differs = |offset: &i64| offset.abs_diff(self.sign_in.offset_ms) > CLOCK_DIFFERENCE_MS.unsigned_abs();
        match offset_ms.filter(differs) {
            Some(offset_ms) if !self.sign_in.is_corrected => {
                self.sign_in.offset_ms = offset_ms;
                self.sign_in.is_corrected = true;
                self.sign_in.line.succeeded();
                Note::ClockDiffers(offset_ms / 1000)
            }
            corrected => {
                self.sign_in.offset_ms = corrected.unwrap_or(self.sign_in.offset_ms);
                self.sign_in.is_corrected = false;
                self.sign_in_failed(now, 0);
                Note::SignInRefused(detail)
            }
        }
    }

    pub(super) fn sign_in_failed(&mut self, now: Now, at_least_ms: i64) {
        self.sign_in.line.failed(now.steady_ms, PAUSE_MAX_MS, at_least_ms, &mut self.random);
    }
}
