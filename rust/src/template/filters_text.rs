//! The filters of Jinja2 that work on text, and `tojson` of transformers.

use super::arguments::{bind, count, flag, split};
use super::json_write::Json;
use super::operators::{items, markup};
use super::printf;
use super::text::{charge_bytes, str_of, Sink};
use super::text_methods::{self, lines, strip};
use super::values::{fail, new_dict, new_list, Kind, Result};
use minijinja::{State, Value};

pub fn of_text(state: &State, a: &[Value], change: impl Fn(&str) -> String) -> Result<Value> {
    if a.len() > 1 {
        return fail("the filter takes no arguments");
    }
    let text = str_of(state, &a[0])?;
    charge_bytes(state, text.len().saturating_mul(3))?;
    let text = change(&text);
    Ok(if a[0].is_safe() {
        Value::from_safe_string(text)
    } else {
        text.into()
    })
}

/// Other words than those of `str.title`.
pub fn title_words(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in text.chars() {
        let between = c.is_whitespace() || "-({[<".contains(c);
        match inside && !between {
            true => out.extend(c.to_lowercase()),
            false => out.extend(c.to_uppercase()),
        }
        inside = !between;
    }
    out
}

pub fn escape(state: &mut State, a: &[Value]) -> Result<Value> {
    Ok(Value::from_safe_string(markup(
        &str_of(state, &a[0])?,
        &a[0],
    )))
}

pub fn indent(state: &mut State, a: &[Value]) -> Result<Value> {
    let [width, first, blank] = bind("indent", &a[1..], ["width", "first", "blank"])?;
    let margin = match width.as_ref().and_then(Value::as_str) {
        Some(margin) => margin.to_string(),
        None => spaces(
            state,
            width.as_ref().map_or(Ok(4), |_| count("indent", &width))?,
        )?,
    };
    let source = str_of(state, &a[0])? + "\n";
    let mut sink = Sink::new(state);
    for (i, line) in lines(&source, false).into_iter().enumerate() {
        sink.push(if i > 0 { "\n" } else { "" })?;
        let indented = if i == 0 {
            flag(&first)
        } else {
            flag(&blank) || !line.is_empty()
        };
        sink.push(if indented { &margin } else { "" })?;
        sink.push(line)?;
    }
    Ok(sink.text.into())
}

fn spaces(state: &State, count: i64) -> Result<String> {
    let count = usize::try_from(count).unwrap_or(0);
    charge_bytes(state, count)?;
    Ok(" ".repeat(count))
}

pub fn to_json(state: &mut State, a: &[Value]) -> Result<Value> {
    let names = ["ensure_ascii", "indent", "separators", "sort_keys"];
    let [ascii, indent, separators, sort_keys] = bind("tojson", &a[1..], names)?;
    let separators = separators.filter(|separators| !separators.is_none());
    let separators = match separators
        .map(|separators| items(state, &separators))
        .transpose()?
    {
        None => None,
        Some(pair) => match &pair[..] {
            [a, b] if a.as_str().is_some() && b.as_str().is_some() => {
                Some([str_of(state, a)?, str_of(state, b)?])
            }
            _ => return fail("tojson: expected two separators"),
        },
    };
    let json = Json {
        ascii: flag(&ascii),
        sort_keys: flag(&sort_keys),
        indent: match indent.filter(|indent| !indent.is_none()) {
            None => None,
            Some(indent) => Some(match indent.as_str() {
                Some(text) => text.to_string(),
                None => spaces(state, count("tojson", &Some(indent))?)?,
            }),
        },
        separators,
    };
    let mut sink = Sink::new(state);
    json.write(&a[0], 0, &mut sink)?;
    Ok(sink.text.into())
}

/// `text|format(...)`: the arguments by place or by name.
pub fn format(state: &mut State, a: &[Value]) -> Result<Value> {
    if a[0].is_safe() {
        return fail("format of text that passed the filter safe is not supported");
    }
    let (positional, named) = split(&a[1..]);
    let values = match (positional, named.is_empty()) {
        (_, true) => new_list(positional.to_vec(), Kind::Tuple)?,
        ([], false) => {
            let named = named.into_iter();
            new_dict(named.map(|(name, value)| (name.into(), value)).collect())?
        }
        _ => return fail("format: expected arguments by place or by name, not both"),
    };
    Ok(printf::format(state, &str_of(state, &a[0])?, &values)?.into())
}

pub fn trim(state: &mut State, a: &[Value]) -> Result<Value> {
    let [chars] = bind("trim", &a[1..], ["chars"])?;
    let trim = |s: &str| strip(s, chars.as_ref().and_then(Value::as_str), true, true).to_string();
    of_text(state, &a[..1], trim)
}

pub fn replace(state: &mut State, a: &[Value]) -> Result<Value> {
    let [old, new, limit] = bind("replace", &a[1..], ["old", "new", "count"])?;
    let part = |part: Option<Value>| str_of(state, &part.unwrap_or_default());
    let limit = count("replace", &limit.filter(|limit| !limit.is_none()))?;
    Ok(text_methods::replace(
        state,
        &str_of(state, &a[0])?,
        &part(old)?,
        &part(new)?,
        limit,
    )?
    .into())
}

pub fn wordcount(state: &mut State, a: &[Value]) -> Result<Value> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    Ok(str_of(state, &a[0])?
        .split(|c| !word(c))
        .filter(|word| !word.is_empty())
        .count()
        .into())
}
