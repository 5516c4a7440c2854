//! What stands behind a value: members, items, calls, filters and tests.

use super::lexer::Token;
use super::parser::Parser;
use super::syntax::*;
use super::Result;
use std::sync::Arc;

impl Parser {
    pub(super) fn postfix(&mut self, mut value: Expression) -> Result<Expression> {
        loop {
            let line = self.line();
            let kind = match self.peek() {
                Token::Sign(".") => self.member(Box::new(value))?,
                Token::Sign("[") => self.subscript(Box::new(value))?,
                Token::Sign("(") => ExpressionKind::Call(Box::new(value), self.arguments()?),
                _ => return Ok(value),
            };
            value = Expression::new(line, kind)?;
        }
    }

    pub(super) fn filter_chain(&mut self, mut value: Expression) -> Result<Expression> {
        loop {
            let line = self.line();
            let kind = if self.skip_sign("|") {
                ExpressionKind::Filter(Box::new(value), Box::new(self.filter()?))
            } else if self.skip_word("is") {
                self.test(value, line)?
            } else if self.is_sign("(") {
                ExpressionKind::Call(Box::new(value), self.arguments()?)
            } else {
                return Ok(value);
            };
            value = Expression::new(line, kind)?;
        }
    }

    /// Filters with `|` between them; the first without one if `bare`.
    pub(super) fn filters(&mut self, bare: bool) -> Result<Vec<FilterCall>> {
        let mut filters = Vec::new();
        if bare {
            filters.push(self.filter()?);
        }
        while self.skip_sign("|") {
            filters.push(self.filter()?);
        }
        Ok(filters)
    }

    fn member(&mut self, of: Box<Expression>) -> Result<ExpressionKind> {
        self.next();
        let line = self.line();
        match self.next() {
            Token::Name(name) => Ok(ExpressionKind::Attribute(of, name)),
            Token::Int(index) => {
                let index = Expression::new(line, ExpressionKind::Int(index))?;
                Ok(ExpressionKind::Item(of, Box::new(index)))
            }
            _ => Err("expected a name or a number behind '.'".into()),
        }
    }

    fn subscript(&mut self, of: Box<Expression>) -> Result<ExpressionKind> {
        self.next();
        let line = self.line();
        let mut parts: [Option<Expression>; 3] = [None, None, None];
        let mut colons = 0;
        while !self.is_sign("]") {
            if self.skip_sign(":") {
                colons += 1;
                if colons > 2 {
                    return Err("a slice has at most three parts".into());
                }
            } else if parts[colons].is_none() {
                parts[colons] = Some(self.expression()?);
            } else if colons == 0 && self.is_sign(",") {
                let first = parts[0].take();
                parts[0] = Some(self.tuple_key(first, line)?);
            } else {
                return Err(self.unexpected("']'"));
            }
        }
        self.next();
        if colons > 0 {
            return Ok(ExpressionKind::Slice(of, Box::new(parts)));
        }
        match parts[0].take() {
            Some(key) => Ok(ExpressionKind::Item(of, Box::new(key))),
            None => Err("expected an expression between '[' and ']'".into()),
        }
    }

    /// The key of `dict[a, b]`, from the comma.
    fn tuple_key(&mut self, first: Option<Expression>, line: u32) -> Result<Expression> {
        let mut items: Vec<Expression> = first.into_iter().collect();
        while self.skip_sign(",") {
            if !self.is_sign("]") {
                items.push(self.expression()?);
            }
        }
        Expression::new(line, ExpressionKind::Tuple(items))
    }

    fn arguments(&mut self) -> Result<Arguments> {
        let mut arguments = Arguments::default();
        self.expect_sign("(")?;
        let mut first = true;
        while !self.is_sign(")") {
            if !first {
                self.expect_sign(",")?;
            }
            first = false;
            if self.is_sign(")") {
                break;
            }
            self.argument(&mut arguments)?;
        }
        self.expect_sign(")")?;
        Ok(arguments)
    }

    fn argument(&mut self, arguments: &mut Arguments) -> Result<()> {
        let once = |slot: &mut Option<Box<Expression>>, value| match slot.replace(Box::new(value)) {
            None => Ok(()),
            Some(_) => Err("a call takes *list and **dict once each".to_string()),
        };
        if self.skip_sign("**") {
            let value = self.expression()?;
            once(&mut arguments.more_named, value)
        } else if self.skip_sign("*") {
            let value = self.expression()?;
            once(&mut arguments.more, value)
        } else if matches!(self.peek(), Token::Name(_)) && self.is_sign_after("=") {
            let name = self.expect_name()?;
            self.next();
            let value = self.expression()?;
            arguments.named.push((name, value));
            Ok(())
        } else if arguments.named.is_empty() && arguments.more_named.is_none() {
            arguments.positional.push(self.expression()?);
            Ok(())
        } else {
            Err("an argument without a name stands behind one with a name".into())
        }
    }

    fn dotted_name(&mut self) -> Result<Arc<str>> {
        let mut name = self.expect_name()?.to_string();
        while self.skip_sign(".") {
            name.push('.');
            name.push_str(&self.expect_name()?);
        }
        Ok(name.into())
    }

    fn filter(&mut self) -> Result<FilterCall> {
        let line = self.line();
        let name = self.dotted_name()?;
        let arguments = match self.is_sign("(") {
            true => self.arguments()?,
            false => Arguments::default(),
        };
        Ok(FilterCall {
            name,
            arguments,
            line,
        })
    }

    /// From behind `is`.
    fn test(&mut self, value: Expression, line: u32) -> Result<ExpressionKind> {
        let negated = self.skip_word("not");
        let name = self.dotted_name()?;
        let mut arguments = Arguments::default();
        let operand = match self.peek() {
            Token::Sign("(") => {
                arguments = self.arguments()?;
                false
            }
            Token::Name(word) if matches!(&**word, "else" | "or" | "and") => false,
            Token::Name(word) if **word == *"is" => {
                return Err("tests cannot be chained with 'is'".into());
            }
            Token::Name(_) | Token::Text(_) | Token::Int(_) | Token::Float(_) => true,
            Token::Sign("[" | "{") => true,
            _ => false,
        };
        if operand {
            let operand = self.deeper(|parser| {
                let operand = parser.primary()?;
                parser.postfix(operand)
            })?;
            arguments.positional.push(operand);
        }
        let call = FilterCall {
            name,
            arguments,
            line,
        };
        let test = ExpressionKind::Test(Box::new(value), Box::new(call));
        if !negated {
            return Ok(test);
        }
        Ok(ExpressionKind::Not(Box::new(Expression::new(line, test)?)))
    }
}
