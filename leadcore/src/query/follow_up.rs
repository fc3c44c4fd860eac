//! What the words for the next follow-up of a lead mean to the one who asks (X.22).

use crate::domain::{Field, FieldValue, FollowUpState, distance};
use crate::error::{ValueError, ViolationCode};
use crate::time::Date;

use super::asker::Asker;
use super::filter::{Operator, Resolved};

/// `follow_up = overdue`: what the words for states mean today, where the values are nothing else.
pub(super) fn follow_up_state(op: Operator, value: &FieldValue, asker: &Asker<'_>) -> Option<Resolved> {
    let states: Vec<_> = value
        .items()
        .iter()
        .map(|item| item.as_text().and_then(FollowUpState::from_code))
        .collect::<Option<_>>()?;
    let fits = match op {
        Operator::Eq | Operator::Ne => states.len() == 1,
        Operator::In => !states.is_empty(),
        _ => false,
    };
    if !fits {
        return None;
    }
    let state = |state: FollowUpState| in_range(state, asker);
    let mut states: Vec<_> = states.into_iter().map(state).collect();
    let any = if states.len() == 1 { states.pop()? } else { Resolved::Any(states) };
    Some(if op == Operator::Ne { Resolved::Not(Box::new(any)) } else { any })
}

/// What is said of a word that is neither a state nor a day.
pub(super) fn no_such_state(word: &FieldValue) -> ValueError {
    let written = word.as_text().unwrap_or_default().to_lowercase();
    let near = FollowUpState::ALL.iter().map(|state| (distance(&written, state.code()), state.code()));
    let near = near.filter(|(far, _)| *far <= 2 && far.saturating_mul(2) <= written.chars().count());
    let hint = near.min().map_or_else(String::new, |(_, code)| format!("; did you mean `{code}`?"));
    let message = format!("this is a day, a time, or one of `none`, `planned`, `today`, `overdue`{hint}");
    ValueError::new(ViolationCode::Malformed, message)
}

/// What follow-ups of this state are, by the asker's day.
fn in_range(state: FollowUpState, asker: &Asker<'_>) -> Resolved {
    let today = Date::in_zone(asker.now, asker.offset);
    let before = |day: Date| Resolved::FollowUpBefore { at: day.begin(asker.offset), day };
    let not = |resolved| Resolved::Not(Box::new(resolved));
    // What is not before a day has no place before it: said, so that an index can be walked.
    let from = |day: Date| {
        let from = Some((day.begin(asker.offset).into(), true));
        Resolved::All(vec![Resolved::Range { field: Field::FollowUp, from, to: None }, not(before(day))])
    };
    let tomorrow = Some(today.saturating_add_days(1)).filter(|tomorrow| *tomorrow > today);
    match (state, tomorrow) {
        (FollowUpState::None, _) => Resolved::Empty(Field::FollowUp),
        (FollowUpState::Overdue, _) => before(today),
        (FollowUpState::Today, Some(tomorrow)) => Resolved::All(vec![from(today), before(tomorrow)]),
        // The last day that there is has no end.
        (FollowUpState::Today, None) => from(today),
        (FollowUpState::Planned, Some(tomorrow)) => from(tomorrow),
        (FollowUpState::Planned, None) => Resolved::nothing(),
    }
}
