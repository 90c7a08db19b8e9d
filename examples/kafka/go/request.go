// A client that shares no code with Dragoman: send one request event, wait for its result.
// Usage: go run -C examples/kafka/go . BOOTSTRAP TEXT
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/hamba/avro/v2"
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
	value := message("TranslationRequest").encode(map[string]any{
		"tenant": "default", "request_id": id, "source_language": "en", "target_language": "pt", "text": text,
	})
	sent := client.ProduceSync(ctx, &kgo.Record{
		Topic: "translation.requests.critical", Key: []byte(key), Value: value,
	})
	check(sent.FirstErr())

	results := message("TranslationResult")
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
			check(avro.Unmarshal(results.schema, record.Value[len(results.header):], &result))
			fmt.Println(result.Status, *result.Text)
			return
		}
	}
}

// A message on the wire is an Avro single object: a header that names the schema, then the body.
type wire struct {
	schema *avro.RecordSchema
	header []byte
}

// Reads both from the document that the platform serves at /asyncapi.json.
func message(name string) wire {
	content, err := os.ReadFile("../../../docs/reference/asyncapi.json")
	check(err)
	var document struct {
		Components struct {
			Messages map[string]struct {
				Header  string `json:"x-single-object-header"`
				Payload struct {
					Schema json.RawMessage `json:"schema"`
				} `json:"payload"`
			} `json:"messages"`
		} `json:"components"`
	}
	check(json.Unmarshal(content, &document))
	found := document.Components.Messages[name]
	schema, err := avro.ParseBytes(found.Payload.Schema)
	check(err)
	header, err := hex.DecodeString(found.Header)
	check(err)
	return wire{schema.(*avro.RecordSchema), header}
}

// Fields that are left out get their defaults: the library asks for every field of a map.
func (message wire) encode(fields map[string]any) []byte {
	for _, field := range message.schema.Fields() {
		if _, given := fields[field.Name()]; !given && field.HasDefault() {
			fields[field.Name()] = field.Default()
		}
	}
	body, err := avro.Marshal(message.schema, fields)
	check(err)
	return append(message.header, body...)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
