//! The NDJSON sink: one document a line, written by a thread of its own, and a file that is there whole or not at all.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::JoinHandle;

use connector::port::{AssetSink, SinkError};
use model::document::{AssetStatus, write_asset, write_lines};
use model::{Asset, AssetBatch, Attribute, Kind, Value};
use tokio::sync::mpsc;

/// How many batches may wait for the writer: the backpressure of a crawl that reads faster than the disk writes.
const BATCHES_WAITING_MAX: usize = 4;

/// How many bytes are collected before they are written.
const BUFFER_BYTES: usize = 1 << 19;

/// How many processes are held back until all views are known, so that a reference to a view says so. Those beyond are
/// written with what is known by then.
const PROCESSES_HELD_MAX: usize = 20_000;

/// What has been written, by type name.
pub(crate) type Counts = BTreeMap<String, u64>;

/// An output that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {reason}", path.display())]
pub(crate) struct OutputError {
    path: PathBuf,
    reason: String,
    #[source]
    source: io::Error,
}

/// What lies behind a failed write, and what to do about it.
const REASONS: &[(io::ErrorKind, &str)] = &[
    (io::ErrorKind::StorageFull, "the disk is full; free some space and run again"),
    (io::ErrorKind::QuotaExceeded, "the disk quota is used up; free some space and run again"),
    (io::ErrorKind::PermissionDenied, "permission denied; choose a place that you may write to"),
    (io::ErrorKind::NotFound, "the directory does not exist; create it first"),
    (io::ErrorKind::ReadOnlyFilesystem, "the file system is read-only; choose another place"),
    (io::ErrorKind::IsADirectory, "it is a directory; give the name of a file"),
    (io::ErrorKind::BrokenPipe, "whoever was reading the output has closed it"),
];

impl OutputError {
    /// Whether whoever was reading has had enough (`| head`): no failure of what was asked for.
    pub(crate) fn is_closed_reader(&self) -> bool {
        self.source.kind() == io::ErrorKind::BrokenPipe
    }

    pub(crate) fn new(path: &Path, source: io::Error) -> Self {
        let reason = REASONS.iter().find(|entry| entry.0 == source.kind()).map_or("the write failed", |entry| entry.1);
        Self { path: path.to_owned(), reason: reason.to_owned(), source }
    }
}

/// A file that appears under its name only when it is whole. Standard output, pipes and devices are written directly.
pub(crate) struct OutputFile {
    path: PathBuf,
    partial: Option<PathBuf>,
    writer: Box<dyn Write + Send>,
}

impl OutputFile {
    /// Opens `-` (standard output), a pipe or device, or a temporary neighbour of the file.
    pub(crate) fn create(path: &Path) -> Result<Self, OutputError> {
        let fail = |source| OutputError::new(path, source);
        if path == Path::new("-") {
            return Ok(Self::direct(path, Box::new(io::stdout())));
        }
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
            return Ok(Self::direct(path, Box::new(File::options().write(true).open(path).map_err(fail)?)));
        }
        if path.is_dir() {
            return Err(fail(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = File::create(&partial).map_err(fail)?;
        Ok(Self { path: path.to_owned(), partial: Some(partial), writer: Box::new(file) })
    }

    fn direct(path: &Path, writer: Box<dyn Write + Send>) -> Self {
        Self { path: path.to_owned(), partial: None, writer }
    }

    /// Appends bytes at once: who writes little pieces collects them first.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        self.writer.write_all(bytes).map_err(|source| OutputError::new(&self.path, source))
    }

    /// Flushes and gives the file its name.
    pub(crate) fn finish(mut self) -> Result<(), OutputError> {
        let fail = |path: &Path, source| OutputError::new(path, source);
        self.writer.flush().map_err(|source| fail(&self.path, source))?;
        if let Some(partial) = self.partial.take() {
            fs::rename(&partial, &self.path).map_err(|source| fail(&self.path, source))?;
        }
        Ok(())
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if let Some(partial) = self.partial.take() {
            // Nothing half-written stays behind; if even that fails, the name says what it is.
            let _ = fs::remove_file(partial);
        }
    }
}

/// The sink.
pub(crate) struct NdjsonSink {
    batches: Mutex<Option<mpsc::Sender<AssetBatch>>>,
    writer: Mutex<Option<JoinHandle<Result<Lines, OutputError>>>>,
    failure: Mutex<Option<OutputError>>,
    /// Whether a temporary file has to go when the output is given up.
    has_partial: bool,
}

impl Drop for NdjsonSink {
    /// Waits for the writer to take its temporary file away: a process that ends first would leave it behind. A pipe is not waited
    /// for, since whoever reads it may never go on.
    fn drop(&mut self) {
        if self.has_partial {
            drop(self.stop());
        }
    }
}

impl NdjsonSink {
    /// Starts the writer.
    pub(crate) fn start(file: OutputFile) -> Self {
        let has_partial = file.partial.is_some();
        let (sender, mut receiver) = mpsc::channel::<AssetBatch>(BATCHES_WAITING_MAX);
        let writer = std::thread::spawn(move || {
            let mut lines = Lines::new(file);
            while let Some(batch) = receiver.blocking_recv() {
                lines.write_batch(batch)?;
            }
            Ok(lines)
        });
        Self { batches: Mutex::new(Some(sender)), writer: Mutex::new(Some(writer)), failure: Mutex::default(), has_partial }
    }

