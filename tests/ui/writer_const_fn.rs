use larder::invalidates;

#[invalidates(keys = ["users"])]
const fn rename() {}

fn main() {}
