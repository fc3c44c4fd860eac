//! A customer that was handed over, a term that converted leads keep, functions that are spelt wrongly.

use leadcore::desk::functions::Functions;
use leadcore::desk::vocabulary::{self, InUse};
use leadcore::desk::{Expect, accounts, contacts, convert, settings};
use leadcore::domain::{AccountPatch, Field, LeadFields};
use leadcore::error::{Conflict, ErrorKind};
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::query::Filter;

use super::{converted, nordlys};
use crate::support::{Host, company, refused};

#[test]
fn a_customer_who_is_handed_over_is_seen_by_both() {
    let host = Host::new();
    let lead = host.add(LeadFields { owner: Some("eve".parse().unwrap()), ..nordlys() });
    let account = converted(&host, &lead).account.unwrap();
    let seller =
        Role::salesperson().grant(Permission::View, Visibility::Own).grant(Permission::Edit, Visibility::Own);
    let table = ["eve", "kai", "ola"].iter().fold(RoleTable::new().role("sales", seller), |table, user| {
        table.user(&user.parse().unwrap(), &["sales"], None).unwrap()
    });
    let patch = AccountPatch::new().set(Field::Owner, "kai");
    host.write(|ctx, txn| accounts::edit(ctx, txn, account, Expect::Any, &patch));
    for user in ["eve", "kai"] {
        let city = AccountPatch::new().set(Field::City, user);
        let edit = host.write_as(user, &table, |ctx, txn| {
            contacts::of_account(ctx, txn, account)?;
            assert_eq!(accounts::list(ctx, txn, None, 10)?.items.len(), 1);
            accounts::edit(ctx, txn, account, Expect::Any, &city)
        });
        assert_eq!(
            edit.unwrap().fields.owner.map(|owner| owner.to_string()),
            Some("kai".to_owned()),
            "{user}"
        );
    }
    let other = host.write_as("ola", &table, |ctx, txn| accounts::get(ctx, txn, account));
    refused(other, ErrorKind::NotFound);
    // The lead stays that of whoever worked it.
    let theirs = host.write_as("kai", &table, |ctx, txn| leadcore::desk::leads::get(ctx, txn, lead.id));
    refused(theirs, ErrorKind::NotFound);
}

#[test]
fn what_converted_leads_keep_is_refused_with_the_reason() {
    let host = Host::new();
    let source = host.write(|ctx, txn| vocabulary::add::<leadcore::id::SourceId>(ctx, txn, "Fair", None));
    let lead = host.add(LeadFields { source: Some(source.id), ..company("Nordlys") });
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &Default::default()));
    for in_use in [InUse::Refuse, InUse::Clear] {
        let error = refused(
            host.try_write(|ctx, txn| vocabulary::delete(ctx, txn, source.id, in_use)),
            ErrorKind::Conflict,
        );
        assert_eq!(error.conflict(), Some(&Conflict::InUse { by: 1 }));
        assert!(error.to_string().contains("1 converted lead,"), "{error}");
        assert!(error.to_string().contains("archive it"), "{error}");
    }
}

#[test]
fn a_misspelt_function_is_refused_when_it_is_set_up() {
    let host = Host::new();
    let set = |name: &str| {
        let functions = Functions::new().open_for(name, Filter::eq(Field::Kind, "company"));
        host.try_write(|ctx, txn| {
            let revision = settings::functions(ctx, txn)?.0;
            settings::set_functions(ctx, txn, revision, &functions)
        })
    };
    for wrong in ["covert", "convrt", "conevrt", "unconvet", "detele", "esimate"] {
        let error = refused(set(wrong), ErrorKind::Invalid);
        assert!(error.to_string().contains("`convert`") && !error.to_string().contains(wrong), "{error}");
    }
    for own in ["convert", "send_offer", "send", "erp:push"] {
        set(own).unwrap();
    }
}
