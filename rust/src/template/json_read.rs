//! JSON text as values. The crate serde_json would round some numbers differently.

use super::operators::int_value;
use super::values::{new_dict, new_list, Kind, MAX_DEPTH};
use crate::ffi::Result;
use indexmap::IndexMap;
use minijinja::Value;

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// One value, strictly as RFC 8259 has it.
pub fn from_json(text: &str) -> Result<Value> {
    let mut reader = Reader { text, at: 0 };
    reader
        .value(0)
        .and_then(|value| match reader.peek() {
            None => Ok(value),
            Some(_) => Err("expected the end".into()),
        })
        .map_err(|message: String| format!("JSON, byte {}: {message}", reader.at))
}

impl<'a> Reader<'a> {
    /// The next byte behind white space.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn expect(&mut self, wanted: u8) -> Result<()> {
        if self.peek() == Some(wanted) {
            self.at += 1;
            return Ok(());
        }
        Err(format!("expected '{}'", wanted as char))
    }

    fn value(&mut self, depth: u32) -> Result<Value> {
        if depth > MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH}"));
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::from),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                for (word, value) in [
                    ("null", Value::from(())),
                    ("true", Value::from(true)),
                    ("false", Value::from(false)),
                ] {
                    if self.text[self.at..].starts_with(word) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                Err("expected a value".into())
            }
        }
    }

    fn array(&mut self, depth: u32) -> Result<Value> {
        let mut items = Vec::new();
        self.at += 1;
        if self.peek() == Some(b']') {
            self.at += 1;
            return list(items);
        }
        loop {
            items.push(self.value(depth + 1)?);
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return list(items);
                }
                _ => return Err("expected ',' or ']'".into()),
            }
        }
    }

    fn object(&mut self, depth: u32) -> Result<Value> {
        let mut entries = IndexMap::new();
        self.at += 1;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return dict(entries);
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err("expected a key".into());
            }
            let key = Value::from(self.string()?);
            self.expect(b':')?;
            entries.insert(key, self.value(depth + 1)?);
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return dict(entries);
                }
                _ => return Err("expected ',' or '}'".into()),
            }
        }
    }

    fn string(&mut self) -> Result<String> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += 1;
        loop {
            match bytes.get(self.at) {
                None => return Err("a string has no end".into()),
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(0..=0x1f) => return Err("a control character in a string".into()),
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let quoted = &self.text[start..self.at];
        serde_json::from_str(quoted).map_err(|e| e.to_string())
    }

    fn number(&mut self) -> Result<Value> {
        let rest = &self.text[self.at..];
        let part = |c: char| !c.is_ascii_digit() && !"+-.eE".contains(c);
        let text = &rest[..rest.find(part).unwrap_or(rest.len())];
        // It is a number as JSON has them if serde_json says so.
        serde_json::from_str::<serde_json::Number>(text).map_err(|e| e.to_string())?;
        self.at += text.len();
        if text.contains(['.', 'e', 'E']) {
            let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
            return value
                .map(Value::from)
                .ok_or_else(|| format!("{text} is too large"));
        }
        let value = text.parse().map(int_value);
        value.map_err(|_| format!("{text} is too large a number"))
    }
}

fn list(items: Vec<Value>) -> Result<Value> {
    new_list(items, Kind::List).map_err(|e| e.to_string())
}

fn dict(entries: IndexMap<Value, Value>) -> Result<Value> {
    new_dict(entries).map_err(|e| e.to_string())
}
