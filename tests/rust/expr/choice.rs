//! Which table or index a query goes to.

use oxidyn::error::{Error, Result};
use oxidyn::expr::ast::{Comparison, Condition};
use oxidyn::expr::split::{Candidate, Candidates, Explanation, KeySchema, Terms, explain, plan};
use proptest::prelude::*;
use proptest::sample::subsequence;

use super::evaluate::{Item, selects, split_selects};
use super::values::{compare, eq, ge, gt, i, lt, names, path, s};

fn key(partition: &[&str], sort: &[&str]) -> KeySchema {
    let names = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
    KeySchema {
        partition: names(partition),
        sort: names(sort),
    }
}

/// The table (org, id); local `by_age`; global `by_mail` (mail), `by_day` (day, at), `by_place` (country, kind; year, month),
/// and `by_org` (org, at), declared in another order than that of preference.
fn candidates() -> Vec<Candidate> {
    let table = key(&["org"], &["id"]);
    let index = |name: &str, partition, sort| Candidate::index(name.into(), key(partition, sort), &table);
    vec![
        Candidate::table(table.clone()),
        index("by_mail", &["mail"], &[]),
        index("by_day", &["day"], &["at"]),
        index("by_place", &["country", "kind"], &["year", "month"]),
        index("by_org", &["org"], &["at"]),
        index("by_age", &[], &["age"]),
    ]
}

/// The same, after `change` has been made to the index of that name.
fn with(name: &str, change: impl Fn(&mut Candidate)) -> Vec<Candidate> {
    let mut candidates = candidates();
    let index = candidates.iter_mut().find(|each| each.index.as_deref() == Some(name));
    change(index.unwrap());
    candidates
}

fn among(candidates: Vec<Candidate>) -> Candidates {
    Candidates::new("User".into(), candidates, vec![("mail".into(), "email".into())])
}

fn choose(candidates: Vec<Candidate>, terms: Terms<'_>, condition: Condition) -> Result<String> {
    let candidates = among(candidates);
    plan(&candidates, terms, condition, None).map(|planned| planned.candidate.to_string())
}

fn chosen(conditions: impl IntoIterator<Item = Condition>) -> String {
    choose(candidates(), Terms::default(), Condition::all(conditions)).unwrap()
}

fn refusal(candidates: Vec<Candidate>, condition: Condition) -> String {
    match choose(candidates, Terms::default(), condition) {
        Err(Error::Expression(message)) => message,
        other => panic!("expected Error::Expression, found {other:?}"),
    }
}

fn explained(conditions: impl IntoIterator<Item = Condition>) -> Explanation {
    explain(&among(candidates()), Terms::default(), Condition::all(conditions), None).unwrap()
}

fn org() -> Condition {
    eq("org", s("a"))
}

#[test]
fn the_one_that_serves_the_condition_is_chosen() {
    assert_eq!(chosen([org(), gt("id", i(3))]), "the table");
    assert_eq!(chosen([eq("mail", s("x"))]), "index by_mail");
    assert_eq!(
        chosen([eq("day", s("x")), gt("at", i(3)), lt("at", i(9))]),
        "index by_day"
    );
    assert_eq!(
        chosen([
            eq("kind", s("k")),
            eq("year", i(1)),
            gt("age", i(1)),
            eq("country", s("c"))
        ]),
        "index by_place"
    );
}

#[test]
fn more_key_attributes_are_better() {
    assert_eq!(chosen([org(), gt("age", i(3))]), "index by_age");
    assert_eq!(
        chosen([eq("mail", s("x")), eq("day", s("x")), gt("at", i(3))]),
        "index by_day"
    );
}

#[test]
fn of_as_many_more_exact_values_are_better() {
    assert_eq!(chosen([org(), gt("age", i(3)), eq("at", i(3))]), "index by_org");
    assert_eq!(chosen([org(), eq("age", i(3)), gt("at", i(3))]), "index by_age");
}

