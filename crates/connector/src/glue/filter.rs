//! Include and exclude: which databases and tables a crawl reads.

use std::fmt;

use model::name::encode_part;
use regex::Regex;

use crate::glob::glob;

/// A pattern or regular expression that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// Not of the form `catalog/database[/table]`.
    #[error(
        "the pattern \"{pattern}\" is not of the form catalog/database or catalog/database/table (for example AwsDataCatalog/sales or AwsDataCatalog/sales/orders_*; write %2F for a slash inside a name)"
    )]
    Shape {
        /// The pattern as given.
        pattern: String,
    },
    /// Not a regular expression.
    #[error("\"{pattern}\" is not a regular expression; see https://docs.rs/regex for the syntax")]
    Regex {
        /// The expression as given.
        pattern: String,
        /// Where it fails.
        #[source]
        source: Box<regex::Error>,
    },
}

/// `catalog/database[/table]` with `*` and `?`, compared with encoded names, case aside.
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern {
    catalog: String,
    database: String,
    table: Option<String>,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.catalog, self.database)?;
        self.table.iter().try_for_each(|table| write!(f, "/{table}"))
    }
}

impl Pattern {
    /// Parses one pattern.
    ///
    /// # Errors
    /// When it does not have two or three parts.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let parts: Vec<_> = text.trim().split('/').collect();
        let shape = || FilterError::Shape { pattern: text.to_owned() };
        if parts.iter().any(|part| part.is_empty()) {
            return Err(shape());
        }
        match parts.as_slice() {
            [catalog, database] => Ok(Self { catalog: (*catalog).into(), database: (*database).into(), table: None }),
            [catalog, database, table] => {
                Ok(Self { catalog: (*catalog).into(), database: (*database).into(), table: Some((*table).into()) })
            }
            _ => Err(shape()),
        }
    }

    fn matches_database(&self, catalog: &str, database: &str) -> bool {
        glob(&self.catalog, catalog) && glob(&self.database, database)
    }
}

/// The whole filter. Empty includes mean everything; an exclude wins over an include.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    exclude_table: Option<Regex>,
}

impl Filter {
    /// Parses the patterns of a command line or form. `exclude_table` is searched for anywhere in a table's name.
    ///
    /// # Errors
    /// When a pattern or the expression is malformed.
    pub fn parse(include: &[String], exclude: &[String], exclude_table: Option<&str>) -> Result<Self, FilterError> {
        let patterns = |texts: &[String]| texts.iter().map(|text| Pattern::parse(text)).collect::<Result<Vec<_>, _>>();
        let compile = |pattern: &str| {
            Regex::new(pattern).map_err(|source| FilterError::Regex { pattern: pattern.to_owned(), source: Box::new(source) })
        };
        Ok(Self {
            include: patterns(include)?,
            exclude: patterns(exclude)?,
            exclude_table: exclude_table.filter(|pattern| !pattern.is_empty()).map(compile).transpose()?,
        })
    }

    /// Whether everything passes.
    pub(crate) fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty() && self.exclude_table.is_none()
    }

    /// Whether any table of a database can be wanted.
    pub(crate) fn wants_database(&self, catalog: &str, database: &str) -> bool {
        let (catalog, database) = (encoded(catalog), encoded(database));
        let included = self.include.is_empty() || self.include.iter().any(|pattern| pattern.matches_database(&catalog, &database));
        included && !self.exclude.iter().any(|pattern| pattern.table.is_none() && pattern.matches_database(&catalog, &database))
    }

    /// The part of the filter that concerns the tables of one database.
    pub(crate) fn for_database(&self, catalog: &str, database: &str) -> TableFilter {
        let (catalog, database) = (encoded(catalog), encoded(database));
        let of = |patterns: &[Pattern]| -> Vec<Pattern> {
            patterns.iter().filter(|pattern| pattern.matches_database(&catalog, &database)).cloned().collect()
        };
        let mut include = of(&self.include);
        if include.iter().any(|pattern| pattern.table.is_none()) {
            include.clear();
        }
        TableFilter { include, exclude: of(&self.exclude), exclude_table: self.exclude_table.clone() }
    }
}

/// Which tables of one database are wanted.
#[derive(Clone, Debug)]
pub(crate) struct TableFilter {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    exclude_table: Option<Regex>,
}

impl TableFilter {
    pub(crate) fn wants(&self, table: &str) -> bool {
        if self.include.is_empty() && self.exclude.is_empty() && self.exclude_table.is_none() {
            return true;
        }
        let name = encoded(table);
        let named = |pattern: &Pattern| pattern.table.as_deref().is_some_and(|glob_pattern| glob(glob_pattern, &name));
        (self.include.is_empty() || self.include.iter().any(named))
            && !self.exclude.iter().any(named)
            && !self.exclude_table.as_ref().is_some_and(|regex| regex.is_match(table))
    }
}

fn encoded(part: &str) -> String {
    let mut text = String::with_capacity(part.len());
    encode_part(part, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(include: &[&str], exclude: &[&str], regex: Option<&str>) -> Filter {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Filter::parse(&own(include), &own(exclude), regex).unwrap()
    }

    #[test]
    fn exclude_wins_over_include_and_empty_include_means_all() {
        assert!(filter(&[], &[], None).wants_database("AwsDataCatalog", "sales"));
        let filter = filter(&["AwsDataCatalog/s*"], &["*/secret?"], None);
        assert!(filter.wants_database("awsdatacatalog", "Sales"));
        assert!(!filter.wants_database("AwsDataCatalog", "marketing"));
        assert!(!filter.wants_database("AwsDataCatalog", "secret1"));
    }

    #[test]
    fn table_patterns_narrow_a_database_and_the_regex_is_searched_for() {
        let filter = filter(&["c/sales/orders*", "c/raw"], &["c/sales/*_old"], Some("_tmp$"));
        let sales = filter.for_database("c", "sales");
        let wanted: Vec<_> =
            ["orders", "orders_old", "orders_tmp", "customers"].into_iter().filter(|table| sales.wants(table)).collect();
        assert_eq!(wanted, ["orders"]);
        assert!(filter.for_database("c", "raw").wants("anything") && !filter.for_database("c", "raw").wants("x_tmp"));
    }

    #[test]
    fn names_with_slashes_are_matched_in_their_encoded_form() {
        assert!(filter(&["s3tablescatalog%2Fanalytics/web"], &[], None).wants_database("s3tablescatalog/analytics", "web"));
    }

    #[test]
    fn malformed_patterns_are_errors_that_say_what_is_expected() {
        for pattern in ["sales", "", "a//b", "a/b/c/d", "/sales"] {
            let error = Pattern::parse(pattern).unwrap_err();
            assert!(error.to_string().contains("catalog/database"), "{error}");
        }
        assert!(Filter::parse(&[], &[], Some("[")).is_err());
    }
}
