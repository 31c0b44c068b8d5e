//! DynamoDB's numbers, in one place.
//!
//! Source: "Quotas in Amazon DynamoDB" and the API reference of each operation.

/// Keys in one `BatchGetItem`.
pub const BATCH_GET_KEYS: usize = 100;
/// Puts and deletes in one `BatchWriteItem`.
pub const BATCH_WRITE_ITEMS: usize = 25;
/// Statements in one `BatchExecuteStatement`.
pub const BATCH_STATEMENTS: usize = 25;
/// Characters of one PartiQL statement.
pub const STATEMENT_CHARACTERS: usize = 8192;
/// Operations in one transaction.
pub const TRANSACTION_OPERATIONS: usize = 100;
/// Bytes of all items of one transaction.
pub const TRANSACTION_BYTES: usize = 4 * 1024 * 1024;
/// Operands of one `IN`.
pub const IN_OPERANDS: usize = 100;
/// Bytes of one item, attribute names included.
pub const ITEM_BYTES: usize = 400 * 1024;
/// Levels of nesting in one item.
pub const NESTING_LEVELS: usize = 32;
/// Significant digits of a number.
pub const NUMBER_DIGITS: usize = 38;
/// Largest decimal exponent of a number's leading digit: numbers are below 10^126.
pub const NUMBER_MAX_EXPONENT: i32 = 125;
/// Smallest decimal exponent of a number's leading digit.
pub const NUMBER_MIN_EXPONENT: i32 = -130;
/// Bytes of one expression's text.
pub const EXPRESSION_BYTES: usize = 4096;
/// Operators and functions in one expression.
pub const EXPRESSION_OPERATORS: usize = 300;
/// Bytes of the names and values that an expression's placeholders stand for.
pub const EXPRESSION_VARIABLES_BYTES: usize = 2 * 1024 * 1024;
/// Bytes of a partition key's value, of a table or an index.
pub const PARTITION_KEY_BYTES: usize = 2048;
/// Bytes of a sort key's value, of a table or an index.
pub const SORT_KEY_BYTES: usize = 1024;
/// Bytes of an attribute's name, or of a key in a map.
pub const NAME_BYTES: usize = 64 * 1024 - 1;
/// Bytes of the name of an attribute that is a key, is projected into an index by name, or says when items expire.
pub const KEY_NAME_BYTES: usize = 255;
/// Attributes in one part (partition or sort) of a multi-attribute index key.
pub const INDEX_KEY_PARTS: usize = 4;
/// Bytes of a reply's JSON: that of 4 MB of items, the most of one transaction, each of their bytes taking eight at worst
/// (`{"NULL":true}` in a list counts as two).
pub const REPLY_BYTES: usize = 8 * 4 * 1024 * 1024;
/// Bytes of the JSON of a batch's reply: that of 16 MB of items.
pub const BATCH_REPLY_BYTES: usize = 8 * 16 * 1024 * 1024;
