//! The filters of Jinja2 that chat templates use. Those that are missing are errors.

use super::arguments::{bind, flag};
use super::filters_items::{
    dictsort, extreme, join, last, map, pairs_of, reverse, select, sort, sum, unique,
};
use super::filters_text::{
    escape, format, indent, of_text, replace, title_words, to_json, trim, wordcount,
};
use super::operators::{as_int, charged_list, items, Function};
use super::text::{as_float, str_of};
use super::text_methods::{capitalize, strip};
use super::values::{as_dict, as_list, fail, type_name, Kind, Result};
use minijinja::{State, Value};
use std::cmp::Ordering;

pub const FILTERS: [(&str, Function); 39] = [
    ("abs", |_, a| match (as_int(&a[0]), as_float(&a[0])) {
        (Some(int), _) => {
            Ok(i64::try_from(int.abs()).map_or_else(|_| int.abs().into(), Value::from))
        }
        (_, Some(float)) => Ok(float.abs().into()),
        _ => fail(format!("abs: bad operand type {}", type_name(&a[0]))),
    }),
    ("capitalize", |state, a| of_text(state, a, capitalize)),
    ("count", length),
    ("d", default),
    ("default", default),
    ("dictsort", dictsort),
    ("e", escape),
    ("escape", escape),
    ("first", |state, a| {
        Ok(items(state, &a[0])?.first().cloned().unwrap_or_default())
    }),
    ("float", |_, a| {
        let [default] = bind("float", &a[1..], ["default"])?;
        let parsed = a[0]
            .as_str()
            .and_then(parse_float)
            .or_else(|| as_float(&a[0]));
        Ok(parsed.map_or_else(|| default.unwrap_or(0.0.into()), Value::from))
    }),
    ("format", format),
    ("indent", indent),
    ("int", to_int),
    ("items", pairs_of),
    ("join", join),
    ("last", last),
    ("length", length),
    ("list", |state, a| {
        charged_list(state, items(state, &a[0])?, Kind::List)
    }),
    ("lower", |state, a| of_text(state, a, str::to_lowercase)),
    ("map", map),
    ("max", |state, a| extreme(state, a, Ordering::Greater)),
    ("min", |state, a| extreme(state, a, Ordering::Less)),
    ("reject", |state, a| select(state, a, false, false)),
    ("rejectattr", |state, a| select(state, a, false, true)),
    ("replace", replace),
    ("reverse", reverse),
    ("round", round),
    ("safe", |state, a| {
        Ok(Value::from_safe_string(str_of(state, &a[0])?))
    }),
    ("select", |state, a| select(state, a, true, false)),
    ("selectattr", |state, a| select(state, a, true, true)),
    ("sort", sort),
    ("string", |state, a| match a[0].is_safe() {
        true => Ok(a[0].clone()),
        false => Ok(str_of(state, &a[0])?.into()),
    }),
    ("sum", sum),
    ("title", |state, a| of_text(state, a, title_words)),
    ("tojson", to_json),
    ("trim", trim),
    ("unique", unique),
    ("upper", |state, a| of_text(state, a, str::to_uppercase)),
    ("wordcount", wordcount),
];

fn default(_: &mut State, a: &[Value]) -> Result<Value> {
    let [default, boolean] = bind("default", &a[1..], ["default_value", "boolean"])?;
    Ok(
        match a[0].is_undefined() || flag(&boolean) && !a[0].is_true() {
            true => default.unwrap_or("".into()),
            false => a[0].clone(),
        },
    )
}

fn length(_: &mut State, a: &[Value]) -> Result<Value> {
    if let Some(text) = a[0].as_str() {
        return Ok(text.chars().count().into());
    }
    match (as_list(&a[0]), as_dict(&a[0])) {
        _ if a[0].is_undefined() => Ok(0.into()),
        (Some(list), _) if list.kind != Kind::Generator => Ok(list.items.len().into()),
        (_, Some(dict)) => Ok(dict.entries.len().into()),
        _ => fail(format!("length: a {} has no len()", type_name(&a[0]))),
    }
}

fn parse_float(text: &str) -> Option<f64> {
    strip(text, None, true, true).parse().ok()
}

fn to_int(_: &mut State, a: &[Value]) -> Result<Value> {
    let [default, base] = bind("int", &a[1..], ["default", "base"])?;
    if base.is_some_and(|base| as_int(&base) != Some(10)) {
        return fail("int: a base other than 10 is not supported");
    }
    let parsed = match a[0].as_str() {
        Some(text) => strip(text, None, true, true).parse::<i64>().ok(),
        None => as_int(&a[0]).and_then(|int| i64::try_from(int).ok()),
    };
    let float = || {
        a[0].as_str()
            .and_then(parse_float)
            .or_else(|| as_float(&a[0]))
    };
    match (parsed, float()) {
        (Some(int), _) => Ok(int.into()),
        (None, Some(float)) if float.abs() < 1e18 => Ok((float as i64).into()),
        (None, Some(_)) => fail("int: a number of this size is not supported"),
        _ => Ok(default.unwrap_or(0.into())),
    }
}

fn round(_: &mut State, a: &[Value]) -> Result<Value> {
    let [precision, method] = bind("round", &a[1..], ["precision", "method"])?;
    let precision = precision.as_ref().map_or(Some(0), as_int);
    let precision = precision
        .and_then(|p| usize::try_from(p).ok())
        .filter(|p| *p <= 300);
    let method = method.unwrap_or("common".into());
    if let (Some(int), Some(_), Some("common")) = (as_int(&a[0]), precision, method.as_str()) {
        return Ok(int.into());
    }
    match (as_float(&a[0]), precision, method.as_str()) {
        (Some(value), Some(places), Some("common")) => {
            Ok(format!("{value:.places$}").parse().unwrap_or(value).into())
        }
        (Some(value), Some(0), Some("ceil")) => Ok(value.ceil().into()),
        (Some(value), Some(0), Some("floor")) => Ok(value.floor().into()),
        _ => fail("round: this value, precision or method is not supported"),
    }
}
