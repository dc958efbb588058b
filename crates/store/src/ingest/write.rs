//! One group of batches, written in one transaction: only what is new or differs.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;

use model::{Kind, S3Location};

use crate::Result;
use crate::content::{self, Stored};
use crate::db::{Connection, query, query_scalar};
use crate::dialect::{ASSETS_OF_A_PLACE, number_list, text_list};
use crate::ingest::archive::{self, Removed};
use crate::ingest::context::Context;
use crate::ingest::prepare::{Prepared, PreparedBatch, PreparedItem};
use crate::ingest::tally::LocationRole;
use crate::ingest::{count, rows};
use crate::search_text::AsIs;

/// What is known of a stored asset before the write.
#[derive(Clone, Debug)]
pub(crate) struct Existing {
    pub(crate) id: i64,
    scope: i64,
    owner: i64,
    archived: bool,
    source_hash: Option<i64>,
    content_hash: i64,
    processes: i64,
    column_processes: i64,
    pub(crate) location: LocationRole,
}

/// What has to happen to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// It is not stored yet.
    Create,
    /// It is stored as archived.
    Restore,
    /// Its content differs.
    Change,
    /// Its content is the same, what it was made from or belongs to is not.
    Touch,
    /// Nothing.
    Keep,
}

impl Action {
    /// Whether content, words and edges are written.
    pub(crate) fn writes_content(self) -> bool {
        matches!(self, Self::Create | Self::Restore | Self::Change)
    }
}

/// A row on its way into the catalog.
pub(crate) struct Row<'a> {
    pub(crate) new: &'a Prepared,
    pub(crate) id: i64,
    pub(crate) action: Action,
    pub(crate) existing: Option<Existing>,
    pub(crate) location: LocationRole,
    pub(crate) before: Option<Before>,
    pub(crate) place: i64,
    pub(crate) scope: i64,
    /// The position of the asset that it is derived from.
    owner: Option<usize>,
    pub(crate) owner_id: i64,
    pub(crate) processes: i64,
    pub(crate) column_processes: i64,
}

/// What a changed asset was.
pub(crate) struct Before {
    pub(crate) stored: Stored,
    pub(crate) location: Option<S3Location>,
}

/// Writes a group of batches.
pub(crate) async fn write_group(connection: &mut Connection<'_>, context: &mut Context, group: &[PreparedBatch]) -> Result<()> {
    let mut round: Vec<(&str, &PreparedItem)> = Vec::new();
    let mut names: HashSet<u64, BuildHasherDefault<AsIs>> = HashSet::default();
    for batch in group {
        for item in &batch.items {
            // A name that comes twice is written in turn: the second time it is compared with the first.
            if item.all().any(|row| names.contains(&row.name_hash)) {
                write_round(connection, context, &round).await?;
                round.clear();
                names.clear();
            }
            names.extend(item.all().map(|row| row.name_hash));
            round.push((batch.scope.as_str(), item));
        }
    }
    write_round(connection, context, &round).await
}

/// Writes items whose names are all different.
async fn write_round(connection: &mut Connection<'_>, context: &mut Context, items: &[(&str, &PreparedItem)]) -> Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    let mut rows = number_names(connection, context, items).await?;
    let mut existing = find_existing(connection, context, &rows).await?;
    for row in &mut rows {
        row.existing = existing.remove(&(row.place, &*row.new.part, row.new.kind));
    }
    decide(connection, &mut rows).await?;
    read_before(connection, &mut rows).await?;
    archive_dropped(connection, context, &rows).await?;
    give_locations(connection, context, &mut rows).await?;
    rows::write_rows(connection, context, &rows).await?;
    count::count(context, &rows);
    context.end_round();
    Ok(())
}

