//! The official client, aws-sdk-dynamodb, with its defaults: typed requests and replies, standard retries.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use aws_smithy_http_client::Builder;
use serde_json::Value;
use tokio::task::JoinSet;

use super::{ACCESS_KEY_ID, IN_FLIGHT, ITEMS_PER_BATCH, Outcome, REGION, SECRET_ACCESS_KEY, TABLE};

type Item = HashMap<String, AttributeValue>;

#[derive(Clone)]
pub struct Sdk {
    client: Client,
    items: Arc<[Item]>,
    key: Item,
}

impl Sdk {
    pub fn new(address: &str, items: &[Value]) -> Outcome<Self> {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static(REGION))
            .endpoint_url(address)
            .credentials_provider(Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "bench"))
            .http_client(Builder::new().build_http());
        let items = items.iter().map(item).collect::<Outcome<Vec<_>>>()?;
        let key = items.first().ok_or("expected at least one item")?;
        let key = key.iter().filter(|(name, _)| ["org", "id"].contains(&name.as_str()));
        Ok(Self {
            client: Client::from_conf(config.build()),
            key: key.map(|(name, value)| (name.clone(), value.clone())).collect(),
            items: items.into(),
        })
    }

    /// Begin with the item of this number.
    pub async fn put(&self, first: usize, times: usize) -> Outcome<usize> {
        for number in first..first + times {
            let item = self.items[number % self.items.len()].clone();
            self.client
                .put_item()
                .table_name(TABLE)
                .set_item(Some(item))
                .send()
                .await?;
        }
        Ok(0)
    }

    pub async fn put_in_flight(&self, times: usize) -> Outcome<usize> {
        let mut tasks = JoinSet::new();
        for task in 0..IN_FLIGHT {
            let sdk = self.clone();
            // A task's error must be `Send`.
            tasks.spawn(async move {
                sdk.put(task, times / IN_FLIGHT)
                    .await
                    .map_err(|error| error.to_string())
            });
        }
        joined(tasks).await
    }

    pub async fn get_in_flight(&self, times: usize) -> Outcome<usize> {
        let mut tasks = JoinSet::new();
        for _ in 0..IN_FLIGHT {
            let sdk = self.clone();
            tasks.spawn(async move { sdk.get(times / IN_FLIGHT).await.map_err(|error| error.to_string()) });
        }
        joined(tasks).await
    }

    pub async fn get(&self, times: usize) -> Outcome<usize> {
        let mut read = 0;
        for _ in 0..times {
            let request = self.client.get_item().table_name(TABLE).set_key(Some(self.key.clone()));
            read += usize::from(request.send().await?.item.is_some_and(|item| !item.is_empty()));
        }
        Ok(read)
    }

    pub async fn query(&self, times: usize) -> Outcome<usize> {
        let mut read = 0;
        for _ in 0..times {
            let request = self
                .client
                .query()
                .table_name(TABLE)
                .key_condition_expression("#org = :org")
                .expression_attribute_names("#org", "org")
                .expression_attribute_values(":org", AttributeValue::S("acme".to_owned()));
            read += request.send().await?.items.unwrap_or_default().len();
        }
        Ok(read)
    }

    pub async fn batch_write(&self, times: usize) -> Outcome<usize> {
        for _ in 0..times {
            let writes = self.items[..ITEMS_PER_BATCH].iter().map(|item| {
                let put = PutRequest::builder().set_item(Some(item.clone())).build()?;
                Ok(WriteRequest::builder().put_request(put).build())
            });
            let writes = writes.collect::<Outcome<Vec<_>>>()?;
            self.client
                .batch_write_item()
                .request_items(TABLE, writes)
                .send()
                .await?;
        }
        Ok(0)
    }
}

/// The items that all of them read.
async fn joined(mut tasks: JoinSet<Result<usize, String>>) -> Outcome<usize> {
    let mut read = 0;
    while let Some(task) = tasks.join_next().await {
        read += task??;
    }
    Ok(read)
}

fn item(json: &Value) -> Outcome<Item> {
    let members = json.as_object().ok_or("an item is an object")?;
    let attributes = members
        .iter()
        .map(|(name, value)| Ok((name.clone(), attribute(value)?)));
    attributes.collect()
}

fn attribute(json: &Value) -> Outcome<AttributeValue> {
    let unknown = || format!("expected an attribute's value, found {json}");
    let (tag, content) = json
        .as_object()
        .and_then(|members| members.iter().next())
        .ok_or_else(unknown)?;
    let text = || content.as_str().map(str::to_owned).ok_or_else(unknown);
    let list = || content.as_array().ok_or_else(unknown);
    Ok(match tag.as_str() {
        "S" => AttributeValue::S(text()?),
        "N" => AttributeValue::N(text()?),
        "BOOL" => AttributeValue::Bool(content.as_bool().ok_or_else(unknown)?),
        "NULL" => AttributeValue::Null(true),
        "M" => AttributeValue::M(item(content)?),
        "L" => AttributeValue::L(list()?.iter().map(attribute).collect::<Outcome<_>>()?),
        "SS" => {
            let members = list()?.iter().map(|member| member.as_str().map(str::to_owned));
            AttributeValue::Ss(members.collect::<Option<_>>().ok_or_else(unknown)?)
        }
        _ => return Err(unknown().into()),
    })
}
