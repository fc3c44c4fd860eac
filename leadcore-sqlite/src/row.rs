//! Rows to records and back: the only place that knows in which column a field lies.

use leadcore::domain::{
    Closing, Conversion, Emails, FollowUp, Lead, LeadFields, LeadKind, LeadState, Outcome, Phones, Rank,
    Trashed,
};
use leadcore::error::{Error, ErrorKind, Result, ValueError};
use leadcore::id::{
    AccountId, CategoryId, LeadId, LocationId, OperationId, PartnerId, PipelineId, Revision, SourceId,
    StageId, UserId,
};
use leadcore::time::{Date, Timestamp};
use leadcore::value::{Address, Country, Currency, PersonName, TaxId, Website};
use rusqlite::types::ValueRef;
use rusqlite::{Row, Statement};
use rust_decimal::Decimal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::error::StoreResult as _;
use crate::lists;

/// Decimal places of stored amounts.
pub(crate) const AMOUNT_SCALE: u32 = 4;

/// A statement that reads leads `l`, with their columns in the order in which [`Columns::lead`] reads them.
macro_rules! select_lead {
    ($rest:literal) => {
        concat!(
            "SELECT l.id, l.number, l.revision, l.kind, l.company, l.name, l.salutation, l.first_name, l.last_name, l.name_suffix, l.job_title, l.emails, l.phones, l.website, l.street, l.city, l.state_region, l.postal_code, l.country, l.tax_id, l.currency, l.currency_symbol, l.amount, l.probability, l.expected_close, l.score, l.industry, l.description, l.owner, l.source, l.campaign, l.category, l.location, l.partner, l.labels, l.external_ids, l.custom, l.pipeline, l.stage, l.stage_entered_at, l.created_at, l.updated_at, l.active_at, l.follow_up, l.follow_up_day, l.rank, l.closed_at, l.outcome, l.reason, l.reason_detail, l.converted_at, l.account, l.converted_by, l.trashed_at, l.trashed_by FROM leadcore_lead l ",
            $rest
        )
    };
}
pub(crate) use select_lead;

/// A stored value that cannot be what it should be. The value is not repeated: it may be personal data.
pub(crate) fn corrupt(what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the stored {what} cannot be read; nothing was changed"))
}

