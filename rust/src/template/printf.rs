//! `text % values`: %s, %d, %.2f and their like.

use super::format_spec::{format_value, whole};
use super::operators::int_value;
use super::text::{as_float, str_of, Sink};
use super::values::{as_dict, as_list, fail, or_fail, type_name, Kind, Result};
use minijinja::{State, Value};

pub fn format(state: &State, text: &str, values: &Value) -> Result<String> {
    let tuple = as_list(values).filter(|list| list.kind == Kind::Tuple);
    let single = std::slice::from_ref(values);
    let mut given = tuple.map_or(single, |tuple| &tuple.items).iter();
    let mut out = Sink::new(state);
    let mut rest = text;
    let mut by_name = false;
    while let Some(at) = rest.find('%') {
        state.consume_fuel(1)?;
        out.push(&rest[..at])?;
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('%') {
            out.push("%")?;
            rest = behind;
            continue;
        }
        let mut value = None;
        if let Some(behind) = rest.strip_prefix('(') {
            let (name, behind) = or_fail(behind.split_once(')'), "%: a key has no end")?;
            let dict = or_fail(as_dict(values), "%: a key needs a dict")?;
            value = Some(or_fail(dict.get(name), format!("%: no key '{name}'"))?);
            by_name = true;
            rest = behind;
        }
        let end = rest.find(|c: char| !"#0- +.123456789".contains(c));
        let (flags, behind) = rest.split_at(or_fail(end, "%: the format has no end")?);
        let kind = behind.chars().next().unwrap_or_default();
        rest = &behind[kind.len_utf8()..];
        let value = value.or_else(|| given.next());
        let value = or_fail(value, "%: there are fewer values than the format takes")?;
        out.push(&convert(state, value, flags, kind)?)?;
    }
    out.push(rest)?;
    if !by_name && given.next().is_some() && as_dict(values).is_none() {
        return fail("%: there are more values than the format takes");
    }
    Ok(out.text)
}

/// One value, by the specifier of `format` that means the same.
fn convert(state: &State, value: &Value, flags: &str, kind: char) -> Result<String> {
    let size = flags.find(|c: char| "123456789.".contains(c));
    let (marks, width) = flags.split_at(size.unwrap_or(flags.len()));
    let has = |mark: char| marks.contains(mark);
    if width.contains(['-', '+', ' ', '#']) || has('#') {
        return fail(format!("%: the flags '{flags}' are not supported"));
    }
    let align = if has('-') { "<" } else { ">" };
    let sign = if has('+') {
        "+"
    } else if has(' ') {
        " "
    } else {
        ""
    };
    let number = |kind: char| match has('0') && !has('-') {
        true => format!("{sign}0{width}{kind}"),
        false => format!("{align}{sign}{width}{kind}"),
    };
    let expected = |what: &str| format!("%{kind}: expected {what}, found '{}'", type_name(value));
    match kind {
        's' => format_value(
            state,
            &str_of(state, value)?.into(),
            &format!("{align}{width}s"),
        ),
        'r' => {
            let mut text = Sink::new(state);
            text.repr(value)?;
            format_value(state, &text.text.into(), &format!("{align}{width}s"))
        }
        'd' | 'i' | 'u' => {
            let int = int_value(or_fail(whole(value), expected("a number"))?);
            format_value(state, &int, &number('d'))
        }
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            let float = Value::from(or_fail(as_float(value), expected("a number"))?);
            format_value(state, &float, &number(kind))
        }
        _ => fail(format!("%: the conversion %{kind} is not supported")),
    }
}
