//! Subscriptions: counted before the published assets are read, delivered after them.
//!
//! The service lists those that a project of the role's is owner, approver or subscriber of; without a status it lists the approved ones
//! only, and it lists requests that are pending. Approved subscriptions and the accepted requests that they follow from are asked for.

use std::collections::{BTreeSet, HashMap, HashSet};

use model::{Asset, Attribute, Scope};

use super::assets::DomainAssets;
use super::domains::part_scope;
use super::lists::Projects;
use super::pages::{Asked, PAGE_ITEMS_MAX, Page, may_begin_again, token};
use super::{Crawl, CrawlError};
use crate::paging::Tokens;
use crate::port::{ApiError, AssetSink, Baseline, ErrorKind, ReadApi, ReadOperation};
use crate::privacy::{ProfileId, ProfileName, Reason};
use crate::smus::form::{AssetForms, CustomForm};
use crate::smus::hash;
use crate::smus::map::asset::MappedAsset;
use crate::smus::map::form::set_forms;
use crate::smus::map::subscription::{RequestFacts, SubscriptionPlace, map_subscription, set_request};
use crate::smus::map::{DomainFacts, warning};
use crate::smus::page::{AssetFiltersPage, SubscriptionRequestsPage, SubscriptionsPage, UserProfileAnswer};
use crate::smus::settings::{Keep, Section};

/// The most subscriptions of one domain that are held.
const SUBSCRIPTIONS_MAX: usize = 200_000;

/// The most assets of one domain whose filters are asked for, and the most people whose names are.
const LOOK_UPS_MAX: usize = 2_000;

/// The subscriptions of a domain, mapped but for their requests and filters.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    found: Vec<FoundSubscription>,
    is_read: bool,
    is_complete: bool,
}

#[derive(Debug)]
struct FoundSubscription {
    mapped: MappedAsset,
    /// Forms whose types may be known only when the assets are.
    custom: Vec<CustomForm>,
    place: SubscriptionPlace,
    request: Option<String>,
    columns: usize,
    requester: Option<String>,
    approver: Option<String>,
}

/// The requests that subscriptions follow from, by id, and whether all of them were read.
struct Requests {
    by_id: HashMap<String, RequestFacts>,
    is_whole: bool,
}

impl Subscriptions {
    /// Whether all of them are known, or none was asked for.
    pub(super) fn is_whole(&self) -> bool {
        self.is_complete || !self.is_read
    }

