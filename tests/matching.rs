//! Accounts and contacts that a lead may be: found by index, with evidence, chosen by nobody's guess (X.02, X.04).

use leadcore::dedupe::matching::{EvidenceKind, MatchPolicy, Matches};
use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::matching::{self, MatchRequest};
use leadcore::desk::{Expect, accounts, contacts, undo};
use leadcore::domain::{
    AccountFields, AccountPatch, ContactFields, Emails, Field, Lead, LeadFields, Phones, Topics,
};
use leadcore::error::{Conflict, ErrorKind};
use leadcore::id::AccountId;
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::store::StoreExt;
use leadcore::testkit::fixtures::Scene;
use leadcore::value::PersonName;

use crate::support::{Host, company};

/// The functions of the desk that are tried here, with other users and another tenant.
pub(crate) const TRIED: [&str; 2] = ["matching::for_lead", "matching::search"];

fn customer(host: &Host, fields: LeadFields) -> AccountId {
    let lead = host.add(fields);
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default())).account.unwrap()
}

fn matches(host: &Host, lead: &Lead) -> Matches {
    host.read(|ctx, txn| matching::for_lead(ctx, txn, lead.id))
}

fn kinds(found: &Matches) -> Vec<Vec<EvidenceKind>> {
    found.accounts.iter().map(|one| one.evidence.iter().map(|evidence| evidence.kind).collect()).collect()
}

fn mail(name: &str, emails: &str) -> LeadFields {
    LeadFields { emails: Emails::parse(emails).unwrap(), ..company(name) }
}

#[test]
fn x_02_accounts_are_found_by_each_key_with_the_evidence() {
    let mut host = Host::new();
    let nordlys = customer(
        &host,
        LeadFields {
            phones: Phones::parse("+47 22 22 55 55", None).unwrap(),
            tax_id: Some("NO 923 609 016 MVA".parse().unwrap()),
            website: Some("https://www.nordlys.no".parse().unwrap()),
            ..mail("Nordlys Energi AS", "post@nordlys.no, boss@gmail.com")
        },
    );
    customer(&host, mail("Fjord AS", "kari@gmail.com"));
    host.restart();
    let tax = LeadFields { tax_id: Some("no-923609016-mva".parse().unwrap()), ..company("?") };
    let phone = LeadFields { phones: Phones::parse("0047 22225555", None).unwrap(), ..company("?") };
    for (fields, expected) in [
        (mail("?", "POST@Nordlys.no"), &[EvidenceKind::Email, EvidenceKind::Domain][..]),
        (mail("?", "other@nordlys.no"), &[EvidenceKind::Domain]),
        (phone, &[EvidenceKind::Phone]),
        (tax, &[EvidenceKind::TaxId]),
        (company("NORDLYS ENERGI A/S"), &[EvidenceKind::Company]),
    ] {
        let lead = host.add(fields);
        let found = matches(&host, &lead);
        assert_eq!(kinds(&found), [expected], "{found:?}");
        assert_eq!(found.accounts[0].id, nordlys);
    }
    let stranger = host.add(mail("Nordlys", "someone@gmail.com"));
    assert_eq!(
        matches(&host, &stranger),
        Matches::default(),
        "a provider's domain says nothing, nor half a name"
    );
    let numbered = MatchRequest::default().number(1);
    let by_number = host.read(|ctx, txn| matching::search(ctx, txn, stranger.id, &numbered));
    assert_eq!((kinds(&by_number), by_number.accounts[0].score), (vec![vec![EvidenceKind::Number]], 100));
    // The index follows every write.
    let lead = host.add(mail("?", "post@nordlys.no"));
    host.write(|ctx, txn| {
        let account = accounts::get(ctx, txn, nordlys)?;
        let patch = AccountPatch::new().set(Field::Email, "new@nordlys.example").clear(Field::Website);
        accounts::edit(ctx, txn, nordlys, account.revision, &patch)
    });
    assert_eq!(kinds(&matches(&host, &lead)), Vec::<Vec<EvidenceKind>>::new());
}

