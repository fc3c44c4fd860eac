//! Headers with a word for a tax in them: an id of the company, an amount with or without it, or neither.

use super::super::shape;
use super::Proposer;
use crate::domain::{Catalogue, Field, FieldType};
use crate::value::fold;

/// Words for an id that the authorities gave a company.
const IDS: &[&str] = &["cnpj", "cpf", "vat", "gstin", "cif", "cvr", "siren", "siret", "orgnr"];
const TAXES: &[&str] =
    &["vat", "tax", "taxes", "gst", "mwst", "ust", "mva", "moms", "iva", "tva", "btw", "alv"];
/// What says that a tax is in an amount, or is not.
const SIDES: &[&str] = &[
    "excl",
    "excluding",
    "exclusive",
    "excluded",
    "exc",
    "ex",
    "exkl",
    "eks",
    "ekskl",
    "incl",
    "including",
    "inclusive",
    "included",
    "inc",
    "inkl",
    "before",
    "after",
    "without",
    "with",
    "plus",
    "net",
    "of",
    "ohne",
    "uten",
    "hors",
    "sin",
];
/// What is said of a tax and is no id.
const NO_IDS: &[&str] = &[
    "rate",
    "rates",
    "percent",
    "percentage",
    "pct",
    "amount",
    "sum",
    "total",
    "value",
    "net",
    "gross",
    "code",
    "class",
    "group",
    "type",
    "status",
    "exempt",
    "satz",
    "sats",
    "betrag",
    "belop",
];

fn words(header: &str) -> Vec<String> {
    let folded = fold(header);
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

fn is_in(list: &[&str], word: &str) -> bool {
    list.contains(&word)
}

/// Whether a header speaks of an id by which a company is taxed.
pub(super) fn is_id(header: &str) -> bool {
    words(header).iter().any(|word| is_in(IDS, word)) && !is_of_amounts(header)
}

/// Whether a header speaks of amounts or rates, whatever tax it names.
pub(super) fn is_of_amounts(header: &str) -> bool {
    let says = |word: &String| is_in(NO_IDS, word) || is_in(SIDES, word) && word != "of";
    header.contains('%') || words(header).iter().any(says)
}

/// The amount of which a header says that a tax is in it or is not: `Amount (excl. VAT)`.
pub(super) fn amount(header: &str, catalogue: &Catalogue) -> Option<(Field, u32)> {
    let mut words = words(header);
    while words.last().is_some_and(|word| is_in(TAXES, word)) {
        words.pop();
    }
    let with_side = words.len();
    while words.last().is_some_and(|word| is_in(SIDES, word)) {
        words.pop();
    }
    if words.is_empty() || words.len() == with_side {
        return None;
    }
    let (field, rank) = catalogue.rank_header(&words.join(" "))?;
    let is_amount = matches!(catalogue.field_type(&field), Ok(FieldType::Amount | FieldType::Decimal));
    is_amount.then_some((field, rank))
}

impl Proposer<'_, '_> {
    /// Whether a column that vendors call a tax holds something else: `25%`. Our own name for the field is believed.
    pub(super) fn is_no_tax_id(&self, place: usize, found: &(Field, u32)) -> bool {
        let column = self.columns.get(place);
        let doubted = matches!(found, (Field::TaxId, 1..));
        doubted
            && column.is_some_and(|column| {
                !column.cells.filled.is_empty() && column.cells.share(shape::is_like_tax_id) < 0.5
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tax_in_a_header_is_an_id_or_is_said_of_an_amount() {
        let catalogue = Catalogue::standard();
        for (header, field, id) in [
            ("Amount (excl. VAT)", Some(Field::Amount), false),
            ("Amount (excluding VAT)", Some(Field::Amount), false),
            ("Deal value ex. VAT", Some(Field::Amount), false),
            ("Beløp eks. mva", Some(Field::Amount), false),
            ("Amount VAT", None, false),
            ("VAT rate", None, false),
            ("VAT %", None, false),
            ("Company excl. VAT", None, false),
            ("excl. VAT", None, false),
            ("VAT no. of the company", None, true),
            ("qual_o_seu_cnpj?", None, true),
            ("Amount", None, false),
        ] {
            let found = amount(header, &catalogue).map(|(field, _)| field);
            assert_eq!((found, is_id(header)), (field, id), "{header}");
        }
    }
}
