//! What a mapping would lose, and what does not fit: said when it is set up, not when a customer is missing something.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::catalogue::Catalogue;
use crate::domain::custom_field::{Choice, CustomField, CustomType};
use crate::domain::field::Field;

use super::combine::counterpart;
use super::{
    ConversionMapping, FillPolicy, Fit, MappingRule, Shape, TargetField, TargetRecord, TargetSpec, Targets,
    fit, money, shape_of,
};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The mapping cannot be used.
    Error,
    /// It can, and something may be lost.
    Warning,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingCode {
    /// There is no such field.
    UnknownField,
    /// Values of the source never go into the target.
    TypeMismatch,
    /// Values of the source may not fit, or only a part of them.
    MayNotFit,
    /// Choices of the source that the target does not offer.
    MissingChoices,
    /// Source and target are kept in different currencies: amounts come along in their own.
    OtherCurrency,
    /// Several sources for one target, of which only one could be there.
    SeveralSources,
    /// The rules take an amount along without its currency, or the other way round.
    Torn,
    /// The target takes no more behind what it has.
    CannotAppend,
    /// A required field of the target has no source: an error for one that no form fills in.
    NoSource,
    /// A required field of the target has a source that leads need not have.
    SourceNotRequired,
    /// Only one record can have a value of the target, and several leads the same of the source.
    NotUnique,
    /// The source is switched off.
    SourceDisabled,
    /// No rule takes the field along: its values stay on the lead. The company is told, too, where rules take it as a name alone: a
    /// consumer is called by the person.
    Lost,
}

impl FindingCode {
    /// Stable name: `lost`, `type_mismatch` …
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownField => "unknown_field",
            Self::TypeMismatch => "type_mismatch",
            Self::MayNotFit => "may_not_fit",
            Self::MissingChoices => "missing_choices",
            Self::OtherCurrency => "other_currency",
            Self::SeveralSources => "several_sources",
            Self::Torn => "torn",
            Self::CannotAppend => "cannot_append",
            Self::NoSource => "no_source",
            Self::SourceNotRequired => "source_not_required",
            Self::NotUnique => "not_unique",
            Self::SourceDisabled => "source_disabled",
            Self::Lost => "lost",
        }
    }
}

/// One thing that is wrong with a mapping.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub code: FindingCode,
    /// The fields of the lead that it is about.
    pub from: Vec<Field>,
    /// The field of the target that it is about.
    pub to: Option<TargetField>,
    /// The choices that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// The same as a sentence.
    pub message: String,
}

impl Finding {
    fn new(severity: Severity, code: FindingCode, rule: &MappingRule, message: String) -> Self {
        let (from, to) = (vec![rule.from.clone()], Some(rule.to.clone()));
        Self { severity, code, from, to, choices: Vec::new(), message }
    }
}

/// Everything that is wrong with a mapping, errors first, then by field: the same mapping gives the same list.
///
/// ```
/// use leadcore::domain::conversion_mapping::{ConversionMapping, FillPolicy, FindingCode, Severity, Targets, lint};
/// use leadcore::domain::{Catalogue, Field};
/// let mapping = ConversionMapping::standard().with(Field::ExpectedClose, "account.tax_id", FillPolicy::Overwrite)?;
/// let found = lint(&mapping, &Catalogue::standard(), &Targets::standard());
/// assert_eq!((found[0].severity, found[0].code), (Severity::Error, FindingCode::TypeMismatch));
/// assert!(found.iter().any(|one| one.code == FindingCode::Lost && one.from == [Field::Amount]));
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[must_use]
pub fn lint(mapping: &ConversionMapping, leads: &Catalogue, targets: &Targets) -> Vec<Finding> {
    let mut found = Vec::new();
    for rule in &mapping.rules {
        look_at(rule, leads, targets, &mut found);
    }
    several(mapping, targets, &mut found);
    found.extend(torn(mapping));
    required(mapping, leads, targets, &mut found);
    lost(mapping, leads, &mut found);
    found.extend(of_consumers(mapping, leads));
    found.extend(mapping.stays.iter().filter_map(|field| gone(field, leads)));
    found.sort();
    found.dedup();
    found
}

