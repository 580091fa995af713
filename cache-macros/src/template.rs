//! Templates of keys and tags: `"school:{school}:page:{page.number}"`.

mod parse;
mod place;

use proc_macro2::Span;
use syn::{Error, Ident, LitStr, Result};

pub(crate) use place::Place;

/// A checked template.
#[derive(Clone)]
pub(crate) struct Template {
    pub(crate) pieces: Vec<Piece>,
    span: Span,
}

/// What a template is made of, in order.
#[derive(Clone)]
pub(crate) enum Piece {
    Text(String),
    /// The value of an argument, of a field, or of the result, escaped.
    Place(Place),
}

/// What a template may speak of.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'s> {
    /// The arguments, `self` among them.
    pub(crate) names: &'s [Ident],
    /// Whether there is a result yet, which is `ret` (where no argument is called so).
    pub(crate) result: bool,
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
        let template = Self { pieces: parse::pieces(literal)?, span };
        template.check_separation()?;
        Ok(template)
    }

    /// One that is made of pieces, in place of a literal.
    pub(crate) fn of(pieces: Vec<Piece>, span: Span) -> Self {
        Self { pieces, span }
    }

    /// Ties each placeholder to the function's own argument, so that what is wrong with its type is said
    /// there.
    pub(crate) fn bind(&mut self, scope: Scope<'_>) -> Result<()> {
        for piece in &mut self.pieces {
            if let Piece::Place(place) = piece {
                place.bind(scope)?;
            }
        }
        Ok(())
    }

    /// Whether it speaks of this argument.
    pub(crate) fn names(&self, argument: &Ident) -> bool {
        self.places().any(|place| place.root == *argument)
    }

    /// Whether it speaks of what the function returns.
    pub(crate) fn uses_result(&self) -> bool {
        self.places().any(|place| place.is_result)
    }

    /// Whether its own text holds `part`.
    pub(crate) fn has_text(&self, part: &str) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains(part)))
    }

    /// Where it is written.
    pub(crate) fn span(&self) -> Span {
        self.span
    }

    pub(crate) fn places(&self) -> impl Iterator<Item = &Place> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Place(place) => Some(place),
            Piece::Text(_) => None,
        })
    }

    /// Without a `:` between them, `("1", "23")` and `("12", "3")` could make one key.
    fn check_separation(&self) -> Result<()> {
        let (mut left, mut parted) = (None, true);
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => parted |= text.contains(':'),
                Piece::Place(right) => {
                    if let (Some(left), false) = (left, parted) {
                        let message = format!(
                            "`{{{left}}}` and `{{{right}}}` need a `:` between them, \
                             or two different calls could share one key: write `{{{left}}}:{{{right}}}`"
                        );
                        return Err(Error::new(right.span, message));
                    }
                    (left, parted) = (Some(right), false);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> std::result::Result<String, String> {
        let template = Template::parse(&LitStr::new(text, Span::call_site())).map_err(|e| e.to_string())?;
        let show = |piece: &Piece| match piece {
            Piece::Text(text) => format!("'{text}'"),
            Piece::Place(place) => place.to_string(),
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
    fn follows_fields() {
        assert_eq!(shape("{self.tenant}:{page.number}").as_deref(), Ok("self.tenant ':' page.number"));
        assert_eq!(shape("{ret.author.0.id}").as_deref(), Ok("ret.author.0.id"));
        assert_eq!(shape("{self}").as_deref(), Ok("self"));
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
            ("{a.}", "`{a.}`"),
            ("{.a}", "`{.a}`"),
            ("{0}", "`{0}`"),
            ("{a.self}", "`{a.self}`"),
            ("{a::b}", "`{a::b}`"),
            ("{a.b()}", "calls nothing"),
            ("{a:?}", "no formats"),
            ("{a}{b}", "`{a}:{b}`"),
            ("{a.b}-{c}", "`:` between"),
        ] {
            let message = shape(text).expect_err(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn knows_arguments_and_where_there_is_a_result() {
        let names = [Ident::new("id", Span::call_site())];
        let bound = |text: &str, result| {
            let mut template = Template::parse(&LitStr::new(text, Span::call_site())).expect("a template");
            template.bind(Scope { names: &names, result }).map_err(|e| e.to_string())?;
            Ok::<_, String>(template.uses_result())
        };
        assert_eq!(bound("{id}", true), Ok(false));
        assert_eq!(bound("{ret.id}", true), Ok(true));
        for (text, result, part) in [
            ("{ret.id}", false, "before the function runs"),
            ("{ide}", true, "`id`, and `ret` is"),
            ("{self.id}", false, "takes no `self`"),
        ] {
            let message = bound(text, result).expect_err(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
