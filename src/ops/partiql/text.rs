//! What the text of a statement tells before it is sent: whether it reads or writes, its table, its placeholders. Nothing
//! is refused here: DynamoDB knows PartiQL better.

use std::sync::Arc;

use super::Kind;

pub(super) struct Reading {
    pub kind: Kind,
    pub table: Option<Arc<str>>,
    /// The `?` outside quotes and comments.
    pub placeholders: usize,
}

pub(super) fn read(text: &str) -> Reading {
    let mut kind = None;
    let mut table = None;
    let mut names_table = false;
    let mut placeholders = 0;
    for token in Tokens(text) {
        match token {
            Token::Placeholder => placeholders += 1,
            Token::Word(word) => {
                if names_table && table.is_none() {
                    table = Some(word.into());
                }
                let is_first = kind.is_none();
                let kind = *kind.get_or_insert_with(|| kind_of(word));
                let is_update = is_first && word.eq_ignore_ascii_case("UPDATE");
                // `INSERT INTO t`, `UPDATE t`, `DELETE FROM t`, `SELECT … FROM t`, `FROM t SET …`.
                names_table = is_update
                    || word.eq_ignore_ascii_case("FROM")
                    || (kind == Kind::Insert && word.eq_ignore_ascii_case("INTO"));
            }
            Token::Name(name) => {
                if names_table && table.is_none() {
                    table = Some(name.replace("\"\"", "\"").into());
                }
                names_table = false;
            }
            Token::Other => names_table = false,
        }
    }
    Reading {
        kind: kind.unwrap_or(Kind::Change),
        table,
        placeholders,
    }
}

fn kind_of(first_word: &str) -> Kind {
    if first_word.eq_ignore_ascii_case("SELECT") {
        Kind::Read
    } else if first_word.eq_ignore_ascii_case("INSERT") || first_word.eq_ignore_ascii_case("EXISTS") {
        Kind::Insert
    } else {
        Kind::Change
    }
}

enum Token<'a> {
    /// A keyword, or a name without quotes.
    Word(&'a str),
    /// A name in double quotes, without them.
    Name(&'a str),
    Placeholder,
    /// Text in single quotes, an Ion literal, a sign, a number.
    Other,
}

struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_space_and_comments();
        let text = self.0;
        let first = text.chars().next()?;
        let (length, token) = match first {
            '\'' | '"' | '`' => {
                let length = quoted(text, first);
                let inside = text.get(1..length - 1).unwrap_or_default();
                let token = if first == '"' {
                    Token::Name(inside)
                } else {
                    Token::Other
                };
                (length, token)
            }
            '?' => (1, Token::Placeholder),
            _ if first.is_alphabetic() || first == '_' => {
                // A table's name may have points and hyphens, and needs no quotes for the first.
                let is_part = |character: char| character.is_alphanumeric() || "_-".contains(character);
                let length = text.find(|character| !is_part(character)).unwrap_or(text.len());
                (length, Token::Word(&text[..length]))
            }
            _ => (first.len_utf8(), Token::Other),
        };
        self.0 = &text[length..];
        Some(token)
    }
}

impl Tokens<'_> {
    fn skip_space_and_comments(&mut self) {
        loop {
            let text = self.0.trim_start();
            let comment = if text.starts_with("--") {
                text.find('\n').unwrap_or(text.len())
            } else if text.starts_with("/*") {
                text.find("*/").map_or(text.len(), |end| end + 2)
            } else {
                self.0 = text;
                return;
            };
            self.0 = &text[comment..];
        }
    }
}

/// The bytes of what stands in quotes, with the quotes; one that is doubled inside is no end.
fn quoted(text: &str, quote: char) -> usize {
    let mut at = 1;
    while let Some(end) = text[at..].find(quote) {
        at += end + 1;
        if !text[at..].starts_with(quote) {
            return at;
        }
        at += 1;
    }
    text.len()
}
