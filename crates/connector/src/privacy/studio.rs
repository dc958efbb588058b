//! What may be kept of Amazon DataZone's free-form members: the content of forms, models of form types, reasons, people,
//! resources of environments. Each has a type here that decides, and nothing else of the content gets out.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{MaskedCounts, MaskedPlace, Role, Text, clean_location, scrub};

/// The content of a metadata form: JSON as text. Managed forms are read member by member by structs of their own; of a form that
/// the customer defined the names of members are read, and values only where the settings ask for the form's type.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct FormContent<'a>(#[serde(borrow)] Text<'a>);

impl FormContent<'_> {
    /// The JSON text, for the structs and the names of members.
    pub(crate) fn json(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for FormContent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes of form content", self.0.len())
    }
}

/// The model of a form type (Smithy IDL): read for the names and types of members, not kept.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct SmithyModel<'a>(#[serde(borrow)] Text<'a>);

impl SmithyModel<'_> {
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SmithyModel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes of a model", self.0.len())
    }
}

/// What people wrote when they asked for data or decided: kept only where the settings ask for it.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct Reason<'a>(#[serde(borrow)] Text<'a>);

impl Reason<'_> {
    /// Counts a reason that is not kept.
    pub(crate) fn leave_out(&self, masked: &MaskedCounts) {
        masked.add(MaskedPlace::RequestReason, u64::from(!self.0.is_empty()));
    }

    /// The reason through the secret scanner, for those who asked for it.
    pub(crate) fn scrubbed(&self, masked: &MaskedCounts) -> String {
        let (text, count) = scrub(&self.0);
        masked.add(MaskedPlace::FreeText, count);
        text.into_owned()
    }
}

impl fmt::Debug for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reason")
    }
}

/// The id of a user or group profile. What is no opaque id (a login, an e-mail address, an ARN with a name) is left out.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct ProfileId<'a>(#[serde(borrow)] Text<'a>);

impl ProfileId<'_> {
    /// The id, if it is opaque; what is left out is counted.
    pub(crate) fn opaque(&self, masked: &MaskedCounts) -> Option<String> {
        if is_opaque(&self.0) {
            return Some(self.0.to_string());
        }
        masked.add(MaskedPlace::PersonName, u64::from(!self.0.is_empty()));
        None
    }

    /// Whether it is this id.
    pub(crate) fn is(&self, id: &str) -> bool {
        *self.0 == *id
    }
}

impl fmt::Debug for ProfileId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a profile id")
    }
}

/// Whether it is a UUID, some with ten hexadecimal digits and a hyphen before them (Amazon DataZone API, `UserProfileId`). Anything
/// else may be a login.
fn is_opaque(id: &str) -> bool {
    let is_hexadecimal = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let uuid = id.split_once('-').filter(|(store, _)| store.len() == 10 && is_hexadecimal(store)).map_or(id, |(_, uuid)| uuid);
    uuid.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && uuid.split('-').all(is_hexadecimal)
}

/// The name of a person or group, kept only where the settings ask for names.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct ProfileName<'a>(#[serde(borrow)] Text<'a>);

impl ProfileName<'_> {
    /// The name as it is, for those who asked for it.
    pub(crate) fn whole(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ProfileName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }
}

/// The names that a project's role goes by among the resources of its environments.
pub(super) const ROLE_RESOURCES: &[&str] = &["userRoleArn", "projectRoleArn"];

/// The names that a project's place in Amazon S3 goes by among the resources of its environments.
pub(super) const S3_RESOURCES: &[&str] = &["s3BucketPath", "projectS3Path"];

/// What an environment provisioned: of all resources only the project's role and its place in Amazon S3, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProvisionedResources {
    /// The ARN of the project's role.
    pub(crate) role: Option<String>,
    /// The `s3://` path, cleaned.
    pub(crate) s3_path: Option<String>,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum ResourceMember {
    Name,
    Value,
    #[serde(other)]
    Other,
}

