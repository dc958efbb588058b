//! Single sign-on at a real OpenID Connect provider: a browser goes there and comes back, rightly and in every wrong way.

use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::harness::browser::{Browser, Page};
use crate::harness::provider::{Habits, SignOn};

const COOKIE: &str = "isinglass_sign_in";
const COOKIE_PATH: &str = "/api/v1/sign-in/oidc";

/// Somebody whom the provider knows, in these groups.
fn person(name: &str, groups: &[&str]) -> Value {
    json!({ "name": name, "preferred_username": name, "email": format!("{name}@example.com"), "email_verified": true, "groups": groups })
}

fn ada(group: &str) -> Value {
    json!({ "ada-1": person("ada", &[group]) })
}

impl SignOn {
    /// To the provider and back, but the last step: the address that the browser is sent back to.
    fn walk(&self, browser: &mut Browser, login: &str) -> String {
        let authorize = browser.get(&self.begin()).redirects();
        browser.authorize(&authorize, login, &self.callback())
    }

    fn sign_in(&self, browser: &mut Browser, login: &str) -> Page {
        let callback = self.walk(browser, login);
        browser.get(&callback)
    }

    /// Who a browser is to the service.
    fn session(&self, browser: &mut Browser) -> Page {
        browser.get(&format!("{}/api/v1/session", self.service.base))
    }

    /// Entries of an action in the audit log, newest first.
    fn audit(&self, action: &str) -> Vec<Value> {
        self.service.get(&format!("/api/v1/audit?action={action}"))["items"].as_array().unwrap().clone()
    }
}

/// The address with another value of a query parameter, or without it.
fn with(url: &str, name: &str, value: Option<&str>) -> String {
    let mut url: Url = url.parse().unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().filter(|pair| pair.0 != name).collect();
    url.query_pairs_mut().clear().extend_pairs(pairs).extend_pairs(value.map(|value| (name, value)));
    url.to_string()
}

/// Where a session at the provider ends, as it says itself.
fn end_at_provider(browser: &mut Browser, authorize_url: &str) -> String {
    let description = authorize_url.parse::<Url>().unwrap().join("/.well-known/openid-configuration").unwrap();
    let endpoint = browser.get(description.as_str()).body["end_session_endpoint"].clone();
    format!("{}?client_id=isinglass", endpoint.as_str().unwrap())
}

fn parameter(url: &str, name: &str) -> String {
    url.parse::<Url>().unwrap().query_pairs().find(|pair| pair.0 == name).unwrap().1.into_owned()
}

#[test]
fn somebody_new_has_the_role_of_their_groups_changes_things_with_csrf_protection_and_signs_out() {
    let stage = SignOn::start(&ada("data-engineers"));
    let mut browser = Browser::new();
    let authorize = browser.get(&format!("{}?returnTo=/runs%3Fstate%3Dfailed", stage.begin())).redirects();
    let callback = browser.authorize(&authorize, "ada-1", &stage.callback());
    let back = browser.get(&callback);
    assert_eq!(back.redirects(), format!("{}/runs?state=failed", stage.service.base));
    assert_eq!((back.given, browser.cookie(COOKIE)), (vec!["isinglass_session".to_owned()], None));

    let session = stage.session(&mut browser).body;
    assert_eq!((&session["user"]["name"], &session["role"]), (&json!("ada"), &json!("member")), "{session:#}");
    let user = &session["user"];
    assert_eq!(
        (&user["email"], &user["singleSignOn"], &user["hasPassword"]),
        (&json!("ada@example.com"), &json!(true), &json!(false))
    );

    let (tokens, csrf) = (format!("{}/api/v1/tokens", stage.service.base), session["csrfToken"].as_str().unwrap());
    let token = json!({ "name": "export", "scopes": ["read"] });
    assert_eq!(browser.call(Method::POST, &tokens, None, &token).status, 403);
    assert_eq!(browser.call(Method::POST, &tokens, Some("other"), &token).status, 403);
    assert_eq!(browser.call(Method::POST, &tokens, Some(csrf), &token).status, 201);
    let end = format!("{}/api/v1/session", stage.service.base);
    assert_eq!(browser.call(Method::DELETE, &end, None, &Value::Null).status, 403);
    let old = browser.cookie("isinglass_session").unwrap().to_owned();
    let ended = browser.call(Method::DELETE, &end, Some(csrf), &Value::Null);
    assert_eq!((ended.status, &ended.body["providerSignOutUrl"]), (200, &json!(end_at_provider(&mut browser, &authorize))));
    assert_eq!(stage.session(&mut browser).status, 401);
    browser.restore("isinglass_session", "/", &old);
    assert_eq!(stage.session(&mut browser).status, 401);

    let created = &stage.audit("user.create")[0];
    assert_eq!(
        (&created["actor"]["name"], &created["via"], &created["target"]["name"]),
        (&json!("sign-in"), &json!("oidc"), &json!("ada"))
    );
    let begun = &stage.audit("session.create")[0];
    assert_eq!((&begun["actor"]["name"], &begun["actor"]["kind"], &begun["via"]), (&json!("ada"), &json!("user"), &json!("oidc")));
    assert_eq!(stage.audit("session.delete")[0]["actor"]["name"], "ada");
    stage.end();
}

