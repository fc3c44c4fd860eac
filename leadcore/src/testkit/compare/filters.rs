//! A store against the reference evaluator.

use crate::context::Context;
use crate::domain::{Catalogue, Lead, Numbering, SearchPart};
use crate::id::LeadId;
use crate::query::{Asker, Filter, LeadScan, SearchParts, Sort, SortField};
use crate::store::{SettingName, Store, StoreExt};

/// Checks that the store gives, for each filter, the leads that the reference evaluator gives: listed, counted, in the
/// trash, and for the opposite of the filter. `leads` is everything that the tenant of `ctx` has. Filters that do not
/// fit their field are passed over; searches are also asked as by who may look into some parts of the leads only; the number of those that were checked is returned.
///
/// # Panics
/// When the store and [`Resolved::matches`](crate::query::Resolved::matches) disagree.
pub fn filters_agree(store: &dyn Store, ctx: &Context<'_>, leads: &[Lead], filters: &[Filter]) -> usize {
    let mut checked = 0;
    let document = store.read(ctx.tenant(), |txn| txn.settings().load(SettingName::Catalogue));
    let json = document.expect("the store can be read").map(|(_, json)| json);
    let catalogue = json.map_or_else(Catalogue::standard, |json| serde_json::from_str(&json).unwrap());
    let asker = ctx.asker().with(&catalogue);
    let numbering = Numbering { prefix: "L-".to_owned(), width: 5, start: 1 };
    // Who may not see everything, and does not search in all of it.
    let clerk = Asker { searched: SearchParts::only(|part| part < SearchPart::Phone), ..asker };
    let other = SearchParts::only(|part| !matches!(part, SearchPart::Company | SearchPart::Phone));
    let askers = [asker, clerk, Asker { numbering: Some(&numbering), searched: other, ..asker }];
    for filter in filters {
        for (filter, n) in
            [(filter.clone(), 0), (!filter.clone(), 0), (filter.clone(), 1), (!filter.clone(), 2)]
        {
            if n > 0 && !filter.searches() {
                continue;
            }
            let Ok(resolved) = filter.resolve(&askers[n]) else { continue };
            checked += usize::from(n == 0);
            for trashed in [false, true] {
                let of_place = leads.iter().filter(|lead| lead.trashed.is_some() == trashed);
                let mut wanted: Vec<_> = of_place.filter(|lead| resolved.matches(lead)).collect();
                wanted.sort_by_key(|lead| lead.number);
                let wanted: Vec<LeadId> = wanted.iter().map(|lead| lead.id).collect();
                let scan = LeadScan {
                    filter: resolved.clone(),
                    trashed,
                    sort: Sort::ascending(SortField::Number),
                    limit: leads.len() + 1,
                    after: None,
                };
                let (found, count) = store
                    .read(ctx.tenant(), |txn| Ok((txn.leads().scan(&scan)?, txn.tallies().count(&resolved)?)))
                    .unwrap_or_else(|error| panic!("{}: the store fails: {error}", shown(&filter)));
                let found: Vec<LeadId> = found.iter().map(|lead| lead.id).collect();
                assert_eq!(
                    found,
                    wanted,
                    "the store (left) and the reference (right) disagree (trash: {trashed}) on {}",
                    shown(&filter)
                );
                if !trashed {
                    assert_eq!(
                        count,
                        u64::try_from(wanted.len()).unwrap(),
                        "the count of {}",
                        shown(&filter)
                    );
                }
            }
        }
    }
    checked / 2
}

/// The beginning of a filter as JSON: enough to see what it asks.
fn shown(filter: &Filter) -> String {
    let json = serde_json::to_string(filter).unwrap_or_else(|_| format!("{filter:?}"));
    json.chars().take(400).collect()
}
