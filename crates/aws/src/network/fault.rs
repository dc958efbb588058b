//! What can go wrong on the way to a service, each with what to do next: faults of the network diagnose themselves.

use connector::port::ErrorKind;

use crate::retry::RetryClass;

/// What kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// A rule of our own refused, before any packet.
    Refused,
    /// The name has no address.
    Resolve,
    /// Nothing answered in time when connecting.
    ConnectTimeout,
    /// The connection was refused, or there is no route.
    Connect,
    /// The proxy did not do its part.
    Proxy,
    /// TLS could not be set up: the certificate, mostly.
    Tls,
    /// Connected, but no answer or no more of it in time.
    Timeout,
    /// The connection broke.
    Closed,
    /// The answer ended early.
    CutOff,
    /// The answer is longer than any answer may be.
    TooLarge,
}

impl FaultKind {
    pub(crate) const fn error_kind(self) -> ErrorKind {
        match self {
            Self::Refused => ErrorKind::Refused,
            Self::Resolve | Self::ConnectTimeout | Self::Connect | Self::Proxy | Self::Tls | Self::Timeout | Self::Closed => {
                ErrorKind::Unavailable
            }
            Self::CutOff | Self::TooLarge => ErrorKind::Malformed,
        }
    }

    /// Whether nothing of the request can have been sent.
    pub(crate) const fn is_before_sending(self) -> bool {
        match self {
            Self::Refused | Self::Resolve | Self::ConnectTimeout | Self::Connect | Self::Proxy | Self::Tls => true,
            Self::Timeout | Self::Closed | Self::CutOff | Self::TooLarge => false,
        }
    }

    pub(crate) const fn retry_class(self) -> RetryClass {
        match self {
            Self::Refused | Self::Proxy | Self::Tls | Self::TooLarge => RetryClass::Never,
            Self::Resolve | Self::ConnectTimeout | Self::Connect => RetryClass::Unreachable,
            Self::Timeout | Self::Closed => RetryClass::Transient,
            Self::CutOff => RetryClass::Malformed,
        }
    }
}

/// A fault of the network.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct NetworkFault {
    pub(crate) kind: FaultKind,
    /// What and where.
    pub(crate) message: String,
    /// What to do next.
    pub(crate) suggested_action: String,
}

impl NetworkFault {
    pub(crate) fn new(kind: FaultKind, message: impl Into<String>, suggested_action: impl Into<String>) -> Self {
        Self { kind, message: message.into(), suggested_action: suggested_action.into() }
    }

    /// Finds the fault in an error that other crates have wrapped.
    pub(crate) fn find<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e Self> {
        let mut next = Some(error);
        while let Some(current) = next {
            if let Some(fault) = current.downcast_ref::<Self>() {
                return Some(fault);
            }
            next = current.source();
        }
        None
    }
}
