//! What stands behind `is`: the tests of Jinja2.

use super::compare::{contains, equal, holds};
use super::operators::as_int;
use super::text::{as_float, str_of};
use super::values::{as_dict, as_list, as_method, fail, type_name, Kind, Result};
use minijinja::value::ValueKind;
use minijinja::{State, Value};

pub type Test = fn(&State, &[Value]) -> Result<bool>;

pub const TESTS: [(&str, Test); 34] = [
    ("defined", |_, a| Ok(!a[0].is_undefined())),
    ("undefined", |_, a| Ok(a[0].is_undefined())),
    ("none", |_, a| Ok(a[0].is_none())),
    ("boolean", |_, a| Ok(a[0].kind() == ValueKind::Bool)),
    ("true", |_, a| {
        Ok(a[0].kind() == ValueKind::Bool && a[0].is_true())
    }),
    ("false", |_, a| {
        Ok(a[0].kind() == ValueKind::Bool && !a[0].is_true())
    }),
    ("string", |_, a| Ok(a[0].as_str().is_some())),
    ("number", |_, a| Ok(as_float(&a[0]).is_some())),
    ("integer", |_, a| {
        Ok(a[0].is_integer() && a[0].kind() == ValueKind::Number)
    }),
    ("float", |_, a| {
        Ok(!a[0].is_integer() && a[0].kind() == ValueKind::Number)
    }),
    ("mapping", |_, a| Ok(as_dict(&a[0]).is_some())),
    ("sequence", |_, a| {
        let list = as_list(&a[0]).map(|list| list.kind);
        let indexed = matches!(list, Some(Kind::List | Kind::Tuple | Kind::View("range")));
        Ok(indexed || a[0].as_str().is_some() || as_dict(&a[0]).is_some() || a[0].is_undefined())
    }),
    ("iterable", |_, a| {
        let walked = as_list(&a[0]).is_some() || as_dict(&a[0]).is_some();
        Ok(walked || a[0].as_str().is_some() || a[0].is_undefined())
    }),
    ("callable", |_, a| {
        let other =
            a[0].as_object().is_some() && as_list(&a[0]).is_none() && as_dict(&a[0]).is_none();
        match other && !as_method(&a[0]) {
            true => fail(format!("{} is callable: not supported", type_name(&a[0]))),
            false => Ok(as_method(&a[0]) || a[0].is_undefined()),
        }
    }),
    ("sameas", |state, a| match a[0].kind() {
        ValueKind::Bool | ValueKind::None if a.len() == 2 => {
            Ok(a[0].kind() == a[1].kind() && equal(state, &a[0], &a[1])?)
        }
        _ => fail("sameas: only True, False and None are supported"),
    }),
    ("in", |state, a| contains(state, argument(a)?, &a[0])),
    ("odd", |_, a| Ok(int(&a[0])?.rem_euclid(2) == 1)),
    ("even", |_, a| Ok(int(&a[0])?.rem_euclid(2) == 0)),
    ("divisibleby", |_, a| match int(argument(a)?)? {
        0 => fail("divisibleby: division by zero"),
        divisor => Ok(int(&a[0])? % divisor == 0),
    }),
    ("lower", |state, a| cased(&str_of(state, &a[0])?, false)),
    ("upper", |state, a| cased(&str_of(state, &a[0])?, true)),
    ("eq", |state, a| holds(state, "==", &a[0], argument(a)?)),
    ("==", |state, a| holds(state, "==", &a[0], argument(a)?)),
    ("equalto", |state, a| {
        holds(state, "==", &a[0], argument(a)?)
    }),
    ("ne", |state, a| holds(state, "!=", &a[0], argument(a)?)),
    ("!=", |state, a| holds(state, "!=", &a[0], argument(a)?)),
    ("lt", |state, a| holds(state, "<", &a[0], argument(a)?)),
    ("<", |state, a| holds(state, "<", &a[0], argument(a)?)),
    ("le", |state, a| holds(state, "<=", &a[0], argument(a)?)),
    ("<=", |state, a| holds(state, "<=", &a[0], argument(a)?)),
    ("gt", |state, a| holds(state, ">", &a[0], argument(a)?)),
    (">", |state, a| holds(state, ">", &a[0], argument(a)?)),
    ("ge", |state, a| holds(state, ">=", &a[0], argument(a)?)),
    (">=", |state, a| holds(state, ">=", &a[0], argument(a)?)),
];

fn argument(a: &[Value]) -> Result<&Value> {
    a.get(1)
        .map_or_else(|| fail("the test needs an argument"), Ok)
}

fn int(value: &Value) -> Result<i128> {
    as_int(value).map_or_else(
        || fail(format!("expected an int, not {}", type_name(value))),
        Ok,
    )
}

/// `str.isupper` or `str.islower`.
fn cased(text: &str, upper: bool) -> Result<bool> {
    if !text.is_ascii() {
        return fail("the test upper or lower of text beyond ASCII is not supported");
    }
    let (any, other) = (
        text.bytes().any(|b| b.is_ascii_uppercase()),
        text.bytes().any(|b| b.is_ascii_lowercase()),
    );
    Ok(if upper { any && !other } else { other && !any })
}
