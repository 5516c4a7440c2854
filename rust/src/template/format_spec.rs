//! Python's `format(value, spec)`: [[fill]align][sign][#][0][width][grouping][.precision][type].

use super::operators::as_int;
use super::text::{as_float, charge_bytes, float_repr, str_of};
use super::values::{fail, or_fail, type_name, Result};
use minijinja::value::ValueKind;
use minijinja::{State, Value};

const MAX_PRECISION: usize = 1000;

#[derive(Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    zero: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

pub fn format_value(state: &State, value: &Value, spec: &str) -> Result<String> {
    if spec.is_empty() {
        return str_of(state, value);
    }
    let spec = parse(spec)?;
    if let Some(text) = value.as_str() {
        return text_value(state, text, &spec);
    }
    if let Some(int) = as_int(value) {
        return int_value(state, int, &spec);
    }
    match as_float(value) {
        Some(float) => finish(state, "", &float_text(float.abs(), &spec)?, float, &spec),
        None => fail(format!(
            "format: a value of type '{}' takes no format specifier",
            type_name(value)
        )),
    }
}

/// `int(value)` for `%d`.
pub fn whole(value: &Value) -> Option<i128> {
    match (value.kind(), as_int(value), as_float(value)) {
        (_, Some(int), _) => Some(int),
        (ValueKind::Number, None, Some(float)) if float.abs() < 1e30 => Some(float as i128),
        _ => None,
    }
}

fn parse(source: &str) -> Result<Spec> {
    let mut spec = Spec::default();
    let mut rest = source.chars().peekable();
    let second = source.chars().nth(1);
    if second.is_some_and(|c| "<>=^".contains(c)) {
        (spec.fill, spec.align) = (rest.next(), rest.next());
    } else {
        spec.align = rest.next_if(|c| "<>=^".contains(*c));
    }
    spec.sign = rest.next_if(|c| "+- ".contains(*c));
    spec.alternate = rest.next_if_eq(&'#').is_some();
    spec.zero = rest.next_if_eq(&'0').is_some();
    let number = |rest: &mut std::iter::Peekable<std::str::Chars>| -> Option<usize> {
        let mut digits = String::new();
        while let Some(digit) = rest.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        digits.parse().ok()
    };
    spec.width = match rest.peek() {
        Some('1'..='9') => or_fail(number(&mut rest), "format: the width is too large")?,
        _ => 0,
    };
    spec.grouping = rest.next_if(|c| matches!(c, ',' | '_'));
    if rest.next_if_eq(&'.').is_some() {
        let precision = number(&mut rest).filter(|precision| *precision <= MAX_PRECISION);
        let expected = format!("format: expected a precision of at most {MAX_PRECISION}");
        spec.precision = Some(or_fail(precision, expected)?);
    }
    spec.kind = rest.next();
    match rest.next() {
        None => Ok(spec),
        Some(_) => fail(format!("format: the specifier '{source}' is not supported")),
    }
}

fn text_value(state: &State, text: &str, spec: &Spec) -> Result<String> {
    let plain = spec.sign.is_none() && spec.grouping.is_none() && !spec.alternate;
    if !plain || spec.align == Some('=') || !matches!(spec.kind, None | Some('s')) {
        return fail("format: this specifier is not for a str");
    }
    let size = spec.precision.unwrap_or(usize::MAX);
    let cut: String = text.chars().take(size).collect();
    pad(state, &cut, spec, '<')
}

fn int_value(state: &State, value: i128, spec: &Spec) -> Result<String> {
    let magnitude = value.unsigned_abs();
    let (prefix, digits) = match spec.kind {
        None | Some('d' | 'n') => ("", magnitude.to_string()),
        Some('b') => ("0b", format!("{magnitude:b}")),
        Some('o') => ("0o", format!("{magnitude:o}")),
        Some('x') => ("0x", format!("{magnitude:x}")),
        Some('X') => ("0X", format!("{magnitude:X}")),
        Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') => {
            let float = value as f64;
            return finish(state, "", &float_text(float.abs(), spec)?, float, spec);
        }
        Some(kind) => return fail(format!("format: '{kind}' is not supported for an int")),
    };
    if spec.precision.is_some() || spec.grouping.is_some() && !prefix.is_empty() {
        return fail("format: this specifier is not for an int");
    }
    let prefix = if spec.alternate { prefix } else { "" };
    let sign = if value < 0 { -1.0 } else { 1.0 };
    finish(state, prefix, &digits, sign, spec)
}

