//! Where a view's SQL is. Athena and Trino store base64 JSON in a comment in `ViewOriginalText` and a mere marker in
//! `ViewExpandedText`; Hive and Spark store plain SQL, resolved in `ViewExpandedText`.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::{SqlDialect, ViewSqlError, ViewText};

const ENVELOPES: [&str; 2] = ["Presto View", "Presto Materialized View"];
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// The members of Trino's `ViewDefinition` that are used; the rest (owner, comment, path) is not parsed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TrinoView {
    original_sql: String,
    #[serde(default)]
    catalog: Option<String>,
    #[serde(default)]
    schema: Option<String>,
    #[serde(default)]
    columns: Option<Vec<TrinoColumn>>,
}

#[derive(Deserialize)]
struct TrinoColumn {
    name: String,
    #[serde(default, rename = "type")]
    type_name: Option<String>,
}

/// Finds the SQL of a view in the two texts that Glue keeps. `Ok(None)`: there is no SQL in them.
pub(crate) fn definition(original: Option<&str>, expanded: Option<&str>) -> Result<Option<ViewText>, ViewSqlError> {
    let mut plain = None;
    for text in [expanded, original].into_iter().flatten() {
        match classify(text) {
            Text::Envelope(payload) => return open(payload).map(Some),
            Text::Plain(sql) => plain = plain.or(Some(sql)),
            Text::Nothing => {}
        }
    }
    Ok(plain.map(|sql| ViewText {
        sql: sql.to_owned(),
        dialect: SqlDialect::Hive,
        default_catalog: None,
        default_schema: None,
        columns: Vec::new(),
    }))
}

enum Text<'a> {
    /// Base64 between the prefix and the end of the comment.
    Envelope(&'a str),
    Plain(&'a str),
    /// Empty, or a marker that says that the other text has the envelope.
    Nothing,
}

fn classify(text: &str) -> Text<'_> {
    let text = text.trim();
    let comment = text.strip_prefix("/*").and_then(|rest| rest.strip_suffix("*/"));
    let inner = comment.unwrap_or(text).trim();
    for name in ENVELOPES {
        let Some(rest) = strip_prefix_ignoring_case(inner, name) else { continue };
        let rest = rest.trim_start();
        if rest.is_empty() {
            return Text::Nothing;
        }
        if let (Some(payload), true) = (rest.strip_prefix(':'), comment.is_some()) {
            return Text::Envelope(payload);
        }
    }
    if text.is_empty() { Text::Nothing } else { Text::Plain(text) }
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn open(payload: &str) -> Result<ViewText, ViewSqlError> {
    let compact: Vec<u8> = payload.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let json = LENIENT.decode(compact).map_err(|_| ViewSqlError::EnvelopeBase64)?;
    let view: TrinoView = serde_json::from_slice(&json).map_err(|_| ViewSqlError::EnvelopeJson)?;
    let columns = view.columns.unwrap_or_default();
    Ok(ViewText {
        sql: view.original_sql,
        dialect: SqlDialect::Trino,
        default_catalog: view.catalog.filter(|name| !name.is_empty()),
        default_schema: view.schema.filter(|name| !name.is_empty()),
        columns: columns.into_iter().map(|column| (column.name, column.type_name.unwrap_or_default())).collect(),
    })
}
