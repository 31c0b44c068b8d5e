use oxidyn::wire::base64::{decode, encode};
use proptest::prelude::*;

#[test]
fn text_that_is_not_base64_with_padding_is_refused() {
    for broken in ["a", "YQ", "YQ=", "YQ===", "Y=Q=", "Y Q=", "YR==", "_-8=", "YQ==\n"] {
        assert_eq!(decode(broken.as_bytes()), None, "{broken}");
    }
    assert_eq!(decode(b""), Some(Vec::new()));
    assert_eq!(decode(b"+/8="), Some(vec![0xfb, 0xff]));
}

proptest! {
    #[test]
    fn any_bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut text = Vec::new();
        encode(&mut text, &bytes);

        prop_assert_eq!(text.len(), bytes.len().div_ceil(3) * 4);
        prop_assert_eq!(decode(&text), Some(bytes));
    }
}
