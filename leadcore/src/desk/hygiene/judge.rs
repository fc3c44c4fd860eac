//! What is wrong with an address or a number, and what would mend it. Pure: no mail is sent and no name looked up.

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use crate::domain::{LeadFields, MarkNote, ReachChannel, ReachMark, Reachable};
use crate::value::{Country, Email, Phone, is_disposable_domain};

use super::{Fix, Issue};

/// Mailboxes of a function, not of a person (RFC 2142 and what companies use).
const ROLE_NAMES: &str = "info contact office mail email hello post postmaster hostmaster webmaster abuse noc security \
     admin administrator root support help helpdesk service customerservice sales vertrieb marketing billing invoice \
     invoices accounting accounts finance hr jobs career careers recruiting press media news newsletter noreply \
     no-reply donotreply do-not-reply enquiries inquiries reception kontakt firmapost booking orders order shop team \
     legal privacy feedback all everyone staff \
     buchhaltung rechnung rechnungen verkauf einkauf bestellung bestellungen bewerbung personal sekretariat zentrale \
     empfang kundendienst kundenservice anfrage anfragen presse redaktion mahnung versand technik verwaltung \
     salg kundeservice kundesenter faktura regnskap ordre innkjop indkob resepsjon reception bogholderi okonomi lonn post \
     forsaljning kundtjanst ekonomi inkop order myynti asiakaspalvelu laskutus toimisto \
     ventas compras contacto administracion facturacion facturas pedidos rrhh informacion comercial recepcion reservas \
     contabilidad atencionalcliente soporte direccion tesoreria \
     comptabilite facturation achats ventes commercial accueil secretariat direction recrutement rh commandes \
     serviceclient contabilita amministrazione vendite acquisti commerciale ufficio segreteria assistenza prenotazioni \
     fatture fatturazione ordini verkoop inkoop administratie boekhouding klantenservice facturen vendas financeiro \
     atendimento suporte contato geral comercial sprzedaz biuro ksiegowosc sekretariat faktury zamowienia obchod ucetni \
     fakturace objednavky prodej \
     usenet www uucp ftp itsupport payroll procurement purchasing logistics shipping dispatch returns refunds warranty \
     compliance dpo gdpr pr investors webshop bookings reservations membership events editor \
     datenschutz geschaeftsfuehrung karriere ausbildung logistik lager reklamation retouren buchung reservierung \
     personvern stilling lager dataskydd fakturering jobb kundservice tietosuoja rekrytointi \
     privacidad empleo prensa gerencia citas presupuestos devis sav rgpd comptable informations recrutements \
     informazioni preventivi ordine magazzino spedizioni direzione stampa lavoro facturatie bestellingen vacatures \
     receptie directie magazijn faturamento rh vagas imprensa pedidos cobranca reklamacje kadry";

static ROLES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| ROLE_NAMES.split_whitespace().collect());

/// Whether this name of a mailbox is that of a function.
pub(crate) fn is_role(local: &str) -> bool {
    let role = local.split('+').next().unwrap_or(local).to_lowercase();
    // `customer-service` is written in one word, too.
    ROLES.contains(role.as_str()) || ROLES.contains(role.replace(['-', '_'], "").as_str())
}

/// Slips of the hand in top-level domains: none of these is delegated (IANA's root zone).
const TYPOS_OF_TOPS: &[(&str, &str)] = &[
    ("com", "con cmo ocm vom xom cpm comm coom ccom c0m coml come cim cok"),
    ("net", "nett nte ent neet"),
    ("org", "orgg ogr rog orrg"),
    ("de", "dee dde"),
    ("no", "noo nno"),
    ("fr", "frr ffr"),
    ("it", "itt iit"),
    ("es", "ess ees"),
    ("se", "sse"),
    ("dk", "dkk"),
    ("nl", "nll"),
    ("ch", "chh"),
];

/// Slips of the hand in the domains that most people have.
const TYPOS: &[(&str, &str)] = &[
    ("gmial.com", "gmail.com"),
    ("gmai.com", "gmail.com"),
    ("gmal.com", "gmail.com"),
    ("gmil.com", "gmail.com"),
    ("gamil.com", "gmail.com"),
    ("gnail.com", "gmail.com"),
    ("gmail.con", "gmail.com"),
    ("gmail.co", "gmail.com"),
    ("gmail.cm", "gmail.com"),
    ("gmaill.com", "gmail.com"),
    ("hotmial.com", "hotmail.com"),
    ("hotmai.com", "hotmail.com"),
    ("hotmal.com", "hotmail.com"),
    ("hotmail.con", "hotmail.com"),
    ("hotmil.com", "hotmail.com"),
    ("outlok.com", "outlook.com"),
    ("outllok.com", "outlook.com"),
    ("outlook.con", "outlook.com"),
    ("yaho.com", "yahoo.com"),
    ("yahooo.com", "yahoo.com"),
    ("yahoo.con", "yahoo.com"),
    ("iclod.com", "icloud.com"),
    ("icloud.con", "icloud.com"),
];

