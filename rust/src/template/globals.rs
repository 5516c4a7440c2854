//! What templates call by a name: what transformers and Jinja2 put into their scope.

use super::arguments::{bind, split};
use super::compare::hashable;
use super::operators::{as_int, charged_list, int_value, items, Function};
use super::text::str_of;
use super::values::{as_dict, as_list, fail, new_dict, Kind, Result};
use super::Rendered;
use indexmap::IndexMap;
use minijinja::value::ValueOrKwargs;
use minijinja::{State, Value};
use std::fmt::Write;

/// As Jinja2 bounds it.
const MAX_RANGE: i128 = 100_000;
const MAX_FORMAT: usize = 1000;

pub const FUNCTIONS: [(&str, Function); 4] = [
    ("raise_exception", raise),
    ("range", range),
    ("dict", dict),
    ("namespace", namespace),
];

fn raise(state: &mut State, arguments: &[Value]) -> Result<Value> {
    let [message] = bind("raise_exception", arguments, ["message"])?;
    fail(format!(
        "the template refuses: {}",
        str_of(state, &message.unwrap_or_default())?
    ))
}

fn range(state: &mut State, arguments: &[Value]) -> Result<Value> {
    let bounds: Option<Vec<i128>> = arguments.iter().map(as_int).collect();
    let (start, stop, step) = match bounds.as_deref() {
        Some([stop]) => (0, *stop, 1),
        Some([start, stop]) => (*start, *stop, 1),
        Some([start, stop, step]) if *step != 0 => (*start, *stop, *step),
        _ => return fail("range: expected one to three integers, the last not 0"),
    };
    let distance = if step > 0 {
        stop.saturating_sub(start)
    } else {
        start.saturating_sub(stop)
    };
    let size = distance.max(0).saturating_add(step.saturating_abs() - 1) / step.saturating_abs();
    if size > MAX_RANGE {
        return fail(format!(
            "range() makes at most {MAX_RANGE} items, not {size}"
        ));
    }
    let items = (0..size).map(|i| int_value(start + i * step));
    charged_list(state, items.collect(), Kind::View("range"))
}

fn dict(state: &mut State, arguments: &[Value]) -> Result<Value> {
    let (positional, named) = split(arguments);
    let mut entries = match (positional, positional.first().and_then(as_dict)) {
        ([], _) => IndexMap::new(),
        ([_], Some(dict)) => dict.entries.clone(),
        ([pairs], _) => entries_of(items(state, pairs)?)?,
        _ => return fail("dict: expected at most one dict, and names"),
    };
    entries.extend(named.into_iter().map(|(name, value)| (name.into(), value)));
    state.consume_fuel(entries.len() as u64)?;
    new_dict(entries)
}

/// The entries of a dict given as pairs.
fn entries_of(pairs: Vec<Value>) -> Result<IndexMap<Value, Value>> {
    let mut entries = IndexMap::new();
    for pair in pairs {
        match as_list(&pair).map(|pair| &pair.items[..]) {
            Some([key, value]) => {
                hashable(key)?;
                entries.insert(key.clone(), value.clone());
            }
            _ => return fail("dict: expected a dict or pairs of key and value"),
        }
    }
    Ok(entries)
}

fn namespace(state: &mut State, arguments: &[Value]) -> Result<Value> {
    let members = dict(state, arguments)?;
    let entries = as_dict(&members).map(|dict| &dict.entries);
    for name in entries.into_iter().flat_map(|entries| entries.keys()) {
        if name.as_str().is_none_or(|name| name.starts_with('_')) {
            return fail(format!("namespace: {name} is not supported as a name"));
        }
    }
    minijinja::functions::namespace(Some(ValueOrKwargs::from(members)))
}

/// What a generation block calls: marks around what its body writes.
pub fn generation(state: &mut State, arguments: &[Value], mark: char) -> Result<Value> {
    let (_, named) = split(arguments);
    match named.iter().find(|(name, _)| name == "caller") {
        Some((_, caller)) => Ok(format!("{mark}{}{mark}", caller.call(state, &[])?).into()),
        None => fail("generation is undefined"),
    }
}

/// Every other mark begins a block, as they do not nest.
pub fn without_marks(marked: &str, mark: char) -> Rendered {
    let mut text = String::with_capacity(marked.len());
    let mut assistant = Vec::new();
    for (i, part) in marked.split(mark).enumerate() {
        if i % 2 == 1 {
            assistant.push((text.len(), text.len() + part.len()));
        }
        text.push_str(part);
    }
    Rendered { text, assistant }
}

/// A character that texts which can come into a rendering do not contain.
pub fn unused_mark(texts: &[&str]) -> std::result::Result<char, String> {
    let written = |c: char, text: &str| {
        let escape = format!("{:04x}", c as u32);
        let mut escapes = text
            .match_indices("\\u")
            .filter_map(|(at, _)| text.get(at + 2..at + 6));
        text.contains(c) || escapes.any(|digits| digits.eq_ignore_ascii_case(&escape))
    };
    // Noncharacters, which text is not to contain.
    let mut marks = '\u{fdd0}'..='\u{fdef}';
    let unused = marks.find(|c| !texts.iter().any(|text| written(*c, text)));
    unused.ok_or_else(|| "the conversation contains every noncharacter".into())
}

pub fn strftime(format: &str, now: Option<i64>) -> Result<String> {
    let Some(time) = now.and_then(|now| chrono::DateTime::from_timestamp(now, 0)) else {
        return fail("strftime_now: no time was given");
    };
    if format.len() > MAX_FORMAT {
        return fail(format!(
            "strftime_now: the limit of {MAX_FORMAT} bytes for a format"
        ));
    }
    let mut directives = format.split('%').skip(1);
    while let Some(directive) = directives.next() {
        match directive.trim_start_matches(['-', '_', '0']).chars().next() {
            Some(c) if "YmdeHkIlMSjyCuwUWAaBbhpntFTRDXxcr".contains(c) => {}
            None if directive.is_empty() && directives.next().is_some() => {}
            _ => return fail(format!("strftime_now: %{directive} is not supported")),
        }
    }
    let mut text = String::new();
    match write!(text, "{}", time.format(format)) {
        Ok(()) => Ok(text),
        Err(_) => fail(format!("strftime_now: '{format}' is not supported")),
    }
}
