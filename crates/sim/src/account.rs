//! The simulated account: catalogs, databases, tables and the rest of Glue, held as the JSON documents that Glue would answer.

mod bulk;
mod bulk_studio;
mod datazone;
mod domain_mutation;
mod mutation;
mod realistic;
mod studio;
mod tables;
mod template;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::identity::{Identities, Keys, Role};

pub(crate) use bulk::BulkTables;
pub use datazone::Thing;
pub(crate) use datazone::{DataZone, Domain, Found as FoundThing};
pub use domain_mutation::DomainMutation;
pub use mutation::{Mutation, MutationError};
pub(crate) use tables::{Found, TableEntry, TableSet};

/// Whether Lake Formation lets the caller see an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Visibility {
    #[default]
    Visible,
    Hidden,
}

/// The kinds of Glue object that live beside the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Collection {
    Job,
    Workflow,
    Trigger,
    Crawler,
    Connection,
    Function,
}

/// When `GetTables` applies its `Expression`; AWS does not document it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpressionRule {
    /// Full pages of matching tables.
    #[default]
    FilterThenPage,
    /// Pages are cut first, so they come short or empty, with a token.
    PageThenFilter,
    /// `InvalidInputException`.
    Refuse,
}

/// What an `Expression` means; in the field both regular expressions and `prefix*` are seen to work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpressionMatch {
    /// A regular expression over the whole name.
    #[default]
    Whole,
    /// A regular expression found anywhere in the name.
    Anywhere,
    /// `*` stands for any characters (but `.*` at the end keeps its meaning), over the whole name.
    Glob,
}

/// How the service behaves where AWS leaves room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "snake_case")]
pub struct Settings {
    pub expression_rule: ExpressionRule,
    pub expression_match: ExpressionMatch,
    /// Milliseconds after which a `NextToken` is refused.
    pub token_lifetime_ms: i64,
    /// Each n-th page of a listing is empty but carries a token; 0 is never.
    pub empty_page_every: u64,
    /// Pages hold at most this many items whatever was asked for; 0 is no such limit.
    pub page_items_max: usize,
    /// DataZone throttles what exceeds its published rates, with a burst of one second.
    pub published_rates: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            expression_rule: ExpressionRule::default(),
            expression_match: ExpressionMatch::default(),
            token_lifetime_ms: 24 * 3_600 * 1_000,
            empty_page_every: 0,
            page_items_max: 0,
            published_rates: false,
        }
    }
}

/// A whole AWS account as the simulation serves it.
#[derive(Clone, Debug)]
pub struct Account {
    pub(crate) id: String,
    pub(crate) region: String,
    /// By full catalog id; those of other accounts are what they share with this one.
    pub(crate) catalogs: BTreeMap<String, Catalog>,
    pub(crate) resources: BTreeMap<Collection, BTreeMap<String, Value>>,
    /// By resource ARN.
    pub(crate) tags: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) datazone: DataZone,
    pub(crate) identities: Identities,
    pub(crate) settings: Settings,
}

#[derive(Clone, Debug)]
pub(crate) struct Catalog {
    pub(crate) document: Value,
    pub(crate) databases: BTreeMap<String, Database>,
}

#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) document: Value,
    pub(crate) visibility: Visibility,
    pub(crate) tables: TableSet,
}

impl Database {
    pub(crate) fn new(document: Value) -> Self {
        Self { document, visibility: Visibility::Visible, tables: TableSet::default() }
    }

    pub(crate) fn is_visible(&self) -> bool {
        self.visibility == Visibility::Visible
    }
}

impl Account {
    /// An account with nothing in it but its own catalog, one user and one role.
    #[must_use]
    pub fn empty(id: &str, region: &str) -> Self {
        let mut account = Self {
            id: id.to_owned(),
            region: region.to_owned(),
            catalogs: BTreeMap::new(),
            resources: BTreeMap::new(),
            tags: BTreeMap::new(),
            datazone: DataZone::default(),
            identities: Identities::of_account(id),
            settings: Settings::default(),
        };
        account.put_catalog(json!({
            "CatalogId": id, "Name": id, "ResourceArn": format!("arn:aws:glue:{region}:{id}:catalog"),
            "CreateTime": 1_600_000_000.0, "UpdateTime": 1_600_000_000.0,
        }));
        account
    }

    /// `databases` × `tables_per_database` tables of `columns` columns, written on demand: size costs no memory and no start-up time.
    #[must_use]
    pub fn bulk(databases: u32, tables_per_database: u64, columns: usize) -> Self {
        let mut account = Self::empty("111122223333", "eu-west-1");
        let shape = bulk::Shape::new(columns);
        for number in 0..databases {
            let name = format!("warehouse_{number:05}");
            let catalog = account.id.clone();
            let mut database = Database::new(json!({
                "Name": name, "CatalogId": catalog, "Description": format!("Generated database {number}"),
                "LocationUri": format!("s3://isinglass-bulk/{name}/"), "CreateTime": 1_650_000_000.0 + f64::from(number),
            }));
            database.tables = TableSet::generated(BulkTables::new(&shape, &catalog, &name, tables_per_database));
            account.put_database_in(&catalog, &name, database);
        }
        account
    }

    /// One DataZone domain of `projects` × `assets_per_project` published assets of `columns` columns, written on demand, and the Glue
    /// tables that they point at. Every user and role is a member of every project.
    #[must_use]
    pub fn bulk_datazone(projects: u32, assets_per_project: u64, columns: usize) -> Self {
        let mut account = Self::empty("111122223333", "eu-west-1");
        bulk_studio::put_domain(&mut account, projects, assets_per_project, columns);
        account
    }

