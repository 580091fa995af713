//! Of which form a pattern is: by what can it be looked up, and is that all it says?

use cache_core::{Pattern, Piece};

/// See the module. The first four say all that the pattern says; a glob has to be matched as well.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// `*`
    Everything,
    /// `user:7`
    Exactly(Vec<u8>),
    /// `user:*`, `*:7`, `user:*:7`
    Ends { prefix: Vec<u8>, suffix: Vec<u8> },
    /// `*:user:7:*`
    Contains(Vec<u8>),
    /// All others, with the literal text that their keys must contain.
    Glob { literals: Vec<Vec<u8>> },
}

impl Form {
    pub(super) fn of(pattern: &Pattern) -> Self {
        // The literal runs: what stands before, between and after the wildcards.
        let mut runs = vec![Vec::new()];
        let mut in_wildcards = false;
        let mut stars_only = true;
        for piece in pattern.pieces() {
            stars_only &= piece != Piece::One;
            if let Piece::Literal(byte) = piece {
                in_wildcards = false;
                runs.last_mut().into_iter().for_each(|run| run.push(byte));
            } else if !in_wildcards {
                in_wildcards = true;
                runs.push(Vec::new());
            }
        }
        if stars_only {
            match &mut runs[..] {
                [all] => return Self::Exactly(std::mem::take(all)),
                [prefix, suffix] if prefix.is_empty() && suffix.is_empty() => return Self::Everything,
                [prefix, suffix] => {
                    return Self::Ends { prefix: std::mem::take(prefix), suffix: std::mem::take(suffix) };
                }
                [before, middle, after] if before.is_empty() && after.is_empty() => {
                    return Self::Contains(std::mem::take(middle));
                }
                _ => {}
            }
        }
        Self::Glob { literals: runs }
    }

    /// The literal texts that all its keys contain.
    pub(super) fn literals(self) -> Vec<Vec<u8>> {
        let mut literals = match self {
            Self::Everything => Vec::new(),
            Self::Exactly(key) => vec![key],
            Self::Ends { prefix, suffix } => vec![prefix, suffix],
            Self::Contains(literal) => vec![literal],
            Self::Glob { literals } => literals,
        };
        literals.retain(|literal| !literal.is_empty());
        literals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_patterns() {
        let form = |text: &str| Form::of(&Pattern::new(text).expect("valid"));
        let ends = |prefix: &str, suffix: &str| Form::Ends { prefix: prefix.into(), suffix: suffix.into() };
        let literals = |text: &str| {
            let literals = form(text).literals().into_iter();
            literals.map(|literal| String::from_utf8(literal).expect("text")).collect::<Vec<_>>()
        };
        assert_eq!(form("*"), Form::Everything);
        assert_eq!(form("**"), Form::Everything);
        assert_eq!(form("user:7"), Form::Exactly("user:7".into()));
        assert_eq!(form(r"user:\*"), Form::Exactly("user:*".into()));
        assert_eq!(form("user:*"), ends("user:", ""));
        assert_eq!(form("*:7"), ends("", ":7"));
        assert_eq!(form("user:**:7"), ends("user:", ":7"));
        assert_eq!(form("*:user:*"), Form::Contains(":user:".into()));
        assert_eq!(literals("a*b*c"), ["a", "b", "c"]);
        assert_eq!(literals("*a*b"), ["a", "b"]);
        assert_eq!(literals("user:?"), ["user:"]);
        assert!(literals("*?*").is_empty());
        assert!(literals("*[ab").is_empty());
    }
}
