//! What every catalog does, whatever its database: each function takes a fresh catalog and knows nothing but the public API.

#[cfg(test)]
mod alerts;
#[cfg(test)]
mod attempts;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod control;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod enrichment;
#[cfg(test)]
mod first_user;
#[cfg(test)]
mod fresh;
#[cfg(test)]
mod history;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod inbox;
#[cfg(test)]
mod leases;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod lineage;
#[cfg(test)]
mod names;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod removal;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod runtimes;
#[cfg(test)]
mod search;
#[cfg(test)]
mod search_index;
#[cfg(test)]
mod search_pages;
#[cfg(test)]
mod signed_in;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod simulation_random;
#[cfg(test)]
mod studio;
#[cfg(test)]
mod studio_kinds;
#[cfg(test)]
mod twin_lineage;
#[cfg(test)]
mod twins;
#[cfg(test)]
mod upgrade;
#[cfg(test)]
mod users;
#[cfg(test)]
mod work;
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
        #[cfg(test)]
        mod postgres_15 {
            $(
                #[tokio::test]
                async fn $name() {
                    crate::$module::$name(crate::fresh::Fresh::postgres().await).await;
                }
            )+
        }
    };
}

/// Runs each function against SQLite alone: what is about files, and what takes thousands of short transactions.
macro_rules! files {
    ($($module:ident :: $name:ident),+ $(,)?) => {
        #[cfg(test)]
        mod sqlite_files {
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
    runtimes::an_enrolment_token_works_once_in_its_time_for_its_name_and_for_a_repeated_request,
    runtimes::an_assertion_is_good_once_and_a_revoked_runtime_has_no_token,
    runtimes::revoking_a_runtime_takes_its_run_away_at_once,
    runtimes::a_runtime_that_was_out_of_reach_takes_its_run_back_unless_another_has_it,
    runtimes::what_a_runtime_says_of_itself_is_kept_and_silence_is_seen,
    runtimes::a_question_is_taken_once_and_answered_by_who_took_it,
    inbox::a_batch_is_kept_once_in_its_order_under_its_lease_only,
    inbox::a_batch_after_an_outage_takes_the_lease_back,
    inbox::the_last_word_waits_for_all_batches_and_keeps_the_lease,
    inbox::questions_are_kept_until_they_are_answered,
    inbox::an_inbox_is_read_by_one_process_until_it_lets_go_or_is_lost,
    inbox::what_is_unchanged_is_told_without_a_run_of_the_connection,
    backup::a_catalog_survives_its_backup_and_restore,
    opening::connections_are_found_again_by_name_and_keep_their_number,
    upgrade::a_catalog_of_any_version_keeps_a_row_of_every_table,
    writing::a_batch_applied_twice_changes_nothing,
    writing::an_unchanged_crawl_writes_next_to_nothing,
    writing::changed_columns_are_counted_one_by_one,
    writing::counts_are_the_lines_of_the_export,
    writing::a_location_that_changes_hands_is_still_counted_once,
    writing::processes_that_are_no_longer_derived_go,
    writing::what_differs_twice_in_one_run_is_stored_as_last_delivered,
    writing::ten_thousand_columns_are_stored_and_found,
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
    search_index::what_is_found_after_many_crawls_is_what_is_there,
    search_index::an_index_that_is_mostly_out_of_date_is_merged_and_finds_the_same,
    search_pages::pages_of_hits_follow_each_other_and_say_how_many_there_are,
    search_pages::a_common_word_is_counted_up_to_a_bound_and_it_says_so,
    search_pages::a_kind_is_found_and_counted_in_whichever_crawls_it_came,
    search_pages::search_is_narrowed_to_kinds_and_connections_exactly,
    search_pages::search_is_narrowed_to_what_people_certified_or_tagged,
    search_pages::hits_show_what_was_found_and_where_they_lie,
    search_pages::what_is_named_by_ids_lies_in_what_has_names,
    lineage::locations_jobs_and_views_join_to_one_graph,
    lineage::cycles_end_and_large_graphs_are_cut,
    lineage::a_process_says_which_of_its_ends_are_views,
    lineage::columns_have_lineage_of_their_own,
    history::every_change_is_kept_with_its_columns,
    history::two_runs_are_compared_by_their_net_difference,
    twins::twins_find_each_other_whichever_is_crawled_first,
    twins::a_source_that_changes_or_goes_takes_its_twin_along,
    twins::what_is_archived_has_no_twin_until_it_is_restored,
    twins::every_connection_that_holds_the_table_is_a_twin,
    twins::many_assets_of_one_table_are_cut_and_it_says_so,
    twins::spellings_nested_catalogs_and_odd_names_are_understood,
    twins::links_lead_to_the_table_that_they_stand_for,
    twins::links_lead_to_owners_in_other_accounts,
    twins::twins_cost_an_unchanged_crawl_nothing,
    twins::people_find_assets_by_name_and_tables_by_arn,
    twin_lineage::lineage_goes_from_a_table_to_what_is_made_from_it_and_back,
    twin_lineage::a_table_that_lineage_names_by_its_arn_is_the_table,
    twin_lineage::lineage_by_the_arn_of_a_link_is_lineage_of_its_owner,
    twin_lineage::cycles_through_twins_end,
    twin_lineage::columns_of_twins_are_one_hop_apart,
    studio_kinds::folders_of_domains_and_projects_are_listed,
    studio_kinds::columns_of_the_studio_are_counted_found_and_exported_as_such,
    studio_kinds::what_lies_in_a_domain_project_or_glossary_goes_with_it,
    studio_kinds::a_project_that_was_seen_stays_with_what_lies_in_it,
    studio_kinds::technical_names_summaries_and_terms_are_searched,
    users::names_are_unique_whatever_their_case_and_script,
    users::names_that_cannot_be_shown_are_refused_and_other_texts_are_mended,
    users::users_are_listed_page_by_page_without_gaps,
    users::a_stale_edit_changes_nothing,
    users::the_last_active_administrator_stays,
    users::administrators_who_remove_each_other_at_once_leave_one,
    users::a_password_is_set_read_for_signing_in_and_never_printed,
    users::who_signs_in_at_a_provider_is_created_once_and_kept_up_to_date,
    users::a_role_that_is_ruled_changes_with_each_sign_in_except_for_the_last_administrator,
    users::a_name_asked_for_twice_at_once_is_given_once,
    users::who_is_deleted_administers_no_connection,
    signed_in::a_session_works_until_it_expires,
    signed_in::a_session_is_seen_once_a_minute,
    signed_in::sessions_end_with_sign_out_password_and_user,
    signed_in::of_too_many_sessions_the_oldest_ends,
    signed_in::a_token_works_until_it_expires_or_is_revoked_or_its_user_goes,
    signed_in::a_token_is_used_once_a_minute,
    signed_in::names_of_tokens_are_unique_for_their_user_until_revoked,
    signed_in::a_user_has_a_hundred_tokens_at_most,
    first_user::a_setup_link_makes_one_administrator,
    first_user::a_setup_link_that_expired_or_never_was_does_not_work,
    first_user::one_setup_link_used_twice_at_once_makes_one_administrator,
    first_user::replicas_that_start_at_once_bootstrap_once,
    first_user::a_catalog_with_users_is_not_bootstrapped_but_set_up_again_without_administrators,
    credentials::a_secret_is_sealed_for_its_number_and_version,
    credentials::a_credential_without_a_secret_or_whose_sealing_fails,
    credentials::credentials_have_unique_names_and_versions,
    credentials::a_credential_that_a_connection_uses_stays,
    credentials::no_connection_gets_a_credential_that_is_deleted_at_the_same_time,
    credentials::secrets_are_wrapped_anew_page_by_page_unless_they_changed,
    audit::an_entry_says_who_did_what_from_where,
    audit::a_change_that_fails_leaves_no_entry,
    audit::the_log_is_filtered_and_paged_newest_first_without_gaps,
    audit::old_entries_are_pruned_and_that_is_an_entry,
    idempotency::a_request_that_comes_again_gets_the_same_answer,
    idempotency::a_key_stands_for_one_principal_method_and_path,
    idempotency::one_of_many_claims_of_a_key_at_once_is_new,
    idempotency::a_claim_whose_program_died_is_taken_over_and_the_old_one_says_nothing,
    idempotency::answers_are_bounded_and_pruned_after_a_day,
    alerts::the_end_of_a_run_is_told_once_and_tried_until_it_arrives,
    alerts::a_holder_postpones_and_tells_of_its_run_only_while_it_has_the_lease,
    work::connections_are_created_once_edited_by_version_and_paged,
    work::every_change_of_connections_workflows_runs_and_enrichment_has_its_author,
    work::a_connection_and_its_administrators_change_together,
    work::workflows_are_created_once_edited_by_version_paused_and_removed,
    leases::run_now_is_refused_while_a_run_of_the_workflow_is_open,
    leases::jobs_come_oldest_first_from_their_queue_and_one_at_a_time_for_a_connection,
    leases::a_lost_lease_is_found_out_whatever_its_holder_does,
    leases::what_is_given_back_does_not_count_and_what_fails_too_often_ends,
    leases::a_queued_run_is_cancelled_at_once_and_a_running_one_by_its_worker,
    leases::a_time_of_a_schedule_starts_one_run_or_is_skipped,
    leases::many_workers_and_schedulers_at_once_get_distinct_leases,
    attempts::a_run_that_was_taken_over_writes_nothing_any_more,
    attempts::a_later_attempt_counts_what_an_earlier_one_created_as_created,
    attempts::command_lines_and_leases_keep_out_of_each_others_way,
    attempts::removals_are_confirmed_for_the_last_run_only_and_then_archived,
    enrichment::what_people_say_has_versions_and_stays_whatever_a_crawl_does,
    enrichment::assets_are_found_by_descriptions_tags_and_owners_of_people,
    lifecycle::an_archived_connection_keeps_everything_until_it_is_crawled_again,
    lifecycle::a_connection_that_is_crawled_is_neither_archived_nor_purged,
    lifecycle::a_purged_connection_leaves_nothing_and_others_alone,
    lifecycle::events_are_numbered_paged_and_the_newest_kept,
    lifecycle::old_runs_go_and_the_times_of_what_they_changed_stay,
}

files! {
    backup::a_backup_in_the_middle_of_a_run_is_whole_and_can_be_crawled_on,
    backup::a_backup_never_overwrites_and_leaves_nothing_of_a_failure,
    opening::a_new_catalog_is_for_its_owner_only_and_opens_again,
    opening::a_closed_catalog_is_one_file,
    opening::what_is_no_catalog_is_refused_and_left_alone,
    opening::questions_to_a_missing_catalog_say_how_to_make_one,
    opening::a_catalog_of_a_newer_version_is_refused,
    writing::a_full_catalog_says_so_and_keeps_what_it_has,
    simulation::leases_keep_their_promises_whatever_happens,
}
