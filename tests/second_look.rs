//! What second readers found stays mended.

use leadcore::desk::mass::{self, Change, Selection};
use leadcore::desk::purge::{self, PurgeRequest};
use leadcore::desk::views::{self, ViewDraft};
use leadcore::desk::{Expect, leads, pipelines, settings, timeline, undo};
use leadcore::domain::{
    Choice, CustomField, CustomType, Field, FieldValue, Kept, LeadFields, LeadPatch, Outcome, StageKind,
    WhyKept,
};
use leadcore::error::ErrorKind;
use leadcore::id::LeadId;
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::query::{Filter, Operator};

use crate::custom_fields::lead;
use crate::support::{Host, company, refused};

#[test]
fn an_undo_by_someone_who_sees_nothing_claims_nothing() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let edit = LeadPatch::new().set(Field::City, "Oslo").set(Field::Owner, "ada");
    host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &edit));
    let page = host.read(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 1));
    let operation = page.items[0].entry.operation;
    let own = Role::new().grant(Permission::View, Visibility::Own).grant(Permission::Edit, Visibility::Own);
    let table = RoleTable::new().role("own", own).user(&"bob".parse().unwrap(), &["own"], None).unwrap();
    let bobs = host.write_as("bob", &table, |ctx, txn| undo::undo(ctx, txn, operation));
    assert_eq!(bobs.unwrap_err().kind(), ErrorKind::Denied);
    host.write(|ctx, txn| undo::undo(ctx, txn, operation));
    let undone = host.read(|ctx, txn| leads::get(ctx, txn, lead.id));
    assert_eq!(undone.fields.address.city(), None, "who may, still can");
}

#[test]
fn a_timeline_tells_no_name_with_a_hidden_part() {
    let host = Host::new();
    let lead = host.add(LeadFields::consumer("Kari Nordmann").unwrap());
    let patch = LeadPatch::new().set(Field::FirstName, "Anna");
    host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &patch));
    let role = Role::manager().hide(Field::LastName).unwrap();
    let table = RoleTable::new().role("r", role).user(&"eve".parse().unwrap(), &["r"], None).unwrap();
    let page =
        host.write_as("eve", &table, |ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 10)).unwrap();
    assert!(page.items.iter().all(|item| !item.text.contains("Nordmann")), "{:?}", page.items);
}

#[test]
fn a_lead_that_is_reopened_in_a_won_stage_is_won() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    host.write(|ctx, txn| leads::disqualify(ctx, txn, lead.id, Expect::Any, None, None));
    let pipeline = host.read(|ctx, txn| pipelines::list(ctx, txn)).remove(0);
    let won = pipeline.stages.iter().find(|stage| stage.kind == StageKind::Won).unwrap().id;
    host.write(|ctx, txn| {
        pipelines::remove_stage(ctx, txn, pipeline.id, Expect::Any, pipeline.stages[0].id, Some(won))
    });
    let open = host.write(|ctx, txn| leads::reopen(ctx, txn, lead.id, Expect::Any));
    assert_eq!(open.closing.map(|closing| closing.outcome), Some(Outcome::Won));
}

#[test]
fn a_purge_refuses_a_filter_of_a_hundred_thousand_levels() {
    let host = Host::new();
    let deep = (0..100_000).fold(Filter::everything(), |filter, _| !filter);
    let request = PurgeRequest::everywhere(deep);
    refused(host.try_write(|ctx, txn| purge::plan(ctx, txn, &request).map(drop)), ErrorKind::Invalid);
}

