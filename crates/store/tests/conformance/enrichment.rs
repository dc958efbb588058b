//! What people say of assets.

use model::{Kind, KnownAsset};
use store::{AuditFilter, Certificate, EnrichmentText, Hit, Matched, SearchQuery, Store, StoreError};

use crate::control::{audit_log, person, system};
use crate::fresh::{Fresh, batch, connection, crawl, crawl_and_remove, described, name, table};

async fn known(store: &Store, path: &str) -> KnownAsset {
    store.asset(&name(path)).await.unwrap().unwrap().stored().known.unwrap()
}

async fn search(store: &Store, text: &str) -> Vec<Hit> {
    store.search(&SearchQuery { text: text.to_owned(), limit: 10, ..SearchQuery::default() }).await.unwrap().hits
}

fn said(description: &str, tags: &[&str]) -> EnrichmentText {
    EnrichmentText {
        description: Some(description.to_owned()),
        owners: vec!["Grace Hopper".to_owned()],
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        certificate: Some(Certificate::Verified),
        certificate_message: Some("checked by the accountants".to_owned()),
    }
}

pub(crate) async fn what_people_say_has_versions_and_stays_whatever_a_crawl_does(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    crawl(&store, &glue, batch("s", [table("c/s/t", &["a"]), table("c/s/u", &[])])).await;
    let asset = known(&store, "c/s/t").await;
    assert_eq!(store.enrichment(asset).await.unwrap(), []);
    assert_eq!(store.set_enrichment(asset, "", 0, &said("Invoices", &["gold"]), &person(5), 10).await.unwrap(), 1);
    assert_eq!(store.set_enrichment(asset, "a", 0, &said("Net amount", &[]), &system(), 20).await.unwrap(), 1);
    let refused = store.set_enrichment(asset, "", 0, &said("x", &[]), &system(), 30).await.unwrap_err();
    assert!(matches!(refused, StoreError::Stale { version: 1, .. }), "{refused}");
    assert_eq!(store.set_enrichment(asset, "", 1, &said("All invoices", &["gold"]), &system(), 40).await.unwrap(), 2);
    let stored = store.enrichment(asset).await.unwrap();
    let versions: Vec<_> = stored.iter().map(|said| (said.path.as_str(), said.version, said.updated_ms)).collect();
    assert_eq!(versions, [("", 2, 40), ("a", 1, 20)]);
    assert_eq!(stored[0].text, said("All invoices", &["gold"]));

    crawl_and_remove(&store, &glue, batch("s", [table("c/s/u", &[])])).await;
    assert_eq!(search(&store, "invoices").await, [], "what is archived is not found");
    assert_eq!(store.enrichment(asset).await.unwrap(), stored);
    crawl(&store, &glue, batch("s", [table("c/s/t", &["a", "b"])])).await;
    assert_eq!(known(&store, "c/s/t").await, asset);
    assert_eq!(store.enrichment(asset).await.unwrap(), stored);
    assert_eq!(search(&store, "invoices").await.len(), 1, "it is found again without a word written");

    assert!(matches!(store.delete_enrichment(asset, "a", 7, &system(), 50).await.unwrap_err(), StoreError::Stale { .. }));
    store.delete_enrichment(asset, "a", 1, &system(), 50).await.unwrap();
    store.delete_enrichment(asset, "", 2, &system(), 50).await.unwrap();
    assert_eq!((store.enrichment(asset).await.unwrap().len(), search(&store, "invoices").await.len()), (0, 0));
    let log = audit_log(&store, &AuditFilter::default()).await;
    let told: Vec<_> = log.iter().map(|entry| (entry.action.as_str(), entry.target_name.as_deref())).collect();
    assert_eq!(told[..2], [("enrichment.delete", None), ("enrichment.delete", Some("a"))]);
    assert_eq!(log[0].target_id.as_deref(), Some("default/glue/1/c/s/t"));
    let nothing = KnownAsset { id: 999, kind: Kind::Table };
    let refused = store.set_enrichment(nothing, "", 0, &said("x", &[]), &system(), 0).await.unwrap_err();
    assert!(matches!(refused, StoreError::NotFound { .. }), "{refused}");
}

pub(crate) async fn assets_are_found_by_descriptions_tags_and_owners_of_people(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let named = described(table("c/s/other", &[]), "of the harbour");
    crawl(&store, &glue, batch("s", [table("c/s/t1", &["amount"]), table("c/s/harbour", &[]), named])).await;
    let asset = known(&store, "c/s/t1").await;
    store.set_enrichment(asset, "", 0, &said("Ships in the harbour", &["gold standard"]), &system(), 1).await.unwrap();
    store.set_enrichment(asset, "amount", 0, &said("Tonnage", &[]), &system(), 1).await.unwrap();
    let found = search(&store, "harbour").await;
    let names: Vec<(&str, &Matched)> = found.iter().map(|hit| (hit.name.as_str(), &hit.matched)).collect();
    assert_eq!(names, [("harbour", &Matched::Name), ("t1", &Matched::Enrichment), ("other", &Matched::Description)]);
    for text in ["gold", "Hopper", "tonnage", "ships tonn", "standard gold", "ships harb"] {
        let found = search(&store, text).await;
        assert_eq!(found.first().map(|hit| (hit.name.as_str(), hit.matched.clone())), Some(("t1", Matched::Enrichment)), "{text}");
    }
    let schemas = SearchQuery { text: "gold".to_owned(), kinds: vec![Kind::Schema], limit: 10, ..SearchQuery::default() };
    assert_eq!(store.search(&schemas).await.unwrap().hits, []);
    store.set_enrichment(asset, "", 1, &said("Ships", &["silver"]), &system(), 2).await.unwrap();
    assert_eq!((search(&store, "gold").await.len(), search(&store, "silver").await.len()), (0, 1));
    // A name that people typed before is still the better answer.
    assert_eq!(search(&store, "t1").await[0].matched, Matched::Name);
}
