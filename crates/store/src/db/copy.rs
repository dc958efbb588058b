//! `COPY … FROM STDIN (FORMAT binary)`: rows in PostgreSQL's binary form.
//!
//! Format: <https://www.postgresql.org/docs/15/sql-copy.html>, "Binary Format".

use sqlx::PgConnection;

use super::value::{Text, Value};
use crate::dialect;

/// Bytes that are collected before they are sent.
const CHUNK_BYTES: usize = 1 << 20;

/// Copies rows in; how many.
pub(super) async fn copy<T>(
    connection: &mut PgConnection,
    text: &str,
    rows: &[T],
    values: impl Fn(&T) -> Vec<Value>,
) -> Result<u64, sqlx::Error> {
    let mut out = connection.copy_in_raw(text).await?;
    let mut buffer = Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 4);
    buffer.extend_from_slice(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
    for row in rows {
        write_row(&values(row), &mut buffer);
        if buffer.len() >= CHUNK_BYTES {
            out.send(buffer.as_slice()).await?;
            buffer.clear();
        }
    }
    buffer.extend_from_slice(&(-1_i16).to_be_bytes());
    out.send(buffer.as_slice()).await?;
    out.finish().await
}

fn write_row(values: &[Value], out: &mut Vec<u8>) {
    out.extend_from_slice(&i16::try_from(values.len()).unwrap_or(i16::MAX).to_be_bytes());
    for value in values {
        match value {
            Value::Number(Some(number)) => write_field(&number.to_be_bytes(), out),
            Value::Text(Some(text)) => write_text(text, out),
            Value::Bytes(Some(bytes)) => write_field(bytes, out),
            Value::Number(None) | Value::Text(None) | Value::Bytes(None) | Value::List(_) => {
                out.extend_from_slice(&(-1_i32).to_be_bytes());
            }
        }
    }
}

fn write_text(text: &Text, out: &mut Vec<u8>) {
    write_field(dialect::postgres_string(text.as_str()).as_bytes(), out);
}

fn write_field(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&length(bytes.len()));
    out.extend_from_slice(bytes);
}

fn length(length: usize) -> [u8; 4] {
    i32::try_from(length).unwrap_or(i32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_as_the_manual_says() {
        let mut out = Vec::new();
        write_row(&[Value::from(7_i64), Value::from(None::<String>), Value::from("x\0y"), Value::from(vec![1, 2])], &mut out);
        let mut wanted = vec![0, 4, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7, 255, 255, 255, 255, 0, 0, 0, 5];
        wanted.extend_from_slice("x\u{FFFD}y".as_bytes());
        wanted.extend_from_slice(&[0, 0, 0, 2, 1, 2]);
        assert_eq!(out, wanted);
    }
}
