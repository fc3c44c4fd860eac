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

type Work = Box<dyn FnOnce(&mut dyn Txn) + Send>;

enum Message {
    Work(Work),
    Savepoint(Sender<Result<()>>),
    End { commit: bool },
}

/// The line to the thread that holds the transaction.
struct Line {
    messages: Mutex<Sender<Message>>,
    /// How many levels are open: 1 is the transaction, more are savepoints in it.
    depth: AtomicUsize,
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
        let line = Line { messages: Mutex::new(messages), depth: AtomicUsize::new(1) };
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
        self.line.send(Message::Work(Box::new(move |txn| {
            let _ = answer.send(guarded(|| work(txn)));
        })))?;
        answered.recv().map_err(|_| ended())?
    }

    /// Ends this level and waits until that is done.
    pub(crate) fn end(&self, commit: bool) -> Result<()> {
        self.check_innermost()?;
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

/// Takes work until the level ends. A caller that is gone means a rollback.
fn serve(txn: &mut dyn Txn, inbox: &Receiver<Message>) -> Result<()> {
    loop {
        match inbox.recv() {
            Ok(Message::Work(work)) => work(txn),
            Ok(Message::Savepoint(end)) => {
                let result = txn.savepoint(&mut |txn| serve(txn, inbox));
                let _ = end.send(result);
            }
            Ok(Message::End { commit: true }) => return Ok(()),
            Ok(Message::End { commit: false }) | Err(_) => return Err(rolled_back()),
        }
    }
}
