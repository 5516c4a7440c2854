//! Python's containers as values of minijinja.
//!
//! minijinja's own are not used: theirs know no tuple from a lazy sequence, and nothing would bound
//! how deep a template nests them (freeing a value recurses, as comparing and writing it do).

use indexmap::IndexMap;
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr};
use minijinja::{Error, ErrorKind, Value};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

pub type Result<T> = std::result::Result<T, Error>;

/// Containers within containers; each level costs some stack.
pub const MAX_DEPTH: u32 = 100;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    List,
    Tuple,
    /// What a method or function gives that has items but is no list, by its name in Python.
    View(&'static str),
    /// Can be walked through once.
    Generator,
}

#[derive(Debug)]
pub struct List {
    pub items: Vec<Value>,
    pub kind: Kind,
    depth: u32,
    spent: AtomicBool,
}

#[derive(Debug)]
pub struct Dict {
    pub entries: IndexMap<Value, Value>,
    depth: u32,
}

/// A method that is looked at without being called: `{% if x.items %}`.
#[derive(Debug)]
pub struct Method;

/// A failure with a message for the person who wrote the template.
pub fn fail<T>(message: impl Into<String>) -> Result<T> {
    Err(Error::new(ErrorKind::InvalidOperation, message.into()))
}

pub fn or_fail<T>(found: Option<T>, message: impl Into<String>) -> Result<T> {
    found.map_or_else(|| fail(message), Ok)
}

pub fn new_list(items: Vec<Value>, kind: Kind) -> Result<Value> {
    let depth = depth_above(items.iter())?;
    Ok(Value::from_object(List {
        items,
        kind,
        depth,
        spent: AtomicBool::new(false),
    }))
}

pub fn new_dict(entries: IndexMap<Value, Value>) -> Result<Value> {
    let depth = depth_above(entries.iter().flat_map(|(key, value)| [key, value]))?;
    Ok(Value::from_object(Dict { entries, depth }))
}

/// A dict of what need not be plain values: the variables of a template.
pub fn new_scope(entries: IndexMap<Value, Value>) -> Value {
    Value::from_object(Dict { entries, depth: 0 })
}

fn depth_above<'a>(items: impl Iterator<Item = &'a Value>) -> Result<u32> {
    let mut deepest = 0;
    for item in items {
        deepest = deepest.max(depth(item)?);
    }
    match deepest {
        MAX_DEPTH.. => fail(format!("the template nests values deeper than {MAX_DEPTH}")),
        _ => Ok(deepest + 1),
    }
}

/// What a namespace or container may hold: no namespace, macro or loop, which could come to hold
/// itself.
pub fn depth(value: &Value) -> Result<u32> {
    match value.as_object() {
        None => Ok(0),
        Some(_) if as_method(value) => Ok(0),
        Some(_) => match (as_list(value), as_dict(value)) {
            (Some(list), _) => Ok(list.depth),
            (_, Some(dict)) => Ok(dict.depth),
            _ => fail(format!(
                "a {} inside of another value is not supported",
                type_name(value)
            )),
        },
    }
}

pub fn as_list(value: &Value) -> Option<&List> {
    value.downcast_object_ref()
}

pub fn as_dict(value: &Value) -> Option<&Dict> {
    value.downcast_object_ref()
}

pub fn as_method(value: &Value) -> bool {
    value.downcast_object_ref::<Method>().is_some()
}

/// The name of a value's type in Python.
pub fn type_name(value: &Value) -> &'static str {
    use minijinja::value::ValueKind;
    match value.kind() {
        ValueKind::Undefined => "Undefined",
        ValueKind::None => "NoneType",
        ValueKind::Bool => "bool",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        ValueKind::String => "str",
        _ => match as_list(value).map(|list| list.kind) {
            Some(Kind::List) => "list",
            Some(Kind::Tuple) => "tuple",
            Some(Kind::View(name)) => name,
            Some(Kind::Generator) => "generator",
            None if as_dict(value).is_some() => "dict",
            None if as_method(value) => "method",
            None => value.as_object().map_or("value", object_name),
        },
    }
}

fn object_name(object: &DynObject) -> &'static str {
    let name = object.type_name();
    name.rsplit("::").next().unwrap_or(name)
}

impl List {
    /// The items, for those who walk through them.
    pub fn walk(&self) -> &[Value] {
        match self.kind == Kind::Generator && self.spent.swap(true, Ordering::Relaxed) {
            true => &[],
            false => &self.items,
        }
    }
}

impl Dict {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries.get(&Value::from(name))
    }
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.items.get(key.as_usize()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.kind {
            Kind::Generator => Enumerator::Values(self.walk().to_vec()),
            _ => Enumerator::Seq(self.items.len()),
        }
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        (self.kind != Kind::Generator).then_some(self.items.len())
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.kind == Kind::Generator || !self.items.is_empty()
    }
}

impl Object for Dict {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.entries.get(key).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.entries.keys().cloned().collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.entries.len())
    }
}

impl Object for Method {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}