#[test]
fn a_purge_takes_no_lead_that_its_plan_did_not_have() {
    let host = Host::new();
    let added: Vec<_> = (0..30).map(|n| host.add(company(&format!("Dead {n}")))).collect();
    let spare = host.add(company("Alive"));
    let request = PurgeRequest::everywhere(Filter::new(Field::Company, Operator::StartsWith, "Dead"));
    let plan = host.read(|ctx, txn| purge::plan(ctx, txn, &request));
    for (lead, name) in [(added[25].id, "Saved"), (spare.id, "Dead too")] {
        let patch = LeadPatch::new().set(Field::Company, name);
        host.write(|ctx, txn| leads::edit(ctx, txn, lead, Expect::Any, &patch));
    }
    refused(host.try_write(|ctx, txn| purge::apply(ctx, txn, &plan).map(drop)), ErrorKind::Conflict);
    host.read(|ctx, txn| leads::get(ctx, txn, spare.id));
}

#[test]
fn free_text_has_no_facets_and_shared_views_keep_their_conditions() {
    let host = Host::new();
    let field = CustomField::new("x_note".parse().unwrap(), "Note", CustomType::LongText);
    host.write(|ctx, txn| {
        let (revision, mut catalogue) = settings::catalogue(ctx, txn)?;
        catalogue.set_custom_field(field.clone());
        settings::set_catalogue(ctx, txn, revision, &catalogue)
    });
    let note: Field = "x_note".parse().unwrap();
    let facets = host.try_write(|ctx, txn| {
        leads::facets(ctx, txn, &Filter::everything(), std::slice::from_ref(&note)).map(drop)
    });
    refused(facets, ErrorKind::Unsupported);
    let draft = ViewDraft::new("Noted", Filter::new(note, Operator::Contains, "fair"));
    let view = host.write(|ctx, txn| {
        let saved = views::save(ctx, txn, &draft)?;
        views::share(ctx, txn, saved.id, saved.revision, true)
    });
    let table =
        RoleTable::new().role("m", Role::manager()).user(&"eve".parse().unwrap(), &["m"], None).unwrap();
    let seen = host.write_as("eve", &table, |ctx, txn| views::get(ctx, txn, view.id)).unwrap();
    assert_eq!(seen.filter, view.filter);
}

pub(crate) fn set_field(host: &Host, field: &CustomField) {
    host.write(|ctx, txn| {
        let (revision, mut catalogue) = settings::catalogue(ctx, txn)?;
        catalogue.set_custom_field(field.clone());
        settings::set_catalogue(ctx, txn, revision, &catalogue)
    });
}

pub(crate) fn manager_without(user: &str, hidden: &[Field]) -> RoleTable {
    let role = hidden.iter().cloned().fold(Role::manager(), |role, field| role.hide(field).unwrap());
    RoleTable::new().role("m", role).user(&user.parse().unwrap(), &["m"], None).unwrap()
}

#[test]
fn an_undo_gives_no_value_of_a_unique_field_to_two_leads() {
    let host = Host::new();
    let field = CustomField::new("x_erp".parse().unwrap(), "ERP number", CustomType::Text);
    set_field(&host, &field);
    let erp: Field = "x_erp".parse().unwrap();
    let ids = ["Nordlys AS", "Fjord AS"].map(|name| lead(&host, name, &[("x_erp", "7")]).id).to_vec();
    let clear = Change::Edit(LeadPatch::new().set(erp.clone(), FieldValue::Empty));
    let selection = Selection::Ids(ids.clone());
    let cleared = host.write(|ctx, txn| mass::run(ctx, txn, &selection, &clear));
    set_field(&host, &field.clone().unique(true));
    let operation = cleared.operation.unwrap();
    let plan = host.read(|ctx, txn| undo::plan(ctx, txn, operation));
    assert_eq!(plan.totals.reversed, 1, "the plan knows it: {plan:?}");
    let undone = host.write(|ctx, txn| undo::undo(ctx, txn, operation));
    assert_eq!(undone.totals.reversed, 1);
    let kept: Vec<_> = undone.remaining.iter().flat_map(|record| &record.kept).collect();
    assert!(matches!(kept[..], [Kept { field, why: WhyKept::Taken }] if field == "x_erp"), "{kept:?}");
    assert_eq!(host.count(&Filter::eq(erp, "7")), 1);
}

