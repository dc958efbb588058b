//! Assets and listings that exist only as numbers until a page shows them, so that a hundred thousand of them cost nothing to have.
//!
//! Asset number n of a project is table number n of the generated Glue database of that project, with the same columns.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value, json};

use super::bulk::{BulkTables, Shape, TEMPLATES, columns_of, variant_of};
use super::datazone::{Domain, Thing};
use super::studio::complete_listing;
use super::template::{Template, push_decimal, scatter};
use super::{Account, Database, TableSet};
use crate::datazone::{asset_item, listing_item};

const DOMAIN: &str = "dzd_bulk0000000001";
const ASSET_PREFIX: &str = "bulkasset";
const LISTING_PREFIX: &str = "bulklisting";
const NUMBER_DIGITS: usize = 10;
/// 2020-01-01, the first creation time.
const CREATED_FROM_SECONDS: u64 = 1_577_836_800;
/// Six years.
const CREATED_WITHIN_SECONDS: u64 = 6 * 365 * 86_400;
const GLOSSARY_TERMS: u64 = 16;

#[derive(Clone, Copy, Debug)]
enum Slot {
    AssetId,
    ListingId,
    Table,
    Database,
    Project,
    CreatedSeconds,
    PublishedSeconds,
}

const SLOTS: [(&str, Slot); 7] = [
    ("@asset@", Slot::AssetId),
    ("@listing@", Slot::ListingId),
    ("@table@", Slot::Table),
    ("@database@", Slot::Database),
    ("@project@", Slot::Project),
    ("\"@created@\"", Slot::CreatedSeconds),
    ("\"@published@\"", Slot::PublishedSeconds),
];

/// What one kind of thing is written by: as a document, and as an item of a search without and with forms.
#[derive(Clone, Debug)]
struct Written {
    document: Template<Slot>,
    plain: Template<Slot>,
    with_forms: Template<Slot>,
}

#[derive(Debug)]
struct Templates {
    asset: Vec<Written>,
    listing: Vec<Written>,
}

/// The generated assets of a domain, each with its listing.
#[derive(Clone, Debug)]
pub(crate) struct BulkStudio {
    templates: Arc<Templates>,
    projects: Arc<Vec<(String, String)>>,
    tables: BulkTables,
    per_project: u64,
}

/// One generated asset or listing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Generated<'d> {
    studio: &'d BulkStudio,
    thing: Thing,
    pub(crate) index: u64,
}

impl BulkStudio {
    fn new(domain: &Domain, (account, region): (&str, &str), sizes: (u32, u64, usize)) -> Self {
        let (projects, per_project, columns) = sizes;
        let place = (account, region);
        let pairs = (0..TEMPLATES).map(|variant| written_pair(domain, place, variant, columns));
        let (asset, listing) = pairs.unzip();
        Self {
            templates: Arc::new(Templates { asset, listing }),
            projects: Arc::new((0..projects).map(|number| (project_id(number), database_name(number))).collect()),
            tables: BulkTables::new(&Shape::new(0), account, "", per_project),
            per_project,
        }
    }

    pub(crate) fn count(&self, thing: Thing) -> u64 {
        if prefix(thing).is_some() { self.per_project * self.projects.len() as u64 } else { 0 }
    }

    pub(crate) fn at(&self, thing: Thing, index: u64) -> Generated<'_> {
        Generated { studio: self, thing, index }
    }

    pub(crate) fn index_of(&self, thing: Thing, key: &str) -> Option<u64> {
        let digits = key.strip_prefix(prefix(thing)?).filter(|digits| digits.len() == NUMBER_DIGITS)?;
        digits.parse().ok().filter(|index| *index < self.count(thing))
    }

    /// The first thing whose key sorts after `key`.
    pub(crate) fn first_after(&self, thing: Thing, key: &str) -> u64 {
        if let Some(index) = self.index_of(thing, key) {
            return index + 1;
        }
        let (mut low, mut high) = (0, self.count(thing));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.at(thing, middle).key().as_str() <= key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn project(&self, index: u64) -> &(String, String) {
        // An index is below the count, which a domain without projects has none of.
        &self.projects[usize::try_from(index / self.per_project.max(1)).unwrap_or(0)]
    }
}

