//! The terms of a domain: found by id and by name, and what each is assigned to.

use std::collections::HashMap;

use model::{Kind, QualifiedName, Reference, Value};

/// The most things that one term's list of assigned entities holds. The assets themselves always name all of their terms.
pub(crate) const ASSIGNED_MAX: usize = 10_000;

/// The most assignments of one domain that are collected for such lists.
pub(crate) const ASSIGNMENTS_MAX: usize = 500_000;

#[derive(Debug)]
struct Term {
    qualified_name: QualifiedName,
    name: String,
}

/// All terms of a domain.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    list: Vec<Term>,
    by_id: HashMap<String, u32>,
    by_name: HashMap<String, Vec<u32>>,
}

impl Terms {
    /// Adds a term; a second one of the same id changes nothing.
    pub(crate) fn add(&mut self, id: &str, name: &str, qualified_name: QualifiedName) {
        let place = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        if self.by_id.contains_key(id) {
            return;
        }
        self.by_id.insert(id.to_owned(), place);
        self.by_name.entry(name.to_owned()).or_default().push(place);
        self.list.push(Term { qualified_name, name: name.to_owned() });
    }

    /// The place of a term in the list.
    pub(crate) fn place(&self, id: &str) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    /// A reference to the term of an id.
    pub(crate) fn reference(&self, id: &str) -> Option<Reference> {
        let term = self.list.get(self.place(id)? as usize)?;
        Some(Reference::new(Kind::GlossaryTerm, term.qualified_name.clone()))
    }

    /// The terms at these places as an asset names them.
    pub(crate) fn assigned(&self, places: &[u32]) -> Value {
        let known = places.iter().filter_map(|place| self.list.get(*place as usize));
        Value::List(known.map(named).collect())
    }

    /// The terms of these ids as an asset names them; what is no term of the domain is left out.
    pub(crate) fn assigned_by_id(&self, ids: &[String]) -> Value {
        let places: Vec<u32> = ids.iter().filter_map(|id| self.place(id)).collect();
        self.assigned(&places)
    }

    /// The terms of these names, with their places. A name that several terms have, or none, is given as a name alone: which one is
    /// meant is not known.
    pub(crate) fn assigned_by_name(&self, names: &[&str]) -> (Value, Vec<u32>) {
        let mut places = Vec::new();
        let value = |name: &&str| match self.by_name.get(*name).map(Vec::as_slice) {
            Some([place]) => {
                places.push(*place);
                self.list.get(*place as usize).map_or_else(|| bare(name), named)
            }
            Some(_) | None => bare(name),
        };
        let list = names.iter().map(value).collect();
        (Value::List(list), places)
    }
}

fn named(term: &Term) -> Value {
    Value::Map(vec![
        ("typeName".to_owned(), Value::from(Kind::GlossaryTerm.type_name())),
        ("qualifiedName".to_owned(), Value::from(term.qualified_name.as_str())),
        ("name".to_owned(), Value::from(term.name.as_str())),
    ])
}

fn bare(name: &str) -> Value {
    Value::Map(vec![("name".to_owned(), Value::from(name))])
}

/// What terms are assigned to, collected while assets are read.
#[derive(Debug, Default)]
pub(crate) struct Assignments {
    by_term: HashMap<u32, Vec<Reference>>,
    count: usize,
    left_out: u64,
}

impl Assignments {
    pub(crate) fn add(&mut self, place: u32, reference: Reference) {
        let list = self.by_term.entry(place).or_default();
        if self.count >= ASSIGNMENTS_MAX || list.len() >= ASSIGNED_MAX {
            self.left_out += 1;
            return;
        }
        list.push(reference);
        self.count += 1;
    }

    /// What the term at a place is assigned to, in the order of names, each once.
    pub(crate) fn take(&mut self, place: u32) -> Vec<Reference> {
        let mut list = self.by_term.remove(&place).unwrap_or_default();
        list.sort_by(|one, other| one.qualified_name.cmp(&other.qualified_name));
        list.dedup();
        list
    }

    /// How many assignments found no room.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> Terms {
        let mut terms = Terms::default();
        for (id, name) in [("t1", "Revenue"), ("t2", "Churn"), ("t3", "Churn")] {
            terms.add(id, name, QualifiedName::from_encoded(format!("c/{id}")));
        }
        terms
    }

    #[test]
    fn a_name_that_two_terms_have_is_not_guessed() {
        let (value, places) = terms().assigned_by_name(&["Revenue", "Churn", "Nothing"]);
        assert_eq!(places, [0]);
        let Value::List(list) = value else { panic!("a list") };
        let qualified =
            |value: &Value| matches!(value, Value::Map(entries) if entries.iter().any(|(key, _)| key == "qualifiedName"));
        assert_eq!(list.iter().map(qualified).collect::<Vec<_>>(), [true, false, false]);
    }

    #[test]
    fn the_assigned_entities_of_one_term_are_bounded_and_the_rest_is_counted() {
        let mut assignments = Assignments::default();
        for number in 0..=ASSIGNED_MAX {
            assignments.add(7, Reference::new(Kind::SmusPublishedAsset, QualifiedName::from_encoded(format!("a/{number}"))));
        }
        assert_eq!((assignments.take(7).len(), assignments.left_out()), (ASSIGNED_MAX, 1));
        assert!(assignments.take(8).is_empty());
    }
}
