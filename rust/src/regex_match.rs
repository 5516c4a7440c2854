//! Regular expressions over names, in linear time whatever the expression.

use crate::ffi::{guard, Bytes, Result, Text};
use regex::RegexBuilder;

/// More than any list of layers needs; a compiled expression stays below it.
const LARGEST: usize = 1 << 20;

fn full_match(expression: &str, text: &str) -> Result<bool> {
    let whole = RegexBuilder::new(&format!("^(?:{expression})$"))
        .size_limit(LARGEST)
        .dfa_size_limit(LARGEST)
        .build()
        .map_err(|e| format!("the regular expression {expression:?} cannot be used: {e}"))?;
    Ok(whole.is_match(text))
}

/// # Safety
/// The texts are valid; `out` and `error` are places to write to.
#[no_mangle]
pub unsafe extern "C" fn lathe_regex_full_match(
    expression: Text,
    text: Text,
    out: *mut bool,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        *out = full_match(expression.str()?, text.str()?)?;
        Ok(())
    })
}
