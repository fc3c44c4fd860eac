//! Input that somebody made on purpose: it is taken literally or refused with a reason, and the store stays as it was.

use leadcore::desk::board::{self, BoardQuery};
use leadcore::desk::{accounts, contacts, convert, leads, timeline, vocabulary};
use leadcore::domain::{ContactFields, Field, FieldType, FieldValue, LeadFields, LeadPatch};
use leadcore::error::{Error, ErrorKind, ViolationCode};
use leadcore::id::{LabelId, SourceId, TenantId, UserId};
use leadcore::query::{Cursor, Filter, LeadQuery, Operator, Sort, SortField};
use leadcore::store::StoreExt;
use leadcore::time::{Clock, Timestamp};
use leadcore_sqlite::rusqlite::Connection;

use crate::support::{Host, company, fields_of, form, refused};

#[rustfmt::skip]
const SEARCHES: [&str; 50] = [
    "anna@x.org", "O'Neil", "AND", "OR", "NOT", "NEAR(", "NEAR(a b, 3)", "\"", "\"\"", "\"a", "%", "_", "%%", "a%b", "a_b",
    "*", "ann*", "^anna", "anna -x", "-", "--", "+47", "(", ")", "()", "{a b}", "search:", "search : anna", "rowid:1", "[a-z]",
    "?", "a?b", "\\", "\\\\", "'", "''", "';", ";", ",", ".", "🙂", "👩‍👩‍👧‍👦", "é", "e\u{301}", "ſ", "İ", "a", "1", "北京", "\u{202e}anna",
];

#[test]
fn fifty_searches_find_what_they_say() {
    let host = Host::new();
    let names = [
        "Anna Berg",
        "O'Neil & Sons",
        "Rock AND Roll",
        "100 % Organic",
        "a_b",
        "axb",
        "a%b",
        "(brackets) [a-z] {a b}",
        "Quote \"this\"",
        "back\\slash",
        "Smile 🙂 family 👩‍👩‍👧‍👦",
        "Café e\u{301}cole",
        "北京市",
        "--comment; DROP",
        "NEAR(a b, 3)",
        "search : anna",
        "İstanbul ſtraße",
        "? * ^ + -",
    ];
    for name in names {
        host.add(form(&[
            (Field::Company, name),
            (Field::Email, "anna@x.org"),
            (Field::Phone, "+47 22 33 44 55"),
        ]));
    }
    let all = host.read(|ctx, txn| leads::list(ctx, txn, &LeadQuery::default().limit(1_000))).items;
    let searches = SEARCHES.iter().map(|text| (*text).to_owned());
    let mut hits = 0;
    for text in searches.chain(["x".repeat(1_000), " ".repeat(900), "a ".repeat(400)]) {
        let filter = Filter::search(text.clone());
        // The reference says what a search means; the index must not disagree.
        let meant = filter.resolve(&host.ctx().asker()).unwrap();
        let expected = all.iter().filter(|lead| meant.matches(lead)).count();
        assert_eq!(host.names(filter.clone()).len(), expected, "{text:?}");
        assert_eq!(host.count(&filter), expected as u64, "{text:?}");
        hits += expected;
    }
    assert!(hits > 100, "{hits}");
    for (text, found) in
        [("O'Neil", "O'Neil & Sons"), ("a%b", "a%b"), ("a_b", "a_b"), ("near(a", "NEAR(a b, 3)")]
    {
        assert_eq!(host.names(Filter::search(text)), [found]);
    }
    let long = host.try_read(|ctx, txn| leads::count(ctx, txn, &Filter::search("x".repeat(1_001))));
    assert_eq!(refused(long, ErrorKind::Invalid).violations()[0].code, ViolationCode::TooLong);
}

