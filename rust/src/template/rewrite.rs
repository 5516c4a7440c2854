//! A parsed template with Python's operators in the place of minijinja's: `a + b` becomes the
//! filter "+" of a and b, and so on. What transformers knows and this engine does not is refused.

use super::rewrite_expr::{constant, operator};
use super::source;
use minijinja::machinery::ast::{self, BinOpKind, Expr, Spanned, Stmt};
use minijinja::machinery::Span;

/// The function that a generation block calls, by a name that no template can write.
pub const GENERATION: &str = "{% generation %}";

const ESCAPE: &str = "a break or continue out of a with or set block";

/// A line and what is wrong there.
pub type Result<T> = std::result::Result<T, (u32, String)>;

#[derive(Default)]
pub struct Rewriter<'a> {
    /// Names in the macro that is being rewritten.
    pub mentioned: Vec<&'a str>,
    /// Blocks around a statement whose text is captured.
    captures: usize,
    /// Loops around it.
    loops: usize,
    /// Scopes around it within the innermost loop.
    frames: usize,
    pub in_macro: bool,
    /// Names that Jinja2 gives values to before, or after, minijinja does.
    pub unsettled: Vec<String>,
    pub generations: usize,
}

pub fn refuse<T>(span: Span, what: impl std::fmt::Display) -> Result<T> {
    Err((span.start_line.into(), format!("{what} is not supported")))
}

/// `{% if false and [a, b] %}{% endif %}`: minijinja closes a macro only over names that are looked
/// up in it before they are assigned to, as which it counts the left of `{% set a = a + 1 %}`.
fn mention<'a>(names: &[&'a str], span: Span) -> Stmt<'a> {
    let var = |id: &&'a str| Expr::Var(Spanned::new(ast::Var { id }, span));
    let items = names.iter().map(var).collect();
    let (left, op) = (constant(false, span), BinOpKind::ScAnd);
    let right = Expr::List(Spanned::new(ast::List { items }, span));
    let expr = Expr::BinOp(Spanned::new(ast::BinOp { op, left, right }, span));
    let (true_body, false_body) = (Vec::new(), Vec::new());
    Stmt::IfCond(Spanned::new(
        ast::IfCond {
            expr,
            true_body,
            false_body,
        },
        span,
    ))
}

