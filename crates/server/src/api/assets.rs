//! `/assets`: what the catalog has, each in the document form of all outputs, with what people said of it.

mod children;
mod columns;
mod enrichment;
mod find;
mod history;
mod one;

#[cfg(test)]
mod tests;

use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;

use crate::http::Limit;
use crate::state::App;

/// Which asset or column.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Which {
    /// Its qualified name.
    #[param(example = "default/glue/1700000000/AwsDataCatalog/sales/orders")]
    qualified_name: String,
}

/// Which page of what belongs to an asset.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct PageOf {
    /// The qualified name of the asset.
    #[param(example = "default/glue/1700000000/AwsDataCatalog/sales/orders")]
    qualified_name: String,
    /// The most items of the page.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// `/assets`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(one::router())
        .merge(find::router())
        .merge(columns::router())
        .merge(children::router())
        .merge(history::router())
        .merge(enrichment::router())
}
