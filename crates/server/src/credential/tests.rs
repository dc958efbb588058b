//! Which credentials are taken, and which field is named of those that are not.

use super::{AuthType, Extra, PublicPart, SecretPart, check};

const ARN: &str = "arn:aws:iam::111122223333:role/team/isinglass";
const KEY: &str = "AKIAIOSFODNN7EXAMPLE";

fn public(username: &str, region: &str, role: &str, external_id: &str) -> PublicPart {
    let text = |text: &str| Some(text.to_owned());
    let extra =
        Extra { region: text(region), aws_role_arn: text(role), aws_external_id: text(external_id), endpoint_url: text("") };
    PublicPart::new(text(username), extra)
}

fn wrong(way: AuthType, public: &PublicPart, secret: SecretPart<'_>) -> String {
    let errors = check(way, public, secret, &["https://allowed.test".to_owned()]);
    errors.into_iter().map(|error| error.field).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_belongs_together_is_taken() {
    let keys = public(KEY, "eu-west-1", "", "");
    assert_eq!(wrong(AuthType::Iam, &keys, SecretPart::Given("a/b+c")), "");
    assert_eq!(wrong(AuthType::Iam, &keys, SecretPart::Kept), "");
    assert_eq!(wrong(AuthType::Role, &public("", "us-gov-west-1", ARN, "ab"), SecretPart::Absent), "");
    assert_eq!(wrong(AuthType::Role, &public("", "eu-west-1", ARN, ""), SecretPart::Absent), "");
    assert_eq!(wrong(AuthType::Ambient, &public("", "", "", ""), SecretPart::Absent), "");
}

#[test]
fn keys_need_an_id_and_a_secret_of_the_right_form() {
    for id in
        ["", "AKIA", "AROAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAM PLE", "akiaiosfodnn7example", &format!("AKIA{}", "A".repeat(125))]
    {
        assert_eq!(wrong(AuthType::Iam, &public(id, "eu-west-1", "", ""), SecretPart::Given("x")), "username", "{id}");
    }
    for secret in ["", "a b", "a\n", "ä", &"x".repeat(1025)] {
        assert_eq!(wrong(AuthType::Iam, &public(KEY, "eu-west-1", "", ""), SecretPart::Given(secret)), "password", "{secret}");
    }
    assert_eq!(
        wrong(AuthType::Iam, &public("", "", ARN, "ab"), SecretPart::Absent),
        "extra.region username password extra.aws_role_arn extra.aws_external_id"
    );
}

#[test]
fn a_role_needs_its_arn_and_takes_no_keys() {
    for arn in ["", "role/x", "arn:aws:iam::1:role/x", "arn:aws:iam::111122223333:user/x"] {
        assert_eq!(wrong(AuthType::Role, &public("", "eu-west-1", arn, ""), SecretPart::Absent), "extra.aws_role_arn", "{arn}");
    }
    for id in ["a", "a b", &"x".repeat(1225)] {
        assert_eq!(wrong(AuthType::Role, &public("", "eu-west-1", ARN, id), SecretPart::Absent), "extra.aws_external_id", "{id}");
    }
    assert_eq!(wrong(AuthType::Role, &public(KEY, "eu-west-1", ARN, ""), SecretPart::Given("x")), "username password");
}

#[test]
fn a_region_that_is_none_is_named_and_not_repeated() {
    let errors = check(AuthType::Ambient, &public("", "eu-wset-1", "", ""), SecretPart::Absent, &[]);
    assert_eq!(errors[0].field, "extra.region");
    assert!(errors[0].message.contains("eu-west-1") && !errors[0].message.contains("wset"), "{}", errors[0].message);
}

#[test]
fn only_exactly_a_listed_url_is_taken() {
    for (url, expected) in [
        ("https://allowed.test", ""),
        ("https://allowed.test/", "extra.endpoint_url"),
        ("http://169.254.169.254", "extra.endpoint_url"),
    ] {
        let mut public = public("", "", "", "");
        public.extra.endpoint_url = Some(url.to_owned());
        assert_eq!(wrong(AuthType::Ambient, &public, SecretPart::Absent), expected, "{url}");
    }
}

#[test]
fn a_way_survives_its_text() {
    for way in [AuthType::Iam, AuthType::Role, AuthType::Ambient] {
        assert_eq!(AuthType::parse(way.as_str()), Some(way));
        assert_eq!(serde_json::to_value(way).unwrap(), way.as_str());
    }
    assert_eq!(AuthType::parse("IAM"), None);
}
