//! Expressions with Python's operators in the place of minijinja's.

use super::operators::OPERATORS;
use super::rewrite::{refuse, Result, Rewriter};
use minijinja::machinery::ast::{self, BinOpKind, CallArg, CompareOpKind, Expr, Spanned};
use minijinja::machinery::Span;
use minijinja::Value;

pub fn operator<'a>(
    name: &'a str,
    span: Span,
    mut operands: impl Iterator<Item = Expr<'a>>,
) -> Expr<'a> {
    debug_assert!(OPERATORS.iter().any(|(known, _)| *known == name));
    let expr = operands.next();
    let args = operands.map(CallArg::Pos).collect();
    Expr::Filter(Spanned::new(ast::Filter { name, expr, args }, span))
}

pub fn constant<'a>(value: impl Into<Value>, span: Span) -> Expr<'a> {
    let value = value.into();
    Expr::Const(Spanned::new(ast::Const { value }, span))
}

impl<'a> Rewriter<'a> {
    pub fn call(&mut self, n: &Spanned<ast::Call<'a>>) -> Result<Spanned<ast::Call<'a>>> {
        let expr = match &n.expr {
            Expr::Var(_) => self.expr(&n.expr)?,
            Expr::GetAttr(attr) => {
                let (expr, name) = (self.expr(&attr.expr)?, attr.name);
                Expr::GetAttr(Spanned::new(ast::GetAttr { expr, name }, attr.span()))
            }
            other => return refuse(other.span(), "a call of what is no name"),
        };
        let args = self.args(&n.args)?;
        Ok(Spanned::new(ast::Call { expr, args }, n.span()))
    }

    fn args(&mut self, args: &[CallArg<'a>]) -> Result<Vec<CallArg<'a>>> {
        let mut rewritten = Vec::new();
        for arg in args {
            rewritten.push(match arg {
                CallArg::Pos(expr) => CallArg::Pos(self.expr(expr)?),
                CallArg::Kwarg(name, expr) => CallArg::Kwarg(name, self.expr(expr)?),
                CallArg::PosSplat(expr) => CallArg::PosSplat(self.expr(expr)?),
                CallArg::KwargSplat(expr) => CallArg::KwargSplat(self.expr(expr)?),
            });
        }
        Ok(rewritten)
    }

    pub fn exprs(&mut self, exprs: &[Expr<'a>]) -> Result<Vec<Expr<'a>>> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    pub fn maybe(&mut self, expr: &Option<Expr<'a>>) -> Result<Option<Expr<'a>>> {
        expr.as_ref().map(|expr| self.expr(expr)).transpose()
    }

    pub fn expr(&mut self, expr: &Expr<'a>) -> Result<Expr<'a>> {
        let span = expr.span();
        macro_rules! node {
            ($kind:ident, $($field:ident: $value:expr),*) => {
                Expr::$kind(Spanned::new(ast::$kind { $($field: $value),* }, span))
            };
        }
        Ok(match expr {
            Expr::Var(n) => self.variable(n.id, span)?,
            Expr::Const(n) => constant(n.value.clone(), span),
            Expr::Slice(n) => self.slice(n)?,
            Expr::UnaryOp(n) => {
                let op = if matches!(n.op, ast::UnaryOpKind::Not) {
                    ast::UnaryOpKind::Not
                } else {
                    ast::UnaryOpKind::Neg
                };
                node!(UnaryOp, op: op, expr: self.expr(&n.expr)?)
            }
            Expr::BinOp(n) => self.binary(n)?,
            Expr::Compare(n) => self.chain(n)?,
            Expr::IfExpr(n) => node!(IfExpr,
                test_expr: self.expr(&n.test_expr)?,
                true_expr: self.expr(&n.true_expr)?,
                false_expr: self.maybe(&n.false_expr)?
            ),
            Expr::Filter(n) => node!(Filter,
                name: n.name,
                expr: self.maybe(&n.expr)?,
                args: self.args(&n.args)?
            ),
            Expr::Test(n) => {
                node!(Test, name: n.name, expr: self.expr(&n.expr)?, args: self.args(&n.args)?)
            }
            Expr::GetAttr(n) => {
                let operands = [self.expr(&n.expr)?, constant(n.name, span)];
                operator(
                    ".",
                    span,
                    operands.into_iter().chain(name_of(&n.expr, span)),
                )
            }
            Expr::GetItem(n) => {
                let operands = [self.expr(&n.expr)?, self.expr(&n.subscript_expr)?];
                operator(
                    "[]",
                    span,
                    operands.into_iter().chain(name_of(&n.expr, span)),
                )
            }
            Expr::Call(n) => Expr::Call(self.call(n)?),
            Expr::List(n) => self.container("[...]", n.items.iter(), span)?,
            Expr::Tuple(n) => self.container("(...)", n.items.iter(), span)?,
            Expr::Map(n) => {
                let pairs = n.keys.iter().zip(&n.values);
                self.container("{...}", pairs.flat_map(|(key, value)| [key, value]), span)?
            }
        })
    }

    fn variable(&mut self, id: &'a str, span: Span) -> Result<Expr<'a>> {
        if self.in_macro && matches!(id, "varargs" | "kwargs") {
            return refuse(span, id);
        }
        if self.unsettled.iter().any(|name| name == id) {
            let what = format!("a default or with that refers to {id} beside it");
            return refuse(span, what);
        }
        self.mentioned.push(id);
        Ok(Expr::Var(Spanned::new(ast::Var { id }, span)))
    }

    fn slice(&mut self, n: &Spanned<ast::Slice<'a>>) -> Result<Expr<'a>> {
        let mut operands = vec![self.expr(&n.expr)?];
        for bound in [&n.start, &n.stop, &n.step] {
            let bound = self.maybe(bound)?;
            operands.push(bound.unwrap_or_else(|| constant((), n.span())));
        }
        Ok(operator("[:]", n.span(), operands.into_iter()))
    }

    fn container<'x>(
        &mut self,
        name: &'static str,
        items: impl Iterator<Item = &'x Expr<'a>>,
        span: Span,
    ) -> Result<Expr<'a>>
    where
        'a: 'x,
    {
        let mut operands = vec![constant((), span)];
        for item in items {
            operands.push(self.expr(item)?);
        }
        Ok(operator(name, span, operands.into_iter()))
    }

    fn binary(&mut self, n: &Spanned<ast::BinOp<'a>>) -> Result<Expr<'a>> {
        let name = match n.op {
            BinOpKind::Eq => "==",
            BinOpKind::Ne => "!=",
            BinOpKind::Lt => "<",
            BinOpKind::Lte => "<=",
            BinOpKind::Gt => ">",
            BinOpKind::Gte => ">=",
            BinOpKind::In => "(in)",
            BinOpKind::Mul => "*",
            BinOpKind::Add | BinOpKind::Concat => return self.sum(n),
            BinOpKind::Pow => "**",
            BinOpKind::Rem => "%",
            // Short-circuits, and arithmetic where minijinja knows numbers only, as Python does.
            op => {
                let (left, right) = (self.expr(&n.left)?, self.expr(&n.right)?);
                return Ok(Expr::BinOp(Spanned::new(
                    ast::BinOp { op, left, right },
                    n.span(),
                )));
            }
        };
        let operands = [self.expr(&n.left)?, self.expr(&n.right)?];
        Ok(operator(name, n.span(), operands.into_iter()))
    }

    /// `a + b + c` as one sum, so that a long text is copied once.
    fn sum(&mut self, n: &Spanned<ast::BinOp<'a>>) -> Result<Expr<'a>> {
        let is_sum = |op: BinOpKind| match n.op {
            BinOpKind::Add => matches!(op, BinOpKind::Add),
            _ => matches!(op, BinOpKind::Concat),
        };
        let mut operands = Vec::new();
        let mut sum = n;
        loop {
            operands.push(self.expr(&sum.right)?);
            match &sum.left {
                Expr::BinOp(left) if is_sum(left.op) => sum = left,
                left => break operands.push(self.expr(left)?),
            }
        }
        let name = if is_sum(BinOpKind::Add) { "+" } else { "~" };
        Ok(operator(name, n.span(), operands.into_iter().rev()))
    }

    /// `a not in b`, or `a < b < c`. Python stops at the first comparison that is false, here all
    /// operands are evaluated: those behind the second must do nothing that could be noticed.
    fn chain(&mut self, n: &Spanned<ast::Compare<'a>>) -> Result<Expr<'a>> {
        let name = |op: &CompareOpKind| match op {
            CompareOpKind::Eq => "==",
            CompareOpKind::Ne => "!=",
            CompareOpKind::Lt => "<",
            CompareOpKind::Lte => "<=",
            CompareOpKind::Gt => ">",
            CompareOpKind::Gte => ">=",
            CompareOpKind::In => "(in)",
            CompareOpKind::NotIn => "(not in)",
        };
        let mut operands = vec![self.expr(&n.expr)?];
        for (i, op) in n.ops.iter().enumerate() {
            if i > 0 && !does_nothing(&op.expr) {
                return refuse(
                    n.span(),
                    "a call or filter at this place of a chain of comparisons",
                );
            }
            operands.push(constant(name(&op.op), n.span()));
            operands.push(self.expr(&op.expr)?);
        }
        Ok(operator("(chain)", n.span(), operands.into_iter()))
    }
}

/// What errors call the value of an expression, if it has a name.
fn name_of<'a>(expr: &Expr, span: Span) -> Option<Expr<'a>> {
    match expr {
        Expr::Var(n) => Some(constant(n.id, span)),
        Expr::GetAttr(n) => match &n.expr {
            Expr::Var(owner) => Some(constant(format!("{}.{}", owner.id, n.name), span)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether nobody can tell that an expression was evaluated.
fn does_nothing(expr: &Expr) -> bool {
    match expr {
        Expr::Var(_) | Expr::Const(_) => true,
        Expr::GetAttr(n) => does_nothing(&n.expr),
        Expr::GetItem(n) => does_nothing(&n.expr) && does_nothing(&n.subscript_expr),
        Expr::UnaryOp(n) => does_nothing(&n.expr),
        Expr::BinOp(n) => does_nothing(&n.left) && does_nothing(&n.right),
        Expr::List(n) => n.items.iter().all(does_nothing),
        Expr::Tuple(n) => n.items.iter().all(does_nothing),
        Expr::Filter(n) => {
            let plain = matches!(n.name, "length" | "count" | "int" | "float");
            plain && n.args.is_empty() && n.expr.as_ref().is_some_and(does_nothing)
        }
        _ => false,
    }
}
