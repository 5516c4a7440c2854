//! The rows of a Parquet file as JSON objects, one a line, a batch at a time.

use crate::ffi::{guard, Bytes, Result, Text};
use crate::parquet_schema;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use parquet::schema::types::Type;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;

/// A batch ends after this many bytes.
const BATCH: usize = 1 << 18;
/// Rows that the crate decodes at once.
const DECODED: usize = 256;

pub struct Rows {
    rows: RowIter<'static>,
    row: u64,
}

impl Rows {
    fn open(path: &[u8], columns: &[String]) -> Result<Self> {
        let mut file = File::open(OsStr::from_bytes(path)).map_err(|e| e.to_string())?;
        parquet_schema::check(&mut file)?;
        let reader = SerializedFileReader::new(file).map_err(|e| e.to_string())?;
        let schema = reader.metadata().file_metadata().schema();
        let projection = match columns {
            [] => None,
            columns => Some(project(schema, columns)?),
        };
        let rows = RowIter::from_file_into(Box::new(reader))
            .project(projection)
            .map_err(|e| e.to_string())?
            .with_batch_size(DECODED);
        Ok(Self { rows, row: 0 })
    }

    /// The next rows, each with a line end; empty at the end of the file.
    fn next(&mut self) -> Result<String> {
        let mut batch = String::new();
        while batch.len() < BATCH {
            let Some(row) = self.rows.next() else { break };
            let row = row
                .map_err(|e| e.to_string())
                .and_then(|row| object(&row, ""))
                .map_err(|e| format!("row {}: {e}", self.row))?;
            batch.push_str(&row.to_string());
            batch.push('\n');
            self.row += 1;
        }
        Ok(batch)
    }
}

fn project(schema: &Type, columns: &[String]) -> Result<Type> {
    let mut fields = Vec::new();
    for column in columns {
        let field = schema.get_fields().iter().find(|f| f.name() == column);
        let Some(field) = field else {
            let names: Vec<&str> = schema.get_fields().iter().map(|f| f.name()).collect();
            return Err(format!(
                "expected a column {column:?}, found the columns {}",
                names.join(", ")
            ));
        };
        fields.push(field.clone());
    }
    Type::group_type_builder(schema.name())
        .with_fields(fields)
        .build()
        .map_err(|e| e.to_string())
}

fn object(row: &Row, at: &str) -> Result<Value> {
    let fields = row.get_column_iter().map(|(name, field)| {
        let at = format!("{at}{name}");
        Ok((name.clone(), json(field, &at)?))
    });
    Ok(Value::Object(fields.collect::<Result<_>>()?))
}

fn json(field: &Field, at: &str) -> Result<Value> {
    Ok(match field {
        Field::Null => Value::Null,
        Field::Bool(x) => (*x).into(),
        Field::Byte(x) => (*x).into(),
        Field::Short(x) => (*x).into(),
        Field::Int(x) => (*x).into(),
        Field::Long(x) => (*x).into(),
        Field::UByte(x) => (*x).into(),
        Field::UShort(x) => (*x).into(),
        Field::UInt(x) => (*x).into(),
        Field::ULong(x) => (*x).into(),
        // NaN and infinities, which JSON does not have, become null.
        Field::Float16(x) => f64::from(*x).into(),
        Field::Float(x) => f64::from(*x).into(),
        Field::Double(x) => (*x).into(),
        Field::Str(text) => text.as_str().into(),
        // Some writers do not mark text as text.
        Field::Bytes(bytes) => match std::str::from_utf8(bytes.data()) {
            Ok(text) => text.into(),
            Err(_) => {
                return Err(format!(
                    "column {at:?}: expected text, found bytes that are not UTF-8; name the \
                     columns to read"
                ))
            }
        },
        Field::Group(row) => object(row, &format!("{at}."))?,
        Field::ListInternal(list) => list
            .elements()
            .iter()
            .map(|field| json(field, at))
            .collect::<Result<Vec<_>>>()?
            .into(),
        Field::MapInternal(map) => {
            let entries = map.entries().iter().map(|(key, value)| {
                let key = match json(key, at)? {
                    Value::String(key) => key,
                    key => key.to_string(),
                };
                Ok((key, json(value, at)?))
            });
            Value::Object(entries.collect::<Result<_>>()?)
        }
        // Decimals, dates and times, as a person writes them.
        other => other.to_string().into(),
    })
}

/// # Safety
/// See lathe_bridge.h; so for all functions below.
#[no_mangle]
pub unsafe extern "C" fn lathe_parquet_open(
    path: Text,
    columns: Text,
    out: *mut *mut Rows,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        let columns: Vec<String> =
            serde_json::from_slice(columns.bytes()).map_err(|e| e.to_string())?;
        *out = Box::into_raw(Box::new(Rows::open(path.bytes(), &columns)?));
        Ok(())
    })
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn lathe_parquet_next(
    rows: *mut Rows,
    out: *mut Bytes,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        *out = Bytes::from_string((*rows).next()?);
        Ok(())
    })
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn lathe_parquet_free(rows: *mut Rows) {
    if !rows.is_null() {
        drop(Box::from_raw(rows));
    }
}
