//! The grammar of `#[invalidates]` and `#[updates]`.

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, Error, Expr, ItemFn, Meta, Result, spanned::Spanned};

use super::{Aim, Forgets, Rule, Update};
use crate::{
    attr::{self, Setting},
    duration::Time,
    errors::Errors,
    template::Template,
};

/// Which of the attributes it is.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Invalidates,
    Updates,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Invalidates => "invalidates",
            Self::Updates => "updates",
        }
    }

    fn known(self) -> &'static str {
        match self {
            Self::Invalidates => "`keys`, `tags`, `patterns`, `cache`, `always` and `on_error`",
            Self::Updates => "`key`, `ttl`, `swr`, `sie`, `tags`, `version`, `cache` and `on_error`",
        }
    }

    /// The kind of an attribute that somebody wrote, if it is one of ours.
    fn of(attribute: &Attribute) -> Option<Self> {
        let name = &attribute.path().segments.last()?.ident;
        [Self::Invalidates, Self::Updates].into_iter().find(|kind| name == kind.name())
    }
}

/// What all the attributes say, the first of which is in hand; the others are taken off the function.
pub(super) fn rules(first: Kind, tokens: TokenStream, function: &mut ItemFn) -> Result<Vec<Rule>> {
    let mut errors = Errors::default();
    let mut rules = Vec::from_iter(errors.take(rule(first, tokens, Span::call_site())));
    function.attrs.retain(|attribute| {
        let Some(kind) = Kind::of(attribute) else { return true };
        let tokens = match &attribute.meta {
            Meta::List(list) => list.tokens.clone(),
            _ => TokenStream::new(),
        };
        rules.extend(errors.take(rule(kind, tokens, attribute.path().span())));
        false
    });
    errors.finish()?;
    Ok(rules)
}

/// What is read so far of one attribute.
#[derive(Default)]
struct Options {
    forgets: Vec<Forgets>,
    key: Option<Template>,
    ttl: Option<Time>,
    swr: Option<Time>,
    sie: Option<Time>,
    tags: Vec<Template>,
    version: Option<Expr>,
    cache: Option<Expr>,
    always: bool,
    hands_out: Option<syn::Ident>,
}

/// One attribute, which stands at `place`.
fn rule(kind: Kind, tokens: TokenStream, place: Span) -> Result<Rule> {
    let mut options = Options::default();
    let known = format!("`{}` has the attributes {}", kind.name(), kind.known());
    attr::settings(tokens, &known, |setting| options.set(kind, setting))?;
    let Options { forgets, cache, always, hands_out, .. } = options;
    let update = match kind {
        Kind::Invalidates if forgets.is_empty() => {
            let message = "`invalidates` names nothing: add `keys = [\"user:{id}\"]`, `tags = [...]` or `patterns = [...]`";
            return Err(Error::new(place, message));
        }
        Kind::Invalidates => None,
        Kind::Updates => {
            let missing = |what| Error::new(place, what);
            let key = options.key.ok_or_else(|| {
                missing(
                    "`key` is missing: say under which key the result is stored, as in `key = \"user:{id}\"`",
                )
            })?;
            let ttl = options.ttl.ok_or_else(|| {
                missing("`ttl` is missing: say how long a value is fresh, as in `ttl = \"5m\"`")
            })?;
            let Options { swr, sie, tags, version, .. } = options;
            Some(Update { key, ttl, swr, sie, tags, version })
        }
    };
    Ok(Rule { forgets, update, cache, always, hands_out })
}

impl Options {
    fn set(&mut self, kind: Kind, setting: Setting) -> Result<()> {
        let name = setting.name.clone();
        let word = name.to_string();
        match (kind, word.as_str()) {
            (Kind::Invalidates, "always") => {
                self.always = true;
                if setting.value.is_some() {
                    return Err(Error::new(name.span(), "`always` takes no value: write `always`"));
                }
            }
            (_, "cache") => self.cache = Some(setting.given()?),
            (_, "on_error") => self.hands_out = Some(on_error(setting)?),
            (Kind::Invalidates, "keys") => self.aim_at(Aim::Key, setting)?,
            (Kind::Invalidates, "tags") => self.aim_at(Aim::Tag, setting)?,
            (Kind::Invalidates, "patterns") => self.aim_at(Aim::Pattern, setting)?,
            (Kind::Updates, "key") => {
                self.key = Some(Template::parse(&attr::literal(&name, setting.given()?)?)?);
            }
            (Kind::Updates, "ttl") => self.ttl = Some(Time::parse(&name, setting.given()?)?),
            (Kind::Updates, "swr") => self.swr = Some(Time::parse(&name, setting.given()?)?),
            (Kind::Updates, "sie") => self.sie = Some(Time::parse(&name, setting.given()?)?),
            (Kind::Updates, "tags") => self.tags = templates(setting)?,
            (Kind::Updates, "version") => self.version = Some(setting.given()?),
            (Kind::Updates, "always") => {
                let message = "`updates` stores what the function returns, so it has no `always`: \
                               remove it, or add `#[invalidates(keys = [...], always)]`";
                return Err(Error::new(name.span(), message));
            }
            (kind, other) => return Err(Error::new(name.span(), unknown(kind, other))),
        }
        Ok(())
    }

    fn aim_at(&mut self, aim: Aim, setting: Setting) -> Result<()> {
        self.forgets.extend(templates(setting)?.into_iter().map(|template| Forgets { aim, template }));
        Ok(())
    }
}

fn templates(setting: Setting) -> Result<Vec<Template>> {
    let name = setting.name.clone();
    attr::list(&name, setting.given()?, |item| Template::parse(&attr::literal(&name, item)?))
}

fn unknown(kind: Kind, other: &str) -> String {
    let plural = ["keys", "tags", "patterns"].into_iter().find(|name| name.strip_suffix('s') == Some(other));
    match (kind, plural) {
        (Kind::Invalidates, Some(plural)) => {
            format!("`invalidates` takes a list, for one as well: write `{plural} = [...]`")
        }
        _ => format!("`{}` has no attribute `{other}`; it has {}", kind.name(), kind.known()),
    }
}

/// `on_error = return`; gives the name, to be blamed for it.
fn on_error(setting: Setting) -> Result<syn::Ident> {
    let name = setting.name.clone();
    match setting.given()? {
        Expr::Return(found) if found.expr.is_none() => Ok(name),
        other => {
            let message = "`on_error` can only be `return`, which hands the cache's error to the caller; \
                           without it the error is counted and logged";
            Err(Error::new(other.span(), message))
        }
    }
}
