use super::*;

fn options(pieces: usize) -> Options {
    Options {
        pieces,
        max_length: 16,
        limit_alphabet: 0,
        alphabet: vec![],
    }
}

fn words(list: &[(&str, u64)]) -> Vec<Word> {
    list.iter().map(|(w, n)| ((*w).into(), *n)).collect()
}

#[test]
fn digamma_of_known_points() {
    assert!((digamma(1.0) + 0.5772156649015329).abs() < 1e-10);
    assert!((digamma(0.5) + 1.9635100260214235).abs() < 1e-10);
    assert!((digamma(1000.0) - 6.907255195648812).abs() < 1e-10);
}

#[test]
fn finds_stems_and_endings() {
    let stems = ["walk", "talk", "jump", "paint", "clean", "cook"];
    let list: Vec<Word> = stems
        .iter()
        .flat_map(|stem| ["ing", "ed", "er"].map(|end| (format!("{stem}{end}").into(), 50)))
        .collect();
    let pieces = train(&list, &options(32), &mut |_| ()).unwrap();
    assert_eq!(pieces.len(), 32);
    for wanted in ["ing", "paint", "clean", "jump"] {
        assert!(pieces.iter().any(|(p, _)| p == wanted), "{pieces:?}");
    }
    let sum: f64 = pieces.iter().map(|(_, score)| score.exp()).sum();
    assert!(sum > 0.8 && sum < 1.1, "{sum}");
}

#[test]
fn keeps_every_character_and_its_order() {
    let list = words(&[("ab", 9), ("abab", 9), ("x", 1)]);
    let pieces = train(&list, &options(4), &mut |_| ()).unwrap();
    for c in ["a", "b", "x"] {
        assert!(pieces.iter().any(|(p, _)| p == c), "{pieces:?}");
    }
    assert!(pieces.windows(2).all(|p| p[0].1 >= p[1].1));
}

#[test]
fn ends_where_no_piece_can_be_replaced() {
    let list: Vec<Word> = (0..400u32)
        .map(|i| {
            let c = char::from_u32(0x4e00 + 2 * i).unwrap();
            let d = char::from_u32(0x4e01 + 2 * i).unwrap();
            (format!("{c}{d}").into(), 5)
        })
        .collect();
    let pieces = train(&list, &options(900), &mut |_| ()).unwrap();
    assert!(pieces.len() >= 800 && pieces.len() <= 900);
}

#[test]
fn expectation_of_a_word_with_two_segmentations() {
    let half = 0.5f64.ln();
    let pieces = [("a".into(), half), ("b".into(), half), ("ab".into(), half)];
    let expected = Model::new(&pieces).expected(&words(&[("ab", 3)]));
    // "ab" weighs 1/2, "a" "b" 1/4.
    for (found, wanted) in expected.iter().zip([1.0, 1.0, 2.0]) {
        assert!((found - wanted).abs() < 1e-12, "{expected:?}");
    }
}

#[test]
fn refuses_more_characters_than_pieces() {
    let error = train(&words(&[("abc", 2)]), &options(2), &mut |_| ()).unwrap_err();
    assert!(error.contains("at least 3"), "{error}");
}
