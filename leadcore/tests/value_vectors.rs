//! Value types against published test vectors, which live outside the repository: in the directory named by
//! `LEADCORE_SHARED`, else in `shared` beside the checkout. Without them the tests pass and say so.

#[cfg(test)]
mod vectors {
    use std::path::PathBuf;

    use leadcore::value::Email;
    #[cfg(feature = "phone")]
    use leadcore::value::{Country, Phone};

    /// The file, or nothing with a loud word about it.
    fn shared(file: &str) -> Option<PathBuf> {
        let root = std::env::var_os("LEADCORE_SHARED")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
        let path = root.join("data").join(file);
        if path.is_file() {
            return Some(path);
        }
        // Not through the test harness, which would keep it to itself for a test that passes.
        let message = format!("\n!!! NOT TESTED: {} is absent; set LEADCORE_SHARED\n", path.display());
        let _ = std::io::Write::write_all(&mut std::io::stderr(), message.as_bytes());
        None
    }

    fn rows(file: &str) -> Option<Vec<csv::StringRecord>> {
        let mut reader = csv::Reader::from_path(shared(file)?).unwrap();
        Some(reader.records().map(Result::unwrap).collect())
    }

    /// Where [`Email`] decides otherwise than the rule "accept VALID and DNSWARN, refuse the rest", and why.
    const EMAIL_EXCEPTIONS: &[(&str, &str)] = &[
        ("5", "a bare top-level domain: nobody has such an address, many mistype one"),
        ("43", "an empty quoted local part"),
        ("55", "a quoted blank (`\\\\ `), which the grammar of the e-mail crate does not know"),
    ];

    /// Whether the address is one only because [`Email`] takes blanks and line ends off its ends first, which
    /// RFC 5322 calls folding white space and isemail refuses.
    fn is_trimmed_away(address: &str) -> bool {
        address.trim() != address && Email::parse(address.trim()).is_ok()
    }

    #[test]
    fn email_addresses_of_isemail() {
        let Some(rows) = rows("email/isemail_tests.csv") else { return };
        let (mut agree, mut trimmed, mut wrong) = (0, 0, Vec::new());
        for row in &rows {
            let address: String = serde_json::from_str(&row[1]).unwrap();
            let (category, diagnosis) = (&row[2], &row[3]);
            let accept = match category {
                "ISEMAIL_VALID_CATEGORY" | "ISEMAIL_VALID" | "ISEMAIL_DNSWARN" => true,
                // The policy for what RFC 5321 allows: a quoted local part is taken, the rest refused.
                "ISEMAIL_RFC5321" => diagnosis == "ISEMAIL_RFC5321_QUOTEDSTRING",
                _ => false,
            };
            if Email::parse(&address).is_ok() == accept {
                agree += 1;
            } else if is_trimmed_away(&address) {
                trimmed += 1;
            } else {
                wrong.push(format!("{} {category} {diagnosis} {:?}", &row[0], address));
            }
        }
        println!(
            "isemail: {agree} of {} as the rule says, {trimmed} accepted after trimming, {} exceptions",
            rows.len(),
            wrong.len()
        );
        wrong.retain(|line| !EMAIL_EXCEPTIONS.iter().any(|(id, _)| line.starts_with(&format!("{id} "))));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Longer than the 64 characters that a phone number may have.
    #[cfg(feature = "phone")]
    const TOO_LONG: &str = "tel:033316005;phone-context=+64;{";

    /// Regions of phone plans that are no countries of ISO 3166-1 (Ascension, Tristan da Cunha), and two whose
    /// wrong number is not the same in the national spelling.
    #[cfg(feature = "phone")]
    const NATIONAL_EXCEPTIONS: [&str; 4] = ["AC", "TA", "IM", "JE"];

    #[cfg(feature = "phone")]
    #[test]
    fn phone_numbers_of_libphonenumber() {
        let Some(rows) = rows("phone/parse_vectors.csv") else { return };
        let (mut agree, mut wrong) = (0, Vec::new());
        for row in &rows {
            let (input, region, possible) = (&row[0], &row[1], &row[5] == "true");
            let phone = Phone::parse(input, Country::parse(region).ok());
            let (e164, extension, valid) = match &phone {
                Ok(phone) => (phone.e164(), phone.extension(), phone.is_valid()),
                Err(_) => (None, None, false),
            };
            let expected_e164 = (&row[2] == "OK" && possible).then_some(&row[3]);
            let expected_extension = Some(&row[4]).filter(|e| !e.is_empty() && expected_e164.is_some());
            let extension = if expected_e164.is_some() { extension } else { None };
            if (e164, extension, valid) == (expected_e164, expected_extension, &row[6] == "true") {
                agree += 1;
            } else if !input.starts_with(TOO_LONG) {
                wrong.push(format!("{row:?} -> {phone:?}"));
            }
        }
        println!("phone parse vectors: {agree} of {} agree", rows.len());
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[cfg(feature = "phone")]
    #[test]
    fn phone_examples_of_every_region() {
        let Some(rows) = rows("phone/examples.csv") else { return };
        let (mut agree, mut wrong) = (0, Vec::new());
        for row in &rows {
            let region = Country::parse(&row[0]).ok();
            for (spelling, text) in
                [("national", &row[3]), ("international", &row[4]), ("e164", &row[5]), ("rfc3966", &row[6])]
            {
                let phone = Phone::parse(text, region);
                let e164 = phone.as_ref().ok().and_then(Phone::e164);
                let valid = phone.as_ref().is_ok_and(Phone::is_valid);
                // Most wrong numbers of the file are not even possible ones, and then have no E.164 form.
                let expected = e164 == Some(&row[5]) || (e164.is_none() && &row[2] == "INVALID");
                if expected && valid == (&row[7] == "true") {
                    agree += 1;
                } else if spelling != "national" || !NATIONAL_EXCEPTIONS.contains(&&row[0]) {
                    wrong.push(format!("{spelling}: {row:?} -> {phone:?}"));
                }
            }
        }
        println!("phone examples: {agree} of {} spellings agree", rows.len() * 4);
        assert!(wrong.is_empty(), "{}\n{} wrong", wrong.join("\n"), wrong.len());
    }

    #[test]
    fn naughty_strings_come_back_byte_for_byte() {
        let Some(path) = shared("text/blns.json") else { return };
        let strings: Vec<String> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        for text in &strings {
            assert_eq!(leadcore::value::clean_text(text, 1_000).as_deref(), Ok(text.as_str()));
            let key = leadcore::value::fold(text);
            assert_eq!(leadcore::value::fold(&key), key);
            let blank = text.chars().all(|c| c.is_whitespace() || c.is_control());
            assert_eq!(key.is_empty(), blank, "{text:?}");
        }
        println!("naughty strings: {} kept", strings.len());
    }
}
