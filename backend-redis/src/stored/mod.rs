//! What stands in Redis: names, the order, slots and their headers, marks of tags, and the scripts over them.

pub(crate) mod names;
pub(crate) mod order;
pub(crate) mod refused;
pub(crate) mod script;
pub(crate) mod slot;
pub(crate) mod tags;
