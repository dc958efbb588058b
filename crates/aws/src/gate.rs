//! The read-only gate: the second wall.
//!
//! There is no way to name a writing operation in this program. This gate does not rely on that: it looks at the request as it
//! would go over the wire, recognises the operation from it alone, and lets it pass only if it is the read that was meant.

pub(crate) mod rest;

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
    let service = meant.service();
    let refused = |what: &str| Err(Refusal { what: format!("{}:{what}", service.name()) });
    match recognise(request, body, service) {
        Some(name) if name == meant.name() && is_whole_form(request, body, meant) => Ok(()),
        Some(name) => refused(&shown(name)),
        None => match service {
            Service::Sts | Service::Glue | Service::SecretsManager => refused(&shown(request.uri().path())),
            Service::DataZone => refused(&format!("{} {}", request.method(), shown(request.uri().path()))),
        },
    }
}

/// What stands before the operation in the header of the JSON protocol: the `targetPrefix` of the public service model. None for
/// services of other protocols.
pub(crate) const fn target_prefix(service: Service) -> Option<&'static str> {
    match service {
        Service::Glue => Some("AWSGlue."),
        Service::SecretsManager => Some("secretsmanager."),
        Service::Sts | Service::DataZone => None,
    }
}

/// The operation that a request names, by its protocol: JSON in a header, query in the body, REST by method and path.
fn recognise<'r, B>(request: &'r Request<B>, body: &'r [u8], service: Service) -> Option<&'r str> {
    let mut targets = request.headers().get_all(TARGET_HEADER).iter();
    match (targets.next(), targets.next()) {
        // A header on a request of another protocol is recognised too, so that what is refused has a name.
        (Some(target), None) => target.to_str().ok()?.strip_prefix(target_prefix(service).unwrap_or("AWSGlue.")),
        (Some(_), Some(_)) => None,
        (None, _) if request.uri().path() == "/" => action(body),
        (None, _) => rest::routed(request).map(ReadOperation::name),
    }
}

/// The value of `Action` in a form body; none if it is there twice.
pub(crate) fn action(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    let mut actions = text.split('&').filter_map(|pair| pair.strip_prefix("Action="));
    let action = actions.next()?;
    actions.next().is_none().then_some(action)
}

/// The protocols do not mix, and nothing is on a request that its protocol has no place for.
fn is_whole_form<B>(request: &Request<B>, body: &[u8], meant: ReadOperation) -> bool {
    let by_header = request.headers().contains_key(TARGET_HEADER);
    let posts_to_root = || request.method() == Method::POST && request.uri().path() == "/" && request.uri().query().is_none();
    match meant.service() {
        Service::Sts => !by_header && posts_to_root(),
        Service::Glue | Service::SecretsManager => by_header && posts_to_root(),
        Service::DataZone => !by_header && rest::is_sound(request, body, meant),
    }
}

fn shown(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(100).collect()
}

#[cfg(test)]
mod tests {
    use connector::port::{ReadRequest, RestMethod};

    use super::rest::http_method;
    use super::*;

    fn request(path: &str, targets: &[&str]) -> Request<()> {
        let mut request = Request::builder().method("POST").uri(format!("https://glue.eu-west-1.amazonaws.com{path}"));
        for target in targets {
            request = request.header(TARGET_HEADER, *target);
        }
        request.body(()).unwrap()
    }

    fn rest(method: &str, path: &str) -> Request<()> {
        Request::builder().method(method).uri(format!("https://datazone.eu-west-1.api.aws{path}")).body(()).unwrap()
    }

    /// A request of a REST operation as the connector makes it.
    fn made(operation: ReadOperation) -> (Request<()>, ReadRequest) {
        let route = operation.route().unwrap();
        let input = (route.method == RestMethod::Post).then(|| serde_json::json!({}));
        let segments = ["dzd_1", "id-2", "id-3"];
        let request = ReadRequest::rest(operation, &segments, &[], input.as_ref());
        (rest(http_method(route.method).as_str(), &request.path), request)
    }

    #[test]
    fn every_read_passes_in_its_own_form_only() {
        for operation in ReadOperation::ALL.iter().copied() {
            let glue = request("/", &[&format!("AWSGlue.{}", operation.name())]);
            let secrets = request("/", &[&format!("secretsmanager.{}", operation.name())]);
            let sts = format!("Action={}&Version=2011-06-15", operation.name());
            let fits = |service| operation.service() == service;
            assert_eq!(admit(&glue, b"{}", operation).is_ok(), fits(Service::Glue), "{operation}");
            assert_eq!(admit(&secrets, b"{}", operation).is_ok(), fits(Service::SecretsManager), "{operation}");
            assert_eq!(admit(&request("/", &[]), sts.as_bytes(), operation).is_ok(), fits(Service::Sts), "{operation}");
            for routed in ReadOperation::of(Service::DataZone) {
                let (on_the_wire, given) = made(routed);
                assert_eq!(admit(&on_the_wire, &given.body, operation).is_ok(), routed == operation, "{operation} {routed}");
            }
        }
    }

    #[test]
    fn identifiers_of_other_systems_pass_as_one_segment_and_known_parameters_with_them() {
        let arn = "arn:aws:glue:eu-west-1:1:table/sales/a b";
        for (operation, query) in [
            (ReadOperation::GetLineageNode, ("timestamp", "1700000000")),
            (ReadOperation::GetUserProfile, ("type", "IAM")),
            (ReadOperation::GetAsset, ("revision", "a=b&c")),
        ] {
            let request = ReadRequest::rest(operation, &["dzd_1", arn], &[query], None);
            assert_eq!(admit(&rest("GET", &request.path), b"", operation), Ok(()), "{}", request.path);
        }
        let pages = ReadRequest::rest(ReadOperation::QueryGraph, &["dzd_1"], &[("maxResults", "50"), ("nextToken", "a+/=")], None);
        assert_eq!(admit(&rest("POST", &pages.path), b"{}", ReadOperation::QueryGraph), Ok(()));
    }

