// Submit a text and wait, follow another by its events, translate a document. Needs Go, and nothing else.
// Usage: go run examples/http/translate.go HTTP_URL API_KEY FILE
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

const text = `{"text": "Good morning.", "source_language": "en", "target_language": "pt"}`

type job struct {
	ID     string `json:"job_id"`
	Result struct {
		Text string `json:"text"`
	} `json:"result"`
}

func main() {
	log.SetFlags(0)
	url, key, file := strings.TrimSuffix(os.Args[1], "/"), os.Args[2], os.Args[3]
	ask := func(method, path, mediaType string, body io.Reader) io.ReadCloser {
		request, err := http.NewRequest(method, url+path, body)
		check(err)
		request.Header.Set("Authorization", "Bearer "+key)
		if mediaType != "" {
			request.Header.Set("Content-Type", mediaType)
		}
		answer, err := http.DefaultClient.Do(request)
		check(err)
		if answer.StatusCode >= 400 {
			// An RFC 9457 problem: it names the field, the limit and the cure.
			problem, _ := io.ReadAll(answer.Body)
			log.Fatalf("%s: %s", answer.Status, problem)
		}
		return answer.Body
	}

	// 200: finished; 202: not yet, and status_url shows it.
	finished := read(ask("POST", "/api/v1/translations?wait=30", "application/json", strings.NewReader(text)))
	fmt.Println("waited:", finished.Result.Text)

	accepted := read(ask("POST", "/api/v1/translations", "application/json", strings.NewReader(text)))
	fmt.Println("events:", result(ask("GET", "/api/v1/translations/"+accepted.ID+"/events", "", nil)))

	mediaType, form := upload(file)
	document := read(ask("POST", "/api/v1/documents", mediaType, form))
	translated, err := io.ReadAll(ask("GET", "/api/v1/documents/"+document.ID+"/download?wait=60", "", nil))
	check(err)
	check(os.WriteFile(file+".pt", translated, 0o644))
	fmt.Printf("document: %d bytes in %s.pt\n", len(translated), file)
}

func read(body io.ReadCloser) (found job) {
	defer body.Close()
	check(json.NewDecoder(body).Decode(&found))
	return found
}

// The text of the event `result`, which is the last one.
func result(body io.ReadCloser) string {
	defer body.Close()
	name, lines := "", bufio.NewReader(body)
	for {
		line, err := lines.ReadString('\n')
		check(err)
		field, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if field == "event" {
			name = value
		} else if field == "data" && name == "result" {
			return read(io.NopCloser(strings.NewReader(value))).Result.Text
		}
	}
}

func upload(file string) (string, io.Reader) {
	content, err := os.ReadFile(file)
	check(err)
	body := &bytes.Buffer{}
	form := multipart.NewWriter(body)
	check(form.WriteField("source_language", "en"))
	check(form.WriteField("target_language", "pt"))
	part, err := form.CreateFormFile("file", filepath.Base(file))
	check(err)
	_, err = part.Write(content)
	check(err)
	check(form.Close())
	return form.FormDataContentType(), body
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
