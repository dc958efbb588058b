//! Text on standard output: tables, facts, colours where a terminal shows them.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use comfy_table::{Attribute as CellAttribute, Cell, ContentArrangement, Table, presets};

use crate::failure::Failure;

/// Text that is put together and then printed at once, so that a closed pipe is one failure and not many.
#[derive(Default)]
pub(crate) struct Page {
    text: String,
}

impl Page {
    /// A page of one line.
    pub(crate) fn with_line(text: String) -> Self {
        let mut page = Self::default();
        page.line(text);
        page
    }

    /// A line.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        self.text.push_str(text.as_ref());
        self.text.push('\n');
    }

    /// A heading with an empty line before it, unless it is the first thing on the page.
    pub(crate) fn heading(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.line(bold(text));
    }

    /// `name   value` lines with the values in one column.
    pub(crate) fn facts(&mut self, facts: &[(String, String)]) {
        let width = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, value) in facts {
            let mut lines = value.lines();
            let first = lines.next().unwrap_or_default();
            let _ = writeln!(self.text, "  {}{}  {first}", dim(name), " ".repeat(width - name.chars().count()));
            for line in lines {
                let _ = writeln!(self.text, "  {}  {line}", " ".repeat(width));
            }
        }
    }

    /// A table with a heading row.
    pub(crate) fn table(&mut self, headings: &[&str], rows: Vec<Vec<String>>) {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(headings.iter().map(|heading| Cell::new(heading).add_attribute(CellAttribute::Bold)));
        if !io::stdout().is_terminal() {
            // What is piped on is not wrapped: every row is one line.
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        table.add_rows(rows);
        for line in table.lines() {
            self.line(format!(" {}", line.trim_end()));
        }
    }

    /// Prints the page beside results that have standard output to themselves.
    pub(crate) fn print_to_standard_error(&self) {
        let _ = io::stderr().write_all(self.text.as_bytes());
    }

    /// Prints the page.
    pub(crate) fn print(&self) -> Result<(), Failure> {
        print(self.text.as_bytes())
    }
}

/// Writes to standard output. A reader that has gone (`| head`) is no failure.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Prints a value as JSON.
pub(crate) fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(value).map_err(|error| Failure::from_error(&error))?;
    text.push('\n');
    print(text.as_bytes())
}

/// A number with its thousands set apart: `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes as people read them.
pub(crate) fn readable_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut amount = bytes;
    let mut rest = 0;
    let mut unit = 0;
    while amount >= 1024 && unit + 1 < UNITS.len() {
        rest = amount % 1024 * 10 / 1024;
        amount /= 1024;
        unit += 1;
    }
    if unit == 0 { format!("{amount} B") } else { format!("{amount}.{rest} {}", UNITS[unit]) }
}

/// Bold on a terminal that shows colours.
pub(crate) fn bold(text: &str) -> String {
    styled("1", text)
}

/// Faint on a terminal that shows colours.
pub(crate) fn dim(text: &str) -> String {
    styled("2", text)
}

/// Green, yellow or red by how good a word is.
pub(crate) fn judged(word: &str) -> String {
    match word {
        "complete" | "passed" | "ACTIVE" => styled("32", word),
        "partial" | "warning" | "running" => styled("33", word),
        "failed" | "DELETED" | "archived" => styled("31", word),
        _ => word.to_owned(),
    }
}

fn styled(code: &str, text: &str) -> String {
    if shows_colours() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

/// Whether standard output is a terminal whose user has not asked for plain text (<https://no-color.org>).
fn shows_colours() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_bytes_read_well() {
        assert_eq!(["0", "999", "1,000", "1,234,567"], [0, 999, 1000, 1_234_567].map(grouped).each_ref().map(String::as_str));
        assert_eq!(readable_bytes(1023), "1023 B");
        assert_eq!(readable_bytes(1536), "1.5 KiB");
        assert_eq!(readable_bytes(5 << 30), "5.0 GiB");
    }
}
