//! Backups: what is copied while others write is one moment of the catalog, and works as one.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use store::{CatalogUrl, RunState, Store, StoreError};

use crate::fresh::{Fresh, batch, begin, connection, crawl, end, export_all, name, table};
use crate::postgres;

pub(crate) async fn a_backup_in_the_middle_of_a_run_is_whole_and_can_be_crawled_on(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    crawl(&store, &glue, batch("s", (0..200).map(|number| table(&format!("c/s/t{number}"), &["a"])))).await;
    let run = begin(&store, &glue).await;
    run.apply(batch("s", (0..100).map(|number| table(&format!("c/s/t{number}"), &["a", "b"])))).await.unwrap();
    run.flush().await.unwrap();

    let to = fresh.file().with_file_name("backup.db");
    let writing = async {
        for number in 200..400 {
            run.apply(batch("s", [table(&format!("c/s/t{number}"), &["a"])])).await.unwrap();
        }
    };
    let (from, target) = (fresh.url(), to.clone());
    let (copied, ()) = tokio::join!(Store::backup(&from, &target), writing);
    let metadata = std::fs::metadata(&to).unwrap();
    assert_eq!((copied.unwrap(), metadata.permissions().mode() & 0o777), (metadata.len(), 0o600));
    run.finish(end(Vec::new())).await.unwrap();
    assert_eq!(left_unfinished(&to), 0);

    let restored = Store::open_existing(&CatalogUrl::sqlite(&to)).await.unwrap();
    let tables = export_all(&restored).await.len();
    assert!(tables >= 200, "{tables}");
    assert_eq!(restored.asset(&name("c/s/t0")).await.unwrap().unwrap().stored().asset.columns.len(), 2);
    // The run of the copy has nobody who goes on with it: the next one finds that out.
    let again = connection(&restored, 1).await;
    crawl(&restored, &again, batch("s", (0..400).map(|number| table(&format!("c/s/t{number}"), &["a", "c"])))).await;
    assert_eq!(restored.asset(&name("c/s/t399")).await.unwrap().unwrap().stored().asset.columns.len(), 2);
    let states: Vec<_> = restored.runs(9).await.unwrap().into_iter().map(|run| run.state).collect();
    assert!(states.len() == 3 && states.iter().all(|state| matches!(state, RunState::Ended { .. })), "{states:?}");
    restored.close().await;
}

fn left_unfinished(to: &Path) -> usize {
    let files = std::fs::read_dir(to.parent().unwrap()).unwrap();
    files.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().contains("unfinished")).count()
}

pub(crate) async fn a_backup_never_overwrites_and_leaves_nothing_of_a_failure(fresh: Fresh) {
    let to = fresh.file().with_file_name("backup.db");
    let error = Store::backup(&fresh.url(), &to).await.unwrap_err();
    assert!(matches!(error, StoreError::NoCatalog { .. }), "{error}");
    fresh.open().await.close().await;
    std::fs::write(&to, "a file of mine").unwrap();
    let error = Store::backup(&fresh.url(), &to).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }) && error.to_string().contains("another name"), "{error}");
    assert_eq!(std::fs::read_to_string(&to).unwrap(), "a file of mine");

    let damaged = fresh.file().with_file_name("damaged.db");
    let mut bytes = std::fs::read(fresh.file()).unwrap();
    bytes[20_000..60_000].fill(0xab);
    std::fs::write(&damaged, bytes).unwrap();
    let to = fresh.file().with_file_name("second.db");
    Store::backup(&CatalogUrl::sqlite(&damaged), &to).await.unwrap_err();
    assert!(!to.exists());
    assert_eq!(left_unfinished(&to), 0);
}

pub(crate) async fn a_catalog_survives_its_backup_and_restore(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let odd = ["c/s/orders", "c/s/%C3%A4%20%2F%27", "c/s/%F0%9F%A6%80"];
    crawl(&store, &glue, batch("s", odd.map(|path| table(path, &["id", "naïve ✓"])))).await;
    crawl(&store, &glue, batch("s", [table("c/s/orders", &["id"])])).await;
    let before = export_all(&store).await;
    let history = store.history(&name("c/s/orders")).await.unwrap();

    let url = match fresh.url() {
        CatalogUrl::Sqlite(path) => {
            let to = path.with_file_name("restored.db");
            Store::backup(&fresh.url(), &to).await.unwrap();
            CatalogUrl::sqlite(to)
        }
        CatalogUrl::Postgres(url) => {
            let error = Store::backup(&fresh.url(), Path::new("/nowhere")).await.unwrap_err().to_string();
            assert!(error.contains("pg_dump --format=custom") && error.contains("pg_restore"), "{error}");
            postgres::dumped_and_restored(&url.to_string()).await
        }
    };
    let restored = Store::open_existing(&url).await.unwrap();
    assert_eq!(export_all(&restored).await, before);
    assert_eq!(restored.history(&name("c/s/orders")).await.unwrap().len(), history.len());
    let again = connection(&restored, 1).await;
    let finished = crawl(&restored, &again, batch("s", [table("c/s/orders", &["id", "new"])])).await;
    assert_eq!(finished.changes.updated, 1);
}