/// Names that no mail reaches (RFC 2606, RFC 6761, RFC 6762).
const NOWHERE: [&str; 6] = ["test", "example", "invalid", "localhost", "local", "internal"];

/// Whether the list of a library that is kept up to date has the domain.
#[cfg(feature = "disposable")]
fn is_listed(domain: &str) -> bool {
    use std::sync::LazyLock;
    static LISTED: LazyLock<BTreeSet<&str>> =
        LazyLock::new(|| mailchecker::blacklist().into_iter().collect());
    LISTED.contains(domain)
}

#[cfg(not(feature = "disposable"))]
const fn is_listed(_: &str) -> bool {
    false
}

/// What is judged by.
#[derive(Debug)]
pub(super) struct Judge {
    /// What the request names, besides the domains that are known here.
    disposable: BTreeSet<String>,
    region: Option<Country>,
}

impl Judge {
    pub(super) fn new(more_disposable: &[String], region: Option<Country>) -> Self {
        let more = more_disposable.iter().map(|domain| domain.trim().trim_start_matches('@').to_lowercase());
        Self { disposable: more.filter(|domain| !domain.is_empty()).collect(), region }
    }

    /// What is wrong with each e-mail address, by its place.
    pub(super) fn emails(&self, fields: &LeadFields) -> Vec<(usize, Issue, Fix)> {
        let found = fields.emails.entries().iter().map(|entry| self.email(entry));
        let works = |place: usize| fields.emails.entries().get(place).is_some_and(|entry| !entry.invalid);
        settle(found.collect(), |place, issue| issue == Issue::RoleEmail && works(place))
    }

    fn email(&self, entry: &Reachable<Email>) -> Option<(Issue, Fix)> {
        if entry.invalid {
            return Some((marked_for(entry, ReachChannel::Email).unwrap_or(Issue::BouncedEmail), Fix::Keep));
        }
        if entry.opted_out {
            return Some((Issue::OptedOutEmail, Fix::Keep));
        }
        let address = entry.value.canonical();
        let (local, domain) = address.rsplit_once('@')?;
        if let Some((_, right)) = TYPOS.iter().find(|(wrong, _)| *wrong == domain) {
            return Some((Issue::MisspeltEmail, Fix::Correct(format!("{}@{right}", entry.value.local()))));
        }
        if let Some(right) = right_top(domain) {
            return Some((Issue::MisspeltEmail, Fix::Correct(format!("{}@{right}", entry.value.local()))));
        }
        if is_nowhere(domain) {
            return Some((Issue::UndeliverableEmail, Fix::MarkInvalid));
        }
        if is_disposable_domain(domain) {
            return Some((Issue::DisposableEmail, Fix::MarkInvalid));
        }
        // Also a name below one of them.
        let mut name = Some(domain);
        while let Some(known) = name {
            if self.disposable.contains(known) || is_listed(known) {
                return Some((Issue::DisposableEmail, Fix::MarkInvalid));
            }
            name = known.split_once('.').map(|(_, rest)| rest);
        }
        is_role(local).then_some((Issue::RoleEmail, Fix::Keep))
    }

    /// What is wrong with each phone number, by its place.
    pub(super) fn phones(&self, fields: &LeadFields) -> Vec<(usize, Issue, Fix)> {
        let region = fields.phone_region().or(self.region);
        let found = fields.phones.entries().iter().map(|entry| self.phone(entry, region));
        settle(found.collect(), |_, _| false)
    }

