//! Where the expansion finds the facade, whatever its user calls it.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Ident;

/// `::larder`, or the name that Cargo.toml gives it.
pub(crate) fn facade() -> TokenStream {
    match crate_name("larder") {
        Ok(FoundCrate::Name(name)) => {
            let name = Ident::new(&name, Span::call_site());
            quote!(::#name)
        }
        // `Itself`: the tests and examples of the facade, which see it under its own name. Not found: whoever
        // re-exports the facade may still have it in scope, and otherwise the compiler says what is missing.
        Ok(FoundCrate::Itself) | Err(_) => quote!(::larder),
    }
}
