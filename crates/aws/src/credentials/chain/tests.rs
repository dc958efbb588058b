//! The chain as `aws-config` runs it. It reads the environment of the process, so each case runs in a process of its own.

use std::process::{Command, Output};

use connector::port::{ReadApi, ReadOperation, ReadRequest};

use super::*;
use crate::testing::{Bundle, Reply, Seen, Server};
use crate::{Client, Environment, Evidence, EvidenceSnapshot, NetworkMode, Region};

/// Tells a child process that it is one.
const CHILD: &str = "ISINGLASS_TEST_CHILD";
const READS: &[ReadOperation] = &[ReadOperation::GetDatabases];
const CASES: &str = "credentials::chain::tests::";

#[test]
fn only_calls_that_fetch_credentials_are_recognised() {
    let container: Authority = "127.0.0.1:9000".parse().unwrap();
    let find = |method: &str, uri: &str, body: &str| {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        recognise(&method, &uri.parse().unwrap(), body.as_bytes(), Some(&container)).map(|call| call.operation)
    };
    for (method, uri, body, expected) in [
        ("POST", "https://sts.eu-west-1.amazonaws.com/", "Action=AssumeRole&Version=1", Some("sts:AssumeRole")),
        ("POST", "https://sts.eu-west-1.amazonaws.com/", "Action=AssumeRoleWithWebIdentity", Some("sts:AssumeRoleWithWebIdentity")),
        ("POST", "https://sts.eu-west-1.amazonaws.com/", "Action=GetFederationToken", None),
        ("GET", "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials?x=y", "", Some("sso:GetRoleCredentials")),
        ("POST", "https://portal.sso.eu-west-1.amazonaws.com/logout", "", None),
        ("POST", "https://oidc.eu-west-1.amazonaws.com/token", "{}", Some("sso-oidc:CreateToken")),
        ("POST", "https://oidc.eu-west-1.amazonaws.com/client/register", "{}", None),
        ("PUT", "http://169.254.169.254/latest/api/token", "", Some("imds:GetToken")),
        ("GET", "http://169.254.169.254/latest/meta-data/iam/security-credentials/", "", Some("imds:GetCredentials")),
        ("GET", "http://169.254.169.254/latest/user-data", "", None),
        ("GET", "http://169.254.170.2/v2/credentials/1", "", Some("container:GetCredentials")),
        ("GET", "http://127.0.0.1:9000/creds", "", Some("container:GetCredentials")),
        ("GET", "http://127.0.0.1:9001/creds", "", None),
    ] {
        assert_eq!(find(method, uri, body), expected, "{method} {uri} {body}");
    }
}

/// Runs a test of this module again in a process with this environment alone. None in that process.
fn in_child(case: &str, variables: &[(&str, &str)]) -> Option<Output> {
    if std::env::var_os(CHILD).is_some() {
        return None;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("{CASES}{case}"), "--nocapture"]).env_clear().env(CHILD, "1").env("HOME", "/nonexistent");
    Some(command.envs(variables.iter().copied()).output().unwrap())
}

/// As [`in_child`], beside a server whose URL is in the variables that are named.
fn beside_server(
    case: &'static str,
    handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    url_variables: &[&str],
    variables: &[(&str, &str)],
) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return false;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(Server::start(handler));
    let url = format!("http://{}", server.address);
    let all: Vec<_> = url_variables.iter().map(|name| (*name, url.as_str())).chain(variables.iter().copied()).collect();
    passed(in_child(case, &all));
    true
}

fn passed(output: Option<Output>) {
    let output = output.expect("this is the parent");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// One read with credentials of the environment.
fn read(change: impl FnOnce(&mut Settings)) -> Result<EvidenceSnapshot, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut settings = Settings::new(Region::parse("eu-west-1").unwrap(), Environment::read());
        change(&mut settings);
        let evidence = Evidence::new();
        let client = Client::connect(settings, READS, evidence.clone()).await.map_err(|error| error.to_string())?;
        let request = ReadRequest::json(ReadOperation::GetDatabases, &serde_json::json!({}));
        let answer = client.read(request).await;
        answer.map_err(|error| format!("{error} | {} | {:?}", error.suggested_action, evidence.snapshot()))?;
        Ok(evidence.snapshot())
    })
}

fn operations(snapshot: &EvidenceSnapshot) -> Vec<String> {
    snapshot.operations.iter().map(|(operation, count)| format!("{operation} {count}")).collect()
}

fn service(seen: &Seen) -> Reply {
    match (seen.operation(), seen.line.split(' ').nth(1).unwrap()) {
        (action @ ("AssumeRole" | "AssumeRoleWithWebIdentity"), _) => {
            Reply::session("ASIAROLE", std::time::UNIX_EPOCH + Duration::from_secs(4_000_000_000)).of_action(action)
        }
        ("GetDatabases", _) => Reply::new(200, format!("{{\"Key\":\"{}\"}}", seen.key_id())),
        (_, "/latest/api/token") => Reply::new(200, "token").with_header("x-aws-ec2-metadata-token-ttl-seconds", "21600"),
        (_, "/latest/meta-data/iam/security-credentials/" | "/latest/meta-data/iam/security-credentials-extended/") => {
            Reply::new(200, "role")
        }
        _ => Reply::new(
            200,
            r#"{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIAINSTANCE","SecretAccessKey":"secret","Token":"token",
                "AccountId":"111122223333","LastUpdated":"2030-01-01T00:00:00Z","Expiration":"2090-01-01T00:00:00Z"}"#,
        ),
    }
}

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT"), ("AWS_SECRET_ACCESS_KEY", "secret")];

