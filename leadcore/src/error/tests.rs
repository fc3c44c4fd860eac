use super::*;

#[test]
fn codes_match_their_serialised_names() {
    for kind in ErrorKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.code());
    }
}

#[test]
fn an_invalid_error_says_every_broken_rule() {
    let error = Error::invalid(vec![
        Violation::new("company", ViolationCode::Required, "a company lead needs a company name"),
        Violation::new("email", ViolationCode::Malformed, "an e-mail address needs one `@`"),
    ]);
    assert_eq!(
        error.to_string(),
        "invalid input: `company`: a company lead needs a company name; `email`: an e-mail address needs one `@`"
    );
}

#[test]
fn a_converted_lead_is_frozen_not_merely_conflicting() {
    let error = Error::conflicting("lead", Conflict::Converted);
    assert_eq!(error.kind(), ErrorKind::Frozen);
    assert_eq!(error.conflict(), Some(&Conflict::Converted));
}
