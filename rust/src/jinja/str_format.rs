//! `str.format`: text with fields such as {}, {0}, {name.member[key]!r:>10}.

use super::arguments::Args;
use super::budget::Budget;
use super::format_spec::format_value;
use super::text::write_repr;
use super::value::Value;
use super::Result;

struct Fields<'a> {
    arguments: &'a Args,
    /// How many fields without a number there were.
    automatic: usize,
    budget: &'a Budget,
}

pub fn format(source: &str, arguments: Args, budget: &Budget) -> Result<String> {
    let mut fields = Fields {
        arguments: &arguments,
        automatic: 0,
        budget,
    };
    fields.fill(source, 2)
}

impl Fields<'_> {
    /// `levels`: how deep fields may stand in specifiers of fields.
    fn fill(&mut self, source: &str, levels: usize) -> Result<String> {
        let mut out = String::new();
        let mut rest = source;
        while let Some(at) = rest.find(['{', '}']) {
            self.budget.charge(1)?;
            out.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(behind) = rest.strip_prefix(brace) {
                out.push_str(brace);
                rest = behind;
                continue;
            }
            if brace == "}" {
                return Err("single '}' encountered in format string".into());
            }
            if levels == 0 {
                return Err("max string recursion exceeded".into());
            }
            let end = field_end(rest).ok_or("expected '}' before end of string")?;
            let text = self.field(&rest[..end], levels - 1)?;
            self.budget.charge_bytes(text.len())?;
            out.push_str(&text);
            rest = &rest[end + 1..];
        }
        Ok(out + rest)
    }

    fn field(&mut self, field: &str, levels: usize) -> Result<String> {
        let (head, spec) = field.split_once(':').unwrap_or((field, ""));
        let (name, conversion) = match head.split_once('!') {
            Some((name, conversion)) => (name, conversion),
            None => (head, ""),
        };
        let value = self.value(name)?;
        let spec = self.fill(spec, levels)?;
        let converted = match conversion {
            "" => return format_value(&value, &spec, self.budget),
            "s" => format_value(&value, "", self.budget)?,
            "r" => {
                let mut text = String::new();
                write_repr(&value, &mut text, self.budget)?;
                text
            }
            _ => return Err(format!("unknown conversion specifier '!{conversion}'")),
        };
        format_value(&Value::text(converted), &spec, self.budget)
    }

    fn value(&mut self, name: &str) -> Result<Value> {
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (first, mut path) = name.split_at(end);
        let index = match first {
            "" => {
                self.automatic += 1;
                Some(self.automatic - 1)
            }
            first => first.parse().ok(),
        };
        let mut value = match index {
            Some(index) => self.arguments.positional.get(index).cloned(),
            None => {
                let mut named = self.arguments.named.iter();
                named
                    .find(|(name, _)| **name == *first)
                    .map(|(_, value)| value.clone())
            }
        }
        .ok_or_else(|| format!("format(): no argument for the field '{{{name}}}'"))?;
        while let Some(rest) = path.strip_prefix('[') {
            let (key, behind) = rest
                .split_once(']')
                .ok_or("expected ']' in a format field")?;
            value = item(&value, key, self.budget)?;
            path = behind;
        }
        if path.is_empty() {
            return Ok(value);
        }
        Err(format!("format(): '{name}': members are not supported"))
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

fn item(value: &Value, key: &str, budget: &Budget) -> Result<Value> {
    let found = match (value, key.parse::<usize>()) {
        (Value::List(items) | Value::Tuple(items), Ok(index)) => items.items.get(index).cloned(),
        (Value::Dict(dict), Ok(index)) => dict.get(&Value::Int(index as i128), budget)?.cloned(),
        (Value::Dict(dict), Err(_)) => dict.get_text(key).cloned(),
        _ => None,
    };
    found.ok_or_else(|| format!("format(): there is no item '{key}'"))
}
