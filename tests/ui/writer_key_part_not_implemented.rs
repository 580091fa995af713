use larder::invalidates;

#[invalidates(keys = ["user:{id}"])]
fn rename(id: f64) -> Result<f64, String> {
    Ok(id)
}

fn main() {}
