//! Everything of a tenant as canonical text: what two stores that hold the same must agree on.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use crate::domain::{Lead, Subject, SubjectKind, TermKind, Topics};
use crate::error::Result;
use crate::id::{ContactId, LeadId, TenantId};
use crate::query::{Cursor, LeadScan, Resolved, Sort, SortField};
use crate::store::{EstimateScan, Series, SettingName, Store, StoreExt, Txn};
use crate::time::Date;

/// Everything that the ports say about a tenant, a line for each record, in an order that no store decides: leads with
/// the trash, accounts, links, contacts, pipelines, terms, estimates, products, settings, numbers, operations with their entries.
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
    for view in txn.views().list(None)? {
        subjects.insert(view.id.into());
        line(&mut out, "view", &view);
    }
    estimates(&mut out, txn, &mut subjects)?;
    for name in SettingName::ALL {
        line(&mut out, "setting", &(name.code(), txn.settings().load(name)?));
    }
    for series in Series::ALL {
        line(&mut out, "next number", &(series.code(), txn.numbers().peek(series)?));
    }
    journal(&mut out, txn, &subjects)?;
    Ok(out)
}

/// Estimates by date, and the products of each lead.
fn estimates(out: &mut String, txn: &mut dyn Txn, subjects: &mut BTreeSet<Subject>) -> Result<()> {
    let scan = EstimateScan {
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
