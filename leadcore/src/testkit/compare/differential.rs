//! Two stores against each other: the same calls must have the same results.

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

use crate::context::Context;
use crate::desk::{
    Expect, accounts, board, contacts, convert, leads, pipelines, settings, timeline, vocabulary,
};
use crate::domain::{
    CustomField, Entry, FieldValue, Lead, LeadDraft, LeadFields, LeadPatch, TermId, TermKind,
};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{
    AccountId, ActivityId, CategoryId, ContactId, DisqualifyReasonId, LabelId, LeadId, LocationId,
    LostReasonId, PartnerId, Revision, SourceId, StageId,
};
use crate::query::{LeadQuery, Page};
use crate::store::{Store, StoreExt, Txn, nested};

use super::super::dump::{canonical, dump};
use super::super::fixtures::{Scene, custom_catalogue};
use super::super::generate::{ActivityOp, Op};

mod activities;
mod stages;

/// Runs the calls through the desk against both stores, which must be empty, with the same clock and ids, and compares
/// every result (values, and kind and details of errors), and everything that is stored at the end.
///
/// Returns how many calls succeeded: a test in which none does says nothing.
///
/// # Panics
/// When the stores differ; the message says at which call.
pub fn differential(a: &dyn Store, b: &dyn Store, ops: &[Op]) -> usize {
    let mut succeeded = 0;
    let (mut of_a, mut of_b) = (Runner::new(a), Runner::new(b));
    for (n, op) in ops.iter().enumerate() {
        let (left, right) = (of_a.run(op), of_b.run(op));
        assert_eq!(left, right, "the stores differ at call {n}: {op:?}");
        succeeded += usize::from(left.starts_with("ok"));
    }
    let (left, right) = (dump(a, &of_a.scene.tenant), dump(b, &of_b.scene.tenant));
    for (left, right) in left.lines().zip(right.lines()) {
        assert_eq!(left, right, "the stores hold different things after {} calls", ops.len());
    }
    assert_eq!(left.lines().count(), right.lines().count(), "one store holds more than the other");
    succeeded
}

/// One store and what was made in it.
struct Runner<'s> {
    store: &'s dyn Store,
    scene: Scene,
    made: Made,
}

#[derive(Default)]
struct Made {
    leads: Vec<LeadId>,
    contacts: Vec<ContactId>,
    accounts: Vec<AccountId>,
    terms: BTreeMap<TermKind, Vec<Uuid>>,
    activities: Vec<ActivityId>,
}

/// The record at this place, counted round.
fn at<T: Copy>(list: &[T], place: usize) -> Option<T> {
    list.get(place.checked_rem(list.len())?).copied()
}

impl Made {
    fn lead(&self, place: usize) -> LeadId {
        at(&self.leads, place).unwrap_or(LeadId::from_uuid(Uuid::max()))
    }

    fn contact(&self, place: usize) -> ContactId {
        at(&self.contacts, place).unwrap_or(ContactId::from_uuid(Uuid::max()))
    }

    fn term(&self, kind: TermKind, place: usize) -> Uuid {
        self.terms.get(&kind).and_then(|terms| at(terms, place)).unwrap_or(Uuid::max())
    }

    fn refer(&self, fields: &mut LeadFields, terms: &[(TermKind, usize)]) {
        for (kind, place) in terms {
            let value = FieldValue::Id(self.term(*kind, *place));
            kind.field().write(fields, &value).expect("a reference fits");
        }
    }
}

impl<'s> Runner<'s> {
    fn new(store: &'s dyn Store) -> Self {
        let scene = Scene::new("differential");
        let catalogue = custom_catalogue();
        let set = |txn: &mut dyn Txn| settings::set_catalogue(&scene.ctx(), txn, None, &catalogue);
        store.write(&scene.tenant, set).expect("the catalogue breaks no rule");
        Self { store, scene, made: Made::default() }
    }

    /// The result of a call as text.
    fn run(&mut self, op: &Op) -> String {
        let (scene, made) = (&self.scene, &mut self.made);
        let result = match op {
            Op::Tick(seconds) => {
                scene.clock.advance(chrono::TimeDelta::seconds(*seconds));
                return String::new();
            }
            Op::Batch { ops, commit } => self.store.write(&scene.tenant, |txn| {
                let mut results = Vec::new();
                for op in ops {
                    results.push(text_of(nested(txn, |txn| call(&scene.ctx(), txn, made, op))));
                }
                if *commit {
                    Ok(results.join("\n"))
                } else {
                    Err(Error::new(ErrorKind::Cancelled, results.join("\n")))
                }
            }),
            reading if is_reading(reading) => {
                self.store.read(&scene.tenant, |txn| call(&scene.ctx(), txn, made, op))
            }
            _ => self.store.write(&scene.tenant, |txn| call(&scene.ctx(), txn, made, op)),
        };
        text_of(result)
    }
}

const fn is_reading(op: &Op) -> bool {
    matches!(
        op,
        Op::Get { .. }
            | Op::ByNumber(_)
            | Op::Pages { .. }
            | Op::Count(_)
            | Op::CountBy { .. }
            | Op::Board { .. }
            | Op::Timeline { .. }
            | Op::Accounts { .. }
            | Op::Persons { .. }
            | Op::StageHistory { .. }
            | Op::Activity(ActivityOp::Of { .. } | ActivityOp::AssignedTo { .. })
    )
}

