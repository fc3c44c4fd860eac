//! The rules of one target, applied to one lead in their order.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::domain::custom_field::Choice;
use crate::domain::custom_value::CustomValue;
use crate::domain::display::Names;
use crate::domain::field::Field;
use crate::domain::field_value::FieldValue;
use crate::domain::lead::{Lead, LeadFields};
use crate::domain::reach::{Emails, Phones};
use crate::time::Date;

use super::combine::{self, counterpart};
use super::money::Worth;
use super::{
    ConversionMapping, Dropped, FieldWrite, FillPolicy, Fit, MappingRule, Readings, Shape, TargetField,
    TargetRecord, TargetSpec, WhyDropped, fit, shape_of,
};

/// The units of which a target has all or nothing: what decides whether it is empty, and what belongs to it.
const UNITS: [(TargetRecord, &[&str], &[&str]); 3] = [
    (TargetRecord::Account, &ADDRESS, &ADDRESS),
    (TargetRecord::Account, &["currency"], &["currency", "currency_symbol"]),
    (TargetRecord::Opportunity, &["amount", "currency"], &["amount", "currency"]),
];
const ADDRESS: [&str; 5] = ["street", "city", "state_region", "postal_code", "country"];

/// What a target has: fields that leads have too, and values of others.
pub(super) struct Slots {
    pub(super) fields: LeadFields,
    pub(super) values: BTreeMap<String, FieldValue>,
}

