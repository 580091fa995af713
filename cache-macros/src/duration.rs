//! Spans of time as the attribute takes them: `"1h30m"`, or any expression of type `Duration`.

use std::time::Duration;

use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Error, Expr, ExprLit, Ident, Lit, Result, spanned::Spanned};

/// Milliseconds per unit, largest first, which is also the order within a text.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// The value of `ttl`, `swr` and their like.
#[derive(Clone)]
pub(crate) enum Time {
    Literal(Duration),
    Computed(Expr),
}

impl Time {
    /// The expression, if it is one.
    pub(crate) fn computed(&self) -> Option<&Expr> {
        match self {
            Self::Literal(_) => None,
            Self::Computed(expression) => Some(expression),
        }
    }

    /// Reads the value given to the setting `name`.
    pub(crate) fn parse(name: &Ident, value: Expr) -> Result<Self> {
        match &value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => parse_text(name, &text.value(), text.span()),
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => Err(Error::new_spanned(
                number,
                format!("`{name} = {number}` has no unit: write `{name} = \"{number}s\"` for seconds"),
            )),
            Expr::Lit(_) => Err(Error::new(value.span(), not_a_duration(name))),
            Expr::Closure(_) => {
                let rule = if name == "ttl" { "this `ttl` cannot" } else { "only `ttl` can" };
                let message = format!(
                    "{rule} be computed from the result: give `{name}` a string such as `\"5m\"`, or a `Duration`"
                );
                Err(Error::new(value.span(), message))
            }
            _ => Ok(Self::Computed(value)),
        }
    }
}

impl ToTokens for Time {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Computed(expression) => expression.to_tokens(tokens),
            Self::Literal(duration) if duration.subsec_nanos() == 0 => {
                let seconds = Literal::u64_unsuffixed(duration.as_secs());
                tokens.extend(quote!(::core::time::Duration::from_secs(#seconds)));
            }
            Self::Literal(duration) => {
                let seconds = Literal::u64_unsuffixed(duration.as_secs());
                let nanos = Literal::u32_unsuffixed(duration.subsec_nanos());
                tokens.extend(quote!(::core::time::Duration::new(#seconds, #nanos)));
            }
        }
    }
}

fn parse_text(name: &Ident, text: &str, span: Span) -> Result<Time> {
    match milliseconds(text) {
        Some(0) => {
            let way_out = match &*name.to_string() {
                "max_age" => ": to take nothing that is stored, write `refresh = true`",
                "ttl" => ": to store nothing, write `bypass = true`, or remove the attribute",
                _ => ": to have none, remove it",
            };
            Err(Error::new(span, format!("`{name}` must be longer than zero{way_out}")))
        }
        Some(millis) => Ok(Time::Literal(Duration::from_millis(millis))),
        None => Err(Error::new(span, format!("{text:?} is not a span of time; {}", not_a_duration(name)))),
    }
}

fn not_a_duration(name: &Ident) -> String {
    format!(
        "`{name}` takes a string of whole numbers and the units d, h, m, s, ms, largest first, \
         such as `\"250ms\"`, `\"5m\"` or `\"1h30m\"`, or an expression of type `Duration`"
    )
}

/// `None` if the text is no span of time, or one too long to count.
fn milliseconds(text: &str) -> Option<u64> {
    // A unit found uses up those before it: so each stands once, and the larger one first.
    let mut units = UNITS.iter();
    let (mut rest, mut total) = (text, 0_u64);
    loop {
        let (number, tail) = split_where(rest, |c| !c.is_ascii_digit());
        let (unit, tail) = split_where(tail, |c| c.is_ascii_digit());
        let (_, scale) = units.find(|(name, _)| *name == unit)?;
        total = number.parse::<u64>().ok()?.checked_mul(*scale)?.checked_add(total)?;
        rest = tail;
        if rest.is_empty() {
            return Some(total);
        }
    }
}

fn split_where(text: &str, end: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(end).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn reads_single_units_and_combinations() {
        for (text, millis) in [
            ("250ms", 250),
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            ("1d2h3m4s5ms", 93_784_005),
            ("0s", 0),
        ] {
            assert_eq!(milliseconds(text), Some(millis), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "5",
            "m",
            "5 m",
            "5min",
            "-5m",
            "1.5h",
            "30m1h",
            "1h1h",
            "5m ",
            "5µs",
            "99999999999999999999s",
            "300000000000d",
        ] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
    }
}
