//! What a hostile `tokenizer.json` could do that the crate `tokenizers` does not refuse: grow a text
//! without bound, encode by chance, or give one id to several tokens.

use crate::ffi::Result;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use tokenizers::Tokenizer;

/// Greatest id: embeddings for more tokens would not fit anywhere.
pub const MAX_ID: u32 = (1 << 24) - 1;
/// How many times longer replacements may make a text; published tokenizers stay below 20.
const MAX_GROWTH: f64 = 256.0;
/// How many tokens a post-processor may add to a text.
const MAX_ADDED: usize = 65_536;
const MAX_PATTERN: usize = 20_000;

#[derive(Deserialize)]
struct Parts {
    #[serde(default)]
    normalizer: Value,
    #[serde(default)]
    pre_tokenizer: Value,
    #[serde(default)]
    post_processor: Value,
    #[serde(default)]
    decoder: Value,
    model: Option<ModelHead>,
    added_tokens: Option<Vec<AddedHead>>,
}

#[derive(Deserialize)]
struct ModelHead {
    dropout: Option<f64>,
}

#[derive(Deserialize)]
struct AddedHead {
    id: u32,
    content: String,
}

/// The parts that need no parsed model; returns what `tokens` compares.
pub fn document(json: &[u8]) -> Result<Vec<(String, u32)>> {
    let parts: Parts = serde_json::from_slice(json).map_err(|e| e.to_string())?;
    for (name, part) in [
        ("normalizer", &parts.normalizer),
        ("decoder", &parts.decoder),
    ] {
        if growth(part) > MAX_GROWTH {
            return Err(format!(
                "\"{name}\": its replacements could make a text more than {MAX_GROWTH} times longer"
            ));
        }
    }
    for part in [&parts.normalizer, &parts.pre_tokenizer, &parts.decoder] {
        patterns(part)?;
    }
    if added_tokens(&parts.post_processor) > MAX_ADDED {
        return Err(format!(
            "\"post_processor\": it adds more than {MAX_ADDED} tokens to each text"
        ));
    }
    if let Some(dropout) = parts.model.and_then(|m| m.dropout) {
        if dropout != 0.0 {
            return Err(format!(
                "\"model.dropout\": expected null or 0, found {dropout}: encoding would be random"
            ));
        }
    }
    let added = parts.added_tokens.unwrap_or_default();
    Ok(added.into_iter().map(|t| (t.content, t.id)).collect())
}

/// The ids of a loaded tokenizer against those the file names; returns the number of ids, one more
/// than the greatest.
pub fn tokens(tokenizer: &Tokenizer, named: &[(String, u32)]) -> Result<u32> {
    for (content, id) in named {
        let found = tokenizer.token_to_id(content);
        if !content.is_empty() && found != Some(*id) {
            return Err(format!(
                "\"added_tokens\": {content:?} has the id {id} there, but {} by the vocabulary and \
                 the order of added tokens",
                found.map_or("none".into(), |id| id.to_string())
            ));
        }
    }
    let mut by_id: HashMap<u32, String> = HashMap::new();
    let mut twins: Option<(u32, String, String)> = None;
    for (token, id) in tokenizer.get_vocab(true) {
        if id > MAX_ID {
            return Err(format!(
                "token {token:?}: expected an id from 0 to {MAX_ID}, found {id}"
            ));
        }
        if let Some(other) = by_id.insert(id, token.clone()) {
            let (a, b) = if other < token {
                (other, token)
            } else {
                (token, other)
            };
            let twin = (id, a, b);
            twins = Some(twins.map_or(twin.clone(), |first| first.min(twin)));
        }
    }
    if let Some((id, a, b)) = twins {
        return Err(format!("tokens {a:?} and {b:?} have the same id {id}"));
    }
    let around = tokenizer.encode_fast("", true).map_err(|e| e.to_string())?;
    if let Some(id) = around.get_ids().iter().find(|id| !by_id.contains_key(id)) {
        return Err(format!(
            "\"post_processor\": it adds the id {id}, which no token has"
        ));
    }
    let greatest = by_id.keys().max().map_or(0, |id| id + 1);
    Ok(greatest.max(tokenizer.get_vocab_size(false) as u32))
}

/// By what factor the parts of a normalizer or decoder could make a text longer.
fn growth(part: &Value) -> f64 {
    let kind = part["type"].as_str().unwrap_or_default();
    let children = ["normalizers", "decoders"]
        .iter()
        .filter_map(|key| part[*key].as_array())
        .flatten();
    let inside: f64 = children.map(growth).product();
    let own = match kind {
        "Replace" => {
            let content = part["content"].as_str().map_or(0, str::len) as f64;
            // A regular expression may match one byte, or between any two.
            match part["pattern"]["String"].as_str() {
                Some(pattern) => content / pattern.len().max(1) as f64,
                None => content + 1.0,
            }
        }
        _ => 1.0,
    };
    inside * own.max(1.0)
}

fn patterns(part: &Value) -> Result<()> {
    if let Some(pattern) = part["pattern"]["Regex"].as_str() {
        if pattern.len() > MAX_PATTERN {
            return Err(format!(
                "a regular expression of {} bytes; at most {MAX_PATTERN} are accepted",
                pattern.len()
            ));
        }
    }
    if part["type"] == "FixedLength" && part["length"].as_u64().unwrap_or(1) == 0 {
        return Err("\"pre_tokenizer\": FixedLength needs a length of at least 1".into());
    }
    for key in ["normalizers", "pretokenizers", "decoders"] {
        for child in part[key].as_array().into_iter().flatten() {
            patterns(child)?;
        }
    }
    Ok(())
}

fn added_tokens(processor: &Value) -> usize {
    let mut count = 0usize;
    for child in processor["processors"].as_array().into_iter().flatten() {
        count = count.saturating_add(added_tokens(child));
    }
    for piece in processor["single"].as_array().into_iter().flatten() {
        let id = piece["SpecialToken"]["id"].as_str().unwrap_or_default();
        let ids = processor["special_tokens"][id]["ids"].as_array();
        count = count.saturating_add(ids.map_or(0, Vec::len));
    }
    count
}
