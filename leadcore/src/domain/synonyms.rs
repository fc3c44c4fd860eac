//! What vendors call the fields in the headers of their files.
//!
//! Each word is a header as [`header_key`](super::catalogue) leaves it: letters and digits only, folded (会社, a company in
//! Japanese, is `huishe` then). Collected
//! from vendors' public import templates and exports. A numbered header (`phone2`, `address1city`) means the field without
//! its number, and one that says whose address or number it is (`companycity`, `emailwork`) the field without that.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::field::Field;

const SYNONYMS: &[(Field, &str)] = &[
    (Field::Kind, "leadtype leadkind companyorconsumer"),
    (
        Field::Company,
        "companyname organization organisation organizationname organisationname account \
         accountname business businessname employer firm firma unternehmen entreprise societe \
         empresa bedrijf customer customername client clientname leadcompany contactcompany \
         leadcompanyname ragionesociale raisonsociale razaosocial yritys foretag virksomhet \
         virksomhed bedrift azienda huishe huisheming qiyeming farenming kompaniia organizatsiia \
         nazvaniekompanii naimenovanie klient \
         companyaccount associatedcompany accounts org orgname firmenname nomdelasociete \
         nomdelentreprise nomentreprise nombredelaempresa nombreempresa bedrijfsnaam \
         nomeazienda nomesocieta firmanavn bedriftsnavn virksomhedsnavn foretagsnamn selskap \
         selskapsnavn companyorganization",
    ),
    (
        Field::Name,
        "name fullname contactname contact leadname person personname displayname nombre nom nome \
         naam contactperson fn fullenavn fullstendignavn navn namn nomecompleto nombrecompleto \
         nomcomplet vollstandigername kontaktperson ansprechpartner kontaktnavn shiming mingqian dandangzheming fio polnoeimia kontaktnoelitso",
    ),
    (
        Field::FirstName,
        "firstname givenname forename first fname vorname prenom primernombre voornaam \
         leadfirstname christianname firstnames imie fornavn fornamn etunimi primeironome \
         nombredepila imia ime \
         contactfirstname personfirstname prenomducontact",
    ),
    (
        Field::LastName,
        "lastname surname familyname last lname nachname nomdefamille apellido apellidos cognome \
         achternaam leadlastname etternavn efternavn efternamn sukunimi sobrenome nazwisko \
         lastnames familiia prizvishche \
         contactlastname personlastname familienname nomdefamilleducontact",
    ),
    (
        Field::Salutation,
        "salutation title prefix honorific nameprefix anrede mrms \
         civilite tratamiento anredeform \
         anredetitel titel aanhef trattamento titulatur salutationtitle",
    ),
    (
        Field::JobTitle,
        "jobtitle position role jobposition designation function jobrole funktion cargo puesto \
         profession occupation organizationtitle companyposition tittel \
         stilling befattning titulo berufsbezeichnung poste fonction stellenbezeichnung dolzhnost",
    ),
    (
        Field::Email,
        "email emails emailaddress emailaddresses mail emailid primaryemail workemail businessemail \
         secondaryemail otheremail emailvalue personalemail correo correoelectronico courriel epost \
         contactemail emailprimary mailadresse epostadresse epostadress epostaddress correoe \
         emailadresse emailadres pochta elpochta elektronnaiapochta adreselektronnoipochty poshta \
         emailadress correosdelectronicos adresseemail adressemail mailadres indirizzoemail \
         direcciondecorreo direcciondeemail",
    ),
    (
        Field::Phone,
        "phone phones phonenumber phonenumbers telephone tel mobile mobilephone mobilenumber cell \
         cellphone workphone businessphone homephone officephone primaryphone otherphone \
         contactnumber telefon telefono telefone telephonenumber handy mobiltelefon movil celular \
         whatsapp whatsappnumber contactphone phoneno mobileno fax faxnumber phonevalue carphone \
         telefonnummer telefonnr mobil mobilnummer puhelin tlf tlfnr fijo portable gsm pager \
         pagernumber phonevideo worknumber homenumber telefax telefaxnumber telefaxnummer dianhua dianhuafanhao \
         nomertelefona mobilnyi mobilnyitelefon rabochiitelefon mobtelefon \
         directphone corporatephone telefoonnummer mobiel telefoon cellulare rufnummer \
         handynummer telefonomovil telefonofijo telephoneportable telephonemobile \
         telephonefixe mobielnummer mobieltelefoon numerodetelefono numerodetelephone \
         directline",
    ),
    (
        Field::Website,
        "website web url homepage site websiteurl webpage companywebsite domain internet \
         websitevalue nettside nettsted hjemmeside webseite sitioweb siteweb paginaweb sait vebsait \
         internetseite homepageurl paginaweburl siteinternet sitointernet hjemmesideurl \
         sitowebaziendale",
    ),
    (
        Field::Street,
        "street address addressline streetaddress address1 addressline1 mailingstreet billingstreet \
         strasse calle rue direccion adresse straat postaladdress gate gateadresse adress \
         adressezeile endereco indirizzo logradouro gatuadress via streetandnumber adres ulitsa \
         anschrift strassehausnr strasseundhausnummer strassehausnummer straatnaam hausnr \
         hausnummer huisnummer husnr husnummer housenumber housenr",
    ),
    (
        Field::City,
        "city town locality mailingcity billingcity ort stadt ciudad ville cidade stad suburb by \
         poststed postort municipio comune plaats paikkakunta localite gorod misto \
         citta wohnort plaatsnaam woonplaats poblacion localidad",
    ),
    (
        Field::Region,
        "state province region stateprovince county mailingstate billingstate bundesland estado \
         provincia stateregion fylke lan kanton departement regione regiao landkreis oblast \
         provincie deelstaat",
    ),
    (
        Field::PostalCode,
        "zip zipcode postcode postalcode postal mailingzip billingpostalcode mailingpostalcode plz \
         codigopostal codepostal cep pincode ziporpostalcode zippostalcode postnummer postnr cap indeks pochtovyiindeks \
         postleitzahl cp postalzip postkode codicepostale",
    ),
    (
        Field::Country,
        "country countryregion nation land pais pays paese mailingcountry billingcountry \
         countrycode countryname paisregion maa strana",
    ),
    (
        Field::TaxId,
        "taxid tin vat vatnumber vatid taxnumber tinnumber gst gstin ein cnpj nif vatno \
         taxidentificationnumber ustid vatregistrationnumber orgnr organisasjonsnummer \
         organisationsnummer cif ustidnr steuernummer partitaiva siren siret cvr vatregno abn inn \
         ntva ndegtva notva numerotva numerodetva tvaintracommunautaire btwnummer btwnr umsatzsteuerid \
         steuernr",
    ),
    (
        Field::Currency,
        "currency currencycode currencyisocode waehrung moneda devise currencyofvalue valuecurrency dealcurrency \
         amountcurrency currencyofamount opportunitycurrency leadcurrency dealvaluecurrency currencyname \
         currencyofdeal wahrung valuta divisa moeda valiuta",
    ),
    (Field::CurrencySymbol, "currencysymbol symbol"),
    (
        Field::Amount,
        "amount value expectedrevenue expectedvalue dealvalue leadvalue opportunityamount \
         estimatedvalue potentialvalue dealamount budget receita belop betrag montant importe valor \
         valordonegocio verdi importo dealsize expectedamount umsatz erwarteterumsatz auftragswert \
         auftragsvolumen summa biudzhet \
         montantht montantttc bedrag waarde wert umsatzpotenzial erwarteterwert \
         geschatztewaarde valore montoestimado",
    ),
    (
        Field::ExpectedClose,
        "expectedclose closedate expectedclosing closingdate expectedclosedate expectedclosingdate \
         estimatedclosedate dealclosedate forecastclose abschlussdatum fechadecierre datadechiusura \
         datafechamento datazakrytiia \
         datedecloture datecloture datedeclotureprevue \
         sluitingsdatum verwachtesluitingsdatum \
         datadichiusura datachiusura lukkedato forventetlukkedato avslutsdatum \
         fechadecierreestimada fechacierre erwartetesabschlussdatum",
    ),
    (
        Field::Probability,
        "winprobability dealprobability closeprobability wahrscheinlichkeit probabilite probabilidad probabilita \
         sannsynlighet sannolikhet sandsynlighed waarschijnlijkheid kans slagingskans",
    ),
    (Field::Score, "score leadscore ratingpoints leadscoring scoring points"),
    (
        Field::Industry,
        "industry sector branche lineofbusiness industria secteur companyindustry vertical bransje \
         bransch settore setor otrasl \
         secteurdactivite sectordeactividad bedrijfstak settoredattivita naring",
    ),
    (
        Field::Campaign,
        "campaign campaignname campaignsource utmcampaign primarycampaign primarycampaignsource leadcampaign \
         marketingcampaign firsttouchcampaign kampagne kampanje kampanj campana campagne campagna campanha \
         nombredecampana nomdecampagne kampagnenname",
    ),
    (
        Field::Description,
        "description notes note comments comment remarks remark message beschreibung notizen \
         internalnotes details obs observacoes observaciones beskrivelse beskrivning descripcion \
         descrizione descricao merknad kommentar kommentare notas anmerkungen bemerkung bemerkungen \
         opmerkingen remarques huomautukset kommentarii primechanie opisanie \
         notiz commentaires commentaire opmerking notities notater anteckningar noter \
         comentarios comentario commenti commento howcanwehelp howcanwehelpyou anycomments anyothercomments \
         additionalcomments additionalinformation anythingelse",
    ),
    (
        Field::Owner,
        "owner leadowner assignedto salesperson assignee responsible salesrep accountmanager \
         assigneduser agent leadownername ownername zustaendig accountowner contactowner \
         opportunityowner dealowner vendedor consultor owneremail eier ansvarlig propietario \
         verantwortlicher proprietaire responsavel otvetstvennyi \
         recordowner salesowner besitzer betreuer bearbeiter eigenaar accounteigenaar selger \
         saksbehandler kundeansvarlig proprietario agare ejer zustandig assegnatoa asignadoa \
         attribuea toegewezenaan zugewiesenan",
    ),
    (
        Field::Source,
        "source leadsource origin leadorigin channel utmsource howdidyouhearaboutus \
         wheredidyouhearaboutus howdidyoufindus howdidyoulearnaboutus quelle fuente \
         origen acquisitionchannel marketingsource originalsource accountsource platform kilde \
         kalla herkunft fonte provenienza leadorigem origem origine istochnik \
         leadquelle bron leadbron leadkilde leadkalla sourceduprospect origendellead",
    ),
    (Field::Category, "category leadcategory segment kategorie categoria categorie classification"),
    (Field::Location, "location branch office standort ubicacion"),
    (Field::Partner, "partner reseller partnername"),
    (
        Field::Labels,
        "labels label tags tag etiquetas keywords leadtags categories groupmembership etiketter \
         etichette etiquettes schlagworte tegi metki \
         stichworte stichworter motscles motsclefs trefwoorden nokkelord",
    ),
    (
        Field::ExternalId,
        "externalid id leadid recordid prospectid mqlid contactid accountid referenceid uuid \
         uniqueid customerid externalreference guid leadnumber leadno leadnr recordnumber recordno sourceid recid \
         idexterno externalkey eksternid externeid importid",
    ),
    (
        Field::Stage,
        "stage status leadstatus leadstage dealstage pipelinestage pipelinestatus salesstage phase \
         etat statut stadium estagio etapa fase etap stadiia \
         etape pipelinephase vertriebsphase fasendelventa fasevendita faseverkoop dealfase",
    ),
];

