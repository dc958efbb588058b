//! When a workflow runs: five cron fields in a named time zone.
//!
//! # Daylight saving
//! A job at a fixed time (`30 2 * * *`) runs once a day, on every day:
//! - where the clock skips the time, it runs in the first minute after the gap (02:30 becomes 03:00);
//! - where the clock shows the time twice, it runs the first time only.
//!
//! A job that repeats (`*/15 * * * *`, `0 * * * *`) follows the clock: it leaves out what is skipped and runs in both of
//! two equal hours, so the distance between its runs stays the same.

mod zone;

use std::fmt;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// The shortest time between two runs of a schedule, milliseconds. Five fields cannot say less.
pub const INTERVAL_MIN_MS: i64 = 60_000;
/// Longest cron text, in bytes.
pub const CRON_BYTES_MAX: usize = 128;
/// The most runs that are told in advance.
pub const NEXT_MAX: usize = 100;

/// Leap days are at most eight years apart, so a schedule that does not fire in nine never does.
const NEVER_MS: i64 = 9 * 366 * 86_400_000;
/// How many runs are looked at to find the shortest time between two: two hours of minutes.
const INTERVALS_LOOKED_AT: usize = 120;
const EXAMPLE: &str = "for example `30 2 * * *` (each day at 02:30) or `0 */6 * * 1-5` (every six hours, Monday to Friday)";

/// One of the five parts of a cron text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// 0-59.
    Minute,
    /// 0-23.
    Hour,
    /// 1-31, `L`.
    DayOfMonth,
    /// 1-12, JAN-DEC.
    Month,
    /// 0-7 (0 and 7 are Sunday), SUN-SAT.
    DayOfWeek,
}

impl Field {
    const ALL: [Self; 5] = [Self::Minute, Self::Hour, Self::DayOfMonth, Self::Month, Self::DayOfWeek];

    fn expected(self) -> &'static str {
        match self {
            Self::Minute => "0-59",
            Self::Hour => "0-23",
            Self::DayOfMonth => "1-31 or L",
            Self::Month => "1-12 or JAN-DEC",
            Self::DayOfWeek => "0-7 or SUN-SAT",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minute => "minute (1st field)",
            Self::Hour => "hour (2nd field)",
            Self::DayOfMonth => "day of month (3rd field)",
            Self::Month => "month (4th field)",
            Self::DayOfWeek => "day of week (5th field)",
        })
    }
}

/// Why a schedule is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// Not five fields.
    #[error("a schedule has five fields (minute, hour, day of month, month, day of week), this one has {found}: write {EXAMPLE}")]
    FieldCount {
        /// How many it has.
        found: usize,
    },
    /// One field is wrong.
    #[error("the {field} of the schedule cannot be `{text}`: it takes {}, `*`, lists, ranges and steps; {EXAMPLE}", field.expected())]
    Field {
        /// Which one.
        field: Field,
        /// What it says.
        text: String,
    },
    /// Each field is right, their combination is not.
    #[error("the schedule is not understood ({reason}): write {EXAMPLE}")]
    Combination {
        /// What the parser says.
        reason: String,
    },
    /// Longer than any schedule.
    #[error("the schedule is too long: at most {CRON_BYTES_MAX} characters; write {EXAMPLE}")]
    TooLong,
    /// No day is like that.
    #[error("the schedule `{cron}` never fires, as there is no such day: write {EXAMPLE}")]
    NeverFires {
        /// The schedule.
        cron: String,
    },
    /// Too often.
    #[error("the schedule `{cron}` fires more often than every {} s: leave more time between two runs", INTERVAL_MIN_MS / 1000)]
    TooOften {
        /// The schedule.
        cron: String,
    },
    /// No such time zone.
    #[error("`{name}` is no time zone: write a name of the IANA database such as Europe/Berlin or UTC{}", zone::suggestion(near))]
    UnknownTimeZone {
        /// What was written.
        name: String,
        /// Names that look like it.
        near: Vec<&'static str>,
    },
}