/// Turns the names of scopes and places into numbers.
async fn number_names<'a>(
    connection: &mut Connection<'_>,
    context: &mut Context,
    items: &[(&str, &'a PreparedItem)],
) -> Result<Vec<Row<'a>>> {
    let mut rows = Vec::with_capacity(items.iter().map(|(_, item)| item.rows()).sum());
    for (scope, item) in items {
        let scope = context.scope(connection, scope).await?;
        let owner = rows.len();
        for (index, new) in item.all().enumerate() {
            let derived = |kind: Kind| i64::try_from(item.derived.iter().filter(|row| row.kind == kind).count()).unwrap_or(0);
            rows.push(Row {
                new,
                id: 0,
                action: Action::Keep,
                existing: None,
                location: LocationRole::None,
                before: None,
                place: context.place(connection, &new.place).await?,
                scope,
                owner: (index > 0).then_some(owner),
                owner_id: 0,
                processes: if index == 0 { derived(Kind::Process) } else { 0 },
                column_processes: if index == 0 { derived(Kind::ColumnProcess) } else { 0 },
            });
        }
    }
    Ok(rows)
}

type Key<'a> = (i64, &'a str, Kind);

async fn find_existing<'a>(
    connection: &mut Connection<'_>,
    context: &Context,
    rows: &[Row<'a>],
) -> Result<HashMap<Key<'a>, Existing>> {
    let mut by_place: HashMap<i64, HashMap<&'a str, ()>> = HashMap::new();
    for row in rows.iter().filter(|row| !context.is_new_place(row.place)) {
        by_place.entry(row.place).or_default().insert(&row.new.part, ());
    }
    let mut found = HashMap::new();
    for (place, parts) in by_place {
        let query = query(ASSETS_OF_A_PLACE).bind(place).bind(text_list(parts.keys().copied()));
        for row in query.fetch_all(&mut *connection).await? {
            let part: &str = row.try_get(0)?;
            let (Some((part, ())), Some(kind)) = (parts.get_key_value(part), Kind::from_code(row.try_get(1)?)) else { continue };
            let existing = Existing {
                id: row.try_get(2)?,
                scope: row.try_get(3)?,
                owner: row.try_get(4)?,
                archived: row.try_get::<i64, _>(5)? != 0,
                source_hash: row.try_get(6)?,
                content_hash: row.try_get(7)?,
                processes: row.try_get(8)?,
                column_processes: row.try_get(9)?,
                location: LocationRole::from_code(row.try_get(10)?),
            };
            found.insert((place, *part, kind), existing);
        }
    }
    Ok(found)
}

/// Gives every row its id and says what has to happen to it.
async fn decide(connection: &mut Connection<'_>, rows: &mut [Row<'_>]) -> Result<()> {
    if rows.iter().any(|row| row.existing.is_none()) {
        let mut last: i64 = query_scalar("SELECT coalesce(max(id), 0) FROM content").fetch_one(connection).await?;
        for row in rows.iter_mut().filter(|row| row.existing.is_none()) {
            last += 1;
            row.id = last;
        }
    }
    for row in rows.iter_mut() {
        if let Some(existing) = &row.existing {
            row.id = existing.id;
        }
    }
    for index in 0..rows.len() {
        rows[index].owner_id = rows[index].owner.map_or(0, |owner| rows[owner].id);
        rows[index].action = action(&rows[index]);
    }
    Ok(())
}

fn action(row: &Row<'_>) -> Action {
    let Some(existing) = &row.existing else { return Action::Create };
    let same_surroundings = existing.scope == row.scope
        && existing.owner == row.owner_id
        && existing.source_hash == row.new.source_hash
        && existing.processes == row.processes
        && existing.column_processes == row.column_processes;
    match (existing.archived, existing.content_hash == row.new.content_hash, same_surroundings) {
        (true, _, _) => Action::Restore,
        (false, false, _) => Action::Change,
        (false, true, false) => Action::Touch,
        (false, true, true) => Action::Keep,
    }
}

/// Stored contents read at once: they may be large.
const BEFORE_ROWS: usize = 100;

