//! One row for each answer that AWS is known to give.

use super::*;

fn fault(service: Service, status: u16, body: &str) -> ServiceFault {
    classify(service, StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
}

fn glue(status: u16, code: &str, message: &str) -> ServiceFault {
    fault(Service::Glue, status, &serde_json::json!({"__type": code, "Message": message}).to_string())
}

#[test]
fn every_known_code_has_its_kind_its_retry_and_its_remedy() {
    use {ErrorKind as K, RetryClass as R};
    for (status, code, kind, retry, remedy) in [
        (400, "ThrottlingException", K::Throttled, R::Throttled, Remedy::None),
        (400, "RequestLimitExceeded", K::Throttled, R::Throttled, Remedy::None),
        (400, "OperationTimeoutException", K::Unavailable, R::Transient, Remedy::None),
        (500, "InternalServiceException", K::Unavailable, R::Transient, Remedy::None),
        (500, "InternalFailure", K::Unavailable, R::Transient, Remedy::None),
        (400, "ConcurrentModificationException", K::Unavailable, R::Transient, Remedy::None),
        (400, "ResourceNotReadyException", K::Unavailable, R::Transient, Remedy::None),
        (400, "FederationSourceRetryableException", K::Unavailable, R::Transient, Remedy::None),
        (400, "FederationSourceException", K::Unavailable, R::Never, Remedy::None),
        (400, "EntityNotFoundException", K::NotFound, R::Never, Remedy::None),
        (400, "AccessDeniedException", K::Denied, R::Never, Remedy::None),
        (400, "GlueEncryptionException", K::Denied, R::Never, Remedy::None),
        (400, "InvalidInputException", K::Invalid, R::Never, Remedy::None),
        (400, "ValidationException", K::Invalid, R::Never, Remedy::None),
        (400, "ExpiredTokenException", K::Credentials, R::Never, Remedy::Renew),
        (403, "ExpiredToken", K::Credentials, R::Never, Remedy::Renew),
        (400, "UnrecognizedClientException", K::Credentials, R::Never, Remedy::Renew),
        (400, "InvalidSignatureException", K::Credentials, R::Never, Remedy::Renew),
        (403, "RequestTimeTooSkewed", K::Credentials, R::Never, Remedy::CorrectClock),
        (403, "RegionDisabledException", K::Credentials, R::Never, Remedy::None),
        (400, "SomethingNewException", K::Invalid, R::Never, Remedy::None),
        (503, "SomethingNewException", K::Unavailable, R::Transient, Remedy::None),
    ] {
        let fault = glue(status, code, "");
        assert_eq!((fault.kind, fault.retry, fault.remedy), (kind, retry, remedy), "{code}");
        assert_eq!(fault.code.as_deref(), Some(code));
        assert!(!fault.suggested_action.is_empty());
    }
}

/// An answer of DataZone: the code in a header, the message in lower case.
fn datazone(status: u16, code: &str, message: &str) -> ServiceFault {
    let mut headers = HeaderMap::new();
    if !code.is_empty() {
        headers.insert("x-amzn-errortype", code.parse().unwrap());
    }
    let body = serde_json::json!({"message": message}).to_string();
    classify(Service::DataZone, StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
}

#[test]
fn every_error_of_datazone_has_its_kind_its_retry_and_its_remedy() {
    use {ErrorKind as K, RetryClass as R};
    let expired = "The security token included in the request is expired";
    for (status, code, message, kind, retry, remedy) in [
        (403, "AccessDeniedException", "User is not permitted to perform operation: GetAsset", K::Denied, R::Never, Remedy::None),
        (403, "AccessDeniedException:http://internal/", "User: x is not authorized", K::Denied, R::Never, Remedy::None),
        (404, "ResourceNotFoundException", "", K::NotFound, R::Never, Remedy::None),
        (429, "ThrottlingException", "Rate exceeded", K::Throttled, R::Throttled, Remedy::None),
        (429, "", "", K::Throttled, R::Throttled, Remedy::None),
        (500, "InternalServerException", "", K::Unavailable, R::Transient, Remedy::None),
        (503, "", "", K::Unavailable, R::Transient, Remedy::None),
        (409, "ConflictException", "", K::Unavailable, R::Transient, Remedy::None),
        (401, "UnauthorizedException", "You are not allowed to see this", K::Denied, R::Never, Remedy::None),
        (401, "", "Unauthorized", K::Denied, R::Never, Remedy::None),
        (401, "UnauthorizedException", expired, K::Credentials, R::Never, Remedy::Renew),
        (401, "UnauthorizedException", "Signature does not match", K::Credentials, R::Never, Remedy::Renew),
        (403, "ExpiredTokenException", expired, K::Credentials, R::Never, Remedy::Renew),
        (403, "UnrecognizedClientException", "", K::Credentials, R::Never, Remedy::Renew),
        (
            403,
            "InvalidSignatureException",
            "Signature expired: a is now earlier than b",
            K::Credentials,
            R::Never,
            Remedy::CorrectClock,
        ),
        (400, "ValidationException", "", K::Invalid, R::Never, Remedy::None),
        (402, "ServiceQuotaExceededException", "", K::Invalid, R::Never, Remedy::None),
    ] {
        let fault = datazone(status, code, message);
        assert_eq!((fault.kind, fault.retry, fault.remedy), (kind, retry, remedy), "{status} {code} {message}");
        assert_eq!(fault.code, bare_code(code));
        assert!(
            !fault.suggested_action.is_empty() && !fault.suggested_action.contains("policy glue"),
            "{}",
            fault.suggested_action
        );
    }
}

#[test]
fn a_denial_of_datazone_says_membership_and_one_of_iam_says_policy() {
    let action = |message: &str| datazone(403, "AccessDeniedException", message).suggested_action;
    let on = |resource: &str| {
        format!(
            "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: datazone:Search on resource: {resource} because no \
             identity-based policy allows the datazone:Search action"
        )
    };
    let by_iam = action(&on("arn:aws:datazone:eu-west-1:111122223333:domain/dzd_1"));
    assert!(by_iam.contains("isinglass policy smus") && by_iam.contains("name this domain"), "{by_iam}");
    for other in ["*", "arn:aws:datazone:eu-west-1:111122223333:search/x"] {
        let by_iam = action(&on(other));
        assert!(by_iam.contains("isinglass policy smus") && by_iam.contains("`*` as resource"), "{by_iam}");
    }
    let by_membership = action("User is not permitted to perform operation: Search");
    for part in ["member of the project", "profile is activated", "check the domain id"] {
        assert!(by_membership.contains(part), "{by_membership}");
    }
    let by_endpoint = action("User: x is not authorized to perform: datazone:Search because no VPC endpoint policy allows it");
    let by_session = action("User: x is not authorized to perform: datazone:Search because no session policy allows it");
    assert!(by_endpoint.contains("policy smus --endpoint") && by_session.contains("session policy"));
}

#[test]
fn answers_without_a_code_are_judged_by_status() {
    for (status, body, kind) in [
        (500, "<html><body>Internal error</body></html>", ErrorKind::Unavailable),
        (502, "", ErrorKind::Unavailable),
        (429, "", ErrorKind::Throttled),
        (403, "Forbidden", ErrorKind::Denied),
        (404, "", ErrorKind::NotFound),
        (413, "", ErrorKind::Invalid),
        (302, "", ErrorKind::Malformed),
    ] {
        let fault = fault(Service::Glue, status, body);
        assert_eq!((fault.kind, fault.code), (kind, None), "{status}");
        assert!(fault.message.contains(&status.to_string()) && !fault.message.contains("html"), "{}", fault.message);
    }
}

#[test]
fn the_code_is_read_from_every_place_where_services_put_it() {
    let mut headers = HeaderMap::new();
    headers.insert("x-amzn-errortype", "ThrottlingException:http://internal.amazon.com/coral/".parse().unwrap());
    let by_header = classify(Service::Glue, StatusCode::BAD_REQUEST, &headers, b"{}");
    assert_eq!(by_header.kind, ErrorKind::Throttled);
    assert_eq!(glue(400, "com.amazonaws.glue#EntityNotFoundException", "").kind, ErrorKind::NotFound);
    let gateway = fault(Service::Glue, 400, r#"{"code":"AccessDeniedException","message":"no"}"#);
    assert_eq!((gateway.kind, gateway.message.as_str()), (ErrorKind::Denied, "AccessDeniedException: no"));
    let sts = fault(
        Service::Sts,
        403,
        r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code>
           <Message>User: arn:aws:iam::1:user/u is not authorized</Message></Error><RequestId>1</RequestId></ErrorResponse>"#,
    );
    assert_eq!((sts.kind, sts.code.as_deref()), (ErrorKind::Denied, Some("AccessDenied")));
    assert!(sts.message.contains("is not authorized"));
}

#[test]
fn each_form_of_denial_has_its_own_remedy() {
    let action = |message| glue(400, "AccessDeniedException", message).suggested_action;
    let by_iam = action(
        "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: glue:GetTables on resource: x because no identity-based policy \
         allows the glue:GetTables action",
    );
    let by_lake_formation = action("Insufficient Lake Formation permission(s): Required Describe on sales");
    let by_endpoint = action("User: x is not authorized to perform: y because no VPC endpoint policy allows the y action");
    let by_session = action("User: x is not authorized to perform: y because no session policy allows the y action");
    let explicit = action("User: x is not authorized to perform: y with an explicit deny in a service control policy");
    assert!(by_iam.contains("isinglass policy") && by_lake_formation.contains("DESCRIBE") && by_endpoint.contains("--endpoint"));
    assert!(by_session.contains("session policy") && explicit.contains("explicit"));
}

#[test]
fn a_signature_out_of_time_is_about_the_clock_and_not_about_the_key() {
    let skewed = "Signature expired: 20240101T000000Z is now earlier than 20240101T001000Z (20240101T001500Z - 5 min.)";
    assert_eq!(glue(400, "InvalidSignatureException", skewed).remedy, Remedy::CorrectClock);
    assert_eq!(glue(400, "InvalidSignatureException", "The request signature we calculated does not match").remedy, Remedy::Renew);
}

#[test]
fn messages_carry_no_credentials_and_have_a_bound() {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let message = format!(
        "The Canonical String was\nhost:x\nx-amz-security-token:IQoJ{}\nkey AKIAIOSFODNN7EXAMPLE {secret}",
        "aB3".repeat(60)
    );
    let clean = scrub(&message);
    assert!(!clean.contains(secret) && !clean.contains("IOSFODNN7") && !clean.contains("aB3aB3"), "{clean}");
    assert!(clean.contains("AKIA***") && !clean.contains('\n'), "{clean}");
    let arn = "User: arn:aws:sts::111122223333:assumed-role/data-platform-read-only/isinglass-7 is not authorized";
    assert_eq!(scrub(arn), arn);
    assert_eq!(scrub(&"é ".repeat(1000)).chars().count(), MESSAGE_CHARACTERS_MAX + 1);
}

#[test]
fn every_error_of_secrets_manager_has_its_kind_and_says_what_to_do() {
    use ErrorKind as K;
    let kms = "Access to KMS is not allowed";
    let deleting = "You can't perform this operation on the secret because it was marked for deletion.";
    for (code, message, kind, advice) in [
        ("ResourceNotFoundException", "Secrets Manager can't find the specified secret.", K::NotFound, "current version"),
        ("InvalidRequestException", deleting, K::NotFound, "marked for deletion"),
        ("InvalidRequestException", "because", K::Invalid, "names"),
        ("InvalidParameterException", "because", K::Invalid, "names"),
        ("AccessDeniedException", kms, K::Denied, "kms:Decrypt"),
        ("DecryptionFailure", "because", K::Denied, "kms:Decrypt"),
        ("AccessDeniedException", "no identity-based policy allows it", K::Denied, "secretsmanager:GetSecretValue"),
        ("AccessDeniedException", "because no VPC endpoint policy allows it", K::Denied, "VPC endpoint"),
        ("AccessDeniedException", "with an explicit deny", K::Denied, "denies"),
        ("InternalServiceError", "", K::Unavailable, "later"),
        ("ThrottlingException", "", K::Throttled, "rate"),
    ] {
        let body = serde_json::json!({"__type": code, "Message": message}).to_string();
        let fault = fault(Service::SecretsManager, 400, &body);
        assert_eq!(fault.kind, kind, "{code} {message}");
        assert!(fault.suggested_action.contains(advice), "{code} {message}: {}", fault.suggested_action);
    }
}
