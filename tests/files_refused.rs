//! Files that are refused: too much, broken streams, hostile names, actors and tenants that may not.

use std::io::{self, Read, Write};

use leadcore::desk::files::{self, NewFile};
use leadcore::desk::{Expect, Listing};
use leadcore::domain::{FileFields, FileLimits};
use leadcore::error::{Error, ErrorKind, Result, ViolationCode};
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::store::{StoreExt, Txn};
use leadcore::testkit::dump;
use leadcore::testkit::fixtures::Scene;

use crate::files::{Office, content};
use crate::support::{fields_of, refused};

/// Says how much was read of it, and is as long as one wants.
struct Counted {
    left: usize,
    read: usize,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Odd pieces, as a network gives them.
        let n = buffer.len().min(self.left).min(65_521);
        buffer[..n].fill(7);
        self.left -= n;
        self.read += n;
        Ok(n)
    }
}

#[test]
fn what_is_too_much_is_refused_and_not_read_to_its_end() {
    for office in Office::both() {
        let lead = office.lead("Nordlys AS");
        let ctx = office.scene.ctx();
        let before = dump(&office.store, &office.scene.tenant);
        let mut source = Counted { left: 100 << 20, read: 0 };
        let error = refused(office.add_from(lead.id, "film.bin", &mut source), ErrorKind::Invalid);
        assert_eq!(
            (fields_of(&error), error.violations()[0].code),
            (vec!["content"], ViolationCode::TooLong)
        );
        assert_eq!(source.read, (25 << 20) + 1, "one byte behind the limit says enough");
        // Told beforehand, it is not read at all; of several, each is told.
        let limits = FileLimits::default().max_bytes(10).max_files_per_record(2);
        let mut sources = [10, 11, 12].map(|left| Counted { left, read: 0 });
        let [fits, long, longer] = &mut sources;
        let several = vec![
            NewFile::new("a", fits).size(10),
            NewFile::new("..", long).size(11),
            NewFile::new("c", longer).size(12),
        ];
        let mut several = Some(several);
        let refusal = office.store.write(&office.scene.tenant, |txn| {
            files::add_many(&ctx, txn, &[lead.id.into()], several.take().unwrap(), &limits)
        });
        let error = refused(refusal, ErrorKind::Invalid);
        assert_eq!(fields_of(&error), ["files[1].name", "files[1].content", "files[2].content", "about"]);
        assert!(sources.iter().all(|source| source.read == 0));
        // What was said is checked: a reader that stands at its end already is no empty file.
        let lied = office.store.write(&office.scene.tenant, |txn| {
            files::add(&ctx, txn, &[lead.id.into()], NewFile::new("a", &mut io::empty()).size(5), &limits)
        });
        assert_eq!(fields_of(&refused(lied, ErrorKind::Invalid)), ["content"]);
        assert_eq!(dump(&office.store, &office.scene.tenant), before);
        assert_eq!(office.kept(), [0; 3]);
    }
}

struct Broken<'r>(&'r [u8]);

impl Read for Broken<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::new(io::ErrorKind::ConnectionReset, "the line is dead")),
            n => Ok(n),
        }
    }
}

impl Write for Broken<'_> {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::new(io::ErrorKind::BrokenPipe, "nobody listens"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_broken_stream_leaves_nothing() {
    for office in Office::both() {
        let lead = office.lead("Nordlys AS");
        let ctx = office.scene.ctx();
        let bytes = content(300_000);
        let before = dump(&office.store, &office.scene.tenant);
        // Also where the host passes over the error and commits, and for all of several.
        let mut error = None;
        office
            .store
            .write(&office.scene.tenant, |txn| {
                let (mut good, mut broken) = (bytes.as_slice(), Broken(&bytes));
                let several = vec![NewFile::new("good", &mut good), NewFile::new("broken", &mut broken)];
                error = files::add_many(&ctx, txn, &[lead.id.into()], several, &FileLimits::default()).err();
                Ok(())
            })
            .unwrap();
        let error = error.expect("the line was dead");
        assert_eq!(error.kind(), ErrorKind::Storage);
        let cause = std::error::Error::source(&error).unwrap();
        assert_eq!(cause.downcast_ref::<io::Error>().unwrap().kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(dump(&office.store, &office.scene.tenant), before);
        assert_eq!(office.kept(), [0; 3]);
        // The way out may break as well.
        let file = office.add(lead.id, "good", &bytes).unwrap();
        let out =
            office.store.read(&office.scene.tenant, |txn| files::read(&ctx, txn, file.id, &mut Broken(&[])));
        refused(out, ErrorKind::Storage);
        assert_eq!(office.read(file.id).unwrap(), bytes);
    }
}

