//! Pages to assets: pure functions, tested from recorded-shape pages.

pub(crate) mod catalog;
mod columns;
mod delta;
pub(crate) mod job;
pub(crate) mod list;
pub(crate) mod table;
mod view;

#[cfg(test)]
mod tests;

use model::Warning;

use super::naming::Naming;
use super::settings::{Keep, Section, Settings};
use crate::MaskedCounts;

/// What mapping needs to know besides the page.
#[derive(Clone, Copy)]
pub(crate) struct MapContext<'a> {
    pub(crate) naming: &'a Naming,
    pub(crate) settings: &'a Settings,
    pub(crate) masked: &'a MaskedCounts,
}

impl MapContext<'_> {
    fn keeps(&self, what: Keep) -> bool {
        self.settings.keeps(what)
    }

    fn reads_lineage(&self) -> bool {
        self.settings.reads(Section::Lineage)
    }
}

fn warning(scope: impl Into<String>, code: &'static str, message: impl Into<String>) -> Warning {
    Warning { scope: scope.into(), code, message: message.into() }
}
