//! Python's `format(value, spec)`: [[fill]align][sign][#][0][width][grouping][.precision][type].

use super::budget::Budget;
use super::text::{float_repr, str_of};
use super::text_methods::pad_text;
use super::value::{char_count, Value};
use super::Result;

const MAX_PRECISION: usize = 1000;

#[derive(Default, Debug)]
pub struct Spec {
    pub fill: Option<char>,
    pub align: Option<char>,
    pub sign: Option<char>,
    pub alternate: bool,
    pub width: usize,
    pub grouping: Option<char>,
    pub precision: Option<usize>,
    pub kind: Option<char>,
}

pub fn format_value(value: &Value, spec: &str, budget: &Budget) -> Result<String> {
    if spec.is_empty() {
        return Ok(str_of(value, budget)?.text.to_string());
    }
    let spec = parse(spec)?;
    match value {
        Value::Text(text) => match spec.kind {
            None | Some('s') => {
                let size = spec.precision.unwrap_or(usize::MAX);
                let cut: String = text.text.chars().take(size).collect();
                pad(&cut, &spec, '<', budget)
            }
            Some(kind) => Err(format!("unknown format code '{kind}' for str")),
        },
        Value::Float(value) => finish(&float_text(value.abs(), &spec)?, *value, &spec, budget),
        _ => match value.as_int() {
            Some(int) => int_value(int, &spec, budget),
            None => Err(format!(
                "unsupported format string passed to {}.__format__",
                value.type_name()
            )),
        },
    }
}

fn parse(source: &str) -> Result<Spec> {
    let mut spec = Spec::default();
    let chars: Vec<char> = source.chars().collect();
    let is_align = |i: usize| chars.get(i).is_some_and(|c| "<>=^".contains(*c));
    let mut at = 0;
    if is_align(1) {
        (spec.fill, spec.align) = (Some(chars[0]), Some(chars[1]));
        at = 2;
    } else if is_align(0) {
        spec.align = Some(chars[0]);
        at = 1;
    }
    let take = |at: &mut usize, wanted: &str| -> Option<char> {
        let found = chars.get(*at).copied().filter(|c| wanted.contains(*c));
        *at += usize::from(found.is_some());
        found
    };
    spec.sign = take(&mut at, "+- ");
    spec.alternate = take(&mut at, "#").is_some();
    if take(&mut at, "0").is_some() {
        spec.fill = spec.fill.or(Some('0'));
        spec.align = spec.align.or(Some('='));
    }
    let number = |at: &mut usize| -> Option<usize> {
        let digits: String = chars[*at..]
            .iter()
            .take_while(|c| c.is_ascii_digit())
            .collect();
        *at += digits.len();
        digits.parse().ok()
    };
    spec.width = number(&mut at).unwrap_or(0);
    spec.grouping = chars.get(at).copied().filter(|c| matches!(c, ',' | '_'));
    at += usize::from(spec.grouping.is_some());
    if chars.get(at) == Some(&'.') {
        at += 1;
        let precision = number(&mut at).ok_or("format specifier missing precision")?;
        if precision > MAX_PRECISION {
            return Err(format!(
                "a precision above {MAX_PRECISION} is not supported"
            ));
        }
        spec.precision = Some(precision);
    }
    spec.kind = chars.get(at).copied();
    if at + 1 < chars.len() {
        return Err(format!("invalid format specifier '{source}'"));
    }
    Ok(spec)
}

fn int_value(value: i128, spec: &Spec, budget: &Budget) -> Result<String> {
    let magnitude = value.unsigned_abs();
    let (prefix, digits) = match spec.kind {
        None | Some('d' | 'n') => ("", magnitude.to_string()),
        Some('b') => ("0b", format!("{magnitude:b}")),
        Some('o') => ("0o", format!("{magnitude:o}")),
        Some('x') => ("0x", format!("{magnitude:x}")),
        Some('X') => ("0X", format!("{magnitude:X}")),
        Some('c') => {
            let c = u32::try_from(value).ok().and_then(char::from_u32);
            let c = c.ok_or("%c needs the number of a character")?;
            return pad(&c.to_string(), spec, '<', budget);
        }
        Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') => {
            let float = value as f64;
            return finish(&float_text(float.abs(), spec)?, float, spec, budget);
        }
        Some(kind) => return Err(format!("unknown format code '{kind}' for int")),
    };
    if spec.precision.is_some() {
        return Err("precision not allowed in integer format specifier".into());
    }
    let prefix = if spec.alternate { prefix } else { "" };
    let sign = if value < 0 { -1.0 } else { 1.0 };
    finish(&format!("{prefix}{digits}"), sign, spec, budget)
}

/// Sign, groups and padding around the digits.
fn finish(digits: &str, value: f64, spec: &Spec, budget: &Budget) -> Result<String> {
    let sign = match spec.sign {
        _ if value.is_sign_negative() && !value.is_nan() => "-",
        Some('+') => "+",
        Some(' ') => " ",
        _ => "",
    };
    let digits = match spec.grouping {
        Some(separator) => grouped(digits, separator),
        None => digits.to_string(),
    };
    if spec.align == Some('=') {
        let width = spec.width.saturating_sub(sign.len());
        let fill = spec.fill.unwrap_or(' ').to_string();
        let padded = pad_text(&digits, "rjust", width as i128, &fill, budget)?;
        return Ok(format!("{sign}{padded}"));
    }
    pad(&format!("{sign}{digits}"), spec, '>', budget)
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

fn pad(text: &str, spec: &Spec, align: char, budget: &Budget) -> Result<String> {
    let fill = spec.fill.unwrap_or(' ').to_string();
    let missing = spec.width.saturating_sub(char_count(text));
    budget.charge_bytes(missing.saturating_mul(fill.len()))?;
    let before = match spec.align.unwrap_or(align) {
        '<' => 0,
        '^' => missing / 2,
        _ => missing,
    };
    Ok([&fill.repeat(before), text, &fill.repeat(missing - before)].concat())
}

fn float_text(value: f64, spec: &Spec) -> Result<String> {
    if !value.is_finite() {
        return Ok(float_repr(value));
    }
    let precision = spec.precision.unwrap_or(6);
    let text = match spec.kind {
        None => match spec.precision {
            None => float_repr(value),
            Some(precision) => general(value, precision.max(1), spec.alternate, true),
        },
        Some('f' | 'F') => format!("{value:.precision$}"),
        Some('%') => format!("{:.precision$}%", value * 100.0),
        Some('e' | 'E') => exponent(value, precision),
        Some('g' | 'G' | 'n') => general(value, precision.max(1), spec.alternate, false),
        Some(kind) => return Err(format!("unknown format code '{kind}' for float")),
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
fn general(value: f64, precision: usize, keep_zeros: bool, whole: bool) -> String {
    let scientific = exponent(value, precision - 1);
    let power: i32 = scientific
        .rsplit('e')
        .next()
        .and_then(|e| e.parse().ok())
        .unwrap_or(0);
    let highest = precision as i32 - i32::from(whole);
    let strip = |text: &str| -> String {
        if keep_zeros || !text.contains('.') {
            return text.to_string();
        }
        text.trim_end_matches('0').trim_end_matches('.').to_string()
    };
    if power < -4 || power >= highest.max(i32::from(whole)) {
        let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "+00"));
        return format!("{}e{power}", strip(mantissa));
    }
    let decimals = (precision as i32 - 1 - power).max(0) as usize;
    let text = strip(&format!("{value:.decimals$}"));
    if whole && !text.contains('.') {
        return text + ".0";
    }
    text
}
