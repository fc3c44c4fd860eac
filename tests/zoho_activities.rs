//! A whole CRM's calls, events and tasks, loaded as a host's script would: counts and links agree with the files.
//!
//! The files are no part of the repository (see [`outside::data`](crate::support::outside::data)).

use std::collections::BTreeMap;
use std::path::Path;

use leadcore::desk::{Listing, activities, leads};
use leadcore::domain::{
    Activity, ActivityBody, ActivityDraft, ActivityFields, ActivityKind, CallOutcome, Direction, LeadFields,
    Subject,
};
use leadcore::exchange::import::ImportOptions;
use leadcore::id::{LeadId, UserId};
use leadcore::query::{Filter, LeadQuery};
use leadcore::value::Country;

use crate::support::tables::{Table, time};
use crate::support::{Host, outside};

/// What the script knows: leads by their ids in the other system, users by their names, and where it puts what it cannot
/// link.
struct Script {
    leads: BTreeMap<String, LeadId>,
    users: BTreeMap<String, UserId>,
    rest: LeadId,
}

impl Script {
    fn prepare(host: &Host, folder: &Path) -> Self {
        let mut options = ImportOptions::new().external_system("zoho");
        options.region = Some(Country::parse("US").unwrap());
        let report = host.import(std::fs::read(folder.join("Leads.csv")).unwrap(), &options);
        assert_eq!((report.created, report.rejected), (3_900, 0));
        let mut leads = BTreeMap::new();
        let mut query = LeadQuery::new(Filter::everything()).limit(1_000);
        loop {
            let page = host.read(|ctx, txn| leads::list(ctx, txn, &query));
            for lead in &page.items {
                leads.extend(lead.fields.external_ids.iter().map(|id| (id.id().to_owned(), lead.id)));
            }
            if page.next.is_none() {
                break;
            }
            query = query.after(page.next);
        }
        assert_eq!(leads.len(), 3_900, "every lead is known by its id in the other system");
        let named = Table::read(folder, "Users.csv");
        let users = named.each().map(|row| (row("Last Name"), row("USER_ID").parse().unwrap())).collect();
        let rest = host.add(LeadFields::company("What the files link to no lead").unwrap()).id;
        Self { leads, users, rest }
    }

    fn draft(&self, fields: ActivityFields, owner: &str, lead: &str) -> ActivityDraft {
        let about = if lead.is_empty() { self.rest } else { self.leads[lead] };
        fields.assigned_to(&self.users[owner]).about([about])
    }

    fn calls(&self, table: &Table) -> Vec<ActivityDraft> {
        let call = |row: &dyn Fn(&str) -> String| {
            let direction =
                if row("Call Type") == "Inbound" { Direction::Inbound } else { Direction::Outbound };
            let seconds: u32 = row("Call Duration (in seconds)").parse().unwrap();
            let outcome = if seconds > 0 { CallOutcome::Answered } else { CallOutcome::NoAnswer };
            let fields = ActivityFields::call(direction, time(&row("Call Start Time")))
                .title(&row("Subject"))
                .text(&row("Call Purpose"))
                .outcome(outcome)
                .lasting(seconds);
            self.draft(fields, &row("Call Owner"), &row("LEADID"))
        };
        table.each().map(|row| call(&row)).collect()
    }

    fn events(&self, table: &Table) -> Vec<ActivityDraft> {
        let event = |row: &dyn Fn(&str) -> String| {
            let (start, end) = (time(&row("Start DateTime")), time(&row("End DateTime")));
            let fields = ActivityFields::meeting(&row("Subject"), start, end);
            self.draft(fields, &row("Event Owner"), &row("LEADID"))
        };
        table.each().map(|row| event(&row)).collect()
    }

