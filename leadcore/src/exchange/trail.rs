//! Where a record that was given up would have gone on.
//!
//! A record that never ends is given up, and reading goes on at the next line. In a file of which every line leaves a quote
//! open, as `"Oslo","Bergen` does between lines of its kind, that line's record never ends either: without memory, each
//! line would be walked as far as the one before it, ten thousand lines again and again. But two walks that are inside
//! quotes at the same line break, in a cell that began at the same place, are one from there on. So the line breaks that the
//! last walk met inside quotes are remembered, and how it ended: whoever comes to one of them need not walk it again.

use std::collections::VecDeque;

use super::scan::{Counts, Fault};

/// So many line breaks are remembered of one record; behind them, lines are walked as if nothing were known.
const MOST: usize = 100_000;

/// A line break inside quotes.
#[derive(Debug, Clone, Copy)]
struct Break {
    at: u64,
    /// Where its cell began.
    cell: u64,
    /// What the walk had counted up to it.
    counts: Counts,
}

/// Where a walk stands in its file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) at: u64,
    /// Where the cell there began.
    pub(super) cell: u64,
    pub(super) counts: Counts,
}

/// How the walk ended that was given up.
#[derive(Debug, Clone, Copy)]
struct End<S> {
    fault: Fault,
    place: Place,
    state: S,
}

/// What a walk that came to a known line break makes of it.
#[derive(Debug)]
pub(super) enum Ahead<S> {
    /// Nothing is known.
    Unknown,
    /// It ends as the one before did, with these counts.
    Broken(Fault, Counts),
    /// It may go on where that one stopped, in the state in which it was.
    GoOn(Place, S),
}

/// The memory of the last walk that was given up, and of the one that goes on. Places count from the file's first byte.
#[derive(Debug)]
pub(super) struct Trail<S> {
    breaks: VecDeque<Break>,
    end: Option<End<S>>,
    /// Whether the walk that goes on has joined the one that was given up, and what that one had counted more.
    joined: Option<Counts>,
    /// Knows nothing ever: what is read must be the same.
    #[cfg(test)]
    pub(super) off: bool,
}

impl<S> Default for Trail<S> {
    fn default() -> Self {
        Self {
            breaks: VecDeque::new(),
            end: None,
            joined: None,
            #[cfg(test)]
            off: false,
        }
    }
}

impl<S: Copy> Trail<S> {
    /// A walk begins.
    pub(super) fn begin(&mut self, at: u64) {
        self.joined = None;
        while self.breaks.front().is_some_and(|known| known.at < at) {
            self.breaks.pop_front();
        }
        if self.breaks.is_empty() {
            self.end = None;
        }
        #[cfg(test)]
        if self.off {
            self.forget();
        }
    }

    /// The walk is inside quotes at a line break.
    pub(super) fn meet(&mut self, here: Place) -> Ahead<S> {
        if self.joined.is_none()
            && let Some(end) = self.end
        {
            if here.at <= end.place.at {
                return self.join(here, end);
            }
            self.forget();
        }
        if self.breaks.len() < MOST {
            let counts = self.joined.map_or(here.counts, |more| here.counts.plus(more));
            self.breaks.push_back(Break { at: here.at, cell: here.cell, counts });
        }
        Ahead::Unknown
    }

    fn join(&mut self, here: Place, end: End<S>) -> Ahead<S> {
        let place = self.breaks.partition_point(|known| known.at < here.at);
        let known = self.breaks.get(place).filter(|known| known.at == here.at && known.cell == here.cell);
        let Some(known) = known.copied() else { return Ahead::Unknown };
        let counts = here.counts.plus(end.place.counts.minus(known.counts));
        match end.fault {
            // These do not depend on where the record began.
            Fault::UnclosedQuote | Fault::CellTooLarge => Ahead::Broken(end.fault, counts),
            Fault::RecordTooLarge | Fault::TooManyLines => {
                self.joined = Some(known.counts.minus(here.counts));
                Ahead::GoOn(Place { counts, ..end.place }, end.state)
            }
        }
    }

    /// The walk found the end of its record.
    pub(super) fn found(&mut self) {
        // One that neither joined nor came to a line break in quotes changes nothing about what lies behind it.
        if self.joined.is_some() || self.end.is_none() {
            self.forget();
        }
    }

    /// The walk was given up.
    pub(super) fn give_up(&mut self, fault: Fault, place: Place, state: S) {
        if self.end.is_none() || self.joined.is_some() {
            let counts = self.joined.map_or(place.counts, |more| place.counts.plus(more));
            self.end = Some(End { fault, place: Place { counts, ..place }, state });
        }
    }

    fn forget(&mut self) {
        self.breaks.clear();
        self.end = None;
        self.joined = None;
    }
}
