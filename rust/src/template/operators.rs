//! What Python's operators do with values; `rewrite` puts them in the place of minijinja's.

use super::access::{attribute, defined, item, slice};
use super::compare::{chain, hashable, holds};
use super::printf;
use super::text::{as_float, charge_bytes, Sink};
use super::values::{as_dict, as_list, depth, fail, new_dict, new_list, type_name, Kind, Result};
use indexmap::IndexMap;
use minijinja::value::ValueKind;
use minijinja::{State, Value};

pub type Function = fn(&mut State, &[Value]) -> Result<Value>;

/// No template can mean these names, as none can write them.
pub const OPERATORS: [(&str, Function); 21] = [
    ("+", add),
    ("*", multiply),
    ("**", power),
    ("%", remainder),
    ("~", concat),
    (
        "==",
        |state, a| Ok(holds(state, "==", &a[0], &a[1])?.into()),
    ),
    (
        "!=",
        |state, a| Ok(holds(state, "!=", &a[0], &a[1])?.into()),
    ),
    ("<", |state, a| Ok(holds(state, "<", &a[0], &a[1])?.into())),
    (
        "<=",
        |state, a| Ok(holds(state, "<=", &a[0], &a[1])?.into()),
    ),
    (">", |state, a| Ok(holds(state, ">", &a[0], &a[1])?.into())),
    (
        ">=",
        |state, a| Ok(holds(state, ">=", &a[0], &a[1])?.into()),
    ),
    ("(in)", |state, a| {
        Ok(holds(state, "(in)", &a[0], &a[1])?.into())
    }),
    ("(chain)", chain),
    (".", |_, a| {
        defined(a)?;
        attribute(&a[0], a[1].as_str().unwrap_or_default())
    }),
    ("[]", |_, a| {
        defined(a)?;
        item(&a[0], &a[1])
    }),
    ("[:]", slice),
    ("(for)", |state, a| match as_list(&a[0]) {
        Some(_) => Ok(a[0].clone()),
        None => new_list(items(state, &a[0])?, Kind::List),
    }),
    ("(hold)", |_, a| depth(&a[0]).map(|_| a[0].clone())),
    ("[...]", |state, a| {
        charged_list(state, a[1..].to_vec(), Kind::List)
    }),
    ("(...)", |state, a| {
        charged_list(state, a[1..].to_vec(), Kind::Tuple)
    }),
    ("{...}", |state, a| {
        state.consume_fuel(a.len() as u64)?;
        let mut entries = IndexMap::new();
        for pair in a[1..].chunks_exact(2) {
            hashable(&pair[0])?;
            entries.insert(pair[0].clone(), pair[1].clone());
        }
        new_dict(entries)
    }),
];

/// A list that costs fuel by its length.
pub fn charged_list(state: &State, items: Vec<Value>, kind: Kind) -> Result<Value> {
    state.consume_fuel(items.len() as u64)?;
    new_list(items, kind)
}

pub fn unsupported<T>(operator: &str, a: &Value, b: &Value) -> Result<T> {
    let (a, b) = (type_name(a), type_name(b));
    fail(format!(
        "unsupported operand type(s) for {operator}: '{a}' and '{b}'"
    ))
}

/// `a + b + c`, of which texts are copied once.
fn add(state: &mut State, operands: &[Value]) -> Result<Value> {
    let texts: Option<Vec<&str>> = operands.iter().map(plain_text).collect();
    if let Some(texts) = texts {
        charge_bytes(state, texts.iter().map(|text| text.len()).sum())?;
        return Ok(texts.concat().into());
    }
    let mut sum = operands[0].clone();
    for operand in &operands[1..] {
        sum = add_two(state, &sum, operand)?;
    }
    Ok(sum)
}

/// What MarkupSafe adds to text that passed the filter safe.
pub fn markup(text: &str, value: &Value) -> String {
    if value.is_safe() {
        return text.to_string();
    }
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    text.replace('\'', "&#39;").replace('"', "&#34;")
}

/// Text, unless it passed the filter safe.
fn plain_text(value: &Value) -> Option<&str> {
    value.as_str().filter(|_| !value.is_safe())
}

fn add_two(state: &State, a: &Value, b: &Value) -> Result<Value> {
    if let (Some(left), Some(right)) = (a.as_str(), b.as_str()) {
        charge_bytes(state, left.len() + right.len())?;
        return Ok(match a.is_safe() || b.is_safe() {
            true => Value::from_safe_string([markup(left, a), markup(right, b)].concat()),
            false => [left, right].concat().into(),
        });
    }
    if let (Some(left), Some(right)) = (as_list(a), as_list(b)) {
        if left.kind == right.kind && matches!(left.kind, Kind::List | Kind::Tuple) {
            let items = [&left.items[..], &right.items[..]].concat();
            return charged_list(state, items, left.kind);
        }
    }
    arithmetic("+", a, b, i128::checked_add, |a, b| a + b)
}

