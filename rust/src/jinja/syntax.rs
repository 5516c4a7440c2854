//! A parsed template.

use super::arithmetic::Operator;
use super::Result;
use std::sync::Arc;

/// A variable's name, by its place in `Program::symbols`.
pub type Symbol = usize;

#[derive(Default)]
pub struct Program {
    pub body: Block,
    /// Loops and macros stand here, so that values can refer to them by number.
    pub loops: Vec<For>,
    pub macros: Vec<MacroDefinition>,
    pub symbols: Vec<Arc<str>>,
}

pub type Block = Vec<Statement>;

pub struct Statement {
    pub line: u32,
    pub kind: StatementKind,
}

pub enum StatementKind {
    Data(Arc<str>),
    Print(Expression),
    If(Vec<(Expression, Block)>, Block),
    For(usize),
    Set(Target, Expression),
    SetBlock(Target, Vec<FilterCall>, Block),
    Macro(Symbol, usize),
    /// The call, and the macro that is its `caller`.
    Call(Expression, usize),
    With(Vec<(Target, Expression)>, Block),
    Filter(Vec<FilterCall>, Block),
    /// What the assistant wrote.
    Generation(Block),
    Break,
    Continue,
}

pub struct For {
    pub target: Target,
    pub iterable: Expression,
    pub condition: Option<Expression>,
    pub recursive: bool,
    pub body: Block,
    pub otherwise: Block,
}

pub struct MacroDefinition {
    pub name: Arc<str>,
    pub parameters: Vec<Parameter>,
    pub body: Block,
    /// The symbols of `varargs`, `kwargs` and `caller` where the body uses them.
    pub varargs: Option<Symbol>,
    pub kwargs: Option<Symbol>,
    pub caller: Option<Symbol>,
}

pub struct Parameter {
    pub name: Arc<str>,
    pub symbol: Symbol,
    pub default: Option<Expression>,
}

pub enum Target {
    Name(Symbol),
    /// A member of a namespace.
    Member(Symbol, Arc<str>),
    Tuple(Vec<Target>),
}

pub struct FilterCall {
    pub name: Arc<str>,
    pub arguments: Arguments,
    pub line: u32,
}

pub struct Expression {
    pub line: u32,
    pub kind: ExpressionKind,
    /// Of the tree below, which is bounded: evaluating and freeing it go down recursively.
    height: u32,
}

const MAX_HEIGHT: u32 = 200;

impl Expression {
    pub fn new(line: u32, kind: ExpressionKind) -> Result<Self> {
        let mut height = 0;
        kind.for_each_part(&mut |part| height = height.max(part.height));
        if height >= MAX_HEIGHT {
            return Err(format!("an expression is nested deeper than {MAX_HEIGHT}"));
        }
        Ok(Self {
            line,
            kind,
            height: height + 1,
        })
    }
}

pub enum ExpressionKind {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Arc<str>),
    Name(Symbol),
    List(Vec<Expression>),
    Tuple(Vec<Expression>),
    Dict(Vec<(Expression, Expression)>),
    Attribute(Box<Expression>, Arc<str>),
    Item(Box<Expression>, Box<Expression>),
    Slice(Box<Expression>, Box<[Option<Expression>; 3]>),
    Call(Box<Expression>, Arguments),
    Filter(Box<Expression>, Box<FilterCall>),
    Test(Box<Expression>, Box<FilterCall>),
    Not(Box<Expression>),
    Negative(Box<Expression>),
    Positive(Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    /// Condition, value, other value.
    If(Box<Expression>, Box<Expression>, Option<Box<Expression>>),
    Concat(Vec<Expression>),
    Operation(Operator, Box<Expression>, Box<Expression>),
    Compare(Box<Expression>, Vec<(Comparison, Expression)>),
}

#[derive(Clone, Copy, PartialEq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    NotIn,
}

#[derive(Default)]
pub struct Arguments {
    pub positional: Vec<Expression>,
    pub named: Vec<(Arc<str>, Expression)>,
    /// `*list`
    pub more: Option<Box<Expression>>,
    /// `**dict`
    pub more_named: Option<Box<Expression>>,
}

impl Arguments {
    fn for_each_part(&self, f: &mut dyn FnMut(&Expression)) {
        self.positional.iter().for_each(&mut *f);
        self.named.iter().for_each(|(_, value)| f(value));
        self.more.iter().for_each(|value| f(value));
        self.more_named.iter().for_each(|value| f(value));
    }
}

impl ExpressionKind {
    fn for_each_part(&self, f: &mut dyn FnMut(&Expression)) {
        match self {
            Self::None | Self::Bool(_) | Self::Int(_) | Self::Float(_) => {}
            Self::Text(_) | Self::Name(_) => {}
            Self::List(parts) | Self::Tuple(parts) | Self::Concat(parts) => {
                parts.iter().for_each(f);
            }
            Self::Dict(entries) => {
                for (key, value) in entries {
                    f(key);
                    f(value);
                }
            }
            Self::Attribute(part, _) | Self::Not(part) => f(part),
            Self::Negative(part) | Self::Positive(part) => f(part),
            Self::Item(a, b) | Self::And(a, b) | Self::Or(a, b) | Self::Operation(_, a, b) => {
                f(a);
                f(b);
            }
            Self::Slice(of, parts) => {
                f(of);
                parts.iter().flatten().for_each(f);
            }
            Self::Call(of, arguments) => {
                f(of);
                arguments.for_each_part(f);
            }
            Self::Filter(of, call) | Self::Test(of, call) => {
                f(of);
                call.arguments.for_each_part(f);
            }
            Self::If(condition, value, other) => {
                f(condition);
                f(value);
                other.iter().for_each(|other| f(other));
            }
            Self::Compare(first, rest) => {
                f(first);
                rest.iter().for_each(|(_, value)| f(value));
            }
        }
    }
}
