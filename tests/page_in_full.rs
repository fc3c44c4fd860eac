//! What the page of a lead holds in every case, what a copy of a lead has, and whose clock the files of persons are by.

use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};
use leadcore::desk::lines::{self, Products};
use leadcore::desk::page::{self, PageOptions};
use leadcore::desk::{Expect, contacts, leads, undo};
use leadcore::domain::{ContactFields, Field, Line, MarkNote, Tab, Topics};
use leadcore::exchange::{contacts_csv, contacts_xlsx};
use leadcore::policy::{Role, RoleTable};
use leadcore::query::Filter;

use crate::support::{Host, company, form};

/// Products are on the page whichever tabs were asked for, and a tab that there is not is not taken for an empty one.
#[test]
fn products_in_every_case_and_no_tabs_that_there_are_not() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let wanted = Products::from(vec![Line::new("Panel", 12.into(), 200.into())]);
    let list = host.write(|ctx, txn| lines::set(ctx, txn, lead.id, Expect::Any, wanted.clone()));
    let none = PageOptions::new().first(0).tabs([]);
    for options in [PageOptions::new(), none] {
        let page = host.read(|ctx, txn| page::lead_page(ctx, txn, lead.id, &options));
        assert_eq!(page.lines, list);
    }
    let role = Role::manager().hide(Field::Amount).unwrap();
    let table =
        RoleTable::new().role("seller", role).user(&"eve".parse().unwrap(), &["seller"], None).unwrap();
    let page =
        host.write_as("eve", &table, |ctx, txn| page::lead_page(ctx, txn, lead.id, &PageOptions::new()));
    assert_eq!(page.unwrap().lines, None, "they add up to the amount");
    let tabs = host.read(page::all_tabs);
    assert_eq!(tabs.len(), 13);
    let asked = PageOptions::new().tabs([
        Tab::File,
        Tab::from_code("nots").unwrap(),
        Tab::from_code("zebra").unwrap(),
    ]);
    let error = host.try_read(|ctx, txn| page::lead_page(ctx, txn, lead.id, &asked)).unwrap_err();
    let said: Vec<_> = error.violations().iter().map(ToString::to_string).collect();
    assert_eq!(said[0], "`tabs[1]`: there is no such tab; did you mean `note`?");
    assert!(said[1].starts_with("`tabs[2]`: there is no such tab; the tabs are `note`, "), "{}", said[1]);
}

/// A word that is no state is answered with those that there are.
#[test]
fn a_follow_up_that_there_is_not_is_refused_with_those_that_there_are() {
    let host = Host::new();
    for (word, said) in [
        ("soon", "one of `none`, `planned`, `today`, `overdue`"),
        ("overdu", "`overdue`; did you mean `overdue`?"),
        ("tody", "did you mean `today`?"),
    ] {
        let filter = Filter::eq(Field::FollowUp, word);
        let error = host.try_read(|ctx, txn| leads::count(ctx, txn, &filter)).unwrap_err();
        assert!(error.violations()[0].message.contains(said), "{error:?}");
    }
}

/// What a lead may buy is its content: a copy has it, where nobody leaves it out, and an undo takes it along.
#[test]
fn a_copy_has_the_products() {
    let host = Host::new();
    let lead = host.add(form(&[(Field::Company, "Nordlys AS"), (Field::Currency, "NOK")]));
    let wanted = vec![Line::new("Panel", 12.into(), 200.into())];
    let of = |id| host.read(|ctx, txn| lines::of(ctx, txn, id));
    let list = host
        .write(|ctx, txn| lines::set(ctx, txn, lead.id, Expect::Any, Products::from(wanted.clone())))
        .unwrap();
    let copy = host.write(|ctx, txn| leads::clone_lead(ctx, txn, lead.id));
    let copied = of(copy.id).unwrap();
    assert_eq!((&copied.lines, &copied.totals, copied.lead()), (&list.lines, &list.totals, copy.id));
    let without = leads::CloneOptions::new().lines(false);
    let bare = host.write(|ctx, txn| leads::clone_lead_with(ctx, txn, lead.id, without));
    assert_eq!(of(bare.id), None);
    let about = [copy.id.into()];
    let entries = host.read(|_, txn| txn.journal().about(&about, Topics::NONE, None, 1));
    let operation = entries[0].operation;
    host.write(|ctx, txn| undo::undo(ctx, txn, operation));
    assert_eq!(of(lead.id), Some(list), "the lead keeps its own");
}

/// Who lives elsewhere reads the same time in both files, and which clock it is by.
#[test]
fn the_times_of_both_files_are_those_of_the_reader() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let since = MarkNote::new(Some("2026-11-20T08:00:00Z".parse().unwrap()), None).unwrap();
    let anna = ContactFields { do_not_call: Some(since), ..ContactFields::named("Anna Berg").unwrap() };
    host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, anna.clone(), true));
    for (minutes, time, head) in [
        (330, "2026-11-20T13:30:00+05:30", "Do not call since (UTC+05:30)"),
        (-180, "2026-11-20T05:00:00-03:00", "Do not call since (UTC-03:00)"),
    ] {
        let offset = chrono::FixedOffset::east_opt(minutes * 60).unwrap();
        let (mut table, mut book) = (Vec::new(), Vec::new());
        host.read(|ctx, txn| {
            table.clear();
            book.clear();
            let there = ctx.clone().with_utc_offset(offset);
            contacts_csv(&there, txn, lead.id, &mut table)?;
            contacts_xlsx(&there, txn, lead.id, &mut book)
        });
        assert!(String::from_utf8(table).unwrap().contains(time), "{time}");
        let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(&book)).unwrap();
        let sheet = book.worksheet_range("Contacts").unwrap();
        let rows: Vec<_> = sheet.rows().collect();
        let place = rows[0].iter().position(|cell| *cell == head).unwrap();
        let Data::DateTime(at) = &rows[1][place] else { panic!("a time is a time") };
        let local = 46_346.0 + 8.0 / 24.0 + f64::from(minutes) / 1_440.0;
        assert!((at.as_f64() - local).abs() < 1e-6, "{head}");
    }
}
