//! From a crawl's batches to bytes of the protocol, cut to the size that the control plane takes.

use connector::port::SinkError;
use model::AssetBatch;
use wire::EncodedBatch;
use wire::batch::{BATCH_BYTES_MAX, BATCH_LINES_MAX, BATCH_TEXT_BYTES_MAX, encode, split};

/// Writes a batch as one or several of at most the size that is taken, in order.
///
/// # Errors
/// When a single asset is larger than that.
pub(crate) fn cut(batch: AssetBatch) -> Result<Vec<EncodedBatch>, SinkError> {
    let mut done = Vec::new();
    let mut to_do = vec![batch];
    while let Some(batch) = to_do.pop() {
        let encoded = if batch.items.len() < BATCH_LINES_MAX { Some(encode(&batch).map_err(failed)?) } else { None };
        match encoded.filter(fits) {
            Some(encoded) => done.push(encoded),
            None => {
                let scope = batch.scope.clone();
                let (first, second) = split(batch).ok_or_else(|| SinkError {
                    message: format!("an asset of {scope} is larger than can be sent: leave it out with an exclude filter"),
                    source: None,
                })?;
                to_do.extend([second, first]);
            }
        }
    }
    Ok(done)
}

fn fits(batch: &EncodedBatch) -> bool {
    batch.text.len() <= BATCH_TEXT_BYTES_MAX && batch.bytes.len() <= BATCH_BYTES_MAX
}

fn failed(error: std::io::Error) -> SinkError {
    SinkError { message: format!("a batch cannot be written: {error}"), source: Some(Box::new(error)) }
}

/// As [`cut`], on a thread for such work.
pub(crate) async fn cut_aside(batch: AssetBatch) -> Result<Vec<EncodedBatch>, SinkError> {
    let cut = tokio::task::spawn_blocking(move || cut(batch)).await;
    cut.unwrap_or_else(|error| Err(failed(std::io::Error::other(error))))
}

#[cfg(test)]
mod tests {
    use model::{Asset, Kind, QualifiedName, Scope};

    use super::*;

    fn batch(count: usize) -> AssetBatch {
        let asset = |number: usize| Asset {
            kind: Kind::Table,
            qualified_name: QualifiedName::from_encoded(format!("default/glue/7/a/b/{number}")),
            name: number.to_string(),
            attributes: model::Attributes::default(),
            columns: model::Columns::default(),
        };
        AssetBatch { scope: Scope::new("a"), items: (0..count).map(|number| asset(number).into()).collect(), unchanged: Vec::new() }
    }

    #[test]
    fn a_batch_of_too_many_lines_is_cut_and_keeps_its_order() {
        let count = BATCH_LINES_MAX * 2 + 1;
        let cut = cut(batch(count)).unwrap();
        assert!(cut.len() > 2);
        let decoded = cut.iter().map(|batch| wire::batch::decode(&batch.text).unwrap());
        let names: Vec<String> = decoded.flat_map(|batch| batch.items.into_iter().map(|item| item.asset.name)).collect();
        assert_eq!(names, (0..count).map(|number| number.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn an_empty_batch_is_one() {
        assert_eq!(cut(batch(0)).unwrap().len(), 1);
    }
}