/// Reads what the rows were that are about to be overwritten.
async fn read_before(connection: &mut Connection<'_>, rows: &mut [Row<'_>]) -> Result<()> {
    let mut changing: Vec<&mut Row<'_>> =
        rows.iter_mut().filter(|row| matches!(row.action, Action::Change | Action::Restore)).collect();
    for chunk in changing.chunks_mut(BEFORE_ROWS) {
        let ids = chunk.iter().map(|row| row.id);
        let mut stored = content::read(&mut *connection, ids).await?;
        for row in chunk {
            let Some(stored) = stored.remove(&row.id) else { continue };
            let location = if row.action == Action::Change { stored.asset.data_location() } else { None };
            row.before = Some(Before { stored, location });
        }
    }
    Ok(())
}

/// Archives processes that are no longer derived from what they belonged to.
async fn archive_dropped(connection: &mut Connection<'_>, context: &mut Context, rows: &[Row<'_>]) -> Result<()> {
    let owns = |row: &&Row<'_>| row.existing.as_ref().is_some_and(|was| !was.archived && was.processes + was.column_processes > 0);
    let owners: Vec<i64> = rows.iter().filter(owns).map(|row| row.id).collect();
    if owners.is_empty() {
        return Ok(());
    }
    let text = "SELECT id FROM asset WHERE owner > 0 AND owner IN (SELECT value FROM json_each($1)) AND archived_run = 0";
    let derived: Vec<i64> = query_scalar(text).bind(number_list(owners)).fetch_all(&mut *connection).await?;
    let kept: HashSet<i64> = rows.iter().map(|row| row.id).collect();
    let dropped: Vec<i64> = derived.into_iter().filter(|id| !kept.contains(id)).collect();
    let archived = archive::archive(connection, context, &dropped).await?;
    context.tally.archived += archived.cast_signed();
    Ok(())
}

/// Finds for every table with a location whether it stands for the S3 object there, or another table does.
async fn give_locations(connection: &mut Connection<'_>, context: &mut Context, rows: &mut [Row<'_>]) -> Result<()> {
    let moved = rows.iter().filter(|row| row.action == Action::Change).filter_map(|row| {
        let before = row.before.as_ref()?.location.clone()?;
        let role = row.existing.as_ref().map_or(LocationRole::None, |existing| existing.location);
        (row.new.location.as_ref() != Some(&before)).then_some(Removed { asset: row.id, location: before, role })
    });
    let moved: Vec<Removed> = moved.collect();
    let heirs = archive::release_locations(connection, context, &moved).await?;
    context.tally.archived += heirs.objects_gone.cast_signed();
    let taken = taken_locations(connection, context, rows).await?;
    let mut taken: HashSet<String> = taken.into_iter().collect();
    for row in rows.iter_mut() {
        let Some(location) = &row.new.location else { continue };
        let kept = row.existing.as_ref().filter(|_| !claims(row)).map(|existing| existing.location);
        row.location = match kept {
            Some(_) if heirs.assets.contains(&row.id) => LocationRole::Owns,
            Some(role) => role,
            None if taken.insert(location.as_str().to_owned()) => LocationRole::Owns,
            None => LocationRole::Shares,
        };
    }
    Ok(())
}

/// Whether a row's location is new to it.
pub(crate) fn claims(row: &Row<'_>) -> bool {
    match row.action {
        Action::Create | Action::Restore => row.new.location.is_some(),
        Action::Change => {
            row.new.location.is_some()
                && row.before.as_ref().and_then(|before| before.location.as_ref()) != row.new.location.as_ref()
        }
        Action::Touch | Action::Keep => false,
    }
}

async fn taken_locations(connection: &mut Connection<'_>, context: &Context, rows: &[Row<'_>]) -> Result<Vec<String>> {
    let claimed: Vec<&str> =
        rows.iter().filter(|row| claims(row)).filter_map(|row| row.new.location.as_ref().map(S3Location::as_str)).collect();
    if claimed.is_empty() {
        return Ok(Vec::new());
    }
    let text = "SELECT DISTINCT location FROM location WHERE location IN (SELECT value FROM json_each($1)) AND connection = $2";
    Ok(query_scalar(text).bind(text_list(claimed)).bind(context.connection.0).fetch_all(connection).await?)
}
