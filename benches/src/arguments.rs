//! Command lines of `--name NUMBER`.

/// Sets `options` from the command line; where something else stands there, prints `usage` and says no.
pub fn parse(usage: &str, options: &mut [(&str, &mut usize)]) -> bool {
    let read = read(std::env::args().skip(1), options);
    if let Err(wrong) = &read {
        eprintln!("{wrong}\n\n{usage}");
    }
    read.is_ok()
}

fn read(
    mut arguments: impl Iterator<Item = String>,
    options: &mut [(&str, &mut usize)],
) -> Result<(), String> {
    while let Some(argument) = arguments.next() {
        let option = options.iter_mut().find(|(name, _)| *name == argument);
        let (name, value) = option.ok_or_else(|| format!("there is no option {argument}"))?;
        let number = arguments.next().and_then(|number| number.parse().ok()).filter(|number| *number > 0);
        **value = number.ok_or_else(|| format!("{name} wants a number above zero"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_all_else_is_refused() {
        let (mut rounds, mut minutes) = (7, 1);
        let mut parse = |line: &str| {
            let options = &mut [("--rounds", &mut rounds), ("--minutes", &mut minutes)];
            read(line.split_whitespace().map(str::to_owned), options)
        };
        assert_eq!(parse("--minutes 3"), Ok(()));
        for wrong in ["--rounds", "--rounds x", "--rounds 0", "--help", "3"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!((rounds, minutes), (7, 3));
    }
}
