//! Templates of keys and tags: `"school:{school}:user:{id}"`.

use proc_macro2::Span;
use syn::{Error, Ident, LitStr, Result};

use crate::model::Argument;

/// A checked template.
pub(crate) struct Template {
    pub(crate) pieces: Vec<Piece>,
    span: Span,
}

/// What a template is made of, in order.
pub(crate) enum Piece {
    Text(String),
    /// The value of an argument, escaped.
    Argument(Ident),
}

impl Template {
    pub(crate) fn parse(literal: &LitStr) -> Result<Self> {
        let span = literal.span();
        let fail = |message: String| Error::new(span, message);
        let text = literal.value();
        if text.is_empty() {
            return Err(fail("an empty template: name what is stored, such as `\"user:{id}\"`".into()));
        }
        if let Some(control) = text.chars().find(|c| c.is_control()) {
            return Err(fail(format!("keys and tags have no control characters: take out {control:?}")));
        }
        let template = Self { pieces: pieces(&text, span).map_err(fail)?, span };
        template.check_separation()?;
        Ok(template)
    }

    /// Ties each placeholder to the function's own argument, so that what is wrong with its type is said
    /// there.
    pub(crate) fn bind(&mut self, arguments: &[Argument]) -> Result<()> {
        for piece in &mut self.pieces {
            if let Piece::Argument(name) = piece {
                let Some(argument) = arguments.iter().find(|argument| argument.name == *name) else {
                    return Err(Error::new(self.span, unknown(name, arguments)));
                };
                *name = argument.name.clone();
            }
        }
        Ok(())
    }

    pub(crate) fn names(&self, argument: &Ident) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Argument(name) if name == argument))
    }

    /// Without a `:` between them, `("1", "23")` and `("12", "3")` could make one key.
    fn check_separation(&self) -> Result<()> {
        let (mut left, mut parted) = (None, true);
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => parted |= text.contains(':'),
                Piece::Argument(right) => {
                    if let (Some(left), false) = (left, parted) {
                        let message = format!(
                            "`{{{left}}}` and `{{{right}}}` need a `:` between them, \
                             or two different calls could share one key: write `{{{left}}}:{{{right}}}`"
                        );
                        return Err(Error::new(self.span, message));
                    }
                    (left, parted) = (Some(right), false);
                }
            }
        }
        Ok(())
    }
}

fn unknown(name: &Ident, arguments: &[Argument]) -> String {
    let listed: Vec<_> = arguments.iter().map(|argument| format!("`{}`", argument.name)).collect();
    match listed.as_slice() {
        [] => format!("`{{{name}}}` names no argument: this function has none"),
        _ => format!("`{{{name}}}` names no argument; the arguments are {}", listed.join(", ")),
    }
}

/// Cuts a template at its placeholders; `{{` and `}}` are braces.
fn pieces(template: &str, span: Span) -> std::result::Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, brace) = rest.split_at(at);
        text.push_str(before);
        if brace.starts_with("{{") || brace.starts_with("}}") {
            text.push_str(&brace[..1]);
            rest = &brace[2..];
            continue;
        }
        let Some(inside) = brace.strip_prefix('{') else {
            return Err("a `}` that closes nothing: write `}}` for a brace".into());
        };
        let Some((name, after)) = inside.split_once('}') else {
            return Err(format!("`{{{inside}` is never closed: add a `}}`, or write `{{{{` for a brace"));
        };
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(Piece::Argument(placeholder(name, span)?));
        rest = after;
    }
    text.push_str(rest);
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

fn placeholder(name: &str, span: Span) -> std::result::Result<Ident, String> {
    if name.is_empty() {
        return Err("`{}` is empty: name the argument, such as `{id}`".into());
    }
    let mut ident: Ident = syn::parse_str(name).map_err(|_| {
        format!(
            "`{{{name}}}` is no argument's name: a placeholder is one whole argument, such as `{{id}}`, \
             without fields or formats (pass a field as an argument of its own)"
        )
    })?;
    ident.set_span(span);
    Ok(ident)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> std::result::Result<String, String> {
        let template = Template::parse(&LitStr::new(text, Span::call_site())).map_err(|e| e.to_string())?;
        let show = |piece: &Piece| match piece {
            Piece::Text(text) => format!("'{text}'"),
            Piece::Argument(name) => name.to_string(),
        };
        Ok(template.pieces.iter().map(show).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn cuts_at_placeholders() {
        assert_eq!(shape("school:{school}:user:{id}").as_deref(), Ok("'school:' school ':user:' id"));
        assert_eq!(shape("{id}").as_deref(), Ok("id"));
        assert_eq!(shape("all").as_deref(), Ok("'all'"));
        assert_eq!(shape("{r#type}:x").as_deref(), Ok("r#type ':x'"));
    }

    #[test]
    fn doubled_braces_are_braces() {
        assert_eq!(shape("a{{b}}:{id}").as_deref(), Ok("'a{b}:' id"));
        assert_eq!(shape("{{{id}}}").as_deref(), Ok("'{' id '}'"));
    }

    #[test]
    fn names_what_is_wrong() {
        for (text, part) in [
            ("", "empty"),
            ("a\nb", "control"),
            ("{id", "never closed"),
            ("id}", "closes nothing"),
            ("{}", "empty"),
            ("{a.b}", "`{a.b}`"),
            ("{a:?}", "`{a:?}`"),
            ("{a}{b}", "`{a}:{b}`"),
            ("{a}-{b}", "`:` between"),
        ] {
            let message = shape(text).expect_err(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
