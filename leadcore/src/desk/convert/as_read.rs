//! Options as the tenant's own fields read them: what is said of one as 10, as "10" and as 10.00 is the same.

use crate::domain::{Catalogue, CatalogueKind, Field};
use crate::error::Result;
use crate::store::Txn;

use super::super::settings::load_catalogue_of;
use super::ConversionOptions;

/// The options with every such value as its field reads it; what a field cannot read stays as it was said. None where no such field
/// is named: then nothing is looked up.
pub(super) fn as_read(txn: &mut dyn Txn, options: &ConversionOptions) -> Result<Option<ConversionOptions>> {
    let is_own = |field: &Field| matches!(field, Field::Custom(_));
    let of_account = options.account_fields.fields().any(is_own);
    let mut patches = options.person_fields.values().chain([&options.contact_fields]);
    let of_contact = patches.any(|patch| patch.fields().any(is_own));
    if !of_account && !of_contact {
        return Ok(None);
    }
    let mut catalogue = |kind, wanted: bool| -> Result<Catalogue> {
        if wanted { Ok(load_catalogue_of(txn, kind)?.1) } else { Ok(Catalogue::of(kind)) }
    };
    let accounts = catalogue(CatalogueKind::Account, of_account)?;
    let contacts = catalogue(CatalogueKind::Contact, of_contact)?;
    let persons = options.person_fields.iter().map(|(id, patch)| (*id, patch.compared(&contacts)));
    Ok(Some(ConversionOptions {
        account_fields: options.account_fields.compared(&accounts),
        contact_fields: options.contact_fields.compared(&contacts),
        person_fields: persons.collect(),
        ..options.clone()
    }))
}
