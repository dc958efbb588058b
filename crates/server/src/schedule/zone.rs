//! Time zones by their IANA names, and what was probably meant.

use chrono_tz::{TZ_VARIANTS, Tz};

use super::ScheduleError;

/// How many names are suggested.
const NEAR_MAX: usize = 3;
/// Longest name that is compared with others, in bytes.
const COMPARED_BYTES_MAX: usize = 64;

pub(super) fn find(name: &str) -> Result<Tz, ScheduleError> {
    name.parse().map_err(|_unknown| ScheduleError::UnknownTimeZone {
        name: name.chars().take(COMPARED_BYTES_MAX).collect(),
        near: near(name),
    })
}

pub(super) fn suggestion(near: &[&str]) -> String {
    if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) }
}

/// Names of which the whole or the city is spelt nearly like it.
fn near(name: &str) -> Vec<&'static str> {
    if name.len() > COMPARED_BYTES_MAX {
        return Vec::new();
    }
    let wanted = name.trim().to_lowercase().replace(' ', "_");
    let mut found: Vec<(usize, &'static str)> = TZ_VARIANTS
        .iter()
        .map(|zone| (distance_of(&wanted, zone.name()), zone.name()))
        .filter(|(distance, _name)| *distance <= wanted.len() / 4 + 1 && *distance < wanted.len())
        .collect();
    found.sort_unstable();
    found.truncate(NEAR_MAX);
    found.into_iter().map(|(_distance, name)| name).collect()
}

fn distance_of(wanted: &str, name: &str) -> usize {
    let name = name.to_lowercase();
    let city = |text: &str| text.rsplit('/').next().unwrap_or_default().to_owned();
    // A right city in a wrong region is one mistake more than the city itself.
    distance(wanted, &name).min(distance(&city(wanted), &city(&name)) + 1)
}

/// Levenshtein's distance.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, letter) in left.chars().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(&right) {
            let above = *cell;
            *cell = (diagonal + usize::from(letter != *other)).min(above + 1).min(before + 1);
            (diagonal, before) = (above, *cell);
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{distance, find, near};

    #[test]
    fn names_that_were_probably_meant_are_suggested() {
        assert_eq!(near("Europe/Berlim").first(), Some(&"Europe/Berlin"));
        assert_eq!(near("europe/berlin").first(), Some(&"Europe/Berlin"));
        assert_eq!(near("Berlin").first(), Some(&"Europe/Berlin"));
        assert_eq!(near("America/New York").first(), Some(&"America/New_York"));
        assert!(near("Middle-earth/Minas_Tirith").is_empty());
        let error = find("Europe/Berlim").unwrap_err().to_string();
        assert!(error.contains("`Europe/Berlim` is no time zone") && error.contains("did you mean Europe/Berlin"), "{error}");
    }

    #[test]
    fn a_long_name_is_neither_compared_nor_quoted_whole() {
        let error = find(&"x".repeat(100_000)).unwrap_err().to_string();
        assert!(error.len() < 300, "{}", error.len());
    }

    #[test]
    fn the_distance_counts_single_letters() {
        assert_eq!((distance("kitten", "sitting"), distance("", "abc"), distance("abc", ""), distance("abc", "abc")), (3, 3, 3, 0));
    }
}
