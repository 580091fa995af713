use larder::cached;

struct Pages;

#[cached]
impl Pages {
    fn page(&self, id: u64) -> u64 {
        id
    }
}

fn main() {}
