//! An amount and its currency go together: an opportunity gets both or neither.

use crate::domain::custom_value::CustomValue;
use crate::domain::field::Field;
use crate::domain::field_value::FieldValue;
use crate::domain::lead::Lead;

use super::apply::{Dropped, FieldWrite, WhyDropped};
use super::run::Slots;
use super::{ConversionMapping, FillPolicy, MappingRule, TargetField, TargetRecord};

const AMOUNT: &str = "amount";
const CURRENCY: &str = "currency";

/// What an opportunity is worth: the amount and its currency.
#[derive(Debug, PartialEq)]
pub(super) struct Worth {
    amount: FieldValue,
    currency: FieldValue,
}

impl Worth {
    pub(super) fn of(slots: &Slots) -> Self {
        let of = |key: &str| slots.values.get(key).cloned().unwrap_or_default();
        Self { amount: of(AMOUNT), currency: of(CURRENCY) }
    }

    /// Gives the opportunity back what it was worth, where the rules took one of the two along and would have put it beside the
    /// other of somebody else. An opportunity that says nothing yet gets the currency with the amount.
    pub(super) fn keep_whole(self, lead: &Lead, slots: &mut Slots, writes: &mut Vec<FieldWrite>) {
        let money = writes.iter().rev().find_map(|write| money_of(lead, write));
        self.settle((lead, money.as_ref()), slots, writes);
        // With its currency beside it, the whole of it is there.
        let now = Self::of(slots).currency;
        for write in writes.iter_mut().filter(|write| money_of(lead, write).is_some_and(|own| own == now)) {
            write.dropped.take_if(|dropped| dropped.why == WhyDropped::OnlyPart);
        }
    }

    fn settle(
        self,
        (lead, money): (&Lead, Option<&FieldValue>),
        slots: &mut Slots,
        writes: &mut Vec<FieldWrite>,
    ) {
        let now = Self::of(slots);
        if now == self {
            return;
        }
        let of_lead = lead.fields.currency.map(|currency| currency.code().into());
        let own: Option<FieldValue> = money.cloned().or(of_lead);
        let is_written = |key: &str| writes.iter().any(|write| is_of(&write.to, key) && takes_along(write));
        let amount = is_written(AMOUNT) && !now.amount.is_empty();
        if let Some(own) = own.as_ref().filter(|_| amount && self.is_nothing() && now.currency.is_empty()) {
            slots.values.insert(CURRENCY.to_owned(), own.clone());
            return;
        }
        let is_whole = if now.amount.is_empty() {
            self.amount.is_empty()
        } else {
            let follows = money.is_none() && is_written(CURRENCY);
            amount && (follows || own.is_none_or(|own| own == now.currency))
        };
        if is_whole {
            return;
        }
        for (key, before) in [(AMOUNT, self.amount), (CURRENCY, self.currency)] {
            for write in writes.iter_mut().filter(|write| is_of(&write.to, key)) {
                let value = write.from.read(lead);
                write.new = before.clone();
                write.dropped = (value != before).then_some(Dropped { value, why: WhyDropped::OnlyTogether });
            }
            slots.values.insert(key.to_owned(), before);
        }
        writes.retain(|write| !is_of_worth(&write.to) || !write.from.read(lead).is_empty());
    }

    fn is_nothing(&self) -> bool {
        self.amount.is_empty() && self.currency.is_empty()
    }
}

fn is_of(to: &TargetField, key: &str) -> bool {
    to.record == TargetRecord::Opportunity && to.key() == key
}

/// Whether a field says what an opportunity is worth, or in what.
pub(crate) fn is_of_worth(to: &TargetField) -> bool {
    is_of(to, AMOUNT) || is_of(to, CURRENCY)
}

/// Whether what the lead says stands in the target.
fn takes_along(write: &FieldWrite) -> bool {
    let is_there = |why| matches!(why, WhyDropped::Overwritten | WhyDropped::OnlyPart);
    write.dropped.as_ref().is_none_or(|dropped| is_there(dropped.why))
}

/// The currency of the money that an amount comes of, where it says one itself.
fn money_of(lead: &Lead, write: &FieldWrite) -> Option<FieldValue> {
    let Field::Custom(key) = &write.from else { return None };
    let Some(CustomValue::Money(money)) = lead.fields.custom.get(key) else { return None };
    is_of(&write.to, AMOUNT).then(|| money.currency().code().into())
}

/// The rules of which one writes over what the other leaves. Rules that fill what is empty never part the two.
pub(super) fn torn(mapping: &ConversionMapping) -> Vec<&MappingRule> {
    let of = |key| mapping.rules_of(TargetRecord::Opportunity).find(move |rule| is_of(&rule.to, key));
    let rules: Vec<_> = of(AMOUNT).into_iter().chain(of(CURRENCY)).collect();
    let over = rules.iter().filter(|rule| rule.policy == FillPolicy::Overwrite).count();
    if over == 1 { rules } else { Vec::new() }
}
