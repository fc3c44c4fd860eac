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

/// Where follow-ups of this state lie, by the asker's day.
fn in_range(state: FollowUpState, asker: &Asker<'_>) -> Resolved {
    let today = Date::in_zone(asker.now, asker.offset);
    let begin = |day: Date| (day.begin(asker.offset).into(), true);
    let tomorrow = today.saturating_add_days(1);
    // The last day that there is has no end.
    let end = (tomorrow > today).then(|| (tomorrow.begin(asker.offset).into(), false));
    let range = |from, to| Resolved::Range { field: Field::FollowUp, from, to };
    match (state, end) {
        (FollowUpState::None, _) => Resolved::Empty(Field::FollowUp),
        (FollowUpState::Overdue, _) => range(None, Some((begin(today).0, false))),
        (FollowUpState::Today, end) => range(Some(begin(today)), end),
        (FollowUpState::Planned, Some((from, _))) => range(Some((from, true)), None),
        (FollowUpState::Planned, None) => Resolved::nothing(),
    }
}
