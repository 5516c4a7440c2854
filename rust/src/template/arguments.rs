//! The arguments of filters, functions and methods, by position and by name.

use super::values::{as_list, fail, type_name, Kind, Result};
use minijinja::Value;

/// Positional arguments and those by name.
pub fn split(arguments: &[Value]) -> (&[Value], Vec<(String, Value)>) {
    match arguments.split_last() {
        Some((named, positional)) if named.is_kwargs() => {
            let pairs = named.as_object().and_then(|named| named.try_iter_pairs());
            let pairs = pairs.into_iter().flatten();
            (
                positional,
                pairs
                    .map(|(name, value)| (name.to_string(), value))
                    .collect(),
            )
        }
        _ => (arguments, Vec::new()),
    }
}

/// The arguments by the names that Python gives them.
pub fn bind<const N: usize>(
    function: &str,
    arguments: &[Value],
    names: [&str; N],
) -> Result<[Option<Value>; N]> {
    let (positional, named) = split(arguments);
    if positional.len() > N {
        return fail(format!("{function}: too many arguments"));
    }
    let mut bound = [const { None }; N];
    for (slot, value) in bound.iter_mut().zip(positional) {
        *slot = Some(value.clone());
    }
    for (name, value) in named {
        match names.iter().position(|known| *known == name) {
            Some(place) if bound[place].is_none() => bound[place] = Some(value),
            _ => return fail(format!("{function}: unexpected argument '{name}'")),
        }
    }
    Ok(bound)
}

/// A text argument.
pub fn text<'a>(function: &str, value: &'a Option<Value>) -> Result<&'a str> {
    match value.as_ref().map(|value| (value.as_str(), value)) {
        Some((Some(text), _)) => Ok(text),
        Some((None, value)) => fail(format!(
            "{function}: expected a str, not {}",
            type_name(value)
        )),
        None => fail(format!("{function}: an argument is missing")),
    }
}

/// A text argument that may be None.
pub fn maybe_text<'a>(function: &str, value: &'a Option<Value>) -> Result<Option<&'a str>> {
    match value {
        Some(given) if !given.is_none() => text(function, value).map(Some),
        _ => Ok(None),
    }
}

/// A whole number, -1 without one.
pub fn count(function: &str, value: &Option<Value>) -> Result<i64> {
    match value {
        None => Ok(-1),
        Some(value) => match super::operators::as_int(value).map(i64::try_from) {
            Some(Ok(count)) => Ok(count),
            _ => fail(format!(
                "{function}: expected an int, not {}",
                type_name(value)
            )),
        },
    }
}

pub fn flag(value: &Option<Value>) -> bool {
    value.as_ref().is_some_and(Value::is_true)
}

/// One text, or a tuple of texts.
pub fn texts<'a>(function: &str, value: &'a Option<Value>) -> Result<Vec<&'a str>> {
    if let Some(tuple) = value
        .as_ref()
        .and_then(as_list)
        .filter(|l| l.kind == Kind::Tuple)
    {
        let texts: Option<Vec<&str>> = tuple.items.iter().map(Value::as_str).collect();
        return texts.map_or_else(|| fail(format!("{function}: expected a tuple of str")), Ok);
    }
    Ok(vec![text(function, value)?])
}
