use larder::invalidates;

use std::pin::Pin;

#[invalidates(keys = ["users"])]
fn rename() -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async {})
}

fn main() {}
