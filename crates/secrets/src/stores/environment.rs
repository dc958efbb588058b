//! Environment variables of the runtime as a store. An entry is a variable; one that is empty counts as missing.

use crate::configuration::local::EnvironmentVariables;
use crate::context::Context;
use crate::entry::{Entry, require_size};
use crate::fault::Fault;

/// The variables that a workflow can reach.
pub(crate) struct Variables {
    context: Context,
    prefix: String,
}

impl Variables {
    pub(crate) fn open(settings: &EnvironmentVariables, context: &Context) -> Result<Self, Fault> {
        let prefix = &settings.prefix;
        if !prefix.is_empty() && !is_name(prefix) {
            return Err(Fault::misconfigured(
                "prefix is no beginning of a variable's name",
                "write letters, digits and underscores",
            ));
        }
        Ok(Self { context: context.clone(), prefix: prefix.clone() })
    }

    pub(crate) fn fetch(&self, entry: &str) -> Result<Entry, Fault> {
        let name = format!("{}{entry}", self.prefix);
        if !is_name(&name) {
            return Err(Fault::misconfigured("this is no name of a variable", "write letters, digits and underscores"));
        }
        let value = self.context.variable(&name).ok_or_else(|| {
            Fault::missing(
                format!("the variable {name} is not set, or is empty"),
                "set it in the environment of the runtime, or correct its name in the workflow",
            )
        })?;
        require_size(value.len())?;
        Entry::text(value.into_bytes())
    }
}

/// Letters, digits and underscores, not beginning with a digit (POSIX.1-2017, Base Definitions, 3.235 and 8.1).
fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.bytes().all(is_part) && text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
}
