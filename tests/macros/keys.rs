//! Keys, as the templates make them.

use larder::{KeyPart, Larder, cached, scope};

#[cached(key = "page:{folder}:{name}", ttl = "5m")]
fn page(folder: &str, name: &str) -> String {
    format!("{folder} | {name}")
}

#[test]
fn arguments_are_escaped() {
    scope(&Larder::memory(100), || {
        assert_eq!(page("a:b", "c"), "a:b | c");
        assert_eq!(page("a", "b:c"), "a | b:c");
        assert_eq!(page("*", "?"), "* | ?");
        assert_eq!(page::key("a:b", "*"), "page:a%3Ab:%2A");
    });
}

#[test]
fn a_key_agrees_with_the_key_macro() {
    assert_eq!(page::key("a:b", "c d"), larder::key!("page:{}:{}", "a:b", "c d"));
}

#[test]
fn doubled_braces_are_braces() {
    #[cached(key = "{{slot}}:{id}", ttl = "5m")]
    fn slot(id: u8) -> u8 {
        id
    }
    assert_eq!(slot::key(1), "{slot}:1");
}

#[test]
fn functions_of_one_path_have_keys_of_their_own() {
    fn outer(first: bool) -> u8 {
        if first {
            #[cached(ttl = "5m")]
            fn inner(id: u8) -> u8 {
                id
            }
            inner(1)
        } else {
            #[cached(ttl = "5m")]
            fn inner(id: u8) -> u8 {
                id + 100
            }
            inner(1)
        }
    }
    scope(&Larder::memory(100), || assert_eq!((outer(true), outer(false)), (1, 101)));
}

mod names {
    #[larder::cached(ttl = "5m")]
    pub(super) fn r#match(id: u8) -> u8 {
        id
    }
}

#[test]
fn the_path_of_a_module_is_enough() {
    assert_eq!(names::r#match::key(7), concat!(module_path!(), "::names::match:7"));
}

#[test]
fn constants_of_the_parameters_are_parts() {
    #[cached(key = "first:{N}:{text}", ttl = "5m", tags = ["first:{N}"])]
    fn first<const N: usize, T: KeyPart + AsRef<str>>(text: T) -> String {
        text.as_ref().chars().take(N).collect()
    }

    let cache = larder::Larder::memory(10);
    larder::scope(&cache, || {
        assert_eq!((first::<1, _>("abc"), first::<2, _>("abc")), ("a".to_owned(), "ab".to_owned()));
        assert_eq!(first::key::<2, _>("abc"), "first:2:abc");
        first::invalidate::<2, _>("abc").wait().unwrap();
        assert!(first::peek::<2, _>("abc").wait().unwrap().is_none());
        assert_eq!(first::peek::<1, _>("abc").wait().unwrap().as_deref(), Some("a"));
        first::prime::<2, _>("abc", "zz".to_owned()).wait().unwrap();
        assert_eq!(first::<2, _>("abc"), "zz");
    });
}
