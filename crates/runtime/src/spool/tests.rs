//! The spool on a real disk: what is written, what survives, what is refused.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};

use model::{AssetBatch, Scope};
use wire::{EncodedBatch, Ending, Sequence};

use super::*;
use crate::session::Rest;

const LIMIT: u64 = 1_000_000;

fn lease(id: &str) -> Lease {
    Lease { id: LeaseId(id.to_owned()), run: 17, attempt: 1, heartbeat_seconds: 10, lease_seconds: 60 }
}

fn batch(scope: &str) -> EncodedBatch {
    wire::batch::encode(&AssetBatch { scope: Scope::new(scope), items: Vec::new(), unchanged: Vec::new() }).unwrap()
}

fn open(root: &Path) -> (Spool, Vec<Found>) {
    Spool::open(root, LIMIT).unwrap()
}

fn finish(spooled: u64) -> FinishRecord {
    FinishRecord { spooled: Sequence(spooled), rest: Rest::Upload, ending: Ending::HandedBack { reason: "x".to_owned() } }
}

#[tokio::test]
async fn batches_come_back_as_they_were_written_and_go_when_they_are_forgotten() {
    let root = tempfile::tempdir().unwrap();
    let (spool, found) = open(root.path());
    assert!(found.is_empty());
    let folder = spool.begin(&lease("41.3")).await.unwrap();
    let written: Vec<EncodedBatch> = (0..3).map(|number| batch(&format!("scope {number}"))).collect();
    for (number, batch) in written.iter().enumerate() {
        assert_eq!(folder.append(batch.clone()).await.unwrap(), Sequence(number as u64 + 1));
    }
    let read = folder.read(Sequence(2)).await.unwrap();
    assert_eq!((&read.text, &read.bytes[..], read.digest), (&written[1].text, &written[1].bytes[..], written[1].digest));
    assert_eq!((folder.spooled().batches, folder.spooled().bytes), (3, spool.used_bytes()));
    for number in 1..=3 {
        folder.forget(Sequence(number));
    }
    assert_eq!((folder.spooled().batches, folder.last(), spool.used_bytes()), (0, Sequence(3), 0));
    folder.remove();
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn everything_is_its_owners_only() {
    let root = tempfile::tempdir().unwrap();
    let (spool, _) = open(root.path());
    let folder = spool.begin(&lease("1.1")).await.unwrap();
    folder.append(batch("a")).await.unwrap();
    folder.write_finish(&finish(1)).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let path = root.path().join("lease-1.1");
    assert_eq!((mode(root.path()), mode(&path)), (0o700, 0o700));
    let files: Vec<_> = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 3);
    assert!(files.iter().all(|file| mode(file) == 0o600));
}

#[tokio::test]
async fn what_has_an_end_goes_on_after_a_kill_and_what_has_none_is_interrupted() {
    let root = tempfile::tempdir().unwrap();
    let (spool, _) = open(root.path());
    let whole = spool.begin(&lease("1.1")).await.unwrap();
    let interrupted = spool.begin(&lease("2.1")).await.unwrap();
    for folder in [&whole, &interrupted] {
        for number in 0..3 {
            folder.append(batch(&number.to_string())).await.unwrap();
        }
        folder.forget(Sequence(1));
    }
    whole.write_finish(&finish(3)).await.unwrap();
    let used = spool.used_bytes();
    drop(spool);
    std::fs::write(root.path().join("lease-1.1/0000000004.ndjson.zst.tmp"), "half").unwrap();
    std::fs::create_dir(root.path().join("lease-3.1")).unwrap();
    std::fs::create_dir(root.path().join("lease-4.1.gone")).unwrap();

    let (spool, mut found) = open(root.path());
    found.sort_by_key(|found| found.lease.id.clone());
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].acknowledged, found[0].end.record().spooled), (Sequence(1), Sequence(3)));
    assert_eq!(found[0].folder.read(Sequence(3)).await.unwrap().text, batch("2").text);
    let End::Interrupted(record) = &found[1].end else { panic!("{:?}", found[1].end) };
    assert!(record.rest == Rest::Discard && matches!(record.ending, Ending::HandedBack { .. }));
    assert_eq!(spool.used_bytes(), used);
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 2);
    assert!(!root.path().join("lease-1.1/0000000004.ndjson.zst.tmp").exists());
}

