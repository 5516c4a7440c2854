//! Byte pair encoding (Sennrich et al. 2016, arXiv:1508.07909): the most frequent pair of neighbours
//! becomes a token, again and again.
//!
//! Not the crate's trainer: its result depends on the order of a hash table (WordPiece), and its
//! counts end at 2^31. Same order of merges: by count, then by the ids of the pair.

use crate::ffi::Result;
use ahash::AHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

pub struct Options<'a> {
    pub vocab_size: usize,
    /// A pair that occurs less often is not merged.
    pub min_frequency: u64,
    /// In characters.
    pub max_token_length: usize,
    /// Ids 0, 1, ... in this order; no merge makes one of them.
    pub special_tokens: &'a [String],
    /// Characters that are tokens whether they occur or not.
    pub alphabet: &'a [char],
    /// At most this many characters, the most frequent; 0 for all.
    pub limit_alphabet: usize,
    /// What a token that continues a word begins with ("##"), or nothing.
    pub continuing_prefix: &'a str,
}

#[derive(Debug, PartialEq)]
pub struct Trained {
    /// The token of each id.
    pub vocab: Vec<String>,
    /// Pairs of ids, most important first.
    pub merges: Vec<(u32, u32)>,
}

/// `words` must be sorted; `progress` hears the number of tokens so far.
pub fn train(
    words: &[(Box<str>, u64)],
    options: &Options,
    progress: &mut dyn FnMut(usize),
) -> Result<Trained> {
    let mut vocabulary = Vocabulary::new(words, options)?;
    let mut text = Symbols::new(words, &mut vocabulary, options.continuing_prefix)?;
    let mut merges = Vec::new();
    while vocabulary.tokens.len() < options.vocab_size {
        let Some((pair, count)) = text.most_frequent() else {
            break;
        };
        if count < options.min_frequency.max(1) {
            break;
        }
        let Some(token) = vocabulary.merge(pair, options) else {
            text.forget(pair);
            continue;
        };
        merges.push(pair);
        text.merge(pair, token, &vocabulary.lengths);
        if merges.len() % 64 == 0 {
            progress(vocabulary.tokens.len());
        }
    }
    Ok(Trained {
        vocab: vocabulary.tokens,
        merges,
    })
}

/// The most frequent `limit` characters of the words (0: all), ascending.
pub fn alphabet_of(words: &[(Box<str>, u64)], limit: usize) -> Vec<char> {
    let mut counts: AHashMap<char, u64> = AHashMap::new();
    for (word, count) in words {
        for c in word.chars() {
            *counts.entry(c).or_default() += count;
        }
    }
    let mut kept: Vec<(Reverse<u64>, char)> =
        counts.into_iter().map(|(c, n)| (Reverse(n), c)).collect();
    kept.sort_unstable();
    if limit > 0 {
        kept.truncate(limit);
    }
    let mut alphabet: Vec<char> = kept.into_iter().map(|(_, c)| c).collect();
    alphabet.sort_unstable();
    alphabet
}

struct Vocabulary {
    tokens: Vec<String>,
    ids: AHashMap<String, u32>,
    /// How many characters of a word each token covers; 0 for special tokens.
    lengths: Vec<u32>,
    merged: AHashMap<(u32, u32), ()>,
}

impl Vocabulary {
    fn new(words: &[(Box<str>, u64)], options: &Options) -> Result<Self> {
        let mut vocabulary = Self {
            tokens: Vec::new(),
            ids: AHashMap::new(),
            lengths: Vec::new(),
            merged: AHashMap::new(),
        };
        for token in options.special_tokens {
            vocabulary.add(token.clone(), 0);
        }
        let mut alphabet = alphabet_of(words, options.limit_alphabet);
        alphabet.extend_from_slice(options.alphabet);
        alphabet.sort_unstable();
        alphabet.dedup();
        for c in &alphabet {
            vocabulary.add(c.to_string(), 1);
        }
        if !options.continuing_prefix.is_empty() {
            let mut inner: Vec<char> = words.iter().flat_map(|(w, _)| w.chars().skip(1)).collect();
            inner.sort_unstable();
            inner.dedup();
            for c in inner {
                if alphabet.binary_search(&c).is_ok() {
                    vocabulary.add(format!("{}{c}", options.continuing_prefix), 1);
                }
            }
        }
        if vocabulary.tokens.len() > options.vocab_size {
            return Err(format!(
                "expected a vocabulary of at least {} tokens (special tokens and single \
                 characters), found vocab_size {}",
                vocabulary.tokens.len(),
                options.vocab_size
            ));
        }
        Ok(vocabulary)
    }

    fn add(&mut self, token: String, length: u32) -> u32 {
        let next = self.tokens.len() as u32;
        let id = *self.ids.entry(token.clone()).or_insert(next);
        if id == next {
            self.tokens.push(token);
            self.lengths.push(length);
        }
        id
    }

    /// The token that a pair makes; None if it must not be made.
    fn merge(&mut self, pair: (u32, u32), options: &Options) -> Option<u32> {
        let length = self.lengths[pair.0 as usize] + self.lengths[pair.1 as usize];
        let left = &self.tokens[pair.0 as usize];
        let right = &self.tokens[pair.1 as usize];
        let right = right
            .strip_prefix(options.continuing_prefix)
            .unwrap_or(right);
        if length as usize > options.max_token_length || self.merged.contains_key(&pair) {
            return None;
        }
        let id = self.add(format!("{left}{right}"), length);
        if self.lengths[id as usize] != length {
            return None; // a special token, or a character that looks like a continued one
        }
        self.merged.insert(pair, ());
        Some(id)
    }
}