fn scope(body: Vec<Stmt<'_>>, span: Span) -> Stmt<'_> {
    let assignments = Vec::new();
    Stmt::WithBlock(Spanned::new(ast::WithBlock { assignments, body }, span))
}

impl<'a> Rewriter<'a> {
    pub fn stmt(&mut self, stmt: &Stmt<'a>) -> Result<Stmt<'a>> {
        macro_rules! node {
            ($kind:ident, $node:ident, $($field:ident: $value:expr),*) => {
                Stmt::$kind(Spanned::new(ast::$kind { $($field: $value),* }, $node.span()))
            };
        }
        Ok(match stmt {
            Stmt::Template(n) => node!(Template, n, children: self.body(&n.children)?),
            Stmt::EmitExpr(n) => node!(EmitExpr, n, expr: self.expr(&n.expr)?),
            // As an expression, so that there is one place that writes.
            Stmt::EmitRaw(n) => node!(EmitExpr, n, expr: constant(n.raw, n.span())),
            Stmt::ForLoop(n) => self.for_loop(n)?,
            Stmt::IfCond(n) => node!(IfCond, n,
                expr: self.expr(&n.expr)?,
                true_body: self.body(&n.true_body)?,
                false_body: self.body(&n.false_body)?
            ),
            Stmt::WithBlock(n) => self.with_block(n)?,
            Stmt::Set(n) => {
                let mut expr = self.expr(&n.expr)?;
                if let Expr::GetAttr(member) = &n.target {
                    let operands = [expr, self.expr(&member.expr)?];
                    expr = operator("(hold)", n.span(), operands.into_iter());
                }
                node!(Set, n, target: target(&n.target)?, expr: expr)
            }
            Stmt::SetBlock(n) => node!(SetBlock, n,
                target: target(&n.target)?,
                filter: self.maybe(&n.filter)?,
                body: self.captured(&n.body, n.span())?
            ),
            Stmt::FilterBlock(n) => node!(FilterBlock, n,
                filter: self.expr(&n.filter)?,
                filter_span: n.filter_span,
                body: self.captured(&n.body, n.span())?
            ),
            // It would see variables of the round before.
            Stmt::Macro(n) if self.loops + self.captures > 0 => {
                return refuse(n.span(), "a macro within a loop, macro or set block");
            }
            Stmt::Macro(n) => Stmt::Macro(self.macro_of(n)?),
            Stmt::CallBlock(n) => self.call_block(n)?,
            // minijinja would leave the loop with the frame of the scope still on its stack.
            Stmt::Continue(n) if self.frames > 0 => return refuse(n.span(), ESCAPE),
            Stmt::Break(n) if self.frames > 0 => return refuse(n.span(), ESCAPE),
            Stmt::Continue(n) => Stmt::Continue(Spanned::new(ast::Continue, n.span())),
            Stmt::Break(n) => Stmt::Break(Spanned::new(ast::Break, n.span())),
            Stmt::AutoEscape(n) => return refuse(n.span(), "{% autoescape %}"),
            Stmt::Do(n) => return refuse(n.span(), "{% do %}"),
        })
    }

    fn for_loop(&mut self, n: &Spanned<ast::ForLoop<'a>>) -> Result<Stmt<'a>> {
        let iter = operator("(for)", n.iter.span(), [self.expr(&n.iter)?].into_iter());
        self.captures += usize::from(n.recursive);
        self.loops += 1;
        let frames = std::mem::take(&mut self.frames);
        let body = self.body(&n.body)?;
        self.frames = frames;
        self.captures -= usize::from(n.recursive);
        self.loops -= 1;
        let node = ast::ForLoop {
            target: target(&n.target)?,
            iter,
            filter_expr: self.maybe(&n.filter_expr)?,
            recursive: n.recursive,
            body,
            else_body: self.body(&n.else_body)?,
        };
        Ok(Stmt::ForLoop(Spanned::new(node, n.span())))
    }

    fn with_block(&mut self, n: &Spanned<ast::WithBlock<'a>>) -> Result<Stmt<'a>> {
        let mut assignments = Vec::new();
        for (name, value) in &n.assignments {
            assignments.push((target(name)?, self.expr(value)?));
            self.unsettled.extend(names(name));
        }
        self.unsettled.clear();
        self.frames += 1;
        let body = self.body(&n.body)?;
        self.frames -= 1;
        let node = ast::WithBlock { assignments, body };
        Ok(Stmt::WithBlock(Spanned::new(node, n.span())))
    }

    fn call_block(&mut self, n: &Spanned<ast::CallBlock<'a>>) -> Result<Stmt<'a>> {
        let mut call = self.call(&n.call)?;
        if matches!(&call.expr, Expr::Var(var) if var.id == source::GENERATION) {
            self.generations += 1;
            if self.captures > 0 {
                return refuse(n.span(), "a generation block in a block that is captured");
            }
            let expr = Expr::Var(Spanned::new(ast::Var { id: GENERATION }, n.span()));
            let args = Vec::new();
            call = Spanned::new(ast::Call { expr, args }, n.span());
        }
        let node = ast::CallBlock {
            call,
            call_expr_span: n.call_expr_span,
            macro_decl: self.macro_of(&n.macro_decl)?,
        };
        let block = Stmt::CallBlock(Spanned::new(node, n.span()));
        // A frame of its own, or what it closes over would stay for the next time.
        Ok(scope(vec![block], n.span()))
    }

    fn body(&mut self, body: &[Stmt<'a>]) -> Result<Vec<Stmt<'a>>> {
        body.iter().map(|stmt| self.stmt(stmt)).collect()
    }

    /// The body of a block whose text is captured: in Jinja2, but not in minijinja, a scope.
    fn captured(&mut self, body: &[Stmt<'a>], span: Span) -> Result<Vec<Stmt<'a>>> {
        self.captures += 1;
        self.frames += 1;
        let body = self.body(body)?;
        self.frames -= 1;
        self.captures -= 1;
        Ok(vec![scope(body, span)])
    }

    fn macro_of(&mut self, n: &Spanned<ast::Macro<'a>>) -> Result<Spanned<ast::Macro<'a>>> {
        let outer = std::mem::replace(&mut self.in_macro, true);
        let mut outer_names = std::mem::take(&mut self.mentioned);
        self.unsettled.extend(n.args.iter().flat_map(names));
        let defaults = self.exprs(&n.defaults)?;
        self.unsettled.clear();
        let mut body = self.captured(&n.body, n.span())?;
        self.mentioned.sort_unstable();
        self.mentioned.dedup();
        body.insert(0, mention(&self.mentioned, n.span()));
        let node = ast::Macro {
            name: n.name,
            args: n.args.iter().map(target).collect::<Result<_>>()?,
            defaults,
            body,
        };
        outer_names.append(&mut self.mentioned);
        self.mentioned = outer_names;
        self.in_macro = outer;
        Ok(Spanned::new(node, n.span()))
    }
}

fn names(target: &Expr) -> Vec<String> {
    match target {
        Expr::Var(n) => vec![n.id.to_string()],
        Expr::List(n) => n.items.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

/// What is assigned to.
fn target<'a>(expr: &Expr<'a>) -> Result<Expr<'a>> {
    let span = expr.span();
    Ok(match expr {
        Expr::Var(n) => Expr::Var(Spanned::new(ast::Var { id: n.id }, span)),
        Expr::GetAttr(n) if n.name.starts_with('_') => {
            return refuse(span, "a member of a namespace whose name begins with _");
        }
        Expr::GetAttr(n) => {
            let (expr, name) = (target(&n.expr)?, n.name);
            Expr::GetAttr(Spanned::new(ast::GetAttr { expr, name }, span))
        }
        Expr::List(n) => {
            let items = n.items.iter().map(target).collect::<Result<_>>()?;
            Expr::List(Spanned::new(ast::List { items }, span))
        }
        other => return refuse(span, format!("an assignment to a {}", other.description())),
    })
}