/// Reads the columns of a row one after the other.
pub(crate) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Columns<'r, 's> {
    pub(crate) const fn of(row: &'r Row<'s>) -> Self {
        Self { row, next: 0 }
    }

    /// The columns behind so many others.
    pub(crate) const fn behind(row: &'r Row<'s>, columns: usize) -> Self {
        Self { row, next: columns }
    }

    fn value(&mut self) -> Result<ValueRef<'r>> {
        let value = self.row.get_ref(self.next).store("read a column")?;
        self.next += 1;
        Ok(value)
    }

    pub(crate) fn int(&mut self) -> Result<i64> {
        self.optional_int()?.ok_or_else(|| corrupt("number"))
    }

    pub(crate) fn optional_int(&mut self) -> Result<Option<i64>> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => Ok(Some(number)),
            _ => Err(corrupt("number")),
        }
    }

    pub(crate) fn unsigned(&mut self) -> Result<u64> {
        u64::try_from(self.int()?).map_err(|_| corrupt("number"))
    }

    pub(crate) fn revision(&mut self) -> Result<Revision> {
        self.unsigned().map(Revision::new)
    }

    pub(crate) fn text(&mut self) -> Result<&'r str> {
        self.optional_text()?.ok_or_else(|| corrupt("text"))
    }

    pub(crate) fn optional_text(&mut self) -> Result<Option<&'r str>> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) => std::str::from_utf8(bytes).map(Some).map_err(|_| corrupt("text")),
            _ => Err(corrupt("text")),
        }
    }

    pub(crate) fn string(&mut self) -> Result<Option<String>> {
        Ok(self.optional_text()?.map(str::to_owned))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'r [u8]> {
        match self.value()? {
            ValueRef::Blob(bytes) => Ok(bytes),
            _ => Err(corrupt("content")),
        }
    }

    pub(crate) fn uuid(&mut self) -> Result<Uuid> {
        self.optional_uuid()?.ok_or_else(|| corrupt("id"))
    }

    pub(crate) fn optional_uuid(&mut self) -> Result<Option<Uuid>> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => Uuid::from_slice(bytes).map(Some).map_err(|_| corrupt("id")),
            _ => Err(corrupt("id")),
        }
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp> {
        self.optional_time()?.ok_or_else(|| corrupt("time"))
    }

    pub(crate) fn optional_time(&mut self) -> Result<Option<Timestamp>> {
        self.optional_int()?.map(|at| Timestamp::from_micros(at).map_err(|_| corrupt("time"))).transpose()
    }

    pub(crate) fn optional_date(&mut self) -> Result<Option<Date>> {
        self.optional_int()?.map(|day| Date::from_days(day).map_err(|_| corrupt("date"))).transpose()
    }

    /// A text that parses; what cannot be parsed was not written by leadcore.
    pub(crate) fn parsed<T>(
        &mut self,
        what: &str,
        parse: impl Fn(&str) -> Result<T, ValueError>,
    ) -> Result<Option<T>> {
        self.optional_text()?.map(|text| parse(text).map_err(|_| corrupt(what))).transpose()
    }

    /// A code that must be known.
    pub(crate) fn code<T>(&mut self, what: &str, from_code: impl Fn(&str) -> Option<T>) -> Result<T> {
        from_code(self.text()?).ok_or_else(|| corrupt(what))
    }

    /// A JSON list; none when absent.
    pub(crate) fn json<T: DeserializeOwned + Default>(&mut self, what: &str) -> Result<T> {
        match self.optional_text()? {
            None => Ok(T::default()),
            Some(json) => from_json(json, what),
        }
    }

    /// Passes over columns that say nothing because another one is empty.
    const fn skip(&mut self, columns: usize) {
        self.next += columns;
    }

    pub(crate) fn person(&mut self) -> Result<Option<PersonName>> {
        let Some(full) = self.optional_text()? else {
            self.skip(4);
            return Ok(None);
        };
        let (prefix, given) = (self.optional_text()?, self.optional_text()?);
        let (family, suffix) = (self.optional_text()?, self.optional_text()?);
        PersonName::from_stored(full, prefix, given, family, suffix).map(Some).map_err(|_| corrupt("name"))
    }

    pub(crate) fn address(&mut self) -> Result<Address> {
        let (street, city) = (self.optional_text()?, self.optional_text()?);
        let (state, postal_code) = (self.optional_text()?, self.optional_text()?);
        let country = self.parsed("country", Country::from_stored)?;
        Ok(Address::from_stored(street, city, state, postal_code, country))
    }

    pub(crate) fn emails(&mut self) -> Result<Emails> {
        self.list("e-mails", lists::emails)
    }

    pub(crate) fn phones(&mut self) -> Result<Phones> {
        self.list("phones", lists::phones)
    }

    /// A JSON list by its short reader, and by serde where that gives up.
    fn list<T: DeserializeOwned + Default>(
        &mut self,
        what: &str,
        short: impl Fn(&str) -> Option<T>,
    ) -> Result<T> {
        match self.optional_text()? {
            None => Ok(T::default()),
            Some(json) => short(json).map_or_else(|| from_json(json, what), Ok),
        }
    }

    pub(crate) fn amount(&mut self) -> Result<Option<Decimal>> {
        let Some(mut units) = self.optional_int()? else { return Ok(None) };
        // Zeros at the end say nothing. In 64 bits this is cheaper than `Decimal::normalize`.
        let mut scale = AMOUNT_SCALE;
        while scale > 0 && units % 10 == 0 {
            units /= 10;
            scale -= 1;
        }
        Ok(Some(Decimal::new(units, scale)))
    }

    /// A lead, from [`select_lead`].
    #[inline]
    pub(crate) fn lead(&mut self) -> Result<Lead> {
        Ok(Lead {
            id: LeadId::from_uuid(self.uuid()?),
            number: self.unsigned()?,
            revision: self.revision()?,
            fields: self.lead_fields()?,
            pipeline: PipelineId::from_uuid(self.uuid()?),
            stage: StageId::from_uuid(self.uuid()?),
            stage_entered_at: self.time()?,
            created_at: self.time()?,
            updated_at: self.time()?,
            active_at: self.time()?,
            follow_up: self.follow_up()?,
            rank: self.parsed("rank", Rank::parse)?.ok_or_else(|| corrupt("rank"))?,
            closing: self.closing()?,
            conversion: self.conversion()?,
            trashed: self.trashed()?,
        })
    }

    pub(crate) fn follow_up(&mut self) -> Result<Option<FollowUp>> {
        let (at, day) = (self.optional_time()?, self.optional_date()?);
        Ok(at.map(|at| FollowUp { at, day }))
    }

    fn closing(&mut self) -> Result<Option<Closing>> {
        let Some(at) = self.optional_time()? else {
            self.skip(3);
            return Ok(None);
        };
        let outcome = self.optional_text()?.and_then(Outcome::from_code).ok_or_else(|| corrupt("outcome"))?;
        Ok(Some(Closing { at, outcome, reason: self.optional_uuid()?, detail: self.string()? }))
    }

    fn conversion(&mut self) -> Result<Option<Conversion>> {
        let Some(at) = self.optional_time()? else {
            self.skip(2);
            return Ok(None);
        };
        let account = self.optional_uuid()?.map(AccountId::from_uuid);
        let operation = self.optional_uuid()?.ok_or_else(|| corrupt("conversion"))?;
        Ok(Some(Conversion { at, account, operation: OperationId::from_uuid(operation) }))
    }

    pub(crate) fn trashed(&mut self) -> Result<Option<Trashed>> {
        let Some(at) = self.optional_time()? else {
            self.skip(1);
            return Ok(None);
        };
        let operation = self.optional_uuid()?.ok_or_else(|| corrupt("trash"))?;
        Ok(Some(Trashed { at, operation: OperationId::from_uuid(operation) }))
    }

    #[inline]
    fn lead_fields(&mut self) -> Result<LeadFields> {
        Ok(LeadFields {
            kind: self.code("lead kind", LeadKind::from_code)?,
            company: self.string()?,
            person: self.person()?,
            job_title: self.string()?,
            emails: self.emails()?,
            phones: self.phones()?,
            website: self.parsed("web site", Website::parse)?,
            address: self.address()?,
            tax_id: self.parsed("tax number", TaxId::parse)?,
            currency: self.parsed("currency", Currency::from_stored)?,
            currency_symbol: self.string()?,
            amount: self.amount()?,
            probability: self
                .optional_int()?
                .map(u8::try_from)
                .transpose()
                .map_err(|_| corrupt("probability"))?,
            expected_close: self.optional_date()?,
            score: self.optional_int()?.map(i32::try_from).transpose().map_err(|_| corrupt("score"))?,
            industry: self.string()?,
            description: self.string()?,
            owner: self.parsed("owner", |text| UserId::new(text))?,
            source: self.optional_uuid()?.map(SourceId::from_uuid),
            campaign: self.string()?,
            category: self.optional_uuid()?.map(CategoryId::from_uuid),
            location: self.optional_uuid()?.map(LocationId::from_uuid),
            partner: self.optional_uuid()?.map(PartnerId::from_uuid),
            labels: self.list("labels", lists::labels)?,
            external_ids: self.list("external ids", lists::external_ids)?,
            custom: self.json("custom fields")?,
        })
    }
}

