//! What a part of an archive holds, counted while it is unpacked and thrown away.
//!
//! The parser behind it keeps one mark (a tag, a comment, a run of text) whole in memory, all of one cell or shared text,
//! and everything of the small parts. So here is looked at how long marks and such elements are, and how many there are of
//! those that are kept; nothing is understood.

/// The names of elements that are kept whole, one at a time or all of them.
const KEPT: [&[u8]; 8] = [b"c", b"si", b"is", b"definedName", b"font", b"fill", b"border", b"row"];
/// Where these end even if their own end is not written (`<c r="A1"/>`).
const AROUND: [&[u8]; 6] = [b"sheetData", b"sst", b"fonts", b"fills", b"borders", b"definedNames"];
/// So much of a tag is kept to know it by.
const HEAD: usize = 64;

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Sheets that the list of sheets names.
    pub(super) sheets: usize,
    pub(super) merged: usize,
    /// Cells with a formula and no result of it.
    pub(super) unstored: usize,
    /// Texts that cells share, and how many the part says that there are.
    pub(super) strings: usize,
    pub(super) said_strings: u64,
    pub(super) names: usize,
    pub(super) relations: usize,
    /// Formats of cells, and what they are put together from.
    pub(super) formats: usize,
    pub(super) pieces: usize,
    /// The longest of these pieces in bytes.
    pub(super) longest_piece: usize,
    /// The longest mark, and the longest element of those that are kept whole.
    pub(super) longest_mark: usize,
    pub(super) longest_element: usize,
    pub(super) marks: Marks,
}

/// How many marks there are, whatever they hold: each takes time, here and in the parsers behind.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Marks {
    pub(super) elements: u64,
    /// Those that are neither rows nor cells nor what these hold.
    pub(super) others: u64,
    /// Cells that are one mark, without an end of their own.
    pub(super) empty_cells: u64,
    /// Comments, instructions and declarations.
    pub(super) remarks: u64,
}

impl Marks {
    pub(super) const fn plus(self, more: Self) -> Self {
        Self {
            elements: self.elements + more.elements,
            others: self.others + more.others,
            empty_cells: self.empty_cells + more.empty_cells,
            remarks: self.remarks + more.remarks,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    /// Behind `<`, not yet known what it begins.
    Opened,
    /// Inside a tag; the quote that is open in it.
    Tag(Option<u8>),
    Comment,
    Data,
    Instruction,
    /// How many `<` are open in a declaration of a document type.
    Declaration(usize),
}

/// Walks over a part, piece by piece.
#[derive(Debug)]
pub(super) struct Walk {
    state: State,
    pub(super) counts: Counts,
    /// Bytes of the mark that is open.
    mark: usize,
    /// The beginning of the tag that is open, without `<`.
    head: Vec<u8>,
    /// The last three bytes.
    tail: [u8; 3],
    /// Bytes since an element that is kept whole began, and whether it is a piece of a format.
    element: Option<(usize, bool)>,
    /// Whether the cell that is open has a formula, and no result so far.
    lacks_result: bool,
    /// Bytes of text since the last tag.
    text: usize,
}

impl Walk {
    pub(super) fn new() -> Self {
        let (counts, head) = (Counts::default(), Vec::new());
        Self {
            state: State::Text,
            counts,
            mark: 0,
            head,
            tail: [0; 3],
            element: None,
            lacks_result: false,
            text: 0,
        }
    }

    /// Walks on over `bytes`.
    pub(super) fn look(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let passed = self.step(bytes).clamp(1, bytes.len());
            let (done, rest) = bytes.split_at_checked(passed).unwrap_or((bytes, &[]));
            for byte in done.iter().skip(done.len().saturating_sub(3)) {
                self.tail = [self.tail[1], self.tail[2], *byte];
            }
            bytes = rest;
        }
    }

    /// Passes over bytes up to where the state changes; how many.
    fn step(&mut self, bytes: &[u8]) -> usize {
        let end = match self.state {
            State::Text => bytes.iter().position(|byte| *byte == b'<'),
            State::Opened => return self.opened(bytes),
            State::Tag(Some(quote)) => bytes.iter().position(|byte| *byte == quote),
            State::Tag(None) => bytes.iter().position(|byte| matches!(byte, b'>' | b'"' | b'\'')),
            State::Comment => self.end_of(bytes, b"--", 7),
            State::Data => self.end_of(bytes, b"]]", 12),
            State::Instruction => self.end_of(bytes, b"?", 4),
            State::Declaration(_) => bytes.iter().position(|byte| matches!(byte, b'<' | b'>')),
        };
        let passed = end.map_or(bytes.len(), |end| end + 1);
        self.grow(passed);
        if self.state == State::Text {
            self.text += end.unwrap_or(passed);
        }
        if let State::Tag(_) = self.state {
            let read = bytes.get(..passed).unwrap_or_default();
            let (head, rest) =
                read.split_at_checked(HEAD.saturating_sub(self.head.len())).unwrap_or((read, &[]));
            self.head.extend_from_slice(head);
            // Of the head of the shared texts the whole: the parser believes the count in it.
            if !rest.is_empty() && is_called(&self.head, b"sst") {
                self.head.extend_from_slice(rest);
            }
        }
        if let Some(byte) = end.and_then(|end| bytes.get(end)) {
            self.change(*byte, end.and_then(|end| end.checked_sub(1)).and_then(|before| bytes.get(before)));
        }
        passed
    }

    fn grow(&mut self, by: usize) {
        let counts = &mut self.counts;
        self.mark += by;
        counts.longest_mark = counts.longest_mark.max(self.mark);
        if let Some((size, is_piece)) = &mut self.element {
            *size += by;
            counts.longest_element = counts.longest_element.max(*size);
            if *is_piece {
                counts.longest_piece = counts.longest_piece.max(*size);
            }
        }
    }

    /// The `>` behind `before`, which may lie in the bytes before these; no mark of this kind is shorter than `least`.
    fn end_of(&self, bytes: &[u8], before: &[u8], least: usize) -> Option<usize> {
        let is_end = |place: usize| {
            self.mark + place + 1 >= least
                && (1..=before.len()).all(|back| {
                    let known = match place.checked_sub(back) {
                        Some(place) => bytes.get(place),
                        None => self.tail.get((3 + place).saturating_sub(back)),
                    };
                    known == before.get(before.len() - back)
                })
        };
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'>');
        ends.map(|(place, _)| place).find(|place| is_end(*place))
    }

