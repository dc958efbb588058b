//! Measures the way from the bytes of a page to NDJSON lines, without network and disk: `map_pages PAGE.json REPEATS`.

use std::sync::Mutex;

use bytes::Bytes;
use connector::MaskedCounts;
use connector::glue::{Naming, Ports, Settings, crawl};
use connector::port::{ApiError, AssetSink, NoBaseline, ReadApi, ReadOperation, ReadRequest, SinkError};
use connector::progress::Progress;
use model::document::{AssetStatus, write_lines};
use model::{AssetBatch, ConnectionName};

struct Pages {
    page: Bytes,
    left: Mutex<usize>,
}

impl ReadApi for Pages {
    async fn read(&self, request: ReadRequest) -> Result<Bytes, ApiError> {
        Ok(match request.operation {
            ReadOperation::GetDatabases => Bytes::from_static(br#"{"DatabaseList":[{"Name":"warehouse"}]}"#),
            ReadOperation::GetTables => {
                let mut left = self.left.lock().unwrap();
                *left -= 1;
                let mut body = self.page.to_vec();
                let at = body.windows(12).rposition(|window| window == b"\"NextToken\":").unwrap();
                body.truncate(at);
                body.extend_from_slice(
                    if *left == 0 { b"\"NextToken\":null}".to_vec() } else { format!("\"NextToken\":\"{left}\"}}").into_bytes() }
                        .as_slice(),
                );
                body.into()
            }
            _ => Bytes::from_static(b"{}"),
        })
    }
}

#[derive(Default)]
struct Lines(Mutex<(Vec<u8>, usize)>);

impl AssetSink for Lines {
    async fn deliver(&self, batch: AssetBatch) -> Result<(), SinkError> {
        let mut lines = self.0.lock().unwrap();
        for item in &batch.items {
            lines.0.clear();
            write_lines(&item.asset, AssetStatus::Active, |_| true, &mut lines.0);
            lines.1 += lines.0.len();
        }
        Ok(())
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let page = Bytes::from(std::fs::read(&arguments[1]).unwrap());
    let repeats: usize = arguments[2].parse().unwrap();
    let api = Pages { page, left: Mutex::new(repeats) };
    let (sink, progress, masked) = (Lines::default(), Progress::default(), MaskedCounts::default());
    let ports = Ports { api: &api, sink: &sink, baseline: &NoBaseline, progress: &progress, masked: &masked };
    // One worker: the names of the one page repeat, so the database must not be read in parts.
    let settings = Settings { concurrency: 1, ..Settings::default() };
    let result =
        futures::executor::block_on(crawl(ports, Naming::new(ConnectionName::new("glue", 1), None), &settings, "eu-west-1"))
            .unwrap();
    assert!(result.failures.is_empty(), "{:?}", result.failures);
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    let tables = progress.snapshot().tables;
    println!("{tables} tables, {} bytes out, {} µs a table", sink.0.lock().unwrap().1, ticks * 10_000 / tables);
}
