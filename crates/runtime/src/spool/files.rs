//! Files that are there as a whole or not at all, for their owner only.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// How a file that is being written is called besides its name.
pub(crate) const UNFINISHED: &str = "tmp";

/// Writes a file of its owner's: under another name first, to the disk, then renamed, and the folder to the disk.
pub(crate) fn write(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let unfinished = path.with_added_extension(UNFINISHED);
    let written = write_through(&unfinished, parts).and_then(|()| std::fs::rename(&unfinished, path));
    if written.is_err() {
        // What is left of it would take the room that others wait for.
        let _ = std::fs::remove_file(&unfinished);
    }
    written?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Replaces a small file as a whole, without waiting for the disk: for what is written again soon.
pub(crate) fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let unfinished = path.with_added_extension(UNFINISHED);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(text)?;
    std::fs::rename(&unfinished, path)
}

fn write_through(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()
}

/// Names in a folder are on the disk.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// A folder of its owner's; one that is there already is closed to others.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}

/// Whether an error says that there is no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
