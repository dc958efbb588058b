//! The one place of this program that reads clocks.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::session::Now;

/// Both clocks of the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    /// A steady clock that begins at zero.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the program is a shell: time enters here")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Now {
        let steady_ms = i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX);
        Now { steady_ms, wall_ms: wall_ms() }
    }
}

/// Milliseconds since 1970 UTC.
#[expect(clippy::disallowed_methods, reason = "the program is a shell: time enters here")]
pub(crate) fn wall_ms() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

/// A time as in RFC 3339: `2026-11-22T06:48:03.120Z`.
pub(crate) fn rfc3339(time_ms: i64) -> String {
    let (seconds, millisecond) = (time_ms.div_euclid(1000), time_ms.rem_euclid(1000));
    let (days, second_of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
}

/// Days since 1970-01-01 as a date of the Gregorian calendar: years begin in March, so that the leap day is the last one of its year.
fn date(days: i64) -> (i64, i64, i64) {
    const DAYS_TO_MARCH_OF_YEAR_0: i64 = 719_468;
    const DAYS_IN_400_YEARS: i64 = 146_097;
    let days = days + DAYS_TO_MARCH_OF_YEAR_0;
    let (cycle, day_of_cycle) = (days.div_euclid(DAYS_IN_400_YEARS), days.rem_euclid(DAYS_IN_400_YEARS));
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (cycle * 400 + year_of_cycle + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn times_are_right_around_leap_days_and_before_1970() {
        for (time_ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_001, "2000-02-29T00:00:00.001Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(rfc3339(time_ms), text);
        }
    }
}