pub(super) struct Run<'a> {
    mapping: &'a ConversionMapping,
    record: TargetRecord,
    lead: &'a Lead,
    exists: bool,
    by: &'a Readings<'a>,
    /// Whether every value is one of a key, not of a lead's field.
    by_key: bool,
    written: BTreeSet<&'a TargetField>,
    /// The units that were empty before.
    empty: Vec<&'static [&'static str]>,
    writes: Vec<FieldWrite>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        mapping: &'a ConversionMapping,
        record: TargetRecord,
        lead: &'a Lead,
        exists: bool,
        by: &'a Readings<'a>,
    ) -> Self {
        let (written, empty, writes) = (BTreeSet::new(), Vec::new(), Vec::new());
        Self { mapping, record, lead, exists, by, by_key: false, written, empty, writes }
    }

    /// With every value by the key of its field: a target of which no lead has the shape.
    pub(super) fn by_key(self) -> Self {
        Self { by_key: true, ..self }
    }

    pub(super) fn all(mut self, mut slots: Slots) -> (Slots, Vec<FieldWrite>) {
        for (record, deciding, unit) in UNITS {
            // A currency that the lead has too is no worth without an amount.
            let own: FieldValue = self.lead.fields.currency.map(|own| own.code().into()).unwrap_or_default();
            let of_deal = record == TargetRecord::Opportunity;
            let none = |key: &&str| {
                let value = self.read(&slots, key);
                value.is_empty() || of_deal && *key == "currency" && value == own
            };
            if record == self.record && deciding.iter().all(none) {
                self.empty.push(unit);
            }
        }
        let worth = (self.record == TargetRecord::Opportunity).then(|| Worth::of(&slots));
        let mut rules: Vec<_> = self.mapping.rules_of(self.record).collect();
        // Parts of a name go over the whole, as in a patch.
        rules.sort_by_cached_key(|rule| self.slot(rule.to.key()).is_some_and(|slot| slot.is_written_late()));
        for rule in rules {
            if let Some(spec) = self.by.targets.find(&rule.to) {
                self.rule(rule, spec, &mut slots);
            }
        }
        if let Some(worth) = worth {
            worth.keep_whole(self.lead, &mut slots, &mut self.writes);
        }
        (slots, self.writes)
    }

    /// The lead's field that holds the same in the target.
    fn slot(&self, key: &str) -> Option<Field> {
        match (self.record, key) {
            _ if self.by_key => None,
            (TargetRecord::Account, "name") => Some(Field::Company),
            _ => Field::known(key),
        }
    }

    fn read(&self, slots: &Slots, key: &str) -> FieldValue {
        match self.slot(key) {
            Some(field) => field.read_fields(&slots.fields),
            None => slots.values.get(key).cloned().unwrap_or_default(),
        }
    }

    fn rule(&mut self, rule: &'a MappingRule, spec: &TargetSpec, slots: &mut Slots) {
        let first = self.written.insert(&rule.to);
        // A new target takes what the first rule brings.
        let policy = if self.exists || !first { rule.policy } else { FillPolicy::Overwrite };
        let Some((shape, choices)) = shape_of(&rule.from, self.by.leads) else { return };
        match spec.shape {
            Shape::Emails if !self.by_key => self.emails(rule, policy, slots),
            Shape::Phones if !self.by_key => self.phones(rule, policy, slots),
            _ => self.value(rule, policy, spec, (shape, &choices), slots),
        }
    }

    fn told(&mut self, rule: &MappingRule, old: FieldValue, new: FieldValue, dropped: Option<Dropped>) {
        let (from, to) = (rule.from.clone(), rule.to.clone());
        self.writes.push(FieldWrite { from, to, policy: rule.policy, old, new, dropped });
    }

    fn emails(&mut self, rule: &MappingRule, policy: FillPolicy, slots: &mut Slots) {
        let given = match &rule.from {
            Field::Email => Ok(self.lead.fields.emails.clone()),
            other => Emails::parse(&joined(&other.read(self.lead))),
        };
        let old = slots.fields.emails.clone();
        let Ok(given) = given else { return self.unread(rule, old.marked()) };
        if given.is_empty() {
            return;
        }
        let done = combine::emails(policy, &old, &given);
        self.told(rule, old.marked(), done.new.marked(), done.dropped);
        slots.fields.emails = done.new;
    }

    fn phones(&mut self, rule: &MappingRule, policy: FillPolicy, slots: &mut Slots) {
        let given = match &rule.from {
            Field::Phone => Ok(self.lead.fields.phones.clone()),
            other => Phones::parse(&joined(&other.read(self.lead)), self.lead.fields.phone_region()),
        };
        let old = slots.fields.phones.clone();
        let Ok(given) = given else { return self.unread(rule, old.marked()) };
        if given.is_empty() {
            return;
        }
        let done = combine::phones(policy, &old, &given);
        self.told(rule, old.marked(), done.new.marked(), done.dropped);
        slots.fields.phones = done.new;
    }

    /// The lead's value does not go there.
    fn unread(&mut self, rule: &MappingRule, old: FieldValue) {
        let dropped = Dropped { value: rule.from.read(self.lead), why: WhyDropped::Unreadable };
        self.told(rule, old.clone(), old, Some(dropped));
    }

    fn value(
        &mut self,
        rule: &MappingRule,
        policy: FillPolicy,
        spec: &TargetSpec,
        from: (Shape, &[Choice]),
        slots: &mut Slots,
    ) {
        let source = self.source(rule);
        let unit =
            UNITS.iter().find(|(record, _, unit)| *record == self.record && unit.contains(&rule.to.key()));
        let in_unit = unit.is_some_and(|(_, _, unit)| self.brings(unit));
        if source.is_empty() && !in_unit {
            return;
        }
        let old = self.read(slots, rule.to.key());
        let (given, left) = self.converted(&source, &rule.from, from, spec);
        let Some(given) = given.and_then(|given| self.readable(spec, given)) else {
            return self.unread(rule, old);
        };
        let fills = match unit {
            Some((_, _, unit)) => self.empty.contains(unit),
            None => old.is_empty(),
        };
        let done = combine::values(policy, spec.shape, fills, old.clone(), given);
        let is_kept = done.dropped.as_ref().is_some_and(|dropped| dropped.why == WhyDropped::TargetKept);
        let left = match left {
            // Not a part of it is taken.
            Some(_) if is_kept => Some(Dropped { value: source.clone(), why: WhyDropped::TargetKept }),
            left => left.or_else(|| self.unnamed(rule, &source)),
        };
        // A value of a field of the tenant's is the same afterwards, not one that was written and read again.
        let same = spec.custom.as_ref().is_some_and(|_| old == done.new);
        if same || self.take_over(rule, spec, &done.new, slots) {
            self.told(rule, old, done.new, left.or(done.dropped));
        } else if !self.write(spec, &done.new, slots) {
            let dropped = Dropped { value: source, why: WhyDropped::TooLong };
            self.told(rule, old.clone(), old, Some(dropped));
        } else if !source.is_empty() || old != done.new {
            self.told(rule, old, done.new, left.or(done.dropped));
        }
    }

    /// Whether a custom value of the lead became one of the target as it is.
    fn take_over(&self, rule: &MappingRule, spec: &TargetSpec, new: &FieldValue, slots: &mut Slots) -> bool {
        let (Field::Custom(from), Some(custom)) = (&rule.from, &spec.custom) else { return false };
        let own = self.lead.fields.custom.get(from).filter(|value| value.read() == *new);
        let Some(value) = own.filter(|value| !self.by_key && custom.check(value).is_ok()) else {
            return false;
        };
        slots.fields.custom.insert(custom.key.clone(), value.clone());
        true
    }

    /// What the rule takes from the lead. The company is what people call the lead, where a customer or a deal is named.
    fn source(&self, rule: &MappingRule) -> FieldValue {
        let names = rule.to.key() == "name" && self.record != TargetRecord::Contact;
        if names && rule.from == Field::Company {
            return self.lead.fields.display_name().into();
        }
        rule.from.read(self.lead)
    }

    /// The company of a consumer, where the rule from the company took its person's name along instead.
    fn unnamed(&self, rule: &MappingRule, taken: &FieldValue) -> Option<Dropped> {
        let value = rule.from.read(self.lead);
        let is_other = rule.from == Field::Company && !value.is_empty() && value != *taken;
        is_other.then_some(Dropped { value, why: WhyDropped::OnlyFirst })
    }

    /// Whether the lead has anything of a unit.
    fn brings(&self, unit: &[&str]) -> bool {
        let mut of_unit = self.mapping.rules_of(self.record).filter(|rule| unit.contains(&rule.to.key()));
        of_unit.any(|rule| !rule.from.read(self.lead).is_empty())
    }

    /// The value in the form of the target, and what of it does not go there.
    fn converted(
        &self,
        value: &FieldValue,
        field: &Field,
        (shape, choices): (Shape, &[Choice]),
        spec: &TargetSpec,
    ) -> (Option<FieldValue>, Option<Dropped>) {
        if fit(shape, spec.shape) == Fit::Never {
            return (None, None);
        }
        if value.is_empty() {
            return (Some(FieldValue::Empty), None);
        }
        if spec.shape.has_choices() {
            return chosen(value, choices, spec);
        }
        let first = |value: &FieldValue| {
            let rest = value.items().iter().skip(1).cloned().collect::<Vec<_>>();
            let rest = (!rest.is_empty())
                .then_some(Dropped { value: FieldValue::List(rest), why: WhyDropped::OnlyFirst });
            (value.items().first().cloned(), rest)
        };
        match (shape, spec.shape) {
            (Shape::Emails, Shape::Email) | (Shape::Phones, Shape::Phone) => first(value),
            (Shape::Integer | Shape::Percent, Shape::Decimal | Shape::Amount) => {
                let number = match value {
                    FieldValue::Integer(number) => Some(Decimal::from(*number).into()),
                    _ => None,
                };
                (number, None)
            }
            (Shape::Integer, Shape::Percent) => {
                let fits = matches!(value, FieldValue::Integer(0..=100));
                (fits.then(|| value.clone()), None)
            }
            (Shape::Amount, Shape::Money) => {
                let currency = self.lead.fields.currency;
                let amount = Names::new().show(field, value);
                (currency.map(|currency| format!("{amount} {}", currency.code()).into()), None)
            }
            (Shape::Money, Shape::Decimal | Shape::Amount) => {
                let number = match field {
                    Field::Custom(key) => self.lead.fields.custom.get(key).and_then(CustomValue::number),
                    _ => None,
                };
                (number.map(FieldValue::Decimal), part(value))
            }
            (Shape::Time, Shape::Date) => match value {
                FieldValue::Time(at) => (Some(Date::of(*at).into()), part(value)),
                _ => (None, None),
            },
            (_, Shape::Text | Shape::LongText) => (Some(self.shown(field, shape, value).into()), None),
            _ => (Some(value.clone()), None),
        }
    }

    /// The value as people read it; a text as it is, and a time with its offset (RFC 3339).
    fn shown(&self, field: &Field, shape: Shape, value: &FieldValue) -> String {
        let as_is = matches!(shape, Shape::Text | Shape::LongText | Shape::Name | Shape::TaxId | Shape::Url);
        if let Some(text) = value.as_text().filter(|_| as_is) {
            return text.to_owned();
        }
        // A text says of which zone the clock is: in a zone of its own it would be another time to everybody else.
        if let (Shape::Time, FieldValue::Time(at)) = (shape, value) {
            return at.to_string();
        }
        let shown = self.by.names.show(field, value);
        match self.lead.fields.currency.filter(|_| shape == Shape::Amount) {
            Some(currency) => format!("{shown} {}", currency.code()),
            None => shown,
        }
    }

    /// The value as the target reads it; none where it cannot.
    fn readable(&self, spec: &TargetSpec, given: FieldValue) -> Option<FieldValue> {
        if given.is_empty() {
            return Some(given);
        }
        if let Some(custom) = &spec.custom {
            let value = custom.parse(&given, self.lead.fields.phone_region()).ok()??;
            custom.check(&value).ok()?;
            return Some(value.read());
        }
        let Some(slot) = self.slot(spec.field.key()) else { return Some(given) };
        let mut scratch = LeadFields::default();
        slot.write(&mut scratch, &given).ok()?;
        Some(slot.read_fields(&scratch))
    }

    /// Whether the target took the value.
    fn write(&self, spec: &TargetSpec, value: &FieldValue, slots: &mut Slots) -> bool {
        let key = spec.field.key();
        let Some(slot) = self.slot(key) else {
            let fits = spec.custom.as_ref().is_none_or(|custom| {
                let region = self.lead.fields.phone_region();
                value.is_empty() || custom.parse(value, region).is_ok_and(|value| value.is_some())
            });
            if fits {
                slots.values.insert(key.to_owned(), value.clone());
            }
            return fits;
        };
        match (&slot, &spec.custom) {
            (Field::Custom(key), Some(custom)) if !value.is_empty() => {
                let region = self.lead.fields.phone_region();
                let read = custom.parse(value, region).ok().flatten();
                let read = read.filter(|read| custom.check(read).is_ok());
                read.map(|read| slots.fields.custom.insert(key.clone(), read)).is_some()
            }
            _ => {
                let mut next = slots.fields.clone();
                let done = slot.write(&mut next, value).is_ok();
                if done {
                    slots.fields = next;
                }
                done
            }
        }
    }
}

