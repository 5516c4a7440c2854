//! Conversations rendered by a model's chat template, as `apply_chat_template` of transformers does
//! it.

use crate::ffi::{guard, Bytes, Ids, Result, Text};
use crate::template::{
    as_dict, as_list, from_json, new_dict, new_list, parse, render, unused_mark, Kind, Limits,
    Program, Rendered, Value,
};
use indexmap::IndexMap;
use std::collections::BTreeMap;

/// Published templates stay below 50 kB.
const MAX_SOURCE: usize = 1 << 20;
/// Soon over for a template that only wants to keep us busy.
const STEPS: u64 = 1_000_000;
/// Steps for each byte of the conversation, up to `SHORT` of them: enough for every message to be
/// looked at from every other one, up to some hundred messages. Steps pay for memory as well, so a
/// long conversation gets fewer a byte.
const STEPS_A_BYTE: u64 = 100;
const SHORT: u64 = 10_000_000;
const STEPS_A_BYTE_OF_LONG: u64 = 10;
const MAX_OUTPUT: usize = 64 << 20;
const MAX_MESSAGE: usize = 1000;

pub struct Template {
    name: String,
    /// As it came, for the characters it contains.
    source: String,
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
            source: source.into(),
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
        let bytes: u64 = sources.iter().map(|source| source.len() as u64).sum();
        let more = (STEPS_A_BYTE * bytes).min(SHORT);
        let limits = Limits {
            steps: STEPS + more.max(STEPS_A_BYTE_OF_LONG * bytes),
            output: MAX_OUTPUT,
        };
        let (mut variables, last) = variables(chat, sources)?;
        for (name, token) in &self.special_tokens {
            let variable = variables.entry(name.as_str().into());
            variable.or_insert_with(|| token.as_str().into());
        }
        let tokens = self.special_tokens.values().map(String::as_str);
        let texts: Vec<&str> = sources
            .into_iter()
            .chain([&*self.source])
            .chain(tokens)
            .collect();
        let mark = unused_mark(&texts)?;
        let now = chat.has_time.then_some(chat.time);
        let rendered = render(&self.program, variables, now, limits, mark);
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
fn variables(chat: &Chat, sources: [&str; 4]) -> Result<(IndexMap<Value, Value>, Option<String>)> {
    let mut values = [const { Value::UNDEFINED }; 4];
    for (i, name) in ["messages", "tools", "documents", "variables"]
        .iter()
        .enumerate()
    {
        values[i] = match sources[i] {
            "" => Value::from(()),
            source => from_json(source).map_err(|e| format!("{name}: {e}"))?,
        };
    }
    let [messages, tools, documents, more] = values;
    let (messages, last) = conversation(&messages, chat.continue_final_message)?;
    let mut variables = as_dict(&more)
        .map(|dict| dict.entries.clone())
        .unwrap_or_default();
    let add_prompt = Value::from(chat.add_generation_prompt);
    variables.insert("add_generation_prompt".into(), add_prompt);
    variables.insert("messages".into(), messages);
    variables.insert("tools".into(), tools);
    variables.insert("documents".into(), documents);
    Ok((variables, last))
}

/// The messages as templates expect them: without null members, and with reasoning under the name
/// of today and that of gpt-oss.
fn conversation(messages: &Value, continues: bool) -> Result<(Value, Option<String>)> {
    let list = as_list(messages).ok_or("messages: expected a list")?;
    let mut prepared = Vec::new();
    for (i, message) in list.items.iter().enumerate() {
        let expected = || format!("messages: message {i}: expected an object");
        let dict = as_dict(message).ok_or_else(expected)?;
        let given = |name: &str| dict.get(name).filter(|value| !value.is_none());
        let names = ["reasoning_content", "thinking", "reasoning"];
        let reasoning = names.into_iter().find_map(given);
        let mut entries = IndexMap::new();
        entries.extend(reasoning.map(|text| ("thinking".into(), text.clone())));
        let kept = dict.entries.iter().filter(|(_, value)| !value.is_none());
        entries.extend(kept.map(|(name, value)| (name.clone(), value.clone())));
        entries.extend(reasoning.map(|text| ("reasoning_content".into(), text.clone())));
        prepared.push(entries);
    }
    let mut last = None;
    if continues {
        let message = prepared
            .last_mut()
            .ok_or("messages: there is none to continue")?;
        last = Some(mark_end(message)?);
    }
    let prepared = prepared
        .into_iter()
        .map(new_dict)
        .collect::<std::result::Result<_, _>>();
    let messages = prepared.and_then(|messages| new_list(messages, Kind::List));
    Ok((messages.map_err(|e| e.to_string())?, last))
}

/// Marks where the text of the last message ends.
const END_MARK: &str = "CONTINUE_FINAL_MESSAGE_TAG ";

/// Puts the mark behind the text of a message, which it returns.
fn mark_end(message: &mut IndexMap<Value, Value>) -> Result<String> {
    let nothing = "messages: the last message has no text to continue";
    let content = message.get_mut(&Value::from("content")).ok_or(nothing)?;
    if let Some(text) = content.to_str() {
        *content = format!("{text}{END_MARK}").into();
        return Ok(text.to_string());
    }
    let mut blocks = as_list(content).ok_or(nothing)?.items.clone();
    let text_of = |block: &Value| as_dict(block)?.get("text")?.to_str();
    let place = blocks
        .iter()
        .rposition(|block| text_of(block).is_some())
        .ok_or(nothing)?;
    let text = text_of(&blocks[place]).ok_or(nothing)?;
    let mut block = as_dict(&blocks[place]).ok_or(nothing)?.entries.clone();
    block.insert("text".into(), format!("{text}{END_MARK}").into());
    blocks[place] = new_dict(block).map_err(|e| e.to_string())?;
    *content = new_list(blocks, Kind::List).map_err(|e| e.to_string())?;
    Ok(text.to_string())
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
