//! Properties of Glue connections: host and database are structure, everything else may be a credential.

use std::fmt;

use model::Value;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{MaskedCounts, MaskedPlace, Text, scrub};

/// The keys that are kept (AWS Glue API, `Connection.ConnectionProperties`).
pub(super) const KEPT_KEYS: &[&str] = &[
    "HOST",
    "PORT",
    "DATABASE",
    "JDBC_ENGINE",
    "JDBC_CONNECTION_URL",
    "KAFKA_BOOTSTRAP_SERVERS",
    "SECRET_ID",
    "CONNECTOR_TYPE",
    "CONNECTOR_CLASS_NAME",
    "INSTANCE_ID",
    "ROLE_ARN",
    "JDBC_ENFORCE_SSL",
];

/// The properties that may be kept. Values of other keys are skipped by the parser and never held.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionProperties<'a> {
    kept: Vec<(Text<'a>, Text<'a>)>,
    dropped: u64,
}

struct PropertiesVisitor;

impl<'de> Visitor<'de> for PropertiesVisitor {
    type Value = ConnectionProperties<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of connection properties")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(ConnectionProperties::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut properties = ConnectionProperties::default();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            if KEPT_KEYS.contains(&&*key) {
                if let Some(value) = map.next_value::<Option<Text<'de>>>()? {
                    properties.kept.push((key, value));
                }
            } else {
                map.next_value::<IgnoredAny>()?;
                properties.dropped += 1;
            }
        }
        Ok(properties)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ConnectionProperties<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct("ConnectionProperties", PropertiesVisitor)
    }
}

impl ConnectionProperties<'_> {
    /// The kept properties; a JDBC URL is reduced to scheme, host, port and database.
    pub(crate) fn to_value(&self, masked: &MaskedCounts) -> Value {
        masked.add(MaskedPlace::ConnectionProperty, self.dropped);
        let keep = |key: &str, value: &str| {
            let (value, reduced) = match key {
                "JDBC_CONNECTION_URL" => reduce_jdbc_url(value),
                "KAFKA_BOOTSTRAP_SERVERS" => {
                    (value.split(',').map(after_user_info).collect::<Vec<_>>().join(","), value.contains('@'))
                }
                _ => (after_user_info(value).to_owned(), value.contains('@')),
            };
            // Anyone can write anything under a known key. Names of secrets and roles are references, and only look like secrets.
            let is_reference = matches!(key, "SECRET_ID" | "ROLE_ARN");
            let (value, secrets) = if is_reference { (value.into(), 0) } else { scrub(&value) };
            masked.add(MaskedPlace::ConnectionProperty, u64::from(reduced || secrets > 0));
            Value::Text(value.into_owned())
        };
        let kept = self.kept.iter().map(|(key, value)| (key.to_string(), keep(key, value)));
        Value::Map(kept.filter(|(_, value)| !value.is_empty()).collect())
    }
}

fn after_user_info(value: &str) -> &str {
    value.rsplit('@').next().unwrap_or_default()
}

/// `jdbc:mysql://user:pw@host:3306/db?password=x` to `jdbc:mysql://host:3306/db`, and whether anything was cut.
///
/// Drivers put properties after `?`, `;`, `:`, `,` or `/`, and passwords hold any of these, so nothing is kept that does not look
/// like what it should be: a host with a port that is a number, and a database name without a separator. What is left of a URL
/// that is not understood is its scheme (`jdbc:oracle:thin:`).
fn reduce_jdbc_url(url: &str) -> (String, bool) {
    let reduced = reduced_parts(url);
    let cut = reduced != url;
    (reduced, cut)
}

fn reduced_parts(url: &str) -> String {
    // Oracle's thin form signs in before the address: `thin:user/password@//host:1521/service`, `thin:@host:1521:sid`.
    if let Some(rest) = url.strip_prefix("jdbc:oracle:thin:") {
        let address = rest.rsplit_once('@').map_or(rest, |(_, address)| address);
        let address = address.strip_prefix("//").unwrap_or(address);
        return format!("jdbc:oracle:thin:@{}", address_and_database(address, rest).unwrap_or_default());
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        let scheme: Vec<_> = url.split(':').take(2).collect();
        return if scheme.len() == 2 && scheme[0] == "jdbc" { format!("{}:", scheme.join(":")) } else { String::new() };
    };
    let scheme_is_plain = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":+-.".contains(&byte));
    let base = &rest[..rest.find(['?', ';', '#', '&']).unwrap_or(rest.len())];
    match address_and_database(after_user_info(base), rest) {
        Some(address) if scheme_is_plain => format!("{scheme}://{address}"),
        _ => String::new(),
    }
}

