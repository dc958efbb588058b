//! The flags of `serve`: one for each setting, made from the settings themselves so that none is forgotten.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use server::config::{Setting, settings};

/// How the service is to be configured.
#[derive(Debug)]
pub(crate) struct ServeArguments {
    /// The file, if there is one.
    pub(crate) config: Option<PathBuf>,
    /// What flags say, by key of the file.
    pub(crate) flags: Vec<(String, String)>,
}

const CONFIG: &str = "config";
/// Settings that stand first in the help, with what they are.
const FIRST: [(&str, &str, &str); 3] = [
    ("listen", "ADDRESS:PORT", "Where the service listens [default: 127.0.0.1:7070]"),
    ("catalog", "URL", "sqlite:PATH or postgres://USER@HOST/DATABASE [default: a file in your data directory]"),
    ("public_url", "URL", "How browsers reach the service, for links and cookies"),
];

impl Args for ServeArguments {
    fn augment_args(command: Command) -> Command {
        let config = Arg::new(CONFIG).long(CONFIG).value_name("FILE").value_parser(clap::value_parser!(PathBuf));
        let command = command
            .arg(config.help("The configuration, TOML: docs/isinglass.toml explains every key"))
            .after_help("Every setting is a key of the file, a variable ISINGLASS_… and a flag; a flag comes before a variable, a variable before the file.");
        let mut all = settings();
        all.sort_by_key(|setting| FIRST.iter().position(|(key, ..)| *key == setting.key).unwrap_or(FIRST.len()));
        command.args(all.into_iter().map(flag))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn flag(setting: Setting) -> Arg {
    let arg = Arg::new(setting.key.clone()).long(setting.flag);
    match FIRST.iter().find(|(key, ..)| *key == setting.key) {
        Some((_, value, help)) => arg.value_name(*value).help(*help),
        None => {
            let help = format!("`{}` of the file, {} of the environment", setting.key, setting.variable);
            arg.value_name("VALUE").help(help).help_heading("Further settings").hide_short_help(true)
        }
    }
}

impl FromArgMatches for ServeArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |setting: Setting| {
            let value = matches.try_get_one::<String>(&setting.key);
            match value {
                Ok(value) => Ok(value.map(|value| (setting.key, value.clone()))),
                Err(error) => Err(clap::Error::raw(ErrorKind::UnknownArgument, error.to_string())),
            }
        };
        let flags = settings().into_iter().filter_map(|setting| given(setting).transpose()).collect::<Result<_, _>>()?;
        Ok(Self { config: matches.get_one::<PathBuf>(CONFIG).cloned(), flags })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
