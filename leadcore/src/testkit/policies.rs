//! For the tests of a host: has somebody thought of conversion for every kind of record that the host registered?

use crate::domain::RecordKinds;

/// Fails the test unless every kind of record that a host registers says what becomes of it when its lead is converted
/// ([`on_conversion`](crate::domain::RecordKindSpec::on_conversion)): so that nobody adds a kind and forgets it.
///
/// ```
/// use leadcore::domain::{OnConversion, RecordKind, RecordKindSpec, RecordKinds};
/// use leadcore::testkit::conversion_policies;
/// let kind = RecordKind::new("subscription").unwrap();
/// let spec = RecordKindSpec::new(kind, "Subscription", "Subscriptions");
/// conversion_policies(&RecordKinds::new().with(spec.clone().on_conversion(OnConversion::Shown)));
/// let forgotten = std::panic::catch_unwind(|| conversion_policies(&RecordKinds::new().with(spec)));
/// assert!(forgotten.is_err());
/// ```
///
/// # Panics
/// When a kind has no policy, with the names of all of them.
pub fn conversion_policies(kinds: &RecordKinds) {
    let without = kinds.all().iter().filter(|spec| spec.on_conversion.is_none());
    let without: Vec<_> = without.map(|spec| spec.kind.as_str()).collect();
    assert!(
        without.is_empty(),
        "these kinds of record have no policy for conversion: {}",
        without.join(", ")
    );
}
