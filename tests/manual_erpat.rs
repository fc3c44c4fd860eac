//! The ERPat manual, Leads module (S0): its tasks, done by a marketing user on a database file.
//!
//! Importing and the audit log are in `manual_erpat_import`.

use std::io::Cursor;

use leadcore::desk::board::{self, BoardQuery};
use leadcore::desk::vocabulary::{self, InUse};
use leadcore::desk::{Expect, contacts, leads, pipelines, settings, timeline};
use leadcore::domain::{Catalogue, ContactFields, Field, LeadPatch, StageKind};
use leadcore::error::{Conflict, ErrorKind, ValueError, ViolationCode};
use leadcore::exchange::import::{self, ImportOptions};
use leadcore::id::{CategoryId, LabelId, SourceId};
use leadcore::query::{Filter, LeadQuery, Operator};
use leadcore::store::StoreExt;
use leadcore::value::{Country, TaxId, TaxIdRule};

use crate::support::{Host, company, counts, fields_of, form, refused};

/// The form of the manual's "Steps for Adding a New Lead", filled in.
fn filled_form() -> leadcore::domain::LeadFields {
    form(&[
        (Field::Company, "Nordlys AS"),
        (Field::Owner, "ada"),
        (Field::Street, "Storgata 1"),
        (Field::City, "Tromsø"),
        (Field::Region, "Troms"),
        (Field::PostalCode, "09008"),
        (Field::Country, "NO"),
        (Field::Phone, "+47 77 60 00 00"),
        (Field::Website, "https://nordlys.example"),
        (Field::TaxId, "923 609 016 MVA"),
        (Field::Currency, "NOK"),
        (Field::CurrencySymbol, "Kr"),
    ])
}

#[test]
fn s0_01_lead_record_fields() {
    let mut host = Host::new();
    let required = [
        Field::Category,
        Field::Company,
        Field::Owner,
        Field::Source,
        Field::Street,
        Field::City,
        Field::Region,
        Field::PostalCode,
        Field::Country,
        Field::Phone,
        Field::Website,
        Field::TaxId,
        Field::Currency,
        Field::CurrencySymbol,
    ];
    let mut catalogue = Catalogue::standard();
    for field in &required {
        catalogue.settings_mut(field.clone()).required = Some(true);
    }
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue));
    // An empty form: everything that is missing is said at once. The owner is who fills it in, the status the first.
    let error = refused(
        host.try_write(|ctx, txn| leads::create(ctx, txn, company("Nordlys AS").into())),
        ErrorKind::Invalid,
    );
    let mut missing = fields_of(&error);
    missing.sort_unstable();
    let filled = [Field::Company, Field::Owner];
    let mut expected: Vec<_> = required.iter().filter(|f| !filled.contains(f)).map(Field::key).collect();
    expected.sort_unstable();
    assert_eq!(missing, expected);

    let mut fields = filled_form();
    fields.source = Some(host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, "Fair", None)).id);
    fields.category = Some(host.write(|ctx, txn| vocabulary::add::<CategoryId>(ctx, txn, "SME", None)).id);
    let lead = host.add(fields.clone());
    host.restart();
    let stored = host.get(&lead);
    assert_eq!(stored.fields, fields, "every field comes back from the file");
    let pipeline = host.read(|ctx, txn| pipelines::list(ctx, txn)).remove(0);
    assert_eq!(pipeline.stage(stored.stage).unwrap().name, "New");
    // What another organisation requires is its own affair.
    let other = leadcore::testkit::fixtures::Scene::new("other");
    let made =
        host.store.write(&other.tenant, |txn| leads::create(&other.ctx(), txn, company("Fjord AS").into()));
    assert!(made.is_ok());
}

#[derive(Debug)]
struct NineDigits;

impl TaxIdRule for NineDigits {
    fn check(&self, country: Option<Country>, id: &TaxId) -> Result<(), ValueError> {
        let digits = id.as_str().bytes().filter(u8::is_ascii_digit).count();
        if country.is_some_and(|country| country.code() == "NO") && digits != 9 {
            return Err(ValueError::new(ViolationCode::Malformed, "needs nine digits"));
        }
        Ok(())
    }
}

