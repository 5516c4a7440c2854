//! Chat templates: the language of Jinja as transformers runs it, to the byte.
//!
//! Python's semantics (`str`, `repr`, `json.dumps`, truth, order, methods), transformers' settings
//! and functions, and its tag `{% generation %}`. A template comes with a model, so it is hostile:
//! it has a budget of steps, bytes and depth, no value can contain itself, and nothing it can reach
//! changes anything outside of one rendering. That is why this is no use of a crate: those have no
//! bounds on what single operations cost, and a template of one line can overflow their stack.

mod access;
mod arguments;
mod arithmetic;
mod budget;
mod call;
mod checks;
mod compare;
mod dict;
mod evaluate;
mod expressions;
mod filters;
mod filters_items;
mod filters_text;
mod format_spec;
mod functions;
mod interpreter;
mod json_read;
mod json_write;
mod lexer;
mod literals;
mod methods;
mod parser;
mod postfix;
mod printf;
mod scope;
mod statements;
mod str_format;
mod strftime;
mod syntax;
mod text;
mod text_methods;
mod text_split;
mod value;

use crate::ffi::Result;

pub use budget::{Budget, Limits};
pub use interpreter::{render, Rendered};
pub use json_read::from_json;
pub use parser::parse;
pub use syntax::Program;
pub use value::Value;

#[cfg(test)]
mod tests;