    /// What a `<` begins is told by up to eight bytes behind it.
    fn opened(&mut self, bytes: &[u8]) -> usize {
        let Some(byte) = bytes.first() else { return 0 };
        self.head.push(*byte);
        self.grow(1);
        let is_cut = |whole: &[u8]| whole.starts_with(&self.head) && whole != self.head;
        self.state = match self.head.as_slice() {
            [b'?'] => State::Instruction,
            b"!--" => State::Comment,
            b"![CDATA[" => State::Data,
            head if is_cut(b"!--") || is_cut(b"![CDATA[") => {
                let _ = head;
                return 1;
            }
            [b'!', .., b'>'] => State::Text,
            [b'!', ..] => State::Declaration(1),
            [b'>'] => State::Text,
            _ => State::Tag(None),
        };
        1
    }

    /// The byte at which a state ends, and the one before it.
    fn change(&mut self, byte: u8, before: Option<&u8>) {
        self.state = match (self.state, byte) {
            (State::Text, _) => {
                self.mark = 1;
                self.head.clear();
                State::Opened
            }
            (State::Tag(None), b'"' | b'\'') => State::Tag(Some(byte)),
            (State::Tag(Some(_)), _) => State::Tag(None),
            (State::Tag(None), _) => {
                let empty = before.or(self.tail.last()) == Some(&b'/');
                self.tag(empty);
                self.mark = 0;
                State::Text
            }
            (State::Declaration(open), b'<') => State::Declaration(open + 1),
            (State::Declaration(open), _) if open > 1 => State::Declaration(open - 1),
            (state, _) => {
                self.counts.marks.remarks += u64::from(state != State::Data);
                self.mark = 0;
                State::Text
            }
        };
    }

    /// A tag has ended.
    fn tag(&mut self, empty: bool) {
        let closes = self.head.first() == Some(&b'/');
        let name = local_name(self.head.get(usize::from(closes)..).unwrap_or_default());
        let text = std::mem::take(&mut self.text);
        match name {
            b"c" if closes => {
                self.counts.unstored += usize::from(std::mem::take(&mut self.lacks_result));
            }
            b"c" => self.lacks_result = false,
            b"f" if !closes => self.lacks_result = true,
            b"v" if closes && text > 0 => self.lacks_result = false,
            _ => {}
        }
        let is_kept = KEPT.contains(&name);
        if is_kept || (closes && AROUND.contains(&name)) {
            self.element = None;
        }
        if closes {
            return;
        }
        let marks = &mut self.counts.marks;
        marks.elements += 1;
        match name {
            b"c" | b"table-cell" | b"covered-table-cell" => marks.empty_cells += u64::from(empty),
            b"row" | b"v" | b"f" | b"is" | b"t" | b"r" | b"si" | b"table-row" | b"p" | b"span" => {}
            _ => marks.others += 1,
        }
        let is_piece = matches!(name, b"font" | b"fill" | b"border" | b"numFmt");
        if is_kept && !empty && name != b"row" {
            self.element = Some((self.mark, is_piece));
        }
        let counts = &mut self.counts;
        counts.pieces += usize::from(is_piece);
        match name {
            b"sheet" => counts.sheets += 1,
            b"mergeCell" => counts.merged += 1,
            b"si" => counts.strings += 1,
            b"definedName" => counts.names += 1,
            b"Relationship" => counts.relations += 1,
            b"xf" => counts.formats += 1,
            b"numFmt" => counts.longest_piece = counts.longest_piece.max(self.mark),
            b"sst" => counts.said_strings = counts.said_strings.max(said(&self.head)),
            _ => {}
        }
    }
}

