//! From a job to access: the credential is fetched just in time, and lives for as long as the client of the crawl does.

use aws::Region;
use crawl::{Access, Connector, Credentials, Failure, FailureKind, Role};
use wire::SourceJob;

use super::Workshop;
use super::credentials::Fields;
use super::trouble::Trouble;

/// How a source is reached.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) access: Access,
    pub(crate) connector: Connector,
}

/// Fetches the credential of a job.
///
/// # Errors
/// The secret store does not give it, or something in the job cannot be used. No message holds a secret.
pub(crate) async fn open(workshop: &Workshop, source: &SourceJob) -> Result<Opened, Trouble> {
    let connector = Connector::parse(&source.connector).ok_or_else(|| {
        Trouble::input(
            format!("this runtime has no connector `{}`", source.connector),
            "Update the runtime to the version of the control plane.",
        )
    })?;
    let mut fields = workshop.credentials.fetch(&source.credential).await?;
    let region = region(source, &fields, workshop)?;
    let mut access = Access::new(region, workshop.aws.clone());
    let configuration = &workshop.configuration;
    access.network = configuration.network.clone();
    access.ca_bundle.clone_from(&configuration.ca_bundle);
    access.max_requests_per_second = configuration.max_requests_per_second.or(access.max_requests_per_second);
    access.concurrency = configuration.concurrency;
    sign_in_as(&source.credential.auth_type, &mut fields, &mut access)?;
    access.validate()?;
    Ok(Opened { access, connector })
}

fn region(source: &SourceJob, fields: &Fields, workshop: &Workshop) -> Result<Region, Trouble> {
    let named = source.region.as_deref().or_else(|| fields.text("region")).or(workshop.aws.region.as_deref());
    let named = named.ok_or_else(|| {
        Trouble::input(
            "neither the connection nor its credential nor this runtime names a region",
            "Give the connection an AWS region.",
        )
    })?;
    let region = Region::parse(named).map_err(|error| Failure::new(FailureKind::Input, error.to_string(), ""));
    Ok(region?)
}

fn sign_in_as(auth_type: &str, fields: &mut Fields, access: &mut Access) -> Result<(), Trouble> {
    let missing = |field: &str| {
        Trouble::input(
            format!("the credential of the connection has no field `{field}`, which the sign-in `{auth_type}` needs"),
            "Edit the credential.",
        )
    };
    match auth_type {
        "ambient" => {}
        "iam" => {
            let access_key_id = fields.text("username").ok_or_else(|| missing("username"))?.to_owned();
            let secret_access_key = fields.take("password").ok_or_else(|| missing("password"))?;
            access.credentials =
                Credentials::Keys { access_key_id, secret_access_key, session_token: fields.take("session_token") };
        }
        "role" => {
            let role_arn = fields.text("aws_role_arn").ok_or_else(|| missing("aws_role_arn"))?.to_owned();
            let external_id = fields.text("aws_external_id").filter(|id| !id.is_empty()).map(str::to_owned);
            access.assume_role = Some(Role { role_arn, external_id, session_name: None });
        }
        other => {
            let message = format!("this runtime does not know the sign-in `{other}`");
            return Err(Trouble::input(message, "Use `iam`, `role` or `ambient`, or update the runtime."));
        }
    }
    Ok(())
}
