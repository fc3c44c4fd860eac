//! One function per promise of a port, grouped by port. Each takes a store that is empty.
//!
//! [`CASES`] lists them by name; [`conformance!`](crate::conformance) makes a test of each.

pub mod activities;
pub mod agenda;
pub mod blocks;
pub mod children;
pub mod conversions;
pub mod custom_records;
pub mod customers;
pub mod desk;
pub mod desk_children;
pub mod desk_estimates;
pub mod desk_lists;
pub mod desk_opportunities;
pub mod desk_views;
pub mod estimates;
pub mod files;
pub mod filters;
pub mod host_records;
pub mod images;
pub mod journal;
pub mod keeping;
pub mod leads;
pub mod links;
pub mod mass;
pub mod numbers;
pub mod opportunities;
pub mod pages;
pub mod people;
pub mod pipelines;
pub mod records;
pub mod reports;
pub mod settings;
pub mod stages;
pub mod sums;
pub mod terms;
pub mod transactions;
pub mod views;

use crate::error::{Conflict, Error, ErrorKind, Result};
use crate::id::Revision;
use crate::store::{Store, Txn, nested};

use super::fixtures::World;

macro_rules! cases {
    ($d:tt $($group:ident { $($case:ident,)+ })+) => {
        /// Every case with its name.
        pub const CASES: &[(&str, fn(&dyn Store))] = &[$($((stringify!($case), $group::$case),)+)+];

        /// Makes a test of every case of the suite, each with a store of its own.
        ///
        /// The argument is evaluated once per test. It gives an empty store behind something that derefs to it: a
        /// `Box`, an `Arc`, or a struct of yours that keeps a temporary directory alive as long as the store.
        ///
        /// ```
        /// leadcore::conformance!(Box::new(leadcore::memory::MemoryStore::new()));
        /// ```
        #[macro_export]
        macro_rules! conformance {
            ($d make:expr) => {
                $($(
                    #[test]
                    fn $case() {
                        let store = $d make;
                        $crate::testkit::suite::$group::$case(&*store);
                    }
                )+)+
            };
        }
    };
}