fn text_of(result: Result<String>) -> String {
    match result {
        Ok(text) => format!("ok {text}"),
        Err(error) if error.kind() == ErrorKind::Cancelled => format!("taken back {error}"),
        Err(error) => format!("{} {:?} {:?}", error.kind(), error.conflict(), error.violations()),
    }
}

fn json(value: impl Serialize) -> String {
    serde_json::to_string(&value).expect("results serialise")
}

fn lead_text(lead: Lead) -> String {
    json(canonical(lead))
}

/// One call; what it makes is remembered.
fn call(ctx: &Context<'_>, txn: &mut dyn Txn, made: &mut Made, op: &Op) -> Result<String> {
    match op {
        Op::Create { fields, stage, terms } => {
            let mut draft = LeadDraft::from(fields.as_ref().clone());
            made.refer(&mut draft.fields, terms);
            draft.stage = stage.map(|place| self::stage(ctx, txn, place)).transpose()?;
            let lead = leads::create(ctx, txn, draft)?;
            made.leads.push(lead.id);
            Ok(lead_text(lead))
        }
        Op::CreateMany(drafts) => {
            let drafts = drafts.iter().cloned().map(LeadDraft::from).collect();
            let new = leads::create_many(ctx, txn, drafts)?;
            made.leads.extend(new.iter().map(|lead| lead.id));
            Ok(new.into_iter().map(lead_text).collect::<Vec<_>>().join("\n"))
        }
        Op::Edit { lead, stale, patch } => {
            let expect = if *stale { Expect::Revision(Revision::new(77)) } else { Expect::Any };
            leads::edit(ctx, txn, made.lead(*lead), expect, patch).map(lead_text)
        }
        Op::SetTerms { lead, terms } => {
            let change = |(kind, place): &(TermKind, usize)| (kind.field(), made.term(*kind, *place).into());
            let patch: LeadPatch = terms.iter().map(change).collect();
            leads::edit(ctx, txn, made.lead(*lead), Expect::Any, &patch).map(lead_text)
        }
        Op::Delete { lead } => leads::delete(ctx, txn, made.lead(*lead), Expect::Any).map(json),
        Op::Restore { lead } => leads::restore(ctx, txn, made.lead(*lead)).map(lead_text),
        Op::Move { .. }
        | Op::Disqualify { .. }
        | Op::Reopen { .. }
        | Op::StageRules { .. }
        | Op::RemoveStage { .. }
        | Op::FlagReason { .. } => stages::call(ctx, txn, made, op),
        Op::Convert { lead, into } => {
            let mut options = convert::ConversionOptions::default();
            if let Some(account) = into.and_then(|place| at(&made.accounts, place)) {
                options = options.into_account(account);
            }
            let outcome = convert::convert(ctx, txn, made.lead(*lead), &options)?;
            made.accounts.push(outcome.account.unwrap());
            made.contacts.extend(outcome.contacts.iter().filter(|_| outcome.newly_converted));
            Ok(json((&outcome, outcome.newly_converted)))
        }
        Op::Require { field, required } => {
            let (revision, mut catalogue) = settings::catalogue(ctx, txn)?;
            catalogue.settings_mut(field.clone()).required = Some(*required);
            settings::set_catalogue(ctx, txn, revision, &catalogue).map(json)
        }
        Op::Redefine { field, kind, clear } => {
            let (revision, catalogue) = settings::catalogue(ctx, txn)?;
            let Some(kind) = kind else {
                return settings::remove_field(ctx, txn, revision, field, *clear).map(json);
            };
            let mut definition = catalogue.custom_field(field).cloned();
            if let Some(known) = &mut definition {
                known.kind = kind.clone();
            }
            let definition =
                definition.unwrap_or_else(|| CustomField::new(field.clone(), "New", kind.clone()));
            let mapping = settings::FieldMapping::exact().choice("s", Some("l"));
            let mapping = if *clear { mapping.clear_rest() } else { mapping };
            settings::change_field(ctx, txn, revision, &definition, &mapping).map(json)
        }
        Op::AddContact { .. }
        | Op::EditContact { .. }
        | Op::RemoveContact { .. }
        | Op::MakePrimary { .. } => persons(ctx, txn, made, op),
        Op::AddTerm { kind, .. } | Op::RenameTerm { kind, .. } | Op::DeleteTerm { kind, .. } => match kind {
            TermKind::Source => term::<SourceId>(ctx, txn, made, op),
            TermKind::Category => term::<CategoryId>(ctx, txn, made, op),
            TermKind::Label => term::<LabelId>(ctx, txn, made, op),
            TermKind::Location => term::<LocationId>(ctx, txn, made, op),
            TermKind::Partner => term::<PartnerId>(ctx, txn, made, op),
            TermKind::LostReason => term::<LostReasonId>(ctx, txn, made, op),
            TermKind::DisqualifyReason => term::<DisqualifyReasonId>(ctx, txn, made, op),
        },
        Op::Activity(op) => activities::call(ctx, txn, made, op),
        reading => read(ctx, txn, made, reading),
    }
}

