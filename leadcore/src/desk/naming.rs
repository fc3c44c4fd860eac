//! Names for ids and ids for names: what lists show, and what people write in filters.

use std::borrow::Cow;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::context::Context;
use crate::domain::{
    Field, FieldType, FieldValue, Lead, Names, Numbering, Pipeline, Reference, TermKind, distance,
};
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::AccountId;
use crate::query::{Condition, Filter, Operator};
use crate::store::Txn;
use crate::value::fold;

use super::pipelines::known_or_default;
use super::settings::load_numbering;

/// Adds the names that these fields of these leads need: one question per list, however many leads.
pub(super) fn load(
    txn: &mut dyn Txn,
    leads: &[Lead],
    fields: &[&Field],
    pipelines: &[Pipeline],
    names: &mut Names,
) -> Result<()> {
    for field in fields {
        let FieldType::Reference(reference) = field.field_type() else { continue };
        let ids: BTreeSet<Uuid> = leads.iter().flat_map(|lead| ids(&field.read(lead))).collect();
        load_ids(txn, reference, ids, pipelines, names)?;
    }
    Ok(())
}

pub(super) fn ids(value: &FieldValue) -> Vec<Uuid> {
    let id = |value: &FieldValue| match value {
        FieldValue::Id(id) => Some(*id),
        _ => None,
    };
    value.items().iter().filter_map(id).collect()
}

/// Adds what these records are called.
pub(super) fn load_ids(
    txn: &mut dyn Txn,
    reference: Reference,
    ids: BTreeSet<Uuid>,
    pipelines: &[Pipeline],
    names: &mut Names,
) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = ids.into_iter().collect();
    match reference {
        Reference::Lead | Reference::Contact => {}
        Reference::Pipeline => {
            names.extend(pipelines.iter().map(|pipeline| (pipeline.id.as_uuid(), pipeline.name.clone())));
        }
        Reference::Stage => {
            let stages = pipelines.iter().flat_map(|pipeline| &pipeline.stages);
            names.extend(stages.map(|stage| (stage.id.as_uuid(), stage.name.clone())));
        }
        Reference::Account => {
            let ids: Vec<_> = ids.into_iter().map(AccountId::from_uuid).collect();
            let accounts = txn.accounts().get(&ids)?.into_iter();
            names.extend(accounts.map(|account| (account.id.as_uuid(), account.fields.name)));
        }
        Reference::Term(kind) => {
            let terms = txn.terms().get(kind, &ids)?.into_iter();
            names.extend(terms.map(|record| (record.term.id, record.term.name)));
        }
    }
    Ok(())
}

/// The filter with ids where it names sources, categories, labels, locations, partners, reasons, pipelines and stages, and
/// with numbers where it has lead numbers as the tenant writes them.
/// A stage whose name several pipelines have is written `Pipeline / Stage`.
///
/// # Errors
/// `Invalid` with every name that nothing has, or several have.
pub(super) fn with_ids<'f>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    filter: &'f Filter,
) -> Result<Cow<'f, Filter>> {
    if !has_names(filter) {
        return Ok(Cow::Borrowed(filter));
    }
    let mut filter = filter.clone();
    let mut lists = Lists::default();
    let mut broken = Vec::new();
    let mut todo = vec![(&mut filter, "filter".to_owned())];
    while let Some((filter, path)) = todo.pop() {
        match filter {
            Filter::All(list) => {
                todo.extend(
                    list.iter_mut().enumerate().map(|(n, inner)| (inner, format!("{path}.all[{n}]"))),
                );
            }
            Filter::Any(list) => {
                todo.extend(
                    list.iter_mut().enumerate().map(|(n, inner)| (inner, format!("{path}.any[{n}]"))),
                );
            }
            Filter::Not(inner) => todo.push((inner, format!("{path}.not"))),
            Filter::Where(condition) if is_numbered(condition) => lists.number(txn, condition)?,
            // What the actor may not see is refused as such, and suggests nothing.
            Filter::Where(condition)
                if names_something(condition) && !ctx.policy().is_hidden(ctx.actor(), &condition.field) =>
            {
                replace((ctx, txn), &mut lists, condition, &path, &mut broken)?;
            }
            _ => {}
        }
    }
    if broken.is_empty() { Ok(Cow::Owned(filter)) } else { Err(Error::invalid(broken)) }
}

