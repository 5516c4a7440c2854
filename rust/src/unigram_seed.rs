//! The pieces that training a unigram model begins with: all characters and the substrings that
//! occur in several words, most valuable first.

use ahash::AHashMap;

/// Characters of words that are searched for substrings, the most frequent words first: about 40
/// bytes of memory for each.
const SEARCHED: usize = 1 << 24;
const PIECES: usize = 1_000_000;

/// (piece, weight), with all of `alphabet` in front.
pub fn pieces(
    words: &[(Box<str>, u64)],
    alphabet: &[char],
    max_length: usize,
) -> Vec<(String, f64)> {
    let mut counts: AHashMap<char, u64> = AHashMap::new();
    for (word, count) in words {
        for c in word.chars() {
            *counts.entry(c).or_default() += count;
        }
    }
    let mut pieces: Vec<(String, f64)> = alphabet
        .iter()
        .map(|c| {
            let count = counts.get(c).copied().unwrap_or(0);
            (c.to_string(), count.max(1) as f64)
        })
        .collect();
    let text = searched(words);
    if text.is_empty() {
        return pieces;
    }
    let suffixes = esaxx_rs::suffix_rs(&text).expect("a text without characters was excluded");
    let known = |c: &char| alphabet.binary_search(c).is_ok();
    let mut found: Vec<(String, u64)> = suffixes
        .iter()
        .map(|(piece, count)| (inside(piece, max_length), count))
        .filter(|(piece, _)| piece.len() >= 2 && piece.iter().all(known))
        .map(|(piece, count)| {
            let weight = u64::from(count) * piece.len() as u64;
            (piece.iter().collect(), weight)
        })
        .collect();
    // Cut pieces may be there several times; the most frequent one counts.
    found.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
    found.dedup_by(|later, first| later.0 == first.0);
    found.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    found.truncate(PIECES);
    pieces.extend(
        found
            .into_iter()
            .map(|(piece, weight)| (piece, weight as f64)),
    );
    pieces
}

/// What occurs several times may go on beyond the end of a word, where all of them end alike.
fn inside(piece: &[char], max_length: usize) -> &[char] {
    let end = piece.iter().position(|c| *c == '\0');
    &piece[..end.unwrap_or(piece.len()).min(max_length)]
}

fn searched(words: &[(Box<str>, u64)]) -> String {
    let mut order: Vec<&(Box<str>, u64)> = words.iter().collect();
    order.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut text = String::new();
    let mut characters = 0;
    for (word, _) in order {
        characters += word.chars().count() + 1;
        if characters > SEARCHED {
            break;
        }
        text.push_str(word);
        text.push('\0');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_words_share() {
        let words = [("talking".into(), 3), ("walking".into(), 1)];
        let mut alphabet: Vec<char> = "talkingw".chars().collect();
        alphabet.sort_unstable();
        let pieces = pieces(&words, &alphabet, 16);
        assert_eq!(pieces.len(), alphabet.len() + 5); // "alking" and its ends
        assert_eq!(pieces[alphabet.len()], ("alking".to_string(), 12.0));
        assert_eq!(pieces[0], ("a".to_string(), 4.0));
    }
}
