//! Conversations rendered by a model's chat template, as `apply_chat_template` of transformers does
//! it.

use crate::ffi::{guard, Bytes, Ids, Result, Text};
use crate::jinja::{from_json, parse, render, Budget, Limits, Program, Rendered, Value};
use std::collections::{BTreeMap, HashMap};

/// Published templates stay below 50 kB.
const MAX_SOURCE: usize = 1 << 20;
/// Enough for every message to be looked at from every other one, up to some hundred messages; and
/// soon over for a template that only wants to keep us busy.
const STEPS: u64 = 1_000_000;
const STEPS_A_BYTE: u64 = 100;
const MAX_OUTPUT: usize = 64 << 20;
const MAX_MESSAGE: usize = 1000;

pub struct Template {
    name: String,
    program: Program,
    special_tokens: BTreeMap<String, String>,
}

/// Several threads may render at once.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Template>();
};

/// What a template is rendered with; empty JSON texts are left out.
#[repr(C)]
pub struct Chat {
    messages: Text,
    tools: Text,
    documents: Text,
    variables: Text,
    add_generation_prompt: bool,
    continue_final_message: bool,
    has_time: bool,
    time: i64,
}

impl Template {
    fn parse(name: &str, source: &str, special_tokens: &str) -> Result<Self> {
        if source.len() > MAX_SOURCE {
            return Err(format!(
                "{name}: expected at most {MAX_SOURCE} bytes, found {}",
                source.len()
            ));
        }
        let program = parse(source).map_err(|error| located(name, error))?;
        Ok(Self {
            name: name.into(),
            program,
            special_tokens: serde_json::from_str(special_tokens).map_err(|e| e.to_string())?,
        })
    }

    fn render(&self, chat: &Chat) -> Result<Rendered> {
        let texts = [chat.messages, chat.tools, chat.documents, chat.variables];
        let mut sources = [""; 4];
        for (source, text) in sources.iter_mut().zip(texts) {
            *source = unsafe { text.str() }?;
        }
        let bytes: usize = sources.iter().map(|source| source.len()).sum();
        let limits = Limits {
            steps: STEPS + STEPS_A_BYTE * bytes as u64,
            output: MAX_OUTPUT,
        };
        let budget = Budget::new(limits);
        let (mut variables, last) = variables(chat, sources, &budget)?;
        for (name, token) in &self.special_tokens {
            let variable = variables.entry(name.clone());
            variable.or_insert_with(|| Value::text(token.as_str()));
        }
        let now = chat.has_time.then_some(chat.time);
        let rendered = render(&self.program, variables, now, limits);
        let rendered = rendered.map_err(|error| located(&self.name, error))?;
        match last {
            Some(last) => cut_behind(rendered, &last),
            None => Ok(rendered),
        }
    }
}

/// A message of a template, which may quote long values.
fn located(name: &str, (line, mut message): (u32, String)) -> String {
    if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE) {
        message.truncate(end);
        message.push_str("...");
    }
    format!("{name}, line {line}: {message}")
}

/// The variables, and the end of the conversation if it is to be continued.
fn variables(
    chat: &Chat,
    sources: [&str; 4],
    budget: &Budget,
) -> Result<(HashMap<String, Value>, Option<String>)> {
    let names = ["messages", "tools", "documents", "variables"];
    let mut values = Vec::new();
    for (name, source) in names.iter().zip(sources) {
        values.push(match source {
            "" => Value::None,
            source => from_json(source, budget).map_err(|e| format!("{name}: {e}"))?,
        });
    }
    let [messages, tools, documents, more] =
        values.try_into().unwrap_or([const { Value::None }; 4]);
    let (messages, last) = conversation(&messages, chat.continue_final_message, budget)?;
    let mut variables = HashMap::new();
    if let Value::Dict(dict) = more {
        for (key, value) in &dict.entries {
            variables.insert(key.as_text().unwrap_or_default().to_string(), value.clone());
        }
    }
    let add_prompt = Value::Bool(chat.add_generation_prompt);
    variables.insert("add_generation_prompt".into(), add_prompt);
    variables.insert("messages".into(), messages);
    variables.insert("tools".into(), tools);
    variables.insert("documents".into(), documents);
    Ok((variables, last))
}

