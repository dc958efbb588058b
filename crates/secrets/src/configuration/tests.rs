//! Configurations as people write them.

use super::aws::{AwsNetwork, AwsSecretsManager};
use super::azure::{AzureCloud, AzureSignIn};
use super::vault::{KvVersion, VaultSignIn};
use super::*;

fn parse(text: &str) -> Result<Configuration, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    struct File {
        #[serde(default)]
        secret_stores: Configuration,
    }
    toml::from_str::<File>(text).map(|file| file.secret_stores).map_err(|error| error.to_string())
}

fn store(text: &str) -> StoreConfiguration {
    let mut parsed = parse(&format!("[secret-stores.s]\n{text}")).unwrap();
    parsed.stores.pop_first().unwrap().1
}

#[test]
fn every_kind_is_read_with_its_settings_in_kebab_case() {
    let text = r#"
        [secret-stores.aws]
        kind = "aws-secrets-manager"
        region = "eu-west-1"
        role-arn = "arn:aws:iam::111122223333:role/reader"
        network = "private"
        private-cidrs = ["100.64.0.0/16"]
        [secret-stores.vault]
        kind = "vault"
        address = "https://vault.example:8200"
        kv-version = 1
        sign-in = { method = "approle", role-id = "r", secret-id = { file = "/run/secrets/id" } }
        [secret-stores.azure]
        kind = "azure-key-vault"
        vault = "prod"
        cloud = "us-government"
        sign-in = { method = "client-secret", tenant-id = "t", client-id = "c", client-secret = { env = "S" } }
        [secret-stores.google]
        kind = "google-secret-manager"
        project = "p"
        [secret-stores.cluster]
        kind = "kubernetes"
        namespace = "crawl"
        [secret-stores.variables]
        kind = "environment"
        prefix = "CRAWL_"
        [secret-stores.files]
        kind = "files"
        directory = "/run/secrets"
    "#;
    let parsed = parse(text).unwrap();
    let kinds: Vec<_> = parsed.stores.iter().map(|(name, store)| (name.as_str(), store.kind())).collect();
    assert_eq!(
        kinds,
        [
            ("aws", "aws-secrets-manager"),
            ("azure", "azure-key-vault"),
            ("cluster", "kubernetes"),
            ("files", "files"),
            ("google", "google-secret-manager"),
            ("variables", "environment"),
            ("vault", "vault"),
        ]
    );
    let StoreConfiguration::AwsSecretsManager(AwsSecretsManager { network, .. }) =
        &parsed.stores[&StoreName::parse("aws").unwrap()]
    else {
        panic!("aws")
    };
    assert_eq!(*network, AwsNetwork::Private);
}

#[test]
fn vault_has_defaults_for_all_that_is_usual() {
    let StoreConfiguration::Vault(vault) = store("kind = \"vault\"") else { panic!("vault") };
    assert_eq!((vault.mount.as_str(), vault.kv_version, &vault.address), ("secret", None, &None));
    assert_eq!(vault.sign_in, VaultSignIn::Token { token: SecretSource::Env("VAULT_TOKEN".to_owned()) });
    let StoreConfiguration::Vault(vault) =
        store("kind = \"vault\"\nkv-version = 2\nsign-in = { method = \"kubernetes\", role = \"r\" }")
    else {
        panic!("vault")
    };
    assert_eq!(vault.kv_version, Some(KvVersion::Two));
    let VaultSignIn::Kubernetes { mount, token_file, .. } = vault.sign_in else { panic!("kubernetes") };
    assert_eq!((mount.as_str(), token_file), ("kubernetes", "/var/run/secrets/kubernetes.io/serviceaccount/token".into()));
}

#[test]
fn azure_signs_in_in_three_ways() {
    let of = |sign_in: &str| {
        let text = format!("kind = \"azure-key-vault\"\nvault = \"v\"\nsign-in = {sign_in}");
        let StoreConfiguration::AzureKeyVault(azure) = store(&text) else { panic!("azure") };
        (azure.cloud, azure.sign_in)
    };
    let (cloud, managed) = of("{ method = \"managed-identity\" }");
    assert_eq!((cloud, managed), (AzureCloud::Public, AzureSignIn::ManagedIdentity { client_id: None, metadata_url: None }));
    assert!(matches!(of("{ method = \"workload-identity\" }").1, AzureSignIn::WorkloadIdentity { .. }));
}

#[test]
fn what_nothing_reads_and_a_secret_in_the_open_are_refused() {
    for bad in [
        "kind = \"keychain\"",
        "kind = \"vault\"\naddres = \"https://v\"",
        "kind = \"vault\"\ntoken = \"hunter2\"",
        "kind = \"vault\"\nkv-version = 3",
        "kind = \"vault\"\nsign-in = { method = \"token\", token = \"hunter2\" }",
        "kind = \"vault\"\nsign-in = { method = \"token\", token = { value = \"hunter2\" } }",
        "kind = \"vault\"\nsign-in = { method = \"approle\", role-id = \"r\", password = { env = \"P\" } }",
        "kind = \"files\"",
        "kind = \"environment\"\nsuffix = \"x\"",
        "kind = \"kubernetes\"\ncontext = \"x\"",
        "kind = \"google-secret-manager\"\nkey = \"x\"",
        "kind = \"aws-secrets-manager\"\nsecret-access-key = \"x\"",
        "kind = \"azure-key-vault\"\nvault = \"v\"",
    ] {
        assert!(parse(&format!("[secret-stores.s]\n{bad}")).is_err(), "{bad}");
    }
    assert!(parse("[secret-stores.S]\nkind = \"environment\"").is_err());
    assert_eq!(parse("").unwrap(), Configuration::default());
}

#[test]
fn every_example_of_the_manual_is_a_configuration_with_and_without_what_is_commented_out() {
    let manual = include_str!("../../../../docs/secret-stores.md");
    let examples: Vec<_> = manual.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 6, "the examples were found");
    for example in examples {
        assert!(!parse(example).unwrap().stores.is_empty(), "{example}");
        for commented in example.lines().filter_map(|line| line.strip_prefix("# ")) {
            let setting = commented.split(" = ").next().unwrap();
            // In the place of the line that has the setting, or at the end of the first store.
            let mut lines: Vec<_> = example.lines().filter(|line| !line.starts_with(&format!("{setting} = "))).collect();
            let end = lines.iter().position(|line| line.is_empty()).unwrap_or(lines.len());
            lines.insert(end, commented);
            parse(&lines.join("\n")).unwrap_or_else(|error| panic!("{commented}: {error}"));
        }
    }
}
