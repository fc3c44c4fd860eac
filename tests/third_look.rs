//! What readers of the whole missed is there: what is hidden, what is found by its number, what follows a change.

use leadcore::context::Context;
use leadcore::desk::settings::FieldMapping;
use leadcore::desk::views::{self, ViewDraft, ViewRequest};
use leadcore::desk::vocabulary::{self, InUse};
use leadcore::desk::{Expect, leads, settings};
use leadcore::domain::{
    Action, Catalogue, Choice, CustomField, CustomKey, CustomType, Field, FieldValue, LeadPatch, Numbering,
    SystemView, Topics,
};
use leadcore::error::{Conflict, ErrorKind};
use leadcore::id::SourceId;
use leadcore::policy::{AllowAll, Role, RoleTable};
use leadcore::query::{Cursor, Filter, LeadQuery, Operator};
use leadcore::store::Txn;

use crate::custom_fields::lead;
use crate::second_look::{manager_without, set_field};
use crate::support::{Host, company, fields_of, form, refused};

#[test]
fn a_search_looks_into_what_the_actor_may_see() {
    let host = Host::new();
    let hit = host.add(form(&[(Field::Company, "Nordlys AS"), (Field::Email, "post@fjord.example")]));
    host.add(form(&[(Field::Company, "Fjord AS"), (Field::Email, "post@nordlys.example")]));
    let table = manager_without("eve", &[Field::Email, Field::Phone]);
    for (text, found) in [("nordlys", 1), ("nordlys as", 1), ("example", 0), ("as", 2), ("nordlys fjord", 0)]
    {
        let filter = Filter::search(text);
        let seen = |filter: &Filter| {
            host.write_as("eve", &table, |ctx, txn| {
                let listed = leads::list(ctx, txn, &LeadQuery::new(filter.clone()))?.items.len();
                Ok((listed as u64, leads::count(ctx, txn, filter)?))
            })
        };
        assert_eq!(seen(&filter).unwrap(), (found, found), "{text}");
        assert_eq!(seen(&!filter).unwrap().1, 2 - found, "nor does what is not found tell: {text}");
    }
    let mixed = Filter::search("nordlys") & Filter::eq(Field::Email, "post@fjord.example");
    refused(host.write_as("eve", &table, |ctx, txn| leads::count(ctx, txn, &mixed)), ErrorKind::Invalid);
    assert_eq!(host.count(&mixed), 1);
    assert_eq!(host.count(&Filter::search("nordlys fjord")), 2, "who sees all searches all");
    let page = host.write_as("eve", &table, |ctx, txn| {
        views::open(ctx, txn, SystemView::All, &ViewRequest::new().search("nordlys"))
    });
    assert_eq!(page.unwrap().rows.iter().map(|row| row.id).collect::<Vec<_>>(), [hit.id]);
}

#[test]
fn own_leads_are_listed_also_where_owners_are_hidden() {
    let host = Host::new();
    let own = host.add(form(&[(Field::Company, "Nordlys AS"), (Field::Owner, "eve")]));
    host.add(company("Fjord AS"));
    let table = manager_without("eve", &[Field::Owner]);
    let page = host.write_as("eve", &table, |ctx, txn| {
        let menu = views::list(ctx, txn)?;
        assert_eq!(menu[0].view, SystemView::Mine.into(), "lists open with it");
        assert!(menu.iter().all(|entry| entry.view != SystemView::Unassigned.into()), "that would tell");
        views::board(ctx, txn, SystemView::Mine, &ViewRequest::new())?;
        views::open(ctx, txn, SystemView::Mine, &ViewRequest::new())
    });
    let page = page.unwrap();
    assert_eq!(page.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [own.id]);
    assert_eq!(page.rows[0].lead.fields.owner, None, "what is hidden stays hidden");
    for other in ["ada", "my_team"] {
        let filter = Filter::eq(Field::Owner, other);
        refused(host.write_as("eve", &table, |ctx, txn| leads::count(ctx, txn, &filter)), ErrorKind::Invalid);
    }
}

