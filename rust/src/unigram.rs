//! The unigram language model (Kudo 2018, arXiv:1804.10959): many pieces to begin with, their
//! probabilities by expectation maximisation, and those that help least are left out.
//!
//! Not the crate's trainer: its result depends on the order of a hash table and on the number of
//! threads, it can run forever, and its counts end at 2^32.

use crate::ffi::Result;
use crate::{bpe, unigram_seed};
use ahash::AHashMap;
use rayon::prelude::*;

pub struct Options {
    /// Pieces wanted, without special tokens.
    pub pieces: usize,
    /// Longest piece in characters.
    pub max_length: usize,
    /// At most this many characters, the most frequent; 0 for all.
    pub limit_alphabet: usize,
    /// Characters that are pieces whether they occur or not.
    pub alphabet: Vec<char>,
}

/// Rounds of expectation and maximisation between two prunings, and what share each pruning keeps.
const ROUNDS: usize = 2;
const KEEP: f64 = 0.75;
/// A piece expected less often than this is dropped.
const RARE: f64 = 0.5;
/// How much worse than the worst piece an unknown character is.
const UNKNOWN_PENALTY: f64 = 10.0;
/// Sums are taken in this many parts whatever the number of threads, so that they round the same.
const PARTS: usize = 8;

type Piece = (String, f64);
type Word = (Box<str>, u64);

/// The pieces with their log probabilities, best first. `progress` hears the number of pieces left.
pub fn train(
    words: &[Word],
    options: &Options,
    progress: &mut dyn FnMut(usize),
) -> Result<Vec<Piece>> {
    let mut alphabet = bpe::alphabet_of(words, options.limit_alphabet);
    alphabet.extend_from_slice(&options.alphabet);
    alphabet.sort_unstable();
    alphabet.dedup();
    if alphabet.len() > options.pieces {
        return Err(format!(
            "expected room for at least {} single characters, found {}: raise vocab_size or set \
             limit_alphabet",
            alphabet.len(),
            options.pieces
        ));
    }
    let mut pieces = unigram_seed::pieces(words, &alphabet, options.max_length);
    let sum: f64 = pieces.iter().map(|(_, weight)| weight).sum();
    for (_, weight) in &mut pieces {
        *weight = (*weight / sum).ln();
    }
    let wanted = options.pieces * 11 / 10;
    loop {
        for _ in 0..ROUNDS {
            let expected = Model::new(&pieces).expected(words);
            pieces = maximise(pieces, &expected);
            progress(pieces.len());
        }
        if pieces.len() <= wanted {
            break;
        }
        let size = wanted.max((pieces.len() as f64 * KEEP) as usize);
        pieces = prune(pieces, words, size);
    }
    Ok(finish(pieces, &alphabet, options.pieces))
}

/// Log probabilities from expected counts, with the sparse prior of the original (digamma).
fn maximise(pieces: Vec<Piece>, expected: &[f64]) -> Vec<Piece> {
    let kept = pieces.into_iter().zip(expected);
    let kept: Vec<(String, f64)> = kept
        .filter(|(_, count)| **count >= RARE)
        .map(|((piece, _), count)| (piece, *count))
        .collect();
    let sum: f64 = kept.iter().map(|(_, count)| count).sum();
    let log_sum = digamma(sum);
    kept.into_iter()
        .map(|(piece, count)| (piece, digamma(count) - log_sum))
        .collect()
}

/// Keeps all characters, and the other pieces whose loss would cost most, `size` in all.
fn prune(pieces: Vec<Piece>, words: &[Word], size: usize) -> Vec<Piece> {
    let model = Model::new(&pieces);
    let counts = model.best_counts(words);
    let sum: f64 = counts.iter().sum();
    let mut losses: Vec<(f64, usize)> = Vec::new();
    let mut keep = vec![false; pieces.len()];
    let mut left = size;
    for (id, (piece, _)) in pieces.iter().enumerate() {
        let mut path = Vec::new();
        if piece.chars().nth(1).is_none() {
            keep[id] = true;
            left = left.saturating_sub(1);
        } else if counts[id] > 0.0 {
            let loss = if model.best_path(piece, Some(id as u32), &mut path) {
                // Without the piece its count goes to those that replace it.
                let sum_without = sum + counts[id] * (path.len() as f64 - 1.0);
                let replaced: f64 = path
                    .iter()
                    .map(|id| counts[*id as usize])
                    .map(|count| ((count + counts[id]) / sum_without).ln())
                    .sum();
                counts[id] / sum * ((counts[id] / sum).ln() - replaced)
            } else {
                f64::INFINITY // some of its characters are no pieces any more
            };
            losses.push((loss, id));
        }
    }
    losses.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, id) in losses.into_iter().take(left) {
        keep[id] = true;
    }
    let kept = pieces.into_iter().zip(keep).filter(|(_, keep)| *keep);
    kept.map(|(piece, _)| piece).collect()
}

/// All characters and the most probable other pieces.
fn finish(mut pieces: Vec<Piece>, alphabet: &[char], size: usize) -> Vec<Piece> {
    let mut worst = pieces.iter().map(|(_, score)| *score).fold(0.0, f64::min);
    let by_text: AHashMap<String, f64> = pieces.iter().cloned().collect();
    let mut result: Vec<Piece> = Vec::new();
    for c in alphabet {
        let piece = c.to_string();
        let score = by_text.get(&piece).copied().unwrap_or_else(|| {
            worst -= 1e-4;
            worst
        });
        result.push((piece, score));
    }
    pieces.retain(|(piece, _)| piece.chars().nth(1).is_some());
    let order = |a: &Piece, b: &Piece| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0));
    pieces.sort_by(order);
    pieces.truncate(size.saturating_sub(result.len()));
    result.extend(pieces);
    result.sort_by(order);
    result
}

