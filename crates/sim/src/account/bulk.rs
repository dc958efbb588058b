//! Tables that exist only as a number until a page shows them, so that ten million of them cost nothing to have.
//!
//! A table's text is a template with its name and a few numbers spliced in; the same number always gives the same bytes.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};

use super::template::{Template, push_decimal, scatter};

/// Sorted, and no word with `_` behind it begins another: names then ascend with the table's number.
const WORDS: [&str; 40] = [
    "account_balances",
    "ad_impressions",
    "audit_trail",
    "basket_items",
    "billing_lines",
    "campaign_results",
    "carrier_events",
    "click_paths",
    "consent_records",
    "customer_orders",
    "delivery_slots",
    "device_readings",
    "discount_codes",
    "email_opens",
    "exchange_rates",
    "feature_flags",
    "fraud_scores",
    "gift_cards",
    "inventory_levels",
    "invoice_lines",
    "job_metrics",
    "kiosk_sessions",
    "ledger_entries",
    "loyalty_points",
    "marketplace_offers",
    "newsletter_signups",
    "order_items",
    "page_views",
    "payment_attempts",
    "product_prices",
    "query_logs",
    "return_requests",
    "search_terms",
    "shipment_legs",
    "stock_moves",
    "supplier_quotes",
    "ticket_threads",
    "user_profiles",
    "visit_stats",
    "web_clicks",
];

const SEQUENCE_DIGITS_MIN: usize = 6;
pub(super) const TEMPLATES: u64 = 8;
/// 2023-01-01, the first creation time.
const CREATED_FROM_SECONDS: u64 = 1_672_531_200;

const COLUMNS: [(&str, &str); 24] = [
    ("id", "bigint"),
    ("customer_id", "bigint"),
    ("status", "string"),
    ("created_at", "timestamp"),
    ("updated_at", "timestamp"),
    ("amount", "decimal(18,2)"),
    ("currency", "char(3)"),
    ("quantity", "int"),
    ("is_active", "boolean"),
    ("address", "struct<street:string,city:string,postcode:string,country:struct<code:string,name:string>>"),
    ("items", "array<struct<sku:string,quantity:int,price:decimal(18,2),tags:array<string>>>"),
    ("attributes", "map<string,string>"),
    ("source_system", "string"),
    ("session_id", "string"),
    ("channel", "varchar(32)"),
    ("score", "double"),
    ("ratings", "map<string,struct<value:double,votes:int>>"),
    ("comment_text", "string"),
    ("event_date", "date"),
    ("payload", "binary"),
    ("region_code", "string"),
    ("discount", "decimal(9,4)"),
    ("device", "struct<family:string,version:struct<major:int,minor:int>>"),
    ("checksum", "string"),
];

/// The templates for tables of a given width, shared by all databases.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    documents: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
enum Slot {
    Name,
    CreatedSeconds,
    UpdatedSeconds,
    Version,
    Rows,
    Bytes,
}

const SLOTS: [(&str, Slot); 6] = [
    ("@name@", Slot::Name),
    ("\"@created@\"", Slot::CreatedSeconds),
    ("\"@updated@\"", Slot::UpdatedSeconds),
    ("@version@", Slot::Version),
    ("@rows@", Slot::Rows),
    ("@bytes@", Slot::Bytes),
];

/// `count` generated tables of one database.
#[derive(Clone, Debug)]
pub(crate) struct BulkTables {
    templates: Arc<Vec<Template<Slot>>>,
    count: u64,
    sequence_digits: usize,
}

impl Shape {
    pub(crate) fn new(columns: usize) -> Self {
        Self { documents: (0..TEMPLATES).map(|variant| document(variant, columns).to_string()).collect() }
    }
}

impl BulkTables {
    pub(crate) const TABLE_TYPE: &'static str = "EXTERNAL_TABLE";

