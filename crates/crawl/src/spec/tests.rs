//! Specs: their JSON, what is wrong with them, what may be called for them.

use serde_json::json;

use super::*;

const OCCASION: Occasion<'_> = Occasion { connection: "sales", concurrency: NonZeroUsize::MIN, now_ms: 7 };

fn glue_error(settings: serde_json::Value) -> SpecError {
    CrawlSpec::parse(Connector::Glue, settings).unwrap_err()
}

fn smus_error(settings: serde_json::Value) -> SpecError {
    CrawlSpec::parse(Connector::Smus, settings).unwrap_err()
}

#[test]
fn a_spec_is_tagged_by_its_connector_and_knows_its_own_fields_only() {
    let glue = json!({"connector": "glue", "catalogIds": ["AwsDataCatalog"], "excludeTable": "^tmp_"});
    let spec: CrawlSpec = serde_json::from_value(glue).unwrap();
    assert!(matches!(&spec, CrawlSpec::Glue(glue) if glue.catalog_ids.len() == 1 && glue.exclude_table.is_some()));
    assert_eq!(serde_json::from_value::<CrawlSpec>(serde_json::to_value(&spec).unwrap()).unwrap(), spec);
    let smus = json!({"connector": "aws-smus", "domains": ["dzd_1"], "includeProjects": ["Sales*"]});
    assert_eq!(serde_json::from_value::<CrawlSpec>(smus).unwrap().connector(), Connector::Smus);
    for wrong in [
        json!({"connector": "glue", "domains": []}),
        json!({"connector": "aws-smus", "include": []}),
        json!({"connector": "unknown"}),
        json!({"include": []}),
    ] {
        assert!(serde_json::from_value::<CrawlSpec>(wrong.clone()).is_err(), "{wrong}");
    }
    assert_eq!(
        Connector::ALL.iter().map(|connector| Connector::parse(connector.name())).collect::<Vec<_>>(),
        [Some(Connector::Glue), Some(Connector::Smus)]
    );
}

#[test]
fn an_error_names_the_field_and_what_there_is() {
    for (error, field, part) in [
        (glue_error(json!({"skip": ["cows"]})), Field::Skip, "skip does not know \"cows\"; it takes jobs, workflows"),
        (glue_error(json!({"keep": ["x"]})), Field::Keep, "it takes view-sql, person-names"),
        (glue_error(json!({"include": ["a/b"], "exclude": ["a"]})), Field::Exclude, "\"a\" is not of the form"),
        (glue_error(json!({"include": ["a"]})), Field::Include, "catalog/database"),
        (glue_error(json!({"excludeTable": "("})), Field::ExcludeTable, "not a regular expression"),
        (glue_error(json!({"include": vec!["a/b"; ENTRIES_MAX + 1]})), Field::Include, "include takes at most 1000 entries"),
        (glue_error(json!({"excludeTable": "a".repeat(TEXT_BYTES_MAX + 1)})), Field::ExcludeTable, "2048 bytes"),
        (smus_error(json!({"excludeProjects": [" "]})), Field::ExcludeProjects, "includeProjects and excludeProjects take"),
        (smus_error(json!({"domains": ["dzd_*"]})), Field::Domains, "\"dzd_*\" is no id of a domain"),
        (smus_error(json!({"skip": ["jobs"]})), Field::Skip, "domain-units, environments, assets"),
        (smus_error(json!({"keep": ["form-values="]})), Field::Keep, "form-values=<form type>"),
    ] {
        assert_eq!(error.field(), Some(field), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    let error = glue_error(json!({"includes": []}));
    assert!(error.field().is_none() && error.to_string().contains("`includes`"), "{error}");
    assert_eq!(glue_error(json!({"skip": ["cows"]})).naming(|_| "--skip").split(' ').next(), Some("--skip"));
}

#[test]
fn ids_of_domains_are_checked() {
    assert!(is_domain_id("dzd_4kq8z") && is_domain_id("dzd-a_B-1"));
    for text in ["", "dzd_", "dzd_*", "dzd_a/b", "my-domain", "arn:aws:datazone:eu-west-1:1:domain/dzd_1"] {
        assert!(!is_domain_id(text), "{text}");
    }
}

#[test]
fn a_crawl_may_call_what_its_sections_need_and_sign_in_and_nothing_else() {
    let spec = GlueSpec { skip: vec!["jobs".to_owned(), "tables".to_owned()], ..GlueSpec::default() };
    let settings = CrawlSettings::Glue(spec.settings(&OCCASION).unwrap());
    let operations = settings.operations(false);
    assert!(operations.iter().all(|operation| operation.service() == Service::Glue), "{operations:?}");
    assert!(!operations.contains(&ReadOperation::GetJobs) && !operations.contains(&ReadOperation::GetTables));
    assert!(operations.contains(&ReadOperation::GetDatabases) && operations.contains(&ReadOperation::GetCrawlers));
    assert_eq!(settings.operations(true).first(), Some(&ReadOperation::AssumeRole));
    let settings = CrawlSettings::Smus(SmusSpec::default().settings(&OCCASION).unwrap());
    assert_eq!(settings.operations(false).first(), Some(&ReadOperation::GetCallerIdentity));
    assert_eq!(settings.operations(true).first(), Some(&ReadOperation::AssumeRole));
}
