//! The checks before a crawl: a line each, with what to do where one does not pass.

use serde_json::{Value, json};

use super::naming::OWN_CATALOG;
use super::page::{CatalogsPage, DatabasesPage, JobsPage, TablesPage, WorkflowNamesPage};
use super::settings::{Section, Settings};
use crate::check::{Check, CheckSink, CheckState};
use crate::port::{ErrorKind, ReadApi, ReadOperation, ReadRequest};

/// How many databases are tried for one that shows a table.
const DATABASES_TRIED_MAX: usize = 5;

const LAKE_FORMATION_REMEDY: &str = "If there are databases, Lake Formation hides them: make the role a read-only Lake Formation administrator \
    (Data lake settings, ReadOnlyAdmins) or grant it DESCRIBE on what it shall see.";

/// Runs every check that the settings ask for, one after the other. Sign-in has been checked by whoever made `api`.
pub async fn preflight<A: ReadApi>(api: &A, settings: &Settings, done: CheckSink<'_>) {
    let (catalogs, account) = check_catalogs(api, settings).await;
    done(catalogs);
    let (databases, names) = check_databases(api, settings, account.as_deref()).await;
    done(databases);
    if settings.reads(Section::Tables) {
        done(check_tables(api, &names).await);
    }
    for (section, name, operation, input, count) in LISTS {
        if settings.reads(*section) {
            done(check_list(api, name, *operation, input(), *count).await);
        }
    }
}

type CountItems = fn(&[u8]) -> Result<usize, serde_json::Error>;

/// A list with one call: section, name, operation, smallest input, and how to count the answer.
type List = (Section, &'static str, ReadOperation, fn() -> Value, CountItems);

const LISTS: &[List] = &[
    (
        Section::Jobs,
        "jobs",
        ReadOperation::GetJobs,
        || json!({"MaxResults": 1}),
        |body| serde_json::from_slice::<JobsPage<'_>>(body).map(|page| page.jobs.len()),
    ),
    (
        Section::Workflows,
        "workflows",
        ReadOperation::ListWorkflows,
        || json!({"MaxResults": 1}),
        |body| serde_json::from_slice::<WorkflowNamesPage<'_>>(body).map(|page| page.workflows.len()),
    ),
    (Section::Triggers, "triggers", ReadOperation::GetTriggers, || json!({"MaxResults": 1}), |_| Ok(0)),
    (Section::Crawlers, "crawlers", ReadOperation::GetCrawlers, || json!({"MaxResults": 1}), |_| Ok(0)),
    (
        Section::Connections,
        "connections",
        ReadOperation::GetConnections,
        || json!({"MaxResults": 1, "HidePassword": true}),
        |_| Ok(0),
    ),
];

async fn check_catalogs<A: ReadApi>(api: &A, settings: &Settings) -> (Check, Option<String>) {
    let answer = api.read(ReadRequest::json(ReadOperation::GetCatalogs, &json!({"Recursive": true, "IncludeRoot": true}))).await;
    match answer {
        Ok(body) => {
            let page = serde_json::from_slice::<CatalogsPage<'_>>(&body);
            let count = page.as_ref().map_or(0, |page| page.catalog_list.len());
            (Check::passed("catalogs", format!("{count} catalogs can be seen on the first page")), None)
        }
        Err(error) if settings.catalog_ids.is_empty() && error.kind != ErrorKind::Credentials => {
            let message = format!("{error}; only the account's own catalog would be crawled");
            (Check { state: CheckState::Warning, message, ..Check::failed("catalogs", &error) }, None)
        }
        Err(error) => (Check::failed("catalogs", &error), None),
    }
}

async fn check_databases<A: ReadApi>(
    api: &A,
    settings: &Settings,
    account: Option<&str>,
) -> (Check, Vec<(Option<String>, String)>) {
    let own = [OWN_CATALOG.to_owned()];
    let ids = if settings.catalog_ids.is_empty() { &own[..] } else { &settings.catalog_ids };
    let mut names = Vec::new();
    for id in ids {
        let catalog_id = if id == OWN_CATALOG { account.map(str::to_owned) } else { Some(id.clone()) };
        let mut input = json!({"ResourceShareType": "ALL", "MaxResults": 100});
        if let (Some(catalog_id), Some(object)) = (&catalog_id, input.as_object_mut()) {
            object.insert("CatalogId".to_owned(), json!(catalog_id));
        }
        match api.read(ReadRequest::json(ReadOperation::GetDatabases, &input)).await {
            Ok(body) => {
                if let Ok(page) = serde_json::from_slice::<DatabasesPage<'_>>(&body) {
                    let wanted = page.database_list.iter().filter(|database| settings.filter.wants_database(id, &database.name));
                    let real = wanted.filter(|database| database.target_database.is_none());
                    names.extend(real.map(|database| (catalog_id.clone(), database.name.to_string())));
                }
            }
            Err(error) => return (Check::failed("databases", &error), names),
        }
    }
    let check = if names.is_empty() {
        Check::warning(
            "databases",
            "the call is allowed, but it shows no database that the filters let through",
            LAKE_FORMATION_REMEDY,
        )
    } else {
        Check::passed("databases", format!("{} databases on the first page", names.len()))
    };
    (check, names)
}

async fn check_tables<A: ReadApi>(api: &A, databases: &[(Option<String>, String)]) -> Check {
    if databases.is_empty() {
        return Check::passed("tables", "not tried: there is no database to try it with");
    }
    for (catalog_id, database) in databases.iter().take(DATABASES_TRIED_MAX) {
        let mut input = json!({"DatabaseName": database, "MaxResults": 1});
        if let (Some(catalog_id), Some(object)) = (catalog_id, input.as_object_mut()) {
            object.insert("CatalogId".to_owned(), json!(catalog_id));
        }
        match api.read(ReadRequest::json(ReadOperation::GetTables, &input)).await {
            Ok(body) => {
                if serde_json::from_slice::<TablesPage<'_>>(&body).is_ok_and(|page| !page.table_list.is_empty()) {
                    return Check::passed("tables", format!("tables of \"{database}\" can be read"));
                }
            }
            Err(error) => return Check::failed("tables", &error),
        }
    }
    let tried = databases.len().min(DATABASES_TRIED_MAX);
    Check::warning("tables", format!("the call is allowed, but {tried} databases show no table"), LAKE_FORMATION_REMEDY)
}

async fn check_list<A: ReadApi>(api: &A, name: &'static str, operation: ReadOperation, input: Value, count: CountItems) -> Check {
    match api.read(ReadRequest::json(operation, &input)).await {
        Ok(body) => match count(&body) {
            Ok(0) => Check::passed(name, "can be listed"),
            Ok(_) => Check::passed(name, "can be listed; there is at least one"),
            Err(error) => {
                Check::warning(name, format!("the answer is not in the documented form ({error})"), "Run the preflight again.")
            }
        },
        Err(error) => Check::failed(name, &error),
    }
}
