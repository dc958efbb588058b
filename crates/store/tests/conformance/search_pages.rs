//! Search as a page shows it: narrowed, counted, cut into pages, with what was found marked.

use model::Kind;
use model::attribute::Attribute;
use store::{Certificate, ConnectionId, EnrichmentText, KindCount, SearchPage, SearchQuery, Segment, Store};

use crate::control::system;
use crate::fresh::{Fresh, asset, batch, connection, crawl, crawl_and_remove, described, name, table};

fn asked(text: &str) -> SearchQuery {
    SearchQuery { text: text.to_owned(), limit: 20, ..SearchQuery::default() }
}

async fn page(store: &Store, query: &SearchQuery) -> SearchPage {
    store.search(query).await.unwrap()
}

fn names(page: &SearchPage) -> Vec<&str> {
    page.hits.iter().map(|hit| hit.name.as_str()).collect()
}

fn marked(segments: &[Segment]) -> String {
    segments.iter().map(|part| if part.is_match { format!("[{}]", part.text) } else { part.text.clone() }).collect()
}

fn counted(counts: &[KindCount]) -> Vec<(Kind, u64, bool)> {
    counts.iter().map(|count| (count.kind, count.count, count.is_capped)).collect()
}

async fn say(store: &Store, path: &str, certificate: Option<Certificate>, tags: &[&str]) {
    let known = store.asset(&name(path)).await.unwrap().unwrap().stored().known.unwrap();
    let text = EnrichmentText {
        owners: vec!["Grace Hopper".to_owned()],
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        certificate,
        ..EnrichmentText::default()
    };
    store.set_enrichment(known, "", 0, &text, &system(), 1).await.unwrap();
}

pub(crate) async fn pages_of_hits_follow_each_other_and_say_how_many_there_are(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let tables = (0..45).map(|number| table(&format!("c/s/orders{number:02}"), &[]));
    crawl(&store, &glue, batch("s", tables)).await;
    let all = page(&store, &SearchQuery { limit: 200, ..asked("orders") }).await;
    assert_eq!((all.total, all.is_capped, all.hits.len()), (45, false, 45));
    let mut paged = Vec::new();
    for offset in [0, 20, 40, 60] {
        let part = page(&store, &SearchQuery { offset, ..asked("orders") }).await;
        assert_eq!(part.total, 45);
        paged.extend(part.hits);
    }
    assert_eq!(paged, all.hits);
    assert_eq!(page(&store, &SearchQuery { offset: usize::MAX, ..asked("orders") }).await.hits, []);
}

pub(crate) async fn a_common_word_is_counted_up_to_a_bound_and_it_says_so(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let tables = (0..2100).map(|number| table(&format!("c/s/t{number:04}"), &["common_word"]));
    let others = [table("c/s/common", &[]), asset(Kind::Schema, "c/common"), asset(Kind::GlueJob, "jobs/common")];
    crawl(&store, &glue, batch("s", tables.chain(others))).await;
    let found = page(&store, &asked("common")).await;
    assert_eq!((found.total, found.is_capped), (200, true));
    assert_eq!(names(&found)[..3], ["common", "common", "common"]);
    let kinds = store.search_kinds(&asked("common")).await.unwrap();
    assert_eq!(counted(&kinds), [(Kind::Table, 1000, true), (Kind::Schema, 1, false), (Kind::GlueJob, 1, false)]);
    let narrowed = SearchQuery { connections: vec![glue.id], ..asked("common") };
    assert_eq!(counted(&store.search_kinds(&narrowed).await.unwrap())[0], (Kind::Table, 1000, true));
}

