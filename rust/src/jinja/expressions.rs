//! The expressions of a template, loosest binding first.

use super::arithmetic::Operator;
use super::lexer::Token;
use super::parser::Parser;
use super::syntax::*;
use super::Result;

impl Parser {
    pub(super) fn expression(&mut self) -> Result<Expression> {
        self.deeper(Self::conditional)
    }

    /// One expression, or several with commas as a tuple.
    pub(super) fn tuple(&mut self, conditional: bool) -> Result<Expression> {
        self.tuple_until(conditional, &[])
    }

    pub(super) fn tuple_until(&mut self, conditional: bool, ends: &[&str]) -> Result<Expression> {
        let line = self.line();
        let mut items = Vec::new();
        let mut tuple = false;
        loop {
            if !items.is_empty() {
                if !self.skip_sign(",") {
                    break;
                }
                tuple = true;
            }
            let ended = matches!(self.peek(), Token::BlockEnd | Token::PrintEnd | Token::End);
            if ended || self.is_sign(")") || ends.iter().any(|end| self.is_word(end)) {
                break;
            }
            items.push(match conditional {
                true => self.expression()?,
                false => self.deeper(Self::or)?,
            });
        }
        match (tuple, items.len()) {
            (false, 0) => Err(self.unexpected("an expression")),
            (false, _) => Ok(items.swap_remove(0)),
            (true, _) => Expression::new(line, ExpressionKind::Tuple(items)),
        }
    }

    fn conditional(&mut self) -> Result<Expression> {
        let line = self.line();
        let mut value = self.or()?;
        while self.skip_word("if") {
            let condition = Box::new(self.or()?);
            let other = match self.skip_word("else") {
                true => Some(Box::new(self.expression()?)),
                false => None,
            };
            value = Expression::new(line, ExpressionKind::If(condition, Box::new(value), other))?;
        }
        Ok(value)
    }

