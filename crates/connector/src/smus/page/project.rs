//! `ListProjects`, `GetProject`, `ListProjectProfiles`, `ListProjectMemberships`, `ListEnvironments`, `GetEnvironment`,
//! `GetUserProfile` (Amazon DataZone API reference).

use serde::Deserialize;

use super::Timestamp;
use crate::privacy::{FreeText, ProfileId, ProfileName, ProvisionedResources, Text};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProjectsPage<'a> {
    #[serde(borrow, default)]
    pub(crate) items: Vec<Project<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Project<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
    #[serde(borrow)]
    pub(crate) project_status: Option<Text<'a>>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) updated_at: Option<Timestamp>,
    #[serde(borrow)]
    pub(crate) domain_unit_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) project_category: Option<Text<'a>>,
}

/// What `GetProject` adds to the list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProjectAnswer<'a> {
    #[serde(borrow)]
    pub(crate) project_profile_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) glossary_terms: Option<Vec<Text<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProfilesPage<'a> {
    #[serde(borrow, default)]
    pub(crate) items: Vec<Profile<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Profile<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
}

/// Read to say what the role cannot see, and not kept.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MembershipsPage<'a> {
    #[serde(borrow, default)]
    pub(crate) members: Vec<Member<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Member<'a> {
    #[serde(borrow)]
    pub(crate) member_details: Option<MemberDetails<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct MemberDetails<'a> {
    #[serde(borrow)]
    pub(crate) user: Option<MemberUser<'a>>,
    pub(crate) group: Option<crate::glue::Present>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemberUser<'a> {
    #[serde(borrow)]
    pub(crate) user_id: Option<ProfileId<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EnvironmentsPage<'a> {
    #[serde(borrow, default)]
    pub(crate) items: Vec<Environment<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Environment<'a> {
    #[serde(borrow)]
    pub(crate) id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) environment_configuration_name: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EnvironmentAnswer {
    pub(crate) provisioned_resources: Option<ProvisionedResources>,
}

/// Whose profile: asked for with the role's own ARN to find its memberships, and with the id of a requester or approver only where
/// the settings ask for names.
#[derive(Debug, Deserialize)]
pub(crate) struct UserProfileAnswer<'a> {
    #[serde(borrow)]
    pub(crate) id: Option<ProfileId<'a>>,
    #[serde(borrow)]
    pub(crate) details: Option<UserProfileDetails<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct UserProfileDetails<'a> {
    #[serde(borrow)]
    pub(crate) sso: Option<SsoUserProfileDetails<'a>>,
    #[serde(borrow)]
    pub(crate) iam: Option<IamUserProfileDetails<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SsoUserProfileDetails<'a> {
    #[serde(borrow)]
    pub(crate) username: Option<ProfileName<'a>>,
    #[serde(borrow)]
    pub(crate) first_name: Option<ProfileName<'a>>,
    #[serde(borrow)]
    pub(crate) last_name: Option<ProfileName<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct IamUserProfileDetails<'a> {
    #[serde(borrow)]
    pub(crate) arn: Option<ProfileName<'a>>,
}
