//! `export`: the catalog in standard formats.

mod parquet_files;

use std::path::Path;

use model::document::write_lines;
use store::{ExportCursor, ExportFilter, Store, StoredAsset};

use crate::arguments::{ExportArguments, ExportFormat};
use crate::crawl::destination::catalog_url;
use crate::crawl::ndjson::OutputFile;
use crate::failure::{Failure, Outcome, Status};

/// Assets that are read at once.
const PAGE_ASSETS: usize = 500;

/// How many bytes are collected before they are written.
const BUFFER_BYTES: usize = 1 << 19;

pub(crate) async fn run(arguments: &ExportArguments) -> Outcome {
    let store = Store::open_existing(&catalog_url(arguments.catalog.as_deref())?).await?;
    match arguments.format {
        ExportFormat::Ndjson => export_ndjson(&store, &arguments.output).await?,
        ExportFormat::Parquet if arguments.output == Path::new("-") => {
            return Err(Failure::usage("--format parquet writes two files: name a directory for them with --output DIR"));
        }
        ExportFormat::Parquet => export_parquet(&store, &arguments.output).await?,
    }
    Ok(Status::Complete)
}

async fn export_ndjson(store: &Store, path: &Path) -> Result<(), Failure> {
    let mut file = OutputFile::create(path)?;
    let mut lines = Vec::new();
    let mut is_closed = false;
    for_each_asset(store, |stored| {
        write_lines(&stored.asset, stored.status, |_| stored.stands_for_location, &mut lines);
        if lines.len() >= BUFFER_BYTES && !is_closed {
            is_closed = write_unless_closed(&mut file, &lines)?;
            lines.clear();
        }
        Ok(())
    })
    .await?;
    if is_closed || write_unless_closed(&mut file, &lines)? {
        return Ok(());
    }
    match file.finish() {
        Err(error) if error.is_closed_reader() => Ok(()),
        finished => Ok(finished?),
    }
}

/// Writes; `true` if the reader has gone.
fn write_unless_closed(file: &mut OutputFile, bytes: &[u8]) -> Result<bool, Failure> {
    match file.write(bytes) {
        Err(error) if error.is_closed_reader() => Ok(true),
        written => Ok(written.map(|()| false)?),
    }
}

async fn export_parquet(store: &Store, folder: &Path) -> Result<(), Failure> {
    let mut files = parquet_files::ParquetFiles::create(folder)?;
    for_each_asset(store, |stored| files.write(stored)).await?;
    files.finish()
}

async fn for_each_asset(store: &Store, mut take: impl FnMut(&StoredAsset) -> Result<(), Failure>) -> Result<(), Failure> {
    let filter = ExportFilter::default();
    let mut after = ExportCursor::default();
    loop {
        let page = store.export(&filter, &after, PAGE_ASSETS).await?;
        for stored in &page.assets {
            take(stored)?;
        }
        match page.next {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}
