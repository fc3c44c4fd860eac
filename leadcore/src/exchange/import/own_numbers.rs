//! Whether the numbers and ids in a file are those of the leads here.
//!
//! Every system numbers its leads from 1, and many call the column as we do. So the leads are looked at: where they have
//! the numbers and nothing else of the rows, the numbers are another system's.

use std::collections::{BTreeMap, BTreeSet};

use super::bench::with_numbers;
use crate::context::Context;
use crate::desk::Gate;
use crate::domain::{Catalogue, Field, Lead, Numbering, header_key};
use crate::error::Result;
use crate::exchange::{Sample, unescape_formula};
use crate::id::LeadId;
use crate::policy::Permission;
use crate::store::Txn;
use crate::value::fold;

/// Fewer rows than this prove nothing against a column that has our header.
const FEW: usize = 3;

/// The columns that hold numbers of leads here, by their place. `is_key`: the caller says that numbers are what leads are
/// recognised by, so that the header alone counts.
pub(super) fn own_numbers(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    sample: &Sample,
    catalogue: &Catalogue,
    (numbering, is_key): (&Numbering, bool),
) -> Result<BTreeSet<usize>> {
    let mut own = BTreeSet::new();
    let headers: Vec<_> = sample.headers().iter().map(|header| unescape_formula(header)).collect();
    for (place, header) in headers.iter().enumerate() {
        if !is_called_number(header, catalogue) {
            continue;
        }
        let numbers: Vec<(u64, &[String])> =
            sample.cells().filter_map(|row| Some((numbering.parse(row.get(place)?.trim())?, row))).collect();
        let found = with_numbers(ctx, txn, numbers.iter().map(|(number, _)| *number))?;
        let gate = Gate::open(ctx, txn, Permission::View).ok();
        let leads: BTreeMap<u64, &Lead> = found
            .iter()
            .filter(|lead| gate.as_ref().is_some_and(|gate| gate.admits(lead)))
            .map(|lead| (lead.number, lead))
            .collect();
        let known: Vec<bool> =
            numbers.iter().filter_map(|(number, row)| Some(is_of(row, leads.get(number)?))).collect();
        let same = known.iter().filter(|same| **same).count();
        let says_who = headers.iter().any(|header| names_somebody(header, catalogue));
        // Beside ids of another system, the numbers are that system's too.
        let is_theirs = headers.iter().any(|header| {
            matches!(catalogue.rank_header(header), Some((Field::ExternalId, 1..)))
                && !is_called_number(header, catalogue)
        });
        let fits = match same {
            0 => !is_theirs && (!says_who || known.len() < FEW),
            same => same * 5 >= known.len(),
        };
        if is_key || !known.is_empty() && fits {
            own.insert(place);
        }
    }
    Ok(own)
}

/// The columns that hold ids of leads of this program, by their place: they are called as we call them, every cell is an id as
/// we make them, and one of the leads is here, or all are of the kind that only new programs make (version 7).
pub(super) fn own_ids(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    sample: &Sample,
    catalogue: &Catalogue,
) -> Result<BTreeSet<usize>> {
    let mut own = BTreeSet::new();
    let label = catalogue.settings(&Field::Id).and_then(|settings| settings.label.as_deref());
    let words = [Some(Field::Id.key()), Some(Field::Id.default_label()), label];
    for (place, header) in sample.headers().iter().enumerate() {
        let key = header_key(unescape_formula(header));
        if !words.iter().flatten().any(|word| header_key(word) == key) {
            continue;
        }
        let cells = sample.cells().filter_map(|row| Some(row.get(place)?.trim()));
        let ids = cells.filter(|cell| !cell.is_empty()).map(|cell| cell.parse::<LeadId>().ok());
        let Some(ids) = ids.collect::<Option<Vec<LeadId>>>().filter(|ids| !ids.is_empty()) else { continue };
        let gate = Gate::open(ctx, txn, Permission::View).ok();
        let is_here = |lead: &Lead| gate.as_ref().is_some_and(|gate| gate.admits(lead));
        if ids.iter().all(|id| id.as_uuid().get_version_num() == 7)
            || txn.leads().get(&ids)?.iter().any(is_here)
        {
            own.insert(place);
        }
    }
    Ok(own)
}

/// Whether a header is what the tenant, or any tenant, calls the number of a lead.
fn is_called_number(header: &str, catalogue: &Catalogue) -> bool {
    let key = header_key(header);
    let own = catalogue.settings(&Field::Number).and_then(|settings| settings.label.as_deref());
    let words = [Field::Number.key(), Field::Number.default_label(), "leadno", "leadnr"];
    let is_other = matches!(catalogue.rank_header(header), Some((_, 0)));
    !is_other
        && (own.is_some_and(|own| header_key(own) == key) || words.iter().any(|word| header_key(word) == key))
}

fn names_somebody(header: &str, catalogue: &Catalogue) -> bool {
    matches!(
        catalogue.field_for_header(header),
        Some(Field::Company | Field::Name | Field::FirstName | Field::LastName | Field::Email)
    )
}

/// Whether a row names the lead anywhere.
fn is_of(row: &[String], lead: &Lead) -> bool {
    let fields = &lead.fields;
    let names = [fields.company.as_deref(), fields.display_name()].into_iter().flatten().map(fold);
    let parts = fields.person.iter().flat_map(|person| [person.given(), person.family()]);
    let names: Vec<String> = names.chain(parts.flatten().map(fold)).collect();
    row.iter().map(|cell| fold(unescape_formula(cell).trim())).filter(|cell| !cell.is_empty()).any(|cell| {
        names.contains(&cell)
            || fields.emails.iter().any(|email| cell.contains(email.canonical()))
            || fields.external_ids.iter().any(|id| id.id().len() > 3 && cell.ends_with(&fold(id.id())))
    })
}
