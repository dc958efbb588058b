//! The assets of one domain as others name them: by listing, by source, by id. Kept small, for a domain may have a million.

use std::collections::{BTreeMap, HashMap};

use model::{GlueTableArn, Kind, Reference};

use crate::smus::hash;
use crate::smus::map::lineage::Resolve;
use crate::smus::naming::Naming;
use crate::smus::terms::Assignments;

/// How many sources are remembered as text, to ask for their lineage one by one.
const SOURCES_KEPT_MAX: usize = 2_000;

#[derive(Debug)]
struct Entry {
    project: u32,
    kind: Kind,
    id: Box<str>,
}

/// Every asset that was delivered, and what is assigned to which term.
#[derive(Debug)]
pub(super) struct KnownAssets {
    naming: Naming,
    domain: String,
    projects: Vec<String>,
    project_places: HashMap<String, u32>,
    entries: Vec<Entry>,
    /// Hashes with places in `entries`; sorted before they are looked up.
    by_listing: Vec<(u64, u32)>,
    by_source: Vec<(u64, u32)>,
    by_id: Vec<(u64, u32)>,
    /// By their hashes: which are remembered, and in which order, is the same in every run, and no project comes first.
    sources: BTreeMap<u64, String>,
    sources_left_out: usize,
    pub(super) assignments: Assignments,
}

impl KnownAssets {
    pub(super) fn new(naming: &Naming, domain: &str) -> Self {
        Self {
            naming: naming.clone(),
            domain: domain.to_owned(),
            projects: Vec::new(),
            project_places: HashMap::new(),
            entries: Vec::new(),
            by_listing: Vec::new(),
            by_source: Vec::new(),
            by_id: Vec::new(),
            sources: BTreeMap::new(),
            sources_left_out: 0,
            assignments: Assignments::default(),
        }
    }

    /// Adds an asset of a project.
    pub(super) fn add(&mut self, kind: Kind, (project, id): (&str, &str), listing: Option<&str>, source: Option<&str>) {
        let place = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let project = self.project(project);
        self.entries.push(Entry { project, kind, id: id.into() });
        self.by_id.push((hash(id), place));
        self.by_listing.extend(listing.map(|listing| (hash(listing), place)));
        let Some(source) = source else { return };
        let key = hash(&folded(source));
        self.by_source.push((key, place));
        if self.sources.len() == SOURCES_KEPT_MAX && self.sources.last_key_value().is_some_and(|(last, _)| *last < key) {
            self.sources_left_out += 1;
            return;
        }
        self.sources.entry(key).or_insert_with(|| source.to_owned());
        if self.sources.len() > SOURCES_KEPT_MAX {
            self.sources.pop_last();
            self.sources_left_out += 1;
        }
    }

    /// Where assets are from, to ask for their lineage one by one; and how many others are.
    pub(super) fn take_sources(&mut self) -> (Vec<String>, usize) {
        (std::mem::take(&mut self.sources).into_values().collect(), self.sources_left_out)
    }

    /// Remembers that a project owns something, even if that is no asset.
    pub(super) fn note_project(&mut self, project: &str) {
        self.project(project);
    }

    fn project(&mut self, project: &str) -> u32 {
        if let Some(place) = self.project_places.get(project) {
            return *place;
        }
        let place = u32::try_from(self.projects.len()).unwrap_or(u32::MAX);
        self.projects.push(project.to_owned());
        self.project_places.insert(project.to_owned(), place);
        place
    }

    /// Puts everything in order for looking up; to be called when all assets are there.
    pub(super) fn sort(&mut self) {
        for list in [&mut self.by_listing, &mut self.by_source, &mut self.by_id] {
            list.sort_unstable();
        }
    }

    /// The projects that assets and data products belong to.
    pub(super) fn projects(&self) -> &[String] {
        &self.projects
    }

