//! The filters of Jinja on lists and dictionaries.

use super::arguments::{int_argument, required, text_argument, Args};
use super::arithmetic::{self, Operator};
use super::compare::sort;
use super::dict::Key;
use super::interpreter::Interpreter;
use super::text::write_str;
use super::value::{Undefined, Value, View};
use super::Result;
use std::collections::HashSet;
use std::sync::Arc;

pub const NAMES: &[&str] = &[
    "batch",
    "count",
    "dictsort",
    "first",
    "items",
    "join",
    "last",
    "length",
    "list",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "reverse",
    "select",
    "selectattr",
    "slice",
    "sort",
    "sum",
    "unique",
];

pub fn apply(this: &mut Interpreter, name: &str, value: Value, mut args: Args) -> Result<Value> {
    match name {
        "length" | "count" => {
            args.none(name)?;
            Ok(Value::Int(value.len(&this.budget)? as i128))
        }
        "first" | "last" => {
            args.none(name)?;
            end(this, name, value)
        }
        "list" => {
            args.none(name)?;
            Value::list(value.iterate(&this.budget)?)
        }
        "items" => {
            args.none(name)?;
            match &value {
                Value::Undefined(_) => Value::generator(Vec::new()),
                Value::Dict(dict) => Value::generator(dict.view(View::Items)?),
                _ => Err("can only get item pairs from a mapping".into()),
            }
        }
        "reverse" => {
            args.none(name)?;
            reverse(this, &value)
        }
        "join" => join(this, value, args),
        "map" => map(this, value, args),
        "select" | "reject" => {
            let wanted = name == "select";
            select(this, value, None, args, wanted)
        }
        "selectattr" | "rejectattr" => {
            if args.positional.is_empty() {
                return Err(format!("{name}(): the attribute is missing"));
            }
            let attribute = args.positional.remove(0);
            select(this, value, Some(attribute), args, name == "selectattr")
        }
        "sort" => sorted(this, value, args),
        "unique" => unique(this, value, args),
        "min" | "max" => extreme(this, name, value, args),
        "sum" => sum(this, value, args),
        "dictsort" => sort_dict(this, &value, args),
        _ => chunks(this, name, value, args),
    }
}

fn end(this: &Interpreter, name: &str, value: Value) -> Result<Value> {
    if let (Value::Generator(_), "last") = (&value, name) {
        return Err("'generator' object is not reversible".into());
    }
    let mut items = value.iterate(&this.budget)?.into_iter();
    let (item, what) = match name {
        "first" => (items.next(), "first"),
        _ => (items.next_back(), "last"),
    };
    Ok(item.unwrap_or(Value::Undefined(Undefined::Empty(what))))
}

fn reverse(this: &Interpreter, value: &Value) -> Result<Value> {
    let mut items = value.iterate(&this.budget)?;
    items.reverse();
    match value {
        Value::Text(_) => {
            let mut text = String::new();
            for item in &items {
                write_str(item, &mut text, &this.budget)?;
            }
            Ok(Value::text(text))
        }
        Value::Generator(_) => Value::list(items),
        _ => Value::generator(items),
    }
}

/// The item that a path such as `function.name` or `0` leads to.
fn follow(this: &Interpreter, item: &Value, path: &Value, default: &Value) -> Result<Value> {
    let Value::Text(text) = path else {
        return match path {
            Value::None => Ok(item.clone()),
            number => this.item(item, number),
        };
    };
    let mut found = item.clone();
    for part in text.text.split('.') {
        let number = part
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| part.parse().ok());
        let key = match number.flatten() {
            Some(number) => Value::Int(number),
            None => Value::text(part),
        };
        found = this.item(&found, &key)?;
        if found.is_undefined() && !default.is_none() {
            found = default.clone();
        }
    }
    Ok(found)
}

fn join(this: &Interpreter, value: Value, args: Args) -> Result<Value> {
    let [separator, attribute] = args.take("join", ["d", "attribute"])?;
    let separator = separator.unwrap_or_else(|| Value::text(""));
    let attribute = attribute.unwrap_or(Value::None);
    let mut text = String::new();
    for (i, item) in value.iterate(&this.budget)?.iter().enumerate() {
        if i > 0 {
            write_str(&separator, &mut text, &this.budget)?;
        }
        let item = follow(this, item, &attribute, &Value::None)?;
        write_str(&item, &mut text, &this.budget)?;
    }
    Ok(Value::text(text))
}