/// Twenty ways to leave a text, ten ways to write each.
fn injections() -> Vec<String> {
    let payloads = [
        "'; DROP TABLE leadcore_lead; --",
        "\"; DROP TABLE leadcore_lead; --",
        "' OR '1'='1",
        "1 OR 1=1",
        "1; SELECT 1",
        "') UNION SELECT sql FROM sqlite_master --",
        "%' --",
        "\\'; --",
        "/* */ OR 1=1",
        "' || (SELECT 1) || '",
        "`; DROP TABLE leadcore_lead; --",
        "]; DROP TABLE leadcore_lead; --",
        "?1",
        ":tenant",
        "@p $p",
        "x'00'",
        "NULL",
        "'; PRAGMA writable_schema=ON; --",
        "'; ATTACH 'x' AS y; --",
        "tenant = 'acme' OR tenant",
    ];
    let variants: [fn(&str) -> String; 10] = [
        str::to_owned,
        str::to_lowercase,
        |text| format!("a{text}"),
        |text| format!("{text}\n--"),
        |text| text.replace('\'', "\u{2019}"),
        |text| text.replace('\'', "''"),
        |text| text.replace(' ', "\t"),
        |text| format!("\u{ff07}{text}"),
        |text| text.repeat(3),
        |text| format!("%27{text}%00"),
    ];
    payloads.iter().flat_map(|payload| variants.iter().map(|variant| variant(payload))).collect()
}

fn schema(host: &Host) -> String {
    let conn = Connection::open(host.file()).unwrap();
    let mut statement = conn.prepare("SELECT group_concat(name || sql, ';') FROM sqlite_master").unwrap();
    statement.query_row([], |row| row.get(0)).unwrap()
}

/// The answer, or a refusal that says why.
fn literal<T>(result: Result<T, Error>) -> Option<T> {
    result.inspect_err(|error| assert_eq!(error.kind(), ErrorKind::Invalid, "{error}")).ok()
}

/// The two usual operators, and now and then the others.
fn operators(round: usize) -> Vec<Operator> {
    let mut operators = vec![Operator::Eq, Operator::Contains];
    if round.is_multiple_of(7) {
        operators.extend([Operator::StartsWith, Operator::EndsWith, Operator::Gt]);
    }
    operators
}

#[test]
fn two_hundred_injections_are_text() {
    let host = Host::new();
    host.add(company("Bystander AS"));
    let before = schema(&host);
    let texts = injections();
    assert_eq!(texts.len(), 200);
    for (n, text) in texts.iter().enumerate() {
        let mut fields = LeadFields::default();
        for field in Field::ALL {
            // A reference or code that this is not is refused; text is kept.
            let _ = field.write(&mut fields, &FieldValue::from(text.as_str()));
        }
        assert_eq!(fields.company.as_deref(), Some(text.trim()));
        let lead = host.add(fields.clone());
        fields.owner = fields.owner.or_else(|| "ada".parse().ok());
        assert_eq!(host.get(&lead).fields, fields);
        for field in Field::ALL {
            let value = text.as_str();
            for op in operators(n) {
                let filter = Filter::new(field.clone(), op, value);
                let count = literal(host.try_read(|ctx, txn| leads::count(ctx, txn, &filter)));
                let is_text = field.field_type() == FieldType::Text && op != Operator::Gt;
                assert_eq!(count.is_some() && is_text, is_text, "{field} {op:?}");
                if let Some(count) = count {
                    assert!(
                        count <= n as u64 + 1,
                        "{field} {op:?} {text:?} matches the bystander too: {count}"
                    );
                }
            }
        }
        assert_eq!(host.count(&Filter::eq(Field::Id, lead.id)), 1);
        literal(host.try_read(|ctx, txn| leads::count(ctx, txn, &Filter::search(text.as_str()))));
        assert!(text.parse::<SortField>().is_err() && text.parse::<Field>().is_err());
        assert!(Cursor::from_text(text).is_err());
        let sort = Sort::ascending(SortField::Company);
        let cursor =
            Cursor { sort: sort.clone(), key: FieldValue::from(text.as_str()), id: lead.id, list: None };
        let query = LeadQuery::default().sort(sort).after(Some(cursor));
        literal(host.try_read(|ctx, txn| leads::list(ctx, txn, &query)));
        let term = host.try_write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, text, None));
        assert!(term.is_ok_and(|term| term.name == text.trim()) || text.len() > 200 || n % 10 > 0);
        if let Ok(tenant) = TenantId::new(text) {
            assert_eq!(
                host.store
                    .read(&tenant, |txn| txn.tallies().count(&leadcore::query::Resolved::everything()))
                    .unwrap(),
                0
            );
        }
        if let Ok(user) = UserId::new(text) {
            assert!(host.count(&Filter::eq(Field::Owner, user)) <= n as u64 + 1);
        }
    }
    assert_eq!(schema(&host), before, "the schema is as it was");
    assert_eq!(host.count(&Filter::everything()), 201);
    assert_eq!(host.names(Filter::eq(Field::Company, "bystander as")), ["Bystander AS"]);
}