/// The filter with names where it has ids of terms, pipelines and stages, for people to read and change: the opposite of
/// [`with_ids`]. Ids that mean nothing (any more), or whose field the actor may not see, stay.
pub(super) fn with_names(ctx: &Context<'_>, txn: &mut dyn Txn, mut filter: Filter) -> Result<Filter> {
    let mut lists = Lists::default();
    let mut todo = vec![&mut filter];
    while let Some(filter) = todo.pop() {
        match filter {
            Filter::All(list) | Filter::Any(list) => todo.extend(list),
            Filter::Not(inner) => todo.push(inner),
            Filter::Where(condition) if !ctx.policy().is_hidden(ctx.actor(), &condition.field) => {
                let FieldType::Reference(reference) = condition.field.field_type() else { continue };
                if matches!(reference, Reference::Pipeline | Reference::Stage | Reference::Term(_)) {
                    name_ids(&mut condition.value, lists.of(ctx, txn, reference)?);
                }
            }
            _ => {}
        }
    }
    Ok(filter)
}

fn name_ids(value: &mut FieldValue, known: &Known) {
    if let FieldValue::List(list) = value {
        list.iter_mut().for_each(|item| name_ids(item, known));
        return;
    }
    let id = value.as_id();
    let only = |key: &str| known.iter().filter(|(other, _, _)| other == key).count() == 1;
    let named = known.iter().find(|(key, _, known)| Some(*known) == id && only(key));
    if let Some((_, name, _)) = named {
        *value = FieldValue::Text(name.clone());
    }
}

/// Whether a name stands for an id somewhere. A filter that nests too deep is left to the check that refuses it.
fn has_names(filter: &Filter) -> bool {
    if filter.is_too_deep() {
        return false;
    }
    let mut todo = vec![filter];
    while let Some(filter) = todo.pop() {
        match filter {
            Filter::All(list) | Filter::Any(list) => todo.extend(list),
            Filter::Not(inner) => todo.push(inner),
            Filter::Where(condition) if names_something(condition) || is_numbered(condition) => return true,
            _ => {}
        }
    }
    false
}

/// Whether a lead number is written in it.
fn is_numbered(condition: &Condition) -> bool {
    condition.field == Field::Number && condition.value.items().iter().any(|value| value.as_text().is_some())
}

fn names_something(condition: &Condition) -> bool {
    let named = matches!(
        condition.field.field_type(),
        FieldType::Reference(Reference::Pipeline | Reference::Stage | Reference::Term(_))
    );
    named
        && matches!(condition.op, Operator::Eq | Operator::Ne | Operator::In)
        && condition.value.items().iter().any(|value| name(value).is_some())
}

/// The name, where the value is one and not an id.
fn name(value: &FieldValue) -> Option<&str> {
    value.as_text().filter(|text| Uuid::try_parse(text).is_err())
}

