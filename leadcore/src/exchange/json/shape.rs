//! What a file is that is one object of JSON: one record, or the wrapping around a list of them.
//!
//! An object is taken for the wrapping where it says nothing of a lead itself, or where the list stands under a name that
//! programs use for it. What can be meant in two ways is refused with what was found: never are many leads read as one.

use std::cell::Cell;
use std::collections::BTreeSet;

use super::pieces::end_of;
use crate::domain::{Catalogue, Field};

/// Names under which programs put the list of records.
const LISTS: [&str; 10] =
    ["records", "data", "results", "items", "rows", "leads", "contacts", "value", "values", "list"];
/// Names under which they put what holds it.
const WRAPS: [&str; 10] =
    ["result", "response", "payload", "body", "content", "output", "export", "_embedded", "d", "query"];
/// What they say of a list, and nobody of a lead.
const ABOUT: [&str; 32] = [
    "status",
    "state",
    "success",
    "ok",
    "error",
    "code",
    "message",
    "version",
    "type",
    "kind",
    "object",
    "id",
    "url",
    "source",
    "count",
    "total",
    "totalsize",
    "total_count",
    "size",
    "limit",
    "offset",
    "page",
    "pages",
    "per_page",
    "next",
    "previous",
    "done",
    "cursor",
    "date",
    "timestamp",
    "created_at",
    "updated_at",
];
/// What they put beside a list that is about it.
const BESIDE: [&str; 8] = ["meta", "metadata", "info", "paging", "pagination", "links", "_links", "schema"];
/// Lists that are called by what they hold.
const OF_LEADS: [&str; 2] = ["leads", "contacts"];
/// What a list is called, or who a lead is.
const NAMES: [&str; 2] = ["name", "title"];
/// So deep lists are looked for.
const DEEPEST: usize = 8;
/// So many keys of an object are looked at.
const MOST_KEYS: usize = 100;
/// So many keys are looked up, none longer than this.
const MOST_LOOKED_UP: usize = 5_000;
const LONGEST_KEY: usize = 100;
/// So many lists are told.
const TOLD: usize = 5;
/// So much of a path is told.
const MOST_OF_A_PATH: usize = 60;

fn is_one_of(words: &[&str], key: &str) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(key))
}

/// What a file is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One record.
    Record,
    /// The wrapping around a list.
    Wrapping(Wrapped),
    /// Nothing that can be read, and why.
    Refused(String),
}

/// The list in a wrapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wrapped {
    /// It begins behind so many bytes.
    pub(super) begin: usize,
    /// In so many objects.
    pub(super) depth: usize,
    /// Whether it stands where programs put it, so that others beside it are none.
    pub(super) is_usual: bool,
}

/// A list of objects.
#[derive(Debug)]
struct List {
    path: String,
    /// Whether each key of the path is one that programs use.
    is_usual: bool,
    /// Whether its first object has what leads have.
    of_leads: bool,
    /// Whether a key of it is that of a field, which the lines of an order may have too.
    is_known: bool,
    /// Whether it is called by what it holds.
    is_called_so: bool,
    begin: usize,
    depth: usize,
}

/// What an object holds, as far as it was looked at.
#[derive(Debug, Default)]
struct Held {
    /// Keys that are not about the list.
    keys: Vec<String>,
    /// The keys of the objects among the values.
    objects: Vec<BTreeSet<String>>,
    /// The lengths of the lists of plain values.
    lists: Vec<usize>,
    list_of_lists: bool,
}

struct Look<'t> {
    text: &'t [u8],
    knows: &'t dyn Fn(&str) -> bool,
    catalogue: Catalogue,
    /// How many keys were looked up there.
    looked_up: Cell<usize>,
    lists: Vec<List>,
    /// Whether a value is one of a lead.
    says: bool,
    /// The key of one of the object itself that only a lead has.
    own: Option<String>,
    /// The key of its name.
    name: Option<String>,
    refused: Option<String>,
}

/// Judges the head of a file that begins with `{`; `knows` the names of fields. `is_first`: where it is broken or cut, others
/// stand behind it.
pub(super) fn of(text: &[u8], is_first: bool, knows: &dyn Fn(&str) -> bool) -> Shape {
    let catalogue = Catalogue::standard();
    let (lists, says, own, name, refused) = (Vec::new(), false, None, None, None);
    let mut look =
        Look { text, knows, catalogue, looked_up: Cell::default(), lists, says, own, name, refused };
    let is_alone = match look.object(1, &mut Vec::new()) {
        Some((end, _)) => text.get(end..).is_none_or(|rest| rest.iter().all(u8::is_ascii_whitespace)),
        None => !is_first,
    };
    look.judge(is_alone)
}