    #[test]
    fn a_rest_request_that_is_no_read_is_refused_and_named_by_method_and_path() {
        for (method, path) in [
            ("PUT", "/v2/domains/d/projects/p"),
            ("DELETE", "/v2/domains/d/assets/a"),
            ("PATCH", "/v2/domains/d/projects/p"),
            ("HEAD", "/v2/domains/d"),
            ("POST", "/v2/domains/d/assets"),
            ("POST", "/v2/domains/d/assets/a"),
            ("GET", "/v2/domains/d/search"),
            ("GET", "/v2/domains/d/environments/e/credentials"),
            ("GET", "/v2/domains/d/connections/c"),
            ("GET", "/v2/domains/d/entities/ASSET/a/time-series-data-points"),
            ("GET", "/v2/domains/d/entities/ASSET/a/time-series-data-points/t"),
            ("GET", "/v2/domains/d/projects/"),
            ("GET", "/v2/domains//projects"),
            ("GET", "/v2%2Fdomains/d"),
            ("GET", "/v2/domains/d%2Fprojects/"),
            ("GET", "/v2/domains/d/assets/a/../../environments/e/credentials"),
        ] {
            let what = format!("datazone:{method} {path}");
            assert_eq!(admit(&rest(method, path), b"", ReadOperation::GetAsset), Err(Refusal { what }), "{method} {path}");
        }
    }

    #[test]
    fn a_rest_read_with_anything_on_it_that_does_not_belong_there_is_refused() {
        for (meant, method, path, body) in [
            (ReadOperation::GetDomain, "GET", "/v2/domains/..", ""),
            (ReadOperation::GetDomain, "GET", "/v2/domains/%2e%2E", ""),
            (ReadOperation::GetDomain, "GET", "/v2/domains/d%2Fconnections%2Fc", ""),
            (ReadOperation::GetDomain, "GET", "/v2/domains/d%5Cx", ""),
            (ReadOperation::GetDomain, "GET", "/v2/domains/d%252Fx", ""),
            (ReadOperation::GetDomain, "GET", "/v2/domains/d;x", ""),
            (ReadOperation::GetDomain, "GET", "/v2/domains/d?=x", ""),
            (ReadOperation::ListProjects, "GET", "/v2/domains/d%2Fx/projects", ""),
            (ReadOperation::ListProjects, "GET", "/v2/domains/../projects", ""),
            (ReadOperation::GetAsset, "GET", "/v2/domains/d/assets/..", ""),
            (ReadOperation::GetAsset, "GET", "/v2/domains/d/assets/%2e.", ""),
            (ReadOperation::GetAsset, "GET", "/v2/domains/d/assets/a%2", ""),
            (ReadOperation::GetAsset, "GET", "/v2/domains/d/assets/a%zz", ""),
            (ReadOperation::GetAsset, "GET", "/v2/domains/d%2Fx/assets/a", ""),
            (ReadOperation::GetAsset, "GET", "/v2/domains/d/assets/a?withSecret=true", ""),
            (ReadOperation::GetAsset, "GET", "/v2/domains/d/assets/a?revision=1&withSecret=true", ""),
            (ReadOperation::GetAsset, "GET", "/v2/domains/d/assets/a?%72evision=1", ""),
            (ReadOperation::GetAsset, "GET", "/v2/domains/d/assets/a?revision", ""),
            (ReadOperation::GetAsset, "GET", "/v2/domains/d/assets/a?revision=1;x", ""),
            (ReadOperation::GetAsset, "GET", "/v2/domains/d/assets/a?", ""),
            (ReadOperation::GetAsset, "GET", "/v2/domains/d/assets/a", "{}"),
            (ReadOperation::Search, "POST", "/v2/domains/d/search", ""),
            (ReadOperation::Search, "POST", "/v2/domains/d/search", "Action=AssumeRole"),
            (ReadOperation::Search, "POST", "/v2/domains/d/search?maxResults=50", "{}"),
        ] {
            let refused = admit(&rest(method, path), body.as_bytes(), meant);
            assert_eq!(refused, Err(Refusal { what: meant.to_string() }), "{method} {path} {body}");
        }
        let (mut with_target, _) = made(ReadOperation::GetDomain);
        with_target.headers_mut().insert(TARGET_HEADER, "AWSGlue.GetDomain".parse().unwrap());
        assert!(admit(&with_target, b"", ReadOperation::GetDomain).is_err());
    }

    #[test]
    fn a_read_of_one_domain_route_does_not_pass_as_another() {
        let (asset, _) = made(ReadOperation::GetAsset);
        let refused = admit(&asset, b"", ReadOperation::GetDataProduct);
        assert_eq!(refused, Err(Refusal { what: "datazone:GetAsset".to_owned() }));
        let in_the_body = admit(&request("/", &[]), b"Action=GetAsset", ReadOperation::GetAsset);
        assert_eq!(in_the_body, Err(Refusal { what: "datazone:GetAsset".to_owned() }));
    }

    #[test]
    fn no_other_operation_of_secrets_manager_passes() {
        for name in ["PutSecretValue", "DeleteSecret", "ListSecrets", "BatchGetSecretValue", "GetRandomPassword"] {
            let other = request("/", &[&format!("secretsmanager.{name}")]);
            let refused = Err(Refusal { what: format!("secretsmanager:{name}") });
            assert_eq!(admit(&other, b"{}", ReadOperation::GetSecretValue), refused);
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
