//! The store in memory passes the suite that every store must pass.
#![cfg(feature = "testkit")]

leadcore::conformance!(Box::new(leadcore::memory::MemoryStore::new()));