/// When to run. Only schedules that do fire can be made.
#[derive(Clone)]
pub struct Schedule {
    text: String,
    cron: Cron,
    zone: Tz,
}

impl Schedule {
    /// Reads five fields and the name of a time zone. `now_ms` (milliseconds since 1970 UTC) is where the search for a
    /// first run starts; whether a schedule is accepted does not depend on it.
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub fn parse(cron: &str, time_zone: &str, now_ms: i64) -> Result<Self, ScheduleError> {
        let zone = zone::find(time_zone)?;
        let (text, cron) = parse_cron(cron)?;
        let schedule = Self { text, cron, zone };
        let first = schedule.next_after(now_ms).filter(|first_ms| first_ms.saturating_sub(now_ms) < NEVER_MS);
        if first.is_none() {
            return Err(ScheduleError::NeverFires { cron: schedule.text });
        }
        if schedule.shortest_interval_ms(now_ms).is_some_and(|interval_ms| interval_ms < INTERVAL_MIN_MS) {
            return Err(ScheduleError::TooOften { cron: schedule.text });
        }
        Ok(schedule)
    }

    /// The five fields as they were written, with single spaces.
    #[must_use]
    pub fn cron(&self) -> &str {
        &self.text
    }

    /// The time zone's name.
    #[must_use]
    pub fn time_zone(&self) -> &'static str {
        self.zone.name()
    }

    /// The first run after `now_ms`, not at it; both in milliseconds since 1970 UTC. Nothing beyond the year 5000.
    #[must_use]
    pub fn next_after(&self, now_ms: i64) -> Option<i64> {
        let now = DateTime::<Utc>::from_timestamp_millis(now_ms)?.with_timezone(&self.zone);
        let next = self.cron.find_next_occurrence(&now, false).ok()?;
        Some(next.timestamp_millis())
    }

    /// The next `count` runs, at most [`NEXT_MAX`].
    #[must_use]
    pub fn next(&self, now_ms: i64, count: usize) -> Vec<i64> {
        self.runs_after(now_ms).take(count.min(NEXT_MAX)).collect()
    }

    fn runs_after(&self, now_ms: i64) -> impl Iterator<Item = i64> {
        std::iter::successors(self.next_after(now_ms), |last_ms| self.next_after(*last_ms))
    }

    fn shortest_interval_ms(&self, now_ms: i64) -> Option<i64> {
        let mut shortest = None;
        let mut last_ms = None;
        for run_ms in self.runs_after(now_ms).take(INTERVALS_LOOKED_AT) {
            if let Some(interval) = last_ms.map(|last_ms| run_ms - last_ms) {
                shortest = Some(shortest.map_or(interval, |shortest: i64| shortest.min(interval)));
            }
            last_ms = Some(run_ms);
        }
        shortest
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schedule({} {})", self.text, self.zone.name())
    }
}

fn parse_cron(text: &str) -> Result<(String, Cron), ScheduleError> {
    if text.len() > CRON_BYTES_MAX {
        return Err(ScheduleError::TooLong);
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != Field::ALL.len() {
        return Err(ScheduleError::FieldCount { found: fields.len() });
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let text = fields.join(" ");
    match parser.parse(&text) {
        Ok(cron) => Ok((text, cron)),
        Err(error) => {
            Err(first_wrong_field(&parser, &fields).unwrap_or_else(|| ScheduleError::Combination { reason: error.to_string() }))
        }
    }
}

/// The parser does not say which field it stumbles over, so each is tried alone.
fn first_wrong_field(parser: &CronParser, fields: &[&str]) -> Option<ScheduleError> {
    Field::ALL.iter().zip(fields).enumerate().find_map(|(position, (field, text))| {
        let mut alone = ["*"; Field::ALL.len()];
        *alone.get_mut(position)? = text;
        parser.parse(&alone.join(" ")).err().map(|_wrong| ScheduleError::Field { field: *field, text: (*text).to_owned() })
    })
}

#[cfg(test)]
mod tests;
