//! The settings that say how a value is kept: they become a `larder::Policy`, and a word on each value.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Error, Expr, ExprClosure, ExprLit, Ident, Lit, Result, spanned::Spanned};

use crate::{duration::Time, mentions};

/// See the module. Each setting bears the name of the method of `larder::Policy` that it becomes.
#[derive(Clone, Default)]
pub(crate) struct Policy {
    /// How long a value is fresh.
    pub(crate) ttl: Option<Ttl>,
    /// The other spans of time, by name.
    times: Vec<(Ident, Time)>,
    /// The shares and factors, by name; and the version.
    numbers: Vec<(Ident, Expr)>,
    /// Whether to keep a value: a closure, or the name of a function.
    pub(crate) when: Option<Expr>,
}

/// How long a value is fresh.
#[derive(Clone)]
pub(crate) enum Ttl {
    Fixed(Time),
    /// As the value says.
    Of(ExprClosure),
}

const TIMES: [&str; 6] = ["swr", "sie", "soft_timeout", "hard_timeout", "negative_ttl", "max_age"];
const NUMBERS: [&str; 4] = ["jitter", "refresh_ahead", "xfetch", "version"];
/// What may run the function in the background.
const BACKGROUND: [&str; 4] = ["swr", "refresh_ahead", "xfetch", "soft_timeout"];

impl Policy {
    pub(crate) fn knows(&self, word: &str) -> bool {
        word == "ttl" || word == "when" || TIMES.contains(&word) || NUMBERS.contains(&word)
    }

    pub(crate) fn set(&mut self, name: Ident, value: Expr) -> Result<()> {
        let word = name.to_string();
        match (&*word, value) {
            ("ttl", Expr::Closure(closure)) => self.ttl = Some(Ttl::Of(one_argument(&name, closure)?)),
            ("ttl", value) => self.ttl = Some(Ttl::Fixed(Time::parse(&name, value)?)),
            ("when", Expr::Closure(closure)) => {
                self.when = Some(Expr::Closure(one_argument(&name, closure)?));
            }
            ("when", value) => match value {
                Expr::Path(_) => self.when = Some(value),
                value => {
                    let message = "`when` asks each value whether to keep it: write `when = |value| ...`";
                    return Err(Error::new(value.span(), message));
                }
            },
            (word, value) if NUMBERS.contains(&word) => {
                let value = number(&name, value)?;
                self.numbers.push((name, value));
            }
            (_, value) => {
                let time = Time::parse(&name, value)?;
                self.times.push((name, time));
            }
        }
        Ok(())
    }

    /// Where the setting `word` stands, if it is given.
    pub(crate) fn given(&self, word: &str) -> Option<&Ident> {
        let times = self.times.iter().map(|(name, _)| name);
        times.chain(self.numbers.iter().map(|(name, _)| name)).find(|name| *name == word)
    }

    /// The setting that may run the function in the background, if there is one.
    pub(crate) fn background(&self) -> Option<&Ident> {
        BACKGROUND.iter().find_map(|word| self.given(word))
    }

    /// Whether a fresh value has to be held against the policy before it is taken.
    pub(crate) fn is_choosy(&self) -> bool {
        self.given("version").is_some() || self.given("max_age").is_some()
    }

    pub(crate) fn version(&self) -> TokenStream {
        let version = self.numbers.iter().find(|(name, _)| name == "version").map(|(_, value)| value);
        version.map_or_else(|| quote!(0), ToTokens::to_token_stream)
    }

    /// Whether something is asked of each value.
    pub(crate) fn judges(&self) -> bool {
        self.when.is_some() || matches!(self.ttl, Some(Ttl::Of(_)))
    }

    /// Whether a setting speaks of this argument; closures count by what they take in.
    pub(crate) fn uses(&self, argument: &Ident) -> bool {
        let times = self.times.iter().filter_map(|(_, time)| time.computed());
        let ttl = match &self.ttl {
            Some(Ttl::Fixed(time)) => time.computed(),
            _ => None,
        };
        let mut plain = times.chain(ttl).chain(self.numbers.iter().map(|(_, value)| value));
        plain.any(|value| mentions::uses(value.to_token_stream(), argument)) || self.closures_use(argument)
    }

    /// Whether a closure over the value takes this argument in.
    pub(crate) fn closures_use(&self, argument: &Ident) -> bool {
        let ttl = match &self.ttl {
            Some(Ttl::Of(closure)) => Some(closure),
            _ => None,
        };
        let when = match &self.when {
            Some(Expr::Closure(closure)) => Some(closure),
            _ => None,
        };
        ttl.into_iter().chain(when).any(|closure| {
            let hidden = closure.inputs.iter().any(|input| mentions::binds(input, argument));
            !hidden && mentions::uses(closure.body.to_token_stream(), argument)
        })
    }

    /// The policy itself, but for its tags.
    pub(crate) fn tokens(&self, facade: &TokenStream) -> TokenStream {
        let start = match &self.ttl {
            Some(Ttl::Fixed(ttl)) => quote!(ttl(#ttl)),
            _ => quote!(default()),
        };
        let times = self.times.iter().map(|(name, time)| quote!(.#name(#time)));
        let numbers = self.numbers.iter().map(|(name, value)| quote!(.#name(#value)));
        quote!(#facade::Policy::#start #(#times)* #(#numbers)*)
    }
}

fn one_argument(name: &Ident, closure: ExprClosure) -> Result<ExprClosure> {
    if closure.inputs.len() == 1 {
        return Ok(closure);
    }
    let message =
        format!("this closure takes one argument, the value by reference: write `{name} = |value| ...`");
    Err(Error::new(closure.or1_token.span(), message))
}

/// A number, whose literal is held against what it means; a whole one will do for a fraction.
fn number(name: &Ident, value: Expr) -> Result<Expr> {
    let Expr::Lit(ExprLit { lit, .. }) = &value else { return Ok(value) };
    if name == "version" {
        return match lit {
            Lit::Int(_) => Ok(value),
            other => Err(wrong(name, other.span(), "is a whole number, such as `version = 3`")),
        };
    }
    let given = match lit {
        Lit::Float(number) => number.base10_parse::<f64>()?,
        Lit::Int(number) => number.base10_parse::<f64>()?,
        other => return Err(wrong(name, other.span(), rule(name))),
    };
    let fits = match &*name.to_string() {
        "jitter" => (0.0..1.0).contains(&given),
        "refresh_ahead" => given > 0.0 && given < 1.0,
        _ => given >= 0.0,
    };
    if !fits {
        return Err(wrong(name, lit.span(), rule(name)));
    }
    let literal = syn::LitFloat::new(&format!("{given:?}_f64"), lit.span());
    Ok(Expr::Lit(ExprLit { attrs: Vec::new(), lit: Lit::Float(literal) }))
}

fn rule(name: &Ident) -> &'static str {
    match &*name.to_string() {
        "jitter" => "is a share of the TTL, from 0 to less than 1, such as `jitter = 0.1`",
        "refresh_ahead" => "is a share of the TTL, between 0 and 1, such as `refresh_ahead = 0.8`",
        _ => "is 1 as a rule, more to refresh earlier, and never negative",
    }
}

fn wrong(name: &Ident, at: Span, rule: &str) -> Error {
    Error::new(at, format!("`{name}` {rule}"))
}