fn replace(
    (ctx, txn): (&Context<'_>, &mut dyn Txn),
    lists: &mut Lists,
    condition: &mut Condition,
    path: &str,
    broken: &mut Vec<Violation>,
) -> Result<()> {
    let path = format!("{path}.{}", condition.field);
    let FieldType::Reference(reference) = condition.field.field_type() else { return Ok(()) };
    let known = lists.of(ctx, txn, reference)?;
    let mut swap = |value: &mut FieldValue| {
        let Some(wanted) = name(value).map(fold) else { return };
        let found: Vec<Uuid> =
            known.iter().filter(|(key, _, _)| *key == wanted).map(|(_, _, id)| *id).collect();
        match found.as_slice() {
            [one] => *value = FieldValue::Id(*one),
            [] => {
                let message = match nearest(&wanted, known) {
                    Some(near) => format!("nothing has this name; did you mean `{near}`?"),
                    None => "nothing has this name".to_owned(),
                };
                broken.push(Violation::new(path.as_str(), ViolationCode::Unknown, message));
            }
            _ => {
                let message = "several pipelines have a stage of this name: write `Pipeline / Stage`";
                broken.push(Violation::new(path.as_str(), ViolationCode::Malformed, message));
            }
        }
    };
    match &mut condition.value {
        FieldValue::List(list) => list.iter_mut().for_each(swap),
        single => swap(single),
    }
    Ok(())
}

/// Folded name, name and id of everything in a list.
type Known = Vec<(String, String, Uuid)>;

/// What names can mean, each list read when it is first asked for.
#[derive(Default)]
struct Lists {
    terms: BTreeMap<TermKind, Known>,
    pipelines: Option<(Known, Known)>,
    numbering: Option<Numbering>,
}

impl Lists {
    /// The numbers that are meant by what the tenant writes; other texts stay, to be refused as no numbers.
    fn number(&mut self, txn: &mut dyn Txn, condition: &mut Condition) -> Result<()> {
        if self.numbering.is_none() {
            self.numbering = Some(load_numbering(txn)?.1);
        }
        let numbering = self.numbering.get_or_insert_default();
        let swap = |value: &mut FieldValue| {
            let number = value.as_text().and_then(|text| i64::try_from(numbering.parse(text)?).ok());
            if let Some(number) = number {
                *value = number.into();
            }
        };
        match &mut condition.value {
            FieldValue::List(list) => list.iter_mut().for_each(swap),
            single => std::iter::once(single).for_each(swap),
        }
        Ok(())
    }

    /// A tenant that has no pipeline yet means the stages of the one that it will have, which no lead is in.
    fn of(&mut self, ctx: &Context<'_>, txn: &mut dyn Txn, reference: Reference) -> Result<&Known> {
        if let Reference::Term(kind) = reference {
            return Ok(match self.terms.entry(kind) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(empty) => {
                    let terms = txn.terms().list(kind)?.into_iter();
                    empty.insert(terms.map(|record| entry(record.term.name, record.term.id)).collect())
                }
            });
        }
        if self.pipelines.is_none() {
            self.pipelines = Some(pipelines(&known_or_default(ctx, txn)?));
        }
        let (pipelines, stages) = self.pipelines.get_or_insert_default();
        Ok(if reference == Reference::Pipeline { pipelines } else { stages })
    }
}

fn pipelines(all: &[Pipeline]) -> (Known, Known) {
    let named = all.iter().map(|pipeline| entry(pipeline.name.clone(), pipeline.id.as_uuid())).collect();
    let stages = all.iter().flat_map(|pipeline| {
        pipeline.stages.iter().flat_map(|stage| {
            let whole = pipeline.in_full(stage);
            [stage.name.clone(), whole].map(|name| entry(name, stage.id.as_uuid()))
        })
    });
    (named, stages.collect())
}

fn entry(name: String, id: Uuid) -> (String, String, Uuid) {
    (fold(&name), name, id)
}

/// The name that is nearest to a folded text, when it is near.
fn nearest<'k>(wanted: &str, known: &'k Known) -> Option<&'k str> {
    let far = (wanted.chars().count() / 3).max(2);
    known
        .iter()
        .map(|(key, name, _)| {
            let contained = wanted.len() > 2 && (key.contains(wanted) || wanted.contains(key.as_str()));
            (if contained { 1 } else { distance(wanted, key) }, name)
        })
        .filter(|(distance, _)| *distance <= far)
        .min()
        .map(|(_, name)| name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_is_near() {
        let known: Known =
            ["Web", "Trade fair", "Facebook Ads"].map(|name| entry(name.to_owned(), Uuid::nil())).to_vec();
        for (wanted, near) in [
            ("wbe", Some("Web")),
            ("fair", Some("Trade fair")),
            ("facebok ads", Some("Facebook Ads")),
            ("zebra crossing", None),
        ] {
            assert_eq!(nearest(wanted, &known), near, "{wanted}");
        }
    }

    #[test]
    fn a_tenant_without_a_pipeline_means_the_stages_that_it_will_have() {
        use crate::context::Context;
        use crate::domain::Actor;
        use crate::store::StoreExt;
        let store = crate::memory::MemoryStore::new();
        let (clock, ids) = (crate::time::ManualClock::default(), crate::id::SequentialIds::new(1));
        let policy = crate::policy::AllowAll;
        let ctx = Context::new(&"acme".parse().unwrap(), Actor::System, &clock, &ids, &policy);
        let filter = |name: &str| Filter::eq(Field::Stage, name);
        let named = |name: &str| {
            store.read(ctx.tenant(), |txn| {
                with_ids(&ctx, txn, &filter(name)).map(|filter| filter.into_owned())
            })
        };
        assert_ne!(named("discussion").unwrap(), filter("discussion"));
        assert!(named("Nowhere").is_err());
        assert!(store.read(ctx.tenant(), |txn| txn.pipelines().list()).unwrap().is_empty());
    }
}
