//! The command line as its users see it.

mod access;
mod export;
mod operate;
mod serve;

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;

pub(crate) use access::{EgressArguments, EgressMode, EgressSource, PolicyArguments, SecretsPolicyArguments, SmusPolicyArguments};
pub(crate) use export::{ExportArguments, ExportFormat};
pub(crate) use operate::{BackupArguments, CreateKeyArguments, KeysArguments, KeysCommand, KeysStatusArguments};
pub(crate) use serve::ServeArguments;

const LONG_ABOUT: &str = "\
Crawls the metadata of the AWS Glue Data Catalog and of SageMaker Unified Studio (Amazon DataZone) into a catalog that you can search,
browse and follow lineage in.

It only reads, it takes only structure (never business data, never a secret), and its traffic goes only where you said:
`isinglass policy glue` prints the IAM policy it needs, `isinglass egress` the hosts it calls, and `isinglass evidence`
what a run really did.";

const AFTER_HELP: &str = "\
Examples:
  isinglass demo                                           see it work, without an AWS account
  isinglass preflight glue --region eu-west-1              check what the credentials may read
  isinglass crawl glue --region eu-west-1                  crawl into the catalog of your user account
  isinglass crawl smus --region eu-west-1                  crawl SageMaker Unified Studio into the same catalog
  isinglass crawl glue --region eu-west-1 --output - | jq  crawl to NDJSON, store nothing
  isinglass search customer                                find tables and columns
  isinglass show sales/orders                              one asset, with its columns
  isinglass lineage sales/orders                           what it is made from and what is made from it

Exit status: 0 complete, 3 partial, 1 failed, 2 wrong usage.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "isinglass", version, about = "A window onto AWS metadata", long_about = LONG_ABOUT, after_help = AFTER_HELP, max_term_width = 110)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve a simulated AWS account, crawled: no AWS account, no network.
    Demo(DemoArguments),
    /// Run the control plane: HTTP API, sign-in, schedules, direct crawls.
    Serve(Box<ServeArguments>),
    /// Make, rotate and retire the master keys that seal stored credentials.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Copy a SQLite catalog while it is in use.
    Backup(BackupArguments),
    /// Crawl once, into a catalog and/or an NDJSON file.
    #[command(subcommand)]
    Crawl(CrawlCommand),
    /// Check what a crawl could read, without crawling: a line a check, exit status 0 or 1.
    #[command(subcommand)]
    Preflight(PreflightCommand),
    /// Search names, descriptions and columns.
    Search(SearchArguments),
    /// Show one asset: properties, columns, where it is used.
    Show(NameArguments),
    /// Follow lineage up and down.
    Lineage(LineageArguments),
    /// Show how an asset changed from run to run.
    History(NameArguments),
    /// Show what changed between two runs.
    Diff(DiffArguments),
    /// List the runs of a catalog.
    Runs(RunsArguments),
    /// Show what a run called, where it connected, and what it masked.
    Evidence(EvidenceArguments),
    /// Print the IAM policy that a crawl needs: least privilege, ready to paste.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Print the hosts and ports that are called, for firewall rules.
    Egress(EgressArguments),
    /// Write the catalog in a standard format.
    Export(ExportArguments),
}

