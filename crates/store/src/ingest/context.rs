//! What a run's writer remembers between groups: numbers of names that come again and again, all of it bounded.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::RunId;

use crate::Result;
use crate::connections::ConnectionId;
use crate::db::{Bulk, Connection, query, query_scalar};
use crate::ingest::seen::Seen;
use crate::ingest::tally::{Lines, Tally};
use crate::search_text::AsIs;

/// Names of places and scopes that are remembered; at the bound all are forgotten and read again.
const NAMES_MAX: usize = 4096;
/// Words that are remembered as stored, by hash.
const WORDS_MAX: usize = 1 << 17;
/// Stored assets reported as unchanged whose counts are remembered until they are delivered.
const PENDING_MAX: usize = 1 << 14;

/// What readers of a run's progress share with its writer. Locked for moments only.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) seen: Seen,
    pub(crate) tally: Tally,
    pending: HashMap<i64, Lines>,
    /// The first and the last asset that earlier attempts of the run have created. Nobody else has written to the connection then.
    earlier: Option<(i64, i64)>,
}

impl Progress {
    /// Of a run whose earlier attempts have created the assets from the first to the last.
    pub(crate) fn of(earlier: Option<(i64, i64)>) -> Self {
        Self { earlier, ..Self::default() }
    }

    /// Whether an earlier attempt of the run has created the asset: for the run as a whole it is new.
    pub(crate) fn is_created_before(&self, id: i64) -> bool {
        self.earlier.is_some_and(|(first, last)| (first..=last).contains(&id))
    }

    /// Counts an asset that is as it was before, or as an earlier attempt of the run has created it.
    pub(crate) fn find_unchanged(&mut self, id: i64, lines: &Lines) {
        self.tally.find_all(lines);
        let all = lines.all().cast_signed();
        if self.is_created_before(id) {
            self.tally.created += all;
        } else {
            self.tally.unchanged += all;
        }
    }

    /// Remembers the lines of an asset that was found unchanged, until it is delivered.
    pub(crate) fn expect(&mut self, id: i64, lines: Lines) {
        if self.pending.len() >= PENDING_MAX {
            self.pending.clear();
        }
        self.pending.insert(id, lines);
    }

    /// The lines that were remembered for an asset.
    pub(crate) fn take_expected(&mut self, id: i64) -> Option<Lines> {
        self.pending.remove(&id)
    }
}

/// Locks what a panic elsewhere cannot have left half done: plain numbers.
pub(crate) fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The memory of a run's writer.
pub(crate) struct Context {
    pub(crate) run: RunId,
    pub(crate) connection: ConnectionId,
    /// What the group being written has changed so far.
    pub(crate) tally: Tally,
    /// Ids of the first and the last asset that the run created.
    pub(crate) created: Option<(i64, i64)>,
    /// What of it is stored with the run.
    pub(crate) created_kept: Option<(i64, i64)>,
    progress: Arc<Mutex<Progress>>,
    places: HashMap<String, i64>,
    new_places: HashSet<i64>,
    scopes: HashMap<String, i64>,
    words: HashSet<u64, BuildHasherDefault<AsIs>>,
}

/// Words, of which those that are stored already are left out.
pub(crate) const NEW_WORDS: Bulk = Bulk { table: "word", columns: "word", tail: "ON CONFLICT (word) DO NOTHING", width: 1 };

impl Context {
    pub(crate) fn new(run: RunId, connection: ConnectionId, created: Option<(i64, i64)>, progress: Arc<Mutex<Progress>>) -> Self {
        Self {
            run,
            connection,
            tally: Tally::default(),
            created,
            created_kept: created,
            progress,
            places: HashMap::new(),
            new_places: HashSet::new(),
            scopes: HashMap::new(),
            words: HashSet::default(),
        }
    }

    pub(crate) fn progress(&self) -> MutexGuard<'_, Progress> {
        lock(&self.progress)
    }

    /// Whether a place has no assets yet.
    pub(crate) fn is_new_place(&self, place: i64) -> bool {
        self.new_places.contains(&place)
    }

    /// Says that the rows of the new places are written.
    pub(crate) fn end_round(&mut self) {
        self.new_places.clear();
    }

    /// Says that the run created an asset.
    pub(crate) fn note_created(&mut self, id: i64) {
        let (first, last) = self.created.unwrap_or((id, id));
        self.created = Some((first.min(id), last.max(id)));
    }

    /// The number of a place, created if it is new.
    pub(crate) async fn place(&mut self, connection: &mut Connection<'_>, path: &str) -> Result<i64> {
        if let Some(id) = self.places.get(path) {
            return Ok(*id);
        }
        let text = "SELECT id FROM place WHERE path = $1 AND connection = $2";
        let query = query_scalar(text).bind(path.to_owned()).bind(self.connection.0);
        let id: i64 = match query.fetch_optional(&mut *connection).await? {
            Some(id) => id,
            None => {
                let text = "INSERT INTO place (connection, path) VALUES ($1, $2) RETURNING id";
                let id = query_scalar(text).bind(self.connection.0).bind(path.to_owned()).fetch_one(&mut *connection).await?;
                self.new_places.insert(id);
                id
            }
        };
        remember(&mut self.places, path, id);
        Ok(id)
    }

    /// The number of a scope, created if it is new.
    pub(crate) async fn scope(&mut self, connection: &mut Connection<'_>, name: &str) -> Result<i64> {
        if let Some(id) = self.scopes.get(name) {
            return Ok(*id);
        }
        let text = "INSERT INTO scope (connection, name) VALUES ($1, $2) ON CONFLICT (connection, name) DO NOTHING";
        query(text).bind(self.connection.0).bind(name.to_owned()).execute(&mut *connection).await?;
        let text = "SELECT id FROM scope WHERE connection = $1 AND name = $2";
        let id = query_scalar(text).bind(self.connection.0).bind(name.to_owned()).fetch_one(&mut *connection).await?;
        remember(&mut self.scopes, name, id);
        Ok(id)
    }

    /// Stores words that were not stored before, so that prefixes of them can be completed.
    pub(crate) async fn learn(&mut self, connection: &mut Connection<'_>, words: impl Iterator<Item = &str>) -> Result<()> {
        if self.words.len() >= WORDS_MAX {
            self.words.clear();
        }
        let fresh: Vec<&str> = words.filter(|word| self.words.insert(xxhash_rust::xxh3::xxh3_64(word.as_bytes()))).collect();
        NEW_WORDS.write(connection, &fresh, |query, word| query.bind((*word).to_owned())).await?;
        Ok(())
    }
}

fn remember(names: &mut HashMap<String, i64>, name: &str, id: i64) {
    if names.len() >= NAMES_MAX {
        names.clear();
    }
    names.insert(name.to_owned(), id);
}
