//! The parts that pages are made of: each a cached function over its own queries.
//!
//! A part shows the rows of one student, one course, one teacher, one category, or the payments; what a page
//! says about another it takes from that one's part. So a write needs to forget only the parts of what it
//! touched, and none that embeds them. Keys of what a category holds begin with `category:{category}:`, so
//! that one pattern reaches all of it.

pub mod courses;
pub mod platform;
pub mod students;
pub mod teachers;
