//! What vendors call the columns of who must not be reached.

use super::super::OptOut;
use super::super::proposal::{Evidence, Note};
use super::super::shape::ratio;
use super::{Candidate, Column, Proposer};
use crate::domain::{Field, header_key};
use crate::exchange::coerce::consent::says_out;
use crate::exchange::unescape_formula;

const EMAIL: &str = "emailoptout emailoptedout optedoutofemail optoutemail hasoptedoutofemail donotemail noemail \
    donotsendemail donotallowemail donotallowemails donotallowbulkemail donotallowbulkemails donotbulkemail unsubscribed \
    unsubscribe isunsubscribed emailunsubscribed emailunsubscribe unsubscribedfromallemail unsubscribedfromallemails \
    unsubscribedfromemail hasunsubscribed emailblacklisted emaildonotcontact newsletteroptout marketingoptout \
    optedoutofmarketing donotsendmm donotmarket abgemeldet newsletterabgemeldet keineemail ingenepost reservertepost";
const PHONE: &str = "donotcall dontcall donotphone donotallowphonecalls donotallowphone nocall nocalls nophone phoneoptout \
    phoneoptedout calloptout optedoutofcalls optedoutofphone phonedonotcall dnc isdonotcall callblacklisted keineanrufe \
    nichtanrufen ikkering ringikke reserverttelefon nepasappeler nollamar";
const ALL: &str = "donotcontact dontcontact donotcontactme nocontact optout optedout isoptedout hasoptedout contactoptout \
    gdproptout blacklisted isblacklisted nichtkontaktieren ikkekontakt";

/// The other way round: a yes lets the address be used, and a no keeps it from being used.
const EMAIL_IN: &str = "subscribed issubscribed emailsubscribed subscribedtoemail subscribedtoemails emailoptin emailoptedin \
    optinemail hasoptedintoemail emailconsent consentemail consenttoemail emailpermission acceptsemail acceptsemailmarketing \
    emailmarketingconsent emailallowed newsletteroptin newsletterconsent";
const PHONE_IN: &str = "phoneoptin phoneoptedin calloptin phoneconsent consentphone callconsent consenttocall maycall cancall \
    phonepermission phoneallowed callsallowed";
const ALL_IN: &str = "optin optedin isoptedin hasoptedin contactoptin marketingoptin optinmarketing marketingconsent \
    consentmarketing consenttomarketing acceptsmarketing marketingpermission marketingallowed consent hasconsent \
    consentgiven contactconsent consenttocontact permissiontocontact maycontact gdprconsent consentgdpr dsgvoeinwilligung \
    einwilligung werbeeinwilligung samtykke markedsforingssamtykke consentimiento consentement toestemming";
/// What such headers have in them, in words that are not among these.
const LOOKS_LIKE: &[&str] = &[
    "optout",
    "optedout",
    "optin",
    "optedin",
    "unsubscri",
    "subscribed",
    "consent",
    "donot",
    "dontcall",
    "dontcontact",
    "gdpr",
    "newsletter",
    "permissionto",
    "samtykke",
    "einwilligung",
    "acceptsmarketing",
];

impl Proposer<'_, '_> {
    /// A column that looks like consent and is left out: nobody is to find that out by writing to them.
    pub(super) fn unread_consent(&self, column: &Column<'_>) -> Option<Note> {
        let is_one = lookup(&column.key).is_some() || LOOKS_LIKE.iter().any(|word| column.key.contains(word));
        let own =
            matches!(self.knowledge.catalogue.rank_header(unescape_formula(column.header)), Some((_, 0)));
        let cells = column.cells.filled.len();
        (is_one && !own && cells > 0).then_some(Note::Consent { cells })
    }

    /// A column of consent, by its header as a whole or behind the last dot of a path, and its cells.
    pub(super) fn consent(&self, column: &Column<'_>) -> Option<Candidate> {
        let header = unescape_formula(column.header);
        let catalogue = self.knowledge.catalogue;
        // What a tenant calls a field of its own is that field.
        if matches!(catalogue.rank_header(header), Some((_, 0))) {
            return None;
        }
        let last = header.rsplit_once('.').map(|(_, last)| header_key(last));
        let (field, opt_out, inverted) = lookup(&column.key).or_else(|| lookup(&last?))?;
        if catalogue.is_disabled(&field) {
            return None;
        }
        let hits = column.cells.count(|cell| says_out(cell, inverted).is_some());
        let of = column.cells.filled.len();
        let (confidence, evidence) = match of {
            0 => (0.6, Evidence::Empty),
            of => {
                let confidence = if ratio(hits, of) >= 0.8 { 0.9 } else { 0.3 };
                (confidence, Evidence::Values { shape: "yes_no".to_owned(), hits, of })
            }
        };
        Some(Candidate {
            field,
            rank: 1,
            confidence,
            evidence: vec![Evidence::Word, evidence],
            opt_out: Some((opt_out, inverted)),
        })
    }
}

/// What a header says: which addresses, and whether a yes lets them be used.
fn lookup(key: &str) -> Option<(Field, OptOut, bool)> {
    let known = |words: &str| words.split_ascii_whitespace().any(|word| word == key);
    if known(EMAIL) {
        Some((Field::Email, OptOut::Own, false))
    } else if known(PHONE) {
        Some((Field::Phone, OptOut::Own, false))
    } else if known(ALL) {
        Some((Field::Email, OptOut::All, false))
    } else if known(EMAIL_IN) {
        Some((Field::Email, OptOut::Own, true))
    } else if known(PHONE_IN) {
        Some((Field::Phone, OptOut::Own, true))
    } else {
        known(ALL_IN).then_some((Field::Email, OptOut::All, true))
    }
}
