//! Two functions of one name, or two methods of one type: each of their companions would be there twice, and each of those be
//! an error. So what has been expanded is remembered by its place in the source, and only the first gets companions.

use std::{
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

/// What was expanded.
struct Expanded {
    name: String,
    file: PathBuf,
    /// Line and column, both from 1.
    place: (usize, usize),
}

static EXPANDED: Mutex<Vec<Expanded>> = Mutex::new(Vec::new());

/// Whether something of this name stands further up, in the same block. Where the source is not at hand, nothing does.
pub(crate) fn is_second(name: String) -> bool {
    if !proc_macro::is_available() {
        return false;
    }
    let here = proc_macro::Span::call_site();
    let Some(file) = here.local_file() else { return false };
    let place = (here.line(), here.column());
    let mut expanded = EXPANDED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut others = expanded.iter().filter(|other| other.name == name && other.file == file).peekable();
    let second = others.peek().is_some()
        && fs::read_to_string(&file)
            .is_ok_and(|source| others.any(|other| same_block(&source, other.place, place)));
    if !second {
        expanded.push(Expanded { name, file, place });
    }
    second
}

/// Whether the same block holds both places, the first of them further up.
fn same_block(source: &str, first: (usize, usize), second: (usize, usize)) -> bool {
    let at = |(line, column): (usize, usize)| {
        let start: usize = source.split_inclusive('\n').take(line - 1).map(str::len).sum();
        let before: usize = source[start..].chars().take(column - 1).map(char::len_utf8).sum();
        start + before
    };
    first < second && source.get(at(first)..at(second)).is_some_and(is_balanced)
}

/// Whether every brace that `code` opens it closes, and no other.
fn is_balanced(code: &str) -> bool {
    let mut depth = 0_usize;
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        let len = match c {
            '{' => {
                depth += 1;
                1
            }
            '}' if depth == 0 => return false,
            '}' => {
                depth -= 1;
                1
            }
            _ => match opaque(rest) {
                Some(len) => len,
                None => c.len_utf8(),
            },
        };
        rest = &rest[len..];
    }
    depth == 0
}

/// The length of the comment or literal at the beginning of `code`, if there is one. What never ends takes all of it.
fn opaque(code: &str) -> Option<usize> {
    let until =
        |skip: usize, end: &str| code[skip..].find(end).map_or(code.len(), |at| skip + at + end.len());
    if code.starts_with("//") {
        return Some(until(2, "\n"));
    }
    if code.starts_with("/*") {
        return Some(until(2, "*/"));
    }
    if let Some(raw) = code.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            return Some(until(hashes + 2, &format!("\"{}", "#".repeat(hashes))));
        }
    }
    let quote = code.chars().next().filter(|c| ['"', '\''].contains(c))?;
    let mut escaped = false;
    let end = code[1..].find(|c: char| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    // An apostrophe is a lifetime, unless another follows what may be one character.
    let end =
        end.filter(|at| quote == '"' || code[1..=*at].chars().count() == 1 || code[1..].starts_with('\\'));
    match (quote, end) {
        (_, Some(at)) => Some(at + 2),
        ('"', None) => Some(code.len()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_one_block_from_two() {
        for (code, one) in [
            ("#[cached]\nfn a() { b() }\n\n", true),
            ("fn a() {}\n}\nmod b {\n", false),
            ("fn a() {}\nmod b {\n", false),
            ("fn a() -> char { '{' }", true),
            ("fn a<'a>(b: &'a str) -> &'static str { \"}{\\\"{\" }", true),
            ("fn a() { r#\"\"{\"# } // {\n/* } */", true),
            ("fn a() { '\\'' } fn b() { '\\u{7d}' }", true),
        ] {
            assert_eq!(is_balanced(code), one, "{code}");
        }
    }

    #[test]
    fn counts_lines_and_columns_from_one() {
        let source =
            "mod a { #[cached] fn user() {} }\nmod b { #[cached] fn user() {} }\n#[cached] fn user() {}";
        assert!(!same_block(source, (1, 9), (2, 9)));
        assert!(!same_block(source, (1, 9), (3, 1)));
        assert!(same_block(source, (1, 1), (3, 1)) && !same_block(source, (3, 1), (1, 1)));
    }
}
