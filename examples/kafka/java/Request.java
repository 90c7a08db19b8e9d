// A client that shares no code with Dragoman: send one request event, wait for its result.
// Usage: mvn -q -f examples/kafka/java dependency:copy-dependencies -DoutputDirectory=target/libs
//        java -cp 'examples/kafka/java/target/libs/*' examples/kafka/java/Request.java BOOTSTRAP TEXT
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

class Request {
    public static void main(String[] args) throws Exception {
        String servers = args[0], id = UUID.randomUUID().toString(), key = "default/" + id;
        Schema schema = schema("TranslationRequest");
        GenericRecord request = new GenericRecordBuilder(schema)
            .set("tenant", "default")
            .set("request_id", id)
            .set("source_language", "en")
            .set("target_language", "pt")
            .set("text", args[1])
            .build();
        // An Avro single object: Avro's own encoder writes the fingerprint of the schema before the body.
        ByteBuffer value = new BinaryMessageEncoder<GenericRecord>(GenericData.get(), schema).encode(request);
        Map<String, Object> to = Map.of("bootstrap.servers", servers, "acks", "all");
        try (var producer = new KafkaProducer<>(to, new StringSerializer(), new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>("translation.requests.critical", key, value.array())).get();
        }
        GenericRecord result = result(servers, key);
        System.out.println(result.get("status") + " " + result.get("text"));
    }

    static GenericRecord result(String servers, String key) throws Exception {
        Map<String, Object> from = Map.of(
            "bootstrap.servers", servers,
            "group.id", UUID.randomUUID().toString(),
            "auto.offset.reset", "earliest",
            "isolation.level", "read_committed");
        var decoder = new BinaryMessageDecoder<GenericRecord>(GenericData.get(), schema("TranslationResult"));
        try (var consumer = new KafkaConsumer<>(from, new StringDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of("translation.results"));
            while (true) {
                for (var one : consumer.poll(Duration.ofSeconds(1))) {
                    if (key.equals(one.key())) return decoder.decode(one.value());
                }
            }
        }
    }

    static Schema schema(String name) throws Exception {
        return new Schema.Parser().parse(Path.of("schemas/avro/" + name + ".avsc").toFile());
    }
}
