//! What stands against a conversion, told all at once.

use crate::context::Context;
use crate::domain::{Field, Lead, Unmet};
use crate::error::{Conflict, Error, ErrorKind, Result, Violation, ViolationCode};

use super::super::moving::check_convertible;
use super::hidden;
use super::plan::ConversionPlan;
use super::rules::Rules;

/// What settings call it, where they say for which leads it is open.
pub(super) const CONVERT: &str = "convert";

/// What a lead is refused for by itself: how it ended, and that the tenant closed conversion for leads like it.
pub(super) fn against(rules: &Rules, lead: &Lead) -> Vec<Violation> {
    let mut against: Vec<_> = check_convertible(lead).iter().map(Unmet::violation).collect();
    if !rules.is_open(lead, CONVERT) {
        against.push(closed());
    }
    against
}

fn closed() -> Violation {
    Violation::new(CONVERT, ViolationCode::NotAllowed, "conversion is closed for the lead in its state")
}

/// The error that tells all of it. Where nothing stands against it but that conversion is closed, it is that.
pub(super) fn refusal(ctx: &Context<'_>, also: &[Field], broken: Vec<Violation>) -> Error {
    if broken.len() == 1 && broken.first() == Some(&closed()) {
        return Error::conflicting("lead", Conflict::Closed { function: CONVERT.to_owned() });
    }
    Error::invalid(hidden::explained(ctx, also, broken))
}

/// A plan, or everything that stands against it: what the lead is refused for by itself first, what it lacks last.
pub(super) fn told(
    ctx: &Context<'_>,
    (against, lacks): (Vec<Violation>, Vec<Violation>),
    planned: Result<ConversionPlan>,
) -> Result<ConversionPlan> {
    let broken = match planned {
        Ok(plan) if against.is_empty() => return Ok(plan),
        Ok(plan) => plan.missing,
        Err(error) => match error.kind() {
            ErrorKind::Invalid => error.violations().to_vec(),
            // About what was asked for: the lead is refused whatever that is, and who mends the lead comes to it.
            ErrorKind::Conflict | ErrorKind::NotFound | ErrorKind::Denied if !against.is_empty() => {
                Vec::new()
            }
            _ => return Err(error),
        },
    };
    let mut all = against;
    all.extend(broken);
    let new = untold(lacks, &all);
    all.extend(new);
    Err(refusal(ctx, &[], all))
}

/// What is about fields of which nothing is told yet.
pub(super) fn untold(found: Vec<Violation>, told: &[Violation]) -> Vec<Violation> {
    found.into_iter().filter(|one| told.iter().all(|known| known.field != one.field)).collect()
}

/// What a step says against it, kept for later where more is to be told.
pub(super) fn collect<T>(early: &mut Vec<Violation>, step: Result<T>) -> Result<Option<T>> {
    match step {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.kind() == ErrorKind::Invalid => {
            early.extend(error.violations().iter().cloned());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Actor;
    use crate::id::SequentialIds;
    use crate::policy::AllowAll;
    use crate::time::ManualClock;

    #[test]
    fn a_store_that_failed_is_told_also_of_a_lead_that_is_refused() {
        let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
        let ctx = Context::new(&"acme".parse().unwrap(), Actor::System, &clock, &ids, &AllowAll);
        let told = |kind| {
            let failed = Err(Error::new(kind, "as it is"));
            told(&ctx, (vec![closed()], Vec::new()), failed).unwrap_err().kind()
        };
        let of_store = [ErrorKind::Storage, ErrorKind::Corrupt, ErrorKind::Unavailable, ErrorKind::Internal];
        for kind in of_store.into_iter().chain([ErrorKind::Cancelled]) {
            assert_eq!(told(kind), kind);
        }
        for kind in [ErrorKind::Conflict, ErrorKind::NotFound, ErrorKind::Denied] {
            assert_eq!(told(kind), ErrorKind::Conflict, "that conversion is closed");
        }
    }
}