/// Between words.
const EDGE: u32 = u32::MAX >> 1;
/// Inside of a token.
const INSIDE: u32 = EDGE - 1;
/// The last place of a token of several characters, with the distance to its first.
const BACK: u32 = 1 << 31;

#[derive(Default)]
struct Pair {
    count: u64,
    places: Vec<u32>,
}

/// All words one after the other, one place a character: the first place of a token holds its id.
struct Symbols {
    places: Vec<u32>,
    /// How often the word of each place occurs.
    word: Vec<u32>,
    counts: Vec<u64>,
    pairs: AHashMap<(u32, u32), Pair>,
    queue: BinaryHeap<(u64, Reverse<(u32, u32)>)>,
}

impl Symbols {
    fn new(words: &[(Box<str>, u64)], vocabulary: &mut Vocabulary, prefix: &str) -> Result<Self> {
        let size: usize = words.iter().map(|(word, _)| word.chars().count() + 1).sum();
        if size >= INSIDE as usize {
            return Err(format!(
                "{size} characters of distinct words are too many to train on"
            ));
        }
        let mut text = Self {
            places: Vec::with_capacity(size + 1),
            word: Vec::with_capacity(size + 1),
            counts: words.iter().map(|(_, count)| *count).collect(),
            pairs: AHashMap::new(),
            queue: BinaryHeap::new(),
        };
        text.push(EDGE, 0);
        let mut name = String::new();
        for (index, (word, _)) in words.iter().enumerate() {
            for (i, c) in word.chars().enumerate() {
                name.clear();
                name.push_str(if i > 0 { prefix } else { "" });
                name.push(c);
                let id = vocabulary.ids.get(&name).copied().unwrap_or(EDGE);
                text.push(id, index);
            }
            text.push(EDGE, index);
        }
        for place in 0..text.places.len() - 1 {
            let pair = (text.places[place], text.places[place + 1]);
            if pair.0 != EDGE && pair.1 != EDGE {
                text.more(pair, place);
            }
        }
        let queue = text.pairs.iter().map(|(pair, p)| (p.count, Reverse(*pair)));
        text.queue = queue.collect();
        Ok(text)
    }

    fn push(&mut self, symbol: u32, word: usize) {
        self.places.push(symbol);
        self.word.push(word as u32);
    }

    fn more(&mut self, pair: (u32, u32), place: usize) {
        let entry = self.pairs.entry(pair).or_default();
        entry.count += self.counts[self.word[place] as usize];
        entry.places.push(place as u32);
    }

    fn fewer(&mut self, pair: (u32, u32), place: usize) {
        let count = self.counts[self.word[place] as usize];
        if let Some(entry) = self.pairs.get_mut(&pair) {
            entry.count = entry.count.saturating_sub(count);
        }
    }

    fn forget(&mut self, pair: (u32, u32)) {
        self.pairs.remove(&pair);
    }

    /// The queue holds what counts once were: an entry that is too high goes back with the truth.
    fn most_frequent(&mut self) -> Option<((u32, u32), u64)> {
        while let Some((count, Reverse(pair))) = self.queue.pop() {
            let now = self.pairs.get(&pair).map_or(0, |p| p.count);
            if now == count && now > 0 {
                return Some((pair, count));
            }
            if now > 0 && now < count {
                self.queue.push((now, Reverse(pair)));
            }
        }
        None
    }

    fn merge(&mut self, pair: (u32, u32), token: u32, lengths: &[u32]) {
        let mut places = self.pairs.remove(&pair).unwrap_or_default().places;
        places.sort_unstable();
        places.dedup();
        let (left, right) = (lengths[pair.0 as usize], lengths[pair.1 as usize]);
        let mut changed = Vec::new();
        for place in places.into_iter().map(|place| place as usize) {
            let middle = place + left as usize;
            if self.places[place] != pair.0 || self.places[middle] != pair.1 {
                continue;
            }
            let next = middle + right as usize;
            if let Some(before) = self.before(place) {
                let symbol = self.places[before];
                self.fewer((symbol, pair.0), before);
                self.more((symbol, token), before);
                changed.push((symbol, token));
            }
            let after = self.places[next];
            if after != EDGE {
                self.fewer((pair.1, after), middle);
                self.more((token, after), place);
                changed.push((token, after));
            }
            self.places[place] = token;
            self.places[middle] = INSIDE;
            self.places[next - 1] = BACK | (left + right - 1);
        }
        changed.sort_unstable();
        changed.dedup();
        for pair in changed {
            if let Some(entry) = self.pairs.get(&pair) {
                self.queue.push((entry.count, Reverse(pair)));
            }
        }
    }

    /// Where the token before `place` begins, unless a word begins there.
    fn before(&self, place: usize) -> Option<usize> {
        let symbol = self.places[place - 1];
        if symbol == EDGE {
            None
        } else if symbol & BACK != 0 {
            Some(place - 1 - (symbol & !BACK) as usize)
        } else {
            Some(place - 1)
        }
    }
}

#[cfg(test)]
mod tests;