fn look_at(rule: &MappingRule, leads: &Catalogue, targets: &Targets, found: &mut Vec<Finding>) {
    let (from, to) = (&rule.from, &rule.to);
    let mut tell = |severity, code, message| found.push(Finding::new(severity, code, rule, message));
    let source = shape_of(from, leads);
    let spec = targets.find(to);
    if source.is_none() {
        tell(Severity::Error, FindingCode::UnknownField, format!("leads have no field `{from}`"));
    } else if leads.is_disabled(from) {
        let message =
            format!("the lead field `{from}` is switched off: new leads have no value to take along");
        tell(Severity::Warning, FindingCode::SourceDisabled, message);
    }
    if spec.is_none() {
        tell(Severity::Error, FindingCode::UnknownField, format!("there is no field `{to}`"));
    }
    let (Some((shape, choices)), Some(spec)) = (source, spec) else { return };
    if rule.policy == FillPolicy::Append && !spec.shape.grows() {
        let message = format!("`{to}` takes one value: nothing can be appended to it");
        tell(Severity::Error, FindingCode::CannotAppend, message);
    }
    match fit(shape, spec.shape) {
        Fit::Never => {
            let (one, other) = (shape.code(), spec.shape.code());
            let message = format!("`{from}` ({one}) never goes into `{to}` ({other})");
            tell(Severity::Error, FindingCode::TypeMismatch, message);
        }
        Fit::Narrowed(why) => {
            let message = format!("values of `{from}` may not fit into `{to}`: {why}");
            tell(Severity::Warning, FindingCode::MayNotFit, message);
        }
        Fit::Same | Fit::Widened | Fit::Displayed => {}
    }
    if shape.has_choices() && spec.shape.has_choices() {
        found.extend(missing_choices(rule, &choices, spec));
    }
    if let Some(target) = spec.custom.as_ref().filter(|_| fit(shape, spec.shape) != Fit::Never) {
        found.extend(beyond_limits(rule, shape, leads, target));
        found.extend(other_currency(rule, leads, target));
        found.extend(not_unique(rule, leads, target));
    }
}

/// Values that leads may share and only one record can have: whoever brings one second is not converted.
fn not_unique(rule: &MappingRule, leads: &Catalogue, target: &CustomField) -> Option<Finding> {
    let is_given_once = matches!(rule.from, Field::Id | Field::Number);
    if !target.unique || is_given_once || own_field(rule, leads).is_some_and(|field| field.unique) {
        return None;
    }
    let (from, to, record) = (&rule.from, &rule.to, rule.to.record.code());
    let message = format!(
        "only one {record} has a value of `{to}`: of leads with the same `{from}` only the first is converted"
    );
    Some(Finding::new(Severity::Warning, FindingCode::NotUnique, rule, message))
}

/// What the target's own limits keep out: numbers beyond its smallest or largest, texts that are longer.
fn beyond_limits(
    rule: &MappingRule,
    shape: Shape,
    leads: &Catalogue,
    target: &CustomField,
) -> Option<Finding> {
    let source = own_field(rule, leads);
    let limit = |of: fn(&CustomField) -> Option<Decimal>| source.and_then(of);
    let (least, most) = match shape {
        Shape::Percent => (Some(Decimal::ZERO), Some(Decimal::ONE_HUNDRED)),
        Shape::Integer | Shape::Decimal | Shape::Amount | Shape::Money => {
            (limit(|field| field.min), limit(|field| field.max))
        }
        _ => (None, None),
    };
    let mut lost = Vec::new();
    if target.kind.is_number() {
        let below = target.min.filter(|min| least.is_none_or(|least| least < *min));
        lost.extend(below.map(|min| format!("numbers below {min}")));
        let above = target.max.filter(|max| most.is_none_or(|most| most > *max));
        lost.extend(above.map(|max| format!("numbers above {max}")));
    }
    let is_text = matches!(shape, Shape::Text | Shape::LongText | Shape::Name | Shape::TaxId | Shape::Url);
    let longest = |field: &CustomField| field.max_length.or(field.kind.longest()?.try_into().ok());
    // What has no length of its own is a line at least.
    let longest = source.and_then(longest).unwrap_or(u32::MAX);
    let longer = target.max_length.filter(|most| is_text && longest > *most);
    lost.extend(longer.map(|most| format!("texts of more than {most} characters")));
    if lost.is_empty() {
        return None;
    }
    let (from, to, lost) = (&rule.from, &rule.to, lost.join(" and "));
    let message = format!("`{to}` does not take all of `{from}`: {lost} are not taken along");
    Some(Finding::new(Severity::Warning, FindingCode::MayNotFit, rule, message))
}

