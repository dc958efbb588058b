//! Patterns with `*` and `?`, as people know them from a shell.

/// `*` for any run of characters, `?` for one; ASCII case aside. Linear in both lengths but for the usual one backtrack point.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut position) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while position < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, position));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || wanted.eq_ignore_ascii_case(&text[position]) => {
                at += 1;
                position += 1;
            }
            _ => {
                let Some((star_at, matched_to)) = star else { return false };
                star = Some((star_at, matched_to + 1));
                at = star_at + 1;
                position = matched_to + 1;
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_with_stars_in_every_place() {
        for (pattern, text, matches) in [
            ("*", "", true),
            ("a*c", "abc", true),
            ("a*b*c", "axbxxc", true),
            ("a?c", "ac", false),
            ("*a", "ba", true),
            ("a*", "b", false),
            ("*ab", "aab", true),
        ] {
            assert_eq!(glob(pattern, text), matches, "{pattern} {text}");
        }
    }
}
