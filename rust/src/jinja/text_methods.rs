//! The methods of `str`.

use super::arguments::{int_argument, required, text_argument, Args};
use super::budget::Budget;
use super::str_format;
use super::text::{escape_html, is_printable, is_space, write_str};
use super::text_split as split;
use super::value::{char_count, Text, Value};
use super::Result;
use std::sync::Arc;

pub const NAMES: &[&str] = &[
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "translate",
    "upper",
    "zfill",
];

pub fn call(text: &Text, name: &str, arguments: Args, budget: &Budget) -> Result<Value> {
    budget.charge_bytes(text.text.len())?;
    let same_kind = |result: String| {
        let markup = text.markup;
        let text = result.into();
        Ok(Value::Text(Text { text, markup }))
    };
    let s = &*text.text;
    match name {
        "upper" | "lower" | "capitalize" | "title" | "swapcase" => {
            arguments.none(name)?;
            same_kind(change_case(s, name, budget)?)
        }
        "strip" | "lstrip" | "rstrip" => {
            let [chars] = arguments.take(name, ["chars"])?;
            same_kind(strip(s, name, chars)?.to_string())
        }
        "removeprefix" | "removesuffix" => {
            let [part] = arguments.take(name, ["part"])?;
            let part = text_argument(&required(part, "part")?, "part")?;
            let removed = match name {
                "removeprefix" => s.strip_prefix(&*part),
                _ => s.strip_suffix(&*part),
            };
            same_kind(removed.unwrap_or(s).to_string())
        }
        "replace" => same_kind(replace(text, arguments, budget)?),
        "join" => same_kind(join(text, arguments, budget)?),
        "center" | "ljust" | "rjust" | "zfill" => same_kind(pad(s, name, arguments, budget)?),
        "format" => same_kind(str_format::format(s, arguments, budget)?),
        "startswith" | "endswith" => affix(s, name, arguments, budget),
        "count" | "find" | "rfind" | "index" | "rindex" => search(s, name, arguments, budget),
        "split" | "rsplit" | "splitlines" | "partition" | "rpartition" => {
            split::call(text, name, arguments, budget)
        }
        _ => {
            arguments.none(name)?;
            is_kind(s, name).map(Value::Bool)
        }
    }
}

pub fn change_case(s: &str, name: &str, budget: &Budget) -> Result<String> {
    // Looking letters up in tables is slow.
    budget.charge(s.len() / 8)?;
    Ok(match name {
        "upper" => s.to_uppercase(),
        "lower" => s.to_lowercase(),
        "capitalize" => capitalize(s),
        "title" => {
            let mut out = String::with_capacity(s.len());
            let mut start = 0;
            // A word is a run of letters.
            for (at, c) in s.char_indices() {
                if !c.is_lowercase() && !c.is_uppercase() {
                    out.push_str(&capitalize(&s[start..at]));
                    out.push(c);
                    start = at + c.len_utf8();
                }
            }
            out + &capitalize(&s[start..])
        }
        _ => {
            let swap = |c: char| -> String {
                if c.is_uppercase() {
                    c.to_lowercase().collect()
                } else {
                    c.to_uppercase().collect()
                }
            };
            s.chars().map(swap).collect()
        }
    })
}

pub fn capitalize(s: &str) -> String {
    let mut chars = s.chars();
    let Some(first) = chars.next() else {
        return String::new();
    };
    // Of what one letter becomes in upper case, such as "SS", only the first is a capital.
    let mut upper = first.to_uppercase();
    let mut out = String::with_capacity(s.len());
    out.extend(upper.next());
    out.extend(upper.flat_map(char::to_lowercase));
    out + &chars.as_str().to_lowercase()
}

pub fn strip<'s>(s: &'s str, name: &str, chars: Option<Value>) -> Result<&'s str> {
    let chars = match chars {
        None | Some(Value::None) => None,
        Some(chars) => Some(text_argument(&chars, "chars")?),
    };
    let goes = |c: char| {
        chars
            .as_ref()
            .map_or(is_space(c), |chars| chars.contains(c))
    };
    Ok(match name {
        "lstrip" => s.trim_start_matches(goes),
        "rstrip" => s.trim_end_matches(goes),
        _ => s.trim_matches(goes),
    })
}

