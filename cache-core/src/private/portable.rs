//! What is borrowed by a function that may run in the background: cloned for that.

/// A clone to take along.
pub fn cloned<T: Portable>(borrowed: &T) -> T {
    borrowed.clone()
}

/// `Clone`, with a word on why.
#[diagnostic::on_unimplemented(
    message = "the function may run in the background, after its caller is gone, and this borrowed `{Self}` cannot be cloned for that",
    label = "cannot be cloned",
    note = "take it by value, in an `Arc`, or make it `Clone`; or leave out what runs in the background: `swr`, `refresh_ahead`, `xfetch`, `soft_timeout`"
)]
pub trait Portable: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> Portable for T {}
