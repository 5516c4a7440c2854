//! Members, items and slices.

use super::interpreter::Interpreter;
use super::methods;
use super::value::{char_count, Loop, Range, Text, Undefined, Value};
use super::Result;
use std::sync::Arc;

impl Interpreter<'_> {
    /// `value.name`: what Python's object has by that name, otherwise the item.
    pub(super) fn attribute(&self, value: &Value, name: &Arc<str>) -> Result<Value> {
        if let Some(found) = self.own_attribute(value, name)? {
            return Ok(found);
        }
        if let Value::Dict(dict) = value {
            if let Some(found) = dict.get_text(name) {
                return Ok(found.clone());
            }
        }
        Ok(missing(value, name))
    }

    /// `value[key]`: the item, otherwise what Python's object has by that name.
    pub(super) fn item(&self, value: &Value, key: &Value) -> Result<Value> {
        let found = match (value, key) {
            (Value::Undefined(undefined), _) => return Err(undefined.message()),
            // A key that is not hashable is no key.
            (Value::Dict(dict), _) => dict.get(key, &self.budget).unwrap_or(None).cloned(),
            (_, Value::Text(_)) => None,
            (Value::Text(text), _) => {
                self.budget.charge_bytes(text.text.len())?;
                index(key, char_count(&text.text)).map(|i| nth_char(text, i))
            }
            (Value::List(items) | Value::Tuple(items), _) => {
                index(key, items.items.len()).map(|i| items.items[i].clone())
            }
            (Value::Range(range), _) => index(key, range.len()).map(|i| range.at(i)),
            _ => None,
        };
        match (found, key) {
            (Some(found), _) => Ok(found),
            (None, Value::Text(name)) => match self.own_attribute(value, &name.text)? {
                Some(found) => Ok(found),
                None => Ok(missing(value, &name.text)),
            },
            (None, _) => Ok(Value::Undefined(Undefined::Element(described(value)))),
        }
    }

    /// As `attribute`, but never the item.
    pub(super) fn plain_attribute(&self, value: &Value, name: &Arc<str>) -> Result<Value> {
        let found = self.own_attribute(value, name)?;
        Ok(found.unwrap_or_else(|| missing(value, name)))
    }

    fn own_attribute(&self, value: &Value, name: &Arc<str>) -> Result<Option<Value>> {
        if let Some(method) = methods::find(value, name) {
            let receiver = std::rc::Rc::new(value.clone());
            return Ok(Some(Value::Method(receiver, method)));
        }
        if methods::changes(value, name) {
            let (of, name) = (described(value), name.clone());
            return Ok(Some(Value::Undefined(Undefined::Unsafe { of, name })));
        }
        Ok(match value {
            Value::Undefined(undefined) => return Err(undefined.message()),
            Value::Namespace(number) => {
                let mut members = self.namespaces[*number].iter();
                members
                    .find(|(known, _)| known == name)
                    .map(|(_, value)| value.clone())
            }
            Value::Loop(state) => loop_attribute(state, name),
            Value::Range(range) => match &**name {
                "start" => Some(Value::Int(range.start)),
                "stop" => Some(Value::Int(range.stop)),
                "step" => Some(Value::Int(range.step)),
                _ => None,
            },
            Value::Macro(value) => match &**name {
                "name" => Some(Value::text(
                    self.program.macros[value.definition].name.clone(),
                )),
                _ => None,
            },
            _ => None,
        })
    }

    pub(super) fn slice(&self, value: &Value, bounds: &[Value; 3]) -> Result<Value> {
        if let Value::Undefined(undefined) = value {
            return Err(undefined.message());
        }
        let sliceable = matches!(
            value,
            Value::Text(_) | Value::List(_) | Value::Tuple(_) | Value::Range(_)
        );
        if !sliceable {
            return Err(format!(
                "'{}' object is not subscriptable",
                value.type_name()
            ));
        }
        let none = Value::Undefined(Undefined::Element(described(value)));
        let mut numbers = [None; 3];
        for (number, bound) in numbers.iter_mut().zip(bounds) {
            match bound {
                Value::None => {}
                bound => match bound.as_int() {
                    Some(int) => *number = Some(int),
                    None => return Ok(none),
                },
            }
        }
        if numbers[2] == Some(0) {
            return Err("slice step cannot be zero".into());
        }
        match value {
            Value::Text(text) => {
                self.budget.charge_bytes(text.text.len())?;
                Ok(Value::Text(slice_text(text, &numbers)))
            }
            Value::List(items) => {
                let places = places(&numbers, items.items.len());
                self.budget.charge(places.len())?;
                Value::list(places.map(|i| items.items[i].clone()).collect())
            }
            Value::Tuple(items) => {
                let places = places(&numbers, items.items.len());
                self.budget.charge(places.len())?;
                Value::tuple(places.map(|i| items.items[i].clone()).collect())
            }
            Value::Range(range) => Ok(slice_range(range, &numbers)),
            _ => Ok(none),
        }
    }
}