    /// How many there are of each listing, by the hash of its id; none where they could not be read.
    pub(super) fn counts(&self) -> Option<HashMap<u64, i64>> {
        let mut counts = HashMap::new();
        for listing in self.found.iter().filter_map(|found| found.place.listing.as_deref()) {
            *counts.entry(hash(listing)).or_insert(0) += 1;
        }
        (self.is_read && self.is_complete).then_some(counts)
    }
}

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    /// Reads the approved subscriptions of a domain.
    pub(super) async fn read_subscriptions(&self, facts: &DomainFacts) -> Result<Subscriptions, CrawlError> {
        let mut subscriptions = Subscriptions { is_read: self.reads(Section::Subscriptions), ..Subscriptions::default() };
        if !subscriptions.is_read {
            return Ok(subscriptions);
        }
        self.ports.progress.scopes_found(1);
        let asked = Asked::get(ReadOperation::ListSubscriptions, &[&facts.id]).with("status", "APPROVED").paged(PAGE_ITEMS_MAX);
        let mut tokens = Tokens::new(asked.operation);
        let mut seen = HashSet::new();
        while !tokens.is_done() && subscriptions.found.len() < SUBSCRIPTIONS_MAX {
            match self.next_page(&asked, &mut tokens, |body| self.parse_subscriptions(facts, body)).await {
                Ok(page) => subscriptions.found.extend(page.into_iter().filter(|(id, _)| seen.insert(*id)).map(|(_, found)| found)),
                Err(error) if may_begin_again(&error, &tokens) => tokens.restart(),
                Err(error) => {
                    self.fail_part(facts, "subscriptions", error)?;
                    return Ok(subscriptions);
                }
            }
        }
        subscriptions.is_complete = tokens.is_done();
        if !subscriptions.is_complete {
            let message = format!("the domain has more than {SUBSCRIPTIONS_MAX} subscriptions; the rest is left out");
            self.findings().warn(vec![warning(format!("{}/subscriptions", facts.id), "subscriptions-left-out", message)]);
        }
        Ok(subscriptions)
    }

    fn parse_subscriptions(
        &self,
        facts: &DomainFacts,
        body: &bytes::Bytes,
    ) -> Result<Page<Vec<(u64, FoundSubscription)>>, serde_json::Error> {
        let page: SubscriptionsPage<'_> = serde_json::from_slice(body)?;
        let context = self.context();
        let none = std::collections::BTreeMap::new();
        let approved = page.items.iter().filter(|item| item.status.as_deref().is_none_or(|status| status == "APPROVED"));
        let made = approved.map(|item| {
            let place = SubscriptionPlace::of(item);
            let listing = item.subscribed_listing.as_ref().and_then(|listing| listing.item.as_ref());
            let text = listing.and_then(|item| item.asset_listing.as_ref()).and_then(|asset| asset.forms.as_ref());
            let mut forms = AssetForms::of_listing(&context.forms(&none), text.map_or("{}", |text| text.json()));
            let custom = std::mem::take(&mut forms.custom);
            let columns = forms.columns.len();
            let readable = place.filters.is_empty().then_some(columns);
            let id = |id: Option<&ProfileId<'_>>| id.and_then(|id| id.opaque(self.ports.masked));
            let found = FoundSubscription {
                custom,
                mapped: map_subscription(&context, facts, (item, &place), forms, readable),
                request: item.subscription_request_id.as_deref().map(str::to_owned),
                columns,
                requester: id(item.created_by.as_ref()),
                approver: id(item.updated_by.as_ref()),
                place,
            };
            (hash(&item.id), found)
        });
        Ok(Page { made: made.collect(), next_token: token(page.next_token.as_ref()), items: page.items.len() })
    }

    /// Completes and delivers the subscribed assets.
    pub(super) async fn crawl_subscriptions(
        &self,
        facts: &DomainFacts,
        projects: &Projects,
        subscriptions: Subscriptions,
        assets: &mut DomainAssets,
    ) -> Result<(), CrawlError> {
        if !subscriptions.is_read {
            return Ok(());
        }
        let requests = self.read_requests(facts, &subscriptions).await?;
        let requests_are_whole = requests.is_whole;
        let requests = self.name_people(facts, requests.by_id).await?;
        let readable = self.read_filters(facts, &subscriptions).await?;
        let mut read: BTreeSet<String> = projects.wanted.keys().cloned().collect();
        let mut delivered: Vec<(Scope, Asset)> = Vec::new();
        for found in subscriptions.found.into_iter().filter(|found| !projects.is_left_out(&found.place.project)) {
            let scope = part_scope(facts, &format!("{}/subscriptions", found.place.project));
            read.insert(found.place.project.clone());
            let mut asset = self.complete_subscription(facts, found, (&requests, &readable), assets);
            self.keep_known(&mut asset, &facts.unread).await?;
            if !requests_are_whole {
                asset = self.with_known_request(asset).await?;
            }
            delivered.push((scope, asset));
        }
        self.deliver_by_scope(delivered).await?;
        if subscriptions.is_complete {
            let mut findings = self.findings();
            for project in read {
                findings.complete(&part_scope(facts, &format!("{project}/subscriptions")));
            }
        }
        self.ports.progress.scope_done();
        Ok(())
    }

    fn complete_subscription(
        &self,
        facts: &DomainFacts,
        found: FoundSubscription,
        (requests, readable): (&HashMap<String, RequestFacts>, &HashMap<String, usize>),
        assets: &mut DomainAssets,
    ) -> Asset {
        let FoundSubscription { mapped, mut custom, place, request, columns, requester, approver } = found;
        let MappedAsset { mut asset, assignments, mut warnings } = mapped;
        assets.assign_all(assignments);
        for form in custom.iter_mut().filter(|form| form.form_type.is_none()) {
            form.form_type = assets.form_types.get(&form.name).cloned();
        }
        let path = self.path_of(&asset.qualified_name);
        let unknown = set_forms(facts, &mut asset, &custom);
        warnings.extend(unknown.into_iter().map(|(code, message)| warning(path.clone(), code, message)));
        self.findings().warn(warnings);
        let known = request.and_then(|request| requests.get(&request).cloned());
        // Who made and changed the subscription is the best that is known without its request.
        set_request(&mut asset, &known.unwrap_or(RequestFacts { requester, approver, ..RequestFacts::default() }));
        if let (Some(count), true) = (readable.get(&filters_key(&place)), columns > 0) {
            let text = format!("{} out of {columns}", (*count).min(columns));
            asset.attributes.set(Attribute::SmusSubscribedAssetColumnAccessInfo, text);
        }
        asset
    }

    /// Who changed a subscription is a guess at who approved it: where its request could not be read, what was known is better.
    async fn with_known_request(&self, mut asset: Asset) -> Result<Asset, CrawlError> {
        let people = [
            Attribute::SmusSubscribedAssetRequestorId,
            Attribute::SmusSubscribedAssetRequestorName,
            Attribute::SmusSubscribedAssetApproverId,
            Attribute::SmusSubscribedAssetApproverName,
        ];
        self.keep_known(&mut asset, &people).await?;
        self.with_what_was_known(asset).await
    }

    /// The accepted requests of the subscriptions.
    async fn read_requests(&self, facts: &DomainFacts, subscriptions: &Subscriptions) -> Result<Requests, CrawlError> {
        let mut requests = Requests { by_id: HashMap::new(), is_whole: true };
        let wanted: HashSet<&str> = subscriptions.found.iter().filter_map(|found| found.request.as_deref()).collect();
        if wanted.is_empty() {
            return Ok(requests);
        }
        let asked =
            Asked::get(ReadOperation::ListSubscriptionRequests, &[&facts.id]).with("status", "ACCEPTED").paged(PAGE_ITEMS_MAX);
        let mut tokens = Tokens::new(asked.operation);
        while !tokens.is_done() && requests.by_id.len() < wanted.len() {
            let page = self.next_page(&asked, &mut tokens, |body| {
                let page: SubscriptionRequestsPage<'_> = serde_json::from_slice(body)?;
                let made = page.items.iter().filter(|request| wanted.contains(&*request.id)).map(|request| {
                    let id = |id: Option<&ProfileId<'_>>| id.and_then(|id| id.opaque(self.ports.masked));
                    let facts = RequestFacts {
                        requester: id(request.created_by.as_ref()),
                        requested_at: request.created_at.and_then(|time| time.0),
                        reason: self.reason(request.request_reason.as_ref()),
                        approver: id(request.reviewer_id.as_ref()),
                        approved_at: request.updated_at.and_then(|time| time.0),
                        comment: self.reason(request.decision_comment.as_ref()),
                        ..RequestFacts::default()
                    };
                    (request.id.to_string(), facts)
                });
                Ok(Page { made: made.collect::<Vec<_>>(), next_token: token(page.next_token.as_ref()), items: page.items.len() })
            });
            match page.await {
                Ok(page) => requests.by_id.extend(page),
                Err(error) if may_begin_again(&error, &tokens) => tokens.restart(),
                Err(error) => {
                    self.fail_part(facts, "subscription-requests", error)?;
                    requests.is_whole = false;
                    break;
                }
            }
        }
        Ok(requests)
    }

    fn reason(&self, reason: Option<&Reason<'_>>) -> Option<String> {
        let reason = reason?;
        if self.settings.keeps(&Keep::RequestReasons) {
            return Some(reason.scrubbed(self.ports.masked));
        }
        reason.leave_out(self.ports.masked);
        None
    }

    /// Puts names to ids, where the settings ask for names.
    async fn name_people(
        &self,
        facts: &DomainFacts,
        mut requests: HashMap<String, RequestFacts>,
    ) -> Result<HashMap<String, RequestFacts>, CrawlError> {
        if !self.settings.keeps(&Keep::PersonNames) {
            return Ok(requests);
        }
        let people = requests.values().flat_map(|request| [&request.requester, &request.approver]).flatten().cloned();
        let people: BTreeSet<String> = people.take(LOOK_UPS_MAX * 2).collect();
        let mut names: HashMap<String, String> = HashMap::new();
        for id in people.into_iter().take(LOOK_UPS_MAX) {
            let asked = Asked::get(ReadOperation::GetUserProfile, &[&facts.id, &id]);
            match self.read_once(&asked, |body| Ok(full_name(&serde_json::from_slice(body)?))).await {
                Ok(name) => names.extend(name.map(|name| (id, name))),
                Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Invalid) => {}
                Err(error) => {
                    self.fail_part(facts, "people", error)?;
                    break;
                }
            }
        }
        for request in requests.values_mut() {
            let name = |id: &Option<String>| id.as_ref().and_then(|id| names.get(id)).cloned();
            request.requester_name = name(&request.requester);
            request.approver_name = name(&request.approver);
        }
        Ok(requests)
    }

    /// How many columns the filters of each subscription let through, by asset and filters. Owners alone may list filters: where the role
    /// is none, the number is not known.
    async fn read_filters(&self, facts: &DomainFacts, subscriptions: &Subscriptions) -> Result<HashMap<String, usize>, CrawlError> {
        let filtered = subscriptions.found.iter().map(|found| &found.place).filter(|place| !place.filters.is_empty());
        let mut by_asset: HashMap<&str, Vec<&SubscriptionPlace>> = HashMap::new();
        for place in filtered {
            by_asset.entry(place.entity.as_deref().unwrap_or_default()).or_default().push(place);
        }
        let mut readable = HashMap::new();
        for (asset, places) in by_asset.into_iter().filter(|(asset, _)| !asset.is_empty()).take(LOOK_UPS_MAX) {
            match self.filter_columns(facts, asset).await {
                Ok(filters) => {
                    for place in places {
                        let columns: BTreeSet<&String> = place.filters.iter().filter_map(|id| filters.get(id)).flatten().collect();
                        if place.filters.iter().all(|id| filters.contains_key(id)) {
                            readable.insert(filters_key(place), columns.len());
                        }
                    }
                }
                Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Denied) => {}
                Err(error) => {
                    self.fail_part(facts, "asset-filters", error)?;
                    break;
                }
            }
        }
        Ok(readable)
    }

    /// The columns that each filter of an asset lets through.
    async fn filter_columns(&self, facts: &DomainFacts, asset: &str) -> Result<HashMap<String, Vec<String>>, ApiError> {
        let asked = Asked::get(ReadOperation::ListAssetFilters, &[&facts.id, asset]).paged(PAGE_ITEMS_MAX);
        let filters = self
            .read_list(&asked, |body| {
                let page: AssetFiltersPage<'_> = serde_json::from_slice(body)?;
                let with_columns = page.items.iter().filter_map(|filter| {
                    let columns = filter.effective_column_names.as_ref()?;
                    Some((filter.id.to_string(), columns.iter().map(ToString::to_string).collect::<Vec<_>>()))
                });
                Ok(Page { made: with_columns.collect(), next_token: token(page.next_token.as_ref()), items: page.items.len() })
            })
            .await?;
        Ok(filters.into_iter().collect())
    }
}

fn filters_key(place: &SubscriptionPlace) -> String {
    format!("{}|{}", place.entity.as_deref().unwrap_or_default(), place.filters.join(","))
}

/// The name of a person, or of the role that acts.
fn full_name(answer: &UserProfileAnswer<'_>) -> Option<String> {
    let details = answer.details.as_ref()?;
    let sso = details.sso.as_ref().map(|sso| {
        let names = [sso.first_name.as_ref(), sso.last_name.as_ref()].into_iter().flatten().map(ProfileName::whole);
        let name = names.filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ");
        if name.is_empty() { sso.username.as_ref().map_or(String::new(), |name| name.whole().to_owned()) } else { name }
    });
    let iam = details.iam.as_ref().and_then(|iam| iam.arn.as_ref()).map(|arn| arn.whole().to_owned());
    sso.filter(|name| !name.is_empty()).or(iam).filter(|name| !name.is_empty())
}
