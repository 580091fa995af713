//! The grammar of the attribute: `name = value, …` into [`Options`]. It knows forms, not meanings: whether a
//! placeholder names an argument is for [`crate::check`] to say.

use proc_macro2::TokenStream;
use syn::{
    Error, Expr, ExprArray, ExprLit, ExprPath, Ident, Lit, LitStr, Result, Token,
    ext::IdentExt,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
    spanned::Spanned,
};

use crate::{errors::Errors, policy::Policy, template::Template};

const KNOWN: &str = "`key`, `ttl`, `swr`, `sie`, `jitter`, `refresh_ahead`, `xfetch`, `soft_timeout`, \
                     `hard_timeout`, `negative_ttl`, `max_age`, `version`, `tags`, `when`, `bypass`, `refresh`, \
                     `cache`, `skip`, `local` and `shared`";

/// What the attribute says, each value in its form, nothing yet compared with the function.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) key: Option<Template>,
    pub(crate) tags: Vec<Template>,
    pub(crate) cache: Option<Expr>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) bypass: Option<Expr>,
    pub(crate) refresh: Option<Expr>,
    /// The flag `local`.
    pub(crate) local: bool,
    /// The flag `shared`.
    pub(crate) shared: Option<Ident>,
    pub(crate) policy: Policy,
}

impl Options {
    pub(crate) fn parse(tokens: TokenStream) -> Result<Self> {
        let settings = Punctuated::<Setting, Token![,]>::parse_terminated.parse2(tokens)?;
        let mut errors = Errors::default();
        let mut options = Self::default();
        let mut seen = Vec::new();
        for setting in settings {
            if seen.contains(&setting.name) {
                let message = format!("`{}` is given twice: keep one of them", setting.name);
                errors.push(Error::new(setting.name.span(), message));
                continue;
            }
            seen.push(setting.name.clone());
            errors.take(options.set(setting));
        }
        errors.finish()?;
        Ok(options)
    }

    fn set(&mut self, Setting { name, value }: Setting) -> Result<()> {
        let word = name.to_string();
        if let "local" | "shared" = &*word {
            if let Some(value) = value {
                let message = format!("`{name}` takes no value: write `{name}`, or leave it out");
                return Err(Error::new(value.span(), message));
            }
            self.local |= word == "local";
            self.shared = self.shared.take().or((word == "shared").then_some(name));
            return Ok(());
        }
        let missing = || Error::new(name.span(), format!("`{name}` needs a value: write `{name} = ...`"));
        let value = value.ok_or_else(missing);
        match &*word {
            "key" => self.key = Some(Template::parse(&literal(&name, value?)?)?),
            "tags" => self.tags = list(&name, value?, |item| Template::parse(&literal(&name, item)?))?,
            "cache" => self.cache = Some(value?),
            "skip" => self.skip = list(&name, value?, argument_name)?,
            "bypass" => self.bypass = Some(value?),
            "refresh" => self.refresh = Some(value?),
            _ if self.policy.knows(&word) => self.policy.set(name, value?)?,
            _ => {
                let message = format!("`cached` has no attribute `{name}`; it has {KNOWN}");
                return Err(Error::new(name.span(), message));
            }
        }
        Ok(())
    }
}

/// One `name = value`; the value is missing in `#[cached(name)]`.
struct Setting {
    name: Ident,
    value: Option<Expr>,
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if !input.peek(Ident::peek_any) {
            return Err(input.error(format!("expected `name = value`; `cached` has the attributes {KNOWN}")));
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

fn literal(name: &Ident, value: Expr) -> Result<LitStr> {
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

fn list<T>(name: &Ident, value: Expr, item: impl Fn(Expr) -> Result<T>) -> Result<Vec<T>> {
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
