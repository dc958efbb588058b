//! Whom a question is for: what the flags name, else what the environment names, else the catalog of the user.

use std::fs;
use std::path::Path;

use model::Secret;
use store::CatalogUrl;

use crate::arguments::CatalogArguments;
use crate::client::Client;
use crate::crawl::destination::catalog_url;
use crate::failure::Failure;

const CATALOG_VARIABLE: &str = "ISINGLASS_CATALOG";
const SERVER_VARIABLE: &str = "ISINGLASS_SERVER";
const TOKEN_VARIABLE: &str = "ISINGLASS_TOKEN";
const CA_BUNDLE_VARIABLE: &str = "AWS_CA_BUNDLE";

/// Whom to ask.
pub(super) enum Source {
    /// A catalog.
    Catalog(CatalogUrl),
    /// A control plane.
    Server(Box<Client>),
}

impl Source {
    /// A flag wins over the environment.
    pub(super) fn choose(arguments: &CatalogArguments, variable: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        if let Some(server) = &arguments.server {
            return client(server, arguments, set).map(Self::Server);
        }
        if let Some(catalog) = &arguments.catalog {
            return catalog_url(Some(catalog)).map(Self::Catalog);
        }
        match (set(SERVER_VARIABLE), set(CATALOG_VARIABLE)) {
            (Some(_), Some(_)) => Err(Failure::usage(format!(
                "{SERVER_VARIABLE} and {CATALOG_VARIABLE} are both set: unset one of them, or say --server URL or --catalog URL"
            ))),
            (Some(server), None) => client(&server, arguments, set).map(Self::Server),
            (None, catalog) => catalog_url(catalog.as_deref()).map(Self::Catalog),
        }
    }
}

fn client(server: &str, arguments: &CatalogArguments, set: impl Fn(&str) -> Option<String>) -> Result<Box<Client>, Failure> {
    let token = match &arguments.token_file {
        Some(path) => String::from_utf8(read(path)?).ok(),
        None => set(TOKEN_VARIABLE),
    };
    let token = token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty()).ok_or_else(|| {
        Failure::usage(format!("the server asks for a token: give a file that holds it with --token-file, or set {TOKEN_VARIABLE}"))
    })?;
    let ca_bundle = arguments.ca_bundle.clone().or_else(|| set(CA_BUNDLE_VARIABLE).map(Into::into));
    let ca_bundle = ca_bundle.as_deref().map(read).transpose()?;
    Ok(Box::new(Client::new(server, Secret::new(token), ca_bundle.as_deref())?))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::usage(format!("{} cannot be read: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(flags: [Option<&str>; 2], variables: &[(&str, &str)]) -> Result<String, Failure> {
        aws::install_default_provider();
        let [catalog, server] = flags.map(|flag| flag.map(str::to_owned));
        let arguments = CatalogArguments { catalog, server, ..CatalogArguments::default() };
        let variable = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Source::choose(&arguments, variable).map(|source| match source {
            Source::Catalog(url) => format!("{:?}", url.file()),
            Source::Server(client) => format!("{client:?}"),
        })
    }

    #[test]
    fn a_flag_wins_over_the_environment() {
        let both =
            [("ISINGLASS_SERVER", "https://variable"), ("ISINGLASS_CATALOG", "sqlite:variable"), ("ISINGLASS_TOKEN", "isg_x")];
        assert!(chosen([Some("sqlite:flag"), None], &both).unwrap().contains("flag"));
        assert!(chosen([None, Some("https://flag")], &both).unwrap().contains("https://flag"));
        assert!(chosen([None, None], &both[1..]).unwrap().contains("variable"));
        assert!(chosen([None, None], &[both[0], both[2]]).unwrap().contains("https://variable"));
        let failure = chosen([None, None], &both).unwrap_err().to_string();
        assert!(failure.contains("both set") && !failure.contains("isg_x"), "{failure}");
    }

    #[test]
    fn without_a_token_it_says_where_one_is_looked_for() {
        let failure = chosen([None, Some("https://example.com")], &[("ISINGLASS_TOKEN", " ")]).unwrap_err().to_string();
        assert!(failure.contains("--token-file") && failure.contains("ISINGLASS_TOKEN"), "{failure}");
    }
}
