use super::*;
use tokenizers::models::bpe::{BpeTrainer, BPE};
use tokenizers::models::TrainerWrapper;
use tokenizers::{Model, Trainer};

fn options(vocab_size: usize) -> Options<'static> {
    Options {
        vocab_size,
        min_frequency: 2,
        max_token_length: usize::MAX,
        special_tokens: &[],
        alphabet: &[],
        limit_alphabet: 0,
        continuing_prefix: "",
    }
}

fn words(list: &[(&str, u64)]) -> Vec<(Box<str>, u64)> {
    let mut words: Vec<_> = list.iter().map(|(w, n)| ((*w).into(), *n)).collect();
    words.sort();
    words
}

/// Words as a natural text has them: few often, many rarely, made of a few syllables.
fn synthetic() -> Vec<(Box<str>, u64)> {
    let syllables = ["ba", "ko", "ri", "te", "lun", "s", "a", "mo", "xx", "é"];
    let mut list: Vec<(String, u64)> = Vec::new();
    let mut state = 12345u64;
    for i in 0..2000u64 {
        let mut word = String::new();
        for _ in 0..1 + i % 5 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
            word += syllables[(state >> 33) as usize % syllables.len()];
        }
        list.push((word, 1 + 100_000 / (i + 1)));
    }
    list.sort();
    list.dedup_by(|a, b| a.0 == b.0);
    list.into_iter().map(|(w, n)| (w.into(), n)).collect()
}

#[test]
fn merges_as_the_crate_does() {
    let words = synthetic();
    let ours = train(&words, &options(400), &mut |_| ()).unwrap();
    let mut trainer = TrainerWrapper::BpeTrainer(
        BpeTrainer::builder()
            .show_progress(false)
            .vocab_size(400)
            .min_frequency(2)
            .build(),
    );
    let texts = words
        .iter()
        .flat_map(|(word, count)| std::iter::repeat_n(word.to_string(), *count as usize));
    trainer
        .feed(texts, |text| Ok(vec![text.to_owned()]))
        .unwrap();
    let mut model = tokenizers::ModelWrapper::BPE(BPE::default());
    trainer.train(&mut model).unwrap();
    assert_eq!(ours.vocab.len(), model.get_vocab_size());
    for (id, token) in ours.vocab.iter().enumerate() {
        assert_eq!(model.id_to_token(id as u32).as_ref(), Some(token));
    }
}

#[test]
fn overlapping_pairs_are_merged_left_to_right() {
    let trained = train(&words(&[("aaaa", 9)]), &options(3), &mut |_| ()).unwrap();
    assert_eq!(trained.vocab, ["a", "aa", "aaaa"]);
    assert_eq!(trained.merges, [(0, 0), (1, 1)]);
}

#[test]
fn never_merges_into_a_special_token() {
    let special = ["<s>".to_string()];
    let options = Options {
        special_tokens: &special,
        ..options(100)
    };
    let trained = train(&words(&[("<s>", 50)]), &options, &mut |_| ()).unwrap();
    assert_eq!(trained.vocab, ["<s>", "<", ">", "s", "<s"]);
}

#[test]
fn a_prefixed_character_is_not_a_merged_word() {
    let options = Options {
        continuing_prefix: "##",
        ..options(100)
    };
    let trained = train(&words(&[("##a", 9), ("xa", 9)]), &options, &mut |_| ()).unwrap();
    assert_eq!(trained.vocab.iter().filter(|t| *t == "##a").count(), 1);
}

#[test]
fn counts_above_32_bits() {
    let list = words(&[("ab", 1 << 40), ("cd", 1 << 33)]);
    let trained = train(&list, &options(5), &mut |_| ()).unwrap();
    assert_eq!(trained.vocab, ["a", "b", "c", "d", "ab"]);
}

#[test]
fn keeps_tokens_short_if_told() {
    let options = Options {
        max_token_length: 2,
        ..options(100)
    };
    let trained = train(&words(&[("abcd", 9)]), &options, &mut |_| ()).unwrap();
    assert_eq!(trained.vocab, ["a", "b", "c", "d", "ab", "cd"]);
}

#[test]
fn refuses_a_vocabulary_smaller_than_the_alphabet() {
    let error = train(&words(&[("abc", 2)]), &options(2), &mut |_| ()).unwrap_err();
    assert!(error.contains("at least 3"), "{error}");
}