#[test]
fn x_04_contacts_are_found_and_lead_to_their_account() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let anna = ContactFields {
        emails: Emails::parse("anna@private.no").unwrap(),
        ..ContactFields::named("Anna Berg").unwrap()
    };
    let anna = host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, anna.clone(), true));
    let made = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    let asks = host.add(LeadFields {
        person: PersonName::parse("Anna Berg").ok(),
        ..mail("Other AS", "Anna@private.no")
    });
    let found = matches(&host, &asks);
    assert_eq!(found.contacts[0].id, anna.id);
    let why: Vec<_> = found.contacts[0].evidence.iter().map(|one| one.kind).collect();
    assert_eq!(why, [EvidenceKind::Email, EvidenceKind::Person]);
    assert_eq!((found.contacts[0].score, &found.contacts[0].accounts), (94, &vec![made.account.unwrap()]));
    assert_eq!(
        (found.accounts[0].id, kinds(&found)),
        (made.account.unwrap(), vec![vec![EvidenceKind::ContactOfAccount]])
    );
    assert_eq!(found.contact(MatchPolicy::Best { at_least: 90 }).unwrap(), Some(anna.id));
    // A lead's own persons are no matches.
    let person = ContactFields::named("Kari Vik").unwrap();
    let own = host.add(LeadFields { person: PersonName::parse("Kari Vik").ok(), ..company("Vik AS") });
    host.write(|ctx, txn| contacts::add(ctx, txn, own.id, person.clone(), true));
    assert!(matches(&host, &own).is_empty());
}

#[test]
fn x_04_ambiguous_is_an_error_that_lists_who_it_may_be() {
    let host = Host::new();
    let first = customer(&host, company("Nordlys AS"));
    let second = customer(&host, company("Nordlys Ltd"));
    let lead = host.add(company("Nordlys"));
    let found = matches(&host, &lead);
    let ids: Vec<_> = found.accounts.iter().map(|one| one.id).collect();
    assert_eq!(ids, [first, second], "as sure as each other: by number");
    for policy in [MatchPolicy::AskCaller, MatchPolicy::Best { at_least: 50 }] {
        let error = found.account(policy).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        let Some(Conflict::AmbiguousMatch { candidates, elsewhere: 0 }) = error.conflict() else {
            panic!("{error}")
        };
        let listed: Vec<_> = candidates.iter().map(|one| (one.record.as_str(), one.id, one.score)).collect();
        assert_eq!(listed, [("account", first.as_uuid(), 70), ("account", second.as_uuid(), 70)]);
    }
    assert_eq!(found.account(MatchPolicy::Best { at_least: 71 }).unwrap(), None);
    let sure = LeadFields { tax_id: Some("1".parse().unwrap()), ..company("Nordlys Inc") };
    let third = customer(&host, sure.clone());
    let again = host.add(sure);
    assert_eq!(matches(&host, &again).account(MatchPolicy::Best { at_least: 90 }).unwrap(), Some(third));
}

