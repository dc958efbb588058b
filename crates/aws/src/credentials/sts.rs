//! The two STS calls: their parameters and what is taken from their answers (query protocol, XML).

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use connector::port::ReadOperation;
use roxmltree::Document;

use crate::settings::{AssumeRole, SESSION_DURATION};
use crate::sign::Outgoing;

/// An assumed session.
pub(crate) struct Assumed {
    pub(crate) credentials: Credentials,
    /// The ARN of the session: `arn:aws:sts::<account>:assumed-role/<role>/<session>`.
    pub(crate) arn: Option<String>,
}

/// Who the caller is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerIdentity {
    /// The account's twelve digits.
    pub account: String,
    /// The caller's ARN.
    pub arn: String,
}

/// An answer of STS that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum StsAnswerError {
    #[error("STS answered with something that is no XML")]
    Xml,
    #[error("the answer of STS has no {0}")]
    Missing(&'static str),
    #[error("the answer of STS has an expiration that is no time")]
    Expiration,
}

/// The request for a session. An external id that is empty is not sent: AWS refuses it.
pub(crate) fn assume_role_request(role: &AssumeRole, session_policy: Option<&str>) -> Outgoing {
    let duration = SESSION_DURATION.as_secs().to_string();
    let mut parameters =
        vec![("RoleArn", role.role_arn.as_str()), ("RoleSessionName", role.session_name.as_str()), ("DurationSeconds", &duration)];
    parameters.extend(role.external_id.as_deref().map(|id| ("ExternalId", id)));
    parameters.extend(session_policy.map(|policy| ("Policy", policy)));
    Outgoing::sts(ReadOperation::AssumeRole, &parameters)
}

pub(crate) fn caller_identity_request() -> Outgoing {
    Outgoing::sts(ReadOperation::GetCallerIdentity, &[])
}

pub(crate) fn read_assumed(body: &[u8]) -> Result<Assumed, StsAnswerError> {
    let document = parse(body)?;
    let need = |name| text(&document, name).ok_or(StsAnswerError::Missing(name));
    let expiration = DateTime::from_str(need("Expiration")?, Format::DateTimeWithOffset).map_err(|_| StsAnswerError::Expiration)?;
    let expiration = SystemTime::try_from(expiration).map_err(|_| StsAnswerError::Expiration)?;
    let credentials = Credentials::new(
        need("AccessKeyId")?,
        need("SecretAccessKey")?,
        Some(need("SessionToken")?.to_owned()),
        Some(expiration),
        "AssumeRole",
    );
    Ok(Assumed { credentials, arn: text(&document, "Arn").map(str::to_owned) })
}

pub(crate) fn read_caller_identity(body: &[u8]) -> Result<CallerIdentity, StsAnswerError> {
    let document = parse(body)?;
    let need = |name| text(&document, name).map(str::to_owned).ok_or(StsAnswerError::Missing(name));
    Ok(CallerIdentity { account: need("Account")?, arn: need("Arn")? })
}

fn parse(body: &[u8]) -> Result<Document<'_>, StsAnswerError> {
    let text = std::str::from_utf8(body).map_err(|_| StsAnswerError::Xml)?;
    Document::parse(text).map_err(|_| StsAnswerError::Xml)
}

/// The text of the first element of a name, whatever its namespace.
fn text<'d>(document: &'d Document<'_>, name: &str) -> Option<&'d str> {
    let node = document.descendants().find(|node| node.tag_name().name() == name)?;
    node.text().map(str::trim).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const ASSUMED: &str = r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
        <AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId><Arn>arn:aws:sts::111122223333:assumed-role/r/s</Arn></AssumedRoleUser>
        <Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>
        <Expiration>2023-11-14T22:13:20Z</Expiration></Credentials><PackedPolicySize>6</PackedPolicySize></AssumeRoleResult>
        <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></AssumeRoleResponse>"#;

    #[test]
    fn a_session_is_read_with_its_expiry_and_its_arn() {
        let assumed = read_assumed(ASSUMED.as_bytes()).unwrap();
        assert_eq!(assumed.credentials.access_key_id(), "ASIAEXAMPLE");
        assert_eq!(assumed.credentials.session_token(), Some("token"));
        assert_eq!(assumed.credentials.expiry().unwrap().duration_since(UNIX_EPOCH).unwrap().as_secs(), 1_700_000_000);
        assert_eq!(assumed.arn.as_deref(), Some("arn:aws:sts::111122223333:assumed-role/r/s"));
    }

    #[test]
    fn incomplete_answers_are_errors() {
        assert_eq!(read_assumed(b"{}").err(), Some(StsAnswerError::Xml));
        assert_eq!(read_assumed(b"<a/>").err(), Some(StsAnswerError::Missing("Expiration")));
        let undated = ASSUMED.replace("2023-11-14T22:13:20Z", "soon");
        assert_eq!(read_assumed(undated.as_bytes()).err(), Some(StsAnswerError::Expiration));
    }

    #[test]
    fn an_absent_external_id_is_not_sent() {
        let without = AssumeRole::new("arn:aws:iam::111122223333:role/r", "", "isinglass-1").unwrap();
        let with = AssumeRole::new("arn:aws:iam::111122223333:role/r", "ext-1", "isinglass-1").unwrap();
        let body = |role, policy| String::from_utf8(assume_role_request(role, policy).body.to_vec()).unwrap();
        assert!(!body(&without, None).contains("ExternalId") && !body(&without, None).contains("Policy"));
        assert!(body(&with, Some("{}")).ends_with("&DurationSeconds=3600&ExternalId=ext-1&Policy=%7B%7D"));
    }
}
