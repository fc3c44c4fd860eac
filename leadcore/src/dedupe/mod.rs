//! Who may be the same. Pure decisions over records that somebody else found; the desk asks the store.

pub mod matching;
