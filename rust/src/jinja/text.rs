//! Values as text, to the byte as Python's `str` and `repr` write them.

use super::budget::Budget;
use super::value::{Text, Value, View};
use super::Result;
use std::fmt::Write;

/// `str(value)`
pub fn str_of(value: &Value, budget: &Budget) -> Result<Text> {
    if let Value::Text(text) = value {
        return Ok(text.clone());
    }
    let mut out = String::new();
    write_str(value, &mut out, budget)?;
    Ok(Text {
        text: out.into(),
        markup: false,
    })
}

/// Appends `str(value)`.
pub fn write_str(value: &Value, out: &mut String, budget: &Budget) -> Result<()> {
    match value {
        Value::Text(text) => {
            budget.charge_bytes(text.text.len())?;
            out.push_str(&text.text);
            Ok(())
        }
        Value::Undefined(_) => Ok(()),
        _ => write_repr(value, out, budget),
    }
}

/// Appends `repr(value)`.
pub fn write_repr(value: &Value, out: &mut String, budget: &Budget) -> Result<()> {
    budget.charge(1)?;
    match value {
        Value::Undefined(_) => out.push_str("Undefined"),
        Value::None => out.push_str("None"),
        Value::Bool(value) => out.push_str(if *value { "True" } else { "False" }),
        Value::Int(value) => write!(out, "{value}").unwrap(),
        Value::Float(value) => out.push_str(&float_repr(*value)),
        Value::Text(text) => {
            budget.charge_bytes(text.text.len())?;
            if text.markup {
                out.push_str("Markup(");
            }
            quote(&text.text, out);
            if text.markup {
                out.push(')');
            }
        }
        Value::List(items) => write_items("[", &items.items, "]", out, budget)?,
        Value::Tuple(items) if items.items.len() == 1 => {
            write_items("(", &items.items, ",)", out, budget)?;
        }
        Value::Tuple(items) => write_items("(", &items.items, ")", out, budget)?,
        Value::Dict(dict) => {
            out.push('{');
            for (i, (key, value)) in dict.entries.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write_repr(key, out, budget)?;
                out.push_str(": ");
                write_repr(value, out, budget)?;
            }
            out.push('}');
        }
        Value::View(view, dict) => {
            let open = match view {
                View::Keys => "dict_keys([",
                View::Values => "dict_values([",
                View::Items => "dict_items([",
            };
            write_items(open, &dict.view(*view)?, "])", out, budget)?;
        }
        Value::Range(range) if range.step == 1 => {
            write!(out, "range({}, {})", range.start, range.stop).unwrap();
        }
        Value::Range(range) => {
            let (start, stop, step) = (range.start, range.stop, range.step);
            write!(out, "range({start}, {stop}, {step})").unwrap();
        }
        _ => return Err(format!("a {} cannot become text", value.type_name())),
    }
    Ok(())
}

fn write_items(
    open: &str,
    items: &[Value],
    close: &str,
    out: &mut String,
    budget: &Budget,
) -> Result<()> {
    out.push_str(open);
    for (i, item) in items.iter().enumerate() {
        out.push_str(if i > 0 { ", " } else { "" });
        write_repr(item, out, budget)?;
    }
    out.push_str(close);
    Ok(())
}

fn quote(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if is_printable(c) => out.push(c),
            c => escape_code_point(c, out),
        }
    }
    out.push(quote);
}

/// `\x..`, `\u....` or `\U........`
pub fn escape_code_point(c: char, out: &mut String) {
    match c as u32 {
        code @ 0..=0xff => write!(out, "\\x{code:02x}").unwrap(),
        code @ 0x100..=0xffff => write!(out, "\\u{code:04x}").unwrap(),
        code => write!(out, "\\U{code:08x}").unwrap(),
    }
}

/// As `str.isprintable`. Rust's tables are reachable only through its own escaping of what follows
/// a first character.
pub fn is_printable(c: char) -> bool {
    if matches!(c, '\'' | '"' | '\\') {
        return true;
    }
    let mut buffer = [b'a'; 5];
    let size = 1 + c.encode_utf8(&mut buffer[1..]).len();
    let text = std::str::from_utf8(&buffer[..size]).unwrap_or_default();
    text.escape_debug().nth(1) == Some(c)
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

/// `html.escape` as MarkupSafe does it.
pub fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            c => out.push(c),
        }
    }
    out
}

/// What `str.isspace` says of a character.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}