/// `host[:port][,host[:port]…][/database]` of an address without user info; `None` where the hosts do not look like hosts.
/// `whole` is the address before anything was cut from it.
fn address_and_database(address: &str, whole: &str) -> Option<String> {
    let hosts_end = address.find(['/', '?', ';', '#', '&']).unwrap_or(address.len());
    let (hosts, tail) = address.split_at(hosts_end);
    // `user:1234?x@host` was cut inside the password: what stands here is the user.
    let is_cut_in_password = !tail.starts_with('/') && !whole.ends_with(address) && whole.contains('@');
    if is_cut_in_password || !hosts.split(',').all(is_host) {
        return None;
    }
    let database = tail.strip_prefix('/').unwrap_or_default();
    let name_end =
        database.find(|character: char| !(character.is_alphanumeric() || "_-.$".contains(character))).unwrap_or(database.len());
    // A name that is followed by `=` is a property's.
    let is_property = database[name_end..].starts_with('=');
    let name = if is_property { "" } else { &database[..name_end] };
    Some(if name.is_empty() { hosts.to_owned() } else { format!("{hosts}/{name}") })
}

/// `host`, `host:port` or Oracle's `host:port:sid`; the port is a number.
fn is_host(host: &str) -> bool {
    let mut parts = host.split(':');
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._[]\\*$".contains(&byte));
    let name = parts.next().unwrap_or_default();
    let port = parts.next();
    let sid = parts.next();
    is_name(name)
        && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
        && sid.is_none_or(is_name)
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jdbc_urls_keep_scheme_host_port_and_database_only() {
        for (url, reduced) in [
            ("jdbc:mysql://bob:CANARY@db.internal:3306/shop?password=CANARY", "jdbc:mysql://db.internal:3306/shop"),
            ("jdbc:mysql://bob:CAN@ARY@db:3306/shop", "jdbc:mysql://db:3306/shop"),
            ("jdbc:mysql://bob:CANARY?x@db/shop", ""),
            ("jdbc:mysql://bob:1234?CANARY@db/shop", ""),
            ("jdbc:sqlserver://db:1433;databaseName=shop;password=CANARY", "jdbc:sqlserver://db:1433"),
            ("jdbc:teradata://db/DATABASE=shop,USER=bob,PASSWORD=CANARY", "jdbc:teradata://db"),
            ("jdbc:db2://db:50000/shop:user=bob;password=CANARY;", "jdbc:db2://db:50000/shop"),
            ("jdbc:db2://db:50000/password=CANARY", "jdbc:db2://db:50000"),
            (
                "jdbc:snowflake://acct.snowflakecomputing.com/?user=bob&password=CANARY",
                "jdbc:snowflake://acct.snowflakecomputing.com",
            ),
            ("jdbc:oracle:thin:bob/CANARY@//db:1521/orcl", "jdbc:oracle:thin:@db:1521/orcl"),
            ("jdbc:oracle:thin:bob/CANARY@db:1521:orcl", "jdbc:oracle:thin:@db:1521:orcl"),
            ("jdbc:oracle:thin:@(DESCRIPTION=(PASSWORD=CANARY))", "jdbc:oracle:thin:@"),
            ("jdbc:redshift:iam://cluster:5439/dev?AccessKeyID=CANARY", "jdbc:redshift:iam://cluster:5439/dev"),
            ("mongodb://bob:CANARY@m1:27017,m2:27017/shop", "mongodb://m1:27017,m2:27017/shop"),
            ("jdbc:postgresql://db:5432/shop", "jdbc:postgresql://db:5432/shop"),
            ("jdbc:h2:mem;password=CANARY", "jdbc:h2:"),
            ("password=CANARY", ""),
        ] {
            let (got, cut) = reduce_jdbc_url(url);
            assert_eq!(got, reduced, "{url}");
            assert_eq!(cut, got != url);
        }
    }

    #[test]
    fn passwords_and_unknown_keys_are_dropped_and_counted() {
        let json = r#"{"HOST":"db","PASSWORD":"CANARY","KAFKA_SASL_SCRAM_PASSWORD":"CANARY","JDBC_CONNECTION_URL":"jdbc:mysql://u:CANARY@h/d"}"#;
        let properties: ConnectionProperties<'_> = serde_json::from_str(json).unwrap();
        let masked = MaskedCounts::default();
        let kept = format!("{:?}", properties.to_value(&masked));
        assert!(!kept.contains("CANARY") && kept.contains("jdbc:mysql://h/d"), "{kept}");
        assert_eq!(masked.to_map()["connection-property"], 3);
    }
}
