//! From headers, values and earlier files to a proposal.

mod addresses;
mod asked;
mod consent;
mod headers;
mod knowledge;
mod known;
mod names;
mod others;
mod paths;
mod taxes;
mod values;

use std::collections::BTreeSet;

use self::consent::Says;
pub use self::knowledge::Knowledge;
pub(in crate::exchange) use self::known::{column_notes, completed, header_name};
use super::proposal::{ColumnProposal, Evidence, Note, Proposal};
use super::shape::{self, Cells, ratio};
use super::{ColumnMapping, ColumnRules, DateOrder, Mapping, Sample, takes_several};
use crate::domain::{Field, header_key};
use crate::exchange::{FileKind, unescape_formula};

/// A proposal less sure than this is only hinted at.
const SURE_ENOUGH: f64 = 0.5;

impl Mapping {
    /// What the headers and the first rows of a file say, and how such a file was mapped before.
    ///
    /// A header counts as with [`propose`](Self::propose). The values confirm it or speak against it, find the field of a column
    /// whose header says nothing (e-mail addresses, phone numbers, countries, names of a vocabulary), decide between columns for
    /// the same field, keep the parts of one address together, and say how the cells are to be read. What can be read in two
    /// ways is told in the [notes](ColumnProposal::notes), with counts, and left open.
    ///
    /// ```
    /// use leadcore::domain::{Catalogue, Field};
    /// use leadcore::exchange::{DateOrder, Knowledge, Mapping, Sample};
    /// let mut sample = Sample::new(&["Kontakt", "Close date"].map(String::from));
    /// sample.add(["post@nordlys.example", "25/12/2026"]);
    /// sample.add(["post@fjord.example", "01/02/2027"]);
    /// let proposal = Mapping::propose_from(&sample, &Knowledge::new(&Catalogue::standard()));
    /// assert_eq!(proposal.columns[0].field, Some(Field::Email));
    /// assert_eq!(proposal.columns[1].rules.date_order, Some(DateOrder::DayFirst));
    /// assert_eq!(proposal.columns[1].notes[0].to_string(), "dates: 1 day first, 0 month first, 1 either: day first");
    /// ```
    #[must_use]
    pub fn propose_from(sample: &Sample, knowledge: &Knowledge<'_>) -> Proposal {
        let mut table = Proposer::new(sample, knowledge);
        match &knowledge.earlier {
            Some((evidence, mapping)) => table.repeat(evidence, mapping),
            None => {
                table.weigh();
                table.decide(&BTreeSet::new())
            }
        }
    }
}

/// A field that a column may be.
#[derive(Debug, Clone)]
struct Candidate {
    field: Field,
    /// How usual the header is for it; [`BY_VALUES`] where the header says nothing.
    rank: u32,
    confidence: f64,
    evidence: Vec<Evidence>,
    /// It says who must not be reached by the field.
    says: Option<Says>,
}

/// Behind every header.
const BY_VALUES: u32 = 1_000_000;

struct Column<'s> {
    header: &'s str,
    key: String,
    /// Whether it holds numbers of leads that are here.
    is_own_number: bool,
    /// Whether it holds ids of leads of ours.
    is_own_id: bool,
    cells: Cells<'s>,
    candidate: Option<Candidate>,
}

impl Column<'_> {
    /// Whether it is called a country and holds what is dialled for one: `47`, `+47`, `0047`.
    fn holds_dialling_codes(&self) -> bool {
        self.key.contains("country") && self.cells.share(shape::is_dialling_code) >= 0.8
    }
}

struct Proposer<'s, 'k> {
    sample: &'s Sample,
    knowledge: &'s Knowledge<'k>,
    columns: Vec<Column<'s>>,
}

impl<'s, 'k> Proposer<'s, 'k> {
    fn new(sample: &'s Sample, knowledge: &'s Knowledge<'k>) -> Self {
        let columns = sample.headers().iter().enumerate().map(|(place, header)| Column {
            header,
            key: header_key(unescape_formula(header)),
            is_own_number: knowledge.own_numbers.contains(&place),
            is_own_id: knowledge.own_ids.contains(&place),
            cells: Cells::of(sample, place),
            candidate: None,
        });
        Self { sample, knowledge, columns: columns.collect() }
    }

