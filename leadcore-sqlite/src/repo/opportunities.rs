//! The port for opportunities. Their lines are rows.

use leadcore::domain::{
    Actor, BlockKey, Opportunity, OpportunityEnd, OpportunityFields, OpportunityState, Series,
};
use leadcore::error::Result;
use leadcore::id::{AccountId, LeadId, LostReasonId, OpportunityId, SourceId, UserId};
use leadcore::store::{Block, Opportunities, OpportunityScan};
use leadcore::time::Date;
use leadcore::value::Currency;
use rusqlite::Row;
use uuid::Uuid;

use crate::row::{Binder, Columns, amount_units, corrupt, to_json};
use crate::txn::SqliteTxn;

use super::blocks::Of;
use super::lines::{Holder, bind_totals, totals};
use super::numbers::{bind_serial, serial};
use super::table::Table;

const COLUMNS: &str = "id, number, revision, account, about, name, owner, amount, currency, probability, expected_close, source, campaign, description, custom, net, discount, tax, gross, taxes, state, closed_on, reason, detail, origin_lead, created_by, created_at, updated_at, series, year, written";
const INSERT: &str = "INSERT INTO leadcore_opportunity (number, revision, account, about, name, owner, amount, currency, probability, expected_close, source, campaign, description, custom, net, discount, tax, gross, taxes, state, closed_on, reason, detail, origin_lead, created_by, created_at, updated_at, day, series, year, written, tenant, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const UPDATE: &str = "UPDATE leadcore_opportunity SET number = ?, revision = ?, account = ?, about = ?, name = ?, owner = ?, amount = ?, currency = ?, probability = ?, expected_close = ?, source = ?, campaign = ?, description = ?, custom = ?, net = ?, discount = ?, tax = ?, gross = ?, taxes = ?, state = ?, closed_on = ?, reason = ?, detail = ?, origin_lead = ?, created_by = ?, created_at = ?, updated_at = ?, day = ?, series = ?, year = ?, written = ? WHERE tenant = ? AND id = ? AND revision = ?";
const TABLE: Table<Opportunity> = Table {
    name: "leadcore_opportunity",
    columns: COLUMNS,
    record: "opportunity",
    one: "an opportunity",
    insert: INSERT,
    update: UPDATE,
    key: |one| (one.id.as_uuid(), one.revision),
    bind,
    read: opportunity,
};

/// An opportunity without its lines.
fn opportunity(row: &Row<'_>) -> Result<Opportunity> {
    let mut columns = Columns::of(row);
    let id = OpportunityId::from_uuid(columns.uuid()?);
    let (number, revision) = (columns.unsigned()?, columns.revision()?);
    let account = AccountId::from_uuid(columns.uuid()?);
    let about = columns.json("opportunity")?;
    let fields = OpportunityFields {
        name: columns.text()?.to_owned(),
        owner: columns.parsed("owner", |text| UserId::new(text))?,
        amount: columns.amount()?,
        currency: columns.parsed("currency", Currency::from_stored)?,
        probability: columns
            .optional_int()?
            .map(u8::try_from)
            .transpose()
            .map_err(|_| corrupt("probability"))?,
        expected_close: columns.optional_date()?,
        source: columns.optional_uuid()?.map(SourceId::from_uuid),
        campaign: columns.string()?,
        description: columns.string()?,
        custom: columns.json("custom fields")?,
        lines: Vec::new(),
    };
    let totals = totals(&mut columns)?;
    let state = columns.code("state", OpportunityState::from_code)?;
    let closed_on = columns.optional_date()?;
    let reason = columns.optional_uuid()?.map(LostReasonId::from_uuid);
    let detail = columns.string()?;
    Ok(Opportunity {
        id,
        number,
        revision,
        account,
        about,
        fields,
        totals,
        state,
        end: closed_on.map(|on| OpportunityEnd { on, reason, detail }),
        origin_lead: columns.optional_uuid()?.map(LeadId::from_uuid),
        created_by: columns.parsed("author", |text| UserId::new(text))?.map_or(Actor::System, Actor::User),
        created_at: columns.time()?,
        updated_at: columns.time()?,
        serial: serial(&mut columns)?,
    })
}

fn bind(binder: &mut Binder<'_, '_>, one: &Opportunity) -> Result<()> {
    let (fields, end) = (&one.fields, one.end.as_ref());
    binder.number(one.number)?;
    binder.number(one.revision.get())?;
    binder.id(one.account.as_uuid())?;
    binder.bind(to_json(&one.about)?)?;
    binder.bind(&fields.name)?;
    binder.bind(fields.owner.as_ref().map(UserId::as_str))?;
    binder.bind(fields.amount.map(amount_units).transpose()?)?;
    binder.bind(fields.currency.as_ref().map(Currency::code))?;
    binder.bind(fields.probability)?;
    binder.bind(fields.expected_close.map(Date::as_days))?;
    binder.optional_id(fields.source.map(SourceId::as_uuid))?;
    binder.bind(fields.campaign.as_deref())?;
    binder.bind(fields.description.as_deref())?;
    binder.json(&fields.custom, fields.custom.is_empty())?;
    bind_totals(binder, &one.totals)?;
    binder.bind(one.state.code())?;
    binder.bind(end.map(|end| end.on.as_days()))?;
    binder.optional_id(end.and_then(|end| end.reason).map(LostReasonId::as_uuid))?;
    binder.bind(end.and_then(|end| end.detail.as_deref()))?;
    binder.optional_id(one.origin_lead.map(LeadId::as_uuid))?;
    binder.bind(one.created_by.user().map(UserId::as_str))?;
    binder.time(one.created_at)?;
    binder.time(one.updated_at)?;
    binder.bind(one.day().as_days())?;
    bind_serial(binder, Series::Opportunity, one.serial.as_ref())
}

