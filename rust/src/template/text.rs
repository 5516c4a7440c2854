//! Values as text, to the byte as Python's `str` and `repr` write them.

use super::values::{as_dict, as_list, fail, type_name, Kind, Result};
use minijinja::value::ValueKind;
use minijinja::{State, Value};
use std::fmt::Write;

/// Text that costs fuel as it grows: values may share parts, and then are far longer written out.
pub struct Sink<'a, 'b, 'c> {
    pub text: String,
    pub state: &'a State<'b, 'c>,
    charged: usize,
}

/// Bytes that cost a step when they are made here; minijinja takes one for 64.
pub const BYTES_A_STEP: usize = 32;

impl<'a, 'b, 'c> Sink<'a, 'b, 'c> {
    pub fn new(state: &'a State<'b, 'c>) -> Self {
        Self {
            text: String::new(),
            state,
            charged: 0,
        }
    }

    pub fn push(&mut self, text: &str) -> Result<()> {
        self.text.push_str(text);
        let steps = (self.text.len() - self.charged) / BYTES_A_STEP;
        self.charged += steps * BYTES_A_STEP;
        match steps {
            0 => Ok(()),
            steps => self.state.consume_fuel(steps as u64),
        }
    }

    pub fn str(&mut self, value: &Value) -> Result<()> {
        match value.kind() {
            ValueKind::Undefined => Ok(()),
            ValueKind::String => self.push(value.as_str().unwrap_or_default()),
            _ => self.repr(value),
        }
    }

    pub fn repr(&mut self, value: &Value) -> Result<()> {
        self.state.consume_fuel(1)?;
        if let Some(scalar) = scalar(value) {
            return self.push(&scalar);
        }
        if let Some(text) = value.as_str() {
            if value.is_safe() {
                return fail("a container with text that passed the filter safe cannot be written");
            }
            return self.push(&quoted(text));
        }
        if let Some(list) = as_list(value) {
            let (open, close) = match list.kind {
                Kind::List => ("[", "]"),
                Kind::Tuple if list.items.len() == 1 => ("(", ",)"),
                Kind::Tuple => ("(", ")"),
                Kind::View("dict_keys") => ("dict_keys([", "])"),
                Kind::View("dict_values") => ("dict_values([", "])"),
                Kind::View("dict_items") => ("dict_items([", "])"),
                _ => return fail(format!("a {} cannot be written", type_name(value))),
            };
            self.push(open)?;
            for (i, item) in list.items.iter().enumerate() {
                self.push(if i > 0 { ", " } else { "" })?;
                self.repr(item)?;
            }
            return self.push(close);
        }
        if let Some(dict) = as_dict(value) {
            self.push("{")?;
            for (i, (key, value)) in dict.entries.iter().enumerate() {
                self.push(if i > 0 { ", " } else { "" })?;
                self.repr(key)?;
                self.push(": ")?;
                self.repr(value)?;
            }
            return self.push("}");
        }
        fail(format!("a {} cannot be written", type_name(value)))
    }
}

/// Takes fuel for a text that is read or made.
pub fn charge_bytes(state: &State, bytes: usize) -> Result<()> {
    state.consume_fuel((bytes / BYTES_A_STEP) as u64 + 1)
}

/// `str(value)`
pub fn str_of(state: &State, value: &Value) -> Result<String> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_string());
    }
    let mut sink = Sink::new(state);
    sink.str(value)?;
    Ok(sink.text)
}

fn scalar(value: &Value) -> Option<String> {
    Some(match value.kind() {
        ValueKind::Undefined => "Undefined".into(),
        ValueKind::None => "None".into(),
        ValueKind::Bool if value.is_true() => "True".into(),
        ValueKind::Bool => "False".into(),
        ValueKind::Number if value.is_integer() => value.to_string(),
        ValueKind::Number => float_repr(as_float(value)?),
        _ => return None,
    })
}

pub fn as_float(value: &Value) -> Option<f64> {
    match value.kind() {
        ValueKind::Number => f64::try_from(value.clone()).ok(),
        ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        _ => None,
    }
}

/// The shortest digits that give the number back, with an exponent below 1e-4 and from 1e16.
pub fn float_repr(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.into();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let mut text = value.to_string();
        if !text.contains('.') {
            text.push_str(".0");
        }
        return text;
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

fn quoted(text: &str) -> String {
    let quote = match text.contains('\'') && !text.contains('"') {
        true => '"',
        false => '\'',
    };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if is_printable(c) => out.push(c),
            c => {
                let code = c as u32;
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(quote);
    out
}

/// As `str.isprintable`. Rust's tables are reachable only through its own escaping of what follows
/// a first character.
fn is_printable(c: char) -> bool {
    let text = ['a', c].iter().collect::<String>();
    matches!(c, '\'' | '"' | '\\') || text.escape_debug().nth(1) == Some(c)
}
