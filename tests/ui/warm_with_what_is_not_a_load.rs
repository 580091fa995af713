use larder::Larder;

fn main() {
    let cache = Larder::memory(10);
    let _ = cache.warm((0..3_u32).map(|n| async move { n }), 2);
}