/// The field that a header key means, and how usual the word is for it: 0 is the most usual one. A key that only fits
/// without whose it is (`companycity`) or without its number (`phone2`) ranks behind every word that fits as it stands.
pub(super) fn lookup(key: &str) -> Option<(&'static Field, u32)> {
    let further = |(field, rank): (&'static Field, u32), by: u32| (field, rank.saturating_add(by));
    let named = |key: &str| exact(key).or_else(|| qualified(key).map(|found| further(found, QUALIFIED)));
    named(key).or_else(|| {
        let plain: String = key.chars().filter(|letter| !letter.is_ascii_digit()).collect();
        (plain.len() < key.len()).then(|| named(&plain)).flatten().map(|found| further(found, NUMBERED))
    })
}

/// Whether a header key is a field's word as it stands, or one with a number.
#[cfg(feature = "csv")]
pub(crate) fn is_plain_word(key: &str) -> bool {
    lookup(key).is_some_and(|(_, rank)| rank % NUMBERED < QUALIFIED)
}

/// Whose address a part of one belongs to, with its number from 2 on: nothing for `city` and `address1city`, `work` for
/// `companycity`, `home2` for `homeaddress2`.
#[cfg(feature = "csv")]
pub(crate) fn whose_address(key: &str) -> String {
    const GROUPS: [(&str, &str); 6] = [
        ("work", "company business work office organization organisation account"),
        ("billing", "billing"),
        ("mailing", "mailing"),
        ("home", "home personal"),
        ("shipping", "shipping"),
        ("other", "other"),
    ];
    let plain: String = key.chars().filter(|letter| !letter.is_ascii_digit()).collect();
    let number: String = key.chars().filter(char::is_ascii_digit).collect();
    let says = |words: &str| {
        words
            .split(' ')
            .any(|word| plain.len() > word.len() && (plain.starts_with(word) || plain.ends_with(word)))
    };
    let whose = GROUPS.into_iter().find(|(_, words)| says(words)).map_or("", |(name, _)| name);
    let number = if number == "1" { "" } else { number.as_str() };
    format!("{whose}{number}")
}

/// More than any list is long.
const NUMBERED: u32 = 10_000;
/// More than any list is long.
const QUALIFIED: u32 = 1_000;

/// Whose address or number it may be; a lead has one address, so the earlier word wins. It stands before the field's
/// word or behind it.
const WHOSE: &str = "company business work office organization organisation account lead contact primary main \
                     address billing mailing home personal mobile shipping other default";

/// A word for how to reach somebody, with a word for whom: `companycity`, `emailwork`.
fn qualified(key: &str) -> Option<(&'static Field, u32)> {
    let reach = |word: &str| {
        let found = exact(word).or_else(|| exact_key(word))?;
        let reach = matches!(
            found.0,
            Field::Email
                | Field::Phone
                | Field::Website
                | Field::Street
                | Field::City
                | Field::Region
                | Field::PostalCode
                | Field::Country
        );
        reach.then_some(found)
    };
    let spoken = WHOSE.split_ascii_whitespace().enumerate();
    spoken.into_iter().find_map(|(place, whose)| {
        let rests = || [key.strip_prefix(whose), key.strip_suffix(whose)].into_iter().flatten();
        // `Primary Address City`, `Work Direct Phone`
        let address = |rest: &str| rest.strip_prefix("address").and_then(reach);
        let (field, _) = rests().find_map(reach).or_else(|| rests().find_map(address))?;
        Some((field, u32::try_from(place).unwrap_or(u32::MAX)))
    })
}

/// The field whose own key, without separators, this is.
fn exact_key(word: &str) -> Option<(&'static Field, u32)> {
    let same = |field: &&Field| field.key().split('_').collect::<String>() == word;
    Field::ALL.iter().find(same).map(|field| (field, 0))
}

/// Where each word stands: asked for several times for each header, in parts of it.
static WORDS: LazyLock<HashMap<&'static str, (&'static Field, u32)>> = LazyLock::new(|| {
    let places =
        SYNONYMS.iter().flat_map(|(field, words)| words.split(' ').map(move |word| (word, field)).zip(0..));
    places.map(|((word, field), place)| (word, (field, place))).collect()
});

