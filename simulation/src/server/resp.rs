//! The protocol: commands as they are read, values as they are written, in version 2 or 3.

/// What Redis answers, or says unasked.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A short text, as `OK`.
    Status(String),
    /// An error, with its code in front.
    Error(String),
    /// An integer.
    Int(i64),
    /// A number; a text in version 2.
    Double(f64),
    /// Bytes.
    Bulk(Vec<u8>),
    /// A longer text for people; bytes in version 2.
    Verbatim(String),
    /// A list.
    Array(Vec<Value>),
    /// A set; a list in version 2.
    Set(Vec<Value>),
    /// A map; a list in version 2.
    Map(Vec<(Value, Value)>),
    /// What was not asked for; a list in version 2.
    Push(Vec<Value>),
    /// Several answers to one command, as `SUBSCRIBE` gives them.
    Answers(Vec<Value>),
}

impl Value {
    pub(super) fn ok() -> Self {
        Self::Status("OK".to_owned())
    }

    pub(super) fn bulk(text: impl AsRef<[u8]>) -> Self {
        Self::Bulk(text.as_ref().to_vec())
    }

    /// Its bytes or text, where it has any.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bulk(bytes) => Some(bytes),
            Self::Status(text) | Self::Error(text) | Self::Verbatim(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    /// As it is sent in that version of the protocol.
    pub(super) fn write(&self, resp: u8, out: &mut Vec<u8>) {
        let three = resp > 2;
        match self {
            Self::Null => out.extend_from_slice(if three { b"_\r\n" } else { b"$-1\r\n" }),
            Self::Status(text) => line(out, b'+', text.as_bytes()),
            Self::Error(text) => line(out, b'-', text.replace(['\r', '\n'], " ").as_bytes()),
            Self::Int(number) => line(out, b':', number.to_string().as_bytes()),
            Self::Double(number) if three => line(out, b',', double(*number).as_bytes()),
            Self::Double(number) => long(out, b'$', double(*number).as_bytes()),
            Self::Bulk(bytes) => long(out, b'$', bytes),
            Self::Verbatim(text) if three => long(out, b'=', format!("txt:{text}").as_bytes()),
            Self::Verbatim(text) => long(out, b'$', text.as_bytes()),
            Self::Array(values) => list(out, b'*', values, resp),
            Self::Set(values) => list(out, if three { b'~' } else { b'*' }, values, resp),
            Self::Push(values) => list(out, if three { b'>' } else { b'*' }, values, resp),
            Self::Map(pairs) => {
                let (sign, many) = if three { (b'%', pairs.len()) } else { (b'*', 2 * pairs.len()) };
                line(out, sign, many.to_string().as_bytes());
                for (key, value) in pairs {
                    key.write(resp, out);
                    value.write(resp, out);
                }
            }
            Self::Answers(values) => values.iter().for_each(|value| value.write(resp, out)),
        }
    }
}

fn line(out: &mut Vec<u8>, sign: u8, text: &[u8]) {
    out.push(sign);
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

fn long(out: &mut Vec<u8>, sign: u8, bytes: &[u8]) {
    line(out, sign, bytes.len().to_string().as_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

fn list(out: &mut Vec<u8>, sign: u8, values: &[Value], resp: u8) {
    line(out, sign, values.len().to_string().as_bytes());
    values.iter().for_each(|value| value.write(resp, out));
}

/// A number as C's `%.17g` writes it.
pub(super) fn double(number: f64) -> String {
    const DIGITS: i32 = 17;
    if !number.is_finite() {
        return match number {
            number if number.is_nan() => "nan".to_owned(),
            number if number > 0.0 => "inf".to_owned(),
            _ => "-inf".to_owned(),
        };
    }
    let scientific = format!("{number:.*e}", DIGITS as usize - 1);
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..DIGITS).contains(&exponent) {
        return short(&format!("{number:.*}", (DIGITS - 1 - exponent) as usize)).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", short(digits), exponent.abs())
}

/// Without zeros at its end that say nothing.
fn short(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// A command, word by word.
pub(super) type Words = Vec<Vec<u8>>;

/// A command, and how many bytes it was; `None` if it is not all there yet.
///
/// # Errors
/// What is wrong with it: the client is not to be listened to any longer.
pub(super) fn read(input: &[u8]) -> Result<Option<(Words, usize)>, String> {
    let mut at = 0;
    let Some(many) = head(input, &mut at, b'*')? else { return Ok(None) };
    let mut words = Vec::new();
    for _ in 0..many {
        let Some(length) = head(input, &mut at, b'$')? else { return Ok(None) };
        let Some(word) = input.get(at..at + length + 2) else { return Ok(None) };
        words.push(word[..length].to_vec());
        at += length + 2;
    }
    Ok(Some((words, at)))
}

/// A number after its sign.
fn head(input: &[u8], at: &mut usize, sign: u8) -> Result<Option<usize>, String> {
    let Some(first) = input.get(*at) else { return Ok(None) };
    if *first != sign {
        let (sign, first) = (char::from(sign), char::from(*first));
        return Err(format!("ERR Protocol error: expected '{sign}', got '{first}'"));
    }
    let rest = &input[*at + 1..];
    let Some(end) = rest.iter().position(|byte| *byte == b'\r') else { return Ok(None) };
    if rest.len() < end + 2 {
        return Ok(None);
    }
    let number = str::from_utf8(&rest[..end]).ok().and_then(|text| text.parse::<usize>().ok());
    *at += end + 3;
    match number {
        Some(number) if number <= 512 << 20 => Ok(Some(number)),
        _ if sign == b'*' => Err("ERR Protocol error: invalid multibulk length".to_owned()),
        _ => Err("ERR Protocol error: invalid bulk length".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_as_in_c() {
        for (number, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (-2.5, "-2.5"),
            (0.1, "0.10000000000000001"),
            (1e300, "1.0000000000000001e+300"),
            (1e17, "1e+17"),
            (9007199254740993.0, "9007199254740992"),
            (12345678901234567.0, "12345678901234568"),
            (0.00001, "1.0000000000000001e-05"),
            (0.0001, "0.0001"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(double(number), text);
        }
    }

    #[test]
    fn a_command_is_read_when_it_is_all_there() {
        let bytes = b"*2\r\n$3\r\nGET\r\n$2\r\n\r\n\r\n*";
        for end in 0..bytes.len() - 1 {
            assert_eq!(read(&bytes[..end]), Ok(None));
        }
        let words = vec![b"GET".to_vec(), b"\r\n".to_vec()];
        assert_eq!(read(bytes), Ok(Some((words, bytes.len() - 1))));
        for wrong in [&b"GET\r\n"[..], b"*x\r\n", b"*1\r\n+1\r\n", b"*1\r\n$-1\r\n"] {
            read(wrong).expect_err("no command");
        }
    }
}
