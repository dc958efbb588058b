//! The shell of one crawl, shared by everything that crawls: what people ask for, sign-in, the connector, the report.
