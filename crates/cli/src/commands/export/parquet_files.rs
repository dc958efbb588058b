//! Two Parquet files: `assets.parquet`, a row an asset, and `columns.parquet`, a row a column. Athena, Spark, Trino and DuckDB
//! read them as they are.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::document::{AssetStatus, write_attributes};
use model::lineage::{location_object, location_process};
use model::{Asset, Attribute, Column, Guid};
use parquet::basic::{Compression, ConvertedType, Type as PhysicalType, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int32Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;
use store::StoredAsset;

use crate::crawl::ndjson::OutputError;
use crate::failure::Failure;

/// Rows that are collected before they are written as one row group.
const ROW_GROUP_ROWS: usize = 20_000;

/// One column of a file while its row group is collected.
enum Cells {
    Text(Vec<Option<ByteArray>>),
    Integer(Vec<Option<i32>>),
    Boolean(Vec<Option<bool>>),
}

/// The columns of `assets.parquet`.
const ASSET_COLUMNS: &[(&str, PhysicalType)] = &[
    ("guid", PhysicalType::BYTE_ARRAY),
    ("type_name", PhysicalType::BYTE_ARRAY),
    ("qualified_name", PhysicalType::BYTE_ARRAY),
    ("name", PhysicalType::BYTE_ARRAY),
    ("status", PhysicalType::BYTE_ARRAY),
    ("description", PhysicalType::BYTE_ARRAY),
    ("attributes", PhysicalType::BYTE_ARRAY),
];

/// The columns of `columns.parquet`.
const COLUMN_COLUMNS: &[(&str, PhysicalType)] = &[
    ("guid", PhysicalType::BYTE_ARRAY),
    ("qualified_name", PhysicalType::BYTE_ARRAY),
    ("table_qualified_name", PhysicalType::BYTE_ARRAY),
    ("name", PhysicalType::BYTE_ARRAY),
    ("data_type", PhysicalType::BYTE_ARRAY),
    ("raw_data_type_definition", PhysicalType::BYTE_ARRAY),
    ("description", PhysicalType::BYTE_ARRAY),
    ("position", PhysicalType::INT32),
    ("depth_level", PhysicalType::INT32),
    ("is_partition", PhysicalType::BOOLEAN),
];

/// Both files in the making.
pub(super) struct ParquetFiles {
    assets: ParquetFile,
    columns: ParquetFile,
}

impl ParquetFiles {
    /// Creates the folder if need be, and both files in it.
    pub(super) fn create(folder: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(folder).map_err(|source| OutputError::new(folder, source))?;
        Ok(Self {
            assets: ParquetFile::create(folder.join("assets.parquet"), "asset", ASSET_COLUMNS)?,
            columns: ParquetFile::create(folder.join("columns.parquet"), "column", COLUMN_COLUMNS)?,
        })
    }

    /// Writes one stored asset, its columns, and the S3 object and process that follow from it.
    pub(super) fn write(&mut self, stored: &StoredAsset) -> Result<(), Failure> {
        self.write_asset(&stored.asset, stored.status)?;
        for column in stored.asset.columns.iter() {
            self.write_column(&stored.asset, &column)?;
        }
        if let Some(location) = stored.asset.data_location() {
            if stored.stands_for_location {
                self.write_asset(&location_object(&location), stored.status)?;
            }
            self.write_asset(&location_process(&stored.asset, &location), stored.status)?;
        }
        Ok(())
    }

    fn write_asset(&mut self, asset: &Asset, status: AssetStatus) -> Result<(), Failure> {
        let mut attributes = Vec::new();
        write_attributes(&asset.attributes, &mut attributes);
        let cells = [
            text(Guid::of(asset.kind, asset.qualified_name.as_str()).to_string()),
            text(asset.kind.type_name()),
            text(asset.qualified_name.as_str()),
            text(asset.name.as_str()),
            text(status.as_str()),
            asset.attributes.text(Attribute::Description).and_then(text),
            Some(ByteArray::from(attributes)),
        ];
        for (column, cell) in self.assets.cells.iter_mut().zip(cells) {
            column.push_text(cell);
        }
        self.assets.row_done()
    }

    fn write_column(&mut self, table: &Asset, column: &Column<'_>) -> Result<(), Failure> {
        let name = format!("{}/{}", table.qualified_name, column.path);
        let texts = [
            text(Guid::of(table.kind.column_kind(), &name).to_string()),
            text(name),
            text(table.qualified_name.as_str()),
            text(column.name),
            text(column.data_type),
            text(column.raw_type),
            column.description.and_then(text),
        ];
        let (text_columns, others) = self.columns.cells.split_at_mut(texts.len());
        for (column, cell) in text_columns.iter_mut().zip(texts) {
            column.push_text(cell);
        }
        let numbers = [i32::try_from(column.order).ok(), Some(i32::from(column.depth))];
        for (cells, number) in others.iter_mut().zip(numbers) {
            if let Cells::Integer(values) = cells {
                values.push(number);
            }
        }
        if let Some(Cells::Boolean(values)) = others.last_mut() {
            values.push(Some(column.partition_order.is_some()));
        }
        self.columns.row_done()
    }

    /// Ends both files and gives them their names.
    pub(super) fn finish(self) -> Result<(), Failure> {
        self.assets.finish()?;
        self.columns.finish()
    }
}

fn text(text: impl Into<String>) -> Option<ByteArray> {
    Some(ByteArray::from(text.into().into_bytes()))
}

/// One file: written beside its name and given it at the end.
struct ParquetFile {
    path: PathBuf,
    partial: PathBuf,
    writer: Option<SerializedFileWriter<File>>,
    cells: Vec<Cells>,
    rows: usize,
}

impl ParquetFile {
    fn create(path: PathBuf, row: &str, columns: &[(&str, PhysicalType)]) -> Result<Self, Failure> {
        let partial = path.with_extension("parquet.partial");
        let file = File::create(&partial).map_err(|source| OutputError::new(&path, source))?;
        let schema = schema(row, columns).map_err(|error| Failure::from_error(&error))?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
        let writer =
            SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties)).map_err(|error| Failure::from_error(&error))?;
        let cells = columns.iter().map(|(_, physical)| Cells::of(*physical)).collect();
        Ok(Self { path, partial, writer: Some(writer), cells, rows: 0 })
    }

    fn row_done(&mut self) -> Result<(), Failure> {
        self.rows += 1;
        if self.rows >= ROW_GROUP_ROWS { self.write_row_group() } else { Ok(()) }
    }

    fn write_row_group(&mut self) -> Result<(), Failure> {
        let Some(writer) = self.writer.as_mut().filter(|_| self.rows > 0) else { return Ok(()) };
        let written = (|| {
            let mut group = writer.next_row_group()?;
            for cells in &mut self.cells {
                cells.write(&mut group)?;
            }
            group.close().map(|_| ())
        })();
        self.rows = 0;
        written.map_err(|error: parquet::errors::ParquetError| {
            let message = format!("cannot write {}", self.path.display());
            let mut failure = Failure::failed(message, "Check the free space and the permissions of the directory.");
            failure.told.causes.push(error.to_string());
            failure
        })
    }

    fn finish(mut self) -> Result<(), Failure> {
        self.write_row_group()?;
        if let Some(writer) = self.writer.take() {
            writer.close().map_err(|error| Failure::from_error(&error))?;
        }
        Ok(fs::rename(&self.partial, &self.path).map_err(|source| OutputError::new(&self.path, source))?)
    }
}

