//! Random types from a fixed seed: what the generator put in must come out, and damage must never panic.

use std::fmt::Write as _;

use super::super::{COLUMN_LEVEL_MAX, parse};

/// Knuth's MMIX linear congruential generator; the high bits are good enough here.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn pick<'t>(&mut self, choices: &[&'t str]) -> &'t str {
        choices[self.below(choices.len())]
    }
}

/// A field as the generator knows it: name, base type, raw type, level.
type Expected = (String, String, String, u8);

struct Generator {
    random: Random,
    expected: Vec<Expected>,
}

/// Whether the fields of a generated struct are columns.
#[derive(Clone, Copy, PartialEq)]
enum Counting {
    Columns { level: u8 },
    Nothing,
}

impl Generator {
    /// Writes a type and returns its base name and text.
    fn any_type(&mut self, depth: usize, counting: Counting) -> (String, String) {
        let kind = if depth == 0 { 0 } else { self.random.below(9) };
        match kind {
            0..=2 => self.primitive(),
            3 | 4 => {
                let (_, inner) = self.any_type(depth - 1, counting);
                ("array".into(), format!("{}<{}{inner}{}>", self.random.pick(&["array", "ARRAY"]), self.space(), self.space()))
            }
            5 => {
                let (_, key) = self.any_type(depth - 1, Counting::Nothing);
                let (_, value) = self.any_type(depth - 1, counting);
                ("map".into(), format!("map<{key}{},{}{value}>", self.space(), self.space()))
            }
            6 => {
                let (_, one) = self.any_type(depth - 1, Counting::Nothing);
                let (_, two) = self.any_type(depth - 1, Counting::Nothing);
                ("uniontype".into(), format!("uniontype<{one},{two}>"))
            }
            _ => self.structure(depth - 1, counting),
        }
    }

    fn primitive(&mut self) -> (String, String) {
        let raw = self.random.pick(&["int", "STRING", "decimal(10,2)", "Varchar(20)", "timestamp with local time zone", "super"]);
        (raw.to_ascii_lowercase(), raw.to_owned())
    }

    fn structure(&mut self, depth: usize, counting: Counting) -> (String, String) {
        let row = self.random.below(4) == 0;
        let (head, tail) = if row { ("row(", ")") } else { ("struct<", ">") };
        let mut text = head.to_owned();
        for place in 0..self.random.below(5) + usize::from(row) {
            if place > 0 {
                text.push(',');
            }
            self.field(&mut text, row, place, depth, counting);
        }
        text.push_str(tail);
        (head[..head.len() - 1].to_owned(), text)
    }

    fn field(&mut self, text: &mut String, row: bool, place: usize, depth: usize, counting: Counting) {
        let stem = self.random.pick(&["a", "B", "long_name", "\u{e9}t\u{e9}", "x-y", "$z", "1st"]);
        let name = format!("{stem}{place}");
        let separator = if row { " ".to_owned() } else { format!("{}:{}", self.space(), self.space()) };
        let quote = self.random.pick(&["", "`", "\""]);
        write!(text, "{}{quote}{name}{quote}{separator}", self.space()).unwrap();
        let inner = match counting {
            Counting::Columns { level } if level < COLUMN_LEVEL_MAX => Counting::Columns { level: level + 1 },
            Counting::Columns { .. } | Counting::Nothing => Counting::Nothing,
        };
        let slot = self.expected.len();
        if let Counting::Columns { level } = inner {
            self.expected.push((name, String::new(), String::new(), level));
        }
        let (base, raw) = self.any_type(depth, inner);
        text.push_str(&raw);
        if inner != Counting::Nothing {
            self.expected[slot].1 = base;
            self.expected[slot].2 = raw;
        }
        text.push_str(self.random.pick(&["", "", "", " ", " not null", " comment 'x, >'", "\n"]));
    }

    fn space(&mut self) -> &'static str {
        self.random.pick(&["", "", "", " ", "\t", "\n "])
    }
}

fn generated(seed: u64, depth: usize) -> (String, String, Vec<Expected>) {
    let mut generator = Generator { random: Random(seed), expected: Vec::new() };
    let (base, raw) = generator.any_type(depth, Counting::Columns { level: 1 });
    (base, raw, generator.expected)
}

#[test]
fn generated_types_give_back_their_fields() {
    let mut deepest = 0;
    for seed in 0..4_000 {
        let (base, raw, expected) = generated(seed * 7_919, 1 + seed as usize % 7);
        let mut fields = Vec::new();
        let parsed = parse(&raw, &mut fields);
        assert_eq!((parsed.error, parsed.data_type.as_ref()), (None, base.as_str()), "{raw}");
        let found: Vec<Expected> = fields
            .iter()
            .map(|field| (field.name.to_string(), field.type_name.to_string(), field.raw_type.to_owned(), field.depth))
            .collect();
        assert_eq!(found, expected, "{raw}");
        deepest = deepest.max(fields.iter().map(|field| field.depth).max().unwrap_or(1));
    }
    assert!(deepest >= 5, "the generator nests: {deepest}");
}

#[test]
fn damaged_types_never_panic() {
    let mut random = Random(42);
    let mut failed = 0;
    for seed in 0..3_000 {
        let (_, raw, _) = generated(seed * 104_729, 5);
        let mut bytes = raw.into_bytes();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len());
            match random.below(3) {
                0 => bytes[at] = b"<>(),:'\"` \\x\0;"[random.below(14)],
                1 => bytes.truncate(at + 1),
                _ => bytes[at] ^= 1 << random.below(8),
            }
        }
        let damaged = String::from_utf8_lossy(&bytes).into_owned();
        super::outline(&damaged);
        failed += usize::from(parse(&damaged, &mut Vec::new()).error.is_some());
    }
    assert!(failed > 500, "damage is noticed: {failed}");
}

#[test]
fn random_grammar_bytes_never_panic() {
    let mut random = Random(7);
    let pieces =
        ["struct", "map", "array", "row", "<", ">", "(", ")", ":", ",", " ", "'", "`", "\"", "a", "not null", "comment", "\u{e9}"];
    for _ in 0..20_000 {
        let raw: String = (0..random.below(14)).map(|_| random.pick(&pieces)).collect();
        super::outline(&raw);
    }
}
