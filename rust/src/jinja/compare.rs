//! Equality, order and membership as Python has them.

use super::budget::Budget;
use super::dict::Dict;
use super::value::{Items, Value};
use super::Result;
use std::cmp::Ordering;
use std::rc::Rc;

pub fn equal(a: &Value, b: &Value, budget: &Budget) -> Result<bool> {
    budget.charge(1)?;
    Ok(match (a, b) {
        (Value::Undefined(_), Value::Undefined(_)) | (Value::None, Value::None) => true,
        (Value::Text(a), Value::Text(b)) => {
            budget.charge_bytes(a.text.len().min(b.text.len()))?;
            a.text == b.text
        }
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            equal_items(a, b, budget)?
        }
        (Value::Dict(a), Value::Dict(b)) => equal_dicts(a, b, budget)?,
        (Value::Range(a), Value::Range(b)) => {
            let (size, first) = (a.len(), a.at(0).as_int() == b.at(0).as_int());
            size == b.len() && (size == 0 || (first && (size == 1 || a.step == b.step)))
        }
        (Value::Namespace(a), Value::Namespace(b)) => a == b,
        (Value::Macro(a), Value::Macro(b)) => a == b,
        (Value::Function(a), Value::Function(b)) => a == b,
        (Value::Loop(a), Value::Loop(b)) => Rc::ptr_eq(a, b),
        _ => compare_numbers(a, b) == Some(Ordering::Equal),
    })
}

fn equal_items(a: &Rc<Items>, b: &Rc<Items>, budget: &Budget) -> Result<bool> {
    if Rc::ptr_eq(a, b) {
        return Ok(true);
    }
    if a.items.len() != b.items.len() {
        return Ok(false);
    }
    for (a, b) in a.items.iter().zip(&b.items) {
        if !equal(a, b, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn equal_dicts(a: &Rc<Dict>, b: &Rc<Dict>, budget: &Budget) -> Result<bool> {
    if Rc::ptr_eq(a, b) {
        return Ok(true);
    }
    if a.entries.len() != b.entries.len() {
        return Ok(false);
    }
    for (key, value) in &a.entries {
        match b.get(key, budget)? {
            Some(other) if equal(value, other, budget)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// None for what is no number, and for NaN.
fn compare_numbers(a: &Value, b: &Value) -> Option<Ordering> {
    match (a.as_int(), b.as_int()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        (Some(a), None) => compare_int(a, b.as_number()?),
        (None, Some(b)) => compare_int(b, a.as_number()?).map(Ordering::reverse),
        (None, None) => a.as_number()?.partial_cmp(&b.as_number()?),
    }
}

/// Exact: a float of at least 2^53 is a whole number.
fn compare_int(int: i128, float: f64) -> Option<Ordering> {
    if float.fract() == 0.0 && float.abs() < 1e38 {
        return Some(int.cmp(&(float as i128)));
    }
    (int as f64).partial_cmp(&float)
}

/// The order of two values for the operator `sign`; None if none of <, =, > holds.
pub fn order(a: &Value, b: &Value, sign: &str, budget: &Budget) -> Result<Option<Ordering>> {
    budget.charge(1)?;
    for value in [a, b] {
        if let Value::Undefined(undefined) = value {
            return Err(undefined.message());
        }
    }
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => {
            budget.charge_bytes(a.text.len().min(b.text.len()))?;
            Ok(Some(a.text.cmp(&b.text)))
        }
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            for (a, b) in a.items.iter().zip(&b.items) {
                if !equal(a, b, budget)? {
                    return order(a, b, sign, budget);
                }
            }
            Ok(Some(a.items.len().cmp(&b.items.len())))
        }
        _ if a.as_number().is_some() && b.as_number().is_some() => Ok(compare_numbers(a, b)),
        _ => Err(format!(
            "'{sign}' not supported between instances of '{}' and '{}'",
            a.type_name(),
            b.type_name()
        )),
    }
}

/// `item in container`
pub fn contains(container: &Value, item: &Value, budget: &Budget) -> Result<bool> {
    match container {
        Value::Text(text) => {
            budget.charge_bytes(text.text.len())?;
            match item {
                Value::Text(part) => Ok(text.text.contains(&*part.text)),
                _ => Err(format!(
                    "'in <string>' requires string as left operand, not {}",
                    item.type_name()
                )),
            }
        }
        Value::Dict(dict) => Ok(dict.get(item, budget)?.is_some()),
        _ => {
            for candidate in container.iterate(budget)? {
                if equal(&candidate, item, budget)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

/// Sorts in place, stably; `key` says what of an item counts.
pub fn sort(items: &mut [(Value, Value)], reverse: bool, budget: &Budget) -> Result<()> {
    let mut failure = None;
    items.sort_by(|a, b| {
        if failure.is_some() {
            return Ordering::Equal;
        }
        let (a, b) = if reverse { (&b.0, &a.0) } else { (&a.0, &b.0) };
        match order(a, b, "<", budget) {
            Ok(order) => order.unwrap_or(Ordering::Equal),
            Err(message) => {
                failure = Some(message);
                Ordering::Equal
            }
        }
    });
    failure.map_or(Ok(()), Err)
}
