//! Environment variables and files, the directories that Kubernetes mounts among them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::harness::{Opened, context, open, pairs, try_open};
use crate::{CheckOutcome, check};

async fn files(directory: &Path) -> Opened {
    open(&format!("kind = \"files\"\ndirectory = {directory:?}"), &[]).await
}

/// A folder that only its owner may read, with `inside/` for the store and something beside it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("inside")).unwrap();
    fs::set_permissions(folder.path().join("inside"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(folder.path().join("outside"), "not for workflows").unwrap();
    folder
}

#[tokio::test]
async fn variables_are_entries_with_a_prefix_if_one_is_set() {
    let opened =
        open("kind = \"environment\"\nprefix = \"CRAWL_\"", &[("CRAWL_KEY", "k"), ("KEY", "other"), ("CRAWL_EMPTY", "")]).await;
    assert_eq!(opened.entries(&["KEY"]).await.unwrap(), pairs(&[("KEY", "k")]));
    for (entry, category) in [("EMPTY", "missing"), ("ABSENT", "missing"), ("A B", "misconfigured"), ("A=B", "misconfigured")] {
        assert_eq!(opened.entries(&[entry]).await.unwrap_err().category(), category, "{entry}");
    }
    assert_eq!(check(opened.store()).await, CheckOutcome::Ready { warnings: Vec::new() });
    assert!(try_open("kind = \"environment\"\nprefix = \"1-\"", context(&[])).await.is_err());
}

#[tokio::test]
async fn a_file_is_an_entry_and_so_is_a_directory_of_files() {
    let folder = folder();
    let inside = folder.path().join("inside");
    fs::create_dir_all(inside.join("team/aws")).unwrap();
    for (name, content) in [
        ("key", "k\n"),
        ("windows", "k\r\n"),
        ("two", "k\n\n"),
        ("json", "{\"id\":\"AKIA1\"}"),
        ("team/aws/id", "AKIA2\n"),
        ("team/aws/.x", "no"),
    ] {
        fs::write(inside.join(name), content).unwrap();
    }
    let opened = files(&inside).await;
    let found = opened.entries(&["key", "windows", "two", "team/aws/id"]).await.unwrap();
    assert_eq!(found, pairs(&[("key", "k"), ("windows", "k"), ("two", "k\n"), ("team/aws/id", "AKIA2")]));
    assert_eq!(opened.keys("json", &["id"]).await.unwrap(), pairs(&[("id", "AKIA1")]));
    assert_eq!(opened.keys("team/aws", &["id"]).await.unwrap(), pairs(&[("id", "AKIA2")]));
    for (path, key) in [("team/aws", ".x"), ("team/aws", "absent"), ("team/absent", "id"), ("key/below", "id")] {
        assert_eq!(opened.keys(path, &[key]).await.unwrap_err().category(), "missing", "{path} {key}");
    }
}

#[tokio::test]
async fn no_name_leads_out_of_the_directory() {
    let folder = folder();
    let inside = folder.path().join("inside");
    fs::create_dir(inside.join("keys")).unwrap();
    fs::write(inside.join("keys/own"), "mine").unwrap();
    symlink("../outside", inside.join("link")).unwrap();
    symlink(folder.path(), inside.join("up")).unwrap();
    symlink("../../outside", inside.join("keys/link")).unwrap();
    let opened = files(&inside).await;
    let absolute = folder.path().join("outside");
    for escape in
        ["../outside", "keys/../../outside", "link", "up/outside", "", ".", "..", "./keys", absolute.to_str().unwrap(), "a\0b"]
    {
        // An empty name is refused as a reference already.
        let error = opened.entries(&[escape]).await.unwrap_err();
        assert_eq!(error.category(), "misconfigured", "{escape:?}: {error:?}");
    }
    assert_eq!(opened.keys("keys", &["own"]).await.unwrap(), pairs(&[("own", "mine")]));
    assert_eq!(opened.keys("keys", &["link"]).await.unwrap_err().category(), "missing");
}

#[tokio::test]
async fn secrets_that_kubernetes_mounts_are_followed_through_their_links() {
    let folder = folder();
    let mount = folder.path().join("inside/team-aws");
    fs::create_dir_all(mount.join("..2026_01")).unwrap();
    fs::write(mount.join("..2026_01/id"), "AKIA1").unwrap();
    symlink("..2026_01", mount.join("..data")).unwrap();
    symlink("..data/id", mount.join("id")).unwrap();
    let text = format!("kind = \"kubernetes\"\nmounted = {:?}", folder.path().join("inside"));
    let opened = open(&text, &[]).await;
    assert_eq!(opened.store().kind(), "kubernetes");
    assert_eq!(opened.keys("team-aws", &["id"]).await.unwrap(), pairs(&[("id", "AKIA1")]));
    assert_eq!(
        opened.entries(&["team-aws", "team-aws/id"]).await.unwrap(),
        pairs(&[("team-aws", "AKIA1"), ("team-aws/id", "AKIA1")])
    );
    assert_eq!(check(opened.store()).await, CheckOutcome::Ready { warnings: Vec::new() });
    // The next version is another directory, and the link is moved.
    fs::create_dir(mount.join("..2026_02")).unwrap();
    fs::write(mount.join("..2026_02/id"), "AKIA2").unwrap();
    symlink("..2026_02", mount.join("..new")).unwrap();
    fs::rename(mount.join("..new"), mount.join("..data")).unwrap();
    assert_eq!(opened.keys("team-aws", &["id"]).await.unwrap(), pairs(&[("id", "AKIA2")]));
}

#[tokio::test]
async fn long_files_binary_files_and_what_is_no_file_are_malformed() {
    let folder = folder();
    let inside = folder.path().join("inside");
    fs::create_dir(inside.join("many")).unwrap();
    fs::write(inside.join("long"), "a".repeat(64 * 1024 + 1)).unwrap();
    fs::write(inside.join("binary"), [0xff, 0xfe]).unwrap();
    fs::write(inside.join("many/1"), "a".repeat(40 * 1024)).unwrap();
    fs::write(inside.join("many/2"), "a".repeat(40 * 1024)).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(inside.join("socket")).unwrap();
    let opened = files(&inside).await;
    for entry in ["long", "binary", "socket", "many"] {
        assert_eq!(opened.entries(&[entry]).await.unwrap_err().category(), "malformed", "{entry}");
    }
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_misconfigured_and_one_for_everybody_is_warned_about() {
    let folder = folder();
    let inside = folder.path().join("inside");
    let absent = files(&folder.path().join("absent")).await;
    assert_eq!(absent.entries(&["key"]).await.unwrap_err().category(), "misconfigured");
    assert_eq!(check(absent.store()).await.word(), "misconfigured");
    assert_eq!(check(files(&folder.path().join("outside")).await.store()).await.word(), "misconfigured");

    let opened = files(&inside).await;
    assert_eq!(check(opened.store()).await, CheckOutcome::Ready { warnings: Vec::new() });
    fs::set_permissions(&inside, fs::Permissions::from_mode(0o755)).unwrap();
    let CheckOutcome::Ready { warnings } = check(opened.store()).await else { panic!("the directory can be read") };
    assert!(warnings.len() == 1 && warnings[0].contains("chmod"), "{warnings:?}");
}