/// The choices of the target that mean the same.
fn chosen(
    value: &FieldValue,
    choices: &[Choice],
    spec: &TargetSpec,
) -> (Option<FieldValue>, Option<Dropped>) {
    let (mut found, mut left) = (Vec::new(), Vec::new());
    for item in value.items() {
        let code = item.as_text().and_then(|code| counterpart(code, choices, &spec.choices));
        match code {
            Some(code) if spec.shape == Shape::ManyOf || found.is_empty() => found.push(code.into()),
            _ => left.push(item.clone()),
        }
    }
    let why = if found.is_empty() || spec.shape == Shape::ManyOf {
        WhyDropped::NoChoice
    } else {
        WhyDropped::OnlyFirst
    };
    let dropped = (!left.is_empty()).then_some(Dropped { value: FieldValue::List(left), why });
    let given = match (spec.shape, found.pop()) {
        (_, None) => FieldValue::Empty,
        (Shape::ManyOf, Some(last)) => {
            found.push(last);
            FieldValue::List(found)
        }
        (_, Some(one)) => one,
    };
    (Some(given), dropped)
}

/// A value of which the target takes a part.
fn part(value: &FieldValue) -> Option<Dropped> {
    Some(Dropped { value: value.clone(), why: WhyDropped::OnlyPart })
}

/// Texts as one input.
fn joined(value: &FieldValue) -> String {
    value.items().iter().filter_map(FieldValue::as_text).collect::<Vec<_>>().join(",")
}
