// A client that shares no code with Dragoman: send one request event, wait for its result.
// Usage: go run -C examples/kafka/go . BOOTSTRAP TEXT
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/hamba/avro/v2/soe"
	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	log.SetFlags(0)
	servers, text := strings.Split(os.Args[1], ","), os.Args[2]
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := kgo.NewClient(
		kgo.SeedBrokers(servers...),
		kgo.ConsumeTopics("translation.results"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
	)
	check(err)
	defer client.Close()

	id := rand.Text()
	key := "default/" + id
	request := complete("TranslationRequest", map[string]any{
		"tenant": "default", "request_id": id, "source_language": "en", "target_language": "pt", "text": text,
	})
	// An Avro single object: the fingerprint of the schema, then the body.
	value, err := codec("TranslationRequest").Encode(request)
	check(err)
	sent := client.ProduceSync(ctx, &kgo.Record{
		Topic: "translation.requests.critical", Key: []byte(key), Value: value,
	})
	check(sent.FirstErr())

	results := codec("TranslationResult")
	for {
		fetched := client.PollFetches(ctx)
		check(ctx.Err())
		for _, record := range fetched.Records() {
			if string(record.Key) != key {
				continue
			}
			var result struct {
				Status string  `avro:"status"`
				Text   *string `avro:"text"`
			}
			check(results.Decode(record.Value, &result))
			fmt.Println(result.Status, *result.Text)
			return
		}
	}
}

// Fills in the defaults of the fields that are left out: avro asks for every field of a map.
func complete(name string, fields map[string]any) map[string]any {
	for _, field := range schema(name).(*avro.RecordSchema).Fields() {
		if _, given := fields[field.Name()]; !given && field.HasDefault() {
			fields[field.Name()] = field.Default()
		}
	}
	return fields
}

func codec(name string) *soe.Codec {
	found, err := soe.NewCodec(schema(name))
	check(err)
	return found
}

func schema(name string) avro.Schema {
	content, err := os.ReadFile("../../../schemas/avro/" + name + ".avsc")
	check(err)
	found, err := avro.Parse(string(content))
	check(err)
	return found
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
