//! What SageMaker Unified Studio adds to the kinds of assets: containers, folders, columns, texts that are searched.

use model::attribute::Attribute;
use model::{Asset, Item, Kind, Outcome, QualifiedName};
use store::{Difference, Found, Matched, RemovalPolicy, RunEnd, SearchQuery, Store, Subject};

use crate::fresh::{Fresh, batch, begin, complete, crawl, end, exported_lines, push_column};
use crate::studio::{arn, in_studio, published, references, studio, studio_asset};

fn domain() -> Vec<Asset> {
    vec![
        studio_asset(Kind::SmusDomain, "d", "Retail"),
        studio_asset(Kind::SmusDomainUnit, "d/units/u", "Europe"),
        studio_asset(Kind::SmusProject, "d/p", "Sales"),
        studio_asset(Kind::SmusProject, "d/q", "Marketing"),
        studio_asset(Kind::Glossary, "d/glossaries/g", "Finance"),
        studio_asset(Kind::GlossaryTerm, "d/glossaries/g/t", "Revenue"),
        published("d/p/a", &arn("sales/orders"), &["id", "amount"]),
        studio_asset(Kind::SmusDataProduct, "d/p/dp", "Everything"),
        studio_asset(Kind::SmusSubscribedAsset, "d/p/subscriptions/s", "Customers"),
    ]
}

async fn listed(store: &Store, path: &str) -> (Vec<String>, Vec<String>) {
    let children = store.children(&in_studio(path), 100, None).await.unwrap();
    (children.assets.iter().map(|stored| stored.asset.name.clone()).collect(), children.folders)
}

pub(crate) async fn folders_of_domains_and_projects_are_listed(fresh: Fresh) {
    let store = fresh.open().await;
    let studio = studio(&store, 1).await;
    crawl(&store, &studio, batch("d", domain())).await;
    let both = |assets: &[&str], folders: &[&str]| {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        (owned(assets), owned(folders))
    };
    assert_eq!(listed(&store, "d").await, both(&["Sales", "Marketing"], &["glossaries", "units"]));
    assert_eq!(listed(&store, "d/p").await, both(&["Asset d/p/a", "Everything"], &["subscriptions"]));
    assert_eq!(listed(&store, "d/q").await, both(&[], &[]));
    assert_eq!(listed(&store, "d/glossaries").await, both(&["Finance"], &[]));
    assert_eq!(listed(&store, "d/glossaries/g").await, both(&["Revenue"], &[]));
    assert_eq!(listed(&store, "d/units").await, both(&["Europe"], &[]));
    assert_eq!(listed(&store, "d/p/subscriptions").await, both(&["Customers"], &[]));
    let (_, folders) = listed(&store, "d/p/a").await;
    assert_eq!(folders, Vec::<String>::new());
}

pub(crate) async fn columns_of_the_studio_are_counted_found_and_exported_as_such(fresh: Fresh) {
    let store = fresh.open().await;
    let studio = studio(&store, 1).await;
    let finished = crawl(&store, &studio, batch("d", domain())).await;
    assert_eq!((finished.counts.get(&Kind::SmusAssetSchema), finished.counts.get(&Kind::Column)), (Some(&2), None));
    let lines = exported_lines(&store, &studio).await;
    assert_eq!(finished.changes.created, lines.len() as u64);
    assert_eq!(lines.iter().filter(|line| line.contains("SageMakerUnifiedStudioAssetSchema\",\"guid")).count(), 2);
    for typed in ["default/aws-smus/1/d/p/a/amount", "default/aws-smus/1/d/p/a"] {
        let Found::One(subject) = store.find(typed).await.unwrap() else { panic!("{typed}") };
        assert_eq!(subject.qualified_name().as_str(), typed);
        assert_eq!(matches!(*subject, Subject::Column { .. }), typed.ends_with("amount"));
    }

    let mut changed = domain();
    changed.retain(|asset| asset.kind != Kind::SmusPublishedAsset);
    let mut made = published("d/p/a", &arn("sales/orders"), &["id"]);
    push_column(&mut made, "amount", "double");
    push_column(&mut made, "vat", "double");
    changed.push(made);
    let finished = crawl(&store, &studio, batch("d", changed)).await;
    assert_eq!((finished.changes.updated, finished.changes.created), (2, 1), "the asset and a column, and a new column");
    assert_eq!(finished.counts[&Kind::SmusAssetSchema], 3);
    let events = store.history(&in_studio("d/p/a")).await.unwrap();
    assert_eq!(events[0].differences.len(), 2);
    assert!(matches!(&events[0].differences[1], Difference::ColumnAdded { path, .. } if path == "vat"));
    let of_column = store.history(&in_studio("d/p/a/amount")).await.unwrap();
    assert_eq!(of_column[0].differences.len(), 1);
    let diff = store.diff(model::RunId(1), model::RunId(2), 10).await.unwrap();
    assert_eq!((diff.changed.len(), diff.changed[0].kind), (1, Kind::SmusPublishedAsset));
}