#[tokio::test]
async fn a_run_whose_batches_are_all_sent_goes_on_with_its_end() {
    let root = tempfile::tempdir().unwrap();
    let (spool, _) = open(root.path());
    let folder = spool.begin(&lease("1.1")).await.unwrap();
    folder.append(batch("a")).await.unwrap();
    folder.write_finish(&finish(1)).await.unwrap();
    folder.forget(Sequence(1));
    drop(spool);
    let (_spool, found) = open(root.path());
    assert_eq!((found[0].acknowledged, found[0].folder.last()), (Sequence(1), Sequence(1)));
    assert!(matches!(found[0].end, End::Kept(_)));
}

#[tokio::test]
async fn a_damaged_batch_is_refused_and_a_missing_one_hands_the_run_back() {
    let root = tempfile::tempdir().unwrap();
    let (spool, _) = open(root.path());
    let folder = spool.begin(&lease("1.1")).await.unwrap();
    for number in 0..3 {
        folder.append(batch(&number.to_string())).await.unwrap();
    }
    folder.write_finish(&finish(3)).await.unwrap();
    let path = root.path().join("lease-1.1/0000000001.ndjson.zst");
    let whole = std::fs::read(&path).unwrap();
    for damage in [&whole[..10], &whole[..whole.len() - 1], b"", &[b"x", &whole[1..]].concat()[..]] {
        std::fs::write(&path, damage).unwrap();
        assert!(matches!(folder.read(Sequence(1)).await, Err(SpoolError::Damaged { .. })));
    }
    let mut flipped = whole;
    flipped[20] ^= 1;
    std::fs::write(&path, flipped).unwrap();
    assert!(matches!(folder.read(Sequence(1)).await, Err(SpoolError::Damaged { .. })));

    std::fs::remove_file(root.path().join("lease-1.1/0000000002.ndjson.zst")).unwrap();
    drop(spool);
    let (_spool, found) = open(root.path());
    assert!(matches!(&found[0].end, End::Interrupted(FinishRecord { rest: Rest::Discard, .. })));
}