/// The logarithmic derivative of the gamma function, for x > 0.
fn digamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 8.0 {
        shift += 1.0 / x;
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = y * (1.0 / 12.0 - y * (1.0 / 120.0 - y * (1.0 / 252.0 - y * (1.0 / 240.0))));
    x.ln() - 0.5 / x - series - shift
}

/// One way to cover characters `begin..end` of a word.
struct Edge {
    begin: usize,
    end: usize,
    /// NONE for an unknown character.
    piece: u32,
    score: f64,
}

const NONE: u32 = u32::MAX;

struct Model<'a> {
    pieces: &'a [Piece],
    /// A trie: (node, character) -> node, and the piece that ends at each node.
    children: AHashMap<(u32, char), u32>,
    ends: Vec<u32>,
    unknown: f64,
}

impl<'a> Model<'a> {
    fn new(pieces: &'a [Piece]) -> Self {
        let worst = pieces.iter().map(|(_, score)| *score).fold(0.0, f64::min);
        let mut model = Self {
            pieces,
            children: AHashMap::new(),
            ends: vec![NONE],
            unknown: worst - UNKNOWN_PENALTY,
        };
        for (id, (piece, _)) in pieces.iter().enumerate() {
            let mut node = 0;
            for c in piece.chars() {
                let next = model.ends.len() as u32;
                node = *model.children.entry((node, c)).or_insert(next);
                if node == next {
                    model.ends.push(NONE);
                }
            }
            model.ends[node as usize] = id as u32;
        }
        model
    }

    /// All edges of a word by their begin; returns its number of characters.
    fn edges(&self, word: &str, edges: &mut Vec<Edge>, without: Option<u32>) -> usize {
        edges.clear();
        let characters: Vec<char> = word.chars().collect();
        for begin in 0..characters.len() {
            let mut single = false;
            let mut node = 0;
            for (length, c) in characters[begin..].iter().enumerate() {
                match self.children.get(&(node, *c)) {
                    Some(next) => node = *next,
                    None => break,
                }
                let piece = self.ends[node as usize];
                if piece != NONE && Some(piece) != without {
                    single |= length == 0;
                    edges.push(Edge {
                        begin,
                        end: begin + length + 1,
                        piece,
                        score: self.pieces[piece as usize].1,
                    });
                }
            }
            if !single {
                edges.push(Edge {
                    begin,
                    end: begin + 1,
                    piece: NONE,
                    score: self.unknown,
                });
            }
        }
        characters.len()
    }

    /// How often each piece is expected over all segmentations of all words.
    fn expected(&self, words: &[Word]) -> Vec<f64> {
        self.sum(words, |(word, count), expected, edges| {
            let length = self.edges(word, edges, None);
            let mut forward = vec![f64::NEG_INFINITY; length + 1];
            forward[0] = 0.0;
            for edge in edges.iter() {
                forward[edge.end] = log_add(forward[edge.end], forward[edge.begin] + edge.score);
            }
            let mut backward = vec![f64::NEG_INFINITY; length + 1];
            backward[length] = 0.0;
            for edge in edges.iter().rev() {
                backward[edge.begin] =
                    log_add(backward[edge.begin], backward[edge.end] + edge.score);
            }
            for edge in edges.iter().filter(|edge| edge.piece != NONE) {
                let log = forward[edge.begin] + edge.score + backward[edge.end] - forward[length];
                expected[edge.piece as usize] += *count as f64 * log.exp();
            }
        })
    }

    /// How often each piece is in the best segmentation of the words.
    fn best_counts(&self, words: &[Word]) -> Vec<f64> {
        self.sum(words, |(word, count), counts, edges| {
            let mut path = Vec::new();
            self.walk(word, None, edges, &mut path);
            for piece in path.into_iter().filter(|piece| *piece != NONE) {
                counts[piece as usize] += *count as f64;
            }
        })
    }

    /// The best segmentation without one piece; false if it needs an unknown character.
    fn best_path(&self, text: &str, without: Option<u32>, path: &mut Vec<u32>) -> bool {
        self.walk(text, without, &mut Vec::new(), path);
        !path.contains(&NONE)
    }

    fn walk(&self, text: &str, without: Option<u32>, edges: &mut Vec<Edge>, path: &mut Vec<u32>) {
        let length = self.edges(text, edges, without);
        let mut best: Vec<(f64, usize)> = vec![(f64::NEG_INFINITY, 0); length + 1];
        best[0].0 = 0.0;
        for (i, edge) in edges.iter().enumerate() {
            let score = best[edge.begin].0 + edge.score;
            if score > best[edge.end].0 {
                best[edge.end] = (score, i);
            }
        }
        let mut end = length;
        while end > 0 {
            let edge = &edges[best[end].1];
            path.push(edge.piece);
            end = edge.begin;
        }
    }

    /// One number a piece, summed over all words in a fixed order.
    fn sum(
        &self,
        words: &[Word],
        add: impl Fn(&Word, &mut [f64], &mut Vec<Edge>) + Sync,
    ) -> Vec<f64> {
        let parts: Vec<Vec<f64>> = words
            .par_chunks(words.len().div_ceil(PARTS).max(1))
            .map(|words| {
                let mut sums = vec![0.0; self.pieces.len()];
                let mut edges = Vec::new();
                words
                    .iter()
                    .for_each(|word| add(word, &mut sums, &mut edges));
                sums
            })
            .collect();
        let mut total = vec![0.0; self.pieces.len()];
        for part in parts {
            total.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
        }
        total
    }
}

fn log_add(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY {
        high
    } else {
        high + (low - high).exp().ln_1p()
    }
}

#[cfg(test)]
mod tests;
