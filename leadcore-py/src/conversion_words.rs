//! What a call says by several names, with records for some of them: a retry may say one name as before, and another as it is called
//! now.

use leadcore::context::Context;
use leadcore::desk::convert::{AsSaid, OpportunityChoice, OpportunityEnding, OpportunityRequest};
use leadcore::domain::TermId;
use leadcore::error::{ErrorKind, Result};
use leadcore::id::{LostReasonId, SourceId};
use leadcore::store::Txn;

use crate::convert::Named;
use crate::customer_form::GivenCustomer;
use crate::opportunities::{Own, SOURCE};
use crate::terms::find;

/// The opportunity of a call as it was said, its source and custom fields, and why it was lost.
type Said = (OpportunityChoice, Own, Option<String>);

/// The words of a call, in all these ways.
pub(crate) fn words(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    customer: &GivenCustomer,
    said: &Said,
) -> Result<AsSaid> {
    let mut words = AsSaid::new().part("account_fields", &customer.account())?.part("opportunity", said)?;
    match customer.account_by(txn) {
        Ok(account) => words = words.or("account_fields", &account)?,
        Err(error) if error.kind() == ErrorKind::Invalid => {}
        Err(error) => return Err(error),
    }
    for other in others(ctx, txn, said)? {
        words = words.or("opportunity", &other)?;
    }
    Ok(words)
}

/// Every mixture of names and records.
fn others(ctx: &Context<'_>, txn: &mut dyn Txn, said: &Said) -> Result<Vec<Said>> {
    let (choice, own, reason) = said;
    let OpportunityChoice::New(request) = choice else { return Ok(Vec::new()) };
    let source = own.iter().find(|(key, _)| key == SOURCE).and_then(|(_, name)| name.as_text());
    let source: Option<SourceId> = known(ctx, txn, source)?;
    let reason: Option<LostReasonId> = known(ctx, txn, reason.as_deref())?;
    let by_source = source.map(|id| with_source(request, own, id));
    let mut all: Vec<Said> = Vec::new();
    for (request, own) in by_source.into_iter().chain([(request.as_ref().clone(), own.clone())]) {
        let choice = |request| OpportunityChoice::New(Box::new(request));
        all.extend(reason.map(|id| (choice(with_reason(&request, id)), own.clone(), None)));
        all.push((choice(request), own, said.2.clone()));
    }
    Ok(all)
}

fn with_source(request: &OpportunityRequest, own: &Own, id: SourceId) -> (OpportunityRequest, Own) {
    let mut request = request.clone();
    request.patch = request.patch.source(Some(id));
    (request, own.iter().filter(|(key, _)| key != SOURCE).cloned().collect())
}

fn with_reason(request: &OpportunityRequest, id: LostReasonId) -> OpportunityRequest {
    let mut request = request.clone();
    if let OpportunityEnding::Lost { reason, .. } = &mut request.ending {
        *reason = Some(id);
    }
    request
}

/// The record that has a name, if one has it.
fn known<I: TermId>(ctx: &Context<'_>, txn: &mut dyn Txn, name: Option<&str>) -> Result<Option<I>> {
    let found = name.map(|name| find::<I>(ctx, txn, &Named::Name(name.to_owned()))).transpose();
    match found {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        found => found,
    }
}