/// The stage at this place over all pipelines; behind the last one a stage that does not exist.
fn stage(ctx: &Context<'_>, txn: &mut dyn Txn, place: usize) -> Result<StageId> {
    let pipelines = pipelines::list_or_default(ctx, txn)?;
    let stages: Vec<_> = pipelines.iter().flat_map(|pipeline| &pipeline.stages).collect();
    Ok(stages.get(place).map_or(StageId::from_uuid(Uuid::max()), |stage| stage.id))
}

fn persons(ctx: &Context<'_>, txn: &mut dyn Txn, made: &mut Made, op: &Op) -> Result<String> {
    match op {
        Op::AddContact { lead, fields, primary } => {
            let contact = contacts::add(ctx, txn, made.lead(*lead), fields.as_ref().clone(), *primary)?;
            made.contacts.push(contact.id);
            Ok(json(contact))
        }
        Op::EditContact { lead, contact, fields } => {
            let (lead, contact) = (made.lead(*lead), made.contact(*contact));
            contacts::edit(ctx, txn, lead, contact, Expect::Any, fields.as_ref().clone()).map(json)
        }
        Op::RemoveContact { lead, contact } => {
            contacts::remove(ctx, txn, made.lead(*lead), made.contact(*contact)).map(json)
        }
        Op::MakePrimary { lead, contact } => {
            contacts::make_primary(ctx, txn, made.lead(*lead), made.contact(*contact)).map(json)
        }
        _ => Ok(String::new()),
    }
}

fn term<I: TermId + Serialize>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    made: &mut Made,
    op: &Op,
) -> Result<String> {
    let id = |place: &usize| I::from_term(made.term(I::KIND, *place));
    match op {
        Op::AddTerm { name, .. } => {
            let term = vocabulary::add::<I>(ctx, txn, name, None)?;
            made.terms.entry(I::KIND).or_default().push(term.id.term());
            Ok(json(term))
        }
        Op::RenameTerm { term, name, .. } => {
            vocabulary::rename(ctx, txn, id(term), Expect::Any, name).map(json)
        }
        Op::DeleteTerm { term, reassign, clear, .. } => {
            let how = match reassign {
                Some(other) => vocabulary::InUse::Reassign(id(other)),
                None if *clear => vocabulary::InUse::Clear,
                None => vocabulary::InUse::Refuse,
            };
            vocabulary::delete(ctx, txn, id(term), how).map(json)
        }
        _ => Ok(String::new()),
    }
}

fn read(ctx: &Context<'_>, txn: &mut dyn Txn, made: &Made, op: &Op) -> Result<String> {
    match op {
        Op::Get { lead } => leads::get(ctx, txn, made.lead(*lead)).map(lead_text),
        Op::ByNumber(number) => leads::by_number(ctx, txn, *number).map(lead_text),
        Op::Pages { filter, sort, limit, trash } => {
            let mut query = LeadQuery::new(filter.clone()).sort(sort.clone()).limit(*limit);
            let mut out = String::new();
            for _ in 0..5 {
                let page = if *trash { leads::trash } else { leads::list };
                let Page { items, next } = page(ctx, txn, &query)?;
                out.extend(items.into_iter().map(lead_text));
                out.push_str(&json(&next));
                if next.is_none() {
                    break;
                }
                query = query.after(next);
            }
            Ok(out)
        }
        Op::Count(filter) => leads::count(ctx, txn, filter).map(json),
        Op::CountBy { filter, field } => leads::count_by(ctx, txn, filter, field).map(json),
        Op::Board { filter, sort, cards } => {
            let query = board::BoardQuery::default().filter(filter.clone()).sort(sort.clone()).cards(*cards);
            let board = board::board(ctx, txn, &query)?;
            let columns = board.columns.into_iter().map(|column| {
                let cards: Vec<_> = column.cards.into_iter().map(lead_text).collect();
                json((column.stage, column.count, column.sums, column.wip, cards, column.next))
            });
            Ok(columns.collect::<Vec<_>>().join("\n"))
        }
        Op::Timeline { lead, limit } => {
            let mut before = None;
            let mut out = String::new();
            for _ in 0..4 {
                let page = timeline::of_lead(ctx, txn, made.lead(*lead), before, *limit)?;
                out.extend(page.items.iter().map(|item| entry_text(&item.entry) + &item.text));
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
            Ok(out)
        }
        Op::Accounts { limit } => accounts::list(ctx, txn, None, *limit).map(json),
        Op::StageHistory { lead } => leads::stage_history(ctx, txn, made.lead(*lead)).map(json),
        Op::Persons { lead } => contacts::of_lead(ctx, txn, made.lead(*lead)).map(json),
        _ => Ok(String::new()),
    }
}

/// An entry without its place, which every store chooses for itself.
fn entry_text(entry: &Entry) -> String {
    let who = (entry.operation, entry.operation_kind, &entry.actor, entry.at);
    json((who, entry.subject, entry.action, entry.other, &entry.changes))
}
