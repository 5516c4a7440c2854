//! The arguments of a call, and how they reach parameters.

use super::value::Value;
use super::Result;
use std::sync::Arc;

#[derive(Default)]
pub struct Args {
    pub positional: Vec<Value>,
    pub named: Vec<(Arc<str>, Value)>,
}

impl Args {
    /// The values for `parameters`; one that is not given is none.
    pub fn take<const N: usize>(
        self,
        what: &str,
        parameters: [&str; N],
    ) -> Result<[Option<Value>; N]> {
        let mut values = [const { None }; N];
        if self.positional.len() > N {
            return Err(format!(
                "{what}() takes at most {N} arguments, found {}",
                self.positional.len()
            ));
        }
        for (slot, value) in values.iter_mut().zip(self.positional) {
            *slot = Some(value);
        }
        for (name, value) in self.named {
            let place = parameters.iter().position(|parameter| **parameter == *name);
            let place = place.ok_or_else(|| format!("{what}() has no argument named '{name}'"))?;
            if values[place].replace(value).is_some() {
                return Err(format!("{what}() got two values for '{name}'"));
            }
        }
        Ok(values)
    }

    pub fn none(self, what: &str) -> Result<()> {
        self.take::<0>(what, []).map(|_| ())
    }
}

/// The value as text, for the argument `name`.
pub fn text_argument(value: &Value, name: &str) -> Result<Arc<str>> {
    match value {
        Value::Text(text) => Ok(text.text.clone()),
        _ => Err(format!(
            "argument '{name}': expected str, found {}",
            value.type_name()
        )),
    }
}

/// The value as a whole number, for the argument `name`.
pub fn int_argument(value: &Value, name: &str) -> Result<i128> {
    value.as_int().ok_or_else(|| {
        format!(
            "argument '{name}': expected int, found {}",
            value.type_name()
        )
    })
}

/// The argument, or an error that it is missing.
pub fn required(value: Option<Value>, name: &str) -> Result<Value> {
    value.ok_or_else(|| format!("argument '{name}' is missing"))
}