fn exact(key: &str) -> Option<(&'static Field, u32)> {
    WORDS.get(key).copied()
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
    fn words_stand_as_headers_are_compared() {
        for word in SYNONYMS.iter().flat_map(|(_, words)| words.split(' ')) {
            assert_eq!(super::super::catalogue::header_key(word), word);
        }
        for (header, field) in [("会社名", Field::Company), ("氏名", Field::Name), ("電話番号", Field::Phone)]
        {
            let key = super::super::catalogue::header_key(header);
            assert_eq!(lookup(&key).map(|(field, _)| field), Some(&field), "{header}: {key}");
        }
    }

    #[test]
    fn numbered_headers_mean_the_field() {
        assert_eq!(lookup("phone2"), Some((&Field::Phone, NUMBERED)));
        assert_eq!(lookup("address1").map(|(field, _)| field), Some(&Field::Street));
        assert_eq!(lookup("2"), None);
    }

    #[test]
    fn whose_address_it_is_does_not_matter() {
        for (key, field) in [
            ("companycity", Field::City),
            ("companystate", Field::Region),
            ("companycountry", Field::Country),
            ("companyaddress", Field::Street),
            ("companyaddress1", Field::Street),
            ("companyzip", Field::PostalCode),
            ("companyzipcode", Field::PostalCode),
            ("companyphone", Field::Phone),
            ("companyemail", Field::Email),
            ("companywebsite", Field::Website),
            ("workpostalcode", Field::PostalCode),
            ("homemobile", Field::Phone),
            ("businessfax", Field::Phone),
            ("emailhome", Field::Email),
            ("email2address", Field::Email),
            ("email3value", Field::Email),
            ("phone2value", Field::Phone),
            ("address1city", Field::City),
            ("address1postalcode", Field::PostalCode),
            ("organization1name", Field::Company),
            ("organization1title", Field::JobTitle),
            ("website1value", Field::Website),
            ("shippingcity", Field::City),
            ("primaryaddresscity", Field::City),
            ("primaryaddresspostalcode", Field::PostalCode),
            ("defaultaddressaddress1", Field::Street),
            ("defaultaddresszip", Field::PostalCode),
            ("workdirectphone", Field::Phone),
        ] {
            assert_eq!(lookup(key).map(|(field, _)| field), Some(&field), "{key}");
        }
        for other in ["companysize", "companyid", "numberofemployees", "ipaddress", "company2", "workdays"] {
            assert!(
                !matches!(lookup(other), Some((Field::Street | Field::City | Field::Phone, _))),
                "{other}"
            );
        }
        let rank = |word| lookup(word).unwrap().1;
        assert!(rank("city") < rank("billingcity") && rank("billingcity") < rank("companycity"));
        assert!(rank("companycity") < rank("homecity") && rank("homecity") < rank("othercity"));
        assert!(rank("othercity") < rank("city2"));
    }

    #[test]
    fn the_more_usual_word_ranks_first() {
        let rank = |word| lookup(word).unwrap().1;
        assert!(rank("leadsource") < rank("leadorigin"));
        assert!(rank("prospectid") < rank("leadnumber"));
    }
}