    /// Makes everything that was assigned to terms part of their lists.
    pub(super) fn assign_all(&mut self, assignments: Vec<(u32, Reference)>) {
        for (place, reference) in assignments {
            self.assignments.add(place, reference);
        }
    }

    /// The asset of a listing.
    pub(super) fn of_listing(&self, listing: &str) -> Option<Reference> {
        self.find(&self.by_listing, hash(listing)).next()
    }

    /// The asset of an id.
    pub(super) fn of_id(&self, id: &str) -> Option<Reference> {
        self.find(&self.by_id, hash(id)).next()
    }

    fn find<'k>(&'k self, list: &'k [(u64, u32)], key: u64) -> impl Iterator<Item = Reference> + 'k {
        let start = list.partition_point(|(found, _)| *found < key);
        let places = list[start..].iter().take_while(move |(found, _)| *found == key).map(|(_, place)| *place);
        places.filter_map(|place| self.entries.get(place as usize)).map(|entry| {
            let project = self.projects.get(entry.project as usize).map_or("", String::as_str);
            Reference::new(entry.kind, self.naming.asset(&self.domain, project, &entry.id))
        })
    }
}

impl Resolve for KnownAssets {
    /// By source first; nodes of assets and listings name them by id, alone or at the end of a path.
    fn assets(&self, source: &str) -> Vec<Reference> {
        let by_source: Vec<_> = self.find(&self.by_source, hash(&folded(source))).collect();
        if !by_source.is_empty() {
            return by_source;
        }
        let id = source.rsplit(['/', ':']).next().unwrap_or(source);
        self.of_id(id).or_else(|| self.of_listing(id)).into_iter().collect()
    }
}

/// One spelling for all spellings of a source.
fn folded(source: &str) -> String {
    GlueTableArn::parse(source).map_or_else(|| source.trim().trim_end_matches('/').to_lowercase(), |arn| arn.to_string())
}

#[cfg(test)]
mod tests {
    use model::ConnectionName;

    use super::*;

    #[test]
    fn assets_are_found_by_source_in_any_spelling_by_id_and_by_listing_and_all_of_one_source_are_named() {
        let mut known = KnownAssets::new(&Naming::new(ConnectionName::new("aws-smus", 7)), "dzd_1");
        let arn = "arn:aws:glue:eu-west-1:111122223333:table/sales/orders";
        known.add(Kind::SmusPublishedAsset, ("p1", "a1"), Some("l1"), Some(arn));
        known.add(Kind::SmusPublishedAsset, ("p2", "a2"), Some("l2"), Some(&arn.to_uppercase()));
        known.add(Kind::SmusPublishedAsset, ("p2", "a3"), None, None);
        known.sort();
        let names = |source: &str| known.assets(source).iter().map(|one| one.qualified_name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(arn), ["default/aws-smus/7/dzd_1/p1/a1", "default/aws-smus/7/dzd_1/p2/a2"]);
        assert_eq!(names("dzd_1/asset/a3"), ["default/aws-smus/7/dzd_1/p2/a3"]);
        assert_eq!(names("l2"), ["default/aws-smus/7/dzd_1/p2/a2"]);
        assert!(names("kafka://broker/topic").is_empty());
    }

    #[test]
    fn the_same_sources_are_remembered_in_the_same_order_whichever_asset_comes_first() {
        let remembered = |numbers: &mut dyn Iterator<Item = usize>| {
            let mut known = KnownAssets::new(&Naming::new(ConnectionName::new("aws-smus", 7)), "dzd_1");
            for number in numbers {
                known.add(Kind::SmusPublishedAsset, ("p1", "a"), None, Some(&format!("s3://lake/{number}")));
            }
            known.take_sources()
        };
        let count = SOURCES_KEPT_MAX + 500;
        let (forwards, left_out) = remembered(&mut (0..count));
        assert_eq!((forwards.len(), left_out), (SOURCES_KEPT_MAX, 500));
        assert_eq!(remembered(&mut (0..count).rev()), (forwards, 500));
    }
}
