//! Source identifiers: how one catalog names the things of another, and so how their assets find each other.

use std::fmt;

use crate::name::encode_part;

/// The catalog of an account that has no name of its own; the name that connections give it.
const OWN_CATALOG: &str = "AwsDataCatalog";
/// Parts of an ARN that are read in other ways than the usual one; real ones have four at most.
const PARTS_READ_MAX: usize = 8;

/// The ARN of a Glue table, taken apart: `arn:<partition>:glue:<region>:<account>:table/[<catalog>/…]<database>/<table>`
/// (AWS Glue resource ARNs, Service Authorization Reference). Glue folds names to lower case, and so does this.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GlueTableArn {
    partition: String,
    region: String,
    account: String,
    /// The path of a nested catalog (`s3tablescatalog/analytics`); none for the account's own.
    catalog: Option<String>,
    database: String,
    table: String,
}

impl GlueTableArn {
    /// Takes an ARN apart; `None` for whatever is no ARN of a Glue table. The last part is the table, the last but one the
    /// database, what is before them the catalog.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let mut parts = text.splitn(6, ':');
        let (scheme, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        if scheme != "arn" || service != "glue" || region.is_empty() || account.is_empty() {
            return None;
        }
        let (path, table) = resource.strip_prefix("table/")?.rsplit_once('/')?;
        let (catalog, database) = path.rsplit_once('/').map_or((None, path), |(catalog, database)| (Some(catalog), database));
        if database.is_empty() || table.is_empty() || catalog.is_some_and(str::is_empty) {
            return None;
        }
        Some(Self {
            partition: partition.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            catalog: catalog.map(str::to_owned),
            database: database.to_owned(),
            table: table.to_owned(),
        })
    }

    /// The ARN of the table at a path below a Glue connection (`AwsDataCatalog/sales/orders`, encoded) of an account and region.
    #[must_use]
    pub fn of_table(region: &str, account: &str, path: &str) -> Option<Self> {
        let mut parts = path.split('/').map(crate::name::decode_part);
        let (catalog, database, table) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let (owner, catalog) = match catalog.split_once(':') {
            _ if catalog == OWN_CATALOG => (account.to_owned(), None),
            Some((owner, nested)) if is_account(owner) => (owner.to_owned(), Some(nested.to_owned())),
            None if is_account(&catalog) => (catalog, None),
            _ => (account.to_owned(), Some(catalog)),
        };
        let catalog = catalog.map_or_else(String::new, |catalog| format!("{catalog}/"));
        Self::parse(&format!("arn:{}:glue:{region}:{owner}:table/{catalog}{database}/{table}", partition_of(region)))
    }

    /// The region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The account that owns the table.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Where the table lies below a Glue connection of the given account: `<catalog>/<database>/<table>`, each part encoded.
    #[must_use]
    pub fn path_in(&self, connection_account: &str) -> String {
        self.path_of(connection_account, self.catalog.as_deref(), &self.database, &self.table)
    }

    /// Every path that the ARN can stand for below a Glue connection of the given account, that of [`Self::path_in`] first. ARNs
    /// leave slashes as they are, so a table with one in its name has the ARN of a table in a nested catalog.
    #[must_use]
    pub fn paths_in(&self, connection_account: &str) -> Vec<String> {
        let mut paths = vec![self.path_in(connection_account)];
        let Some(catalog) = &self.catalog else { return paths };
        let parts: Vec<&str> =
            catalog.split('/').chain([self.database.as_str(), self.table.as_str()]).take(PARTS_READ_MAX).collect();
        for database in (0..parts.len() - 2).rev() {
            let catalog = (database > 0).then(|| parts[..database].join("/"));
            let table = parts[database + 1..].join("/");
            paths.push(self.path_of(connection_account, catalog.as_deref(), parts[database], &table));
        }
        paths
    }

    fn path_of(&self, connection_account: &str, catalog: Option<&str>, database: &str, table: &str) -> String {
        let catalog = match (catalog, self.account == connection_account) {
            (None, true) => OWN_CATALOG.to_owned(),
            (None, false) => self.account.clone(),
            (Some(nested), true) => nested.to_owned(),
            (Some(nested), false) => format!("{}:{nested}", self.account),
        };
        let mut path = String::new();
        for (index, part) in [&catalog, database, table].into_iter().enumerate() {
            if index > 0 {
                path.push('/');
            }
            encode_part(part, &mut path);
        }
        path
    }
}

