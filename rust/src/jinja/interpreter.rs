//! Runs the statements of a template.

use super::budget::{Budget, Limits, MAX_NESTING};
use super::scope::Scopes;
use super::syntax::*;
use super::text;
use super::value::{Loop, Macro, Value};
use super::Result;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

pub struct Interpreter<'t> {
    pub(super) program: &'t Program,
    pub(super) budget: Budget,
    pub(super) scopes: Scopes,
    /// Variables that are given from outside, by symbol.
    given: Vec<Option<Value>>,
    pub(super) namespaces: Vec<Vec<(Arc<str>, Value)>>,
    /// What `loop.changed` saw last, by the loop's serial number.
    pub(super) changed: HashMap<usize, Value>,
    /// In seconds since 1970, of local time.
    pub(super) now: Option<i64>,
    pub(super) line: u32,
    loops: usize,
    loop_symbol: Option<Symbol>,
    nesting: usize,
    /// What is written to; below the last, captured text of blocks around it.
    buffers: Vec<String>,
    spans: Vec<(usize, usize)>,
}

/// The rendered text, and where in it the assistant wrote (bytes).
pub struct Rendered {
    pub text: String,
    pub assistant: Vec<(usize, usize)>,
}

#[derive(PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// Errors come with the line.
pub fn render(
    program: &Program,
    mut variables: HashMap<String, Value>,
    now: Option<i64>,
    limits: Limits,
) -> std::result::Result<Rendered, (u32, String)> {
    let symbols = program.symbols.iter();
    let mut interpreter = Interpreter {
        program,
        budget: Budget::new(limits),
        scopes: Scopes::new(),
        given: symbols.map(|name| variables.remove(&**name)).collect(),
        namespaces: Vec::new(),
        changed: HashMap::new(),
        now,
        line: 0,
        loops: 0,
        loop_symbol: program.symbols.iter().position(|name| **name == *"loop"),
        nesting: 0,
        buffers: vec![String::new()],
        spans: Vec::new(),
    };
    match interpreter.run(&program.body) {
        Ok(_) => Ok(Rendered {
            text: interpreter.buffers.swap_remove(0),
            assistant: interpreter.spans,
        }),
        Err(message) => Err((interpreter.line, message)),
    }
}

