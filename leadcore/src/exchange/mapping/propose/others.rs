//! Headers that say how to reach somebody who is not the lead: `Lead Owner Email`, `Created by email`, `Assistant's Phone`.

use crate::domain::{Catalogue, Field, header_key};

/// What is said of a person, behind who that is.
const SAID: &str = "email emails emailaddress emailaddresses emailid mail mailaddress epost courriel correo phone phones phonenumber \
    telephone telephonenumber tel telefon telefono mobile mobil mobilephone mobilenumber cell cellphone fax faxnumber whatsapp \
    number no website url web linkedin address street city region state postalcode zip country work business office direct \
    primary main home personal private other name fullname firstname lastname id user username login";
/// What stands before who it is: how they are reached, and of which record.
const BEFORE: &str = "email emailaddress mail epost phone phonenumber telephone tel mobile cell fax name of the lead deal contact \
    account opportunity record prospect your what whatis whats please enter provide";
/// Persons who are not the lead, beside the words for an owner.
const PERSONS: &str = "createdby creator createdbyuser modifiedby lastmodifiedby lastmodified updatedby lastupdatedby changedby \
    enteredby addedby importedby uploadedby approvedby approver managedby handledby soldby qualifiedby convertedby contactedby \
    calledby lastcontactedby referredby referrer referer referral recommendedby introducedby introducer reportsto manager \
    salesmanager linemanager regionalmanager teammanager teamlead supervisor relationshipmanager clientmanager \
    customermanager customersuccessmanager successmanager accountexecutive accountrep accountrepresentative salesrepresentative \
    salesagent salesexecutive salesuser representative rep assistant personalassistant executiveassistant secretary spouse \
    partner reseller affiliate broker boss friend colleague accountant husband wife opprettetav endretav erstelltvon geandertvon angelegtvon creadopor creepar";
/// Persons of ours who look after the lead, beside the words for an owner.
const OWNERS: &str = "recordowner prospectowner companyowner assigneduser ownedby besitzer betreuer bearbeiter selger \
    saksbehandler kundeansvarlig";

/// Whose address a column holds that is not the lead's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The owner's; `by_email`: it says by what address, which is how owners are named.
    Owner { by_email: bool },
    /// Somebody else's.
    Other,
}

/// Whose a header says that it is, as a whole or by a part of a path (`owner.email`); nothing where it names no such person.
pub(super) fn whose(header: &str, catalogue: &Catalogue) -> Option<Whose> {
    let key = header_key(header);
    let by_email = ["mail", "epost", "correo", "courriel"].iter().any(|word| key.contains(word));
    let named = |key: &str| match person(key, catalogue)? {
        Whose::Owner { .. } => Some(Whose::Owner { by_email }),
        Whose::Other => Some(Whose::Other),
    };
    match header.rsplit_once('.') {
        Some((before, last)) if !header.contains(char::is_whitespace) => {
            let last = Some(last).filter(|last| catalogue.rank_header(last).is_none());
            before.split('.').chain(last).find_map(|part| named(&header_key(part)))
        }
        _ => named(&key),
    }
}

/// Whether a field says who somebody is or how they are reached.
pub(super) const fn is_of_person(field: &Field) -> bool {
    matches!(
        field,
        Field::Company
            | Field::Name
            | Field::Salutation
            | Field::FirstName
            | Field::LastName
            | Field::JobTitle
            | Field::Email
            | Field::Phone
            | Field::Website
            | Field::Street
            | Field::City
            | Field::Region
            | Field::PostalCode
            | Field::Country
            | Field::ExternalId
    )
}

fn is_in(words: &str, key: &str) -> bool {
    words.split_ascii_whitespace().any(|word| word == key)
}

/// Who a key names once what is said of them is taken away from both its ends.
fn person(key: &str, catalogue: &Catalogue) -> Option<Whose> {
    let mut rest: String = key.chars().filter(|letter| !letter.is_ascii_digit()).collect();
    loop {
        let singular = rest.strip_suffix('s').unwrap_or(&rest);
        for name in [rest.as_str(), singular] {
            let is_owner = || matches!(catalogue.rank_header(name), Some((Field::Owner, _)));
            if is_in(PERSONS, name) {
                return Some(Whose::Other);
            }
            if is_in(OWNERS, name) || (!name.is_empty() && is_owner()) {
                return Some(Whose::Owner { by_email: false });
            }
        }
        rest = shorter(&rest)?;
    }
}

/// Without the longest word at its end, else at its beginning.
fn shorter(key: &str) -> Option<String> {
    let longest = |found: Vec<&str>| found.into_iter().min_by_key(|rest| rest.len()).map(str::to_owned);
    let behind = SAID.split_ascii_whitespace().filter_map(|word| key.strip_suffix(word)).collect();
    let before = BEFORE.split_ascii_whitespace().filter_map(|word| key.strip_prefix(word)).collect();
    longest(behind).or_else(|| longest(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_that_it_is_about_somebody_else() {
        let catalogue = Catalogue::standard();
        let (owner, unsaid) = (Some(Whose::Owner { by_email: true }), Some(Whose::Owner { by_email: false }));
        for (header, expected) in [
            ("Owner Email", owner),
            ("Lead Owner Email", owner),
            ("LeadOwnerEmail", owner),
            ("Owner's e-mail address", owner),
            ("Account Manager Email", owner),
            ("Sales Rep Email", owner),
            ("Assigned To Email", owner),
            ("E-mail of the owner", owner),
            ("Owner.Email", owner),
            ("data.owner.email", owner),
            ("lead.account_manager_email", owner),
            ("lead.owner", None),
            ("lead.partner", None),
            ("Owner Phone", unsaid),
            ("Owner Work Phone 2", unsaid),
            ("Owner Mobile", unsaid),
            ("Owner Id", unsaid),
            ("Created by email", Some(Whose::Other)),
            ("CreatedBy.Email", Some(Whose::Other)),
            ("Last modified by", Some(Whose::Other)),
            ("Manager Email", Some(Whose::Other)),
            ("Referrer Email", Some(Whose::Other)),
            ("Assistant's Phone", Some(Whose::Other)),
            ("What is your manager's email?", Some(Whose::Other)),
            ("What is the email of your boss?", Some(Whose::Other)),
            ("Your accountant's email", Some(Whose::Other)),
            ("What is your email?", None),
            ("Your company email", None),
            ("Partner email", Some(Whose::Other)),
            ("Email", None),
            ("Work phone", None),
            ("Contact Email", None),
            ("Contact person e-mail", None),
            ("Business Owner Email", None),
            ("Office Manager Email", None),
            ("Lead Email", None),
            ("contact.email", None),
            ("company.phone", None),
            ("user.email", None),
            ("answers.email", None),
            ("Name", None),
            ("", None),
        ] {
            assert_eq!(whose(header, &catalogue), expected, "{header}");
        }
    }
}