/// Binds parameters one after the other.
pub(crate) struct Binder<'b, 's> {
    statement: &'b mut Statement<'s>,
    next: usize,
}

impl<'b, 's> Binder<'b, 's> {
    pub(crate) const fn to(statement: &'b mut Statement<'s>) -> Self {
        Self { statement, next: 1 }
    }

    pub(crate) fn bind(&mut self, value: impl rusqlite::ToSql) -> Result<()> {
        self.statement.raw_bind_parameter(self.next, value).store("bind a value")?;
        self.next += 1;
        Ok(())
    }

    pub(crate) fn id(&mut self, id: Uuid) -> Result<()> {
        self.bind(id.as_bytes().as_slice())
    }

    pub(crate) fn optional_id(&mut self, id: Option<Uuid>) -> Result<()> {
        self.bind(id.as_ref().map(|id| id.as_bytes().as_slice()))
    }

    pub(crate) fn number(&mut self, number: u64) -> Result<()> {
        self.bind(signed(number)?)
    }

    pub(crate) fn time(&mut self, at: Timestamp) -> Result<()> {
        self.bind(at.as_micros())
    }

    pub(crate) fn person(&mut self, person: Option<&PersonName>) -> Result<()> {
        self.bind(person.map(PersonName::full))?;
        self.bind(person.and_then(PersonName::prefix))?;
        self.bind(person.and_then(PersonName::given))?;
        self.bind(person.and_then(PersonName::family))?;
        self.bind(person.and_then(PersonName::suffix))
    }

    pub(crate) fn address(&mut self, address: &Address) -> Result<()> {
        self.bind(address.street())?;
        self.bind(address.city())?;
        self.bind(address.state())?;
        self.bind(address.postal_code())?;
        self.bind(address.country().as_ref().map(Country::code))
    }

    /// A list as JSON; NULL when it is empty.
    pub(crate) fn json(&mut self, list: &impl Serialize, is_empty: bool) -> Result<()> {
        if is_empty { self.bind(None::<&str>) } else { self.bind(to_json(list)?) }
    }

