//! Opaque tokens: text that leaves the process, passes through strangers' hands and comes back. A token tells what made
//! it, so that nothing else goes on from it, and proves that it is whole; with a key, also that it is ours.
//!
//! One byte of version and kind, eight of the query's fingerprint, the content, the proof, as base64 for URLs. Nothing
//! is encrypted: who holds a token can read its content.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::wire::base64;

/// Of the layout; it changes when old tokens could be misread.
const VERSION: u8 = 1;
const HEAD_BYTES: usize = 1;
/// Enough to tell queries apart. Against forgery stands the signature, which covers it.
const FINGERPRINT_BYTES: usize = 8;
const CONTENT_AT: usize = HEAD_BYTES + FINGERPRINT_BYTES;
/// Half of HMAC-SHA256, the least that RFC 2104 advises to keep.
const SIGNATURE_BYTES: usize = 16;
/// Without a key: what tells a token that was cut off or mistyped, and nothing more.
const CHECKSUM_BYTES: usize = 4;

const NEXT_STEP: &str = "start again without a cursor (a web API answers HTTP 400)";

/// What a client signs its tokens with. It is shown nowhere.
#[derive(Clone)]
pub struct CursorKey(Hmac<Sha256>);

impl CursorKey {
    /// A shorter key would be the weakest part.
    pub const LEAST_BYTES: usize = 16;

    /// `None` where the key is too short.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < Self::LEAST_BYTES {
            return None;
        }
        Hmac::new_from_slice(bytes).ok().map(Self)
    }
}

impl fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKey(**)")
    }
}

/// What a token goes on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The pages of a query or scan.
    Page = 1,
    /// The segments of a parallel scan.
    ParallelScan = 2,
}

/// Tokens of one kind, for one query, under one key.
#[derive(Debug, Clone, Copy)]
pub struct Tokens<'a> {
    pub kind: Kind,
    /// Bytes that are the same for equal queries and for no others.
    pub identity: &'a [u8],
    pub key: Option<&'a CursorKey>,
}

impl Tokens<'_> {
    #[must_use]
    pub fn write(&self, content: &[u8]) -> String {
        let mut token = Vec::with_capacity(CONTENT_AT + content.len() + SIGNATURE_BYTES);
        token.push(self.head());
        token.extend_from_slice(&self.fingerprint());
        token.extend_from_slice(content);
        let proof = match self.key {
            Some(key) => key.0.clone().chain_update(&token).finalize().into_bytes(),
            None => Sha256::digest(&token),
        };
        token.extend_from_slice(&proof[..self.proof_bytes()]);
        base64::encode_for_url(&token)
    }

    /// The content of a token that was written for the same query under the same key.
    pub fn read(&self, text: &str) -> Result<Vec<u8>> {
        let mut token = base64::decode_from_url(text.as_bytes())
            .filter(|token| !token.is_empty())
            .ok_or_else(|| refused("it is cut off, or never was a cursor"))?;
        self.check_head(token[0])?;
        let proof_at = token
            .len()
            .checked_sub(self.proof_bytes())
            .filter(|&proof_at| proof_at >= CONTENT_AT)
            .ok_or_else(|| refused("it is cut off"))?;
        let (token_text, proof) = token.split_at(proof_at);
        match self.key {
            Some(key) => key
                .0
                .clone()
                .chain_update(token_text)
                .verify_truncated_left(proof)
                .map_err(|_| {
                    refused("its signature is not this client's: it was cut off or altered, or signed with another cursor_key")
                })?,
            None if Sha256::digest(token_text)[..CHECKSUM_BYTES] != *proof => {
                return Err(refused("it was cut off or altered"));
            }
            None => {}
        }
        if token_text[HEAD_BYTES..CONTENT_AT] != self.fingerprint() {
            return Err(refused(
                "another query made it: the table, the index, the conditions with their values, and the order must be \
                 what they were when it was made",
            ));
        }
        token.truncate(proof_at);
        token.drain(..CONTENT_AT);
        Ok(token)
    }

    fn check_head(&self, head: u8) -> Result<()> {
        let version = head >> 4;
        if version != VERSION {
            return Err(refused(&format!(
                "its format is version {version}, and this release of oxidyn reads version {VERSION}"
            )));
        }
        if head >> 1 & 0b111 != self.kind as u8 {
            return Err(refused("it is a cursor of another kind of call"));
        }
        match (head & 1 == 1, self.key) {
            (false, Some(_)) => Err(refused(
                "it is not signed, and this client signs its cursors (cursor_key=)",
            )),
            (true, None) => Err(refused(
                "it is signed, and this client has no key to check it with (cursor_key=)",
            )),
            _ => Ok(()),
        }
    }

    fn head(&self) -> u8 {
        VERSION << 4 | (self.kind as u8) << 1 | u8::from(self.key.is_some())
    }

    const fn proof_bytes(&self) -> usize {
        if self.key.is_some() {
            SIGNATURE_BYTES
        } else {
            CHECKSUM_BYTES
        }
    }

    /// Under a key it tells nobody what was asked for, which could be guessed otherwise.
    fn fingerprint(&self) -> [u8; FINGERPRINT_BYTES] {
        let digest = match self.key {
            // No token is hashed as it is here: none begins with this byte.
            Some(key) => key
                .0
                .clone()
                .chain_update([0])
                .chain_update(self.identity)
                .finalize()
                .into_bytes(),
            None => Sha256::digest(self.identity),
        };
        let mut fingerprint = [0; FINGERPRINT_BYTES];
        fingerprint.copy_from_slice(&digest[..FINGERPRINT_BYTES]);
        fingerprint
    }
}

/// A cursor that cannot be gone on from.
pub(super) fn refused(found: &str) -> Error {
    Error::Cursor(format!("the cursor was refused: {found}; {NEXT_STEP}"))
}

/// What an error means to a call that goes on from a token, which a stranger could have made up where it is not proven.
pub(super) fn explain(error: Error, is_unproven: bool) -> Error {
    match error {
        // The same call without a start key was in order, or there would be no token of it.
        Error::Service(error) if is_unproven && error.code == "ValidationException" => {
            refused(&format!("DynamoDB refused the key in it ({})", error.message))
        }
        error => error,
    }
}
