use larder::Larder;

fn main() {
    let cache = Larder::memory(10);
    let _ = cache.invalidate(7_u32);
}
