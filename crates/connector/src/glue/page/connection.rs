//! `GetConnections` (AWS Glue API reference, `Connection`), always asked for with `HidePassword`.

use serde::Deserialize;

use super::Timestamp;
use crate::privacy::{ConnectionProperties, FreeText, Text};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ConnectionsPage<'a> {
    #[serde(borrow, default)]
    pub(crate) connection_list: Vec<Connection<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Connection<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
    #[serde(borrow)]
    pub(crate) connection_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) connection_properties: ConnectionProperties<'a>,
    pub(crate) creation_time: Option<Timestamp>,
    pub(crate) last_updated_time: Option<Timestamp>,
}