#[test]
fn applications_with_and_without_a_secret_every_signature_and_either_spelling_of_the_issuer_work() {
    let usual = Habits::default;
    let habits = [
        Habits { proof: "client_secret_post", algorithm: "PS256", issuer_ends_with: "/", ..usual() },
        Habits { proof: "none", algorithm: "ES256", claims_in_id_token: true, ..usual() },
        Habits { algorithm: "EdDSA", ..usual() },
        Habits { algorithm: "ES384", rules: "default_role = \"member\"", ..usual() },
    ];
    for habits in habits {
        let stage = SignOn::with(&habits, &ada("data-engineers"));
        let mut browser = Browser::new();
        let back = stage.sign_in(&mut browser, "ada-1");
        assert_eq!(back.redirects(), format!("{}/", stage.service.base), "{}", habits.algorithm);
        let session = stage.session(&mut browser).body;
        assert_eq!((&session["user"]["name"], &session["role"]), (&json!("ada"), &json!("member")), "{}", habits.algorithm);
        stage.end();
    }
}

#[test]
fn who_has_no_group_that_is_ruled_or_gives_up_is_refused_and_written_down() {
    let stage = SignOn::start(&json!({ "eve-1": person("eve", &["others"]), "ada-1": person("ada", &["everyone"]) }));
    let mut browser = Browser::new();
    stage.sign_in(&mut browser, "eve-1").refuses(403, &["nothing that it says gives you a role here", "ask an administrator"]);
    assert_eq!(stage.session(&mut browser).status, 401);
    assert_eq!(stage.service.get("/api/v1/users")["items"].as_array().unwrap().len(), 1);
    let refused = &stage.audit("sign-in.refuse")[0];
    assert_eq!((&refused["target"]["name"], &refused["via"]), (&json!("eve"), &json!("oidc")), "{refused:#}");
    assert_eq!((&refused["detail"]["reason"], &refused["detail"]["subject"]), (&json!("no-role"), &json!("eve-1")), "{refused:#}");

    let mut browser = Browser::new();
    let authorize = browser.get(&stage.begin()).redirects();
    let login = browser.get(&authorize).redirects();
    let page = browser.get(&login);
    let mut next = page.cancel();
    while !next.starts_with(&stage.callback()) {
        next = browser.get(&next).redirects();
    }
    browser.get(&next).refuses(403, &["access_denied"]);
    stage.end();
}

#[test]
fn nobody_becomes_a_local_user_by_having_their_name_or_mail_address() {
    let nameless = json!({ "email": "cleo@example.com", "email_verified": true, "groups": ["catalog-admins"] });
    let unverified = json!({ "email": "cleo@example.com", "email_verified": false, "groups": ["everyone"] });
    let stage = SignOn::start(&json!({
        "ada-1": person("ADA", &["catalog-admins"]), "ben-1": person("ben", &["everyone"]), "cleo-1": nameless, "cleo-2": unverified,
    }));
    let mut local = Vec::new();
    for (name, email) in [("ada", None), ("benjamin", Some("ben@example.com")), ("cleo@example.com", None)] {
        let user = json!({ "name": name, "email": email, "role": "viewer", "password": "a pass phrase of a test" });
        local.push(stage.service.post("/api/v1/users", &user, 201));
    }
    for (login, taken) in [("ada-1", "`ada`"), ("cleo-1", "`cleo@example.com`")] {
        stage.sign_in(&mut Browser::new(), login).refuses(409, &[taken, "not you to the provider"]);
        let refused = &stage.audit("sign-in.refuse")[0];
        assert_eq!((&refused["detail"]["reason"], &refused["detail"]["subject"]), (&json!("name-taken"), &json!(login)));
    }
    // The same address makes ben somebody new; one that is not verified is not even kept.
    for (login, name) in [("ben-1", "ben"), ("cleo-2", "cleo-2")] {
        let mut browser = Browser::new();
        stage.sign_in(&mut browser, login).redirects();
        let user = stage.session(&mut browser).body["user"].clone();
        assert_eq!((&user["name"], user.get("email").is_some()), (&json!(name), login == "ben-1"), "{user:#}");
    }
    for user in local {
        assert_eq!(stage.service.get(&format!("/api/v1/users/{}", user["id"].as_str().unwrap())), user);
    }
    stage.end();
}

