//! Pages of the tabs of a record.

use std::collections::BTreeSet;

use crate::context::Context;
use crate::domain::{Subject, Tab};
use crate::error::Result;
use crate::query::{Asked, ListCursor, Page};
use crate::store::{ChildQuery, Txn};

use super::children::{Child, shown, shown_with};
use super::listing::{Listing, check_limit};

/// What the cursors of a tab, or of several, belong to.
pub(super) fn tab_list(of: Subject, tabs: &[Tab], open: Option<bool>, ascending: bool) -> Asked {
    let tabs: BTreeSet<&str> = tabs.iter().map(Tab::code).collect();
    Asked::new(&("tabs", of, tabs, open, ascending))
}

/// A page of one tab, or of several of the same kind of child.
pub(super) fn page<C: Child>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    of: Subject,
    tabs: Vec<Tab>,
    listing: &Listing,
) -> Result<Page<C, ListCursor>> {
    check_limit(listing.limit)?;
    let list = tab_list(of, &tabs, listing.open, listing.ascending);
    let after = list.place(listing.after.as_ref())?;
    let about = shown_with(ctx, txn, of)?;
    let query = ChildQuery {
        about,
        tabs,
        open: listing.open,
        descending: !listing.ascending,
        after,
        limit: listing.limit.saturating_add(1),
    };
    let found = txn.children().list(&query)?;
    let page = Page::cut(found, listing.limit, |placed| list.behind(placed.place()));
    let ids: Vec<_> = page.items.iter().map(|placed| placed.child.id).collect();
    let found = C::load(txn, &ids)?;
    Ok(Page { items: shown(ctx, txn, found)?, next: page.next })
}