impl<'t> Interpreter<'t> {
    /// Runs `f` one level deeper in blocks, calls and expressions.
    pub(super) fn deeper<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.nesting >= MAX_NESTING {
            return Err(format!(
                "the template nests calls and blocks deeper than {MAX_NESTING}"
            ));
        }
        self.nesting += 1;
        let result = f(self);
        self.nesting -= 1;
        result
    }

    pub(super) fn write(&mut self, text: &str) -> Result<()> {
        self.budget.charge_bytes(text.len())?;
        let outermost = self.buffers.len() == 1;
        if let Some(buffer) = self.buffers.last_mut() {
            if outermost {
                self.budget.check_output(buffer.len() + text.len())?;
            }
            buffer.push_str(text);
        }
        Ok(())
    }

    /// What `f` writes, as text.
    pub(super) fn capture(&mut self, f: impl FnOnce(&mut Self) -> Result<()>) -> Result<Value> {
        self.buffers.push(String::new());
        let result = f(self);
        let text = self.buffers.pop().unwrap_or_default();
        result.map(|()| Value::text(text))
    }

    pub(super) fn variable(&self, symbol: Symbol) -> Option<Value> {
        let value = self.scopes.get(symbol).or(self.given[symbol].as_ref());
        value.cloned()
    }

    pub(super) fn run_within(&mut self, scope: usize, block: &'t Block) -> Result<()> {
        let before = self.scopes.enter_within(scope);
        let result = self.run(block);
        self.scopes.leave_to(before);
        result.map(|_| ())
    }

    fn run(&mut self, block: &'t Block) -> Result<Flow> {
        for statement in block {
            self.line = statement.line;
            self.budget.charge(1)?;
            let flow = self.deeper(|this| this.statement(&statement.kind))?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, kind: &'t StatementKind) -> Result<Flow> {
        match kind {
            StatementKind::Data(text) => self.write(text)?,
            StatementKind::Print(value) => {
                let value = self.evaluate(value)?;
                self.print(&value)?;
            }
            StatementKind::If(branches, otherwise) => {
                for (condition, body) in branches {
                    if self.evaluate(condition)?.is_true() {
                        return self.run(body);
                    }
                }
                return self.run(otherwise);
            }
            StatementKind::For(index) => self.run_for(*index, None, 0)?,
            StatementKind::Set(target, value) => {
                let value = self.evaluate(value)?;
                self.assign(target, value)?;
            }
            StatementKind::SetBlock(target, filters, body) => {
                let text = self.captured_block(body)?;
                let value = self.apply_filters(filters, text)?;
                self.assign(target, value)?;
            }
            StatementKind::Macro(name, definition) => {
                let value = self.macro_value(*definition);
                self.scopes.set(*name, value);
            }
            StatementKind::Call(call, caller) => {
                let caller = self.macro_value(*caller);
                let value = self.evaluate_call(call, Some(caller))?;
                self.print(&value)?;
            }
            StatementKind::With(assignments, body) => self.run_with(assignments, body)?,
            StatementKind::Filter(filters, body) => {
                let text = self.captured_block(body)?;
                let value = self.apply_filters(filters, text)?;
                self.print(&value)?;
            }
            StatementKind::Generation(body) => self.run_generation(body)?,
            StatementKind::Break => return Ok(Flow::Break),
            StatementKind::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn print(&mut self, value: &Value) -> Result<()> {
        let text = text::str_of(value, &self.budget)?;
        self.write(&text.text)
    }

    fn macro_value(&mut self, definition: usize) -> Value {
        let scope = self.scopes.keep();
        Value::Macro(Macro { definition, scope })
    }

    fn captured_block(&mut self, body: &'t Block) -> Result<Value> {
        let scope = self.scopes.current();
        self.capture(|this| this.run_within(scope, body))
    }

    fn apply_filters(&mut self, filters: &'t [FilterCall], mut value: Value) -> Result<Value> {
        for filter in filters {
            let arguments = self.arguments(&filter.arguments)?;
            self.line = filter.line;
            value = self.filter(&filter.name, value, arguments)?;
        }
        Ok(value)
    }

    /// As transformers counts: from what the template has written when the block begins, not
    /// counting text that is still captured.
    fn run_generation(&mut self, body: &'t Block) -> Result<()> {
        let text = self.captured_block(body)?;
        let text = text.as_text().unwrap_or_default();
        let start = self.buffers[0].len();
        self.spans.push((start, start + text.len()));
        self.write(text)
    }

    fn run_with(&mut self, assignments: &'t [(Target, Expression)], body: &'t Block) -> Result<()> {
        let mut values = Vec::new();
        for (_, value) in assignments {
            values.push(self.evaluate(value)?);
        }
        self.scopes.enter();
        for ((target, _), value) in assignments.iter().zip(values) {
            self.assign(target, value)?;
        }
        let result = self.run(body);
        self.scopes.leave();
        result.map(|_| ())
    }

    pub(super) fn assign(&mut self, target: &Target, value: Value) -> Result<()> {
        match target {
            Target::Name(symbol) => self.scopes.set(*symbol, value),
            Target::Member(symbol, name) => {
                let Some(Value::Namespace(number)) = self.variable(*symbol) else {
                    return Err(format!(
                        "cannot assign attribute '{name}': '{}' is no namespace",
                        self.program.symbols[*symbol]
                    ));
                };
                self.set_member(number, name.clone(), value)?;
            }
            Target::Tuple(parts) => {
                let values = value.iterate(&self.budget)?;
                if values.len() != parts.len() {
                    return Err(format!(
                        "expected {} values to unpack, found {}",
                        parts.len(),
                        values.len()
                    ));
                }
                for (part, value) in parts.iter().zip(values) {
                    self.assign(part, value)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn set_member(&mut self, number: usize, name: Arc<str>, value: Value) -> Result<()> {
        if name.starts_with('_') {
            return Err(format!(
                "a namespace has no names that begin with an underscore, found '{name}'"
            ));
        }
        let members = &mut self.namespaces[number];
        self.budget.charge(members.len() / 8)?;
        match members.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => members.push((name, value)),
        }
        Ok(())
    }

    /// Loop number `index`; over `items` and at a deeper level if the loop has called itself.
    pub(super) fn run_for(
        &mut self,
        index: usize,
        items: Option<Value>,
        level: usize,
    ) -> Result<()> {
        let definition = &self.program.loops[index];
        let iterable = match items {
            Some(items) => items,
            None => self.evaluate(&definition.iterable)?,
        };
        let mut items = iterable.iterate(&self.budget)?;
        if let Some(condition) = &definition.condition {
            items = self.filter_items(&definition.target, condition, items)?;
        }
        let outer = self.scopes.current();
        if items.is_empty() {
            return self.run_within(outer, &definition.otherwise);
        }
        let recursive = definition.recursive.then_some((index, outer));
        self.loops += 1;
        let state = Rc::new(Loop::new(self.loops, items, level, recursive)?);
        for (i, item) in state.items.iter().enumerate() {
            self.budget.charge(1)?;
            state.index.set(i);
            self.scopes.enter();
            if let Some(symbol) = self.loop_symbol {
                self.scopes.set(symbol, Value::Loop(state.clone()));
            }
            self.assign(&definition.target, item.clone())?;
            let flow = self.run(&definition.body);
            self.scopes.leave_to(outer);
            if flow? == Flow::Break {
                break;
            }
        }
        self.changed.remove(&state.serial);
        Ok(())
    }

    /// The items for which the condition of a loop holds.
    fn filter_items(
        &mut self,
        target: &'t Target,
        condition: &'t Expression,
        items: Vec<Value>,
    ) -> Result<Vec<Value>> {
        let outer = self.scopes.current();
        let mut kept = Vec::new();
        for item in items {
            self.scopes.enter();
            self.assign(target, item.clone())?;
            let holds = self.evaluate(condition);
            self.scopes.leave_to(outer);
            if holds?.is_true() {
                kept.push(item);
            }
        }
        Ok(kept)
    }
}
