//! `health`: whether the running process is well, by what it wrote last.

use std::path::PathBuf;

use super::{Failure, Status};
use crate::clock;
use crate::health::HealthFile;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder of the runtime.
    #[arg(long, value_name = "DIR", env = "ISINGLASS_RUNTIME_DATA")]
    data: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let health = HealthFile::of(&arguments.data).read();
    let health = health.ok_or_else(|| Failure::failed(format!("no runtime has run in {}", arguments.data.display())))?;
    super::print(&serde_json::to_string(&health).map_err(Failure::failed)?);
    if health.is_well(clock::wall_ms()) { Ok(Status::Done) } else { Ok(Status::Failed) }
}
