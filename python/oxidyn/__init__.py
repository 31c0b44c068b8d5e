"""oxidyn: Pydantic models in DynamoDB, with a Rust core."""
