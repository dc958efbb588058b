//! Precedence, messages, and the example that documents every key.

use std::path::Path;

use secrecy::ExposeSecret;

use super::*;

const EXAMPLE: &str = include_str!("../../../../docs/isinglass.toml");

fn environment(variables: &[(&str, &str)]) -> Environment {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn load_text(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    from_text(Path::new("test.toml"), text, &environment(variables), &Overrides::default())
}

fn refusal(text: &str) -> String {
    load_text(text, &[]).unwrap_err().to_string()
}

#[test]
fn nothing_set_is_the_documented_default_on_loopback() {
    let config = load_text("", &[]).unwrap().config;
    assert_eq!(config.listen.to_string(), "127.0.0.1:7070");
    assert_eq!(config, Config::default());
}

#[test]
fn a_flag_wins_over_the_environment_and_the_environment_over_the_file() {
    let file = "listen = \"127.0.0.1:1\"\n[limits]\nbody_bytes = 1\nrequest_seconds = 1\n";
    let variables = [("ISINGLASS_LISTEN", "127.0.0.1:2"), ("ISINGLASS_LIMITS_BODY_BYTES", "2")];
    let overrides = Overrides { listen: Some("127.0.0.1:3".to_owned()), ..Overrides::default() };
    let config = from_text(Path::new("x"), file, &environment(&variables), &overrides).unwrap().config;
    assert_eq!(config.listen.port(), 3);
    assert_eq!((config.limits.body_bytes.get(), config.limits.request_seconds.get()), (2, 1));
}

#[test]
fn every_setting_can_be_set_by_its_variable() {
    let samples = ["x", "[::1]:8", "true", "8", "none", "public", "json", "10.0.0.0/8", "sqlite:x", "https://h", "A_VARIABLE"];
    for setting in settings() {
        let takes = |sample: &&str| !matches!(load_text("", &[(&setting.variable, sample)]), Err(ConfigError::Value { .. }));
        let alone = samples.iter().any(takes);
        let needs_another = ["tls.certificate_file", "tls.key_file", "sign_in.oidc.issuer"].contains(&setting.key.as_str());
        assert!(alone || needs_another, "{} takes no sample", setting.variable);
    }
}

#[test]
fn lists_numbers_and_switches_are_read_from_variables() {
    let variables = [
        ("ISINGLASS_CRAWL_PRIVATE_CIDRS", "10.0.0.0/8, fc00::/7"),
        ("ISINGLASS_WORKERS", "false"),
        ("ISINGLASS_CRAWL_MAX_RPS", "7"),
    ];
    let config = load_text("", &variables).unwrap().config;
    assert_eq!(config.crawl.private_cidrs.len(), 2);
    assert!(!config.workers);
    assert_eq!(config.crawl.max_rps.map(std::num::NonZeroU32::get), Some(7));
}

#[test]
fn a_variable_of_the_wrong_type_is_named_with_its_key_and_what_is_expected() {
    let error = load_text("", &[("ISINGLASS_LIMITS_BODY_BYTES", "lots")]).unwrap_err().to_string();
    assert!(error.contains("ISINGLASS_LIMITS_BODY_BYTES") && error.contains("`limits.body_bytes`"), "{error}");
    assert!(error.contains("u32") && !error.contains("lots"), "{error}");
}

#[test]
fn a_wrong_value_is_reported_with_file_line_column_and_key() {
    let error = refusal("listen = \"127.0.0.1:1\"\n[limits]\nbody_bytes = \"x\"\n");
    assert!(error.starts_with("test.toml, line 3, column 14: `limits.body_bytes`: "), "{error}");
    assert!(error.contains("expected"), "{error}");
}

#[test]
fn an_unknown_key_lists_near_ones() {
    let error = refusal("[limits]\nbody_byte = 1\n");
    assert!(error.contains("line 2, column 1") && error.contains("did you mean `limits.body_bytes`?"), "{error}");
    assert!(refusal("runs_days = 1\n").contains("`retention.runs_days`"));
    assert!(refusal("[limit]\nbody_bytes = 1\n").contains("there is no key `limit`"));
}

#[test]
fn broken_toml_is_reported_with_its_place() {
    assert!(refusal("listen = \n").starts_with("test.toml, line 1, column 1"), "{}", refusal("listen = \n"));
}

#[test]
fn secrets_in_the_file_are_refused_and_not_repeated() {
    let canary = "c4n4ry0123456789abcdefABCDEF0123456789abcdef";
    let texts = [
        format!("[sign_in.oidc]\nclient_secret = \"{canary}\""),
        format!("[sign_in.oidc]\nclient_secret_variable = \"{canary}\""),
        format!("[sign_in.oidc]\nclient_secret_file = \"{canary}\""),
        format!("[master_key]\nfile = \"{canary}\""),
        format!("[master_key]\nvalue = \"{canary}\""),
        format!("master_key = \"{canary}\""),
        format!("[metrics]\ntoken = \"{canary}\""),
        format!("catalog = \"postgres://u:{canary}@h/d\""),
        format!("catalog = \"postgres://h/d?password={canary}\""),
    ];
    for text in texts {
        let error = refusal(&text);
        assert!(error.contains("secret"), "{error}");
        assert!(!error.contains(canary), "{error}");
    }
}

#[test]
fn a_password_in_the_catalog_variable_is_taken_and_never_printed() {
    let loaded = load_text("", &[("ISINGLASS_CATALOG", "postgres://u:hunter2@h/d?sslpassword=hunter3")]).unwrap();
    assert_eq!(loaded.config.catalog.as_ref().unwrap().expose(), "postgres://u:hunter2@h/d?sslpassword=hunter3");
    let printed = format!("{loaded:?} {}", serde_json::to_string(&loaded.config).unwrap());
    assert!(!printed.contains("hunter"), "{printed}");
    assert!(!format!("{:?}", environment(&[("X", "hunter2")])).contains("hunter2"));
}

#[test]
fn plain_http_is_refused_off_loopback_unless_asked_for() {
    let error = refusal("listen = \"0.0.0.0:7070\"");
    assert!(error.contains("listen_insecure = true") && error.contains("line 1"), "{error}");
    assert!(load_text("listen = \"0.0.0.0:7070\"\nlisten_insecure = true", &[]).is_ok());
    assert!(load_text("listen = \"0.0.0.0:7070\"\n[tls]\ncertificate_file = \"c.pem\"\nkey_file = \"k.pem\"", &[]).is_ok());
}

#[test]
fn settings_that_need_each_other_are_refused_alone() {
    assert!(refusal("[tls]\nkey_file = \"k.pem\"").contains("tls.certificate_file"));
    assert!(refusal("[sign_in.oidc]\nissuer = \"https://i\"").contains("client_id"));
    assert!(refusal("[master_key]\nfile = \"/k\"\nvariable = \"K\"").contains("not both"));
    assert!(refusal("[limits]\ndrain_seconds = 31").contains("0 to 30"));
    assert!(refusal("public_url = \"isinglass\"").contains("expected a URL"));
    assert!(refusal("public_url = \"https://u:p@h\"").contains("without a user name"));
    assert!(
        refusal("[sign_in.oidc]\npost_logout_redirect_url = \"/\"")
            .contains("`sign_in.oidc.post_logout_redirect_url`: expected a URL")
    );
}

#[test]
fn variables_that_are_nearly_a_setting_are_warned_of_and_others_are_not() {
    let variables = [("ISINGLASS_LISTN", "x"), ("ISINGLASS_PORT_7070_TCP", "x"), ("ISINGLASS_BOOTSTRAP_TOKEN", "x")];
    let warnings = load_text("", &variables).unwrap().warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("ISINGLASS_LISTEN"));
}