    fn phone(&self, entry: &Reachable<Phone>, region: Option<Country>) -> Option<(Issue, Fix)> {
        if entry.invalid {
            return Some((marked_for(entry, ReachChannel::Phone).unwrap_or(Issue::DeadPhone), Fix::Keep));
        }
        if entry.opted_out {
            return Some((Issue::OptedOutPhone, Fix::Keep));
        }
        // Without numbering plans nothing is known of any number.
        if entry.value.is_valid() || !cfg!(feature = "phone") {
            return None;
        }
        let digits = entry.value.digits();
        let international = digits.strip_prefix("00").map(|rest| format!("+{rest}"));
        let readings = [
            Phone::parse(entry.value.as_str(), region).ok(),
            international.and_then(|text| Phone::parse(&text, None).ok()),
            // A country code without its plus; short numbers read so would be anybody's.
            (digits.len() > 9).then(|| Phone::parse(&format!("+{digits}"), None).ok()).flatten(),
        ];
        let right = readings.into_iter().flatten().find(Phone::is_valid);
        Some(match right.as_ref().and_then(Phone::e164) {
            Some(e164) => (Issue::MalformedPhone, Fix::Correct(e164.to_owned())),
            None => (Issue::ImpossiblePhone, Fix::MarkInvalid),
        })
    }
}

/// What a fix marked it for.
fn marked_for<T>(entry: &Reachable<T>, channel: ReachChannel) -> Option<Issue> {
    let reason = entry.note(ReachMark::Invalid).and_then(MarkNote::reason)?;
    Issue::from_reason(channel, reason)
}

/// What is wrong is proposed to go behind the others, wherever something better stands behind it: a sound address, or at
/// least one that may be used.
fn settle(
    found: Vec<Option<(Issue, Fix)>>,
    is_usable: impl Fn(usize, Issue) -> bool,
) -> Vec<(usize, Issue, Fix)> {
    let rank = |place: usize, found: &Option<(Issue, Fix)>| match found {
        None => 2,
        Some((issue, _)) => u8::from(is_usable(place, *issue)),
    };
    let mut best_behind = 0;
    let mut proposed = Vec::new();
    for (place, one) in found.into_iter().enumerate().rev() {
        let own = rank(place, &one);
        if let Some((issue, fix)) = one {
            let fix = if fix == Fix::Keep && own < best_behind { Fix::PutLast } else { fix };
            proposed.push((place, issue, fix));
        }
        best_behind = best_behind.max(own);
    }
    proposed.reverse();
    proposed
}

/// The domain with the top level that was meant, where it has one that does not exist.
fn right_top(domain: &str) -> Option<String> {
    let (name, top) = domain.rsplit_once('.')?;
    let is_slip = |slips: &str| slips.split_whitespace().any(|slip| slip == top);
    let (right, _) = TYPOS_OF_TOPS.iter().find(|(_, slips)| is_slip(slips))?;
    Some(format!("{name}.{right}"))
}

