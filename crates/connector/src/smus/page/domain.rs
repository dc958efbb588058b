//! `ListDomains`, `GetDomain`, `ListDomainUnitsForParent`, `GetDomainUnit` (Amazon DataZone API reference).

use serde::Deserialize;

use super::Timestamp;
use crate::privacy::{FreeText, Text};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DomainsPage<'a> {
    #[serde(borrow, default)]
    pub(crate) items: Vec<Domain<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Domain<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
    #[serde(borrow)]
    pub(crate) arn: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) managed_account_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) status: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) portal_url: Option<Text<'a>>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) last_updated_at: Option<Timestamp>,
    #[serde(borrow)]
    pub(crate) domain_version: Option<Text<'a>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DomainAnswer<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) root_domain_unit_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
    #[serde(borrow)]
    pub(crate) arn: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) status: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) portal_url: Option<Text<'a>>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) last_updated_at: Option<Timestamp>,
    #[serde(borrow)]
    pub(crate) domain_version: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DomainUnitsPage<'a> {
    #[serde(borrow, default)]
    pub(crate) items: Vec<DomainUnitSummary<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct DomainUnitSummary<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DomainUnitAnswer<'a> {
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) last_updated_at: Option<Timestamp>,
}
