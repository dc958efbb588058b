//! Batches come back as they were sent, and nothing else is taken.

use model::{Attribute, ColumnDraft, ConnectionName, Value};

use super::*;

fn asset(name: &str) -> Asset {
    let root = ConnectionName::new("glue", 7).qualified_name().child("AwsDataCatalog").child("sales");
    let mut asset = Asset::new(Kind::Table, root.child(name), name);
    asset.attributes.set(Attribute::Description, "line\n\"two\" \u{2028}");
    asset.attributes.set(Attribute::RowCount, 12);
    asset.columns.push(&ColumnDraft {
        name: "id",
        data_type: "bigint",
        raw_type: "bigint",
        description: Some("the\nkey"),
        order: 1,
        partition_order: None,
        parent: None,
        nested_count: 0,
    });
    asset
}

fn batch() -> AssetBatch {
    let mut process = Asset::new(Kind::Process, QualifiedName::from_encoded("default/glue/7/lineage/1"), "p");
    process.attributes.set(Attribute::ProcessKind, Value::Text("view".into()));
    AssetBatch {
        scope: Scope::new("AwsDataCatalog/sales"),
        items: vec![
            Item { asset: asset("orders"), derived: vec![process], source: Some(SourceHash(0xff)) },
            Item::from(Asset::new(Kind::Schema, QualifiedName::from_encoded("default/glue/7/AwsDataCatalog/b"), "b")),
        ],
        unchanged: vec![KnownAsset { id: 17, kind: Kind::Table }, KnownAsset { id: -1, kind: Kind::View }],
    }
}

fn round(encoded: &EncodedBatch) -> Result<AssetBatch, DecodeError> {
    decode(&decompress(&encoded.bytes, encoded.digest)?)
}

#[test]
fn a_batch_comes_back_as_it_was_sent() {
    let encoded = encode(&batch()).unwrap();
    assert_eq!(round(&encoded).unwrap(), batch());
    assert_eq!(BatchDigest::from_header(&encoded.digest.to_header()), Some(encoded.digest));
    let empty = AssetBatch { scope: Scope::new("a\"b\nc"), items: Vec::new(), unchanged: Vec::new() };
    assert_eq!(round(&encode(&empty).unwrap()).unwrap(), empty);
}

#[test]
fn what_runtimes_of_version_1_send_is_read() {
    expect_test::expect_file!["../../testdata/v1/batch.ndjson"]
        .assert_eq(&String::from_utf8(encode(&batch()).unwrap().text).unwrap());
    let golden = include_bytes!("../../testdata/v1/batch.ndjson");
    assert_eq!(decode(golden).unwrap(), batch());
}

#[test]
fn fields_of_a_newer_version_are_left_out_and_unknown_types_are_named() {
    let text = br#"{"scope":"s","more":1}
{"typeName":"Table","qualifiedName":"default/glue/1/c/d/t","name":"t","attributes":{"rowCount":1,"colour":"red"},"later":{"x":[]}}
"#;
    let read = decode(text).unwrap();
    assert_eq!(read.items[0].asset.attributes.iter().count(), 1);
    let unknown = br#"{"scope":"s"}
{"typeName":"Cloud","qualifiedName":"q","name":"t","attributes":{}}"#;
    assert!(matches!(decode(unknown), Err(DecodeError::Kind { line: 2, type_name }) if type_name == "Cloud"));
}

#[test]
fn what_is_cut_off_changed_or_no_batch_is_refused() {
    let encoded = encode(&batch()).unwrap();
    assert!(matches!(decompress(&encoded.bytes, BatchDigest([0; 32])), Err(DecodeError::Digest)));
    let cut = &encoded.bytes[..encoded.bytes.len() - 5];
    assert!(matches!(decompress(cut, encoded.digest), Err(DecodeError::Compression(_))));
    assert!(matches!(decompress(b"no zstd", encoded.digest), Err(DecodeError::Compression(_))));
    assert!(matches!(decode(b""), Err(DecodeError::NoScope)));
    assert!(matches!(decode(b"{\"unchanged\":[]}\n"), Err(DecodeError::NoScope)));
    assert!(matches!(decode(b"{\"scope\":\"s\"}\n[1]\n"), Err(DecodeError::Line { line: 2, .. })));
    for header in ["", "sha-256=::", "sha-256=:AAAA:", "sha-512=:AAAA:", "sha-256=:%:"] {
        assert_eq!(BatchDigest::from_header(header), None, "{header}");
    }
}

#[test]
fn a_bomb_is_refused_before_it_goes_off() {
    let zeros = vec![b' '; BATCH_TEXT_BYTES_MAX + 1];
    let bomb = zstd::bulk::compress(&zeros, 19).unwrap();
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    assert!(matches!(decompress(&bomb, BatchDigest::of(&zeros)), Err(DecodeError::TooLarge { what: "the bytes", .. })));
    let wide = vec![0; BATCH_BYTES_MAX + 1];
    assert!(matches!(decompress(&wide, BatchDigest::of(&wide)), Err(DecodeError::TooLarge { what: "the compressed bytes", .. })));
    let mut lines = b"{\"scope\":\"s\"}\n".to_vec();
    lines.extend(b"{\"unchanged\":[]}\n".repeat(BATCH_LINES_MAX + 1));
    assert!(matches!(decode(&lines), Err(DecodeError::TooLarge { what: "the lines", .. })));
}

#[test]
fn both_halves_of_a_batch_are_the_whole() {
    let (first, second) = split(batch()).unwrap();
    assert_eq!((first.items.len(), second.items.len()), (1, 1));
    assert_eq!([first.items, second.items].concat(), batch().items);
    assert_eq!((first.unchanged, second.unchanged), (batch().unchanged, Vec::new()));
    assert!(split(AssetBatch { items: vec![Item::from(asset("x"))], ..batch() }).is_none());
}

/// Bytes turned over at random places: an error or a batch, never a panic, and nothing that ends the program.
#[test]
fn no_bytes_are_too_odd_to_be_refused() {
    let encoded = encode(&batch()).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..20_000 {
        let mut text = encoded.text.clone();
        for _ in 0..random.usize(1..6) {
            if text.is_empty() {
                break;
            }
            let at = random.usize(0..text.len());
            match random.u8(0..3) {
                0 => text[at] = random.u8(..),
                1 => drop(text.remove(at)),
                _ => text.truncate(at.max(1)),
            }
        }
        let _either = decode(&text);
        let mut bytes = encoded.bytes.clone();
        let at = random.usize(0..bytes.len());
        bytes[at] ^= random.u8(1..);
        let _either = decompress(&bytes, encoded.digest);
    }
}
