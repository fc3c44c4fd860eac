//! The port for services. Each has its line in its own row.

use leadcore::domain::{Actor, Service, ServiceFields, ServiceOrigin, ServiceState};
use leadcore::error::Result;
use leadcore::id::{AccountId, EstimateId, OpportunityId, ServiceId, UserId};
use leadcore::store::{ServiceScan, Services};
use leadcore::time::Date;
use leadcore::value::Currency;
use rusqlite::Row;

use crate::row::{Binder, Columns, corrupt, to_json};
use crate::txn::SqliteTxn;

use super::lines::{bind_line, bind_totals, line, totals};
use super::table::Table;

const COLUMNS: &str = "id, revision, account, about, description, product, quantity, unit, unit_price, discount_percent, discount_amount, tax_name, tax_percent, currency, first_day, last_day, note, net, discount, tax, gross, taxes, state, estimate, position, opportunity, created_by, created_at, updated_at";
const INSERT: &str = "INSERT INTO leadcore_service (revision, account, about, description, product, quantity, unit, unit_price, discount_percent, discount_amount, tax_name, tax_percent, currency, first_day, last_day, note, net, discount, tax, gross, taxes, state, estimate, position, opportunity, created_by, created_at, updated_at, tenant, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const UPDATE: &str = "UPDATE leadcore_service SET revision = ?, account = ?, about = ?, description = ?, product = ?, quantity = ?, unit = ?, unit_price = ?, discount_percent = ?, discount_amount = ?, tax_name = ?, tax_percent = ?, currency = ?, first_day = ?, last_day = ?, note = ?, net = ?, discount = ?, tax = ?, gross = ?, taxes = ?, state = ?, estimate = ?, position = ?, opportunity = ?, created_by = ?, created_at = ?, updated_at = ? WHERE tenant = ? AND id = ? AND revision = ?";
const TABLE: Table<Service> = Table {
    name: "leadcore_service",
    columns: COLUMNS,
    record: "service",
    one: "a service",
    insert: INSERT,
    update: UPDATE,
    key: |service| (service.id.as_uuid(), service.revision),
    bind,
    read: service,
};

fn service(row: &Row<'_>) -> Result<Service> {
    let mut columns = Columns::of(row);
    let id = ServiceId::from_uuid(columns.uuid()?);
    let revision = columns.revision()?;
    let account = AccountId::from_uuid(columns.uuid()?);
    let about = columns.json("service")?;
    let fields = ServiceFields {
        line: line(&mut columns)?,
        currency: columns.parsed("currency", Currency::from_stored)?,
        from: columns.optional_date()?,
        until: columns.optional_date()?,
        note: columns.string()?,
    };
    let totals = totals(&mut columns)?;
    let state = columns.code("state", ServiceState::from_code)?;
    let estimate = columns.optional_uuid()?.map(EstimateId::from_uuid);
    let position = columns.optional_int()?.map(u32::try_from).transpose().map_err(|_| corrupt("position"))?;
    Ok(Service {
        id,
        revision,
        account,
        about,
        fields,
        totals,
        state,
        origin: estimate.zip(position).map(|(estimate, position)| ServiceOrigin { estimate, position }),
        opportunity: columns.optional_uuid()?.map(OpportunityId::from_uuid),
        created_by: columns.parsed("author", |text| UserId::new(text))?.map_or(Actor::System, Actor::User),
        created_at: columns.time()?,
        updated_at: columns.time()?,
    })
}

fn bind(binder: &mut Binder<'_, '_>, service: &Service) -> Result<()> {
    let (fields, origin) = (&service.fields, service.origin);
    binder.number(service.revision.get())?;
    binder.id(service.account.as_uuid())?;
    binder.bind(to_json(&service.about)?)?;
    bind_line(binder, &fields.line)?;
    binder.bind(fields.currency.as_ref().map(Currency::code))?;
    binder.bind(fields.from.map(Date::as_days))?;
    binder.bind(fields.until.map(Date::as_days))?;
    binder.bind(fields.note.as_deref())?;
    bind_totals(binder, &service.totals)?;
    binder.bind(service.state.code())?;
    binder.optional_id(origin.map(|origin| origin.estimate.as_uuid()))?;
    binder.bind(origin.map(|origin| origin.position))?;
    binder.optional_id(service.opportunity.map(OpportunityId::as_uuid))?;
    binder.bind(service.created_by.user().map(UserId::as_str))?;
    binder.time(service.created_at)?;
    binder.time(service.updated_at)
}

/// The walk of an index that a scan is: what it asks for comes first in the index, then the id. The index is named: the key of
/// the table is in the order of ids too, and all services of the tenant would be walked.
pub(crate) fn scan_query(scan: &ServiceScan) -> String {
    let (order, behind) = if scan.descending { ("DESC", "<") } else { ("ASC", ">") };
    let parts = [
        (scan.account.is_some(), " AND account = ?2"),
        (scan.state.is_some(), " AND state = ?3"),
        (scan.opportunity.is_some(), " AND opportunity = ?4"),
        (scan.estimate.is_some(), " AND estimate = ?5"),
    ];
    let index = match scan {
        ServiceScan { opportunity: Some(_), .. } => " INDEXED BY leadcore_service_opportunity",
        ServiceScan { estimate: Some(_), .. } => " INDEXED BY leadcore_service_estimate",
        ServiceScan { account: Some(_), .. } => " INDEXED BY leadcore_service_account",
        ServiceScan { state: Some(_), .. } => " INDEXED BY leadcore_service_state",
        _ => "",
    };
    let mut sql = format!("SELECT {COLUMNS} FROM leadcore_service{index} WHERE tenant = ?1");
    parts.iter().filter(|(asked, _)| *asked).for_each(|(_, part)| sql.push_str(part));
    if scan.after.is_some() {
        sql.push_str(&format!(" AND id {behind} ?6"));
    }
    sql.push_str(&format!(" ORDER BY id {order} LIMIT ?7"));
    sql
}

impl Services for SqliteTxn<'_> {
    fn insert(&mut self, services: &[Service]) -> Result<()> {
        TABLE.insert(self, services, |_| Ok(()))
    }

    fn update(&mut self, services: &[Service]) -> Result<()> {
        TABLE.update(self, services, |_| Ok(()))
    }

    fn get(&mut self, ids: &[ServiceId]) -> Result<Vec<Service>> {
        TABLE.get(self, ids.iter().map(|id| id.as_uuid()))
    }

    fn remove(&mut self, ids: &[ServiceId]) -> Result<()> {
        TABLE.remove(self, ids.iter().map(|id| id.as_uuid()))
    }

    fn scan(&mut self, scan: &ServiceScan) -> Result<Vec<Service>> {
        let account = scan.account.map(AccountId::as_uuid);
        let opportunity = scan.opportunity.map(OpportunityId::as_uuid);
        let estimate = scan.estimate.map(EstimateId::as_uuid);
        let after = scan.after.map(ServiceId::as_uuid);
        let row = (
            self.tenant_text(),
            account.as_ref().map(|id| id.as_bytes().as_slice()),
            scan.state.map(ServiceState::code),
            opportunity.as_ref().map(|id| id.as_bytes().as_slice()),
            estimate.as_ref().map(|id| id.as_bytes().as_slice()),
            after.as_ref().map(|id| id.as_bytes().as_slice()),
            i64::try_from(scan.limit).unwrap_or(i64::MAX),
        );
        self.all(&scan_query(scan), "list services", row, service)
    }
}