#[test]
fn a_lead_is_found_by_its_number_as_it_is_written() {
    let host = Host::new();
    let numbering = Numbering { prefix: "L-".to_owned(), width: 5, start: 42 };
    host.write(|ctx, txn| settings::set_numbering(ctx, txn, None, &numbering));
    host.add(company("Nordlys AS"));
    host.add(company("L-00042 Trading"));
    for (text, found) in
        [("L-00043", 1), ("l-00042", 2), ("00043", 1), ("43", 1), ("L-43", 0), ("L-00044", 0), ("nordlys", 1)]
    {
        assert_eq!(host.count(&Filter::search(text)), found, "{text}");
        assert_eq!(host.names(Filter::search(text)).len() as u64, found, "{text}");
    }
    let texts = ["number = L-00042", "number = 42", "number in (L-00042, 7)", "number < l-43"];
    for text in texts {
        assert_eq!(host.names(Filter::parse(text).unwrap()), ["Nordlys AS"], "{text}");
    }
    let wrong = Filter::parse("number = K-00042").unwrap();
    refused(host.try_read(|ctx, txn| leads::count(ctx, txn, &wrong)), ErrorKind::Invalid);
    let draft = ViewDraft::new("One", Filter::parse("number = L-00042").unwrap());
    let page = host.write(|ctx, txn| {
        let saved = views::save(ctx, txn, &draft)?;
        views::open(ctx, txn, saved.id, &ViewRequest::new().columns([Field::Number, Field::Company]))
    });
    assert_eq!(page.rows[0].cells, ["L-00042", "Nordlys AS"]);
    let table = manager_without("eve", &[Field::Company]);
    let hidden = host.write_as("eve", &table, |ctx, txn| leads::count(ctx, txn, &Filter::search("l-00042")));
    assert_eq!(hidden.unwrap(), 1, "by the number, not by the hidden name");
}

#[test]
fn forms_schemas_templates_and_columns_show_no_hidden_field() {
    let host = Host::new();
    for key in ["x_margin", "x_note"] {
        set_field(&host, &CustomField::new(key.parse().unwrap(), key, CustomType::Text).required(true));
    }
    let hidden: [Field; 3] = [Field::Email, Field::Source, "x_margin".parse().unwrap()];
    let shown = |catalogue: &Catalogue| {
        let form = catalogue.form().into_iter().flat_map(|section| section.fields).map(|spec| spec.field);
        let schema = catalogue.json_schema();
        let keys = schema["properties"].as_object().unwrap().keys();
        let required = schema["required"].as_array().unwrap().iter().map(|key| key.as_str().unwrap());
        let schema = keys.map(|key| key.parse().unwrap()).chain(required.map(|key| key.parse().unwrap()));
        let columns = catalogue.columns().into_iter().map(|spec| spec.field);
        let mut file = Vec::new();
        leadcore::exchange::template(catalogue, &mut file).unwrap();
        let file = String::from_utf8(file).unwrap();
        let template =
            file.trim().split(',').map(|header| catalogue.field_for_header(header).expect("it maps itself"));
        let lists: [Vec<Field>; 4] =
            [form.collect(), schema.collect(), columns.collect(), template.collect()];
        lists
    };
    let all = shown(&host.read(|ctx, txn| settings::visible_catalogue(ctx, txn)));
    let table = manager_without("eve", &hidden);
    let eves = host.write_as("eve", &table, |ctx, txn| settings::visible_catalogue(ctx, txn)).unwrap();
    assert!(eves.form().iter().flat_map(|section| &section.fields).all(|spec| !spec.read_only));
    for (all, seen) in all.into_iter().zip(shown(&eves)) {
        let kept: Vec<_> = all.iter().filter(|field| !hidden.contains(field)).cloned().collect();
        assert!(kept.len() < all.len(), "{all:?}");
        assert_eq!(seen, kept);
    }
    let viewers = RoleTable::new().role("v", Role::viewer());
    let viewers = viewers.user(&"vi".parse().unwrap(), &["v"], None).unwrap();
    let read = host.write_as("vi", &viewers, |ctx, txn| settings::visible_catalogue(ctx, txn)).unwrap();
    assert!(read.form().iter().flat_map(|section| &section.fields).all(|spec| spec.read_only));
    assert_eq!(read.json_schema()["properties"]["company"]["readOnly"], true);
}

