//! The filters of Jinja2 that work on the items of a value.

use super::access::item;
use super::arguments::{bind, flag, split, text};
use super::compare::{compare, contains};
use super::methods::pairs;
use super::operators::{charged_list, items};
use super::text::{str_of, Sink};
use super::values::{as_dict, as_list, fail, new_list, type_name, Kind, Result};
use minijinja::{State, Value};
use std::cmp::Ordering;

/// `attribute='a.b.0'`
fn member(value: &Value, name: &Value) -> Result<Value> {
    let Some(path) = name.as_str() else {
        return item(value, name);
    };
    let mut value = value.clone();
    for part in path.split('.') {
        let place = part
            .parse::<i64>()
            .map_or_else(|_| Value::from(part), Value::from);
        value = item(&value, &place)?;
    }
    Ok(value)
}

/// What values are sorted by.
fn key_of(value: &Value, name: Option<&Value>, case_sensitive: bool) -> Result<Value> {
    let value = match name.filter(|name| !name.is_none()) {
        Some(name) => member(value, name)?,
        None => value.clone(),
    };
    Ok(match value.as_str() {
        Some(text) if !case_sensitive => text.to_lowercase().into(),
        _ => value,
    })
}

fn sorted(state: &State, mut keyed: Vec<(Value, Value)>, reverse: bool) -> Result<Vec<Value>> {
    let mut failure = None;
    keyed.sort_by(|(a, _), (b, _)| {
        let order = match failure {
            None => compare(state, "<", a, b),
            Some(_) => Ok(Ordering::Equal),
        };
        let order = order.unwrap_or_else(|error| {
            failure = Some(error);
            Ordering::Equal
        });
        if reverse {
            order.reverse()
        } else {
            order
        }
    });
    match failure {
        Some(error) => Err(error),
        None => Ok(keyed.into_iter().map(|(_, value)| value).collect()),
    }
}

pub fn sort(state: &mut State, a: &[Value]) -> Result<Value> {
    let names = ["reverse", "case_sensitive", "attribute"];
    let [reverse, sensitive, name] = bind("sort", &a[1..], names)?;
    if name
        .as_ref()
        .and_then(Value::as_str)
        .is_some_and(|name| name.contains(','))
    {
        return fail("sort: several attributes are not supported");
    }
    let mut keyed = Vec::new();
    for item in items(state, &a[0])? {
        keyed.push((key_of(&item, name.as_ref(), flag(&sensitive))?, item));
    }
    charged_list(state, sorted(state, keyed, flag(&reverse))?, Kind::List)
}

pub fn dictsort(state: &mut State, a: &[Value]) -> Result<Value> {
    let [sensitive, by, reverse] = bind("dictsort", &a[1..], ["case_sensitive", "by", "reverse"])?;
    let place = match by.as_ref().map(Value::as_str) {
        None | Some(Some("key")) => 0,
        Some(Some("value")) => 1,
        _ => return fail("dictsort: expected by='key' or by='value'"),
    };
    let Some(dict) = as_dict(&a[0]) else {
        return fail(format!("dictsort: a {} has no items", type_name(&a[0])));
    };
    let mut keyed = Vec::new();
    for pair in pairs(dict)? {
        let key = item(&pair, &Value::from(place))?;
        keyed.push((key_of(&key, None, flag(&sensitive))?, pair));
    }
    charged_list(state, sorted(state, keyed, flag(&reverse))?, Kind::List)
}

