//! What vendors call the columns of who must not be reached.

use super::super::OptOut;
use super::super::proposal::{Evidence, Note};
use super::super::shape::ratio;
use super::{Candidate, Column, Proposer};
use crate::domain::{Field, header_key};
use crate::exchange::coerce::consent::{
    goes_with_consent, is_word_of_consent, is_word_of_out, says_dead, says_out,
};
use crate::exchange::unescape_formula;
use crate::value::fold;

const EMAIL: &str = "emailoptout emailoptedout optedoutofemail optoutemail hasoptedoutofemail donotemail noemail \
    donotsendemail donotallowemail donotallowemails donotallowbulkemail donotallowbulkemails donotbulkemail unsubscribed \
    unsubscribe isunsubscribed emailunsubscribed emailunsubscribe unsubscribedfromallemail unsubscribedfromallemails \
    unsubscribedfromemail hasunsubscribed emailblacklisted emailsuppressed emailsuppression emaildonotcontact newsletteroptout marketingoptout \
    optedoutofmarketing donotsendmm donotmarket abgemeldet newsletterabgemeldet keineemail ingenepost reservertepost \
    desinscrit desinscrits desabonne desinscription desuscrito disiscritto cancelado unsubtime unsubscribetime unsubscribedtime \
    unsubdate unsubscribedate unsubscribeddate unsubscribedat unsubscribedon dateunsubscribed emailoptouttime emailoptoutdate \
    emailoptoutat emailunsubscribedat emailunsubscribeddate abmeldedatum abgemeldetam emailsperre mailsperre newslettersperre";
const PHONE: &str = "donotcall dontcall donotphone donotallowphonecalls donotallowphone nocall nocalls nophone phoneoptout \
    phoneoptedout calloptout optedoutofcalls optedoutofphone phonedonotcall dnc isdonotcall callblacklisted keineanrufe \
    nichtanrufen ikkering ringikke reserverttelefon nepasappeler nollamar";
const ALL: &str = "donotcontact dontcontact donotcontactme nocontact optout optedout isoptedout hasoptedout contactoptout \
    gdproptout blacklisted isblacklisted nichtkontaktieren ikkekontakt optoutdate optoutat optouttime optedoutat optedouton \
    optedoutdate blacklist robinson robinsonlist robinsonliste werbesperre kontaktsperre werbewiderspruch werbeverbot reservasjon reservert suppressed issuppressed";

/// The other way round: a yes lets the address be used, and a no keeps it from being used.
const EMAIL_IN: &str = "subscribed issubscribed emailsubscribed subscribedtoemail subscribedtoemails emailoptin emailoptedin \
    optinemail hasoptedintoemail emailconsent consentemail consenttoemail emailpermission acceptsemail acceptsemailmarketing \
    emailmarketingconsent emailallowed newsletteroptin newsletterconsent allowemail allowemails canemail mayemail";
const PHONE_IN: &str = "phoneoptin phoneoptedin calloptin phoneconsent consentphone callconsent consenttocall maycall cancall \
    phonepermission phoneallowed callsallowed";
const ALL_IN: &str = "optin optedin isoptedin hasoptedin contactoptin marketingoptin optinmarketing marketingconsent \
    consentmarketing consenttomarketing acceptsmarketing marketingpermission marketingallowed consent hasconsent \
    consentgiven contactconsent consenttocontact permissiontocontact maycontact cancontact canbecontacted maybecontacted iscontactable contactable gdprconsent consentgdpr dsgvoeinwilligung \
    einwilligung werbeeinwilligung samtykke markedsforingssamtykke consentimiento consentement toestemming";
/// Columns of words for a state, which is of consent where one of the words is; a yes is none of them.
const STATUS: &str = "subscriptionstatus emailstatus emailsubscriptionstatus subscriberstatus newsletterstatus \
    mailstatus emailmarketingstatus marketingstatus optinstatus optoutstatus emailoptinstatus consentstatus \
    emailconsentstatus gdprstatus gdprconsentstatus marketingconsentstatus emailsubscription newsletter";

/// Which addresses do not work.
const EMAIL_DEAD: &str = "emailbounced bounced isbounced hasbounced isemailbounced hardbounced hardbounce emailhardbounced \
    emailhardbounce emailbounce bouncedemail invalidemail emailinvalid isemailinvalid emailisinvalid bademail emailbad \
    emailundeliverable undeliverable undeliverableemail emailbounceddate emailbouncedat emailbouncedate bouncedat bouncedate \
    bounceddate unzustellbar mailunzustellbar";
const PHONE_DEAD: &str = "invalidphone phoneinvalid isphoneinvalid phoneisinvalid wrongnumber badnumber badphone \
    disconnected phonedisconnected invalidphonenumber wrongphonenumber";
/// The other way round.
const EMAIL_ALIVE: &str = "emailvalid validemail isemailvalid emailisvalid isvalidemail emaildeliverable";
const PHONE_ALIVE: &str = "phonevalid validphone isphonevalid phoneisvalid isvalidphone";
/// What headers about addresses that do not work have in them.
const LOOKS_DEAD: &[&str] = &["bounce", "undeliverable", "invalidemail", "emailinvalid", "invalidphone"];

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
    "blacklist",
    "robinson",
    "suppress",
    "contactable",
    "allowemail",
    "allowcall",
];

/// What a column says of addresses, rather than what they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Says {
    pub(super) which: OptOut,
    /// A yes lets them be used.
    pub(super) inverted: bool,
    /// It says whether they work, and not whether they may be used.
    pub(super) invalid: bool,
}

