//! From a bound listener and a router to the end of the process.

use std::time::Duration;

use axum::Router;

use crate::listener::Listener;
use crate::shutdown::{Drained, Signals};
use crate::state::App;

/// Serves until SIGTERM, SIGINT or the soft token, then drains. Whatever else runs (schedules, crawls, leases) was spawned on
/// `app.shutdown.tasks()` and ends within the same time.
///
/// # Errors
/// The operating system refuses the signal handlers.
pub async fn serve(app: App, router: Router, listener: Listener) -> std::io::Result<Drained> {
    let mut signals = Signals::install()?;
    let shutdown = app.shutdown.clone();
    let limit = Duration::from_secs(app.config.limits.drain_seconds.into());
    match listener.local_addr() {
        Ok(address) => tracing::info!(%address, "listening"),
        Err(error) => tracing::warn!(%error, "listening, and the address is not known"),
    }
    shutdown.tasks().spawn(listener.serve(router, shutdown.clone()));
    let (drained, ()) = tokio::join!(shutdown.drain(limit), signals.follow(&shutdown));
    tracing::info!(?drained, "stopped");
    Ok(drained)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;
    use crate::api::testing;
    use crate::config::Config;
    use crate::tls::tests::provider;

    #[tokio::test]
    async fn sigterm_ends_the_service_after_draining() {
        let config = Config { listen: "127.0.0.1:0".parse().unwrap(), ..Config::default() };
        let listener = Listener::bind(&config, provider()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let app = Arc::new(testing::state(config, &folder).await);
        let serving = tokio::spawn(serve(app, Router::new(), listener));
        // An answer means that the handlers are in place: without them the signal would end the tests.
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
        let own = std::process::id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &own]).status().unwrap().success());
        assert_eq!(serving.await.unwrap().unwrap(), Drained::Finished);
    }
}
