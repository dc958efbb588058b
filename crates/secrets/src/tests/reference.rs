//! References of every form, against a store that needs no network.

use std::collections::BTreeMap;

use super::harness::{multi, open, pairs, single, texts};
use crate::{Configuration, Context, Field, KeyType, Reference, ResolvedValue, SecretError, StoreName, Stores, Value, resolve};

const VARIABLES: &[(&str, &str)] = &[("AWS", r#"{"id":"AKIA1","key":"k"}"#), ("ID", "AKIA2"), ("KEY", "k2"), ("EMPTY", " ")];

#[tokio::test]
async fn literals_are_taken_as_they_stand_and_only_where_the_reference_says_so() {
    let opened = open("kind = \"environment\"", VARIABLES).await;
    let values = BTreeMap::from([
        (Field::new("access-key-id"), Value::Secret("id".to_owned())),
        (Field::new("region"), Value::Literal("id".to_owned())),
    ]);
    let reference = Reference { path: Some("AWS".to_owned()), key_type: KeyType::MultiKey, values };
    let mut resolved = resolve(opened.store(), &reference).await.unwrap();
    assert_eq!(texts(&resolved), pairs(&[("access-key-id", "AKIA1"), ("region", "id")]));
    assert_eq!(resolved.secrets(), 1);
    assert_eq!(resolved.take(&Field::new("region")), Some(ResolvedValue::Literal("id".to_owned())));
    assert_eq!(resolved.get(&Field::new("region")), None);
}

#[tokio::test]
async fn an_absent_key_is_never_taken_for_a_literal() {
    let opened = open("kind = \"environment\"", VARIABLES).await;
    let error = opened.keys("AWS", &["eu-west-1"]).await.unwrap_err();
    assert_eq!(error.category(), "missing");
    let error = opened.entries(&["ID", "ABSENT", "EMPTY"]).await.unwrap_err();
    assert!(matches!(&error, SecretError::Missing { place, .. } if place.entry.as_deref() == Some("ABSENT")), "{error:?}");
}

#[tokio::test]
async fn a_reference_that_cannot_be_followed_is_misconfigured() {
    let opened = open("kind = \"environment\"", VARIABLES).await;
    let store = opened.store();
    for reference in [
        Reference { path: None, ..multi("AWS", &["id"]) },
        Reference { path: Some("AWS".to_owned()), ..single(&["ID"]) },
        single(&[" "]),
    ] {
        let error = resolve(store, &reference).await.unwrap_err();
        assert_eq!(error.category(), "misconfigured", "{error:?}");
    }
}

#[tokio::test]
async fn two_fields_may_have_one_value_and_a_reference_of_literals_asks_nobody() {
    let opened = open("kind = \"environment\"", VARIABLES).await;
    let secret = || Value::Secret("KEY".to_owned());
    let values = BTreeMap::from([(Field::new("a"), secret()), (Field::new("b"), secret())]);
    let twice = Reference { path: None, key_type: KeyType::SingleKey, values };
    assert_eq!(texts(&resolve(opened.store(), &twice).await.unwrap()), pairs(&[("a", "k2"), ("b", "k2")]));

    let nowhere = open("kind = \"vault\"\naddress = \"http://127.0.0.1:1\"", &[]).await;
    let values = BTreeMap::from([(Field::new("region"), Value::Literal("eu-west-1".to_owned()))]);
    let literals = Reference { path: None, key_type: KeyType::SingleKey, values };
    assert_eq!(texts(&resolve(nowhere.store(), &literals).await.unwrap()), pairs(&[("region", "eu-west-1")]));
}

#[tokio::test]
async fn a_store_that_is_not_configured_is_named_with_those_that_are() {
    let empty = Stores::open(&Configuration::default(), Context::new(|_| None, super::harness::now)).await.unwrap();
    let name = StoreName::parse("prod").unwrap();
    let error = empty.require(&name).unwrap_err();
    assert_eq!(error.category(), "misconfigured");
    assert!(error.to_string().contains("it has none") && error.to_string().contains("[secret-stores.prod]"), "{error}");
    assert_eq!((empty.get(&name).is_none(), empty.iter().count()), (true, 0));
    assert_eq!(crate::check(empty.get(&name)).await, crate::CheckOutcome::NothingConfigured);
}