#[test]
fn s0_02_tin_on_lead() {
    let host = Host::new();
    let lead = host.add(filled_form());
    host.add(company("Without a TIN"));
    assert_eq!(host.get(&lead).fields.tax_id.unwrap().as_str(), "923 609 016 MVA", "as it was typed");
    let by_tin = |part: &str| host.names(Filter::new(Field::TaxId, Operator::Contains, part));
    assert_eq!(by_tin("609 016"), ["Nordlys AS"]);
    assert!(by_tin("609 017").is_empty());
    // The hook: a host's own rule for the country of the lead, in forms and in files.
    let ctx = host.ctx().with_tax_rule(&NineDigits);
    let edit = |field: Field, value: &str| {
        let patch = LeadPatch::new().set(field, value);
        host.store.write(ctx.tenant(), |txn| leads::edit(&ctx, txn, lead.id, Expect::Any, &patch))
    };
    assert_eq!(fields_of(&refused(edit(Field::TaxId, "923"), ErrorKind::Invalid)), ["tax_id"]);
    assert!(edit(Field::TaxId, "923 609 017").is_ok());
    assert!(edit(Field::Country, "SE").is_ok() && edit(Field::TaxId, "923").is_ok(), "another country");
    assert_eq!(fields_of(&refused(edit(Field::Country, "NO"), ErrorKind::Invalid)), ["tax_id"]);
    let file = "Company,Country,TIN\nFjord AS,Norway,12\nDal AB,Sweden,12\n";
    let report = import::run(&ctx, &host.store, Cursor::new(file), &ImportOptions::new(), None, &mut ());
    assert_eq!(counts(&report.unwrap()), [1, 0, 0, 1]);
}

#[test]
fn s0_03_currency_and_symbol_per_lead() {
    let host = Host::new();
    let own = host.add(form(&[(Field::Company, "Euro GmbH"), (Field::Currency, "eur")]));
    let other = host.add(filled_form());
    let (own, other) = (host.get(&own), host.get(&other));
    assert_eq!(own.fields.currency.unwrap().code(), "EUR");
    assert_eq!(own.fields.symbol().as_deref(), Some("€"), "the currency's own");
    assert_eq!(other.fields.symbol().as_deref(), Some("Kr"), "the one of the form");
    let wrong = LeadPatch::new().set(Field::Currency, "EURO");
    let error = refused(
        host.try_write(|ctx, txn| leads::edit(ctx, txn, own.id, own.revision, &wrong)),
        ErrorKind::Invalid,
    );
    assert_eq!(fields_of(&error), ["currency"]);
}

#[test]
fn s0_04_categories() {
    let host = Host::new();
    for name in ["BPO", "SME", "High Value", "Retail"] {
        host.write(|ctx, txn| vocabulary::add::<CategoryId>(ctx, txn, name, None));
    }
    let list = host.read(|ctx, txn| vocabulary::list::<CategoryId>(ctx, txn));
    let names: Vec<_> = list.iter().map(|term| term.name.as_str()).collect();
    assert_eq!(names, ["BPO", "SME", "High Value", "Retail"]);
    let mut fields = company("Shop");
    fields.category = Some(list[3].id);
    let lead = host.add(fields);
    assert_eq!(host.get(&lead).fields.category, Some(list[3].id));
    assert!(host.read(|ctx, txn| vocabulary::list::<SourceId>(ctx, txn)).is_empty(), "a list of its own");
}

#[test]
fn s0_05_add_a_source() {
    let host = Host::new();
    let added = host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, " Facebook Ads ", None));
    assert_eq!(added.name, "Facebook Ads");
    let again = host.try_write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, "facebook ads", None));
    refused(again, ErrorKind::AlreadyExists);
    refused(host.try_write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, "  ", None)), ErrorKind::Invalid);
    assert_eq!(host.read(|ctx, txn| vocabulary::list::<SourceId>(ctx, txn)), [added]);
}

#[test]
fn s0_06_edit_a_source_title() {
    let host = Host::new();
    let source = host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, "Web", None));
    let mut fields = company("Nordlys AS");
    fields.source = Some(source.id);
    let lead = host.add(fields);
    let new = "Website Form";
    host.write(|ctx, txn| vocabulary::rename(ctx, txn, source.id, source.revision, new));
    let list = host.read(|ctx, txn| vocabulary::list::<SourceId>(ctx, txn));
    assert_eq!((list.len(), list[0].name.as_str()), (1, new));
    assert_eq!(host.get(&lead).fields.source, Some(source.id), "the lead keeps its source");
    assert_eq!(host.names(Filter::eq(Field::Source, source.id)), ["Nordlys AS"]);
}