#[test]
fn static_keys_in_the_environment_are_used_without_asking_anybody() {
    if beside_server("static_keys_in_the_environment_are_used_without_asking_anybody", service, &["AWS_ENDPOINT_URL"], &KEYS) {
        return;
    }
    let evidence = read(|_| ()).unwrap();
    assert_eq!(operations(&evidence), ["glue:GetDatabases 1"]);
    assert_eq!(evidence.endpoints.len(), 1);
}

#[test]
fn the_instances_role_is_fetched_over_the_guarded_way() {
    let variables = ["AWS_ENDPOINT_URL", "AWS_EC2_METADATA_SERVICE_ENDPOINT"];
    if beside_server("the_instances_role_is_fetched_over_the_guarded_way", service, &variables, &[]) {
        return;
    }
    let evidence = read(|_| ()).unwrap();
    assert_eq!(operations(&evidence), ["glue:GetDatabases 1", "imds:GetCredentials 2", "imds:GetToken 1"]);
    assert_eq!(evidence.endpoints.iter().map(|endpoint| endpoint.service.as_str()).collect::<Vec<_>>(), ["imds", "glue"]);
}

#[test]
fn the_containers_role_is_fetched_over_the_guarded_way() {
    let variables = ["AWS_ENDPOINT_URL", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
    if beside_server("the_containers_role_is_fetched_over_the_guarded_way", service, &variables, &[]) {
        return;
    }
    let evidence = read(|_| ()).unwrap();
    assert_eq!(operations(&evidence), ["container:GetCredentials 1", "glue:GetDatabases 1"]);
}

#[test]
fn a_web_identity_is_exchanged_at_sts() {
    let token = Bundle::new("a.b.c");
    let variables =
        [("AWS_WEB_IDENTITY_TOKEN_FILE", token.0.to_str().unwrap()), ("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/r")];
    if beside_server("a_web_identity_is_exchanged_at_sts", service, &["AWS_ENDPOINT_URL"], &variables) {
        return;
    }
    let evidence = read(|_| ()).unwrap();
    assert_eq!(operations(&evidence), ["glue:GetDatabases 1", "sts:AssumeRoleWithWebIdentity 1"]);
}

#[test]
fn a_profile_with_a_role_signs_in_by_its_source_profile() {
    let config = Bundle::new(
        "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = secret\n\
         [profile reader]\nrole_arn = arn:aws:iam::111122223333:role/r\nsource_profile = base\n",
    );
    let variables = [("AWS_CONFIG_FILE", config.0.to_str().unwrap()), KEYS[0], KEYS[1]];
    if beside_server("a_profile_with_a_role_signs_in_by_its_source_profile", service, &["AWS_ENDPOINT_URL"], &variables) {
        return;
    }
    let evidence = read(|settings| settings.credentials = CredentialSource::Profile("reader".to_owned())).unwrap();
    assert_eq!(operations(&evidence), ["glue:GetDatabases 1", "sts:AssumeRole 1"]);
}

#[test]
fn an_unknown_profile_is_an_error_that_names_the_known_ones() {
    let config = Bundle::new("[default]\nregion = eu-west-1\n[profile sales]\nregion = eu-west-1\n");
    let variables = [("AWS_CONFIG_FILE", config.0.to_str().unwrap()), ("AWS_PROFILE", "slaes")];
    if let Some(output) = in_child("an_unknown_profile_is_an_error_that_names_the_known_ones", &variables) {
        return passed(Some(output));
    }
    for change in
        [|_: &mut Settings| (), |settings: &mut Settings| settings.credentials = CredentialSource::Profile("slaes".to_owned())]
    {
        let error = read(change).unwrap_err();
        assert!(error.contains("\"slaes\"") && error.contains("default, sales"), "{error}");
    }
}

#[test]
fn endpoints_of_a_profile_are_used_and_checked() {
    let config = Bundle::new("[default]\nservices = mine\n[services mine]\nglue =\n  endpoint_url = http://glue.example\n");
    let variables = [("AWS_CONFIG_FILE", config.0.to_str().unwrap()), KEYS[0], KEYS[1]];
    if let Some(output) = in_child("endpoints_of_a_profile_are_used_and_checked", &variables) {
        return passed(Some(output));
    }
    let error = read(|_| ()).unwrap_err();
    assert!(error.contains("AWS profile") && error.contains("http://glue.example"), "{error}");
}

#[test]
fn without_credentials_the_error_says_where_was_looked() {
    let variables = [("AWS_EC2_METADATA_DISABLED", "true")];
    if let Some(output) = in_child("without_credentials_the_error_says_where_was_looked", &variables) {
        return passed(Some(output));
    }
    let error = read(|_| ()).unwrap_err();
    for part in ["no AWS credentials were found", "AWS_ACCESS_KEY_ID", "profile \"default\"", "EC2 metadata", "--profile"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn in_private_mode_the_chain_is_guarded_too() {
    let variables = ["AWS_ENDPOINT_URL", "AWS_EC2_METADATA_SERVICE_ENDPOINT"];
    if beside_server("in_private_mode_the_chain_is_guarded_too", service, &variables, &[]) {
        return;
    }
    let error = read(|settings| settings.network.mode = NetworkMode::Private).unwrap_err();
    for part in ["imds", "127.0.0.1, which is not private", "operations: {}", "endpoints: []"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}
