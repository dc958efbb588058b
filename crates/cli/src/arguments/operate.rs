//! The arguments of whoever runs the service: master keys and backups.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a master key file; one that is there is never overwritten.
    Create(CreateKeyArguments),
    /// Make a new current key, and bring every stored secret under it; services go on running.
    Rotate(KeysArguments),
    /// Show the ids of the keys, and how many secrets are under each.
    Status(KeysStatusArguments),
    /// Drop older keys that no secret is under any more.
    Retire(KeysArguments),
}

#[derive(Debug, Args)]
pub(crate) struct CreateKeyArguments {
    /// File to make, for its owner only
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// Which catalog, and where its keys are: as `serve` finds them.
#[derive(Debug, Args)]
pub(crate) struct KeysArguments {
    /// The configuration of the service; ISINGLASS_… variables count too
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Catalog: sqlite:PATH or postgres://USER@HOST/DATABASE; wins over the configuration
    #[arg(long, value_name = "URL")]
    pub(crate) catalog: Option<String>,
    /// Master key file; default: the one of the configuration, or the one beside the SQLite catalog
    #[arg(long, value_name = "FILE")]
    pub(crate) master_key_file: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct KeysStatusArguments {
    #[command(flatten)]
    pub(crate) of: KeysArguments,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    /// Catalog: sqlite:PATH; default: the one in your user's data directory
    #[arg(long, value_name = "URL", env = "ISINGLASS_CATALOG")]
    pub(crate) catalog: Option<String>,
    /// File to write, for its owner only; one that is there is never overwritten
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
}
