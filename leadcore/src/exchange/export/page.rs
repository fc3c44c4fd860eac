//! Leads as typed cells, page by page, for whoever makes tables of them.

use super::ExportOptions;
use super::cells::{Cell, Reader};
use crate::context::Context;
use crate::desk::{Extent, Extract, require};
use crate::domain::{Catalogue, CustomType, Field, FieldType};
use crate::error::Result;
use crate::policy::Permission;
use crate::query::Cursor;
use crate::store::Txn;

/// What the cells of a column hold, when they are not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CellKind {
    /// Text.
    Text,
    /// Several texts.
    List,
    /// A whole number.
    Integer,
    /// An exact number of at most six decimal places.
    Decimal,
    /// Yes or no.
    Flag,
    /// A day.
    Day,
    /// A point in time.
    Time,
}

/// A column of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageColumn {
    /// What stands over it.
    pub head: String,
    /// Its field.
    pub field: Field,
    /// What its cells hold.
    pub kind: CellKind,
}

/// Some of the leads that go out.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ExportPage {
    /// The columns.
    pub columns: Vec<PageColumn>,
    /// The cells of each lead.
    pub rows: Vec<Vec<Cell>>,
    /// Behind which lead the next page begins; none at the end.
    pub next: Option<Cursor>,
}

/// At most 1,000 leads, behind the place where an earlier page ended. Each page shows the leads as they are when it is read.
/// Of leads that are named, the first 1,000 are a page, and there is no place behind them: name the others in another call.
///
/// ```
/// use leadcore::desk::leads;
/// use leadcore::exchange::export::{Cell, ExportFormat, ExportOptions, Extent, page};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// store.write(ctx.tenant(), |txn| leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into()))?;
/// let options = ExportOptions::new(ExportFormat::JsonLines).columns([Field::Number, Field::Company]);
/// let all = Extent::Filter(Filter::everything());
/// let found = store.read(ctx.tenant(), |txn| page(&ctx, txn, &all, &options, None))?;
/// assert_eq!(found.rows, [[Cell::Number(1.into()), Cell::Text("Nordlys AS".to_owned())]]);
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// As [`export`](super::export).
pub fn page(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    extent: &Extent,
    options: &ExportOptions,
    after: Option<Cursor>,
) -> Result<ExportPage> {
    require(ctx, txn, Permission::View)?;
    let mut extract = Extract::open(ctx, txn, extent, &options.request(), options.all_columns)?;
    extract.go_behind(after)?;
    let heads = options.heads(&extract.columns, &extract.catalogue);
    let fields: Vec<Field> = extract.columns.iter().map(|spec| spec.field.clone()).collect();
    let (catalogue, pipelines) = (extract.catalogue.clone(), extract.pipelines.clone());
    let reader = Reader::new(&fields, &catalogue, &pipelines, options);
    let columns = heads.into_iter().zip(&fields).map(|(head, field)| PageColumn {
        head,
        field: field.clone(),
        kind: kind(field, &catalogue, options),
    });
    let columns = columns.collect();
    let mut rows = Vec::new();
    if let Some((leads, names)) = extract.next(txn)? {
        for lead in &leads {
            let cells = reader.row(lead, &names).into_iter().zip(&fields).map(|(cell, field)| match field {
                Field::Number => Cell::Number(lead.number.into()),
                _ => cell,
            });
            rows.push(cells.collect());
        }
    }
    Ok(ExportPage { columns, rows, next: extract.place() })
}

fn kind(field: &Field, catalogue: &Catalogue, options: &ExportOptions) -> CellKind {
    let by_type = |kind: &FieldType| match kind {
        FieldType::Integer => CellKind::Integer,
        FieldType::Amount | FieldType::Decimal => CellKind::Decimal,
        FieldType::Bool => CellKind::Flag,
        FieldType::Date => CellKind::Day,
        FieldType::Time => CellKind::Time,
        _ => CellKind::Text,
    };
    match field {
        Field::Email | Field::Phone | Field::Labels => CellKind::List,
        Field::ExternalId if options.external_system.is_none() => CellKind::List,
        Field::Number => CellKind::Integer,
        Field::Custom(key) => match catalogue.usable(key).ok().map(|custom| &custom.kind) {
            Some(CustomType::Integer) => CellKind::Integer,
            Some(CustomType::Decimal) => CellKind::Decimal,
            Some(CustomType::Bool) => CellKind::Flag,
            Some(CustomType::Date) => CellKind::Day,
            Some(CustomType::Time) => CellKind::Time,
            Some(CustomType::ManyOf(_)) => CellKind::List,
            _ => CellKind::Text,
        },
        standard => by_type(&standard.field_type()),
    }
}
