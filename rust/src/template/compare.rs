//! Comparisons and membership, as Python's operators have them.

use super::operators::{as_int, items, unsupported};
use super::text::{as_float, charge_bytes};
use super::values::{as_dict, as_list, fail, type_name, Kind, Result};
use minijinja::value::ValueKind;
use minijinja::{State, Value};
use std::cmp::Ordering;

/// `a operator b`; `(in)` and `(not in)` are written as the rewriter names them.
pub fn holds(state: &State, operator: &str, a: &Value, b: &Value) -> Result<bool> {
    Ok(match operator {
        "==" => equal(state, a, b)?,
        "!=" => !equal(state, a, b)?,
        "(in)" => contains(state, b, a)?,
        "(not in)" => !contains(state, b, a)?,
        _ => {
            let order = compare(state, operator, a, b)?;
            match operator {
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                ">" => order.is_gt(),
                _ => order.is_ge(),
            }
        }
    })
}

/// `a < b == c`: operands with the names of the operators between them.
pub fn chain(state: &mut State, operands: &[Value]) -> Result<Value> {
    for link in operands.windows(3).step_by(2) {
        let operator = link[1].as_str().unwrap_or_default();
        if !holds(state, operator, &link[0], &link[2])? {
            return Ok(false.into());
        }
    }
    Ok(true.into())
}

pub fn equal(state: &State, a: &Value, b: &Value) -> Result<bool> {
    state.consume_fuel(1)?;
    if let (Some(a), Some(b)) = (as_list(a), as_list(b)) {
        if !matches!(a.kind, Kind::List | Kind::Tuple) {
            return fail("comparing views or generators is not supported");
        }
        if a.kind != b.kind || a.items.len() != b.items.len() {
            return Ok(false);
        }
        for (a, b) in a.items.iter().zip(&b.items) {
            if !equal(state, a, b)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    if let (Some(a), Some(b)) = (as_dict(a), as_dict(b)) {
        if a.entries.len() != b.entries.len() {
            return Ok(false);
        }
        for (key, value) in &a.entries {
            match b.entries.get(key) {
                Some(other) if equal(state, value, other)? => {}
                _ => return Ok(false),
            }
        }
        return Ok(true);
    }
    if let (Some(a), Some(b)) = (as_int(a), as_int(b)) {
        return Ok(a == b);
    }
    if let (Some(a), Some(b)) = (as_float(a), as_float(b)) {
        return Ok(a == b);
    }
    match (a.kind(), b.kind()) {
        (ValueKind::String, ValueKind::String) => {
            charge_bytes(state, a.as_str().map_or(0, str::len))?;
            Ok(a.as_str() == b.as_str())
        }
        (ValueKind::None, ValueKind::None) => Ok(true),
        (ValueKind::Undefined, ValueKind::Undefined) => Ok(true),
        _ => match (a.as_object(), b.as_object()) {
            (Some(_), Some(_)) if as_list(a).is_none() && as_dict(a).is_none() => {
                fail(format!("comparing a {} is not supported", type_name(a)))
            }
            _ => Ok(false),
        },
    }
}

/// The order that `operator`, which stands in errors, goes by.
pub fn compare(state: &State, operator: &str, a: &Value, b: &Value) -> Result<Ordering> {
    state.consume_fuel(1)?;
    if let (Some(a), Some(b)) = (a.as_str(), b.as_str()) {
        charge_bytes(state, a.len())?;
        return Ok(a.cmp(b));
    }
    if let (Some(a), Some(b)) = (as_int(a), as_int(b)) {
        return Ok(a.cmp(&b));
    }
    if let (Some(a), Some(b)) = (as_float(a), as_float(b)) {
        return a
            .partial_cmp(&b)
            .map_or_else(|| fail("comparing nan is not supported"), Ok);
    }
    match (as_list(a), as_list(b)) {
        (Some(left), Some(right)) if left.kind == right.kind => {
            for (a, b) in left.items.iter().zip(&right.items) {
                if !equal(state, a, b)? {
                    return compare(state, operator, a, b);
                }
            }
            Ok(left.items.len().cmp(&right.items.len()))
        }
        _ => unsupported(operator, a, b),
    }
}

pub fn contains(state: &State, container: &Value, value: &Value) -> Result<bool> {
    if let Some(text) = container.as_str() {
        charge_bytes(state, text.len())?;
        return match value.as_str() {
            Some(part) => Ok(text.contains(part)),
            None => fail(format!(
                "'in <str>' requires a str, not {}",
                type_name(value)
            )),
        };
    }
    if let Some(dict) = as_dict(container) {
        hashable(value)?;
        return Ok(dict.entries.contains_key(value));
    }
    for item in items(state, container)? {
        if equal(state, &item, value)? {
            return Ok(true);
        }
    }
    Ok(false)
}

pub fn hashable(key: &Value) -> Result<()> {
    match (as_list(key), key.as_object(), key.kind()) {
        (Some(list), ..) if list.kind == Kind::Tuple => {
            fail("a tuple as key of a dict is not supported")
        }
        (_, Some(_), _) | (_, _, ValueKind::Undefined) => {
            fail(format!("a {} cannot be the key of a dict", type_name(key)))
        }
        _ => Ok(()),
    }
}
