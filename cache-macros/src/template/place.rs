//! One placeholder: an argument, or a field of one (`page.number`, `self.tenant`), or of the result
//! (`ret.author`).

use std::fmt;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Error, Ident, Index, Member, Result};

use super::Scope;

/// See the module.
#[derive(Clone)]
pub(crate) struct Place {
    /// The argument, `self` or `ret`.
    pub(crate) root: Ident,
    pub(crate) fields: Vec<Member>,
    /// `root` is what the function returns. Known once it is bound.
    pub(crate) is_result: bool,
    /// Where it is written.
    pub(crate) span: Span,
}

impl Place {
    /// A whole argument.
    pub(crate) fn argument(name: Ident) -> Self {
        Self { span: name.span(), root: name, fields: Vec::new(), is_result: false }
    }

    /// What stands between the braces.
    pub(super) fn parse(text: &str, span: Span) -> Result<Self> {
        let fail = |message: String| Error::new(span, message);
        if text.is_empty() {
            return Err(fail("`{}` is empty: name the argument, such as `{id}`".into()));
        }
        let mut words = text.split('.');
        let root = words.next().and_then(|word| match word {
            "self" => Some(Ident::new("self", span)),
            word => name(word, span),
        });
        // Ours, though to be blamed here: else rustc would suggest to write a field in place of the literal.
        let ours = Span::call_site().located_at(span);
        let fields = words.map(|word| member(word, ours)).collect::<Option<Vec<_>>>();
        match (root, fields) {
            (Some(root), Some(fields)) => Ok(Self { root, fields, is_result: false, span }),
            _ => Err(fail(refusal(text))),
        }
    }

    pub(super) fn bind(&mut self, scope: Scope<'_>) -> Result<()> {
        if let Some(argument) = scope.names.iter().find(|name| **name == self.root) {
            self.root = argument.clone();
            return Ok(());
        }
        self.is_result = scope.result && self.root == "ret";
        if self.is_result { Ok(()) } else { Err(Error::new(self.span, self.unknown(scope))) }
    }

    /// What is wrong with a whole argument's type is said there; of a field, where it is named.
    pub(crate) fn blame(&self) -> Span {
        if self.fields.is_empty() { self.root.span() } else { self.span }
    }

    fn unknown(&self, scope: Scope<'_>) -> String {
        if self.root == "self" {
            return format!("`{{{self}}}`: this function takes no `self`");
        }
        if self.root == "ret" && !scope.result {
            return format!(
                "`{{{self}}}`: this is made before the function runs, when there is no result yet"
            );
        }
        let mut known: Vec<_> = scope.names.iter().map(|name| format!("`{name}`")).collect();
        let root = &self.root;
        match (known.is_empty(), scope.result) {
            (true, true) => {
                format!("`{{{self}}}`: this function has no arguments; what it returns is `ret`")
            }
            (true, false) => format!("`{{{self}}}` names no argument: this function has none"),
            (false, result) => {
                let ret = if result { ", and `ret` is what it returns" } else { "" };
                let last = known.pop().unwrap_or_default();
                let before = if known.is_empty() { String::new() } else { known.join(", ") + ", " };
                format!("`{{{self}}}`: `{root}` names no argument; the arguments are {before}{last}{ret}")
            }
        }
    }
}

/// The name of an argument or field, `r#` included.
fn name(word: &str, span: Span) -> Option<Ident> {
    let mut ident: Ident = syn::parse_str(word).ok()?;
    ident.set_span(span);
    Some(ident)
}

fn member(word: &str, span: Span) -> Option<Member> {
    if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Member::Unnamed(Index { index: word.parse().ok()?, span }));
    }
    name(word, span).map(Member::Named)
}

/// Why it is no placeholder.
fn refusal(text: &str) -> String {
    let rule = "a placeholder is an argument or a field of one, such as `{id}` or `{page.number}`";
    if text.contains('(') {
        format!(
            "`{{{text}}}`: a placeholder calls nothing; {rule} (pass what it returns as an argument of its own)"
        )
    } else if text.contains(':') && !text.contains("::") {
        format!("`{{{text}}}`: a placeholder has no formats; {rule}")
    } else {
        format!("`{{{text}}}` cannot be: {rule}")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.root)?;
        self.fields.iter().try_for_each(|field| match field {
            Member::Named(name) => write!(f, ".{name}"),
            Member::Unnamed(index) => write!(f, ".{}", index.index),
        })
    }
}

impl ToTokens for Place {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { root, fields, .. } = self;
        tokens.extend(quote!(#root #(.#fields)*));
    }
}
