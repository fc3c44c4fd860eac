//! Domains that belong to nobody in particular: of mail providers, and of sites where anybody has a page.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Providers whose customers share a domain, by country; the names under which they are reached in many countries are in
/// [`EVERYWHERE`].
const PROVIDERS: &str = "\
    gmail.com googlemail.com icloud.com me.com mac.com aol.com aim.com mail.com email.com usa.com proton.me pm.me \
    zoho.com zohomail.com fastmail.com fastmail.fm hushmail.com tutanota.com tuta.io tuta.com hey.com duck.com \
    web.de t-online.de freenet.de arcor.de posteo.de mailbox.org online.de vodafone.de email.de kabelmail.de \
    bluewin.ch sunrise.ch hispeed.ch aon.at chello.at a1.net utanet.at \
    online.no broadpark.no frisurf.no telia.com bredband.net comhem.se spray.se glocalnet.net bahnhof.se tele2.se \
    mail.dk stofanet.dk youmail.dk jubii.dk luukku.com suomi24.fi elisanet.fi kolumbus.fi simnet.is \
    ziggo.nl kpnmail.nl kpnplanet.nl planet.nl hetnet.nl home.nl xs4all.nl telenet.be skynet.be proximus.be \
    orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr bbox.fr numericable.fr club-internet.fr aliceadsl.fr \
    libero.it virgilio.it tiscali.it alice.it tin.it inwind.it iol.it fastwebnet.it email.it telefonica.net ono.com \
    terra.es sapo.pt netcabo.pt btinternet.com btopenworld.com sky.com virginmedia.com talktalk.net ntlworld.com \
    blueyonder.co.uk tiscali.co.uk eircom.net comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net \
    charter.net earthlink.net juno.com roadrunner.com optonline.net frontier.com windstream.net \
    shaw.ca rogers.com sympatico.ca telus.net videotron.ca bell.net bigpond.com bigpond.net.au optusnet.com.au \
    iinet.net.au xtra.co.nz uol.com.br bol.com.br terra.com.br ig.com.br globo.com globomail.com oi.com.br \
    prodigy.net.mx fibertel.com.ar ciudad.com.ar seznam.cz centrum.cz email.cz volny.cz post.cz azet.sk zoznam.sk \
    centrum.sk wp.pl o2.pl onet.pl op.pl interia.pl poczta.fm gazeta.pl tlen.pl vp.pl freemail.hu citromail.hu \
    indamail.hu abv.bg mail.bg inbox.lv one.lv delfi.lt mail.ee hot.ee otenet.gr mail.ru bk.ru list.ru inbox.ru \
    rambler.ru yandex.ru yandex.com ya.ru ukr.net i.ua meta.ua mynet.com walla.co.il walla.com netvision.net.il \
    rediffmail.com qq.com foxmail.com 163.com 126.com yeah.net sina.com sina.cn sohu.com 139.com 189.cn \
    naver.com daum.net hanmail.net nate.com ezweb.ne.jp docomo.ne.jp softbank.ne.jp nifty.com";

/// Providers that have a domain in every country: `yahoo.co.uk`, `hotmail.fr`, `gmx.at`.
const EVERYWHERE: [&str; 12] = [
    "yahoo",
    "ymail",
    "rocketmail",
    "hotmail",
    "outlook",
    "live",
    "msn",
    "windowslive",
    "gmx",
    "protonmail",
    "yandex",
    "googlemail",
];

/// Sites on which a company may have a page that is no domain of its own.
const SITES: &str = "facebook.com fb.com instagram.com linkedin.com twitter.com x.com youtube.com youtu.be tiktok.com \
    pinterest.com xing.com google.com goo.gl g.page maps.app.goo.gl linktr.ee bit.ly t.me telegram.me wa.me github.com \
    gitlab.com medium.com wordpress.com blogspot.com wixsite.com weebly.com etsy.com ebay.com ebay.de amazon.com \
    yelp.com tripadvisor.com crunchbase.com about.me sites.google.com business.site notion.so";

/// All of both: an import asks for each of its addresses.
static LISTED: LazyLock<HashSet<&str>> =
    LazyLock::new(|| PROVIDERS.split_whitespace().chain(SITES.split_whitespace()).collect());

/// Domains that give out addresses for a few minutes, or to whoever asks for an invented person.
const DISPOSABLE: &str = "mailinator.com guerrillamail.com guerrillamail.net sharklasers.com 10minutemail.com \
    10minutemail.net tempmail.com temp-mail.org temp-mail.io tempmailo.com throwawaymail.com yopmail.com yopmail.fr \
    trashmail.com trashmail.de getnada.com nada.email maildrop.cc dispostable.com fakeinbox.com mailnesia.com \
    mintemail.com mohmal.com moakt.com emailondeck.com spamgourmet.com mailcatch.com mytemp.email discard.email \
    wegwerfmail.de byom.de burnermail.io tempr.email inboxkitten.com mail-temp.com minuteinbox.com armyspy.com \
    cuvox.de dayrep.com einrot.com fleckens.hu gustr.com jourrapide.com rhyta.com superrito.com teleworm.us";

/// Whether a domain is one of the best known that give out disposable addresses, or a name below one.
///
/// ```
/// use leadcore::value::is_disposable_domain;
/// assert!(is_disposable_domain("mailinator.com") && is_disposable_domain("Eu.Mailinator.com"));
/// assert!(!is_disposable_domain("nordlys.no"));
/// ```
#[must_use]
pub fn is_disposable_domain(domain: &str) -> bool {
    let domain = domain.trim().trim_end_matches('.').to_lowercase();
    let is_below = |known: &str| {
        domain.strip_suffix(known).is_some_and(|front| front.is_empty() || front.ends_with('.'))
    };
    DISPOSABLE.split_whitespace().any(is_below)
}

/// Whether a domain is one that people share who have nothing to do with each other: of a provider of mail, or of a site
/// where anybody has a page. Addresses in it say nothing about a company.
///
/// The list names the consumer providers of some forty countries as their customers write them, and is not complete: a
/// domain that is missing makes a match too many, never one too few. Odoo and others leave public providers out of
/// duplicate search in the same way.
///
/// ```
/// use leadcore::value::is_shared_domain;
/// assert!(is_shared_domain("gmail.com") && is_shared_domain("Yahoo.co.uk") && is_shared_domain("facebook.com"));
/// assert!(!is_shared_domain("nordlys.no") && !is_shared_domain("live.nordlys.no"));
/// ```
#[must_use]
pub fn is_shared_domain(domain: &str) -> bool {
    let domain = domain.trim().trim_end_matches('.').to_lowercase();
    if LISTED.contains(domain.as_str()) {
        return true;
    }
    let Some((first, rest)) = domain.split_once('.') else { return false };
    let in_a_country = match rest.split_once('.') {
        None => true,
        Some((second, last)) => ["co", "com", "net", "org"].contains(&second) && last.len() == 2,
    };
    in_a_country && EVERYWHERE.contains(&first)
}
