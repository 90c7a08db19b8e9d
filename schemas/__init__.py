"""What flows: messages, their Avro schemas and codec, topics, ids, languages and errors. No I/O."""
