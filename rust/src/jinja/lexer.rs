//! The source of a template as tokens, with the white space that block tags take with them.
//!
//! The settings are those of transformers: `trim_blocks` (a block tag takes the newline after it),
//! `lstrip_blocks` (and the spaces before it on its line), and the newline at the very end is
//! dropped.

use super::literals::{self, Number};
use super::text::is_space;
use super::Result;
use std::sync::Arc;

#[derive(Clone, PartialEq)]
pub enum Token {
    Data(Arc<str>),
    PrintBegin,
    PrintEnd,
    BlockBegin,
    BlockEnd,
    Name(Arc<str>),
    Text(Arc<str>),
    Int(i128),
    Float(f64),
    Sign(&'static str),
    End,
}

pub struct Located {
    pub token: Token,
    pub line: u32,
}

/// Longer ones first.
const SIGNS: [&str; 26] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",", ";",
];

#[derive(Clone, Copy, PartialEq)]
enum Tag {
    Print,
    Block,
    Comment,
    Raw,
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    line: u32,
    /// Whether the last tag took a newline with it.
    starts_line: bool,
    tokens: Vec<Located>,
}

/// Errors come with the line.
pub fn tokens(source: &str) -> std::result::Result<Vec<Located>, (u32, String)> {
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let mut lexer = Lexer {
        source: source.strip_suffix('\n').unwrap_or(&source),
        at: 0,
        line: 1,
        starts_line: true,
        tokens: Vec::new(),
    };
    match lexer.run() {
        Ok(()) => Ok(lexer.tokens),
        Err(message) => Err((lexer.line, message)),
    }
}

impl<'s> Lexer<'s> {
    fn run(&mut self) -> Result<()> {
        while let Some((start, tag)) = self.next_tag() {
            let after = self.source.as_bytes().get(start + 2).copied();
            let sign = after.filter(|b| matches!(b, b'-' | b'+'));
            self.data(start, sign, tag != Tag::Print);
            let begin = start + 2 + usize::from(sign.is_some());
            match tag {
                Tag::Comment => {
                    let Some(end) = self.source[begin..].find("#}") else {
                        return Err("a comment {# has no end #}".into());
                    };
                    let end = begin + end;
                    let body = &self.source.as_bytes()[begin..end];
                    self.close(end + 2, body.last().copied(), true);
                }
                Tag::Raw => self.raw(begin)?,
                Tag::Print | Tag::Block => {
                    self.push(if tag == Tag::Print {
                        Token::PrintBegin
                    } else {
                        Token::BlockBegin
                    });
                    self.advance(begin);
                    self.inside(tag == Tag::Block)?;
                }
            }
        }
        self.push_data(&self.source[self.at..]);
        self.advance(self.source.len());
        self.push(Token::End);
        Ok(())
    }

    fn next_tag(&self) -> Option<(usize, Tag)> {
        let mut from = self.at;
        loop {
            let start = from + self.source[from..].find('{')?;
            match self.source.as_bytes().get(start + 1) {
                Some(b'{') => return Some((start, Tag::Print)),
                Some(b'#') => return Some((start, Tag::Comment)),
                Some(b'%') if self.word_tag(start, "raw").is_some() => {
                    return Some((start, Tag::Raw))
                }
                Some(b'%') => return Some((start, Tag::Block)),
                _ => from = start + 1,
            }
        }
    }

    /// Where the tag `{% word %}` at `start` ends, before the `%}` or its sign.
    fn word_tag(&self, start: usize, word: &str) -> Option<usize> {
        let rest = self.source[start..].strip_prefix("{%")?;
        let rest = rest
            .strip_prefix(['-', '+'])
            .unwrap_or(rest)
            .trim_start_matches(is_space);
        let rest = rest.strip_prefix(word)?.trim_start_matches(is_space);
        let plain = rest.strip_prefix(['-', '+']).unwrap_or(rest);
        plain
            .starts_with("%}")
            .then_some(self.source.len() - rest.len())
    }

    /// The text before a tag, less the white space that the tag takes.
    fn data(&mut self, end: usize, sign: Option<u8>, block: bool) {
        let text = &self.source[self.at..end];
        self.push_data(match sign {
            Some(b'-') => text.trim_end_matches(is_space),
            None if block => {
                let line = text.rfind('\n').map_or(0, |newline| newline + 1);
                let whole_line = line > 0 || self.starts_line;
                if whole_line && text[line..].chars().all(is_space) {
                    &text[..line]
                } else {
                    text
                }
            }
            _ => text,
        });
        self.advance(end);
    }

    fn push_data(&mut self, text: &str) {
        if !text.is_empty() {
            self.push(Token::Data(text.into()));
        }
    }

