//! The filter `tojson` as transformers has it: Python's `json.dumps`, without escapes for HTML.

use super::arguments::{text_argument, Args};
use super::budget::Budget;
use super::text::float_repr;
use super::text_methods::pad_text;
use super::value::Value;
use super::Result;
use std::fmt::Write;

struct Writer<'a> {
    ascii: bool,
    sort_keys: bool,
    /// What one level is indented by; none for one line.
    indent: Option<String>,
    item_separator: String,
    key_separator: String,
    out: String,
    budget: &'a Budget,
}

pub fn to_json(value: &Value, arguments: Args, budget: &Budget) -> Result<String> {
    let names = ["ensure_ascii", "indent", "separators", "sort_keys"];
    let [ascii, indent, separators, sort_keys] = arguments.take("tojson", names)?;
    let is_set = |flag: Option<Value>| flag.is_some_and(|flag| flag.is_true());
    let indent = match indent {
        None | Some(Value::None) => None,
        Some(Value::Text(text)) => Some(text.text.to_string()),
        Some(width) => {
            let width = width
                .as_int()
                .ok_or("tojson(): expected a number for indent")?;
            Some(pad_text("", "rjust", width, " ", budget)?)
        }
    };
    let mut writer = Writer {
        ascii: is_set(ascii),
        sort_keys: is_set(sort_keys),
        item_separator: if indent.is_some() { "," } else { ", " }.into(),
        key_separator: ": ".into(),
        indent,
        out: String::new(),
        budget,
    };
    if let Some(separators) = separators.filter(|separators| !separators.is_none()) {
        match <[Value; 2]>::try_from(separators.iterate(budget)?) {
            Ok([item, key]) => {
                writer.item_separator = text_argument(&item, "separators")?.to_string();
                writer.key_separator = text_argument(&key, "separators")?.to_string();
            }
            Err(_) => return Err("tojson(): expected two separators".into()),
        }
    }
    writer.value(value, 0)?;
    Ok(writer.out)
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, level: usize) -> Result<()> {
        self.budget.charge(1)?;
        match value {
            Value::None => self.out.push_str("null"),
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Int(value) => write!(self.out, "{value}").unwrap(),
            Value::Float(value) => self.out.push_str(&float_json(*value)),
            Value::Text(text) => self.text(&text.text)?,
            Value::List(items) | Value::Tuple(items) => {
                self.out.push('[');
                for (i, item) in items.items.iter().enumerate() {
                    self.separate(i, level + 1)?;
                    self.value(item, level + 1)?;
                }
                self.close(items.items.len(), level, ']')?;
            }
            Value::Dict(dict) => {
                let mut entries: Vec<&(Value, Value)> = dict.entries.iter().collect();
                if self.sort_keys {
                    entries.sort_by(|a, b| a.0.as_text().cmp(&b.0.as_text()));
                }
                self.out.push('{');
                for (i, (key, value)) in entries.into_iter().enumerate() {
                    self.separate(i, level + 1)?;
                    self.key(key)?;
                    self.out.push_str(&self.key_separator);
                    self.value(value, level + 1)?;
                }
                self.close(dict.entries.len(), level, '}')?;
            }
            _ => {
                let found = value.type_name();
                return Err(format!("object of type {found} is not JSON serializable"));
            }
        }
        Ok(())
    }

    fn key(&mut self, key: &Value) -> Result<()> {
        match key {
            Value::Text(text) => self.text(&text.text),
            Value::None => self.text("null"),
            Value::Bool(value) => self.text(if *value { "true" } else { "false" }),
            Value::Int(value) => self.text(&value.to_string()),
            Value::Float(value) => self.text(&float_json(*value)),
            _ => Err(format!(
                "keys must be str, int, float, bool or None, not {}",
                key.type_name()
            )),
        }
    }

    /// What stands before item `i`.
    fn separate(&mut self, i: usize, level: usize) -> Result<()> {
        self.budget
            .charge_bytes(self.item_separator.len() + self.key_separator.len())?;
        if i > 0 {
            self.out.push_str(&self.item_separator);
        }
        self.line(level)
    }

    fn close(&mut self, items: usize, level: usize, end: char) -> Result<()> {
        if items > 0 {
            self.line(level)?;
        }
        self.out.push(end);
        Ok(())
    }

    fn line(&mut self, level: usize) -> Result<()> {
        if let Some(indent) = &self.indent {
            self.budget
                .charge_bytes(indent.len().saturating_mul(level))?;
            self.out.push('\n');
            for _ in 0..level {
                self.out.push_str(indent);
            }
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<()> {
        self.budget.charge_bytes(text.len())?;
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                c if c < ' ' || self.ascii && !(' '..='~').contains(&c) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        write!(self.out, "\\u{unit:04x}").unwrap();
                    }
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
        Ok(())
    }
}

fn float_json(value: f64) -> String {
    match value {
        _ if value.is_nan() => "NaN".into(),
        _ if value.is_infinite() && value > 0.0 => "Infinity".into(),
        _ if value.is_infinite() => "-Infinity".into(),
        _ => float_repr(value),
    }
}