#[derive(Debug, Subcommand)]
pub(crate) enum CrawlCommand {
    /// The AWS Glue Data Catalog.
    Glue(Box<CrawlGlueArguments>),
    /// SageMaker Unified Studio (Amazon DataZone).
    Smus(Box<CrawlSmusArguments>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum PreflightCommand {
    /// The AWS Glue Data Catalog.
    Glue(Box<PreflightGlueArguments>),
    /// SageMaker Unified Studio (Amazon DataZone).
    Smus(Box<PreflightSmusArguments>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// The AWS Glue Data Catalog.
    Glue(PolicyArguments),
    /// Amazon SageMaker Unified Studio.
    Smus(SmusPolicyArguments),
    /// AWS Secrets Manager, for the identity of a runtime that fetches credentials from it.
    Secrets(SecretsPolicyArguments),
}

#[derive(Debug, Args)]
pub(crate) struct CrawlGlueArguments {
    #[command(flatten)]
    pub(crate) connect: ConnectArguments,
    #[command(flatten)]
    pub(crate) glue: GlueArguments,
    #[command(flatten)]
    pub(crate) to: DestinationArguments,
}

#[derive(Debug, Args)]
pub(crate) struct CrawlSmusArguments {
    #[command(flatten)]
    pub(crate) connect: ConnectArguments,
    #[command(flatten)]
    pub(crate) smus: SmusArguments,
    #[command(flatten)]
    pub(crate) to: DestinationArguments,
}

#[derive(Debug, Args)]
pub(crate) struct PreflightSmusArguments {
    #[command(flatten)]
    pub(crate) connect: ConnectArguments,
    #[command(flatten)]
    pub(crate) smus: SmusArguments,
}

#[derive(Debug, Args)]
pub(crate) struct PreflightGlueArguments {
    #[command(flatten)]
    pub(crate) connect: ConnectArguments,
    #[command(flatten)]
    pub(crate) glue: GlueArguments,
}

/// How to reach AWS and as whom.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reaching AWS")]
pub(crate) struct ConnectArguments {
    /// AWS region, e.g. eu-west-1; else AWS_REGION, AWS_DEFAULT_REGION or the profile's region
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Profile of your AWS configuration; else the standard AWS credential chain
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Role to assume, with a session that may only read
    #[arg(long, value_name = "ARN")]
    pub(crate) role_arn: Option<String>,
    /// External id that the role's trust policy asks for
    #[arg(long, value_name = "ID", requires = "role_arn")]
    pub(crate) external_id: Option<String>,
    /// Name of the session in CloudTrail
    #[arg(long, value_name = "NAME", requires = "role_arn")]
    pub(crate) session_name: Option<String>,
    /// Which addresses may be connected to; `private` refuses every public one before a packet leaves
    #[arg(long, value_enum, default_value_t = Network::Public, value_name = "MODE")]
    pub(crate) network: Network,
    /// Address range that counts as private besides RFC 1918 and ULA (repeatable)
    #[arg(long, value_name = "CIDR", value_parser = parse_cidr)]
    pub(crate) private_cidr: Vec<IpNet>,
    /// PEM file of certificates to trust besides the system's; else AWS_CA_BUNDLE
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_bundle: Option<PathBuf>,
    /// Most requests in flight at once
    #[arg(long, value_name = "N", default_value = "16")]
    pub(crate) concurrency: NonZeroUsize,
    /// Most requests a second, all together; the rate adapts to throttling in any case
    #[arg(long, value_name = "N")]
    pub(crate) max_rps: Option<NonZeroU32>,
}

/// Which addresses may be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Network {
    /// Any address.
    Public,
    /// Private addresses only.
    Private,
}

/// What to read.
#[derive(Debug, Args)]
#[command(next_help_heading = "What to read")]
pub(crate) struct GlueArguments {
    /// Catalog: AwsDataCatalog, or an id such as 111122223333:s3tablescatalog/bucket (repeatable; default: all)
    #[arg(long, value_name = "ID")]
    pub(crate) catalog_id: Vec<String>,
    /// Read only what matches: catalog/database or catalog/database/table, with * and ? (repeatable)
    #[arg(long, value_name = "PATTERN")]
    pub(crate) include: Vec<String>,
    /// Leave out what matches; wins over --include (repeatable)
    #[arg(long, value_name = "PATTERN")]
    pub(crate) exclude: Vec<String>,
    /// Leave out tables whose name has a match of this regular expression
    #[arg(long, value_name = "REGEX")]
    pub(crate) exclude_table: Option<String>,
    /// Kinds to leave out: jobs, workflows, triggers, crawlers, connections, lineage, tables
    #[arg(long, value_name = "KIND,KIND", value_delimiter = ',')]
    pub(crate) skip: Vec<String>,
    /// Keep what is left out by default: view-sql, person-names (repeatable)
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) keep: Vec<String>,
}

/// What to read of SageMaker Unified Studio.
#[derive(Debug, Args)]
#[command(next_help_heading = "What to read")]
pub(crate) struct SmusArguments {
    /// Domain by its id, e.g. dzd_4kq8zr2m1x7n9a (repeatable; default: all that the role can see)
    #[arg(long, value_name = "ID", value_parser = access::parse_domain)]
    pub(crate) domain: Vec<String>,
    /// Read only projects whose name or id matches, with * and ? (repeatable)
    #[arg(long, value_name = "NAME")]
    pub(crate) include_project: Vec<String>,
    /// Leave out projects whose name or id matches; wins over --include-project (repeatable)
    #[arg(long, value_name = "NAME")]
    pub(crate) exclude_project: Vec<String>,
    /// Kinds to leave out: domain-units, environments, assets, subscriptions, data-products, glossaries, metadata-forms, lineage
    #[arg(long, value_name = "KIND,KIND", value_delimiter = ',')]
    pub(crate) skip: Vec<String>,
    /// Keep what is left out by default: unpublished-assets, form-values=<form type>, request-reasons, person-names (repeatable)
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) keep: Vec<String>,
}

