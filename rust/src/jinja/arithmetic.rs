//! The operators + - * / // % ** on values.

use super::budget::Budget;
use super::printf;
use super::text::escape_html;
use super::value::{Items, Text, Value};
use super::Result;
use std::rc::Rc;

#[derive(Clone, Copy, PartialEq)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
}

impl Operator {
    pub fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::FloorDivide => "//",
            Self::Remainder => "%",
            Self::Power => "**",
        }
    }
}

pub fn apply(operator: Operator, a: Value, b: Value, budget: &Budget) -> Result<Value> {
    if let (Operator::Remainder, Value::Text(format)) = (operator, &a) {
        return printf::format(format, &b, budget);
    }
    let (a, b) = (a.defined()?, b.defined()?);
    match (operator, &a, &b) {
        (Operator::Add, Value::Text(a), Value::Text(b)) => concatenate(a, b, budget),
        (Operator::Add, Value::List(a), Value::List(b)) => Value::list(chain(a, b, budget)?),
        (Operator::Add, Value::Tuple(a), Value::Tuple(b)) => Value::tuple(chain(a, b, budget)?),
        (Operator::Multiply, Value::Text(_) | Value::List(_) | Value::Tuple(_), _) => {
            repeat(&a, &b, budget)
        }
        (Operator::Multiply, _, Value::Text(_) | Value::List(_) | Value::Tuple(_)) => {
            repeat(&b, &a, budget)
        }
        _ => numbers(operator, &a, &b),
    }
}

fn concatenate(a: &Text, b: &Text, budget: &Budget) -> Result<Value> {
    budget.charge_bytes(a.text.len() + b.text.len())?;
    let markup = a.markup || b.markup;
    let part = |text: &Text| {
        if markup && !text.markup {
            escape_html(&text.text)
        } else {
            text.text.to_string()
        }
    };
    let text = (part(a) + &part(b)).into();
    Ok(Value::Text(Text { text, markup }))
}

fn chain(a: &Items, b: &Items, budget: &Budget) -> Result<Vec<Value>> {
    budget.charge(a.items.len() + b.items.len())?;
    Ok(a.items.iter().chain(&b.items).cloned().collect())
}

fn repeat(what: &Value, times: &Value, budget: &Budget) -> Result<Value> {
    let times = times.as_int().ok_or_else(|| {
        format!(
            "can't multiply sequence by non-int of type '{}'",
            times.type_name()
        )
    })?;
    let times = usize::try_from(times.max(0)).unwrap_or(usize::MAX);
    let repeated = |items: &Rc<Items>| -> Result<Vec<Value>> {
        let size = items.items.len().saturating_mul(times);
        budget.charge(size)?;
        Ok(items.items.iter().cycle().take(size).cloned().collect())
    };
    match what {
        Value::Text(text) => {
            budget.charge_bytes(text.text.len().saturating_mul(times))?;
            // An empty text costs nothing however often it is repeated.
            let times = if text.text.is_empty() { 0 } else { times };
            let (text, markup) = (text.text.repeat(times).into(), text.markup);
            Ok(Value::Text(Text { text, markup }))
        }
        Value::List(items) => Value::list(repeated(items)?),
        Value::Tuple(items) => Value::tuple(repeated(items)?),
        _ => Ok(Value::None),
    }
}

fn numbers(operator: Operator, a: &Value, b: &Value) -> Result<Value> {
    if let (Some(a), Some(b)) = (a.as_int(), b.as_int()) {
        return integers(operator, a, b);
    }
    if let (Some(a), Some(b)) = (a.as_number(), b.as_number()) {
        return floats(operator, a, b).map(Value::Float);
    }
    Err(format!(
        "unsupported operand type(s) for {}: '{}' and '{}'",
        operator.sign(),
        a.type_name(),
        b.type_name()
    ))
}

fn integers(operator: Operator, a: i128, b: i128) -> Result<Value> {
    let divides = matches!(
        operator,
        Operator::Divide | Operator::FloorDivide | Operator::Remainder
    );
    if divides && b == 0 {
        return Err(format!("{a} {} 0: division by zero", operator.sign()));
    }
    let result = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide => return Ok(Value::Float(a as f64 / b as f64)),
        Operator::FloorDivide => a.checked_div_euclid(b).map(|quotient| {
            // Towards minus infinity, which Euclid's is only for a positive divisor.
            quotient - i128::from(b < 0 && a.rem_euclid(b) != 0)
        }),
        Operator::Remainder => {
            a.checked_rem_euclid(b)
                .map(|rest| if b < 0 && rest != 0 { rest + b } else { rest })
        }
        Operator::Power if b < 0 => return floats(operator, a as f64, b as f64).map(Value::Float),
        Operator::Power => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
    };
    result
        .map(Value::Int)
        .ok_or_else(|| format!("{a} {} {b} is too large a number", operator.sign()))
}

fn floats(operator: Operator, a: f64, b: f64) -> Result<f64> {
    let divides = matches!(
        operator,
        Operator::Divide | Operator::FloorDivide | Operator::Remainder
    );
    if b == 0.0 && divides || a == 0.0 && b < 0.0 && operator == Operator::Power {
        return Err(format!("{a:?} {} {b:?}: division by zero", operator.sign()));
    }
    // The remainder has the sign of the divisor.
    let rest = || {
        let rest = a % b;
        if rest != 0.0 && (rest < 0.0) != (b < 0.0) {
            rest + b
        } else if rest == 0.0 {
            rest.copysign(b)
        } else {
            rest
        }
    };
    let result = match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => a / b,
        Operator::FloorDivide => ((a - rest()) / b).round(),
        Operator::Remainder => rest(),
        Operator::Power => a.powf(b),
    };
    if operator == Operator::Power && result.is_nan() && !a.is_nan() && !b.is_nan() {
        return Err(format!("{a:?} ** {b:?} is no real number"));
    }
    if operator == Operator::Power && result.is_infinite() && a.is_finite() && b.is_finite() {
        return Err(format!("{a:?} ** {b:?} is too large a number"));
    }
    Ok(result)
}

pub fn negate(value: Value) -> Result<Value> {
    match value.defined()? {
        Value::Float(value) => Ok(Value::Float(-value)),
        value => match value.as_int().and_then(i128::checked_neg) {
            Some(negative) => Ok(Value::Int(negative)),
            None => Err(format!(
                "bad operand type for unary -: '{}'",
                value.type_name()
            )),
        },
    }
}

pub fn plus(value: Value) -> Result<Value> {
    match value.defined()? {
        value @ (Value::Float(_) | Value::Int(_)) => Ok(value),
        value => match value.as_int() {
            Some(int) => Ok(Value::Int(int)),
            None => Err(format!(
                "bad operand type for unary +: '{}'",
                value.type_name()
            )),
        },
    }
}
