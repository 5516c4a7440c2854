//! The functions that transformers gives to templates.

use super::arguments::{int_argument, required, text_argument, Args};
use super::interpreter::Interpreter;
use super::strftime::strftime;
use super::value::{Range, Value};
use super::{text, Result};

const NAMES: [&str; 5] = [
    "range",
    "dict",
    "namespace",
    "raise_exception",
    "strftime_now",
];

/// As the sandbox of Jinja.
const MAX_RANGE: usize = 100_000;

pub fn find(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|known| **known == name).copied()
}

pub fn call(interpreter: &mut Interpreter, name: &str, arguments: Args) -> Result<Value> {
    match name {
        "range" => range(arguments),
        "dict" => Value::dict(entries(interpreter, arguments)?, &interpreter.budget),
        "namespace" => namespace(interpreter, arguments),
        "raise_exception" => {
            let [message] = arguments.take(name, ["message"])?;
            let message = required(message, "message")?;
            let message = text::str_of(&message, &interpreter.budget)?;
            Err(format!("the template refuses: {}", message.text))
        }
        _ => {
            let [format] = arguments.take("strftime_now", ["format"])?;
            let format = text_argument(&required(format, "format")?, "format")?;
            interpreter.budget.charge_bytes(format.len())?;
            let now = interpreter
                .now
                .ok_or("the template calls strftime_now, but no time was given to render it at")?;
            strftime(&format, now).map(Value::text)
        }
    }
}

fn range(arguments: Args) -> Result<Value> {
    let [first, second, step] = arguments.take("range", ["start", "stop", "step"])?;
    let int = |value: Option<Value>, otherwise: i128| match value {
        Some(value) => int_argument(&value.defined()?, "range"),
        None => Ok(otherwise),
    };
    let first = Some(required(first, "stop")?);
    let (start, stop) = match second {
        Some(stop) => (int(first, 0)?, int(Some(stop), 0)?),
        None => (0, int(first, 0)?),
    };
    let step = int(step, 1)?;
    if step == 0 {
        return Err("range() arg 3 must not be zero".into());
    }
    // So that no sum of them is too large.
    let largest = 1i128 << 100;
    let fits = [start, stop, step]
        .iter()
        .all(|value| value.abs() < largest);
    let range = Range { start, stop, step };
    if !fits || range.len() > MAX_RANGE {
        return Err(format!(
            "a range of a template has at most {MAX_RANGE} items"
        ));
    }
    Ok(Value::Range(range))
}

/// The entries of `dict(mapping or pairs, name=value)`.
fn entries(interpreter: &Interpreter, mut arguments: Args) -> Result<Vec<(Value, Value)>> {
    let budget = &interpreter.budget;
    let named = std::mem::take(&mut arguments.named);
    let [first] = arguments.take("dict", ["mapping"])?;
    let mut entries = match first {
        None => Vec::new(),
        Some(Value::Dict(dict)) => {
            budget.charge(dict.entries.len())?;
            dict.entries.clone()
        }
        Some(Value::Namespace(number)) => {
            let members = interpreter.namespaces[number].iter();
            members
                .map(|(name, value)| (Value::text(name.clone()), value.clone()))
                .collect()
        }
        Some(pairs) => {
            let mut entries = Vec::new();
            for pair in pairs.iterate(budget)? {
                match <[Value; 2]>::try_from(pair.iterate(budget)?) {
                    Ok([key, value]) => entries.push((key, value)),
                    Err(_) => return Err("dict(): expected pairs of key and value".into()),
                }
            }
            entries
        }
    };
    budget.charge(named.len())?;
    entries.extend(
        named
            .into_iter()
            .map(|(name, value)| (Value::text(name), value)),
    );
    Ok(entries)
}

fn namespace(interpreter: &mut Interpreter, arguments: Args) -> Result<Value> {
    let entries = entries(interpreter, arguments)?;
    let number = interpreter.namespaces.len();
    interpreter.namespaces.push(Vec::new());
    for (name, value) in entries {
        let name = text_argument(&name, "namespace")?;
        interpreter.set_member(number, name, value)?;
    }
    Ok(Value::Namespace(number))
}