#[test]
fn at_equal_service_the_table_goes_first_then_local_then_global_indexes_then_the_first_declared() {
    assert_eq!(chosen([org(), eq("mail", s("x"))]), "the table");
    assert_eq!(chosen([org(), gt("at", i(3)), gt("age", i(3))]), "index by_age");
    assert_eq!(chosen([eq("day", s("x")), eq("mail", s("x"))]), "index by_mail");
}

#[test]
fn the_tables_whole_key_goes_before_everything() {
    let place = [eq("country", s("c")), eq("kind", s("k")), eq("year", i(1))];
    assert_eq!(
        chosen([vec![org(), eq("id", i(3))], place.to_vec()].concat()),
        "the table"
    );
    assert_eq!(
        chosen([vec![org(), gt("id", i(3))], place.to_vec()].concat()),
        "index by_place"
    );
}

#[test]
fn where_has_no_say_in_the_choice() {
    let candidates = among(candidates());
    let wanted = Some(eq("mail", s("x")));

    let planned = plan(&candidates, Terms::default(), org(), wanted).unwrap();

    assert_eq!(planned.candidate.to_string(), "the table");
}

#[test]
fn a_named_index_is_taken_whatever_else_would_serve() {
    let terms = Terms {
        index: Some("by_org"),
        ..Terms::default()
    };

    let whole_key = Condition::all([org(), eq("id", i(3))]);

    assert_eq!(choose(candidates(), terms, whole_key).unwrap(), "index by_org");
}

#[test]
fn the_table_in_another_order_is_chosen_only_where_the_order_is_asked_for() {
    let message = refusal(
        candidates(),
        Condition::all([org(), compare("id", Comparison::NotEqual, i(3))]),
    );

    assert!(
        message.starts_with("id is a key attribute of the table, and `!=`"),
        "{message}"
    );
    for other in [
        "index by_age is the table in the order of age, of which the condition says nothing",
        "index by_org is the table in the order of at",
        "index by_mail needs `email == …`",
    ] {
        assert!(message.contains(other), "{message}");
    }
    let in_order = [org(), compare("id", Comparison::NotEqual, i(3)), gt("at", i(1))];
    assert_eq!(chosen(in_order), "index by_org");
}

