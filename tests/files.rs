//! Files of leads, contacts and accounts, and attachments of notes (S0.29, S0.30), with their content in the database and
//! in a directory.

use std::io::Read;
use std::path::{Path, PathBuf};

use leadcore::desk::files::{self, NewFile};
use leadcore::desk::{Expect, Listing, activities, contacts, convert, leads, timeline};
use leadcore::domain::{
    Activity, ActivityBody, ActivityFields, ContactFields, FileFields, FileLimits, FileRecord, Lead, Subject,
};
use leadcore::error::{ErrorKind, Result};
use leadcore::id::FileId;
use leadcore::store::{StoreExt, Txn};
use leadcore::testkit::fixtures::Scene;
use leadcore_sqlite::rusqlite::Connection;
use leadcore_sqlite::{SqliteOptions, SqliteStore};

use crate::support::{company, fields_of, refused};

/// A host whose contents are in the database, or in a directory.
pub(crate) struct Office {
    pub(crate) store: SqliteStore,
    pub(crate) scene: Scene,
    pub(crate) outside: bool,
    directory: tempfile::TempDir,
}

impl Office {
    pub(crate) fn new(outside: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path(), outside);
        Self { store, scene: Scene::new("acme"), outside, directory }
    }

    /// One of each kind.
    pub(crate) fn both() -> [Self; 2] {
        [Self::new(false), Self::new(true)]
    }

    pub(crate) fn place(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn lead(&self, name: &str) -> Lead {
        let ctx = self.scene.ctx();
        self.store.write(&self.scene.tenant, |txn| leads::create(&ctx, txn, company(name).into())).unwrap()
    }

    pub(crate) fn add(&self, about: impl Into<Subject>, name: &str, content: &[u8]) -> Result<FileRecord> {
        self.add_from(about, name, &mut &*content)
    }

    /// The reader is read once: this store is not so busy that a write is run again.
    pub(crate) fn add_from(
        &self,
        about: impl Into<Subject>,
        name: &str,
        content: &mut dyn Read,
    ) -> Result<FileRecord> {
        let (ctx, about) = (self.scene.ctx(), about.into());
        self.store.write(&self.scene.tenant, |txn| {
            files::add(&ctx, txn, &[about], NewFile::new(name, content), &FileLimits::default())
        })
    }

    pub(crate) fn read(&self, file: FileId) -> Result<Vec<u8>> {
        let ctx = self.scene.ctx();
        self.store.read(&self.scene.tenant, |txn| {
            let mut content = Vec::new();
            let size = files::read(&ctx, txn, file, &mut content)?;
            assert_eq!(size, u64::try_from(content.len()).unwrap());
            Ok(content)
        })
    }

    pub(crate) fn delete(&self, file: FileId) -> Result<()> {
        let ctx = self.scene.ctx();
        self.store.write(&self.scene.tenant, |txn| files::delete(&ctx, txn, file, Expect::Any))
    }

    pub(crate) fn names(&self, about: impl Into<Subject>) -> Vec<String> {
        let (ctx, about) = (self.scene.ctx(), about.into());
        let page =
            self.store.read(&self.scene.tenant, |txn| files::of(&ctx, txn, about, &Listing::default()));
        page.unwrap().items.into_iter().map(|file| file.fields.name).collect()
    }

    /// How many contents are kept, wherever: rows, pieces in the database, files in the directory (temporary ones too).
    pub(crate) fn kept(&self) -> [usize; 3] {
        let conn = Connection::open(self.place().join("leads.db")).unwrap();
        let count = |table: &str| -> usize {
            let n: i64 =
                conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
            usize::try_from(n).unwrap()
        };
        [count("leadcore_blob"), count("leadcore_blob_chunk"), contents_in(self.place()).len()]
    }
}

pub(crate) fn open(place: &Path, outside: bool) -> SqliteStore {
    let options = SqliteOptions::new().busy_timeout(std::time::Duration::from_secs(600));
    let options = if outside { options.files_in(place.join("files")) } else { options };
    SqliteStore::open_with(place.join("leads.db"), &options).unwrap()
}

/// Every file in the directory but the mark of its owner.
pub(crate) fn contents_in(place: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![place.join("files")];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().is_some_and(|name| name != "leadcore-files") {
                found.push(path);
            }
        }
    }
    found
}