// The kinds of things that are generated.
fn prefix(thing: Thing) -> Option<&'static str> {
    if thing == Thing::Asset {
        return Some(ASSET_PREFIX);
    }
    (thing == Thing::Listing).then_some(LISTING_PREFIX)
}

impl<'d> Generated<'d> {
    pub(crate) fn key(&self) -> String {
        let mut key = prefix(self.thing).unwrap_or_default().as_bytes().to_vec();
        push_decimal(&mut key, self.index, NUMBER_DIGITS);
        String::from_utf8(key).unwrap_or_default()
    }

    pub(crate) fn text(&self, member: &str) -> Cow<'d, str> {
        match member {
            "owningProjectId" => Cow::Borrowed(self.studio.project(self.index).0.as_str()),
            "typeIdentifier" if self.thing == Thing::Asset => Cow::Borrowed("amazon.datazone.GlueTableAssetType"),
            "entityType" if self.thing == Thing::Listing => Cow::Borrowed("GlueTableAssetType"),
            "id" | "listingId" => Cow::Owned(self.key()),
            "entityId" => Cow::Owned(self.studio.at(Thing::Asset, self.index).key()),
            "name" => Cow::Owned(self.studio.tables.name(self.number())),
            _ => Cow::Borrowed(""),
        }
    }

    pub(crate) fn created_ms(&self) -> i64 {
        i64::try_from(self.created_seconds() * 1_000).unwrap_or(i64::MAX)
    }

    pub(crate) fn document(&self) -> Value {
        serde_json::from_slice(&self.render(&self.written_by().document)).unwrap_or_default()
    }

    /// This thing as an item of a search.
    pub(crate) fn item(&self, with_forms: bool) -> Vec<u8> {
        let written = self.written_by();
        self.render(if with_forms { &written.with_forms } else { &written.plain })
    }

    // A listing has the time at which it was published.
    fn created_seconds(&self) -> u64 {
        let seconds = CREATED_FROM_SECONDS + scatter(self.index) % CREATED_WITHIN_SECONDS;
        if self.thing == Thing::Listing { seconds + 3_600 } else { seconds }
    }

    /// The number in its project.
    fn number(&self) -> u64 {
        self.index % self.studio.per_project.max(1)
    }

    fn written_by(&self) -> &'d Written {
        let Templates { asset, listing } = &*self.studio.templates;
        let variant = usize::try_from(variant_of(self.number())).unwrap_or(0);
        if self.thing == Thing::Listing { &listing[variant] } else { &asset[variant] }
    }

    fn render(&self, template: &Template<Slot>) -> Vec<u8> {
        let mut table = Vec::with_capacity(32);
        self.studio.tables.name_into(self.number(), &mut table);
        let (project, database) = self.studio.project(self.index);
        let mut out = Vec::with_capacity(8 * 1_024);
        template.render_into(&mut out, |slot, out| match slot {
            Slot::AssetId => push_id(out, ASSET_PREFIX, self.index),
            Slot::ListingId => push_id(out, LISTING_PREFIX, self.index),
            Slot::Table => out.extend_from_slice(&table),
            Slot::Database => out.extend_from_slice(database.as_bytes()),
            Slot::Project => out.extend_from_slice(project.as_bytes()),
            Slot::CreatedSeconds => push_decimal(out, CREATED_FROM_SECONDS + scatter(self.index) % CREATED_WITHIN_SECONDS, 1),
            Slot::PublishedSeconds => push_decimal(out, self.created_seconds(), 1),
        });
        out
    }
}

fn push_id(out: &mut Vec<u8>, prefix: &str, index: u64) {
    out.extend_from_slice(prefix.as_bytes());
    push_decimal(out, index, NUMBER_DIGITS);
}

fn project_id(number: u32) -> String {
    format!("bulkproject{number:05}")
}

fn database_name(number: u32) -> String {
    format!("warehouse_{number:05}")
}

