//! A first-come-first-served lock with a time limit, for the one connection that writes.
//!
//! SQLite's own waiting is a lottery: under load one of eight processes waited 4.8 s for its turn. Inside a process
//! writers queue here and are served in order; only the front of the queue competes with other processes.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use leadcore::error::{Error, ErrorKind, Result};

/// One call's patience: when it began and when it must give up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    start: Instant,
    limit: Duration,
}

impl Patience {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { start: Instant::now(), limit }
    }

    pub(crate) fn waited(&self) -> Duration {
        self.start.elapsed()
    }

    pub(crate) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.start.elapsed())
    }

    /// The error for a wait that reached its limit.
    pub(crate) fn exhausted(&self) -> Error {
        let ms = self.waited().as_millis();
        Error::new(ErrorKind::Unavailable, format!("the database stayed busy for {ms} ms"))
    }

    /// Sleeps a little, longer with each `attempt`, never the same time twice in a row in two processes.
    /// `false` when the patience is used up.
    pub(crate) fn pause(&self, attempt: u32) -> bool {
        let left = self.left();
        if left.is_zero() {
            return false;
        }
        // 0.1 ms doubling to 0.4 ms, less than a commit: a longer pause would leave the place to whoever has just
        // finished and asks again.
        let most = Duration::from_micros(100 << attempt.min(2));
        std::thread::sleep((most / 2 + jitter(most / 2)).min(left));
        true
    }
}

/// A span below `most`, different in every process and call. Not random in any stronger sense.
fn jitter(most: Duration) -> Duration {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::from(since.subsec_nanos()));
    // One round of splitmix64 (Steele, Lea and Flood 2014) over what differs between processes and calls.
    let mut x = now ^ (u64::from(std::process::id()) << 32) ^ CALLS.fetch_add(1, Ordering::Relaxed);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    let nanos = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX).max(1);
    Duration::from_nanos(x % nanos)
}

#[derive(Debug, Default)]
struct Line {
    next: u64,
    waiting: VecDeque<u64>,
    holder: Option<ThreadId>,
}

/// A value that one thread at a time may use, in the order in which they asked.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    line: Mutex<Line>,
    turn: Condvar,
    value: Mutex<T>,
}

impl<T> Queue<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { line: Mutex::default(), turn: Condvar::new(), value: Mutex::new(value) }
    }

    /// Waits for this caller's turn.
    ///
    /// # Errors
    /// `Unavailable` when the patience ends first; `Unsupported` when this very thread holds the value already,
    /// because that wait would never end.
    pub(crate) fn enter(&self, patience: &Patience) -> Result<Turn<'_, T>> {
        let me = std::thread::current().id();
        let mut line = unpoisoned(self.line.lock());
        if line.holder == Some(me) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "this thread is inside a transaction of this database: use that one",
            ));
        }
        let ticket = line.next;
        line.next = line.next.wrapping_add(1);
        line.waiting.push_back(ticket);
        while line.holder.is_some() || line.waiting.front() != Some(&ticket) {
            let left = patience.left();
            if left.is_zero() {
                line.waiting.retain(|other| *other != ticket);
                drop(line);
                // Whoever stood behind may be first now.
                self.turn.notify_all();
                return Err(patience.exhausted());
            }
            line = self.turn.wait_timeout(line, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        line.waiting.pop_front();
        line.holder = Some(me);
        drop(line);
        Ok(Turn { queue: self, value: unpoisoned(self.value.lock()) })
    }

    /// The value, when nobody else can see the queue any more.
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.value.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to use the value until dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a, T> {
    queue: &'a Queue<T>,
    value: MutexGuard<'a, T>,
}

impl<T> Deref for Turn<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Turn<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        let mut line = unpoisoned(self.queue.line.lock());
        line.holder = None;
        // Waking nobody is a call into the kernel all the same.
        let awaited = !line.waiting.is_empty();
        drop(line);
        if awaited {
            self.queue.turn.notify_all();
        }
    }
}

/// A panic in one caller's closure must not close the database to all others: a transaction rolls back when it is
/// dropped, so what the lock protects is sound even then.
pub(crate) fn unpoisoned<T>(lock: Result<T, PoisonError<T>>) -> T {
    lock.unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn served_in_the_order_of_asking() {
        let queue = Arc::new(Queue::new(Vec::new()));
        let first = queue.enter(&Patience::new(LONG)).unwrap();
        let mut threads = Vec::new();
        for n in 0..8 {
            let other = Arc::clone(&queue);
            threads.push(std::thread::spawn(move || other.enter(&Patience::new(LONG)).unwrap().push(n)));
            while unpoisoned(queue.line.lock()).waiting.len() <= n {
                std::thread::yield_now();
            }
        }
        drop(first);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*queue.enter(&Patience::new(LONG)).unwrap(), (0..8).collect::<Vec<_>>());
    }

    #[test]
    fn a_wait_ends_and_leaves_the_line_moving() {
        let queue = Queue::new(());
        let held = queue.enter(&Patience::new(LONG)).unwrap();
        std::thread::scope(|scope| {
            let error = scope
                .spawn(|| queue.enter(&Patience::new(Duration::from_millis(20))).unwrap_err())
                .join()
                .unwrap();
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(error.to_string().contains("stayed busy for"), "{error}");
        });
        drop(held);
        assert!(queue.enter(&Patience::new(LONG)).is_ok());
    }

    #[test]
    fn the_holder_asking_again_is_told_at_once() {
        let queue = Queue::new(());
        let _held = queue.enter(&Patience::new(LONG)).unwrap();
        assert_eq!(queue.enter(&Patience::new(LONG)).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn a_panic_does_not_close_the_queue() {
        let queue = Queue::new(0);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            *queue.enter(&Patience::new(LONG)).unwrap() += 1;
            let _turn = queue.enter(&Patience::new(LONG)).unwrap();
            panic!("inside");
        }));
        assert!(outcome.is_err());
        assert_eq!(*queue.enter(&Patience::new(LONG)).unwrap(), 1);
    }
}
