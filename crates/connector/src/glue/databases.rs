//! The databases that can be seen, by name only: for whoever chooses what to crawl.

use serde_json::{Value, json};

use super::naming::{Naming, OWN_CATALOG, account_of};
use super::page::{CatalogsPage, DatabasesPage};
use crate::paging::{Tokens, read_understood};
use crate::port::{ApiError, Disposition, ReadApi, ReadOperation, ReadRequest};
use crate::progress::Progress;
use crate::run::Failure;
use model::{ConnectionName, Scope};

/// The most catalogs that one list looks into.
const CATALOGS_MAX: usize = 100;

/// The most databases that one list has, all catalogs together.
const DATABASES_MAX: usize = 2_000;

/// Databases by catalog. Both names are those that the patterns of a filter are compared with.
#[derive(Debug, Default)]
pub struct DatabaseList {
    /// Catalogs with their databases, in the order of the service.
    pub catalogs: Vec<CatalogDatabases>,
    /// Whether all that can be seen is in the list; else the bound on its length cut it.
    pub is_whole: bool,
    /// What could not be listed.
    pub failures: Vec<Failure>,
}

/// The databases of one catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogDatabases {
    /// The name of the catalog: `AwsDataCatalog`, or an id without the account's number.
    pub catalog: String,
    /// The names of its databases.
    pub databases: Vec<String>,
}

/// Lists the databases of every catalog that can be seen, up to a bound. A catalog that cannot be read costs that catalog only; where
/// catalogs cannot be listed, the account's own one remains.
///
/// # Errors
/// When nothing else can work either: wrong credentials, or a refusal by our own rules.
pub async fn list_databases<A: ReadApi>(api: &A) -> Result<DatabaseList, ApiError> {
    let mut list = DatabaseList { is_whole: true, ..DatabaseList::default() };
    let (catalogs, account) = match list_catalogs(api).await {
        Ok(listed) => {
            list.is_whole = listed.is_whole;
            (listed.catalogs, listed.account)
        }
        Err(error) => {
            list.fail("catalogs", error)?;
            (vec![(OWN_CATALOG.to_owned(), None)], None)
        }
    };
    let mut room = DATABASES_MAX;
    for (catalog, id) in catalogs {
        match databases_of(api, id.as_deref(), room).await {
            Ok((databases, is_whole)) => {
                room -= databases.len();
                list.is_whole &= is_whole;
                list.add(catalog, databases, account.as_deref());
            }
            // A federated parent has no databases of its own.
            Err(error) if error.kind.disposition() == Disposition::Gone && catalog != OWN_CATALOG => {}
            Err(error) => list.fail(&catalog, error)?,
        }
    }
    Ok(list)
}

impl DatabaseList {
    /// A database that is shared from another account goes by that account's catalog, as in a crawl.
    fn add(&mut self, catalog: String, databases: Vec<Named>, account: Option<&str>) {
        let first = self.catalogs.len();
        self.catalogs.push(CatalogDatabases { catalog, databases: Vec::new() });
        for Named { owner, name } in databases {
            let other = owner.filter(|owner| account.is_some_and(|account| account != owner));
            let at = match &other {
                None => first,
                Some(owner) => self.catalogs.iter().position(|known| known.catalog == *owner).unwrap_or(self.catalogs.len()),
            };
            if at == self.catalogs.len() {
                self.catalogs.push(CatalogDatabases { catalog: other.unwrap_or_default(), databases: Vec::new() });
            }
            self.catalogs[at].databases.push(name);
        }
    }

    fn fail(&mut self, scope: &str, error: ApiError) -> Result<(), ApiError> {
        if error.kind.disposition() == Disposition::FailRun {
            return Err(error);
        }
        self.failures.push(Failure { scope: Scope::new(scope), error });
        Ok(())
    }
}

/// A database with the account that owns it, where that may be another one.
struct Named {
    owner: Option<String>,
    name: String,
}