#[test]
fn what_many_share_is_cut_and_said() {
    let host = Host::new();
    for n in 0..5 {
        customer(
            &host,
            mail(&format!("Company {}", "ABCDE".chars().nth(n).unwrap()), &format!("m{n}@shared.no")),
        );
    }
    let lead = host.add(mail("Company E", "x@shared.no"));
    let few = MatchRequest::default().limit(2);
    let found = host.read(|ctx, txn| matching::search(ctx, txn, lead.id, &few));
    let [cut] = &found.too_common[..] else { panic!("{found:?}") };
    assert_eq!((cut.is_account, cut.kind, cut.looked_at), (true, EvidenceKind::Domain, 2));
    assert_eq!(found.accounts.len(), 3, "who is found by something rarer is there");
    assert_eq!(found.accounts[0].evidence.len(), 2, "with all that speaks for it");
    assert_eq!(found.accounts[0].name, "Company E");
    for limit in [0, 1_001] {
        let wrong = MatchRequest::default().limit(limit);
        let error = host.try_read(|ctx, txn| matching::search(ctx, txn, lead.id, &wrong)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
}

#[test]
fn archived_accounts_crowd_nobody_out() {
    let host = Host::new();
    for _ in 0..3 {
        let lead = host.add(company("Nordlys AS"));
        host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
        host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    }
    let live = customer(&host, company("Nordlys AS"));
    let asked = host.add(company("Nordlys"));
    let search = |limit: usize| {
        let request = MatchRequest::default().limit(limit);
        host.read(|ctx, txn| matching::search(ctx, txn, asked.id, &request))
    };
    let found = search(1);
    assert_eq!(found.too_common, [], "those that are archived are not in the way");
    assert_eq!(found.account(MatchPolicy::Best { at_least: 60 }).unwrap(), Some(live));
    // One that is deleted goes, and comes back with its keys.
    let fields = AccountFields { name: "Nordlys Ltd".into(), ..AccountFields::default() };
    let other = host.write(|ctx, txn| accounts::create(ctx, txn, fields.clone().into()));
    assert_eq!((search(2).accounts.len(), search(1).too_common.len()), (2, 1));
    host.write(|ctx, txn| accounts::delete(ctx, txn, other.id, Expect::Any));
    assert_eq!((search(2).accounts.len(), search(1).too_common.len()), (1, 0));
    let about = [other.id.into()];
    let deletion = host.read(|_, txn| txn.journal().about(&about, Topics::NONE, None, 1)).remove(0).operation;
    host.write(|ctx, txn| undo::undo(ctx, txn, deletion));
    assert_eq!((search(2).accounts.len(), search(1).too_common.len()), (2, 1));
}

#[test]
fn who_does_not_see_a_customer_learns_only_whose_it_is() {
    let host = Host::new();
    let owned = |name: &str, owner: &str| LeadFields { owner: Some(owner.parse().unwrap()), ..company(name) };
    let theirs =
        LeadFields { emails: Emails::parse("post@nordlys.no").unwrap(), ..owned("Nordlys AS", "eve") };
    customer(&host, theirs);
    let lead =
        host.add(LeadFields { emails: Emails::parse("post@nordlys.no").unwrap(), ..owned("Nordlys", "bob") });
    let own = Role::new().grant(Permission::View, Visibility::Own);
    let table = RoleTable::new()
        .role("own", own)
        .user(&"bob".parse().unwrap(), &["own"], None)
        .and_then(|table| table.user(&"eve".parse().unwrap(), &["own"], None))
        .unwrap();
    let as_bob = host.scene.ctx_as("bob", &table);
    let found = host.store.read(as_bob.tenant(), |txn| matching::for_lead(&as_bob, txn, lead.id)).unwrap();
    assert_eq!((found.accounts.len(), found.contacts.len()), (0, 0));
    let told: Vec<_> = found.elsewhere.iter().map(|one| one.owner.as_ref().unwrap().as_str()).collect();
    assert_eq!(told, ["eve"]);
    let json = serde_json::to_string(&found).unwrap();
    assert!(!json.contains("nordlys") && !json.contains("score"), "nothing of it is told: {json}");
    let error = found.account(MatchPolicy::Best { at_least: 50 }).unwrap_err();
    assert!(
        matches!(error.conflict(), Some(Conflict::AmbiguousMatch { elsewhere: 1, .. })),
        "nor is it passed over"
    );
    let as_eve = host.scene.ctx_as("eve", &table);
    let error =
        host.store.read(as_eve.tenant(), |txn| matching::for_lead(&as_eve, txn, lead.id)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "a lead that one does not see");
    let scene = Scene::new("other");
    let error = host
        .store
        .read(&scene.tenant, |txn| matching::search(&scene.ctx(), txn, lead.id, &MatchRequest::default()));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound, "nor one of another tenant");
}

#[test]
fn what_was_not_looked_at_may_be_as_sure() {
    let host = Host::new();
    let lead = |fields: LeadFields| host.add(fields);
    for n in 0..3 {
        customer(&host, mail(&format!("Company {}", "ABC".chars().nth(n).unwrap()), "post@shared.example"));
    }
    let best = customer(&host, mail("Rare AS", "post@shared.example"));
    let asked = lead(mail("?", "post@shared.example"));
    let few = MatchRequest::default().limit(1);
    let search = |lead: &Lead, request: &MatchRequest| {
        host.read(|ctx, txn| matching::search(ctx, txn, lead.id, request))
    };
    let sure = MatchPolicy::Best { at_least: 80 };
    let cut = search(&asked, &few);
    assert_eq!(cut.accounts.len(), 1, "only one of four was looked at: {cut:?}");
    let error = cut.account(sure).unwrap_err();
    let Some(Conflict::AmbiguousMatch { candidates, elsewhere }) = error.conflict() else {
        panic!("{error}")
    };
    assert_eq!((candidates.len(), *elsewhere), (1, 1), "it is not guessed");
    assert!(cut.account(MatchPolicy::AskCaller).is_err());
    assert_eq!(
        cut.account(MatchPolicy::Best { at_least: 100 }).unwrap(),
        None,
        "none of them can be so sure"
    );
    // What is found by something rarer as well is surer than any of them.
    let rare = lead(mail("Rare AS", "post@shared.example"));
    assert_eq!(search(&rare, &few).account(sure).unwrap(), Some(best));
}

#[test]
fn a_number_that_was_given_holds_where_nobody_has_the_written_one() {
    let host = Host::new();
    let nordlys = customer(&host, company("Nordlys AS"));
    let lead = host.add(company("Vik AS"));
    for written in ["N-0002", "nonsense", "77"] {
        let request = MatchRequest::default().number(1).written(written);
        let found = host.read(|ctx, txn| matching::search(ctx, txn, lead.id, &request));
        assert_eq!(found.accounts.iter().map(|one| one.id).collect::<Vec<_>>(), [nordlys], "{written}");
    }
}
