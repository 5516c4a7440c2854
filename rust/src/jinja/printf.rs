//! `text % values`: %s, %d, %.2f and their like.

use super::budget::Budget;
use super::format_spec::format_value;
use super::text::{escape_html, str_of, write_repr};
use super::value::{Text, Value};
use super::Result;

pub fn format(text: &Text, values: &Value, budget: &Budget) -> Result<Value> {
    budget.charge_bytes(text.text.len())?;
    let mut given = match values {
        Value::Tuple(items) => items.items.clone(),
        single => vec![single.clone()],
    }
    .into_iter();
    let mut out = String::new();
    let mut rest = &*text.text;
    let mut by_name = false;
    while let Some(at) = rest.find('%') {
        budget.charge(1)?;
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('%') {
            out.push('%');
            rest = behind;
            continue;
        }
        let mut value = None;
        if let Some(behind) = rest.strip_prefix('(') {
            let (name, behind) = behind.split_once(')').ok_or("incomplete format key")?;
            let Value::Dict(dict) = values else {
                return Err("format requires a mapping".into());
            };
            value = dict.get_text(name).cloned();
            value
                .as_ref()
                .ok_or_else(|| format!("format: there is no key '{name}'"))?;
            by_name = true;
            rest = behind;
        }
        let size = rest.find(|c: char| !"#0- +.123456789".contains(c));
        let size = size.ok_or("incomplete format")?;
        let (flags, behind) = rest.split_at(size);
        let kind = behind.chars().next().ok_or("incomplete format")?;
        rest = &behind[kind.len_utf8()..];
        let value = value.or_else(|| given.next());
        let value = value.ok_or("not enough arguments for format string")?;
        let piece = convert(&value, flags, kind, budget)?;
        budget.charge_bytes(piece.len())?;
        out.push_str(&if text.markup {
            escape_html(&piece)
        } else {
            piece
        });
    }
    out.push_str(rest);
    if !by_name && given.next().is_some() && !matches!(values, Value::Dict(_)) {
        return Err("not all arguments converted during string formatting".into());
    }
    Ok(Value::Text(Text {
        text: out.into(),
        markup: text.markup,
    }))
}

/// One value, by the specifier of `format` that means the same.
fn convert(value: &Value, flags: &str, kind: char, budget: &Budget) -> Result<String> {
    let left = flags.contains('-');
    let size = flags
        .find(|c| ('1'..='9').contains(&c) || c == '.')
        .unwrap_or(flags.len());
    let (marks, width) = flags.split_at(size);
    let sign = ["+", " "]
        .into_iter()
        .find(|sign| marks.contains(sign))
        .unwrap_or("");
    let alternate = if marks.contains('#') { "#" } else { "" };
    let zero = if marks.contains('0') && !left {
        "0"
    } else {
        ""
    };
    let align = if left { "<" } else { ">" };
    let number = |kind: char| match zero {
        "" => format!("{align}{sign}{alternate}{width}{kind}"),
        _ => format!("{sign}{alternate}0{width}{kind}"),
    };
    match kind {
        's' | 'r' => {
            let text = match kind {
                's' => str_of(value, budget)?.text,
                _ => {
                    let mut text = String::new();
                    write_repr(value, &mut text, budget)?;
                    text.into()
                }
            };
            format_value(&Value::text(text), &format!("{align}{width}s"), budget)
        }
        'd' | 'i' | 'u' => {
            let int = match value {
                Value::Float(float) if float.abs() < 1e30 => Some(*float as i128),
                value => value.as_int(),
            };
            let found = value.type_name();
            let int = int.ok_or_else(|| format!("%d format: a number is required, not {found}"))?;
            format_value(&Value::Int(int), &number('d'), budget)
        }
        'x' | 'X' | 'o' | 'c' => {
            let found = value.type_name();
            let int = value.as_int();
            let int = int.ok_or_else(|| format!("%{kind} format: expected int, not {found}"))?;
            format_value(&Value::Int(int), &number(kind), budget)
        }
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            let found = value.type_name();
            let float = value.as_number();
            let float = float.ok_or_else(|| format!("must be real number, not {found}"))?;
            format_value(&Value::Float(float), &number(kind), budget)
        }
        _ => Err(format!("unsupported format character '{kind}'")),
    }
}