/// What a list of catalogs tells.
struct ListedCatalogs {
    /// Name and id.
    catalogs: Vec<(String, Option<String>)>,
    account: Option<String>,
    is_whole: bool,
}

/// The catalogs, the account's own one first where the service does not list it.
async fn list_catalogs<A: ReadApi>(api: &A) -> Result<ListedCatalogs, ApiError> {
    let input = json!({"Recursive": true, "IncludeRoot": true});
    let take = |body: &[u8]| {
        let page = serde_json::from_slice::<CatalogsPage<'_>>(body)?;
        let ids = page.catalog_list.iter().map(|catalog| {
            let arn = catalog.resource_arn.as_deref();
            let account = arn.filter(|arn| arn.ends_with(":catalog")).and_then(|arn| arn.split(':').nth(4));
            catalog.catalog_id.as_deref().or(account).map(str::to_owned)
        });
        Ok((ids.collect(), page.next_token.as_deref().map(str::to_owned)))
    };
    let (ids, is_whole): (Vec<Option<String>>, bool) = list(api, ReadOperation::GetCatalogs, input, CATALOGS_MAX, take).await?;
    let given = || ids.iter().flatten().map(String::as_str);
    let account = given().find(|id| account_of(id) == Some(id)).or_else(|| given().find_map(account_of));
    let account = account.map(str::to_owned);
    // Only the account matters for the names of catalogs.
    let naming = Naming::new(ConnectionName::new(super::CONNECTOR, 0), account.clone());
    let mut catalogs: Vec<_> = ids.iter().map(|id| (naming.catalog_name(id.as_deref()).into_owned(), id.clone())).collect();
    if !catalogs.iter().any(|(name, _)| name == OWN_CATALOG) {
        catalogs.insert(0, (OWN_CATALOG.to_owned(), account.clone()));
    }
    Ok(ListedCatalogs { catalogs, account, is_whole })
}

async fn databases_of<A: ReadApi>(api: &A, catalog_id: Option<&str>, limit: usize) -> Result<(Vec<Named>, bool), ApiError> {
    let mut input = json!({"ResourceShareType": "ALL", "MaxResults": 100});
    if let (Some(id), Some(object)) = (catalog_id, input.as_object_mut()) {
        object.insert("CatalogId".to_owned(), json!(id));
    }
    let take = |body: &[u8]| {
        let page = serde_json::from_slice::<DatabasesPage<'_>>(body)?;
        let named = page.database_list.iter().map(|database| {
            let is_link = database.target_database.is_some();
            let owner = database.catalog_id.as_deref().filter(|id| !is_link && account_of(id) == Some(id));
            Named { owner: owner.map(str::to_owned), name: database.name.to_string() }
        });
        Ok((named.collect(), page.next_token.as_deref().map(str::to_owned)))
    };
    list(api, ReadOperation::GetDatabases, input, limit, take).await
}

/// What a page holds, and the token of the next one.
type Taken<T> = (Vec<T>, Option<String>);

/// Reads pages until there are no more or `limit` is reached. Says besides whether that is all.
async fn list<A: ReadApi, T>(
    api: &A,
    operation: ReadOperation,
    input: Value,
    limit: usize,
    take: impl Fn(&[u8]) -> Result<Taken<T>, serde_json::Error>,
) -> Result<(Vec<T>, bool), ApiError> {
    let progress = Progress::default();
    let mut tokens = Tokens::new(operation);
    let mut items = Vec::new();
    while !tokens.is_done() && items.len() < limit {
        let request = || {
            let mut input = input.clone();
            if let (Some(token), Some(object)) = (tokens.token(), input.as_object_mut()) {
                object.insert("NextToken".to_owned(), json!(token));
            }
            ReadRequest::json(operation, &input)
        };
        let (_, (page, token)) = read_understood(api, &progress, request, |body| take(body)).await?;
        tokens.advance(token.as_deref(), page.len())?;
        items.extend(page);
    }
    let is_whole = tokens.is_done() && items.len() <= limit;
    items.truncate(limit);
    Ok((items, is_whole))
}
