//! Attributes: the named properties of an asset, in one canonical order.

macro_rules! attributes {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// The name of an attribute. The order of declaration is the order in every document.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Attribute { $($variant),+ }

        impl Attribute {
            /// The name in documents.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Attribute::$variant => $name),+ }
            }

            /// The attribute of a name in a document, if there is one.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Attribute> {
                match name { $($name => Some(Attribute::$variant),)+ _ => None }
            }
        }
    };
}

attributes! {
    Description = "description",
    Category = "category",
    AwsRegion = "awsRegion",
    AwsAccountId = "awsAccountId",
    AwsArn = "awsArn",
    CatalogType = "catalogType",
    SchemaCount = "schemaCount",
    TableCount = "tableCount",
    ViewsCount = "viewsCount",
    SchemaExternalLocation = "schemaExternalLocation",
    LinkedSchemaQualifiedName = "linkedSchemaQualifiedName",
    ColumnCount = "columnCount",
    RowCount = "rowCount",
    SizeBytes = "sizeBytes",
    TableObjectCount = "tableObjectCount",
    SubType = "subType",
    TableFormat = "tableFormat",
    ExternalLocation = "externalLocation",
    ExternalLocationFormat = "externalLocationFormat",
    IsPartitioned = "isPartitioned",
    PartitionKeys = "partitionKeys",
    Owner = "sourceOwner",
    SourceCreatedBy = "sourceCreatedBy",
    SourceCreatedAt = "sourceCreatedAt",
    SourceUpdatedAt = "sourceUpdatedAt",
    Definition = "definition",
    LinkedTableQualifiedName = "linkedTableQualifiedName",
    Parameters = "parameters",
    JobCommand = "jobCommand",
    ScriptLocation = "scriptLocation",
    Role = "role",
    GlueVersion = "glueVersion",
    WorkerType = "workerType",
    NumberOfWorkers = "numberOfWorkers",
    MaxCapacity = "maxCapacity",
    TimeoutMinutes = "timeoutMinutes",
    MaxRetries = "maxRetries",
    ExecutionClass = "executionClass",
    ConnectionNames = "connectionNames",
    Arguments = "arguments",
    MaskedArguments = "maskedArguments",
    Visual = "visual",
    Graph = "graph",
    MaxConcurrentRuns = "maxConcurrentRuns",
    TriggerType = "triggerType",
    TriggerState = "triggerState",
    Schedule = "schedule",
    Predicate = "predicate",
    Actions = "actions",
    WorkflowName = "workflowName",
    Targets = "targets",
    DatabaseName = "databaseName",
    ConnectionType = "connectionType",
    Properties = "properties",
    Inputs = "inputs",
    Outputs = "outputs",
    ProcessKind = "processKind",
    Sql = "sql",
    Bucket = "bucket",
    Prefix = "prefix",
    SmusDomainName = "smusDomainName",
    SmusDomainId = "smusDomainId",
    SmusDomainVersion = "smusDomainVersion",
    SmusDomainStatus = "smusDomainStatus",
    SmusPortalUrl = "smusPortalUrl",
    SmusDomainUnitName = "smusDomainUnitName",
    SmusDomainUnitId = "smusDomainUnitId",
    SmusParentDomainUnitId = "smusParentDomainUnitId",
    SmusProjectId = "smusProjectId",
    SmusProjectName = "smusProjectName",
    SmusOwningProjectId = "smusOwningProjectId",
    SmusProjectStatus = "smusProjectStatus",
    SmusProjectProfileName = "smusProjectProfileName",
    SmusProjectCategory = "smusProjectCategory",
    SmusProjectRoleArn = "smusProjectRoleArn",
    SmusProjectS3Location = "smusProjectS3Location",
    SmusAssetSummary = "smusAssetSummary",
    SmusAssetReadMe = "smusAssetReadMe",
    SmusAssetTechnicalName = "smusAssetTechnicalName",
    SmusAssetType = "smusAssetType",
    SmusAssetRevision = "smusAssetRevision",
    SmusAssetSourceIdentifier = "smusAssetSourceIdentifier",
    SmusListingId = "smusListingId",
    SmusPublishedAssetSubscriptionsCount = "smusPublishedAssetSubscriptionsCount",
    SmusPublishedAsset = "smusPublishedAsset",
    SmusSubscribedAssetProjectName = "smusSubscribedAssetProjectName",
    SmusSubscribedAssetRequestorId = "smusSubscribedAssetRequestorId",
    SmusSubscribedAssetRequestorName = "smusSubscribedAssetRequestorName",
    SmusSubscribedAssetRequestReason = "smusSubscribedAssetRequestReason",
    SmusSubscribedAssetRequestDate = "smusSubscribedAssetRequestDate",
    SmusSubscribedAssetApproverId = "smusSubscribedAssetApproverId",
    SmusSubscribedAssetApproverName = "smusSubscribedAssetApproverName",
    SmusSubscribedAssetApprovedReason = "smusSubscribedAssetApprovedReason",
    SmusSubscribedAssetApprovalDate = "smusSubscribedAssetApprovalDate",
    SmusSubscribedAssetColumnAccessInfo = "smusSubscribedAssetColumnAccessInfo",
    SmusDataProductAssets = "smusDataProductAssets",
    SmusGlossaryTerms = "smusGlossaryTerms",
    AssetSmusMetadataFormNames = "assetSmusMetadataFormNames",
    AssetSmusMetadataFormKeyValueDetails = "assetSmusMetadataFormKeyValueDetails",
    AssetSmusMetadataFormDetails = "assetSmusMetadataFormDetails",
    GlossaryStatus = "glossaryStatus",
    UsageRestrictions = "usageRestrictions",
    Anchor = "anchor",
    ShortDescription = "shortDescription",
    LongDescription = "longDescription",
    TermStatus = "termStatus",
    IsA = "isA",
    Classifies = "classifies",
    AssignedEntities = "assignedEntities",
}

