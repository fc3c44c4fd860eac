//! What the acceptance tests stand on: a host program with one database file, and where the outside data is.

pub(crate) mod outside;
pub(crate) mod tables;

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use leadcore::context::Context;
use leadcore::desk::leads;
use leadcore::domain::{Field, FieldValue, Lead, LeadDraft, LeadFields};
use leadcore::error::{Error, ErrorKind, Result};
use leadcore::exchange::import::{self, ImportOptions, ImportReport};
use leadcore::policy::Policy;
use leadcore::query::{Filter, LeadQuery, Sort, SortField};
use leadcore::store::{Store, StoreExt, Txn};
use leadcore::testkit::fixtures::Scene;
use leadcore_sqlite::SqliteStore;

/// A host program: one database file, a tenant, the user `ada`, a clock that stands still.
pub(crate) struct Host {
    pub(crate) store: SqliteStore,
    pub(crate) scene: Scene,
    directory: tempfile::TempDir,
}

impl Host {
    /// The host of tenant `acme` on a new file.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("leads.db")).unwrap();
        Self { store, scene: Scene::new("acme"), directory }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.directory.path().join("leads.db")
    }

    /// Ends the program and starts it again: what is there now was on disk.
    pub(crate) fn restart(&mut self) {
        self.store = SqliteStore::open_in_memory().unwrap();
        self.store = SqliteStore::open(self.file()).unwrap();
    }

    pub(crate) fn ctx(&self) -> Context<'_> {
        self.scene.ctx()
    }

    /// Writes as `ada`, who may do everything.
    pub(crate) fn write<T>(&self, work: impl FnMut(&Context<'_>, &mut dyn Txn) -> Result<T>) -> T {
        self.try_write(work).expect("the write breaks no rule")
    }

    pub(crate) fn try_write<T>(
        &self,
        mut work: impl FnMut(&Context<'_>, &mut dyn Txn) -> Result<T>,
    ) -> Result<T> {
        let ctx = self.ctx();
        self.store.write(ctx.tenant(), |txn| work(&ctx, txn))
    }

    pub(crate) fn read<T>(&self, work: impl FnMut(&Context<'_>, &mut dyn Txn) -> Result<T>) -> T {
        self.try_read(work).expect("the read breaks no rule")
    }

    pub(crate) fn try_read<T>(
        &self,
        mut work: impl FnMut(&Context<'_>, &mut dyn Txn) -> Result<T>,
    ) -> Result<T> {
        let ctx = self.ctx();
        self.store.read(ctx.tenant(), |txn| work(&ctx, txn))
    }

    /// Writes as another user, by a policy.
    pub(crate) fn write_as<T>(
        &self,
        user: &str,
        policy: &dyn Policy,
        mut work: impl FnMut(&Context<'_>, &mut dyn Txn) -> Result<T>,
    ) -> Result<T> {
        let ctx = self.scene.ctx_as(user, policy);
        self.store.write(ctx.tenant(), |txn| work(&ctx, txn))
    }

    /// Adds a lead, a second after the one before.
    pub(crate) fn add(&self, fields: impl Into<LeadDraft>) -> Lead {
        self.scene.tick();
        let draft = fields.into();
        self.write(|ctx, txn| leads::create(ctx, txn, draft.clone()))
    }

    pub(crate) fn get(&self, lead: &Lead) -> Lead {
        self.read(|ctx, txn| leads::get(ctx, txn, lead.id))
    }

    /// The companies (or persons) on the first page of a list, in the order of their numbers.
    pub(crate) fn names(&self, filter: Filter) -> Vec<String> {
        let query = LeadQuery::new(filter).sort(Sort::ascending(SortField::Number)).limit(1_000);
        let page = self.read(|ctx, txn| leads::list(ctx, txn, &query));
        page.items.iter().map(|lead| lead.fields.display_name().unwrap_or("–").to_owned()).collect()
    }

    pub(crate) fn count(&self, filter: &Filter) -> u64 {
        self.read(|ctx, txn| leads::count(ctx, txn, filter))
    }

    /// Imports a file; every line must be accounted for.
    pub(crate) fn import(&self, file: impl Into<Vec<u8>>, options: &ImportOptions) -> ImportReport {
        self.try_import(file, options).expect("the file is a table of leads")
    }

    pub(crate) fn try_import(
        &self,
        file: impl Into<Vec<u8>>,
        options: &ImportOptions,
    ) -> Result<ImportReport> {
        let store: &dyn Store = &self.store;
        let report = import::run(&self.ctx(), store, Cursor::new(file.into()), options, None, &mut ())?;
        accounted(&report);
        Ok(report)
    }

    pub(crate) fn dry_run(&self, file: impl Into<Vec<u8>>, options: &ImportOptions) -> ImportReport {
        let input = Cursor::new(file.into());
        let report = import::dry_run(&self.ctx(), &self.store, input, options, &mut ()).unwrap();
        accounted(&report);
        report
    }
}

/// Every line of the file is in the report, once.
pub(crate) fn accounted(report: &ImportReport) {
    let sum = report.created + report.updated + report.skipped + report.review + report.rejected;
    assert_eq!(sum, report.lines, "{report}");
}

/// created, updated, skipped, rejected
pub(crate) fn counts(report: &ImportReport) -> [u64; 4] {
    [report.created, report.updated, report.skipped, report.rejected]
}

/// Fields with these values, as a form would send them.
pub(crate) fn form(values: &[(Field, &str)]) -> LeadFields {
    let mut fields = LeadFields::default();
    for (field, value) in values {
        let value = FieldValue::from(*value);
        field.write(&mut fields, &value).unwrap_or_else(|error| panic!("{field}: {error}"));
    }
    fields
}

pub(crate) fn company(name: &str) -> LeadFields {
    LeadFields::company(name).unwrap()
}

/// The call must be refused with this kind of error.
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T>, kind: ErrorKind) -> Error {
    let error = result.expect_err("the call must be refused");
    assert_eq!(error.kind(), kind, "{error}");
    error
}

/// The fields that an error complains about.
pub(crate) fn fields_of(error: &Error) -> Vec<&str> {
    error.violations().iter().map(|violation| violation.field.as_str()).collect()
}

/// The functions of the desk that are handed a transaction, as `room::name`, read from its sources.
pub(crate) fn desk_functions() -> BTreeSet<String> {
    let desk = Path::new(env!("CARGO_MANIFEST_DIR")).join("leadcore/src/desk");
    let mut functions = BTreeSet::new();
    for path in outside::files_below(&desk) {
        // `desk/board.rs` and everything in `desk/board/` are the room `board`.
        let inside = path.strip_prefix(&desk).unwrap().iter().next().unwrap().to_string_lossy();
        let room = inside.trim_end_matches(".rs").to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines().filter_map(|line| line.strip_prefix("pub fn ")) {
            let name: String = line.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            functions.insert(format!("{room}::{name}"));
        }
    }
    for pure in [
        "convert::many_in_batches",
        "convert::many_in_batches_with",
        "outbox::deliver",
        "outbox::deliver_with",
        "pipelines::new_stage",
        "calendar::month_of",
        "ical::calendar",
    ] {
        assert!(functions.remove(pure), "{pure} takes no transaction");
    }
    functions
}

/// The functions of the desk that files of their own try with two tenants and as a viewer.
pub(crate) fn tried_elsewhere() -> impl Iterator<Item = String> {
    let lists: [&[&str]; 11] = [
        &crate::estimates_allowed::TRIED,
        &crate::opportunities_allowed::TRIED,
        &crate::children_calls::TRIED,
        &crate::book::TRIED,
        &crate::custom_of_records::TRIED,
        &crate::hygiene::TRIED,
        &crate::conversion::TRIED,
        &crate::conversion_mapping::TRIED,
        &crate::matching::TRIED,
        &crate::number_series::TRIED,
        &crate::reports::TRIED,
    ];
    lists.into_iter().flatten().map(|name| (*name).to_owned())
}
