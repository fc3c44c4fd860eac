//! What a file says of addresses that are known.

use super::*;
use crate::domain::{Emails, Phones};

fn emails(host: &Host) -> Emails {
    host.leads().pop().unwrap().fields.emails
}

#[test]
fn a_file_marks_a_known_address_and_takes_no_mark_off() {
    let host = Host::new();
    host.run("Company,E-mail,Phone\nNordlys AS,\"a@b.no, c@d.no (opted_out)\",+47 22 22 55 55\n");
    let report = host.run("E-mail,Phone\n\"a@b.no (work opted_out), c@d.no\",+4722225555 (mobile invalid)\n");
    assert_eq!(counts(&report), (0, 1, 0, 0), "{report}");
    let told = Emails::parse("a@b.no (work opted_out), c@d.no (opted_out)").unwrap();
    assert_eq!(emails(&host), told);
    let phones = host.leads().pop().unwrap().fields.phones;
    assert_eq!(phones, Phones::parse("+47 22 22 55 55 (mobile invalid)", None).unwrap());
    // Neither without marks, nor without a cell, nor said to have none.
    for file in [
        "E-mail,City\na@b.no,Oslo\n",
        "Phone,E-mail\n+4722225555,\n",
        "E-mail\n\"a@b.no (), c@d.no (home)\"\n",
    ] {
        host.run(file);
    }
    assert_eq!(emails(&host), Emails::parse("a@b.no (work opted_out), c@d.no (home opted_out)").unwrap());
    // The strictest of one row holds too.
    host.run("Company,E-mail,Email 2\nFjord AS,e@f.no (opted_out),E@f.no\n");
    assert_eq!(emails(&host), Emails::parse("e@f.no (opted_out)").unwrap());
}

#[test]
fn a_file_says_which_known_address_is_the_primary_one() {
    let host = Host::new();
    host.run("Company,E-mail\nNordlys AS,\"a@b.no, c@d.no\"\n");
    let order = || emails(&host).iter().map(ToString::to_string).collect::<Vec<_>>();
    host.run("E-mail\n\"e@f.no, c@d.no\"\n");
    assert_eq!(order(), ["a@b.no", "c@d.no", "e@f.no"], "a file that lacks the primary one does not say");
    host.run("E-mail\n\"c@d.no, a@b.no\"\n");
    assert_eq!(order(), ["c@d.no", "a@b.no", "e@f.no"]);
    host.run("E-mail\n\"e@f.no (invalid), c@d.no\"\n");
    assert_eq!(order(), ["c@d.no", "a@b.no", "e@f.no"], "what does not work is no primary address");
}