    /// The demonstration account: 111122223333 in eu-west-1, with one of each thing that a real catalog holds.
    #[must_use]
    pub fn realistic() -> Self {
        realistic::account()
    }

    /// Every secret or business value planted in [`Account::realistic`]; none may ever leave a crawl.
    #[must_use]
    pub fn canaries() -> Vec<String> {
        realistic::canaries()
    }

    /// What [`Account::realistic`] holds for crawls that are asked to keep more: reasons, names of people, values of custom forms.
    #[must_use]
    pub fn datazone_opt_in_canaries() -> Vec<String> {
        realistic::opt_in_canaries()
    }

    /// The account's number.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The long-lived keys to sign with.
    #[must_use]
    pub fn keys(&self) -> Keys {
        self.identities.user_keys().unwrap_or_else(|| Keys {
            access_key_id: String::new(),
            secret_access_key: String::new(),
            session_token: None,
        })
    }

    /// Adds a long-lived key pair.
    pub fn add_user(&mut self, keys: &Keys) {
        let account = self.id.clone();
        self.identities.add_user(&account, keys);
    }

    /// Adds a role or replaces the one with its ARN.
    pub fn put_role(&mut self, role: Role) {
        self.identities.put_role(role);
    }

    /// The ARNs of the roles that can be assumed.
    #[must_use]
    pub fn role_arns(&self) -> Vec<String> {
        self.identities.roles().map(|role| role.arn.clone()).collect()
    }

    /// How the service behaves where AWS leaves room.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// The table's document as Glue would answer it, from the account's own catalog.
    #[must_use]
    pub fn table(&self, database: &str, table: &str) -> Option<Value> {
        let tables = &self.catalogs.get(&self.id)?.databases.get(database)?.tables;
        tables.get(table).map(|found| found.document())
    }

    /// The names of a database's tables in the order in which Glue lists them.
    #[must_use]
    pub fn table_names(&self, database: &str) -> Vec<String> {
        let Some(database) = self.catalogs.get(&self.id).and_then(|catalog| catalog.databases.get(database)) else {
            return Vec::new();
        };
        database.tables.after(None).map(|found| found.name().into_owned()).collect()
    }

    /// Adds a catalog by its document (`CatalogId` is its key).
    pub fn put_catalog(&mut self, document: Value) {
        let id = text(&document, "CatalogId").to_owned();
        let databases = self.catalogs.remove(&id).map(|catalog| catalog.databases).unwrap_or_default();
        self.catalogs.insert(id, Catalog { document, databases });
    }

    /// Adds a database by its document (`Name`, `CatalogId`; the account's own catalog where that is missing).
    pub fn put_database(&mut self, mut document: Value) {
        let catalog = self.own_catalog_unless_given(&mut document);
        let name = text(&document, "Name").to_owned();
        self.put_database_in(&catalog, &name, Database::new(document));
    }

    /// Adds a table by its document (`Name`, `DatabaseName`, `CatalogId`), and its database where that is missing.
    pub fn put_table(&mut self, mut document: Value) {
        let catalog = self.own_catalog_unless_given(&mut document);
        let database = text(&document, "DatabaseName").to_owned();
        let name = text(&document, "Name").to_owned();
        let known = self.catalogs.get(&catalog).is_some_and(|catalog| catalog.databases.contains_key(&database));
        if !known {
            self.put_database(json!({"Name": database, "CatalogId": catalog}));
        }
        if let Some(database) = self.database_mut(&catalog, &database) {
            database.tables.put(&name, TableEntry { document, visibility: Visibility::Visible });
        }
    }

    /// Adds a job, workflow, … by its document (`Name`, or `FunctionName`).
    pub fn put(&mut self, collection: Collection, document: Value) {
        let member = if collection == Collection::Function { "FunctionName" } else { "Name" };
        let name = text(&document, member).to_owned();
        self.resources.entry(collection).or_default().insert(name, document);
    }

    /// Adds workflows (`generated-0000`, …), for listings of more than one page.
    pub fn add_workflows(&mut self, count: u32) {
        for number in 0..count {
            self.put(Collection::Workflow, realistic::workflow(number));
        }
    }

    pub(crate) fn put_database_in(&mut self, catalog: &str, name: &str, database: Database) {
        if !self.catalogs.contains_key(catalog) {
            self.put_catalog(json!({"CatalogId": catalog, "Name": catalog}));
        }
        if let Some(catalog) = self.catalogs.get_mut(catalog) {
            catalog.databases.insert(name.to_owned(), database);
        }
    }

    pub(crate) fn database_mut(&mut self, catalog: &str, name: &str) -> Option<&mut Database> {
        self.catalogs.get_mut(catalog)?.databases.get_mut(name)
    }

    fn own_catalog_unless_given(&self, document: &mut Value) -> String {
        match document.get("CatalogId").and_then(Value::as_str) {
            Some(given) => given.to_owned(),
            None => {
                document["CatalogId"] = Value::from(self.id.clone());
                self.id.clone()
            }
        }
    }
}

/// A string member of a document, empty where there is none.
pub(crate) fn text<'d>(document: &'d Value, member: &str) -> &'d str {
    document.get(member).and_then(Value::as_str).unwrap_or_default()
}
