//! The kinds of what processes name: where one was guessed from SQL or a job, the catalog knows better.

use std::collections::BTreeSet;

use model::attribute::{Attribute, Value};
use model::{Kind, Reference};

use crate::query::asset::StoredAsset;
use crate::query::names;
use crate::{Result, Store};

/// The attributes of a process that name other assets.
const ENDS: [Attribute; 2] = [Attribute::Inputs, Attribute::Outputs];

impl Store {
    /// Makes references to views say so: what names a relation cannot tell a view from a table, and says that it is a table.
    pub(crate) async fn settle_kinds(&self, assets: &mut [StoredAsset]) -> Result<()> {
        let guessed: BTreeSet<&str> = assets
            .iter()
            .flat_map(|stored| ENDS.into_iter().flat_map(|end| references(stored, end)))
            .filter(|reference| reference.kind == Kind::Table)
            .map(|reference| reference.qualified_name.as_str())
            .collect();
        if guessed.is_empty() {
            return Ok(());
        }
        let known = names::find(self.readers(), guessed).await?;
        let is_view = |reference: &Reference| {
            reference.kind == Kind::Table
                && known.get(reference.qualified_name.as_str()).is_some_and(|named| named.kind == Kind::View)
        };
        for stored in assets {
            for end in ENDS {
                if !references(stored, end).iter().any(is_view) {
                    continue;
                }
                let mut settled = references(stored, end).to_vec();
                for reference in settled.iter_mut().filter(|reference| is_view(reference)) {
                    reference.kind = Kind::View;
                }
                stored.asset.attributes.set(end, Value::References(settled));
            }
        }
        Ok(())
    }
}

fn references(stored: &StoredAsset, end: Attribute) -> &[Reference] {
    match stored.asset.attributes.get(end) {
        Some(Value::References(references)) if stored.asset.kind == Kind::Process => references,
        _ => &[],
    }
}