impl Look<'_> {
    fn judge(self, is_alone: bool) -> Shape {
        let usual: Vec<&List> = self.lists.iter().filter(|list| list.is_usual).collect();
        let first = usual.iter().find(|list| list.depth == 1);
        match (usual.as_slice(), &self.own) {
            ([], _) => {}
            // Of objects one behind the other, each may hold lists.
            _ if !is_alone => {
                let first = first.filter(|_| self.own.is_none());
                return first.map_or(Shape::Record, |list| list.wrapped());
            }
            ([list], None) if self.says && !list.is_known => return Shape::Record,
            ([list], None) => return list.wrapped(),
            ([list], Some(own)) if list.of_leads || list.is_called_so => return either(own, list),
            // The lines of its order, and the like.
            ([_], Some(_)) => return Shape::Record,
            (several, _) => return several_lists(several),
        }
        if !is_alone {
            return Shape::Record;
        }
        if let Some(why) = self.refused {
            return Shape::Refused(why);
        }
        let of_leads = self.lists.iter().find(|list| list.of_leads);
        match (self.lists.as_slice(), &self.name, of_leads) {
            _ if self.says || self.own.is_some() => Shape::Record,
            ([], ..) | (_, Some(_), None) => Shape::Record,
            (_, Some(name), Some(list)) => either(name, list),
            ([list], None, _) => list.wrapped(),
            (several, None, _) => several_lists(&several.iter().collect::<Vec<_>>()),
        }
    }

    fn blanks(&self, mut at: usize) -> usize {
        while self.text.get(at).is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b',') {
            at += 1;
        }
        at
    }

    /// Walks over an object that begins before `at`; gives the place behind it and its keys, nothing where it is cut or
    /// broken.
    fn object(&mut self, mut at: usize, path: &mut Vec<String>) -> Option<(usize, BTreeSet<String>)> {
        let (mut held, mut all) = (Held::default(), BTreeSet::new());
        let end = loop {
            at = self.blanks(at);
            if self.text.get(at) == Some(&b'}') {
                break Some(at + 1);
            }
            let Some((key, value)) = self.key(at) else { break None };
            if all.len() < MOST_KEYS {
                all.insert(key.clone());
            }
            let Some(end) = self.value(value, key, path, &mut held) else { break None };
            at = end;
        };
        if path.iter().all(|key| is_one_of(&WRAPS, key) || is_one_of(&LISTS, key)) {
            self.refused = self.refused.take().or_else(|| held.refusal());
        }
        end.map(|end| (end, all))
    }

    /// The key at `at`, and where its value begins.
    fn key(&self, at: usize) -> Option<(String, usize)> {
        let behind = end_of(self.text, at).filter(|_| self.text.get(at) == Some(&b'"'))?;
        let key = std::str::from_utf8(self.text.get(at + 1..behind - 1)?).ok()?.trim().to_owned();
        let colon = self.blanks(behind);
        (self.text.get(colon) == Some(&b':')).then(|| (key, self.blanks(colon + 1)))
    }

    fn value(&mut self, at: usize, key: String, path: &mut Vec<String>, held: &mut Held) -> Option<usize> {
        let is_about = is_one_of(&BESIDE, &key) && path.is_empty();
        let first = self.text.get(at)?;
        match first {
            b'{' if path.len() < DEEPEST && !is_about => {
                path.push(key.clone());
                let walked = self.object(at + 1, path);
                path.pop();
                let (end, keys) = walked?;
                held.keys.push(key);
                held.objects.push(keys);
                Some(end)
            }
            b'[' if !is_about => {
                let begin = at + 1;
                let inside = self.text.get(self.blanks(begin)).copied();
                if inside == Some(b'{') {
                    held.keys.push(key.clone());
                    path.push(key);
                    self.list(begin, path);
                    path.pop();
                    return end_of(self.text, at);
                }
                let end = end_of(self.text, at)?;
                held.keys.push(key);
                if inside == Some(b'[') {
                    held.list_of_lists |= is_one_of(&LISTS, held.keys.last().map_or("", String::as_str));
                } else {
                    held.lists.push(length(self.text.get(begin..end - 1)?));
                }
                Some(end)
            }
            b'{' | b'[' => end_of(self.text, at),
            _ => {
                let end = end_of(self.text, at)?;
                if self.text.get(at..end)? == b"null" || is_one_of(&ABOUT, &key) {
                    return Some(end);
                }
                if is_one_of(&NAMES, &key) && path.is_empty() {
                    self.name.get_or_insert(key.clone());
                } else {
                    self.says |= (self.knows)(&key);
                }
                if path.is_empty() && self.own.is_none() && self.is_own(&key) {
                    self.own.get_or_insert(key.clone());
                }
                // Beside plain values nothing is a table of columns or of records.
                held.lists.push(0);
                held.keys.push(key);
                Some(end)
            }
        }
    }

    fn list(&mut self, begin: usize, path: &[String]) {
        let (last, before) = path.split_last().map_or((None, path), |(last, before)| (Some(last), before));
        let is_usual = last.is_some_and(|key| is_one_of(&LISTS, key))
            && before.iter().all(|key| is_one_of(&WRAPS, key) || is_one_of(&LISTS, key));
        let mut told = path.iter().map(|key| shown(key)).collect::<Vec<_>>().join(".");
        if let Some((cut, _)) = told.char_indices().nth(MOST_OF_A_PATH) {
            told.truncate(cut);
            told.push('…');
        }
        let keys = self.first_keys(begin);
        let says_who = |key: &&String| is_one_of(&NAMES, key) || self.is_own(key);
        let of_leads = keys.iter().filter(says_who).count() >= 2;
        let knows = |key: &String| self.looked_up.get() <= MOST_LOOKED_UP && (self.knows)(key);
        let is_known = keys.iter().any(|key| is_one_of(&NAMES, key) || knows(key));
        let is_called_so = last.is_some_and(|key| is_one_of(&OF_LEADS, key));
        self.lists.push(List {
            path: told,
            is_usual,
            of_leads,
            is_known,
            is_called_so,
            begin,
            depth: path.len(),
        });
    }
}

