//! `str.format`: text with fields such as {}, {0}, {name[key]!r:>10}.

use super::access::item;
use super::arguments::split;
use super::format_spec::format_value;
use super::text::{str_of, Sink};
use super::values::{fail, or_fail, Result};
use minijinja::{State, Value};

struct Fields<'a, 'b, 'c> {
    state: &'a State<'b, 'c>,
    positional: &'a [Value],
    named: Vec<(String, Value)>,
    /// How many fields without a number there were.
    automatic: usize,
}

pub fn format(state: &State, source: &str, arguments: &[Value]) -> Result<String> {
    let (positional, named) = split(arguments);
    let mut fields = Fields {
        state,
        positional,
        named,
        automatic: 0,
    };
    fields.fill(source, 2)
}

impl Fields<'_, '_, '_> {
    /// `levels`: how deep fields may stand in specifiers of fields.
    fn fill(&mut self, source: &str, levels: usize) -> Result<String> {
        let mut out = Sink::new(self.state);
        let mut rest = source;
        while let Some(at) = rest.find(['{', '}']) {
            self.state.consume_fuel(1)?;
            out.push(&rest[..at])?;
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(behind) = rest.strip_prefix(brace) {
                out.push(brace)?;
                rest = behind;
                continue;
            }
            if brace == "}" || levels == 0 {
                return fail("format: a brace that opens or closes no field");
            }
            let end = or_fail(field_end(rest), "format: a field has no end")?;
            let text = self.field(&rest[..end], levels - 1)?;
            out.push(&text)?;
            rest = &rest[end + 1..];
        }
        out.push(rest)?;
        Ok(out.text)
    }

    fn field(&mut self, field: &str, levels: usize) -> Result<String> {
        let (head, spec) = field.split_once(':').unwrap_or((field, ""));
        let (name, conversion) = head.split_once('!').unwrap_or((head, ""));
        let value = self.value(name)?;
        let spec = self.fill(spec, levels)?;
        let converted = match conversion {
            "" => return format_value(self.state, &value, &spec),
            "s" => str_of(self.state, &value)?,
            "r" => {
                let mut text = Sink::new(self.state);
                text.repr(&value)?;
                text.text
            }
            _ => return fail(format!("format: !{conversion} is not supported")),
        };
        format_value(self.state, &converted.into(), &spec)
    }

    fn value(&mut self, name: &str) -> Result<Value> {
        let missing = || format!("format: there is no {{{name}}}");
        let (first, mut path) = name.split_at(name.find(['.', '[']).unwrap_or(name.len()));
        let place = match first {
            "" => {
                self.automatic += 1;
                Some(self.automatic - 1)
            }
            first => first.parse().ok(),
        };
        let named = || self.named.iter().find(|(known, _)| known == first);
        let value = match place {
            Some(_) if self.automatic > 0 && !first.is_empty() => None, // not both, says Python
            Some(place) => self.positional.get(place),
            None => named().map(|(_, value)| value),
        };
        let mut value = or_fail(value.cloned(), missing())?;
        while let Some(rest) = path.strip_prefix('[') {
            let (key, behind) = or_fail(rest.split_once(']'), "format: a key has no end")?;
            let key = key.parse::<i64>().map_or_else(|_| key.into(), Value::from);
            value = item(&value, &key)?;
            if value.is_undefined() {
                return fail(missing());
            }
            path = behind;
        }
        match path {
            "" => Ok(value),
            _ => fail(format!("format: the field {{{name}}} is not supported")),
        }
    }
}

/// Where a field ends, nested braces counted.
fn field_end(rest: &str) -> Option<usize> {
    let mut open = 0;
    for (at, c) in rest.char_indices() {
        match c {
            '{' => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
    }
    None
}
