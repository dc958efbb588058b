//! `/lineage`: what an asset is made from, and what is made from it.
#![expect(unused_qualifications, reason = "what utoipa derives for a query of this module qualifies what is in scope")]

use axum::extract::State;
use serde::{Deserialize, Serialize};
use store::LineageQuery;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::named::{AssetRef, name_of, nothing_there};
use super::{Caller, ReadProblems};
use crate::auth::Action;
use crate::http::{Code, Json, Problem, Query};
use crate::state::App;

const DEPTH_MAX: u32 = 20;
const DEPTH_DEFAULT: u32 = 3;
const NODES_MAX: u32 = 2000;
const NODES_DEFAULT: u32 = 500;

/// Lineage of what, and how far.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Which {
    /// The asset or column where it starts.
    #[param(example = "default/glue/1700000000/AwsDataCatalog/sales/orders")]
    qualified_name: String,
    /// Which way.
    #[serde(default)]
    #[param(inline)]
    direction: Direction,
    /// How many processes far.
    #[serde(default = "depth_default")]
    #[param(minimum = 1, maximum = 20, default = 3)]
    depth: u32,
    /// Between what.
    #[serde(default)]
    #[param(inline)]
    level: Level,
    /// The most nodes; `truncated` says when there are more.
    #[serde(default = "nodes_default")]
    #[param(minimum = 1, maximum = 2000, default = 500)]
    nodes: u32,
}

/// Which way lineage is followed.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Direction {
    /// To what the asset is made from.
    Up,
    /// To what is made from it.
    Down,
    /// Both ways.
    #[default]
    Both,
}

/// Between what lineage is followed.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Level {
    /// Tables, views, datasets, S3 objects.
    #[default]
    Table,
    /// Columns.
    Column,
}

/// The lineage around an asset.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Lineage {
    /// The start first, then by qualified name.
    nodes: Vec<AssetRef>,
    /// By process and ends.
    edges: Vec<Edge>,
    /// Whether nodes were left out.
    truncated: bool,
}

/// One way through a process.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Edge {
    /// What the process reads: the qualified name of a node.
    #[schema(example = "default/glue/1700000000/AwsDataCatalog/raw/orders")]
    from: String,
    /// What it writes: the qualified name of a node.
    #[schema(example = "default/glue/1700000000/AwsDataCatalog/sales/orders")]
    to: String,
    /// `Process` or `ColumnProcess`.
    process_type_name: &'static str,
    /// The qualified name of the process.
    process_qualified_name: String,
    /// `glue-job`, `view`, `location`, `datazone`, `resource-link`.
    #[schema(example = "glue-job")]
    process_kind: String,
}

const fn depth_default() -> u32 {
    DEPTH_DEFAULT
}

const fn nodes_default() -> u32 {
    NODES_DEFAULT
}

/// `/lineage`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_lineage))
}

/// The lineage around an asset or column. Cycles end where they began.
#[utoipa::path(get, path = "/api/v1/lineage", tag = "assets", params(Which), responses(
    (status = 200, description = "The graph; only the start where nothing is known.", body = Lineage), ReadProblems,
))]
async fn get_lineage(State(app): State<App>, caller: Caller, Query(which): Query<Which>) -> Result<Json<Lineage>, Problem> {
    caller.may(Action::ReadCatalog)?;
    let start = name_of(&which.qualified_name)?;
    let query = LineageQuery {
        start: start.clone(),
        direction: match which.direction {
            Direction::Up => store::Direction::Upstream,
            Direction::Down => store::Direction::Downstream,
            Direction::Both => store::Direction::Both,
        },
        depth: bounded("depth", which.depth, DEPTH_MAX)?,
        level: match which.level {
            Level::Table => store::LineageLevel::Assets,
            Level::Column => store::LineageLevel::Columns,
        },
        nodes_max: bounded("nodes", which.nodes, NODES_MAX)? as usize,
    };
    let graph = app.store.lineage(&query).await?;
    // Lineage may name what the catalog does not have.
    if graph.edges.is_empty() && app.store.asset(&start).await?.is_none() {
        return Err(nothing_there());
    }
    Ok(Json(graph.into()))
}

fn bounded(field: &str, number: u32, max: u32) -> Result<u32, Problem> {
    if (1..=max).contains(&number) {
        return Ok(number);
    }
    let problem = Problem::new(Code::InvalidParameter, "a parameter of the query is not as described");
    Err(problem.with_field(field, format!("expected a number from 1 to {max}")))
}

impl From<store::Graph> for Lineage {
    fn from(graph: store::Graph) -> Self {
        let node = |node: store::Node| AssetRef::new(node.reference.kind, &node.reference.qualified_name, &node.name, node.status);
        let edge = |edge: store::GraphEdge| Edge {
            from: edge.from.as_str().to_owned(),
            to: edge.to.as_str().to_owned(),
            process_type_name: edge.process.kind.type_name(),
            process_qualified_name: edge.process.qualified_name.as_str().to_owned(),
            process_kind: edge.process_kind,
        };
        Self {
            nodes: graph.nodes.into_iter().map(node).collect(),
            edges: graph.edges.into_iter().map(edge).collect(),
            truncated: graph.truncated,
        }
    }
}
