//! What undo and purge ask of files.

use super::*;
use crate::context::Context;
use crate::desk::leads;
use crate::domain::{Actor, FileLimits, LeadFields};
use crate::error::ErrorKind;
use crate::id::SequentialIds;
use crate::memory::MemoryStore;
use crate::policy::AllowAll;
use crate::store::StoreExt;
use crate::time::ManualClock;

#[test]
fn a_removed_file_can_return_while_another_has_its_content() {
    let store = MemoryStore::new();
    let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
    let ctx = Context::new(&"acme".parse().unwrap(), Actor::System, &clock, &ids, &AllowAll);
    store
        .write(ctx.tenant(), |txn| {
            let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS").unwrap().into())?;
            let add = |txn: &mut dyn Txn| {
                let mut content = b"abc".as_slice();
                let file = NewFile::new("a", &mut content);
                add(&ctx, txn, &[lead.id.into()], file, &FileLimits::default())
            };
            let (one, two) = (add(txn)?, add(txn)?);
            assert!(FileRecord::can_return(txn, None, &one)?);
            delete(&ctx, txn, one.id, Expect::Any)?;
            assert!(FileRecord::can_return(txn, None, &one)?, "the other one keeps the content");
            children::add(&ctx, txn, &one)?;
            assert_eq!(get(&ctx, txn, one.id)?, one);
            delete(&ctx, txn, one.id, Expect::Any)?;
            delete(&ctx, txn, two.id, Expect::Any)?;
            assert!(!FileRecord::can_return(txn, None, &one)?, "the bytes are gone for good");
            assert_eq!(children::add(&ctx, txn, &one).unwrap_err().kind(), ErrorKind::NotFound);
            Ok(())
        })
        .unwrap();
}
