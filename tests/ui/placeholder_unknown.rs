use larder::cached;

#[cached(key = "page:{identity}", ttl = "5m")]
fn page(id: u64, language: &str) -> String {
    format!("{id} in {language}")
}

fn main() {}
