//! The parts of the state, each from its section of the configuration.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac;
use futures::FutureExt;
use futures::future::BoxFuture;
use secrecy::ExposeSecret;
use store::{CatalogUrl, Store};

use super::{KeyPlace, StartError};
use crate::auth::Role;
use crate::auth::oidc::{Oidc, OidcSettings, RoleRules};
use crate::auth::password::{Cost, Passwords};
use crate::auth::rate_limit::SignInLimiter;
use crate::clock::SystemClock;
use crate::config::{Config, DefaultRole, Environment};
use crate::http::{CursorKey, Cursors};
use crate::metrics::Metrics;
use crate::outbound::{Outbound, OutboundSettings};
use crate::randomness::Random;
use crate::sealing::{KeyFileState, KeyRing, MasterKeys, Purpose};
use crate::shutdown::Shutdown;
use crate::state::{AppState, NotReady, Readiness};
use crate::webhook::{AllowedHosts, Webhooks};
use crate::work::{Nudge, Statuses};

/// Passwords that are hashed at the same time: each takes 19 MiB.
const HASHES_AT_ONCE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);
const CALLBACK: &str = "/api/v1/sign-in/oidc/callback";

/// The master keys: the named ones, or those in the file beside the catalog file, which is made at the first start.
pub(super) fn master_keys(
    config: &Config,
    catalog: &CatalogUrl,
    environment: &Environment,
    random: &dyn Random,
) -> Result<KeyRing, StartError> {
    let clock = Arc::new(SystemClock);
    let place = KeyPlace::of(config, catalog)?;
    let path = match &place {
        KeyPlace::Variable(_) => return Ok(KeyRing::fixed(place.read(environment)?, clock)),
        KeyPlace::File(path) => return Ok(KeyRing::of_file(path, clock)?),
        KeyPlace::BesideCatalog(path) => path,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| StartError::File { path: folder.display().to_string(), source })?;
    }
    if MasterKeys::from_file_or_create(path, random)?.1 == KeyFileState::Created {
        tracing::warn!(file = %path.display(), "a master key was made: keep a copy of this file, stored credentials cannot be read without it");
    }
    Ok(KeyRing::of_file(path, clock)?)
}

/// Everything that handlers and workers reach.
pub(super) fn state(
    config: Config,
    store: Store,
    keys: KeyRing,
    random: Arc<dyn Random>,
    environment: &Environment,
) -> Result<AppState, StartError> {
    let outbound = outbound(&config, environment)?;
    // What is derived stays as it is until the service is started again, whatever becomes of the master key.
    let cursors = keys.current().derive(Purpose::Cursors)?;
    let requests = keys.current().derive(Purpose::Requests)?;
    let passwords_min = config.sign_in.password_characters_min as usize;
    let metrics_token = config.metrics.token().map(|token| token.read(environment)).transpose()?;
    Ok(AppState {
        metrics: Arc::new(Metrics::new()),
        shutdown: Shutdown::new(),
        cursors: Cursors::new(&CursorKey::new(*cursors.expose())),
        readiness: Arc::new(StoreReadiness(store.clone())),
        store,
        clock: Arc::new(SystemClock),
        request_key: hmac::Key::new(hmac::HMAC_SHA256, requests.expose()),
        passwords: Passwords::new(Cost::OWASP, passwords_min, HASHES_AT_ONCE, random.clone())?,
        limiter: Mutex::new(SignInLimiter::default()),
        webhooks: Webhooks::new(outbound.clone(), AllowedHosts::new(config.alerts.allowed_hosts.iter().map(String::as_str))?),
        nudge: Nudge::default(),
        reconcilers: Statuses::default(),
        aws_environment: aws::Environment::from_lookup(|name| environment.get(name).map(str::to_owned)),
        oidc: oidc(&config, &keys, outbound, random.clone(), environment)?,
        keys: Arc::new(keys),
        random,
        metrics_token,
        config: Arc::new(config),
    })
}

fn outbound(config: &Config, environment: &Environment) -> Result<Outbound, StartError> {
    let read = |path: &PathBuf| std::fs::read(path).map_err(|source| StartError::File { path: path.display().to_string(), source });
    let ca_bundle_pem = config.crawl.ca_bundle.as_ref().map(read).transpose()?;
    let https_proxy = environment.get("HTTPS_PROXY").or_else(|| environment.get("https_proxy")).map(str::to_owned);
    Ok(Outbound::new(&OutboundSettings { ca_bundle_pem, https_proxy })?)
}

fn oidc(
    config: &Config,
    keys: &KeyRing,
    outbound: Outbound,
    random: Arc<dyn Random>,
    environment: &Environment,
) -> Result<Option<Oidc>, StartError> {
    let section = &config.sign_in.oidc;
    let Some(issuer) = section.issuer.clone() else { return Ok(None) };
    let client_id = section.client_id.clone().ok_or(StartError::OidcIncomplete { missing: "sign_in.oidc.client_id" })?;
    let public_url = config.public_url.as_deref().ok_or(StartError::OidcIncomplete { missing: "public_url" })?;
    let secret = section.client_secret().map(|reference| reference.read(environment)).transpose()?;
    let settings = OidcSettings {
        issuer,
        client_id,
        client_secret: secret.map(|secret| model::Secret::new(secret.expose_secret().to_owned())),
        redirect_url: format!("{}{CALLBACK}", public_url.trim_end_matches('/')),
        post_logout_redirect_url: section.post_logout_redirect_url.clone(),
        scopes: section.scopes.iter().filter(|scope| *scope != "openid").cloned().collect(),
        roles: role_rules(config),
    };
    Ok(Some(Oidc::new(settings, outbound, keys.derive(Purpose::SignInTransaction)?, random)?))
}

/// Who is listed twice gets the larger role.
fn role_rules(config: &Config) -> RoleRules {
    let section = &config.sign_in.oidc;
    let lists =
        [(Role::Viewer, &section.viewers), (Role::Member, &section.members), (Role::Administrator, &section.administrators)];
    let mapping = lists.into_iter().flat_map(|(role, names)| names.iter().map(move |name| (name.clone(), role))).collect();
    let everybody = match section.default_role {
        DefaultRole::None => None,
        DefaultRole::Viewer => Some(Role::Viewer),
        DefaultRole::Member => Some(Role::Member),
        DefaultRole::Administrator => Some(Role::Administrator),
    };
    RoleRules { claim: Some(section.role_claim.clone()), mapping, everybody }
}

/// Migrations are done when the store is open; what is left to ask is whether it answers.
#[derive(Debug)]
struct StoreReadiness(Store);

impl Readiness for StoreReadiness {
    fn check(&self) -> BoxFuture<'_, Result<(), NotReady>> {
        async {
            match self.0.has_users().await {
                Ok(_) => Ok(()),
                Err(error) => Err(NotReady(error.to_string())),
            }
        }
        .boxed()
    }
}
