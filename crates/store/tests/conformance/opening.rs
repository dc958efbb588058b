//! Opening catalogs, and the connections in them.

use std::os::unix::fs::PermissionsExt;

use store::{CatalogUrl, ConnectionSpec, Store, StoreError};

use crate::fresh::{Fresh, batch, connection, crawl, name, table};

pub(crate) async fn a_new_catalog_is_for_its_owner_only_and_opens_again(fresh: Fresh) {
    let store = fresh.open().await;
    connection(&store, 1).await;
    for file in std::fs::read_dir(fresh.file().parent().unwrap()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
    store.close().await;
    let again = Store::open_existing(&fresh.url()).await.unwrap();
    assert_eq!(again.connections().await.unwrap().len(), 1);
}

pub(crate) async fn a_closed_catalog_is_one_file(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    crawl(&store, &glue, batch("s", [table("c/s/t", &["a"])])).await;
    assert!(store.asset(&name("c/s/t")).await.unwrap().is_some());
    store.close().await;
    let files: Vec<_> = std::fs::read_dir(fresh.file().parent().unwrap()).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files, [fresh.file()]);
}

pub(crate) async fn what_is_no_catalog_is_refused_and_left_alone(fresh: Fresh) {
    let file = fresh.file();
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "just some notes of mine").unwrap();
    let error = Store::open(&fresh.url()).await.unwrap_err();
    assert!(matches!(error, StoreError::NotACatalog { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "just some notes of mine");

    let mut database = vec![0_u8; 4096];
    database[..16].copy_from_slice(b"SQLite format 3\0");
    std::fs::write(&file, &database).unwrap();
    let error = Store::open(&fresh.url()).await.unwrap_err();
    assert!(error.to_string().contains("another program"), "{error}");

    let folder = CatalogUrl::sqlite(file.parent().unwrap());
    let error = Store::open(&folder).await.unwrap_err();
    assert!(matches!(error, StoreError::Unwritable { .. }), "{error:?}");
}

pub(crate) async fn questions_to_a_missing_catalog_say_how_to_make_one(fresh: Fresh) {
    let error = Store::open_existing(&fresh.url()).await.unwrap_err();
    assert!(matches!(error, StoreError::NoCatalog { .. }));
    assert!(error.to_string().contains("isinglass crawl"), "{error}");
    assert!(!fresh.file().exists());
}

pub(crate) async fn a_catalog_of_a_newer_version_is_refused(fresh: Fresh) {
    fresh.open().await.close().await;
    // `user_version`, the schema's version, is a big-endian number at byte 60 of the header.
    let mut bytes = std::fs::read(fresh.file()).unwrap();
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    std::fs::write(fresh.file(), bytes).unwrap();
    let error = Store::open(&fresh.url()).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerVersion { found: 99, .. }), "{error}");
    assert!(error.to_string().contains(&*fresh.file().to_string_lossy()), "{error}");
}

pub(crate) async fn connections_are_found_again_by_name_and_keep_their_number(fresh: Fresh) {
    let store = fresh.open().await;
    let spec = ConnectionSpec { name: "prod".into(), connector: "glue", number: None, region: None, account: None };
    let first = store.connection(&spec, 1_700_000_000_999).await.unwrap();
    assert_eq!((first.number, first.qualified_name.as_str()), (1_700_000_000, "default/glue/1700000000"));

    let later = ConnectionSpec { region: Some("eu-west-1".into()), ..spec.clone() };
    let again = store.connection(&later, 1_800_000_000_000).await.unwrap();
    assert_eq!((again.id, again.number, again.region.as_deref()), (first.id, first.number, Some("eu-west-1")));

    let other_number = ConnectionSpec { number: Some(5), ..spec.clone() };
    assert!(matches!(store.connection(&other_number, 0).await.unwrap_err(), StoreError::Conflict { .. }));
    let taken = ConnectionSpec { name: "test".into(), number: Some(1_700_000_000), ..spec.clone() };
    assert!(matches!(store.connection(&taken, 0).await.unwrap_err(), StoreError::Conflict { .. }));

    // In the same second, another connection gets the next number.
    let other = ConnectionSpec { name: "test".into(), ..spec };
    assert_eq!(store.connection(&other, 1_700_000_000_999).await.unwrap().number, 1_700_000_001);
    assert_eq!(store.connections().await.unwrap().len(), 2);
}
