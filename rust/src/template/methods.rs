//! The methods of Python's `dict`, `list` and `tuple` that leave their object as it is.

use super::arguments::bind;
use super::compare::{equal, hashable};
use super::text::charge_bytes;
use super::text_methods;
use super::values::{
    as_dict, as_list, fail, new_dict, new_list, type_name, Dict, Kind, List, Result,
};
use minijinja::{Error, ErrorKind, State, Value};

pub fn call(state: &mut State, object: &Value, method: &str, arguments: &[Value]) -> Result<Value> {
    if object.is_safe() {
        return fail(format!(
            "{method} of text that passed the filter safe is not supported"
        ));
    }
    if let Some(text) = object.as_str() {
        // Some go over the text character by character.
        charge_bytes(state, text.len().saturating_mul(3))?;
        return text_methods::call(state, text, method, arguments);
    }
    match (as_dict(object), as_list(object)) {
        (Some(dict), _) => dict_method(state, dict, method, arguments),
        (_, Some(list)) if matches!(list.kind, Kind::List | Kind::Tuple) => {
            list_method(state, list, method, arguments)
        }
        _ if object.is_undefined() => fail(format!(
            "the value that .{method}() is called of is undefined"
        )),
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

pub fn unknown<T>(of: &str, method: &str) -> Result<T> {
    fail(format!("the method {method} of {of} is not supported"))
}

fn list_method(state: &State, list: &List, method: &str, arguments: &[Value]) -> Result<Value> {
    if method == "copy" && list.kind == Kind::List {
        let []: [Option<Value>; 0] = bind(method, arguments, [])?;
        return super::operators::charged_list(state, list.items.clone(), Kind::List);
    }
    if !matches!(method, "count" | "index") {
        return unknown("list", method);
    }
    let [wanted] = bind(method, arguments, ["value"])?;
    let wanted = wanted.unwrap_or_default();
    let mut places = Vec::new();
    for (i, item) in list.items.iter().enumerate() {
        if equal(state, item, &wanted)? {
            places.push(i);
        }
    }
    match (method, places.first()) {
        ("count", _) => Ok(places.len().into()),
        (_, Some(first)) => Ok((*first).into()),
        _ => fail("index: the value is not in the list"),
    }
}

fn dict_method(state: &State, dict: &Dict, method: &str, arguments: &[Value]) -> Result<Value> {
    let entries = dict.entries.iter();
    state.consume_fuel(if method == "get" {
        1
    } else {
        entries.len() as u64
    })?;
    if method != "get" {
        let []: [Option<Value>; 0] = bind(method, arguments, [])?;
    }
    match method {
        "get" => {
            let [key, default] = bind(method, arguments, ["key", "default"])?;
            let key = key.unwrap_or_default();
            hashable(&key)?;
            let found = dict.entries.get(&key).cloned();
            Ok(found.or(default).unwrap_or(Value::from(())))
        }
        "keys" => new_list(
            entries.map(|e| e.0.clone()).collect(),
            Kind::View("dict_keys"),
        ),
        "values" => new_list(
            entries.map(|e| e.1.clone()).collect(),
            Kind::View("dict_values"),
        ),
        "items" => new_list(pairs(dict)?, Kind::View("dict_items")),
        "copy" => new_dict(dict.entries.clone()),
        _ => match dict.get(method) {
            Some(value) => fail(format!("a {} cannot be called", type_name(value))),
            None => fail(format!("the method {method} of dict is not supported")),
        },
    }
}

/// Tuples of key and value.
pub fn pairs(dict: &Dict) -> Result<Vec<Value>> {
    let pair =
        |(key, value): (&Value, &Value)| new_list(vec![key.clone(), value.clone()], Kind::Tuple);
    dict.entries.iter().map(pair).collect()
}
