//! The heartbeat of a lease: says that a run is worked on, and hears whether to stop.

use std::time::Duration;

use store::{Heartbeat, Lease};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::Pace;
use super::pause::milliseconds;
use crate::state::App;

/// How long one heartbeat may take before it is tried again.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pulse {
    /// It is ours.
    Beating,
    /// It is ours, and somebody asked to stop.
    CancelRequested,
    /// It is somebody else's, or may be by now.
    Lost,
}

/// A heart that beats until it is dropped or the lease is lost.
#[derive(Debug)]
pub(super) struct Heart {
    pulse: watch::Receiver<Pulse>,
    _beating: AbortOnDropHandle<()>,
}

impl Heart {
    pub(super) fn start(app: &App, pace: Pace, lease: Lease) -> Self {
        let (told, pulse) = watch::channel(Pulse::Beating);
        let beating = app.shutdown.tasks().spawn(beat(app.clone(), pace, lease, told));
        Self { pulse, _beating: AbortOnDropHandle::new(beating) }
    }

    /// What is known now.
    pub(super) fn pulse(&self) -> Pulse {
        *self.pulse.borrow()
    }

    /// Waits until there is a reason to stop.
    pub(super) async fn stopped(&self) -> Pulse {
        let mut pulse = self.pulse.clone();
        let reason = pulse.wait_for(|pulse| *pulse != Pulse::Beating).await;
        // A heart that ended without a word beats no more.
        reason.map_or(Pulse::Lost, |pulse| *pulse)
    }
}

async fn beat(app: App, pace: Pace, lease: Lease, told: watch::Sender<Pulse>) {
    let mut until_ms = lease.lease_until_ms;
    loop {
        tokio::time::sleep(pace.heartbeat).await;
        let now_ms = app.clock.now_ms();
        let asked = app.store.heartbeat(&lease, pace.lease_ms(), now_ms);
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(Heartbeat::Extended { cancel_requested })) => {
                until_ms = now_ms.saturating_add(milliseconds(pace.lease));
                if cancel_requested {
                    told.send_replace(Pulse::CancelRequested);
                }
                continue;
            }
            Ok(Ok(Heartbeat::Lost)) => break,
            Ok(Err(error)) => tracing::warn!(%error, run = %lease.run, "a lease is not extended; this is tried again"),
            Err(_elapsed) => tracing::warn!(run = %lease.run, "the catalog does not answer; a lease is not extended"),
        }
        if app.clock.now_ms() >= until_ms {
            break;
        }
    }
    told.send_replace(Pulse::Lost);
}