/// Bytes that differ everywhere.
pub(crate) fn content(len: usize) -> Vec<u8> {
    (0..len).map(|n| u8::try_from((n * 7 + n / 253) % 256).unwrap()).collect()
}

fn note(office: &Office, about: &Lead, text: &str) -> Activity {
    let fields = ActivityFields {
        title: None,
        text: Some(text.to_owned()),
        assignee: None,
        remind_at: None,
        body: ActivityBody::Note,
    };
    let ctx = office.scene.ctx();
    office
        .store
        .write(&office.scene.tenant, |txn| activities::add(&ctx, txn, &[about.id.into()], fields.clone()))
        .unwrap()
}

#[test]
fn s0_30_files_tab_stores_documents_several_at_once() {
    for office in Office::both() {
        let (lead, other) = (office.lead("Nordlys AS"), office.lead("Fjordlys AS"));
        let ctx = office.scene.ctx();
        let (pdf, csv) = (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\nx".as_slice(), b"id,amount\n7,100\n".as_slice());
        let added = office.store.write(&office.scene.tenant, |txn| {
            let (mut pdf, mut csv, mut again) = (pdf, csv, csv);
            let several = vec![
                NewFile::new("Offer.pdf", &mut pdf).description("signed").size(16),
                NewFile::new(r"C:\fakepath\list.csv", &mut csv),
                NewFile::new("copy.csv", &mut again),
            ];
            files::add_many(&ctx, txn, &[lead.id.into()], several, &FileLimits::default())
        });
        let added = added.unwrap();
        let said: Vec<_> =
            added.iter().map(|f| (f.fields.name.as_str(), f.media_type.as_str(), f.size)).collect();
        let wanted = [
            ("Offer.pdf", "application/pdf", 16),
            ("list.csv", "text/csv", 16),
            ("copy.csv", "text/csv", 16),
        ];
        assert_eq!(said, wanted);
        assert_eq!(added[1].hash, added[2].hash);
        assert_eq!(office.kept()[0], 2, "what is the same is kept once");
        assert_eq!(office.read(added[0].id).unwrap(), pdf);
        assert_eq!(office.read(added[2].id).unwrap(), csv);
        // Sorted by when they were added, each with its own life.
        office.scene.tick();
        office.add(other.id, "elsewhere.csv", csv).unwrap();
        assert_eq!(office.names(lead.id).len(), 3);
        assert_eq!(office.names(other.id), ["elsewhere.csv"]);
        let entries =
            office.store.read(&office.scene.tenant, |txn| timeline::of_lead(&ctx, txn, lead.id, None, 10));
        let operations: std::collections::BTreeSet<_> =
            entries.unwrap().items.iter().map(|item| item.entry.operation).collect();
        assert_eq!(operations.len(), 2, "one created the lead, one added all three");
        // Renamed by its revision; what is refused says all of it.
        let fields = FileFields { name: "Offer 7.pdf".into(), description: None };
        let edit = |revision, fields: FileFields| {
            office
                .store
                .write(&office.scene.tenant, |txn| files::edit(&ctx, txn, added[0].id, revision, &fields))
        };
        let renamed = edit(added[0].revision, fields.clone()).unwrap();
        assert_eq!((renamed.fields.clone(), renamed.hash), (fields.clone(), added[0].hash));
        refused(edit(added[0].revision, fields), ErrorKind::Conflict);
        let bad = FileFields { name: "nul".into(), description: Some("\0".into()) };
        assert_eq!(
            fields_of(&refused(edit(renamed.revision, bad), ErrorKind::Invalid)),
            ["name", "description"]
        );
        // Two leads and three files share a content: it goes with the last.
        for file in &added[1..] {
            office.delete(file.id).unwrap();
        }
        assert_eq!(office.kept()[0], 2);
        let last = office.store.read(&office.scene.tenant, |txn| {
            files::of(&ctx, txn, other.id, &Listing::default()).map(|page| page.items[0].id)
        });
        let last = last.unwrap();
        assert_eq!(office.read(last).unwrap(), csv);
        office.delete(last).unwrap();
        office.delete(added[0].id).unwrap();
        assert_eq!(office.kept(), [0; 3], "deleting the last one frees the bytes");
        refused(office.read(added[0].id), ErrorKind::NotFound);
    }
}

#[test]
fn attachments_come_and_go_with_their_note() {
    for office in Office::both() {
        let lead = office.lead("Nordlys AS");
        let (first, second) = (note(&office, &lead, "first"), note(&office, &lead, "second"));
        let plan = office.add(first.id, "plan.txt", b"plan").unwrap();
        office.add(second.id, "other.txt", b"other").unwrap();
        assert_eq!(
            (office.names(first.id), office.names(second.id)),
            (vec!["plan.txt".into()], vec!["other.txt".into()])
        );
        assert_eq!(office.names(lead.id), [""; 0], "the tab of the lead shows its own files");
        // One that is about the lead as well stays with it.
        let ctx = office.scene.ctx();
        let both = [Subject::from(first.id), lead.id.into()];
        let shared = office.store.write(&office.scene.tenant, |txn| {
            files::add(
                &ctx,
                txn,
                &both,
                NewFile::new("shared.txt", &mut &b"shared"[..]),
                &FileLimits::default(),
            )
        });
        let delete = |id| {
            office.store.write(&office.scene.tenant, |txn| activities::delete(&ctx, txn, id, Expect::Any))
        };
        delete(first.id).unwrap();
        refused(office.read(plan.id), ErrorKind::NotFound);
        let shared =
            office.store.read(&office.scene.tenant, |txn| files::get(&ctx, txn, shared.as_ref().unwrap().id));
        assert_eq!(shared.unwrap().about, [lead.id.into()]);
        assert_eq!(office.names(lead.id), ["shared.txt"]);
        assert_eq!(office.names(second.id), ["other.txt"]);
        assert_eq!(office.kept()[0], 3, "the bytes of the attachment are kept for an undo");
    }
}

#[test]
fn files_follow_a_lead_to_its_account_and_a_person_has_some() {
    let office = Office::new(false);
    let lead = office.lead("Nordlys AS");
    let ctx = office.scene.ctx();
    let write = |work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>| {
        office.store.write(&office.scene.tenant, |txn| work(txn))
    };
    office.add(lead.id, "before.txt", b"before").unwrap();
    let person = ContactFields::named("Kari").unwrap();
    let kari = office
        .store
        .write(&office.scene.tenant, |txn| contacts::add(&ctx, txn, lead.id, person.clone(), true));
    office.add(kari.as_ref().unwrap().id, "card.vcf", b"BEGIN:VCARD").unwrap();
    assert_eq!(office.names(kari.unwrap().id), ["card.vcf"]);
    let mut account = None;
    write(&mut |txn| {
        account = Some(
            convert::convert(&ctx, txn, lead.id, &convert::ConversionOptions::default())?.account.unwrap(),
        );
        Ok(())
    })
    .unwrap();
    let account = account.unwrap();
    office.scene.tick();
    office.add(account, "after.txt", b"after").unwrap();
    assert_eq!(office.names(account), ["after.txt", "before.txt"]);
    assert_eq!(office.names(lead.id), ["after.txt", "before.txt"]);
    refused(office.add(lead.id, "late.txt", b"late"), ErrorKind::Frozen);
}

#[test]
fn contents_of_every_length_come_back_and_parts_of_them() {
    for office in Office::both() {
        let lead = office.lead("Nordlys AS");
        let ctx = office.scene.ctx();
        for len in [0, 1, 262_143, 262_144, 262_145, 600_000] {
            let bytes = content(len);
            let file = office.add(lead.id, "x.bin", &bytes).unwrap();
            assert!(office.read(file.id).unwrap() == bytes, "{len}");
            let part = |at: u64, max| {
                let read = office
                    .store
                    .read(&office.scene.tenant, |txn| files::read_range(&ctx, txn, file.id, at, max));
                read.map(|part| (part.len(), part))
            };
            for at in [0, 1, 262_100, 262_144, len.saturating_sub(1), len, len + 1] {
                let wanted = bytes.get(at..(at + 100).min(len)).unwrap_or_default();
                assert_eq!(part(u64::try_from(at).unwrap(), 100).unwrap(), (wanted.len(), wanted.to_vec()));
            }
            assert_eq!(part(u64::MAX, 100).unwrap().0, 0);
            assert_eq!(fields_of(&refused(part(0, 0), ErrorKind::Invalid)), ["max"]);
            assert_eq!(fields_of(&refused(part(0, (16 << 20) + 1), ErrorKind::Invalid)), ["max"]);
        }
    }
}
