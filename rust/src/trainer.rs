//! Training a tokenizer: texts come in, their words are counted, and a model is made of them.

use crate::ffi::{guard, slice, Bytes, Result, Text};
use crate::tokenizer::{limit_patterns, Loaded, Shared};
use crate::words::Words;
use crate::{bpe, unigram};
use serde::Deserialize;
use serde_json::Value;
use std::ffi::{c_char, c_void};
use tokenizers::models::bpe::BPE;
use tokenizers::models::unigram::Unigram;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{
    AddedToken, ModelWrapper, NormalizerWrapper, OffsetReferential, OffsetType, PreTokenizer,
    Tokenizer,
};

/// What `lathe_trainer_new` gets, as JSON.
#[derive(Deserialize)]
struct Config {
    model: Kind,
    vocab_size: usize,
    min_frequency: u64,
    max_token_length: usize,
    limit_alphabet: usize,
    /// All of Unicode's bytes are tokens.
    byte_level: bool,
    /// Unknown characters become bytes: unigram.
    byte_fallback: bool,
    continuing_prefix: String,
    max_word_length: usize,
    special_tokens: Vec<String>,
    unk_token: Option<String>,
    /// Bytes for the table of words.
    memory: usize,
    normalizer: Value,
    pre_tokenizer: Value,
    decoder: Value,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Bpe,
    Wordpiece,
    Unigram,
}

/// The score of a byte's token: never chosen for text, only for what has no piece.
const BYTE_SCORE: f64 = -1000.0;

pub struct Trainer {
    config: Config,
    /// Normalizes and splits; knows the special tokens and no model yet.
    splitter: Tokenizer,
    words: Words,
}

/// How far training is: a stage, steps done, steps in all (0: unknown).
type Progress = extern "C" fn(*mut c_void, *const c_char, u64, u64);

impl Trainer {
    fn new(config: &[u8]) -> Result<Self> {
        limit_patterns();
        let config: Config = serde_json::from_slice(config).map_err(|e| e.to_string())?;
        let mut splitter = Tokenizer::new(BPE::default());
        config.dress(&mut splitter)?;
        let words = Words::new(config.memory);
        Ok(Self {
            config,
            splitter,
            words,
        })
    }

    fn feed(&mut self, texts: &[Text]) -> Result<()> {
        let texts: Vec<Shared> = texts.iter().copied().map(Shared).collect();
        let splitter = &self.splitter;
        self.words.add(&texts, |text, count| {
            let text = unsafe { text.get().str() }?;
            let mut split = splitter
                .get_added_vocabulary()
                .extract_and_normalize(splitter.get_normalizer(), text);
            if let Some(pre_tokenizer) = splitter.get_pre_tokenizer() {
                pre_tokenizer
                    .pre_tokenize(&mut split)
                    .map_err(|e| e.to_string())?;
            }
            for (word, _, special) in
                split.get_splits(OffsetReferential::Original, OffsetType::None)
            {
                if special.is_none() {
                    count(word);
                }
            }
            Ok(())
        })
    }

    fn finish(self, progress: &mut dyn FnMut(&std::ffi::CStr, u64, u64)) -> Result<Tokenizer> {
        let words = self.words.sorted();
        let size = self.config.vocab_size as u64;
        let model = match self.config.model {
            Kind::Bpe | Kind::Wordpiece => {
                let report = &mut |tokens| progress(c"merging pairs", tokens as u64, size);
                self.config.merged(&words, report)?
            }
            Kind::Unigram => {
                let report = &mut |pieces| progress(c"pruning pieces", pieces as u64, size);
                self.config.pruned(&words, report)?
            }
        };
        let mut tokenizer = Tokenizer::new(model);
        self.config.dress(&mut tokenizer)?;
        Ok(tokenizer)
    }
}

impl Config {
    /// Gives a tokenizer all but the model.
    fn dress(&self, tokenizer: &mut Tokenizer) -> Result<()> {
        let wrong = |e: serde_json::Error| e.to_string();
        let normalizer: Option<NormalizerWrapper> =
            serde_json::from_value(self.normalizer.clone()).map_err(wrong)?;
        tokenizer
            .with_normalizer(normalizer)
            .map_err(|e| e.to_string())?;
        tokenizer.with_pre_tokenizer(
            serde_json::from_value::<Option<tokenizers::PreTokenizerWrapper>>(
                self.pre_tokenizer.clone(),
            )
            .map_err(wrong)?,
        );
        tokenizer.with_decoder(
            serde_json::from_value::<Option<tokenizers::DecoderWrapper>>(self.decoder.clone())
                .map_err(wrong)?,
        );
        let special = self.special_tokens.iter();
        tokenizer
            .add_special_tokens(special.map(|token| AddedToken::from(token.as_str(), true)))
            .map_err(|e| e.to_string())?;
        Ok(())
    }