    /// Everything of a lead but its id and tenant, in the order of the statements in `repo::leads`.
    pub(crate) fn lead(&mut self, lead: &Lead, search: &str) -> Result<()> {
        let fields = &lead.fields;
        self.number(lead.number)?;
        self.number(lead.revision.get())?;
        self.bind(fields.kind.code())?;
        self.bind(fields.company.as_deref())?;
        self.bind(fields.company_key())?;
        self.person(fields.person.as_ref())?;
        self.bind(fields.name_key())?;
        self.bind(fields.job_title.as_deref())?;
        self.json(&fields.emails, fields.emails.is_empty())?;
        self.json(&fields.phones, fields.phones.is_empty())?;
        self.bind(fields.website.as_ref().map(Website::as_str))?;
        self.address(&fields.address)?;
        self.bind(fields.tax_id.as_ref().map(TaxId::as_str))?;
        self.bind(fields.currency.as_ref().map(Currency::code))?;
        self.bind(fields.currency_symbol.as_deref())?;
        self.bind(fields.amount.map(amount_units).transpose()?)?;
        self.bind(fields.probability)?;
        self.bind(fields.expected_close.map(Date::as_days))?;
        self.bind(fields.score)?;
        self.bind(fields.industry.as_deref())?;
        self.bind(fields.description.as_deref())?;
        self.bind(fields.owner.as_ref().map(UserId::as_str))?;
        self.optional_id(fields.source.map(SourceId::as_uuid))?;
        self.bind(fields.campaign.as_deref())?;
        self.bind(fields.campaign_key())?;
        self.optional_id(fields.category.map(CategoryId::as_uuid))?;
        self.optional_id(fields.location.map(LocationId::as_uuid))?;
        self.optional_id(fields.partner.map(PartnerId::as_uuid))?;
        self.json(&fields.labels, fields.labels.is_empty())?;
        self.json(&fields.external_ids, fields.external_ids.is_empty())?;
        self.json(&fields.custom, fields.custom.is_empty())?;
        self.id(lead.pipeline.as_uuid())?;
        self.id(lead.stage.as_uuid())?;
        self.time(lead.stage_entered_at)?;
        self.time(lead.created_at)?;
        self.time(lead.updated_at)?;
        self.time(lead.active_at)?;
        self.bind(lead.follow_up.map(|follow_up| follow_up.at.as_micros()))?;
        self.bind(lead.follow_up.and_then(|follow_up| follow_up.day).map(Date::as_days))?;
        self.bind(lead.rank.as_str())?;
        self.bind(state_number(lead.state()))?;
        let closing = lead.closing.as_ref();
        self.bind(closing.map(|closing| closing.at.as_micros()))?;
        self.bind(closing.map(|closing| closing.outcome.code()))?;
        self.optional_id(closing.and_then(|closing| closing.reason))?;
        self.bind(closing.and_then(|closing| closing.detail.as_deref()))?;
        let conversion = lead.conversion.as_ref();
        self.bind(conversion.map(|conversion| conversion.at.as_micros()))?;
        self.optional_id(conversion.and_then(|conversion| conversion.account).map(AccountId::as_uuid))?;
        self.optional_id(conversion.map(|conversion| conversion.operation.as_uuid()))?;
        let trashed = lead.trashed.as_ref();
        self.bind(trashed.map(|trashed| trashed.at.as_micros()))?;
        self.optional_id(trashed.map(|trashed| trashed.operation.as_uuid()))?;
        self.bind(search)
    }
}

pub(crate) fn from_json<T: DeserializeOwned>(json: &str, what: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|_| corrupt(what))
}

pub(crate) fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorKind::Internal, "a value could not be written as JSON").with_source(error)
    })
}

/// A state as the `state` columns have it.
pub(crate) const fn state_number(state: LeadState) -> i64 {
    match state {
        LeadState::Open => 0,
        LeadState::Disqualified => 1,
        LeadState::Converted => 2,
    }
}

/// SQLite's integers are signed.
pub(crate) fn signed(number: u64) -> Result<i64> {
    i64::try_from(number)
        .map_err(|_| Error::new(ErrorKind::Unsupported, "the number is too large to be stored"))
}

/// An amount in units of 1/10,000. Core has checked places and size.
pub(crate) fn amount_units(amount: Decimal) -> Result<i64> {
    let mut scaled = amount;
    scaled.rescale(AMOUNT_SCALE);
    i64::try_from(scaled.mantissa())
        .ok()
        .filter(|_| scaled == amount && scaled.scale() == AMOUNT_SCALE)
        .ok_or_else(|| Error::new(ErrorKind::Unsupported, "the amount cannot be stored exactly"))
}
