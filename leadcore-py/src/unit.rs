//! A transaction that stays open across calls: `with db.transaction():`.
//!
//! A store lends a transaction to a closure. Here a thread of its own runs that closure, which takes one piece of work
//! after the other until it is told to end; so it works with every store, without a lifetime that Python cannot keep.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use leadcore::error::{Error, ErrorKind, Result, ViolationCode};
use leadcore::id::TenantId;
use leadcore::store::Txn;

use crate::engine::{Backend, guarded};

type Work = Box<dyn FnOnce(&mut dyn Txn, &Receiver<Message>) + Send>;

/// What the thread that waits for a piece of work answers it.
pub(crate) type Answer = Result<Option<String>>;

enum Message {
    Work(Work),
    Savepoint(Sender<Result<()>>),
    Answer(Answer),
    End { commit: bool },
}

/// The line to the thread that holds the transaction.
struct Line {
    messages: Mutex<Sender<Message>>,
    /// How many levels are open: 1 is the transaction, more are savepoints in it.
    depth: AtomicUsize,
    /// The level in which a piece of work waits for an answer; 0 when none does. It cannot end meanwhile.
    asking: AtomicUsize,
}

impl Line {
    fn send(&self, message: Message) -> Result<()> {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.send(message).map_err(|_| ended())
    }
}

/// One open level: the transaction itself, or a savepoint in it. Dropped without an end, it is rolled back.
pub(crate) struct Unit {
    line: Arc<Line>,
    level: usize,
    ended: Mutex<Option<Receiver<Result<()>>>>,
}

impl std::fmt::Debug for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unit").field("level", &self.level).finish_non_exhaustive()
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::Unsupported, "the transaction has ended")
}

fn rolled_back() -> Error {
    Error::new(ErrorKind::Cancelled, "rolled back")
}

impl Unit {
    /// Begins a transaction and waits until the store has given it.
    pub(crate) fn begin(backend: Arc<Backend>, tenant: TenantId) -> Result<Self> {
        let (messages, inbox) = channel();
        let (begun, has_begun) = channel();
        let (end, ended) = channel();
        let hold = move || {
            let result = guarded(|| {
                let mut first = true;
                backend.store().write_with(&tenant, &mut |txn| {
                    if !std::mem::take(&mut first) {
                        // What was done in it is known to the caller only.
                        return Err(Error::new(ErrorKind::Unavailable, "the store gave up the transaction"));
                    }
                    // Whoever waits for it may be gone; then `serve` ends at once.
                    let _ = begun.send(());
                    serve(txn, &inbox)
                })
            });
            let _ = end.send(result);
        };
        let name = "leadcore transaction".to_owned();
        thread::Builder::new().name(name).spawn(hold).map_err(|error| {
            Error::new(ErrorKind::Unavailable, "no thread for the transaction").with_source(error)
        })?;
        if has_begun.recv().is_err() {
            return Err(ended.recv().map_err(|_| ended_early())?.err().unwrap_or_else(ended_early));
        }
        let (depth, asking) = (AtomicUsize::new(1), AtomicUsize::new(0));
        let line = Line { messages: Mutex::new(messages), depth, asking };
        Ok(Self { line: Arc::new(line), level: 1, ended: Mutex::new(Some(ended)) })
    }

    /// Begins a savepoint inside this level.
    pub(crate) fn savepoint(&self) -> Result<Self> {
        self.check_innermost()?;
        let (end, ended) = channel();
        self.line.send(Message::Savepoint(end))?;
        let level = self.line.depth.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(Self { line: Arc::clone(&self.line), level, ended: Mutex::new(Some(ended)) })
    }