/// The walk of an index that a scan is: what it asks for comes first in the index, then the day.
pub(crate) fn scan_query(scan: &OpportunityScan) -> String {
    let (order, behind) = if scan.descending { ("DESC", "<") } else { ("ASC", ">") };
    let parts = [
        (scan.account.is_some(), " AND account = ?2"),
        (scan.owner.is_some(), " AND owner = ?3"),
        (scan.state.is_some(), " AND state = ?4"),
        (scan.source.is_some(), " AND source = ?5"),
        (scan.from.is_some(), " AND day >= ?6"),
        (scan.until.is_some(), " AND day <= ?7"),
    ];
    let mut sql = format!("SELECT {COLUMNS} FROM leadcore_opportunity WHERE tenant = ?1");
    parts.iter().filter(|(asked, _)| *asked).for_each(|(_, part)| sql.push_str(part));
    if scan.after.is_some() {
        sql.push_str(&format!(" AND (day, id) {behind} (?8, ?9)"));
    }
    sql.push_str(&format!(" ORDER BY day {order}, id {order} LIMIT ?10"));
    sql
}

impl SqliteTxn<'_> {
    /// These opportunities with their lines, which are read for all of them at once.
    fn with_their_lines(&self, mut found: Vec<Opportunity>) -> Result<Vec<Opportunity>> {
        let ids: Vec<Uuid> = found.iter().map(|one| one.id.as_uuid()).collect();
        let mut lines = self.lines_of_all("opportunity", &ids)?;
        for one in &mut found {
            one.fields.lines = lines.remove(&one.id.as_uuid()).unwrap_or_default();
        }
        Ok(found)
    }
}

impl Opportunities for SqliteTxn<'_> {
    fn insert(&mut self, opportunities: &[Opportunity]) -> Result<()> {
        TABLE.insert(self, opportunities, |one| {
            self.add_blocks(Of::Opportunity, one.id.as_uuid(), one.fields.block_keys())?;
            self.add_lines(Holder::Opportunity(one.id), &one.fields.lines)
        })
    }

    fn update(&mut self, opportunities: &[Opportunity]) -> Result<()> {
        TABLE.update(self, opportunities, |one| {
            self.replace_blocks(Of::Opportunity, one.id.as_uuid(), one.fields.block_keys())?;
            self.set_lines(Holder::Opportunity(one.id), &one.fields.lines)
        })
    }

    fn get(&mut self, ids: &[OpportunityId]) -> Result<Vec<Opportunity>> {
        let found = TABLE.get(self, ids.iter().map(|id| id.as_uuid()))?;
        self.with_their_lines(found)
    }

    fn remove(&mut self, ids: &[OpportunityId]) -> Result<()> {
        for id in ids {
            self.clear_lines(Holder::Opportunity(*id))?;
            self.replace_blocks(Of::Opportunity, id.as_uuid(), Vec::new())?;
        }
        TABLE.remove(self, ids.iter().map(|id| id.as_uuid()))
    }

    fn numbered(&mut self, number: u64) -> Result<Option<Opportunity>> {
        // There is none with a number that cannot be stored.
        let Ok(number) = i64::try_from(number) else { return Ok(None) };
        let sql = format!(
            "SELECT {COLUMNS} FROM leadcore_opportunity WHERE tenant = ? AND series = ? AND year = 0 AND number = ?"
        );
        let series = Series::Opportunity.standard().as_uuid();
        let key = (self.tenant_text(), series.as_bytes().as_slice(), number);
        let found = self.first(&sql, "read an opportunity", key, opportunity)?;
        Ok(self.with_their_lines(found.into_iter().collect())?.pop())
    }

    fn scan(&mut self, scan: &OpportunityScan) -> Result<Vec<Opportunity>> {
        let account = scan.account.map(AccountId::as_uuid);
        let source = scan.source.map(SourceId::as_uuid);
        let after = scan.after.map(|after| (after.day.as_days(), after.id.as_uuid()));
        let row = (
            self.tenant_text(),
            account.as_ref().map(|id| id.as_bytes().as_slice()),
            scan.owner.as_ref().map(UserId::as_str),
            scan.state.map(OpportunityState::code),
            source.as_ref().map(|id| id.as_bytes().as_slice()),
            scan.from.map(Date::as_days),
            scan.until.map(Date::as_days),
            after.map(|(day, _)| day),
            after.as_ref().map(|(_, id)| id.as_bytes().as_slice()),
            i64::try_from(scan.limit).unwrap_or(i64::MAX),
        );
        let found = self.all(&scan_query(scan), "list opportunities", row, opportunity)?;
        self.with_their_lines(found)
    }

    fn blocks(&mut self, keys: &[BlockKey], limit: usize) -> Result<Vec<Block<OpportunityId>>> {
        self.find_blocks(Of::Opportunity, keys, limit, OpportunityId::from_uuid)
    }
}
