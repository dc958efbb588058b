//! The read-only gate: the second wall.
//!
//! There is no way to name a writing operation in this program. This gate does not rely on that: it looks at the request as it
//! would go over the wire, recognises the operation from it alone, and lets it pass only if it is the read that was meant.

use connector::port::{ReadOperation, Service};
use http::{HeaderName, Method, Request};

/// The header that names the operation in the JSON protocol.
pub(crate) const TARGET_HEADER: HeaderName = HeaderName::from_static("x-amz-target");

/// A request that may not leave.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{what} is not a read that this run makes; it was refused before signing")]
pub(crate) struct Refusal {
    /// The operation as far as it could be recognised: `glue:DeleteTable`.
    pub(crate) what: String,
}

/// Checks a request of `meant` as it stands on the wire.
pub(crate) fn admit<B>(request: &Request<B>, body: &[u8], meant: ReadOperation) -> Result<(), Refusal> {
    let found = recognise(request, body);
    match found {
        Some(name) if name == meant.name() => Ok(()),
        Some(name) => Err(Refusal { what: format!("{}:{}", meant.service().name(), shown(name)) }),
        None => Err(Refusal { what: format!("{}:{}", meant.service().name(), shown(request.uri().path())) }),
    }
    .and_then(|()| if is_whole_form(request, meant.service()) { Ok(()) } else { Err(Refusal { what: meant.to_string() }) })
}

/// The operation that a request names, by its protocol: JSON in a header, query in the body.
fn recognise<'r, B>(request: &'r Request<B>, body: &'r [u8]) -> Option<&'r str> {
    let mut targets = request.headers().get_all(TARGET_HEADER).iter();
    match (targets.next(), targets.next()) {
        (Some(target), None) => target.to_str().ok()?.strip_prefix("AWSGlue."),
        (Some(_), Some(_)) => None,
        (None, _) => action(body),
    }
}

/// The value of `Action` in a form body; none if it is there twice.
pub(crate) fn action(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    let mut actions = text.split('&').filter_map(|pair| pair.strip_prefix("Action="));
    let action = actions.next()?;
    actions.next().is_none().then_some(action)
}

/// Both protocols send everything by `POST` to `/`, and neither mixes with the other.
fn is_whole_form<B>(request: &Request<B>, service: Service) -> bool {
    let by_header = request.headers().contains_key(TARGET_HEADER);
    let protocol_fits = match service {
        Service::Sts => !by_header,
        Service::Glue => by_header,
        Service::DataZone => false,
    };
    protocol_fits && request.method() == Method::POST && request.uri().path() == "/" && request.uri().query().is_none()
}

fn shown(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, targets: &[&str]) -> Request<()> {
        let mut request = Request::builder().method("POST").uri(format!("https://glue.eu-west-1.amazonaws.com{path}"));
        for target in targets {
            request = request.header(TARGET_HEADER, *target);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn every_read_passes_in_its_own_form_only() {
        for operation in ReadOperation::ALL.iter().copied() {
            let glue = request("/", &[&format!("AWSGlue.{}", operation.name())]);
            let sts = format!("Action={}&Version=2011-06-15", operation.name());
            let fits = |service| operation.service() == service;
            assert_eq!(admit(&glue, b"{}", operation).is_ok(), fits(Service::Glue), "{operation}");
            assert_eq!(admit(&request("/", &[]), sts.as_bytes(), operation).is_ok(), fits(Service::Sts), "{operation}");
        }
    }

    #[test]
    fn anything_else_on_the_wire_is_refused_and_named() {
        let meant = ReadOperation::GetTables;
        for (path, targets, what) in [
            ("/", &["AWSGlue.DeleteTable"][..], "glue:DeleteTable"),
            ("/", &["AWSGlue.gettables"][..], "glue:gettables"),
            ("/", &["AWSGlue.GetTables", "AWSGlue.DeleteTable"][..], "glue:/"),
            ("/", &["DataZone.GetTables"][..], "glue:/"),
            ("/", &[][..], "glue:/"),
            ("/other", &["AWSGlue.GetTables"][..], "glue:GetTables"),
            ("/?a=b", &["AWSGlue.GetTables"][..], "glue:GetTables"),
        ] {
            assert_eq!(admit(&request(path, targets), b"{}", meant), Err(Refusal { what: what.to_owned() }), "{path} {targets:?}");
        }
        let twice = admit(&request("/", &[]), b"Action=AssumeRole&Action=GetSessionToken", ReadOperation::AssumeRole);
        assert!(twice.is_err());
        let other_method = Request::builder().method("PUT").uri("/").header(TARGET_HEADER, "AWSGlue.GetTables").body(()).unwrap();
        assert!(admit(&other_method, b"{}", meant).is_err());
    }
}
