//! One change to every open lead, and taking it back.

use std::path::Path;
use std::time::Duration;

use leadcore::desk::mass::{self, Change, Selection};
use leadcore::prelude::*;

use crate::bare_write;
use crate::fixture::Full;
use crate::runner::{Line, timed};
use crate::writes::line;

fn on_the_wall(ours: Duration, theirs: Duration) -> String {
    format!("on the wall {:.2} and {:.2} s", ours.as_secs_f64(), theirs.as_secs_f64())
}

/// Once each: the leads of a copy are all changed then.
pub(crate) fn run(full: &Full, dir: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<Line> {
    if !wanted("mass") {
        return Vec::new();
    }
    let (ours, theirs) = (full.copy(dir, "mass"), full.copy(dir, "mass-bare"));
    let ctx = ours.scene.ctx();
    let change = Change::Edit(LeadPatch::new().set(Field::Industry, "Shipbuilding"));
    let open = Selection::filter(Filter::eq(Field::State, "open"));
    let (done, cpu, wall) =
        timed(|| ours.store.write(ctx.tenant(), |txn| mass::run(&ctx, txn, &open, &change)).unwrap());
    let ((operation, changed), bare_cpu, bare_wall) =
        timed(|| bare_write::mass_edit(&theirs.bare, "Shipbuilding"));
    assert_eq!(done.totals.done, u64::try_from(changed).unwrap());
    let note = on_the_wall(wall, bare_wall);
    let edit = line("mass edit of every open lead", full, cpu.as_secs_f64(), bare_cpu.as_secs_f64(), note);
    let id = done.operation.unwrap();
    let (undone, cpu, wall) =
        timed(|| ours.store.write(ctx.tenant(), |txn| desk::undo::undo(&ctx, txn, id)).unwrap());
    let (changed, bare_cpu, bare_wall) = timed(|| bare_write::undo(&theirs.bare, operation));
    assert_eq!(undone.totals.reversed, u64::try_from(changed).unwrap());
    let note = on_the_wall(wall, bare_wall);
    let undo = line("undo of the mass edit", full, cpu.as_secs_f64(), bare_cpu.as_secs_f64(), note);
    vec![edit, undo]
}