/// Where the results go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where the results go")]
pub(crate) struct DestinationArguments {
    /// Catalog: sqlite:PATH; default: one in your user's data directory, unless --output is given
    #[arg(long, value_name = "URL", env = "ISINGLASS_CATALOG")]
    pub(crate) catalog: Option<String>,
    /// NDJSON file, - for standard output; without --catalog nothing else is written
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Name of the connection: crawls of the same name update the same assets; default: glue or smus
    #[arg(long, value_name = "NAME")]
    pub(crate) connection: Option<String>,
    /// Number in the qualified names; default: the time the connection was first seen
    #[arg(long, value_name = "N")]
    pub(crate) connection_id: Option<u64>,
    /// Write the run's report to this file as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Archive what is gone even if it is a large part of the catalog
    #[arg(long)]
    pub(crate) confirm_removals: bool,
}

/// Which catalog to ask.
#[derive(Debug, Default, Args)]
pub(crate) struct CatalogArguments {
    /// Catalog: sqlite:PATH or postgres://USER@HOST/DATABASE; else ISINGLASS_CATALOG; default: the one in your user's data directory
    #[arg(long, value_name = "URL", conflicts_with = "server")]
    pub(crate) catalog: Option<String>,
    /// Control plane to ask instead, https:// (or http:// on this machine); else ISINGLASS_SERVER
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// File that holds the token for the control plane; else ISINGLASS_TOKEN
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// PEM file of certificates to trust besides the system's; else AWS_CA_BUNDLE
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_bundle: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SearchArguments {
    /// Words: of names, columns, descriptions
    #[arg(required = true, value_name = "QUERY")]
    pub(crate) query: Vec<String>,
    /// Only assets of this type, e.g. Table, View, GlueJob (repeatable)
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) types: Vec<String>,
    /// Most hits
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) from: CatalogArguments,
}

#[derive(Debug, Args)]
pub(crate) struct NameArguments {
    /// Qualified name, or the end of one: sales/orders, orders
    #[arg(value_name = "QUALIFIED_NAME")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) from: CatalogArguments,
}

#[derive(Debug, Args)]
pub(crate) struct LineageArguments {
    /// Qualified name, or the end of one: sales/orders, orders
    #[arg(value_name = "QUALIFIED_NAME")]
    pub(crate) name: String,
    /// Which way to follow
    #[arg(long, value_enum, default_value_t = Direction::Both)]
    pub(crate) direction: Direction,
    /// How many steps
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20))]
    pub(crate) depth: u32,
    #[command(flatten)]
    pub(crate) from: CatalogArguments,
}

/// Which way lineage is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Direction {
    /// What it is made from.
    Upstream,
    /// What is made from it.
    Downstream,
    /// Both ways.
    Both,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// Earlier run: a number, or `latest`
    #[arg(value_name = "RUN")]
    pub(crate) from_run: String,
    /// Later run: a number, or `latest`
    #[arg(value_name = "RUN")]
    pub(crate) to_run: String,
    #[command(flatten)]
    pub(crate) from: CatalogArguments,
}

#[derive(Debug, Args)]
pub(crate) struct RunsArguments {
    /// Most runs, the latest first
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) from: CatalogArguments,
}

#[derive(Debug, Args)]
pub(crate) struct EvidenceArguments {
    /// A run's number, or `latest`
    #[arg(default_value = "latest", value_name = "RUN")]
    pub(crate) run: String,
    #[command(flatten)]
    pub(crate) from: CatalogArguments,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// Port on 127.0.0.1; 0 takes any that is free
    #[arg(long, value_name = "N", default_value_t = 7070)]
    pub(crate) port: u16,
    /// Directory to keep catalog and sign-in in, for the next demo; default: a temporary one, removed at the end
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Crawl both sources, print their reports, and exit
    #[arg(long)]
    pub(crate) once: bool,
}

fn parse_cidr(text: &str) -> Result<IpNet, String> {
    text.parse().map_err(|_| format!("\"{text}\" is no address range; write it like 10.20.0.0/16 or fd00::/8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn address_ranges_are_checked() {
        assert!(parse_cidr("10.0.0.0/8").is_ok() && parse_cidr("fd00::/8").is_ok());
        for text in ["10.0.0.0", "10.0.0.0/33", "x/8", "10.0.0.0/-1"] {
            assert!(parse_cidr(text).is_err(), "{text}");
        }
    }
}
