//! Files that say much with little, or are broken.

use std::io::{self, Seek, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Where they are written.
pub(crate) trait Out: Write + Seek {}
impl<T: Write + Seek> Out for T {}

type Make = fn(&mut dyn Out) -> io::Result<()>;

pub(crate) const ALL: [(&str, Make); 27] = [
    ("ods-a-cell-that-repeats.ods", ods_cells),
    ("ods-a-row-that-repeats.ods", ods_rows),
    ("ods-bomb.ods", |out| ods_full(out, b"<!-- -->", 1 << 27)),
    ("ods-remarks.ods", |out| ods_full(out, b"<!-- -->", 125 << 20)),
    ("ods-marks-that-mean-nothing.ods", |out| ods_full(out, b"<a/>", 250 << 20)),
    ("ods-rows-of-empty-cells.ods", |out| {
        ods_full(out, b"<table:table-row><table:table-cell/></table:table-row>", 18 << 20)
    }),
    ("xlsx-bomb.xlsx", |out| {
        xlsx(out, "<dimension ref=\"A1\"/>", &mut |out| fill(out, b"<!-- -->", 1 << 27))
    }),
    ("xlsx-remarks.xlsx", |out| xlsx(out, "", &mut |out| fill(out, b"<!-- -->", 125 << 20))),
    ("xlsx-marks-that-mean-nothing.xlsx", |out| xlsx(out, "", &mut |out| fill(out, b"<a/>", 250 << 20))),
    ("xlsx-empty-cells.xlsx", |out| xlsx(out, "", &mut |out| fill(out, b"<c/>", 250 << 20))),
    ("xlsx-cells-of-nothing.xlsx", |out| xlsx(out, "", &mut |out| fill(out, b"<c><v></v></c>", 70 << 20))),
    ("xlsx-huge-dimension.xlsx", |out| xlsx(out, "<dimension ref=\"A1:XFD1048576\"/>", &mut |_| Ok(()))),
    ("xlsx-a-far-cell.xlsx", xlsx_far),
    ("xlsx-one-huge-text.xlsx", xlsx_text),
    ("xlsx-cut.xlsx", xlsx_cut),
    ("json-one-huge-key.json", json_key),
    ("json-a-million-keys.json", json_keys),
    ("json-deep.json", |out| fill(out, b"[", 50_000_000)),
    ("json-wide-and-empty.jsonl", json_wide),
    ("json-a-key-again-and-again.json", json_again),
    ("vcard-five-million-empty.vcf", |out| fill(out, b"BEGIN:VCARD\nEND:VCARD\n", 5_000_000)),
    ("vcard-twelve-million-empty.vcf", |out| fill(out, b"BEGIN:VCARD\nEND:VCARD\n", 12_000_000)),
    ("vcard-one-huge-photo.vcf", vcard_photo),
    ("csv-one-line.csv", |out| fill(out, b"a", 300_000_000)),
    ("csv-a-quote-that-stays-open.csv", csv_quote),
    ("csv-every-line-opens-a-quote.csv", |out| {
        out.write_all(b"Company,City\n")?;
        fill(out, b"Nordlys\",\"Oslo\n", 6_000_000)
    }),
    ("csv-a-million-columns.csv", csv_columns),
];

fn fill(out: &mut dyn Write, piece: &[u8], times: usize) -> io::Result<()> {
    let at_once = 8192;
    let block = piece.repeat(at_once);
    for _ in 0..times / at_once {
        out.write_all(&block)?;
    }
    out.write_all(&piece.repeat(times % at_once))?;
    out.flush()
}

/// A part of an archive: its name, and who writes it.
type Part<'p> = (&'p str, &'p mut dyn FnMut(&mut dyn Write) -> io::Result<()>);

fn archive(out: &mut dyn Out, parts: &mut [Part<'_>]) -> io::Result<()> {
    let mut zip = ZipWriter::new(out);
    let options =
        SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated).large_file(true);
    for (name, write) in parts {
        zip.start_file(*name, options)?;
        write(&mut zip)?;
    }
    zip.finish()?.flush()
}

fn ods(out: &mut dyn Out, body: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let content = &mut |out: &mut dyn Write| {
        out.write_all(
            b"<office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
              xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" \
              xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\"><office:body><office:spreadsheet>\
              <table:table table:name=\"Leads\">",
        )?;
        body(out)?;
        out.write_all(b"</table:table></office:spreadsheet></office:body></office:document-content>")
    };
    let kind = &mut |out: &mut dyn Write| out.write_all(b"application/vnd.oasis.opendocument.spreadsheet");
    archive(out, &mut [("mimetype", kind), ("content.xml", content)])
}

fn cell(times: u64, text: &str) -> String {
    format!(
        "<table:table-cell table:number-columns-repeated=\"{times}\" office:value-type=\"string\">\
         <text:p>{text}</text:p></table:table-cell>"
    )
}

fn ods_cells(out: &mut dyn Out) -> io::Result<()> {
    let text = "x".repeat(30_000);
    ods(out, &mut |out| write!(out, "<table:table-row>{}</table:table-row>", cell(16_384, &text)))
}

fn ods_rows(out: &mut dyn Out) -> io::Result<()> {
    ods(out, &mut |out| {
        let row = cell(1_000, "twenty letters of it");
        write!(out, "<table:table-row table:number-rows-repeated=\"1048576\">{row}</table:table-row>")
    })
}

fn ods_full(out: &mut dyn Out, piece: &[u8], times: usize) -> io::Result<()> {
    ods(out, &mut |out| fill(out, piece, times))
}

fn xlsx(
    out: &mut dyn Out,
    dimension: &str,
    more: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let sheet = &mut |out: &mut dyn Write| {
        write!(
            out,
            "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">{dimension}<sheetData>\
             <row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>Company</t></is></c></row>"
        )?;
        more(out)?;
        out.write_all(b"</sheetData></worksheet>")
    };
    book(out, sheet, &mut |_| Ok(()))
}

fn book(
    out: &mut dyn Out,
    sheet: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    texts: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let types = &mut |out: &mut dyn Write| {
        out.write_all(
            b"<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"xml\" \
              ContentType=\"application/xml\"/></Types>",
        )
    };
    let workbook = &mut |out: &mut dyn Write| {
        out.write_all(
            b"<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
              xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>\
              <sheet name=\"Leads\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>",
        )
    };
    let relations = &mut |out: &mut dyn Write| {
        let kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        write!(
            out,
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
             <Relationship Id=\"rId1\" Type=\"{kind}/worksheet\" Target=\"worksheets/sheet1.xml\"/>\
             <Relationship Id=\"rId2\" Type=\"{kind}/sharedStrings\" Target=\"sharedStrings.xml\"/></Relationships>"
        )
    };
    let root = &mut |out: &mut dyn Write| {
        let kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        write!(
            out,
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
             <Relationship Id=\"rId1\" Type=\"{kind}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
        )
    };
    let strings = &mut |out: &mut dyn Write| {
        out.write_all(b"<sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">")?;
        texts(out)?;
        out.write_all(b"</sst>")
    };
    archive(
        out,
        &mut [
            ("[Content_Types].xml", types),
            ("_rels/.rels", root),
            ("xl/workbook.xml", workbook),
            ("xl/_rels/workbook.xml.rels", relations),
            ("xl/sharedStrings.xml", strings),
            ("xl/worksheets/sheet1.xml", sheet),
        ],
    )
}

fn xlsx_far(out: &mut dyn Out) -> io::Result<()> {
    xlsx(out, "", &mut |out| {
        out.write_all(b"<row r=\"1048576\"><c r=\"XFD1048576\" t=\"inlineStr\"><is><t>far</t></is></c></row>")
    })
}

fn xlsx_text(out: &mut dyn Out) -> io::Result<()> {
    let sheet = &mut |out: &mut dyn Write| {
        out.write_all(
            b"<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>\
              <row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c></row><row r=\"2\"><c r=\"A2\" t=\"s\"><v>0</v></c></row>\
              </sheetData></worksheet>",
        )
    };
    book(out, sheet, &mut |out| {
        out.write_all(b"<si><t>")?;
        fill(out, b"x", 400_000_000)?;
        out.write_all(b"</t></si>")
    })
}

fn xlsx_cut(out: &mut dyn Out) -> io::Result<()> {
    let mut whole = io::Cursor::new(Vec::new());
    xlsx(&mut whole, "", &mut |_| Ok(()))?;
    let whole = whole.into_inner();
    out.write_all(whole.get(..whole.len() / 2).unwrap_or_default())?;
    out.flush()
}

fn json_key(out: &mut dyn Out) -> io::Result<()> {
    out.write_all(b"[{\"company\": \"A\", \"")?;
    fill(out, b"k", 200_000_000)?;
    out.write_all(b"\": 1}]")?;
    out.flush()
}

fn json_keys(out: &mut dyn Out) -> io::Result<()> {
    out.write_all(b"[{\"company\": \"A\"")?;
    for n in 0..1_000_000 {
        write!(out, ", \"key number {n}\": {n}")?;
    }
    out.write_all(b"}]")?;
    out.flush()
}

/// Four thousand keys, and a million objects that have none of them.
fn json_wide(out: &mut dyn Out) -> io::Result<()> {
    out.write_all(b"{\"company\": \"A\"")?;
    for n in 0..4_000 {
        write!(out, ", \"k{n}\": {n}")?;
    }
    out.write_all(b"}\n")?;
    fill(out, b"{}\n", 1_000_000)
}

/// Lists that need quotes in all columns, and one key a million times.
fn json_again(out: &mut dyn Out) -> io::Result<()> {
    for _ in 0..5 {
        out.write_all(b"{\"company\": \"A\"")?;
        for n in 0..4_000 {
            write!(out, ", \"k{n}\": [\"a; b\"]")?;
        }
        fill(out, b", \"z\": 1", 1_500_000)?;
        out.write_all(b"}\n")?;
    }
    out.flush()
}

fn vcard_photo(out: &mut dyn Out) -> io::Result<()> {
    out.write_all(b"BEGIN:VCARD\nVERSION:3.0\nFN:Ada\nPHOTO;ENCODING=b:")?;
    fill(out, b"AAAAAAAAAAAAAAAA\n ", 11_000_000)?;
    out.write_all(b"\nEND:VCARD\nBEGIN:VCARD\nVERSION:3.0\nFN:Bo\nEND:VCARD\n")?;
    out.flush()
}

fn csv_quote(out: &mut dyn Out) -> io::Result<()> {
    out.write_all(b"Company,City\n\"Nordlys,Oslo\n")?;
    fill(out, b"Fjord,Bergen\n", 20_000_000)
}

fn csv_columns(out: &mut dyn Out) -> io::Result<()> {
    fill(out, b"Company,", 1_000_000)?;
    out.write_all(b"\n")?;
    fill(out, b"x,", 1_000_000)
}
