//! What goes out as a file comes back as the same leads.

use std::io::Cursor;

use chrono::TimeDelta;
use leadcore::context::Context;
use leadcore::desk::{Expect, leads, pipelines, settings, vocabulary};
use leadcore::domain::{
    Actor, CustomKey, CustomType, CustomValue, Emails, ExternalRef, Field, FieldValue, Lead, LeadDraft,
    LeadFields, LeadPatch, Move, Outcome, Phones, StageKind, TermKind,
};
use leadcore::exchange::export::{ExportFormat, ExportOptions, Exported, Extent, export};
use leadcore::exchange::import::{self, UnknownTerm};
use leadcore::id::{DisqualifyReasonId, LabelId, LeadId, LostReasonId, SequentialIds, SourceId};
use leadcore::memory::MemoryStore;
use leadcore::policy::AllowAll;
use leadcore::query::{Filter, LeadQuery, Sort, SortField};
use leadcore::store::{StoreExt as _, Txn};
use leadcore::testkit::fixtures::{Scene, custom_catalogue, custom_types};
use leadcore::testkit::generate;
use leadcore::time::Timestamp;
use proptest::prelude::*;

/// Texts that files, spreadsheets and imports may take for something else.
const TEXTS: &[&str] = &[
    "=1+5",
    "+47 22 22 55 55",
    "-",
    "@SUM(A1)",
    "'=1",
    "''=1",
    "＝cmd",
    "a\r\nb",
    "a\nb",
    "a\rb",
    "\"quoted\", x; y",
    "n/a",
    "Select",
    "007",
    "1e5",
    "TRUE",
    "2026-11-22",
    "a\tb",
    "'tis",
    "_x000D_",
    "<b>&amp;</b>",
    "NULL",
    "1.234",
    "12,5",
    "unknown",
    "(clear)",
    "👩‍👩‍👧‍👦",
    "\u{200b}x",
    "l:1",
    "p:2",
    "'=\"001\"",
    "=\"001\"",
];

/// How a text begins that CSV without marks does not tell from a formula that keeps digits.
const DRESSED: &str = "=\"";

/// Stages of one's own, which the other database does not have: by their names alone they would mean something else.
const OWN: [(&str, StageKind); 5] = [
    ("Signed in Oslo", StageKind::Won),
    ("'=1, gave up", StageKind::Lost),
    ("=Waits", StageKind::OnHold),
    ("Junk", StageKind::Open),
    ("Not yet won", StageKind::Won),
];

/// Names of labels that lists may take for several, and for something else.
const LABELS: [&str; 8] =
    ["Hot", "+VIP", "Bread, white", "'=1; 2", "\"Big\"", "\"open, a", "5\" pipe", "'=1"];

/// The name of a lead's stage and what that means; how and when it ended, and why, also in words.
type Ended = (String, StageKind, Option<(Outcome, Timestamp)>, [Option<String>; 2]);

/// A tenant of its own in memory, in which the host itself writes: nobody becomes the owner of what it imports.
struct Place {
    store: MemoryStore,
    scene: Scene,
}

impl Place {
    fn new(n: u64) -> Self {
        let mut scene = Scene::new("acme");
        (scene.actor, scene.ids) = (Actor::System, SequentialIds::new(n));
        let place = Self { store: MemoryStore::new(), scene };
        let catalogue = custom_catalogue();
        place.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue).map(drop));
        place
    }

    fn ctx(&self) -> Context<'_> {
        let scene = &self.scene;
        Context::new(&scene.tenant, scene.actor.clone(), &scene.clock, &scene.ids, &AllowAll)
    }

    fn write<T>(&self, mut work: impl FnMut(&Context<'_>, &mut dyn Txn) -> leadcore::error::Result<T>) -> T {
        let ctx = self.ctx();
        self.store.write(ctx.tenant(), |txn| work(&ctx, txn)).unwrap()
    }

    fn export(&self, options: &ExportOptions) -> (Vec<u8>, Exported) {
        let ctx = self.ctx();
        let everything = Extent::Filter(Filter::everything());
        let done = self.store.read(ctx.tenant(), |txn| {
            let mut file = Vec::new();
            let done = export(&ctx, txn, &everything, options, &mut file)?;
            Ok((file, done))
        });
        done.unwrap()
    }

    fn leads(&self) -> Vec<Lead> {
        let ctx = self.ctx();
        let query =
            LeadQuery::new(Filter::everything()).sort(Sort::ascending(SortField::Number)).limit(1_000);
        self.store.read(ctx.tenant(), |txn| leads::list(&ctx, txn, &query)).unwrap().items
    }

    fn end(&self, lead: &Lead) -> Ended {
        let ctx = self.ctx();
        let closing = lead.closing.as_ref();
        let reason = closing.and_then(|closing| closing.reason);
        self.store
            .read(ctx.tenant(), |txn| {
                let known = pipelines::list(&ctx, txn)?;
                let stage = known.iter().find_map(|known| known.stage(lead.stage)).unwrap();
                let mut name = None;
                for kind in [TermKind::LostReason, TermKind::DisqualifyReason] {
                    let terms = txn.terms().get(kind, reason.as_slice())?;
                    name = terms.into_iter().next().map(|record| record.term.name).or(name);
                }
                let detail = closing.and_then(|closing| closing.detail.clone());
                let end = closing.map(|closing| (closing.outcome, closing.at));
                Ok((stage.name.clone(), stage.kind, end, [name, detail]))
            })
            .unwrap()
    }

    /// The names of a lead's source and labels.
    fn names(&self, lead: &Lead) -> Vec<String> {
        let ctx = self.ctx();
        let mut names = self
            .store
            .read(ctx.tenant(), |txn| {
                let sources = vocabulary::list::<SourceId>(&ctx, txn)?.into_iter();
                let labels = vocabulary::list::<LabelId>(&ctx, txn)?.into_iter();
                let sources =
                    sources.filter(|term| lead.fields.source == Some(term.id)).map(|term| term.name);
                let labels =
                    labels.filter(|term| lead.fields.labels.contains(&term.id)).map(|term| term.name);
                Ok(sources.chain(labels).collect::<Vec<_>>())
            })
            .unwrap();
        names.sort();
        names
    }
}

