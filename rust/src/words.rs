//! The table of distinct words of a training text and how often each occurs, in bounded memory.

use ahash::AHashMap;
use rayon::prelude::*;

/// Longer words are cut: texts that nothing splits would be one word each.
const MAX_WORD: usize = 4096;

/// What a word costs besides its bytes, about.
const OVERHEAD: usize = 64;

pub struct Words {
    counts: AHashMap<Box<str>, u64>,
    bytes: usize,
    limit: usize,
    dropped: u64,
}

impl Words {
    /// A table of at most about `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            counts: AHashMap::new(),
            bytes: 0,
            limit,
            dropped: 0,
        }
    }

    /// Counts the words of all texts. The result depends on the texts and their order alone, not on
    /// the number of threads.
    pub fn add<T, E, F>(&mut self, texts: &[T], split: F) -> Result<(), E>
    where
        T: Sync,
        E: Send,
        F: Fn(&T, &mut dyn FnMut(&str)) -> Result<(), E> + Sync,
    {
        let chunk = texts
            .len()
            .div_ceil(4 * rayon::current_num_threads())
            .max(1);
        let counted: Vec<AHashMap<Box<str>, u64>> = texts
            .par_chunks(chunk)
            .map(|texts| {
                let mut counts = AHashMap::new();
                for text in texts {
                    split(text, &mut |word| count_pieces(&mut counts, word))?;
                }
                Ok(counts)
            })
            .collect::<Result<_, E>>()?;
        for counts in counted {
            for (word, count) in counts {
                let size = word.len() + OVERHEAD;
                let total = self.counts.entry(word).or_insert_with(|| {
                    self.bytes += size;
                    0
                });
                *total += count;
            }
        }
        self.shrink();
        Ok(())
    }

    /// The words in the order of their bytes.
    pub fn sorted(self) -> Vec<(Box<str>, u64)> {
        let mut words: Vec<_> = self.counts.into_iter().collect();
        words.par_sort_unstable();
        words
    }

    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// How many occurrences of rare words were forgotten to stay within the limit.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Above the limit the rarest words go, until half of it is free.
    fn shrink(&mut self) {
        let mut rarest = 1;
        while self.bytes > self.limit || (rarest > 1 && self.bytes > self.limit / 2) {
            let (bytes, dropped) = (&mut self.bytes, &mut self.dropped);
            self.counts.retain(|word, count| {
                let keep = *count > rarest;
                if !keep {
                    *bytes -= word.len() + OVERHEAD;
                    *dropped += *count;
                }
                keep
            });
            rarest *= 2;
        }
    }
}

fn count_pieces(counts: &mut AHashMap<Box<str>, u64>, mut word: &str) {
    while !word.is_empty() {
        let mut end = word.len().min(MAX_WORD);
        while !word.is_char_boundary(end) {
            end -= 1;
        }
        let (piece, rest) = word.split_at(end);
        match counts.get_mut(piece) {
            Some(count) => *count += 1,
            None => {
                counts.insert(piece.into(), 1);
            }
        }
        word = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(limit: usize, texts: &[&str]) -> Words {
        let mut words = Words::new(limit);
        for texts in texts.chunks(2) {
            let split = |text: &&str, f: &mut dyn FnMut(&str)| {
                text.split(' ').for_each(f);
                Ok::<(), ()>(())
            };
            words.add(texts, split).unwrap();
        }
        words
    }

    #[test]
    fn counts_over_batches() {
        let words = count(1 << 20, &["a b a", "b", "c a"]);
        assert_eq!(
            words.sorted(),
            [("a".into(), 3), ("b".into(), 2), ("c".into(), 1)]
        );
    }

    #[test]
    fn forgets_the_rarest_above_the_limit() {
        let words = count(2 * OVERHEAD + 10, &["a a b", "a c", "a d d d"]);
        assert_eq!(words.dropped(), 2);
        assert_eq!(words.sorted(), [("a".into(), 4), ("d".into(), 3)]);
    }

    #[test]
    fn cuts_long_words_between_characters() {
        let words = count(1 << 20, &[&"é".repeat(MAX_WORD)]);
        assert_eq!(words.sorted(), [("é".repeat(MAX_WORD / 2).into(), 2)]);
    }
}
