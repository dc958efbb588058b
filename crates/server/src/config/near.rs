//! Which known names a misspelled one probably meant.

const NEAR_COUNT_MAX: usize = 3;

/// The nearest of `known`, best first; at most three, none that is far.
pub(super) fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found: Vec<(usize, &str)> =
        known.map(|candidate| (distance_of_keys(name, candidate), candidate)).filter(|(far, _)| *far <= reach(name)).collect();
    found.sort_unstable();
    found.into_iter().take(NEAR_COUNT_MAX).map(|(_, candidate)| candidate).collect()
}

/// A key in the wrong section is as near as one with a typing error.
fn distance_of_keys(name: &str, candidate: &str) -> usize {
    let last = |key: &str| key.rsplit('.').next().map(str::to_owned).unwrap_or_default();
    let whole = distance(name, candidate);
    if last(name) == last(candidate) { whole.min(1) } else { whole }
}

fn reach(name: &str) -> usize {
    (name.chars().count() / 4).clamp(1, 4)
}

/// Levenshtein's distance, in characters.
pub(super) fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, character) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, other) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(character != *other);
            diagonal = row[column + 1];
            row[column + 1] = substituted.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}