/// Fields that keep every rule, with terms, hostile texts and addresses that every other lead has too; half of them have an id in
/// another system.
fn lead(n: usize, mut fields: LeadFields, texts: &[&str], mails: usize, phones: usize) -> LeadFields {
    let (own, n) = (n, n % 2);
    let list: Vec<_> = (0..mails)
        .map(|k| format!("\"a,{k}\"@x{n}.example (work), b{k}@x{n}.example (home opted_out invalid)"))
        .collect();
    fields.emails = Emails::parse(&list.join(", ")).unwrap();
    let list: Vec<_> = (0..phones)
        .map(|k| format!("+47 90 {n:02} 0{k} 11 ext. 7 (mobile opted_out), +1 917-584-{n:02}{k}0"))
        .collect();
    fields.phones = Phones::parse(&list.join(", "), None).unwrap();
    let id = (own % 3 > 0).then(|| ExternalRef::new("crm", &format!("L-{own}, =x")).unwrap());
    fields.external_ids = id.into_iter().collect();
    let text = |n: usize| texts.get(n).map(|text| (*text).to_owned());
    fields.company = text(0).or(fields.company);
    (fields.job_title, fields.industry, fields.description) = (text(1), text(2), text(3));
    fields.custom.retain(|key, value| {
        let is_unique = key.as_str() == "x_code";
        // A number that is none here may be one where the lead is.
        let is_odd = matches!(value, CustomValue::Phone(phone) if phone.e164().is_none());
        // Links are made once the leads are there.
        !is_unique && !is_odd && !matches!(value, CustomValue::Link(_))
    });
    fields
}

fn some_leads() -> impl Strategy<Value = Vec<LeadFields>> {
    let texts = prop::collection::vec(prop::sample::select(TEXTS), 0..5);
    let one = (generate::lead_fields(), texts, 0_usize..3, 0_usize..3);
    prop::collection::vec(one, 1..6).prop_map(|list| {
        let leads = list.into_iter().enumerate();
        leads.map(|(n, (fields, texts, mails, phones))| lead(n, fields, &texts, mails, phones)).collect()
    })
}

fn link() -> CustomKey {
    CustomKey::new("x_link").unwrap()
}

/// The places of the leads that these leads link to.
fn linked(leads: &[Lead]) -> Vec<Option<usize>> {
    let place = |lead: &Lead| {
        let CustomValue::Link(to) = lead.fields.custom.get(&link())? else { return None };
        leads.iter().position(|other| other.id.as_uuid() == to.id)
    };
    leads.iter().map(place).collect()
}

/// How leads end: most are open.
#[derive(Debug, Clone, Copy)]
enum End {
    Open,
    OnHold,
    Won,
    Lost(usize),
    Disqualified(usize),
    /// In a stage of one's own.
    Own(usize),
    /// No lead at all, in the open one of these.
    Junk,
}

const ENDS: [End; 14] = [
    End::Open,
    End::Open,
    End::OnHold,
    End::Won,
    End::Lost(0),
    End::Lost(1),
    End::Disqualified(0),
    End::Disqualified(1),
    End::Own(0),
    End::Own(1),
    End::Own(2),
    End::Own(3),
    End::Own(4),
    End::Junk,
];