pub(crate) async fn a_kind_is_found_and_counted_in_whichever_crawls_it_came(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let tables = |letter: char| (0..1100).map(move |number| table(&format!("c/s/{letter}{number:04}"), &["common_word"]));
    crawl(&store, &glue, batch("s", [asset(Kind::Schema, "c/common_first")])).await;
    crawl(&store, &glue, batch("s", tables('a'))).await;
    crawl(&store, &glue, batch("s", tables('b').chain([asset(Kind::GlueJob, "jobs/common")]))).await;
    crawl(&store, &glue, batch("s", [asset(Kind::Schema, "c/common_last"), asset(Kind::View, "c/s/common_view")])).await;
    let kinds = store.search_kinds(&asked("common")).await.unwrap();
    let few = [(Kind::Schema, 2, false), (Kind::View, 1, false), (Kind::GlueJob, 1, false)];
    assert_eq!(counted(&kinds), [&[(Kind::Table, 1000, true)], few.as_slice()].concat());
    for (wanted, found) in [
        (vec![Kind::Schema], vec!["common_last", "common_first"]),
        (vec![Kind::GlueJob], vec!["common"]),
        (vec![Kind::GlueJob, Kind::View], vec!["common", "common_view"]),
        (vec![Kind::GlueTrigger], vec![]),
    ] {
        let narrowed = page(&store, &SearchQuery { kinds: wanted, ..asked("common") }).await;
        assert_eq!((names(&narrowed), narrowed.is_capped), (found, false));
    }
}

pub(crate) async fn search_is_narrowed_to_kinds_and_connections_exactly(fresh: Fresh) {
    let store = fresh.open().await;
    let (one, other) = (connection(&store, 1).await, connection(&store, 11).await);
    let mine = (0..3).map(|number| table(&format!("c/s/orders{number}"), &[])).chain([asset(Kind::Schema, "c/orders")]);
    crawl(&store, &one, batch("s", mine)).await;
    let mut theirs = table("c/s/orders9", &[]);
    theirs.qualified_name = other.qualified_name.child("c").child("s").child("orders9");
    crawl(&store, &other, batch("s", [theirs])).await;

    let all = page(&store, &asked("orders")).await;
    let connections: Vec<_> = all.connections.iter().map(|count| (count.connection, count.name.as_str(), count.count)).collect();
    assert_eq!(connections, [(one.id, "connection 1", 4), (other.id, "connection 11", 1)]);
    let narrowed = SearchQuery { connections: vec![other.id], ..asked("orders") };
    assert_eq!(names(&page(&store, &narrowed).await), ["orders9"]);
    assert_eq!(counted(&store.search_kinds(&narrowed).await.unwrap()), [(Kind::Table, 1, false)]);
    let none = SearchQuery { connections: vec![ConnectionId(99)], ..asked("orders") };
    assert_eq!(page(&store, &none).await, SearchPage::default());

    let schemas = SearchQuery { kinds: vec![Kind::Schema], ..asked("orders") };
    assert_eq!(names(&page(&store, &schemas).await), ["orders"]);
    let kinds = store.search_kinds(&schemas).await.unwrap();
    assert_eq!(counted(&kinds), [(Kind::Table, 4, false), (Kind::Schema, 1, false)], "whatever it is narrowed to");
    let no_words = SearchQuery { kinds: vec![Kind::Schema, Kind::Table], connections: vec![one.id], ..asked("  ") };
    assert_eq!(page(&store, &no_words).await.total, 4);
    assert_eq!(page(&store, &asked("")).await, SearchPage::default());
}

