//! The part of the page that is about one service: a table of what parses each answer, and what there is to say about it.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use serde::Deserialize;
use serde::de::value::Error;

use super::sent::Sent;
use super::shapes::Model;
use super::tracer::{Fate, Member, Trace};
use crate::port::{ReadOperation, Service};

/// Offers a shape to the struct that parses it.
pub(super) type Drive = fn(Member<'_>) -> Result<(), Error>;

/// Everything that is said about one service.
pub(super) struct Part {
    pub(super) service: Service,
    /// The variable that names the service's own model.
    pub(super) model_variable: &'static str,
    pub(super) introduction: &'static str,
    /// For each operation the struct that parses its answer.
    pub(super) answers: &'static [(ReadOperation, Drive)],
    /// What AWS's model does not describe and the public documentation does.
    pub(super) documents: &'static [Document],
    /// What there is to say of an operation before its table.
    pub(super) about: &'static [(ReadOperation, &'static str)],
    /// Members of which there is more to say than how they are parsed: what becomes of them, and how.
    pub(super) remarks: &'static [(&'static str, &'static str, &'static str)],
    /// Why a member is dropped that a reader might look for.
    pub(super) dropped: &'static [(&'static str, &'static str)],
    /// Members that are kept as they are although their names sound like more than structure, and why.
    pub(super) structure: &'static [(&'static str, &'static str)],
    /// What else belongs to an operation.
    pub(super) below: fn(&Model, ReadOperation) -> String,
    /// What follows the last operation.
    pub(super) closing: fn(&Part) -> String,
    /// What was sent by a crawl and its preflight.
    pub(super) sent: fn(&Model) -> Sent,
    pub(super) sent_title: &'static str,
    pub(super) sent_about: &'static str,
    /// The lists that decide which keys are kept.
    pub(super) lists: &'static [(&'static str, &'static [&'static str])],
}

/// The payload of an answer, or a form: a shape that the documentation has.
pub(super) struct Document {
    pub(super) title: &'static str,
    pub(super) shape: &'static str,
    pub(super) drive: Drive,
    pub(super) about: &'static str,
    /// The operation whose payload it is; none for what comes with several.
    pub(super) of: Option<ReadOperation>,
}

/// What becomes of every member of one shape.
pub(super) struct Traced {
    pub(super) name: &'static str,
    pub(super) model: &'static Model,
    pub(super) shape: &'static str,
    pub(super) rows: Vec<(String, Fate)>,
    /// How many levels are named below a member that is dropped.
    pub(super) levels_below: usize,
}

impl Part {
    pub(super) fn model(&self) -> Model {
        read_model(&format!("{}-shapes.json", self.service.name()))
    }

    /// The model for as long as the tests run: traces name shapes of it.
    fn lasting_model(&self) -> &'static Model {
        Box::leak(Box::new(self.model()))
    }

    /// Every answer and every document, traced.
    pub(super) fn traced(&self) -> Vec<Traced> {
        let model = self.lasting_model();
        let answers = self
            .answers
            .iter()
            .map(|(operation, drive)| traced(model, operation.name(), &model.operations[operation.name()].output, *drive));
        answers.chain(self.documents.iter().map(Document::traced)).collect()
    }
}

impl Document {
    pub(super) fn traced(&self) -> Traced {
        // Facets stand on the second level.
        Traced { levels_below: 2, ..traced(documented(), self.title, self.shape, self.drive) }
    }
}

/// Shapes that the public documentation has and AWS's models do not.
fn documented() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| read_model("documented-shapes.json"))
}

fn traced(model: &'static Model, name: &'static str, shape: &'static str, drive: Drive) -> Traced {
    let trace = Trace::default();
    drive(Member::whole(model, &trace, shape)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(*trace.unknown.borrow(), Vec::<String>::new(), "{name}: members that the model does not have");
    Traced { name, model, shape, rows: trace.rows.into_inner(), levels_below: 1 }
}

pub(super) fn drive<T: Deserialize<'static>>(member: Member<'_>) -> Result<(), Error> {
    T::deserialize(member).map(|_| ())
}

/// Whether a key is about a member: `name`, `above.name`, or with the operation `GetTable:above.name`.
pub(super) fn is_about(key: &str, operation: &str, path: &str) -> bool {
    let full = format!("{operation}:{path}");
    full.strip_suffix(key).is_some_and(|before| before.is_empty() || before.ends_with(['.', ':']))
}

pub(super) fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read_model(file: &str) -> Model {
    let path = workspace().join("crates/connector/testdata").join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}
