//! Variables: a chain of scopes, of which the innermost is assigned to.
//!
//! A macro sees the variables around its definition as they are when it is called, so a scope is
//! kept as long as a macro that was defined in it may be.

use super::syntax::Symbol;
use super::value::Value;

const NONE: usize = usize::MAX;

struct Scope {
    parent: usize,
    variables: Vec<(Symbol, Value)>,
}

pub struct Scopes {
    scopes: Vec<Scope>,
    current: usize,
    /// Scopes below this number are kept to the end.
    kept: usize,
}

impl Scopes {
    pub fn new() -> Self {
        let mut scopes = Self {
            scopes: Vec::new(),
            current: NONE,
            kept: 1,
        };
        scopes.enter();
        scopes
    }

    pub fn current(&self) -> usize {
        self.current
    }

    /// A new scope within the current one.
    pub fn enter(&mut self) {
        let parent = self.current;
        let variables = Vec::new();
        self.scopes.push(Scope { parent, variables });
        self.current = self.scopes.len() - 1;
    }

    /// A new scope within another one; `leave_to` goes back.
    pub fn enter_within(&mut self, parent: usize) -> usize {
        let before = std::mem::replace(&mut self.current, parent);
        self.enter();
        before
    }

    pub fn leave(&mut self) {
        let parent = self.scopes[self.current].parent;
        self.leave_to(parent);
    }

    pub fn leave_to(&mut self, scope: usize) {
        if self.current + 1 == self.scopes.len() && self.current >= self.kept {
            self.scopes.pop();
        }
        self.current = scope;
    }

    /// Keeps the current scope, for a macro that is defined in it.
    pub fn keep(&mut self) -> usize {
        self.kept = self.kept.max(self.scopes.len());
        self.current
    }

    pub fn get(&self, symbol: Symbol) -> Option<&Value> {
        let mut scope = self.current;
        while scope != NONE {
            let Scope { parent, variables } = &self.scopes[scope];
            if let Some((_, value)) = variables.iter().find(|(name, _)| *name == symbol) {
                return Some(value);
            }
            scope = *parent;
        }
        None
    }

    pub fn set(&mut self, symbol: Symbol, value: Value) {
        let variables = &mut self.scopes[self.current].variables;
        match variables.iter_mut().find(|(name, _)| *name == symbol) {
            Some((_, old)) => *old = value,
            None => variables.push((symbol, value)),
        }
    }
}
