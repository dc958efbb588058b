//! What the tests of this crate share: access to a simulated account, and what a crawl of it is plugged into.

use std::num::NonZeroUsize;
use std::sync::Mutex;

use aws::{Environment, Region};
use connector::port::{AssetSink, SinkError};
use model::{AssetBatch, ConnectionName, Secret};
use sim::Running;

use crate::access::{Access, Credentials};
use crate::run::KnownConnection;
use crate::spec::{CrawlSettings, GlueSpec, Occasion, SmusSpec};

const OCCASION: Occasion<'_> = Occasion { connection: "sales", concurrency: NonZeroUsize::MIN, now_ms: 1_790_000_000_000 };

/// Access to a simulation with its long-lived keys.
pub(crate) fn access(simulation: &Running) -> Access {
    aws::install_default_provider();
    let keys = simulation.keys();
    Access {
        credentials: Credentials::Keys {
            access_key_id: keys.access_key_id,
            secret_access_key: Secret::new(keys.secret_access_key),
            session_token: None,
        },
        endpoint_url: Some(simulation.endpoint()),
        ..Access::new(Region::parse("eu-west-1").unwrap(), Environment::default())
    }
}

pub(crate) fn glue_settings(spec: &GlueSpec) -> CrawlSettings {
    CrawlSettings::Glue(spec.settings(&OCCASION).unwrap())
}

pub(crate) fn smus_settings() -> CrawlSettings {
    CrawlSettings::Smus(SmusSpec::default().settings(&OCCASION).unwrap())
}

pub(crate) fn connection(settings: &CrawlSettings, account: Option<&str>) -> KnownConnection {
    let name = ConnectionName::new(settings.connector().name(), 7);
    KnownConnection { name, account: account.map(str::to_owned) }
}

/// Counts the assets that it is given; or takes none.
#[derive(Debug, Default)]
pub(crate) struct CountingSink {
    pub(crate) assets: Mutex<usize>,
    pub(crate) is_full: bool,
}

impl AssetSink for CountingSink {
    async fn deliver(&self, batch: AssetBatch) -> Result<(), SinkError> {
        if self.is_full {
            return Err(SinkError { message: "the disk is full".to_owned(), source: None });
        }
        *self.assets.lock().unwrap() += batch.items.len();
        Ok(())
    }
}
