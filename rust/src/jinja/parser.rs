//! Reads the tokens of a template: what statements and expressions have in common.

use super::lexer::{tokens, Located, Token};
use super::syntax::*;
use super::Result;
use std::collections::HashMap;
use std::sync::Arc;

/// How deep blocks and expressions may be nested in the source.
const MAX_DEPTH: usize = 100;
/// Variables are looked for one by one.
const MAX_SYMBOLS: usize = 5000;

pub struct Parser {
    tokens: Vec<Located>,
    at: usize,
    depth: usize,
    /// Loops around the statement, within its macro.
    pub(super) loops: usize,
    /// Symbols as they are read.
    pub(super) read: Vec<Symbol>,
    pub(super) program: Program,
    /// The symbol of each name.
    known: HashMap<Arc<str>, Symbol>,
}

/// Errors come with the line.
pub fn parse(source: &str) -> std::result::Result<Program, (u32, String)> {
    let mut parser = Parser {
        tokens: tokens(source)?,
        at: 0,
        depth: 0,
        loops: 0,
        read: Vec::new(),
        program: Program::default(),
        known: HashMap::new(),
    };
    match parser.block(&[]) {
        Ok(_) if parser.program.symbols.len() > MAX_SYMBOLS => {
            Err((0, format!("expected at most {MAX_SYMBOLS} different names")))
        }
        Ok(body) => {
            parser.program.body = body;
            Ok(parser.program)
        }
        Err(message) => Err((parser.line(), message)),
    }
}

impl Parser {
    pub(super) fn peek(&self) -> &Token {
        &self.tokens[self.at].token
    }

    pub(super) fn line(&self) -> u32 {
        self.tokens[self.at].line
    }

    pub(super) fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    pub(super) fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(found) if *found == sign)
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Name(found) if **found == *word)
    }

    pub(super) fn is_word_after(&self, word: &str) -> bool {
        let next = (self.at + 1).min(self.tokens.len() - 1);
        matches!(&self.tokens[next].token, Token::Name(found) if **found == *word)
    }

    pub(super) fn is_sign_after(&self, sign: &str) -> bool {
        let next = (self.at + 1).min(self.tokens.len() - 1);
        matches!(&self.tokens[next].token, Token::Sign(found) if *found == sign)
    }

    pub(super) fn skip_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        if found {
            self.next();
        }
        found
    }

    pub(super) fn skip_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.next();
        }
        found
    }

    pub(super) fn expect_sign(&mut self, sign: &str) -> Result<()> {
        match self.skip_sign(sign) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("'{sign}'"))),
        }
    }

    pub(super) fn expect_name(&mut self) -> Result<Arc<str>> {
        match self.peek().clone() {
            Token::Name(name) => {
                self.next();
                Ok(name)
            }
            _ => Err(self.unexpected("a name")),
        }
    }

    pub(super) fn unexpected(&self, expected: &str) -> String {
        let found = match self.peek() {
            Token::Data(_) => "text".into(),
            Token::PrintBegin => "'{{'".into(),
            Token::PrintEnd => "'}}'".into(),
            Token::BlockBegin => "'{%'".into(),
            Token::BlockEnd => "'%}'".into(),
            Token::Name(name) => format!("'{name}'"),
            Token::Text(text) => format!("{text:?}"),
            Token::Int(value) => value.to_string(),
            Token::Float(value) => value.to_string(),
            Token::Sign(sign) => format!("'{sign}'"),
            Token::End => "the end of the template".into(),
        };
        format!("expected {expected}, found {found}")
    }

    pub(super) fn symbol(&mut self, name: &Arc<str>) -> Symbol {
        let symbols = &mut self.program.symbols;
        *self.known.entry(name.clone()).or_insert_with(|| {
            symbols.push(name.clone());
            symbols.len() - 1
        })
    }

    /// Runs `parse` one level deeper.
    pub(super) fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH}"));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    pub(super) fn block_end(&mut self) -> Result<()> {
        match self.peek() {
            Token::BlockEnd => {
                self.next();
                Ok(())
            }
            _ => Err(self.unexpected("'%}'")),
        }
    }

    /// Statements up to a tag that begins with one of `ends`, which stays; `{%` itself is taken.
    pub(super) fn block(&mut self, ends: &[&str]) -> Result<Block> {
        let mut block = Block::new();
        loop {
            let line = self.line();
            let kind = match self.next() {
                Token::Data(text) => StatementKind::Data(text),
                Token::PrintBegin => {
                    let value = self.tuple(true)?;
                    match self.peek() {
                        Token::PrintEnd => self.next(),
                        _ => return Err(self.unexpected("'}}'")),
                    };
                    StatementKind::Print(value)
                }
                Token::BlockBegin if ends.iter().any(|end| self.is_word(end)) => return Ok(block),
                Token::BlockBegin => self.deeper(Self::statement)?,
                _ if ends.is_empty() => return Ok(block),
                _ => {
                    return Err(format!(
                        "expected {{% {} %}}, found no more",
                        ends.join(" or ")
                    ))
                }
            };
            block.push(Statement { line, kind });
        }
    }
}