impl Attribute {
    /// Whether the value is a list of other assets.
    #[must_use]
    pub const fn holds_references(self) -> bool {
        matches!(
            self,
            Self::Inputs
                | Self::Outputs
                | Self::SmusPublishedAsset
                | Self::SmusDataProductAssets
                | Self::IsA
                | Self::Classifies
                | Self::AssignedEntities
        )
    }
}

use crate::Reference;

/// The value of an attribute. There is no null: what is unknown is absent.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number: counts, and times in milliseconds since 1970 UTC.
    Integer(i64),
    /// A number that need not be whole.
    Number(f64),
    /// Yes or no.
    Boolean(bool),
    /// A list.
    List(Vec<Value>),
    /// A map in the order that it shall be written in.
    Map(Vec<(String, Value)>),
    /// Other assets.
    References(Vec<Reference>),
}

impl Value {
    /// A list of texts.
    pub fn texts(texts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::List(texts.into_iter().map(|text| Self::Text(text.into())).collect())
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The whole number, if it is one.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    /// Whether the value says nothing: an empty text, list or map.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Map(entries) => entries.is_empty(),
            // That a process has no known inputs is something that it says.
            Self::References(_) | Self::Integer(_) | Self::Number(_) | Self::Boolean(_) => false,
        }
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

/// The attributes of one asset, sorted by [`Attribute`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(Vec<(Attribute, Value)>);

impl Attributes {
    /// Sets an attribute. A value that says nothing (`""`, an empty list or map) leaves it absent.
    pub fn set(&mut self, attribute: Attribute, value: impl Into<Value>) {
        let value = value.into();
        let found = self.0.binary_search_by_key(&attribute, |entry| entry.0);
        match (found, value.is_empty()) {
            (Ok(at), true) => {
                self.0.remove(at);
            }
            (Ok(at), false) => self.0[at].1 = value,
            (Err(_), true) => {}
            (Err(at), false) => self.0.insert(at, (attribute, value)),
        }
    }

    /// Sets an attribute if there is a value.
    pub fn set_some(&mut self, attribute: Attribute, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(attribute, value);
        }
    }

    /// The value of an attribute.
    #[must_use]
    pub fn get(&self, attribute: Attribute) -> Option<&Value> {
        self.0.binary_search_by_key(&attribute, |entry| entry.0).ok().map(|at| &self.0[at].1)
    }

    /// The text of an attribute.
    #[must_use]
    pub fn text(&self, attribute: Attribute) -> Option<&str> {
        self.get(attribute)?.as_text()
    }

    /// All attributes in canonical order.
    pub fn iter(&self) -> impl Iterator<Item = (Attribute, &Value)> {
        self.0.iter().map(|(attribute, value)| (*attribute, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_stand_in_canonical_order_whatever_the_order_of_setting() {
        let mut attributes = Attributes::default();
        attributes.set(Attribute::Role, "r");
        attributes.set(Attribute::Description, "d");
        attributes.set(Attribute::Role, "r2");
        let names: Vec<_> = attributes.iter().map(|(attribute, _)| attribute.name()).collect();
        assert_eq!(names, ["description", "role"]);
        assert_eq!(attributes.text(Attribute::Role), Some("r2"));
    }

    #[test]
    fn what_says_nothing_is_absent() {
        let mut attributes = Attributes::default();
        attributes.set(Attribute::Description, "");
        attributes.set(Attribute::PartitionKeys, Value::List(vec![]));
        attributes.set_some(Attribute::RowCount, None::<i64>);
        assert_eq!(attributes.iter().count(), 0);
    }
}