#[test]
fn pages_have_an_end() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let huge = 1_000_000_000;
    let options = convert::ConversionOptions::default();
    let account = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options)).account.unwrap();
    for limit in [0, 1_001, huge, usize::MAX] {
        let query = LeadQuery::default().limit(limit);
        refused(host.try_read(|ctx, txn| leads::list(ctx, txn, &query)), ErrorKind::Invalid);
        refused(host.try_read(|ctx, txn| leads::trash(ctx, txn, &query)), ErrorKind::Invalid);
        refused(host.try_read(|ctx, txn| accounts::list(ctx, txn, None, limit)), ErrorKind::Invalid);
        let read = host.try_read(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, limit));
        refused(read, ErrorKind::Invalid);
        let read = host.try_read(|ctx, txn| timeline::of_account(ctx, txn, account, None, limit));
        refused(read, ErrorKind::Invalid);
    }
    let query = BoardQuery::default().cards(huge);
    refused(host.try_read(|ctx, txn| board::board(ctx, txn, &query)), ErrorKind::Invalid);
}

#[test]
fn deep_filters_are_refused_and_go_away() {
    let host = Host::new();
    host.add(company("Nordlys AS"));
    let json = format!("{}{}{}", "{\"not\":".repeat(10_000), "{\"all\":[]}", "}".repeat(10_000));
    assert!(serde_json::from_str::<Filter>(&json).is_err());
    let json = format!("{}{}{}", "{\"all\":[".repeat(10_000), "{\"any\":[]}", "]}".repeat(10_000));
    assert!(serde_json::from_str::<Filter>(&json).is_err());
    let wraps: [fn(Filter) -> Filter; 3] = [
        |inner| !inner,
        |inner| Filter::All(vec![inner]),
        |inner| Filter::Any(vec![Filter::nothing(), inner]),
    ];
    for wrap in wraps {
        let mut deep = Filter::everything();
        for _ in 0..200_000 {
            deep = wrap(deep);
        }
        let query = LeadQuery::new(deep);
        refused(host.try_read(|ctx, txn| leads::list(ctx, txn, &query)), ErrorKind::Invalid);
        refused(host.try_read(|ctx, txn| leads::count(ctx, txn, &query.filter)), ErrorKind::Invalid);
        let count = host.try_read(|ctx, txn| leads::count_by(ctx, txn, &query.filter, &Field::Stage));
        refused(count, ErrorKind::Invalid);
        let board_query = BoardQuery::default().filter(query.filter);
        refused(host.try_read(|ctx, txn| board::board(ctx, txn, &board_query)), ErrorKind::Invalid);
    }
    let wide = Filter::Any((0..10_001).map(|n| Filter::eq(Field::Number, n)).collect());
    refused(host.try_read(|ctx, txn| leads::count(ctx, txn, &wide)), ErrorKind::Invalid);
    let list: Vec<i64> = (0..10_001).collect();
    let wide = Filter::new(Field::Number, Operator::In, list);
    refused(host.try_read(|ctx, txn| leads::count(ctx, txn, &wide)), ErrorKind::Invalid);
    let fits = Filter::Any((0..4_900).map(|n| Filter::eq(Field::Number, n)).collect());
    assert_eq!(host.count(&fits), 1);
}

