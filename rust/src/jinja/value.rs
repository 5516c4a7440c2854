//! The values of a template: those of Python, as far as templates have them.

use super::budget::{Budget, MAX_VALUE_DEPTH};
use super::dict::Dict;
use super::Result;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

#[derive(Clone)]
pub enum Value {
    Undefined(Undefined),
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Text),
    List(Rc<Items>),
    Tuple(Rc<Items>),
    Dict(Rc<Dict>),
    /// What `keys()`, `values()` and `items()` give.
    View(View, Rc<Dict>),
    Range(Range),
    /// What most filters give: items that can be had once.
    Generator(Generator),
    /// A number in the interpreter's table, so that no value can hold itself.
    Namespace(usize),
    Loop(Rc<Loop>),
    Macro(Macro),
    Function(&'static str),
    Method(Rc<Value>, &'static str),
}

/// Text; `markup` if it went through `safe` or `escape`: other text added to it is then escaped.
#[derive(Clone)]
pub struct Text {
    pub text: Arc<str>,
    pub markup: bool,
}

/// Something that is not there, and why; an error only where it is used.
#[derive(Clone)]
pub enum Undefined {
    Name(Arc<str>),
    Member { of: &'static str, name: Arc<str> },
    Element(&'static str),
    Unsafe { of: &'static str, name: Arc<str> },
    Parameter(Arc<str>),
    Condition,
    Empty(&'static str),
}

pub struct Items {
    pub items: Vec<Value>,
    depth: usize,
}

#[derive(Clone, Copy, PartialEq)]
pub enum View {
    Keys,
    Values,
    Items,
}

#[derive(Clone, Copy, PartialEq)]
pub struct Range {
    pub start: i128,
    pub stop: i128,
    pub step: i128,
}

#[derive(Clone)]
pub struct Generator {
    rest: Rc<RefCell<Vec<Value>>>,
    depth: usize,
}

/// The variable `loop`.
pub struct Loop {
    pub serial: usize,
    pub items: Vec<Value>,
    pub index: Cell<usize>,
    /// 0 for a loop that no recursion of its own contains.
    pub level: usize,
    /// The loop and its outer scope, if it may be called.
    pub recursive: Option<(usize, usize)>,
    value_depth: usize,
}

#[derive(Clone, Copy, PartialEq)]
pub struct Macro {
    pub definition: usize,
    pub scope: usize,
}

impl Undefined {
    pub fn message(&self) -> String {
        match self {
            Self::Name(name) => format!("'{name}' is undefined"),
            Self::Member { of, name } => format!("{of} has no attribute '{name}'"),
            Self::Element(of) => format!("{of} has no such element"),
            Self::Unsafe { of, name } => {
                format!("{of}: '{name}' would change it, which a template must not do")
            }
            Self::Parameter(name) => format!("parameter '{name}' was not provided"),
            Self::Condition => "an if-expression was false and has no else".into(),
            Self::Empty(what) => format!("there is no {what} item: it is empty"),
        }
    }
}

impl Range {
    pub fn len(&self) -> usize {
        let span = if self.step > 0 {
            self.stop - self.start
        } else {
            self.start - self.stop
        };
        let step = self.step.abs();
        ((span + step - 1) / step).max(0) as usize
    }

    pub fn at(&self, index: usize) -> Value {
        Value::Int(self.start + self.step * index as i128)
    }
}

impl Loop {
    pub fn new(
        serial: usize,
        items: Vec<Value>,
        level: usize,
        recursive: Option<(usize, usize)>,
    ) -> Result<Self> {
        Ok(Self {
            serial,
            value_depth: depth_of(&items)?,
            items,
            index: Cell::new(0),
            level,
            recursive,
        })
    }
}

impl Generator {
    fn take(&self) -> Vec<Value> {
        std::mem::take(&mut self.rest.borrow_mut())
    }
}

fn depth_of(items: &[Value]) -> Result<usize> {
    let depth = 1 + items.iter().map(Value::depth).max().unwrap_or(0);
    if depth > MAX_VALUE_DEPTH {
        return Err(format!(
            "the template nests values deeper than {MAX_VALUE_DEPTH}"
        ));
    }
    Ok(depth)
}

impl Value {
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let markup = false;
        Self::Text(Text { text, markup })
    }

    pub fn list(items: Vec<Value>) -> Result<Self> {
        let depth = depth_of(&items)?;
        Ok(Self::List(Rc::new(Items { items, depth })))
    }

    pub fn tuple(items: Vec<Value>) -> Result<Self> {
        let depth = depth_of(&items)?;
        Ok(Self::Tuple(Rc::new(Items { items, depth })))
    }

    pub fn dict(entries: Vec<(Value, Value)>, budget: &Budget) -> Result<Self> {
        let mut depth = 0;
        budget.charge(2 * entries.len())?;
        for (_, value) in &entries {
            depth = depth.max(depth_of(std::slice::from_ref(value))?);
        }
        Ok(Self::Dict(Rc::new(Dict::new(
            entries,
            depth.max(1),
            budget,
        )?)))
    }

    pub fn generator(items: Vec<Value>) -> Result<Self> {
        let depth = depth_of(&items)?;
        let rest = Rc::new(RefCell::new(items));
        Ok(Self::Generator(Generator { rest, depth }))
    }

    pub fn depth(&self) -> usize {
        match self {
            Self::List(items) | Self::Tuple(items) => items.depth,
            Self::Dict(dict) => dict.depth,
            Self::View(_, dict) => dict.depth + 1,
            Self::Generator(generator) => generator.depth,
            Self::Method(receiver, _) => receiver.depth() + 1,
            Self::Loop(state) => state.value_depth,
            _ => 0,
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(&text.text),
            _ => None,
        }
    }

    /// Whole numbers, which `True` and `False` are as well.
    pub fn as_int(&self) -> Option<i128> {
        match self {
            Self::Int(value) => Some(*value),
            Self::Bool(value) => Some(i128::from(*value)),
            _ => None,
        }
    }

    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            _ => self.as_int().map(|value| value as f64),
        }
    }

    pub fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined(_))
    }

    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    pub fn is_true(&self) -> bool {
        match self {
            Self::Undefined(_) | Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Text(text) => !text.text.is_empty(),
            _ => self.sized().is_none_or(|size| size > 0),
        }
    }

    /// The number of items of what has one; not for text.
    fn sized(&self) -> Option<usize> {
        match self {
            Self::List(items) | Self::Tuple(items) => Some(items.items.len()),
            Self::Dict(dict) | Self::View(_, dict) => Some(dict.entries.len()),
            Self::Range(range) => Some(range.len()),
            Self::Loop(state) => Some(state.items.len()),
            _ => None,
        }
    }

    pub fn len(&self, budget: &Budget) -> Result<usize> {
        match self {
            Self::Undefined(_) => Ok(0),
            Self::Text(text) => {
                budget.charge_bytes(text.text.len())?;
                Ok(char_count(&text.text))
            }
            _ => self
                .sized()
                .ok_or_else(|| format!("object of type '{}' has no len()", self.type_name())),
        }
    }

    /// The items, as a loop sees them.
    pub fn iterate(&self, budget: &Budget) -> Result<Vec<Value>> {
        if let Some(size) = self.sized() {
            budget.charge(size)?;
        }
        Ok(match self {
            Self::Undefined(_) => Vec::new(),
            Self::Text(text) => {
                budget.charge(text.text.len())?;
                let one = |c: char| {
                    let text = c.encode_utf8(&mut [0; 4]).into();
                    let markup = text_is_markup(self);
                    Value::Text(Text { text, markup })
                };
                text.text.chars().map(one).collect()
            }
            Self::List(items) | Self::Tuple(items) => items.items.clone(),
            Self::Dict(dict) => dict.entries.iter().map(|(key, _)| key.clone()).collect(),
            Self::View(view, dict) => dict.view(*view)?,
            Self::Range(range) => (0..range.len()).map(|i| range.at(i)).collect(),
            Self::Generator(generator) => {
                let items = generator.take();
                budget.charge(items.len())?;
                items
            }
            _ => return Err(format!("'{}' object is not iterable", self.type_name())),
        })
    }

    /// An error if the value is not there.
    pub fn defined(self) -> Result<Value> {
        match self {
            Self::Undefined(undefined) => Err(undefined.message()),
            value => Ok(value),
        }
    }

    /// The name of Python's type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Undefined(_) => "Undefined",
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Text(_) => "str",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Dict(_) => "dict",
            Self::View(View::Keys, _) => "dict_keys",
            Self::View(View::Values, _) => "dict_values",
            Self::View(View::Items, _) => "dict_items",
            Self::Range(_) => "range",
            Self::Generator(_) => "generator",
            Self::Namespace(_) => "namespace",
            Self::Loop(_) => "loop",
            Self::Macro(_) => "macro",
            Self::Function(_) | Self::Method(..) => "function",
        }
    }
}

fn text_is_markup(value: &Value) -> bool {
    matches!(value, Value::Text(text) if text.markup)
}

/// Python counts code points.
pub fn char_count(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.chars().count()
    }
}
