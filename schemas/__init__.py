"""What flows: messages, their Avro schemas and codec, topics, ids, errors. No I/O."""
