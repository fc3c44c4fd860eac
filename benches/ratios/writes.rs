//! Single writes, each waiting for the disk: creating, moving, and eight writers at once.

use std::path::Path;
use std::time::Instant;

use leadcore::prelude::*;
use leadcore::testkit::fixtures::realistic_leads;
use leadcore_sqlite::SqliteStore;

use crate::bare_write::{self, New, Place};
use crate::fixture::{Full, Scene, bare, owner};
use crate::runner::{Line, Runner, show, timed};

/// The same leads for both sides.
fn drafts(count: usize, seed: u64, full: &Full) -> Vec<LeadFields> {
    let mut leads = realistic_leads(count, seed);
    for (n, fields) in leads.iter_mut().enumerate() {
        fields.owner = Some(owner(n));
        fields.source = full.sources.get(n % 12).copied();
    }
    leads
}

fn place(full: &Full) -> Place {
    let (pipeline, stage) = (full.pipeline.id.as_uuid(), full.pipeline.stages[0].id.as_uuid());
    Place { pipeline: *pipeline.as_bytes(), stage: *stage.as_bytes() }
}

/// What the bare program is given of a lead.
fn plain(fields: &LeadFields) -> New<'_> {
    fn text(text: &Option<String>) -> &str {
        text.as_deref().unwrap_or_default()
    }
    let person = fields.person.as_ref();
    New {
        company: text(&fields.company),
        given: person.and_then(|person| person.given()).unwrap_or_default(),
        family: person.and_then(|person| person.family()).unwrap_or_default(),
        job: text(&fields.job_title),
        email: fields.emails.primary().map(|email| email.as_str()).unwrap_or_default(),
        phone: fields.phones.primary().map(|phone| phone.as_str()).unwrap_or_default(),
        street: fields.address.street().unwrap_or_default(),
        city: fields.address.city().unwrap_or_default(),
        postal_code: fields.address.postal_code().unwrap_or_default(),
        country: "NO",
        currency: "EUR",
        amount: Some(1_000_000),
        industry: text(&fields.industry),
        description: text(&fields.description),
        external_id: "",
        owner: fields.owner.as_ref().map(|owner| owner.as_str()).unwrap_or_default(),
        source: fields.source.map(|source| *source.as_uuid().as_bytes()),
    }
}

fn create(store: &SqliteStore, stage: StageId, ctx: &Context<'_>, fields: &LeadFields) {
    let draft = || {
        let mut draft = LeadDraft::from(fields.clone());
        draft.stage = Some(stage);
        draft
    };
    store.write(ctx.tenant(), |txn| desk::leads::create(ctx, txn, draft())).unwrap();
}

pub(crate) fn line(name: &'static str, full: &Full, leadcore: f64, bare: f64, note: String) -> Line {
    let line = Line { name, size: full.size, leadcore, bare, note };
    eprintln!("{}", show(&line));
    line
}

/// Both sides in turns, in portions of so many calls; seconds of processor time for one call.
fn in_turns(calls: usize, mut ours: impl FnMut(usize), mut theirs: impl FnMut(usize)) -> [(f64, f64); 2] {
    let mut sums = [(0.0, 0.0); 2];
    let per_call = 1.0 / f64::from(u32::try_from(calls).unwrap());
    for from in (0..calls).step_by(100) {
        let portion = from..calls.min(from + 100);
        let sides: [&mut dyn FnMut(usize); 2] = [&mut ours, &mut theirs];
        for (sum, side) in sums.iter_mut().zip(sides) {
            let ((), cpu, wall) = timed(|| portion.clone().for_each(side));
            sum.0 += cpu.as_secs_f64() * per_call;
            sum.1 += wall.as_secs_f64() * per_call;
        }
    }
    sums
}

fn on_the_wall(ours: f64, theirs: f64) -> String {
    format!("on the wall {:.2} and {:.2} ms", ours * 1e3, theirs * 1e3)
}

fn creates(full: &Full, dir: &Path, calls: usize) -> Line {
    let (ours, theirs) = (full.copy(dir, "create"), full.copy(dir, "create-bare"));
    let leads = drafts(calls, 99, full);
    let plain: Vec<_> = leads.iter().map(plain).collect();
    let (ctx, place, stage) = (ours.scene.ctx(), place(full), full.pipeline.stages[0].id);
    let [a, b] = in_turns(
        calls,
        |n| create(&ours.store, stage, &ctx, &leads[n]),
        |n| bare_write::create(&theirs.bare, &plain[n], place),
    );
    line("create one lead", full, a.0, b.0, on_the_wall(a.1, b.1))
}

