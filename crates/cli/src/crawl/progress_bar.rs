//! Progress on standard error: a bar on a terminal, a line now and then elsewhere.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use connector::progress::{Progress, ProgressSnapshot};
use indicatif::{ProgressBar, ProgressStyle};

/// How often a bar is drawn.
const BAR_INTERVAL: Duration = Duration::from_millis(120);

/// How often a line is written where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Shows progress for as long as it is polled; it never completes.
pub(crate) async fn start(progress: &Progress) {
    if std::io::stderr().is_terminal() { draw_bar(progress).await } else { write_lines(progress).await }
}

/// Leaves the line of the bar empty for what is printed next.
pub(crate) fn clear() {
    if std::io::stderr().is_terminal() {
        let _ = std::io::stderr().write_all(b"\r\x1b[2K");
    }
}

async fn draw_bar(progress: &Progress) {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:24} {pos}/{len} scopes  {msg}  {elapsed}") {
        bar.set_style(style);
    }
    let mut ticks = tokio::time::interval(BAR_INTERVAL);
    loop {
        ticks.tick().await;
        let now = progress.snapshot();
        bar.set_length(now.scopes_total);
        bar.set_position(now.scopes_done);
        bar.set_message(format!("{} tables, {} pages  {}", now.tables, now.pages, shortened(&now.current_scope)));
        bar.tick();
    }
}

async fn write_lines(progress: &Progress) {
    let mut ticks = tokio::time::interval(LINE_INTERVAL);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let _ = writeln!(std::io::stderr(), "{}", line(&progress.snapshot()));
    }
}

fn line(now: &ProgressSnapshot) -> String {
    format!(
        "crawling: {} tables, {} pages, {} of {} scopes, now {}",
        now.tables, now.pages, now.scopes_done, now.scopes_total, now.current_scope
    )
}

fn shortened(scope: &str) -> String {
    const CHARACTERS_MAX: usize = 40;
    if scope.chars().count() <= CHARACTERS_MAX {
        return scope.to_owned();
    }
    scope.chars().take(CHARACTERS_MAX - 1).chain(['…']).collect()
}