#[test]
fn an_index_that_leaves_out_items_is_chosen_only_where_they_are_not_meant() {
    let sparse = || with("by_day", |index| index.optional = names(["at"]));
    let of = |conditions: Vec<Condition>| choose(sparse(), Terms::default(), Condition::all(conditions));

    assert_eq!(of(vec![eq("day", s("x")), ge("at", i(1))]).unwrap(), "index by_day");
    let message = refusal(sparse(), eq("day", s("x")));
    assert!(
        message.contains("index by_day leaves out items without at, of which the condition says nothing"),
        "{message}"
    );
    assert!(message.contains(r#"index="by_day""#), "{message}");
    let forced = Terms {
        index: Some("by_day"),
        ..Terms::default()
    };
    assert_eq!(choose(sparse(), forced, eq("day", s("x"))).unwrap(), "index by_day");
}

#[test]
fn a_consistent_read_goes_to_no_global_index() {
    let consistent = Terms {
        consistent: true,
        ..Terms::default()
    };
    let both = Condition::all([org(), gt("at", i(3))]);

    assert_eq!(
        choose(candidates(), Terms::default(), both.clone()).unwrap(),
        "index by_org"
    );
    assert_eq!(choose(candidates(), consistent, both).unwrap(), "the table");
    let mail = choose(candidates(), consistent, eq("mail", s("x")));
    assert!(
        mail.unwrap_err()
            .to_string()
            .contains("index by_mail is a global index, which is never read consistently")
    );
}

#[test]
fn an_index_that_holds_a_part_of_each_item_comes_after_those_that_hold_it_whole() {
    let partial = || with("by_org", |index| index.lacks = names(["nick"]));
    let both = || Condition::all([org(), gt("at", i(3))]);
    let hydrate = Terms {
        hydrate: true,
        ..Terms::default()
    };

    assert_eq!(choose(partial(), Terms::default(), both()).unwrap(), "the table");
    assert_eq!(choose(partial(), hydrate, both()).unwrap(), "index by_org");
    let local = with("by_age", |index| index.lacks = names(["nick"]));
    let of_local = Condition::all([org(), gt("age", i(3))]);
    assert_eq!(choose(local, Terms::default(), of_local).unwrap(), "index by_age");
    let alone = with("by_mail", |index| index.lacks = names(["nick"]));
    assert_eq!(
        choose(alone, Terms::default(), eq("mail", s("x"))).unwrap(),
        "index by_mail"
    );
}

#[test]
fn an_index_that_does_not_hold_what_is_asked_for_serves_nothing() {
    let partial = || with("by_mail", |index| index.lacks = names(["nick"]));
    let message = refusal(partial(), Condition::all([eq("mail", s("x")), eq("nick", s("x"))]));
    assert!(
        message.contains("index by_mail does not hold nick, which the condition asks for"),
        "{message}"
    );

    let candidates = among(partial());
    let refused = plan(
        &candidates,
        Terms::default(),
        eq("mail", s("x")),
        Some(eq("nick", s("x"))),
    );
    let message = refused.unwrap_err().to_string();
    assert!(
        message.contains("User.nick, which index by_mail does not hold"),
        "{message}"
    );
}

#[test]
fn where_nothing_serves_every_candidate_is_named_with_what_it_misses() {
    let message = refusal(
        candidates(),
        Condition::all([eq("country", s("c")), gt("mail", s("x"))]),
    );

    assert!(
        message.starts_with("email is a partition attribute of index by_mail, which takes only `==`"),
        "{message}"
    );
    for miss in [
        "the table needs `org == …`",
        "index by_age needs `org == …`",
        "index by_day needs `day == …`",
        "index by_place needs `kind == …`",
        "index by_org needs `org == …`",
    ] {
        assert!(message.contains(miss), "{message}");
    }
    let message = refusal(candidates(), gt("age", i(3)));
    assert!(
        message.starts_with("no key serves the query: the table needs `org == …`; index by_age"),
        "{message}"
    );
    assert!(
        message.ends_with("or use scan with where=, which reads everything"),
        "{message}"
    );
}

#[test]
fn an_explanation_tells_what_is_sent_without_values_and_why() {
    let told = explained([org(), gt("at", i(3)), lt("at", i(9)), eq("mail", s("secret"))]);

    assert_eq!(told.index.as_deref(), Some("by_org"));
    assert_eq!(told.key_condition.as_deref(), Some("org = … AND at BETWEEN … AND …"));
    assert_eq!(told.filter.as_deref(), Some("mail = …"));
    assert_eq!(
        told.why,
        "it serves 2 key attributes by the key, and the table, the next, 1"
    );
    assert!(told.notes.is_empty());
    let standings: Vec<_> = told
        .candidates
        .iter()
        .map(|each| (each.index.as_deref(), each.misses.as_deref()))
        .collect();
    assert_eq!(
        standings,
        [
            (None, None),
            (
                Some("by_age"),
                Some("is the table in the order of age, of which the condition says nothing")
            ),
            (Some("by_mail"), None),
            (Some("by_day"), Some("needs `day == …`")),
            (Some("by_place"), Some("needs `country == …`")),
            (Some("by_org"), None),
        ]
    );
    assert_eq!(told.candidates[2].key, ["email"]);
    assert_eq!(told.candidates[5].serves, ["org", "at"]);
}

#[test]
fn an_explanation_tells_each_reason_for_the_choice() {
    let why = |conditions: Vec<Condition>| explained(conditions).why;

    assert_eq!(why(vec![eq("mail", s("x"))]), "no other key serves the condition");
    assert_eq!(
        why(vec![org(), eq("id", i(3)), gt("at", i(1))]),
        "the table's whole key finds one item at most"
    );
    assert_eq!(
        why(vec![org(), gt("age", i(3)), eq("at", i(3))]),
        "it serves more by `==` than index by_age, the next"
    );
    assert!(
        why(vec![org(), eq("mail", s("x"))])
            .starts_with("it serves 1 key attribute, as index by_mail does, and goes before it")
    );
}

#[test]
fn an_explanation_notes_what_else_happens() {
    let note = |candidates, terms, conditions: Vec<Condition>| {
        explain(&among(candidates), terms, Condition::all(conditions), None)
            .unwrap()
            .notes
    };
    let plain = Terms::default();

    assert_eq!(
        note(candidates(), plain, vec![org(), gt("id", i(3)), lt("id", i(4))]),
        ["nothing is sent, since no item can meet the condition"]
    );
    assert_eq!(
        note(candidates(), plain, vec![org(), gt("id", s("a")), lt("id", s("c"))]),
        ["an item whose id is an open end of the range is left out on the client"]
    );
    let partial = || with("by_mail", |index| index.lacks = names(["nick", "note"]));
    assert_eq!(
        note(partial(), plain, vec![eq("mail", s("x"))]),
        ["there are no items to be had but their count, since the index does not hold nick, note"]
    );
    let hydrate = Terms { hydrate: true, ..plain };
    assert_eq!(
        note(partial(), hydrate, vec![eq("mail", s("x"))]),
        ["each item is read from the table, since the index does not hold nick, note"]
    );
}

/// Conditions of which some are about keys and some are not.
fn conditions() -> impl Strategy<Value = Vec<Condition>> {
    let on = |name: &'static str| {
        (0..3i64, 0..3i64, 0..6u8).prop_map(move |(low, high, kind)| match kind {
            0..=2 => eq(name, i(low)),
            3 => gt(name, i(low)),
            4 => Condition::between(path(name), i(low), i(high)),
            _ => Condition::any([eq(name, i(low)), eq(name, i(high))]),
        })
    };
    let all = [
        "org", "id", "age", "mail", "day", "at", "country", "kind", "year", "month", "nick",
    ]
    .map(on);
    (all, subsequence((0..11usize).collect::<Vec<_>>(), 1..5))
        .prop_map(|(all, places)| places.into_iter().map(|place| all[place].clone()).collect())
}

fn items() -> impl Strategy<Value = Item> {
    let optional = || prop::option::of(0..3i64);
    (
        (0..3i64, 0..3i64, optional(), optional(), 0..3i64, 0..3i64),
        (optional(), optional(), optional(), optional(), optional()),
    )
        .prop_map(|((org, id, age, mail, day, at), (country, kind, year, month, nick))| {
            let mut item = Item::from([("org", i(org)), ("id", i(id)), ("day", i(day)), ("at", i(at))]);
            let others = [
                ("age", age),
                ("mail", mail),
                ("country", country),
                ("kind", kind),
                ("year", year),
                ("month", month),
                ("nick", nick),
            ];
            item.extend(others.into_iter().filter_map(|(name, value)| Some((name, i(value?)))));
            item
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_chosen_selects_what_the_condition_selects_of_all_items(
        conditions in conditions(),
        items in prop::collection::vec(items(), 20),
    ) {
        let mut candidates = candidates();
        let optional = ["age", "mail", "country", "kind", "year", "month"];
        for index in &mut candidates {
            index.optional = index.key.attributes().filter(|name| optional.contains(&&***name)).cloned().collect();
        }
        let candidates = among(candidates);
        let condition = Condition::all(conditions);
        let Ok(planned) = plan(&candidates, Terms::default(), condition.clone(), None) else {
            return Ok(());
        };
        for item in &items {
            // An index holds the items that have all of its key.
            let is_there = planned.candidate.key.attributes().all(|name| item.contains_key(&**name));
            prop_assert_eq!(is_there && split_selects(&planned.split, item), selects(&condition, item), "{:?}", item);
        }
    }
}
