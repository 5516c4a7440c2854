//! The filters of Jinja that make text.

use super::arguments::{int_argument, required, text_argument, Args};
use super::budget::Budget;
use super::json_write::to_json;
use super::printf;
use super::text::{escape_html, str_of};
use super::text_methods::{change_case, pad_text, replace_text, strip};
use super::value::{char_count, Text, Value};
use super::Result;

pub const NAMES: &[&str] = &[
    "capitalize",
    "center",
    "e",
    "escape",
    "forceescape",
    "format",
    "indent",
    "lower",
    "replace",
    "safe",
    "string",
    "title",
    "tojson",
    "trim",
    "truncate",
    "upper",
    "wordcount",
];

pub fn apply(name: &str, value: Value, arguments: Args, budget: &Budget) -> Result<Value> {
    if name == "tojson" {
        return to_json(&value, arguments, budget).map(Value::text);
    }
    let text = str_of(&value, budget)?;
    budget.charge_bytes(text.text.len())?;
    let same_kind = |result: String| {
        let (text, markup) = (result.into(), text.markup);
        Ok(Value::Text(Text { text, markup }))
    };
    let s = &*text.text;
    match name {
        "lower" | "upper" | "capitalize" => {
            arguments.none(name)?;
            same_kind(change_case(s, name, budget)?)
        }
        "title" => {
            arguments.none(name)?;
            same_kind(title(s))
        }
        "string" => {
            arguments.none(name)?;
            Ok(Value::Text(text))
        }
        "trim" => {
            let [chars] = arguments.take(name, ["chars"])?;
            same_kind(strip(s, "strip", chars)?.to_string())
        }
        "replace" => replace(s, arguments, budget).map(Value::text),
        "center" => {
            let [width] = arguments.take(name, ["width"])?;
            let width = width.map_or(Ok(80), |width| int_argument(&width, "width"))?;
            same_kind(pad_text(s, "center", width, " ", budget)?)
        }
        "indent" => same_kind(indent(s, arguments, budget)?),
        "truncate" => same_kind(truncate(s, arguments)?),
        "wordcount" => {
            arguments.none(name)?;
            Ok(Value::Int(count_words(s)))
        }
        "format" if arguments.named.is_empty() => {
            printf::format(&text, &Value::tuple(arguments.positional)?, budget)
        }
        "format" => {
            let named = arguments.named.into_iter();
            let named = named
                .map(|(name, value)| (Value::text(name), value))
                .collect();
            printf::format(&text, &Value::dict(named, budget)?, budget)
        }
        _ => {
            arguments.none(name)?;
            Ok(Value::Text(as_markup(name, &text)))
        }
    }
}

fn count_words(s: &str) -> i128 {
    let words = s.split(|c: char| c != '_' && !c.is_alphanumeric());
    words.filter(|word| !word.is_empty()).count() as i128
}

/// What `safe`, `escape`, `e` and `forceescape` give.
fn as_markup(filter: &str, text: &Text) -> Text {
    let escaped = match filter {
        "safe" => text.text.clone(),
        "escape" | "e" if text.markup => text.text.clone(),
        _ => escape_html(&text.text).into(),
    };
    Text {
        text: escaped,
        markup: true,
    }
}

/// Capitals behind white space, hyphens and opening brackets.
fn title(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    let mut start = true;
    for c in s.chars() {
        if "-({[<".contains(c) || super::text::is_space(c) {
            start = true;
            out.push(c);
        } else if start {
            out.extend(c.to_uppercase());
            start = false;
        } else {
            out.extend(c.to_lowercase());
        }
    }
    out
}

fn replace(s: &str, arguments: Args, budget: &Budget) -> Result<String> {
    let [old, new, count] = arguments.take("replace", ["old", "new", "count"])?;
    let old = str_of(&required(old, "old")?, budget)?;
    let new = str_of(&required(new, "new")?, budget)?;
    let count = match count {
        None | Some(Value::None) => usize::MAX,
        Some(count) => usize::try_from(int_argument(&count, "count")?).unwrap_or(usize::MAX),
    };
    replace_text(s, &old.text, &new.text, count, budget)
}

fn indent(s: &str, arguments: Args, budget: &Budget) -> Result<String> {
    let [width, first, blank] = arguments.take("indent", ["width", "first", "blank"])?;
    let is_set = |flag: Option<Value>| flag.is_some_and(|flag| flag.is_true());
    let (first, blank) = (is_set(first), is_set(blank));
    let indention = match width {
        Some(Value::Text(text)) => text.text.to_string(),
        width => {
            let width = width.map_or(Ok(4), |width| int_argument(&width, "width"))?;
            pad_text("", "rjust", width, " ", budget)?
        }
    };
    let with_newline = format!("{s}\n");
    let lines = super::text_split::split_lines(&with_newline, false);
    budget.charge_bytes(
        s.len()
            .saturating_add(indention.len().saturating_mul(lines.len())),
    )?;
    let mut out = String::new();
    for (i, line) in lines.iter().enumerate() {
        out.push_str(if i > 0 { "\n" } else { "" });
        let indented = if i == 0 {
            first
        } else {
            blank || !line.is_empty()
        };
        out.push_str(if indented { &indention } else { "" });
        out.push_str(line);
    }
    Ok(out)
}

fn truncate(s: &str, arguments: Args) -> Result<String> {
    let [length, kill_words, end, leeway] =
        arguments.take("truncate", ["length", "killwords", "end", "leeway"])?;
    let number = |value: Option<Value>, otherwise: i128| match value {
        None | Some(Value::None) => Ok(otherwise),
        Some(value) => int_argument(&value, "length, leeway"),
    };
    let (length, leeway) = (number(length, 255)?, number(leeway, 5)?);
    let end = match end {
        Some(end) => text_argument(&end, "end")?,
        None => "...".into(),
    };
    let rest = length - char_count(&end) as i128;
    if rest < 0 || leeway < 0 {
        return Err("truncate(): expected a length that the end fits into".into());
    }
    if char_count(s) as i128 <= length.saturating_add(leeway) {
        return Ok(s.to_string());
    }
    let mut cut: String = s.chars().take(rest as usize).collect();
    if !kill_words.is_some_and(|kill| kill.is_true()) {
        let words = cut.rfind(' ').unwrap_or(cut.len());
        cut.truncate(words);
    }
    Ok(cut + &end)
}