fn is_nowhere(domain: &str) -> bool {
    // An address in brackets is a host by its number: mail may get there.
    if domain.starts_with('[') {
        return false;
    }
    let Some((_, top)) = domain.rsplit_once('.') else { return true };
    // Of two letters there are those of countries, and a few more (ISO 3166-1, reserved for use on the Internet).
    let is_of_nobody = top.len() == 2
        && top.bytes().all(|byte| byte.is_ascii_lowercase())
        && !["ac", "eu", "su", "uk"].contains(&top)
        && Country::parse(top).is_err();
    NOWHERE.contains(&top) || is_of_nobody || top.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Emails;
    #[cfg(feature = "phone")]
    use crate::domain::Phones;

    fn emails(text: &str) -> Vec<(usize, Issue, Fix)> {
        let fields = LeadFields { emails: Emails::parse(text).unwrap(), ..LeadFields::default() };
        Judge::new(&["@Burner.Shop".to_owned()], None).emails(&fields)
    }

    #[test]
    fn each_address_is_judged() {
        for (text, issue, fix) in [
            ("a@gmial.com", Issue::MisspeltEmail, Fix::Correct("a@gmail.com".to_owned())),
            ("a@gmx.dee", Issue::MisspeltEmail, Fix::Correct("a@gmx.de".to_owned())),
            ("a@icloud.cmo", Issue::MisspeltEmail, Fix::Correct("a@icloud.com".to_owned())),
            ("a@nordlys.xx", Issue::UndeliverableEmail, Fix::MarkInvalid),
            ("Buchhaltung@nordlys.no", Issue::RoleEmail, Fix::Keep),
            ("ventas@nordlys.es", Issue::RoleEmail, Fix::Keep),
            ("Customer-Service@nordlys.no", Issue::RoleEmail, Fix::Keep),
            ("usenet@nordlys.no", Issue::RoleEmail, Fix::Keep),
            ("datenschutz@nordlys.de", Issue::RoleEmail, Fix::Keep),
            ("personvern@nordlys.no", Issue::RoleEmail, Fix::Keep),
            ("devis@nordlys.fr", Issue::RoleEmail, Fix::Keep),
            ("preventivi@nordlys.it", Issue::RoleEmail, Fix::Keep),
            ("presupuestos@nordlys.es", Issue::RoleEmail, Fix::Keep),
            ("vacatures@nordlys.nl", Issue::RoleEmail, Fix::Keep),
            ("a@mail.mailinator.com", Issue::DisposableEmail, Fix::MarkInvalid),
            ("a@burner.shop", Issue::DisposableEmail, Fix::MarkInvalid),
            ("a@nordlys.invalid", Issue::UndeliverableEmail, Fix::MarkInvalid),
            ("Info@nordlys.no", Issue::RoleEmail, Fix::Keep),
            ("sales+no@nordlys.no", Issue::RoleEmail, Fix::Keep),
            ("a@b.no (invalid)", Issue::BouncedEmail, Fix::Keep),
            ("a@b.no (opted_out)", Issue::OptedOutEmail, Fix::Keep),
        ] {
            assert_eq!(emails(text), [(0, issue, fix)], "{text}");
        }
        for text in [
            "a@nordlys.no",
            "a@x.eu",
            "a@x.co",
            "a@x.uk",
            "a@x.io",
            "a@x.team",
            "salesperson@nordlys.no",
            "a@our-mailinator.no",
        ] {
            assert_eq!(emails(text), [], "{text}");
        }
    }

    #[test]
    fn a_host_by_its_number_is_judged_by_its_brackets() {
        // RFC 5321, 4.1.3: in brackets an address of a host stands where a domain does, and mail gets there; without
        // them it is a domain whose top level is digits, which there is none of. The product takes neither for a field
        // (`Email` asks for a domain name), so both only come from a store that an older rule let them into.
        assert!(Emails::parse("a@[192.0.2.1]").is_err() && Emails::parse("a@192.0.2.1").is_err());
        assert!(!is_nowhere("[192.0.2.1]") && !is_nowhere("[ipv6:2001:db8::1]"));
        assert!(is_nowhere("192.0.2.1") && is_nowhere("localhost") && !is_nowhere("nordlys.no"));
    }

    #[test]
    fn what_is_sound_goes_first() {
        assert_eq!(emails("info@b.no, anna@b.no"), [(0, Issue::RoleEmail, Fix::PutLast)]);
        assert_eq!(emails("anna@b.no, info@b.no"), [(1, Issue::RoleEmail, Fix::Keep)]);
        let two = emails("a@b.no (invalid), info@b.no");
        assert_eq!(two, [(0, Issue::BouncedEmail, Fix::PutLast), (1, Issue::RoleEmail, Fix::Keep)]);
        let dead = emails("a@b.no (invalid), b@b.no (invalid), anna@b.no, c@b.no (invalid)");
        let bounced = |place, fix| (place, Issue::BouncedEmail, fix);
        assert_eq!(dead, [bounced(0, Fix::PutLast), bounced(1, Fix::PutLast), bounced(3, Fix::Keep)]);
    }

    #[test]
    #[cfg(feature = "phone")]
    fn a_number_is_read_where_the_lead_is() {
        let judged = |text: &str, region: Option<&str>| {
            let fields = LeadFields { phones: Phones::parse(text, None).unwrap(), ..LeadFields::default() };
            let region = region.map(|code| Country::parse(code).unwrap());
            Judge::new(&[], region).phones(&fields).pop().map(|(_, issue, fix)| (issue, fix))
        };
        let right = |number: &str| Some((Issue::MalformedPhone, Fix::Correct(number.to_owned())));
        assert_eq!(judged("22 22 55 55", Some("NO")), right("+4722225555"));
        // `00` is what most of the world dials for `+` (ITU-T E.164 recommends it), and a `Phone` is read so whatever the
        // region: a valid number needs no mending.
        assert_eq!(judged("0047 22 22 55 55", None), None, "it says its country");
        assert_eq!(judged("0047 22 22 55 55", Some("US")), None, "also where 011 is dialled");
        assert_eq!(judged("0047 123", None), Some((Issue::ImpossiblePhone, Fix::MarkInvalid)));
        assert_eq!(judged("4722225555", None), right("+4722225555"));
        assert_eq!(judged("123", Some("NO")), Some((Issue::ImpossiblePhone, Fix::MarkInvalid)));
        assert_eq!(judged("+4722225555", None), None);
    }
}
