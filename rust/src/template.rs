//! Chat templates, rendered to the byte as transformers renders them.
//!
//! minijinja parses templates and runs them: control flow, scopes, macros, loops. What values are
//! and what is done with them is Python's: operators (`operators`, put in place by `rewrite`),
//! methods, filters and text. What is not known here is an error, never a guess.
//!
//! A template is a program of somebody else's. Fuel bounds its steps and the bytes and items it
//! makes, which are charged for before they are made; every write passes one place, which bounds
//! the output; minijinja bounds the recursion of macros and of its parser, `source` the length of
//! expressions (parsed on a stack of their own), and `values` how deep containers nest.

mod access;
mod arguments;
mod checks;
mod compare;
mod filters;
mod filters_items;
mod filters_text;
mod format_spec;
mod globals;
mod json_read;
mod json_write;
mod methods;
mod operators;
mod printf;
mod rewrite;
mod rewrite_expr;
mod source;
mod str_format;
mod text;
mod text_methods;
mod values;

#[cfg(test)]
mod tests;

pub use globals::unused_mark;
pub use json_read::from_json;
pub use minijinja::Value;
pub use values::{as_dict, as_list, new_dict, new_list, Kind};

use indexmap::IndexMap;
use minijinja::machinery::{self, CodeGenerator, Instructions};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Rest, ValueOrKwargs};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use rewrite::{Rewriter, GENERATION};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::OnceLock;
use text::Sink;
use values::fail;

/// A line of the template, and what is wrong there.
pub type Failure = (u32, String);

pub struct Program {
    /// Borrows from `source`, which is freed behind it.
    instructions: Instructions<'static>,
    _source: Source,
    generates: bool,
}

struct Source(*mut str);

unsafe impl Send for Source {}
unsafe impl Sync for Source {}

impl Drop for Source {
    fn drop(&mut self) {
        drop(unsafe { Box::from_raw(self.0) });
    }
}

/// What one rendering may use up.
#[derive(Clone, Copy)]
pub struct Limits {
    /// Instructions of minijinja, visited items, and pieces of text made or read.
    pub steps: u64,
    /// Bytes written, those of macros and captured blocks included.
    pub output: usize,
}

#[derive(Debug, PartialEq)]
pub struct Rendered {
    pub text: String,
    /// What generation blocks wrote: where each begins and ends, in bytes.
    pub assistant: Vec<(usize, usize)>,
}

/// Of frames; a macro within another costs four and a few. Each such costs about 5 kB of stack.
const MAX_RECURSION: usize = 300;
/// For the parser and what follows it, which recurse over one tag of at most `source::MAX_TOKENS`.
const PARSER_STACK: usize = 256 << 20;

pub fn parse(source: &str) -> Result<Program, Failure> {
    let source = Source(Box::into_raw(source::prepare(source)?.into_boxed_str()));
    // It lives as long as what borrows from it: both are in the program.
    let text: &'static str = unsafe { &*source.0 };
    let parser = std::thread::Builder::new().stack_size(PARSER_STACK);
    let parser = parser
        .spawn(move || compile(text))
        .map_err(|e| (0, e.to_string()))?;
    let compiled = parser
        .join()
        .unwrap_or_else(|_| Err((0, "the parser failed".into())));
    let (instructions, generates) = compiled?;
    Ok(Program {
        instructions,
        _source: source,
        generates,
    })
}

fn compile(source: &'static str) -> Result<(Instructions<'static>, bool), Failure> {
    let mut syntax = SyntaxConfig::builder();
    syntax
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true);
    let syntax = syntax.build().map_err(located)?;
    let parsed = machinery::parse(source, "template", syntax).map_err(located)?;
    let mut rewriter = Rewriter::default();
    let rewritten = rewriter.stmt(&parsed)?;
    let mut generator = CodeGenerator::new("template", source);
    generator.compile_stmt(&rewritten);
    Ok((generator.finish().0, rewriter.generations > 0))
}

/// `now` is the local time in seconds since 1970; `mark` a character that the text will not have.
pub fn render(
    program: &Program,
    variables: IndexMap<Value, Value>,
    now: Option<i64>,
    limits: Limits,
    mark: char,
) -> Result<Rendered, Failure> {
    let mut environment = environment().clone();
    environment.set_fuel(Some(limits.steps));
    let written = AtomicUsize::new(0);
    environment.set_formatter(move |output, state, value| {
        write(output, state, value, &written, limits.output)
    });
    let mut scope = IndexMap::new();
    let strftime = move |format: &str| globals::strftime(format, now);
    scope.insert("strftime_now".into(), Value::from_function(strftime));
    if program.generates {
        let marked = move |state: &mut State, arguments: Rest<ValueOrKwargs>| {
            globals::generation(state, &arguments.into_values(), mark)
        };
        scope.insert(GENERATION.into(), Value::from_function(marked));
    }
    scope.extend(variables);
    let mut text = String::new();
    let blocks = BTreeMap::new();
    let evaluated = machinery::eval(
        &environment,
        &program.instructions,
        values::new_scope(scope),
        &blocks,
        &mut machinery::make_string_output(&mut text),
        AutoEscape::None,
    );
    match evaluated {
        Ok(_) if program.generates => Ok(globals::without_marks(&text, mark)),
        Ok(_) => Ok(Rendered {
            text,
            assistant: Vec::new(),
        }),
        Err(error) if error.kind() == ErrorKind::OutOfFuel => {
            let message = format!("the template needs more than {} steps", limits.steps);
            Err((line_of(&error), message))
        }
        Err(error) => Err(located(error)),
    }
}

/// What every write of a template goes through.
fn write(
    output: &mut Output,
    state: &State,
    value: &Value,
    written: &AtomicUsize,
    limit: usize,
) -> values::Result<()> {
    let made;
    let text = match value.as_str() {
        Some(text) => text,
        None => {
            let mut sink = Sink::new(state);
            sink.str(value)?;
            made = sink.text;
            &made
        }
    };
    let before = written.fetch_add(text.len(), Ordering::Relaxed);
    if before.saturating_add(text.len()) > limit {
        return fail(format!("the template writes more than {limit} bytes"));
    }
    output.write_str(text).map_err(Error::from)
}

fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Lenient);
        environment.set_recursion_limit(MAX_RECURSION);
        environment.set_unknown_method_callback(methods::call);
        for (name, function) in globals::FUNCTIONS {
            let call = move |state: &mut State, arguments: Rest<ValueOrKwargs>| {
                function(state, &arguments.into_values())
            };
            environment.add_function(name, call);
        }
        for (name, filter) in operators::OPERATORS.into_iter().chain(filters::FILTERS) {
            let call = move |state: &mut State, arguments: Rest<ValueOrKwargs>| {
                let arguments = arguments.into_values();
                // Filters that others call, such as map, are not charged for by minijinja.
                let size = arguments
                    .first()
                    .and_then(Value::as_str)
                    .map_or(0, str::len);
                text::charge_bytes(state, size)?;
                filter(state, &arguments)
            };
            environment.add_filter(name, call);
        }
        for (name, test) in checks::TESTS {
            let call = move |state: &State, arguments: Rest<Value>| test(state, &arguments);
            environment.add_test(name, call);
        }
        environment
    })
}

fn line_of(error: &Error) -> u32 {
    error.line().unwrap_or_default() as u32
}

fn located(error: Error) -> Failure {
    let message = match error.detail() {
        Some(detail) => detail.to_string(),
        None => error.kind().to_string(),
    };
    (line_of(&error), message)
}
