//! The form every relation is written in.

/// Declares relations: a row type each, its catalog entry, and how its columns are written and read.
///
/// ```text
/// relations! {
///     /// `subnet_nsg(subnet, nsg)`: traffic into or out of `subnet` is filtered by `nsg`.
///     SubnetNsg subnet_nsg { subnet: Sym, nsg: Sym }
/// }
/// ```
macro_rules! relations {
    ($table:ident: $($(#[doc = $doc:literal])+ $row:ident $name:ident { $($column:ident: $kind:ty),+ $(,)? })+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
            #[expect(missing_docs, reason = "the relation's sentence explains its columns")]
            pub struct $row { $(pub $column: $kind),+ }

            impl crate::facts::catalog::Row for $row {
                const RELATION: &'static crate::facts::catalog::Relation = &crate::facts::catalog::Relation {
                    name: stringify!($name),
                    columns: &[$((stringify!($column), <$kind as crate::facts::catalog::Column>::TYPE)),+],
                    doc: concat!($($doc, "\n"),+),
                };

                fn write(&self, cells: &mut Vec<String>) {
                    $(cells.push(crate::facts::catalog::Column::write(&self.$column));)+
                }

                fn read(cells: &[&str]) -> Result<Self, crate::facts::catalog::CellError> {
                    let mut cells = cells.iter().enumerate();
                    Ok(Self { $($column: {
                        let (at, cell) = cells.next().ok_or(crate::facts::catalog::CellError::missing(stringify!($column)))?;
                        <$kind as crate::facts::catalog::Column>::read(cell)
                            .ok_or_else(|| crate::facts::catalog::CellError::wrong::<$kind>(at, stringify!($column), cell))?
                    }),+ })
                }
            }
        )+

        /// The relations of this file, in order.
        pub const $table: &[&crate::facts::catalog::Relation] =
            &[$(<$row as crate::facts::catalog::Row>::RELATION),+];
    };
}

/// Declares an enum whose words are the cells of a column.
macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[expect(missing_docs, reason = "the variants are Azure's words")]
        pub enum $name { $($variant),+ }

        impl $name {
            /// The word in facts and output.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
            /// Reads the word, whatever its case.
            pub fn parse(text: &str) -> Option<Self> {
                $(if text.eq_ignore_ascii_case($word) { return Some(Self::$variant); })+
                None
            }
        }

        impl crate::facts::catalog::Column for $name {
            const TYPE: &'static str = "symbol";
            fn write(&self) -> String { self.as_str().to_owned() }
            fn read(cell: &str) -> Option<Self> { Self::parse(cell) }
        }
    };
}