    /// Runs `work` in the transaction and waits for what it says.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Txn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if self.ended.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            return Err(ended());
        }
        let (answer, answered) = channel();
        self.line.send(Message::Work(Box::new(move |txn, _| {
            let _ = answer.send(guarded(|| work(txn)));
        })))?;
        answered.recv().map_err(|_| ended())?
    }

    /// Runs `work` in the transaction, and on this thread answers what it asks. An answer may use the transaction itself.
    pub(crate) fn run_asking<T: Send + 'static, Q: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Txn, &Asking<'_, Q>) -> Result<T> + Send + 'static,
        mut answer: impl FnMut(Q) -> Answer,
    ) -> Result<T> {
        if self.ended.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            return Err(ended());
        }
        let (told, events) = channel();
        self.line.send(Message::Work(Box::new(move |txn, inbox| {
            let ask = |question| told.send(Event::Asked(question)).map_err(|_| ended());
            let done = guarded(|| work(txn, &Asking { inbox, ask: &ask }));
            let _ = told.send(Event::Done(done));
        })))?;
        loop {
            match events.recv().map_err(|_| ended())? {
                Event::Done(done) => return done,
                Event::Asked(question) => {
                    let outer = self.line.asking.swap(self.level, Ordering::SeqCst);
                    let answer = guarded(|| answer(question));
                    self.line.asking.store(outer, Ordering::SeqCst);
                    self.line.send(Message::Answer(answer))?;
                }
            }
        }
    }

    /// Ends this level and waits until that is done.
    pub(crate) fn end(&self, commit: bool) -> Result<()> {
        self.check_innermost()?;
        if self.line.asking.load(Ordering::SeqCst) >= self.level {
            let message = "a target of a conversion is at work in this transaction";
            return Err(Error::invalid_field("transaction", ViolationCode::NotAllowed, message));
        }
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(ended) = ended else { return Err(self::ended()) };
        self.line.send(Message::End { commit })?;
        self.line.depth.fetch_sub(1, Ordering::SeqCst);
        match ended.recv().map_err(|_| ended_early())? {
            Err(error) if !commit && error.kind() == ErrorKind::Cancelled => Ok(()),
            result => result,
        }
    }

    fn check_innermost(&self) -> Result<()> {
        match self.line.depth.load(Ordering::SeqCst) {
            0 => Err(ended()),
            depth if depth == self.level => Ok(()),
            _ => Err(Error::invalid_field(
                "transaction",
                ViolationCode::NotAllowed,
                "a transaction inside this one is still open",
            )),
        }
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        // Only an open level is still waiting for its end. Nobody is told: this is the way out of an error.
        let open = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        if open.is_some() && self.line.send(Message::End { commit: false }).is_ok() {
            self.line.depth.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

fn ended_early() -> Error {
    Error::new(ErrorKind::Internal, "the transaction ended without an answer")
}

/// What happens to a piece of work that asks.
enum Event<T, Q> {
    Asked(Q),
    Done(Result<T>),
}

/// The way from a piece of work to the thread that waits for it.
pub(crate) struct Asking<'a, Q> {
    inbox: &'a Receiver<Message>,
    ask: &'a dyn Fn(Q) -> Result<()>,
}

impl<Q> std::fmt::Debug for Asking<'_, Q> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asking").finish_non_exhaustive()
    }
}

impl<Q> Asking<'_, Q> {
    /// Asks, and until the answer comes does what is sent to the transaction.
    pub(crate) fn ask(&self, txn: &mut dyn Txn, question: Q) -> Answer {
        (self.ask)(question)?;
        loop {
            match self.inbox.recv() {
                Ok(Message::Answer(answer)) => return answer,
                Ok(Message::Work(work)) => work(txn, self.inbox),
                Ok(Message::Savepoint(end)) => savepoint(txn, self.inbox, &end),
                Ok(Message::End { .. }) | Err(_) => return Err(rolled_back()),
            }
        }
    }
}

/// Takes work until the level ends. A caller that is gone means a rollback.
fn serve(txn: &mut dyn Txn, inbox: &Receiver<Message>) -> Result<()> {
    loop {
        match inbox.recv() {
            Ok(Message::Work(work)) => work(txn, inbox),
            Ok(Message::Savepoint(end)) => savepoint(txn, inbox, &end),
            // Nobody asked: whoever did is gone.
            Ok(Message::Answer(_)) => {}
            Ok(Message::End { commit: true }) => return Ok(()),
            Ok(Message::End { commit: false }) | Err(_) => return Err(rolled_back()),
        }
    }
}

fn savepoint(txn: &mut dyn Txn, inbox: &Receiver<Message>, end: &Sender<Result<()>>) {
    let result = txn.savepoint(&mut |txn| serve(txn, inbox));
    let _ = end.send(result);
}