    fn or(&mut self) -> Result<Expression> {
        let line = self.line();
        let mut left = self.and()?;
        while self.skip_word("or") {
            let right = self.and()?;
            left = Expression::new(line, ExpressionKind::Or(Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression> {
        let line = self.line();
        let mut left = self.not()?;
        while self.skip_word("and") {
            let right = self.not()?;
            left = Expression::new(line, ExpressionKind::And(Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expression> {
        let line = self.line();
        if self.skip_word("not") {
            let value = Box::new(self.deeper(Self::not)?);
            return Expression::new(line, ExpressionKind::Not(value));
        }
        self.compare()
    }

    fn compare(&mut self) -> Result<Expression> {
        let line = self.line();
        let first = self.sum()?;
        let mut rest = Vec::new();
        while let Some(comparison) = self.comparison() {
            rest.push((comparison, self.sum()?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Expression::new(line, ExpressionKind::Compare(Box::new(first), rest))
    }

    fn comparison(&mut self) -> Option<Comparison> {
        if self.is_word("not") && self.is_word_after("in") {
            self.next();
            self.next();
            return Some(Comparison::NotIn);
        }
        if self.skip_word("in") {
            return Some(Comparison::In);
        }
        let comparison = match self.peek() {
            Token::Sign("==") => Comparison::Equal,
            Token::Sign("!=") => Comparison::NotEqual,
            Token::Sign("<") => Comparison::Less,
            Token::Sign("<=") => Comparison::LessEqual,
            Token::Sign(">") => Comparison::Greater,
            Token::Sign(">=") => Comparison::GreaterEqual,
            _ => return None,
        };
        self.next();
        Some(comparison)
    }

    /// A chain of operators that bind alike, from left to right.
    fn operations(
        &mut self,
        operators: &[Operator],
        operand: fn(&mut Self) -> Result<Expression>,
    ) -> Result<Expression> {
        let line = self.line();
        let mut left = operand(self)?;
        while let Some(operator) = operators.iter().find(|o| self.is_sign(o.sign())) {
            self.next();
            let right = Box::new(operand(self)?);
            left = Expression::new(
                line,
                ExpressionKind::Operation(*operator, Box::new(left), right),
            )?;
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<Expression> {
        self.operations(&[Operator::Add, Operator::Subtract], Self::concat)
    }

    fn concat(&mut self) -> Result<Expression> {
        let line = self.line();
        let mut parts = vec![self.product()?];
        while self.skip_sign("~") {
            parts.push(self.product()?);
        }
        if parts.len() == 1 {
            return Ok(parts.swap_remove(0));
        }
        Expression::new(line, ExpressionKind::Concat(parts))
    }

    fn product(&mut self) -> Result<Expression> {
        const OPERATORS: [Operator; 4] = [
            Operator::Multiply,
            Operator::Divide,
            Operator::FloorDivide,
            Operator::Remainder,
        ];
        self.operations(&OPERATORS, Self::power)
    }

    fn power(&mut self) -> Result<Expression> {
        self.operations(&[Operator::Power], |parser| parser.unary(true))
    }

    fn unary(&mut self, filters: bool) -> Result<Expression> {
        let line = self.line();
        let mut value = if self.skip_sign("-") {
            let operand = Box::new(self.deeper(|parser| parser.unary(false))?);
            Expression::new(line, ExpressionKind::Negative(operand))?
        } else if self.skip_sign("+") {
            let operand = Box::new(self.deeper(|parser| parser.unary(false))?);
            Expression::new(line, ExpressionKind::Positive(operand))?
        } else {
            self.primary()?
        };
        value = self.postfix(value)?;
        if filters {
            value = self.filter_chain(value)?;
        }
        Ok(value)
    }

    pub(super) fn primary(&mut self) -> Result<Expression> {
        let line = self.line();
        let kind = match self.peek().clone() {
            Token::Name(name) => {
                self.next();
                match &*name {
                    "true" | "True" => ExpressionKind::Bool(true),
                    "false" | "False" => ExpressionKind::Bool(false),
                    "none" | "None" => ExpressionKind::None,
                    _ => {
                        let symbol = self.symbol(&name);
                        self.read.push(symbol);
                        ExpressionKind::Name(symbol)
                    }
                }
            }
            Token::Text(first) => {
                let mut text = first.to_string();
                self.next();
                while let Token::Text(more) = self.peek().clone() {
                    text.push_str(&more);
                    self.next();
                }
                ExpressionKind::Text(text.into())
            }
            Token::Int(value) => {
                self.next();
                ExpressionKind::Int(value)
            }
            Token::Float(value) => {
                self.next();
                ExpressionKind::Float(value)
            }
            Token::Sign("(") => return self.parenthesis(),
            Token::Sign("[") => ExpressionKind::List(self.list()?),
            Token::Sign("{") => ExpressionKind::Dict(self.dict()?),
            _ => return Err(self.unexpected("an expression")),
        };
        Expression::new(line, kind)
    }

    fn parenthesis(&mut self) -> Result<Expression> {
        let line = self.line();
        self.next();
        if self.skip_sign(")") {
            return Expression::new(line, ExpressionKind::Tuple(Vec::new()));
        }
        let value = self.tuple(true)?;
        self.expect_sign(")")?;
        Ok(value)
    }

    fn list(&mut self) -> Result<Vec<Expression>> {
        let mut items = Vec::new();
        self.next();
        while !self.is_sign("]") {
            if !items.is_empty() {
                self.expect_sign(",")?;
            }
            if self.is_sign("]") {
                break;
            }
            items.push(self.expression()?);
        }
        self.expect_sign("]")?;
        Ok(items)
    }

    fn dict(&mut self) -> Result<Vec<(Expression, Expression)>> {
        let mut entries = Vec::new();
        self.next();
        while !self.is_sign("}") {
            if !entries.is_empty() {
                self.expect_sign(",")?;
            }
            if self.is_sign("}") {
                break;
            }
            let key = self.expression()?;
            self.expect_sign(":")?;
            entries.push((key, self.expression()?));
        }
        self.expect_sign("}")?;
        Ok(entries)
    }
}
