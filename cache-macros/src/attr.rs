//! The grammar of the attribute: `name = value, …` into [`Options`]. It knows forms, not meanings: whether a
//! placeholder names an argument is for [`crate::check`] to say.

use proc_macro2::TokenStream;
use syn::{
    Error, Expr, ExprArray, ExprLit, ExprPath, Ident, Lit, LitStr, Result, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
    spanned::Spanned,
};

use crate::{errors::Errors, policy::Policy, template::Template};

const KNOWN: &str = "`key`, `each`, `ttl`, `swr`, `sie`, `jitter`, `refresh_ahead`, `xfetch`, `soft_timeout`, \
                     `hard_timeout`, `negative_ttl`, `max_age`, `version`, `tags`, `when`, `bypass`, `refresh`, \
                     `cache`, `skip`, `local` and `shared`";

/// What the attribute says, each value in its form, nothing yet compared with the function.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) key: Option<Template>,
    /// In place of a key: that of each element of a batch.
    pub(crate) each: Option<Template>,
    pub(crate) tags: Vec<Template>,
    pub(crate) cache: Option<Expr>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) bypass: Option<Expr>,
    pub(crate) refresh: Option<Expr>,
    /// The flag `local`.
    pub(crate) local: Option<Ident>,
    /// The flag `shared`.
    pub(crate) shared: Option<Ident>,
    pub(crate) policy: Policy,
}

impl Options {
    pub(crate) fn parse(tokens: TokenStream) -> Result<Self> {
        let mut options = Self::default();
        settings(tokens, &format!("`cached` has the attributes {KNOWN}"), |setting| options.set(setting))?;
        Ok(options)
    }

    fn set(&mut self, setting: Setting) -> Result<()> {
        let name = setting.name.clone();
        match &*name.to_string() {
            "key" => self.key = Some(Template::parse(&literal(&name, setting.given()?)?)?),
            "each" => self.each = Some(Template::parse(&literal(&name, setting.given()?)?)?),
            "tags" => {
                self.tags = list(&name, setting.given()?, |item| Template::parse(&literal(&name, item)?))?
            }
            "cache" => self.cache = Some(setting.given()?),
            "skip" => self.skip = list(&name, setting.given()?, argument_name)?,
            "bypass" => self.bypass = Some(setting.given()?),
            "refresh" => self.refresh = Some(setting.given()?),
            "local" => self.local = Some(setting.flag()?),
            "shared" => self.shared = Some(setting.flag()?),
            word if self.policy.knows(word) => self.policy.set(name, setting.given()?)?,
            _ => {
                let message = format!("`cached` has no attribute `{name}`; it has {KNOWN}");
                return Err(Error::new(name.span(), message));
            }
        }
        Ok(())
    }
}

/// Hands each setting to `set`, and each of them once. `known` says which there are.
pub(crate) fn settings(
    tokens: TokenStream,
    known: &str,
    mut set: impl FnMut(Setting) -> Result<()>,
) -> Result<()> {
    let mut errors = Errors::default();
    let mut seen = Vec::new();
    let parse = |input: ParseStream<'_>| {
        let mut settings = Vec::new();
        while !input.is_empty() {
            settings.push(Setting::parse(input, known)?);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(settings)
    };
    for setting in parse.parse2(tokens)? {
        if seen.contains(&setting.name) {
            let message = format!("`{}` is given twice: keep one of them", setting.name);
            errors.push(Error::new(setting.name.span(), message));
            continue;
        }
        seen.push(setting.name.clone());
        errors.take(set(setting));
    }
    errors.finish()
}

/// One `name = value`; the value is missing in `#[cached(name)]`.
pub(crate) struct Setting {
    pub(crate) name: Ident,
    pub(crate) value: Option<Expr>,
}

impl Setting {
    /// What is given to it.
    pub(crate) fn given(self) -> Result<Expr> {
        let Self { name, value } = self;
        value.ok_or_else(|| Error::new(name.span(), format!("`{name}` needs a value: write `{name} = ...`")))
    }

    /// Its name, which says it all.
    pub(crate) fn flag(self) -> Result<Ident> {
        let Self { name, value } = self;
        let message = format!("`{name}` takes no value: write `{name}`, or leave it out");
        value.map_or(Ok(name), |value| Err(Error::new(value.span(), message)))
    }

    fn parse(input: ParseStream<'_>, known: &str) -> Result<Self> {
        if !input.peek(Ident::peek_any) {
            return Err(input.error(format!("expected `name = value`; {known}")));
        }
        let name = input.call(Ident::parse_any)?;
        if input.is_empty() || input.peek(Token![,]) {
            return Ok(Self { name, value: None });
        }
        if !input.peek(Token![=]) {
            return Err(input.error(format!("expected `=`: write `{name} = ...`")));
        }
        input.parse::<Token![=]>()?;
        Ok(Self { name, value: Some(input.parse()?) })
    }
}

pub(crate) fn literal(name: &Ident, value: Expr) -> Result<LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text),
        other => {
            let message = format!(
                "`{name}` is checked at compile time, so it takes a string literal such as `\"user:{{id}}\"`"
            );
            Err(Error::new(other.span(), message))
        }
    }
}

pub(crate) fn list<T>(name: &Ident, value: Expr, item: impl Fn(Expr) -> Result<T>) -> Result<Vec<T>> {
    let Expr::Array(ExprArray { elems, .. }) = value else {
        return Err(Error::new(value.span(), format!("`{name}` takes a list: write `{name} = [...]`")));
    };
    let mut errors = Errors::default();
    let items = elems.into_iter().filter_map(|element| errors.take(item(element))).collect();
    errors.finish()?;
    Ok(items)
}

fn argument_name(value: Expr) -> Result<Ident> {
    let refusal = Error::new(value.span(), "`skip` lists arguments by name, such as `skip = [db]`");
    match value {
        Expr::Path(ExprPath { path, .. }) if path.is_ident("self") => {
            Err(Error::new(path.span(), "write `shared` to say that all instances share the values"))
        }
        Expr::Path(ExprPath { path, .. }) => path.require_ident().cloned().map_err(|_| refusal),
        _ => Err(refusal),
    }
}
