//! Permissions are granted one by one (S1.02): none brings another with it.

use std::io::Cursor;

use leadcore::context::Context;
use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::{Expect, leads, vocabulary};
use leadcore::domain::{Field, Lead, LeadPatch};
use leadcore::error::{ErrorKind, Result};
use leadcore::exchange::export::{ExportFormat, ExportOptions, Extent, export};
use leadcore::exchange::import::{self, ImportOptions};
use leadcore::id::SourceId;
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::query::Filter;
use leadcore::store::StoreExt;
use leadcore::testkit::dump;

use crate::support::{Host, company, refused};

/// What each permission is for. An import also creates: it needs that grant beside its own.
const ALL: [(&[Permission], &str); 7] = [
    (&[Permission::Create], "create"),
    (&[Permission::Edit], "edit"),
    (&[Permission::Delete], "delete"),
    (&[Permission::Convert], "convert"),
    (&[Permission::Import, Permission::Create], "import"),
    (&[Permission::Export], "export"),
    (&[Permission::Configure], "configure"),
];

fn attempt(host: &Host, ctx: &Context<'_>, lead: &Lead, what: &str) -> Result<()> {
    let write = |work: &mut dyn FnMut(&mut dyn leadcore::store::Txn) -> Result<()>| {
        host.store.write(ctx.tenant(), |txn| work(txn))
    };
    match what {
        "create" => write(&mut |txn| leads::create(ctx, txn, company("Moss AS").into()).map(drop)),
        "edit" => {
            let patch = LeadPatch::new().set(Field::City, "Oslo");
            write(&mut |txn| leads::edit(ctx, txn, lead.id, Expect::Any, &patch).map(drop))
        }
        "delete" => write(&mut |txn| leads::delete(ctx, txn, lead.id, Expect::Any).map(drop)),
        "convert" => write(&mut |txn| {
            let plan = convert::plan(ctx, txn, lead.id, &ConversionOptions::default())?;
            convert::apply(ctx, txn, &plan).map(drop)
        }),
        "import" => {
            let file = Cursor::new("Company\nDal AS\n");
            import::run(ctx, &host.store, file, &ImportOptions::new(), None, &mut ()).map(drop)
        }
        "export" => host.store.read(ctx.tenant(), |txn| {
            let all = Extent::Filter(Filter::everything());
            export(ctx, txn, &all, &ExportOptions::new(ExportFormat::Csv), &mut Vec::new()).map(drop)
        }),
        _ => write(&mut |txn| vocabulary::add::<SourceId>(ctx, txn, "Fair", None).map(drop)),
    }
}

#[test]
fn s1_02_each_permission_is_a_grant_of_its_own() {
    for (granted, allowed) in ALL {
        let host = Host::new();
        let lead = host.add(company("Nordlys AS"));
        let role = granted.iter().fold(Role::viewer(), |role, one| role.grant(*one, Visibility::All));
        let policy =
            RoleTable::new().role("clerk", role).user(&"bob".parse().unwrap(), &["clerk"], None).unwrap();
        let ctx = host.scene.ctx_as("bob", &policy);
        let before = dump(&host.store, &host.scene.tenant);
        for (needs, what) in ALL {
            if !needs.iter().all(|one| granted.contains(one)) {
                refused(attempt(&host, &ctx, &lead, what), ErrorKind::Denied);
                assert_eq!(dump(&host.store, &host.scene.tenant), before, "{what} with {allowed}");
            }
        }
        attempt(&host, &ctx, &lead, allowed).unwrap_or_else(|error| panic!("{allowed}: {error}"));
        if allowed != "export" {
            assert_ne!(dump(&host.store, &host.scene.tenant), before, "{allowed}");
        }
    }
}
