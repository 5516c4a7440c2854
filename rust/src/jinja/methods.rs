//! The methods of Python's objects other than text. None of them changes its object: the sandbox
//! of transformers forbids that.

use super::arguments::{required, Args};
use super::budget::Budget;
use super::compare::equal;
use super::text_methods;
use super::value::{Items, Value, View};
use super::Result;
use std::rc::Rc;

const DICT: &[&str] = &["copy", "get", "items", "keys", "values"];
const LIST: &[&str] = &["copy", "count", "index"];
const TUPLE: &[&str] = &["count", "index"];
const FLOAT: &[&str] = &["is_integer"];
const LOOP: &[&str] = &["changed", "cycle"];

const DICT_CHANGES: &[&str] = &["clear", "pop", "popitem", "setdefault", "update"];
const LIST_CHANGES: &[&str] = &[
    "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort",
];

pub fn find(value: &Value, name: &str) -> Option<&'static str> {
    let names = match value {
        Value::Text(_) => text_methods::NAMES,
        Value::Dict(_) => DICT,
        Value::List(_) => LIST,
        Value::Tuple(_) | Value::Range(_) => TUPLE,
        Value::Float(_) | Value::Int(_) | Value::Bool(_) => FLOAT,
        Value::Loop(_) => LOOP,
        _ => return None,
    };
    names.iter().find(|known| **known == name).copied()
}

/// Whether Python has a method of that name that changes the object.
pub fn changes(value: &Value, name: &str) -> bool {
    match value {
        Value::Dict(_) => DICT_CHANGES.contains(&name),
        Value::List(_) => LIST_CHANGES.contains(&name),
        _ => false,
    }
}

pub fn call(receiver: &Value, name: &str, arguments: Args, budget: &Budget) -> Result<Value> {
    match (receiver, name) {
        (Value::Dict(dict), "get") => {
            let [key, default] = arguments.take(name, ["key", "default"])?;
            let found = dict.get(&required(key, "key")?, budget)?.cloned();
            Ok(found.or(default).unwrap_or(Value::None))
        }
        (Value::Dict(dict), "items" | "keys" | "values") => {
            arguments.none(name)?;
            let view = match name {
                "items" => View::Items,
                "keys" => View::Keys,
                _ => View::Values,
            };
            Ok(Value::View(view, dict.clone()))
        }
        (Value::Dict(_) | Value::List(_), "copy") => {
            arguments.none(name)?;
            Ok(receiver.clone())
        }
        (Value::List(items) | Value::Tuple(items), "count") => {
            let [wanted] = arguments.take(name, ["value"])?;
            let places = find_all(items, &required(wanted, "value")?, budget)?;
            Ok(Value::Int(places.len() as i128))
        }
        (Value::List(items) | Value::Tuple(items), "index") => {
            let [wanted] = arguments.take(name, ["value"])?;
            let places = find_all(items, &required(wanted, "value")?, budget)?;
            match places.first() {
                Some(place) => Ok(Value::Int(*place as i128)),
                None => Err("index(): the value is not in the list".into()),
            }
        }
        (Value::Float(value), "is_integer") => {
            arguments.none(name)?;
            Ok(Value::Bool(value.fract() == 0.0))
        }
        (Value::Int(_) | Value::Bool(_), "is_integer") => {
            arguments.none(name)?;
            Ok(Value::Bool(true))
        }
        (Value::Range(_), _) => {
            let items = Value::list(receiver.iterate(budget)?)?;
            call(&items, name, arguments, budget)
        }
        _ => Err(format!(
            "{}.{name}() is not supported",
            receiver.type_name()
        )),
    }
}

fn find_all(items: &Rc<Items>, wanted: &Value, budget: &Budget) -> Result<Vec<usize>> {
    let mut places = Vec::new();
    for (place, item) in items.items.iter().enumerate() {
        if equal(item, wanted, budget)? {
            places.push(place);
        }
    }
    Ok(places)
}
