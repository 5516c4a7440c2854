//! Members, items and slices, found where Jinja2 in the sandbox of transformers finds them.

use super::compare::hashable;
use super::operators::{as_int, charged_list};
use super::text::charge_bytes;
use super::values::{as_dict, as_list, as_method, fail, type_name, Kind, Method, Result};
use minijinja::value::ValueKind;
use minijinja::{State, Value};

pub const DICT_METHODS: &str =
    " clear copy fromkeys get items keys pop popitem setdefault update values ";
pub const STR_METHODS: &str = " capitalize casefold center count encode endswith expandtabs find \
    format format_map index isalnum isalpha isascii isdecimal isdigit isidentifier islower \
    isnumeric isprintable isspace istitle isupper join ljust lower lstrip maketrans partition \
    removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines \
    startswith strip swapcase title translate upper zfill ";
const LIST_METHODS: &str = " append clear copy count extend index insert pop remove reverse sort ";
const INT_METHODS: &str =
    " as_integer_ratio bit_count bit_length conjugate denominator from_bytes \
    imag is_integer numerator real to_bytes ";
const FLOAT_METHODS: &str = " as_integer_ratio conjugate fromhex hex imag is_integer real ";
/// What the sandbox of transformers hides.
const CHANGING: &str = " append clear extend insert pop popitem remove reverse setdefault sort \
    update format_map ";

/// What `getattr` finds; none if there is no such attribute.
fn method(value: &Value, name: &str) -> Result<Option<Value>> {
    let names = match type_name(value) {
        "dict" => DICT_METHODS,
        "str" => STR_METHODS,
        "list" => LIST_METHODS,
        "tuple" => " count index ",
        "int" | "bool" => INT_METHODS,
        "float" => FLOAT_METHODS,
        "range" => " count index start step stop ",
        "dict_items" | "dict_keys" | "dict_values" => " isdisjoint mapping ",
        "generator" => " close gi_code gi_frame gi_running gi_yieldfrom send throw ",
        _ => " ",
    };
    let listed = |names: &str| names.contains(&format!(" {name} "));
    if name.starts_with("__") || listed(names) && listed(CHANGING) {
        return fail(format!(
            "a template must not use {name} of a {}",
            type_name(value)
        ));
    }
    Ok(listed(names).then(|| Value::from_object(Method)))
}

/// Fails if the first argument is undefined; the third, if there is one, is what it is called.
pub fn defined(arguments: &[Value]) -> Result<()> {
    match arguments.get(2).and_then(Value::as_str) {
        Some(name) if arguments[0].is_undefined() => fail(format!("'{name}' is undefined")),
        _ => Ok(()),
    }
}

/// `value.name`
pub fn attribute(value: &Value, name: &str) -> Result<Value> {
    let found = match value.kind() {
        ValueKind::Undefined => {
            return fail(format!("the value that .{name} is taken of is undefined"));
        }
        ValueKind::None => None,
        _ => match as_dict(value) {
            Some(dict) if !DICT_METHODS.contains(name) && !name.starts_with("__") => {
                return Ok(dict.get(name).cloned().unwrap_or_default());
            }
            Some(dict) => method(value, name)?.or_else(|| dict.get(name).cloned()),
            None if value.as_object().is_none() || as_list(value).is_some() => method(value, name)?,
            None if as_method(value) => None,
            None => Some(value.get_attr(name)?),
        },
    };
    Ok(found.unwrap_or_default())
}

/// `value[key]`
pub fn item(value: &Value, key: &Value) -> Result<Value> {
    let found = match value.kind() {
        ValueKind::Undefined => {
            return fail("the value that an item is taken of is undefined");
        }
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            let count = || match text.is_ascii() {
                true => text.len(),
                false => text.chars().count(),
            };
            place(key, count).and_then(|place| match text.is_ascii() {
                true => text.get(place..place + 1).map(Value::from),
                false => text.chars().nth(place).map(Value::from),
            })
        }
        _ => match (as_list(value), as_dict(value)) {
            (Some(list), _) => match list.kind {
                Kind::List | Kind::Tuple | Kind::View("range") => {
                    place(key, || list.items.len()).and_then(|i| list.items.get(i).cloned())
                }
                _ => None,
            },
            (_, Some(dict)) if hashable(key).is_ok() => dict.entries.get(key).cloned(),
            _ => None,
        },
    };
    match (found, key.as_str()) {
        (Some(found), _) => Ok(found),
        (None, Some(name)) if as_dict(value).is_some() => {
            Ok(method(value, name)?.unwrap_or_default())
        }
        (None, Some(name)) => attribute(value, name),
        (None, None) => Ok(Value::UNDEFINED),
    }
}

fn place(key: &Value, count: impl Fn() -> usize) -> Option<usize> {
    let place = as_int(key)?;
    usize::try_from(if place < 0 {
        place + count() as i128
    } else {
        place
    })
    .ok()
}

/// `value[start:stop:step]`
pub fn slice(state: &mut State, arguments: &[Value]) -> Result<Value> {
    let value = &arguments[0];
    if value.is_undefined() {
        return fail("the value that a slice is taken of is undefined");
    }
    let bound = |value: &Value| match (value.is_none(), as_int(value)) {
        (true, _) => Ok(None),
        (_, Some(bound)) => Ok(Some(bound)),
        _ => fail(format!(
            "slice indices must be integers, not {}",
            type_name(value)
        )),
    };
    let (start, stop) = (bound(&arguments[1])?, bound(&arguments[2])?);
    let step = bound(&arguments[3])?.unwrap_or(1);
    if step == 0 {
        return fail("slice step cannot be zero");
    }
    if let Some(text) = value.as_str() {
        charge_bytes(state, text.len())?;
        if text.is_ascii() {
            let picked = picked(text.len(), start, stop, step);
            let text: String = picked.map(|i| text.as_bytes()[i] as char).collect();
            return Ok(text.into());
        }
        let chars: Vec<char> = text.chars().collect();
        let text: String = picked(chars.len(), start, stop, step)
            .map(|i| chars[i])
            .collect();
        return Ok(text.into());
    }
    match as_list(value) {
        Some(list) if matches!(list.kind, Kind::List | Kind::Tuple | Kind::View("range")) => {
            let picked = picked(list.items.len(), start, stop, step);
            let items = picked.map(|i| list.items[i].clone()).collect();
            charged_list(state, items, list.kind)
        }
        _ => fail(format!("slicing a {} is not supported", type_name(value))),
    }
}

/// The places that a slice picks of so many.
fn picked(
    count: usize,
    start: Option<i128>,
    stop: Option<i128>,
    step: i128,
) -> impl Iterator<Item = usize> {
    let count = count as i128;
    let (lowest, highest) = if step > 0 {
        (0, count)
    } else {
        (-1, count - 1)
    };
    let clamp =
        |bound: i128| (if bound < 0 { bound + count } else { bound }).clamp(lowest, highest);
    let (first, last) = if step > 0 {
        (lowest, highest)
    } else {
        (highest, lowest)
    };
    let (start, stop) = (start.map_or(first, clamp), stop.map_or(last, clamp));
    let inside = move |place: &i128| {
        if step > 0 {
            *place < stop
        } else {
            *place > stop
        }
    };
    std::iter::successors(Some(start), move |place| place.checked_add(step))
        .take_while(inside)
        .map(|place| place as usize)
}