#[test]
fn flags_take_any_setting_and_refuse_unknown_ones() {
    let with = |key: &str, value: &str| Overrides { others: vec![(key.to_owned(), value.to_owned())], ..Overrides::default() };
    let load = |overrides| from_text(Path::new("x"), "", &Environment::default(), &overrides);
    assert_eq!(load(with("log.level", "debug")).unwrap().config.log.level, "debug");
    assert!(load(with("log.levl", "debug")).unwrap_err().to_string().contains("`log.level`"));
}

#[test]
fn the_example_is_a_valid_configuration_and_lists_every_key() {
    let loaded = load_text(EXAMPLE, &[]).unwrap();
    assert!(loaded.warnings.is_empty());
    let mut section = String::new();
    let mut documented = Vec::new();
    for line in EXAMPLE.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = format!("{}.", name.trim_end_matches(']'));
        } else if let Some((key, _)) = line.trim_start_matches("# ").split_once(" = ") {
            documented.push(format!("{section}{key}"));
        }
    }
    for setting in settings() {
        assert!(documented.contains(&setting.key), "docs/isinglass.toml does not list {}", setting.key);
    }
}

#[test]
fn secrets_are_read_from_files_and_variables_without_the_last_newline() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "s3cret\n").unwrap();
    let file = Metrics { token_file: Some(path.clone()), ..Metrics::default() }.token().unwrap();
    assert_eq!(file.read(&Environment::default()).unwrap().expose_secret(), "s3cret");
    let name = VariableName::try_from("TOKEN".to_owned()).unwrap();
    let variable = Metrics { token_variable: Some(name), ..Metrics::default() }.token().unwrap();
    assert_eq!(variable.read(&environment(&[("TOKEN", "s3cret")])).unwrap().expose_secret(), "s3cret");
    assert!(variable.read(&Environment::default()).unwrap_err().to_string().contains("TOKEN is not set"));
    std::fs::write(&path, "\n").unwrap();
    assert!(file.read(&Environment::default()).unwrap_err().to_string().contains("empty"));
}

#[test]
fn a_missing_file_is_named() {
    let error = load(Some(Path::new("/nowhere/x.toml")), &Environment::default(), &Overrides::default()).unwrap_err().to_string();
    assert!(error.contains("/nowhere/x.toml") && error.contains("--config"), "{error}");
}