#[test]
fn an_undo_counts_as_refused_what_the_policy_refuses_not_what_is_gone() {
    let host = Host::new();
    let ids: Vec<_> = ["Nordlys AS", "Fjord AS", "Dal AS"].map(|name| host.add(company(name)).id).into();
    let give = LeadPatch::new().set(Field::Owner, "eve");
    for id in &ids[..2] {
        host.write(|ctx, txn| leads::edit(ctx, txn, *id, Expect::Any, &give));
    }
    let change = Change::Edit(LeadPatch::new().set(Field::City, "Oslo"));
    let edit = |ids: &[LeadId]| {
        let selection = Selection::Ids(ids.to_vec());
        host.write(|ctx, txn| mass::run(ctx, txn, &selection, &change)).operation.unwrap()
    };
    let (first, second) = (edit(&ids[..2]), edit(&ids[2..]));
    let gone = PurgeRequest::everywhere(Filter::eq(Field::Company, "Fjord AS"));
    host.write(|ctx, txn| {
        let plan = purge::plan(ctx, txn, &gone)?;
        purge::apply(ctx, txn, &plan)
    });
    let own = [Permission::View, Permission::Edit];
    let own = own.into_iter().fold(Role::new(), |role, may| role.grant(may, Visibility::Own));
    let table = RoleTable::new().role("own", own).user(&"eve".parse().unwrap(), &["own"], None).unwrap();
    let undone = host.write_as("eve", &table, |ctx, txn| undo::undo(ctx, txn, first)).unwrap();
    assert_eq!((undone.totals.reversed, undone.totals.failed, undone.forbidden), (1, 1, 0), "{undone:?}");
    let unseen = host.write_as("eve", &table, |ctx, txn| undo::undo(ctx, txn, second));
    assert_eq!(unseen.unwrap_err().kind(), ErrorKind::Denied, "somebody else may take it back");
}

#[test]
fn who_changes_a_view_of_somebody_else_is_not_told_its_hidden_conditions() {
    let host = Host::new();
    let filter = Filter::eq(Field::TaxId, "DE123456789");
    let view = host.write(|ctx, txn| {
        let saved = views::save(ctx, txn, &ViewDraft::new("Known", filter.clone()))?;
        views::share(ctx, txn, saved.id, saved.revision, true)
    });
    let table = manager_without("eve", &[Field::TaxId]);
    let renamed =
        host.write_as("eve", &table, |ctx, txn| views::rename(ctx, txn, view.id, Expect::Any, "Ours"));
    let same = host.write_as("eve", &table, |ctx, txn| views::rename(ctx, txn, view.id, Expect::Any, "Ours"));
    let shared = host.write_as("eve", &table, |ctx, txn| views::share(ctx, txn, view.id, Expect::Any, true));
    for seen in [renamed, same, shared] {
        let seen = seen.unwrap();
        assert_eq!(seen.name, "Ours");
        assert!(!seen.filter.to_string().contains("123456789"), "{}", seen.filter);
    }
    let kept = host.read(|ctx, txn| views::get(ctx, txn, view.id));
    assert_eq!(kept.filter, view.filter, "its owner still has it whole");
}

#[test]
fn a_copy_has_no_choice_that_nobody_may_choose() {
    let host = Host::new();
    let sizes = |choice: Choice| {
        let choices = vec![choice, Choice::new("l", "Large")];
        CustomField::new("x_size".parse().unwrap(), "Size", CustomType::OneOf(choices))
    };
    set_field(&host, &sizes(Choice::new("s", "Small")));
    let [small, large] = ["s", "l"].map(|code| lead(&host, "Nordlys AS", &[("x_size", code)]).id);
    set_field(&host, &sizes(Choice::new("s", "Small").archived()));
    let [small, large] =
        [small, large].map(|id| host.write(|ctx, txn| leads::clone_lead(ctx, txn, id)).fields.custom);
    assert_eq!((small.len(), large.len()), (0, 1));
}