#[test]
fn s0_07_delete_a_source() {
    let host = Host::new();
    let add = |name: &str| host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, name, None));
    let (old, new) = (add("Old fair"), add("New fair"));
    let mut fields = company("Nordlys AS");
    fields.source = Some(old.id);
    let lead = host.add(fields);
    let delete = |how| host.try_write(|ctx, txn| vocabulary::delete(ctx, txn, old.id, how));
    // "Confirm the action": the host learns how many leads are concerned before it asks.
    let error = refused(delete(InUse::Refuse), ErrorKind::Conflict);
    assert_eq!(error.conflict(), Some(&Conflict::InUse { by: 1 }));
    delete(InUse::Reassign(new.id)).unwrap();
    assert_eq!(host.read(|ctx, txn| vocabulary::list::<SourceId>(ctx, txn)), std::slice::from_ref(&new));
    assert_eq!(host.get(&lead).fields.source, Some(new.id));
    host.write(|ctx, txn| vocabulary::delete(ctx, txn, new.id, InUse::Clear));
    assert_eq!(host.get(&lead).fields.source, None);
    assert_eq!(host.names(Filter::everything()), ["Nordlys AS"], "leads never go with their source");
    refused(delete(InUse::Refuse), ErrorKind::NotFound);
}

#[test]
fn s0_08_status_values() {
    let host = Host::new();
    let mut pipeline = host.write(|ctx, txn| pipelines::list_or_default(ctx, txn)).remove(0);
    let names = |p: &leadcore::domain::Pipeline| -> Vec<String> {
        p.stages.iter().map(|stage| stage.name.clone()).collect()
    };
    assert_eq!(names(&pipeline)[..3], ["New", "Mailed", "Discussion"]);
    let lead = host.add(company("Nordlys AS"));
    let demo = pipelines::new_stage(&host.ctx(), "Demo", StageKind::Open);
    pipeline.stages.insert(1, demo);
    pipeline.stages[0].name = "Fresh".to_owned();
    pipeline = host.write(|ctx, txn| pipelines::update(ctx, txn, pipeline.clone()));
    assert_eq!(names(&pipeline)[..3], ["Fresh", "Demo", "Mailed"]);
    assert_eq!(pipeline.stage(host.get(&lead).stage).unwrap().name, "Fresh", "renamed, not lost");
    pipeline.stages.remove(0);
    let error = refused(
        host.try_write(|ctx, txn| pipelines::update(ctx, txn, pipeline.clone())),
        ErrorKind::Conflict,
    );
    assert_eq!(error.conflict(), Some(&Conflict::InUse { by: 1 }), "a status in use stays");
}

#[test]
fn s0_09_list_view() {
    let host = Host::new();
    let made: Vec<_> = ["A", "B", "C"].iter().map(|name| host.add(company(name))).collect();
    let page = host.read(|ctx, txn| leads::list(ctx, txn, &LeadQuery::default().limit(2)));
    let shown: Vec<_> = page.items.iter().map(|lead| lead.id).collect();
    assert_eq!(shown, [made[2].id, made[1].id], "last written first");
    let rest =
        host.read(|ctx, txn| leads::list(ctx, txn, &LeadQuery::default().limit(2).after(page.next.clone())));
    assert_eq!((rest.items[0].id, rest.next), (made[0].id, None));
    assert_eq!(host.get(&rest.items[0]).fields.company.as_deref(), Some("A"), "opened from its row");
}

