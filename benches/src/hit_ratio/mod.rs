//! Hit ratios: a trace replayed through every cache, one access after another.

mod caches;
mod reference;
mod replay;
mod table;

pub use caches::{CACHES, Make, Replayed};
pub use reference::{Row, known};
pub use replay::{Keys, hit_ratio};
pub use table::Table;
