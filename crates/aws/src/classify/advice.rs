//! What to do about an answer that is no success, for people. Pure.

use connector::port::{ErrorKind, Service};

/// The next step after a failure. It names the command or the place where it is taken.
pub(super) fn suggestion(service: Service, kind: ErrorKind, code: &str, message: &str) -> &'static str {
    match kind {
        ErrorKind::Throttled => "the account's request rate is used up: run at another time, or lower --concurrency and --max-rps",
        ErrorKind::Unavailable if code == "FederationSourceException" => {
            "the catalog's source outside AWS did not answer: check its Glue connection in the AWS console"
        }
        ErrorKind::Unavailable => "the service had a fault of its own: run again later",
        ErrorKind::NotFound if service == Service::DataZone => {
            "it was removed meanwhile, or the id of the domain or the project is wrong"
        }
        ErrorKind::NotFound if service == Service::SecretsManager => {
            "check the name or the ARN, the region and the account of the secret, that it has a current version, and that it is not marked for \
             deletion"
        }
        ErrorKind::NotFound => "it was removed meanwhile, or the name or catalog id is wrong",
        ErrorKind::Denied => match service {
            Service::DataZone => denied_by_datazone(message).unwrap_or_else(|| denied(service, code, message)),
            Service::SecretsManager => denied_by_secrets_manager(code, message),
            Service::Glue | Service::Sts => denied(service, code, message),
        },
        ErrorKind::Invalid if code == "ServiceQuotaExceededException" => {
            "a quota of Amazon DataZone is used up: look for it in Service Quotas, and ask for more if the crawl needs it"
        }
        ErrorKind::Invalid => "check the given names and ids; if they are right, report this",
        ErrorKind::Malformed => "look for a proxy or firewall on the way that answers in the service's place",
        ErrorKind::Refused => "nothing was sent; check the settings of the run",
        ErrorKind::Credentials => credentials(code),
    }
}

fn denied(service: Service, code: &str, message: &str) -> &'static str {
    if code == "GlueEncryptionException" {
        return "the catalog is encrypted: allow kms:Decrypt on its key for this role";
    }
    if message.contains("Lake Formation") {
        return "IAM allows the call and Lake Formation does not: grant DESCRIBE on it to this role, or make the role a Lake Formation read-only \
                administrator";
    }
    if message.contains("VPC endpoint policy") {
        return match service {
            Service::DataZone => {
                "the policy of the VPC endpoint does not allow the action: `isinglass policy smus --endpoint` prints one that does"
            }
            Service::Glue | Service::Sts | Service::SecretsManager => {
                "the policy of the VPC endpoint does not allow the action: `isinglass policy glue --endpoint` prints one that does"
            }
        };
    }
    if message.contains("explicit deny") {
        return "a policy denies the action explicitly (identity, boundary, service control or endpoint policy): ask who owns that policy";
    }
    if message.contains("session policy") {
        return "the session policy of these credentials does not allow the action: sign in without it, or widen it";
    }
    match service {
        Service::DataZone => denied_by_iam_on(message),
        Service::Glue | Service::Sts | Service::SecretsManager => {
            "the role's IAM policy does not allow the action: `isinglass policy glue` prints the policy to attach"
        }
    }
}

/// A denial by the policy of the secret's reader, of the secret itself, or of the key that encrypts it.
fn denied_by_secrets_manager(code: &str, message: &str) -> &'static str {
    if code == "DecryptionFailure" || message.contains("KMS") || message.contains("kms:") {
        return "the secret is encrypted with a key that this identity may not use: allow kms:Decrypt on that key, in the identity's policy and in \
                the key's";
    }
    if message.contains("VPC endpoint policy") {
        return "the policy of the VPC endpoint of Secrets Manager does not allow secretsmanager:GetSecretValue on this secret: allow it there";
    }
    if message.contains("explicit deny") {
        return "a policy denies the read explicitly (identity, boundary, service control, endpoint or the secret's own policy): ask who owns it";
    }
    "allow secretsmanager:GetSecretValue on this secret to the identity that the runtime signs in with; a secret of another account needs it in the \
     secret's own policy too"
}

/// A denial of DataZone itself: `User is not permitted to perform operation: X`. A domain that is not there answers the same. None if
/// the message is IAM's.
fn denied_by_datazone(message: &str) -> Option<&'static str> {
    if message.contains("not authorized to perform") {
        return None;
    }
    Some(
        "IAM allows the call and Amazon DataZone does not: add the role to the domain's users and as a member of the project, see that its \
         user profile is activated, and check the domain id, for a domain that does not exist answers the same",
    )
}

/// A denial of IAM: `User: … is not authorized to perform: datazone:X on resource: …`. AWS documents `*` as resource of most actions
/// and checks the domain's ARN in practice, so the message has the last word.
fn denied_by_iam_on(message: &str) -> &'static str {
    let resource = message.split("on resource: ").nth(1).and_then(|rest| rest.split_whitespace().next());
    if resource.is_some_and(|resource| !resource.contains(":domain/")) {
        return "the role's IAM policy does not allow the action on the resource that AWS names, which is no domain: attach the policy that \
                `isinglass policy smus` prints, with `*` as resource of the statement of this action";
    }
    "the role's IAM policy does not allow the action on this domain: attach the policy that `isinglass policy smus` prints, and see that \
     its resources name this domain"
}

fn credentials(code: &str) -> &'static str {
    match code {
        "ExpiredTokenException" | "ExpiredToken" | "TokenRefreshRequired" => {
            "the temporary credentials have expired: sign in again, or give a role so that they are renewed"
        }
        "RequestTimeTooSkewed" | "RequestExpired" => "this machine's clock is wrong: set it by NTP",
        "OptInRequired" | "RegionDisabledException" => "the region is not enabled in this account: enable it or choose another",
        "InvalidSignatureException" | "SignatureDoesNotMatch" => {
            "the secret access key does not belong to the access key id: check both"
        }
        "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidAccessKeyId" => {
            "AWS does not know this access key: check that it is active, complete and of the region's partition"
        }
        _ => "check the access key, its secret and its session token",
    }
}
