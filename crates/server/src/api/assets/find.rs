//! From what a person types to an asset: the way that the command line has it, for those who ask from elsewhere.
#![expect(unused_qualifications, reason = "what utoipa derives for a query of this module qualifies what is in scope")]

use axum::extract::State;
use model::{Kind, QualifiedName};
use serde::{Deserialize, Serialize};
use store::Found;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::named::checked;
use crate::api::{Caller, ReadProblems};
use crate::auth::Action;
use crate::http::{Json, Problem, Query};
use crate::state::App;

/// What somebody typed.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Typed {
    /// A qualified name, the end of one, a name, or the ARN of a Glue table.
    #[param(example = "sales/orders")]
    name: String,
}

/// What is meant, or what could be.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Meant {
    /// The one asset or column that is meant; absent where there is none, or several.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    found: Option<Candidate>,
    /// What could be meant, or is called alike: at most 10, best first; none where one is meant.
    candidates: Vec<Candidate>,
}

/// Something that could be meant.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    /// What it is.
    #[schema(example = "Table")]
    type_name: &'static str,
    /// Its qualified name.
    #[schema(example = "default/glue/1700000000/AwsDataCatalog/sales/orders")]
    qualified_name: String,
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(find_asset))
}

/// The asset or column that a typed name stands for. What is archived is meant only where nothing active is.
#[utoipa::path(get, path = "/api/v1/assets/find", tag = "assets", params(Typed), responses(
    (status = 200, description = "What is meant, or could be.", body = Meant), ReadProblems,
))]
async fn find_asset(State(app): State<App>, caller: Caller, Query(typed): Query<Typed>) -> Result<Json<Meant>, Problem> {
    caller.may(Action::ReadCatalog)?;
    Ok(Json(match app.store.find(checked("name", &typed.name)?).await? {
        Found::One(subject) => {
            let kind = subject.stored().asset.kind;
            let kind = if subject.column().is_some() { kind.column_kind() } else { kind };
            Meant { found: Some(Candidate::new(kind, &subject.qualified_name())), candidates: Vec::new() }
        }
        Found::Candidates(candidates) => {
            let candidates = candidates.iter().map(|candidate| Candidate::new(candidate.kind, &candidate.qualified_name));
            Meant { found: None, candidates: candidates.collect() }
        }
    }))
}

impl Candidate {
    fn new(kind: Kind, name: &QualifiedName) -> Self {
        Self { type_name: kind.type_name(), qualified_name: name.as_str().to_owned() }
    }
}