fn map(this: &mut Interpreter, value: Value, mut args: Args) -> Result<Value> {
    if !value.is_true() {
        return Value::generator(Vec::new());
    }
    let mut mapped = Vec::new();
    if args.positional.is_empty() {
        let [attribute, default] = args.take("map", ["attribute", "default"])?;
        let attribute = required(attribute, "attribute")?;
        let default = default.unwrap_or(Value::None);
        for item in value.iterate(&this.budget)? {
            mapped.push(follow(this, &item, &attribute, &default)?);
        }
        return Value::generator(mapped);
    }
    let filter = text_argument(&args.positional.remove(0), "filter")?;
    for item in value.iterate(&this.budget)? {
        let args = copied(this, &args)?;
        mapped.push(this.filter(&filter, item, args)?);
    }
    Value::generator(mapped)
}

fn copied(this: &Interpreter, args: &Args) -> Result<Args> {
    this.budget
        .charge(args.positional.len() + args.named.len())?;
    Ok(Args {
        positional: args.positional.clone(),
        named: args.named.clone(),
    })
}

fn select(
    this: &mut Interpreter,
    value: Value,
    attribute: Option<Value>,
    mut args: Args,
    wanted: bool,
) -> Result<Value> {
    if !value.is_true() {
        return Value::generator(Vec::new());
    }
    let test: Option<Arc<str>> = match args.positional.is_empty() {
        true => None,
        false => Some(text_argument(&args.positional.remove(0), "test")?),
    };
    let mut kept = Vec::new();
    for item in value.iterate(&this.budget)? {
        let tested = match &attribute {
            Some(attribute) => follow(this, &item, attribute, &Value::None)?,
            None => item.clone(),
        };
        let holds = match &test {
            Some(test) => {
                let args = copied(this, &args)?;
                this.test(test, &tested, args)?
            }
            None => tested.is_true(),
        };
        if holds == wanted {
            kept.push(item);
        }
    }
    Value::generator(kept)
}

/// What of an item is compared: an attribute, in lower case unless `case_sensitive`.
fn sort_key(
    this: &Interpreter,
    item: &Value,
    attribute: &Value,
    case_sensitive: bool,
) -> Result<Value> {
    let key = follow(this, item, attribute, &Value::None)?;
    Ok(match &key {
        Value::Text(text) if !case_sensitive => {
            this.budget.charge_bytes(text.text.len())?;
            Value::text(text.text.to_lowercase())
        }
        _ => key,
    })
}

fn keyed(
    this: &Interpreter,
    items: Vec<Value>,
    attribute: &Value,
    case_sensitive: bool,
) -> Result<Vec<(Value, Value)>> {
    let several: Option<Vec<Value>> = attribute.as_text().and_then(|text| {
        let several = text
            .contains(',')
            .then(|| text.split(',').map(Value::text).collect());
        several
    });
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        let key = match &several {
            None => sort_key(this, &item, attribute, case_sensitive)?,
            Some(attributes) => {
                let mut keys = Vec::new();
                for attribute in attributes {
                    keys.push(sort_key(this, &item, attribute, case_sensitive)?);
                }
                Value::list(keys)?
            }
        };
        keyed.push((key, item));
    }
    Ok(keyed)
}

fn is_set(flag: Option<Value>) -> bool {
    flag.is_some_and(|flag| flag.is_true())
}

fn sorted(this: &Interpreter, value: Value, args: Args) -> Result<Value> {
    let [reverse, case_sensitive, attribute] =
        args.take("sort", ["reverse", "case_sensitive", "attribute"])?;
    let items = value.iterate(&this.budget)?;
    let attribute = attribute.unwrap_or(Value::None);
    let mut items = keyed(this, items, &attribute, is_set(case_sensitive))?;
    sort(&mut items, is_set(reverse), &this.budget)?;
    Value::list(items.into_iter().map(|(_, item)| item).collect())
}

