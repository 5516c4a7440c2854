//! The statements of a template.

use super::lexer::Token;
use super::parser::Parser;
use super::syntax::*;
use super::Result;
use std::sync::Arc;

impl Parser {
    /// The body of a tag from behind its head to behind `{% end %}`.
    fn body(&mut self, end: &str) -> Result<Block> {
        self.block_end()?;
        let body = self.block(&[end])?;
        self.next();
        self.block_end()?;
        Ok(body)
    }

    pub(super) fn statement(&mut self) -> Result<StatementKind> {
        let name = self.expect_name()?;
        let kind = match &*name {
            "if" => return self.parse_if(),
            "for" => return self.parse_for(),
            "set" => return self.parse_set(),
            "macro" => return self.parse_macro(),
            "call" => return self.parse_call(),
            "with" => return self.parse_with(),
            "filter" => {
                let filters = self.filters(true)?;
                return Ok(StatementKind::Filter(filters, self.body("endfilter")?));
            }
            "generation" => {
                let loops = std::mem::take(&mut self.loops);
                let body = self.body("endgeneration")?;
                self.loops = loops;
                return Ok(StatementKind::Generation(body));
            }
            "print" => StatementKind::Print(self.expression()?),
            "break" | "continue" if self.loops == 0 => {
                return Err(format!("{{% {name} %}} outside of a loop"));
            }
            "break" => StatementKind::Break,
            "continue" => StatementKind::Continue,
            "include" | "import" | "from" | "extends" | "block" => {
                return Err(format!(
                    "{{% {name} %}}: a chat template is one file, without parts"
                ));
            }
            _ => return Err(format!("unknown tag '{name}'")),
        };
        self.block_end()?;
        Ok(kind)
    }

    fn parse_if(&mut self) -> Result<StatementKind> {
        let mut branches = Vec::new();
        let mut otherwise = Block::new();
        loop {
            let condition = self.tuple(false)?;
            self.block_end()?;
            let body = self.block(&["elif", "else", "endif"])?;
            branches.push((condition, body));
            if self.skip_word("elif") {
                continue;
            }
            if self.skip_word("else") {
                self.block_end()?;
                otherwise = self.block(&["endif"])?;
            }
            self.next();
            self.block_end()?;
            return Ok(StatementKind::If(branches, otherwise));
        }
    }

    fn parse_for(&mut self) -> Result<StatementKind> {
        let target = self.target(false)?;
        if !self.skip_word("in") {
            return Err(self.unexpected("'in'"));
        }
        let iterable = self.tuple_until(false, &["recursive"])?;
        let condition = match self.skip_word("if") {
            true => Some(self.expression()?),
            false => None,
        };
        let recursive = self.skip_word("recursive");
        self.block_end()?;
        self.loops += 1;
        let body = self.block(&["else", "endfor"])?;
        self.loops -= 1;
        let mut otherwise = Block::new();
        if self.skip_word("else") {
            self.block_end()?;
            otherwise = self.block(&["endfor"])?;
        }
        self.next();
        self.block_end()?;
        self.program.loops.push(For {
            target,
            iterable,
            condition,
            recursive,
            body,
            otherwise,
        });
        Ok(StatementKind::For(self.program.loops.len() - 1))
    }

    fn parse_set(&mut self) -> Result<StatementKind> {
        let target = self.target(true)?;
        if self.skip_sign("=") {
            let value = self.tuple(true)?;
            self.block_end()?;
            return Ok(StatementKind::Set(target, value));
        }
        let filters = self.filters(false)?;
        Ok(StatementKind::SetBlock(
            target,
            filters,
            self.body("endset")?,
        ))
    }

    fn parse_macro(&mut self) -> Result<StatementKind> {
        let name = self.expect_name()?;
        let symbol = self.symbol(&name);
        let parameters = self.parameters()?;
        let definition = self.definition(name, parameters, "endmacro")?;
        Ok(StatementKind::Macro(symbol, definition))
    }

    fn parse_call(&mut self) -> Result<StatementKind> {
        let parameters = match self.is_sign("(") {
            true => self.parameters()?,
            false => Vec::new(),
        };
        let call = self.expression()?;
        if !matches!(call.kind, ExpressionKind::Call(..)) {
            return Err("{% call %}: expected the call of a macro".into());
        }
        let definition = self.definition("caller".into(), parameters, "endcall")?;
        Ok(StatementKind::Call(call, definition))
    }

    fn parameters(&mut self) -> Result<Vec<Parameter>> {
        let mut parameters = Vec::new();
        self.expect_sign("(")?;
        while !self.is_sign(")") {
            if !parameters.is_empty() {
                self.expect_sign(",")?;
            }
            let name = self.expect_name()?;
            let default = match self.skip_sign("=") {
                true => Some(self.expression()?),
                false => None,
            };
            let symbol = self.symbol(&name);
            parameters.push(Parameter {
                name,
                symbol,
                default,
            });
        }
        self.expect_sign(")")?;
        Ok(parameters)
    }

    fn definition(
        &mut self,
        name: Arc<str>,
        parameters: Vec<Parameter>,
        end: &str,
    ) -> Result<usize> {
        let (first_read, loops) = (self.read.len(), std::mem::take(&mut self.loops));
        self.block_end()?;
        let body = self.block(&[end])?;
        self.next();
        if matches!(self.peek(), Token::Name(_)) {
            self.next();
        }
        self.block_end()?;
        self.loops = loops;
        let mut used = |name: &str| {
            let symbol = self.symbol(&name.into());
            self.read[first_read..].contains(&symbol).then_some(symbol)
        };
        let (varargs, kwargs, caller) = (used("varargs"), used("kwargs"), used("caller"));
        self.program.macros.push(MacroDefinition {
            name,
            parameters,
            body,
            varargs,
            kwargs,
            caller,
        });
        Ok(self.program.macros.len() - 1)
    }

    fn parse_with(&mut self) -> Result<StatementKind> {
        let mut assignments = Vec::new();
        while *self.peek() != Token::BlockEnd {
            if !assignments.is_empty() {
                self.expect_sign(",")?;
            }
            let target = self.target(false)?;
            self.expect_sign("=")?;
            assignments.push((target, self.expression()?));
        }
        Ok(StatementKind::With(assignments, self.body("endwith")?))
    }

    /// What a value is assigned to, up to `=`, `in`, `|` or the end.
    fn target(&mut self, members: bool) -> Result<Target> {
        let mut parts = Vec::new();
        let mut tuple = false;
        loop {
            parts.push(self.single_target(members)?);
            if !self.skip_sign(",") {
                break;
            }
            tuple = true;
            if self.is_word("in") || self.is_sign("=") || self.is_sign(")") {
                break;
            }
        }
        match (tuple, parts.pop()) {
            (false, Some(single)) => Ok(single),
            (_, last) => {
                parts.extend(last);
                Ok(Target::Tuple(parts))
            }
        }
    }

    fn single_target(&mut self, members: bool) -> Result<Target> {
        if self.skip_sign("(") {
            let target = self.deeper(|parser| parser.target(members))?;
            self.expect_sign(")")?;
            return Ok(target);
        }
        let name = self.expect_name()?;
        if matches!(
            &*name,
            "true" | "false" | "none" | "True" | "False" | "None"
        ) {
            return Err(format!("can't assign to '{name}'"));
        }
        let symbol = self.symbol(&name);
        if members && self.skip_sign(".") {
            return Ok(Target::Member(symbol, self.expect_name()?));
        }
        Ok(Target::Name(symbol))
    }
}
