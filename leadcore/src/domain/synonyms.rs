//! What vendors call the fields in the headers of their files.
//!
//! Each word is a header as [`header_key`](super::catalogue) leaves it: letters and digits only, folded. Collected
//! from vendors' public import templates and exports; a numbered header (`phone2`) means the field without number.

use super::field::Field;

const SYNONYMS: &[(Field, &str)] = &[
    (Field::Kind, "leadtype leadkind companyorconsumer"),
    (
        Field::Company,
        "companyname organization organisation organizationname organisationname account \
         accountname business businessname employer firm firma unternehmen entreprise societe \
         empresa bedrijf customer customername client clientname leadcompany",
    ),
    (
        Field::Name,
        "name fullname contactname contact leadname person personname displayname nombre nom nome \
         naam contactperson fn",
    ),
    (
        Field::FirstName,
        "firstname givenname forename first fname vorname prenom primernombre voornaam \
         leadfirstname christianname",
    ),
    (
        Field::LastName,
        "lastname surname familyname last lname nachname nomdefamille apellido apellidos cognome \
         achternaam leadlastname",
    ),
    (Field::Salutation, "salutation title prefix honorific nameprefix anrede mrms"),
    (
        Field::JobTitle,
        "jobtitle position role jobposition designation function jobrole funktion cargo puesto \
         profession",
    ),
    (
        Field::Email,
        "email emails emailaddress emailaddresses mail emailid primaryemail workemail \
         businessemail secondaryemail otheremail email1value personalemail correo \
         correoelectronico courriel epost contactemail emailprimary mailadresse",
    ),
    (
        Field::Phone,
        "phone phones phonenumber phonenumbers telephone tel mobile mobilephone mobilenumber cell \
         cellphone workphone businessphone homephone officephone primaryphone otherphone \
         contactnumber telefon telefono telefone telephonenumber handy mobiltelefon movil celular \
         whatsapp whatsappnumber contactphone phoneno mobileno fax faxnumber phone1value",
    ),
    (Field::Website, "website web url homepage site websiteurl webpage companywebsite domain internet"),
    (
        Field::Street,
        "street address addressline streetaddress address1 addressline1 mailingstreet \
         billingstreet strasse calle rue direccion adresse straat postaladdress",
    ),
    (Field::City, "city town locality mailingcity billingcity ort stadt ciudad ville cidade stad suburb"),
    (
        Field::Region,
        "state province region stateprovince county mailingstate billingstate bundesland estado \
         provincia stateregion",
    ),
    (
        Field::PostalCode,
        "zip zipcode postcode postalcode postal mailingzip billingpostalcode mailingpostalcode \
         plz codigopostal codepostal cep pincode ziporpostalcode zippostalcode",
    ),
    (
        Field::Country,
        "country countryregion nation land pais pays paese mailingcountry billingcountry \
         countrycode countryname",
    ),
    (
        Field::TaxId,
        "taxid tin vat vatnumber vatid taxnumber tinnumber gst gstin ein cnpj nif vatno \
         taxidentificationnumber ustid vatregistrationnumber",
    ),
    (Field::Currency, "currency currencycode currencyisocode waehrung moneda devise"),
    (Field::CurrencySymbol, "currencysymbol symbol"),
    (
        Field::Amount,
        "amount value expectedrevenue expectedvalue dealvalue leadvalue opportunityamount \
         estimatedvalue potentialvalue dealamount budget",
    ),
    (Field::Industry, "industry sector branche lineofbusiness industria secteur companyindustry vertical"),
    (
        Field::Description,
        "description notes note comments comment remarks remark message beschreibung notizen \
         internalnotes details",
    ),
    (
        Field::Owner,
        "owner leadowner assignedto salesperson assignee responsible salesrep accountmanager \
         assigneduser agent leadownername ownername zustaendig",
    ),
    (
        Field::Source,
        "source leadsource origin leadorigin channel utmsource howdidyouhearaboutus quelle fuente \
         origen acquisitionchannel marketingsource originalsource",
    ),
    (Field::Category, "category leadcategory segment kategorie categoria categorie classification"),
    (Field::Location, "location branch office standort ubicacion"),
    (Field::Partner, "partner reseller partnername"),
    (Field::Labels, "labels label tags tag etiquetas keywords leadtags"),
    (
        Field::ExternalId,
        "externalid id leadid recordid prospectid mqlid accountid referenceid uuid uniqueid \
         contactid customerid externalreference guid leadnumber sourceid",
    ),
    (
        Field::Stage,
        "stage status leadstatus leadstage dealstage pipelinestage pipelinestatus salesstage \
         phase etat",
    ),
];

/// The field that a header key means, and how usual the word is for it: 0 is the most usual one. A key that only fits
/// without its number (`phone2`) ranks behind every word that fits as it stands.
pub(super) fn lookup(key: &str) -> Option<(&'static Field, u32)> {
    exact(key).or_else(|| {
        let (field, rank) = exact(key.trim_end_matches(|letter: char| letter.is_ascii_digit()))?;
        Some((field, rank.saturating_add(NUMBERED)))
    })
}

/// More than any list is long.
const NUMBERED: u32 = 1_000;

fn exact(key: &str) -> Option<(&'static Field, u32)> {
    SYNONYMS.iter().find_map(|(field, words)| {
        let place = words.split(' ').position(|word| word == key)?;
        Some((field, u32::try_from(place).unwrap_or(u32::MAX)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_means_two_fields() {
        let mut seen = std::collections::BTreeMap::new();
        for (field, words) in SYNONYMS {
            for word in words.split(' ') {
                assert_eq!(seen.insert(word, field), None, "`{word}` stands twice");
            }
        }
    }

    #[test]
    fn numbered_headers_mean_the_field() {
        assert_eq!(lookup("phone2"), Some((&Field::Phone, NUMBERED)));
        assert_eq!(lookup("address1").map(|(field, _)| field), Some(&Field::Street));
        assert_eq!(lookup("2"), None);
    }

    #[test]
    fn the_more_usual_word_ranks_first() {
        let rank = |word| lookup(word).unwrap().1;
        assert!(rank("leadsource") < rank("leadorigin"));
        assert!(rank("prospectid") < rank("leadnumber"));
    }
}
