//! The whole way, once: a file of leads becomes leads, a board and a customer.
//!
//! `cargo run --release --example quickstart` runs it on the sample beside it, `-- ANY.csv` on another file. The
//! database stays in `quickstart.db`: run it again and the import finds that nothing is left to do.

#![expect(clippy::print_stdout, reason = "an example prints what it does")]

mod show;

use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use leadcore::desk::board::BoardQuery;
use leadcore::desk::convert::{ConversionOptions, ConversionPlan};
use leadcore::exchange::import::{self, ImportOptions, ImportSink, LineOutcome, Progress};
use leadcore::prelude::*;
use leadcore::value::Country;
use leadcore_sqlite::SqliteStore;

const DATABASE: &str = "quickstart.db";
const REJECTED: &str = "quickstart-rejected.csv";

fn main() -> std::process::ExitCode {
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            println!("this did not work: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/leads.csv");
    let file = std::env::args_os().nth(1).map_or(sample, PathBuf::from);

    let store = SqliteStore::open(DATABASE)?;
    let (clock, ids) = (SystemClock, RandomIds::new());
    let ctx = Context::new(&"acme".parse()?, Actor::User("ada".parse()?), &clock, &ids, &AllowAll);

    import_file(&ctx, &store, &file)?;
    draw_board(&ctx, &store)?;
    search(&ctx, &store)?;
    let Some(lead) = move_a_lead(&ctx, &store)? else {
        println!("every lead is a customer already: delete {DATABASE} to begin again");
        return Ok(());
    };
    convert(&ctx, &store, &lead)?;
    Ok(())
}

/// Prints a line of progress after each chunk.
struct Bar;

impl ImportSink for Bar {
    fn line(&mut self, _: &LineOutcome) {}

    fn progress(&mut self, progress: &Progress) -> ControlFlow<()> {
        let percent = (progress.bytes * 100).div_ceil(progress.total_bytes.max(1));
        println!("  {percent:>3} %  {} lines", progress.lines);
        ControlFlow::Continue(())
    }
}

fn import_file(ctx: &Context<'_>, store: &SqliteStore, path: &Path) -> Result<()> {
    show::title(&format!("Import {}", path.display()));
    let unreadable = |error| Error::new(ErrorKind::Storage, "the file cannot be opened").with_source(error);
    // Small chunks, so that there is something to see.
    let options = ImportOptions::new().region(Country::parse("NO")?).chunk(2_000);
    let file = File::open(path).map_err(unreadable)?;
    let mut rejected = show::WhenNeeded::new(REJECTED);
    let report = import::run(ctx, store, file, &options, Some(&mut rejected), &mut Bar)?;
    print!("{}", show::report(&report));
    if report.rejected > 0 {
        println!("rejected lines with their reasons: {REJECTED}");
    }
    Ok(())
}

fn draw_board(ctx: &Context<'_>, store: &SqliteStore) -> Result<()> {
    show::title("The board");
    let board =
        store.read(ctx.tenant(), |txn| desk::board::board(ctx, txn, &BoardQuery::default().cards(3)))?;
    show::board(&board);
    Ok(())
}

fn search(ctx: &Context<'_>, store: &SqliteStore) -> Result<()> {
    // Part of a name that is really there: of the first lead with one.
    let newest = store.read(ctx.tenant(), |txn| {
        desk::leads::list(ctx, txn, &LeadQuery::new(Filter::everything()).limit(1))
    })?;
    let name = newest.items.first().and_then(|lead| lead.fields.display_name()).unwrap_or("nordlys");
    let words = name.split(|letter: char| !letter.is_alphanumeric());
    let word: String =
        words.max_by_key(|word| word.chars().count()).unwrap_or(name).chars().take(4).collect();
    show::title(&format!("Search for `{word}`"));
    let filter = Filter::search(word);
    let (page, count) = store.read(ctx.tenant(), |txn| {
        let page = desk::leads::list(ctx, txn, &LeadQuery::new(filter.clone()).limit(5))?;
        Ok((page, desk::leads::count(ctx, txn, &filter)?))
    })?;
    show::leads(&page.items);
    println!("{count} found");
    Ok(())
}

/// Moves the lead that waits longest to the next open stage.
fn move_a_lead(ctx: &Context<'_>, store: &SqliteStore) -> Result<Option<Lead>> {
    let oldest =
        LeadQuery::new(Filter::eq(Field::State, "open")).sort(Sort::ascending(SortField::UpdatedAt)).limit(1);
    let moved = store.write(ctx.tenant(), |txn| {
        let Some(lead) = desk::leads::list(ctx, txn, &oldest)?.items.pop() else { return Ok(None) };
        let pipelines = desk::pipelines::list(ctx, txn)?;
        let stages = pipelines.into_iter().flat_map(|pipeline| pipeline.stages);
        let mut open = stages.filter(|stage| stage.kind == StageKind::Open && stage.id != lead.stage);
        match open.next() {
            None => Ok(Some((lead, None))),
            Some(stage) => {
                let lead = desk::board::move_card(ctx, txn, lead.id, lead.revision, stage.id)?;
                Ok(Some((lead, Some(stage.name))))
            }
        }
    })?;
    let Some((lead, stage)) = moved else { return Ok(None) };
    show::title("Move a card");
    println!("{} -> {}", show::name(&lead), stage.as_deref().unwrap_or("(no other open stage)"));
    Ok(Some(lead))
}

fn convert(ctx: &Context<'_>, store: &SqliteStore, lead: &Lead) -> Result<()> {
    show::title("Convert it to a customer");
    let options = ConversionOptions::default();
    let mut plan = store.read(ctx.tenant(), |txn| desk::convert::plan(ctx, txn, lead.id, &options));
    if let Err(error) = plan {
        // Some files have leads without any name, which an account needs.
        println!("not yet: {error}");
        let named = LeadPatch::new().set(Field::Company, format!("Lead {}", lead.number));
        store.write(ctx.tenant(), |txn| desk::leads::edit(ctx, txn, lead.id, lead.revision, &named))?;
        plan = store.read(ctx.tenant(), |txn| desk::convert::plan(ctx, txn, lead.id, &options));
    }
    let plan = plan?;
    // A plan is data: it can be shown, stored, sent and applied later.
    let text = serde_json::to_string_pretty(&plan).unwrap_or_default();
    let name = plan.account.fields().map_or("–", |fields| fields.name.as_str());
    println!("the plan, {} bytes of JSON, makes the account `{name}`", text.len());
    let plan: ConversionPlan = serde_json::from_str(&text)
        .map_err(|error| Error::new(ErrorKind::Corrupt, "the plan cannot be read").with_source(error))?;

    let outcome = store.write(ctx.tenant(), |txn| desk::convert::apply(ctx, txn, &plan))?;
    let again = store.write(ctx.tenant(), |txn| desk::convert::apply(ctx, txn, &plan))?;
    println!("customer number {}, {} contacts", outcome.account_number, outcome.contacts.len());
    println!("applied a second time: the same account: {}", again.account == outcome.account);
    let frozen = store.write(ctx.tenant(), |txn| {
        let patch = LeadPatch::new().set(Field::City, "Bergen");
        desk::leads::edit(ctx, txn, lead.id, desk::Expect::Any, &patch)
    });
    if let Err(error) = frozen {
        println!("editing the lead now: {} ({error})", error.kind());
    }

    show::title("The customer's timeline");
    let account = outcome.account.ok_or_else(|| Error::not_found("account"))?;
    let timeline = store.read(ctx.tenant(), |txn| desk::timeline::of_account(ctx, txn, account, None, 20))?;
    show::timeline(&timeline.items);
    Ok(())
}
