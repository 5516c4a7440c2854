//! The tests of Jinja: what stands behind `is`.

use super::arguments::{required, Args};
use super::arithmetic::{self, Operator};
use super::compare::{contains, equal, order};
use super::filters;
use super::interpreter::Interpreter;
use super::text::str_of;
use super::value::Value;
use super::Result;
use std::cmp::Ordering;
use std::rc::Rc;

const PLAIN: &[&str] = &[
    "boolean",
    "callable",
    "defined",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "integer",
    "iterable",
    "lower",
    "mapping",
    "none",
    "number",
    "odd",
    "sequence",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

const WITH_OPERAND: &[&str] = &[
    "!=",
    "<",
    "<=",
    "==",
    ">",
    ">=",
    "divisibleby",
    "eq",
    "equalto",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "le",
    "lessthan",
    "lt",
    "ne",
    "sameas",
];

impl Interpreter<'_> {
    pub(super) fn test(&mut self, name: &str, value: &Value, arguments: Args) -> Result<bool> {
        self.budget.charge(1)?;
        if PLAIN.contains(&name) {
            arguments.none(name)?;
            return self.plain_test(name, value);
        }
        if !WITH_OPERAND.contains(&name) {
            return Err(format!("there is no test '{name}'"));
        }
        let [operand] = arguments.take(name, ["other"])?;
        let operand = required(operand, "other")?;
        let budget = &self.budget;
        let ordered = |sign: &str, wanted: &[Ordering]| -> Result<bool> {
            let found = order(value, &operand, sign, budget)?;
            Ok(found.is_some_and(|found| wanted.contains(&found)))
        };
        match name {
            "==" | "eq" | "equalto" => equal(value, &operand, budget),
            "!=" | "ne" => Ok(!equal(value, &operand, budget)?),
            "<" | "lt" | "lessthan" => ordered("<", &[Ordering::Less]),
            "<=" | "le" => ordered("<=", &[Ordering::Less, Ordering::Equal]),
            ">" | "gt" | "greaterthan" => ordered(">", &[Ordering::Greater]),
            ">=" | "ge" => ordered(">=", &[Ordering::Greater, Ordering::Equal]),
            "in" => contains(&operand, value, budget),
            "divisibleby" => self.has_rest(value, operand, 0),
            _ => Ok(same(value, &operand)),
        }
    }

    fn has_rest(&self, value: &Value, divisor: Value, wanted: i128) -> Result<bool> {
        let rest = arithmetic::apply(Operator::Remainder, value.clone(), divisor, &self.budget)?;
        equal(&rest, &Value::Int(wanted), &self.budget)
    }

    fn plain_test(&self, name: &str, value: &Value) -> Result<bool> {
        Ok(match name {
            "defined" => !value.is_undefined(),
            "undefined" => value.is_undefined(),
            "none" => value.is_none(),
            "boolean" => matches!(value, Value::Bool(_)),
            "true" => matches!(value, Value::Bool(true)),
            "false" => matches!(value, Value::Bool(false)),
            "integer" => matches!(value, Value::Int(_)),
            "float" => matches!(value, Value::Float(_)),
            "number" => value.as_number().is_some(),
            "string" => matches!(value, Value::Text(_)),
            "escaped" => matches!(value, Value::Text(text) if text.markup),
            "mapping" => matches!(value, Value::Dict(_)),
            "sequence" => matches!(
                value,
                Value::Text(_)
                    | Value::List(_)
                    | Value::Tuple(_)
                    | Value::Dict(_)
                    | Value::Range(_)
                    | Value::Undefined(_)
            ),
            "iterable" => matches!(
                value,
                Value::Text(_)
                    | Value::List(_)
                    | Value::Tuple(_)
                    | Value::Dict(_)
                    | Value::View(..)
                    | Value::Range(_)
                    | Value::Generator(_)
                    | Value::Loop(_)
                    | Value::Undefined(_)
            ),
            "callable" => matches!(
                value,
                Value::Macro(_)
                    | Value::Function(_)
                    | Value::Method(..)
                    | Value::Loop(_)
                    | Value::Undefined(_)
            ),
            "odd" => self.has_rest(value, Value::Int(2), 1)?,
            "even" => self.has_rest(value, Value::Int(2), 0)?,
            "filter" => value.as_text().is_some_and(filters::exists),
            "test" => value
                .as_text()
                .is_some_and(|name| PLAIN.contains(&name) || WITH_OPERAND.contains(&name)),
            _ => {
                let text = str_of(value, &self.budget)?.text;
                let (upper, lower) = (char::is_uppercase, char::is_lowercase);
                match name {
                    "upper" => text.chars().any(upper) && !text.chars().any(lower),
                    _ => text.chars().any(lower) && !text.chars().any(upper),
                }
            }
        })
    }
}

/// Python's `is`, which tells equal lists apart.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::None, Value::None) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => a.text == b.text,
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => Rc::ptr_eq(a, b),
        (Value::Dict(a), Value::Dict(b)) => Rc::ptr_eq(a, b),
        (Value::Namespace(a), Value::Namespace(b)) => a == b,
        _ => false,
    }
}
