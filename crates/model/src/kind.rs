//! The types of asset, by the names that scripts rely on (`typeName`).

use std::fmt;

macro_rules! kinds {
    ($($variant:ident = $code:literal $name:literal),+ $(,)?) => {
        /// What an asset is. The number is what the store keeps: it never changes and is never used again.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Kind { $($variant = $code),+ }

        impl Kind {
            /// Every kind, in the order of their codes.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant),+];

            /// The `typeName` of the document form.
            #[must_use]
            pub const fn type_name(self) -> &'static str {
                match self { $(Kind::$variant => $name),+ }
            }

            /// The stable number that the store keeps.
            #[must_use]
            pub const fn code(self) -> i64 { self as u8 as i64 }

            /// The kind of a stored number, if there is one.
            #[must_use]
            pub const fn from_code(code: i64) -> Option<Kind> {
                match code { $($code => Some(Kind::$variant),)+ _ => None }
            }

            /// The kind of a `typeName`, if there is one.
            #[must_use]
            pub fn from_type_name(name: &str) -> Option<Kind> {
                match name { $($name => Some(Kind::$variant),)+ _ => None }
            }
        }
    };
}

kinds! {
    Connection = 1 "Connection",
    Database = 2 "Database",
    Schema = 3 "Schema",
    Table = 4 "Table",
    View = 5 "View",
    Column = 6 "Column",
    GlueJob = 7 "GlueJob",
    GlueWorkflow = 8 "GlueWorkflow",
    GlueTrigger = 9 "GlueTrigger",
    GlueCrawler = 10 "GlueCrawler",
    GlueConnection = 11 "GlueConnection",
    Process = 12 "Process",
    ColumnProcess = 13 "ColumnProcess",
    S3Object = 14 "S3Object",
    SmusDomain = 15 "SageMakerUnifiedStudioDomain",
    SmusDomainUnit = 16 "SageMakerUnifiedStudioDomainUnit",
    SmusProject = 17 "SageMakerUnifiedStudioProject",
    SmusPublishedAsset = 18 "SageMakerUnifiedStudioPublishedAsset",
    SmusSubscribedAsset = 19 "SageMakerUnifiedStudioSubscribedAsset",
    SmusInventoryAsset = 20 "SageMakerUnifiedStudioAsset",
    SmusDataProduct = 21 "SageMakerUnifiedStudioDataProduct",
    SmusAssetSchema = 22 "SageMakerUnifiedStudioAssetSchema",
    Glossary = 23 "AtlasGlossary",
    GlossaryTerm = 24 "AtlasGlossaryTerm",
    Dataset = 25 "Dataset",
}

impl Kind {
    /// Whether it is an asset of SageMaker Unified Studio that is made from data elsewhere, and so may have a twin there.
    #[must_use]
    pub const fn is_smus_asset(self) -> bool {
        matches!(self, Self::SmusPublishedAsset | Self::SmusSubscribedAsset | Self::SmusInventoryAsset)
    }

    /// The kind of the columns of an asset of this kind.
    #[must_use]
    pub const fn column_kind(self) -> Self {
        if self.is_smus_asset() { Self::SmusAssetSchema } else { Self::Column }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.type_name())
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn every_kind_comes_back_from_its_code_and_from_its_type_name() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(kind.code()), Some(*kind));
            assert_eq!(Kind::from_type_name(kind.type_name()), Some(*kind));
        }
        assert_eq!(Kind::from_code(0), None);
    }
}
