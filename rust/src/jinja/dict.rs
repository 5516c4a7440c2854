//! Dictionaries in the order of insertion.

use super::budget::Budget;
use super::value::{Value, View};
use super::Result;
use std::collections::HashMap;
use std::sync::Arc;

/// Up to this many entries are looked through one by one.
const SMALL: usize = 8;

pub struct Dict {
    pub entries: Vec<(Value, Value)>,
    pub depth: usize,
    /// Empty for a small dictionary.
    index: HashMap<Key, usize>,
}

/// A key such that equal keys of Python are equal: 1, 1.0 and True are one key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Key {
    None,
    Int(i128),
    Float(u64),
    Text(Arc<str>),
    Tuple(Vec<Key>),
}

impl Key {
    pub fn of(value: &Value, budget: &Budget) -> Result<Key> {
        Ok(match value {
            Value::None => Key::None,
            Value::Text(text) => Key::Text(text.text.clone()),
            Value::Float(float) if float.fract() == 0.0 && float.abs() < 1e30 => {
                Key::Int(*float as i128)
            }
            Value::Float(float) => Key::Float(float.to_bits()),
            Value::Tuple(items) => {
                budget.charge(4 * items.items.len())?;
                let keys = items.items.iter().map(|item| Key::of(item, budget));
                Key::Tuple(keys.collect::<Result<_>>()?)
            }
            _ => match value.as_int() {
                Some(int) => Key::Int(int),
                None => return Err(format!("unhashable type: '{}'", value.type_name())),
            },
        })
    }
}

impl Dict {
    /// Of entries with the same key the last counts, at the place of the first.
    pub fn new(entries: Vec<(Value, Value)>, depth: usize, budget: &Budget) -> Result<Self> {
        let mut index: HashMap<Key, usize> = HashMap::with_capacity(entries.len());
        let mut kept: Vec<(Value, Value)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            match index.entry(Key::of(&key, budget)?) {
                std::collections::hash_map::Entry::Occupied(place) => kept[*place.get()].1 = value,
                std::collections::hash_map::Entry::Vacant(place) => {
                    place.insert(kept.len());
                    kept.push((key, value));
                }
            }
        }
        if kept.len() <= SMALL {
            index = HashMap::new();
        }
        Ok(Self {
            entries: kept,
            depth,
            index,
        })
    }

    pub fn get(&self, key: &Value, budget: &Budget) -> Result<Option<&Value>> {
        if let Some(name) = key.as_text() {
            return Ok(self.get_text(name));
        }
        let wanted = Key::of(key, budget)?;
        if self.entries.len() > SMALL {
            return Ok(self.index.get(&wanted).map(|place| &self.entries[*place].1));
        }
        for (key, value) in &self.entries {
            if Key::of(key, budget)? == wanted {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    pub fn get_text(&self, name: &str) -> Option<&Value> {
        if self.entries.len() > SMALL {
            let place = self.index.get(&Key::Text(name.into()))?;
            return Some(&self.entries[*place].1);
        }
        let found = self
            .entries
            .iter()
            .find(|(key, _)| key.as_text() == Some(name));
        found.map(|(_, value)| value)
    }

    pub fn view(&self, view: View) -> Result<Vec<Value>> {
        let entries = self.entries.iter();
        match view {
            View::Keys => Ok(entries.map(|(key, _)| key.clone()).collect()),
            View::Values => Ok(entries.map(|(_, value)| value.clone()).collect()),
            View::Items => entries
                .map(|(key, value)| Value::tuple(vec![key.clone(), value.clone()]))
                .collect(),
        }
    }
}
