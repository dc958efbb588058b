//! Paging: `maxResults` and `nextToken` in, `nextToken` out, and what faults do to it.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Context, DataZoneError, Reply};
use crate::faults::FaultKind;
use crate::tokens::Position;

const SEPARATOR: char = '\n';

/// One page being answered.
#[derive(Debug)]
pub(crate) struct Page<'c> {
    items_max: usize,
    pages: u64,
    /// The keys of the last two items that were listed.
    before_last: Option<String>,
    last: Option<String>,
    /// How many items there are in all, where an earlier page has counted them.
    pub(crate) total: Option<u64>,
    binding: String,
    context: Context<'c>,
}

impl<'c> Page<'c> {
    /// Reads `maxResults` (`items_max` where it is missing) and `nextToken`.
    pub(crate) fn open(context: &Context<'c>, items_max: usize) -> Result<Self, DataZoneError> {
        let settings = &context.account.settings;
        let mut page = Self {
            items_max: context.input.number("maxResults").unwrap_or(items_max),
            pages: 0,
            before_last: None,
            last: None,
            total: None,
            binding: binding(context),
            context: *context,
        };
        if let Some(token) = context.input.peek("nextToken") {
            let position = context.service.tokens.decode(&page.binding, token, (context.now_ms, settings.token_lifetime_ms));
            page.resume(position.ok_or_else(|| DataZoneError::validation("Invalid nextToken"))?);
        }
        if settings.page_items_max > 0 {
            page.items_max = page.items_max.min(settings.page_items_max);
        }
        let number = page.pages + 1;
        if settings.empty_page_every > 0 && number.is_multiple_of(settings.empty_page_every) {
            page.items_max = 0;
        }
        page.suffer();
        Ok(page)
    }

    fn resume(&mut self, position: Position) {
        self.pages = position.pages;
        let cursor = position.after.unwrap_or_default();
        let mut parts = cursor.splitn(3, SEPARATOR);
        self.total = parts.next().and_then(|total| total.parse().ok());
        self.before_last = parts.next().filter(|key| !key.is_empty()).map(str::to_owned);
        self.last = parts.next().filter(|key| !key.is_empty()).map(str::to_owned);
    }

    fn suffer(&mut self) {
        for kind in self.context.fired {
            if let FaultKind::ShortPage { items } = kind {
                self.items_max = self.items_max.min(*items);
            }
        }
        if self.context.fired.contains(&FaultKind::EmptyPage) {
            self.items_max = 0;
        }
        if self.context.fired.contains(&FaultKind::RepeatedItem) {
            self.last = self.before_last.take();
        }
    }

    /// The key after which this page begins.
    pub(crate) fn after(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// This page of `items`, which ascend by key and begin after [`Page::after`].
    pub(crate) fn take<T>(&mut self, items: impl Iterator<Item = (String, T)>) -> (Vec<T>, Option<String>) {
        let skipped = usize::from(self.context.fired.contains(&FaultKind::SkippedItem));
        let mut items = items.skip(skipped).peekable();
        let mut taken = Vec::new();
        while taken.len() < self.items_max {
            let Some((key, item)) = items.next() else { break };
            self.before_last = self.last.replace(key);
            taken.push(item);
        }
        let more = items.peek().is_some();
        (taken, self.next_token(more))
    }

    fn next_token(&self, more: bool) -> Option<String> {
        if let (Some(given), true) = (self.context.input.peek("nextToken"), self.context.fired.contains(&FaultKind::RepeatToken)) {
            return Some(given.to_owned());
        }
        if !more {
            return None;
        }
        let mut cursor = self.total.map(|total| total.to_string()).unwrap_or_default();
        for key in [&self.before_last, &self.last] {
            cursor.push(SEPARATOR);
            cursor.push_str(key.as_deref().unwrap_or_default());
        }
        let position = Position { after: Some(cursor), pages: self.pages + 1 };
        Some(self.context.service.tokens.encode(&self.binding, &position, self.context.now_ms))
    }

    /// The answer with these items under `member`.
    pub(crate) fn reply(&self, member: &str, items: &[Vec<u8>], token: Option<&str>) -> Reply {
        let bytes: usize = items.iter().map(|item| item.len() + 1).sum();
        let mut body = Vec::with_capacity(bytes + 256);
        body.extend_from_slice(format!("{{\"{member}\":[").as_bytes());
        for (number, item) in items.iter().enumerate() {
            if number > 0 {
                body.push(b',');
            }
            body.extend_from_slice(item);
        }
        let mut tail = "]".to_owned();
        if let Some(total) = self.total {
            // Writing to a String cannot fail.
            let _ = write!(tail, ",\"totalMatchCount\":{total}");
        }
        if let Some(token) = token {
            let _ = write!(tail, ",\"nextToken\":{}", Value::from(token));
        }
        tail.push('}');
        body.extend_from_slice(tail.as_bytes());
        Reply { body, headers: Vec::new() }
    }
}

// A token may be used with another page size, but with no other parameter changed.
fn binding(context: &Context<'_>) -> String {
    let mut binding = context.operation.to_owned();
    let members = context.input.members().iter().filter(|(name, _)| !["nextToken", "maxResults"].contains(&name.as_str()));
    for (name, value) in members {
        // Writing to a String cannot fail.
        let _ = write!(binding, "\0{name}={value}");
    }
    binding
}
