//! Computes expressions.

use super::arguments::Args;
use super::arithmetic::{self, Operator};
use super::compare::{contains, equal, order};
use super::interpreter::Interpreter;
use super::methods;
use super::syntax::*;
use super::text;
use super::value::{Undefined, Value};
use super::{functions, Result};
use std::cmp::Ordering;
use std::sync::Arc;

impl<'t> Interpreter<'t> {
    pub(super) fn evaluate(&mut self, expression: &'t Expression) -> Result<Value> {
        self.budget.charge(1)?;
        self.line = expression.line;
        match &expression.kind {
            ExpressionKind::None => Ok(Value::None),
            ExpressionKind::Bool(value) => Ok(Value::Bool(*value)),
            ExpressionKind::Int(value) => Ok(Value::Int(*value)),
            ExpressionKind::Float(value) => Ok(Value::Float(*value)),
            ExpressionKind::Text(value) => Ok(Value::text(value.clone())),
            ExpressionKind::Name(symbol) => Ok(self.name(*symbol)),
            kind => self.deeper(|this| this.compute(kind, expression.line)),
        }
    }

    fn name(&self, symbol: Symbol) -> Value {
        self.variable(symbol).unwrap_or_else(|| {
            let name = &self.program.symbols[symbol];
            match functions::find(name) {
                Some(function) => Value::Function(function),
                None => Value::Undefined(Undefined::Name(name.clone())),
            }
        })
    }

    fn compute(&mut self, kind: &'t ExpressionKind, line: u32) -> Result<Value> {
        match kind {
            ExpressionKind::List(items) => Value::list(self.all(items)?),
            ExpressionKind::Tuple(items) => Value::tuple(self.all(items)?),
            ExpressionKind::Dict(entries) => self.dict(entries),
            ExpressionKind::Attribute(of, name) => {
                let of = self.evaluate(of)?;
                self.line = line;
                self.attribute(&of, name)
            }
            ExpressionKind::Item(of, key) => {
                let (of, key) = (self.evaluate(of)?, self.evaluate(key)?);
                self.line = line;
                self.item(&of, &key)
            }
            ExpressionKind::Slice(of, parts) => {
                let of = self.evaluate(of)?;
                let mut bounds = [Value::None, Value::None, Value::None];
                for (bound, part) in bounds.iter_mut().zip(parts.iter()) {
                    if let Some(part) = part {
                        *bound = self.evaluate(part)?;
                    }
                }
                self.line = line;
                self.slice(&of, &bounds)
            }
            ExpressionKind::Call(of, arguments) => self.call_expression(of, arguments, None, line),
            ExpressionKind::Filter(of, call) => {
                let value = self.evaluate(of)?;
                let arguments = self.arguments(&call.arguments)?;
                self.line = call.line;
                self.filter(&call.name, value, arguments)
            }
            ExpressionKind::Test(of, call) => {
                let value = self.evaluate(of)?;
                let arguments = self.arguments(&call.arguments)?;
                self.line = line;
                self.test(&call.name, &value, arguments).map(Value::Bool)
            }
            ExpressionKind::Not(of) => Ok(Value::Bool(!self.evaluate(of)?.is_true())),
            ExpressionKind::Negative(of) => arithmetic::negate(self.evaluate(of)?),
            ExpressionKind::Positive(of) => arithmetic::plus(self.evaluate(of)?),
            ExpressionKind::And(a, b) => match self.evaluate(a)? {
                value if value.is_true() => self.evaluate(b),
                value => Ok(value),
            },
            ExpressionKind::Or(a, b) => match self.evaluate(a)? {
                value if value.is_true() => Ok(value),
                _ => self.evaluate(b),
            },
            ExpressionKind::If(condition, value, other) => self.choose(condition, value, other),
            ExpressionKind::Concat(parts) => self.concat(parts),
            ExpressionKind::Operation(operator, a, b) => self.operation(*operator, a, b, line),
            ExpressionKind::Compare(first, rest) => self.compare(first, rest, line),
            _ => Ok(Value::None),
        }
    }

    fn all(&mut self, expressions: &'t [Expression]) -> Result<Vec<Value>> {
        let mut values = Vec::with_capacity(expressions.len());
        for expression in expressions {
            values.push(self.evaluate(expression)?);
        }
        Ok(values)
    }

