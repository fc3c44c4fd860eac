//! Old workbooks made here, record by record: what they would take is counted before they are parsed.

use std::io::Cursor;

use crate::exchange::{Limits, ReadOptions, Row, Table};

const SECTOR: usize = 512;
const END: u32 = 0xFFFF_FFFE;

/// An OLE container that holds a stream under so many names `Workbook`.
fn container(stream: &[u8], entries: usize) -> Vec<u8> {
    let mut stream = stream.to_vec();
    stream.resize(stream.len().max(4096).next_multiple_of(SECTOR), 0);
    let (data, directory) = (stream.len() / SECTOR, (1 + entries).div_ceil(4));
    let tables = (data + directory).div_ceil(127);
    assert!(tables <= 109);
    let chain = |from: usize, length: usize| {
        (0..length).map(move |n| if n + 1 == length { END } else { (from + n + 1) as u32 })
    };
    let mut fat: Vec<u32> = vec![0xFFFF_FFFD; tables];
    fat.extend(chain(tables, directory).chain(chain(tables + directory, data)));
    fat.resize(tables * 128, 0xFFFF_FFFF);
    let mut file = vec![0_u8; SECTOR];
    file[..8].copy_from_slice(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1");
    for (at, value) in [(24, 0x3E_u16), (26, 3), (28, 0xFFFE), (30, 9), (32, 6)] {
        file[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }
    let mut set = |at: usize, value: u32| file[at..at + 4].copy_from_slice(&value.to_le_bytes());
    for (at, value) in [(44, tables as u32), (48, tables as u32), (56, 4096), (60, END), (68, END)] {
        set(at, value);
    }
    (0..109).for_each(|n| set(76 + 4 * n, if n < tables { n as u32 } else { 0xFFFF_FFFF }));
    file.extend(fat.iter().flat_map(|id| id.to_le_bytes()));
    let begin = file.len();
    for n in 0..=entries {
        let mut entry = [0_u8; 128];
        let name = if n == 0 { "Root Entry" } else { "Workbook" };
        name.bytes().enumerate().for_each(|(place, letter)| entry[2 * place] = letter);
        entry[64] = 2 * name.len() as u8 + 2;
        entry[66] = if n == 0 { 5 } else { 2 };
        let start = if n == 0 { END } else { (tables + directory) as u32 };
        entry[116..120].copy_from_slice(&start.to_le_bytes());
        entry[120..124].copy_from_slice(&(if n == 0 { 0 } else { stream.len() as u32 }).to_le_bytes());
        file.extend(entry);
    }
    file.resize(begin + directory * SECTOR, 0);
    file.extend(stream);
    file
}

fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat()
}

fn bof(kind: u16) -> Vec<u8> {
    let mut data = [0_u8; 16];
    data[..2].copy_from_slice(&0x0600_u16.to_le_bytes());
    data[2..4].copy_from_slice(&kind.to_le_bytes());
    record(0x0809, &data)
}

/// Where the sheets of [`stream`] begin is written into their entries, which are all of one length.
fn stream(sheets: u32, globals: &[u8], sheet: &[u8]) -> Vec<u8> {
    let entry = |start: u32| record(0x0085, &[&start.to_le_bytes()[..], &[0, 0, 1, 0, b'x']].concat());
    let length = bof(5).len() + entry(0).len() * sheets as usize + globals.len() + 4;
    let mut all = bof(5);
    (0..sheets).for_each(|_| all.extend(entry(length as u32)));
    all.extend(globals);
    all.extend(record(0x000A, &[]));
    all.extend(bof(0x10));
    all.extend(sheet);
    all.extend(record(0x000A, &[]));
    all
}

fn label(row: u16, column: u16, text: u32) -> Vec<u8> {
    let data = [&row.to_le_bytes()[..], &column.to_le_bytes(), &[0, 0], &text.to_le_bytes()].concat();
    record(0x00FD, &data)
}

fn texts(texts: &[&[u8]]) -> Vec<u8> {
    let mut data = vec![0_u8; 8];
    for text in texts {
        data.extend((text.len() as u16).to_le_bytes());
        data.push(0);
        data.extend(*text);
    }
    record(0x00FC, &data)
}

fn read(file: Vec<u8>, options: &ReadOptions) -> Result<Vec<Vec<String>>, String> {
    let mut table =
        Table::open(Cursor::new(file), options).map_err(|error| error.violations()[0].message.clone())?;
    let (mut rows, mut row) = (vec![table.headers().to_vec()], Row::new());
    while table.next_row(&mut row).unwrap() {
        rows.push(row.iter().map(str::to_owned).collect());
    }
    Ok(rows)
}

#[test]
fn an_old_workbook_made_here_is_read_whatever_its_directory_repeats() {
    let cells = [label(0, 0, 0), label(0, 1, 1), label(1, 0, 2), label(1, 1, 2)].concat();
    let stream = stream(1, &texts(&[b"Name", b"City", b"x"]), &cells);
    let expected = vec![vec!["Name".to_owned(), "City".to_owned()], vec!["x".to_owned(), "x".to_owned()]];
    assert_eq!(read(container(&stream, 1), &ReadOptions::new()), Ok(expected.clone()));
    // The same stream under four thousand names is walked once.
    let mut long = stream;
    long.resize(3_000_000, 0);
    assert_eq!(read(container(&long, 4_000), &ReadOptions::new()), Ok(expected));
}

#[test]
fn zeros_that_a_format_shows_are_kept() {
    let format = [&[164, 0, 5, 0, 0][..], b"00000"].concat();
    let style = |format: u16| record(0x00E0, &[&[0, 0][..], &format.to_le_bytes(), &[0; 16]].concat());
    let number = |row: u16, style: u16, value: f64| {
        record(
            0x0203,
            &[&row.to_le_bytes()[..], &[0, 0], &style.to_le_bytes(), &value.to_le_bytes()].concat(),
        )
    };
    let several = |row: u16| {
        let rk =
            |style: u16, value: u32| [&style.to_le_bytes()[..], &(value << 2 | 2).to_le_bytes()].concat();
        record(0x00BD, &[&row.to_le_bytes()[..], &[0, 0], &rk(1, 502), &rk(0, 503), &[1, 0]].concat())
    };
    let globals = [record(0x041E, &format), style(0), style(164), texts(&[b"Zip", b"Count"])].concat();
    let cells =
        [label(0, 0, 0), label(0, 1, 1), number(1, 1, 501.0), several(2), number(3, 0, 504.0)].concat();
    let rows = read(container(&stream(1, &globals, &cells), 1), &ReadOptions::new()).unwrap();
    let rows: Vec<String> = rows.iter().map(|row| row.join(" ").trim_end().to_owned()).collect();
    assert_eq!(rows, ["Zip Count", "00501", "00502 503", "504"]);
}

#[test]
fn texts_that_cells_share_count_for_each() {
    let text = vec![b'x'; 8_000];
    let cells: Vec<u8> =
        (0..200).flat_map(|row| (0..50).flat_map(move |column| label(row, column, 0))).collect();
    let file = container(&stream(1, &texts(&[&text]), &cells), 1);
    let most = |mib: usize| ReadOptions::new().limits(Limits::new().max_table_bytes(mib * 1024 * 1024));
    assert!(read(file.clone(), &most(20)).unwrap_err().contains("reach too far"));
    assert_eq!(read(file, &most(100)).map(|rows| rows.len()), Ok(200));
    // One part of the file, and eight hundred sheets.
    let file = container(&stream(800, &texts(&[b"a"]), &cells), 1);
    assert!(read(file, &most(100)).unwrap_err().contains("reach too far"));
}

#[test]
fn what_an_old_workbook_says_of_itself_is_not_believed() {
    let none = ReadOptions::new();
    assert!(read(container(&stream(1_001, &[], &[]), 1), &none).unwrap_err().contains("1000 sheets"));
    // The last row before the first: counted round at zero.
    let mut sizes = [0_u8; 14];
    sizes[..4].copy_from_slice(&9_u32.to_le_bytes());
    sizes[4..8].copy_from_slice(&3_u32.to_le_bytes());
    sizes[10] = 1;
    assert!(read(container(&stream(1, &[], &record(0x0200, &sizes)), 1), &none).unwrap_err().contains("far"));
    // Records without anything that continue another.
    let empty = record(0x003C, &[]).repeat(50_000);
    for part in [[texts(&[]), empty.clone()].concat(), [record(0x00EB, &[]), empty].concat()] {
        assert!(read(container(&stream(1, &part, &[]), 1), &none).unwrap_err().contains("damaged"));
    }
    // Names that are written out with the name of their sheet.
    let names = record(0x0018, &[0; 15]).repeat(100_000);
    let small = ReadOptions::new().limits(Limits::new().max_table_bytes(4 * 1024 * 1024));
    assert!(read(container(&stream(1, &names, &[]), 1), &small).unwrap_err().contains("far"));
}
