//! The library `struct` of Redis' Lua: numbers as bytes, as far as integers, doubles, texts and padding go.

use mlua::{Lua, MultiValue, Value as LuaValue};

/// One thing in a format.
#[derive(Clone, Copy, Debug)]
enum Item {
    Int {
        bytes: usize,
        signed: bool,
    },
    Float {
        bytes: usize,
    },
    /// So many bytes of a text; none for as many as it has, or as the number before says.
    Text(usize),
    /// A text with a zero behind it.
    Ended,
    Padding,
}

/// What a format says, item by item, each with whether its last byte comes first.
fn items(format: &[u8]) -> mlua::Result<Vec<(Item, bool)>> {
    let (mut items, mut little, mut at) = (Vec::new(), cfg!(target_endian = "little"), 0);
    while let Some(letter) = format.get(at) {
        at += 1;
        let digits = format[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number =
            str::from_utf8(&format[at..at + digits]).ok().and_then(|text| text.parse::<usize>().ok());
        if matches!(letter, b'i' | b'I' | b'c') {
            at += digits;
        }
        let int = |bytes, signed| match bytes {
            1..=8 => Ok(Item::Int { bytes, signed }),
            _ => Err(wrong(format!("integral size {bytes} is larger than limit of 8"))),
        };
        items.push((
            match letter {
                b'<' | b'>' | b'=' => {
                    little = if *letter == b'=' { cfg!(target_endian = "little") } else { *letter == b'<' };
                    continue;
                }
                b' ' => continue,
                b'b' | b'B' => int(1, *letter == b'b')?,
                b'h' | b'H' => int(2, *letter == b'h')?,
                b'l' | b'L' | b'T' => int(8, *letter == b'l')?,
                b'i' | b'I' => int(number.unwrap_or(4), *letter == b'i')?,
                b'f' => Item::Float { bytes: 4 },
                b'd' | b'n' => Item::Float { bytes: 8 },
                b'c' => Item::Text(number.unwrap_or(1)),
                b's' => Item::Ended,
                b'x' => Item::Padding,
                other => return Err(wrong(format!("invalid format option '{}'", char::from(*other)))),
            },
            little,
        ));
    }
    Ok(items)
}

fn wrong(text: impl Into<String>) -> mlua::Error {
    mlua::Error::runtime(text.into())
}

pub(super) fn pack(
    lua: &Lua,
    (format, values): (mlua::LuaString, MultiValue),
) -> mlua::Result<mlua::LuaString> {
    let (mut out, mut values) = (Vec::new(), values.into_iter());
    let mut next = || values.next().ok_or_else(|| wrong("bad argument to 'pack' (a value is missing)"));
    let order = |bytes: &mut [u8], little: bool| {
        if !little {
            bytes.reverse();
        }
    };
    for (item, little) in items(&format.as_bytes())? {
        match item {
            Item::Int { bytes, .. } => {
                let number = as_c_does(lua.unpack(next()?)?);
                let mut all = number.to_le_bytes();
                order(&mut all[..bytes], little);
                out.extend_from_slice(&all[..bytes]);
            }
            Item::Float { bytes } => {
                let number: f64 = lua.unpack(next()?)?;
                let mut all = if bytes == 4 {
                    (number as f32).to_le_bytes().to_vec()
                } else {
                    number.to_le_bytes().to_vec()
                };
                order(&mut all, little);
                out.append(&mut all);
            }
            Item::Text(bytes) => {
                let text: mlua::LuaString = lua.unpack(next()?)?;
                let text = text.as_bytes();
                let bytes = if bytes == 0 { text.len() } else { bytes };
                out.extend_from_slice(text.get(..bytes).ok_or_else(|| wrong("string too short"))?);
            }
            Item::Ended => {
                let text: mlua::LuaString = lua.unpack(next()?)?;
                out.extend_from_slice(&text.as_bytes());
                out.push(0);
            }
            Item::Padding => out.push(0),
        }
    }
    lua.create_string(out)
}

/// A number as the bits of an integer, signed if it is below zero.
fn as_c_does(number: f64) -> u64 {
    if number < 0.0 { number as i64 as u64 } else { number as u64 }
}

pub(super) fn unpack(
    lua: &Lua,
    (format, data, from): (mlua::LuaString, mlua::LuaString, Option<usize>),
) -> mlua::Result<MultiValue> {
    let (data, mut values) = (data.as_bytes(), Vec::<LuaValue>::new());
    let mut at = from.unwrap_or(1).checked_sub(1).ok_or_else(|| wrong("offset must be 1 or greater"))?;
    for (item, little) in items(&format.as_bytes())? {
        let ended = || data.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == 0));
        let many = match item {
            Item::Int { bytes, .. } | Item::Float { bytes } => bytes,
            Item::Text(0) => match values.pop() {
                Some(LuaValue::Number(number)) if number >= 0.0 => number as usize,
                _ => return Err(wrong("format 'c0' needs a previous size")),
            },
            Item::Text(bytes) => bytes,
            Item::Ended => ended().ok_or_else(|| wrong("unfinished string in data"))?,
            Item::Padding => 1,
        };
        let piece = at.checked_add(many).and_then(|end| data.get(at..end));
        let piece = piece.ok_or_else(|| wrong("data string too short"))?;
        at += many + usize::from(matches!(item, Item::Ended));
        match item {
            Item::Int { signed, .. } => values.push(LuaValue::Number(int(piece, little, signed))),
            Item::Float { .. } => values.push(LuaValue::Number(float(piece, little))),
            Item::Text(_) | Item::Ended => values.push(LuaValue::String(lua.create_string(piece)?)),
            Item::Padding => {}
        }
    }
    values.push(LuaValue::Number((at + 1) as f64));
    Ok(values.into())
}

/// The bytes of a number, the last one first.
fn ordered<const N: usize>(piece: &[u8], little: bool) -> [u8; N] {
    let mut all = [0; N];
    all[..piece.len()].copy_from_slice(piece);
    if !little {
        all[..piece.len()].reverse();
    }
    all
}

fn int(piece: &[u8], little: bool, signed: bool) -> f64 {
    let bits = u64::from_le_bytes(ordered(piece, little));
    if !signed {
        return bits as f64;
    }
    let above = 64 - 8 * piece.len() as u32;
    ((bits << above) as i64 >> above) as f64
}

fn float(piece: &[u8], little: bool) -> f64 {
    if piece.len() == 4 {
        f32::from_le_bytes(ordered(piece, little)).into()
    } else {
        f64::from_le_bytes(ordered(piece, little))
    }
}