cases! { $
    leads {
        a_lead_comes_back_as_it_was_written,
        hostile_texts_come_back_byte_for_byte,
        an_empty_text_is_not_an_absent_one,
        the_longest_description_comes_back,
        amounts_come_back_exactly,
        times_come_back_to_the_microsecond,
        order_within_lists_of_a_lead_is_kept,
        get_answers_in_the_order_asked,
        a_taken_lead_id_is_refused_and_nothing_is_written,
        a_taken_lead_number_is_refused_and_nothing_is_written,
        an_update_replaces_every_field,
        a_stale_lead_update_says_both_revisions,
        an_update_of_an_unknown_lead_is_not_found,
        one_stale_update_of_many_writes_nothing,
        find_answers_by_key_then_by_number,
        keys_follow_a_change,
        trashed_leads_are_seen_by_get_and_by_the_trash_only,
        a_closed_lead_comes_back_as_it_was_written,
        a_removed_lead_is_gone_everywhere,
        one_stale_removal_of_many_removes_nothing,
    }
    pages {
        every_sort_is_total_and_ties_go_by_id,
        empty_values_are_the_smallest,
        pages_of_every_sort_visit_every_lead_once,
        pages_visit_every_untouched_lead_once_while_others_change,
        a_cursor_survives_its_text_form,
        a_limit_of_zero_and_a_huge_one_are_honoured,
        a_cursor_stays_good_when_its_lead_is_gone,
    }
    filters {
        every_operator_on_every_field_agrees_with_the_reference,
        hostile_filter_values_are_values_and_nothing_else,
        not_is_true_where_the_field_is_empty,
        amounts_finer_than_any_stored_one_compare_exactly,
        wide_and_deep_filters_are_answered,
        searches_agree_with_the_reference,
        count_is_the_length_of_the_scan,
        a_kept_count_is_the_count,
        count_by_sums_to_the_count,
        count_by_is_in_ascending_order_with_empty_first,
        count_by_refuses_fields_that_it_cannot_group,
    }
    records {
        contacts_come_back_as_they_were_written,
        contacts_keep_their_rules,
        accounts_come_back_as_they_were_written,
        accounts_keep_their_rules,
        accounts_are_scanned_by_number,
        a_removed_account_is_gone_everywhere,
    }
    people {
        contacts_are_searched_by_name_and_address,
        a_search_for_contacts_follows_every_write,
        accounts_are_searched_by_name_and_address,
        followers_are_kept_once_and_read_from_both_ends,
    }
    blocks {
        accounts_are_found_by_their_keys,
        a_block_that_is_cut_says_so,
        an_archived_account_is_found_by_custom_fields_alone,
        keys_of_contacts_follow_every_write,
    }
    host_records {
        host_records_come_back_as_they_were_written,
        host_records_keep_their_rules,
    }
    reports {
        costs_come_back_as_they_were_written,
        costs_keep_their_rules,
        figures_agree_with_the_reference,
        moves_count_until_they_are_taken_back,
    }
    links {
        a_link_is_there_once,
        links_are_read_from_both_ends_in_order,
        links_of_several_subjects_and_of_one_role,
        removing_an_absent_link_changes_nothing,
    }
    journal {
        an_operation_comes_back_as_it_was_written,
        a_taken_operation_id_or_key_is_refused,
        an_operation_is_updated,
        an_operation_is_found_by_kind_and_key,
        entries_need_an_operation,
        entries_come_back_newest_first,
        entries_about_several_subjects_come_once_each,
        entries_before_a_place_page_backwards,
        entries_of_an_operation_come_oldest_first,
        every_operation_is_replayed_in_order,
        behind_the_end_lies_what_comes_later,
        changes_come_back_as_json_says_them,
    }
    children {
        placements_come_back_as_they_were_written,
        children_are_listed_by_time_from_any_place,
        children_are_narrowed_by_tab_and_state,
        a_child_about_several_records_counts_once,
        follow_ups_are_the_earliest,
        lifted_children_are_gone,
        what_follows_from_children_needs_no_revision,
    }
    pipelines {
        pipelines_come_back_default_first,
        pipelines_keep_their_rules,
        stages_keep_their_order_and_ids,
        stages_keep_their_rules,
        an_unused_pipeline_is_removed_with_its_stages,
    }
    terms {
        terms_come_back_by_position_then_name,
        terms_keep_their_rules,
        a_name_is_taken_whatever_its_case_and_accents,
        usage_counts_trashed_leads_too,
        a_term_in_use_is_not_removed,
    }
    settings {
        a_document_is_written_and_read,
        a_document_is_saved_by_its_revision_only,
    }
    numbers {
        numbers_count_up_from_one,
        a_failed_transaction_gives_its_numbers_back,
        a_used_up_series_says_so,
        a_series_skips_ahead_and_never_back,
        concurrent_writers_never_share_a_number,
        every_tenant_has_the_standard_series,
        a_series_is_written_and_read_by_its_revision,
        a_series_counts_in_its_range_and_by_the_year,
        a_gapless_series_has_no_gap_after_rollbacks,
        one_number_is_given_once_in_its_series,
        given_numbers_are_found,
    }
    sums {
        sums_follow_every_write,
        sums_are_exact_beyond_64_bits,
        a_filtered_sum_is_that_of_the_leads_it_matches,
    }
    stages {
        a_lead_is_lost_reopened_and_won,
        cards_lie_where_they_were_put,
        a_removed_stage_leaves_its_leads_elsewhere,
        pipelines_come_and_go,
        leads_rot_by_the_days_of_their_stage,
    }
    views {
        views_come_back_as_they_were_written,
        views_are_listed_for_their_user,
        views_keep_their_rules,
        view_preferences_are_kept_per_user,
        marks_are_kept_per_user,
    }
    agenda {
        a_range_holds_what_touches_it,
        a_range_is_of_kinds_and_of_a_user,
        series_are_listed_apart,
        reminders_come_until_they_are_moved,
    }
    files {
        files_come_back_as_they_were_written,
        files_keep_their_rules,
        contents_come_back_at_every_boundary,
        a_content_is_kept_once,
        a_content_is_kept_for_what_may_come_back,
        an_upload_that_is_not_finished_leaves_nothing,
        contents_belong_to_their_tenant,
        a_view_writes_no_content,
    }
    transactions {
        a_failed_write_leaves_nothing,
        a_savepoint_takes_back_exactly_its_own,
        savepoints_nest,
        a_failed_call_in_a_savepoint_leaves_the_transaction_usable,
        a_read_transaction_refuses_every_write,
        a_transaction_sees_its_own_writes,
        closures_return_values_and_errors,
        a_transaction_knows_its_tenant,
        tenants_never_see_each_other,
        two_tenants_may_use_the_same_names_and_numbers,
        of_two_writers_of_one_revision_one_wins,
        a_panic_in_the_work_leaves_nothing,
    }
    desk {
        a_lead_lives_from_creation_to_conversion,
        a_refused_call_leaves_nothing,
        a_list_walks_through_its_pages,
        the_trash_and_back,
        a_term_is_renamed_and_reassigned,
        a_conversion_happens_once_and_repeats_its_outcome,
        a_timeline_reads_the_same_from_both_sides,
    }
    desk_children {
        children_are_taken_back_and_again,
        attachments_come_back_with_their_note,
        who_does_not_see_a_record_is_not_told_of_it,
        a_purge_takes_children_along,
        a_timeline_tells_each_event_once,
        a_page_holds_what_its_parts_say,
    }
    desk_lists {
        an_acknowledged_reminder_stays_so_when_its_activity_comes_back,
        a_cursor_of_another_list_is_refused,
        a_list_of_no_kinds_is_refused,
    }
    customers {
        a_conversion_that_brings_nothing_new_leaves_the_account_alone,
        what_stays_on_the_lead_is_what_nothing_else_has,
        an_account_is_edited_by_its_revision,
        a_term_that_accounts_hold_is_not_deleted_by_halves,
        a_term_that_goes_is_rewritten_on_accounts_and_opportunities,
        a_deleted_term_comes_back_to_what_had_it,
        a_key_stands_for_one_conversion,
    }
    conversions {
        the_way_back_sees_what_comes_behind_a_thousand_services,
        a_purge_takes_nothing_that_no_conversion_made,
        a_plan_tells_the_links_that_are_made,
        a_plan_made_anew_is_the_call_that_its_key_stands_for,
        a_key_that_knows_an_option_less_is_still_good,
        what_is_lost_with_its_conversion_counts_for_nobody,
    }
    images {
        a_pipeline_is_written_back_from_its_journal,
        a_primary_contact_that_is_replaced_or_removed_is_in_the_journal,
        persons_are_listed_in_the_order_in_which_they_were_added,
    }
    desk_views {
        a_view_is_saved_opened_shared_and_deleted,
        a_view_opens_without_what_no_longer_fits,
        leads_are_unread_per_user_until_opened,
        every_page_of_a_view_shows_every_lead_once,
        a_copy_follows_every_change_once,
        facets_are_the_counts_of_the_lists,
        names_in_a_filter_stand_for_ids,
    }
    estimates {
        estimates_come_back_as_they_were_written,
        estimates_keep_their_rules,
        estimates_are_scanned_by_date,
        what_is_over_is_listed_as_expired,
        products_come_back_as_they_were_written,
        products_keep_their_rules,
        lines_of_many_estimates_come_back_with_each,
    }
    desk_estimates {
        an_estimate_lives_from_its_request_to_its_answer,
        only_the_latest_version_of_an_estimate_is_accepted,
        of_all_versions_of_an_estimate_one_is_accepted,
        a_request_waits_again_when_its_draft_goes,
    }
    opportunities {
        opportunities_come_back_as_they_were_written,
        opportunities_keep_their_rules,
        opportunities_are_scanned_by_day,
        terms_that_opportunities_have_are_in_use,
        services_come_back_as_they_were_written,
        services_keep_their_rules,
        services_are_scanned_by_id,
    }
    custom_records {
        accounts_contacts_and_opportunities_have_fields_of_their_own,
        definitions_change_with_what_records_say,
        opportunities_are_found_by_custom_fields,
    }
    desk_opportunities {
        an_opportunity_lives_until_it_is_won_or_lost,
        services_are_what_an_account_buys,
        an_opportunity_takes_its_notes_along,
    }
    mass {
        a_mass_change_answers_for_each_lead,
        a_mass_change_by_filter_reaches_every_match_once,
        a_mass_change_is_taken_back_exactly,
        an_undo_keeps_what_was_edited_since,
        a_mass_change_asks_the_policy_for_each_lead,
        a_mass_read_mark_is_the_users_own,
        an_undo_takes_back_what_happened_to_persons,
    }
    keeping {
        removed_contacts_are_gone,
        a_lead_comes_back_from_the_trash_with_all_it_had,
        a_purge_removes_what_it_planned_and_nothing_else,
        a_copy_has_a_life_of_its_own,
        a_vocabulary_is_kept_in_order,
        reasons_are_a_vocabulary_of_their_own,
        lead_numbers_are_written_as_the_tenant_says,
        functions_are_open_by_the_state_of_the_lead,
    }
    activities {
        activities_come_back_as_they_were_written,
        activities_keep_their_rules,
        removed_activities_are_gone,
        activities_are_listed_across_records,
        activities_belong_to_their_tenant,
    }
}

/// Runs `work` in a savepoint of a transaction that then commits, and returns its error: what was refused must not be
/// there afterwards.
fn refused<T>(
    world: &World,
    store: &dyn Store,
    why: &str,
    mut work: impl FnMut(&mut dyn Txn) -> Result<T>,
) -> Error {
    let error = world.write(store, |txn| Ok(nested(txn, |txn| work(txn).map(|_| ())).err()));
    error.unwrap_or_else(|| panic!("must be refused: {why}"))
}

fn assert_kind(error: &Error, kind: ErrorKind, why: &str) {
    assert_eq!(error.kind(), kind, "{why} (the error says: {error})");
}

fn assert_stale(error: &Error, expected: Revision, found: Revision, why: &str) {
    assert_eq!(
        error.conflict(),
        Some(&Conflict::StaleRevision { expected, found }),
        "{why}: the error must carry the revision sent and the one stored (it says: {error})"
    );
    assert_kind(error, ErrorKind::Conflict, why);
}
