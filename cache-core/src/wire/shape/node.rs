//! What is known of a type: a tree of what it asks for, with references to what was met before.

/// Where a node is among the nodes of a trace.
pub(super) type Id = usize;

/// What was asked for at one place.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(super) enum Token {
    /// Nothing yet.
    #[default]
    Unseen,
    Leaf(Leaf),
    /// "What is there?"
    Any,
    Unit,
    UnitStruct(&'static str),
    Option,
    Seq,
    Map,
    Tuple(usize),
    Newtype(&'static str),
    TupleStruct(&'static str, usize),
    Struct(&'static str, &'static [&'static str]),
    Enum(&'static str, &'static [&'static str]),
    UnitVariant,
    NewtypeVariant,
    TupleVariant(usize),
    StructVariant(&'static [&'static str]),
    /// A variant that is listed, and that the type does not know.
    NoVariant,
    /// The same as another node.
    Same(Id),
}

/// What has samples.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Leaf {
    Bool,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    F32,
    F64,
    Char,
    Str,
    Bytes,
}

#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) token: Token,
    /// The type of the visitor: what tells types of one name apart, in this trace. It is not hashed.
    pub(super) visitor: &'static str,
    pub(super) children: Vec<Id>,
    /// All below was asked for.
    pub(super) done: bool,
    /// Which sample a leaf is answered with; of a struct, 1 for "as a map".
    pub(super) sample: usize,
    /// The samples that it refused, a bit each.
    pub(super) refused: u64,
    /// Of an enum: a variant that has an end.
    pub(super) ending: Option<usize>,
    /// Of an enum: the variants that are being visited.
    pub(super) open: Vec<usize>,
    /// How often other samples were tried below it.
    pub(super) attempts: usize,
}

impl Leaf {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::I128 => "i128",
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::U128 => "u128",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Char => "char",
            Self::Str => "str",
            Self::Bytes => "bytes",
        }
    }
}

impl Token {
    /// Whether it has a name, so that it may be met again, also inside itself.
    pub(super) const fn is_named(self) -> bool {
        matches!(self, Self::Newtype(_) | Self::TupleStruct(..) | Self::Struct(..) | Self::Enum(..))
    }
}
