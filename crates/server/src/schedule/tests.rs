//! Schedules that are refused, and what the days do on which clocks are changed.

use chrono::DateTime;

use super::{Field, NEXT_MAX, Schedule, ScheduleError};

fn ms(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
}

fn schedule(cron: &str, zone: &str) -> Schedule {
    Schedule::parse(cron, zone, ms("2026-01-01T00:00:00Z")).unwrap()
}

fn refused(cron: &str) -> ScheduleError {
    Schedule::parse(cron, "UTC", ms("2026-01-01T00:00:00Z")).unwrap_err()
}

/// The next runs in the words of the place.
fn runs(cron: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let zone_of: chrono_tz::Tz = zone.parse().unwrap();
    let local =
        |run_ms| DateTime::from_timestamp_millis(run_ms).unwrap().with_timezone(&zone_of).format("%m-%d %H:%M %z").to_string();
    schedule(cron, zone).next(ms(after), count).into_iter().map(local).collect()
}

#[test]
fn a_daily_job_in_the_skipped_hour_runs_once_right_after_it() {
    assert_eq!(
        runs("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
        ["03-28 02:30 +0100", "03-29 03:00 +0200", "03-30 02:30 +0200"]
    );
    assert_eq!(
        runs("30 2 * * *", "America/New_York", "2026-03-07T05:00:00Z", 3),
        ["03-07 02:30 -0500", "03-08 03:00 -0400", "03-09 02:30 -0400"]
    );
}

#[test]
fn a_daily_job_in_the_repeated_hour_runs_the_first_time_only() {
    assert_eq!(
        runs("30 2 * * *", "Europe/Berlin", "2026-10-24T00:00:00Z", 3),
        ["10-24 02:30 +0200", "10-25 02:30 +0200", "10-26 02:30 +0100"]
    );
    assert_eq!(
        runs("30 1 * * *", "America/New_York", "2026-10-31T05:00:00Z", 3),
        ["10-31 01:30 -0400", "11-01 01:30 -0400", "11-02 01:30 -0500"]
    );
}

#[test]
fn a_daily_job_asked_for_between_the_two_equal_hours_has_run_already() {
    assert_eq!(runs("30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", 1), ["10-26 02:30 +0100"]);
    assert_eq!(runs("30 2 * * *", "Europe/Berlin", "2026-10-25T01:15:00Z", 1), ["10-26 02:30 +0100"]);
}

#[test]
fn a_zone_that_moves_by_half_an_hour_is_followed() {
    // Lord Howe Island: 02:00 becomes 02:30 on 4 October, and 02:00 becomes 01:30 on 5 April.
    assert_eq!(
        runs("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T14:00:00Z", 3),
        ["10-03 02:15 +1030", "10-04 02:30 +1100", "10-05 02:15 +1100"]
    );
    assert_eq!(
        runs("45 1 * * *", "Australia/Lord_Howe", "2026-04-03T14:00:00Z", 3),
        ["04-04 01:45 +1100", "04-05 01:45 +1100", "04-06 01:45 +1030"]
    );
    assert_eq!(runs("0 9 * * *", "Asia/Kolkata", "2026-06-01T03:29:59Z", 1), ["06-01 09:00 +0530"]);
}

#[test]
fn an_hourly_job_keeps_its_distance_when_the_clock_changes() {
    for day in ["2026-03-29T00:00:00Z", "2026-10-25T00:00:00Z"] {
        let runs = schedule("0 * * * *", "Europe/Berlin").next(ms(day) - 7_200_000, 8);
        assert!(runs.windows(2).all(|pair| pair[1] - pair[0] == 3_600_000), "{day} {runs:?}");
    }
}

#[test]
fn the_next_run_is_after_now_and_never_at_it() {
    let daily = schedule("0 0 * * *", "UTC");
    let midnight = ms("2026-05-01T00:00:00Z");
    assert_eq!(daily.next_after(midnight - 1), Some(midnight));
    assert_eq!(daily.next_after(midnight), Some(midnight + 86_400_000));
    assert_eq!(daily.next_after(midnight + 1), Some(midnight + 86_400_000));
    assert_eq!(daily.next_after(i64::MAX), None);
}

#[test]
fn the_number_of_next_runs_is_bounded() {
    assert_eq!(schedule("* * * * *", "UTC").next(0, usize::MAX).len(), NEXT_MAX);
}

#[test]
fn days_that_do_not_exist_are_refused_and_leap_days_are_not() {
    for cron in ["0 0 31 2 *", "0 0 30 FEB *", "0 0 31 4,6,9,11 *"] {
        assert!(matches!(refused(cron), ScheduleError::NeverFires { .. }), "{cron}");
    }
    for now in ["2026-01-01T00:00:00Z", "2097-01-01T00:00:00Z"] {
        let leap = Schedule::parse("0 0 29 2 *", "UTC", ms(now)).unwrap();
        assert!(leap.next_after(ms(now)).is_some(), "{now}");
    }
}

#[test]
fn a_wrong_field_is_named_with_an_example() {
    let cases = [
        ("60 * * * *", Field::Minute),
        ("0 24 * * *", Field::Hour),
        ("0 0 32 * *", Field::DayOfMonth),
        ("0 0 * 13 *", Field::Month),
        ("0 0 * * 8", Field::DayOfWeek),
        ("0 0 * * MOON", Field::DayOfWeek),
        ("0 nine * * *", Field::Hour),
    ];
    for (cron, expected) in cases {
        let error = refused(cron);
        assert!(matches!(&error, ScheduleError::Field { field, .. } if *field == expected), "{cron}: {error}");
        assert!(error.to_string().contains("for example `30 2 * * *`"), "{error}");
    }
}

#[test]
fn other_than_five_fields_are_counted() {
    for (cron, found) in [("", 0), ("@daily", 1), ("* * * *", 4), ("0 0 * * * *", 6), ("0 0 0 1 1 * 2027", 7)] {
        assert_eq!(refused(cron), ScheduleError::FieldCount { found }, "{cron}");
    }
    assert_eq!(refused(&"0,".repeat(100)), ScheduleError::TooLong);
}

#[test]
fn every_minute_is_the_fastest_and_is_allowed() {
    assert_eq!(schedule("* * * * *", "UTC").shortest_interval_ms(0), Some(super::INTERVAL_MIN_MS));
}

#[test]
fn what_is_stored_is_read_again() {
    let stored = schedule("  0   9 * * mon-fri ", "Europe/Berlin");
    assert_eq!((stored.cron(), stored.time_zone()), ("0 9 * * mon-fri", "Europe/Berlin"));
    assert_eq!(schedule(stored.cron(), stored.time_zone()).next(0, 5), stored.next(0, 5));
}
