//! [`key!`](crate::key!): templates, checked when the program is compiled.

/// Makes a [`Key`](crate::Key) from a template and its arguments, each escaped.
///
/// Each `{}` takes one argument, any [`KeyPart`](crate::KeyPart). Two of them must have a `:` between them. What is
/// wrong with a template is a compile error.
///
/// ```
/// use larder::key;
/// assert_eq!(key!("user:{}:page:{}", "a:b", 3), "user:a%3Ab:page:3");
/// ```
///
/// ```compile_fail
/// # use larder::key;
/// key!("user:{}{}", 1, 2); // could be user 12 and nothing, or user 1 and 2
/// ```
///
/// ```compile_fail
/// # use larder::key;
/// key!("user:{}", 1, 2); // an argument too many
/// ```
#[macro_export]
macro_rules! key {
    ($template:literal $(, $part:expr)* $(,)?) => {{
        const TEMPLATE: &str = $template;
        const { $crate::private::check_template(TEMPLATE, <[&str]>::len(&[$(stringify!($part)),*])) };
        let mut literals = TEMPLATE.split("{}");
        let mut key = $crate::KeyBuilder::new();
        key.text(literals.next().unwrap_or_default());
        $(
            key.part(&$part);
            key.text(literals.next().unwrap_or_default());
        )*
        key.finish()
    }};
}

/// Panics, at compile time, where the template is wrong.
pub const fn check_template(template: &str, parts: usize) {
    let bytes = template.as_bytes();
    assert!(!bytes.is_empty(), "a key cannot be empty");
    let (mut at, mut placeholders, mut parted) = (0, 0, true);
    while at < bytes.len() {
        match bytes[at] {
            b'{' => {
                let closed = at + 1 < bytes.len() && bytes[at + 1] == b'}';
                assert!(closed, "`{{` must be followed by `}}`: arguments go by position");
                assert!(
                    parted,
                    "two placeholders need a literal `:` between them: 1, 23 and 12, 3 would be one key"
                );
                placeholders += 1;
                parted = false;
                at += 1;
            }
            b'}' => panic!("`}}` without `{{`"),
            b':' => parted = true,
            byte => assert!(byte >= b' ' && byte != 0x7F, "a key holds no control characters"),
        }
        at += 1;
    }
    assert!(placeholders == parts, "there must be one argument for each `{{}}`");
}