    /// The file of tasks names no record at all.
    fn tasks(&self, table: &Table) -> Vec<ActivityDraft> {
        let task = |row: &dyn Fn(&str) -> String| {
            let mut fields = ActivityFields::task(&row("Subject")).due(time(&row("Due Date")));
            if let ActivityBody::Task(task) = &mut fields.body {
                task.done_at = (row("Status") == "Completed").then(|| time(&row("Modified Time")));
            }
            self.draft(fields, &row("Task Owner"), "")
        };
        table.each().map(|row| task(&row)).collect()
    }
}

/// Every activity of a kind, page by page.
fn every(host: &Host, kind: ActivityKind) -> Vec<Activity> {
    let mut listing = Listing::default().limit(1_000);
    let mut found = Vec::new();
    loop {
        let page = host.read(|ctx, txn| activities::all(ctx, txn, &[kind], &listing));
        found.extend(page.items);
        listing.after = page.next;
        if page.next.is_none() {
            return found;
        }
    }
}

/// How many activities each lead has.
fn links<'a>(about: impl Iterator<Item = &'a [Subject]>) -> BTreeMap<Subject, usize> {
    let mut links = BTreeMap::new();
    about.flatten().for_each(|subject| *links.entry(*subject).or_default() += 1);
    links
}

#[test]
fn a_whole_crm_with_10056_activities() {
    let name = "leads-zoho-demo";
    let Some(folder) = outside::data(name).map(|data| data.join(name)) else { return };
    let host = Host::new();
    let script = Script::prepare(&host, &folder);
    let [calls, events, tasks] =
        ["Calls.csv", "Events.csv", "Tasks.csv"].map(|name| Table::read(&folder, name));
    let loaded = [
        (ActivityKind::Call, script.calls(&calls), 4_100, 170),
        (ActivityKind::Meeting, script.events(&events), 2_978, 1_115),
        (ActivityKind::Task, script.tasks(&tasks), 2_978, 0),
    ];
    let per_lead = |links: &BTreeMap<Subject, usize>| {
        links.iter().filter(|(lead, _)| **lead != script.rest.into()).map(|(_, n)| n).sum::<usize>()
    };
    for (kind, drafts, rows, linked) in &loaded {
        host.write(|ctx, txn| activities::add_many(ctx, txn, drafts.clone()));
        let stored = every(&host, *kind);
        assert_eq!((drafts.len(), stored.len()), (*rows, *rows), "{kind}: every row of the file");
        let expected = links(drafts.iter().map(|draft| draft.about.as_slice()));
        let found = links(stored.iter().map(|activity| activity.about.as_slice()));
        assert_eq!(found, expected, "{kind}: on the leads that the file names");
        assert_eq!(per_lead(&found), *linked);
        println!("{kind}: {rows} rows, {linked} linked to a lead, {} not", rows - linked);
    }
    // The page of a lead has what the files say of it, and nothing else.
    for (id, lead) in script.leads.iter().step_by(50) {
        let of = |table: &Table| table.each().filter(|row| row("LEADID") == *id).count() as u64;
        let counts = host.read(|_, txn| txn.children().counts(&[(*lead).into()]));
        let count = |kind| {
            let tab = leadcore::domain::Tab::Activity(kind);
            counts.iter().find(|count| count.tab == tab).map_or(0, |count| count.total)
        };
        let found = [ActivityKind::Call, ActivityKind::Meeting, ActivityKind::Task].map(count);
        assert_eq!(found, [of(&calls), of(&events), 0]);
    }
    // The work of each user: the tasks that the file does not say are completed.
    for (name, user) in &script.users {
        let open = |row: &dyn Fn(&str) -> String| row("Task Owner") == *name && row("Status") != "Completed";
        let expected = tasks.each().filter(|row| open(row)).count();
        let listing = Listing::open().limit(1_000);
        let kinds = [ActivityKind::Task];
        let page = host.read(|ctx, txn| activities::assigned_to(ctx, txn, user, &kinds, &listing));
        assert_eq!(page.items.len(), expected, "{user}");
    }
}
