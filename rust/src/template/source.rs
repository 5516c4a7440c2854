//! What is done to the source of a template before minijinja parses it.
//!
//! Line ends become "\n" as in Jinja2, `{% generation %}` becomes a call block, and what would make
//! the parser or its result recurse without bound is refused, as are escapes that minijinja reads
//! otherwise than Python.

/// What generation blocks call.
pub const GENERATION: &str = "generation";

/// Of one tag: each may nest or chain with the one before it. Published templates stay below 300.
const MAX_TOKENS: usize = 5_000;
/// Each nests in the one before it.
const MAX_ELIFS: usize = 1_000;

/// A line and what is wrong there.
type Result<T> = std::result::Result<T, (u32, String)>;

/// The source as minijinja is to parse it.
pub fn prepare(source: &str) -> Result<String> {
    let mut source = source.replace("\r\n", "\n").replace('\r', "\n");
    if source.ends_with('\n') {
        source.pop();
    }
    let mut scanner = Scanner {
        source: &source,
        at: 0,
        copied: 0,
        elifs: 0,
        out: String::with_capacity(source.len()),
    };
    scanner.run().map_err(|message| scanner.located(message))?;
    let mut out = scanner.out;
    out.push_str(&source[scanner.copied..]);
    Ok(out)
}

struct Scanner<'a> {
    source: &'a str,
    at: usize,
    /// What is in `out` already.
    copied: usize,
    elifs: usize,
    out: String,
}

impl<'a> Scanner<'a> {
    fn located(&self, message: String) -> (u32, String) {
        let line = self.source[..self.at].matches('\n').count() + 1;
        (line as u32, message)
    }

    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    fn run(&mut self) -> std::result::Result<(), String> {
        while let Some(found) = self.rest().find('{') {
            self.at += found;
            match self.rest().as_bytes().get(1) {
                Some(b'#') => match self.rest().find("#}") {
                    Some(end) => self.at += end + 2,
                    None => return Err("the comment does not end".into()),
                },
                Some(b'{') => self.tag("}}")?,
                Some(b'%') => match self.keyword(self.at + 2) {
                    Some("raw") => self.skip_raw(),
                    Some(word @ (GENERATION | "endgeneration")) => self.generation(word)?,
                    word => {
                        self.elifs += usize::from(word == Some("elif"));
                        if self.elifs > MAX_ELIFS {
                            return Err(format!("the limit of {MAX_ELIFS} elif in a template"));
                        }
                        self.tag("%}")?;
                    }
                },
                _ => self.at += 1,
            }
        }
        Ok(())
    }

    /// The first word of a tag, behind the sign for white space.
    fn keyword(&self, at: usize) -> Option<&'a str> {
        let text = self.source[at..]
            .trim_start_matches(['-', '+'])
            .trim_start();
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_')?;
        Some(&text[..end])
    }

    fn skip_raw(&mut self) {
        // minijinja drops the line end behind the tag, Jinja2 does not.
        if let Some(end) = self
            .rest()
            .find("%}")
            .filter(|end| !self.rest()[..*end].ends_with('-'))
        {
            if self.rest()[end + 2..].starts_with('\n') {
                self.out
                    .extend([&self.source[self.copied..self.at + end + 2], "\n"]);
                self.copied = self.at + end + 2;
            }
        }
        while let Some(found) = self.rest()[2..].find("{%") {
            self.at += 2 + found;
            if self.keyword(self.at + 2) == Some("endraw") {
                break;
            }
        }
        self.at += 2;
    }

    /// As the extension of transformers, a generation block is a call block: what it sets is local.
    fn generation(&mut self, word: &str) -> std::result::Result<(), String> {
        let begin = self.at;
        self.tag("%}")?;
        let tag = &self.source[begin..self.at];
        let name = tag.find(word).unwrap_or_default();
        let (before, after) = (&tag[..name], &tag[name + word.len()..]);
        if !after
            .trim_start_matches(|c: char| c.is_whitespace() || "+-".contains(c))
            .starts_with("%}")
        {
            self.at = begin;
            return Err(format!("{{% {word} %}} takes no arguments"));
        }
        self.out.push_str(&self.source[self.copied..begin]);
        let call = if word == GENERATION {
            "call generation()"
        } else {
            "endcall"
        };
        self.out.extend([before, call, after]);
        self.copied = self.at;
        Ok(())
    }

    fn tag(&mut self, end: &str) -> std::result::Result<(), String> {
        let begin = self.at;
        let (mut open, mut tokens) = (0_usize, 0);
        self.at += 2;
        while let Some(c) = self.rest().chars().next() {
            if open == 0 && self.rest().starts_with(end) {
                self.at += 2;
                return Ok(());
            }
            tokens += usize::from(!c.is_whitespace());
            if tokens > MAX_TOKENS {
                return Err(format!(
                    "the limit of {MAX_TOKENS} words and signs in a tag"
                ));
            }
            match c {
                '"' | '\'' => self.literal(c)?,
                _ if c.is_alphanumeric() || c == '_' => {
                    let end = |c: char| !c.is_alphanumeric() && c != '_';
                    let size = self.rest().find(end).unwrap_or(self.rest().len());
                    self.number(&self.rest()[..size], &self.rest()[size..])?;
                    self.at += size;
                }
                _ => {
                    match c {
                        '(' | '[' | '{' => open += 1,
                        ')' | ']' | '}' => open = open.saturating_sub(1),
                        _ => {}
                    }
                    self.at += c.len_utf8();
                }
            }
        }
        self.at = begin;
        Err("the tag does not end".into())
    }

    /// Refuses numbers that minijinja reads otherwise than Jinja2.
    fn number(&self, word: &str, behind: &str) -> std::result::Result<(), String> {
        if !word.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(());
        }
        let is_fraction = self.source[..self.at].ends_with('.');
        let octal = word.starts_with('0') && word.len() > 1 && word.parse::<f64>().is_ok();
        let fraction = behind.strip_prefix('.');
        let open = fraction.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
        match !is_fraction && (octal || open) || word.contains("__") || word.ends_with('_') {
            true => Err(format!("the number {word} in this form is not supported")),
            false => Ok(()),
        }
    }

    /// Moves behind a text in quotes.
    fn literal(&mut self, quote: char) -> std::result::Result<(), String> {
        let begin = self.at;
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((i, c)) = chars.next() {
            if c == quote {
                self.at = begin + i + 1;
                return Ok(());
            }
            if c == '\\' {
                let escaped = chars.next().map_or(' ', |(_, escaped)| escaped);
                if matches!(escaped, '/' | 'a' | 'v' | 'U' | 'N' | '\n') || !escaped.is_ascii() {
                    return Err(format!("the escape \\{escaped} is not supported"));
                }
            }
        }
        Err("the text in quotes does not end".into())
    }
}
