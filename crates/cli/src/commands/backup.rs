//! `backup`: a copy of a catalog while crawls and the service go on.

use store::Store;

use crate::arguments::BackupArguments;
use crate::crawl::destination::catalog_url;
use crate::failure::{Failure, Outcome, Status};
use crate::output::{Page, readable_bytes};

pub(crate) async fn run(arguments: &BackupArguments) -> Outcome {
    let url = catalog_url(arguments.catalog.as_deref())?;
    if url.file().is_none() {
        // Refused before anything is tried, with the commands that do it.
        return match Store::backup(&url, &arguments.to).await {
            Err(error) => Err(Failure::usage_error(&error)),
            Ok(_) => Ok(Status::Complete),
        };
    }
    let bytes = Store::backup(&url, &arguments.to).await?;
    let line = format!("{} holds the catalog, {}.", arguments.to.display(), readable_bytes(bytes));
    let mut page = Page::with_line(line);
    page.line("Stored credentials cannot be read without the master key: keep a copy of it too, in another place.");
    page.print()?;
    Ok(Status::Complete)
}
