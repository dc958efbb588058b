//! What every catalog does, whatever its database: each function takes a fresh catalog and knows nothing but the public API.

#[cfg(test)]
mod fresh;
#[cfg(test)]
mod history;
#[cfg(test)]
mod lineage;
#[cfg(test)]
mod names;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod removal;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod search;
#[cfg(test)]
mod writing;

/// Runs each function against each database.
macro_rules! conformance {
    ($($module:ident :: $name:ident),+ $(,)?) => {
        #[cfg(test)]
        mod sqlite {
            $(
                #[tokio::test]
                async fn $name() {
                    crate::$module::$name(crate::fresh::Fresh::sqlite()).await;
                }
            )+
        }
    };
}

conformance! {
    opening::a_new_catalog_is_for_its_owner_only_and_opens_again,
    opening::a_closed_catalog_is_one_file,
    opening::what_is_no_catalog_is_refused_and_left_alone,
    opening::questions_to_a_missing_catalog_say_how_to_make_one,
    opening::a_catalog_of_a_newer_version_is_refused,
    opening::connections_are_found_again_by_name_and_keep_their_number,
    writing::a_batch_applied_twice_changes_nothing,
    writing::an_unchanged_crawl_writes_next_to_nothing,
    writing::changed_columns_are_counted_one_by_one,
    writing::counts_are_the_lines_of_the_export,
    writing::a_location_that_changes_hands_is_still_counted_once,
    writing::processes_that_are_no_longer_derived_go,
    writing::what_differs_twice_in_one_run_is_stored_as_last_delivered,
    writing::ten_thousand_columns_are_stored_and_found,
    writing::a_full_catalog_says_so_and_keeps_what_it_has,
    writing::readers_see_flushed_batches_in_the_middle_of_a_run,
    runs::a_second_crawl_of_a_connection_is_refused_while_one_runs,
    runs::a_run_that_was_killed_is_marked_by_the_next,
    runs::two_connections_are_crawled_at_once_by_two_programs,
    runs::a_caller_that_gives_up_in_the_middle_leaves_whole_batches_or_nothing,
    runs::a_report_is_kept_with_its_run,
    runs::a_failed_run_keeps_what_it_stored_and_archives_nothing,
    removal::what_a_complete_scope_no_longer_lists_is_missing,
    removal::nothing_is_concluded_from_an_incomplete_scope,
    removal::what_is_gone_is_archived_with_what_lies_below_and_comes_back,
    removal::too_much_at_once_is_kept_until_confirmed,
    removal::a_run_that_saw_nothing_archives_nothing,
    removal::what_the_run_has_seen_is_not_archived,
    removal::what_was_read_before_its_container_went_goes_with_it,
    removal::what_came_to_lie_below_an_archived_container_is_found_by_it,
    names::odd_names_are_stored_listed_found_and_exported,
    names::children_and_exports_are_ordered_bytewise_and_page_without_gaps,
    names::columns_objects_and_location_processes_have_names_too,
    names::what_people_type_is_resolved,
    names::what_is_archived_is_meant_where_nothing_active_is,
    search::names_come_before_columns_and_columns_before_descriptions,
    search::a_column_is_found_by_its_whole_name_among_many_of_the_same_words,
    search::beginnings_and_middles_of_names_are_found,
    search::kinds_and_limits_are_kept_and_strange_queries_do_no_harm,
    search::archived_and_renamed_things_are_not_found,
    lineage::locations_jobs_and_views_join_to_one_graph,
    lineage::cycles_end_and_large_graphs_are_cut,
    lineage::a_process_says_which_of_its_ends_are_views,
    lineage::columns_have_lineage_of_their_own,
    history::every_change_is_kept_with_its_columns,
    history::two_runs_are_compared_by_their_net_difference,
}