    pub(crate) fn new(shape: &Shape, catalog: &str, database: &str, count: u64) -> Self {
        let placed = |text: &String| Template::parse(&text.replace("@catalog@", catalog).replace("@database@", database), &SLOTS);
        let longest_run = count.div_ceil(WORDS.len() as u64);
        Self {
            templates: Arc::new(shape.documents.iter().map(placed).collect()),
            count,
            sequence_digits: longest_run.to_string().len().max(SEQUENCE_DIGITS_MIN),
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn name(&self, index: u64) -> String {
        let mut name = Vec::with_capacity(32);
        self.name_into(index, &mut name);
        String::from_utf8(name).unwrap_or_default()
    }

    pub(crate) fn name_into(&self, index: u64, out: &mut Vec<u8>) {
        let words = WORDS.len() as u64;
        let word = u64::try_from(u128::from(index) * u128::from(words) / u128::from(self.count.max(1))).unwrap_or(0);
        let first_of_word = u64::try_from((u128::from(word) * u128::from(self.count)).div_ceil(u128::from(words))).unwrap_or(0);
        out.extend_from_slice(WORDS[usize::try_from(word).unwrap_or(0).min(WORDS.len() - 1)].as_bytes());
        out.push(b'_');
        push_decimal(out, index - first_of_word, self.sequence_digits);
    }

    pub(crate) fn index_of(&self, name: &str) -> Option<u64> {
        let index = self.first_not_before(name);
        (index < self.count && self.name(index) == name).then_some(index)
    }

    /// The first table that sorts after `name`.
    pub(crate) fn first_after(&self, name: &str) -> u64 {
        let index = self.first_not_before(name);
        index + u64::from(index < self.count && self.name(index) == name)
    }

    fn first_not_before(&self, name: &str) -> u64 {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.name(middle).as_str() < name {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    pub(crate) fn render(&self, index: u64) -> Vec<u8> {
        let mut out = Vec::new();
        self.render_into(index, &mut out);
        out
    }

    pub(crate) fn render_into(&self, index: u64, out: &mut Vec<u8>) {
        let mut name = Vec::with_capacity(32);
        self.name_into(index, &mut name);
        let template = &self.templates[usize::try_from(variant_of(index)).unwrap_or(0)];
        template.render_into(out, |slot, out| match slot {
            Slot::Name => out.extend_from_slice(&name),
            Slot::CreatedSeconds => push_decimal(out, CREATED_FROM_SECONDS + index % 31_536_000, 1),
            Slot::UpdatedSeconds => push_decimal(out, CREATED_FROM_SECONDS + 31_536_000 + scatter(index) % 31_536_000, 1),
            Slot::Version => push_decimal(out, scatter(index) % 90, 1),
            Slot::Rows => push_decimal(out, scatter(index) % 1_000_000_000, 1),
            Slot::Bytes => push_decimal(out, scatter(index) % 1_000_000_000 * 113, 1),
        });
    }
}

fn document(variant: u64, columns: usize) -> Value {
    let columns = columns_of(variant, columns);
    json!({
        "Name": "@name@", "DatabaseName": "@database@", "CatalogId": "@catalog@",
        "Description": format!("Generated table @name@ of kind {variant}, loaded hourly from the operational systems"),
        "Owner": "data-platform", "CreateTime": "@created@", "UpdateTime": "@updated@", "LastAccessTime": "@updated@",
        "Retention": 0, "TableType": BulkTables::TABLE_TYPE,
        "CreatedBy": "arn:aws:sts::111122223333:assumed-role/GlueCrawler/AWS-Crawler", "IsRegisteredWithLakeFormation": false,
        "VersionId": "@version@", "IsMultiDialectView": false,
        "PartitionKeys": [
            {"Name": "dt", "Type": "string", "Comment": "Day of the load"},
            {"Name": "region", "Type": "string", "Comment": "Sales region"}],
        "Parameters": {
            "classification": "parquet", "compressionType": "none", "typeOfData": "file", "EXTERNAL": "TRUE",
            "CrawlerSchemaDeserializerVersion": "1.0", "CrawlerSchemaSerializerVersion": "1.0", "UPDATED_BY_CRAWLER": "bulk-crawler",
            "recordCount": "@rows@", "sizeKey": "@bytes@", "averageRecordSize": "113", "objectCount": "24"},
        "StorageDescriptor": {
            "Columns": columns, "Location": "s3://isinglass-bulk/@database@/@name@/",
            "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            "Compressed": false, "NumberOfBuckets": -1, "BucketColumns": [], "SortColumns": [], "StoredAsSubDirectories": false,
            "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
                "Parameters": {"serialization.format": "1"}},
            "Parameters": {"classification": "parquet", "typeOfData": "file"},
            "SkewedInfo": {"SkewedColumnNames": [], "SkewedColumnValues": [], "SkewedColumnValueLocationMaps": {}}},
    })
}

/// The columns of the tables that are written by a template.
pub(super) fn columns_of(variant: u64, columns: usize) -> Vec<Value> {
    let shift = usize::try_from(variant).unwrap_or(0);
    (0..columns).map(|number| column(number, shift)).collect()
}

/// Which template writes a table.
pub(super) fn variant_of(index: u64) -> u64 {
    scatter(index) % TEMPLATES
}

fn column(number: usize, shift: usize) -> Value {
    let (name, kind) = COLUMNS[(number + shift * 3) % COLUMNS.len()];
    let mut unique = name.to_owned();
    if number >= COLUMNS.len() {
        // Writing to a String cannot fail.
        let _ = write!(unique, "_{}", number / COLUMNS.len());
    }
    json!({"Name": unique, "Type": kind, "Comment": format!("The {} of this record", name.replace('_', " "))})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(count: u64) -> BulkTables {
        BulkTables::new(&Shape::new(20), "111122223333", "warehouse_00000", count)
    }

    #[test]
    fn names_ascend_and_lead_back_to_their_number_at_every_size() {
        for count in [1, 7, 39, 40, 41, 1_003, 40_000] {
            let tables = bulk(count);
            let names: Vec<String> = (0..count).map(|index| tables.name(index)).collect();
            assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{count} names do not ascend");
            assert!(names.iter().zip(0..).all(|(name, index)| tables.index_of(name) == Some(index)));
        }
        assert_eq!(bulk(10).index_of("nothing"), None);
    }

    #[test]
    fn ten_million_tables_are_addressed_without_being_made() {
        let tables = bulk(10_000_000);
        let name = tables.name(9_999_999);
        assert_eq!((name.as_str(), tables.index_of(&name)), ("web_clicks_249999", Some(9_999_999)));
        assert_eq!(tables.first_after("web_clicks_249998"), 9_999_999);
    }

    #[test]
    fn the_same_number_gives_the_same_table_and_another_a_different_one() {
        let tables = bulk(1_000);
        assert_eq!(tables.render(17), bulk(1_000).render(17));
        assert_ne!(tables.render(17), tables.render(18));
    }

    #[test]
    fn a_table_is_json_of_the_expected_size_and_width() {
        let tables = bulk(1_000);
        let sizes: Vec<usize> = (0..100).map(|index| tables.render(index).len()).collect();
        let mean = sizes.iter().sum::<usize>() / sizes.len();
        assert!((3_000..3_600).contains(&mean), "{mean} bytes");
        let table: Value = serde_json::from_slice(&tables.render(3)).expect("JSON");
        assert_eq!(table["StorageDescriptor"]["Columns"].as_array().map(Vec::len), Some(20));
        assert_eq!(table["Parameters"].as_object().map(serde_json::Map::len), Some(11));
        assert!(table["CreateTime"].is_number());
    }

    #[test]
    fn column_names_are_unique_in_wide_tables() {
        let document = document(5, 100);
        let columns = document["StorageDescriptor"]["Columns"].as_array().expect("columns");
        let names: std::collections::BTreeSet<&str> = columns.iter().filter_map(|column| column["Name"].as_str()).collect();
        assert_eq!(names.len(), 100);
    }
}
