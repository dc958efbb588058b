//! Who may do what: signatures, sessions, session policies, and the refusal of everything that is not a read.

use std::time::Duration;

use serde_json::json;
use sim::{Account, Mutation, Role};

use crate::client::{Client, Reply};
use crate::start;

fn outcome(reply: &Reply) -> (u16, String) {
    (reply.status, reply.code())
}

#[tokio::test]
async fn wrong_signatures_keys_and_scopes_are_refused_by_both_services() {
    let (running, good) = start(Account::realistic()).await;
    let identity = [("Action", "GetCallerIdentity")];
    assert_eq!(good.sts(&identity).await.element("Account"), "111122223333");

    let mut bad = Client::new(&running);
    bad.keys.secret_access_key.push('x');
    assert_eq!(outcome(&bad.glue("GetDatabases", json!({})).await), (400, "InvalidSignatureException".to_owned()));
    assert_eq!(outcome(&bad.sts(&identity).await), (403, "SignatureDoesNotMatch".to_owned()));

    let mut unknown = Client::new(&running);
    unknown.keys.access_key_id = "AKIAUNKNOWN".to_owned();
    assert_eq!(unknown.glue("GetDatabases", json!({})).await.code(), "UnrecognizedClientException");
    assert_eq!(outcome(&unknown.sts(&identity).await), (403, "InvalidClientTokenId".to_owned()));

    let mut elsewhere = Client::new(&running);
    elsewhere.region = "us-east-1".to_owned();
    let reply = elsewhere.glue("GetDatabases", json!({})).await;
    assert!(reply.code() == "InvalidSignatureException" && reply.message().contains("valid region"));
}

#[tokio::test]
async fn a_changed_body_and_a_missing_signature_are_refused() {
    let (_running, client) = start(Account::realistic()).await;
    let (parts, _) = client.glue_request("GetTables", &json!({"DatabaseName": "sales"})).into_parts();
    let request = http::Request::from_parts(parts, r#"{"DatabaseName":"finance"}"#.to_owned().into());
    assert_eq!(client.send(request).await.expect("an answer").code(), "InvalidSignatureException");

    let mut request = client.glue_request("GetDatabases", &json!({}));
    request.headers_mut().remove("authorization");
    assert_eq!(client.send(request).await.expect("an answer").code(), "MissingAuthenticationTokenException");
}

#[tokio::test]
async fn a_clock_that_is_off_by_more_than_fifteen_minutes_is_refused() {
    let (running, client) = start(Account::realistic()).await;
    let clock = sim::Clock::System;
    let now = std::time::UNIX_EPOCH + Duration::from_millis(u64::try_from(clock.now_ms()).expect("after 1970"));
    for (signed_at, message) in
        [(now - Duration::from_secs(1_000), "Signature expired"), (now + Duration::from_secs(1_000), "not yet current")]
    {
        let mut skewed = Client::new(&running);
        skewed.signed_at = Some(signed_at);
        let reply = skewed.glue("GetDatabases", json!({})).await;
        assert!(reply.code() == "InvalidSignatureException" && reply.message().contains(message), "{}", reply.text());
    }
    assert_eq!(client.glue("GetDatabases", json!({})).await.status, 200);
}

#[tokio::test]
async fn session_policy_is_enforced_and_plain_sessions_are_free() {
    let (running, client) = start(Account::realistic()).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["glue:GetDatabase*"],"Resource":"*"}]}"#;
    let scoped = client.assume(&running, &[("Policy", policy)]).await;
    assert_eq!(scoped.glue("GetDatabases", json!({})).await.status, 200);
    let reply = scoped.glue("GetTables", json!({"DatabaseName": "sales"})).await;
    assert_eq!(reply.code(), "AccessDeniedException");
    assert!(reply.message().ends_with("because no session policy allows the glue:GetTables action"), "{}", reply.message());
    assert!(reply.message().contains("assumed-role/isinglass-reader/test"));

    let free = client.assume(&running, &[]).await;
    assert_eq!(free.glue("GetTables", json!({"DatabaseName": "sales"})).await.status, 200);
}

#[tokio::test]
async fn sessions_need_their_token_and_end() {
    let (running, client) = start(Account::realistic()).await;
    let mut session = client.assume(&running, &[("DurationSeconds", "900")]).await;
    assert_eq!(session.glue("GetDatabases", json!({})).await.status, 200);
    running.apply(Mutation::ExpireSessions).expect("applies");
    assert_eq!(session.glue("GetDatabases", json!({})).await.code(), "ExpiredTokenException");
    assert_eq!(session.sts(&[("Action", "GetCallerIdentity")]).await.code(), "ExpiredToken");
    session.keys.session_token = None;
    assert_eq!(session.glue("GetDatabases", json!({})).await.code(), "UnrecognizedClientException");
}

