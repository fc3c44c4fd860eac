//! Which field of a lead becomes which field of a customer, per tenant (X.07): read, checked, written.

use std::collections::BTreeSet;

use crate::context::Context;
use crate::domain::conversion_mapping::{
    ConversionMapping, Finding, FindingCode, Mapped, Readings, Severity, TargetField, TargetRecord, Targets,
    lint as findings,
};
use crate::domain::{
    AccountFields, Catalogue, CatalogueKind, CustomKey, Field, FieldType, Lead, Names, NumberSeries,
    Pipeline, Series,
};
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::{AccountId, LeadId, Revision};
use crate::policy::Permission;
use crate::store::{SettingName, Txn};

use super::access::{Gate, masked, require, visible};
use super::convert::{CustomerForms, Hidden};
use super::series::standard_of;
use super::settings::{document, load_catalogue, load_catalogue_of, record_saved};
use super::{accounts, naming};

/// The most rules of a mapping.
const MOST_RULES: usize = 1_000;

/// The mapping, and the revision to change it with; [the standard one](ConversionMapping::standard) and none when the
/// tenant never changed it.
///
/// # Errors
/// `Denied` for an actor who may not see leads; `Corrupt` when the stored document cannot be read.
pub fn get(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<(Option<Revision>, ConversionMapping)> {
    require(ctx, txn, Permission::View)?;
    load(txn)
}

/// Writes the mapping, and says what it may lose: what is only a [warning](Severity::Warning) is accepted. The operation is
/// in the journal, and an [undo](super::undo) takes it back. It holds from the next plan of a conversion on.
///
/// ```
/// use leadcore::desk::conversion_mapping;
/// use leadcore::domain::conversion_mapping::FillPolicy;
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// store.write(ctx.tenant(), |txn| {
///     let (revision, mapping) = conversion_mapping::get(&ctx, txn)?;
///     let mapping = mapping.with(Field::Source, "contact.description", FillPolicy::Append)?;
///     let (_, warnings) = conversion_mapping::set(&ctx, txn, revision, &mapping)?;
///     assert!(warnings.iter().any(|one| one.from == [Field::Amount]), "no rule takes the amount along");
///     let wrong = mapping.with(Field::Amount, "account.owner", FillPolicy::Keep)?;
///     assert!(conversion_mapping::set(&ctx, txn, Some(Revision::FIRST), &wrong).is_err());
///     Ok(())
/// })?;
/// # use leadcore::id::Revision;
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `Denied`; `Invalid` with everything that the linter calls an [error](Severity::Error); `Conflict` when the mapping
/// changed since it was read.
pub fn set(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    expected: Option<Revision>,
    mapping: &ConversionMapping,
) -> Result<(Revision, Vec<Finding>)> {
    require(ctx, txn, Permission::Configure)?;
    let broken = broken_rules(txn, mapping)?;
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    let warnings = look(txn, mapping)?;
    let revision = record_saved(ctx, txn, SettingName::ConversionMapping, expected, mapping)?;
    Ok((revision, warnings))
}

/// Everything that is wrong with a mapping, [completed](ConversionMapping::completed) by the tenant's own fields: errors first.
/// Writes nothing.
///
/// # Errors
/// `Denied` for an actor who may not see leads.
pub fn lint(ctx: &Context<'_>, txn: &mut dyn Txn, mapping: &ConversionMapping) -> Result<Vec<Finding>> {
    require(ctx, txn, Permission::View)?;
    look(txn, mapping)
}

/// The fields that a rule can write, with those that the tenant added to accounts, contacts and opportunities.
///
/// # Errors
/// `Denied` for an actor who may not see leads.
pub fn targets(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Targets> {
    require(ctx, txn, Permission::View)?;
    Ok(TargetFields::load(txn)?.targets())
}

/// What the tenant's mapping would make of a lead: a new account, or what would become of one that is there, rule by rule
/// with what is dropped. Writes nothing. As a plan of a conversion it holds what the actor may see of the lead and of the account:
/// rules from or to other fields are left out.
///
/// # Errors
/// `NotFound` when there is no such lead or account, or none that this actor may see; `Denied` for one who may not convert it.
pub fn preview_account(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: LeadId,
    into: Option<AccountId>,
) -> Result<Mapped<AccountFields>> {
    let lead = visible(ctx, txn, lead)?;
    Gate::open(ctx, txn, Permission::Convert)?.check(&lead)?;
    let existing = into.map(|id| accounts::load(ctx, txn, id)).transpose()?;
    let series = txn.numbers().list()?;
    let mut mapper = Mapper::load(txn, &series)?;
    mapper.learn(txn, &lead)?;
    let known = existing.as_ref().map(|account| &account.fields);
    let mut mapped = mapper.mapping.account(&masked(ctx, lead), known, &mapper.readings());
    mapped.fields = mapped.fields.without(|field| ctx.policy().is_hidden(ctx.actor(), field));
    Hidden::from(ctx).mask_writes(&mut mapped.writes, |_| true);
    Ok(mapped)
}

/// The fields that the tenant added to each target.
#[derive(Debug)]
pub(super) struct TargetFields([Catalogue; 3]);

impl TargetFields {
    pub(super) fn load(txn: &mut dyn Txn) -> Result<Self> {
        let mut of = |kind| Ok::<_, Error>(load_catalogue_of(txn, kind)?.1);
        Ok(Self([of(CatalogueKind::Account)?, of(CatalogueKind::Contact)?, of(CatalogueKind::Opportunity)?]))
    }

    /// Those of one target.
    pub(super) const fn of(&self, record: TargetRecord) -> &Catalogue {
        let Self([account, contact, opportunity]) = self;
        match record {
            TargetRecord::Contact => contact,
            TargetRecord::Opportunity => opportunity,
            _ => account,
        }
    }

    /// What may be said of a new account, a new contact and a new opportunity.
    pub(super) fn forms(&self) -> CustomerForms {
        let Self([account, contact, opportunity]) = self;
        CustomerForms::new(account.clone(), contact.clone(), opportunity.clone())
    }

    /// With this catalogue in the place of the one that it has of the same target.
    fn replace(&mut self, catalogue: &Catalogue) {
        let known = self.0.iter_mut().find(|known| known.kind() == catalogue.kind());
        known.into_iter().for_each(|known| *known = catalogue.clone());
    }

    fn targets(&self) -> Targets {
        TargetRecord::ALL
            .into_iter()
            .fold(Targets::standard(), |all, record| all.with_custom(record, self.of(record)))
    }
}

/// The mapping of the tenant, with all that it is read by.
#[derive(Debug)]
pub(super) struct Mapper {
    /// What was said and what goes without saying.
    pub(super) mapping: ConversionMapping,
    /// The same for opportunities: a tenant whose mapping says nothing of them has the usual rules.
    pub(super) sales: ConversionMapping,
    /// The fields that the tenant added to the targets.
    pub(super) fields: TargetFields,
    pub(super) leads: Catalogue,
    targets: Targets,
    names: Names,
    pipelines: Vec<Pipeline>,
}

impl Mapper {
    /// Ready for any lead whose names it [learns](Self::learn).
    pub(super) fn load(txn: &mut dyn Txn, series: &[NumberSeries]) -> Result<Self> {
        let (own, leads) = (load(txn)?.1, load_catalogue(txn)?.1);
        let fields = TargetFields::load(txn)?;
        let targets = fields.targets();
        let sales = usual_of_opportunities(&own).unwrap_or_else(|| own.clone());
        let (mapping, sales) = (own.completed(&leads, &targets), sales.completed(&leads, &targets));
        // Lead numbers have no year.
        let numbering = standard_of(series, Series::Lead).fields.numbering(0);
        let names = Names::new().with_numbering(numbering).with_catalogue(&leads);
        let pipelines = txn.pipelines().list()?;
        Ok(Self { mapping, sales, fields, leads, targets, names, pipelines })
    }

    /// Learns the names that this lead needs and that no lead before it needed.
    pub(super) fn learn(&mut self, txn: &mut dyn Txn, lead: &Lead) -> Result<()> {
        for rule in &self.mapping.rules {
            let FieldType::Reference(reference) = rule.from.field_type() else { continue };
            let mut ids: BTreeSet<_> = naming::ids(&rule.from.read(lead)).into_iter().collect();
            ids.retain(|id| self.names.record(*id).is_none());
            naming::load_ids(txn, reference, ids, &self.pipelines, &mut self.names)?;
        }
        Ok(())
    }

    pub(super) const fn readings(&self) -> Readings<'_> {
        Readings { leads: &self.leads, targets: &self.targets, names: &self.names }
    }
}

fn load(txn: &mut dyn Txn) -> Result<(Option<Revision>, ConversionMapping)> {
    document(txn, SettingName::ConversionMapping)
}

/// The mapping with the usual rules of opportunities, where it says nothing of them.
fn usual_of_opportunities(mapping: &ConversionMapping) -> Option<ConversionMapping> {
    if mapping.rules_of(TargetRecord::Opportunity).next().is_some() {
        return None;
    }
    let mut usual = mapping.clone();
    usual.rules = ConversionMapping::standard().with_opportunity().rules;
    Some(usual)
}

fn look(txn: &mut dyn Txn, mapping: &ConversionMapping) -> Result<Vec<Finding>> {
    let (leads, targets) = (load_catalogue(txn)?.1, TargetFields::load(txn)?.targets());
    let mut found = findings(&mapping.completed(&leads, &targets), &leads, &targets);
    if let Some(usual) = usual_of_opportunities(mapping) {
        // An opportunity may be asked for with any conversion. What stands against that stands against no other one.
        let usual = findings(&usual.completed(&leads, &targets), &leads, &targets).into_iter();
        let of_own = |one: &Finding| {
            let custom = |key: &str| key.starts_with(CustomKey::PREFIX);
            one.to.as_ref().is_some_and(|to| to.record == TargetRecord::Opportunity && custom(to.key()))
        };
        found.extend(usual.filter(of_own).map(|one| Finding { severity: Severity::Warning, ..one }));
        found.sort();
        found.dedup();
    }
    Ok(found)
}

/// Refuses a catalogue by which rules that the tenant wrote could not be used any more: nobody would be told until a customer
/// lacks something. Rules that go without saying follow the catalogue.
pub(super) fn check_catalogue(txn: &mut dyn Txn, after: &Catalogue) -> Result<()> {
    let (revision, mapping) = load(txn)?;
    if revision.is_none() {
        return Ok(());
    }
    let (mut leads, mut fields) = (load_catalogue(txn)?.1, TargetFields::load(txn)?);
    let known = unusable(&mapping, &leads, &fields);
    match after.kind() {
        CatalogueKind::Lead => leads = after.clone(),
        _ => fields.replace(after),
    }
    let mut broken = unusable(&mapping, &leads, &fields);
    broken.retain(|rule| !known.contains(rule));
    let field = |(from, to): &(Field, TargetField)| match after.kind() {
        CatalogueKind::Lead => from.key().to_owned(),
        _ => to.key().to_owned(),
    };
    let Some(first) = broken.first().map(field) else { return Ok(()) };
    let rules = broken.iter().filter(|rule| field(rule) == first);
    let rules: Vec<_> = rules.map(|(from, to)| format!("`{from}` into `{to}`")).collect();
    Err(Error::in_use_by_mapping(&first, &rules))
}

/// Rules that cannot be used because of one of their fields.
fn unusable(
    mapping: &ConversionMapping,
    leads: &Catalogue,
    fields: &TargetFields,
) -> Vec<(Field, TargetField)> {
    let of_field = |one: &Finding| {
        let code = one.code;
        let is_of_field = matches!(code, FindingCode::UnknownField | FindingCode::TypeMismatch)
            || matches!(code, FindingCode::MissingChoices | FindingCode::CannotAppend);
        is_of_field && one.severity == Severity::Error
    };
    let found = findings(mapping, leads, &fields.targets()).into_iter().filter(of_field);
    found.filter_map(|one| Some((one.from.into_iter().next()?, one.to?))).collect()
}

/// Why a mapping cannot be used, if it cannot.
pub(super) fn broken_rules(txn: &mut dyn Txn, mapping: &ConversionMapping) -> Result<Vec<Violation>> {
    if mapping.rules.len() > MOST_RULES {
        let message = "a mapping has 1,000 rules at most";
        return Ok(vec![Violation::new("rules", ViolationCode::LimitReached, message)]);
    }
    let errors = look(txn, mapping)?.into_iter().filter(|finding| finding.severity == Severity::Error);
    Ok(errors.map(violation).collect())
}

fn violation(finding: Finding) -> Violation {
    let code = match finding.code {
        FindingCode::UnknownField | FindingCode::MissingChoices => ViolationCode::Unknown,
        FindingCode::SeveralSources => ViolationCode::Duplicate,
        FindingCode::NoSource => ViolationCode::Required,
        _ => ViolationCode::NotAllowed,
    };
    let field = finding.to.map_or_else(|| "rules".to_owned(), |to| to.to_string());
    Violation::new(field, code, finding.message)
}
