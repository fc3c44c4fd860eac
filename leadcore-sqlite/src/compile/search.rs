//! Searches: by the index of three-letter runs, or row by row.

use leadcore::domain::SearchPart;
use leadcore::error::Result;
use leadcore::query::{SearchParts, Term, TextSearch};

use super::{Compiler, SearchBy, number_value};

impl Compiler<'_> {
    pub(super) fn search(&mut self, search: &TextSearch) -> Result<()> {
        let Some(expression) = match_expression(&search.terms) else {
            self.text("1");
            return Ok(());
        };
        let rows = match &self.search_by {
            SearchBy::Among(known, rows) if *known == search => Some(rows.clone()),
            _ => None,
        };
        let number = search.number.map(number_value).transpose()?;
        let by_row = rows.is_none() && self.search_by == SearchBy::Row;
        self.text("(");
        if let Some(rows) = rows {
            self.text("l.rid IN (SELECT value FROM json_each(");
            self.param(rows);
            self.text("))");
        } else if !by_row {
            self.text("l.rid IN (SELECT rowid FROM leadcore_lead_search WHERE leadcore_lead_search MATCH ");
            self.param(expression);
            if let Some(number) = number {
                self.text(" UNION ALL SELECT n.rid FROM leadcore_lead n WHERE n.tenant = ");
                self.param(self.tenant.to_owned());
                self.text(" AND n.number = ");
                self.param(number);
            }
            self.text(")");
        }
        // The index knows of words, not of parts.
        let restricted = search.parts != SearchParts::ALL;
        if restricted && !by_row {
            self.text(" AND ");
        }
        if restricted || by_row {
            self.look_into(search, number);
        }
        self.text(")");
        Ok(())
    }

    /// Looks for the words in the search text of a row, in those parts that may be looked into.
    fn look_into(&mut self, search: &TextSearch, number: Option<i64>) {
        let parts = searched_text(search.parts);
        self.text("(");
        if let Some(number) = number {
            self.text("l.number = ");
            self.param(number);
            self.text(" OR ");
        }
        self.text("(");
        for (n, term) in search.terms.iter().enumerate() {
            self.text(if n > 0 { " AND (0" } else { "(0" });
            for part in &parts {
                self.text(&format!(" OR instr({part}, "));
                self.param(term.as_str().to_owned());
                self.text(") > 0");
            }
            self.text(")");
        }
        self.text("))");
    }
}

/// The stretches of the search text that have these parts, in SQL: parts side by side are one.
fn searched_text(parts: SearchParts) -> Vec<String> {
    if parts == SearchParts::ALL {
        return vec!["l.search".to_owned()];
    }
    let at = |mark: char| format!("instr(l.search, char({}))", u32::from(mark));
    let mut stretches = Vec::new();
    let mut open: Option<String> = None;
    for part in SearchPart::ALL {
        let begin = part.mark().map_or_else(|| "1".to_owned(), at);
        match (open.take(), parts.has(part)) {
            (Some(from), true) => open = Some(from),
            (Some(from), false) => stretches.push(format!("substr(l.search, {from}, {begin} - {from})")),
            (None, true) => open = Some(begin),
            (None, false) => {}
        }
    }
    stretches.extend(open.map(|from| format!("substr(l.search, {from})")));
    stretches
}

/// The query that asks the search index: every term as a quoted phrase, so that nothing in it is an operator. The
/// trigram tokenizer makes a phrase match exactly where the text has it. None when there is nothing to look for.
pub(crate) fn match_expression(terms: &[Term]) -> Option<String> {
    let quoted: Vec<_> =
        terms.iter().map(|term| format!("\"{}\"", term.as_str().replace('"', "\"\""))).collect();
    if quoted.is_empty() { None } else { Some(quoted.join(" AND ")) }
}