#[tokio::test]
async fn a_full_spool_makes_the_crawl_wait_and_drops_nothing() {
    let root = tempfile::tempdir().unwrap();
    let size = (batch("a").bytes.len() + frame::HEAD_BYTES) as u64;
    let (spool, _) = Spool::open(root.path(), size * 2).unwrap();
    let folder = spool.begin(&lease("1.1")).await.unwrap();
    for _ in 0..2 {
        folder.append(batch("a")).await.unwrap();
    }
    let waiting = tokio::spawn({
        let folder = folder.clone();
        async move { folder.append(batch("a")).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!waiting.is_finished());
    folder.forget(Sequence(1));
    assert_eq!(waiting.await.unwrap(), Sequence(3));
    assert_eq!(spool.used_bytes(), size * 2);
}

#[tokio::test]
async fn a_full_disk_is_waited_for_and_the_batch_keeps_its_number() {
    let root = tempfile::tempdir().unwrap();
    let is_full = Arc::new(AtomicBool::new(false));
    let full = Arc::clone(&is_full);
    let write: Write =
        Box::new(
            move |path, parts| {
                if full.load(Ordering::SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { files::write(path, parts) }
            },
        );
    let disk = Disk { write, full_pause: Duration::from_millis(1) };
    let (spool, _) = Spool::open_with(root.path(), LIMIT, disk).unwrap();
    let folder = spool.begin(&lease("1.1")).await.unwrap();
    is_full.store(true, Ordering::SeqCst);
    let waiting = tokio::spawn({
        let folder = folder.clone();
        async move { folder.append(batch("a")).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!waiting.is_finished());
    is_full.store(false, Ordering::SeqCst);
    assert_eq!(waiting.await.unwrap(), Sequence(1));
    assert!(folder.read(Sequence(1)).await.is_ok());
}

#[tokio::test]
async fn the_id_of_a_lease_cannot_lead_out_of_the_spool() {
    let root = tempfile::tempdir().unwrap();
    let (spool, _) = open(root.path());
    spool.begin(&lease("../../etc/passwd")).await.unwrap();
    let names: Vec<_> = std::fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["lease-..%2F..%2Fetc%2Fpasswd"]);
    for bad in [String::new(), "a".repeat(65)] {
        assert!(matches!(spool.begin(&lease(&bad)).await, Err(SpoolError::LeaseId)));
    }
    assert!(spool.begin(&lease("../../etc/passwd")).await.is_err());
}

#[tokio::test]
async fn ten_thousand_batches_of_an_earlier_process_are_found_and_forgotten_one_by_one() {
    let root = tempfile::tempdir().unwrap();
    let (spool, _) = Spool::open(root.path(), LIMIT * 100).unwrap();
    let folder = spool.begin(&lease("1.1")).await.unwrap();
    folder.append(batch("a")).await.unwrap();
    let file = root.path().join("lease-1.1/0000000001.ndjson.zst");
    for number in 2..=10_000 {
        std::fs::hard_link(&file, root.path().join("lease-1.1").join(folder::batch_name(Sequence(number)))).unwrap();
    }
    folder.write_finish(&finish(10_000)).await.unwrap();
    drop(spool);
    let (spool, found) = Spool::open(root.path(), LIMIT * 100).unwrap();
    assert_eq!((found[0].folder.spooled().batches, found[0].folder.last()), (10_000, Sequence(10_000)));
    for number in 1..=10_000 {
        found[0].folder.forget(Sequence(number));
    }
    assert_eq!((found[0].folder.spooled().batches, spool.used_bytes()), (0, 0));
    assert_eq!(std::fs::read_dir(root.path().join("lease-1.1")).unwrap().count(), 2);
}

/// Files of a folder by name.
fn files_of(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<(PathBuf, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().into(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

/// Changes a file as a failing disk, a full one or a careless hand would; `chance` gives a number below a bound.
fn damage(bytes: &mut Vec<u8>, chance: &mut impl FnMut(usize) -> usize) {
    match chance(5) {
        0 => bytes.truncate(chance(bytes.len() + 1)),
        1 => bytes.extend_from_within(chance(bytes.len() + 1)..),
        2 => bytes.fill(0),
        3 => (0..=chance(4)).for_each(|_| bytes.insert(chance(bytes.len() + 1), b"09\"{}[]\xff\0"[chance(9)])),
        _ => (0..=chance(8)).for_each(|_| {
            let at = chance(bytes.len().max(1));
            bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << chance(8));
        }),
    }
}

#[tokio::test]
async fn files_damaged_at_random_are_refused_or_read_as_they_were_written() {
    let root = tempfile::tempdir().unwrap();
    let (spool, _) = open(root.path());
    let folder = spool.begin(&lease("1.1")).await.unwrap();
    let written: Vec<EncodedBatch> = (0..3).map(|number| batch(&format!("scope {number}"))).collect();
    for batch in &written {
        folder.append(batch.clone()).await.unwrap();
    }
    folder.write_finish(&finish(3)).await.unwrap();
    drop(spool);
    let path = root.path().join("lease-1.1");
    let whole = files_of(&path);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut chance = move |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % bound as u64).unwrap()
    };
    let (mut refused, mut read) = (0, 0);
    for _ in 0..2_000 {
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        let damaged = chance(whole.len());
        for (number, (name, bytes)) in whole.iter().enumerate() {
            let mut bytes = bytes.clone();
            if number == damaged {
                damage(&mut bytes, &mut chance);
            }
            std::fs::write(path.join(name), bytes).unwrap();
        }
        let Ok((_spool, found)) = Spool::open(root.path(), LIMIT) else { continue };
        for found in found {
            for (number, batch) in written.iter().enumerate() {
                match found.folder.read(Sequence(number as u64 + 1)).await {
                    Ok(stored) => assert_eq!((&stored.text, read += 1), (&batch.text, ())),
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(refused > 500 && read > 3_000, "{refused} refused, {read} read");
}

#[tokio::test]
async fn an_end_with_a_number_beyond_all_numbers_does_not_end_the_process() {
    let root = tempfile::tempdir().unwrap();
    let (spool, _) = open(root.path());
    let folder = spool.begin(&lease("1.1")).await.unwrap();
    let record = FinishRecord { spooled: Sequence(u64::MAX), rest: Rest::Discard, ..finish(1) };
    folder.write_finish(&record).await.unwrap();
    drop(spool);
    let (_spool, found) = open(root.path());
    assert_eq!(found[0].end.record().spooled, Sequence(u64::MAX));
}