#[test]
fn hostile_names_are_shown_or_refused_and_never_followed() {
    for office in Office::both() {
        let lead = office.lead("Nordlys AS");
        for (given, shown) in [
            ("../../../leads.db", Some("leads.db")),
            ("/etc/passwd", Some("passwd")),
            (r"..\..\windows\system32\cmd.exe", Some("cmd.exe")),
            ("a.txt:hidden.exe", Some("a.txt_hidden.exe")),
            ("<script>alert(1)</script>.html", Some("script_.html")),
            ("'; DROP TABLE leadcore_file; --", Some("'; DROP TABLE leadcore_file; --")),
            ("%2e%2e%2fetc%2fpasswd", Some("%2e%2e%2fetc%2fpasswd")),
            ("..", None),
            ("", None),
            ("a\0.txt", None),
            ("a\r\nContent-Type: text/html", None),
            ("photo\u{202e}gpj.exe", None),
            ("COM1.txt", None),
            (&"x".repeat(256), None),
        ] {
            let added = office.add(lead.id, given, b"x");
            match shown {
                Some(shown) => assert_eq!(added.unwrap().fields.name, shown, "{given:?}"),
                None => assert_eq!(fields_of(&refused(added, ErrorKind::Invalid)), ["name"], "{given:?}"),
            }
        }
        assert_eq!(office.kept()[0], 1);
        let beside: Vec<_> = std::fs::read_dir(office.place())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with("leads.db"))
            .collect();
        assert_eq!(beside, if office.outside { vec!["files"] } else { Vec::new() });
    }
}

#[test]
fn files_are_seen_and_changed_by_who_may_and_by_no_other_tenant() {
    let office = Office::new(false);
    let lead = office.lead("Nordlys AS");
    let file = office.add(lead.id, "secret.txt", b"secret").unwrap();
    let roles = RoleTable::new()
        .role("viewer", Role::viewer())
        .role(
            "own",
            Role::new().grant(Permission::View, Visibility::Own).grant(Permission::Edit, Visibility::Own),
        )
        .user(&"vera".parse().unwrap(), &["viewer"], None)
        .unwrap()
        .user(&"otto".parse().unwrap(), &["own"], None)
        .unwrap();
    let stranger = Scene::new("globex");
    let limits = FileLimits::default();
    type Call<'c> = &'c dyn Fn(&leadcore::context::Context<'_>, &mut dyn Txn) -> Result<()>;
    let write: [Call<'_>; 3] = [
        &|ctx, txn| {
            files::add(ctx, txn, &[lead.id.into()], NewFile::new("a", &mut &b"a"[..]), &limits).map(drop)
        },
        &|ctx, txn| files::edit(ctx, txn, file.id, Expect::Any, &FileFields::named("b")).map(drop),
        &|ctx, txn| files::delete(ctx, txn, file.id, Expect::Any),
    ];
    let read: [Call<'_>; 4] = [
        &|ctx, txn| files::get(ctx, txn, file.id).map(drop),
        &|ctx, txn| files::read(ctx, txn, file.id, &mut Vec::new()).map(drop),
        &|ctx, txn| files::read_range(ctx, txn, file.id, 0, 9).map(drop),
        &|ctx, txn| files::of(ctx, txn, lead.id, &Listing::default()).map(drop),
    ];
    let before = dump(&office.store, &office.scene.tenant);
    let (vera, otto) = (office.scene.ctx_as("vera", &roles), office.scene.ctx_as("otto", &roles));
    for call in write {
        refused(office.store.write(&office.scene.tenant, |txn| call(&vera, txn)), ErrorKind::Denied);
        refused(office.store.write(&office.scene.tenant, |txn| call(&otto, txn)), ErrorKind::NotFound);
        refused(office.store.write(&stranger.tenant, |txn| call(&stranger.ctx(), txn)), ErrorKind::NotFound);
        let mixed: Result<(), Error> =
            office.store.write(&office.scene.tenant, |txn| call(&stranger.ctx(), txn));
        assert_eq!(fields_of(&refused(mixed, ErrorKind::Invalid)), ["tenant"]);
    }
    for call in read {
        office.store.read(&office.scene.tenant, |txn| call(&vera, txn)).unwrap();
        refused(office.store.read(&office.scene.tenant, |txn| call(&otto, txn)), ErrorKind::NotFound);
        refused(office.store.read(&stranger.tenant, |txn| call(&stranger.ctx(), txn)), ErrorKind::NotFound);
    }
    assert_eq!(dump(&office.store, &office.scene.tenant), before);
}