#[tokio::test]
async fn assume_role_checks_what_it_is_asked() {
    let (running, client) = start(Account::realistic()).await;
    let arn = "arn:aws:iam::111122223333:role/guarded";
    running.change_account(|account| account.put_role(Role { external_id: Some("ours".to_owned()), ..Role::new(arn) }));
    let long_policy = format!("{{\"Statement\":[]}}{}", " ".repeat(2_048));
    for (members, status, code) in [
        (vec![("RoleArn", arn), ("RoleSessionName", "s1"), ("ExternalId", "ours")], 200, ""),
        (vec![("RoleArn", arn), ("RoleSessionName", "s1"), ("ExternalId", "theirs")], 403, "AccessDenied"),
        (vec![("RoleArn", arn), ("RoleSessionName", "s1")], 403, "AccessDenied"),
        (vec![("RoleArn", "arn:aws:iam::111122223333:role/nobody"), ("RoleSessionName", "s1")], 403, "AccessDenied"),
        (vec![("RoleArn", "not an arn, but long enough"), ("RoleSessionName", "s1")], 400, "ValidationError"),
        (vec![("RoleArn", arn), ("RoleSessionName", "a b")], 400, "ValidationError"),
        (vec![("RoleArn", arn), ("RoleSessionName", "s1"), ("ExternalId", "x")], 400, "ValidationError"),
        (
            vec![("RoleArn", arn), ("RoleSessionName", "s1"), ("ExternalId", "ours"), ("DurationSeconds", "899")],
            400,
            "ValidationError",
        ),
        (
            vec![("RoleArn", arn), ("RoleSessionName", "s1"), ("ExternalId", "ours"), ("DurationSeconds", "7200")],
            400,
            "ValidationError",
        ),
        (
            vec![("RoleArn", arn), ("RoleSessionName", "s1"), ("ExternalId", "ours"), ("Policy", "{")],
            400,
            "MalformedPolicyDocument",
        ),
        (
            vec![("RoleArn", arn), ("RoleSessionName", "s1"), ("ExternalId", "ours"), ("Policy", &long_policy)],
            400,
            "ValidationError",
        ),
    ] {
        let mut asked = vec![("Action", "AssumeRole")];
        asked.extend(members.iter().copied());
        assert_eq!(outcome(&client.sts(&asked).await), (status, code.to_owned()), "{members:?}");
    }
}

#[tokio::test]
async fn role_chaining_is_limited_to_an_hour() {
    let mut account = Account::realistic();
    let arn = "arn:aws:iam::111122223333:role/long";
    account.put_role(Role { session_seconds_max: 43_200, ..Role::new(arn) });
    let (running, client) = start(account).await;
    let asked = [("Action", "AssumeRole"), ("RoleArn", arn), ("RoleSessionName", "s1"), ("DurationSeconds", "7200")];
    assert_eq!(client.sts(&asked).await.status, 200);
    let session = client.assume(&running, &[]).await;
    assert_eq!(session.sts(&asked).await.code(), "ValidationError");
}

#[tokio::test]
async fn everything_but_permitted_reads_is_refused_and_recorded() {
    let (running, client) = start(Account::realistic()).await;
    let table = json!({"DatabaseName": "sales", "TableName": "orders", "Name": "orders"});
    for operation in ["DeleteTable", "CreateDatabase", "StartJobRun", "GetPartitions", "GetColumnStatisticsForTable", "GetJobRuns"]
    {
        let reply = client.glue(operation, table.clone()).await;
        assert_eq!(outcome(&reply), (400, "AccessDeniedException".to_owned()), "{operation}");
    }
    assert_eq!(client.glue("GetEverything", json!({})).await.code(), "UnknownOperationException");
    assert_eq!(client.sts(&[("Action", "GetSessionToken")]).await.code(), "InvalidAction");
    let requests = running.requests();
    let refused: Vec<&str> = requests.refused.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(refused.len(), 8);
    assert!(refused.contains(&"glue:GetPartitions") && refused.contains(&"glue:GetEverything"));
    assert_eq!(requests.refused[0].parameters, "DatabaseName=sales Name=orders TableName=orders");
    assert!(running.read_account(|account| account.table("sales", "orders")).is_some());
}

#[tokio::test]
async fn denied_actions_read_like_iam() {
    let (running, client) = start(Account::realistic()).await;
    running.apply(Mutation::DenyAction { pattern: "glue:GetJob*".to_owned() }).expect("applies");
    let reply = client.glue("GetJobs", json!({})).await;
    assert!(reply.message().contains("because no identity-based policy allows the glue:GetJobs action"));
    running.apply(Mutation::AllowAction { pattern: "glue:GetJob*".to_owned() }).expect("applies");
    assert_eq!(client.glue("GetJobs", json!({})).await.status, 200);
}