    /// As it was done before.
    fn repeat(&mut self, evidence: &Evidence, mapping: &Mapping) -> Proposal {
        let mut left: Vec<&ColumnMapping> = mapping.columns.iter().collect();
        let known: Vec<Option<&ColumnMapping>> = self
            .columns
            .iter()
            .map(|column| {
                let same = |known: &&ColumnMapping| header_name(&known.header) == header_name(column.header);
                left.iter().position(same).map(|place| left.remove(place))
            })
            .collect();
        let others = self.beside(mapping, &known);
        let columns = self.columns.iter().zip(known).zip(others).map(|((column, known), other)| {
            if let Some(other) = other {
                return other;
            }
            let field = known.and_then(|known| known.field.clone());
            let mut field = field.filter(|field| !self.knowledge.catalogue.is_disabled(field));
            let mut rules = known.map(|known| known.rules.clone()).unwrap_or_default();
            let (new, mut notes) = field.as_ref().map(|field| self.rules(column, field)).unwrap_or_default();
            if *evidence == Evidence::LastUse {
                notes.iter_mut().for_each(|note| note.settle(&mut rules));
                let is_dotted = rules.date_order == Some(DateOrder::DayFirst);
                notes.retain(|note| is_dotted || !matches!(note, Note::DottedDates { .. }));
            }
            if *evidence != Evidence::Rejects && rules.opt_out.is_none() && rules.join.is_none() {
                // Of the last use the decimal mark is settled; one that is said of all columns counts for a saved mapping.
                rules.fill(&ColumnRules { decimal_mark: None, ..new.clone() });
            }
            if field == Some(Field::ExternalId) && *evidence == Evidence::LastUse {
                // What the cells say of their systems counts, and whose numbers they are.
                if self.is_ours(column, &Field::ExternalId) && !column.cells.filled.is_empty() {
                    rules.split = new.split;
                }
                if column.is_own_number {
                    field = Some(Field::Number);
                }
                if column.is_own_id {
                    field = Some(Field::Id);
                }
            } else if field == Some(Field::Id) && *evidence == Evidence::LastUse && !column.is_own_id {
                // Another system's by now.
                field = Some(Field::ExternalId);
            }
            ColumnProposal {
                header: column.header.to_owned(),
                confidence: if field.is_some() { 1.0 } else { 0.0 },
                evidence: vec![evidence.clone()],
                perhaps: None,
                rules,
                field,
                notes,
            }
        });
        let columns: Vec<ColumnProposal> = columns.collect();
        // What every row was to have is no match for a column that says it row by row.
        let is_read = |field: &Field| columns.iter().any(|column| column.field.as_ref() == Some(field));
        let constants = mapping.constants.iter();
        let constants =
            constants.filter(|constant| takes_several(&constant.field) || !is_read(&constant.field));
        Proposal { mapped_as: Some(evidence.clone()), constants: constants.cloned().collect(), columns }
    }

    /// What each column may be.
    fn weigh(&mut self) {
        let ranked: Vec<_> = self.columns.iter().map(|column| self.by_header(column)).collect();
        let by_context: Vec<_> = (0..ranked.len()).map(|place| self.meant(place, &ranked)).collect();
        for (place, candidate) in by_context.into_iter().enumerate() {
            // We named the columns of cards: what they are is no matter of their values.
            let of_cards = |column: &Column<'_>| known::of_cards(column.header, self.knowledge.catalogue);
            let is_cards = self.sample.is_of(FileKind::VCard);
            if let Some(candidate) = self.columns.get(place).filter(|_| is_cards).and_then(of_cards) {
                if let Some(column) = self.columns.get_mut(place) {
                    column.candidate = Some(candidate);
                }
                continue;
            }
            let Some(column) = self.columns.get(place) else { continue };
            let candidate = candidate.map(|candidate| self.weighed(column, candidate));
            let candidate =
                candidate.filter(|found| found.field != Field::Country || !column.holds_dialling_codes());
            let candidate = self.consent(column).or(candidate);
            let sure = candidate.as_ref().is_some_and(|found| found.confidence >= SURE_ENOUGH);
            let candidate = if sure { candidate } else { self.by_values(column).or(candidate) };
            if let Some(column) = self.columns.get_mut(place) {
                column.candidate = candidate;
            }
        }
    }

    /// The proposal; columns in `passed` are none of it.
    fn decide(&self, passed: &BTreeSet<usize>) -> Proposal {
        let mut others = self.other_addresses();
        others.extend(passed);
        let columns = (0..self.columns.len()).map(|place| self.propose(place, &others)).collect();
        Proposal { columns, ..Proposal::default() }
    }