impl Drop for ParquetFile {
    fn drop(&mut self) {
        // After `finish` there is nothing of this name any more.
        let _ = fs::remove_file(&self.partial);
    }
}

impl Cells {
    fn of(physical: PhysicalType) -> Self {
        if physical == PhysicalType::INT32 {
            Self::Integer(Vec::new())
        } else if physical == PhysicalType::BOOLEAN {
            Self::Boolean(Vec::new())
        } else {
            Self::Text(Vec::new())
        }
    }

    fn push_text(&mut self, cell: Option<ByteArray>) {
        if let Self::Text(values) = self {
            values.push(cell);
        }
    }

    fn write(&mut self, group: &mut SerializedRowGroupWriter<'_, File>) -> parquet::errors::Result<()> {
        let Some(mut column) = group.next_column()? else { return Ok(()) };
        match self {
            Self::Text(cells) => {
                let (values, levels) = split(cells);
                column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
            }
            Self::Integer(cells) => {
                let (values, levels) = split(cells);
                column.typed::<Int32Type>().write_batch(&values, Some(&levels), None)?;
            }
            Self::Boolean(cells) => {
                let (values, levels) = split(cells);
                column.typed::<BoolType>().write_batch(&values, Some(&levels), None)?;
            }
        }
        column.close()
    }
}

/// The values that are there, and for each row whether it has one (Parquet's definition levels).
fn split<T>(cells: &mut Vec<Option<T>>) -> (Vec<T>, Vec<i16>) {
    let levels = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    (cells.drain(..).flatten().collect(), levels)
}

fn schema(row: &str, columns: &[(&str, PhysicalType)]) -> parquet::errors::Result<Type> {
    let field = |(name, physical): &(&str, PhysicalType)| {
        let mut builder = Type::primitive_type_builder(name, *physical);
        if *physical == PhysicalType::BYTE_ARRAY {
            builder = builder.with_converted_type(ConvertedType::UTF8);
        }
        builder.with_repetition(parquet::basic::Repetition::OPTIONAL).build().map(Arc::new)
    };
    let fields = columns.iter().map(field).collect::<parquet::errors::Result<Vec<_>>>()?;
    Type::group_type_builder(row).with_fields(fields).build()
}
