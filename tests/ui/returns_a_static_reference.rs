use larder::cached;

#[cached(key = "hello:{lang}", ttl = "5m")]
fn hello(lang: &str) -> &'static str {
    if lang == "de" { "Hallo" } else { "Hello" }
}

#[cached(key = "words:{lang}", ttl = "5m")]
fn words(lang: &str) -> Result<Vec<&'static str>, &'static str> {
    if lang == "de" { Ok(vec!["Hallo"]) } else { Err("no such language") }
}

fn main() {}
