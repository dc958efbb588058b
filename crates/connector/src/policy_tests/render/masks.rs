//! What the masking types do, in the words of the page.

/// What the masking types do, by the name that they go by.
pub(super) const THROUGH: &[(&str, &str, &str)] = &[
    ("FreeText", "kept, secrets masked", "Text by people: what looks like a credential is replaced by `***`."),
    (
        "TypeText",
        "kept, secrets masked",
        "Structure; what stands in quotes or comments inside a type goes through the secret scanner.",
    ),
    (
        "Parameters",
        "known keys only",
        "Keys of a fixed list (below) are kept, their values through the secret scanner; Spark's schema is read in memory for column names, types and comments; counts (`recordCount`, `sizeKey`, …) only where they are whole numbers. The value of any other key is skipped unread.",
    ),
    (
        "Arguments",
        "names; known flags with value",
        "Values only of flags that are known to be settings (below), paths cleaned as locations are. Of all others the name is kept and the value is skipped unread.",
    ),
    (
        "ConnectionProperties",
        "known keys only",
        "Host, port, database, engine and references to secrets and roles; a JDBC URL is reduced to scheme, host, port and database. The value of any other key is skipped unread.",
    ),
    ("Location", "kept, cleaned", "Without user info, query and fragment; the values of `key=value` segments are replaced by `*`."),
    (
        "ViewSql",
        "kept, literals masked",
        "Every literal reads `?` and comments are left out; columns and lineage are derived in memory. Whole only with `--keep view-sql`.",
    ),
    (
        "Person",
        "kept without names",
        "Session names and user names are cut from ARNs; what is no ARN is dropped. Whole only with `--keep person-names`.",
    ),
    ("Owner", "kept without names", "E-mail addresses are dropped, secrets masked. Whole only with `--keep person-names`."),
    ("Role", "kept without names", "A reference to a role, without a session name."),
    ("Sign", "read, not kept", "Compared with known words to tell the kind or format."),
    ("Present", "read, not kept", "Whether it is there; its content is skipped unread."),
    ("Timestamp", "kept", "A point in time; what is none is left out."),
    (
        "FormContent",
        "see \"Forms\"",
        "JSON in text. Managed forms are read member by member; of forms that you defined the names of members are kept, and values only with `--keep form-values=<form type>`.",
    ),
    (
        "SmithyModel",
        "names and types of members",
        "The model of the form type: the names and types of its members are kept; traits, documentation and default values are passed over.",
    ),
    (
        "Reason",
        "parsed, counted, left out",
        "What people wrote. Kept, through the secret scanner, only with `--keep request-reasons`.",
    ),
    (
        "ProfileId",
        "kept if it is an id",
        "Only UUIDs, some with ten hexadecimal digits before them, which is what profile ids are. Anything else (a login, an e-mail address, an ARN) is left out and counted.",
    ),
    (
        "ProfileName",
        "parsed, left out",
        "The name of a person, or the ARN of the role or user that a profile is of. Kept, whole, only with `--keep person-names`; without it nobody's profile but the role's own is asked for.",
    ),
    (
        "ProvisionedResources",
        "two by name",
        "Of all resources only the ARN of the project's role (without a session name) and the project's place in Amazon S3 (cleaned as locations are), by the names below. Names and values of all others are let go as the list is parsed.",
    ),
    (
        "SourceIdentifier",
        "kept, cleaned",
        "The ARN of a Glue table as it stands; what has `://` in it as locations are cleaned; then everything else through the secret scanner.",
    ),
];