impl Proposer<'_, '_> {
    /// A column that looks like consent, or says which addresses work, and is left out: nobody is to find that out by
    /// writing to them.
    pub(super) fn unread_consent(&self, column: &Column<'_>) -> Option<Note> {
        let own =
            matches!(self.knowledge.catalogue.rank_header(unescape_formula(column.header)), Some((_, 0)));
        let cells = column.cells.filled.len();
        if own || cells == 0 {
            return None;
        }
        let has = |words: &[&str]| words.iter().any(|word| column.key.contains(word));
        let known = lookup(&column.key);
        if known.as_ref().is_some_and(|(_, says)| says.invalid) || has(LOOKS_DEAD) {
            return Some(Note::Bounced { cells });
        }
        let is_one = known.is_some()
            || is_in(STATUS, &column.key)
            || has(LOOKS_LIKE)
            || column.cells.count(is_word_of_out) > 0;
        is_one.then_some(Note::Consent { cells })
    }

    /// Whether a column called a status, or nothing that is known, says in every cell who subscribed and who did not, in words
    /// that are no stages here.
    fn is_of_consent(&self, column: &Column<'_>) -> bool {
        let cells = &column.cells;
        let header = self.ranked(unescape_formula(column.header));
        let is_status = match header {
            None => true,
            Some((field, _)) => matches!(field, Field::Stage | Field::Region),
        };
        let is_said = cells.count(goes_with_consent) == cells.filled.len();
        let is_stage = |cell: &str| {
            self.knowledge.vocabularies.get(&Field::Stage).is_some_and(|names| names.contains(&fold(cell)))
        };
        is_status && is_said && cells.count(is_word_of_consent) > 0 && cells.count(is_stage) == 0
    }

    /// A column of consent, by its header as a whole or behind the last dot of a path, and its cells.
    pub(super) fn consent(&self, column: &Column<'_>) -> Option<Candidate> {
        let header = unescape_formula(column.header);
        let catalogue = self.knowledge.catalogue;
        if self.is_of_consent(column) && !catalogue.is_disabled(&Field::Email) {
            let of = column.cells.filled.len();
            let values = Evidence::Values { shape: "consent".to_owned(), hits: of, of };
            let says = Some(Says { which: OptOut::Own, inverted: true, invalid: false });
            let evidence = vec![values];
            return Some(Candidate { field: Field::Email, rank: 1, confidence: 0.9, evidence, says });
        }
        // What a tenant calls a field of its own is that field.
        if matches!(catalogue.rank_header(header), Some((_, 0))) {
            return None;
        }
        let last = header.rsplit_once('.').map(|(_, last)| header_key(last));
        let known = lookup(&column.key).or_else(|| lookup(&last?));
        let (mut field, mut says) = known.or_else(|| of_status(column))?;
        // Who may not write e-mails may still say it of phones.
        if says.which == OptOut::All && catalogue.is_disabled(&field) {
            (field, says.which) = (Field::Phone, OptOut::Own);
        }
        if catalogue.is_disabled(&field) {
            return None;
        }
        let hits = column.cells.count(|cell| {
            let dead = || says_dead(cell, says.inverted);
            if says.invalid { dead() } else { says_out(cell, says.inverted).or_else(dead) }.is_some()
        });
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
            says: Some(says),
        })
    }
}

fn is_in(words: &str, key: &str) -> bool {
    words.split_ascii_whitespace().any(|word| word == key)
}

/// What a column of states is: by its cells. Where none of the first ones opted out, later ones may have.
fn of_status(column: &Column<'_>) -> Option<(Field, Says)> {
    if !is_in(STATUS, &column.key) {
        return None;
    }
    let is_out = column.cells.count(is_word_of_out) > 0;
    let dead = |cell: &str| says_dead(cell, false) == Some(true) && says_out(cell, false).is_none();
    let is_dead = column.cells.count(dead) > 0;
    // A yes means one thing or the other, a word of consent does not.
    let is_word =
        |cell: &str| says_out(cell, true).is_some() && says_out(cell, true) == says_out(cell, false);
    let is_said = column.cells.share(is_word) >= 0.8;
    (is_out || is_dead || is_said).then_some((
        Field::Email,
        Says { which: OptOut::Own, inverted: true, invalid: is_dead && !is_out && !is_said },
    ))
}

/// What a header says: of which addresses, and what of them.
fn lookup(key: &str) -> Option<(Field, Says)> {
    let says = |which, inverted, invalid| Says { which, inverted, invalid };
    [
        (EMAIL, Field::Email, says(OptOut::Own, false, false)),
        (PHONE, Field::Phone, says(OptOut::Own, false, false)),
        (ALL, Field::Email, says(OptOut::All, false, false)),
        (EMAIL_IN, Field::Email, says(OptOut::Own, true, false)),
        (PHONE_IN, Field::Phone, says(OptOut::Own, true, false)),
        (ALL_IN, Field::Email, says(OptOut::All, true, false)),
        (EMAIL_DEAD, Field::Email, says(OptOut::Own, false, true)),
        (PHONE_DEAD, Field::Phone, says(OptOut::Own, false, true)),
        (EMAIL_ALIVE, Field::Email, says(OptOut::Own, true, true)),
        (PHONE_ALIVE, Field::Phone, says(OptOut::Own, true, true)),
    ]
    .into_iter()
    .find_map(|(words, field, says)| is_in(words, key).then_some((field, says)))
}