/// One resource, as long as its list is parsed: its name decides whether anything of its value is kept.
struct Resource<'a> {
    name: Option<Text<'a>>,
    value: Option<Text<'a>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Resource<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ResourceVisitor;
        impl<'de> Visitor<'de> for ResourceVisitor {
            type Value = Resource<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a resource")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut resource = Resource { name: None, value: None };
                while let Some(member) = map.next_key()? {
                    match member {
                        ResourceMember::Name => resource.name = map.next_value()?,
                        ResourceMember::Value => resource.value = map.next_value()?,
                        ResourceMember::Other => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(resource)
            }
        }
        deserializer.deserialize_map(ResourceVisitor)
    }
}

struct ResourcesVisitor;

impl<'de> Visitor<'de> for ResourcesVisitor {
    type Value = ProvisionedResources;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of resources")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(ProvisionedResources::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut resources = ProvisionedResources::default();
        while let Some(Resource { name, value }) = seq.next_element()? {
            let (Some(name), Some(value)) = (name, value.filter(|value| !value.is_empty())) else { continue };
            if ROLE_RESOURCES.contains(&&*name) && value.starts_with("arn:") {
                resources.role = Role::from(value).reference();
            } else if S3_RESOURCES.contains(&&*name) && value.starts_with("s3://") {
                resources.s3_path = Some(clean_location(&value));
            }
        }
        Ok(resources)
    }
}

impl<'de> Deserialize<'de> for ProvisionedResources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct("ProvisionedResources", ResourcesVisitor)
    }
}

/// An identifier that another system gave: an ARN, a URL, a name. Locations are cleaned, everything but the ARN of a Glue table goes
/// through the secret scanner.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct SourceIdentifier<'a>(#[serde(borrow)] Text<'a>);

impl SourceIdentifier<'_> {
    /// The identifier as it may be kept; none if it is empty.
    pub(crate) fn kept(&self, masked: &MaskedCounts) -> Option<String> {
        keep_source_identifier(&self.0, masked)
    }
}

/// A source identifier as it may be kept.
fn keep_source_identifier(text: &str, masked: &MaskedCounts) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || model::GlueTableArn::parse(text).is_some() {
        return (!text.is_empty()).then(|| text.to_owned());
    }
    let cleaned = if text.contains("://") { clean_location(text) } else { text.to_owned() };
    let (kept, count) = scrub(&cleaned);
    masked.add(MaskedPlace::FreeText, count);
    Some(kept.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_environments_resources_only_role_and_place_are_kept() {
        let json = r#"[{"name":"userRoleArn","value":"arn:aws:iam::1:role/datazone_usr","type":"x"},
            {"value":"s3://user:CANARY@bucket/dzd/p?sig=CANARY","name":"s3BucketPath"},
            {"name":"password","value":"CANARY"},{"name":"s3BucketPath","value":"CANARY"}]"#;
        let resources: ProvisionedResources = serde_json::from_str(json).unwrap();
        assert_eq!(resources.role.as_deref(), Some("arn:aws:iam::1:role/datazone_usr"));
        assert_eq!(resources.s3_path.as_deref(), Some("s3://bucket/dzd/p"));
    }

    #[test]
    fn opaque_ids_pass_and_names_do_not() {
        for (id, passes) in [
            ("0a1b2c3d-1111-2222-3333-444455556666", true),
            ("1234567890-0a1b2c3d-1111-2222-3333-444455556666", true),
            ("alice", false),
            ("jane-doe-1985", false),
            ("alice_smith2", false),
            ("face1985-cafe-beef-dead-facade", false),
            ("alice@example.com", false),
            ("arn:aws:iam::1:user/alice", false),
            ("", false),
        ] {
            assert_eq!(is_opaque(id), passes, "{id}");
        }
    }

    #[test]
    fn source_identifiers_keep_arns_of_tables_and_lose_secrets() {
        let masked = MaskedCounts::default();
        let arn = "arn:aws:glue:eu-west-1:111122223333:table/sales/orders_AKIAIOSFODNN7EXAMPLE";
        assert_eq!(keep_source_identifier(arn, &masked).as_deref(), Some(arn));
        assert_eq!(keep_source_identifier("s3://u:CANARY@b/x", &masked).as_deref(), Some("s3://b/x"));
        assert!(!keep_source_identifier("jdbc password=CANARY", &masked).unwrap().contains("CANARY"));
        assert_eq!(keep_source_identifier(" ", &masked), None);
    }
}
