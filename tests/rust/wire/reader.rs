use oxidyn::wire::Tag;
use oxidyn::wire::reader::{ReadError, Reader};
use oxidyn::wire::writer::{push_key, push_text};
use proptest::prelude::*;

fn text_of(json: &str) -> Result<String, ReadError> {
    Reader::new(json.as_bytes()).text().map(|text| text.to_string())
}

/// Reads an attribute value of any kind through to its end, as a codec would.
fn walk(reader: &mut Reader<'_>, depth: usize) -> Result<usize, ReadError> {
    let tag = reader.tag()?;
    let mut values = 1;
    match tag {
        Tag::S | Tag::N | Tag::B => {
            reader.text()?;
        }
        Tag::Bool | Tag::Null => {
            reader.boolean()?;
        }
        Tag::SS | Tag::NS | Tag::BS => {
            let mut more = reader.begin_array()?;
            while more {
                reader.text()?;
                more = reader.next_element()?;
            }
        }
        Tag::L => {
            let mut more = reader.begin_array()?;
            while more && depth < 32 {
                values += walk(reader, depth + 1)?;
                more = reader.next_element()?;
            }
        }
        Tag::M => {
            let mut more = reader.begin_object()?;
            while more && depth < 32 {
                reader.key()?;
                values += walk(reader, depth + 1)?;
                more = reader.next_member()?;
            }
        }
    }
    reader.end()?;
    Ok(values)
}

const EVERY_TAG: &str = r#"{"M":{"s":{"S":"x"},"n":{"N":"1"},"b":{"B":"YQ=="},"t":{"BOOL":true},"z":{"NULL":true},"m":{"M":{}},"l":{"L":[{"S":""},{"L":[]}]},"ss":{"SS":["a","b"]},"ns":{"NS":["1"]},"bs":{"BS":["YQ=="]}}}"#;

#[test]
fn every_tag_is_read() {
    for tag in Tag::ALL {
        let json = format!("{{\"{}\":12345678", tag.name());

        let mut reader = Reader::new(json.as_bytes());
        assert_eq!(reader.tag().unwrap(), tag);
        assert_eq!(reader.number().unwrap(), "12345678");
        for other in Tag::ALL {
            let mut reader = Reader::new(json.as_bytes());
            assert_eq!(reader.try_tag(other), tag == other);
            assert_eq!(reader.position(), if tag == other { tag.name().len() + 4 } else { 0 });
        }
    }
}

#[test]
fn whitespace_is_tolerated_everywhere() {
    let blank = " \t\r\n";
    let spaced: String = EVERY_TAG
        .chars()
        .map(|c| {
            if "{}[]:,".contains(c) {
                format!("{blank}{c}{blank}")
            } else {
                c.to_string()
            }
        })
        .collect();

    let mut reader = Reader::new(spaced.as_bytes());
    assert_eq!(walk(&mut reader, 0).unwrap(), 13);
    reader.finish().unwrap();
    let mut reader = Reader::new(spaced.as_bytes());
    reader.skip_value().unwrap();
    reader.finish().unwrap();
}