/// Up to `count` leads from all over the database, none of them converted.
fn spread(full: &Full, count: usize) -> Vec<Lead> {
    let ctx = full.scene.ctx();
    let step = full.size / count.min(full.size);
    let number = |n: usize| u64::try_from(1 + n * step).unwrap();
    let all: Result<Vec<Lead>> = full.store.read(ctx.tenant(), |txn| {
        (0..count.min(full.size)).map(|n| desk::leads::by_number(&ctx, txn, number(n))).collect()
    });
    all.unwrap().into_iter().filter(|lead| lead.conversion.is_none()).collect()
}

/// Each lead to the next stage of the open ones.
fn moves(full: &Full, dir: &Path, calls: usize) -> Line {
    let (ours, theirs) = (full.copy(dir, "move"), full.copy(dir, "move-bare"));
    let ctx = ours.scene.ctx();
    let leads = spread(&ours, calls);
    let stages = &full.pipeline.stages;
    let target = |lead: &Lead| {
        let at = stages.iter().position(|stage| stage.id == lead.stage).unwrap();
        stages[(at + 1) % 5].id
    };
    let [a, b] = in_turns(
        leads.len(),
        |n| {
            let to = target(&leads[n]);
            let done = |txn: &mut dyn Txn| {
                desk::leads::move_to(&ctx, txn, leads[n].id, desk::Expect::Any, to).map(drop)
            };
            ours.store.write(ctx.tenant(), done).unwrap();
        },
        |n| {
            let to = *target(&leads[n]).as_uuid().as_bytes();
            bare_write::move_to(&theirs.bare, *leads[n].id.as_uuid().as_bytes(), to);
        },
    );
    line("move one lead to a stage", full, a.0, b.0, on_the_wall(a.1, b.1))
}

/// Seconds for one create, and the longest that any of them took.
fn at_once(threads: usize, calls: usize, work: impl Fn(usize) + Sync) -> (f64, f64) {
    let began = Instant::now();
    let worst = std::thread::scope(|scope| {
        let writer = |from: usize| {
            let work = &work;
            move || {
                let mut worst = 0.0_f64;
                for n in (from..calls).step_by(threads) {
                    let began = Instant::now();
                    work(n);
                    worst = worst.max(began.elapsed().as_secs_f64());
                }
                worst
            }
        };
        let running: Vec<_> = (0..threads).map(|from| scope.spawn(writer(from))).collect();
        running.into_iter().map(|writer| writer.join().unwrap()).fold(0.0, f64::max)
    });
    (began.elapsed().as_secs_f64() / f64::from(u32::try_from(calls).unwrap()), worst)
}

fn eight_writers(full: &Full, dir: &Path, calls: usize) -> Vec<Line> {
    let (ours, theirs) = (full.copy(dir, "eight"), full.copy(dir, "eight-bare"));
    let leads = drafts(calls, 101, full);
    let plain: Vec<_> = leads.iter().map(plain).collect();
    let (place, stage, store) = (place(full), full.pipeline.stages[0].id, &ours.store);
    let scene = Scene::new();
    let one = at_once(1, calls, |n| create(store, stage, &scene.ctx(), &leads[n]));
    let eight = at_once(8, calls, |n| create(store, stage, &scene.ctx(), &leads[n]));
    let path = theirs.path.clone();
    let bare = at_once(8, calls, |n| {
        thread_local!(static CONN: std::cell::RefCell<Option<rusqlite::Connection>> = const { std::cell::RefCell::new(None) });
        CONN.with_borrow_mut(|conn| {
            bare_write::create(conn.get_or_insert_with(|| bare(&path)), &plain[n], place);
        });
    });
    let waits = format!("on the wall; worst wait {:.0} and {:.0} ms", eight.1 * 1e3, bare.1 * 1e3);
    vec![
        line("create with 8 writers", full, eight.0, bare.0, waits),
        line("create with 8 writers, against 1", full, eight.0, one.0, "on the wall".to_owned()),
    ]
}

/// Every write bench on copies of one database.
pub(crate) fn run(runner: Runner, full: &Full, dir: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<Line> {
    let calls = if runner.try_out { 10 } else { 2_000 };
    let mut lines = Vec::new();
    if wanted("create") {
        lines.push(creates(full, dir, calls));
    }
    if wanted("move") {
        lines.push(moves(full, dir, calls));
    }
    if wanted("writers") {
        lines.extend(eight_writers(full, dir, calls));
    }
    lines
}
