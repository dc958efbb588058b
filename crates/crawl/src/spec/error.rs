//! What is wrong with a spec, and in which field.

use std::fmt;

use connector::glue::FilterError;

/// A field of a spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `catalogIds`
    CatalogIds,
    /// `include`
    Include,
    /// `exclude`
    Exclude,
    /// `excludeTable`
    ExcludeTable,
    /// `skip`
    Skip,
    /// `keep`
    Keep,
    /// `domains`
    Domains,
    /// `includeProjects`
    IncludeProjects,
    /// `excludeProjects`
    ExcludeProjects,
}

impl Field {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CatalogIds => "catalogIds",
            Self::Include => "include",
            Self::Exclude => "exclude",
            Self::ExcludeTable => "excludeTable",
            Self::Skip => "skip",
            Self::Keep => "keep",
            Self::Domains => "domains",
            Self::IncludeProjects => "includeProjects",
            Self::ExcludeProjects => "excludeProjects",
        }
    }
}

/// A spec that cannot be used. Its text calls fields by their names in JSON; [`SpecError::naming`] calls them otherwise.
#[derive(Debug)]
pub enum SpecError {
    /// Not of the form of a spec.
    Malformed {
        /// What is wrong, and where.
        reason: String,
    },
    /// A list has too many entries.
    TooMany {
        /// Which.
        field: Field,
        /// How many it may have.
        most: usize,
    },
    /// A text is too long.
    TooLong {
        /// In which field.
        field: Field,
        /// How many bytes it may have.
        most: usize,
    },
    /// A word that the field does not know.
    Word {
        /// Which field.
        field: Field,
        /// The word.
        word: String,
        /// The words that it knows.
        known: String,
    },
    /// A pattern or regular expression.
    Filter {
        /// Which field.
        field: Field,
        /// What is wrong with it.
        source: FilterError,
    },
    /// The pattern of a project is empty.
    EmptyProject {
        /// Which field.
        field: Field,
    },
    /// Not the id of a domain.
    Domain {
        /// What was given.
        id: String,
    },
}

impl SpecError {
    /// The field that it is about; none where the whole is not of the form of a spec.
    #[must_use]
    pub const fn field(&self) -> Option<Field> {
        match self {
            Self::Malformed { .. } => None,
            Self::TooMany { field, .. }
            | Self::TooLong { field, .. }
            | Self::Word { field, .. }
            | Self::Filter { field, .. }
            | Self::EmptyProject { field } => Some(*field),
            Self::Domain { .. } => Some(Field::Domains),
        }
    }

    /// The error in the words of whoever calls fields by other names, such as flags.
    pub fn naming(&self, name: impl Fn(Field) -> &'static str) -> String {
        match self {
            Self::Malformed { reason } => format!("the settings are not of the form that they should have: {reason}"),
            Self::TooMany { field, most } => format!("{} takes at most {most} entries", name(*field)),
            Self::TooLong { field, most } => format!("{} takes texts of at most {most} bytes", name(*field)),
            Self::Word { field, word, known } => format!("{} does not know \"{word}\"; it takes {known}", name(*field)),
            // A pattern is quoted, which says enough.
            Self::Filter { source, .. } => source.to_string(),
            Self::EmptyProject { .. } => format!(
                "{} and {} take the name or id of a project, with * and ?",
                name(Field::IncludeProjects),
                name(Field::ExcludeProjects)
            ),
            Self::Domain { id } => format!("\"{id}\" is no id of a domain; they look like dzd_4kq8z1example"),
        }
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.naming(Field::name))
    }
}

impl std::error::Error for SpecError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // The message is that of the filter: what lies behind it comes next.
            Self::Filter { source, .. } => source.source(),
            Self::Malformed { .. }
            | Self::TooMany { .. }
            | Self::TooLong { .. }
            | Self::Word { .. }
            | Self::EmptyProject { .. }
            | Self::Domain { .. } => None,
        }
    }
}

impl From<SpecError> for crate::failure::Failure {
    fn from(error: SpecError) -> Self {
        Self::from_error(crate::failure::FailureKind::Input, &error)
    }
}