    fn dict(&mut self, entries: &'t [(Expression, Expression)]) -> Result<Value> {
        let mut values = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            values.push((self.evaluate(key)?, self.evaluate(value)?));
        }
        Value::dict(values, &self.budget)
    }

    fn choose(
        &mut self,
        condition: &'t Expression,
        value: &'t Expression,
        other: &'t Option<Box<Expression>>,
    ) -> Result<Value> {
        if self.evaluate(condition)?.is_true() {
            return self.evaluate(value);
        }
        match other {
            Some(other) => self.evaluate(other),
            None => Ok(Value::Undefined(Undefined::Condition)),
        }
    }

    fn concat(&mut self, parts: &'t [Expression]) -> Result<Value> {
        let values = self.all(parts)?;
        let mut text = String::new();
        for value in &values {
            text::write_str(value, &mut text, &self.budget)?;
        }
        Ok(Value::text(text))
    }

    fn operation(
        &mut self,
        operator: Operator,
        a: &'t Expression,
        b: &'t Expression,
        line: u32,
    ) -> Result<Value> {
        let (a, b) = (self.evaluate(a)?, self.evaluate(b)?);
        self.line = line;
        arithmetic::apply(operator, a, b, &self.budget)
    }

    /// `a < b < c` is `a < b and b < c`.
    fn compare(
        &mut self,
        first: &'t Expression,
        rest: &'t [(Comparison, Expression)],
        line: u32,
    ) -> Result<Value> {
        let mut left = self.evaluate(first)?;
        for (comparison, right) in rest {
            let right = self.evaluate(right)?;
            self.line = line;
            if !self.holds(*comparison, &left, &right)? {
                return Ok(Value::Bool(false));
            }
            left = right;
        }
        Ok(Value::Bool(true))
    }

    fn holds(&self, comparison: Comparison, a: &Value, b: &Value) -> Result<bool> {
        let budget = &self.budget;
        let ordered = |sign: &str, wanted: &[Ordering]| -> Result<bool> {
            Ok(order(a, b, sign, budget)?.is_some_and(|found| wanted.contains(&found)))
        };
        match comparison {
            Comparison::Equal => equal(a, b, budget),
            Comparison::NotEqual => Ok(!equal(a, b, budget)?),
            Comparison::In => contains(b, a, budget),
            Comparison::NotIn => Ok(!contains(b, a, budget)?),
            Comparison::Less => ordered("<", &[Ordering::Less]),
            Comparison::LessEqual => ordered("<=", &[Ordering::Less, Ordering::Equal]),
            Comparison::Greater => ordered(">", &[Ordering::Greater]),
            Comparison::GreaterEqual => ordered(">=", &[Ordering::Greater, Ordering::Equal]),
        }
    }

    /// The call of `{% call %}`.
    pub(super) fn evaluate_call(
        &mut self,
        call: &'t Expression,
        caller: Option<Value>,
    ) -> Result<Value> {
        match &call.kind {
            ExpressionKind::Call(of, arguments) => {
                self.call_expression(of, arguments, caller, call.line)
            }
            _ => self.evaluate(call),
        }
    }

    fn call_expression(
        &mut self,
        of: &'t Expression,
        arguments: &'t Arguments,
        caller: Option<Value>,
        line: u32,
    ) -> Result<Value> {
        if let ExpressionKind::Attribute(receiver, name) = &of.kind {
            let receiver = self.evaluate(receiver)?;
            if let Some(method) = methods::find(&receiver, name) {
                let arguments = self.call_arguments(arguments, caller)?;
                self.line = line;
                return self.call_method(&receiver, method, arguments);
            }
            self.line = line;
            let callee = self.attribute(&receiver, name)?;
            let arguments = self.call_arguments(arguments, caller)?;
            return self.call(&callee, arguments);
        }
        let callee = self.evaluate(of)?;
        let arguments = self.call_arguments(arguments, caller)?;
        self.line = line;
        self.call(&callee, arguments)
    }

    fn call_arguments(&mut self, arguments: &'t Arguments, caller: Option<Value>) -> Result<Args> {
        let mut values = self.arguments(arguments)?;
        let caller = caller.map(|caller| (Arc::from("caller"), caller));
        values.named.extend(caller);
        Ok(values)
    }

    pub(super) fn arguments(&mut self, arguments: &'t Arguments) -> Result<Args> {
        let mut positional = self.all(&arguments.positional)?;
        let mut named = Vec::with_capacity(arguments.named.len());
        for (name, value) in &arguments.named {
            named.push((name.clone(), self.evaluate(value)?));
        }
        if let Some(more) = &arguments.more {
            let more = self.evaluate(more)?;
            positional.extend(more.iterate(&self.budget)?);
        }
        if let Some(more) = &arguments.more_named {
            let Value::Dict(dict) = self.evaluate(more)? else {
                return Err("argument after ** must be a mapping".into());
            };
            for (key, value) in &dict.entries {
                let name = key.as_text().ok_or("keywords must be strings")?;
                named.push((name.into(), value.clone()));
            }
        }
        Ok(Args { positional, named })
    }
}