pub fn extreme(state: &mut State, a: &[Value], wanted: Ordering) -> Result<Value> {
    let [sensitive, name] = bind("min", &a[1..], ["case_sensitive", "attribute"])?;
    let mut best: Option<(Value, Value)> = None;
    for item in items(state, &a[0])? {
        let key = key_of(&item, name.as_ref(), flag(&sensitive))?;
        let better = match &best {
            Some((best, _)) => compare(state, "<", &key, best)? == wanted,
            None => true,
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map(|(_, item)| item).unwrap_or_default())
}

pub fn join(state: &mut State, a: &[Value]) -> Result<Value> {
    let [separator, name] = bind("join", &a[1..], ["d", "attribute"])?;
    let separator = str_of(state, &separator.unwrap_or("".into()))?;
    let mut sink = Sink::new(state);
    for (i, item) in items(state, &a[0])?.iter().enumerate() {
        sink.push(if i > 0 { &separator } else { "" })?;
        match &name {
            Some(name) if !name.is_none() => sink.str(&member(item, name)?)?,
            _ => sink.str(item)?,
        }
    }
    Ok(sink.text.into())
}

/// Filters that begin with `if value:` take None as well.
fn items_if_true(state: &State, value: &Value) -> Result<Vec<Value>> {
    match value.is_true() {
        true => items(state, value),
        false => Ok(Vec::new()),
    }
}

pub fn map(state: &mut State, a: &[Value]) -> Result<Value> {
    let (positional, named) = split(&a[1..]);
    let mut mapped = Vec::new();
    for value in items_if_true(state, &a[0])? {
        mapped.push(match (positional.split_first(), &named[..]) {
            (None, [(key, name)]) if key == "attribute" => member(&value, name)?,
            (None, [(key, name), (second, other)] | [(second, other), (key, name)])
                if key == "attribute" && second == "default" =>
            {
                let found = member(&value, name)?;
                if found.is_undefined() {
                    other.clone()
                } else {
                    found
                }
            }
            (Some(_), _) => {
                let filter = positional[0].clone();
                let mut arguments = a[1..].to_vec();
                arguments[0] = value;
                state.apply_filter(text("map", &Some(filter))?, &arguments)?
            }
            _ => return fail("map: expected the name of a filter, or attribute="),
        });
    }
    charged_list(state, mapped, Kind::Generator)
}

pub fn select(state: &mut State, a: &[Value], wanted: bool, by_name: bool) -> Result<Value> {
    let (name, rest) = match (by_name, a[1..].split_first()) {
        (false, _) => (None, &a[1..]),
        (true, Some((name, rest))) => (Some(name), rest),
        (true, None) => return fail("selectattr: expected the name of an attribute"),
    };
    let mut kept = Vec::new();
    for value in items_if_true(state, &a[0])? {
        let tested = name.map_or(Ok(value.clone()), |name| member(&value, name))?;
        let passes = match rest.split_first() {
            None => tested.is_true(),
            Some((test, arguments)) => {
                let arguments = [&[tested], arguments].concat();
                state.perform_test(text("select", &Some(test.clone()))?, &arguments)?
            }
        };
        if passes == wanted {
            kept.push(value);
        }
    }
    charged_list(state, kept, Kind::Generator)
}

pub fn sum(state: &mut State, a: &[Value]) -> Result<Value> {
    let [name, start] = bind("sum", &a[1..], ["attribute", "start"])?;
    let mut sum = start.unwrap_or(0.into());
    for item in items(state, &a[0])? {
        let item = name
            .as_ref()
            .map_or(Ok(item.clone()), |name| member(&item, name))?;
        sum = state.apply_filter("+", &[sum, item])?;
    }
    Ok(sum)
}

pub fn unique(state: &mut State, a: &[Value]) -> Result<Value> {
    let [sensitive, name] = bind("unique", &a[1..], ["case_sensitive", "attribute"])?;
    let (mut seen, mut kept) = (Vec::new(), Vec::new());
    for item in items(state, &a[0])? {
        let key = key_of(&item, name.as_ref(), flag(&sensitive))?;
        if !contains(state, &new_list(seen.clone(), Kind::List)?, &key)? {
            seen.push(key);
            kept.push(item);
        }
    }
    charged_list(state, kept, Kind::Generator)
}

pub fn pairs_of(state: &mut State, a: &[Value]) -> Result<Value> {
    match (a[0].is_undefined(), as_dict(&a[0])) {
        (true, _) => new_list(Vec::new(), Kind::Generator),
        (_, Some(dict)) => charged_list(state, pairs(dict)?, Kind::Generator),
        _ => fail("items: can only get item pairs from a mapping"),
    }
}

pub fn last(state: &mut State, a: &[Value]) -> Result<Value> {
    match as_list(&a[0]).map(|list| list.kind) {
        Some(Kind::Generator) => fail("last: a generator is not reversible"),
        _ => Ok(items(state, &a[0])?.last().cloned().unwrap_or_default()),
    }
}

pub fn reverse(state: &mut State, a: &[Value]) -> Result<Value> {
    match a[0].as_str() {
        Some(text) => Ok(text.chars().rev().collect::<String>().into()),
        None => {
            let reversed = items(state, &a[0])?.into_iter().rev().collect();
            charged_list(state, reversed, Kind::Generator)
        }
    }
}
