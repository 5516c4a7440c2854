//! Calls of macros, methods, functions and loops.

use super::arguments::Args;
use super::interpreter::Interpreter;
use super::syntax::MacroDefinition;
use super::value::{Loop, Macro, Undefined, Value};
use super::{functions, methods, text_methods, Result};

impl<'t> Interpreter<'t> {
    pub(super) fn call(&mut self, callee: &Value, arguments: Args) -> Result<Value> {
        self.budget.charge(1)?;
        match callee {
            Value::Macro(value) => self.deeper(|this| this.call_macro(*value, arguments)),
            Value::Function(name) => functions::call(self, name, arguments),
            Value::Method(receiver, name) => self.call_method(receiver, name, arguments),
            Value::Loop(state) => self.deeper(|this| this.call_loop(state, arguments)),
            Value::Undefined(undefined) => Err(undefined.message()),
            _ => Err(format!("'{}' object is not callable", callee.type_name())),
        }
    }

    pub(super) fn call_method(
        &mut self,
        receiver: &Value,
        name: &'static str,
        arguments: Args,
    ) -> Result<Value> {
        self.budget.charge(1)?;
        match receiver {
            Value::Text(text) => text_methods::call(text, name, arguments, &self.budget),
            Value::Loop(state) => self.call_loop_method(state, name, arguments),
            _ => methods::call(receiver, name, arguments, &self.budget),
        }
    }

    fn call_macro(&mut self, value: Macro, arguments: Args) -> Result<Value> {
        let definition = &self.program.macros[value.definition];
        let line = self.line;
        let before = self.scopes.enter_within(value.scope);
        let result = self.bind(definition, arguments).and_then(|()| {
            let scope = self.scopes.current();
            self.capture(|this| this.run_within(scope, &definition.body))
        });
        self.scopes.leave_to(before);
        if result.is_ok() {
            self.line = line;
        }
        result
    }

    /// Sets the parameters of a macro in the current scope.
    fn bind(&mut self, definition: &'t MacroDefinition, arguments: Args) -> Result<()> {
        let name = &definition.name;
        let mut positional = arguments.positional.into_iter();
        let mut named = arguments.named;
        for parameter in &definition.parameters {
            let place = named.iter().position(|(name, _)| *name == parameter.name);
            let by_name = place.map(|place| named.swap_remove(place).1);
            let value = match (positional.next(), by_name, &parameter.default) {
                (Some(_), Some(_), _) => {
                    let parameter = &parameter.name;
                    return Err(format!("macro '{name}' got two values for '{parameter}'"));
                }
                (Some(value), None, _) | (None, Some(value), _) => value,
                (None, None, Some(default)) => self.evaluate(default)?,
                (None, None, None) => {
                    Value::Undefined(Undefined::Parameter(parameter.name.clone()))
                }
            };
            self.scopes.set(parameter.symbol, value);
        }
        let caller = named.iter().position(|(name, _)| **name == *"caller");
        if let Some(place) = caller {
            let caller = named.swap_remove(place).1;
            match definition.caller {
                Some(symbol) => self.scopes.set(symbol, caller),
                None => return Err(format!("macro '{name}' does not use its caller")),
            }
        } else if let Some(symbol) = definition.caller {
            let missing = Undefined::Name("caller".into());
            self.scopes.set(symbol, Value::Undefined(missing));
        }
        if let Some(symbol) = definition.varargs {
            let rest = Value::tuple(positional.by_ref().collect())?;
            self.scopes.set(symbol, rest);
        }
        if let Some(symbol) = definition.kwargs {
            let rest = named
                .drain(..)
                .map(|(name, value)| (Value::text(name), value));
            let rest = Value::dict(rest.collect(), &self.budget)?;
            self.scopes.set(symbol, rest);
        }
        if positional.next().is_some() {
            let most = definition.parameters.len();
            return Err(format!(
                "macro '{name}' takes not more than {most} arguments"
            ));
        }
        match named.first() {
            Some((unknown, _)) => Err(format!("macro '{name}' takes no argument '{unknown}'")),
            None => Ok(()),
        }
    }

    /// `loop(items)` in a recursive loop.
    fn call_loop(&mut self, state: &Loop, arguments: Args) -> Result<Value> {
        let Some((index, scope)) = state.recursive else {
            return Err("a loop without 'recursive' cannot be called".into());
        };
        let [items] = arguments.take("loop", ["iterable"])?;
        let items = super::arguments::required(items, "iterable")?;
        let before = self.scopes.enter_within(scope);
        let result = self.capture(|this| this.run_for(index, Some(items), state.level + 1));
        self.scopes.leave_to(before);
        result
    }

    fn call_loop_method(&mut self, state: &Loop, name: &str, arguments: Args) -> Result<Value> {
        let values = arguments.positional;
        if name == "cycle" {
            return match values.len() {
                0 => Err("no items for cycling given".into()),
                size => Ok(values[state.index.get() % size].clone()),
            };
        }
        let now = Value::tuple(values)?;
        let same = match self.changed.get(&state.serial) {
            Some(before) => super::compare::equal(before, &now, &self.budget)?,
            None => false,
        };
        if !same {
            self.changed.insert(state.serial, now);
        }
        Ok(Value::Bool(!same))
    }
}