#[test]
fn what_is_replayed_mixed_up_or_tampered_with_gives_no_session() {
    let stage = SignOn::start(&ada("data-engineers"));
    let mut browser = Browser::new();
    let callback = stage.walk(&mut browser, "ada-1");
    let kept = browser.cookie(COOKIE).unwrap().to_owned();

    // Another browser, as in a link that somebody sent; a state that is not the one of this browser; a provider that is another one.
    Browser::new().get(&callback).refuses(400, &["begun in another browser", "begin it again"]);
    for (name, value) in [("state", Some("other")), ("state", None), ("iss", Some("http://127.0.0.1:1"))] {
        browser.restore(COOKIE, COOKIE_PATH, &kept);
        browser.get(&with(&callback, name, value)).refuses(400, &["belongs to another sign-in"]);
    }
    browser.restore(COOKIE, COOKIE_PATH, &kept);
    browser.get(&with(&callback, "code", Some("unknown"))).refuses(400, &["does not take the code"]);

    // Right, and then once more: by the button "back", and by who copied the cookie.
    browser.restore(COOKIE, COOKIE_PATH, &kept);
    browser.get(&callback).redirects();
    browser.get(&callback).refuses(400, &["begin it again"]);
    let mut thief = Browser::new();
    thief.restore(COOKIE, COOKIE_PATH, &kept);
    thief.get(&callback).refuses(400, &["does not take the code", "used before"]);
    assert_eq!(stage.session(&mut thief).status, 401);

    // The code of one sign-in in another: the provider compares the verifier.
    let mut thief = Browser::new();
    let others = stage.walk(&mut browser, "ada-1");
    let mine = stage.walk(&mut thief, "ada-1");
    thief.get(&with(&mine, "code", Some(&parameter(&others, "code")))).refuses(400, &["does not take the code"]);

    // A nonce that was changed or lost on the way to the provider.
    for nonce in [Some("other"), None] {
        let authorize = browser.get(&stage.begin()).redirects();
        let callback = browser.authorize(&with(&authorize, "nonce", nonce), "ada-1", &stage.callback());
        browser.get(&callback).refuses(400, &["nonce", "begin it again"]);
    }
    assert_eq!(stage.audit("session.create").len(), 1);
    stage.end();
}

#[test]
fn a_provider_that_is_down_is_told_and_gives_no_session() {
    let mut stage = SignOn::start(&ada("data-engineers"));
    let mut browser = Browser::new();
    let callback = stage.walk(&mut browser, "ada-1");
    stage.stop_provider();
    browser.get(&callback).refuses(503, &["the identity provider does not work at the moment"]);
    assert_eq!(stage.session(&mut browser).status, 401);
    assert!(stage.audit("session.create").is_empty());

    stage.end();

    let mut stage = SignOn::start(&ada("data-engineers"));
    stage.stop_provider();
    browser.get(&stage.begin()).refuses(503, &["the identity provider does not work at the moment"]);
    // Who signs in with a password is none the worse.
    assert_eq!(browser.get(&format!("{}/api/v1/sign-in", stage.service.base)).body["password"], true);
    stage.end();
}

#[test]
fn groups_that_changed_change_the_role_at_the_next_sign_in_and_the_last_administrator_stays_one() {
    let stage = SignOn::start(&ada("data-engineers"));
    let (mut before, mut browser) = (Browser::new(), Browser::new());
    stage.sign_in(&mut before, "ada-1").redirects();
    let role = |browser: &mut Browser| stage.session(browser).body["role"].as_str().unwrap().to_owned();
    assert_eq!(role(&mut before), "member");
    for (group, expected) in [("everyone", "viewer"), ("catalog-admins", "administrator"), ("catalog-admins", "administrator")] {
        stage.now_known(&ada(group));
        stage.sign_in(&mut browser, "ada-1").redirects();
        // A session that began earlier has the new role as well.
        assert_eq!((role(&mut browser), role(&mut before)), (expected.to_owned(), expected.to_owned()));
    }
    let changes = stage.audit("user.update");
    let roles: Vec<&Value> = changes.iter().map(|entry| &entry["detail"]["role"]).collect();
    assert_eq!(roles, [&json!(["viewer", "administrator"]), &json!(["member", "viewer"])]);
    assert_eq!((&changes[0]["actor"]["name"], &changes[0]["via"]), (&json!("sign-in"), &json!("oidc")));
    assert_eq!(changes[0]["target"]["name"], "ada");

    // A group that rules nothing: refused, and what they had stays for an administrator to look at.
    stage.now_known(&ada("others"));
    stage.sign_in(&mut Browser::new(), "ada-1").refuses(403, &["nothing that it says gives you a role here"]);
    assert_eq!(role(&mut before), "administrator");

    // The bootstrap administrator goes: ada is the last one.
    let csrf = stage.session(&mut browser).body["csrfToken"].as_str().unwrap().to_owned();
    let first = stage.service.get("/api/v1/users")["items"][0]["id"].as_str().unwrap().to_owned();
    let first = format!("{}/api/v1/users/{first}", stage.service.base);
    assert_eq!(browser.call(Method::DELETE, &first, Some(&csrf), &Value::Null).status, 204);
    stage.now_known(&ada("everyone"));
    stage.sign_in(&mut browser, "ada-1").redirects();
    assert_eq!(role(&mut browser), "administrator");
    let kept = browser.get(&format!("{}/api/v1/audit?action=user.keep-role", stage.service.base)).body["items"][0].clone();
    assert_eq!((&kept["target"]["name"], &kept["detail"]["ruled"]), (&json!("ada"), &json!("viewer")), "{kept:#}");
    stage.end();
}
