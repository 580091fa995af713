//! The parts that pages are made of: each a cached function over its own queries.
//!
//! A part shows one student, one course, one teacher, one category, or the payments; what a page says about
//! another it takes from that one's part. So a write forgets the parts of what it touched, and no more. Keys of
//! what belongs to a category begin with `category:{category}:`, so that one pattern reaches all of it.

pub mod courses;
pub mod platform;
pub mod students;
pub mod teachers;