fn other_currency(rule: &MappingRule, leads: &Catalogue, target: &CustomField) -> Option<Finding> {
    let CustomType::Money(Some(other)) = &target.kind else { return None };
    let CustomType::Money(Some(own)) = &own_field(rule, leads)?.kind else { return None };
    if own == other {
        return None;
    }
    let (from, to, own, other) = (&rule.from, &rule.to, own.code(), other.code());
    let message =
        format!("`{from}` is kept in {own}, `{to}` in {other}: amounts come along as they are, in {own}");
    Some(Finding::new(Severity::Warning, FindingCode::OtherCurrency, rule, message))
}

/// The definition of the source, when the tenant added it.
fn own_field<'c>(rule: &MappingRule, leads: &'c Catalogue) -> Option<&'c CustomField> {
    match &rule.from {
        Field::Custom(key) => leads.custom_field(key),
        _ => None,
    }
}

/// The choices of the source that the target lacks: an error when it has none of them.
fn missing_choices(rule: &MappingRule, choices: &[Choice], spec: &TargetSpec) -> Option<Finding> {
    let lacks = |choice: &&Choice| counterpart(&choice.code, choices, &spec.choices).is_none();
    let missing: Vec<_> = choices.iter().filter(lacks).map(|choice| choice.code.clone()).collect();
    if missing.is_empty() {
        return None;
    }
    let severity = if missing.len() == choices.len() { Severity::Error } else { Severity::Warning };
    let (from, to, list) = (&rule.from, &rule.to, missing.join("`, `"));
    let message =
        format!("`{to}` does not offer these choices of `{from}`, which are not taken along: `{list}`");
    let finding = Finding::new(severity, FindingCode::MissingChoices, rule, message);
    Some(Finding { choices: missing, ..finding })
}

fn several(mapping: &ConversionMapping, targets: &Targets, found: &mut Vec<Finding>) {
    let mut by_target: BTreeMap<&TargetField, Vec<&MappingRule>> = BTreeMap::new();
    for rule in &mapping.rules {
        by_target.entry(&rule.to).or_default().push(rule);
    }
    for (to, rules) in by_target.into_iter().filter(|(_, rules)| rules.len() > 1) {
        let from: Vec<_> = rules.iter().map(|rule| rule.from.clone()).collect();
        let twice =
            from.iter().enumerate().any(|(n, field)| from.iter().skip(n + 1).any(|other| other == field));
        let grows = targets.find(to).is_some_and(|spec| spec.shape.grows());
        let append = rules.iter().skip(1).all(|rule| rule.policy == FillPolicy::Append);
        if grows && append && !twice {
            continue;
        }
        let names = from.iter().map(Field::key).collect::<Vec<_>>().join("`, `");
        let message =
            format!("`{to}` has several sources, one is possible unless all behind it append: `{names}`");
        let (severity, code) = (Severity::Error, FindingCode::SeveralSources);
        found.push(Finding { severity, code, from, to: Some(to.clone()), choices: Vec::new(), message });
    }
}

/// Amount and currency of an opportunity whose rules differ.
fn torn(mapping: &ConversionMapping) -> Option<Finding> {
    let rules = money::torn(mapping);
    let first = rules.first()?;
    let message = "`opportunity.amount` and `opportunity.currency` go together: while only one of them is written over, \
                   neither is written over what an opportunity is worth"
        .to_owned();
    let finding = Finding::new(Severity::Warning, FindingCode::Torn, first, message);
    Some(Finding { from: rules.iter().map(|rule| rule.from.clone()).collect(), ..finding })
}

