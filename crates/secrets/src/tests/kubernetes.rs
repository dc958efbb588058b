//! Secrets of Kubernetes: the pod's own settings, the cluster's certificate, and what the API's answers mean.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::harness::{context, open, pairs, try_open};
use super::server::{Authority, Reply, Seen, Server};
use crate::check;

fn secret(seen: &Seen) -> Reply {
    match (seen.line.as_str(), seen.header("authorization")) {
        ("GET /api/v1/namespaces/crawl/secrets/aws.prod", "Bearer t-1") => {
            let data =
                json!({ "id": STANDARD.encode("AKIA1"), "key": STANDARD.encode("k\n"), "binary": STANDARD.encode([0xff, 0xfe]) });
            Reply::json(200, &json!({ "kind": "Secret", "metadata": { "name": "aws.prod" }, "data": data }))
        }
        (line, _) => Reply::new(418, line),
    }
}

#[tokio::test]
async fn a_pod_needs_no_settings_and_trusts_the_clusters_own_certificate_only() {
    let (cluster, other) = (Authority::new(), Authority::new());
    let server = Server::start_tls(cluster.server("127.0.0.1"), secret).await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| std::fs::write(folder.path().join(name), content).unwrap();
    write("token", "t-1");
    write("namespace", "crawl\n");
    write("ca.crt", &cluster.pem());
    let port = server.address.port().to_string();
    let variables = [("KUBERNETES_SERVICE_HOST", "127.0.0.1"), ("KUBERNETES_SERVICE_PORT", port.as_str())];
    let text = format!("kind = \"kubernetes\"\nservice-account = {:?}", folder.path());
    let opened = open(&text, &variables).await;
    assert_eq!(opened.keys("aws.prod", &["id", "key"]).await.unwrap(), pairs(&[("id", "AKIA1"), ("key", "k\n")]));
    assert_eq!(opened.keys("aws.prod", &["binary"]).await.unwrap_err().category(), "malformed");

    write("ca.crt", &other.pem());
    let error = open(&text, &variables).await.keys("aws.prod", &["id"]).await.unwrap_err();
    assert_eq!(error.category(), "unreachable", "{error}");
    write("ca.crt", "none");
    assert_eq!(try_open(&text, context(&variables)).await.err().unwrap().category(), "misconfigured");
    assert_eq!(try_open(&text, context(&[])).await.err().unwrap().category(), "misconfigured");
}

#[tokio::test]
async fn each_answer_of_the_api_means_what_its_documentation_says() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "t-1").unwrap();
    for (status, reason, category, says, is_ready) in [
        (401, "Unauthorized", "denied", "service account", false),
        (403, "Forbidden", "denied", "RoleBinding", true),
        (404, "NotFound", "missing", "namespace crawl", true),
        (429, "TooManyRequests", "unreachable", "429", false),
        (500, "InternalError", "unreachable", "500", false),
    ] {
        let server = Server::start(move |_| Reply::json(status, &json!({ "kind": "Status", "reason": reason }))).await;
        let place = format!("namespace = \"crawl\"\napi-url = \"{}\"\nservice-account = {:?}", server.url(), folder.path());
        let opened = open(&format!("kind = \"kubernetes\"\n{place}"), &[]).await;
        let error = opened.keys("aws", &["id"]).await.unwrap_err();
        assert_eq!(error.category(), category, "{status}: {error}");
        assert!(error.to_string().contains(says), "{status}: {error}");
        assert_eq!(check(opened.store()).await.word() == "ready", is_ready, "{status}");
    }
}

#[tokio::test]
async fn odd_names_and_values_that_are_no_base64_are_told() {
    let server = Server::start(|_| Reply::json(200, &json!({ "data": { "id": "not base64!" } }))).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "t-1").unwrap();
    let place = format!("namespace = \"crawl\"\napi-url = \"{}\"\nservice-account = {:?}", server.url(), folder.path());
    let opened = open(&format!("kind = \"kubernetes\"\n{place}"), &[]).await;
    assert_eq!(opened.keys("aws", &["id"]).await.unwrap_err().category(), "malformed");
    for name in ["../aws", "Aws", "a/b", "-a", "a-", ".", "a..b"] {
        assert_eq!(opened.keys(name, &["id"]).await.unwrap_err().category(), "misconfigured", "{name}");
    }
    assert_eq!(server.seen().len(), 1);
    let text = format!("kind = \"kubernetes\"\n{place}").replace("\"crawl\"", "\"../kube-system\"");
    assert_eq!(try_open(&text, context(&[])).await.err().unwrap().category(), "misconfigured");
}
