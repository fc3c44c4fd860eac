//! What a host makes of a conversion: in the same unit of work, or elsewhere, once.

use std::cell::RefCell;
use std::num::NonZeroUsize;

use leadcore::desk::convert::{
    self, ConversionOptions, ConversionOutcome, ConversionPlan, ConversionTarget, CustomerType, Document,
    LeadConversion, LeadConverted,
};
use leadcore::desk::mass::Selection;
use leadcore::desk::outbox::{self, What};
use leadcore::desk::{accounts, leads, timeline};
use leadcore::domain::{Field, Lead};
use leadcore::error::{Conflict, Error, ErrorKind, Result};
use leadcore::id::LeadId;
use leadcore::query::Filter;
use leadcore::store::Txn;
use leadcore::testkit::dump;
use leadcore_sqlite::SqliteTxn;
use leadcore_sqlite::rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{converted, worked};
use crate::support::{Host, company, fields_of, refused};

/// The clients of a host, in a table beside ours, within its own transaction.
#[derive(Debug)]
struct Clients<'t> {
    tx: &'t Transaction<'t>,
    fails: bool,
}

impl ConversionTarget for Clients<'_> {
    fn name(&self) -> &str {
        "client"
    }

    fn create(
        &self,
        _: &mut dyn Txn,
        made: &ConversionOutcome,
        plan: &ConversionPlan,
    ) -> Result<Option<String>> {
        let name = plan.account.fields().map(|fields| fields.name.clone());
        self.tx.execute("INSERT INTO client VALUES (?1, ?2)", (made.lead.to_string(), name)).unwrap();
        if self.fails {
            return Err(Error::new(ErrorKind::Unavailable, "the client table is closed for the night"));
        }
        Ok(Some(self.tx.last_insert_rowid().to_string()))
    }

    fn withdraw(&self, _: &mut dyn Txn, _: &ConversionOutcome, reference: &str) -> Result<()> {
        self.tx.execute("DELETE FROM client WHERE rowid = ?1", [reference]).unwrap();
        Ok(())
    }
}

fn clients(conn: &Connection) -> i64 {
    conn.query_row("SELECT count(*) FROM client", [], |row| row.get(0)).unwrap()
}

fn opened(host: &Host) -> Connection {
    let conn = Connection::open(host.file()).unwrap();
    conn.execute_batch("PRAGMA foreign_keys = ON; CREATE TABLE client (lead TEXT, name TEXT)").unwrap();
    conn
}

fn apply(host: &Host, conn: &mut Connection, lead: &Lead, fails: bool) -> Result<ConversionOutcome> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    let done = {
        let mut txn = SqliteTxn::on(&tx, &host.scene.tenant);
        let ctx = host.ctx();
        let plan = convert::plan(&ctx, &mut txn, lead.id, &ConversionOptions::default())?;
        convert::apply_with(&ctx, &mut txn, &plan, &[&Clients { tx: &tx, fails }])
    };
    match done {
        Ok(done) => {
            tx.commit().unwrap();
            Ok(done)
        }
        Err(error) => {
            tx.rollback().unwrap();
            Err(error)
        }
    }
}

#[test]
fn a_hosts_target_is_written_with_the_conversion_or_neither_is() {
    let host = Host::new();
    let lead = worked(&host);
    let mut conn = opened(&host);
    let before = dump(&host.store, &host.scene.tenant);
    refused(apply(&host, &mut conn, &lead, true), ErrorKind::Unavailable);
    assert_eq!(
        (clients(&conn), dump(&host.store, &host.scene.tenant)),
        (0, before),
        "a failing port leaves nothing"
    );
    let done = apply(&host, &mut conn, &lead, false).unwrap();
    assert_eq!(
        (clients(&conn), done.host[0].target.as_str(), done.host[0].reference.as_str()),
        (1, "client", "1")
    );
    let again = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    assert_eq!(again.host, done.host, "the first outcome names the client");
    // Back: not without the host, and with it.
    let error =
        refused(host.try_write(|ctx, txn| convert::unconvert(ctx, txn, lead.id)), ErrorKind::Conflict);
    assert_eq!(error.conflict(), Some(&Conflict::Blocked { by: 1 }));
    let plan = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id));
    assert_eq!(plan.host, done.host);
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    {
        let mut txn = SqliteTxn::on(&tx, &host.scene.tenant);
        let target = Clients { tx: &tx, fails: false };
        convert::apply_unconvert_with(&host.ctx(), &mut txn, &plan, &[&target]).unwrap();
    }
    tx.commit().unwrap();
    assert_eq!(clients(&conn), 0);
    assert!(host.get(&lead).conversion.is_none());
}