impl fmt::Display for GlueTableArn {
    /// The ARN in lower case: equal for all spellings of one table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, region, account, catalog, database, table } = self;
        write!(f, "arn:{partition}:glue:{region}:{account}:table/")?;
        catalog.iter().try_for_each(|catalog| write!(f, "{catalog}/"))?;
        write!(f, "{database}/{table}")
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The partition that a region is in, by how regions are named (AWS General Reference, partitions).
#[must_use]
pub fn partition_of(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ if region.starts_with("us-isob-") => "aws-iso-b",
        _ if region.starts_with("us-isof-") => "aws-iso-f",
        _ if region.starts_with("eu-isoe-") => "aws-iso-e",
        _ if region.starts_with("us-iso-") => "aws-iso",
        _ if region.starts_with("eusc-") => "aws-eusc",
        _ => "aws",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "111122223333";

    #[test]
    fn a_table_has_one_arn_and_one_path_for_each_account_that_looks_at_it() {
        for (arn, path) in [
            ("arn:aws:glue:eu-west-1:111122223333:table/sales/orders", "AwsDataCatalog/sales/orders"),
            ("arn:aws:glue:eu-west-1:444455556666:table/sales/orders", "444455556666/sales/orders"),
            (
                "arn:aws:glue:eu-west-1:111122223333:table/s3tablescatalog/analytics/web/hits",
                "s3tablescatalog%2Fanalytics/web/hits",
            ),
            ("arn:aws:glue:eu-west-1:444455556666:table/fed/x/y", "444455556666:fed/x/y"),
        ] {
            let parsed = GlueTableArn::parse(arn).unwrap();
            assert_eq!(parsed.path_in(OWN), path);
            assert_eq!(parsed.to_string(), arn);
            assert_eq!(GlueTableArn::of_table("eu-west-1", OWN, path), Some(parsed));
        }
    }

    #[test]
    fn a_table_with_a_slash_in_its_name_is_among_the_readings_of_its_arn() {
        let path = "AwsDataCatalog/sales/a%2Fb";
        let arn = GlueTableArn::of_table("eu-west-1", OWN, path).unwrap();
        assert_eq!(arn.to_string(), "arn:aws:glue:eu-west-1:111122223333:table/sales/a/b");
        assert_eq!(arn.paths_in(OWN), ["sales/a/b", path]);
        assert_eq!(arn.paths_in("444455556666"), ["111122223333:sales/a/b", "111122223333/sales/a%2Fb"]);
        let nested = GlueTableArn::parse("arn:aws:glue:eu-west-1:111122223333:table/s3tablescatalog/web/db/hits").unwrap();
        let expected =
            ["s3tablescatalog%2Fweb/db/hits", "s3tablescatalog/web/db%2Fhits", "AwsDataCatalog/s3tablescatalog/web%2Fdb%2Fhits"];
        assert_eq!(nested.paths_in(OWN), expected);
        assert_eq!(GlueTableArn::parse("arn:aws:glue:eu-west-1:111122223333:table/a/b").unwrap().paths_in(OWN).len(), 1);
    }

    #[test]
    fn spellings_are_folded_and_names_may_hold_dots() {
        let parsed = GlueTableArn::parse(" ARN:aws:Glue:eu-west-1:111122223333:table/Sales/Orders.V2 ").unwrap();
        assert_eq!(parsed.to_string(), "arn:aws:glue:eu-west-1:111122223333:table/sales/orders.v2");
    }

    #[test]
    fn what_is_no_arn_of_a_glue_table_is_none() {
        for text in [
            "",
            "sales/orders",
            "arn:aws:glue:eu-west-1:111122223333:database/sales",
            "arn:aws:glue:eu-west-1:111122223333:table/orders",
            "arn:aws:glue:eu-west-1:111122223333:table//orders",
            "arn:aws:glue::111122223333:table/a/b",
            "arn:aws:redshift:eu-west-1:111122223333:table/wg/db/schema/t",
        ] {
            assert_eq!(GlueTableArn::parse(text), None, "{text}");
        }
    }
}
