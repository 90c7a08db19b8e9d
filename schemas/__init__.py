"""Messages, their Avro schemas and codec, topics, ids and errors. No I/O."""
