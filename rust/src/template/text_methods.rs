//! The methods of Python's `str`.

use super::arguments::{bind, count, flag, maybe_text, text, texts};
use super::methods::unknown;
use super::operators::{charged_list, items};
use super::str_format;
use super::text::{charge_bytes, Sink};
use super::values::{fail, new_list, Kind, Result};
use minijinja::{State, Value};

pub fn call(state: &State, s: &str, method: &str, arguments: &[Value]) -> Result<Value> {
    let none = || bind(method, arguments, []).map(|[]: [Option<Value>; 0]| ());
    Ok(match method {
        "strip" | "lstrip" | "rstrip" => {
            let [chars] = bind(method, arguments, ["chars"])?;
            let chars = maybe_text(method, &chars)?;
            strip(s, chars, method != "rstrip", method != "lstrip").into()
        }
        "upper" => none().map(|()| s.to_uppercase().into())?,
        "lower" => none().map(|()| s.to_lowercase().into())?,
        "capitalize" => none().map(|()| capitalize(s).into())?,
        "title" => none().map(|()| title(s).into())?,
        "startswith" | "endswith" | "removeprefix" | "removesuffix" => end(s, method, arguments)?,
        "split" | "rsplit" => split(state, s, method, arguments)?,
        "splitlines" => {
            let [keep] = bind(method, arguments, ["keepends"])?;
            list_of(state, lines(s, flag(&keep)))?
        }
        "partition" | "rpartition" => partition(s, method, arguments)?,
        "replace" => {
            let [old, new, limit] = bind(method, arguments, ["old", "new", "count"])?;
            let (old, new) = (text(method, &old)?, text(method, &new)?);
            replace(state, s, old, new, count(method, &limit)?)?.into()
        }
        "find" | "rfind" | "index" => find(s, method, arguments)?,
        "ljust" | "rjust" | "center" | "zfill" => widen(state, s, method, arguments)?,
        "count" => {
            let [wanted] = bind(method, arguments, ["sub"])?;
            match text(method, &wanted)? {
                "" => (s.chars().count() + 1).into(),
                wanted => s.matches(wanted).count().into(),
            }
        }
        "join" => {
            let [parts] = bind(method, arguments, ["iterable"])?;
            join(state, s, &parts.unwrap_or(().into()))?
        }
        "format" => str_format::format(state, s, arguments)?.into(),
        "isspace" => none().map(|()| (!s.is_empty() && s.chars().all(is_space)).into())?,
        "isascii" => none().map(|()| s.is_ascii().into())?,
        "isalpha" | "isalnum" | "isdigit" | "isdecimal" | "isnumeric" | "isupper" | "islower" => {
            none()?;
            if !s.is_ascii() {
                return fail(format!("{method} of text beyond ASCII is not supported"));
            }
            is_made_of(s, method).into()
        }
        _ => return unknown("str", method),
    })
}

fn end(s: &str, method: &str, arguments: &[Value]) -> Result<Value> {
    let [wanted] = bind(method, arguments, ["prefix"])?;
    Ok(match method {
        "startswith" => texts(method, &wanted)?
            .iter()
            .any(|w| s.starts_with(w))
            .into(),
        "endswith" => texts(method, &wanted)?
            .iter()
            .any(|w| s.ends_with(w))
            .into(),
        "removeprefix" => s.strip_prefix(text(method, &wanted)?).unwrap_or(s).into(),
        _ => s.strip_suffix(text(method, &wanted)?).unwrap_or(s).into(),
    })
}

fn split(state: &State, s: &str, method: &str, arguments: &[Value]) -> Result<Value> {
    let [separator, limit] = bind(method, arguments, ["sep", "maxsplit"])?;
    let limit = usize::try_from(count(method, &limit)?).unwrap_or(usize::MAX);
    let parts = match maybe_text(method, &separator)? {
        Some("") => return fail(format!("{method}: empty separator")),
        Some(separator) if method == "split" => {
            s.splitn(limit.saturating_add(1), separator).collect()
        }
        Some(separator) => {
            let mut parts: Vec<&str> = s.rsplitn(limit.saturating_add(1), separator).collect();
            parts.reverse();
            parts
        }
        None => words(s, limit, method == "split"),
    };
    list_of(state, parts)
}

fn partition(s: &str, method: &str, arguments: &[Value]) -> Result<Value> {
    let [separator] = bind(method, arguments, ["sep"])?;
    let separator = text(method, &separator)?;
    if separator.is_empty() {
        return fail(format!("{method}: empty separator"));
    }
    let found = match method {
        "partition" => s.split_once(separator),
        _ => s.rsplit_once(separator),
    };
    let parts = match found {
        Some((before, behind)) => [before, separator, behind],
        None if method == "partition" => [s, "", ""],
        None => ["", "", s],
    };
    new_list(parts.map(Value::from).to_vec(), Kind::Tuple)
}

fn find(s: &str, method: &str, arguments: &[Value]) -> Result<Value> {
    let [wanted] = bind(method, arguments, ["sub"])?;
    let wanted = text(method, &wanted)?;
    let found = match method {
        "rfind" => s.rfind(wanted),
        _ => s.find(wanted),
    };
    match found {
        Some(at) => Ok(s[..at].chars().count().into()),
        None if method == "index" => fail("index: substring not found"),
        None => Ok(Value::from(-1)),
    }
}