pub(crate) async fn what_lies_in_a_domain_project_or_glossary_goes_with_it(fresh: Fresh) {
    for (gone, left) in [("d", 0), ("d/p", 5), ("d/glossaries/g", 9)] {
        let fresh = fresh.another().await;
        let store = fresh.open().await;
        let studio = studio(&store, 1).await;
        crawl(&store, &studio, batch("d", domain())).await;
        // The assets below are seen again before their container turns out to be gone.
        let run = begin(&store, &studio).await;
        let seen = domain().into_iter().filter(|asset| asset.qualified_name != in_studio(gone) && keeps(asset, gone));
        run.apply(batch("d", seen)).await.unwrap();
        let missing = run.missing(&complete(&["d"]), 100).await.unwrap();
        assert_eq!(missing.iter().map(|one| one.qualified_name.clone()).collect::<Vec<_>>(), [in_studio(gone)]);
        let known = missing.into_iter().map(|one| one.known).collect();
        run.finish(RunEnd { outcome: Outcome::Complete, removal: RemovalPolicy::Confirmed, ..end(known) }).await.unwrap();
        assert_eq!(exported_lines(&store, &studio).await.len(), left, "{gone}");
    }
}

/// Containers below one that goes are not seen, or they would stay.
fn keeps(asset: &Asset, gone: &str) -> bool {
    let is_below = asset.qualified_name.as_str().starts_with(&format!("{}/", in_studio(gone)));
    !is_below || !matches!(asset.kind, Kind::SmusProject | Kind::Glossary)
}

pub(crate) async fn a_project_that_was_seen_stays_with_what_lies_in_it(fresh: Fresh) {
    let store = fresh.open().await;
    let studio = studio(&store, 1).await;
    crawl(&store, &studio, batch("d", domain())).await;
    let run = begin(&store, &studio).await;
    run.apply(batch("d", domain().into_iter().filter(|asset| asset.qualified_name == in_studio("d/p")))).await.unwrap();
    let missing = run.missing(&complete(&["d"]), 100).await.unwrap();
    let known = missing.into_iter().filter(|one| one.qualified_name == in_studio("d")).map(|one| one.known).collect();
    run.finish(RunEnd { removal: RemovalPolicy::Confirmed, ..end(known) }).await.unwrap();
    // The project, what lies in it, and the columns of the published asset.
    assert_eq!(exported_lines(&store, &studio).await.len(), 6);
}

pub(crate) async fn technical_names_summaries_and_terms_are_searched(fresh: Fresh) {
    let store = fresh.open().await;
    let studio = studio(&store, 1).await;
    let mut made = published("d/p/a", &arn("sales/orders"), &[]);
    made.name = "Customer purchases".to_owned();
    made.attributes.set(Attribute::SmusAssetTechnicalName, "fct_order_lines");
    made.attributes.set(Attribute::SmusAssetSummary, "Every basket of the shop");
    let mut term = studio_asset(Kind::GlossaryTerm, "d/glossaries/g/t", "Revenue");
    term.attributes.set(Attribute::ShortDescription, "Income of a quarter");
    term.attributes.set(Attribute::LongDescription, "Recognised when goods leave the warehouse");
    term.attributes.set(Attribute::AssignedEntities, references(&[(made.kind, made.qualified_name.as_str())]));
    crawl(&store, &studio, batch("d", [Item::from(made), term.into()])).await;
    let search = async |text: &str| {
        let hits = store.search(&SearchQuery { text: text.to_owned(), limit: 5, ..SearchQuery::default() }).await.unwrap().hits;
        hits.into_iter().map(|hit| (hit.name, hit.matched, hit.description)).next()
    };
    let purchases = |matched| Some(("Customer purchases".to_owned(), matched, Some("Every basket of the shop".to_owned())));
    assert_eq!(search("fct_order_lines").await, purchases(Matched::Name));
    assert_eq!(search("order lines").await, purchases(Matched::Name));
    assert_eq!(search("basket").await, purchases(Matched::Description));
    let revenue = Some(("Revenue".to_owned(), Matched::Description, Some("Income of a quarter".to_owned())));
    assert_eq!((search("quarter").await, search("goods warehouse").await), (revenue.clone(), revenue));
    let stored = store.asset(&QualifiedName::from_encoded("default/aws-smus/1/d/glossaries/g/t")).await.unwrap().unwrap();
    assert!(stored.stored().asset.attributes.get(Attribute::AssignedEntities).is_some());
}