/// Sign, groups and padding around the digits.
fn finish(state: &State, prefix: &str, digits: &str, value: f64, spec: &Spec) -> Result<String> {
    let sign = match spec.sign {
        _ if value.is_sign_negative() && !value.is_nan() => "-",
        Some('+') => "+",
        Some(' ') => " ",
        _ => "",
    };
    let digits = match spec.grouping {
        Some(_) if spec.kind == Some('n') => return fail("format: 'n' takes no separator"),
        Some(separator) => grouped(digits, separator),
        None => digits.to_string(),
    };
    let inside = spec.align.map_or(spec.zero, |align| align == '=');
    if !inside {
        return pad(state, &[sign, prefix, &digits].concat(), spec, '>');
    }
    let missing = spec
        .width
        .saturating_sub(sign.len() + prefix.len() + digits.len());
    let fill = spec.fill.unwrap_or(if spec.zero { '0' } else { ' ' });
    if missing > 0 && spec.grouping.is_some() && fill == '0' {
        return fail("format: zeros in front of groups are not supported");
    }
    charge_bytes(state, missing.saturating_mul(fill.len_utf8()))?;
    Ok([sign, prefix, &fill.to_string().repeat(missing), &digits].concat())
}

fn grouped(digits: &str, separator: char) -> String {
    let whole = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    let mut out = String::new();
    for (i, c) in digits[..whole].chars().enumerate() {
        if i > 0 && (whole - i) % 3 == 0 {
            out.push(separator);
        }
        out.push(c);
    }
    out + &digits[whole..]
}

fn pad(state: &State, text: &str, spec: &Spec, align: char) -> Result<String> {
    let fill = spec.fill.unwrap_or(if spec.zero { '0' } else { ' ' });
    let missing = spec.width.saturating_sub(text.chars().count());
    charge_bytes(state, missing.saturating_mul(fill.len_utf8()))?;
    let before = match spec.align.unwrap_or(align) {
        '<' => 0,
        '^' => missing / 2,
        _ => missing,
    };
    let fill = fill.to_string();
    Ok([&fill.repeat(before), text, &fill.repeat(missing - before)].concat())
}

fn float_text(value: f64, spec: &Spec) -> Result<String> {
    if !value.is_finite() || spec.alternate {
        return fail("format: inf, nan and '#' are not supported for a float");
    }
    let precision = spec.precision.unwrap_or(6);
    let text = match (spec.kind, spec.precision) {
        (None, None) => float_repr(value),
        (None, Some(precision)) => general(value, precision.max(1), true),
        (Some('f' | 'F'), _) => format!("{value:.precision$}"),
        (Some('%'), _) => format!("{:.precision$}%", value * 100.0),
        (Some('e' | 'E'), _) => exponent(value, precision),
        (Some('g' | 'G' | 'n'), _) => general(value, precision.max(1), false),
        (Some(kind), _) => {
            return fail(format!("format: '{kind}' is not supported for a float"));
        }
    };
    Ok(match spec.kind {
        Some('E' | 'G') => text.to_uppercase(),
        _ => text,
    })
}

/// `1.5e+02`
fn exponent(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// `%g`: `precision` digits, with an exponent where the number is large or small. `whole`: at
/// least one digit behind the point, as `str` has.
fn general(value: f64, precision: usize, whole: bool) -> String {
    let strip = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text.to_string(),
    };
    let scientific = exponent(value, precision - 1);
    let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "+00"));
    let places: i32 = power.parse().unwrap_or(0);
    if places < -4 || places >= precision as i32 - i32::from(whole) {
        return format!("{}e{power}", strip(mantissa));
    }
    let decimals = (precision as i32 - 1 - places).max(0) as usize;
    let text = strip(&format!("{value:.decimals$}"));
    match whole && !text.contains('.') {
        true => text + ".0",
        false => text,
    }
}
