//! Signing out at the provider: where the browser is sent, and when it is not.

use super::*;

const END: &str = "https://login.example.com/session/end";

async fn stage_that_ends_sessions_at(endpoint: Value) -> Stage {
    let stage = stage_with(SigningKey::es256()).await;
    stage.provider.script(|script| script.end_session = Some(endpoint));
    stage
}

impl Stage {
    async fn sign_out_url(&self, now_ms: i64) -> Result<Option<String>, OidcError> {
        self.oidc.sign_out_url(&self.provider.issuer, now_ms).await
    }
}

#[tokio::test]
async fn the_browser_is_sent_where_the_provider_says_with_the_client_id_and_the_way_back_if_there_is_one() {
    let stage = stage_that_ends_sessions_at(json!(format!("{END}?realm=main"))).await;
    let url = stage.sign_out_url(NOW_MS).await.unwrap();
    assert_eq!(url, Some(format!("{END}?realm=main&client_id={CLIENT}")));
    let back = Some("https://isinglass.example.com/bye?a=b".to_owned());
    let oidc = build(OidcSettings { post_logout_redirect_url: back, ..settings(&stage.provider.issuer) }).unwrap();
    let url = oidc.sign_out_url(&stage.provider.issuer, NOW_MS).await.unwrap();
    let back = "https%3A%2F%2Fisinglass.example.com%2Fbye%3Fa%3Db";
    assert_eq!(url, Some(format!("{END}?realm=main&client_id={CLIENT}&post_logout_redirect_uri={back}")));
}

#[tokio::test]
async fn without_an_endpoint_that_a_browser_may_be_sent_to_there_is_no_url_and_people_sign_in_all_the_same() {
    let unusable = ["", "/session/end", "javascript:alert(1)", "http://login.example.com/end", "https://u:p@login.example.com/end"];
    for endpoint in unusable.map(Value::from).into_iter().chain([Value::Null, json!(7), json!([END])]) {
        let stage = stage_that_ends_sessions_at(endpoint.clone()).await;
        assert!(stage.finish_with("name", json!("Ada")).await.is_ok(), "{endpoint}");
        assert_eq!(stage.sign_out_url(NOW_MS).await.unwrap(), None, "{endpoint}");
    }
    assert_eq!(stage_with(SigningKey::es256()).await.sign_out_url(NOW_MS).await.unwrap(), None);
}

#[tokio::test]
async fn who_is_of_another_issuer_is_sent_nowhere_and_the_provider_is_not_asked() {
    let stage = stage_that_ends_sessions_at(json!(END)).await;
    assert_eq!(stage.oidc.sign_out_url("https://former.example.com", NOW_MS).await.unwrap(), None);
    assert_eq!(stage.provider.script(|script| script.discoveries), 0);
    let spelled = format!("{}/", stage.provider.issuer);
    assert!(stage.oidc.sign_out_url(&spelled, NOW_MS).await.unwrap().is_some());
}

#[tokio::test]
async fn a_provider_that_is_down_is_an_error_unless_it_was_asked_before() {
    let stage = stage_that_ends_sessions_at(json!(END)).await;
    stage.provider.script(|script| script.is_down = Down::Yes);
    assert!(matches!(stage.sign_out_url(NOW_MS).await, Err(OidcError::Discovery { .. })));
    stage.provider.script(|script| script.is_down = Down::No);
    assert!(stage.sign_out_url(NOW_MS + 10_000).await.unwrap().is_some());
    stage.provider.script(|script| script.is_down = Down::Yes);
    assert!(stage.sign_out_url(NOW_MS + 9_000_000).await.unwrap().is_some());
}
