use larder::invalidates;

#[invalidates(keys = ["users"])]
struct Users;

fn main() {}