/// Names of reasons, the same in both lists.
const REASONS: [&str; 2] = ["=Too dear, really", "Other"];
/// What is said besides.
const DETAILS: [Option<&str>; 2] = [None, Some("=\"Next year\",\nthey said")];

fn ends() -> impl Strategy<Value = Vec<End>> {
    prop::collection::vec(prop::sample::select(&ENDS[..]), 6)
}

fn close(ctx: &Context<'_>, txn: &mut dyn Txn, lead: LeadId, end: End) -> leadcore::error::Result<()> {
    let (own, kind) = match end {
        End::OnHold => (None, StageKind::OnHold),
        End::Won => (None, StageKind::Won),
        End::Lost(_) => (None, StageKind::Lost),
        End::Open | End::Disqualified(_) => (None, StageKind::Open),
        End::Own(n) => (Some(OWN[n].0), OWN[n].1),
        End::Junk => (Some("Junk"), StageKind::Open),
    };
    let pipelines = pipelines::list(ctx, txn)?;
    let is_own = |name: &str| OWN.iter().any(|(own, _)| *own == name);
    let mut stages = pipelines[0].stages.iter().rev().filter(|known| known.kind == kind);
    let stage = stages.find(|known| own.map_or(!is_own(&known.name), |own| own == known.name)).unwrap();
    let mut to = Move::from(stage.id);
    let lost = if let End::Lost(n) = end { n } else { 0 };
    if kind == StageKind::Lost {
        to = to.because(vocabulary::list::<LostReasonId>(ctx, txn)?[lost].id, DETAILS[lost]);
    }
    leads::move_to(ctx, txn, lead, Expect::Any, to)?;
    let out = if let End::Junk = end { Some(0) } else { None };
    if let (End::Disqualified(n), _) | (_, Some(n)) = (end, out) {
        let reason = vocabulary::list::<DisqualifyReasonId>(ctx, txn)?[n].id;
        leads::disqualify(ctx, txn, lead, Expect::Any, reason, DETAILS[n])?;
    }
    Ok(())
}

fn round(format: ExportFormat, marked: bool, links: usize, (all, ends): (&[LeadFields], &[End])) {
    let is_raw = format == ExportFormat::Csv && !marked;
    let all: Vec<_> =
        all.iter().map(|fields| if is_raw { undressed(fields) } else { fields.clone() }).collect();
    let (here, there) = (Place::new(1), Place::new(1_000_000));
    // In the same order in both places: a file lists the labels of a lead in the order in which they were made.
    let add = |place: &Place| {
        place.write(|ctx, txn| {
            let labels = LABELS.iter().map(|name| vocabulary::add::<LabelId>(ctx, txn, name, None));
            labels.map(|label| Ok(label?.id)).collect::<leadcore::error::Result<Vec<_>>>()
        })
    };
    let (labels, _) = (add(&here), add(&there));
    for place in [&here, &there] {
        place.write(|ctx, txn| {
            for name in REASONS {
                vocabulary::add::<LostReasonId>(ctx, txn, name, None)?;
                vocabulary::add::<DisqualifyReasonId>(ctx, txn, name, None)?;
            }
            Ok(())
        });
    }
    here.write(|ctx, txn| {
        let source = vocabulary::add::<SourceId>(ctx, txn, "=Fair, 'big'", None)?.id;
        let mut known = pipelines::list_or_default(ctx, txn)?.remove(0);
        known.stages.extend(OWN.map(|(name, kind)| pipelines::new_stage(ctx, name, kind)));
        pipelines::update(ctx, txn, known)?;
        let mut made = Vec::new();
        for (n, fields) in all.iter().enumerate() {
            let mut fields = fields.clone();
            fields.source = Some(source).filter(|_| n % 2 == 0);
            fields.labels = labels.iter().copied().cycle().skip(n * n).take(n % LABELS.len()).collect();
            made.push(leads::create(ctx, txn, LeadDraft::from(fields))?.id);
        }
        // Links up and down the file, and to themselves.
        for (n, lead) in made.iter().enumerate().filter(|(n, _)| n % 3 < 2) {
            let to = made.iter().cycle().nth(n * 5 + links);
            let patch =
                to.map(|to| LeadPatch::new().set(Field::Custom(link()), FieldValue::Id(to.as_uuid())));
            leads::edit(ctx, txn, *lead, Expect::Any, &patch.unwrap())?;
        }
        for (lead, end) in made.iter().zip(ends.iter().cycle()) {
            here.scene.clock.advance(TimeDelta::microseconds(1_234_567));
            close(ctx, txn, *lead, *end)?;
        }
        Ok(())
    });
    // What comes back ended when it did, and not when it came.
    here.scene.clock.advance(TimeDelta::days(30));
    there.scene.clock.advance(here.ctx().now().since(there.ctx().now()));
    let mut options = ExportOptions::new(format).external_system("crm");
    options.without_formula_marks = !marked;
    let (file, done) = here.export(&options);
    let mut mapping = done.mapping(&options);
    if format == ExportFormat::JsonLines {
        // A key that no lead has is no column of the file.
        let text = String::from_utf8_lossy(&file).into_owned();
        mapping.columns.retain(|column| text.contains(&format!("\"{}\":", column.header)));
    }
    let import = options.to_import().mapping(mapping).unknown_terms(UnknownTerm::Create);
    let report = import::run(&there.ctx(), &there.store, Cursor::new(&file), &import, None, &mut ()).unwrap();
    assert_eq!(report.created, done.leads, "{report}");
    let (before, after) = (here.leads(), there.leads());
    assert_eq!(before.len(), after.len());
    assert_eq!(linked(&before), linked(&after), "{format:?}");
    for (one, other) in before.iter().zip(&after) {
        assert_eq!(here.names(one), there.names(other));
        let (mut end, mut again) = (here.end(one), there.end(other));
        if format == ExportFormat::Xlsx {
            // Its cells say times to the second.
            let second = |at: &mut Timestamp| {
                *at = Timestamp::from_micros(at.as_micros().div_euclid(1_000_000) * 1_000_000).unwrap();
            };
            for (_, at) in end.2.iter_mut().chain(&mut again.2) {
                second(at);
            }
        }
        assert_eq!(end, again, "{format:?}");
        let bare = |lead: &Lead| LeadFields { source: None, labels: [].into(), ..normal(&lead.fields) };
        assert_eq!(bare(one), bare(other), "{format:?}");
    }
    // But for their ids, which are kept as those of another place.
    let is_id = |field: &Field| *field == Field::Id || *field == Field::Custom(link());
    let columns = done.columns.iter().map(|(_, field)| field.clone()).filter(|field| !is_id(field));
    let plain = options.clone().columns(columns);
    assert_eq!(there.export(&plain).0, here.export(&plain).0, "the same leads make the same file");
    for (one, other) in before.iter().zip(&after) {
        assert!(other.fields.external_ids.contains(&ExternalRef::own(one.id)));
    }
    // Once more it copies nothing, there and here.
    for place in [&there, &here] {
        let import = import.clone().attempt(2);
        let report =
            import::run(&place.ctx(), &place.store, Cursor::new(&file), &import, None, &mut ()).unwrap();
        assert_eq!((report.created, report.updated, report.rejected), (0, 0, 0), "{report}");
    }
}