#[test]
fn values_have_an_end() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let huge = "x".repeat(5 << 20);
    for field in Field::ALL.iter().filter(|field| field.is_writable()) {
        let patch = LeadPatch::new().set(field.clone(), huge.as_str());
        let edit = host.try_write(|ctx, txn| leads::edit(ctx, txn, lead.id, lead.revision, &patch));
        assert_eq!(fields_of(&refused(edit, ErrorKind::Invalid)), [field.key()]);
    }
    // Past the parsers: fields that a host filled itself.
    let text = Some(huge.clone());
    let filled = [
        LeadFields { company: text.clone(), ..LeadFields::default() },
        LeadFields { job_title: text.clone(), ..company("A") },
        LeadFields { industry: text.clone(), ..company("A") },
        LeadFields { description: text.clone(), ..company("A") },
        LeadFields { currency_symbol: text.clone(), ..company("A") },
        LeadFields { company: Some("a\0b".to_owned()), ..LeadFields::default() },
        LeadFields { description: Some("a\0b".to_owned()), ..company("A") },
        LeadFields {
            labels: (0..10_000).map(|_| LabelId::from_uuid(host.scene.uuid())).collect(),
            ..company("A")
        },
        LeadFields { company: Some("  ".to_owned()), ..LeadFields::default() },
    ];
    for fields in filled {
        refused(
            host.try_write(|ctx, txn| leads::create(ctx, txn, fields.clone().into())),
            ErrorKind::Invalid,
        );
    }
    let person = ContactFields { description: text, ..ContactFields::named("Kari").unwrap() };
    let add = host.try_write(|ctx, txn| contacts::add(ctx, txn, lead.id, person.clone(), true));
    refused(add, ErrorKind::Invalid);
    let many = (0..51).map(|n| format!("a{n}@x.example")).collect::<Vec<_>>().join(",");
    let patch = LeadPatch::new().set(Field::Email, many.as_str());
    let edit = host.try_write(|ctx, txn| leads::edit(ctx, txn, lead.id, lead.revision, &patch));
    refused(edit, ErrorKind::Invalid);
    let term = host.try_write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, &huge, None));
    refused(term, ErrorKind::Invalid);
    for op in [Operator::Eq, Operator::Contains] {
        let filter = Filter::new(Field::Company, op, huge.as_str());
        assert_eq!(literal(host.try_read(|ctx, txn| leads::count(ctx, txn, &filter))).unwrap_or(0), 0);
    }
    let search = host.try_read(|ctx, txn| leads::count(ctx, txn, &Filter::search(huge.as_str())));
    refused(search, ErrorKind::Invalid);
    assert_eq!(host.get(&lead), lead);
    assert_eq!(host.count(&Filter::everything()), 1);
}

#[test]
fn time_has_a_beginning_and_an_end() {
    for (edge, days) in [(Timestamp::MIN, -4_000_000), (Timestamp::MAX, 4_000_000)] {
        let mut host = Host::new();
        host.scene.clock.advance(chrono::TimeDelta::days(days));
        assert_eq!(host.scene.clock.now(), edge);
        let lead = host.write(|ctx, txn| leads::create(ctx, txn, company("Nordlys AS").into()));
        host.restart();
        assert_eq!((host.get(&lead).created_at, host.get(&lead).id), (edge, lead.id));
        for op in [Operator::LastDays, Operator::NextDays] {
            for days in [0, 1, i64::MAX] {
                assert_eq!(host.count(&Filter::new(Field::CreatedAt, op, days)), 1, "{op:?} {days}");
            }
        }
        assert_eq!(host.count(&Filter::new(Field::CreatedAt, Operator::OlderThanDays, i64::MAX)), 0);
        assert_eq!(host.count(&Filter::eq(Field::CreatedAt, edge)), 1);
        let options = convert::ConversionOptions::default();
        let done = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options));
        let log = host.read(|ctx, txn| timeline::of_account(ctx, txn, done.account.unwrap(), None, 100));
        assert!(log.items.iter().all(|item| item.entry.at == edge));
        let sort = Sort::descending(SortField::CreatedAt);
        let query = LeadQuery::default().sort(sort.clone()).after(Some(Cursor::behind(&lead, &sort)));
        assert!(host.read(|ctx, txn| leads::list(ctx, txn, &query)).items.is_empty());
    }
}
