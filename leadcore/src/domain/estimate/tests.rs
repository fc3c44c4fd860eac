use super::*;

fn estimate(status: EstimateStatus) -> Estimate {
    let fields = EstimateFields {
        date: Some("2026-11-22".parse().unwrap()),
        valid_until: Some("2026-11-30".parse().unwrap()),
        currency: Some(Currency::parse("EUR").unwrap()),
        ..EstimateFields::titled("Roof").line(Line::new("Panel", 2.into(), 10.into()))
    };
    Estimate {
        id: EstimateId::from_uuid(uuid::Uuid::nil()),
        number: 1,
        serial: None,
        revision: Revision::FIRST,
        about: Vec::new(),
        totals: fields.check().unwrap(),
        fields,
        status,
        sent_at: None,
        settled_at: None,
        reason: None,
        revises: None,
        request: None,
        created_by: Actor::System,
        created_at: Timestamp::EPOCH,
        updated_at: Timestamp::EPOCH,
    }
}

#[test]
fn every_move_is_in_the_table_or_refused() {
    use EstimateStatus::{Accepted, Declined, Draft, Expired, Sent};
    let day = "2026-11-30".parse().unwrap();
    for from in EstimateStatus::ALL {
        assert_eq!(EstimateStatus::from_code(from.code()), Some(from));
        assert_eq!(serde_json::to_value(from).unwrap(), from.code());
        for to in EstimateStatus::ALL {
            let allowed = matches!((from, to), (Draft, Sent) | (Sent, Accepted | Declined | Expired));
            let expected = if allowed { vec![] } else { vec![EstimateUnmet::NotFromHere { from, to }] };
            assert_eq!(estimate(from).can_move(to, day), expected, "{from} to {to}");
            assert_eq!(from.next().any(|next| next == to), allowed);
        }
    }
}

#[test]
fn what_is_over_shows_as_expired_and_may_be_stored_so() {
    let (last, after) = ("2026-11-30".parse().unwrap(), "2026-12-01".parse().unwrap());
    let sent = estimate(EstimateStatus::Sent);
    assert_eq!(sent.status_on(last), EstimateStatus::Sent);
    assert_eq!(sent.status_on(after), EstimateStatus::Expired);
    assert_eq!(estimate(EstimateStatus::Draft).status_on(after), EstimateStatus::Draft);
    assert_eq!(estimate(EstimateStatus::Accepted).status_on(Date::MAX), EstimateStatus::Accepted);
    let (from, to) = (EstimateStatus::Expired, EstimateStatus::Accepted);
    assert_eq!(sent.can_move(to, after), [EstimateUnmet::NotFromHere { from, to }]);
    assert_eq!(sent.can_move(EstimateStatus::Expired, after), []);
}

#[test]
fn sending_says_everything_that_is_missing() {
    let mut empty = estimate(EstimateStatus::Draft);
    (empty.fields.lines, empty.fields.currency) = (Vec::new(), None);
    empty.fields.valid_until = Some("2026-11-21".parse().unwrap());
    let unmet = empty.can_move(EstimateStatus::Sent, "2026-11-22".parse().unwrap());
    let fields: Vec<_> = unmet.iter().map(|unmet| unmet.violation().field).collect();
    assert_eq!(fields, ["lines", "currency", "valid_until", "valid_until"]);
}
