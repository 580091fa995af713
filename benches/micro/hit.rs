//! `hit` under criterion.

use larder_benches::race::Race;

fn main() {
    larder_benches::statistics::run(Race::Hit);
}
