//! What a run did on the network, as it happened: requests sent, requests refused, where connections went, bytes on the
//! sockets. It is shared by everything that can send, so there is no way to send that it does not see.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use connector::port::ReadOperation;
use model::document::report::{Endpoint, ReportWarning, Tls};

use crate::network::stream::Traffic;

/// The most refusals, warnings and addresses of one host that are kept: a fault that repeats itself must not fill the memory.
/// Hosts are bounded by the services that exist.
const ENTRIES_MAX: usize = 200;

/// The record of one run. Cloning it shares it.
#[derive(Clone, Debug, Default)]
pub struct Evidence(Arc<Mutex<Record>>);

#[derive(Debug, Default)]
struct Record {
    operations: BTreeMap<ReadOperation, u64>,
    credential_operations: BTreeMap<&'static str, u64>,
    refused: Vec<String>,
    endpoints: Vec<EndpointRecord>,
    warnings: Vec<ReportWarning>,
}

#[derive(Debug)]
struct EndpointRecord {
    report: Endpoint,
    traffic: Arc<Traffic>,
}

/// A connection that has just been made.
pub(crate) struct Opened<'a> {
    pub(crate) service: &'static str,
    pub(crate) host: &'a str,
    /// Where it ended; unknown behind a proxy that resolves the name.
    pub(crate) address: Option<IpAddr>,
    pub(crate) is_private: bool,
    pub(crate) proxy: Option<String>,
}

/// The record at one moment, in the form of reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EvidenceSnapshot {
    /// Requests sent, retries included, by `service:Operation`.
    pub operations: BTreeMap<String, u64>,
    /// What the gate refused.
    pub refused_operations: Vec<String>,
    /// Where connections went, in the order in which each was first opened.
    pub endpoints: Vec<Endpoint>,
    /// Oddities of sign-in and network.
    pub warnings: Vec<ReportWarning>,
}

impl Evidence {
    /// An empty record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What has been recorded so far.
    #[must_use]
    pub fn snapshot(&self) -> EvidenceSnapshot {
        let record = self.record();
        let mut operations: BTreeMap<String, u64> =
            record.operations.iter().map(|(operation, count)| (operation.to_string(), *count)).collect();
        for (operation, count) in &record.credential_operations {
            *operations.entry((*operation).to_owned()).or_default() += count;
        }
        EvidenceSnapshot {
            operations,
            refused_operations: record.refused.clone(),
            endpoints: record.endpoints.iter().map(EndpointRecord::report).collect(),
            warnings: record.warnings.clone(),
        }
    }

    pub(crate) fn sent(&self, operation: ReadOperation) {
        *self.record().operations.entry(operation).or_default() += 1;
    }

    /// Takes back a request that was counted and then found no connection.
    pub(crate) fn unsent(&self, operation: ReadOperation) {
        let mut record = self.record();
        let left = record.operations.get(&operation).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            record.operations.remove(&operation);
        } else {
            record.operations.insert(operation, left);
        }
    }

    /// A request of the base credential chain.
    pub(crate) fn sent_for_credentials(&self, operation: &'static str) {
        *self.record().credential_operations.entry(operation).or_default() += 1;
    }

    pub(crate) fn refused(&self, what: String) {
        let mut record = self.record();
        if record.refused.len() < ENTRIES_MAX && !record.refused.contains(&what) {
            record.refused.push(what);
        }
    }

    pub(crate) fn warn(&self, scope: &str, code: &str, message: String) {
        let warning = ReportWarning { scope: scope.to_owned(), code: code.to_owned(), message };
        let mut record = self.record();
        if record.warnings.len() < ENTRIES_MAX && !record.warnings.contains(&warning) {
            record.warnings.push(warning);
        }
    }

    /// Records a connection and gives the counters for its bytes.
    pub(crate) fn opened(&self, opened: &Opened<'_>) -> Arc<Traffic> {
        let mut record = self.record();
        let known = record.endpoints.iter().position(|known| known.is(opened.service, opened.host));
        let at = known.unwrap_or_else(|| {
            record.endpoints.push(EndpointRecord::new(opened));
            record.endpoints.len() - 1
        });
        let endpoint = &mut record.endpoints[at];
        endpoint.add(opened);
        Arc::clone(&endpoint.traffic)
    }

    pub(crate) fn secured(&self, service: &str, host: &str, tls: Tls) {
        if let Some(endpoint) = self.record().endpoints.iter_mut().find(|known| known.is(service, host)) {
            endpoint.report.tls = Some(tls);
        }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        // A panic elsewhere cannot leave a half-written record: every change is one step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EndpointRecord {
    fn new(opened: &Opened<'_>) -> Self {
        let report =
            Endpoint { service: opened.service.to_owned(), host: opened.host.to_owned(), private: true, ..Endpoint::default() };
        Self { report, traffic: Arc::default() }
    }

    fn is(&self, service: &str, host: &str) -> bool {
        self.report.service == service && self.report.host == host
    }

    fn add(&mut self, opened: &Opened<'_>) {
        self.report.connections += 1;
        self.report.private &= opened.is_private;
        if let Some(address) = opened.address.map(|address| address.to_canonical().to_string())
            && self.report.addresses.len() < ENTRIES_MAX
            && !self.report.addresses.contains(&address)
        {
            self.report.addresses.push(address);
        }
        if opened.proxy.is_some() {
            self.report.proxy.clone_from(&opened.proxy);
        }
    }

    fn report(&self) -> Endpoint {
        let mut report = self.report.clone();
        report.bytes_sent = self.traffic.sent.load(Ordering::Relaxed);
        report.bytes_received = self.traffic.received.load(Ordering::Relaxed);
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(address: &str, is_private: bool) -> Opened<'static> {
        Opened { service: "glue", host: "glue.example", address: address.parse().ok(), is_private, proxy: None }
    }

    #[test]
    fn connections_to_one_host_are_one_endpoint_that_is_private_only_if_all_are() {
        let evidence = Evidence::new();
        let first = evidence.opened(&opened("10.0.0.1", true));
        let second = evidence.opened(&opened("10.0.0.2", true));
        first.sent.fetch_add(3, Ordering::Relaxed);
        second.sent.fetch_add(4, Ordering::Relaxed);
        let endpoint = evidence.snapshot().endpoints.remove(0);
        assert_eq!((endpoint.connections, endpoint.bytes_sent, endpoint.private), (2, 7, true));
        assert_eq!(endpoint.addresses, ["10.0.0.1", "10.0.0.2"]);
        evidence.opened(&opened("8.8.8.8", false));
        assert!(!evidence.snapshot().endpoints[0].private);
    }

    #[test]
    fn refusals_and_warnings_are_kept_once() {
        let evidence = Evidence::new();
        for _ in 0..3 {
            evidence.refused("glue:DeleteTable".to_owned());
            evidence.warn("sts", "code", "message".to_owned());
        }
        let snapshot = evidence.snapshot();
        assert_eq!((snapshot.refused_operations.len(), snapshot.warnings.len()), (1, 1));
    }
}