/// The messages as templates expect them: without null members, and with reasoning under the name
/// of today and that of gpt-oss.
fn conversation(
    messages: &Value,
    continues: bool,
    budget: &Budget,
) -> Result<(Value, Option<String>)> {
    let Value::List(list) = messages else {
        return Err("messages: expected a list".into());
    };
    let mut prepared = Vec::new();
    for (i, message) in list.items.iter().enumerate() {
        let Value::Dict(dict) = message else {
            return Err(format!("messages: message {i}: expected an object"));
        };
        let entries = dict.entries.iter().filter(|(_, value)| !value.is_none());
        let mut entries: Vec<(Value, Value)> = entries.cloned().collect();
        let names = ["reasoning_content", "thinking", "reasoning"];
        let reasoning = names
            .iter()
            .find_map(|name| dict.get_text(name).filter(|v| !v.is_none()));
        if let Some(reasoning) = reasoning {
            entries.insert(0, (Value::text("thinking"), reasoning.clone()));
            entries.push((Value::text("reasoning_content"), reasoning.clone()));
        }
        prepared.push(Value::dict(entries, budget)?);
    }
    let mut last = None;
    if continues {
        let message = prepared
            .pop()
            .ok_or("messages: there is none to continue")?;
        let (message, text) = mark_end(&message, budget)?;
        prepared.push(message);
        last = Some(text);
    }
    Ok((Value::list(prepared)?, last))
}

/// Marks where the text of the last message ends.
const END_MARK: &str = "CONTINUE_FINAL_MESSAGE_TAG ";

/// The message with the mark behind its text, and the text.
fn mark_end(message: &Value, budget: &Budget) -> Result<(Value, String)> {
    let Value::Dict(dict) = message else {
        return Err("messages: expected an object".into());
    };
    let nothing = "messages: the last message has no text to continue";
    let (content, text) = match dict.get_text("content") {
        Some(Value::Text(text)) => (
            Value::text(format!("{}{END_MARK}", text.text)),
            text.text.to_string(),
        ),
        Some(Value::List(blocks)) => {
            let mut blocks = blocks.items.clone();
            let has_text = |block: &Value| matches!(block, Value::Dict(block) if block.get_text("text").is_some());
            let place = blocks.iter().rposition(has_text).ok_or(nothing)?;
            let Value::Dict(block) = &blocks[place] else {
                return Err(nothing.into());
            };
            let text = block
                .get_text("text")
                .and_then(Value::as_text)
                .ok_or(nothing)?
                .to_string();
            let mut entries = block.entries.clone();
            entries.push((
                Value::text("text"),
                Value::text(format!("{text}{END_MARK}")),
            ));
            blocks[place] = Value::dict(entries, budget)?;
            (Value::list(blocks)?, text)
        }
        _ => return Err(nothing.into()),
    };
    let mut entries = dict.entries.clone();
    entries.push((Value::text("content"), content));
    Ok((Value::dict(entries, budget)?, text))
}

/// Drops what the template has written behind the text of the last message.
fn cut_behind(mut rendered: Rendered, last: &str) -> Result<Rendered> {
    let found = rendered.text.rfind(END_MARK.trim());
    let found = found.filter(|_| rendered.text.contains(last.trim()));
    let end = found
        .ok_or("the last message cannot be continued: the template does not write it as it is")?;
    let exact = rendered.text[end..].starts_with(END_MARK);
    rendered.text.truncate(end);
    if !exact {
        rendered.text.truncate(rendered.text.trim_end().len());
    }
    for span in &mut rendered.assistant {
        *span = (
            span.0.min(rendered.text.len()),
            span.1.min(rendered.text.len()),
        );
    }
    Ok(rendered)
}

/// # Safety
/// See lathe_bridge.h; so for all functions below.
#[no_mangle]
pub unsafe extern "C" fn lathe_template_new(
    name: Text,
    source: Text,
    special_tokens: Text,
    out: *mut *mut Template,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        let template = Template::parse(name.str()?, source.str()?, special_tokens.str()?)?;
        *out = Box::into_raw(Box::new(template));
        Ok(())
    })
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn lathe_template_free(template: *mut Template) {
    if !template.is_null() {
        drop(Box::from_raw(template));
    }
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn lathe_template_render(
    template: *const Template,
    chat: *const Chat,
    text: *mut Bytes,
    assistant: *mut Ids,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        let rendered = (*template).render(&*chat)?;
        let begins = rendered
            .assistant
            .iter()
            .map(|span| span.0 as u32)
            .collect();
        let ends = rendered
            .assistant
            .iter()
            .map(|span| span.1 as u32)
            .collect();
        *text = Bytes::from_string(rendered.text);
        *assistant = Ids::from_texts(vec![begins, ends]);
        Ok(())
    })
}