    /// The candidate, confirmed or doubted by the values.
    fn weighed(&self, column: &Column<'_>, mut candidate: Candidate) -> Candidate {
        if column.cells.filled.is_empty() {
            candidate.confidence *= 0.8;
            candidate.evidence.push(Evidence::Empty);
            return candidate;
        }
        let Some((shape, hits)) = self.fit(column, &candidate.field) else { return candidate };
        let of = column.cells.filled.len();
        let fit = ratio(hits, of);
        candidate.evidence.push(Evidence::Values { shape: shape.to_owned(), hits, of });
        let sure = candidate.confidence;
        candidate.confidence = if fit >= 0.9 {
            sure + (1.0 - sure) * 0.6
        } else if fit < 0.2 && of >= 3 {
            // A header that says it plainly is believed: then the cells are wrong.
            let plain = candidate.rank < 1_000 && candidate.field != Field::ExternalId;
            if plain { (sure * 0.6).max(SURE_ENOUGH) } else { sure * 0.4 }
        } else {
            let doubted = sure * 0.4f64.mul_add(fit, 0.6);
            // One or two cells say little.
            if of < 3 { doubted.max(SURE_ENOUGH.min(sure)) } else { doubted }
        };
        candidate
    }

    fn field_of(&self, place: usize) -> Option<&Field> {
        self.columns.get(place)?.candidate.as_ref().map(|found| &found.field)
    }

    /// The column that a field with one value is taken from.
    fn winner(&self, field: &Field, others: &BTreeSet<usize>) -> Option<usize> {
        let columns = self.columns.iter().enumerate().filter(|(place, _)| !others.contains(place));
        // The lines of one address stand and fall together.
        let goes_on = |place: usize| {
            (place + 1..self.columns.len()).any(|next| {
                self.goes_on(place, next)
                    && self.columns.get(next).is_some_and(|column| !column.cells.filled.is_empty())
            })
        };
        let rivals = columns.filter_map(|(place, column)| {
            let found = column.candidate.as_ref().filter(|found| found.field == *field)?;
            let doubted = found.confidence < SURE_ENOUGH && found.rank > 0;
            let empty = column.cells.filled.is_empty() && !goes_on(place);
            Some(((empty, doubted, found.rank, place), place))
        });
        rivals.min().map(|(_, place)| place)
    }

    fn propose(&self, place: usize, others: &BTreeSet<usize>) -> ColumnProposal {
        let header = self.columns.get(place).map_or("", |column| column.header).to_owned();
        let mut proposal = ColumnProposal {
            header,
            field: None,
            confidence: 0.0,
            evidence: Vec::new(),
            perhaps: None,
            rules: ColumnRules::default(),
            notes: Vec::new(),
        };
        let Some(column) = self.columns.get(place) else { return proposal };
        let Some(found) = &column.candidate else {
            if let Some(note) = self.unread_consent(column) {
                proposal.notes.push(note);
            }
            if column.holds_dialling_codes() {
                proposal.notes.push(Note::DiallingCodes { cells: column.cells.filled.len() });
            }
            let dates = column.cells.dates();
            if dates.are_most() {
                dates.order(&mut proposal.rules, &mut proposal.notes);
            }
            return proposal;
        };
        let field = &found.field;
        proposal.evidence.clone_from(&found.evidence);
        let mut continues = false;
        let refused = if others.contains(&place) {
            Some(Evidence::OtherAddress)
        } else if takes_several(field) {
            None
        } else {
            match self.winner(field, others).filter(|winner| *winner != place) {
                Some(winner) if self.goes_on(winner, place) => {
                    continues = true;
                    None
                }
                Some(winner) => {
                    self.columns.get(winner).map(|winner| Evidence::Taken(winner.header.to_owned()))
                }
                None => None,
            }
        };
        let sure = found.confidence >= SURE_ENOUGH || found.rank == 0;
        if refused.is_some() || !sure {
            proposal.perhaps = Some((field.clone(), found.confidence));
            proposal.evidence.extend(refused);
            proposal.notes.extend(self.unread_consent(column));
            return proposal;
        }
        if let Some(says) = found.says {
            (proposal.rules.opt_out, proposal.rules.inverted) = (Some(says.which), says.inverted);
            proposal.rules.invalid = says.invalid;
            (proposal.field, proposal.confidence) = (Some(field.clone()), found.confidence);
            return proposal;
        }
        (proposal.rules, proposal.notes) = self.rules(column, field);
        if continues {
            proposal.rules.join = Some(self.between(place).to_owned());
            proposal.rules.split = None;
        }
        if *field == Field::Street && self.has_address_parts(others) {
            proposal.rules.split = None;
            proposal.notes.retain(|note| !matches!(note, Note::Address { .. }));
        }
        (proposal.field, proposal.confidence) = (Some(field.clone()), found.confidence);
        proposal
    }
}