    fn push(&mut self, token: Token) {
        let line = self.line;
        self.tokens.push(Located { token, line });
    }

    fn advance(&mut self, to: usize) {
        let passed = &self.source.as_bytes()[self.at..to];
        self.line += passed.iter().filter(|b| **b == b'\n').count() as u32;
        self.at = to;
    }

    /// Goes behind a tag that ends at `end`, and behind the white space that it takes.
    fn close(&mut self, end: usize, sign: Option<u8>, trims: bool) {
        let rest = &self.source[end..];
        let taken = match sign {
            Some(b'-') => rest.len() - rest.trim_start_matches(is_space).len(),
            Some(b'+') => 0,
            _ => usize::from(trims && rest.starts_with('\n')),
        };
        self.starts_line = self.source[..end + taken].ends_with('\n');
        self.advance(end + taken);
    }

    /// `{% raw %}` up to its end; `begin` is behind the `{%`.
    fn raw(&mut self, begin: usize) -> Result<()> {
        let start = self.at;
        self.advance(begin);
        let at_sign = self.word_tag(start, "raw").unwrap_or(begin);
        let sign = self.source.as_bytes()[at_sign];
        let sign = Some(sign).filter(|b| *b == b'-');
        let open_end = at_sign + self.source[at_sign..].find("%}").unwrap_or(0) + 2;
        self.close(open_end, sign, false);
        let mut from = self.at;
        while let Some(found) = self.source[from..].find("{%") {
            let end = from + found;
            if let Some(at_sign) = self.word_tag(end, "endraw") {
                let before = self.source.as_bytes().get(end + 2).copied();
                self.data(end, before.filter(|b| matches!(b, b'-' | b'+')), true);
                let sign = self.source.as_bytes()[at_sign];
                let size = self.source[at_sign..].find("%}").unwrap_or(0) + 2;
                self.close(at_sign + size, Some(sign), true);
                return Ok(());
            }
            from = end + 2;
        }
        Err("{% raw %} has no end".into())
    }

    /// The tokens of one tag, its end included.
    fn inside(&mut self, block: bool) -> Result<()> {
        let mut open: Vec<&'static str> = Vec::new();
        loop {
            let rest = &self.source[self.at..];
            if open.is_empty() && self.tag_end(rest, block) {
                return Ok(());
            }
            let Some(c) = rest.chars().next() else {
                return Err("a tag has no end".into());
            };
            if is_space(c) {
                self.advance(self.at + c.len_utf8());
            } else if c.is_ascii_digit() {
                let after_dot = self.source[..self.at].ends_with('.');
                let (number, size) = literals::number(rest, after_dot)?;
                self.push(match number {
                    Number::Int(value) => Token::Int(value),
                    Number::Float(value) => Token::Float(value),
                });
                self.advance(self.at + size);
            } else if c == '_' || c.is_alphanumeric() {
                let end = |c: char| c != '_' && !c.is_alphanumeric();
                let size = rest.find(end).unwrap_or(rest.len());
                self.push(Token::Name(rest[..size].into()));
                self.advance(self.at + size);
            } else if c == '\'' || c == '"' {
                let size = literals::string_size(rest).ok_or("a string has no end")?;
                self.push(Token::Text(literals::unescape(&rest[1..size - 1])?.into()));
                self.advance(self.at + size);
            } else {
                self.sign(rest, c, &mut open)?;
            }
        }
    }

    fn tag_end(&mut self, rest: &str, block: bool) -> bool {
        let end = if block { "%}" } else { "}}" };
        let signs: &[&str] = if block { &["", "-", "+"] } else { &["", "-"] };
        for sign in signs {
            if rest
                .strip_prefix(sign)
                .is_some_and(|rest| rest.starts_with(end))
            {
                self.push(if block {
                    Token::BlockEnd
                } else {
                    Token::PrintEnd
                });
                self.close(self.at + sign.len() + 2, sign.bytes().next(), block);
                return true;
            }
        }
        false
    }

    fn sign(&mut self, rest: &str, c: char, open: &mut Vec<&'static str>) -> Result<()> {
        let Some(sign) = SIGNS.iter().copied().find(|sign| rest.starts_with(sign)) else {
            return Err(format!("unexpected character {c:?}"));
        };
        let opened_by = match sign {
            ")" => "(",
            "]" => "[",
            "}" => "{",
            _ => "",
        };
        if matches!(sign, "(" | "[" | "{") {
            open.push(sign);
        } else if !opened_by.is_empty() && open.pop() != Some(opened_by) {
            return Err(format!("unexpected '{sign}'"));
        }
        self.push(Token::Sign(sign));
        self.advance(self.at + sign.len());
        Ok(())
    }
}
