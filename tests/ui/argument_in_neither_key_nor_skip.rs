use larder::cached;

#[cached(key = "page:{id}", ttl = "5m")]
fn page(id: u64, language: &str) -> String {
    format!("{id} in {language}")
}

fn main() {}
