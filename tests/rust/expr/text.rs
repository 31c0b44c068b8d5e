//! The text of each grammar, what its placeholders stand for, and what is refused before it is sent.

use std::sync::Arc;

use oxidyn::error::{Error, Result};
use oxidyn::expr::ast::{Action, Comparison, Condition, Path, Value};
use oxidyn::expr::placeholders::Placeholders;
use oxidyn::expr::{condition, projection, update};
use oxidyn::limits;
use oxidyn::wire::Tag;

use super::values::{eq, ge, gt, i, lt, n, path, s, value};

fn written(write: impl FnOnce(&mut String, &mut Placeholders) -> Result<()>) -> Result<(String, String)> {
    let (mut text, mut placeholders) = (String::new(), Placeholders::default());
    write(&mut text, &mut placeholders)?;
    let mut members = Vec::new();
    placeholders.write_members(&mut members);
    Ok((text, String::from_utf8(members).unwrap()))
}

fn condition_text(condition: &Condition) -> String {
    written(|text, placeholders| condition::write(text, condition, placeholders))
        .unwrap()
        .0
}

fn update_text(actions: &[Action]) -> Result<String> {
    Ok(written(|text, placeholders| update::write(text, actions, placeholders))?.0)
}

fn refusal<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Err(Error::Expression(message)) => message,
        other => panic!("expected Error::Expression, found {other:?}"),
    }
}

fn refused(condition: &Condition) -> String {
    refusal(written(|text, placeholders| {
        condition::write(text, condition, placeholders)
    }))
}

#[test]
fn each_condition_has_its_text() {
    let attribute = || path("a");
    for (condition, expected) in [
        (eq("a", s("x")), "#n0 = :v0"),
        (
            Condition::Compare(attribute(), Comparison::NotEqual, s("x")),
            "#n0 <> :v0",
        ),
        (lt("a", i(1)), "#n0 < :v0"),
        (ge("a", i(1)), "#n0 >= :v0"),
        (Condition::Between(attribute(), i(1), i(2)), "#n0 BETWEEN :v0 AND :v1"),
        (
            Condition::In(attribute(), vec![i(1), i(2), i(1)]),
            "#n0 IN (:v0, :v1, :v0)",
        ),
        (Condition::Exists(attribute()), "attribute_exists(#n0)"),
        (Condition::NotExists(attribute()), "attribute_not_exists(#n0)"),
        (Condition::BeginsWith(attribute(), s("x")), "begins_with(#n0, :v0)"),
        (eq("a", i(1)).negated(), "NOT (#n0 = :v0)"),
        (
            Condition::is_none(attribute()),
            "attribute_not_exists(#n0) OR #n0 = :v0",
        ),
        (Condition::is_some(attribute()), "attribute_exists(#n0) AND #n0 <> :v0"),
        (eq("lines[0].qty", i(1)), "#n0[0].#n1 = :v0"),
        (eq("m[1][2]", i(1)), "#n0[1][2] = :v0"),
    ] {
        assert_eq!(condition_text(&condition), expected);
    }
}

#[test]
fn brackets_stand_where_they_are_needed_and_nowhere_else() {
    let (a, b, c) = (|| eq("a", i(1)), || eq("b", i(1)), || eq("c", i(1)));
    for (condition, expected) in [
        (
            Condition::all([Condition::any([a(), b()]), c()]),
            "(#n0 = :v0 OR #n1 = :v0) AND #n2 = :v0",
        ),
        (
            Condition::any([Condition::all([a(), b()]), c()]),
            "#n0 = :v0 AND #n1 = :v0 OR #n2 = :v0",
        ),
        (
            Condition::all([Condition::all([a(), b()]), c()]),
            "#n0 = :v0 AND #n1 = :v0 AND #n2 = :v0",
        ),
        (
            Condition::any([a(), Condition::any([b(), c()])]),
            "#n0 = :v0 OR #n1 = :v0 OR #n2 = :v0",
        ),
        (Condition::all([a(), b()]).negated(), "NOT (#n0 = :v0 AND #n1 = :v0)"),
        (Condition::all([a().negated(), b()]), "NOT (#n0 = :v0) AND #n1 = :v0"),
        (Condition::all([Condition::any([a()])]), "#n0 = :v0"),
        (
            Condition::all([Condition::is_none(path("a")), b()]),
            "(attribute_not_exists(#n0) OR #n0 = :v0) AND #n1 = :v1",
        ),
    ] {
        assert_eq!(condition_text(&condition), expected);
    }
}

#[test]
fn a_double_negation_is_none() {
    assert_eq!(eq("a", i(1)).negated().negated(), eq("a", i(1)));
    assert_eq!(Condition::Exists(path("a")).negated(), Condition::NotExists(path("a")));
}

#[test]
fn equal_names_and_values_are_sent_once_and_odd_names_stay_whole() {
    let odd = Path::attribute("size.of \"it\"");
    let both = Condition::all([
        Condition::Compare(odd.clone(), Comparison::Greater, n("1")),
        Condition::Compare(odd, Comparison::NotEqual, n("1")),
        eq("name", s("1")),
    ]);

    let (text, members) = written(|text, placeholders| condition::write(text, &both, placeholders)).unwrap();

    assert_eq!(text, "#n0 > :v0 AND #n0 <> :v0 AND #n1 = :v1");
    assert_eq!(
        members,
        concat!(
            r##","ExpressionAttributeNames":{"#n0":"size.of \"it\"","#n1":"name"}"##,
            r#","ExpressionAttributeValues":{":v0":{"N":"1"},":v1":{"S":"1"}}"#
        )
    );
}

#[test]
fn without_placeholders_no_member_is_written() {
    assert_eq!(written(|_, _| Ok(())).unwrap().1, "");
}

