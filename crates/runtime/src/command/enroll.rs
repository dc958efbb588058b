//! `enroll`: makes a key, shows the one-time token, and keeps who the control plane says that the runtime is.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use model::Secret;
use wire::{Code, EnrollRequest, Enrolled, PROTOCOL, Problem};

use super::run::control_plane;
use super::{Failure, Status, executor, variable};
use crate::configuration::{Configuration, Overrides};
use crate::control_plane::{Answer, ControlPlane, SendError, USUAL, server_url};
use crate::data_folder::DataFolder;
use crate::identity::{Identity, IdentityError, IdentityFiles};
use crate::outgoing::{Body, Method, Outgoing, Signed};
use crate::spool::files;

/// How often an enrolment without an answer is asked for, and the pauses between.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(2);
/// The longest token, bytes.
const TOKEN_BYTES_MAX: u64 = 4096;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The control plane, as https://host.
    #[arg(long, value_name = "URL", env = "ISINGLASS_RUNTIME_SERVER")]
    server: String,
    /// The one-time token that an administrator made.
    #[arg(long, value_name = "T", env = "ISINGLASS_RUNTIME_TOKEN", hide_env_values = true, required_unless_present = "token_file")]
    token: Option<String>,
    /// A file that holds the token.
    #[arg(long, value_name = "FILE", env = "ISINGLASS_RUNTIME_TOKEN_FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// What people call this runtime; runtimes of the same name share their work.
    #[arg(long, value_name = "N", env = "ISINGLASS_RUNTIME_NAME")]
    name: String,
    /// The folder for identity, spool and state of this runtime.
    #[arg(long, value_name = "DIR", env = "ISINGLASS_RUNTIME_DATA")]
    data: PathBuf,
    /// A configuration to use and to keep as DIR/runtime.toml.
    #[arg(long, value_name = "FILE", env = "ISINGLASS_RUNTIME_CONFIG")]
    config: Option<PathBuf>,
    /// A PEM file of certificates to trust besides the system's; it has to be configured for `run` as well.
    #[arg(long, value_name = "FILE")]
    ca_bundle: Option<PathBuf>,
    /// Give up the identity that DIR holds.
    #[arg(long)]
    replace: bool,
    /// Do nothing where DIR holds an identity: for what starts this program again and again. The token need not be there then.
    #[arg(long, conflicts_with = "replace")]
    unless_enrolled: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let server = server_url(&arguments.server)?;
    let folder = DataFolder::make(&arguments.data)?;
    let overrides = Overrides { ca_bundle: arguments.ca_bundle.clone(), ..Overrides::default() };
    let path = folder.configuration(arguments.config.as_deref());
    let configuration = Configuration::load(path.as_deref(), &variable, &overrides)?;
    let files = IdentityFiles::of(folder.path());
    if arguments.unless_enrolled && files.is_enrolled() {
        crate::command::print(&format!("{} holds an identity already: nothing to do", folder.path().display()));
        return Ok(Status::Done);
    }
    let token = token(arguments)?;
    let _lock = folder.lock()?;
    if files.is_enrolled() && !arguments.replace {
        return Err(Failure::new(Status::Failed, IdentityError::Enrolled(folder.path().display().to_string())));
    }
    if arguments.replace {
        files.remove()?;
    }
    let key = files.key_or_new()?;
    let request = EnrollRequest {
        token: token.expose().to_owned(),
        name: arguments.name.clone(),
        public_key: key.public_key(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: PROTOCOL,
    };
    let plane = control_plane(server.as_str(), &configuration)?;
    let enrolled = executor()?.block_on(enroll(&plane, &request))?;
    let Enrolled { runtime_id, name, audience } = enrolled;
    keep_configuration(arguments, &folder)?;
    files.save(&Identity { runtime_id, name: name.clone(), audience, server: server.to_string() })?;
    let said = format!("enrolled as `{name}`; start it with: isinglass-runtime run --data {}", folder.path().display());
    crate::command::print(&said);
    Ok(Status::Done)
}

fn token(arguments: &Arguments) -> Result<Secret, Failure> {
    let unusable = |reason: String| Failure::new(Status::Usage, format!("the token cannot be used: {reason}"));
    let text = match (&arguments.token, &arguments.token_file) {
        (Some(token), _) => token.clone(),
        (None, Some(path)) => {
            let size = std::fs::metadata(path).map_err(|error| unusable(format!("{}: {error}", path.display())))?.len();
            if size > TOKEN_BYTES_MAX {
                return Err(unusable(format!("{} is longer than a token", path.display())));
            }
            std::fs::read_to_string(path).map_err(|error| unusable(format!("{}: {error}", path.display())))?
        }
        (None, None) => String::new(),
    };
    let token = Secret::new(text.trim());
    if token.expose().is_empty() { Err(unusable("it is empty".to_owned())) } else { Ok(token) }
}

/// An answer that was lost is asked for again: the same token with the same key is answered in the same way.
async fn enroll(plane: &ControlPlane, request: &EnrollRequest) -> Result<Enrolled, Failure> {
    let body = Bytes::from(serde_json::to_vec(request).map_err(Failure::failed)?);
    let shown = serde_json::to_string(&EnrollRequest { token: "***".to_owned(), ..request.clone() }).map_err(Failure::failed)?;
    for tried in 1..=TRIES {
        let outgoing = Outgoing {
            method: Method::Post,
            path: "/runtime/v1/enroll".to_owned(),
            headers: vec![("content-type", "application/json".to_owned())],
            signed: Signed::Not,
            body: Body::Masked { sent: body.clone(), shown: shown.clone() },
        };
        match plane.send(outgoing, None, USUAL).await {
            Ok(answer) if answer.status < 500 && answer.status != 429 => return read(&answer),
            Ok(answer) if tried == TRIES => return read(&answer),
            Err(error @ SendError::TooLong { .. }) => return Err(Failure::failed(error)),
            Err(error) if tried == TRIES => return Err(Failure::failed(error)),
            Ok(_) | Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
    Err(Failure::failed("the control plane does not answer: try again"))
}

fn read(answer: &Answer) -> Result<Enrolled, Failure> {
    if (200..300).contains(&answer.status) {
        let another = |error| {
            Failure::failed(format!("the answer is not of this protocol ({error}): is this the control plane of Isinglass?"))
        };
        return serde_json::from_slice(&answer.body).map_err(another);
    }
    let problem = serde_json::from_slice(&answer.body).unwrap_or(Problem { code: Code::Other, detail: String::new() });
    let detail: String = problem.detail.chars().filter(|character| !character.is_control()).take(500).collect();
    Err(Failure::failed(if problem.code == Code::EnrolmentRefused {
        format!("the token is not taken ({detail}): it is good once and not for long; have a new one made")
    } else if problem.code == Code::UnsupportedProtocol {
        format!("this version of the runtime is not spoken to ({detail}): update it")
    } else {
        format!("the control plane refuses (HTTP status {}) {detail}", answer.status)
    }))
}

/// What was given with `--config` is what `run` reads.
fn keep_configuration(arguments: &Arguments, folder: &DataFolder) -> Result<(), Failure> {
    let Some(path) = &arguments.config else { return Ok(()) };
    let own = folder.own_configuration();
    if std::fs::canonicalize(path).ok() == std::fs::canonicalize(&own).ok() {
        return Ok(());
    }
    let text = std::fs::read(path).map_err(Failure::failed)?;
    files::write(&own, &[&text]).map_err(|error| Failure::failed(format!("{}: {error}", own.display())))
}
