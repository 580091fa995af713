//! What is borrowed by a function that may run in the background: cloned for that.

/// See the module.
#[diagnostic::on_unimplemented(
    message = "the function may run in the background, after its caller is gone, and this borrowed `{Self}` cannot be cloned for that",
    label = "cannot be cloned",
    note = "take it by value, in an `Arc`, or make it `Clone`; or leave out what runs in the background: `swr`, `refresh_ahead`, `xfetch`, `soft_timeout`"
)]
pub trait Portable {
    /// What is taken along.
    type Owned;

    /// A clone.
    fn owned(&self) -> Self::Owned;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> Portable for T {
    type Owned = T;

    fn owned(&self) -> T {
        self.clone()
    }
}

#[diagnostic::do_not_recommend]
impl<T: Clone> Portable for [T] {
    type Owned = Vec<T>;

    fn owned(&self) -> Vec<T> {
        self.to_owned()
    }
}

macro_rules! to_owned {
    ($($unsized:ty)*) => {$(
        #[diagnostic::do_not_recommend]
        impl Portable for $unsized {
            type Owned = <$unsized as ToOwned>::Owned;

            fn owned(&self) -> Self::Owned {
                self.to_owned()
            }
        }
    )*};
}

to_owned! { str std::path::Path std::ffi::OsStr std::ffi::CStr }
