//! Owns the shape of an error table: one row per code, from which the constants, the names and the
//! families of `ErrorCode` are generated. It never decides what an error leads to; the sender does.

/// The families of an error (KIP-1050), as bits.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) struct Families(pub(super) u8);

impl Families {
    /// Final, and without advice.
    pub(super) const PLAIN: Families = Families(0);
    /// The same attempt may succeed later.
    pub(super) const RETRIABLE: Families = Families(1);
    /// Retriable, and the metadata is stale.
    pub(super) const REFRESH_METADATA: Families = Families(1 | 2);
    /// Retriable, and the coordinator must be looked up again.
    pub(super) const REFRESH_COORDINATOR: Families = Families(1 | 4);
    /// Abort the transaction, then go on.
    pub(super) const ABORTABLE: Families = Families(8);
    /// Close the producer.
    pub(super) const FATAL: Families = Families(16);
    /// A setting or a permission is wrong.
    pub(super) const INVALID_CONFIGURATION: Families = Families(32);
    /// Restart the application's logic with a new producer.
    pub(super) const APPLICATION_RECOVERABLE: Families = Families(64);

    /// Whether every bit of `other` is set here.
    pub(super) const fn has(self, other: Families) -> bool {
        self.0 & other.0 == other.0
    }

    /// The members of both.
    pub(super) const fn and(self, other: Families) -> Families {
        Families(self.0 | other.0)
    }

    /// The members of this without those of `other`.
    pub(super) const fn without(self, other: Families) -> Families {
        Families(self.0 & !other.0)
    }
}

/// One error code.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) value: i32,
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) families: Families,
}

/// Writes the constants of `ErrorCode` and the static table `ROWS` from the same rows, so that
/// neither can miss one: `value NAME FAMILY [FAMILY…] "description";`.
macro_rules! error_table {
    ($($value:literal $name:ident $($family:ident)+, $description:literal;)+) => {
        impl $crate::error::ErrorCode {
            $(#[doc = $description] pub const $name: Self = Self($value);)+
        }

        pub(super) static ROWS: &[$crate::error::table::Row] = &[
            $($crate::error::table::Row {
                value: $value,
                name: stringify!($name),
                description: $description,
                families: $crate::error::table::Families::PLAIN
                    $(.and($crate::error::table::Families::$family))+,
            },)+
        ];
    };
}
pub(super) use error_table;
