//! The search index over many writes: segments that are merged, assets that change and go, against what a plain look at them says.

use std::collections::{BTreeMap, BTreeSet};

use store::{SearchQuery, Store};

use crate::fresh::{Fresh, batch, connection, crawl_and_remove, table};
use crate::simulation_random::Random;

/// Words of columns. None begins with another one, and no name has one: what is found has the column.
const COLUMNS: [&str; 6] = ["amount", "currency", "birthday", "region", "voucher", "weight"];

/// The names of the tables that have a column.
fn with_column(tables: &BTreeMap<String, BTreeSet<&'static str>>, column: &str) -> BTreeSet<String> {
    tables.iter().filter(|(_, columns)| columns.contains(column)).map(|(name, _)| name.clone()).collect()
}

async fn found(store: &Store, text: &str) -> BTreeSet<String> {
    let query = SearchQuery { text: text.to_owned(), limit: 200, ..SearchQuery::default() };
    let page = store.search(&query).await.unwrap();
    assert!(!page.is_capped, "{text}");
    page.hits.into_iter().map(|hit| hit.name).collect()
}

pub(crate) async fn what_is_found_after_many_crawls_is_what_is_there(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let mut random = Random::new(17);
    let mut tables: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    // Over sixteen times sixteen writes, so that merged segments are merged again.
    for round in 0..300 {
        for _ in 0..=random.below(3) {
            let name = format!("t{:02}", random.below(40));
            if random.below(5) == 0 {
                tables.remove(&name);
            } else {
                let columns = COLUMNS.into_iter().filter(|_| random.below(3) == 0).collect();
                tables.insert(name, columns);
            }
        }
        let all = tables.iter().map(|(name, columns)| table(&format!("c/s/{name}"), &columns.iter().copied().collect::<Vec<_>>()));
        crawl_and_remove(&store, &glue, batch("s", all)).await;
        if round % 20 == 19 {
            for column in COLUMNS {
                assert_eq!(found(&store, column).await, with_column(&tables, column), "round {round}: {column}");
            }
            for pair in COLUMNS.windows(2) {
                let both = &with_column(&tables, pair[0]) & &with_column(&tables, pair[1]);
                assert_eq!(found(&store, &pair.join(" ")).await, both, "round {round}: {pair:?}");
            }
        }
    }
}

pub(crate) async fn an_index_that_is_mostly_out_of_date_is_merged_and_finds_the_same(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    // More rows than a crawl may write without the catalog being tidied after it.
    let tables = |column: &'static str| (0..6_000).map(move |number| table(&format!("c/s/t{number:04}"), &[column]));
    for (column, other) in [("amount", "weight"), ("weight", "amount"), ("amount", "weight")] {
        crawl_and_remove(&store, &glue, batch("s", tables(column))).await;
        let query = SearchQuery { text: column.to_owned(), limit: 300, ..SearchQuery::default() };
        let page = store.search(&query).await.unwrap();
        assert_eq!((page.total, page.is_capped, page.hits[0].name.as_str()), (200, true, "t0000"));
        assert!(found(&store, other).await.is_empty());
        assert_eq!(found(&store, "t5999").await, BTreeSet::from(["t5999".to_owned()]));
        let kinds = store.search_kinds(&query).await.unwrap();
        assert_eq!((kinds.len(), kinds[0].count, kinds[0].is_capped), (1, 1000, true));
    }
}
