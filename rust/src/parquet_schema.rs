//! The schema of a Parquet file, looked at before the crate `parquet` builds it by recursion: a
//! hostile one may nest so deep that the stack ends, or promise more children than memory has.
//!
//! The footer is Thrift's compact protocol; FileMetaData.schema (field 2) lists the elements depth
//! first, SchemaElement.num_children (field 5) says how many belong to each.

use crate::ffi::Result;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

const MAX_DEPTH: usize = 64;
const MAX_FOOTER: u64 = 256 << 20;

pub fn check(file: &mut File) -> Result<()> {
    let io = |e: std::io::Error| e.to_string();
    let size = file.seek(SeekFrom::End(0)).map_err(io)?;
    let mut tail = [0; 8];
    let mut head = [0; 4];
    if size >= 12 {
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        file.read_exact(&mut head).map_err(io)?;
        file.seek(SeekFrom::End(-8)).map_err(io)?;
        file.read_exact(&mut tail).map_err(io)?;
    }
    if &tail[4..] == b"PARE" {
        return Err("the file is encrypted; expected one that is not".into());
    }
    if &head != b"PAR1" || &tail[4..] != b"PAR1" {
        return Err("expected a Parquet file, which begins and ends with \"PAR1\"".into());
    }
    let length = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
    if length > size - 12 || length > MAX_FOOTER {
        return Err(format!(
            "the file is damaged or cut off: its footer of {length} bytes does not fit"
        ));
    }
    file.seek(SeekFrom::End(-8 - length as i64)).map_err(io)?;
    let mut footer = vec![0; length as usize];
    file.read_exact(&mut footer).map_err(io)?;
    file.seek(SeekFrom::Start(0)).map_err(io)?;
    let mut reader = Compact { bytes: &footer };
    let depths = reader
        .children()
        .ok_or("the file is damaged: its footer cannot be read")?;
    nesting(&depths)
}

/// Walks the tree that a depth-first list of numbers of children describes.
fn nesting(children: &[u64]) -> Result<()> {
    let mut open: Vec<u64> = Vec::new();
    for (i, count) in children.iter().enumerate() {
        if *count > children.len() as u64 {
            return Err(format!(
                "the schema promises {count} fields it does not have"
            ));
        }
        while open.last() == Some(&0) {
            open.pop();
        }
        if let Some(left) = open.last_mut() {
            *left -= 1;
        } else if i > 0 {
            return Err("the schema has fields that belong nowhere".into());
        }
        open.push(*count);
        if open.len() > MAX_DEPTH {
            return Err(format!("the schema is nested more than {MAX_DEPTH} deep"));
        }
    }
    Ok(())
}

struct Compact<'a> {
    bytes: &'a [u8],
}

const LIST: u8 = 9;
const STRUCT: u8 = 12;

impl Compact<'_> {
    /// The number of children of each schema element; None if the footer is malformed.
    fn children(&mut self) -> Option<Vec<u64>> {
        let mut id = 0;
        loop {
            let kind = self.field(&mut id)?;
            if kind == 0 {
                return None; // no schema
            }
            if id != 2 || kind != LIST {
                self.skip(kind, 0)?;
                continue;
            }
            let (size, element) = self.list()?;
            if element != STRUCT {
                return None;
            }
            return (0..size).map(|_| self.element()).collect();
        }
    }

    fn element(&mut self) -> Option<u64> {
        let mut id = 0;
        let mut children = 0;
        loop {
            match self.field(&mut id)? {
                0 => return Some(children),
                5 if id == 5 => {
                    let zigzag = self.varint()?;
                    if zigzag & 1 == 1 {
                        return None; // negative
                    }
                    children = zigzag >> 1;
                }
                kind => self.skip(kind, 0)?,
            }
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn advance(&mut self, size: u64) -> Option<()> {
        self.bytes = self.bytes.get(usize::try_from(size).ok()?..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// The type of the next field, 0 at the end of a struct; `id` becomes its number.
    fn field(&mut self, id: &mut u64) -> Option<u8> {
        let header = self.byte()?;
        if header == 0 {
            return Some(0);
        }
        *id = match header >> 4 {
            0 => self.varint()? >> 1,
            delta => *id + u64::from(delta),
        };
        Some(header & 15)
    }

    fn list(&mut self) -> Option<(u64, u8)> {
        let header = self.byte()?;
        let size = match header >> 4 {
            15 => self.varint()?,
            size => u64::from(size),
        };
        // Each element takes at least a byte.
        (size <= self.bytes.len() as u64).then_some((size, header & 15))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match kind {
            1 | 2 => Some(()),
            3 => self.advance(1),
            4..=6 => self.varint().map(|_| ()),
            7 => self.advance(8),
            8 => {
                let size = self.varint()?;
                self.advance(size)
            }
            LIST | 10 => {
                let (size, element) = self.list()?;
                // A boolean in a list is a byte of its own.
                let element = if element <= 2 { 3 } else { element };
                (0..size).try_for_each(|_| self.skip(element, depth + 1))
            }
            11 => {
                let size = self.varint()?;
                if size == 0 {
                    return Some(());
                }
                let kinds = self.byte()?;
                (0..size).try_for_each(|_| {
                    self.skip(kinds >> 4, depth + 1)?;
                    self.skip(kinds & 15, depth + 1)
                })
            }
            STRUCT => {
                let mut id = 0;
                loop {
                    match self.field(&mut id)? {
                        0 => return Some(()),
                        kind => self.skip(kind, depth + 1)?,
                    }
                }
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_a_tree() {
        assert!(nesting(&[2, 1, 0, 0]).is_ok());
    }

    #[test]
    fn refuses_depth_and_promises() {
        assert!(nesting(&[1; 100_000]).unwrap_err().contains("64 deep"));
        assert!(nesting(&[1, 1 << 30]).unwrap_err().contains("promises"));
        assert!(nesting(&[1, 0, 0]).unwrap_err().contains("nowhere"));
    }

    #[test]
    fn reads_numbers_of_children() {
        // version (i32 1), schema: [{num_children 1}, {type_length 3}].
        let footer = [
            0x15, 0x02, 0x19, 0x2c, 0x55, 0x02, 0x00, 0x25, 0x06, 0x00, 0x00,
        ];
        let children = Compact { bytes: &footer }.children();
        assert_eq!(children, Some(vec![1, 0]));
        for cut in 0..9 {
            let cut = &footer[..cut];
            assert_eq!(Compact { bytes: cut }.children(), None);
        }
    }
}
