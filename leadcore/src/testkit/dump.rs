//! Everything of a tenant as canonical text: what two stores that hold the same must agree on.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use crate::domain::{HostRecord, Lead, Subject, SubjectKind, TermKind, Topics};
use crate::error::Result;
use crate::id::{ActivityId, ContactId, FileId, LeadId, RecordId, TenantId};
use crate::query::{Cursor, LeadScan, ReportScan, Resolved, Sort, SortField};
use crate::store::{
    ChildQuery, CostScan, EstimateScan, OpportunityScan, ServiceScan, SettingName, Store, StoreExt, Txn,
    WhichViews,
};
use crate::time::{Date, Timestamp};

/// Everything that the ports say about a tenant, a line for each record, in an order that no store decides: leads with the
/// trash, accounts, links, contacts, pipelines, terms, estimates, products, opportunities, services, costs, the stages that leads were in, settings, numbers, what hangs on records,
/// reminders, followers, records of the host, operations with their entries.
///
/// Two stores hold the same if their dumps are equal. What a store may choose is left out: the places of journal
/// entries (their order is kept) and the zeros at the end of an amount. Contacts and operations are those that links
/// and entries lead to.
///
/// # Panics
/// When the store cannot be read.
#[must_use]
pub fn dump(store: &dyn Store, tenant: &TenantId) -> String {
    store.read(tenant, |txn| text_of(txn)).expect("a tenant can be read as a whole")
}

fn text_of(txn: &mut dyn Txn) -> Result<String> {
    let mut out = format!("tenant {}\n", txn.tenant());
    let mut subjects = BTreeSet::from([Subject::new(SubjectKind::Settings, uuid::Uuid::nil())]);
    for trashed in [false, true] {
        for lead in every_lead(txn, trashed)? {
            subjects.insert(lead.id.into());
            line(&mut out, "lead", &canonical(lead));
        }
    }
    for account in txn.accounts().scan(None, usize::MAX)? {
        subjects.insert(account.id.into());
        line(&mut out, "account", &account);
    }
    let origins: Vec<_> = subjects.iter().copied().collect();
    let mut links = txn.links().from(&origins, None)?;
    links.sort();
    for link in links {
        subjects.insert(link.to);
        line(&mut out, "link", &link);
    }
    let contacts: Vec<_> = subjects
        .iter()
        .filter(|subject| subject.kind == SubjectKind::Contact)
        .map(|subject| ContactId::from_uuid(subject.id))
        .collect();
    for contact in txn.contacts().get(&contacts)? {
        line(&mut out, "contact", &contact);
    }
    for pipeline in txn.pipelines().list()? {
        subjects.insert(pipeline.id.into());
        line(&mut out, "pipeline", &pipeline);
    }
    for kind in TermKind::ALL {
        for record in txn.terms().list(kind)? {
            subjects.insert(Subject::new(SubjectKind::Term, record.term.id));
            let usage = txn.terms().usage(kind, record.term.id)?;
            line(&mut out, "term", &(kind, &record.term, usage));
        }
    }
    for view in txn.views().list(WhichViews::All)? {
        subjects.insert(view.id.into());
        line(&mut out, "view", &view);
    }
    estimates(&mut out, txn, &mut subjects)?;
    opportunities(&mut out, txn, &mut subjects)?;
    for cost in txn.costs().scan(&CostScan { limit: usize::MAX, ..Default::default() })? {
        subjects.insert(cost.id.into());
        line(&mut out, "cost", &cost);
    }
    // Which stages each lead was in.
    for figures in txn.reports().stages(&ReportScan::all())? {
        line(&mut out, "stage entered", &(figures.stage, figures.entered));
    }
    for name in SettingName::ALL {
        line(&mut out, "setting", &(name.code(), txn.settings().load(name)?));
    }
    for series in txn.numbers().list()? {
        subjects.insert(series.id.into());
        // The years that clocks of tests know.
        for year in (2020..2040).take(if series.fields.yearly { 20 } else { 1 }) {
            line(&mut out, "next number", &(year, txn.numbers().peek(series.counter(year))?));
        }
        line(&mut out, "number series", &series);
    }
    children(&mut out, txn, &subjects)?;
    for reminder in txn.agenda().reminders(Timestamp::MAX, None, usize::MAX)? {
        line(&mut out, "reminder", &(reminder.at, reminder.activity.id));
    }
    let followed: Vec<_> = subjects.iter().copied().collect();
    for follow in txn.followers().of(&followed)? {
        line(&mut out, "follower", &follow);
    }
    for record in host_records(txn, &followed)? {
        subjects.insert(record.id.into());
        line(&mut out, "record", &record);
    }
    journal(&mut out, txn, &subjects)?;
    Ok(out)
}

