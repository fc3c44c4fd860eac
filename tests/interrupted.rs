//! A planned import that is killed behind every chunk, or cancelled there, ends as one that nobody stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use leadcore::context::Context;
use leadcore::desk::undo::{self, UndoPart};
use leadcore::desk::{leads, settings};
use leadcore::domain::{
    Actor, Catalogue, CustomField, CustomKey, CustomType, CustomValue, Field, Lead, LeadFields, SubjectKind,
};
use leadcore::error::{ErrorKind, Result};
use leadcore::exchange::import::{
    self, ImportOptions, ImportPlan, ImportReport, ImportSink, LineOutcome, Planned, Progress,
};
use leadcore::id::{LeadId, RandomIds, TenantId};
use leadcore::policy::AllowAll;
use leadcore::query::{Filter, LeadScan, Sort, SortField};
use leadcore::store::{StoreExt, Txn};
use leadcore::time::ManualClock;
use leadcore_sqlite::SqliteStore;

use crate::support::{accounted, counts};

const PLACE: &str = "LEADCORE_TEST_INTERRUPTED_IN";
/// How many rows the file has, and how many are written at once.
const ROWS: u64 = 3_000;
const CHUNK: u64 = 250;
/// How many leads are there before.
const SEED: u64 = 300;

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

/// Works in a database, at a time that stands still: what is written at any time is the same.
fn within<T>(database: &Path, work: impl FnOnce(&Context<'_>, &SqliteStore) -> T) -> T {
    let store = SqliteStore::open(database).unwrap();
    let (clock, ids) = (ManualClock::default(), RandomIds::new());
    work(&Context::new(&tenant(), Actor::System, &clock, &ids, &AllowAll), &store)
}

/// Stops after so many chunks, and says each that is safely written.
struct Says(Option<u64>);

impl ImportSink for Says {
    fn line(&mut self, _: &LineOutcome) {}

    fn progress(&mut self, progress: &Progress) -> ControlFlow<()> {
        println!("\ndone {}", progress.lines);
        let _ = std::io::stdout().flush();
        match &mut self.0 {
            Some(0) => ControlFlow::Break(()),
            Some(left) => {
                *left -= 1;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Continue(()),
        }
    }
}

struct Place {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

/// The files of a place: the table, the plan that a person changed, what is not taken.
fn table(place: &Path) -> PathBuf {
    place.join("leads.csv")
}

fn plan_in(place: &Path) -> PathBuf {
    place.join("plan.jsonl")
}

fn apply(place: &Path, database: &str, sink: &mut dyn ImportSink) -> Result<ImportReport> {
    within(&place.join(database), |ctx, store| {
        let open = |path: PathBuf| BufReader::new(File::open(path).unwrap());
        let mut rejects = File::create(place.join(format!("{database}.rejects.csv"))).unwrap();
        let (plan, input) = (open(plan_in(place)), open(table(place)));
        import::apply_from(ctx, store, plan, input, Some(&mut rejects), sink)
    })
}

fn id(row: u64) -> String {
    format!("00000000-0000-7000-9000-{row:012}")
}

/// A row of each kind: changes of leads that are there, unusable ones, leads that come again and again, new ones with links up
/// and down the file, also to rows that are not taken.
fn row(n: u64) -> String {
    let mail = |n: u64| format!("n{n}@x.example");
    let link = if n % 5 == 3 { id((n * 7 + 13) % ROWS) } else { String::new() };
    match n % 10 {
        0 => format!("{},Seed {},seed{}@x.example,City {n},{link}\n", id(n), n / 10, n / 10),
        1 => format!("{},Bad {n},wrong,,{link}\n", id(n)),
        2 => format!("{},Again {},{},City {n},\n", id(n % 40), n % 40, mail(n % 40)),
        _ => format!("{},New {n},{},City {n},{link}\n", id(n), mail(n)),
    }
}

fn link_key() -> CustomKey {
    CustomKey::new("x_parent").unwrap()
}

impl Place {
    /// With a database that has leads, a file, and a plan that a person changed.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_owned();
        let head = "id,company,email,city,x_parent\n".to_owned();
        std::fs::write(table(&path), (0..ROWS).map(row).fold(head, |all, row| all + &row)).unwrap();
        within(&path.join("seed.db"), |ctx, store| {
            let mut catalogue = Catalogue::standard();
            let link = CustomField::new(link_key(), "Parent", CustomType::Link(SubjectKind::Lead));
            catalogue.set_custom_field(link);
            let seed = |n: u64| {
                let mut fields = LeadFields::company(&format!("Seed {n}"))?;
                fields.emails = leadcore::domain::Emails::parse(&format!("seed{n}@x.example"))?;
                Ok(fields.into())
            };
            let drafts =
                (0..SEED).map(seed).collect::<std::result::Result<Vec<_>, leadcore::error::ValueError>>();
            store
                .write(ctx.tenant(), |txn| {
                    settings::set_catalogue(ctx, txn, None, &catalogue)?;
                    leads::create_many(ctx, txn, drafts.clone().unwrap())
                })
                .unwrap();
            let input = BufReader::new(File::open(table(&path)).unwrap());
            let options = ImportOptions::new().chunk(usize::try_from(CHUNK).unwrap());
            let mut plan = import::plan(ctx, store, input, &options, &mut ()).unwrap();
            change(&mut plan);
            plan.write_lines(&mut File::create(plan_in(&path)).unwrap()).unwrap();
        });
        Self { _directory: directory, path }
    }

    fn database(&self, name: &str) {
        std::fs::copy(self.path.join("seed.db"), self.path.join(name)).unwrap();
    }

    fn leads(&self, database: &str) -> Vec<Lead> {
        within(&self.path.join(database), |ctx, store| {
            let filter = Filter::everything().resolve(&ctx.asker()).unwrap();
            let sort = Sort::ascending(SortField::Number);
            let scan = LeadScan { filter, trashed: false, sort, limit: 100_000, after: None };
            store.read(ctx.tenant(), |txn| txn.leads().scan(&scan)).unwrap()
        })
    }

    /// The leads, each called by its number: a lead of a line that a person mended gets its id when it is written.
    fn facts(&self, database: &str) -> Vec<Lead> {
        let mut leads = self.leads(database);
        let number = |n: u64| uuid::Uuid::from_u128(n.into());
        let places: BTreeMap<_, _> =
            leads.iter().map(|lead| (lead.id.as_uuid(), number(lead.number))).collect();
        for lead in &mut leads {
            lead.id = LeadId::from_uuid(number(lead.number));
            for value in lead.fields.custom.values_mut() {
                if let CustomValue::Link(to) = value {
                    to.id = places[&to.id];
                }
            }
        }
        leads
    }

    fn rejects(&self, database: &str) -> String {
        std::fs::read_to_string(self.path.join(format!("{database}.rejects.csv"))).unwrap()
    }

    fn assert_same(&self, one: &str, other: &str) {
        let (a, b) = (self.facts(one), self.facts(other));
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(&b) {
            assert_eq!(a, b);
        }
        assert!(self.rejects(one) == self.rejects(other), "the same rows are not taken, and all of them");
    }
}

/// What a person changes: lines all over the file.
fn change(plan: &mut ImportPlan) {
    let rejected = |line: &&mut import::PlannedLine| matches!(line.decision, Planned::Reject { .. });
    let bad: Vec<_> = plan.lines.iter_mut().filter(rejected).map(|line| line.line).step_by(7).collect();
    for line in bad {
        plan.set(line, Field::Email, &format!("mended{line}@x.example")).unwrap();
    }
    for line in (50..ROWS).step_by(333) {
        plan.skip(line).unwrap();
    }
    plan.lines.retain(|line| line.number % 500 != 99);
}

fn sums(report: &ImportReport) -> ImportReport {
    let mut report = report.clone();
    (report.operation, report.resumed_after) = (None, 0);
    report
}

/// The other process: this binary again, told by its environment where to go on.
#[test]
fn other_process() {
    let Some(place) = std::env::var_os(PLACE) else { return };
    apply(Path::new(&place), "killed.db", &mut Says(None)).unwrap();
}

#[test]
fn a_plan_that_is_killed_or_cancelled_behind_every_chunk_ends_as_one_that_nobody_stopped() {
    let place = Place::new();
    ["whole.db", "killed.db", "cancelled.db"].iter().for_each(|name| place.database(name));
    let whole = apply(&place.path, "whole.db", &mut ()).unwrap();
    accounted(&whole);
    assert_eq!(whole.lines, ROWS);
    let [created, updated, skipped, rejected] = counts(&whole);
    assert!(created > 1_500 && updated > 300 && skipped > 10 && rejected > 100, "{whole}");
    assert!(whole.duplicates > 100, "{whole}");
    // What links to rows that the person leaves out is not what was planned, or left out.
    assert!(whole.stale_lines.len() + usize::try_from(whole.left_out).unwrap() < 10, "{whole}");
    let there = place.leads("whole.db");
    let ids: BTreeSet<_> = there.iter().map(|lead| lead.id).collect();
    let links: Vec<_> = there.iter().filter_map(|lead| lead.fields.custom.get(&link_key())).collect();
    let leads_there = |link: &&&CustomValue| match link {
        CustomValue::Link(to) => ids.contains(&LeadId::from_uuid(to.id)),
        _ => false,
    };
    assert!(links.len() > 200 && links.iter().filter(leads_there).count() == links.len());

    let mut done = Vec::new();
    while done.last().is_none_or(|last| last + 2 * CHUNK < ROWS) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "interrupted::other_process", "--nocapture"])
            .env(PLACE, &place.path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let chunk = said.filter_map(|line| line.strip_prefix("done ")?.parse::<u64>().ok()).next();
        child.kill().unwrap();
        child.wait().unwrap();
        let Some(chunk) = chunk else { break };
        assert!(done.last().is_none_or(|last| *last < chunk), "{done:?} {chunk}");
        done.push(chunk);
    }
    assert!(done.len() > 3, "{done:?}");
    let last = apply(&place.path, "killed.db", &mut ()).unwrap();
    assert!(last.resumed_after >= *done.last().unwrap(), "{last}");
    assert_eq!(sums(&last), sums(&whole));
    place.assert_same("killed.db", "whole.db");

    let mut stops = 0;
    let cancelled = loop {
        match apply(&place.path, "cancelled.db", &mut Says(Some(stops % 2))) {
            Ok(report) => break report,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}"),
        }
        stops += 1;
    };
    assert!(stops > 5);
    assert_eq!(sums(&cancelled), sums(&whole));
    place.assert_same("cancelled.db", "whole.db");

    // A part and then the whole goes back, whoever stopped it in between.
    let before = place.leads("seed.db");
    for database in ["whole.db", "cancelled.db"] {
        within(&place.path.join(database), |ctx, store| {
            let import = import::apply_from(
                ctx,
                store,
                BufReader::new(File::open(plan_in(&place.path)).unwrap()),
                BufReader::new(File::open(table(&place.path)).unwrap()),
                None,
                &mut (),
            );
            let report = import.unwrap();
            assert!(report.repeated);
            let operation = report.operation.unwrap();
            let part = UndoPart::lines([2, 5, 12, 1_502, 2_505]);
            let back = |txn: &mut dyn Txn| {
                let some = undo::undo_part(ctx, txn, operation, &part)?;
                let rest = undo::undo(ctx, txn, operation)?;
                Ok((some.totals.reversed, rest.totals.kept, rest.totals.failed + rest.totals.partly))
            };
            // What the part took back is kept as it is.
            assert_eq!(store.write(ctx.tenant(), back).unwrap(), (5, 5, 0));
        });
        let after = place.leads(database);
        assert_eq!(after.len(), before.len());
        for (was, is) in before.iter().zip(&after) {
            assert_eq!((was.id, was.number, &was.fields), (is.id, is.number, &is.fields));
        }
    }
}
