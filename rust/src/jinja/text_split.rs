//! The methods of `str` that take text apart.

use super::arguments::{int_argument, required, text_argument, Args};
use super::budget::Budget;
use super::text::is_space;
use super::value::{Text, Value};
use super::Result;

pub fn call(text: &Text, name: &str, arguments: Args, budget: &Budget) -> Result<Value> {
    let s = &*text.text;
    let parts = match name {
        "splitlines" => {
            let [keep] = arguments.take(name, ["keepends"])?;
            split_lines(s, keep.is_some_and(|keep| keep.is_true()))
        }
        "partition" | "rpartition" => {
            let [separator] = arguments.take(name, ["sep"])?;
            let separator = text_argument(&required(separator, "sep")?, "sep")?;
            if separator.is_empty() {
                return Err("empty separator".into());
            }
            partition(s, &separator, name)
        }
        _ => split(s, name, arguments, budget)?,
    };
    budget.charge(parts.len())?;
    let value = |part: &str| {
        Value::Text(Text {
            text: part.into(),
            markup: text.markup,
        })
    };
    let parts = parts.into_iter().map(value).collect();
    match name {
        "partition" | "rpartition" => Value::tuple(parts),
        _ => Value::list(parts),
    }
}

fn split<'s>(s: &'s str, name: &str, arguments: Args, budget: &Budget) -> Result<Vec<&'s str>> {
    let [separator, most] = arguments.take(name, ["sep", "maxsplit"])?;
    let most = match most {
        Some(most) => usize::try_from(int_argument(&most, "maxsplit")?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    budget.charge(s.len() / 8)?;
    let from_end = name == "rsplit";
    let separator = match separator {
        None | Some(Value::None) => return Ok(split_spaces(s, most, from_end)),
        Some(separator) => text_argument(&separator, "sep")?,
    };
    if separator.is_empty() {
        return Err("empty separator".into());
    }
    let pieces = most.saturating_add(1);
    if !from_end {
        return Ok(s.splitn(pieces, &*separator).collect());
    }
    let mut parts: Vec<&str> = s.rsplitn(pieces, &*separator).collect();
    parts.reverse();
    Ok(parts)
}

/// Words between white space; behind `most` splits the rest, without the space before it.
fn split_spaces(s: &str, most: usize, from_end: bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = if from_end {
        s.trim_end_matches(is_space)
    } else {
        s.trim_start_matches(is_space)
    };
    while !rest.is_empty() {
        if parts.len() == most {
            parts.push(rest);
            break;
        }
        if from_end {
            let start = rest.rfind(is_space).map_or(0, |at| {
                at + rest[at..].chars().next().map_or(0, char::len_utf8)
            });
            parts.push(&rest[start..]);
            rest = rest[..start].trim_end_matches(is_space);
        } else {
            let end = rest.find(is_space).unwrap_or(rest.len());
            parts.push(&rest[..end]);
            rest = rest[end..].trim_start_matches(is_space);
        }
    }
    if from_end {
        parts.reverse();
    }
    parts
}

pub fn split_lines(s: &str, keep: bool) -> Vec<&str> {
    let ends = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'
                ..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let mut lines = Vec::new();
    let mut rest = s;
    while let Some(at) = rest.find(ends) {
        let size = match rest[at..].starts_with("\r\n") {
            true => 2,
            false => rest[at..].chars().next().map_or(1, char::len_utf8),
        };
        lines.push(&rest[..if keep { at + size } else { at }]);
        rest = &rest[at + size..];
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

fn partition<'s>(s: &'s str, separator: &str, name: &str) -> Vec<&'s str> {
    let found = match name {
        "partition" => s.find(separator),
        _ => s.rfind(separator),
    };
    match found {
        Some(at) => {
            let end = at + separator.len();
            vec![&s[..at], &s[at..end], &s[end..]]
        }
        None if name == "partition" => vec![s, "", ""],
        None => vec!["", "", s],
    }
}