fn written_pair(domain: &Domain, place: (&str, &str), variant: u64, columns: usize) -> (Written, Written) {
    let asset = asset(place, variant, columns);
    let mut listing = json!({
        "listingId": "@listing@", "listingRevision": "1", "entityId": "@asset@", "entityRevision": "1",
        "createdAt": "@published@", "listingCreatedBy": profile_id(0),
    });
    complete_listing(&mut listing, &asset, domain);
    (written(&asset, asset_item), written(&listing, listing_item))
}

fn written(document: &Value, item: impl Fn(&Value, bool) -> Value) -> Written {
    let template = |value: Value| Template::parse(&value.to_string(), &SLOTS);
    Written {
        document: template(document.clone()),
        plain: template(item(document, false)),
        with_forms: template(item(document, true)),
    }
}

fn asset((account, region): (&str, &str), variant: u64, columns: usize) -> Value {
    let arn = format!("arn:aws:glue:{region}:{account}:table/@database@/@table@");
    let columns: Vec<Value> = columns_of(variant, columns)
        .iter()
        .map(|column| json!({"columnName": column["Name"], "dataType": column["Type"], "description": column["Comment"]}))
        .collect();
    let business: Vec<Value> = columns
        .iter()
        .take(3)
        .map(|column| json!({"columnIdentifier": column["columnName"], "name": column["columnName"], "glossaryTerms": [term_id(variant)]}))
        .collect();
    let form = |name: &str, content: &Value| json!({"formName": name, "typeName": format!("amazon.datazone.{name}Type"), "typeRevision": "9", "content": content.to_string()});
    let table = json!({"catalogId": account, "databaseName": "@database@", "tableName": "@table@", "region": region, "tableArn": arn,
        "tableDescription": "Generated table @table@", "sourceClassification": "parquet", "columns": columns});
    json!({
        "id": "@asset@", "domainId": DOMAIN, "name": "@table@", "typeIdentifier": "amazon.datazone.GlueTableAssetType",
        "typeRevision": "1", "revision": "1", "externalIdentifier": format!("{arn}.@project@"),
        "description": format!("Generated asset of kind {variant}, loaded hourly from the operational systems"),
        "owningProjectId": "@project@", "glossaryTerms": [term_id(variant), term_id(variant + TEMPLATES)],
        "createdAt": "@created@", "createdBy": profile_id(0), "firstRevisionCreatedAt": "@created@",
        "firstRevisionCreatedBy": profile_id(0),
        "formsOutput": [
            form("GlueTableForm", &table),
            form("AssetCommonDetailsForm", &json!({"sourceIdentifier": arn, "summary": "Generated for measurements"})),
            form("ColumnBusinessMetadataForm", &json!({"columnsBusinessMetadata": business})),
            form("SubscriptionTermsForm", &json!({"approvalRequired": true}))],
    })
}

fn term_id(number: u64) -> String {
    format!("bulkterm{:03}", number % GLOSSARY_TERMS)
}

fn profile_id(number: usize) -> String {
    format!("0a1b2c3d-{number:04}-4000-8000-{number:012}")
}

/// Adds the domain with everything in it, and the Glue databases that its assets point at.
pub(super) fn put_domain(account: &mut Account, projects: u32, assets_per_project: u64, columns: usize) {
    let mut domain = Domain::new(json!({
        "id": DOMAIN, "name": "Generated", "description": "A generated domain", "status": "AVAILABLE", "domainVersion": "V2",
        "arn": format!("arn:aws:datazone:{}:{}:domain/{DOMAIN}", account.region, account.id), "managedAccountId": account.id,
        "rootDomainUnitId": "bulkroot", "createdAt": CREATED_FROM_SECONDS,
        "domainExecutionRole": format!("arn:aws:iam::{}:role/service-role/AmazonSageMakerDomainExecution", account.id),
    }));
    domain.put(Thing::DomainUnit, json!({"id": "bulkroot", "domainId": DOMAIN, "name": "Generated", "owners": []}));
    let members = put_people(account, &mut domain);
    put_glossary(&mut domain);
    for number in 0..projects {
        domain.put(
            Thing::Project,
            json!({
                "domainId": DOMAIN, "id": project_id(number), "name": format!("Project {number:05}"), "projectStatus": "ACTIVE",
                "description": format!("Generated project {number}"), "domainUnitId": "bulkroot", "createdBy": profile_id(0),
                "createdAt": "2020-01-01T00:00:00Z", "lastUpdatedAt": "2024-01-01T00:00:00Z", "$members": members,
            }),
        );
    }
    domain.bulk = Some(BulkStudio::new(&domain, (&account.id, &account.region), (projects, assets_per_project, columns)));
    account.datazone.domains.insert(DOMAIN.to_owned(), domain);
    put_databases(account, projects, assets_per_project, columns);
}