fn unique(this: &Interpreter, value: Value, args: Args) -> Result<Value> {
    let [case_sensitive, attribute] = args.take("unique", ["case_sensitive", "attribute"])?;
    let (attribute, case_sensitive) = (attribute.unwrap_or(Value::None), is_set(case_sensitive));
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for item in value.iterate(&this.budget)? {
        let key = sort_key(this, &item, &attribute, case_sensitive)?;
        if seen.insert(Key::of(&key, &this.budget)?) {
            kept.push(item);
        }
    }
    Value::generator(kept)
}

fn extreme(this: &Interpreter, name: &str, value: Value, args: Args) -> Result<Value> {
    let [case_sensitive, attribute] = args.take(name, ["case_sensitive", "attribute"])?;
    let attribute = attribute.unwrap_or(Value::None);
    let items = value.iterate(&this.budget)?;
    let mut items = keyed(this, items, &attribute, is_set(case_sensitive))?;
    sort(&mut items, name == "max", &this.budget)?;
    let first = items.into_iter().next().map(|(_, item)| item);
    Ok(
        first.unwrap_or(Value::Undefined(Undefined::Empty(match name {
            "max" => "largest",
            _ => "smallest",
        }))),
    )
}

fn sum(this: &Interpreter, value: Value, args: Args) -> Result<Value> {
    let [attribute, start] = args.take("sum", ["attribute", "start"])?;
    let attribute = attribute.unwrap_or(Value::None);
    let mut total = start.unwrap_or(Value::Int(0));
    if let Value::Text(_) = total {
        return Err("sum() can't sum strings".into());
    }
    for item in value.iterate(&this.budget)? {
        let item = follow(this, &item, &attribute, &Value::None)?;
        total = arithmetic::apply(Operator::Add, total, item, &this.budget)?;
    }
    Ok(total)
}

fn sort_dict(this: &Interpreter, value: &Value, args: Args) -> Result<Value> {
    let [case_sensitive, by, reverse] =
        args.take("dictsort", ["case_sensitive", "by", "reverse"])?;
    let by = match by {
        Some(by) => text_argument(&by, "by")?,
        None => "key".into(),
    };
    let place = match &*by {
        "key" => Value::Int(0),
        "value" => Value::Int(1),
        _ => return Err("dictsort(): you can only sort by either 'key' or 'value'".into()),
    };
    let Value::Dict(dict) = value else {
        return Err(format!(
            "dictsort(): expected a dict, found {}",
            value.type_name()
        ));
    };
    this.budget.charge(dict.entries.len())?;
    let mut items = keyed(
        this,
        dict.view(View::Items)?,
        &place,
        is_set(case_sensitive),
    )?;
    sort(&mut items, is_set(reverse), &this.budget)?;
    Value::list(items.into_iter().map(|(_, item)| item).collect())
}

/// `batch`: pieces of so many items; `slice`: so many pieces.
fn chunks(this: &Interpreter, name: &str, value: Value, args: Args) -> Result<Value> {
    let [count, fill] = args.take(name, ["count", "fill_with"])?;
    let count = int_argument(&required(count, "count")?, "count")?;
    let count = usize::try_from(count).ok().filter(|count| *count > 0);
    let count = count.ok_or_else(|| format!("{name}(): expected a positive number"))?;
    let items = value.iterate(&this.budget)?;
    let fill = fill.filter(|fill| !fill.is_none());
    let mut pieces = Vec::new();
    if name == "batch" {
        for piece in items.chunks(count) {
            let mut piece = piece.to_vec();
            if let Some(fill) = &fill {
                this.budget.charge(count - piece.len())?;
                piece.resize(count, fill.clone());
            }
            pieces.push(Value::list(piece)?);
        }
        return Value::generator(pieces);
    }
    this.budget.charge(count)?;
    let (size, longer) = (items.len() / count, items.len() % count);
    let mut rest = items.into_iter();
    for i in 0..count {
        let mut piece: Vec<Value> = rest.by_ref().take(size + usize::from(i < longer)).collect();
        if i >= longer {
            piece.extend(fill.clone());
        }
        pieces.push(Value::list(piece)?);
    }
    Value::generator(pieces)
}
