//! Pages that end where they began: what asks again for ever is refused with the first that does not get on.

use oxidyn::error::{Error, TransportKind};
use oxidyn::ops::Operation;
use oxidyn::ops::fill::FillPage;
use oxidyn::ops::pages::{Bounds, Cursor};
use oxidyn::ops::parallel::{CountSegments, Position};
use oxidyn::ops::partiql::{Execute, Statement};
use oxidyn::transport::Reply;

use super::drive::{eq, reply, run, s};
use super::pages::query;

const STUCK: &str = r#"{"Count":0,"Items":[],"LastEvaluatedKey":{"id":{"S":"m"}},"NextToken":"t"}"#;
const BOUNDS: Bounds = Bounds {
    limit: None,
    page_size: None,
};

fn expect_refused_after<O: Operation>(operation: &O, requests: usize) {
    let mut asked = 0;
    let (output, _) = run(operation, |_| {
        asked += 1;
        assert!(asked <= 100, "asked for ever");
        reply(STUCK)
    });
    match output.map(|_| ()) {
        Err(Error::Transport(error)) => assert_eq!(error.kind, TransportKind::Reply, "{error}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(asked, requests);
}

#[test]
fn a_page_that_was_asked_for_behind_its_own_end_has_no_next_one() {
    let pages = query(eq("org", s("acme")), BOUNDS);
    let cursor = Cursor {
        start_key: r#"{"id":{"S":"m"}}"#.into(),
        wanted: None,
    };

    let (page, _) = run(&pages.page(Some(cursor)), |_| reply(STUCK));

    let refused = page.and_then(|mut page| page.next_item());
    assert!(refused.unwrap_err().to_string().contains("LastEvaluatedKey behind"));
}

#[test]
fn a_count_ends_with_the_first_page_that_does_not_get_on() {
    let pages = query(eq("org", s("acme")), BOUNDS);

    expect_refused_after(&pages.count(None), 2);
}

#[test]
fn a_filled_page_ends_with_the_first_reply_that_does_not_get_on() {
    let pages = query(eq("org", s("acme")), BOUNDS);

    expect_refused_after(&FillPage::new(&pages, 10, None, true), 2);
}

#[test]
fn a_count_of_segments_ends_with_the_first_page_that_does_not_get_on() {
    let pages = query(eq("org", s("acme")), BOUNDS);
    let segments = [Position::Start];

    expect_refused_after(&CountSegments::new(&pages, &segments), 2);
}

#[test]
fn a_statement_ends_with_the_first_page_that_does_not_get_on() {
    let statement = Statement::new("SELECT * FROM users", &[]).unwrap();

    expect_refused_after(&Execute::new(&statement, false, None), 2);
}

#[test]
fn pages_that_get_on_are_read_to_the_end() {
    let mut asked = 0;
    let (count, _) = run(
        &query(eq("org", s("acme")), BOUNDS).count(None),
        |_| -> Result<Reply, Error> {
            asked += 1;
            if asked == 50 {
                return reply(r#"{"Count":1}"#);
            }
            reply(format!(
                r#"{{"Count":1,"LastEvaluatedKey":{{"id":{{"S":"m{asked}"}}}}}}"#
            ))
        },
    );

    assert_eq!(count.unwrap(), 50);
}