#[test]
fn s0_10_kanban_board() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    host.add(company("Fjord AS"));
    let draw = || host.read(|ctx, txn| board::board(ctx, txn, &BoardQuery::default()));
    let counts = |board: &board::Board| -> Vec<(String, u64, usize)> {
        let columns = board.columns.iter();
        columns.map(|c| (c.stage.name.clone(), c.count, c.cards.len())).take(3).collect()
    };
    let column = |name: &str, count, cards| (name.to_owned(), count, cards);
    let first = draw();
    assert_eq!(counts(&first), [column("New", 2, 2), column("Mailed", 0, 0), column("Discussion", 0, 0)]);
    let mailed = first.columns[1].stage.id;
    host.scene.tick();
    host.write(|ctx, txn| board::move_card(ctx, txn, lead.id, lead.revision, mailed));
    assert_eq!(counts(&draw()), [column("New", 1, 1), column("Mailed", 1, 1), column("Discussion", 0, 0)]);
    let moved = host.get(&lead);
    assert_eq!((moved.stage, moved.stage_entered_at), (mailed, host.scene.clock_now()));
    // The same guards as any write.
    let stale = host.try_write(|ctx, txn| board::move_card(ctx, txn, lead.id, lead.revision, mailed));
    refused(stale, ErrorKind::Conflict);
    let nowhere = leadcore::id::StageId::from_uuid(host.scene.uuid());
    let error = refused(
        host.try_write(|ctx, txn| board::move_card(ctx, txn, lead.id, Expect::Any, nowhere)),
        ErrorKind::Invalid,
    );
    assert_eq!(fields_of(&error), ["stage"]);
}

#[test]
fn s0_11_labels() {
    let host = Host::new();
    let add = |name: &str, color| host.write(|ctx, txn| vocabulary::add::<LabelId>(ctx, txn, name, color));
    let (hot, fair) = (add("Hot", Some("#D73A4A")), add("Fair 2026", Some("#1a7f37")));
    assert_eq!(hot.color.as_deref(), Some("#d73a4a"));
    let mut fields = company("Nordlys AS");
    fields.labels = [hot.id, fair.id].into();
    let both = host.add(fields);
    let mut fields = company("Fjord AS");
    fields.labels = [fair.id].into();
    host.add(fields);
    host.add(company("Berg AS"));
    assert_eq!(host.get(&both).fields.labels.len(), 2, "many for each lead");
    assert_eq!(host.names(Filter::eq(Field::Labels, hot.id)), ["Nordlys AS"]);
    assert_eq!(host.names(Filter::eq(Field::Labels, fair.id)), ["Nordlys AS", "Fjord AS"]);
    assert_eq!(host.names(Filter::new(Field::Labels, Operator::IsEmpty, true)), ["Berg AS"]);
    host.write(|ctx, txn| vocabulary::delete(ctx, txn, hot.id, InUse::Clear));
    assert_eq!(host.get(&both).fields.labels, [fair.id].into());
}

#[test]
fn s0_12_add_lead() {
    let mut host = Host::new();
    let lead = host.add(filled_form());
    assert_eq!(lead.number, 1);
    assert_eq!(host.names(Filter::everything()), ["Nordlys AS"], "in the listing at once");
    assert_eq!(host.names(Filter::search("nordl")), ["Nordlys AS"], "and found at once");
    host.restart();
    assert_eq!(host.get(&lead), lead);
    let nothing = leadcore::domain::LeadFields::default();
    let error = refused(
        host.try_write(|ctx, txn| leads::create(ctx, txn, nothing.clone().into())),
        ErrorKind::Invalid,
    );
    assert_eq!(fields_of(&error), ["company"]);
    assert_eq!(host.count(&Filter::everything()), 1);
}

#[test]
fn s0_13_edit_lead() {
    let host = Host::new();
    let lead = host.add(filled_form());
    host.scene.tick();
    let patch = LeadPatch::new().set(Field::City, "Bodø").clear(Field::Website);
    let edited = host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, lead.revision, &patch));
    let mut expected = filled_form();
    expected.website = None;
    expected.address = expected.address.with_city("Bodø").unwrap();
    assert_eq!(edited.fields, expected, "the other fields stay");
    let page = host.read(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 10));
    let changes: Vec<_> = page.items[0].entry.changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(changes, ["website", "city"], "what changed, field by field");
    assert_eq!(page.items[0].text, "Website: https://nordlys.example → –; City: Tromsø → Bodø");
}