    /// Ends the output: writes what was held back and gives the file its name.
    pub(crate) fn finish(&self) -> Result<Counts, OutputError> {
        self.stop().map_or_else(|| Ok(Counts::new()), |lines| lines.and_then(Lines::finish))
    }

    /// Waits for the writer to end; `None` if it has been waited for before.
    fn stop(&self) -> Option<Result<Lines, OutputError>> {
        drop(lock(&self.batches).take());
        let writer = lock(&self.writer).take()?;
        let panicked = || Err(OutputError::new(Path::new("output"), io::Error::other("the writer thread panicked")));
        Some(writer.join().unwrap_or_else(|_| panicked()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl AssetSink for NdjsonSink {
    async fn deliver(&self, batch: AssetBatch) -> Result<(), SinkError> {
        let sender = lock(&self.batches).clone();
        if let Some(sender) = sender
            && sender.send(batch).await.is_ok()
        {
            return Ok(());
        }
        // The writer has ended early: it says why.
        if let Some(Err(error)) = self.stop() {
            *lock(&self.failure) = Some(error);
        }
        let failure = lock(&self.failure).take();
        let message = failure.as_ref().map_or_else(|| "the output was closed".to_owned(), ToString::to_string);
        Err(SinkError { message, source: failure.map(|error| Box::new(error.source) as _) })
    }
}

/// The writer's state.
struct Lines {
    file: OutputFile,
    buffer: Vec<u8>,
    counts: [u64; 256],
    /// Hashes of the S3 locations that were written.
    locations: HashSet<u64>,
    /// Hashes of the qualified names of views.
    views: HashSet<u64>,
    held: Vec<Asset>,
}

impl Lines {
    fn new(file: OutputFile) -> Self {
        Self {
            file,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            counts: [0; 256],
            locations: HashSet::new(),
            views: HashSet::new(),
            held: Vec::new(),
        }
    }

    fn write_batch(&mut self, batch: AssetBatch) -> Result<(), OutputError> {
        for item in batch.items {
            self.write_found(&item.asset)?;
            for derived in item.derived {
                self.write_derived(derived)?;
            }
        }
        Ok(())
    }

    fn write_found(&mut self, asset: &Asset) -> Result<(), OutputError> {
        if asset.kind == Kind::View {
            self.views.insert(hash(asset.qualified_name.as_str()));
        }
        let locations = &mut self.locations;
        let lines = write_lines(asset, AssetStatus::Active, |location| locations.insert(hash(location.as_str())), &mut self.buffer);
        self.count(asset.kind, 1);
        self.count(asset.kind.column_kind(), lines.columns);
        self.count(Kind::S3Object, u64::from(lines.location_object));
        self.count(Kind::Process, u64::from(lines.location_process));
        self.write_full_buffer()
    }

    fn write_full_buffer(&mut self) -> Result<(), OutputError> {
        if self.buffer.len() < BUFFER_BYTES { Ok(()) } else { self.write_buffer() }
    }

    fn write_buffer(&mut self) -> Result<(), OutputError> {
        self.file.write(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn write_derived(&mut self, asset: Asset) -> Result<(), OutputError> {
        if asset.kind == Kind::Process && self.held.len() < PROCESSES_HELD_MAX {
            self.held.push(asset);
            return Ok(());
        }
        if asset.kind == Kind::Process {
            return self.write_process(asset);
        }
        let is_repeated = asset.kind == Kind::S3Object && !self.locations.insert(hash(asset.qualified_name.as_str()));
        if is_repeated { Ok(()) } else { self.write_plain(&asset) }
    }

    fn write_process(&mut self, mut process: Asset) -> Result<(), OutputError> {
        for end in [Attribute::Inputs, Attribute::Outputs] {
            if let Some(Value::References(references)) = process.attributes.get(end) {
                let mut references = references.clone();
                for reference in references.iter_mut().filter(|reference| reference.kind == Kind::Table) {
                    if self.views.contains(&hash(reference.qualified_name.as_str())) {
                        reference.kind = Kind::View;
                    }
                }
                process.attributes.set(end, Value::References(references));
            }
        }
        self.write_plain(&process)
    }

    fn write_plain(&mut self, asset: &Asset) -> Result<(), OutputError> {
        write_asset(asset, AssetStatus::Active, &mut self.buffer);
        self.buffer.push(b'\n');
        self.count(asset.kind, 1);
        self.write_full_buffer()
    }

    fn count(&mut self, kind: Kind, lines: u64) {
        self.counts[kind as usize] += lines;
    }

    fn finish(mut self) -> Result<Counts, OutputError> {
        for process in std::mem::take(&mut self.held) {
            self.write_process(process)?;
        }
        self.write_buffer()?;
        let counts = Kind::ALL.iter().map(|kind| (kind.type_name().to_owned(), self.counts[*kind as usize]));
        let counts = counts.filter(|(_, count)| *count > 0).collect();
        self.file.finish()?;
        Ok(counts)
    }
}

fn hash(text: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::lineage::{ProcessKind, process};
    use model::{ConnectionName, Item, QualifiedName, Reference, Scope};

    fn name(text: &str) -> QualifiedName {
        ConnectionName::new("glue", 1).qualified_name().child("c").child("d").child(text)
    }

    fn batch(items: Vec<Item>) -> AssetBatch {
        AssetBatch { scope: Scope::new("c/d"), items, unchanged: Vec::new() }
    }

    #[test]
    fn a_reference_to_a_view_that_comes_later_says_that_it_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.ndjson");
        let sink = NdjsonSink::start(OutputFile::create(&path).unwrap());
        let view = |text: &str| Asset::new(Kind::View, name(text), text);
        let inputs = vec![Reference::new(Kind::Table, name("b"))];
        let flow = process(ProcessKind::View, name("a").as_str(), "a", inputs, vec![Reference::new(Kind::View, name("a"))]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            sink.deliver(batch(vec![Item { asset: view("a"), derived: vec![flow], source: None }])).await.unwrap();
            sink.deliver(batch(vec![Item::from(view("b"))])).await.unwrap();
        });
        assert!(!path.exists(), "a file has its name only when it is whole");
        let counts = sink.finish().unwrap();
        assert_eq!((counts["View"], counts["Process"]), (2, 1));
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(r#""inputs":[{"typeName":"View","qualifiedName":"default/glue/1/c/d/b"}]"#), "{text}");
    }

    #[test]
    fn an_output_that_is_given_up_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.ndjson");
        drop(OutputFile::create(&path).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        drop(NdjsonSink::start(OutputFile::create(&path).unwrap()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "the sink waits for its writer to clean up");
        assert!(
            OutputFile::create(&folder.path().join("none/out")).is_err_and(|error| error.to_string().contains("create it first"))
        );
        assert!(OutputFile::create(folder.path()).is_err_and(|error| error.to_string().contains("directory")));
    }
}
