//! `drain`: lets the running process finish, and waits for its end.

use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{Failure, Status};
use crate::data_folder::DataFolder;

/// How often it is looked whether the process has ended.
const LOOK_EVERY: Duration = Duration::from_millis(100);

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder of the runtime.
    #[arg(long, value_name = "DIR", env = "ISINGLASS_RUNTIME_DATA")]
    data: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let folder = DataFolder::at(&arguments.data);
    let Some(process) = folder.process() else {
        super::print(&format!("no runtime runs in {}", arguments.data.display()));
        return Ok(Status::Done);
    };
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| Failure::failed("the lock of the data folder names no process"))?;
    kill_process(pid, Signal::TERM)
        .map_err(|error| Failure::failed(format!("the process {process} cannot be asked to stop: {error}")))?;
    super::print(&format!("the process {process} finishes what it has"));
    while folder.process() == Some(process) {
        std::thread::sleep(LOOK_EVERY);
    }
    super::print("it has ended");
    Ok(Status::Done)
}