/// A host's clients, of which one has no place.
#[derive(Debug)]
struct Picky<'t> {
    clients: Clients<'t>,
    refuses: LeadId,
    with: ErrorKind,
}

impl ConversionTarget for Picky<'_> {
    fn name(&self) -> &str {
        self.clients.name()
    }

    fn create(
        &self,
        txn: &mut dyn Txn,
        made: &ConversionOutcome,
        plan: &ConversionPlan,
    ) -> Result<Option<String>> {
        let reference = self.clients.create(txn, made, plan)?;
        if made.lead == self.refuses {
            return Err(Error::new(self.with, "the client table is closed for the night"));
        }
        Ok(reference)
    }

    fn withdraw(&self, txn: &mut dyn Txn, made: &ConversionOutcome, reference: &str) -> Result<()> {
        self.clients.withdraw(txn, made, reference)
    }
}

/// Converts all open leads with two tables of the host's, in batches of its own transactions, of which the second refuses a lead.
fn convert_all(
    host: &Host,
    conn: &mut Connection,
    refuses: LeadId,
    with: ErrorKind,
    batch: usize,
) -> Result<Vec<LeadConversion>> {
    let (ctx, open) = (host.ctx(), Selection::filter(Filter::eq(Field::State, "open")));
    let batch = NonZeroUsize::new(batch).unwrap();
    let mut results = Vec::new();
    let options = ConversionOptions::default();
    for part in host.read(|ctx, txn| convert::parts(ctx, txn, &open, &options, batch)) {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        let done = {
            let clients = || Clients { tx: &tx, fails: false };
            let picky = Picky { clients: clients(), refuses, with };
            let mut txn = SqliteTxn::on(&tx, &host.scene.tenant);
            convert::part_with(&ctx, &mut txn, &part, &options, &[&clients(), &picky])?
        };
        tx.commit().unwrap();
        results.extend(done.results);
    }
    Ok(results)
}

/// What a target has against one lead leaves nothing of that lead, and does not stop the others.
#[test]
fn x_08_many_leads_with_a_hosts_target_each_for_itself() {
    for batch in [1, 2, 100] {
        let host = Host::new();
        let ids: Vec<_> = (0..4).map(|n| host.add(company(&format!("Lead {n}"))).id).collect();
        let mut conn = opened(&host);
        let history = |id| host.read(|ctx, txn| timeline::of_lead(ctx, txn, id, None, 100));
        let before = (host.read(|ctx, txn| leads::get(ctx, txn, ids[1])), history(ids[1]));
        let done = convert_all(&host, &mut conn, ids[1], ErrorKind::Unavailable, batch).unwrap();
        let LeadConverted::TargetFailed(why) = &done[1].outcome else { panic!("{:?}", done[1]) };
        assert_eq!((why.target.as_str(), why.kind), ("client", ErrorKind::Unavailable));
        assert_eq!(why.message, "the client table is closed for the night");
        assert_eq!(why.made.len(), 1, "the first target had made its row");
        assert_eq!(clients(&conn), 6, "two rows for each of three leads");
        assert_eq!(
            (host.read(|ctx, txn| leads::get(ctx, txn, ids[1])), history(ids[1])),
            before,
            "nothing is left of it"
        );
        let numbers: Vec<_> = host.read(|ctx, txn| accounts::list(ctx, txn, None, 10)).items;
        assert_eq!(numbers.iter().map(|account| account.number).collect::<Vec<_>>(), [1, 2, 3]);
        let made: Vec<_> = done.iter().map(|one| matches!(&one.outcome, LeadConverted::Done(_))).collect();
        assert_eq!(made, [true, false, true, true]);
        let json = serde_json::to_string(&done[1]).unwrap();
        assert_eq!(serde_json::from_str::<LeadConversion>(&json).unwrap(), done[1]);
        // Once the host has room the same call goes on.
        let stranger = LeadId::from_uuid(host.scene.uuid());
        let rest = convert_all(&host, &mut conn, stranger, ErrorKind::Unavailable, batch).unwrap();
        assert_eq!((rest.len(), clients(&conn)), (1, 8));
        assert!(matches!(&rest[0].outcome, LeadConverted::Done(done) if done.host.len() == 2));
    }
}

