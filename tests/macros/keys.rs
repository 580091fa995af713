//! Keys, as the templates make them.

use larder::{Larder, cached, scope};

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