#[test]
fn a_lead_in_the_trash_has_no_copy() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    host.write(|ctx, txn| leads::delete(ctx, txn, lead.id, Expect::Any));
    let copied = host.try_write(|ctx, txn| leads::clone_lead(ctx, txn, lead.id));
    refused(copied, ErrorKind::NotFound);
    host.write(|ctx, txn| leads::restore(ctx, txn, lead.id));
    host.write(|ctx, txn| leads::clone_lead(ctx, txn, lead.id));
}

#[test]
fn saved_views_follow_what_replaces_a_term_or_a_choice() {
    let host = Host::new();
    let [fair, web, other] = ["Fair", "Web", "Other"]
        .map(|name| host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, name, None)).id);
    let sizes = |codes: &[&str]| {
        let choices = codes.iter().map(|code| Choice::new(*code, *code)).collect();
        CustomField::new("x_size".parse().unwrap(), "Size", CustomType::OneOf(choices))
    };
    set_field(&host, &sizes(&["s", "m", "l"]));
    let mut made = lead(&host, "Nordlys AS", &[("x_size", "s")]);
    let patch = LeadPatch::new().set(Field::Source, fair);
    made = host.write(|ctx, txn| leads::edit(ctx, txn, made.id, Expect::Any, &patch));
    let texts = ["source = Fair", "source in (Web, Fair, Other)", "x_size = s", "not (x_size in (m, s))"];
    let saved = texts.map(|text| {
        let draft = ViewDraft::new(text, Filter::parse(text).unwrap());
        let eves = |ctx: &Context<'_>, txn: &mut dyn Txn| views::save(ctx, txn, &draft);
        host.write_as("eve", &AllowAll, eves).unwrap()
    });
    host.write_as("eve", &AllowAll, |ctx, txn| views::share(ctx, txn, saved[0].id, Expect::Any, true))
        .unwrap();
    let rows = || {
        saved.each_ref().map(|view| {
            let open =
                |ctx: &Context<'_>, txn: &mut dyn Txn| views::open(ctx, txn, view.id, &ViewRequest::new());
            let page = host.write_as("eve", &AllowAll, open).unwrap();
            (page.rows.len(), page.left_out.len())
        })
    };
    assert_eq!(rows(), [(1, 0), (1, 0), (1, 0), (0, 0)]);
    host.write(|ctx, txn| vocabulary::delete(ctx, txn, fair, InUse::Reassign(web)));
    let mapping = FieldMapping::exact().choice("s", Some("m"));
    host.write(|ctx, txn| {
        let (revision, _) = settings::catalogue(ctx, txn)?;
        settings::change_field(ctx, txn, revision, &sizes(&["m", "l"]), &mapping)
    });
    assert_eq!(host.get(&made).fields.source, Some(web));
    assert_eq!(rows(), [(1, 0), (1, 0), (1, 0), (0, 0)]);
    let kept = host.write_as("eve", &AllowAll, |ctx, txn| views::get(ctx, txn, saved[1].id)).unwrap();
    let wanted = Filter::new(Field::Source, Operator::In, FieldValue::List(vec![web.into(), other.into()]));
    assert_eq!(kept.filter, serde_json::to_value(wanted).unwrap(), "each once");
    let told = host.read(|_, txn| txn.journal().about(&[saved[0].id.into()], Topics::NONE, None, 10));
    assert_eq!((told[0].action, told[0].changes.len()), (Action::Updated, 1), "{told:?}");
    host.write(|ctx, txn| vocabulary::delete(ctx, txn, web, InUse::Clear));
    assert_eq!(rows()[0].0, 0, "what is gone for good finds nothing");
}

