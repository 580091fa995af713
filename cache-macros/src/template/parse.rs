//! Cuts a template at its placeholders; `{{` and `}}` are braces.

use proc_macro2::Span;
use syn::{Error, LitStr, Result};

use super::{Piece, Place};

pub(super) fn pieces(literal: &LitStr) -> Result<Vec<Piece>> {
    let template = literal.value();
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = &*template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, brace) = rest.split_at(at);
        text.push_str(before);
        if brace.starts_with("{{") || brace.starts_with("}}") {
            text.push_str(&brace[..1]);
            rest = &brace[2..];
            continue;
        }
        let from = template.len() - brace.len();
        let Some(inside) = brace.strip_prefix('{') else {
            let message = "a `}` that closes nothing: write `}}` for a brace";
            return Err(Error::new(part(literal, from, 1), message));
        };
        let Some((name, after)) = inside.split_once('}') else {
            let message = format!("`{{{inside}` is never closed: add a `}}`, or write `{{{{` for a brace");
            return Err(Error::new(part(literal, from, brace.len()), message));
        };
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(Piece::Place(Place::parse(name, part(literal, from + 1, name.len()))?));
        rest = after;
    }
    text.push_str(rest);
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

/// The span of a part of the literal, where the compiler can tell (a nightly one, and no escapes); else of the
/// whole.
fn part(literal: &LitStr, from: usize, len: usize) -> Span {
    let token = literal.token();
    let as_written = token.to_string() == format!("\"{}\"", literal.value());
    let part = as_written.then(|| token.subspan(from + 1..from + 1 + len)).flatten();
    part.unwrap_or_else(|| literal.span())
}
