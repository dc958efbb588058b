//! The subcommands, one file each: arguments in, text out, exit status back.

pub(crate) mod backup;
pub(crate) mod crawl;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod egress;
pub(crate) mod evidence;
pub(crate) mod export;
pub(crate) mod history;
pub(crate) mod keys;
pub(crate) mod lineage;
pub(crate) mod policy;
pub(crate) mod preflight;
pub(crate) mod runs;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod show;
