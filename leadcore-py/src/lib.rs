//! The Python extension module of leadcore: the core's use cases as functions over a `session::Session`.
//!
//! The package's Python half (`python/leadcore`) is what people import; this half holds what must be fast or touch the
//! core. Every function here runs the core detached from the interpreter, turns a panic into an ordinary error, and
//! raises nothing but the package's own exceptions (and `TypeError` for arguments of a wrong type).
#![expect(clippy::needless_pass_by_value, reason = "functions called from Python own their arguments")]

mod account_record;
mod accounts;
mod activities;
mod activity;
mod activity_fields;
mod arguments;
mod arrow_capsules;
mod arrow_cells;
mod arrow_in;
mod arrow_out;
mod arrow_report;
mod board;
mod calendar;
mod contacts;
mod conversion;
mod conversion_mapping;
mod conversion_words;
mod convert;
mod convert_many;
mod costs;
mod custom;
mod customer_form;
mod definition;
mod engine;
mod errors;
mod estimates;
mod exports;
mod files;
mod filters;
mod followers;
mod given;
mod hints;
mod host;
mod host_records;
mod import_io;
mod import_options;
mod imports;
mod json_place;
mod lead;
mod leads;
mod listing;
mod lists;
mod marks;
mod mass;
mod matching;
mod moves;
mod names;
mod opportunities;
mod outbox;
mod output;
mod page;
mod pipelines;
mod reading;
mod records;
mod series;
mod services;
mod session;
mod settings;
mod setup;
mod subject;
mod targets;
mod terms;
mod timeline;
mod told;
mod undo;
mod unit;
mod views;

