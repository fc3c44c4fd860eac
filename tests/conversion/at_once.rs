//! What stands against a conversion is told all at once: how the lead ended, that conversion is closed for it, what it and its
//! customer lack, and what was said wrong.

use leadcore::desk::convert::{self, ConversionOptions, LeadConverted};
use leadcore::desk::functions::Functions;
use leadcore::desk::mass::Selection;
use leadcore::desk::{Expect, leads, settings};
use leadcore::domain::{
    AccountPatch, CatalogueKind, ContactPatch, CustomField, CustomType, Field, Lead, LeadPatch,
};
use leadcore::error::{Conflict, Error, ErrorKind};
use leadcore::query::Filter;

use super::fresh::*;
use crate::support::{Host, fields_of, form, refused};

/// A lead without a city, which leads must have; accounts must have terms.
fn strict(host: &Host) -> Lead {
    let lead = host.add(form(&[(Field::Company, "Nordlys AS"), (Field::Name, "Kari Berg")]));
    host.write(|ctx, txn| {
        let (revision, mut of_leads) = settings::catalogue_of(ctx, txn, CatalogueKind::Lead)?;
        of_leads.settings_mut(Field::City).required = Some(true);
        settings::set_catalogue(ctx, txn, revision, &of_leads)?;
        let (revision, mut of_accounts) = settings::catalogue_of(ctx, txn, CatalogueKind::Account)?;
        let terms = CustomField::new("x_terms".parse().unwrap(), "Terms", CustomType::Text).required(true);
        of_accounts.set_custom_field(terms);
        settings::set_catalogue(ctx, txn, revision, &of_accounts)
    });
    lead
}

fn close(host: &Host) {
    let functions = Functions::new().open_for("convert", Filter::eq(Field::City, "Bergen"));
    host.write(|ctx, txn| settings::set_functions(ctx, txn, None, &functions));
}

/// Both ways of asking say the same fields, in whichever order.
fn told(host: &Host, lead: &Lead, options: &ConversionOptions) -> (Vec<String>, Error) {
    let sorted = |error: &Error| {
        let mut fields: Vec<_> = fields_of(error).into_iter().map(str::to_owned).collect();
        fields.sort();
        fields
    };
    let planned = host.try_read(|ctx, txn| convert::plan(ctx, txn, lead.id, options));
    let planned = refused(planned, ErrorKind::Invalid);
    let done = host.try_write(|ctx, txn| convert::convert(ctx, txn, lead.id, options));
    let done = refused(done, ErrorKind::Invalid);
    assert_eq!(sorted(&planned), sorted(&done));
    let all = Selection::Ids(vec![lead.id]);
    let many = host.write(|ctx, txn| convert::many(ctx, txn, &all, options));
    let LeadConverted::GateUnmet(broken) = &many.results[0].outcome else { panic!("{many:?}") };
    assert_eq!(sorted(&Error::invalid(broken.clone())), sorted(&done));
    (sorted(&done), done)
}

#[test]
fn what_stands_against_a_conversion_is_told_at_once() {
    let host = Host::new();
    let lead = strict(&host);
    assert_eq!(told(&host, &lead, &options()).0, ["account.x_terms", "city"]);
    close(&host);
    assert_eq!(told(&host, &lead, &options()).0, ["account.x_terms", "city", "convert"]);
    host.write(|ctx, txn| leads::disqualify(ctx, txn, lead.id, Expect::Any, None, None));
    let (fields, error) = told(&host, &lead, &options());
    assert_eq!(fields, ["account.x_terms", "city", "convert", "state"], "{error}");
    // What was said wrong is told with it, each field once.
    let wrong = options()
        .account_fields(AccountPatch::new().set(Field::Email, "no address"))
        .contact_fields(ContactPatch::new().set(Field::Email, "none either"));
    let (fields, _) = told(&host, &lead, &wrong);
    let all = ["account.email", "account.x_terms", "city", "contact.email", "convert", "state"];
    assert_eq!(fields, all);
}

#[test]
fn a_lead_that_only_conversion_is_closed_for_is_told_as_such() {
    let host = Host::new();
    let lead = strict(&host);
    close(&host);
    let patch = LeadPatch::new().set(Field::City, "Oslo");
    host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &patch));
    let filled = options()
        .account_fields(AccountPatch::new().set(Field::Custom("x_terms".parse().unwrap()), "30 days"));
    let closed = Conflict::Closed { function: "convert".to_owned() };
    let planned = host.try_read(|ctx, txn| convert::plan(ctx, txn, lead.id, &filled));
    assert_eq!(refused(planned, ErrorKind::Conflict).conflict(), Some(&closed));
    let done = host.try_write(|ctx, txn| convert::convert(ctx, txn, lead.id, &filled));
    assert_eq!(refused(done, ErrorKind::Conflict).conflict(), Some(&closed));
}
