use larder::invalidates;

#[invalidates(keys = ["users"])]
fn rename() -> impl std::fmt::Display {
    "done"
}

fn main() {}
