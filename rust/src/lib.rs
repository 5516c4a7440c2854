//! The C interface of Lathe to the crates `tokenizers`, `minijinja` (chat templates), `parquet` and `regex`;
//! `lathe_bridge.h` describes it.
//!
//! Every function catches panics and returns a status with a message; what it hands out is freed by
//! the function named for it. Input is checked where the crates do not check it.

mod bpe;
mod chat;
mod check;
mod ffi;
mod parquet_rows;
mod parquet_schema;
mod regex_match;
mod template;
mod tokenizer;
mod trainer;
mod unigram;
mod unigram_seed;
mod words;
