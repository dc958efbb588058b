//! The arguments of `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// The format
    #[arg(long, value_enum)]
    pub(crate) format: ExportFormat,
    /// File to write; for parquet a directory with one file for assets and one for columns; - for standard output (NDJSON only)
    #[arg(long, value_name = "PATH", default_value = "-")]
    pub(crate) output: PathBuf,
    /// Catalog: sqlite:PATH; default: the one in your user's data directory
    #[arg(long, value_name = "URL", env = "ISINGLASS_CATALOG")]
    pub(crate) catalog: Option<String>,
}

/// A standard format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One JSON document a line.
    Ndjson,
    /// Apache Parquet files.
    Parquet,
}
