//! A loaded tokenizer: encode, decode, look up, write.

use crate::check;
use crate::ffi::{guard, slice, Bytes, Ids, Result, Text};
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use std::ffi::{c_int, c_ulong};
use std::sync::Once;
use tokenizers::models::ModelWrapper;
use tokenizers::{AddedToken, PostProcessorWrapper, Tokenizer};

extern "C" {
    fn onig_set_retry_limit_in_match(limit: c_ulong) -> c_int;
    fn onig_set_retry_limit_in_search(limit: c_ulong) -> c_int;
}

/// Steps back that one match and one search may take, about a second; above, encoding fails with a
/// message.
const MATCH_LIMIT: c_ulong = 10_000_000;
const SEARCH_LIMIT: c_ulong = 20_000_000;

pub struct Loaded {
    tokenizer: Tokenizer,
    ids: u32,
}

impl Loaded {
    pub fn new(tokenizer: Tokenizer) -> Result<Self> {
        let ids = check::tokens(&tokenizer, &[])?;
        Ok(Self { tokenizer, ids })
    }

    fn parse(json: &[u8]) -> Result<Self> {
        limit_patterns();
        let named = check::document(json)?;
        let mut tokenizer = Tokenizer::from_bytes(json).map_err(|e| e.to_string())?;
        // Settings of somebody's last call; callers of Lathe truncate and pad themselves.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|e| e.to_string())?;
        let ids = check::tokens(&tokenizer, &named)?;
        Ok(Self { tokenizer, ids })
    }

    fn encode(&self, text: Text, special: bool) -> Result<Vec<u32>> {
        let text = unsafe { text.str() }?;
        let encoding = self.tokenizer.encode_fast(text, special);
        Ok(encoding.map_err(|e| e.to_string())?.get_ids().to_vec())
    }

    /// Ids, and where in the text (bytes) the token of each begins and ends.
    fn encode_places(&self, text: Text, special: bool) -> Result<[Vec<u32>; 3]> {
        let text = unsafe { text.str() }?;
        if u32::try_from(text.len()).is_err() {
            return Err("expected less than 4 GB of text".into());
        }
        let encoding = self.tokenizer.encode(text, special);
        let encoding = encoding.map_err(|e| e.to_string())?;
        let places = encoding.get_offsets().iter();
        let (begins, ends) = places
            .map(|(begin, end)| (*begin as u32, *end as u32))
            .unzip();
        Ok([encoding.get_ids().to_vec(), begins, ends])
    }

    fn encode_all(&self, texts: &[Text], special: bool) -> Result<Vec<Vec<u32>>> {
        if let [text] = texts {
            return Ok(vec![self.encode(*text, special)?]);
        }
        let texts: Vec<(usize, Shared)> = texts.iter().copied().map(Shared).enumerate().collect();
        texts
            .into_par_iter()
            .map(|(i, text)| {
                self.encode(text.get(), special)
                    .map_err(|e| format!("text {i}: {e}"))
            })
            .collect()
    }

    fn decode(&self, ids: &[u32], skip_special: bool) -> Result<String> {
        // Some decoders do not expect to get nothing.
        let vocabulary = self.tokenizer.get_added_vocabulary();
        let shown = |id: &u32| {
            let token = self.tokenizer.id_to_token(*id);
            token.is_some_and(|token| !skip_special || !vocabulary.is_special_token(&token))
        };
        if !ids.iter().any(shown) {
            return Ok(String::new());
        }
        let text = self.tokenizer.decode(ids, skip_special);
        text.map_err(|e| e.to_string())
    }

    fn adjust(&mut self, changes: Changes) -> Result<()> {
        for change in changes.tokens {
            self.add(change)?;
        }
        if let Some(single) = changes.single {
            let mut template = serde_json::json!({
                "type": "TemplateProcessing", "single": [], "pair": [], "special_tokens": {},
            });
            for token in single {
                let Some(token) = token else {
                    let text = serde_json::json!({"Sequence": {"id": "A", "type_id": 0}});
                    template["single"].as_array_mut().unwrap().push(text);
                    continue;
                };
                let id = self.tokenizer.token_to_id(&token);
                let id = id.ok_or_else(|| format!("{token:?} is no token of the vocabulary"))?;
                let piece = serde_json::json!({"SpecialToken": {"id": token, "type_id": 0}});
                template["single"].as_array_mut().unwrap().push(piece);
                template["special_tokens"][&token] =
                    serde_json::json!({"id": token, "ids": [id], "tokens": [token]});
            }
            template["pair"] = pair_of(&template["single"]);
            let processor: PostProcessorWrapper =
                serde_json::from_value(template).map_err(|e| e.to_string())?;
            self.tokenizer.with_post_processor(Some(processor));
        }
        self.ids = check::tokens(&self.tokenizer, &[])?;
        Ok(())
    }

    fn add(&mut self, change: Change) -> Result<()> {
        let content = change.content;
        let known = self.tokenizer.get_added_vocabulary().get_vocab();
        if !(change.if_missing && known.contains_key(&content)) {
            let token = AddedToken::from(content.clone(), change.special)
                .single_word(change.single_word)
                .lstrip(change.lstrip)
                .rstrip(change.rstrip)
                .normalized(change.normalized);
            self.tokenizer
                .add_tokens([token])
                .map_err(|e| e.to_string())?;
        }
        match (change.id, self.tokenizer.token_to_id(&content)) {
            (Some(wanted), Some(found)) if wanted != found => Err(format!(
                "{content:?} has the id {wanted} there, but {found} in the tokenizer"
            )),
            _ => Ok(()),
        }
    }