impl Look<'_> {
    /// Whether a key is one that only a lead has, in any of the words in which a header says who it is.
    fn is_own(&self, key: &str) -> bool {
        self.looked_up.set(self.looked_up.get().saturating_add(1));
        if key.len() > LONGEST_KEY || self.looked_up.get() > MOST_LOOKED_UP || is_one_of(&NAMES, key) {
            return false;
        }
        matches!(
            self.catalogue.field_for_header(key),
            Some(
                Field::Company
                    | Field::Name
                    | Field::FirstName
                    | Field::LastName
                    | Field::Email
                    | Field::Phone
            )
        )
    }

    /// The keys of the first object of a list.
    fn first_keys(&self, begin: usize) -> Vec<String> {
        let mut at = self.blanks(begin) + 1;
        let mut keys = Vec::new();
        while keys.len() < MOST_KEYS {
            at = self.blanks(at);
            let Some((key, value)) = self.key(at) else { break };
            let Some(end) = end_of(self.text, value) else { break };
            keys.push(key);
            at = end;
        }
        keys
    }
}

impl Held {
    /// Why the object is a table of another form.
    fn refusal(&self) -> Option<String> {
        let expected = "a list of objects is expected, or an object on each line";
        if self.list_of_lists && self.objects.is_empty() && !self.lists.contains(&0) {
            return Some(format!("this JSON holds its rows as lists: {expected}"));
        }
        let is_number = |key: &String| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
        let is_id = |key: &String| is_number(key) || key.contains('@');
        let only_objects = self.objects.len() >= 2 && self.objects.len() == self.keys.len();
        let first = self.objects.first();
        let same = self.objects.iter().all(|keys| Some(keys) == first);
        let common = || {
            let has = |key: &String| self.objects.iter().all(|keys| keys.contains(key));
            first.is_some_and(|keys| keys.iter().any(has))
        };
        let by_row = first.is_some_and(|keys| !keys.is_empty() && keys.iter().all(is_number));
        let length = self.lists.first().copied().unwrap_or_default();
        let only_lists = self.lists.len() >= 2 && self.lists.len() == self.keys.len();
        if only_lists && length >= 2 && self.lists.iter().all(|own| *own == length)
            || only_objects && same && by_row
        {
            return Some(format!("this JSON holds its columns one after the other: {expected}"));
        }
        let is_record = |keys: &BTreeSet<String>| keys.len() >= 2;
        let records = self.keys.iter().all(is_id)
            || same && first.is_some_and(is_record)
            || self.objects.len() >= 5 && common();
        (only_objects && records)
            .then(|| format!("this JSON is an object of objects, each under a key of its own: {expected}"))
    }
}

impl List {
    const fn wrapped(&self) -> Shape {
        let Self { begin, depth, is_usual, .. } = *self;
        Shape::Wrapping(Wrapped { begin, depth, is_usual })
    }
}

/// Whether a list of this name, behind the one that is read, may hold leads too.
pub(super) fn is_rival(key: &str, is_usual: bool) -> bool {
    if is_usual { is_one_of(&LISTS, key) } else { !is_one_of(&BESIDE, key) }
}

/// A key as a message tells it: what may be the name or the address of somebody is not told.
pub(super) fn shown(key: &str) -> &str {
    let is_word = |c: char| c.is_ascii_alphabetic() || "_- ".contains(c);
    if key.len() <= 40 && key.chars().all(is_word) { key } else { "…" }
}

fn either(key: &str, list: &List) -> Shape {
    let key = shown(key);
    Shape::Refused(format!(
        "this JSON is one object with `{key}` and a list of objects at `{}`, and only one of them can be the leads: give a \
         list of objects, or an object on each line",
        list.path
    ))
}

fn several_lists(lists: &[&List]) -> Shape {
    let told: Vec<_> = lists.iter().take(TOLD).map(|list| format!("`{}`", list.path)).collect();
    let more = if lists.len() > TOLD { " …" } else { "" };
    Shape::Refused(format!(
        "this JSON holds several lists of objects, and only one can be imported at a time: {}{more}",
        told.join(", ")
    ))
}

/// How many plain values a list has.
fn length(inside: &[u8]) -> usize {
    let (mut values, mut at) = (0, 0);
    loop {
        while inside.get(at).is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b',') {
            at += 1;
        }
        if at >= inside.len() {
            return values;
        }
        values += 1;
        at = end_of(inside, at).unwrap_or(inside.len()).max(at + 1);
    }
}
