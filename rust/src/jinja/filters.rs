//! The filters of Jinja: which there are, and those on numbers and single values.

use super::arguments::{int_argument, required, text_argument, Args};
use super::budget::Budget;
use super::interpreter::Interpreter;
use super::value::Value;
use super::{filters_items, filters_text, text, Result};

const SINGLE: &[&str] = &["abs", "attr", "d", "default", "float", "int", "round"];

pub fn exists(name: &str) -> bool {
    SINGLE.contains(&name)
        || filters_text::NAMES.contains(&name)
        || filters_items::NAMES.contains(&name)
}

impl Interpreter<'_> {
    pub(super) fn filter(&mut self, name: &str, value: Value, arguments: Args) -> Result<Value> {
        self.budget.charge(1)?;
        if filters_text::NAMES.contains(&name) {
            return filters_text::apply(name, value, arguments, &self.budget);
        }
        if filters_items::NAMES.contains(&name) {
            return self.deeper(|this| filters_items::apply(this, name, value, arguments));
        }
        match name {
            "default" | "d" => {
                let [otherwise, boolean] = arguments.take(name, ["default_value", "boolean"])?;
                let all_false = boolean.is_some_and(|boolean| boolean.is_true());
                if value.is_undefined() || all_false && !value.is_true() {
                    return Ok(otherwise.unwrap_or_else(|| Value::text("")));
                }
                Ok(value)
            }
            "attr" => {
                let [name] = arguments.take(name, ["name"])?;
                let name = text_argument(&required(name, "name")?, "name")?;
                self.plain_attribute(&value, &name)
            }
            "abs" => {
                arguments.none(name)?;
                match value.defined()? {
                    Value::Float(value) => Ok(Value::Float(value.abs())),
                    value => {
                        let int = value.as_int().and_then(i128::checked_abs);
                        let found = value.type_name();
                        int.map(Value::Int)
                            .ok_or_else(|| format!("bad operand for abs(): {found}"))
                    }
                }
            }
            "int" => int(value.defined()?, arguments, &self.budget),
            "float" => {
                let [otherwise] = arguments.take(name, ["default"])?;
                let float = to_float(&value.defined()?).map(Value::Float);
                Ok(float.unwrap_or(otherwise.unwrap_or(Value::Float(0.0))))
            }
            "round" => round(value.defined()?, arguments),
            _ => Err(format!("there is no filter '{name}'")),
        }
    }
}

fn to_float(value: &Value) -> Option<f64> {
    match value {
        Value::Text(text) => parse_float(text.text.trim_matches(text::is_space)),
        value => value.as_number(),
    }
}

fn parse_float(text: &str) -> Option<f64> {
    let body = text
        .strip_prefix(['+', '-'])
        .unwrap_or(text)
        .to_ascii_lowercase();
    let named = matches!(&*body, "inf" | "infinity" | "nan");
    let number = body
        .bytes()
        .all(|b| b.is_ascii_digit() || b".e+-_".contains(&b));
    if !named && !number {
        return None;
    }
    text.replace('_', "").parse().ok()
}

fn int(value: Value, arguments: Args, budget: &Budget) -> Result<Value> {
    let [otherwise, base] = arguments.take("int", ["default", "base"])?;
    let base = match base {
        Some(base) => int_argument(&base, "base")?,
        None => 10,
    };
    let base = u32::try_from(base)
        .ok()
        .filter(|base| (2..=36).contains(base));
    let base = base.ok_or("int(): base must be from 2 to 36")?;
    if let Value::Text(text) = &value {
        budget.charge_bytes(text.text.len())?;
    }
    let parsed = match &value {
        Value::Text(text) => {
            let digits = text.text.trim_matches(text::is_space).replace('_', "");
            i128::from_str_radix(&digits, base).ok()
        }
        value => value.as_int(),
    };
    let float = || to_float(&value).filter(|float| float.abs() < 1e38);
    let parsed = parsed.or_else(|| float().map(|float| float as i128));
    Ok(parsed
        .map(Value::Int)
        .unwrap_or(otherwise.unwrap_or(Value::Int(0))))
}

fn round(value: Value, arguments: Args) -> Result<Value> {
    let [precision, method] = arguments.take("round", ["precision", "method"])?;
    let precision = match precision {
        Some(precision) => int_argument(&precision, "precision")?,
        None => 0,
    };
    if !(-30..=300).contains(&precision) {
        return Err("round(): expected a precision from -30 to 300".into());
    }
    let method = match method {
        Some(method) => text_argument(&method, "method")?,
        None => "common".into(),
    };
    let number = value.as_number();
    let number = number.ok_or_else(|| format!("round(): found {}", value.type_name()))?;
    let scale = 10f64.powi(precision as i32);
    match (&*method, value.as_int()) {
        ("ceil", _) => Ok(Value::Float((number * scale).ceil() / scale)),
        ("floor", _) => Ok(Value::Float((number * scale).floor() / scale)),
        ("common", Some(int)) if precision >= 0 => Ok(Value::Int(int)),
        ("common", Some(int)) => Ok(Value::Int(round_int(int, 10i128.pow(-precision as u32)))),
        ("common", None) if precision >= 0 => {
            let places = precision as usize;
            let text = format!("{number:.places$}");
            Ok(Value::Float(text.parse().unwrap_or(number)))
        }
        ("common", None) => Ok(Value::Float((number * scale).round_ties_even() / scale)),
        _ => Err("round(): expected the method common, ceil or floor".into()),
    }
}

/// To a multiple of `unit`; half goes to the even one.
fn round_int(value: i128, unit: i128) -> i128 {
    let (quotient, rest) = (value.div_euclid(unit), value.rem_euclid(unit));
    let up = rest > unit / 2 || rest * 2 == unit && quotient % 2 != 0;
    (quotient + i128::from(up)).saturating_mul(unit)
}