#[test]
fn a_range_with_nothing_in_it_is_sent_as_two_comparisons() {
    let nothing = Condition::Between(path("a"), i(10), i(9));

    assert_eq!(condition_text(&nothing), "#n0 >= :v0 AND #n0 <= :v1");
    assert_eq!(condition_text(&nothing.negated()), "NOT (#n0 >= :v0 AND #n0 <= :v1)");
}

#[test]
fn is_in_takes_one_to_a_hundred_values() {
    let of = |count: i64| Condition::In(path("status"), (0..count).map(i).collect());

    assert!(condition_text(&of(100)).ends_with(":v99)"));
    assert!(refused(&of(101)).starts_with("status: is_in was given 101 values, and DynamoDB takes at most 100"));
    assert!(refused(&of(0)).starts_with("status: is_in was given no value"));
}

#[test]
fn only_text_numbers_and_bytes_have_an_order() {
    let flag = Value {
        wire: r#"{"BOOL":true}"#.into(),
        tag: Tag::Bool,
        ..i(0)
    };

    assert_eq!(
        refused(&gt("a.b", flag.clone())),
        "a.b: > needs a value that has an order (S, N or B on the wire), found BOOL"
    );
    assert!(refused(&Condition::Between(path("a"), i(1), s("x"))).contains("of one type, found N and S"));
    assert!(refused(&Condition::BeginsWith(path("a"), i(1))).contains("text or bytes"));
    assert_eq!(condition_text(&eq("a", flag)), "#n0 = :v0");
}

#[test]
fn an_empty_all_of_is_refused() {
    assert!(refused(&Condition::all([])).contains("no condition"));
    assert!(refused(&Condition::any([Condition::all([]), eq("a", i(1))])).contains("no condition"));
}

#[test]
fn text_over_the_limit_is_refused() {
    let wide = Condition::any((0..10_000).map(|number| eq("a", i(number))));

    assert!(refused(&wide).contains("4096 bytes"));
}

#[test]
fn deep_nesting_is_refused_and_no_stack_ends() {
    let deep = |levels: usize| (0..levels).fold(eq("a", i(1)), |inner, _| Condition::Not(Box::new(inner)));

    assert!(condition_text(&deep(limits::EXPRESSION_OPERATORS)).ends_with(')'));
    assert!(refused(&deep(limits::EXPRESSION_OPERATORS + 1)).contains("nested deeper"));
}

#[test]
fn a_chain_of_any_length_is_flat() {
    let chain = (1..200).fold(eq("a", i(0)), |chain, number| {
        Condition::any([chain, eq("a", i(number))])
    });

    assert!(matches!(&chain, Condition::Or(parts) if parts.len() == 200));
    assert!(condition_text(&chain).starts_with("#n0 = :v0 OR "));
}

#[test]
fn an_update_has_each_clause_once() {
    let actions = [
        Action::Add(path("count"), i(1)),
        Action::Set(path("a"), s("x")),
        Action::Remove(path("b")),
        Action::Set(path("m.c"), s("x")),
        Action::Remove(path("d[0]")),
        Action::Add(
            path("tags"),
            Value {
                tag: Tag::SS,
                wire: r#"{"SS":["x"]}"#.into(),
                ..i(0)
            },
        ),
    ];

    let text = update_text(&actions).unwrap();

    assert_eq!(
        text,
        "SET #n0 = :v0, #n1.#n2 = :v0 REMOVE #n3, #n4[0] ADD #n5 :v1, #n6 :v2"
    );
    assert_eq!(update_text(&actions[..1]).unwrap(), "ADD #n0 :v0");
    assert_eq!(update_text(&[Action::Remove(path("b"))]).unwrap(), "REMOVE #n0");
}

#[test]
fn two_actions_on_overlapping_paths_are_refused_by_both_names() {
    let set = |text: &str| Action::Set(path(text), i(1));

    assert!(refusal(update_text(&[set("a"), set("b"), set("a")])).contains("two actions on a:"));
    assert!(refusal(update_text(&[set("a.b.c"), set("b"), set("a.b")])).contains("both a.b and a.b.c"));
    assert!(refusal(update_text(&[set("a[0]"), Action::Remove(path("a"))])).contains("both a and a[0]"));
    assert!(
        update_text(&[
            set("a.b"),
            set("a.bc"),
            set("a.c"),
            set("ab"),
            set("l[1]"),
            set("l[10]")
        ])
        .is_ok()
    );
}

#[test]
fn an_update_without_actions_is_refused() {
    assert!(refusal(update_text(&[])).contains("no action"));
}

#[test]
fn add_takes_numbers_and_sets_only() {
    let message = refusal(update_text(&[Action::Add(path("a"), s("x"))]));

    assert_eq!(
        message,
        "a: add needs a number or a set (N, SS, NS or BS on the wire), found S"
    );
}

#[test]
fn a_projection_is_its_paths() {
    let paths = [path("a"), path("m.b"), path("a")];

    let (text, _) = written(|text, placeholders| projection::write(text, &paths, placeholders)).unwrap();

    assert_eq!(text, "#n0, #n1.#n2, #n0");
}

#[test]
fn values_that_differ_only_in_their_grid_are_one_placeholder() {
    let name: Arc<str> = "a".into();
    let both = Condition::all([
        Condition::Compare(Path::attribute(Arc::clone(&name)), Comparison::Greater, i(5)),
        Condition::Compare(
            Path::attribute(name),
            Comparison::Less,
            value(Tag::N, "5", super::values::n("5").grid),
        ),
    ]);

    assert_eq!(condition_text(&both), "#n0 > :v0 AND #n0 < :v0");
}