fn widen(state: &State, s: &str, method: &str, arguments: &[Value]) -> Result<Value> {
    let [width, fill] = bind(method, arguments, ["width", "fillchar"])?;
    let fill = match (method, fill.as_ref().map(|fill| fill.as_str())) {
        ("zfill", None) if !s.starts_with(['+', '-']) => "0",
        (_, None) if method != "zfill" => " ",
        (_, Some(Some(fill))) if fill.chars().count() == 1 && method != "zfill" => fill,
        _ => return fail(format!("{method}: these arguments are not supported")),
    };
    let width = usize::try_from(count(method, &width)?).unwrap_or(0);
    let missing = width.saturating_sub(s.chars().count());
    charge_bytes(state, missing.saturating_mul(fill.len()))?;
    let left = match method {
        "ljust" => 0,
        "center" => missing / 2 + (missing & width & 1),
        _ => missing,
    };
    Ok([&fill.repeat(left), s, &fill.repeat(missing - left)]
        .concat()
        .into())
}

fn join(state: &State, s: &str, parts: &Value) -> Result<Value> {
    let mut sink = Sink::new(state);
    for (i, part) in items(state, parts)?.into_iter().enumerate() {
        sink.push(if i > 0 { s } else { "" })?;
        sink.push(text("join", &Some(part))?)?;
    }
    Ok(sink.text.into())
}

fn list_of(state: &State, parts: Vec<&str>) -> Result<Value> {
    charged_list(
        state,
        parts.into_iter().map(Value::from).collect(),
        Kind::List,
    )
}

/// What `str.isspace` says of a character.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// `text.strip(chars)` at one end or both.
pub fn strip<'a>(text: &'a str, chars: Option<&str>, left: bool, right: bool) -> &'a str {
    let out = |c: char| chars.map_or_else(|| is_space(c), |chars| chars.contains(c));
    let text = if left {
        text.trim_start_matches(out)
    } else {
        text
    };
    if right {
        text.trim_end_matches(out)
    } else {
        text
    }
}

fn is_made_of(s: &str, method: &str) -> bool {
    let all = |kind: fn(&char) -> bool| !s.is_empty() && s.chars().all(|c| kind(&c));
    let any = |kind: fn(&char) -> bool| s.chars().any(|c| kind(&c));
    match method {
        "isalpha" => all(char::is_ascii_alphabetic),
        "isalnum" => all(char::is_ascii_alphanumeric),
        "isupper" => any(char::is_ascii_uppercase) && !any(char::is_ascii_lowercase),
        "islower" => any(char::is_ascii_lowercase) && !any(char::is_ascii_uppercase),
        _ => all(char::is_ascii_digit),
    }
}

/// `split()` at white space.
fn words(s: &str, limit: usize, from_left: bool) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = strip(s, None, from_left, !from_left);
    while !rest.is_empty() && words.len() < limit {
        let (word, behind) = match from_left {
            true => rest.split_at(rest.find(is_space).unwrap_or(rest.len())),
            false => {
                let at = rest.char_indices().rev().find(|(_, c)| is_space(*c));
                let (behind, word) = rest.split_at(at.map_or(0, |(i, c)| i + c.len_utf8()));
                (word, behind)
            }
        };
        words.push(word);
        rest = strip(behind, None, from_left, !from_left);
    }
    if !rest.is_empty() {
        words.push(rest);
    }
    if !from_left {
        words.reverse();
    }
    words
}

/// `splitlines`, at every line end that Python knows.
pub fn lines(s: &str, keep: bool) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut begin = 0;
    let mut chars = s.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if !matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'
                ..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        ) {
            continue;
        }
        let mut end = at + c.len_utf8();
        if c == '\r' && chars.next_if(|next| next.1 == '\n').is_some() {
            end += 1;
        }
        lines.push(&s[begin..if keep { end } else { at }]);
        begin = end;
    }
    if begin < s.len() {
        lines.push(&s[begin..]);
    }
    lines
}

pub fn replace(state: &State, s: &str, old: &str, new: &str, limit: i64) -> Result<String> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let found = match old {
        "" => s.chars().count() + 1,
        old => s.matches(old).count(),
    };
    charge_bytes(state, found.min(limit).saturating_mul(new.len()))?;
    Ok(s.replacen(old, new, limit))
}

pub fn capitalize(s: &str) -> String {
    let mut chars = s.chars();
    chars.next().map_or_else(String::new, |first| {
        title_char(first) + &chars.as_str().to_lowercase()
    })
}

fn title_char(c: char) -> String {
    let mut upper = c.to_uppercase();
    let first: String = upper.next().into_iter().collect();
    first + &upper.collect::<String>().to_lowercase()
}

pub fn title(s: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in s.chars() {
        match inside {
            true => out.extend(c.to_lowercase()),
            false => out.push_str(&title_char(c)),
        }
        inside = c.is_lowercase() || c.is_uppercase();
    }
    out
}