/// What hangs on the records, and on what hangs on them.
fn children(out: &mut String, txn: &mut dyn Txn, subjects: &BTreeSet<Subject>) -> Result<()> {
    let mut about: Vec<_> = subjects.iter().copied().collect();
    let mut known = BTreeSet::new();
    while !about.is_empty() {
        let query = ChildQuery {
            about,
            tabs: Vec::new(),
            open: None,
            descending: false,
            after: None,
            limit: usize::MAX,
        };
        let found = txn.children().list(&query)?;
        about = found.iter().map(|placed| placed.child).filter(|child| known.insert(*child)).collect();
    }
    let known: Vec<_> = known.into_iter().collect();
    for mut placement in txn.children().placements(&known)? {
        placement.about.sort();
        line(out, "child", &placement);
    }
    let of_kind = |kind| known.iter().filter(move |child| child.kind == kind).map(|child| child.id);
    let activities: Vec<_> = of_kind(SubjectKind::Activity).map(ActivityId::from_uuid).collect();
    for activity in txn.activities().get(&activities)? {
        line(out, "activity", &activity);
    }
    for id in of_kind(SubjectKind::File).map(FileId::from_uuid).collect::<Vec<_>>() {
        for file in txn.files().get(&[id])? {
            let content = (txn.blobs().size(&file.hash)?, txn.files().uses(&[file.hash])?);
            line(out, "file", &(&file, content));
        }
    }
    Ok(())
}

/// Opportunities by day, and services.
fn opportunities(out: &mut String, txn: &mut dyn Txn, subjects: &mut BTreeSet<Subject>) -> Result<()> {
    for opportunity in
        txn.opportunities().scan(&OpportunityScan { limit: usize::MAX, ..Default::default() })?
    {
        subjects.insert(opportunity.id.into());
        line(out, "opportunity", &opportunity);
    }
    for service in txn.services().scan(&ServiceScan { limit: usize::MAX, ..Default::default() })? {
        subjects.insert(service.id.into());
        line(out, "service", &service);
    }
    Ok(())
}

/// Estimates by date, and the products of each lead.
fn estimates(out: &mut String, txn: &mut dyn Txn, subjects: &mut BTreeSet<Subject>) -> Result<()> {
    let scan = EstimateScan {
        revises: None,
        status: None,
        today: Date::MIN,
        from: None,
        until: None,
        descending: false,
        after: None,
        limit: usize::MAX,
    };
    for estimate in txn.estimates().scan(&scan)? {
        subjects.insert(estimate.id.into());
        line(out, "estimate", &estimate);
    }
    let leads: Vec<_> = subjects
        .iter()
        .filter(|subject| subject.kind == SubjectKind::Lead)
        .map(|subject| LeadId::from_uuid(subject.id))
        .collect();
    for list in txn.lines().get(&leads)? {
        line(out, "products", &list);
    }
    Ok(())
}

fn journal(out: &mut String, txn: &mut dyn Txn, subjects: &BTreeSet<Subject>) -> Result<()> {
    let subjects: Vec<_> = subjects.iter().copied().collect();
    let mut entries = txn.journal().about(&subjects, Topics::NONE, None, usize::MAX)?;
    entries.reverse();
    let mut operations = BTreeSet::new();
    for entry in entries {
        if operations.insert(entry.operation) {
            line(out, "operation", &txn.journal().operation(entry.operation)?);
        }
        let said = (
            entry.operation,
            entry.operation_kind,
            &entry.actor,
            entry.at,
            entry.subject,
            entry.action,
            entry.other,
        );
        line(out, "entry", &(said, &entry.changes));
    }
    Ok(())
}

/// The records of the host that are shown with any of these, by id.
fn host_records(txn: &mut dyn Txn, about: &[Subject]) -> Result<Vec<HostRecord>> {
    let query = ChildQuery {
        about: about.to_vec(),
        tabs: Vec::new(),
        open: None,
        descending: false,
        after: None,
        limit: usize::MAX,
    };
    let placed = txn.children().list(&query)?;
    let ids: BTreeSet<_> = placed
        .iter()
        .filter(|placed| placed.child.kind == SubjectKind::Record)
        .map(|placed| RecordId::from_uuid(placed.child.id))
        .collect();
    txn.records().get(&ids.into_iter().collect::<Vec<_>>())
}

fn every_lead(txn: &mut dyn Txn, trashed: bool) -> Result<Vec<Lead>> {
    let sort = Sort::ascending(SortField::Number);
    let mut leads: Vec<Lead> = Vec::new();
    loop {
        let after = leads.last().map(|lead| Cursor::behind(lead, &sort));
        let scan =
            LeadScan { filter: Resolved::everything(), trashed, sort: sort.clone(), limit: 1_000, after };
        let page = txn.leads().scan(&scan)?;
        if page.is_empty() {
            return Ok(leads);
        }
        leads.extend(page);
    }
}

/// The lead as every store must give it back: zeros at the end of an amount are not kept.
pub(super) fn canonical(mut lead: Lead) -> Lead {
    lead.fields.amount = lead.fields.amount.map(|amount| amount.normalize());
    lead
}

fn line(out: &mut String, what: &str, value: &impl Serialize) {
    let json = serde_json::to_string(value).expect("records serialise");
    writeln!(out, "{what} {json}").expect("a text takes more text");
}
