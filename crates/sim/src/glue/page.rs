//! Paging as Glue does it: `MaxResults` and `NextToken` in, `NextToken` out.

use serde_json::Value;

use super::{Context, GlueError};
use crate::faults::FaultKind;
use crate::tokens::Position;

/// One page being answered.
#[derive(Debug)]
pub(crate) struct Page<'c> {
    /// How many items this page may hold.
    pub(crate) items_max: usize,
    position: Position,
    given: Option<&'c str>,
    binding: String,
    context: Context<'c>,
}

impl<'c> Page<'c> {
    /// Reads `MaxResults` (1 to `items_max`, which is also the default) and `NextToken`.
    pub(crate) fn open(context: &Context<'c>, items_max: usize) -> Result<Self, GlueError> {
        let input = context.input;
        let settings = &context.account.settings;
        let mut limit = input.number("MaxResults", items_max)?.unwrap_or(items_max);
        if settings.page_items_max > 0 {
            limit = limit.min(settings.page_items_max);
        }
        let binding = binding(context);
        let given = input.optional_text("NextToken")?;
        let position = match given {
            None => Position { after: None, pages: 0 },
            Some(token) => {
                let times = (context.now_ms, settings.token_lifetime_ms);
                let position = context.glue.tokens.decode(&binding, token, times);
                position
                    .ok_or_else(|| GlueError::invalid_input("Invalid NextToken: it is expired, or belongs to another request."))?
            }
        };
        for kind in context.fired {
            if let FaultKind::ShortPage { items } = kind {
                limit = limit.min(*items);
            }
        }
        let number = position.pages + 1;
        let empty_by_setting = settings.empty_page_every > 0 && number.is_multiple_of(settings.empty_page_every);
        if empty_by_setting || context.fired.contains(&FaultKind::EmptyPage) {
            limit = 0;
        }
        Ok(Self { items_max: limit, position, given, binding, context: *context })
    }

    pub(crate) fn after(&self) -> Option<&str> {
        self.position.after.as_deref()
    }

    /// The token of the next page, where the listing goes on after `last` (the same place where that is `None`).
    pub(crate) fn next_token(&self, last: Option<String>, more: More) -> Option<String> {
        if let (Some(given), true) = (self.given, self.context.fired.contains(&FaultKind::RepeatToken)) {
            return Some(given.to_owned());
        }
        if more == More::No {
            return None;
        }
        let after = last.or_else(|| self.position.after.clone());
        let position = Position { after, pages: self.position.pages + 1 };
        Some(self.context.glue.tokens.encode(&self.binding, &position, self.context.now_ms))
    }

    /// Takes this page's part of a listing that ascends by key.
    pub(crate) fn take<T>(&self, items: impl Iterator<Item = (String, T)>) -> (Vec<T>, Option<String>) {
        let mut items = items.filter(|(key, _)| self.after().is_none_or(|after| key.as_str() > after)).peekable();
        let mut taken = Vec::new();
        let mut last = None;
        while taken.len() < self.items_max {
            let Some((key, item)) = items.next() else { break };
            last = Some(key);
            taken.push(item);
        }
        let more = if items.peek().is_some() { More::Yes } else { More::No };
        (taken, self.next_token(last, more))
    }
}

/// Whether anything is left to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum More {
    Yes,
    No,
}

// A token may be used with another page size, but with no other parameter changed.
fn binding(context: &Context<'_>) -> String {
    let mut members: Vec<(&String, &Value)> = context.input.members().iter().collect();
    members.retain(|(name, _)| !["NextToken", "MaxResults"].contains(&name.as_str()));
    members.sort_unstable_by_key(|(name, _)| *name);
    let mut binding = context.operation.to_owned();
    for (name, value) in members {
        binding.push('\0');
        binding.push_str(name);
        binding.push('=');
        binding.push_str(&value.to_string());
    }
    binding
}