    fn merged(
        &self,
        words: &[(Box<str>, u64)],
        progress: &mut dyn FnMut(usize),
    ) -> Result<ModelWrapper> {
        let bytes: Vec<char> = ByteLevel::alphabet().into_iter().collect();
        let trained = bpe::train(
            words,
            &bpe::Options {
                vocab_size: self.vocab_size,
                min_frequency: self.min_frequency,
                max_token_length: self.max_token_length,
                special_tokens: &self.special_tokens,
                alphabet: if self.byte_level { &bytes } else { &[] },
                limit_alphabet: if self.byte_level {
                    0
                } else {
                    self.limit_alphabet
                },
                continuing_prefix: &self.continuing_prefix,
            },
            progress,
        )?;
        let name = |id: u32| trained.vocab[id as usize].clone();
        let merges = trained.merges.iter().map(|(a, b)| (name(*a), name(*b)));
        let merges: Vec<(String, String)> = merges.collect();
        let vocab = trained.vocab.iter().cloned().zip(0u32..);
        let vocab: ahash::AHashMap<String, u32> = vocab.collect();
        if matches!(self.model, Kind::Wordpiece) {
            let model = WordPiece::builder()
                .vocab(vocab)
                .unk_token(self.unk_token.clone().unwrap_or_default())
                .continuing_subword_prefix(self.continuing_prefix.clone())
                .max_input_chars_per_word(self.max_word_length)
                .build();
            return Ok(model.map_err(|e| e.to_string())?.into());
        }
        let mut model = BPE::builder().vocab_and_merges(vocab, merges);
        if let Some(unknown) = &self.unk_token {
            if !self.byte_level {
                model = model.unk_token(unknown.clone());
            }
        }
        Ok(model.build().map_err(|e| e.to_string())?.into())
    }

    fn pruned(
        &self,
        words: &[(Box<str>, u64)],
        progress: &mut dyn FnMut(usize),
    ) -> Result<ModelWrapper> {
        let special = self.special_tokens.iter().cloned();
        let mut vocab: Vec<(String, f64)> = special.map(|token| (token, 0.0)).collect();
        if self.byte_fallback {
            vocab.extend((0..256).map(|byte| (format!("<0x{byte:02X}>"), BYTE_SCORE)));
        }
        let options = unigram::Options {
            pieces: self.vocab_size.saturating_sub(vocab.len()),
            max_length: self.max_token_length,
            limit_alphabet: self.limit_alphabet,
            // A text that reads like the token of a byte must be cheaper to write letter by letter.
            alphabet: if self.byte_fallback {
                "<>x0123456789ABCDEF".chars().collect()
            } else {
                vec![]
            },
        };
        let reserved: ahash::AHashSet<String> = vocab.iter().map(|(t, _)| t.clone()).collect();
        let pieces = unigram::train(words, &options, progress)?;
        vocab.extend(pieces.into_iter().filter(|(p, _)| !reserved.contains(p)));
        let unknown = self.unk_token.as_ref();
        let unknown = unknown.and_then(|unk| self.special_tokens.iter().position(|t| t == unk));
        let model = Unigram::from(vocab, unknown, self.byte_fallback);
        Ok(model.map_err(|e| e.to_string())?.into())
    }
}

/// # Safety
/// See lathe_bridge.h; so for all functions below.
#[no_mangle]
pub unsafe extern "C" fn lathe_trainer_new(
    config: Text,
    out: *mut *mut Trainer,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        *out = Box::into_raw(Box::new(Trainer::new(config.bytes())?));
        Ok(())
    })
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn lathe_trainer_free(trainer: *mut Trainer) {
    if !trainer.is_null() {
        drop(Box::from_raw(trainer));
    }
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn lathe_trainer_feed(
    trainer: *mut Trainer,
    texts: *const Text,
    count: usize,
    words: *mut u64,
    dropped: *mut u64,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        let trainer = &mut *trainer;
        trainer.feed(slice(texts, count))?;
        *words = trainer.words.len() as u64;
        *dropped = trainer.words.dropped();
        Ok(())
    })
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn lathe_trainer_finish(
    trainer: *mut Trainer,
    progress: Option<Progress>,
    context: *mut c_void,
    out: *mut *mut Loaded,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        let trainer = Box::from_raw(trainer);
        let tokenizer = trainer.finish(&mut |stage, done, total| {
            if let Some(progress) = progress {
                progress(context, stage.as_ptr(), done, total);
            }
        })?;
        *out = Box::into_raw(Box::new(Loaded::new(tokenizer)?));
        Ok(())
    })
}