fn replace(text: &Text, arguments: Args, budget: &Budget) -> Result<String> {
    let [old, new, count] = arguments.take("replace", ["old", "new", "count"])?;
    let old = text_argument(&required(old, "old")?, "old")?;
    let mut new = text_argument(&required(new, "new")?, "new")?;
    if text.markup {
        new = escape_html(&new).into();
    }
    let count = match count {
        Some(count) => usize::try_from(int_argument(&count, "count")?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    replace_text(&text.text, &old, &new, count, budget)
}

pub fn replace_text(
    s: &str,
    old: &str,
    new: &str,
    count: usize,
    budget: &Budget,
) -> Result<String> {
    let matches = match old.len() {
        0 => char_count(s) + 1,
        _ => s.matches(old).count(),
    };
    let added = matches.min(count).saturating_mul(new.len());
    budget.charge_bytes(s.len().saturating_add(added))?;
    Ok(s.replacen(old, new, count))
}

fn join(text: &Text, arguments: Args, budget: &Budget) -> Result<String> {
    let [items] = arguments.take("join", ["iterable"])?;
    let mut out = String::new();
    for (i, item) in required(items, "iterable")?
        .iterate(budget)?
        .iter()
        .enumerate()
    {
        let Value::Text(part) = item else {
            let found = item.type_name();
            return Err(format!("join(): item {i}: expected str, found {found}"));
        };
        budget.charge_bytes(part.text.len() + text.text.len())?;
        if i > 0 {
            out.push_str(&text.text);
        }
        if text.markup && !part.markup {
            out.push_str(&escape_html(&part.text));
        } else {
            write_str(item, &mut out, budget)?;
        }
    }
    Ok(out)
}

fn pad(s: &str, name: &str, arguments: Args, budget: &Budget) -> Result<String> {
    let [width, fill] = arguments.take(name, ["width", "fillchar"])?;
    let width = int_argument(&required(width, "width")?, "width")?;
    let fill = match fill {
        Some(fill) => text_argument(&fill, "fillchar")?,
        None => if name == "zfill" { "0" } else { " " }.into(),
    };
    if char_count(&fill) != 1 {
        return Err("the fill character must be exactly one character long".into());
    }
    pad_text(s, name, width, &fill, budget)
}

pub fn pad_text(s: &str, name: &str, width: i128, fill: &str, budget: &Budget) -> Result<String> {
    let width = usize::try_from(width.max(0)).unwrap_or(usize::MAX);
    let size = char_count(s);
    let missing = width.saturating_sub(size);
    budget.charge_bytes(missing.saturating_mul(fill.len()))?;
    let left = match name {
        "ljust" => 0,
        "center" => missing / 2 + (missing & width & 1),
        _ => missing,
    };
    let sign = match name {
        "zfill" => s.len() - s.strip_prefix(['+', '-']).unwrap_or(s).len(),
        _ => 0,
    };
    let (before, after) = (fill.repeat(left), fill.repeat(missing - left));
    Ok([&s[..sign], &before, &s[sign..], &after].concat())
}

/// The part of the text from `start` to `end`, and how many characters lie before it.
fn part(s: &str, start: Option<Value>, end: Option<Value>) -> Result<(&str, usize)> {
    if start.is_none() && end.is_none() {
        return Ok((s, 0));
    }
    let size = char_count(s) as i128;
    let place = |value: Option<Value>, otherwise: i128| -> Result<usize> {
        let place = match value {
            None | Some(Value::None) => otherwise,
            Some(value) => int_argument(&value, "start, end")?,
        };
        let place = if place < 0 { place + size } else { place };
        Ok(place.clamp(0, size) as usize)
    };
    let (start, end) = (place(start, 0)?, place(end, size)?);
    let at = |place: usize| s.char_indices().nth(place).map_or(s.len(), |(at, _)| at);
    Ok((&s[at(start)..at(end).max(at(start))], start))
}

fn affix(s: &str, name: &str, arguments: Args, budget: &Budget) -> Result<Value> {
    let [wanted, start, end] = arguments.take(name, ["affix", "start", "end"])?;
    let (s, _) = part(s, start, end)?;
    let candidates = match required(wanted, "affix")? {
        tuple @ Value::Tuple(_) => tuple.iterate(budget)?,
        single => vec![single],
    };
    for candidate in candidates {
        let affix = text_argument(&candidate, "affix")?;
        let found = match name {
            "startswith" => s.starts_with(&*affix),
            _ => s.ends_with(&*affix),
        };
        if found {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn search(s: &str, name: &str, arguments: Args, budget: &Budget) -> Result<Value> {
    let [wanted, start, end] = arguments.take(name, ["sub", "start", "end"])?;
    let wanted: Arc<str> = text_argument(&required(wanted, "sub")?, "sub")?;
    let (s, before) = part(s, start, end)?;
    budget.charge_bytes(s.len())?;
    if name == "count" {
        let count = match wanted.len() {
            0 => char_count(s) + 1,
            _ => s.matches(&*wanted).count(),
        };
        return Ok(Value::Int(count as i128));
    }
    let found = match name {
        "find" | "index" => s.find(&*wanted),
        _ => s.rfind(&*wanted),
    };
    match found {
        Some(at) => Ok(Value::Int((before + char_count(&s[..at])) as i128)),
        None if name.ends_with("find") => Ok(Value::Int(-1)),
        None => Err(format!("{name}(): substring not found")),
    }
}

fn is_kind(s: &str, name: &str) -> Result<bool> {
    let all = |holds: fn(char) -> bool| !s.is_empty() && s.chars().all(holds);
    let cased = |wanted: fn(char) -> bool, other: fn(char) -> bool| {
        s.chars().any(wanted) && !s.chars().any(other)
    };
    Ok(match name {
        "isalnum" => all(char::is_alphanumeric),
        "isalpha" => all(char::is_alphabetic),
        "isascii" => s.is_ascii(),
        "isdecimal" | "isdigit" | "isnumeric" => all(char::is_numeric),
        "islower" => cased(char::is_lowercase, char::is_uppercase),
        "isupper" => cased(char::is_uppercase, char::is_lowercase),
        "isspace" => all(is_space),
        "isprintable" => s.chars().all(is_printable),
        _ => return Err(format!("str.{name}() is not supported")),
    })
}
