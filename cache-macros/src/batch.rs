//! `#[cached(each = "user:{id}")]`: functions over a batch of elements, each of them cached under a key of its own.

mod check;
mod expand;

use syn::{Ident, ItemFn, Result, Type};

use crate::{
    argument::Argument,
    attr::Options,
    expand::Expansion,
    model::{Home, Model},
    template::Template,
};

/// A cached function over a batch.
struct Batch {
    /// As of any cached function; its key is that of one element.
    model: Model,
    /// The argument that holds the elements.
    ids: Argument,
    /// How they are passed.
    form: Form,
    /// What one of them is called in the template.
    element: Ident,
    element_type: Type,
    /// An element's own part of its key.
    name: Template,
}

/// The type of the argument that holds the elements.
enum Form {
    /// `&[I]`.
    Slice,
    /// A reference to a collection of this type.
    Borrowed(Type),
    /// A collection of this type.
    Owned(Type),
}

/// The function with what the attribute says of it.
pub(crate) fn function(options: Options, function: ItemFn, home: Home) -> Result<(Expansion, Model)> {
    let batch = check::check(options, function, home)?;
    Ok((expand::expand(&batch), batch.model))
}