/// Required fields of the account, of opportunities, and of contacts as soon as the mapping names one of their fields.
fn required(mapping: &ConversionMapping, leads: &Catalogue, targets: &Targets, found: &mut Vec<Finding>) {
    for record in TargetRecord::ALL {
        let is_unsaid = record != TargetRecord::Account && mapping.rules_of(record).next().is_none();
        // A mapping that says nothing of opportunities has the usual rules for them.
        let usual = ConversionMapping::empty().with_opportunity().completed(leads, targets);
        let mapping = match (is_unsaid, record) {
            (false, _) => mapping,
            (true, TargetRecord::Opportunity) => &usual,
            (true, _) => continue,
        };
        for spec in targets.of(record).filter(|spec| spec.required) {
            let to = &spec.field;
            let sources: Vec<_> = mapping.rules.iter().filter(|rule| rule.to == *to).collect();
            if is_unsaid && !sources.is_empty() {
                continue;
            }
            let named = to.key() == "name" && sources.iter().any(|rule| rule.from == Field::Company);
            let sure = |rule: &&MappingRule| leads.spec(&rule.from).required || rule.from == Field::Kind;
            let (severity, code, message) = if sources.is_empty() && spec.custom.is_some() {
                // Its form fills it in.
                let who = match record {
                    TargetRecord::Account => "",
                    TargetRecord::Contact => " with a new person",
                    TargetRecord::Opportunity => " with an opportunity",
                };
                let message =
                    format!("`{to}` is required and has no source: whoever converts{who} has to say it");
                (Severity::Warning, FindingCode::NoSource, message)
            } else if sources.is_empty() {
                let message = format!("`{to}` is required and has no source");
                (Severity::Error, FindingCode::NoSource, message)
            } else if !named && !sources.iter().any(sure) {
                let message = format!("`{to}` is required; a lead without a value for it is not converted");
                (Severity::Warning, FindingCode::SourceNotRequired, message)
            } else {
                continue;
            };
            let from = sources.iter().map(|rule| rule.from.clone()).collect();
            found.push(Finding { severity, code, from, to: Some(to.clone()), choices: Vec::new(), message });
        }
    }
}

/// A field that shall stay on the lead, and is not there any more.
fn gone(field: &Field, leads: &Catalogue) -> Option<Finding> {
    let Field::Custom(key) = field else { return None };
    if leads.custom_field(key).is_some() {
        return None;
    }
    let (severity, code) = (Severity::Warning, FindingCode::UnknownField);
    let message = format!("leads have no field `{field}`, which is to stay on them");
    Some(Finding { severity, code, from: vec![field.clone()], to: None, choices: Vec::new(), message })
}

/// The company of a consumer, where rules take it as a name alone: that is the person's then.
fn of_consumers(mapping: &ConversionMapping, leads: &Catalogue) -> Option<Finding> {
    let field = Field::Company;
    let mut rules = mapping.rules.iter().filter(|rule| rule.from == field).peekable();
    let names = |rule: &MappingRule| rule.to.key() == "name" && rule.to.record != TargetRecord::Contact;
    rules.peek()?;
    let is_off = [&field, &Field::Kind].into_iter().any(|field| leads.is_disabled(field));
    if is_off || mapping.stays.contains(&field) || !rules.all(names) {
        return None;
    }
    let (severity, code) = (Severity::Warning, FindingCode::Lost);
    let message = format!(
        "nothing takes `{field}` of consumer leads along, who are called by their person: it stays on the lead"
    );
    Some(Finding { severity, code, from: vec![field], to: None, choices: Vec::new(), message })
}

/// Fields that callers set, that are not switched off and that no rule takes along.
fn lost(mapping: &ConversionMapping, leads: &Catalogue, found: &mut Vec<Finding>) {
    let taken = |field: &Field| mapping.rules.iter().any(|rule| rule.from == *field);
    for field in leads.fields().filter(|field| field.is_writable() && !leads.is_disabled(field)) {
        // A full name has its parts in it.
        let whole = field.name_group().contains(&Field::Name) && taken(&Field::Name);
        if taken(&field) || whole || mapping.stays.contains(&field) {
            continue;
        }
        let (severity, code) = (Severity::Warning, FindingCode::Lost);
        let message = format!("nothing takes `{field}` along: it stays on the lead");
        found.push(Finding { severity, code, from: vec![field], to: None, choices: Vec::new(), message });
    }
}
