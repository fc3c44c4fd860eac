//! Conversion that loses nothing: many leads at once, once, and back.

mod any_order;
mod at_once;
pub(crate) mod back;
mod behind;
pub(crate) mod calls;
mod consent;
mod custom;
mod deal;
mod edges;
mod faults;
mod faults_in_memory;
mod fresh;
mod frozen;
mod going_on;
mod handed;
mod handed_back;
mod handed_on;
mod hosts;
mod joined;
mod kept;
mod keys;
mod many;
mod marks;
mod money;
mod net;
mod once;
mod outbox;
mod own_edits;
mod own_work;
mod partly;
mod primary;
mod purged;
mod referring;
mod said_again;
mod same_person;
mod shared_person;
mod since;
mod sold_since;
mod story;
mod targets;
mod used_up;
mod wizard;

use leadcore::desk::convert::{self, ConversionOptions, ConversionOutcome};
use leadcore::desk::{activities, contacts};
use leadcore::domain::{ActivityFields, ContactFields, Emails, Field, Lead, LeadFields};

use crate::support::{Host, form};

pub(crate) use calls::TRIED;

/// A company with a person, addresses, an amount.
pub(crate) fn nordlys() -> LeadFields {
    form(&[
        (Field::Company, "Nordlys AS"),
        (Field::Name, "Kari Berg"),
        (Field::Email, "kari@nordlys.example"),
        (Field::Phone, "+47 22 12 34 56"),
        (Field::City, "Tromsø"),
        (Field::Amount, "1200.50"),
    ])
}

/// A lead with two persons, a note and a task.
pub(crate) fn worked(host: &Host) -> Lead {
    let lead = host.add(nordlys());
    for (name, mail) in [("Ola Dal", "ola@nordlys.example"), ("Eva Moe", "eva@nordlys.example")] {
        let mut person = ContactFields::named(name).unwrap();
        person.emails = Emails::parse(mail).unwrap();
        host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, person.clone(), false));
    }
    for fields in [ActivityFields::note("They called"), ActivityFields::task("Call back")] {
        host.write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], fields.clone()));
    }
    host.get(&lead)
}

pub(crate) fn converted(host: &Host, lead: &Lead) -> ConversionOutcome {
    host.scene.tick();
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()))
}
