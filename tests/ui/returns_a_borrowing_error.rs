use larder::cached;

struct NoNumber<'a>(&'a str);

#[cached(key = "number:{text}", ttl = "5m")]
fn number<'a>(text: &'a str) -> Result<u64, NoNumber<'a>> {
    text.parse().map_err(|_| NoNumber(text))
}

fn main() {}
