//! Numbers and strings as the source of a template writes them.

use super::text::escape_code_point;
use super::Result;

pub enum Number {
    Int(i128),
    Float(f64),
}

/// The number at the start of `source`, with its size; `after_dot` as in `list.0.5`, where only
/// whole numbers may stand.
pub fn number(source: &str, after_dot: bool) -> Result<(Number, usize)> {
    let bytes = source.as_bytes();
    if bytes[0] == b'0' && bytes.len() > 1 {
        let radix = match bytes[1] {
            b'b' | b'B' => 2,
            b'o' | b'O' => 8,
            b'x' | b'X' => 16,
            _ => 10,
        };
        let size = match radix {
            10 => 0,
            _ => digits(&source[2..], radix, true),
        };
        if size > 0 {
            return int(&source[2..2 + size], radix).map(|value| (value, 2 + size));
        }
    }
    let whole = digits(source, 10, false);
    if !after_dot {
        let mut size = whole;
        if bytes.get(size) == Some(&b'.') {
            let fraction = digits(&source[size + 1..], 10, false);
            size += if fraction > 0 { 1 + fraction } else { 0 };
        }
        if matches!(bytes.get(size), Some(b'e' | b'E')) {
            let signed = matches!(bytes.get(size + 1), Some(b'+' | b'-'));
            let start = size + 1 + usize::from(signed);
            let exponent = source
                .get(start..)
                .map_or(0, |rest| digits(rest, 10, false));
            size = if exponent > 0 { start + exponent } else { size };
        }
        if size > whole {
            let text = source[..size].replace('_', "");
            let value = text.parse().map_err(|_| format!("{text} is no number"))?;
            return Ok((Number::Float(value), size));
        }
    }
    // A number that begins with 0 is 0: what follows is another.
    let size = if bytes[0] == b'0' {
        let zeros = |c: char| c != '0' && c != '_';
        source[..whole].find(zeros).unwrap_or(whole)
    } else {
        whole
    };
    int(&source[..size], 10).map(|value| (value, size))
}

fn int(digits: &str, radix: u32) -> Result<Number> {
    i128::from_str_radix(&digits.replace('_', ""), radix)
        .map(Number::Int)
        .map_err(|_| format!("{digits} is too large a number"))
}

/// How many bytes are digits, with single underscores between them.
fn digits(source: &str, radix: u32, underscore_first: bool) -> usize {
    let bytes = source.as_bytes();
    let is_digit = |i: usize| bytes.get(i).is_some_and(|&b| (b as char).is_digit(radix));
    let mut size = 0;
    loop {
        if is_digit(size) {
            size += 1;
        } else if (size > 0 || underscore_first)
            && bytes.get(size) == Some(&b'_')
            && is_digit(size + 1)
        {
            size += 2;
        } else {
            return size;
        }
    }
}

/// The size of the string literal at the start of `source`, quotes included.
pub fn string_size(source: &str) -> Option<usize> {
    let bytes = source.as_bytes();
    let mut i = 1;
    while i < bytes.len() {
        match bytes[i] {
            b'\\' => i += 2,
            b if b == bytes[0] => return Some(i + 1),
            _ => i += 1,
        }
    }
    None
}

/// What stands between the quotes, with Python's escapes resolved.
pub fn unescape(body: &str) -> Result<String> {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(c) = rest.chars().next() else { break };
        rest = &rest[c.len_utf8()..];
        match c {
            '\n' => {}
            '\\' | '\'' | '"' => out.push(c),
            'a' => out.push('\x07'),
            'b' => out.push('\x08'),
            'f' => out.push('\x0c'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\x0b'),
            'x' => rest = push_code(rest, 2, &mut out)?,
            'u' => rest = push_code(rest, 4, &mut out)?,
            'U' => rest = push_code(rest, 8, &mut out)?,
            '0'..='7' => {
                let more = rest
                    .bytes()
                    .take(2)
                    .take_while(|b| (b'0'..=b'7').contains(b))
                    .count();
                let code = u32::from_str_radix(&format!("{c}{}", &rest[..more]), 8);
                out.extend(code.ok().and_then(char::from_u32));
                rest = &rest[more..];
            }
            'N' => return Err("the escape \\N{...} is not supported".into()),
            c if c.is_ascii() => {
                out.push('\\');
                out.push(c);
            }
            // Python has written the character as an escape before it looks for escapes.
            c => escape_code_point(c, &mut out),
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn push_code<'s>(rest: &'s str, digits: usize, out: &mut String) -> Result<&'s str> {
    let code = rest
        .get(..digits)
        .filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
    let c = code
        .and_then(|code| u32::from_str_radix(code, 16).ok())
        .and_then(char::from_u32);
    out.push(c.ok_or_else(|| {
        format!("expected {digits} hexadecimal digits of a character after a backslash")
    })?);
    Ok(&rest[digits..])
}