fn missing(value: &Value, name: &Arc<str>) -> Value {
    let (of, name) = (described(value), name.clone());
    Value::Undefined(Undefined::Member { of, name })
}

fn described(value: &Value) -> &'static str {
    match value {
        Value::None => "'None'",
        Value::Bool(_) => "'bool object'",
        Value::Int(_) => "'int object'",
        Value::Float(_) => "'float object'",
        Value::Text(_) => "'str object'",
        Value::List(_) => "'list object'",
        Value::Tuple(_) => "'tuple object'",
        Value::Dict(_) => "'dict object'",
        Value::Namespace(_) => "a namespace",
        Value::Loop(_) => "'loop'",
        _ => "an object",
    }
}

/// A place in `size` items, counted from the end if negative.
fn index(key: &Value, size: usize) -> Option<usize> {
    let place = key.as_int()?;
    let place = if place < 0 {
        place + size as i128
    } else {
        place
    };
    usize::try_from(place).ok().filter(|place| *place < size)
}

fn nth_char(text: &Text, place: usize) -> Value {
    let c = text.text.chars().nth(place).unwrap_or_default();
    Value::Text(Text {
        text: c.encode_utf8(&mut [0; 4]).into(),
        markup: text.markup,
    })
}

/// The places that a slice takes, as Python's `slice.indices`.
fn places(numbers: &[Option<i128>; 3], size: usize) -> Places {
    let size = size as i128;
    let step = numbers[2].unwrap_or(1);
    let (low, high) = if step > 0 { (0, size) } else { (-1, size - 1) };
    let bound = |number: Option<i128>, otherwise: i128| match number {
        None => otherwise,
        Some(number) if number < 0 => (number.max(-size - 1) + size).clamp(low, high),
        Some(number) => number.clamp(low, high),
    };
    let (first, last) = if step > 0 { (low, high) } else { (high, low) };
    let range = Range {
        start: bound(numbers[0], first),
        stop: bound(numbers[1], last),
        step: step.clamp(-size - 1, size + 1),
    };
    Places { range, next: 0 }
}

struct Places {
    range: Range,
    next: usize,
}

impl Iterator for Places {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.next >= self.range.len() {
            return None;
        }
        self.next += 1;
        let place = self.range.start + self.range.step * (self.next - 1) as i128;
        usize::try_from(place).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.range.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Places {}

fn slice_text(text: &Text, numbers: &[Option<i128>; 3]) -> Text {
    let chars: Vec<char> = text.text.chars().collect();
    let sliced: String = places(numbers, chars.len()).map(|i| chars[i]).collect();
    Text {
        text: sliced.into(),
        markup: text.markup,
    }
}

fn slice_range(range: &Range, numbers: &[Option<i128>; 3]) -> Value {
    let places = places(numbers, range.len()).range;
    let at = |place: i128| range.start + range.step * place;
    Value::Range(Range {
        start: at(places.start),
        stop: at(places.stop),
        step: range.step * places.step,
    })
}

fn loop_attribute(state: &std::rc::Rc<Loop>, name: &str) -> Option<Value> {
    let (index, size) = (state.index.get(), state.items.len());
    let int = |value: usize| Value::Int(value as i128);
    let item = |place: Option<usize>, what| {
        let item = place.and_then(|place| state.items.get(place).cloned());
        item.unwrap_or(Value::Undefined(Undefined::Empty(what)))
    };
    Some(match name {
        "index" => int(index + 1),
        "index0" => int(index),
        "revindex" => int(size - index),
        "revindex0" => int(size - index - 1),
        "first" => Value::Bool(index == 0),
        "last" => Value::Bool(index + 1 == size),
        "length" => int(size),
        "depth" => int(state.level + 1),
        "depth0" => int(state.level),
        "previtem" => item(index.checked_sub(1), "previous"),
        "nextitem" => item(Some(index + 1), "next"),
        _ => return None,
    })
}