// Whoever may sign is a member of all projects.
fn put_people(account: &Account, domain: &mut Domain) -> Vec<Value> {
    let user = format!("arn:aws:iam::{}:user/crawler", account.id);
    let arns = account.role_arns().into_iter().chain([user]);
    let people = arns.enumerate().map(|(number, arn)| {
        let id = profile_id(number);
        domain.put(Thing::User, json!({"id": id, "type": "IAM", "status": "ACTIVATED", "details": {"iam": {"arn": arn}}}));
        json!({"memberDetails": {"user": {"userId": id}}, "designation": "PROJECT_CONTRIBUTOR"})
    });
    people.collect()
}

fn put_glossary(domain: &mut Domain) {
    let owner = project_id(0);
    domain.put(
        Thing::Glossary,
        json!({"domainId": DOMAIN, "id": "bulkglossary", "name": "Generated terms", "owningProjectId": owner, "status": "ENABLED"}),
    );
    for number in 0..GLOSSARY_TERMS {
        domain.put(
            Thing::GlossaryTerm,
            json!({"domainId": DOMAIN, "glossaryId": "bulkglossary", "id": term_id(number), "name": format!("Term {number}"),
                "shortDescription": format!("Generated term {number}"), "status": "ENABLED"}),
        );
    }
}

fn put_databases(account: &mut Account, projects: u32, tables: u64, columns: usize) {
    let shape = Shape::new(columns);
    let catalog = account.id.clone();
    for number in 0..projects {
        let name = database_name(number);
        let mut database = Database::new(json!({"Name": name, "CatalogId": catalog, "CreateTime": CREATED_FROM_SECONDS}));
        database.tables = TableSet::generated(BulkTables::new(&shape, &catalog, &name, tables));
        account.put_database_in(&catalog, &name, database);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_point_at_tables_that_exist_with_the_same_columns() {
        let account = Account::bulk_datazone(3, 50, 12);
        let asset = account.domain_thing(DOMAIN, Thing::Asset, "bulkasset0000000119").expect("asset 19 of the last project");
        let form: Value = serde_json::from_str(asset["formsOutput"][0]["content"].as_str().expect("text")).expect("JSON");
        assert_eq!(form["databaseName"], "warehouse_00002");
        let table = account.table("warehouse_00002", form["tableName"].as_str().expect("name")).expect("table");
        let named = |columns: &Value, member: &str| -> Vec<Value> {
            columns.as_array().expect("columns").iter().map(|column| column[member].clone()).collect()
        };
        assert_eq!(named(&form["columns"], "columnName"), named(&table["StorageDescriptor"]["Columns"], "Name"));
        assert_eq!(form["columns"].as_array().map(Vec::len), Some(12));
    }

    #[test]
    fn keys_lead_back_to_their_numbers_and_resuming_misses_nothing() {
        let account = Account::bulk_datazone(2, 30, 1);
        let ids = account.domain_ids(DOMAIN, Thing::Listing);
        assert!(ids.len() == 60 && ids.is_sorted());
        let domain = &account.datazone.domains[DOMAIN];
        for (at, id) in ids.iter().enumerate() {
            assert_eq!(domain.after(Thing::Listing, Some(id)).count(), 59 - at);
        }
        assert_eq!(domain.after(Thing::Listing, Some("bulklisting00000000050")).count(), 59 - 5);
    }
}
