//! Assets in requests and answers: their qualified names are parameters of the query, since they have slashes of their own.

use std::fmt::Write as _;

use model::document::AssetStatus;
use model::{Guid, Kind, QualifiedName};
use serde::Serialize;
use store::Subject;
use utoipa::ToSchema;

use crate::http::{Code, Problem};
use crate::state::App;

/// Longest qualified name, bytes: 16 parts of 255 characters, some of them encoded.
const NAME_BYTES_MAX: usize = 8192;

/// An asset in short.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetRef {
    /// What it is.
    #[schema(example = "Table")]
    pub(crate) type_name: &'static str,
    /// Its id: the same on every machine.
    #[schema(example = "0b3e1f6a-5f0c-5d0e-9a43-0a3c9f0f7b11")]
    pub(crate) guid: String,
    /// Its qualified name.
    #[schema(example = "default/glue/1700000000/AwsDataCatalog/sales/orders")]
    pub(crate) qualified_name: String,
    /// Its name.
    #[schema(example = "orders")]
    pub(crate) name: String,
    /// `ACTIVE`, or `DELETED` when it is gone from its source; absent when only lineage names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "ACTIVE")]
    pub(crate) status: Option<&'static str>,
}

/// Something that an asset lies in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Parent {
    /// Its qualified name; that of a folder stands for no asset.
    #[schema(example = "default/glue/1700000000/AwsDataCatalog")]
    pub(crate) qualified_name: String,
    /// Its name.
    #[schema(example = "AwsDataCatalog")]
    pub(crate) name: String,
}

impl AssetRef {
    pub(crate) fn new(kind: Kind, name: &QualifiedName, shown: &str, status: Option<AssetStatus>) -> Self {
        Self {
            type_name: kind.type_name(),
            guid: Guid::of(kind, name.as_str()).to_string(),
            qualified_name: name.as_str().to_owned(),
            name: shown.to_owned(),
            status: status.map(AssetStatus::as_str),
        }
    }
}

impl From<store::Parent> for Parent {
    fn from(parent: store::Parent) -> Self {
        Self { qualified_name: parent.qualified_name.as_str().to_owned(), name: parent.name }
    }
}

/// The qualified name of a parameter.
pub(crate) fn name_of(text: &str) -> Result<QualifiedName, Problem> {
    checked("qualifiedName", text).map(QualifiedName::from_encoded)
}

/// A parameter that may be as long as a qualified name.
pub(crate) fn checked<'t>(field: &str, text: &'t str) -> Result<&'t str, Problem> {
    if (1..=NAME_BYTES_MAX).contains(&text.len()) {
        return Ok(text);
    }
    let problem = Problem::new(Code::InvalidParameter, "this cannot be a qualified name; search for the asset by its name");
    Err(problem.with_field(field, format!("expected 1 to {NAME_BYTES_MAX} bytes")))
}

/// What a qualified name stands for.
pub(crate) async fn find(app: &App, text: &str) -> Result<Subject, Problem> {
    app.store.asset(&name_of(text)?).await?.ok_or_else(nothing_there)
}

pub(crate) fn nothing_there() -> Problem {
    Problem::new(Code::NotFound, "the catalog has nothing of this qualified name; search for it by its name")
}

/// The address of something that is asked for by a qualified name.
pub(crate) fn href(path: &str, name: &str) -> String {
    let mut out = format!("/api/v1/{path}?qualifiedName=");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_encode_what_a_query_takes_for_something_else() {
        assert_eq!(href("assets", "default/glue/1/a%2Fb&ü"), "/api/v1/assets?qualifiedName=default/glue/1/a%252Fb%26%C3%BC");
    }
}
