//! Services: what an account buys (S2.26), each one line with its price, and whether it is bought now.

use serde::{Deserialize, Serialize};

use crate::error::{Violation, ViolationCode};
use crate::id::{AccountId, EstimateId, OpportunityId, Revision, ServiceId};
use crate::time::{Date, Timestamp};
use crate::value::{Currency, clean_text};

use super::child::{Placement, Tab};
use super::coded::coded;
use super::journal::Actor;
use super::line::{Line, Totals};
use super::link::Subject;
use super::opportunity::{named, patches};

/// The longest note, in characters.
const MAX_NOTE: usize = 20_000;

coded! {
    /// Whether a service is bought now.
    ServiceState {
        /// It is.
        Active = "active",
        /// Not yet, or not any more.
        Inactive = "inactive",
    }
}

impl ServiceState {
    /// What the move to this state is called, in errors.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Active => "activate",
            Self::Inactive => "deactivate",
        }
    }
}

/// What callers may set on a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceFields {
    /// What it is, the host's code of the product, how much of it, its price, discount and tax.
    pub line: Line,
    /// The currency of the price; of a new one, that of the account where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The first day on which it is bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The last one; not before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// What else there is to say, at most 20,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl From<Line> for ServiceFields {
    fn from(line: Line) -> Self {
        Self { line, currency: None, from: None, until: None, note: None }
    }
}

impl ServiceFields {
    /// In this currency.
    #[must_use]
    pub const fn currency(mut self, currency: Currency) -> Self {
        self.currency = Some(currency);
        self
    }

    /// From this day on.
    #[must_use]
    pub const fn starting(mut self, day: Date) -> Self {
        self.from = Some(day);
        self
    }

    /// Until this day.
    #[must_use]
    pub const fn ending(mut self, day: Date) -> Self {
        self.until = Some(day);
        self
    }

    /// The fields as they are stored, and what the line adds up to.
    ///
    /// # Errors
    /// Every broken rule. Those of the line are at its own names: `quantity`, `unit_price` …
    pub fn settle(mut self) -> Result<(Self, Totals), Vec<Violation>> {
        self.line = self.line.plain();
        self.note = self.note.take().map(|note| note.trim().to_owned()).filter(|note| !note.is_empty());
        let mut broken = Vec::new();
        if let (Some(from), Some(until)) = (self.from, self.until)
            && until < from
        {
            let message = "must not lie before the first day";
            broken.push(Violation::new("until", ViolationCode::OutOfRange, message));
        }
        if let Some(Err(error)) = self.note.as_deref().map(|note| clean_text(note, MAX_NOTE)) {
            broken.push(error.at("note"));
        }
        match Totals::of(std::slice::from_ref(&self.line), self.currency) {
            Ok(totals) if broken.is_empty() => return Ok((self, totals)),
            Ok(_) => {}
            Err(error) => broken.extend(error.violations().iter().map(|violation| Violation {
                field: violation.field.trim_start_matches("lines[0].").to_owned(),
                ..violation.clone()
            })),
        }
        Err(broken)
    }
}

/// What changes of a service: what is not named stays, an inner `None` clears. As JSON, `null` clears.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServicePatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<Line>,
    #[serde(deserialize_with = "named", skip_serializing_if = "Option::is_none")]
    currency: Option<Option<Currency>>,
    #[serde(deserialize_with = "named", skip_serializing_if = "Option::is_none")]
    from: Option<Option<Date>>,
    #[serde(deserialize_with = "named", skip_serializing_if = "Option::is_none")]
    until: Option<Option<Date>>,
    #[serde(deserialize_with = "named", skip_serializing_if = "Option::is_none")]
    note: Option<Option<String>>,
}

patches! {
    ServicePatch of ServiceFields {
        /// Sets what is bought, and its price.
        line: Line,
        /// Sets or clears the currency.
        currency: Option<Currency>,
        /// Sets or clears the first day.
        from: Option<Date>,
        /// Sets or clears the last day.
        until: Option<Date>,
        /// Sets or clears what else there is to say.
        note: Option<String>,
    }
}

impl ServicePatch {
    /// Writes what is named into these fields.
    pub fn apply(&self, fields: &mut ServiceFields) {
        fn set<T: Clone>(field: &mut T, named: Option<&T>) {
            if let Some(value) = named {
                field.clone_from(value);
            }
        }
        set(&mut fields.line, self.line.as_ref());
        set(&mut fields.currency, self.currency.as_ref());
        set(&mut fields.from, self.from.as_ref());
        set(&mut fields.until, self.until.as_ref());
        set(&mut fields.note, self.note.as_ref());
    }
}

/// The line of an estimate that a service was copied from. The estimate may be gone since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServiceOrigin {
    /// The estimate.
    pub estimate: EstimateId,
    /// The place of the line in it, from 0 on.
    pub position: u32,
}

/// A stored service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// The id.
    pub id: ServiceId,
    /// The revision, for the next write.
    pub revision: Revision,
    /// The account that buys it.
    pub account: AccountId,
    /// The account, as a record.
    pub about: Vec<Subject>,
    /// What callers may set.
    pub fields: ServiceFields,
    /// What its line comes to, with tax.
    pub totals: Totals,
    /// Whether it is bought now.
    pub state: ServiceState,
    /// The line of an estimate that it was copied from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<ServiceOrigin>,
    /// The opportunity that it was won with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opportunity: Option<OpportunityId>,
    /// Who created it.
    pub created_by: Actor,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

impl Service {
    /// Where it is shown: among the services of the account, by their first day, else by when they were made.
    #[must_use]
    pub fn placement(&self) -> Placement {
        let utc = chrono::Offset::fix(&chrono::Utc);
        Placement {
            child: self.id.into(),
            about: self.about.clone(),
            tab: Tab::Service,
            at: self.fields.from.map_or(self.created_at, |day| day.begin(utc)),
            is_open: self.state == ServiceState::Active,
            follow_up: None,
        }
    }

    /// An amount of it as people read it, with the symbol of its currency: `€ 1250.50`.
    #[must_use]
    pub fn show(&self, amount: rust_decimal::Decimal) -> String {
        super::display::money(amount, self.fields.currency, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_held_to_its_rules() {
        let day = |days| Date::from_days(days).unwrap();
        let fields = ServiceFields::from(Line::new("", 1.into(), 10.into())).starting(day(9)).ending(day(8));
        let broken = fields.settle().unwrap_err();
        let named: Vec<_> = broken.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(named, ["until", "description"]);
        let line = Line::new("Care", "2".parse().unwrap(), "10".parse().unwrap()).tax("VAT", 20.into());
        let (_, totals) = ServiceFields::from(line).settle().unwrap();
        assert_eq!((totals.net, totals.gross), (20.into(), 24.into()));
    }

    #[test]
    fn a_patch_clears_and_keeps() {
        let line = Line::new("Care", 1.into(), 10.into());
        let mut fields = ServiceFields { note: Some("monthly".to_owned()), ..line.clone().into() };
        let patch: ServicePatch = serde_json::from_str(r#"{"note": null}"#).unwrap();
        assert_eq!(patch.names(), ["note"]);
        patch.apply(&mut fields);
        assert_eq!(fields, line.into());
    }
}