pub(crate) async fn search_is_narrowed_to_what_people_certified_or_tagged(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let tables = || ["a", "b", "c", "d"].map(|part| table(&format!("c/s/orders_{part}"), &[]));
    crawl(&store, &glue, batch("s", tables())).await;
    say(&store, "c/s/orders_a", Some(Certificate::Verified), &["gold", "a\"b"]).await;
    say(&store, "c/s/orders_b", Some(Certificate::Draft), &["goldfish", "100%_!"]).await;
    say(&store, "c/s/orders_c", None, &["gold", "x,y"]).await;

    let all = page(&store, &asked("orders")).await;
    let certificates: Vec<_> = all.certificates.iter().map(|count| (count.certificate, count.count)).collect();
    assert_eq!(certificates, [(Certificate::Verified, 1), (Certificate::Draft, 1)]);
    assert_eq!((all.hits[0].certificate, &all.hits[0].owners[..]), (Some(Certificate::Verified), &["Grace Hopper".to_owned()][..]));
    let certified = |certificates: &[Certificate]| SearchQuery { certificates: certificates.to_vec(), ..asked("orders") };
    assert_eq!(names(&page(&store, &certified(&[Certificate::Verified])).await), ["orders_a"]);
    assert_eq!(page(&store, &certified(&Certificate::ALL)).await.total, 2);
    for (tags, expected) in [
        (&["gold"][..], &["orders_a", "orders_c"][..]),
        (&["gold", "x,y"], &["orders_c"]),
        (&["a\"b"], &["orders_a"]),
        (&["100%_!"], &["orders_b"]),
        (&["Gold"], &[]),
        (&["\",\""], &[]),
        (&["%"], &[]),
    ] {
        let tagged = |text: &str| SearchQuery { tags: tags.iter().map(|tag| (*tag).to_owned()).collect(), ..asked(text) };
        assert_eq!(names(&page(&store, &tagged("orders")).await), expected, "{tags:?}");
        assert_eq!(names(&page(&store, &tagged("")).await), expected, "{tags:?} without words");
        let counts = store.search_kinds(&tagged("")).await.unwrap();
        assert_eq!(counts.iter().map(|count| count.count).sum::<u64>(), expected.len() as u64, "{tags:?}");
    }
    let elsewhere = SearchQuery { connections: vec![ConnectionId(99)], ..certified(&[Certificate::Verified]) };
    assert_eq!(page(&store, &elsewhere).await.total, 0);
    let kept = tables().into_iter().skip(1);
    crawl_and_remove(&store, &glue, batch("s", kept)).await;
    assert_eq!(page(&store, &SearchQuery { text: String::new(), ..certified(&[Certificate::Verified]) }).await.total, 0);
}

pub(crate) async fn hits_show_what_was_found_and_where_they_lie(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let assets = [
        described(table("c/a%2Fb/Überweisung_2024", &["Betrag"]), "Alle Überweisungen der Bank"),
        asset(Kind::GlueJob, "jobs/nightly"),
    ];
    crawl(&store, &glue, batch("s", assets)).await;
    let hit = page(&store, &asked("überw")).await.hits.remove(0);
    assert_eq!(marked(&hit.highlights.name), "[Überw]eisung_2024");
    assert_eq!(marked(&hit.highlights.description), "Alle [Überw]eisungen der Bank");
    let parents: Vec<_> = hit.parents.iter().map(|parent| (parent.qualified_name.as_str(), parent.name.as_str())).collect();
    let expected = [("default/glue/1", "connection 1"), ("default/glue/1/c", "c"), ("default/glue/1/c/a%2Fb", "a/b")];
    assert_eq!((parents.as_slice(), hit.connection), (&expected[..], glue.id));
    let hit = page(&store, &asked("betrag")).await.hits.remove(0);
    assert_eq!((marked(&hit.highlights.column), marked(&hit.highlights.name)), ("[Betrag]".into(), String::new()));
    let hit = page(&store, &asked("nightly")).await.hits.remove(0);
    assert_eq!(hit.parents.iter().map(|parent| parent.name.as_str()).collect::<Vec<_>>(), ["connection 1", "jobs"]);
}

pub(crate) async fn what_is_named_by_ids_lies_in_what_has_names(fresh: Fresh) {
    let store = fresh.open().await;
    let spec = store::ConnectionSpec { name: "studio".into(), connector: "aws-smus", number: Some(1), region: None, account: None };
    let studio = store.connection(&spec, 1).await.unwrap();
    let root = &studio.qualified_name;
    let (domain, project) = (root.child("dzd_1"), root.child("dzd_1").child("prj_1"));
    let mut published = model::Asset::new(Kind::SmusPublishedAsset, project.child("ast_1"), "Orders of today");
    published.attributes.set(Attribute::Description, "what was ordered");
    let assets = [
        model::Asset::new(Kind::SmusDomain, domain, "Sales domain"),
        model::Asset::new(Kind::SmusProject, project, "Reporting"),
        published,
    ];
    crawl(&store, &studio, batch("s", assets)).await;
    let hit = page(&store, &asked("orders")).await.hits.remove(0);
    assert_eq!(hit.parents.iter().map(|parent| parent.name.as_str()).collect::<Vec<_>>(), ["studio", "Sales domain", "Reporting"]);
}