#[test]
fn s0_14_delete_lead() {
    let host = Host::new();
    let lead = host.add(filled_form());
    host.write(|ctx, txn| leads::delete(ctx, txn, lead.id, lead.revision));
    assert!(host.names(Filter::everything()).is_empty());
    assert!(host.names(Filter::search("nordlys")).is_empty());
    let board = host.read(|ctx, txn| board::board(ctx, txn, &BoardQuery::default()));
    assert_eq!(board.columns.iter().map(|column| column.count).sum::<u64>(), 0);
    let again = host.try_write(|ctx, txn| leads::delete(ctx, txn, lead.id, Expect::Any));
    refused(again, ErrorKind::NotFound);
    // Confirmed by mistake: it waits in the trash.
    host.write(|ctx, txn| leads::restore(ctx, txn, lead.id));
    assert_eq!(host.names(Filter::everything()), ["Nordlys AS"]);
}

#[test]
fn s0_15_search() {
    let host = Host::new();
    host.add(form(&[
        (Field::Company, "Café Nordlys"),
        (Field::Name, "Kari Nordmann"),
        (Field::Email, "Kari.Nordmann@nordlys.example"),
        (Field::Country, "NO"),
        (Field::Phone, "77 60 00 12"),
    ]));
    host.add(form(&[(Field::Company, "Fjord AS"), (Field::Phone, "+47 22 33 44 55")]));
    let hits = ["cafe nord", "KARI", "mann@nordlys", "7760 0012", "+47 77600012", "600012", "nordmann café"];
    for text in hits {
        assert_eq!(host.names(Filter::search(text)), ["Café Nordlys"], "{text}");
    }
    for text in ["kari fjord", "99887766", "kari@fjord"] {
        assert!(host.names(Filter::search(text)).is_empty(), "{text}");
    }
}

#[test]
fn s0_16_filters() {
    let host = Host::new();
    let fair = host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, "Fair", None));
    let retail = host.write(|ctx, txn| vocabulary::add::<CategoryId>(ctx, txn, "Retail", None));
    let mut fields = company("Both");
    (fields.source, fields.category) = (Some(fair.id), Some(retail.id));
    let both = host.add(fields);
    let mut fields = company("Fair only");
    fields.source = Some(fair.id);
    host.add(fields);
    let pipeline = host.read(|ctx, txn| pipelines::list(ctx, txn)).remove(0);
    let mailed = pipeline.stage_named("Mailed").unwrap().id;
    host.write(|ctx, txn| leads::move_to(ctx, txn, both.id, Expect::Any, mailed));
    let (source, category) = (Filter::eq(Field::Source, fair.id), Filter::eq(Field::Category, retail.id));
    assert_eq!(host.names(source.clone()), ["Both", "Fair only"]);
    assert_eq!(host.names(category.clone()), ["Both"]);
    assert_eq!(host.names(Filter::eq(Field::Stage, mailed)), ["Both"]);
    assert_eq!(host.names(source.clone() & !category), ["Fair only"]);
    let beside = host.read(|ctx, txn| leads::count_by(ctx, txn, &source, &Field::Category));
    let counts: Vec<_> = beside.into_iter().map(|(_, count)| count).collect();
    assert_eq!(counts, [1, 1], "one without a category, one in Retail");
}

#[test]
fn s0_24_contacts_tab() {
    let mut host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let add = |name: &str, primary| {
        let fields = ContactFields::named(name).unwrap();
        host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, fields.clone(), primary))
    };
    let (kari, ola) = (add("Kari Nordmann", false), add("Ola Berg", false));
    let tab = |host: &Host| -> Vec<(String, bool)> {
        let persons = host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id));
        let name = |fields: &ContactFields| fields.display_name().unwrap_or_default().to_owned();
        persons.iter().map(|known| (name(&known.contact.fields), known.is_primary)).collect()
    };
    let row = |name: &str, primary| (name.to_owned(), primary);
    assert_eq!(tab(&host), [row("Kari Nordmann", true), row("Ola Berg", false)], "the first is primary");
    host.write(|ctx, txn| contacts::make_primary(ctx, txn, lead.id, ola.id));
    host.restart();
    assert_eq!(tab(&host), [row("Ola Berg", true), row("Kari Nordmann", false)], "one primary");
    host.write(|ctx, txn| contacts::remove(ctx, txn, lead.id, kari.id));
    assert_eq!(tab(&host), [row("Ola Berg", true)]);
}
