//! Values as JSON, to the byte as Python's `json.dumps` writes them.

use super::text::{as_float, float_repr, Sink};
use super::values::{as_dict, as_list, fail, type_name, Dict, Kind, Result};
use minijinja::value::ValueKind;
use minijinja::Value;
use std::fmt::Write;

/// How `tojson` of transformers is asked to write.
#[derive(Default)]
pub struct Json {
    pub ascii: bool,
    pub sort_keys: bool,
    /// What one level is indented by; none for one line.
    pub indent: Option<String>,
    pub separators: Option<[String; 2]>,
}

impl Json {
    pub fn write(&self, value: &Value, level: usize, out: &mut Sink) -> Result<()> {
        out.state.consume_fuel(1)?;
        if let Some(text) = value.as_str() {
            return out.push(&self.quoted(text));
        }
        if let Some(dict) = as_dict(value) {
            return self.write_dict(dict, level, out);
        }
        let Some(list) = as_list(value) else {
            return out.push(&scalar(value)?);
        };
        if !matches!(list.kind, Kind::List | Kind::Tuple) {
            return no_json(value);
        }
        out.push("[")?;
        for (i, item) in list.items.iter().enumerate() {
            self.separate(i, level + 1, out)?;
            self.write(item, level + 1, out)?;
        }
        self.close(list.items.len(), level, "]", out)
    }

    fn write_dict(&self, dict: &Dict, level: usize, out: &mut Sink) -> Result<()> {
        let mut entries: Vec<(&Value, &Value)> = dict.entries.iter().collect();
        if self.sort_keys {
            if let Some((key, _)) = entries.iter().find(|(key, _)| key.as_str().is_none()) {
                let found = type_name(key);
                return fail(format!("tojson cannot sort keys of type {found}"));
            }
            entries.sort_by(|a, b| a.0.as_str().cmp(&b.0.as_str()));
        }
        let separators = self.separators.as_ref();
        let colon = separators.map_or(": ", |separators| &separators[1]);
        out.push("{")?;
        for (i, (key, value)) in entries.into_iter().enumerate() {
            self.separate(i, level + 1, out)?;
            let name = match key.as_str() {
                Some(name) => name.to_string(),
                None => scalar(key)?,
            };
            out.push(&self.quoted(&name))?;
            out.push(colon)?;
            self.write(value, level + 1, out)?;
        }
        self.close(dict.entries.len(), level, "}", out)
    }

    /// What stands before item `i`.
    fn separate(&self, i: usize, level: usize, out: &mut Sink) -> Result<()> {
        if i > 0 {
            out.push(match (&self.separators, &self.indent) {
                (Some(separators), _) => &separators[0],
                (None, Some(_)) => ",",
                (None, None) => ", ",
            })?;
        }
        self.line(level, out)
    }

    fn close(&self, items: usize, level: usize, end: &str, out: &mut Sink) -> Result<()> {
        if items > 0 {
            self.line(level, out)?;
        }
        out.push(end)
    }

    fn line(&self, level: usize, out: &mut Sink) -> Result<()> {
        if let Some(indent) = &self.indent {
            out.push("\n")?;
            for _ in 0..level {
                out.push(indent)?;
            }
        }
        Ok(())
    }

    fn quoted(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 2);
        out.push('"');
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                c if c < ' ' || self.ascii && !(' '..='~').contains(&c) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        let _ = write!(out, "\\u{unit:04x}");
                    }
                }
                c => out.push(c),
            }
        }
        out.push('"');
        out
    }
}

fn scalar(value: &Value) -> Result<String> {
    match (value.kind(), as_float(value)) {
        (ValueKind::None, _) => Ok("null".into()),
        (ValueKind::Bool, _) => Ok(if value.is_true() { "true" } else { "false" }.into()),
        (ValueKind::Number, _) if value.is_integer() => Ok(value.to_string()),
        (ValueKind::Number, Some(float)) if float.is_nan() => Ok("NaN".into()),
        (ValueKind::Number, Some(float)) if float.is_infinite() => {
            Ok(if float > 0.0 { "Infinity" } else { "-Infinity" }.into())
        }
        (ValueKind::Number, Some(float)) => Ok(float_repr(float)),
        _ => no_json(value),
    }
}

fn no_json<T>(value: &Value) -> Result<T> {
    fail(format!("'{}' is not JSON serializable", type_name(value)))
}
