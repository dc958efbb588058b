//! Log lines to standard error and, where an operator asks for them, traces over OTLP.
//!
//! What is logged of a request is its method, pattern, status, duration and id. Bodies, query strings, headers and tokens never are.

mod otlp;
mod request;
#[cfg(test)]
mod tests;

pub use request::{RequestLog, Traces, logged};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::config::{Config, Log, LogFormat};

/// Why there is no log, or no traces.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `log.level` is no level.
    #[error("`log.level`: {0}; expected error, warn, info, debug or trace, or directives such as info,store=debug")]
    Level(String),
    /// Another subscriber is installed.
    #[error("the log is set up twice: {0}")]
    Installed(String),
    /// Traces cannot be sent.
    #[error("`telemetry.otlp_endpoint`: {0}")]
    Otlp(String),
}

/// Sends what is left of the traces when it is told to; hold it until the end.
#[derive(Debug, Default)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Whether spans go anywhere.
    #[must_use]
    pub fn traces(&self) -> Traces {
        if self.traces.is_some() { Traces::On } else { Traces::Off }
    }

    /// Sends what is left, for a few seconds at most. It blocks: call it off the runtime's threads.
    pub fn finish(self) {
        if let Some(provider) = self.traces
            && let Err(error) = provider.shutdown_with_timeout(otlp::EXPORT_TIMEOUT)
        {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Installs the log of the process. Call once, from `main`, on a runtime, after a TLS provider is installed.
///
/// # Errors
/// The level does not parse, a log is installed already, or traces cannot be set up.
pub fn install(config: &Config) -> Result<Telemetry, TelemetryError> {
    let traces = config.telemetry.otlp_endpoint.as_deref().map(otlp::provider).transpose()?;
    let subscriber = subscriber(&config.log, std::io::stderr, traces.as_ref())?;
    tracing::subscriber::set_global_default(subscriber).map_err(|error| TelemetryError::Installed(error.to_string()))?;
    Ok(Telemetry { traces })
}

/// The subscriber that [`install`] installs, with any writer.
///
/// # Errors
/// The level does not parse.
pub fn subscriber<W>(
    log: &Log,
    writer: W,
    traces: Option<&SdkTracerProvider>,
) -> Result<impl Subscriber + Send + Sync + 'static, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&log.level).map_err(|error| TelemetryError::Level(error.to_string()))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match log.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    let traces = traces.map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("isinglass")));
    Ok(Registry::default().with(lines).with(traces).with(filter))
}
