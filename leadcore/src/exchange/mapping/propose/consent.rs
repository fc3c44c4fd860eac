//! What vendors call the columns of who must not be reached.

use super::super::OptOut;
use super::super::proposal::Evidence;
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

impl Proposer<'_, '_> {
    /// A column of consent, by its header as a whole or behind the last dot of a path, and its cells.
    pub(super) fn consent(&self, column: &Column<'_>) -> Option<Candidate> {
        let header = unescape_formula(column.header);
        let catalogue = self.knowledge.catalogue;
        // What a tenant calls a field of its own is that field.
        if matches!(catalogue.rank_header(header), Some((_, 0))) {
            return None;
        }
        let last = header.rsplit_once('.').map(|(_, last)| header_key(last));
        let (field, opt_out) = lookup(&column.key).or_else(|| lookup(&last?))?;
        if catalogue.is_disabled(&field) {
            return None;
        }
        let (of, hits) = (column.cells.filled.len(), column.cells.count(|cell| says_out(cell).is_some()));
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
            opt_out: Some(opt_out),
        })
    }
}

fn lookup(key: &str) -> Option<(Field, OptOut)> {
    let known = |words: &str| words.split_ascii_whitespace().any(|word| word == key);
    if known(EMAIL) {
        Some((Field::Email, OptOut::Own))
    } else if known(PHONE) {
        Some((Field::Phone, OptOut::Own))
    } else {
        known(ALL).then_some((Field::Email, OptOut::All))
    }
}