    fn part(&self, part: u32) -> Result<String> {
        let model = match self.tokenizer.get_model() {
            ModelWrapper::BPE(_) => "BPE",
            ModelWrapper::WordPiece(_) => "WordPiece",
            ModelWrapper::WordLevel(_) => "WordLevel",
            ModelWrapper::Unigram(_) => "Unigram",
        };
        match part {
            0 => self.tokenizer.to_string(true).map_err(|e| e.to_string()),
            1 => serde_json::to_string(&self.tokenizer.get_decoder()).map_err(|e| e.to_string()),
            2 => Ok(model.into()),
            _ => Err(format!("expected part 0, 1 or 2, found {part}")),
        }
    }
}

/// The template for a pair: that for one text, then the same for the second.
fn pair_of(single: &Value) -> Value {
    let mut pieces: Vec<Value> = single.as_array().cloned().unwrap_or_default();
    let second = pieces.clone();
    for mut piece in second {
        if piece.get("Sequence").is_some() {
            piece["Sequence"] = serde_json::json!({"id": "B", "type_id": 1});
        } else {
            piece["SpecialToken"]["type_id"] = 1.into();
        }
        pieces.push(piece);
    }
    pieces.into()
}

/// Oniguruma counts no steps over a whole search unless told; one bound for all patterns.
pub fn limit_patterns() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| unsafe {
        onig_set_retry_limit_in_match(MATCH_LIMIT);
        onig_set_retry_limit_in_search(SEARCH_LIMIT);
    });
}

/// Text that other threads read during the call.
#[derive(Clone, Copy)]
pub struct Shared(pub Text);
unsafe impl Send for Shared {}
unsafe impl Sync for Shared {}

impl Shared {
    pub fn get(self) -> Text {
        self.0
    }
}

/// What `tokenizer_config.json` changes: more tokens, and where they go around a text (null is the
/// text itself).
#[derive(Deserialize)]
struct Changes {
    tokens: Vec<Change>,
    single: Option<Vec<Option<String>>>,
}

/// A token to add; `if_missing`: only if it is no added token yet.
#[derive(Deserialize)]
struct Change {
    content: String,
    id: Option<u32>,
    if_missing: bool,
    special: bool,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
    normalized: bool,
}

/// # Safety
/// See lathe_bridge.h; so for all functions below.
#[no_mangle]
pub unsafe extern "C" fn lathe_tokenizer_new(
    json: Text,
    out: *mut *mut Loaded,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        *out = Box::into_raw(Box::new(Loaded::parse(json.bytes())?));
        Ok(())
    })
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn lathe_tokenizer_free(tokenizer: *mut Loaded) {
    if !tokenizer.is_null() {
        drop(Box::from_raw(tokenizer));
    }
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn lathe_tokenizer_adjust(
    tokenizer: *mut Loaded,
    changes: Text,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        let changes = serde_json::from_slice(changes.bytes()).map_err(|e| e.to_string())?;
        (*tokenizer).adjust(changes)
    })
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn lathe_tokenizer_encode(
    tokenizer: *const Loaded,
    texts: *const Text,
    count: usize,
    special: bool,
    out: *mut Ids,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        let encoded = (*tokenizer).encode_all(slice(texts, count), special)?;
        *out = Ids::from_texts(encoded);
        Ok(())
    })
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn lathe_tokenizer_encode_places(
    tokenizer: *const Loaded,
    text: Text,
    special: bool,
    out: *mut Ids,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        *out = Ids::from_texts((*tokenizer).encode_places(text, special)?.into());
        Ok(())
    })
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn lathe_tokenizer_decode(
    tokenizer: *const Loaded,
    ids: *const u32,
    count: usize,
    skip_special: bool,
    out: *mut Bytes,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        let text = (*tokenizer).decode(slice(ids, count), skip_special)?;
        *out = Bytes::from_string(text);
        Ok(())
    })
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn lathe_tokenizer_token(
    tokenizer: *const Loaded,
    id: u32,
    out: *mut Bytes,
    special: *mut bool,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        let tokenizer = &(*tokenizer).tokenizer;
        let token = tokenizer.id_to_token(id);
        let token = token.ok_or_else(|| format!("there is no token with the id {id}"))?;
        *special = tokenizer.get_added_vocabulary().is_special_token(&token);
        *out = Bytes::from_string(token);
        Ok(())
    })
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn lathe_tokenizer_id(
    tokenizer: *const Loaded,
    token: Text,
    out: *mut i64,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        let id = (*tokenizer).tokenizer.token_to_id(token.str()?);
        *out = id.map_or(-1, i64::from);
        Ok(())
    })
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn lathe_tokenizer_ids(tokenizer: *const Loaded) -> u32 {
    (*tokenizer).ids
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn lathe_tokenizer_part(
    tokenizer: *const Loaded,
    part: u32,
    out: *mut Bytes,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        *out = Bytes::from_string((*tokenizer).part(part)?);
        Ok(())
    })
}