/// The compiled half of leadcore. Use the package `leadcore`; what is here may change with any version.
#[pyo3::pymodule]
mod _leadcore {
    #[pymodule_export]
    use super::account_record::Account;
    #[pymodule_export]
    use super::accounts::{
        account_by_number, account_create, account_delete, account_delete_blockers, account_edit,
        account_get, account_leads, account_page,
    };
    #[pymodule_export]
    use super::activities::{
        activity_act, activity_add, activity_add_many, activity_assign, activity_complete,
        activity_complete_call, activity_delete, activity_edit, activity_get, activity_ical, activity_log,
        activity_page, activity_replace, activity_set_state, activity_skip,
    };
    #[pymodule_export]
    use super::arrow_in::arrow_to_csv;
    #[pymodule_export]
    use super::arrow_out::LeadTable;
    #[pymodule_export]
    use super::arrow_report::ReportTable;
    #[pymodule_export]
    use super::board::board;
    #[pymodule_export]
    use super::calendar::{
        calendar_ical, calendar_ical_of, calendar_month, calendar_overview, reminder_acknowledge,
        reminder_due,
    };
    #[pymodule_export]
    use super::contacts::{contact_add, contact_edit, contact_primary, contact_remove, contacts_of};
    #[pymodule_export]
    use super::conversion::{
        conversion_apply, conversion_check, conversion_convert, conversion_customer, conversion_estimates,
        conversion_no_opportunity, conversion_plan, conversion_series, conversion_services, conversion_told,
        unconversion_apply, unconversion_do, unconversion_plan, unconversion_unmet,
    };
    #[pymodule_export]
    use super::conversion_mapping::{
        conversion_mapping_get, conversion_mapping_lint, conversion_mapping_preview, conversion_mapping_set,
        conversion_mapping_standard, conversion_target_fields,
    };
    #[pymodule_export]
    use super::convert_many::{
        Part, conversion_counted, convert_in_batches, convert_many, convert_part, convert_parts,
    };
    #[pymodule_export]
    use super::costs::{cost_add, cost_delete, cost_edit, cost_get, cost_page, report};
    #[pymodule_export]
    use super::customer_form::conversion_opportunity;
    #[pymodule_export]
    use super::estimates::{
        estimate_by_number, estimate_can_move, estimate_copy, estimate_create, estimate_delete,
        estimate_edit, estimate_for_request, estimate_from_lines, estimate_get, estimate_move,
        estimate_numbering_get, estimate_numbering_set, estimate_page, estimate_revise, estimates_expire_due,
        estimates_of, lines_list, lines_of, lines_set,
    };
    #[pymodule_export]
    use super::exports::{
        contacts_vcard, export_leads, hygiene_apply, hygiene_check, hygiene_check_correction, hygiene_plan,
        input_check, output_check,
    };
    #[pymodule_export]
    use super::files::{
        file_delete, file_edit, file_get, file_read, file_read_range, file_save, files_add, files_of,
    };
    #[pymodule_export]
    use super::filters::{filter_parse, filter_text};
    #[pymodule_export]
    use super::followers::{follow, followed_by, followers_of, participants_named, participants_search};
    #[pymodule_export]
    use super::host_records::{
        record_by_key, record_edit, record_get, record_kind_remove, record_kind_set, record_kinds,
        record_link, record_unlink, records_of,
    };
    #[pymodule_export]
    use super::imports::{
        import_apply, import_apply_from, import_check_field, import_check_plan, import_leads,
        import_line_actions, import_line_gives_up, import_plan, import_plan_gone, import_plan_relinked,
        import_plan_to, import_preview, import_template, mapping_list, mapping_names, mapping_remove,
        mapping_save,
    };
    #[pymodule_export]
    use super::lead::Lead;
    #[pymodule_export]
    use super::leads::{
        lead_actions, lead_by_number, lead_count, lead_count_by, lead_create, lead_delete, lead_edit,
        lead_get, lead_page, lead_restore,
    };
    #[pymodule_export]
    use super::lists::{columns_list, columns_set, view_board, view_open};
    #[pymodule_export]
    use super::marks::{
        contact_do_not_call, contact_mark, contacts_export, lead_do_not_call, lead_mark_address,
    };
    #[pymodule_export]
    use super::mass::{mass_edit, mass_label, mass_move, mass_transfer, mass_trash};
    #[pymodule_export]
    use super::matching::{match_chosen, matches};
    #[pymodule_export]
    use super::moves::{
        lead_can_move, lead_clone, lead_disqualify, lead_idle, lead_move, lead_reopen, lead_stage_history,
    };
    #[pymodule_export]
    use super::opportunities::{
        opportunities_of, opportunity_by_number, opportunity_contacts, opportunity_create,
        opportunity_delete, opportunity_edit, opportunity_get, opportunity_move, opportunity_numbering_get,
        opportunity_numbering_set, opportunity_page,
    };
    #[pymodule_export]
    use super::outbox::{outbox_acknowledge, outbox_deliver, outbox_poll, outbox_start};
    #[pymodule_export]
    use super::page::{page_of_account, page_of_lead};
    #[pymodule_export]
    use super::pipelines::{
        pipeline_add, pipeline_list, pipeline_remove, pipeline_remove_stage, pipeline_set_default,
        pipeline_update,
    };
    #[pymodule_export]
    use super::reading::{
        lead_changes, lead_changes_start, lead_facets, lead_mark, lead_mark_all, lead_open,
    };
    #[pymodule_export]
    use super::records::Contact;
    #[pymodule_export]
    use super::series::{
        series_add, series_archive, series_edit, series_get, series_overview, series_set_default,
    };
    #[pymodule_export]
    use super::services::{
        service_create, service_delete, service_edit, service_get, service_page, service_set_state,
        services_of,
    };
    #[pymodule_export]
    use super::session::{Session, check_hidden, preset_role, zone_known};
    #[pymodule_export]
    use super::settings::{
        field_add, field_change, field_remove, field_specs, field_update, form, form_schema, section_list,
        section_remove, section_set,
    };
    #[pymodule_export]
    use super::setup::{functions_get, functions_set, lead_functions, numbering_get, numbering_set};
    #[pymodule_export]
    use super::terms::{
        term_add, term_archive, term_ask_for_detail, term_defaults, term_delete, term_list, term_recolor,
        term_rename, term_reorder,
    };
    #[pymodule_export]
    use super::timeline::timeline;
    #[pymodule_export]
    use super::undo::{purge, purge_plan, undo, undo_apply, undo_plan};
    #[pymodule_export]
    use super::views::{
        view_arrange, view_default, view_delete, view_get, view_list, view_pin, view_rename, view_save,
        view_share, view_update,
    };

    #[pymodule_init]
    fn init(module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        use pyo3::prelude::*;
        module.setattr("__version__", env!("CARGO_PKG_VERSION"))?;
        #[cfg(feature = "testing")]
        module.setattr("_panic", pyo3::wrap_pyfunction!(super::session::_panic, module)?)?;
        Ok(())
    }
}