/// Without texts that a file without marks does not tell from formulas.
fn undressed(fields: &LeadFields) -> LeadFields {
    let mut fields = fields.clone();
    let LeadFields { company, job_title, industry, description, .. } = &mut fields;
    for text in [company, job_title, industry, description].into_iter().flatten() {
        *text = if text.starts_with(DRESSED) { "x".to_owned() } else { std::mem::take(text) };
    }
    fields
}

/// As a store may give them back: zeros at the end of numbers say nothing.
fn normal(fields: &LeadFields) -> LeadFields {
    let mut fields = fields.clone();
    fields.external_ids.retain(|id| id.system() != ExternalRef::OWN);
    fields.custom.remove(&link());
    fields.amount = fields.amount.map(|amount| amount.normalize());
    for value in fields.custom.values_mut() {
        if let CustomValue::Decimal(number) = value {
            *number = number.normalize();
        }
    }
    fields
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn csv_comes_back_as_the_same_leads(
        all in some_leads(), ends in ends(), marked in any::<bool>(), links in 0_usize..9,
    ) {
        round(ExportFormat::Csv, marked, links, (&all, &ends));
    }

    #[test]
    fn json_lines_come_back_as_the_same_leads(all in some_leads(), ends in ends(), links in 0_usize..9) {
        round(ExportFormat::JsonLines, true, links, (&all, &ends));
    }

    #[test]
    fn a_workbook_comes_back_as_the_same_leads(all in some_leads(), ends in ends(), links in 0_usize..9) {
        round(ExportFormat::Xlsx, true, links, (&all, &ends));
    }
}

#[test]
fn every_hostile_text_comes_back() {
    let all: Vec<_> = TEXTS
        .iter()
        .enumerate()
        .map(|(n, text)| lead(n, LeadFields::company("x").unwrap(), &[*text; 4], 1, 1))
        .collect();
    for format in ExportFormat::ALL {
        for marked in [true, false] {
            round(format, marked, 1, (&all, &ENDS));
        }
    }
    assert!(custom_types().iter().any(|(_, kind)| *kind == CustomType::Bool), "custom fields go along");
    assert!(Field::ALL.iter().any(Field::is_writable));
}