fn arithmetic(
    operator: &str,
    a: &Value,
    b: &Value,
    ints: fn(i128, i128) -> Option<i128>,
    floats: fn(f64, f64) -> f64,
) -> Result<Value> {
    if let (Some(left), Some(right)) = (as_int(a), as_int(b)) {
        return match ints(left, right) {
            Some(result) => Ok(int_value(result)),
            None => fail(format!("{left} {operator} {right} is too large")),
        };
    }
    match (as_float(a), as_float(b)) {
        (Some(a), Some(b)) => Ok(floats(a, b).into()),
        _ => unsupported(operator, a, b),
    }
}

pub fn as_int(value: &Value) -> Option<i128> {
    match value.kind() {
        ValueKind::Bool => Some(value.is_true().into()),
        ValueKind::Number if value.is_integer() => i128::try_from(value.clone()).ok(),
        _ => None,
    }
}

pub fn int_value(value: i128) -> Value {
    i64::try_from(value).map_or_else(|_| value.into(), Value::from)
}

fn multiply(state: &mut State, operands: &[Value]) -> Result<Value> {
    let (a, b) = (&operands[0], &operands[1]);
    let (repeated, times) = match as_int(a) {
        Some(times) => (b, Some(times)),
        None => (a, as_int(b)),
    };
    let times = times.map(|times| usize::try_from(times.max(0)).unwrap_or(usize::MAX));
    if let (Some(text), Some(times)) = (plain_text(repeated), times) {
        charge_bytes(state, text.len().saturating_mul(times))?;
        return Ok(text.repeat(times).into());
    }
    if let (Some(list), Some(times)) = (as_list(repeated), times) {
        if matches!(list.kind, Kind::List | Kind::Tuple) {
            state.consume_fuel(list.items.len().saturating_mul(times) as u64)?;
            return new_list(
                std::iter::repeat_n(&list.items, times)
                    .flatten()
                    .cloned()
                    .collect(),
                list.kind,
            );
        }
    }
    arithmetic("*", a, b, i128::checked_mul, |a, b| a * b)
}

/// `a ** b`, where Python gives neither a complex number nor an error.
fn power(_: &mut State, operands: &[Value]) -> Result<Value> {
    let (a, b) = (&operands[0], &operands[1]);
    if let (Some(base), Some(exponent @ 0..)) = (as_int(a), as_int(b)) {
        let exponent = u32::try_from(exponent).unwrap_or(u32::MAX);
        let result = base.checked_pow(exponent).map(int_value);
        return result.map_or_else(|| fail(format!("{base} ** {exponent} is too large")), Ok);
    }
    let (Some(base), Some(exponent)) = (as_float(a), as_float(b)) else {
        return unsupported("**", a, b);
    };
    let result = base.powf(exponent);
    match result.is_finite() {
        true => Ok(result.into()),
        false => fail(format!("{base} ** {exponent} is no finite number")),
    }
}

/// `a % b`: the sign is that of `b`. Text is a format.
fn remainder(state: &mut State, operands: &[Value]) -> Result<Value> {
    let (a, b) = (&operands[0], &operands[1]);
    if let Some(text) = plain_text(a) {
        return Ok(printf::format(state, text, b)?.into());
    }
    if let (Some(left), Some(right)) = (as_int(a), as_int(b)) {
        return match left.checked_rem(right) {
            Some(rest) if rest != 0 && (rest < 0) != (right < 0) => Ok(int_value(rest + right)),
            Some(rest) => Ok(int_value(rest)),
            None => fail(format!("{left} % {right} is not defined")),
        };
    }
    match (as_float(a), as_float(b)) {
        (Some(_), Some(0.0)) => fail("% by zero is not defined"),
        (Some(left), Some(right)) => Ok(match left % right {
            0.0 => 0.0_f64.copysign(right),
            rest if (rest < 0.0) != (right < 0.0) => rest + right,
            rest => rest,
        }
        .into()),
        _ => unsupported("%", a, b),
    }
}

fn concat(state: &mut State, operands: &[Value]) -> Result<Value> {
    let mut sink = Sink::new(state);
    for operand in operands {
        sink.str(operand)?;
    }
    Ok(sink.text.into())
}

/// `iter(value)`
pub fn items(state: &State, value: &Value) -> Result<Vec<Value>> {
    let items: Vec<Value> = match value.kind() {
        ValueKind::Undefined => Vec::new(),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            state.consume_fuel(text.len() as u64)?;
            text.chars().map(Value::from).collect()
        }
        _ => match (as_list(value), as_dict(value)) {
            (Some(list), _) => list.walk().to_vec(),
            (_, Some(dict)) => dict.entries.keys().cloned().collect(),
            _ => return fail(format!("a {} is not iterable", type_name(value))),
        },
    };
    state.consume_fuel(items.len() as u64)?;
    Ok(items)
}