#[test]
fn a_predicted_key_is_read_and_any_other_is_left() {
    let mut reader = Reader::new(br#""id":1"#);
    assert!(!reader.try_key(br#""name":"#));
    assert_eq!(reader.position(), 0);
    assert!(reader.try_key(br#""id":"#));
    assert_eq!(reader.number().unwrap(), "1");
    assert!(!reader.try_key(br#""id":"#));
}

#[test]
fn plain_text_is_borrowed_and_escaped_text_is_not() {
    let plain = Reader::new("\"grün\"".as_bytes()).text().unwrap();
    assert!(!plain.is_ascii());
    assert!(matches!(plain.into_cow(), std::borrow::Cow::Borrowed("grün")));

    let escaped = Reader::new(br#""gr\u00fcn""#).text().unwrap();
    assert!(!escaped.is_ascii());
    assert_eq!(escaped.as_str(), "grün");

    let ascii = Reader::new(br#""a\nb""#).text().unwrap();
    assert!(ascii.is_ascii());
    assert_eq!(ascii.as_str(), "a\nb");
}

#[test]
fn escapes_are_read_as_json_defines_them() {
    assert_eq!(
        text_of(r#""\"\\\/\b\f\n\r\t\u0041\ud83d\uDE00""#).unwrap(),
        "\"\\/\u{8}\u{c}\n\r\tA😀"
    );
}

#[test]
fn broken_text_is_refused_where_it_breaks() {
    for (json, position) in [
        (r#""\ud83d""#, 2),
        (r#""\ud83d\u0041""#, 2),
        (r#""\ude00""#, 2),
        (r#""\x""#, 2),
        (r#""\u12g4""#, 5),
        ("\"a\nb\"", 2),
        ("\"abc", 4),
        ("\"abc\\", 5),
    ] {
        assert_eq!(text_of(json).unwrap_err().position, position, "{json}");
    }
    let invalid = Reader::new(b"\"abc\xff\"").text().unwrap_err();
    assert_eq!((invalid.position, invalid.expected), (4, "UTF-8 text"));
}

#[test]
fn errors_say_what_was_expected_where_and_what_was_found() {
    let mut reader = Reader::new(br#"{"S":5}"#);
    reader.tag().unwrap();

    let error = reader.text().unwrap_err();

    assert_eq!(error.to_string(), "expected a string at byte 5, found a number");
    let error = Reader::new(br#" {"X":1}"#).tag().unwrap_err();
    assert_eq!((error.position, error.found), (2, Some(b'"')));
    assert!(
        error
            .to_string()
            .starts_with("expected an attribute value's type: S, N,")
    );
}

#[test]
fn numbers_follow_jsons_grammar() {
    for number in ["0", "-0", "12", "1.5", "1e9", "-1.7E+9", "0.5e-3"] {
        assert_eq!(Reader::new(number.as_bytes()).number().unwrap(), number);
    }
    for broken in ["", "-", "01", "1.", ".5", "1e", "+1", "x"] {
        assert!(Reader::new(broken.as_bytes()).number().is_err(), "{broken}");
    }
}

#[test]
fn a_value_is_skipped_and_its_bytes_are_known() {
    let json = br#" {"a":[1,{"b":"]}\""},[],{}],"c":null,"d":-1.5e3,"e":true,"f":false} ,"#;

    let range = Reader::new(json).raw_value().unwrap();

    assert_eq!(range, 1..json.len() - 2);
}

#[test]
fn brackets_are_followed_to_a_limit_without_recursion() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);

    assert!(Reader::new(nested(128).as_bytes()).skip_value().is_ok());
    assert!(Reader::new(nested(129).as_bytes()).skip_value().is_err());
    assert!(Reader::new("[".repeat(1_000_000).as_bytes()).skip_value().is_err());
    assert!(
        Reader::new(r#"{"a":"#.repeat(1_000_000).as_bytes())
            .skip_value()
            .is_err()
    );
}

#[test]
fn mismatched_brackets_and_missing_parts_are_refused() {
    for broken in [
        "[1}",
        "{\"a\":1]",
        "[1,]",
        "{\"a\":1,}",
        "{1:2}",
        "{\"a\" 1}",
        "[1 2]",
        "nul",
        "tru",
        "",
        "{\"a\":}",
        "[",
        "\"",
    ] {
        assert!(Reader::new(broken.as_bytes()).skip_value().is_err(), "{broken}");
    }
}

#[test]
fn a_truncated_or_damaged_item_never_panics() {
    let whole = EVERY_TAG.as_bytes();
    for end in 0..whole.len() {
        assert!(walk(&mut Reader::new(&whole[..end]), 0).is_err());
        assert!(Reader::new(&whole[..end]).skip_value().is_err());
    }
    for at in 0..whole.len() {
        for byte in [0, b'"', b'\\', b'{', b'}', b'[', b']', b',', b':', b'S', 0x80, 0xff] {
            let mut damaged = whole.to_vec();
            damaged[at] = byte;
            let _ = walk(&mut Reader::new(&damaged), 0);
            let _ = Reader::new(&damaged).skip_value();
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_read_as_it_was_written(text in "(?s).{0,64}|[ -~]{0,40}|[a-c]{0,40}[\"é\\\\\n\u{1f}]?[a-c]{0,20}") {
        let mut json = Vec::new();
        push_text(&mut json, &text);

        let read = Reader::new(&json).text().unwrap();

        prop_assert_eq!(read.as_str(), &text);
        prop_assert_eq!(read.is_ascii(), text.is_ascii());
    }

    #[test]
    fn any_name_is_read_as_it_was_written_and_predicted(name in "(?s).{0,32}") {
        let mut json = Vec::new();
        push_key(&mut json, &name);

        let key = Reader::new(&json).key().unwrap();

        prop_assert_eq!(key.as_str(), &name);
        prop_assert!(Reader::new(&json).try_key(&json));
    }

    #[test]
    fn any_bytes_are_read_or_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = walk(&mut Reader::new(&bytes), 0);
        let _ = Reader::new(&bytes).skip_value();
        let _ = Reader::new(&bytes).text();
        let _ = Reader::new(&bytes).number();
    }

    #[test]
    fn what_looks_like_an_item_is_read_or_refused_without_a_panic(json in r#"[{}\[\]":,SNBOLUM0-9\\ue. ]{0,64}"#) {
        let _ = walk(&mut Reader::new(json.as_bytes()), 0);
        let _ = Reader::new(json.as_bytes()).skip_value();
    }

    #[test]
    fn skipping_agrees_with_a_json_parser(json in r#"[{}\[\]":,a0-9\\. -]{0,24}"#) {
        let mut reader = Reader::new(json.as_bytes());
        let skipped = reader.skip_value().and_then(|()| reader.finish()).is_ok();

        let parsed = jiter::JsonValue::parse(json.as_bytes(), false).is_ok();

        // An unknown escape is the one thing that skipping does not look at.
        prop_assert!(skipped == parsed || (skipped && json.contains('\\')));
    }
}
