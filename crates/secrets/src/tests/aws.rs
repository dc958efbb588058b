//! AWS Secrets Manager: what is asked, what its answers mean, and a second opinion by moto.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::harness::{Opened, context, open, pairs, try_open};
use super::server::{Reply, Seen, Server};
use crate::check;

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIABASE000000000000"), ("AWS_SECRET_ACCESS_KEY", "base-secret")];

async fn at(url: &str, more: &str) -> Opened {
    let variables = [KEYS[0], KEYS[1], ("AWS_ENDPOINT_URL_SECRETS_MANAGER", url), ("AWS_ENDPOINT_URL_STS", url)];
    open(&format!("kind = \"aws-secrets-manager\"\nregion = \"eu-west-1\"\n{more}"), &variables).await
}

#[tokio::test]
async fn a_secret_is_asked_for_by_name_or_arn_and_a_bare_text_is_one_value() {
    let server = Server::start(|seen: &Seen| Reply::json(200, &json!({ "SecretString": seen.body }))).await;
    let opened = at(&server.url(), "").await;
    let arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:team/aws-AbCdEf";
    let found = opened.entries(&["team/aws", arn]).await.unwrap();
    assert_eq!(found["team/aws"], r#"{"SecretId":"team/aws"}"#);
    assert_eq!(found[arn], format!(r#"{{"SecretId":"{arn}"}}"#));
    let asked = server.seen().remove(0);
    assert_eq!((asked.line.as_str(), asked.header("x-amz-target")), ("POST /", "secretsmanager.GetSecretValue"));
    assert!(asked.header("authorization").contains("/eu-west-1/secretsmanager/aws4_request"));

    let elsewhere = arn.replace("eu-west-1", "us-east-1");
    for name in [elsewhere.as_str(), "a b", "a\"b", &"a".repeat(2049)] {
        assert_eq!(opened.entries(&[name]).await.unwrap_err().category(), "misconfigured", "{name}");
    }
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn each_answer_of_the_service_means_what_its_documentation_says() {
    let deleting = "You can't perform this operation on the secret because it was marked for deletion.";
    for (code, message, category, says, is_ready) in [
        ("ResourceNotFoundException", "because", "missing", "region", true),
        ("InvalidRequestException", deleting, "missing", "deletion", true),
        ("AccessDeniedException", "no identity-based policy allows it", "denied", "secretsmanager:GetSecretValue", true),
        ("AccessDeniedException", "Access to KMS is not allowed", "denied", "kms:Decrypt", true),
        ("DecryptionFailure", "because", "denied", "kms:Decrypt", false),
        ("UnrecognizedClientException", "because", "denied", "access key", false),
        ("InvalidParameterException", "because", "misconfigured", "names", true),
    ] {
        let server = Server::start(move |_| Reply::json(400, &json!({ "__type": code, "Message": message }))).await;
        let opened = at(&server.url(), "").await;
        let error = opened.entries(&["team/aws"]).await.unwrap_err();
        assert_eq!(error.category(), category, "{code}: {error}");
        assert!(error.to_string().contains(says), "{code}: {error}");
        assert_eq!(check(opened.store()).await.word() == "ready", is_ready, "{code} {message}");
    }
    for body in [json!({ "SecretBinary": "aHVudGVyMg==" }), json!({ "Name": "team/aws" })] {
        let server = Server::start(move |_| Reply::json(200, &body)).await;
        let error = at(&server.url(), "").await.entries(&["team/aws"]).await.unwrap_err();
        assert_eq!(error.category(), "malformed");
        assert!(error.to_string().contains("SecretString"), "{error}");
    }
}

#[tokio::test]
async fn a_role_is_assumed_with_a_session_that_may_read_secrets_only() {
    let server = Server::start(|seen: &Seen| match seen.body.starts_with("Action=AssumeRole") {
        true => Reply::new(
            200,
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><AssumedRoleUser>\
             <Arn>arn:aws:sts::111122223333:assumed-role/reader/isinglass-secrets</Arn></AssumedRoleUser><Credentials>\
             <AccessKeyId>ASIASESSION1</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
             <Expiration>2023-11-14T23:13:20Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
        ),
        false => Reply::json(200, &json!({ "SecretString": "v" })),
    })
    .await;
    let role = "role-arn = \"arn:aws:iam::111122223333:role/reader\"\nexternal-id = \"ext-1\"";
    assert_eq!(at(&server.url(), role).await.entries(&["a"]).await.unwrap(), pairs(&[("a", "v")]));
    let (assumed, read) = (&server.seen()[0], &server.seen()[1]);
    let form = assumed.form();
    assert_eq!((form["RoleSessionName"].as_str(), form["ExternalId"].as_str()), ("isinglass-secrets", "ext-1"));
    let policy: Value = serde_json::from_str(&form["Policy"]).unwrap();
    assert_eq!(policy["Statement"][0]["Action"], json!(["secretsmanager:GetSecretValue"]));
    assert!(read.header("authorization").contains("Credential=ASIASESSION1/"));
}

#[tokio::test]
async fn the_private_network_mode_sends_nothing_to_a_public_address() {
    let text = |more: &str| format!("kind = \"aws-secrets-manager\"\nregion = \"eu-west-1\"\nnetwork = \"private\"\n{more}");
    let server = Server::start(|_| Reply::json(200, &json!({ "SecretString": "v" }))).await;
    let url = server.url();
    let variables = [KEYS[0], KEYS[1], ("AWS_ENDPOINT_URL", url.as_str())];
    let refused = open(&text(""), &variables).await.entries(&["a"]).await.unwrap_err();
    assert_eq!((refused.category(), server.seen().len()), ("misconfigured", 0), "{refused}");
    let listed = open(&text("private-cidrs = [\"127.0.0.0/8\"]"), &variables).await;
    assert_eq!(listed.entries(&["a"]).await.unwrap(), pairs(&[("a", "v")]));
}

#[tokio::test]
async fn settings_that_cannot_work_are_told_when_stores_are_opened() {
    for bad in [
        "",
        "region = \"nowhere\"",
        "region = \"eu-west-1\"\nrole-arn = \"reader\"",
        "region = \"eu-west-1\"\nexternal-id = \"x-1\"",
        "region = \"eu-west-1\"\nrole-arn = \"arn:aws-cn:iam::111122223333:role/reader\"",
        "region = \"eu-west-1\"\nnetwork = \"private\"\nprivate-cidrs = [\"10.0.0.0/99\"]",
        "region = \"eu-west-1\"\nca-bundle = \"/does/not/exist\"",
    ] {
        let opened = try_open(&format!("kind = \"aws-secrets-manager\"\n{bad}"), context(&KEYS)).await;
        assert_eq!(opened.err().map(|error| error.category()), Some("misconfigured"), "{bad}");
    }
}

/// A moto server, killed when the test is over.
struct Moto {
    process: Child,
    url: String,
}

impl Moto {
    fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(python());
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &free.port().to_string()]);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while TcpStream::connect(free).is_err() {
            assert!(process.try_wait().unwrap().is_none(), "moto ended before it listened");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { process, url: format!("http://{free}") }
    }

    /// Makes secrets with boto3, and tells what boto3 reads of them.
    fn fill(&self) -> Value {
        const SCRIPT: &str = r#"
import boto3, json, sys
client = boto3.client("secretsmanager", region_name="eu-west-1", endpoint_url=sys.argv[1])
client.create_secret(Name="team/aws", SecretString=json.dumps({"access-key-id": "AKIA1", "secret-access-key": "k/+=\u00e9"}))
client.create_secret(Name="single", SecretString="a bare value")
client.put_secret_value(SecretId="single", SecretString="the next value")
client.create_secret(Name="binary", SecretBinary=b"\x00\x01")
client.create_secret(Name="leaving", SecretString="x")
client.delete_secret(SecretId="leaving", RecoveryWindowInDays=7)
arn = client.describe_secret(SecretId="team/aws")["ARN"]
print(json.dumps({"arn": arn, "keys": client.get_secret_value(SecretId=arn)["SecretString"]}))
"#;
        let mut command = Command::new(python());
        command.args(["-c", SCRIPT, &self.url]).env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
        let output = command.env_remove("AWS_PROFILE").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The Python that `make test` provides with boto3 and moto.
fn python() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().and_then(Path::parent).unwrap();
    let path = std::env::var_os("ISINGLASS_PYTHON").map_or_else(|| workspace.join(".cache/venv/bin/python"), PathBuf::from);
    assert!(path.exists(), "{} does not exist: run `make test`, which provides Python with boto3 and moto", path.display());
    path
}

#[tokio::test]
async fn secrets_made_with_boto3_are_read_as_boto3_reads_them() {
    let moto = Moto::start();
    let made = moto.fill();
    let opened = at(&moto.url, "").await;
    let expected: std::collections::BTreeMap<String, String> = serde_json::from_str(made["keys"].as_str().unwrap()).unwrap();
    for entry in ["team/aws", made["arn"].as_str().unwrap()] {
        assert_eq!(opened.keys(entry, &["access-key-id", "secret-access-key"]).await.unwrap(), expected);
    }
    assert_eq!(opened.entries(&["single"]).await.unwrap(), pairs(&[("single", "the next value")]));
    for (entry, category) in [("absent", "missing"), ("leaving", "missing"), ("binary", "malformed")] {
        assert_eq!(opened.entries(&[entry]).await.unwrap_err().category(), category, "{entry}");
    }
    assert_eq!(opened.keys("single", &["key"]).await.unwrap_err().category(), "malformed");
    assert_eq!(check(opened.store()).await.word(), "ready");
}