fn local_name(tag: &[u8]) -> &[u8] {
    let end = tag.iter().position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>'));
    let name = tag.get(..end.unwrap_or(tag.len())).unwrap_or_default();
    name.rsplit(|byte| *byte == b':').next().unwrap_or(name)
}

fn is_called(tag: &[u8], name: &[u8]) -> bool {
    tag.len() > name.len() && local_name(tag) == name
}

/// The largest count in a tag: in whatever way it may be written, it is not read as less.
fn said(tag: &[u8]) -> u64 {
    const WORD: &[u8] = b"uniqueCount";
    let starts = tag.iter().enumerate().filter(|(_, byte)| **byte == b'u').map(|(place, _)| place);
    let values = starts.filter_map(|place| tag.get(place..)?.strip_prefix(WORD));
    let counts = values.map(|value| {
        let digits = value.iter().skip_while(|byte| !byte.is_ascii_digit() && **byte != b'>');
        let digits = digits.take_while(|byte| byte.is_ascii_digit());
        digits.fold(0_u64, |n, digit| n.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
    });
    counts.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same whatever the pieces in which it comes.
    fn counts(text: &str) -> String {
        let walk = |size: usize| {
            let mut walk = Walk::new();
            text.as_bytes().chunks(size).for_each(|piece| walk.look(piece));
            format!("{:?}", walk.counts)
        };
        let whole = walk(usize::MAX);
        for size in 1..9 {
            assert_eq!(walk(size), whole, "in pieces of {size}");
        }
        whole
    }

    #[test]
    fn what_is_kept_is_counted() {
        let found = counts(
            "\u{feff}<?xml version=\"1.0\"?><x:sst a=\">\" count='7' uniqueCount = \"012\" b=\"uniqueCount=9\">\
             <x:si><t>&lt;si></t></x:si><si/><!-- <si> -- > --><![CDATA[<si>]]></x:sst><mergeCell ref='A1:B2'/>",
        );
        let far = format!("<sst {} uniqueCount=\"34\">", " ".repeat(200));
        assert!(counts(&far).contains("said_strings: 34"));
        for part in ["strings: 2", "said_strings: 12", "merged: 1", "sheets: 0"] {
            assert!(found.contains(part), "{part}: {found}");
        }
    }

    #[test]
    fn marks_are_counted_by_what_they_are() {
        let found = counts(
            "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"c\">]><!-- <c/> --><x:row><c r=\"A1\"/><c><v>1</v></c>\
             <![CDATA[<c/>]]></x:row><t:table-row><t:table-cell/><t:table-cell><text:p/></t:table-cell></t:table-row><a/><b>",
        );
        assert!(
            found.contains("marks: Marks { elements: 10, others: 2, empty_cells: 2, remarks: 3 }"),
            "{found}"
        );
    }

    #[test]
    fn formulas_without_a_result_are_counted() {
        let found = counts(
            "<row><c><f>A1</f></c><c><f>A1</f><v/></c><c><f>A1</f><v></v></c><x:c><x:f/></x:c>\
             <c><f>A1</f><v>1</v></c><c><v>1</v></c><c><v></v></c><c/></row><f>A1</f>",
        );
        assert!(found.contains("unstored: 4"), "{found}");
    }

    #[test]
    fn the_longest_mark_and_element_are_found() {
        let long = "<".repeat(500);
        for text in [
            format!("<!--{long}-->"),
            format!("<![CDATA[{long}]]>"),
            format!("<?{long}?>"),
            format!("<a b=\"{long}\"/>"),
        ] {
            assert!(counts(&text).contains(&format!("longest_mark: {}", text.len())), "{text:.20}");
        }
        let cell = format!("<c><is>{}</is></c>", "<r><t>x</t></r>".repeat(100));
        let found = counts(&format!("<row>{cell}<c r=\"B1\"/></row>{}<b/>", "<d/>".repeat(1_000)));
        assert!(found.contains("longest_element: 1509"), "{found}");
        let style = format!("<font>{}</font><xf/><xf/><d/>", "<b/>".repeat(50));
        let found = counts(&style);
        assert!(found.contains("formats: 2") && found.contains("longest_piece: 213"), "{found}");
    }
}
