use larder::cached;

#[cached(key = "page:{id}", ttl = "5m", skip = [language])]
fn page(id: u64, language: &str) -> Result<String, String> {
    Ok(format!("{id} in {language}"))
}

fn calls() {
    let _ = page::key("seven");
    let _ = page::prime(7, 7);
    let _ = page::invalidate(7, "en");
}

fn main() {}