#[test]
fn limits_are_tightened_where_no_lead_is_outside() {
    let host = Host::new();
    let key = |key: &str| key.parse::<CustomKey>().unwrap();
    let note = |most| {
        let mut field = CustomField::new(key("x_note"), "Note", CustomType::Text);
        field.max_length = most;
        field
    };
    let seats = |min: Option<i64>, max: Option<i64>| {
        let seats = CustomField::new(key("x_seats"), "Seats", CustomType::Integer);
        seats.between(min.map(Into::into), max.map(Into::into))
    };
    for field in [note(None), seats(None, None)] {
        set_field(&host, &field);
    }
    let small = lead(&host, "Small AS", &[("x_note", "abc"), ("x_seats", "3")]);
    for name in ["Large AS", "Larger AS"] {
        lead(&host, name, &[("x_note", "abcdef"), ("x_seats", "30")]);
    }
    let change = |field: &CustomField, mapping: &FieldMapping| {
        host.try_write(|ctx, txn| {
            let (revision, _) = settings::catalogue(ctx, txn)?;
            settings::change_field(ctx, txn, revision, field, mapping).map(drop)
        })
    };
    let exact = FieldMapping::exact();
    for (field, by) in
        [(note(Some(5)), 2), (note(Some(2)), 3), (seats(None, Some(29)), 2), (seats(Some(4), None), 1)]
    {
        let error = refused(change(&field, &exact), ErrorKind::Conflict);
        assert_eq!(error.conflict(), Some(&Conflict::InUse { by }), "{error}");
    }
    for field in [note(Some(6)), seats(Some(3), Some(30))] {
        change(&field, &exact).unwrap();
    }
    change(&note(Some(5)), &FieldMapping::exact().clear_rest()).unwrap();
    assert_eq!(host.count(&Filter::new("x_note".parse().unwrap(), Operator::IsEmpty, true)), 2);
    // What the tenant let stay outside stands in the way of no other change.
    set_field(&host, &seats(Some(10), None));
    let mut renamed = seats(Some(10), None);
    renamed.settings.label = Some("Places".to_owned());
    change(&renamed, &exact).unwrap();
    assert_eq!(host.get(&small).fields.custom.len(), 2);
}

#[test]
fn a_cursor_is_taken_by_the_list_that_made_it() {
    let host = Host::new();
    (0..5)
        .for_each(|n| drop(host.add(form(&[(Field::Company, &format!("Lead {n}")), (Field::City, "Oslo")]))));
    let list = |filter: &Filter, after: Option<Cursor>| {
        let query = LeadQuery::new(filter.clone()).limit(2).after(after);
        host.try_read(|ctx, txn| leads::list(ctx, txn, &query))
    };
    let (oslo, bergen) = (Filter::eq(Field::City, "Oslo"), Filter::eq(Field::City, "Bergen"));
    let first = list(&oslo, None).unwrap().next.unwrap();
    let again = Cursor::from_text(&first.to_text()).unwrap();
    let second = list(&oslo, Some(again)).unwrap();
    assert_eq!((second.items.len(), second.next.is_some()), (2, true));
    assert_eq!(list(&oslo, second.next).unwrap().items.len(), 1);
    let error = refused(list(&bergen, Some(first.clone())), ErrorKind::Invalid);
    assert_eq!(fields_of(&error), ["after"]);
    let trash = LeadQuery::new(oslo.clone()).after(Some(first.clone()));
    refused(host.try_read(|ctx, txn| leads::trash(ctx, txn, &trash)), ErrorKind::Invalid);
    let view = |search: &str, after: Option<Cursor>| {
        let request = ViewRequest::new().search(search).limit(2).after(after);
        host.try_read(|ctx, txn| views::open(ctx, txn, SystemView::All, &request))
    };
    let next = view("lead", None).unwrap().next;
    assert_eq!(view("lead", next.clone()).unwrap().rows.len(), 2);
    refused(view("oslo", next).map(drop), ErrorKind::Invalid);
    assert_eq!(
        list(&bergen, Some(Cursor { list: None, ..first })).unwrap().items,
        [],
        "a place is for any list"
    );
}