/// `Cancelled` is the host's way to end the call; a store that is broken ends it too.
#[test]
fn a_target_that_cancels_ends_the_whole_call() {
    for with in [ErrorKind::Cancelled, ErrorKind::Storage, ErrorKind::Corrupt, ErrorKind::Internal] {
        let host = Host::new();
        let ids: Vec<_> = (0..4).map(|n| host.add(company(&format!("Lead {n}"))).id).collect();
        let mut conn = opened(&host);
        let before = dump(&host.store, &host.scene.tenant);
        refused(convert_all(&host, &mut conn, ids[1], with, 100), with);
        assert_eq!((clients(&conn), dump(&host.store, &host.scene.tenant)), (0, before));
        refused(convert_all(&host, &mut conn, ids[2], with, 2), with);
        assert_eq!(clients(&conn), 4, "the batch before it stays");
    }
}

#[test]
fn what_lives_elsewhere_is_delivered_once() {
    let mut host = Host::new();
    let leads: Vec<_> = (0..3).map(|n| host.add(company(&format!("Lead {n}")))).collect();
    let options = ConversionOptions::default().customer(CustomerType::ActiveWithInvoice);
    for lead in &leads {
        host.scene.tick();
        host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options));
    }
    host.write(|ctx, txn| convert::unconvert(ctx, txn, leads[1].id));
    // The other side keeps the key with what it made.
    let made: RefCell<Vec<(leadcore::id::OperationId, bool)>> = RefCell::default();
    let calls = RefCell::new(0);
    let deliver = |host: &Host, fails_at: usize| {
        outbox::deliver(&host.ctx(), &host.store, "erp", &mut |event| {
            *calls.borrow_mut() += 1;
            let is_new = !made.borrow().iter().any(|(key, _)| *key == event.key);
            if is_new {
                let invoiced = match &event.what {
                    What::Converted(done) => done.document == Some(Document::Invoice),
                    _ => false,
                };
                made.borrow_mut().push((event.key, invoiced));
            }
            // It was made, and the answer got lost.
            if *calls.borrow() == fails_at {
                return Err(Error::new(ErrorKind::Unavailable, "the line is cut"));
            }
            Ok(())
        })
        .unwrap()
    };
    let first = deliver(&host, 2);
    assert_eq!((first.events, first.stopped.unwrap().kind()), (1, ErrorKind::Unavailable));
    host.restart();
    let second = deliver(&host, 0);
    assert_eq!((second.events, second.stopped.is_none()), (3, true), "from where it was cut");
    let kinds: Vec<_> = made.borrow().iter().map(|(_, invoiced)| *invoiced).collect();
    assert_eq!((*calls.borrow(), kinds), (5, vec![true, true, true, false]), "each once, in order");
    assert_eq!(deliver(&host, 0).events, 0);
    // Another consumer has its own place; one that starts now has nothing behind it.
    host.write(|ctx, txn| outbox::start_now(ctx, txn, "mailer"));
    assert_eq!(host.read(|ctx, txn| outbox::poll(ctx, txn, "mailer", 10)).events.len(), 0);
    let lead = host.add(company("Late AS"));
    converted(&host, &lead);
    let batch = host.read(|ctx, txn| outbox::poll(ctx, txn, "mailer", 10));
    assert_eq!(batch.events.len(), 1);
    host.write(|ctx, txn| outbox::acknowledge(ctx, txn, "mailer", &batch.events[0]));
    host.write(|ctx, txn| outbox::acknowledge(ctx, txn, "mailer", &batch.events[0]));
    assert_eq!(host.read(|ctx, txn| outbox::poll(ctx, txn, "mailer", 10)).events.len(), 0);
}

#[test]
fn what_is_not_committed_is_not_delivered() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let failed: Result<()> = host.try_write(|ctx, txn| {
        convert::convert(ctx, txn, lead.id, &ConversionOptions::default())?;
        Err(Error::not_found("nothing"))
    });
    refused(failed, ErrorKind::NotFound);
    assert_eq!(host.read(|ctx, txn| outbox::poll(ctx, txn, "erp", 10)).events.len(), 0);
}

#[test]
fn events_are_acknowledged_in_their_order() {
    let host = Host::new();
    for name in ["First AS", "Second AS"] {
        let lead = host.add(company(name));
        converted(&host, &lead);
    }
    let batch = host.read(|ctx, txn| outbox::poll(ctx, txn, "erp", 10));
    let error = host.try_write(|ctx, txn| outbox::acknowledge(ctx, txn, "erp", &batch.events[1]));
    assert_eq!(fields_of(&refused(error, ErrorKind::Invalid)), ["key"]);
    let error = host.try_read(|ctx, txn| outbox::poll(ctx, txn, "No name", 10));
    assert_eq!(fields_of(&refused(error, ErrorKind::Invalid)), ["consumer"]);
}
