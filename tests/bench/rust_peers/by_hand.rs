//! hyper, one connection, a SigV4 signature with a key derived once, serde_json: what a request costs at least.
//!
//! It has no pool, no retries, no timeouts, no TLS, and a date that stands still: a floor, no client.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;

use super::{ACCESS_KEY_ID, Outcome, REGION, SECRET_ACCESS_KEY, TABLE};

const DAY: &str = "20261120";
const DATE: &str = "20261120T090000Z";
const CONTENT_TYPE: &str = "application/x-amz-json-1.0";
const SIGNED: &str = "content-type;host;x-amz-date;x-amz-target";

pub struct ByHand {
    connection: SendRequest<Full<Bytes>>,
    host: String,
    /// Before its first byte.
    signer: Hmac<Sha256>,
    items: Vec<Value>,
    key: Value,
}

impl ByHand {
    pub async fn connect(address: &str, items: Vec<Value>) -> Outcome<Self> {
        let host = address.strip_prefix("http://").ok_or("expected http://")?.to_owned();
        let stream = TcpStream::connect(&host).await?;
        stream.set_nodelay(true)?;
        let (connection, driver) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(driver);
        let first = items.first().ok_or("expected at least one item")?;
        let key = ["org", "id"].map(|name| (name.to_owned(), first[name].clone()));
        Ok(Self {
            connection,
            host,
            signer: signer()?,
            key: key.into_iter().collect(),
            items,
        })
    }

    pub async fn put(&mut self, times: usize) -> Outcome<usize> {
        for number in 0..times {
            let item = &self.items[number % self.items.len()];
            let body = format!(r#"{{"TableName":"{TABLE}","Item":{item}}}"#);
            self.call("DynamoDB_20120810.PutItem", body).await?;
        }
        Ok(0)
    }

    pub async fn get(&mut self, times: usize) -> Outcome<usize> {
        let mut read = 0;
        for _ in 0..times {
            let body = format!(r#"{{"TableName":"{TABLE}","Key":{}}}"#, self.key);
            let reply: Value = serde_json::from_slice(&self.call("DynamoDB_20120810.GetItem", body).await?)?;
            read += usize::from(reply["Item"].is_object());
        }
        Ok(read)
    }

    pub async fn query(&mut self, times: usize) -> Outcome<usize> {
        let mut read = 0;
        for _ in 0..times {
            let body = format!(
                r##"{{"TableName":"{TABLE}","KeyConditionExpression":"#org = :org","ExpressionAttributeNames":{{"#org":"org"}},"ExpressionAttributeValues":{{":org":{{"S":"acme"}}}}}}"##
            );
            let reply: Value = serde_json::from_slice(&self.call("DynamoDB_20120810.Query", body).await?)?;
            read += reply["Items"].as_array().map_or(0, Vec::len);
        }
        Ok(read)
    }

    async fn call(&mut self, target: &str, body: String) -> Outcome<Bytes> {
        let request = Request::post("/")
            .header("host", &self.host)
            .header("content-type", CONTENT_TYPE)
            .header("x-amz-date", DATE)
            .header("x-amz-target", target)
            .header("authorization", self.authorization(target, &body))
            .body(Full::new(Bytes::from(body)))?;
        self.connection.ready().await?;
        let reply = self.connection.send_request(request).await?;
        if !reply.status().is_success() {
            return Err(format!("{target} was answered by {}", reply.status()).into());
        }
        Ok(reply.into_body().collect().await?.to_bytes())
    }

    fn authorization(&self, target: &str, body: &str) -> String {
        let request = format!(
            "POST\n/\n\ncontent-type:{CONTENT_TYPE}\nhost:{}\nx-amz-date:{DATE}\nx-amz-target:{target}\n\n{SIGNED}\n{}",
            self.host,
            hex(&Sha256::digest(body))
        );
        let mut signer = self.signer.clone();
        signer.update(
            format!(
                "AWS4-HMAC-SHA256\n{DATE}\n{DAY}/{REGION}/dynamodb/aws4_request\n{}",
                hex(&Sha256::digest(request))
            )
            .as_bytes(),
        );
        format!(
            "AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/{DAY}/{REGION}/dynamodb/aws4_request, SignedHeaders={SIGNED}, \
             Signature={}",
            hex(&signer.finalize().into_bytes())
        )
    }
}

fn signer() -> Outcome<Hmac<Sha256>> {
    let mut key = format!("AWS4{SECRET_ACCESS_KEY}").into_bytes();
    for part in [DAY, REGION, "dynamodb", "aws4_request"] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key)?;
        mac.update(part.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
    }
    Ok(Hmac::new_from_slice(&key)?)
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
